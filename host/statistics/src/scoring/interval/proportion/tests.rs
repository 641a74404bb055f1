//! Proportions against scipy and statsmodels: `tests/oracles/intervals.py` prints the rows.

use super::{binomial_tail, clopper_pearson, wilson, wilson_weighted};
use crate::scoring::interval::tests::assert_close;

#[test]
fn wilson_matches_scipy_and_statsmodels() {
    for (hits, trials, confidence, lower, upper) in [
        (0, 1, 0.95, 0.0, 0.7301340512159458),
        (1, 1, 0.95, 0.2698659487840541, 0.9999999999999999),
        (0, 20, 0.95, 0.0, 0.11915783736096448),
        (20, 20, 0.95, 0.8808421626390356, 1.0),
        (7, 20, 0.8, 0.26676818704396454, 0.44349328397757426),
        (1, 3, 0.99, 0.04753745732546977, 0.8335832571347258),
        (881, 1000, 0.95, 0.8631215102790657, 0.8968224283722368),
        (881, 1000, 0.975, 0.8594591944010176, 0.8996248156329895),
        (999999, 1000000, 0.95, 0.999995517561529, 0.9999997769077474),
        (123456789, 1000000000, 0.999, 0.12342464597830362, 0.12348893921332203),
    ] {
        let interval = wilson(hits, trials, confidence).unwrap();
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn exact_bounds_match_scipy() {
    for (hits, trials, confidence, lower, upper) in [
        (0, 1, 0.95, 0.0, 0.95),
        (1, 1, 0.95, 0.050000000000000044, 1.0),
        (0, 20, 0.95, 0.0, 0.13910834066826516),
        (20, 20, 0.95, 0.8608916593317348, 1.0),
        (7, 20, 0.8, 0.24541119892706992, 0.46921520414499973),
        (1, 3, 0.99, 0.0033445065874036393, 0.9410968642218047),
        (98, 100, 0.95, 0.9383807996039593, 0.9964348473967433),
        (999, 1000, 0.95, 0.9952650064245002, 0.999948708021091),
        (881, 1000, 0.975, 0.8593024819773416, 0.9004235081749599),
        (999999, 1000000, 0.95, 0.9999952561443618, 0.9999999487067069),
        (3, 20, 0.5, 0.13147368058426617, 0.1805499794092855),
    ] {
        let interval = clopper_pearson(hits, trials, confidence).unwrap();
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
    assert_eq!(clopper_pearson(0, 0, 0.95), None);
    assert_eq!(clopper_pearson(3, 2, 0.95), None);
}

#[test]
fn weighted_shares_match_statsmodels() {
    // `tests/oracles/review.py` prints the rows.
    for (share, trials, confidence, lower, upper) in [
        (0.0, 7.5, 0.95, 0.0, 0.26510527991624955),
        (1.0, 7.5, 0.95, 0.7348947200837505, 1.0),
        (0.3, 12.25, 0.95, 0.13794069069140422, 0.5344215999174209),
        (0.875, 100000.5, 0.975, 0.8729358096338089, 0.8770353806757967),
    ] {
        let interval = wilson_weighted(share, trials, confidence).unwrap();
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
    assert_eq!(wilson_weighted(0.5, 8.0, 0.9), wilson(4, 8, 0.9));
    assert_eq!(wilson_weighted(0.5, 0.0, 0.9), None);
    assert_eq!(wilson_weighted(1.5, 8.0, 0.9), None);
    assert_eq!(wilson_weighted(f64::NAN, 8.0, 0.9), None);
}

#[test]
fn wilson_is_exact_at_zero_and_one() {
    for trials in [1, 2, 3, 7, 20, 1000, 123_456] {
        let none = wilson(0, trials, 0.95).unwrap();
        let all = wilson(trials, trials, 0.95).unwrap();
        assert_eq!((none.lower, all.upper), (0.0, 1.0), "{trials} trials");
        assert!(none.upper > 0.0 && all.lower < 1.0, "{trials} trials");
    }
}

#[test]
fn wilson_needs_a_share() {
    assert_eq!(wilson(0, 0, 0.95), None);
    assert_eq!(wilson(3, 2, 0.95), None);
}

#[test]
#[should_panic(expected = "a confidence is in [0.5, 1), not 95")]
fn a_confidence_in_percent_panics() {
    wilson(1, 2, 95.0);
}

#[test]
fn the_binomial_tail_matches_scipy() {
    for (k, n, p, probability) in [
        (0, 5, 0.3, 1.0),
        (1, 10, 0.5, 0.9990234375),
        (5, 10, 0.5, 0.623046875),
        (10, 10, 0.5, 0.0009765625),
        (3, 7, 0.01, 3.396253015e-05),
        (11, 12, 0.05, 5.590820312500003e-14),
        (200, 1000, 0.1, 2.9280548038287287e-21),
        (900, 1000, 0.88, 0.02664053316189475),
        (700, 1000, 0.88, 1.0),
        (50, 100000, 0.001, 0.9999999883705489),
        (99990, 100000, 0.9999, 0.5830397502973916),
        (500000, 1000000, 0.4999, 0.42113135192700357),
        (8000, 1000000, 0.0075, 5.04244740240983e-09),
    ] {
        assert_close(binomial_tail(k, n, p), probability);
    }
}

#[test]
fn the_binomial_tail_at_its_ends() {
    assert_eq!(binomial_tail(0, 0, 0.5), 1.0);
    assert_eq!(binomial_tail(1, 0, 0.5), 0.0);
    assert_eq!(binomial_tail(11, 10, 0.5), 0.0);
    assert_eq!(binomial_tail(1, 10, 0.0), 0.0);
    assert_eq!(binomial_tail(0, 10, 0.0), 1.0);
    assert_eq!(binomial_tail(10, 10, 1.0), 1.0);
    // 0.5^1000 is a float; 0.5^1100 underflows to 0.
    assert_close(binomial_tail(1000, 1000, 0.5), 2f64.powi(-1000));
    assert_eq!(binomial_tail(1100, 1100, 0.5), 0.0);
}
