//! Decides whether a value meets its bound.
//!
//! Invariant: a share meets its bound by its counts, in whole numbers: 8,496 of 10,000 never pass as 0.85.

use super::VerdictKind;
use understudy_study::Direction;

/// The maximum number of decimal places, and of digits before them, for a comparison in whole numbers.
const PLACES: usize = 18;

/// Whether `hits` of `pairs` meet `bound`. The bound is taken as its shortest decimal form.
pub fn meets_bound_by_count(hits: u64, pairs: u64, direction: Direction, bound: f64) -> bool {
    let Some((numerator, denominator)) = decimal(bound) else {
        return meets_bound(hits as f64 / pairs as f64, direction, bound);
    };
    // Below 2^64 times 10^18, which fits an i128.
    let (actual, required) =
        (i128::from(hits) * denominator, i128::from(pairs).checked_mul(numerator).unwrap_or(i128::MAX));
    match direction {
        Direction::AtLeast => actual >= required,
        Direction::AtMost => actual <= required,
    }
}

/// Whether `value` meets `bound`.
pub fn meets_bound(value: f64, direction: Direction, bound: f64) -> bool {
    match direction {
        Direction::AtLeast => value >= bound,
        Direction::AtMost => value <= bound,
    }
}

/// The verdict of two bounds of a value, and how the value relates to the requirement, in words. `near_meets` says
/// whether the bound nearer to failure meets the requirement, and `far_meets` whether the other one does. `None` if the
/// nearer one does, so that the value passes.
pub fn bounds_failure(near_meets: bool, far_meets: bool) -> Option<(VerdictKind, &'static str)> {
    match (near_meets, far_meets) {
        (true, _) => None,
        (false, true) => Some((VerdictKind::Inconclusive, "cannot be distinguished from")),
        (false, false) => Some((VerdictKind::NoGo, "misses")),
    }
}

/// The fraction that is the shortest decimal form of a number; `None` if it has too many digits.
fn decimal(number: f64) -> Option<(i128, i128)> {
    let text = number.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    if places.len() > PLACES || whole.len() > PLACES {
        return None;
    }
    Some((format!("{whole}{places}").parse().ok()?, 10i128.pow(places.len() as u32)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_at_the_bound_meets_it_and_one_below_does_not() {
        let least = |hits, pairs, bound| meets_bound_by_count(hits, pairs, Direction::AtLeast, bound);
        assert!(least(17, 20, 0.85) && !least(16, 20, 0.85));
        assert!(!least(8496, 10_000, 0.85) && least(8500, 10_000, 0.85));
        // Floats cannot distinguish these from the bound: the quotient rounds to 0.85.
        let pairs = 20_000_000_000_000_000u64;
        assert_eq!(16_999_999_999_999_999f64 / pairs as f64, 0.85);
        assert!(!least(16_999_999_999_999_999, pairs, 0.85) && least(17_000_000_000_000_000, pairs, 0.85));
        // A bound of 18 decimal places, and a share that is 1e-18 below it and has the same float.
        let (places, pairs) = (0.013216952110923485, 1_000_000_000_000_000_000u64);
        assert_eq!(13_216_952_110_923_484f64 / pairs as f64, places);
        assert!(
            !least(13_216_952_110_923_484, pairs, places) && least(13_216_952_110_923_485, pairs, places)
        );
        // A bound of more places is compared as a float.
        assert!(!least(1, 10 * pairs, 1.5e-19) && least(2, 10 * pairs, 1.5e-19));
        let most = |hits, pairs, bound| meets_bound_by_count(hits, pairs, Direction::AtMost, bound);
        assert!(most(3, 20, 0.15) && !most(4, 20, 0.15) && most(0, 1, 0.0));
        assert!(!least(0, 5, 1.0) && least(5, 5, 1.0) && !least(5, 5, 1.5) && least(0, 5, -1.0));
        assert!(!least(u64::MAX, u64::MAX, 1e17) && least(5, 5, 1e-30));
    }

    proptest! {
        #[test]
        fn counts_match_exact_fractions(pairs in 1..2_000u64, part in 0.0..=1.0, hundredths in 0..=100u64) {
            let hits = (pairs as f64 * part) as u64;
            let bound = hundredths as f64 / 100.0;
            prop_assert_eq!(meets_bound_by_count(hits, pairs, Direction::AtLeast, bound), hits * 100 >= hundredths * pairs);
            prop_assert_eq!(meets_bound_by_count(hits, pairs, Direction::AtMost, bound), hits * 100 <= hundredths * pairs);
        }
    }
}
