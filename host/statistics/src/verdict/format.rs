//! Formats estimates and thresholds as text.
//!
//! Invariant: a share is printed with its counts, and is never rounded to a bound that it misses.

use super::Estimate;
use super::bound::meets_bound_by_count;
use understudy_study::{Direction, Evidence, Quantifier, Study, Threshold, WindowChoice};

/// The text for a contamination test that is still to come.
pub const TESTED_LATER: &str = "Contamination is tested once, at the end: a test at every interim look would \
                                accuse clean studies too often.";

/// The threshold in words.
pub fn describe_threshold(study: &Study, threshold: &Threshold) -> String {
    let Threshold { metric, direction, bound, quantifier, windows, evidence, of_ceiling, .. } = threshold;
    let which = match windows {
        WindowChoice::First(count) => format!("the first {count} complete windows"),
        WindowChoice::Latest(count) => format!("the latest {count} complete windows"),
        WindowChoice::All => "all windows".to_owned(),
    };
    let how = match quantifier {
        Quantifier::EveryWindow => format!("in each of {which}"),
        Quantifier::Pooled => format!("pooled over {which}"),
    };
    let by = match evidence {
        Evidence::Point => "by the point estimate".to_owned(),
        Evidence::Bound(confidence) => format!("by the confidence bound at {confidence}"),
    };
    let ceiling =
        of_ceiling.map_or_else(String::new, |share| format!(", and at least {share} of the ceiling"));
    format!("{} {} {bound} {how}, {by}{ceiling}", study.metrics[*metric].name, direction_words(*direction))
}

/// The reason of a GO.
pub fn pass_reason(threshold: &Threshold, pooled: &Estimate, windows: &[Estimate]) -> String {
    let bound = threshold.bound;
    match threshold.quantifier {
        Quantifier::Pooled => {
            let required = direction_words(threshold.direction);
            format!("{}; {required} {bound} is required", format_estimate(pooled))
        }
        Quantifier::EveryWindow => format!(
            "each of {} windows has {} {bound}; pooled: {}",
            windows.len(),
            direction_words(threshold.direction),
            format_estimate(pooled)
        ),
    }
}

/// The value of an estimate, with its counts if it is a share.
pub fn format_estimate(estimate: &Estimate) -> String {
    match (estimate.hits, estimate.value) {
        (Some(hits), _) => format!("{hits} of {} ({})", estimate.pairs, format_share(hits, estimate.pairs)),
        (None, Some(value)) => format!("{value:.6} over {} pairs", estimate.pairs),
        (None, None) => "not defined".to_owned(),
    }
}

/// The direction of a bound in words.
pub fn direction_words(direction: Direction) -> &'static str {
    match direction {
        Direction::AtLeast => "at least",
        Direction::AtMost => "at most",
    }
}

/// A share with six decimal places. It is not rounded to a number of four or fewer places unless it is that
/// number: bounds are declared with so many places, and 0.8499999 is not 0.85.
pub fn format_share(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    let (below, rest) = (u128::from(part) * 1_000_000 / whole, u128::from(part) * 1_000_000 % whole);
    let is_up = 2 * rest >= whole;
    let nearest = below + u128::from(is_up);
    let millionths = match nearest % 100 == 0 && nearest > 0 && rest > 0 {
        true if is_up => below,
        true => below + 1,
        false => nearest,
    };
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Whether a share is at least `bound`, by its counts.
pub fn at_least(part: u64, whole: u64, bound: f64) -> bool {
    meets_bound_by_count(part, whole, Direction::AtLeast, bound)
}

/// Whether a share is at most `bound`, by its counts.
pub fn at_most(part: u64, whole: u64, bound: f64) -> bool {
    meets_bound_by_count(part, whole, Direction::AtMost, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_but_never_to_a_bound_that_they_miss() {
        for (part, whole, text) in [
            (1, 3, "0.333333"),
            (2, 3, "0.666667"),
            (17, 20, "0.850000"),
            (8_499_999, 10_000_000, "0.849999"),
            (8_500_001, 10_000_000, "0.850001"),
            (8_500_011, 10_000_000, "0.850001"),
            (8_500_016, 10_000_000, "0.850002"),
            (1, 2_000_000, "0.000001"),
            (1, 2_000_001, "0.000000"),
            (9_999_999, 10_000_000, "0.999999"),
            (0, 5, "0.000000"),
            (5, 5, "1.000000"),
            (0, 0, "0.000000"),
            (u64::MAX - 1, u64::MAX, "0.999999"),
        ] {
            assert_eq!(format_share(part, whole), text, "{part} of {whole}");
        }
    }

    #[test]
    fn shares_are_compared_by_their_counts() {
        assert!(at_least(17, 20, 0.85) && !at_least(16, 20, 0.85));
        assert!(at_most(17, 20, 0.85) && !at_most(18, 20, 0.85));
    }
}
