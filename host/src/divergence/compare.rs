//! One part of the pairs against another: whether its figure is greater or less, and by how much.
//!
//! Always holds: a part that cannot be told (no pairs, no figure, no spread) is `None`, and never taken for one that does not
//! differ. The two parts have no pair in common and are taken as independent.

use std::cmp::Ordering;

use super::moments::{Layout, Reduce, estimate};
use super::{Settings, fisher};
use crate::scoring::{Interval, shares, student_above, student_quantile};

/// What a part says of its figure.
pub(super) enum Side {
    /// How many hits of how many scored pairs, at least one: every score is 0 or 1, and the figure is their mean.
    Share { hits: u64, scored: u64 },
    /// A figure of any kind, its standard error, which is above zero, and the scored pairs, two at least.
    Figure { figure: f64, error: f64, scored: f64 },
}

impl Side {
    /// Of a part, which are [`Layout::width`] sums. `None` where the part cannot be told.
    pub(super) fn of(
        part: &[f64], layout: &Layout, settings: &Settings, reduce: &mut Reduce<'_>,
    ) -> Option<Side> {
        let scored = *part.first()?;
        if settings.shares {
            // Sums of zeros and ones are whole numbers.
            let hits = *part.get(1)? as u64;
            return (scored >= 1.0).then_some(Side::Share { hits, scored: scored as u64 });
        }
        let estimate = estimate(part, layout, reduce)?;
        let error = estimate.error.filter(|&error| error > 0.0)?;
        Some(Side::Figure { figure: estimate.figure, error, scored })
    }

    /// The figure.
    pub(super) fn figure(&self) -> f64 {
        match *self {
            Side::Share { hits, scored } => hits as f64 / scored as f64,
            Side::Figure { figure, .. } => figure,
        }
    }

    /// The one-sided p-value for "this figure is `direction` than that of `other`": Fisher's exact test for shares,
    /// otherwise Welch's t of the two standard errors. `None` where there is no such test.
    pub(super) fn p_value(&self, other: &Side, direction: Ordering) -> Option<f64> {
        let (more, less) = match direction {
            Ordering::Greater => (self, other),
            Ordering::Less => (other, self),
            Ordering::Equal => return None,
        };
        match (more, less) {
            (&Side::Share { hits, scored }, &Side::Share { hits: fewer, scored: of }) => {
                fisher((hits, scored), (fewer, of))
            }
            _ => {
                let (error, degrees) = more.welch(less)?;
                student_above((more.figure() - less.figure()) / error, degrees)
            }
        }
    }

    /// The bounds of this figure less that of `other`, each at `confidence`: Newcombe's for shares, otherwise Welch's.
    pub(super) fn interval(&self, other: &Side, confidence: f64) -> Option<Interval> {
        if let (&Side::Share { hits, scored }, &Side::Share { hits: fewer, scored: of }) = (self, other) {
            let found = shares((hits, scored), (fewer, of), confidence, 1.0 - confidence)?;
            return Some(found.interval);
        }
        let (error, degrees) = self.welch(other)?;
        let reach = student_quantile(confidence, degrees)? * error;
        let difference = self.figure() - other.figure();
        Some(Interval { lower: difference - reach, upper: difference + reach })
    }

    /// The standard error of the difference of two figures and its degrees of freedom: B. L. Welch, "The generalization of
    /// Student's problem when several different population variances are involved", Biometrika 34 (1947).
    fn welch(&self, other: &Side) -> Option<(f64, f64)> {
        let (
            &Side::Figure { error: one, scored: n, .. },
            &Side::Figure { error: two, scored: m, .. },
        ) = (self, other)
        else {
            return None;
        };
        let error = one.hypot(two);
        // By shares of the variance, so that no square of a small error is lost.
        let (one, two) = ((one / error).powi(2), (two / error).powi(2));
        let degrees = 1.0 / (one * one / (n - 1.0) + two * two / (m - 1.0));
        Some((error, degrees)).filter(|(error, degrees)| error.is_normal() && degrees.is_finite())
    }
}
