//! Intervals where a jackknife has no basis: replicates without a value, and scores without spread.

use super::super::replicates::{greatest_standard_error, with_least_error};
use super::super::test_support::{SimulatedStudy, bound, every, pooled};
use super::super::{Estimate, IntervalMethod, MissingInterval, VerdictKind};
use super::independent_scores;
use crate::scoring::{
    ClusterLimits, ClusterSizes, Interval, JACKKNIFE_GROUPS, clopper_pearson, cluster_hash, jackknife_group,
    korn_graubard, standard_error, student_quantile,
};

/// A metric that is not a mean: the share of hits, defined only if there are misses, too.
fn with_misses(pairs: u64, sum: f64) -> Option<f64> {
    (sum < pairs as f64).then(|| sum.min(pairs as f64 - 1.0) / (pairs as f64 - 1.0))
}

/// A run of one week by the bound at 0.95, with at least `least` comparisons.
fn by_bound(least: u64, week: (u64, u64)) -> SimulatedStudy {
    SimulatedStudy::new(&format!("{}\nleast-per-window = {least}", bound(&pooled(1))), &[week])
}

fn pooled_estimate(case: &SimulatedStudy) -> Estimate {
    case.verdict().models[0].scopes[0].pooled
}

#[test]
fn a_value_that_is_no_mean_has_no_interval() {
    let root: fn(u64, f64) -> Option<f64> = |pairs, sum| Some((sum / pairs as f64).sqrt());
    for hits in [199, 190, 100] {
        let case = SimulatedStudy { reduce: root, ..by_bound(100, (hits, 200)) };
        let estimate = pooled_estimate(&case);
        assert_eq!((estimate.interval, estimate.method), (None, None));
        assert_eq!(estimate.no_interval, Some(MissingInterval::NotMean));
        assert_eq!(case.decide().0, VerdictKind::Inconclusive);
    }
    let reasons = SimulatedStudy { reduce: root, ..by_bound(100, (200, 200)) }.decide().1;
    insta::assert_snapshot!(reasons, @"INCONCLUSIVE: pooled: 1.000000 over 200 pairs; no interval can be computed: bounds are known only for means of scores in a known range, such as agreement, and for Cohen's kappa; rare pairs that were not observed can move any other value by any amount");
}

#[test]
fn scores_outside_of_the_range_have_no_interval() {
    // The mean is in the range, and so would be its bounds.
    let case = SimulatedStudy { scores: [-5.0, 2.0], ..by_bound(100, (170, 200)) };
    let estimate = pooled_estimate(&case);
    assert_eq!((estimate.value, estimate.no_interval), (Some(0.95), Some(MissingInterval::NotMean)));
    assert_eq!(case.decide().0, VerdictKind::Inconclusive, "{}", case.decide().1);
}

#[test]
fn equal_scores_have_the_bounds_of_their_number() {
    // Two pairs whose score is the bound itself.
    let equal = |pairs, score| SimulatedStudy { scores: [score; 2], ..by_bound(2, (pairs, pairs)) };
    for score in [0.85, 0.86, 0.95] {
        let case = equal(2, score);
        assert_eq!(case.decide().0, VerdictKind::Inconclusive, "{score}: {}", case.decide().1);
        let estimate = pooled_estimate(&case);
        assert_eq!(estimate.method, Some(IntervalMethod::BoundedMean));
        let interval = estimate.interval.unwrap();
        // 0.86 is between two grid points, so its bounds are a little wider.
        let wider = if score == 0.86 { 1e-4 } else { 0.0 };
        let (lower, upper) = (score * 0.05f64.sqrt(), 1.0 - (1.0 - score) * 0.05f64.sqrt());
        assert!((-1e-9..=wider + 1e-9).contains(&(lower - interval.lower)), "{interval:?}");
        assert!((-1e-9..=wider + 1e-9).contains(&(interval.upper - upper)), "{interval:?}");
    }
    // Many equal scores are evidence: 0.9 * 0.05^(1 / 1000) is 0.8973.
    let case = equal(1000, 0.9);
    assert_eq!(case.decide().0, VerdictKind::Go, "{}", case.decide().1);
    let interval = pooled_estimate(&case).interval.unwrap();
    assert!((interval.lower - 0.9 * 0.05f64.powf(1e-3)).abs() < 1e-9, "{interval:?}");
    // Each pair is a cluster of its own.
    let clustered = SimulatedStudy { threshold: format!("{}\ncluster = \"kind\"", case.threshold), ..case };
    let interval = pooled_estimate(&clustered).interval.unwrap();
    assert!((interval.lower - 0.9 * 0.05f64.powf(1e-3)).abs() < 1e-9, "{interval:?}");
}

