//! Intervals and tests: bounds for proportions, jackknife bounds for any metric, confidence sequences for
//! interim looks, and two-sample differences.
//!
//! Invariants:
//! - A bound is one-sided and has the requested confidence on its own. Two bounds at 0.95 together form an
//!   interval of 0.90.
//! - A bound that cannot be computed is `None`, never a number that looks like one.
//! - The code is pure: counts, sums and values in, bounds out.
//!
//! A confidence is at least 0.5 and less than 1; a level is 1 minus a confidence. Below 0.5, a lower bound
//! would exceed the upper bound.
//!
//! Distributions come from `statrs`. Where they deviate from scipy by more than 1e-9, relatively, this module
//! has its own computation and says so: the quantiles of Student's t (here) and the binomial tail (in
//! `proportion.rs`).

mod bounded_mean;
mod cluster_mean;
mod confidence_sequence;
mod equal_scores;
mod gamma_sum;
mod jackknife;
mod korn_graubard;
mod mixture_boundary;
mod paired_difference;
mod proportion;
mod root_finding;
mod two_sample;

pub use bounded_mean::bounded_mean;
pub use cluster_mean::{cluster_mean, cluster_share};
pub use confidence_sequence::{ConfidenceSequence, ScoreBlock, SequenceTuning, WindowSequence};
pub use equal_scores::equal_scores;
pub use jackknife::{has_spread, jackknife, skewed_jackknife, standard_error};
pub use korn_graubard::{jackknife_certainty, korn_graubard};
pub use paired_difference::paired_difference;
pub use proportion::{binomial_tail, clopper_pearson, upper_tail, wilson, wilson_weighted};
pub use two_sample::{Difference, POWER, jackknife_difference, proportion_difference};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Two one-sided bounds of a value, in its unit, each at the requested confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The true value is not below this bound, at the confidence.
    pub lower: f64,
    /// The true value is not above this bound, at the confidence.
    pub upper: f64,
}

impl Interval {
    /// The interval, clamped to a range; `None` is no limit.
    pub fn clamped(self, (least, greatest): (Option<f64>, Option<f64>)) -> Interval {
        let clamp = |bound: f64| bound.max(least.unwrap_or(f64::MIN)).min(greatest.unwrap_or(f64::MAX));
        Interval { lower: clamp(self.lower), upper: clamp(self.upper) }
    }

    /// The interval of a difference, clamped to what two values in `range` can differ by.
    pub fn clamped_difference(self, range: (Option<f64>, Option<f64>)) -> Interval {
        let width = range.0.zip(range.1).map(|(least, greatest)| greatest - least);
        self.clamped((width.map(|width| -width), width))
    }

    /// The smallest interval that contains both.
    pub fn hull(self, other: Interval) -> Interval {
        Interval { lower: self.lower.min(other.lower), upper: self.upper.max(other.upper) }
    }

    /// The interval from `middle - reach` to `middle + reach`.
    fn centered(middle: f64, reach: f64) -> Self {
        Self { lower: middle - reach, upper: middle + reach }
    }
}

/// Panics if this is no confidence. Confidences are validated with the study, so a wrong one is an error of
/// the caller.
fn assert_confidence(confidence: f64) {
    assert!((0.5..1.0).contains(&confidence), "a confidence is in [0.5, 1), not {confidence}");
}

/// The quantile of the standard normal distribution at the probability `p`.
fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The quantile of Student's t at the probability `p`, with `degrees` degrees of freedom. `None` for 0
/// degrees.
///
/// `statrs` 0.19.1 inverts its own distribution function to 3e-9 at 2,000 degrees and to 2e-7 at 30,000. The
/// function itself is more precise, so one Newton step on it is enough: 1e-9 of scipy's up to 100,000
/// degrees. Beyond that, the expansion of M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions"
/// (1964), 26.7.5, is as close.
pub fn student_quantile(p: f64, degrees: f64) -> Option<f64> {
    let student = student(degrees)?;
    if degrees > 1e5 {
        let z = normal_quantile(p);
        let (first, second) = (z.powi(3) + z, 5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z);
        return Some(z + first / (4.0 * degrees) + second / (96.0 * degrees * degrees));
    }
    let near = student.inverse_cdf(p);
    Some(near + (student.sf(near) - (1.0 - p)) / student.pdf(near))
}

/// The upper tail probability of Student's t at `t`, with `degrees` degrees of freedom, which need not be
/// whole. The relative error is 1e-9; beyond a million degrees it is 1e-7 for `t` up to 12. `None` for 0
/// degrees.
///
/// Beyond a million degrees `statrs` is less precise; this is the approximation of Abramowitz and Stegun,
/// 26.7.8.
pub fn student_upper_tail(t: f64, degrees: f64) -> Option<f64> {
    let student = student(degrees)?;
    if degrees > 1e6 {
        let z = t * (1.0 - 0.25 / degrees) / (1.0 + t * t / (2.0 * degrees)).sqrt();
        return Some(Normal::standard().sf(z));
    }
    Some(student.sf(t))
}

/// Student's t with `degrees` degrees of freedom. `None` for 0 degrees.
fn student(degrees: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees).ok()
}

#[cfg(test)]
mod tests;
