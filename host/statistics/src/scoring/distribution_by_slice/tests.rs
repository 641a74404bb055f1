//! The distributions against counts by hand, and against themselves in other orders and batches.

use proptest::prelude::*;

use super::{DistributionBatch, DistributionsBySlice, SliceDifferences};
use crate::scoring::{AnswerHistogram, RankPositions, Window, WindowClock};
use understudy_records::batch::{AnswerColumn, Answers, Names, Reason};
use understudy_study::{AnswerForm, Every, Windows};

const LABELS: [&str; 3] = ["a", "b", "c"];

/// One pair: the day, the value of the only condition, the model's answer, the substrate's answer.
type Row = (i64, u16, Option<u32>, u32);

fn day(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    WindowClock::new(windows, jiff::tz::TimeZone::UTC).window(day * 86_400_000_000)
}

fn unanswered<T>(answers: impl Iterator<Item = Option<T>>) -> Vec<(u32, Reason)> {
    let open = answers.enumerate().filter(|(_, answer)| answer.is_none());
    open.map(|(row, _)| (row as u32, Reason::Abstained(String::new()))).collect()
}

fn labels(codes: &[Option<u32>], names: &[&str]) -> Answers {
    Answers {
        decisions: AnswerColumn::Labels {
            names: Names::from(names.to_vec()),
            codes: codes.iter().map(|code| code.unwrap_or(0)).collect(),
        },
        confidence: None,
        probabilities: None,
        unanswered: unanswered(codes.iter().copied()),
    }
}

fn distributions(batches: &[&[Row]]) -> DistributionsBySlice {
    let mut distributions = DistributionsBySlice::new(&[AnswerForm::Label], &[2]);
    for rows in batches {
        let windows: Vec<Window> = rows.iter().map(|row| day(row.0)).collect();
        let values = [rows.iter().map(|row| row.1).collect::<Vec<u16>>()];
        let profiles: Vec<u32> = rows.iter().map(|row| u32::from(row.1)).collect();
        let ids: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        let hashes: Vec<u64> = ids.iter().map(|id| xxhash_rust::xxh3::xxh3_64(id.as_bytes())).collect();
        // The model and the substrate have their own dictionaries.
        let model_answers = labels(&rows.iter().map(|row| row.2).collect::<Vec<_>>(), &LABELS);
        let comparator =
            labels(&rows.iter().map(|row| Some(2 - row.3)).collect::<Vec<_>>(), &["c", "b", "a"]);
        let pairs = DistributionBatch {
            windows: &windows,
            conditions: &values,
            profiles: &profiles,
            hashes: &hashes,
            ids: &ids.iter().map(String::as_str).collect::<Vec<_>>(),
            comparator: &comparator,
        };
        distributions.add(0, &model_answers, pairs);
    }
    distributions
}

fn count(distribution: &AnswerHistogram, model: Option<u32>, substrate: u32) -> u64 {
    let AnswerHistogram::Labels(matrix) = distribution else { panic!("labels have a matrix") };
    let said = (model.map(|code| LABELS[code as usize].to_owned()), LABELS[substrate as usize].to_owned());
    matrix.iter().find(|(known, _)| **known == said).map_or(0, |(_, count)| count)
}

fn row() -> impl Strategy<Value = Row> {
    (0i64..3, 0u16..2, prop::option::of(0u32..3), 0u32..3)
}

proptest! {
    #[test]
    fn distributions_match_the_pairs_in_any_order_and_batches(rows in prop::collection::vec(row(), 0..80), cut in 0usize..80) {
        let whole = distributions(&[&rows]);
        let mut backwards = rows.clone();
        backwards.reverse();
        let (one, other) = backwards.split_at(cut.min(rows.len()));
        prop_assert_eq!(&distributions(&[one, other]), &whole);
        for model in [None, Some(0), Some(1), Some(2)] {
            for substrate in 0..3 {
                let of = |holds: &dyn Fn(&Row) -> bool| {
                    rows.iter().filter(|row| (row.2, row.3) == (model, substrate) && holds(row)).count() as u64
                };
                prop_assert_eq!(count(&whole.fold(0, |_| true), model, substrate), of(&|_| true));
                prop_assert_eq!(count(&whole.fold(0, |w| w == day(1)), model, substrate), of(&|row| row.0 == 1));
                let through = whole.through(day(1)).fold(0, |_| true);
                prop_assert_eq!(count(&through, model, substrate), of(&|row| row.0 <= 1));
                prop_assert_eq!(count(whole.for_value(0, 1, 0), model, substrate), of(&|row| row.1 == 1));
                let SliceDifferences { answers, .. } = whole.differences(0, |profile| profile == 1);
                let differs = model != Some(substrate);
                let expected = if differs { of(&|row| row.1 == 1) } else { 0 };
                prop_assert_eq!(count(&AnswerHistogram::Labels(answers), model, substrate), expected);
            }
        }
        let examples = whole.differences(0, |_| true).examples;
        let differing = rows.iter().filter(|row| row.2 != Some(row.3)).count();
        prop_assert_eq!(examples.len(), differing.min(3));
    }
}

