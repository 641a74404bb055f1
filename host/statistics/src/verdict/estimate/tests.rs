//! Estimates of contamination, of agreement beyond chance, and of metrics in any range.

use super::super::test_support::{BAD, GOOD, SimulatedStudy, bound, every, pooled};
use super::super::{Estimate, IntervalMethod, Verdict, VerdictKind};
use crate::scoring::{
    ConfidenceSequence, JACKKNIFE_GROUPS, ScoreBlock, SequenceTuning, WindowSequence, jackknife_difference,
    jackknife_group,
};

#[test]
fn higher_agreement_where_the_answer_existed_is_a_leak() {
    let study = |blinded_hits| SimulatedStudy {
        blinded_hits: Some(blinded_hits),
        ..SimulatedStudy::new(&every(3), &[GOOD; 3])
    };
    // Of 300 blinded pairs 30 are misses, as among the others; or 75 are.
    assert_eq!(study((270, 30)).decide().0, VerdictKind::Go);
    let (kind, reasons) = study((225, 75)).decide();
    assert_eq!(kind, VerdictKind::Void);
    insta::assert_snapshot!(reasons);
    let found = study((225, 75)).verdict().models[0].contamination.unwrap();
    assert_eq!((found.unblinded.hits, found.unblinded.pairs), (Some(2475), 2700));
    assert_eq!((found.blinded.hits, found.blinded.pairs), (Some(225), 300));
    // Lower agreement where the answer existed is not a leak.
    assert_eq!(study((300, 0)).decide().0, VerdictKind::Go);
    // The test is carried out at the end, not at each look before it.
    let look = |weeks: usize| {
        let case = SimulatedStudy {
            blinded_hits: Some((225, 75)),
            ..SimulatedStudy::new(&every(weeks), &[GOOD; 3])
        };
        SimulatedStudy { closed: false, ..case }.verdict()
    };
    let found = |verdict: &Verdict| verdict.models[0].contamination.unwrap();
    let (early, ended) = (look(4), look(3));
    assert_eq!((found(&early).tested, found(&early).difference), (false, None));
    assert_eq!(early.models[0].scopes[0].verdict, VerdictKind::Inconclusive);
    assert!(found(&ended).tested);
    assert_eq!(ended.models[0].scopes[0].verdict, VerdictKind::Void);
}

#[test]
fn agreement_beyond_chance_is_required() {
    let floor = |more: &str| SimulatedStudy::new(&format!("{}\n{more}", every(3)), &[GOOD; 3]).decide();
    // The substrate always answers `a`, so there is no agreement beyond chance.
    let (kind, reasons) = floor("chance = { gain = 0.01 }");
    assert_eq!(kind, VerdictKind::NoGo);
    insta::assert_snapshot!(reasons, @"NO-GO: agreement is 0.900000, and always giving the commonest label would reach 1.000000: the gain is -0.100000; a gain of at least 0.01 is required");
    assert_eq!(floor("chance = { kappa = 0.0 }").0, VerdictKind::NoGo);
    assert_eq!(floor("chance = \"not-asked\"").0, VerdictKind::Go);
}

#[test]
fn bounds_of_agreement_beyond_chance_depend_on_the_look() {
    let chance = |threshold: &str, closed: bool| {
        let case =
            SimulatedStudy { mixed_labels: true, closed, ..SimulatedStudy::new(threshold, &[GOOD; 3]) };
        let verdict = case.verdict();
        let scope = &verdict.models[0].scopes[0];
        (scope.verdict, scope.chance.clone().unwrap())
    };
    let latest = bound(&pooled(3)).replace("first", "latest");
    let with = |more: &str| format!("{latest}\n{more}");
    // Two of three decisions are `a`, and the model agrees in nine of ten pairs.
    for (more, closed, kind, method) in [
        ("chance = { gain = 0.0 }", true, VerdictKind::Go, Some(IntervalMethod::PairedDifference)),
        ("chance = { gain = 0.0 }", false, VerdictKind::Go, None),
        ("chance = { gain = 0.23 }", false, VerdictKind::Inconclusive, None),
        (
            "chance = { gain = 0.0 }\ncluster = \"kind\"",
            true,
            VerdictKind::Go,
            Some(IntervalMethod::ClusterJackknife),
        ),
        ("chance = { gain = 0.23 }", true, VerdictKind::Inconclusive, Some(IntervalMethod::PairedDifference)),
        ("chance = { gain = 0.3 }", true, VerdictKind::NoGo, Some(IntervalMethod::PairedDifference)),
        ("chance = { kappa = 0.6 }", true, VerdictKind::Go, Some(IntervalMethod::Jackknife)),
        ("chance = { kappa = 0.6 }", false, VerdictKind::Inconclusive, None),
    ] {
        let (verdict, found) = chance(&with(more), closed);
        assert_eq!((verdict, found.method), (kind, method), "{more} {closed}: {found:?}");
        assert_eq!(found.interval.is_some(), method.is_some(), "{more}");
        assert!(found.interval.is_none_or(|interval| interval.lower < interval.upper), "{found:?}");
    }
}

