//! Cells against counts by hand, and against themselves in other orders, batches and merges.

use bincode::config::standard;
use bincode::serde::{decode_from_slice, encode_to_vec};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{AnswerStatus, CellTally, Cells, CellsError, CellsShape, ModelScores, ScoredPairs, Slice};
use crate::scoring::{Window, WindowClock};
use understudy_study::{Every, Windows};

/// One pair: the day, the condition values, and for each model its status and its scores, metric by metric.
#[derive(Clone, Debug)]
struct Row {
    day: i64,
    values: [u16; 2],
    models: [(AnswerStatus, [f64; 3]); 2],
}

/// Two conditions, two models, a metric of one component and one of two.
fn shape() -> CellsShape {
    CellsShape { conditions: vec![2, 3], models: 2, components: vec![1, 2] }
}

fn day(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: Weekday::Sunday };
    WindowClock::new(windows, TimeZone::UTC).window(day * 86_400_000_000)
}

/// The same rows as columns.
struct Columns {
    windows: Vec<Window>,
    conditions: Vec<Vec<u16>>,
    models: Vec<ModelScores>,
}

impl Columns {
    fn new(rows: &[Row]) -> Self {
        let component = |model: usize, at: usize| rows.iter().map(|row| row.models[model].1[at]).collect();
        let models = (0..2).map(|model| ModelScores {
            statuses: rows.iter().map(|row| row.models[model].0).collect(),
            scores: vec![vec![component(model, 0)], vec![component(model, 1), component(model, 2)]],
        });
        Self {
            windows: rows.iter().map(|row| day(row.day)).collect(),
            conditions: (0..2).map(|c| rows.iter().map(|row| row.values[c]).collect()).collect(),
            models: models.collect(),
        }
    }

    fn pairs(&self) -> ScoredPairs<'_> {
        ScoredPairs { windows: &self.windows, conditions: &self.conditions, models: &self.models }
    }
}

fn cells(rows: &[Row]) -> Cells {
    let mut cells = Cells::new(shape());
    cells.add(Columns::new(rows).pairs()).unwrap();
    cells
}

fn bytes(cells: &Cells) -> Vec<u8> {
    encode_to_vec(cells, standard()).unwrap()
}

fn three_pairs() -> Vec<Row> {
    use AnswerStatus::{Abstained, Answered, Failed};
    vec![
        Row { day: 2, values: [0, 2], models: [(Answered, [1.0, 0.5, 10.0]), (Failed, [0.0, 0.0, 7.0])] },
        Row { day: 1, values: [1, 2], models: [(Abstained, [0.0, 0.25, 20.0]), (Answered, [1.0, 2.0, 3.0])] },
        Row { day: 2, values: [1, 0], models: [(Answered, [1.0, 0.1, 30.0]), (Failed, [0.5, 0.2, 0.0])] },
    ]
}

#[test]
fn unanswered_pairs_are_those_of_one_model_in_one_slice() {
    let cells = cells(&three_pairs());
    let unanswered = |at, slice| {
        let totals = cells.window(day(at)).unwrap();
        [0, 1].map(|model| totals.unanswered(slice, model))
    };
    let value = |condition, value| Slice::Value { condition, value };
    assert_eq!([1, 2].map(|at| unanswered(at, Slice::All)), [[1, 0], [0, 2]]);
    assert_eq!([value(1, 1), value(1, 2)].map(|slice| unanswered(1, slice)), [[0, 0], [1, 0]]);
    assert_eq!([value(0, 0), value(0, 1)].map(|slice| unanswered(2, slice)), [[0, 1]; 2]);
}

