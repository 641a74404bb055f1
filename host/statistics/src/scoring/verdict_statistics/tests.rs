//! The evidence against its definition: sums, labels and counts of the selected pairs, in any order.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::scoring::{ClusterSizes, LabelTally, ModelLabelTally, WindowClock, cluster_hash};
use understudy_study::{Every, Windows};

fn window(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    WindowClock::new(windows, TimeZone::UTC).window(day * 86_400_000_000)
}

/// One pair of one model, and a metric with one component and the host's own.
#[derive(Clone, Debug)]
struct TestPair {
    day: i64,
    scopes: Vec<u16>,
    key: String,
    blinded: bool,
    score: f64,
    answered: bool,
    substrate: &'static str,
    said: &'static str,
}

fn case() -> impl Strategy<Value = TestPair> {
    let label = || prop::sample::select(vec!["a", "b", "c"]);
    let scopes = prop::sample::select(vec![vec![0], vec![0, 1], vec![0, 1, 2]]);
    let key = (0..200u32).prop_map(|key| format!("guest-{key}"));
    let score = prop_oneof![Just(0.0), Just(1.0), -3.0..3.0];
    (0..3i64, scopes, key, any::<bool>(), score, any::<bool>(), label(), label()).prop_map(
        |(day, scopes, key, blinded, score, answered, substrate, said)| TestPair {
            day,
            scopes,
            key,
            blinded,
            score,
            answered,
            substrate,
            said,
        },
    )
}

fn add(evidence: &mut VerdictEvidence, case: &TestPair) {
    let outcome = if case.answered { AnswerStatus::Answered } else { AnswerStatus::Failed };
    let models = [ModelScores { statuses: vec![outcome], scores: vec![vec![vec![case.score], vec![1.0]]] }];
    let said = [case.answered.then_some(case.said)];
    let pair = EvidencePair {
        window: window(case.day),
        scopes: &case.scopes,
        values: &[case.day as u16],
        group: jackknife_group(&case.key),
        cluster: Some(cluster_hash(&case.key)),
        blinded: case.blinded,
        range: ScoreRange::new((Some(-1e9), Some(1e9))),
        occurrence: Some((case.day as u16, case.day)),
        labels: Some(PairLabels {
            substrate: case.substrate,
            models: &said,
            group: jackknife_group(&case.key),
        }),
    };
    evidence.add(&pair, &models, 0, 0);
}

