//! Baselines against their definition, for any order of arrival and any times of settlement.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::scoring::WindowClock;
use understudy_study::{Every, Windows};

/// A pair whose model ranked `items` items.
fn pair(id: usize, observed_at: i64, decided_at: i64, decision: DecidedValue, items: u32) -> OpenPair {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    OpenPair {
        observed_at,
        decided_at,
        id: id.to_string(),
        window: WindowClock::new(windows, TimeZone::UTC).window(observed_at),
        scopes: vec![0],
        group: 0,
        generation: 0,
        decision,
        models: vec![OpenAnswer { hash: Some(1), items, components: vec![1.0, 1.0] }],
    }
}

fn number(id: usize, observed_at: i64, decided_at: i64, number: f64) -> OpenPair {
    pair(id, observed_at, decided_at, DecidedValue::Number(number), 0)
}

/// The baselines of a pair by definition: from the decisions that were known before its snapshot.
fn expected(pairs: &[OpenPair], of: &OpenPair) -> Option<BaselineAnswers> {
    let known_at = |pair: &OpenPair| pair.decided_at.max(pair.observed_at);
    let mut earlier: Vec<&OpenPair> = pairs.iter().filter(|pair| known_at(pair) < of.observed_at).collect();
    earlier.sort_by_key(|pair| (known_at(pair), pair.id.clone()));
    let mut history = DecisionHistory::default();
    earlier.iter().for_each(|pair| history.add(&pair.decision));
    match &of.decision {
        DecidedValue::Number(_) => history.numbers().map(BaselineAnswers::Numbers),
        DecidedValue::Ranking(decided) => {
            let length = decided.len().max(of.models[0].items as usize);
            history.items(length).map(|items| BaselineAnswers::Items(vec![items]))
        }
    }
}

#[test]
fn a_baseline_uses_the_decisions_before_the_snapshot() {
    let mut open = OpenPairs::default();
    // The decision of the second pair is not known when the third snapshot is observed, nor is one at the same time.
    for pair in
        [number(0, 10, 20, 4.0), number(1, 15, 40, 100.0), number(2, 25, 30, 6.0), number(3, 30, 50, 8.0)]
    {
        open.add(pair);
    }
    assert_eq!(open.settle_before(10), []);
    let numbers = |settled: Vec<SettledPair>| -> Vec<Option<[f64; 2]>> {
        let baselines = settled.into_iter().map(|pair| pair.baselines);
        baselines
            .map(|answers| match answers? {
                BaselineAnswers::Numbers(numbers) => Some(numbers),
                BaselineAnswers::Items(_) => None,
            })
            .collect()
    };
    assert_eq!(numbers(open.settle_before(25)), [None, None]);
    open.add(number(4, 45, 46, 0.0));
    assert_eq!(
        numbers(open.clone().settle_all()),
        [Some([4.0, 4.0]), Some([4.0, 4.0]), Some([110.0 / 3.0, 100.0])]
    );
    assert_eq!(numbers(open.settle_before(26)), [Some([4.0, 4.0])]);
    assert_eq!(numbers(open.settle_all()), [Some([4.0, 4.0]), Some([110.0 / 3.0, 100.0])]);
}

#[test]
fn a_decision_dated_before_its_snapshot_is_known_with_the_snapshot() {
    let mut open = OpenPairs::default();
    open.add(number(0, 30, 5, 1.0));
    open.add(number(1, 20, 25, 2.0));
    open.add(number(2, 31, 35, 3.0));
    let baselines: Vec<_> = open.settle_all().into_iter().map(|pair| pair.baselines).collect();
    assert_eq!(
        baselines,
        [None, Some(BaselineAnswers::Numbers([2.0, 2.0])), Some(BaselineAnswers::Numbers([1.5, 1.0]))]
    );
}

#[test]
fn items_are_as_many_as_the_longer_list_has() {
    let list = |items: &[&str]| DecidedValue::Ranking(items.iter().map(|item| (*item).to_owned()).collect());
    let mut open = OpenPairs::default();
    open.add(pair(0, 0, 1, list(&["a", "b", "c"]), 1));
    open.add(pair(1, 2, 3, list(&["c"]), 2));
    open.add(pair(2, 4, 5, list(&["c", "a", "b"]), 1));
    let items: Vec<_> = open.settle_all().into_iter().map(|pair| pair.baselines).collect();
    let expected = |items: &[&str]| {
        Some(BaselineAnswers::Items(vec![items.iter().map(|item| (*item).to_owned()).collect()]))
    };
    assert_eq!(items, [None, expected(&["a", "b"]), expected(&["c", "a", "b"])]);
}

fn pairs() -> impl Strategy<Value = Vec<OpenPair>> {
    let list = prop::collection::hash_set("[a-f]", 0..4).prop_map(|list| list.into_iter().collect());
    let row = (0i64..40, -5i64..15, list, 0u32..6, -100.0..100.0);
    let rows = prop::collection::vec(row, 1..25);
    (rows, any::<bool>()).prop_map(|(rows, ranks)| {
        let pair = |(id, (at, after, list, items, value)): (usize, (i64, i64, Vec<String>, u32, f64))| {
            let decision = if ranks { DecidedValue::Ranking(list) } else { DecidedValue::Number(value) };
            pair(id, at, at + after, decision, items)
        };
        rows.into_iter().enumerate().map(pair).collect()
    })
}

proptest! {
    /// A pair arrives at any moment before the first settlement after its snapshot.
    #[test]
    fn baselines_do_not_depend_on_arrival_and_settlement(
        pairs in pairs(),
        mut times in prop::collection::vec(0i64..60, 0..6),
        seed: u64,
    ) {
        times.sort_unstable();
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut late = pairs.clone();
        rng.shuffle(&mut late);
        let mut open = OpenPairs::default();
        let mut settled = Vec::new();
        for time in times {
            let (due, rest) = late.into_iter().partition(|pair| pair.observed_at < time || rng.bool());
            late = rest;
            Vec::into_iter(due).for_each(|pair| open.add(pair));
            settled.extend(open.settle_before(time));
        }
        late.into_iter().for_each(|pair| open.add(pair));
        settled.extend(open.settle_all());
        prop_assert_eq!(settled.len(), pairs.len());
        prop_assert!(settled.is_sorted_by_key(|settled| settled.pair.observed_at));
        for SettledPair { pair, baselines } in settled {
            prop_assert_eq!(baselines, expected(&pairs, &pair), "{:?}", pair);
        }
    }
}