#[test]
fn every_pair_counts_in_its_window_and_in_its_slices() {
    let cells = cells(&three_pairs());
    let windows: Vec<_> = cells.iter().map(|(window, _)| window).collect();
    assert_eq!(windows, [day(1), day(2)]);
    let value = |condition, value| Slice::Value { condition, value };
    let second = cells.window(day(2)).unwrap();
    assert_eq!(
        second.tally(Slice::All, 0, 0),
        CellTally { pairs: 2, abstained: 0, failed: 0, sums: vec![2.0] }
    );
    assert_eq!(
        second.tally(Slice::All, 1, 1),
        CellTally { pairs: 2, abstained: 0, failed: 2, sums: vec![0.2, 7.0] }
    );
    assert_eq!(
        second.tally(value(0, 1), 0, 1),
        CellTally { pairs: 1, abstained: 0, failed: 0, sums: vec![0.1, 30.0] }
    );
    assert_eq!(
        second.tally(value(1, 2), 1, 0),
        CellTally { pairs: 1, abstained: 0, failed: 1, sums: vec![0.0] }
    );
    assert_eq!(
        second.tally(value(1, 1), 0, 1),
        CellTally { pairs: 0, abstained: 0, failed: 0, sums: vec![0.0; 2] }
    );
    let overall = cells.fold(windows);
    assert_eq!(
        overall.tally(value(1, 2), 0, 1),
        CellTally { pairs: 2, abstained: 1, failed: 0, sums: vec![0.75, 30.0] }
    );
    assert_eq!(
        overall.tally(Slice::All, 1, 1),
        CellTally { pairs: 3, abstained: 0, failed: 2, sums: vec![2.2, 10.0] }
    );
    assert_eq!(cells.window(day(3)), None);
}

#[test]
fn a_window_named_twice_counts_twice() {
    let cells = cells(&three_pairs());
    let tally = cells.fold([day(1), day(3), day(1)]).tally(Slice::All, 0, 1);
    assert_eq!(tally, CellTally { pairs: 2, abstained: 2, failed: 0, sums: vec![0.5, 40.0] });
    assert_eq!(cells.fold([]).tally(Slice::All, 0, 0).pairs, 0);
}

#[test]
fn without_pairs_there_are_no_windows() {
    let cells = cells(&[]);
    assert_eq!(cells, Cells::new(shape()));
    assert_eq!(cells.iter().count(), 0);
}

#[test]
fn a_batch_of_another_shape_is_rejected_as_a_whole() {
    let good = Columns::new(&three_pairs());
    let mut cells = Cells::new(shape());
    let mut refuse = |spoil: fn(&mut Columns)| {
        let mut bad = Columns::new(&three_pairs());
        spoil(&mut bad);
        let error = cells.add(bad.pairs()).unwrap_err();
        assert_eq!(cells, Cells::new(shape()));
        error.to_string()
    };
    let errors = [
        refuse(|c| c.conditions.truncate(1)),
        refuse(|c| c.conditions[1].truncate(2)),
        refuse(|c| c.conditions[1][2] = 3),
        refuse(|c| c.models.truncate(1)),
        refuse(|c| c.models[1].statuses.truncate(2)),
        refuse(|c| c.models[1].scores.truncate(1)),
        refuse(|c| c.models[0].scores[1].truncate(1)),
        refuse(|c| c.models[1].scores[1][1].push(1.0)),
        refuse(|c| c.windows.truncate(2)),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    cannot add to cells: found 1 conditions, expected 2
    cannot add to cells: found 2 rows of a condition, expected 3
    cannot add to cells: row 2 has value 3 of condition 1, which has 3 values
    cannot add to cells: found 1 models, expected 2
    cannot add to cells: found 2 rows of statuses, expected 3
    cannot add to cells: found 1 metrics, expected 2
    cannot add to cells: found 1 components of a metric, expected 2
    cannot add to cells: found 4 rows of scores, expected 3
    cannot add to cells: found 3 rows of a condition, expected 2
    ");
    cells.add(good.pairs()).unwrap();
    assert_eq!(cells.iter().count(), 2);
}

#[test]
fn cells_of_another_study_are_rejected() {
    let mut cells = cells(&three_pairs());
    let other = Cells::new(CellsShape { models: 3, ..shape() });
    assert_eq!(cells.merge(&other), Err(CellsError::Shape));
}

#[test]
fn stored_cells_that_do_not_fit_their_shape_are_rejected() {
    let mut json = serde_json::to_value(cells(&three_pairs())).unwrap();
    json["windows"]["1970-01-02T00:00:00"]["sums"].as_array_mut().unwrap().pop();
    let error = serde_json::from_value::<Cells>(json).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"cannot add to cells: found 35 stored sums, expected 36");
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL};
    let score = || prop_oneof![Just(0.0), Just(1.0), -1e3..1e3, NORMAL | SUBNORMAL | POSITIVE | NEGATIVE];
    let outcome =
        prop::sample::select(&[AnswerStatus::Answered, AnswerStatus::Abstained, AnswerStatus::Failed][..]);
    let model = (outcome, [score(), score(), score()]);
    let row = (0..4i64, 0..2u16, 0..3u16, [model.clone(), model]);
    let row = row.prop_map(|(day, first, second, models)| Row { day, values: [first, second], models });
    prop::collection::vec(row, 0..40)
}