proptest! {
    #[test]
    fn order_and_merging_change_no_evidence(
        cases in prop::collection::vec(case(), 0..60),
        cut in 0..60usize,
    ) {
        let mut whole = VerdictEvidence::default();
        cases.iter().for_each(|case| add(&mut whole, case));
        let (first, second) = cases.split_at(cut.min(cases.len()));
        let mut parts = [VerdictEvidence::default(), VerdictEvidence::default()];
        second.iter().rev().for_each(|case| add(&mut parts[0], case));
        first.iter().for_each(|case| add(&mut parts[1], case));
        let [mut merged, other] = parts;
        merged.merge(&other);
        prop_assert_eq!(merged, whole);
    }

    #[test]
    fn sums_and_labels_match_the_selected_pairs(cases in prop::collection::vec(case(), 1..60), scope in 0..3u16, blinded: bool) {
        let mut evidence = VerdictEvidence::default();
        cases.iter().for_each(|case| add(&mut evidence, case));
        let windows = [window(0), window(2)];
        let here = |place: StratumKey| place.scope == scope && place.blinded == blinded && place.group.is_multiple_of(2);
        let sums = evidence.sums(&windows, here);
        let of: Vec<_> = cases
            .iter()
            .filter(|case| case.day != 1 && case.scopes.contains(&scope))
            .collect();
        let chosen: Vec<_> =
            of.iter().filter(|case| case.blinded == blinded && jackknife_group(&case.key).is_multiple_of(2)).collect();
        prop_assert_eq!(sums.pairs, chosen.len() as u64);
        if let Some(model) = sums.models.first() {
            prop_assert_eq!(model.unanswered, chosen.iter().filter(|case| !case.answered).count() as u64);
            prop_assert_eq!(model.components[1].value(), chosen.len() as f64);
            let squares: f64 = chosen.iter().map(|case| case.score * case.score).sum();
            prop_assert!((model.squares.value() - squares).abs() < 1e-9);
        }
        let mut early = VerdictEvidence::default();
        cases.iter().filter(|case| case.day <= 1).for_each(|case| add(&mut early, case));
        prop_assert_eq!(evidence.through(window(1)), early);
        let mut sizes = ClusterSizes::default();
        of.iter().for_each(|case| sizes.add(cluster_hash(&case.key), 1));
        prop_assert_eq!(evidence.cluster_sizes(&windows, scope), sizes);
        let labels = evidence.labels(&windows, scope);
        for label in ["a", "b", "c"] {
            for group in 0..JACKKNIFE_GROUPS as u8 {
                let own: Vec<_> = of.iter().filter(|case| jackknife_group(&case.key) == group).collect();
                let given = own.iter().filter(|case| case.answered && case.said == label);
                let agreed = given.clone().filter(|case| case.substrate == label).count() as u64;
                let models = vec![ModelLabelTally { given: given.count() as u64, agreed }];
                let substrate = own.iter().filter(|case| case.substrate == label).count() as u64;
                let counted = labels.labels.get(label).and_then(|groups| groups.get(&group)).cloned();
                let none = LabelTally { substrate: 0, models: vec![ModelLabelTally::default()] };
                prop_assert_eq!(counted.unwrap_or(none), LabelTally { substrate, models });
            }
        }
    }

    #[test]
    fn inputs_are_counted_by_window_scope_and_value(rows in prop::collection::vec((0..3i64, 0..2u16, 0..4u16), 0..50)) {
        let mut inputs = InputCounts::default();
        for (day, scope, value) in &rows {
            let scopes = if *scope == 0 { vec![0] } else { vec![0, 1] };
            inputs.add(window(*day), day * 1000, &scopes, [*value]);
        }
        prop_assert_eq!(inputs.earliest, rows.iter().map(|(day, ..)| day * 1000).min());
        let windows = [window(1), window(2)];
        let chosen: Vec<_> = rows.iter().filter(|(day, ..)| *day != 0).collect();
        prop_assert_eq!(inputs.snapshots(&windows, 0), chosen.len() as u64);
        prop_assert_eq!(inputs.snapshots(&windows, 1), chosen.iter().filter(|(_, scope, _)| *scope == 1).count() as u64);
        let counts = (0..4u16).map(|value| chosen.iter().filter(|(.., has)| *has == value).count() as u64);
        prop_assert_eq!(inputs.values(&windows, 0, 4), counts.collect::<Vec<_>>());
        let early = inputs.through(window(1));
        let until: Vec<_> = rows.iter().filter(|(day, ..)| *day <= 1).collect();
        prop_assert_eq!(early.snapshots(&[window(0), window(1), window(2)], 0), until.len() as u64);
        prop_assert_eq!(early.earliest, inputs.earliest);
    }
}

#[test]
fn jackknife_groups_are_even_and_stable() {
    let mut counts = [0u32; JACKKNIFE_GROUPS as usize];
    (0..6400).for_each(|key| counts[usize::from(jackknife_group(&format!("booking-{key}")))] += 1);
    // A hundred in each group, with a standard deviation of ten.
    assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
    // xxhash.xxh3_64_intdigest(key) % 64 in Python. A run that another version resumes must use the same
    // groups.
    assert_eq!([jackknife_group("a"), jackknife_group("guest-7"), jackknife_group("")], [31, 8, 2]);
}

#[test]
fn a_snapshot_keeps_its_bits_and_shares_the_windows_that_do_not_change() {
    let case = |day: i64| TestPair {
        day,
        scopes: vec![0, 1],
        key: format!("guest-{day}"),
        blinded: false,
        score: 0.5,
        answered: true,
        substrate: "a",
        said: "b",
    };
    let bytes = |evidence: &VerdictEvidence| {
        bincode::serde::encode_to_vec(evidence, bincode::config::standard()).unwrap()
    };
    let mut evidence = VerdictEvidence::default();
    [0, 1].iter().for_each(|day| add(&mut evidence, &case(*day)));
    let snapshot = evidence.clone();
    let before = bytes(&snapshot);
    add(&mut evidence, &case(1));
    let mut merged = snapshot.clone();
    merged.merge(&evidence);
    assert_eq!(bytes(&snapshot), before);
    assert_ne!(bytes(&evidence), before);
    let shared = |day: i64| std::ptr::eq(&*evidence.windows[&window(day)], &*snapshot.windows[&window(day)]);
    assert_eq!([0, 1].map(shared), [true, false]);
    assert_eq!(snapshot.sums(&[window(1)], |key| key.scope == 1).pairs, 1);
    assert_eq!(merged.sums(&[window(1)], |key| key.scope == 1).pairs, 3);
}