#[test]
fn full_agreement_of_clusters_is_not_certain() {
    let threshold = format!("{}\ncluster = \"kind\"", bound(&every(1)));
    for (least, kind) in [("0.996", VerdictKind::Go), ("0.998", VerdictKind::Inconclusive)] {
        let case = SimulatedStudy::new(&threshold.replace("0.85", least), &[(1000, 1000)]);
        assert_eq!(case.decide().0, kind, "{}", case.decide().1);
        assert_eq!(pooled_estimate(&case).method, Some(IntervalMethod::EqualClusters));
    }
}

#[test]
fn dependent_pairs_have_the_bounds_of_fewer_independent_ones() {
    for hits in [999, 998, 900] {
        let case = by_bound(100, (hits, 1000));
        let independent = pooled_estimate(&case);
        assert_eq!(independent.method, Some(IntervalMethod::Exact));
        assert_eq!(independent.interval, clopper_pearson(hits, 1000, 0.95));
        let clustered =
            SimulatedStudy { threshold: format!("{}\ncluster = \"kind\"", case.threshold), ..case };
        let dependent = pooled_estimate(&clustered);
        assert_eq!(dependent.method, Some(IntervalMethod::EffectiveTrials));
        let (narrow, wide) = (independent.interval.unwrap(), dependent.interval.unwrap());
        // The 100 misses at 900 hits are spread over the groups more evenly than by chance, so all pairs count.
        let is_wider = wide.lower < narrow.lower && wide.upper >= narrow.upper;
        assert!(is_wider == (hits > 900) && (is_wider || wide == narrow), "{narrow:?} {wide:?}");
    }
}

#[test]
fn one_large_cluster_limits_the_number_of_independent_pairs() {
    let clustered = |one_cluster| {
        let case = by_bound(100, (900, 1000));
        SimulatedStudy { threshold: format!("{}\ncluster = \"kind\"", case.threshold), one_cluster, ..case }
    };
    let width = |case: &SimulatedStudy| {
        let interval = pooled_estimate(case).interval.unwrap();
        interval.upper - interval.lower
    };
    // 700 clusters have one pair, and one has 300. Kish's number of clusters is 1000^2 / (700 + 300^2) = 11.
    assert!(width(&clustered(300)) > 5.0 * width(&clustered(0)));
    // The standard error of a mean of other scores has a least value for the same reason.
    let scores = |one_cluster| SimulatedStudy { scores: [0.2, 0.9], ..clustered(one_cluster) };
    assert!(width(&scores(300)) > 3.0 * width(&scores(0)));
}