proptest! {
    #[test]
    fn batches_order_and_merges_change_no_bit(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        part_of in prop::collection::vec(0..5usize, 40),
        merges in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 4),
        batch in 1..10usize,
    ) {
        let expected = cells(&rows);
        let mut parts = vec![Cells::new(shape()); 5];
        for (part, cells) in parts.iter_mut().enumerate() {
            let own: Vec<_> =
                shuffled.iter().zip(&part_of).filter(|(_, of)| **of == part).map(|(row, _)| row.clone()).collect();
            own.chunks(batch).for_each(|rows| cells.add(Columns::new(rows).pairs()).unwrap());
        }
        // Any tree of merges, until one is left.
        for (into, from) in merges {
            let from = parts.swap_remove(from.index(parts.len()));
            let into = into.index(parts.len());
            parts[into].merge(&from).unwrap();
        }
        prop_assert_eq!(parts.len(), 1);
        prop_assert_eq!(&parts[0], &expected);
        prop_assert_eq!(bytes(&parts[0]), bytes(&expected));
        // The totals over all windows equal those of the same pairs in one window.
        let in_one: Vec<_> = rows.iter().map(|row| Row { day: 0, ..row.clone() }).collect();
        let overall = expected.fold(expected.iter().map(|(window, _)| window));
        if let Some(one) = cells(&in_one).window(day(0)) {
            prop_assert_eq!(&overall, one);
        }
    }

    #[test]
    fn serialization_round_trips(rows in rows()) {
        let cells = cells(&rows);
        let (read, _): (Cells, _) = decode_from_slice(&bytes(&cells), standard()).unwrap();
        prop_assert_eq!(&read, &cells);
        let json = serde_json::to_string(&cells).unwrap();
        prop_assert_eq!(serde_json::from_str::<Cells>(&json).unwrap(), cells);
    }
}

#[test]
fn a_snapshot_keeps_its_bits_and_shares_the_windows_that_do_not_change() {
    let mut cells = cells(&three_pairs());
    let snapshot = cells.clone();
    let before = bytes(&snapshot);
    let same = |cells: &Cells, snapshot: &Cells, at: i64| {
        std::ptr::eq(cells.window(day(at)).unwrap(), snapshot.window(day(at)).unwrap())
    };
    assert!(same(&cells, &snapshot, 1) && same(&cells, &snapshot, 2));
    // Cells change by adding a batch and by merging.
    let more = Columns::new(&three_pairs()[1..2]);
    cells.add(more.pairs()).unwrap();
    assert!(!same(&cells, &snapshot, 1) && same(&cells, &snapshot, 2));
    let mut merged = snapshot.clone();
    merged.merge(&cells).unwrap();
    assert_eq!(bytes(&snapshot), before);
    assert_eq!(cells.window(day(1)).unwrap().tally(Slice::All, 0, 0).pairs, 2);
    assert_eq!(snapshot.window(day(1)).unwrap().tally(Slice::All, 0, 0).pairs, 1);
    // A part of the cells shares its windows, too.
    assert!(same(&snapshot.through(day(1)), &snapshot, 1));
    assert_eq!(snapshot.through(day(1)).iter().count(), 1);
}

#[test]
fn statuses_have_the_names_of_the_log() {
    assert_eq!(AnswerStatus::ALL.map(AnswerStatus::name), ["answered", "abstained", "failed"]);
}