#[test]
fn numbers_are_summed_and_the_greatest_errors_are_examples() {
    let mut distributions = DistributionsBySlice::new(&[AnswerForm::Number], &[]);
    let numbers = |numbers: &[Option<f64>]| Answers {
        decisions: AnswerColumn::Numbers(numbers.iter().map(|number| number.unwrap_or(0.0)).collect()),
        confidence: None,
        probabilities: None,
        unanswered: unanswered(numbers.iter().copied()),
    };
    let comparator = numbers(&[Some(10.0); 6]);
    let model_answers = numbers(&[Some(12.0), None, Some(10.0), Some(3.0), Some(11.0), Some(30.0)]);
    let pairs = DistributionBatch {
        windows: &[day(0); 6],
        conditions: &[],
        profiles: &[0; 6],
        hashes: &[0; 6],
        ids: &["a", "b", "c", "d", "e", "f"],
        comparator: &comparator,
    };
    distributions.add(0, &model_answers, pairs);
    let AnswerHistogram::Numbers(errors) = distributions.fold(0, |_| true) else {
        panic!("numbers have errors")
    };
    assert_eq!((errors.count(), errors.unanswered, errors.sum.value()), (5, 1, 16.0));
    assert_eq!(errors.squares.value(), 4.0 + 49.0 + 1.0 + 400.0);
    let differences = distributions.differences(0, |_| true);
    assert_eq!((differences.numbers, differences.errors.value()), (5, 16.0));
    let furthest: Vec<&str> = differences.examples.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(furthest, ["f", "d", "a"]);
}

#[test]
fn rank_positions_of_the_first_choice() {
    let mut distributions = DistributionsBySlice::new(&[AnswerForm::Ranking], &[]);
    let rankings = |names: &[&str], of: &[&[u32]], unanswered: Vec<(u32, Reason)>| Answers {
        decisions: AnswerColumn::Rankings {
            names: Names::from(names.to_vec()),
            offsets: std::iter::once(0)
                .chain(of.iter().scan(0, |end, ranking| {
                    *end += ranking.len() as u32;
                    Some(*end)
                }))
                .collect(),
            codes: of.concat(),
        },
        confidence: None,
        probabilities: None,
        unanswered,
    };
    let comparator = rankings(&["x", "y"], &[&[0], &[1], &[0], &[1], &[], &[], &[]], Vec::new());
    let model_answers = rankings(
        &["y", "x", "z"],
        &[&[1, 0], &[2, 1, 0], &[2], &[0], &[2], &[], &[]],
        vec![(3, Reason::Failed("no bay".to_owned())), (6, Reason::Failed("no bay".to_owned()))],
    );
    let pairs = DistributionBatch {
        windows: &[day(0); 7],
        conditions: &[],
        profiles: &[0; 7],
        hashes: &[4, 3, 2, 1, 5, 6, 7],
        ids: &["a", "b", "c", "d", "e", "f", "g"],
        comparator: &comparator,
    };
    distributions.add(0, &model_answers, pairs);
    let AnswerHistogram::Rankings(places) = distributions.fold(0, |_| true) else {
        panic!("rankings have places")
    };
    assert_eq!(
        places,
        RankPositions { unanswered: 2, absent: 1, unranked: 2, places: [(1, 1), (3, 1)].into(), longest: 3 }
    );
    let differences = distributions.differences(0, |_| true);
    let said: Vec<_> = differences
        .answers
        .iter()
        .map(|((model, substrate), n)| (model.as_deref(), substrate.as_str(), n))
        .collect();
    // An empty ranking of the substrate equals only an empty one.
    let expected =
        [(None, "", 1), (None, "y", 1), (Some("z"), "", 1), (Some("z"), "x", 1), (Some("z"), "y", 1)];
    assert_eq!(said, expected);
    assert_eq!(differences.examples.iter().map(|(rank, _)| *rank).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_snapshot_keeps_its_bits_and_shares_the_slices_that_do_not_change() {
    let bytes = |distributions: &DistributionsBySlice| {
        bincode::serde::encode_to_vec(distributions, bincode::config::standard()).unwrap()
    };
    let mut all = distributions(&[&[(0, 0, Some(0), 1), (1, 1, Some(2), 2)]]);
    let snapshot = all.clone();
    let before = bytes(&snapshot);
    let (comparator, model_answers) = (labels(&[Some(0)], &LABELS), labels(&[Some(1)], &LABELS));
    let pairs = DistributionBatch {
        windows: &[day(1)],
        conditions: &[vec![1]],
        profiles: &[1],
        hashes: &[7],
        ids: &["new"],
        comparator: &comparator,
    };
    all.add(0, &model_answers, pairs);
    assert_eq!(bytes(&snapshot), before);
    assert_ne!(bytes(&all), before);
    let window =
        |of: &DistributionsBySlice, at: i64| -> *const AnswerHistogram { of.in_window(day(at), 0).unwrap() };
    assert_eq!([0, 1].map(|at| window(&all, at) == window(&snapshot, at)), [true, false]);
    let value = |of: &DistributionsBySlice, value| -> *const AnswerHistogram { of.for_value(0, value, 0) };
    assert_eq!([0, 1].map(|at| value(&all, at) == value(&snapshot, at)), [true, false]);
    assert_eq!(snapshot.differences(0, |profile| profile == 1).answers.iter().count(), 0);
    assert_eq!(all.differences(0, |profile| profile == 1).answers.iter().count(), 1);
}
