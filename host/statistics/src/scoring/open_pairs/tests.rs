//! Baselines against their definition, for any order of arrival and any times of settlement.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::scoring::WindowClock;
use understudy_study::{Every, Windows};

/// A pair whose model answers `own`.
fn pair(id: usize, observed_at: i64, decided_at: i64, decision: AnswerValue, own: AnswerValue) -> OpenPair {
    let windows = Windows { every: Every::Hour, week_ends: jiff::civil::Weekday::Sunday };
    let answer = |answer: AnswerValue| OpenAnswer {
        hash: Some(1),
        items: answer.items() as u32,
        value: Some(answer),
        components: vec![1.0, 1.0],
    };
    OpenPair {
        observed_at,
        decided_at,
        id: id.to_string(),
        window: WindowClock::new(windows, TimeZone::UTC).window(observed_at),
        scopes: vec![0],
        group: 0,
        generation: 0,
        decision,
        models: vec![answer(own)],
    }
}

fn unanswered(pair: OpenPair) -> OpenPair {
    let models = pair.models.into_iter();
    let models = models.map(|answer| OpenAnswer { hash: None, items: 0, value: None, ..answer }).collect();
    OpenPair { models, ..pair }
}

fn number(id: usize, observed_at: i64, decided_at: i64, number: f64) -> OpenPair {
    pair(id, observed_at, decided_at, AnswerValue::Number(number), AnswerValue::Number(7.0))
}

fn list(items: &[&str]) -> AnswerValue {
    AnswerValue::Ranking(items.iter().map(|item| (*item).to_owned()).collect())
}

/// What is known before a pair.
#[derive(Debug, PartialEq)]
struct Known {
    /// The baselines that learn from all earlier decisions.
    all: [AnswerValue; BASELINES_PER_FORM],
    /// Those that learn from the answered pairs.
    answered: Option<[AnswerValue; BASELINES_PER_FORM]>,
    /// The usual answer of the model.
    usual: AnswerValue,
    /// The first answer in the window, and that in an earlier one.
    first: [Option<AnswerValue>; 2],
}

/// The unit of time of generated pairs, in µs, so that they are in several windows.
const QUARTER: i64 = 15 * 60 * 1_000_000;

fn known(models: &[ModelBaselines]) -> Known {
    let model = &models[0];
    Known {
        all: model.all.clone(),
        answered: model.has_answered.then(|| model.from_answered().clone()),
        usual: model.own[0].clone(),
        first: [model.first.clone(), model.first_in_earlier_window.clone()],
    }
}

/// The baselines of a pair by definition: from the decisions that were known before its snapshot.
fn expected(pairs: &[OpenPair], target: &OpenPair) -> Option<Known> {
    let known_at = |pair: &OpenPair| pair.decided_at.max(pair.observed_at);
    let history = |answered_only: bool| {
        let is_known = |pair: &&OpenPair| known_at(pair) < target.observed_at;
        let counts = |pair: &&OpenPair| !answered_only || pair.models[0].hash.is_some();
        let mut earlier: Vec<&OpenPair> = pairs.iter().filter(is_known).filter(counts).collect();
        earlier.sort_by_key(|pair| (known_at(pair), pair.id.clone()));
        let mut history = AnswerHistory::default();
        earlier.iter().for_each(|pair| history.add(&pair.decision));
        history
    };
    let key = |pair: &OpenPair| (pair.observed_at, pair.id.clone());
    let mut answers: Vec<&OpenPair> = pairs.iter().filter(|pair| key(pair) <= key(target)).collect();
    answers.sort_by_key(|pair| key(pair));
    let longest = answers.iter().map(|pair| pair.models[0].items as usize).max().unwrap_or(0);
    let answers = answers.iter().filter_map(|pair| Some((pair.window, pair.models[0].value.clone()?)));
    let answers: Vec<(Window, AnswerValue)> = answers.collect();
    let first_in =
        |window: Window| answers.iter().find(|(own, _)| *own == window).map(|(_, answer)| answer.clone());
    let before = answers.iter().map(|(window, _)| *window).filter(|window| *window < target.window).max();
    let first = [first_in(target.window), before.and_then(first_in)];
    let own_answer = target.models[0].value.clone();
    let earlier = &answers[..answers.len() - usize::from(own_answer.is_some())];
    let mut own = AnswerHistory::default();
    earlier.iter().for_each(|(_, answer)| own.add(answer));
    let all = history(false).answers(longest)?;
    let usual = own.usual_answer().or(own_answer).unwrap_or_else(|| all[0].clone());
    Some(Known { all, answered: history(true).answers(longest), usual, first })
}

/// The baselines of each pair that learn from all earlier decisions, and those that learn from the answered pairs.
fn answers(settled: Vec<SettledPair>) -> Vec<Option<[[AnswerValue; BASELINES_PER_FORM]; 2]>> {
    let both = |pair: SettledPair| {
        pair.baselines.map(|models| [models[0].all.clone(), models[0].from_answered().clone()])
    };
    settled.into_iter().map(both).collect()
}

fn numbers(numbers: [f64; BASELINES_PER_FORM]) -> Option<[[AnswerValue; BASELINES_PER_FORM]; 2]> {
    let answers = numbers.map(AnswerValue::Number);
    Some([answers.clone(), answers])
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
    assert_eq!(answers(open.settle_before(25)), [None, None]);
    open.add(number(4, 45, 46, 0.0));
    let last = numbers([110.0 / 3.0, 6.0, 100.0]);
    assert_eq!(answers(open.clone().settle_all()), [numbers([4.0; 3]), numbers([4.0; 3]), last.clone()]);
    assert_eq!(answers(open.settle_before(26)), [numbers([4.0; 3])]);
    assert_eq!(answers(open.settle_all()), [numbers([4.0; 3]), last]);
}