#[test]
fn a_leak_is_higher_closeness_also_for_an_upper_bound() {
    let most = every(3).replace("at-least = 0.85", "at-most = 0.99");
    let case = |blinded_hits| SimulatedStudy {
        blinded_hits: Some(blinded_hits),
        ..SimulatedStudy::new(&most, &[GOOD; 3])
    };
    // Lower is closer: here the pairs whose answer existed are lower, and there they are higher.
    assert_eq!(case((300, 0)).decide().0, VerdictKind::Void);
    assert_eq!(case((225, 75)).decide().0, VerdictKind::Go);
    let difference = case((300, 0)).verdict().models[0].contamination.unwrap().difference.unwrap();
    assert!((difference.difference - 300.0 / 2700.0).abs() < 1e-12, "{difference:?}");
}

#[test]
fn clusters_are_compared_by_the_jackknife() {
    let threshold = format!("{}\ncluster = \"kind\"", every(3));
    let case = |blinded_hits| SimulatedStudy {
        blinded_hits: Some(blinded_hits),
        ..SimulatedStudy::new(&threshold, &[GOOD; 3])
    };
    let leak = case((450, 150));
    assert_eq!(leak.decide().0, VerdictKind::Void);
    let verdict = leak.verdict();
    assert_eq!(verdict.models[0].scopes[0].pooled.method, Some(IntervalMethod::EffectiveTrials));
    let found = verdict.models[0].contamination.unwrap();
    let difference = found.difference.unwrap();
    let expected = found.unblinded.value.unwrap() - found.blinded.value.unwrap();
    assert!((difference.difference - expected).abs() < 1e-12 && expected > 0.1, "{found:?}");
    assert!(difference.interval.lower < expected && expected < difference.interval.upper, "{difference:?}");
    assert_eq!(case((540, 60)).decide().0, VerdictKind::Go);
    // Few blinded pairs do not fill every group, so there is no test.
    let few = case((20, 5)).verdict().models[0].contamination.unwrap();
    assert_eq!((few.tested, few.difference), (true, None));
}

#[test]
fn agreement_beyond_chance_matches_its_definition() {
    let threshold = format!("{}\nchance = {{ kappa = 0.5 }}", every(1));
    let case = SimulatedStudy { mixed_labels: true, ..SimulatedStudy::new(&threshold, &[GOOD]) };
    let chance = case.verdict().models[0].scopes[0].chance.clone().unwrap();
    let (mut same, mut both, mut substrate_b, mut model_b) = (0.0, [0.0; 2], 0.0, 0.0);
    for pair in 0..1000 {
        let (hit, is_b) = (pair < 900, pair % 3 == 0);
        same += f64::from(u8::from(hit));
        substrate_b += f64::from(u8::from(is_b));
        model_b += f64::from(u8::from(hit == is_b));
    }
    both[0] = substrate_b * model_b;
    both[1] = (1000.0 - substrate_b) * (1000.0 - model_b);
    let expected = (both[0] + both[1]) / 1e6;
    assert!((chance.agreement - same / 1000.0).abs() < 1e-12);
    assert!((chance.commonest_share - (1000.0 - substrate_b) / 1000.0).abs() < 1e-12);
    let kappa = (same / 1000.0 - expected) / (1.0 - expected);
    assert!((chance.kappa.unwrap() - kappa).abs() < 1e-12, "{chance:?}");
    assert!(kappa > 0.5 && case.decide().0 == VerdictKind::Go);
    // The gain over the commonest label, exactly at the minimum and above it.
    let gain = |least: &str| {
        let threshold = format!("{}\nchance = {{ gain = {least} }}", every(1));
        SimulatedStudy { mixed_labels: true, ..SimulatedStudy::new(&threshold, &[GOOD]) }.decide().0
    };
    assert_eq!([gain("0.233"), gain("0.235")], [VerdictKind::Go, VerdictKind::NoGo]);
}

