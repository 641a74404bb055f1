//! Figures and thresholds in words.
//!
//! Always holds: a share is told with its counts, and is never rounded to a bound that it misses.

use super::Finding;
use super::bound::meets;
use understudy_study::{Counted, Direction, Evidence, Quantifier, Study, Threshold};

/// Said where contamination is not tested yet.
pub const TESTED_LATER: &str =
    "It is tested at the end, once: each look before would be one more chance to accuse a clean study.";

/// The threshold in words.
pub fn in_words(study: &Study, threshold: &Threshold) -> String {
    let Threshold { metric, direction, bound, quantifier, windows, evidence, .. } = threshold;
    let which = match windows {
        Counted::First(count) => format!("the first {count} complete windows"),
        Counted::Latest(count) => format!("the latest {count} complete windows"),
        Counted::All => "everything".to_owned(),
    };
    let how = match quantifier {
        Quantifier::EveryWindow => format!("in each of {which}"),
        Quantifier::Pooled => format!("over {which} taken together"),
    };
    let by = match evidence {
        Evidence::Point => "by the figure itself".to_owned(),
        Evidence::Bound(confidence) => format!("by its bound at confidence {confidence}"),
    };
    format!("{} {} {bound} {how}, {by}", study.metrics[*metric].name, side(*direction))
}

/// How a finding that passes passed.
pub fn passed(threshold: &Threshold, together: &Finding, windows: &[Finding]) -> String {
    let bound = threshold.bound;
    match threshold.quantifier {
        Quantifier::Pooled => {
            format!("{}, and {} {bound} is asked", figure(together), side(threshold.direction))
        }
        Quantifier::EveryWindow => format!(
            "each of {} windows has {} {bound}; together {}",
            windows.len(),
            side(threshold.direction),
            figure(together)
        ),
    }
}

/// A finding, by its counts where it is a share.
pub fn figure(finding: &Finding) -> String {
    match (finding.hits, finding.value) {
        (Some(hits), _) => format!("{hits} of {} ({})", finding.pairs, share(hits, finding.pairs)),
        (None, Some(value)) => format!("{value:.6} over {} pairs", finding.pairs),
        (None, None) => "not defined".to_owned(),
    }
}

/// On which side of the bound.
pub fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::AtLeast => "at least",
        Direction::AtMost => "at most",
    }
}

/// A share to six places. It is not rounded to one of four places or fewer that it is not: bounds are declared so, and 0.8499999
/// is not 0.85.
pub fn share(part: u64, whole: u64) -> String {
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
    meets(part, whole, Direction::AtLeast, bound)
}

/// Whether a share is at most `bound`, by its counts.
pub fn at_most(part: u64, whole: u64, bound: f64) -> bool {
    meets(part, whole, Direction::AtMost, bound)
}
