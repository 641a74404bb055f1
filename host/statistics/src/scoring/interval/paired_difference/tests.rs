//! Checked against scipy: `tests/oracles/paired_difference.py` prints the rows and the exact coverage.

use super::paired_difference;
use crate::scoring::interval::tests::assert_close;

#[test]
fn bounds_match_scipy() {
    for (gains, losses, trials, confidence, lower, upper) in [
        (0, 0, 100, 0.95, -0.05815507911697247, 0.05815507911697247),
        (5, 0, 100, 0.95, 0.0007021601643019198, 0.14405994710467288),
        (30, 10, 1000, 0.95, 0.005383248752563556, 0.0436669382589403),
        (10, 30, 1000, 0.95, -0.0436669382589403, -0.005383248752563556),
        (300, 100, 10_000, 0.9, 0.015367061402071771, 0.025309912562861397),
        (60, 40, 100, 0.99, -0.04611061738878153, 0.42926999070862637),
        (12, 12, 12_345, 0.9975, -0.002162857552834955, 0.002162857552834955),
        (20, 0, 20, 0.95, 0.5282337729455364, 1.0),
    ] {
        let interval = paired_difference(gains, losses, trials, confidence).unwrap();
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn a_difference_above_0_is_that_of_the_exact_test_of_mcnemar() {
    // 0.5^5 = 0.031 is below 0.9 * 0.05, and 0.5^4 = 0.063 is not, however many trials there are.
    for trials in [5, 100, 1_000_000] {
        assert!(paired_difference(5, 0, trials, 0.95).unwrap().lower > 0.0);
        assert!(paired_difference(4, 0, trials, 0.95).unwrap().lower < 0.0);
    }
}

#[test]
fn bounds_at_a_higher_confidence_are_wider() {
    for (gains, losses) in [(0, 0), (5, 0), (0, 5), (30, 10), (12, 12), (300, 700)] {
        let intervals = [0.5, 0.9, 0.95, 0.975, 0.99, 0.9975, 0.9999]
            .map(|confidence| paired_difference(gains, losses, 1000, confidence).unwrap());
        for pair in intervals.windows(2) {
            assert!(
                pair[1].lower <= pair[0].lower && pair[1].upper >= pair[0].upper,
                "{gains} {losses}: {pair:?}"
            );
        }
    }
}

#[test]
fn impossible_counts_have_no_bounds() {
    assert_eq!(paired_difference(0, 0, 0, 0.95), None);
    assert_eq!(paired_difference(3, 3, 5, 0.95), None);
    assert_eq!(paired_difference(u64::MAX, 1, 5, 0.95), None);
}