#[test]
fn a_metric_in_another_range_is_judged_by_its_value() {
    let range = (Some(-1.0), Some(3.0));
    let case = |threshold: &str, week| SimulatedStudy { range, ..SimulatedStudy::new(threshold, &[week; 3]) };
    let estimate = case(&every(3), GOOD).verdict().models[0].scopes[0].pooled;
    assert_eq!((estimate.hits, estimate.method), (None, Some(IntervalMethod::BoundedMean)));
    assert_eq!(case(&every(3), GOOD).decide().0, VerdictKind::Go);
    assert_eq!(case(&every(3), (850, 1000)).decide().0, VerdictKind::Go);
    let (kind, reasons) = case(&pooled(3), BAD).decide();
    assert_eq!(kind, VerdictKind::NoGo);
    insta::assert_snapshot!(reasons, @"NO-GO: pooled: 0.800000 over 3,000 pairs; at least 0.85 is required");
    // An interim look: the sequence is that of scores in the range.
    let latest = bound(&pooled(3)).replace("first", "latest");
    let open = SimulatedStudy { closed: false, ..case(&latest, GOOD) };
    let interval = open.verdict().models[0].scopes[0].pooled.interval.unwrap();
    // The latest three windows start at the first one, so the level is halved.
    let tuning = SequenceTuning { range: (-1.0, 3.0), mean: 0.85, observations: 300 };
    let mut sequence = ConfidenceSequence::new(0.025, tuning);
    for _ in 0..3 {
        sequence.push(ScoreBlock { n: 1000, sum: 900.0, squares: 900.0 });
    }
    let expected = sequence.interval(0.9);
    assert!((interval.lower - expected.lower).abs() < 1e-12, "{interval:?} {expected:?}");
    assert!((interval.upper - expected.upper).abs() < 1e-12, "{interval:?} {expected:?}");
    // Without a range there is no interval at an interim look.
    let unbounded = SimulatedStudy { range: (None, None), ..open };
    let (kind, reasons) = unbounded.decide();
    assert_eq!(kind, VerdictKind::Inconclusive);
    assert!(reasons.contains("no interval holds at several looks"), "{reasons}");
}

/// The pooled estimate of a run that has not ended.
fn interim_estimate(threshold: &str, weeks: &[(u64, u64)]) -> Estimate {
    let case = SimulatedStudy { closed: false, ..SimulatedStudy::new(threshold, weeks) };
    case.verdict().models[0].scopes[0].pooled
}

#[test]
fn looks_at_the_latest_windows_share_the_level() {
    let latest = bound(&pooled(3)).replace("first", "latest");
    // After five weeks the sequence starts at the third.
    let found = interim_estimate(&latest, &[BAD, BAD, GOOD, GOOD, GOOD]).interval.unwrap();
    let tuning = SequenceTuning { range: (0.0, 1.0), mean: 0.85, observations: 300 };
    let mut sequence = ConfidenceSequence::new(0.05 / 12.0, tuning);
    for _ in 0..3 {
        sequence.push(ScoreBlock { n: 1000, sum: 900.0, squares: 900.0 });
    }
    let expected = sequence.interval(0.9);
    assert!((found.lower - expected.lower).abs() < 1e-12, "{found:?} {expected:?}");
    // All windows so far have one sequence, at the whole level.
    let all = bound(&pooled(9));
    let found = interim_estimate(&all, &[GOOD; 3]).interval.unwrap();
    assert!(found.lower > expected.lower, "{found:?} {expected:?}");
}

#[test]
fn windows_are_observations_where_pairs_depend_on_each_other() {
    let threshold = format!("{}\ncluster = \"kind\"", bound(&pooled(60)));
    let weeks: Vec<(u64, u64)> =
        (0..40).map(|week| if week % 2 == 0 { (90, 100) } else { (80, 100) }).collect();
    let estimate = interim_estimate(&threshold, &weeks);
    assert_eq!(estimate.method, Some(IntervalMethod::WindowSequence));
    let tuning = SequenceTuning { range: (0.0, 1.0), mean: 0.85, observations: 60 };
    let mut sequence = WindowSequence::new(0.05, tuning, 100);
    for (hits, n) in weeks.iter().copied() {
        sequence.push(ScoreBlock { n, sum: hits as f64, squares: hits as f64 });
    }
    assert_eq!(estimate.interval, Some(sequence.interval(0.85)));
    // Few windows say nothing.
    let few = interim_estimate(&threshold, &weeks[..2]).interval.unwrap();
    assert_eq!((few.lower, few.upper), (0.0, 1.0));
}

