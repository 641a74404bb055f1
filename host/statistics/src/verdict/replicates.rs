//! The interval of a value at a single look, from the values with one group of pairs left out.
//!
//! Invariant: groups without spread never give an interval of width zero.

use super::{IntervalMethod, MissingInterval};
use crate::scoring::{Interval, equal_scores, has_spread, jackknife};

/// The range of a metric or of a difference; `None` is no limit.
pub type Range = (Option<f64>, Option<f64>);

/// The interval of `value` by the jackknife over its values `without` each group, within `range`. `scale` is the size
/// of the numbers from which they are computed, see [`has_spread`]. If the groups show no spread, these are the
/// bounds for `independent` equal scores. `independent` is `None` if the value is not a mean of scores in the range.
///
/// # Errors
/// If neither method gives bounds.
pub fn interval_from_replicates(
    value: f64,
    (without, scale): (&[f64], f64),
    range: Range,
    independent: Option<u64>,
    confidence: f64,
) -> Result<(Interval, IntervalMethod), MissingInterval> {
    if has_spread(without, scale) {
        let interval = jackknife(value, without, scale, confidence).ok_or(MissingInterval::NotFinite)?;
        return Ok((interval.clamped(range), IntervalMethod::Jackknife));
    }
    let equal = range.0.zip(range.1).zip(independent);
    let interval = equal.and_then(|(range, scores)| equal_scores(value, scores, range, confidence));
    interval.map(|interval| (interval, IntervalMethod::EqualScores)).ok_or(MissingInterval::NoSpread)
}