#[test]
fn without_a_known_range_equal_scores_say_nothing() {
    let not_mean = Some(MissingInterval::NotMean);
    for range in [(None, None), (Some(0.0), None), (None, Some(1.0))] {
        let case = SimulatedStudy { scores: [0.9; 2], range, ..by_bound(100, (1000, 1000)) };
        assert_eq!(case.decide().0, VerdictKind::Inconclusive, "{}", case.decide().1);
        assert_eq!((pooled_estimate(&case).interval, pooled_estimate(&case).no_interval), (None, not_mean));
    }
    // A metric that is not the mean of its scores, such as kappa.
    let square_root: fn(u64, f64) -> Option<f64> = |pairs, sum| Some((sum / pairs as f64).sqrt());
    let case = SimulatedStudy { scores: [0.9; 2], reduce: square_root, ..by_bound(100, (1000, 1000)) };
    assert_eq!((pooled_estimate(&case).interval, pooled_estimate(&case).no_interval), (None, not_mean));
    let (kind, reasons) = case.decide();
    assert_eq!(kind, VerdictKind::Inconclusive);
    assert!(reasons.contains("bounds are known only for means of scores in a known range"), "{reasons}");
    // An upper bound of zero errors in an unknown range cannot be shown by pairs without an error.
    let threshold = bound(&every(1)).replace("at-least = 0.85", "at-most = 0");
    let exact = SimulatedStudy {
        scores: [0.0; 2],
        range: (Some(0.0), None),
        ..SimulatedStudy::new(&threshold, &[(1000, 1000)])
    };
    assert_eq!(exact.decide().0, VerdictKind::Inconclusive, "{}", exact.decide().1);
}

#[test]
fn one_group_says_nothing_about_the_spread() {
    let case = by_bound(1, (1, 1));
    let case = SimulatedStudy { threshold: format!("{}\ncluster = \"kind\"", case.threshold), ..case };
    assert_eq!(pooled_estimate(&case).no_interval, Some(MissingInterval::FewGroups));
    assert_eq!(case.decide().0, VerdictKind::Inconclusive, "{}", case.decide().1);
}

#[test]
fn contamination_is_not_tested_on_some_of_the_replicates() {
    // The blinded arm has one miss. Without its group the metric is not defined there.
    let threshold = format!("{}\ncluster = \"kind\"", every(3));
    let case = SimulatedStudy {
        blinded_hits: Some((2000, 1)),
        reduce: with_misses,
        range: (None, None),
        ..SimulatedStudy::new(&threshold, &[(2900, 3000); 3])
    };
    let found = case.verdict().models[0].contamination.unwrap();
    assert_eq!((found.tested, found.difference), (true, None));
    // With misses in several groups it is tested.
    let case = SimulatedStudy { blinded_hits: Some((2000, 30)), ..case };
    assert!(case.verdict().models[0].contamination.unwrap().difference.is_some());
}

#[test]
fn equal_scores_are_independent_unless_there_are_clusters() {
    // Ten scores of 3, and ten with the mean 3 and the mean square 10.
    assert_eq!(independent_scores(ClusterLimits::NONE, (10, 4), 3.0, 90.0), 10);
    assert_eq!(independent_scores(ClusterLimits::NONE, (10, 4), 3.0, 100.0), 4);
    let five = ClusterLimits { pairs: f64::INFINITY, clusters: 5.5 };
    assert_eq!(independent_scores(five, (10, 4), 3.0, 90.0), 5);
    assert_eq!(independent_scores(five, (10, 4), 3.0, 100.0), 4);
}

#[test]
fn the_greatest_standard_error_is_that_of_the_ends_of_the_range() {
    let range = (Some(-1.0), Some(3.0));
    assert_eq!(greatest_standard_error(1.0, range, 16.0), Some(0.5));
    assert_eq!(greatest_standard_error(2.0, range, 12.0), Some(0.5));
    assert_eq!(greatest_standard_error(1.0, range, f64::INFINITY), Some(0.0));
    assert_eq!(greatest_standard_error(1.0, (None, Some(3.0)), 16.0), None);
}

#[test]
fn an_interval_is_widened_to_the_least_error_and_never_narrowed() {
    let (interval, without) = (Interval { lower: 0.375, upper: 0.75 }, [0.25, 0.5, 0.625]);
    let error = standard_error(&without).unwrap();
    let doubled = with_least_error(interval, 0.5, &without, 2.0 * error);
    assert!((doubled.lower - 0.25).abs() < 1e-12 && (doubled.upper - 1.0).abs() < 1e-12, "{doubled:?}");
    assert_eq!(with_least_error(interval, 0.5, &without, error / 2.0), interval);
}