#[test]
fn a_decision_dated_before_its_snapshot_is_known_with_the_snapshot() {
    let mut open = OpenPairs::default();
    open.add(number(0, 30, 5, 1.0));
    open.add(number(1, 20, 25, 2.0));
    open.add(number(2, 31, 35, 3.0));
    assert_eq!(answers(open.settle_all()), [None, numbers([2.0; 3]), numbers([1.5, 1.0, 1.0])]);
}

#[test]
fn baselines_of_answered_pairs_ignore_decisions_of_unanswered_pairs() {
    let mut open = OpenPairs::default();
    open.add(unanswered(number(0, 0, 1, 900.0)));
    open.add(number(1, 2, 3, 10.0));
    open.add(number(2, 4, 5, 20.0));
    open.add(unanswered(number(3, 6, 7, 800.0)));
    open.add(number(4, 8, 9, 0.0));
    let settled = answers(open.settle_all());
    // Without an answered pair before it, a pair has the baselines of all earlier decisions.
    assert_eq!(settled[1], numbers([900.0; 3]));
    let number = |numbers: [f64; BASELINES_PER_FORM]| numbers.map(AnswerValue::Number);
    assert_eq!(settled[2], Some([number([455.0, 10.0, 10.0]), number([10.0; 3])]));
    assert_eq!(settled[4], Some([number([432.5, 20.0, 800.0]), number([15.0, 10.0, 20.0])]));
}

#[test]
fn the_length_of_a_list_is_known_before_the_decision() {
    let mut open = OpenPairs::default();
    open.add(pair(0, 0, 1, list(&["a"]), list(&["x"])));
    open.add(pair(1, 2, 3, list(&["a", "b", "c"]), list(&["x", "y"])));
    open.add(pair(2, 4, 5, list(&[]), list(&["x"])));
    open.add(pair(3, 6, 7, list(&["a"]), list(&["x", "y", "z", "w"])));
    let commonest =
        open.settle_all().into_iter().map(|pair| pair.baselines.map(|models| models[0].all[0].clone()));
    let found: Vec<_> = commonest.collect();
    // The third list is as long as the longest decision before it, and the empty decision is not known.
    assert_eq!(found, [None, Some(list(&["a"])), Some(list(&["a", "b", "c"])), Some(list(&["a", "b", "c"]))]);
}

#[test]
fn own_baselines_use_the_earlier_answers_of_the_model() {
    let mut open = OpenPairs::default();
    let answering = |id: usize, own: f64| OpenPair {
        models: vec![OpenAnswer {
            value: Some(AnswerValue::Number(own)),
            ..number(id, 0, 0, 0.0).models[0].clone()
        }],
        ..number(id, 10 * id as i64, 10 * id as i64 + 1, 1.0)
    };
    open.add(unanswered(number(0, 0, 1, 3.0)));
    open.add(unanswered(number(1, 10, 11, 5.0)));
    (2..5).for_each(|id| open.add(answering(id, id as f64)));
    open.add(unanswered(number(5, 50, 51, 1.0)));
    let own = |settled: SettledPair| settled.baselines.map(|models| models[0].own.clone());
    let found: Vec<_> = open.settle_all().into_iter().map(own).collect();
    let both = |number: f64| Some([number; OWN_BASELINES].map(AnswerValue::Number));
    // Before the first answer, it is the mean of the decisions, and then the first answer.
    assert_eq!(found[..4], [None, both(3.0), both(2.0), both(2.0)]);
    let usual: Vec<_> = found[4..].iter().map(|own| own.as_ref().unwrap()[0].clone()).collect();
    assert_eq!(usual, [2.0, 3.0].map(AnswerValue::Number));
    let drawn = |index: usize| found[index].as_ref().unwrap()[1].clone();
    assert!([2.0, 3.0].map(AnswerValue::Number).contains(&drawn(4)));
}

fn pairs() -> impl Strategy<Value = Vec<OpenPair>> {
    let items = || {
        let list = prop::collection::hash_set("[a-f]", 0..4);
        list.prop_map(|list| AnswerValue::Ranking(list.into_iter().collect()))
    };
    let row = (0i64..40, -5i64..15, items(), items(), -100.0..100.0, any::<bool>());
    let rows = prop::collection::vec(row, 1..25);
    (rows, any::<bool>()).prop_map(|(rows, ranks)| {
        let pair = |(id, (at, after, decided, answered, value, is_answered)): (usize, _)| {
            let (at, after): (i64, i64) = (at, after);
            let pair = match ranks {
                true => pair(id, at * QUARTER, (at + after) * QUARTER, decided, answered),
                false => number(id, at * QUARTER, (at + after) * QUARTER, value),
            };
            if is_answered { pair } else { unanswered(pair) }
        };
        rows.into_iter().enumerate().map(pair).collect()
    })
}

proptest! {
    /// A pair arrives at any moment before the first settlement after its snapshot.
    #[test]
    fn baselines_do_not_depend_on_arrival_and_settlement(
        pairs in pairs(),
        mut times in prop::collection::vec((0i64..60).prop_map(|time| time * QUARTER), 0..6),
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
            prop_assert_eq!(baselines.as_deref().map(known), expected(&pairs, &pair), "{:?}", pair);
        }
    }
}
