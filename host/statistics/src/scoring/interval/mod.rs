//! How far a figure may be from the truth: bounds for shares, for any figure by its groups, for scores that are looked
//! at again and again, and for a difference of two of them.
//!
//! Pure: counts, sums and figures in, bounds out. Always holds: a bound is one-sided and stands at the confidence that
//! was asked for by itself, so that the two of them together enclose the truth with less: two bounds of 0.95 are an
//! interval of 0.90. What no bound can be given for is `None`, never a number that looks like one.
//!
//! A confidence is at least 0.5 and less than 1, and a level is 1 less a confidence. Below 0.5 a lower bound would be
//! above the upper one.
//!
//! Distributions are those of `statrs`. Where they are off by more than 1e-9 of what scipy gives, this module says so
//! and does otherwise: the quantiles of Student's t (here) and the tail of the binomial (in `share.rs`).

mod difference;
mod jackknife;
mod sequence;
mod share;

pub use difference::{Difference, POWER, jackknifed, shares};
pub use jackknife::{jackknife, standard_error};
pub use sequence::{Block, Sequence};
pub use share::{at_least, upper_tail, wilson, wilson_weighted};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Two one-sided bounds, in the unit of the figure that they bound, each at the confidence that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The truth is not below it, at the confidence.
    pub lower: f64,
    /// The truth is not above it, at the confidence.
    pub upper: f64,
}

impl Interval {
    /// What of it lies within the bounds that there are.
    pub fn within(self, (least, greatest): (Option<f64>, Option<f64>)) -> Interval {
        let clamp = |bound: f64| bound.max(least.unwrap_or(f64::MIN)).min(greatest.unwrap_or(f64::MAX));
        Interval { lower: clamp(self.lower), upper: clamp(self.upper) }
    }

    /// What of it a difference of two figures can be which both lie within the bounds that there are.
    pub fn of_difference(self, range: (Option<f64>, Option<f64>)) -> Interval {
        let width = range.0.zip(range.1).map(|(least, greatest)| greatest - least);
        self.within((width.map(|width| -width), width))
    }

    /// From `reach` below `middle` to `reach` above it.
    fn around(middle: f64, reach: f64) -> Self {
        Self { lower: middle - reach, upper: middle + reach }
    }
}

/// Refuses what is no confidence. It is declared in the study, so a wrong one is a mistake in the code that calls.
fn assert_confidence(confidence: f64) {
    assert!((0.5..1.0).contains(&confidence), "a confidence is in [0.5, 1), not {confidence}");
}

/// Below which value the standard normal distribution has the probability `p`.
fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Below which value Student's t with so many `degrees` of freedom has the probability `p`. `None` for 0 degrees.
///
/// `statrs` 0.19.1 inverts its own distribution function to 3e-9 at 2,000 degrees and 2e-7 at 30,000. The function
/// itself is better, so one step of Newton's method on it is enough: 1e-9 of scipy's up to 100,000 degrees. Beyond, it is
/// the expansion of M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5, as close.
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

/// The probability that Student's t with so many `degrees` of freedom, which need not be whole, is above `t`: to 1e-9 of
/// itself, and beyond a million degrees to 1e-7 for `t` of up to 12. `None` for 0 degrees.
///
/// That of `statrs` is worse beyond; there it is the approximation of Abramowitz and Stegun, 26.7.8.
pub fn student_above(t: f64, degrees: f64) -> Option<f64> {
    let student = student(degrees)?;
    if degrees > 1e6 {
        let z = t * (1.0 - 0.25 / degrees) / (1.0 + t * t / (2.0 * degrees)).sqrt();
        return Some(Normal::standard().sf(z));
    }
    Some(student.sf(t))
}

/// Student's t with so many `degrees` of freedom. `None` for 0 degrees.
fn student(degrees: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees).ok()
}

#[cfg(test)]
mod tests;