/// The keys of the pairs of a case of one week, as [`SimulatedStudy`] has them.
fn keys(pairs: u64, one_cluster: u64) -> Vec<String> {
    (0..pairs).map(|pair| if pair < one_cluster { "one".to_owned() } else { format!("0-{pair}") }).collect()
}

/// The greatest number of independent pairs that pairs with these keys count for.
fn most_independent(keys: &[String]) -> f64 {
    let mut sizes = ClusterSizes::default();
    keys.iter().for_each(|key| sizes.add(cluster_hash(key), 1));
    sizes.limits().pairs
}

/// A case of one week with clusters.
fn clustered(week: (u64, u64), one_cluster: u64) -> SimulatedStudy {
    let case = by_bound(100, week);
    SimulatedStudy { threshold: format!("{}\ncluster = \"kind\"", case.threshold), one_cluster, ..case }
}

#[test]
fn the_error_of_a_mean_is_at_least_that_of_the_independent_clusters() {
    // A cluster has 300 of 1,000 pairs, so about 3 pairs count as independent.
    let most = most_independent(&keys(1000, 300));
    assert!((most - 10.0 / 3.0).abs() < 1e-12, "{most}");
    let student = student_quantile(0.95, 63.0).unwrap();
    let error = |case: &SimulatedStudy| {
        let found = pooled_estimate(case);
        let interval = found.interval.unwrap();
        assert_eq!(found.method, Some(IntervalMethod::ClusterJackknife));
        (found.value.unwrap(), (found.value.unwrap() - interval.lower) / student)
    };
    let mean = SimulatedStudy { scores: [0.2, 0.9], ..clustered((700, 1000), 300) };
    let (value, found) = error(&mean);
    let least = (value * (1.0 - value) / most).sqrt();
    // The bounds allow for skewed scores, and for clusters that are too rare to be observed, so they are a little lower.
    assert!((1.0..1.1).contains(&(found / least)), "{found} and {least}");
}

/// Clusters that fail as a whole may be too few to have been observed, and without a mean or a range nothing limits what they do.
#[test]
fn with_clusters_only_means_of_scores_in_a_known_range_have_bounds() {
    let mean = SimulatedStudy { scores: [0.2, 0.9], ..clustered((700, 1000), 300) };
    let root = SimulatedStudy { reduce: |pairs, sum| Some((sum / pairs as f64).sqrt()), ..mean.clone() };
    let unlimited = SimulatedStudy { range: (Some(0.0), None), ..mean };
    for case in [root, unlimited] {
        let found = pooled_estimate(&case);
        assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::Clusters)));
        let text = case.decide().1;
        let expected = "no interval can be computed: with a `cluster`, bounds are known only for metrics that are a mean of scores \
                        in a known range, such as agreement";
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_share_of_clusters_has_the_bounds_of_korn_and_graubard() {
    let (hits, pairs) = (3200, 4000);
    let keys = keys(pairs, 0);
    let mut groups = vec![(0.0, 0.0); JACKKNIFE_GROUPS as usize];
    for (pair, key) in (0..).zip(&keys) {
        let (own_hits, own_pairs) = &mut groups[usize::from(jackknife_group(key))];
        *own_hits += f64::from(u8::from(pair < hits));
        *own_pairs += 1.0;
    }
    let without: Vec<f64> = groups
        .iter()
        .map(|(own_hits, own_pairs)| (hits as f64 - own_hits) / (pairs as f64 - own_pairs))
        .collect();
    let error = standard_error(&without).unwrap();
    let bounds = |degrees| korn_graubard(0.8, error, degrees, pairs, 0.95).unwrap();
    let expected = bounds(63);
    assert_ne!(bounds(64), expected, "the effective number of pairs depends on the degrees of freedom");
    let found = pooled_estimate(&clustered((hits, pairs), 0));
    assert_eq!(found.method, Some(IntervalMethod::EffectiveTrials));
    let interval = found.interval.unwrap();
    assert!((interval.lower - expected.lower).abs() < 1e-12, "{interval:?} and {expected:?}");
    assert!((interval.upper - expected.upper).abs() < 1e-12, "{interval:?} and {expected:?}");
}

