//! Formats estimates, shares and confidences as text.
//!
//! Invariant: a share is printed with its counts, and is never rounded to a bound that it misses.

use super::Estimate;
use super::baseline_gain::BaselineGains;
use super::bound_check::meets_bound_by_count;
use crate::number_text::{count, counted, number_text};
use crate::scoring::JACKKNIFE_GROUPS;
use understudy_study::Direction;

/// The text for a contamination test that is still to come.
pub const TESTED_LATER: &str = "Contamination is tested once, at the end: a test at every interim look would \
                                accuse clean studies too often.";

/// The text for a contamination test that was not possible.
pub fn untestable_sentence() -> String {
    format!(
        "The difference cannot be tested. A share needs a scored pair among the blinded and among the unblinded pairs. Any \
         other metric, and clustered pairs, need one in each of {JACKKNIFE_GROUPS} groups of ids on both sides."
    )
}

/// A confidence or a level, with up to six decimals.
pub fn format_confidence(confidence: f64) -> String {
    ((confidence * 1e6).round() / 1e6).to_string()
}

/// The value of an estimate, with its counts if it is a share.
pub fn format_estimate(estimate: &Estimate) -> String {
    match (estimate.hits, estimate.value) {
        (Some(hits), _) => {
            format!("{} of {} ({})", count(hits), count(estimate.pairs), format_share(hits, estimate.pairs))
        }
        (None, Some(value)) => {
            format!("{} over {}", number_text(value), counted(estimate.pairs, "pair", "pairs"))
        }
        (None, None) => if estimate.withheld { "withheld" } else { "not defined" }.to_owned(),
    }
}

/// The reason that a verdict rests on fewer comparisons than required: `4 comparisons; at least 30 are required`.
pub fn too_few_comparisons(pairs: u64, least: u64) -> String {
    format!(
        "{}; at least {} required",
        counted(pairs, "comparison", "comparisons"),
        counted(least, "is", "are")
    )
}

/// The number of pairs over which model and baselines are compared: `587 of 600 pairs`.
pub fn compared_pairs(gains: &BaselineGains) -> String {
    match gains.left_out.total() {
        0 => counted(gains.pairs, "pair", "pairs"),
        left_out => format!("{} of {} pairs", count(gains.pairs), count(gains.pairs + left_out)),
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
    fn an_untestable_difference_says_what_a_test_needs() {
        assert!(untestable_sentence().contains("one in each of 64 groups of ids on both sides"));
    }

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