#[test]
fn a_drifting_value_lies_inside_its_interval_at_every_look() {
    let weeks = [(950, 1000), (900, 1000), (500, 1000), (400, 1000), (900, 1000), (1000, 1000)];
    for looks in 1..=weeks.len() {
        let estimate = interim_estimate(&bound(&pooled(9)), &weeks[..looks]);
        let (value, interval) = (estimate.value.unwrap(), estimate.interval.unwrap());
        assert!(interval.lower < value && value < interval.upper, "{value}: {interval:?}");
    }
}

#[test]
fn each_of_the_latest_windows_has_its_own_level() {
    let latest = bound(&every(3)).replace("first", "latest");
    let verdict = SimulatedStudy { closed: false, ..SimulatedStudy::new(&latest, &[GOOD; 3]) }.verdict();
    let tuning = SequenceTuning { range: (0.0, 1.0), mean: 0.85, observations: 100 };
    for (index, estimate) in (1..).zip(&verdict.models[0].scopes[0].windows) {
        let mut sequence = ConfidenceSequence::new(0.05 / f64::from(index * (index + 1)), tuning);
        sequence.push(ScoreBlock { n: 1000, sum: 900.0, squares: 900.0 });
        let (found, expected) = (estimate.interval.unwrap(), sequence.interval(0.9));
        assert!((found.lower - expected.lower).abs() < 1e-12, "{index}: {found:?} {expected:?}");
        assert!((found.upper - expected.upper).abs() < 1e-12, "{index}: {found:?} {expected:?}");
    }
}

#[test]
fn the_bounds_of_a_leak_in_clusters_are_those_of_both_arms_without_each_group() {
    // The first 450 hits and the first 150 misses are blinded.
    let (hits, pairs, blinded) = (GOOD.0, GOOD.1, [150u64, 450]);
    let mut groups = vec![[[0.0; 2]; 2]; JACKKNIFE_GROUPS as usize];
    let mut left = blinded;
    for (week, pair) in (0..3).flat_map(|week| (0..pairs).map(move |pair| (week, pair))) {
        let hit = usize::from(pair < hits);
        let is_blinded = left[hit] > 0;
        left[hit] -= u64::from(is_blinded);
        let arm =
            &mut groups[usize::from(jackknife_group(&format!("{week}-{pair}")))][usize::from(is_blinded)];
        *arm = [arm[0] + hit as f64, arm[1] + 1.0];
    }
    let share = |left_out: Option<usize>, arm: usize| {
        let kept = groups.iter().enumerate().filter(|(group, _)| Some(*group) != left_out);
        let sums = kept.fold([0.0, 0.0], |sums, (_, own)| [sums[0] + own[arm][0], sums[1] + own[arm][1]]);
        sums[0] / sums[1]
    };
    let difference = |left_out| share(left_out, 0) - share(left_out, 1);
    for (direction, closer) in [("at-least = 0.85", 1.0), ("at-most = 0.99", -1.0)] {
        let threshold = format!("{}\ncluster = \"kind\"", every(3)).replace("at-least = 0.85", direction);
        let case =
            SimulatedStudy { blinded_hits: Some((450, 150)), ..SimulatedStudy::new(&threshold, &[GOOD; 3]) };
        let found = case.verdict().models[0].contamination.unwrap().difference.unwrap();
        let without: Vec<f64> = (0..groups.len()).map(|group| closer * difference(Some(group))).collect();
        let expected = jackknife_difference(closer * difference(None), &without, 1.0, 0.95, 0.001).unwrap();
        for (found, expected) in [
            (found.difference, expected.difference),
            (found.interval.lower, expected.interval.lower),
            (found.interval.upper, expected.interval.upper),
            (found.p_value, expected.p_value),
        ] {
            assert!((found - expected).abs() < 1e-12, "{direction}: {found} and {expected}");
        }
    }
}