#[test]
fn a_sequence_needs_a_mean_and_a_finite_range_with_a_width() {
    let no_sequence = |case: SimulatedStudy| {
        let found = pooled_estimate(&SimulatedStudy { closed: false, ..case.clone() });
        assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::NoSequence)));
        let reasons = SimulatedStudy { closed: false, ..case }.decide().1;
        assert!(
            reasons.contains("there is no interval for looks before the end: no interval holds"),
            "{reasons}"
        );
    };
    let latest = bound(&pooled(1)).replace("first", "latest");
    let case = || SimulatedStudy::new(&latest, &[(900, 1000)]);
    no_sequence(SimulatedStudy { reduce: |pairs, sum| Some((sum / pairs as f64).sqrt()), ..case() });
    no_sequence(SimulatedStudy { scores: [0.9; 2], range: (Some(0.9), Some(0.9)), ..case() });
    no_sequence(SimulatedStudy { range: (Some(-1e308), Some(1e308)), ..case() });
}

/// Whoever ends a served run can look before, and end it at the best look.
#[test]
fn bounds_at_an_end_that_is_chosen_hold_at_all_looks() {
    let served = |windows: &str, more: &str| {
        let threshold = format!("{}{more}", bound(&pooled(2)).replace("{ first = 2 }", windows));
        SimulatedStudy { served: true, ..SimulatedStudy::new(&threshold, &[(900, 1000); 2]) }
    };
    for (windows, more, method) in [
        ("{ first = 2 }", "", IntervalMethod::Exact),
        ("{ latest = 2 }", "", IntervalMethod::Sequence),
        ("{ all = true }", "", IntervalMethod::Sequence),
        ("{ all = true }", "\ncluster = \"kind\"", IntervalMethod::WindowSequence),
    ] {
        let case = served(windows, more);
        let found = pooled_estimate(&case);
        assert_eq!(found.method, Some(method), "{windows}{more}");
        // Files have an end of their own.
        let file = pooled_estimate(&SimulatedStudy { served: false, ..case.clone() });
        assert!(!matches!(file.method, Some(IntervalMethod::Sequence | IntervalMethod::WindowSequence)));
        let is_noted =
            case.verdict().notes.iter().any(|note| note.contains("whoever ends it can look before"));
        assert_eq!(is_noted, method != IntervalMethod::Exact);
        // An open run has the same bounds.
        let open = SimulatedStudy { closed: false, ..case };
        if windows == "{ latest = 2 }" {
            assert_eq!(pooled_estimate(&open).interval, found.interval);
        }
    }
    // A figure that decides by itself has no guarantee that could fail.
    let point = pooled(2).replace("{ first = 2 }", "{ all = true }");
    let case = SimulatedStudy { served: true, ..SimulatedStudy::new(&point, &[(900, 1000); 2]) };
    assert_eq!(pooled_estimate(&case).method, Some(IntervalMethod::Exact));
    // A metric without a sequence says what to declare.
    let case = SimulatedStudy {
        reduce: |pairs, sum| Some((sum / pairs as f64).sqrt()),
        ..served("{ all = true }", "")
    };
    let (kind, reasons) = case.decide();
    assert_eq!(kind, VerdictKind::Inconclusive);
    assert!(reasons.contains("the end of the study is not declared"), "{reasons}");
    assert!(reasons.contains("declare `windows = { first = N }`"), "{reasons}");
}
