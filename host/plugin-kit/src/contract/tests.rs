//! Tests of the check with plugins whose answers depend on more than the row.

use std::cell::Cell;

use serde_json::json;
use understudy_sandbox::Usage;

use super::*;
use crate::subject::Instance;

/// What a test plugin does with a batch: the earlier batches, and the batch.
type Behaviour = fn(&[Vec<usize>], &[usize]) -> Vec<RowResult>;

/// A plugin that answers numbers by a function. Rows are numbers.
struct TestSubject {
    rows: usize,
    behaviour: Behaviour,
    fuel: Cell<u64>,
}

struct TestInstance<'s> {
    subject: &'s TestSubject,
    calls: Vec<Vec<usize>>,
}

impl Subject for TestSubject {
    fn rows(&self) -> usize {
        self.rows
    }

    fn instance(&self) -> Box<dyn Instance + '_> {
        Box::new(TestInstance { subject: self, calls: Vec::new() })
    }

    fn prepared(&self, _: &[Vec<usize>]) -> Box<dyn FnMut() + '_> {
        unreachable!("a check looks at every result")
    }

    fn row_text(&self, row: usize) -> String {
        row.to_string()
    }

    fn usage(&self) -> Usage {
        Usage { fuel: self.fuel.get(), memory_bytes: 7, ..Usage::default() }
    }
}

impl Instance for TestInstance<'_> {
    fn call(&mut self, rows: &[usize]) -> Vec<RowResult> {
        self.subject.fuel.set(self.subject.fuel.get() + rows.iter().sum::<usize>() as u64);
        let results = (self.subject.behaviour)(&self.calls, rows);
        self.calls.push(rows.to_vec());
        results
    }
}

fn checked(behaviour: Behaviour) -> ContractReport {
    check(&TestSubject { rows: 20, behaviour, fuel: Cell::new(0) }, 1)
}

fn numbers(rows: &[usize], answer: impl Fn(usize) -> usize) -> Vec<RowResult> {
    rows.iter().map(|row| RowResult::value(json!(answer(*row)))).collect()
}

/// The rules and examples of all findings.
fn text(report: &ContractReport) -> String {
    let finding = |finding: &Finding| {
        format!("{}, {} rows\n  {}", finding.rule.name(), finding.rows, finding.example.join("\n  "))
    };
    report.findings.iter().map(finding).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_function_of_the_row_has_no_finding() {
    let report = checked(|_, rows| numbers(rows, |row| row * row));
    assert_eq!(report.findings, []);
    let costs = Costs { most_fuel: 19, most_fuel_row: 19, mean_fuel: 9, memory_bytes: 7 };
    assert_eq!((report.rows, report.unanswered, report.costs), (20, 0, costs));
}

#[test]
fn a_plugin_that_answers_no_row_is_a_finding() {
    insta::assert_snapshot!(text(&checked(|_, rows| rows.iter().map(|_| RowResult::Unanswered("no team".to_owned())).collect())), @"
    an answer to some row, 20 rows
      no row has an answer, so the other rules are not tested; give rows that have one
      row       0
      result    no answer (no team)
    ");
}

#[test]
fn state_is_found_with_the_row_that_leaves_it() {
    insta::assert_snapshot!(text(&checked(|calls, rows| numbers(rows, |_| calls.len()))), @"
    no state between calls, 20 rows
      row    0
      first  0
      then   1, after a call with the same row
    ");
    // Row 7 is remembered, and changes the answers to even rows.
    insta::assert_snapshot!(text(&checked(|calls, rows| {
        let seen = calls.iter().flatten().any(|row| *row == 7);
        numbers(rows, |row| if seen && row % 2 == 0 { 99 } else { row })
    })), @"
    no state between calls, 10 rows
      row    0
      first  0
      then   99, after a call with the row 7
    ");
}

#[test]
fn dependence_on_the_batch_is_found_with_the_smallest_batch() {
    insta::assert_snapshot!(text(&checked(|_, rows| numbers(rows, |_| rows.len()))), @"
    independence of the batch, 20 rows
      row    0
      alone  1
      batch  2, in a batch with the same row
    ");
    // Rows 3 and 4 change an answer together only.
    insta::assert_snapshot!(text(&checked(|_, rows| {
        let both = rows.contains(&3) && rows.contains(&4);
        numbers(rows, |row| if both && row == 11 { 99 } else { row })
    })), @"
    independence of the batch, 1 rows
      row    11
      alone  11
      batch  99, in a batch with 2 rows, among them 3
    ");
}

#[test]
fn failures_are_grouped_by_their_kind() {
    insta::assert_snapshot!(text(&checked(|_, rows| {
        let result = |row: &usize| match row {
            5 | 12 => RowResult::Broken(format!("`decide` panicked at src/lib.rs:1:1: {row}")),
            9 => RowResult::Broken("`decide` used up its fuel of 10".to_owned()),
            14 => RowResult::Unanswered("failed: the answer is NaN, expected a finite number".to_owned()),
            row => RowResult::value(json!(row)),
        };
        rows.iter().map(result).collect()
    })), @"
    valid answers, 2 rows
      row      5
      failure  `decide` panicked at src/lib.rs:1:1: 5
    valid answers, 1 rows
      row      9
      failure  `decide` used up its fuel of 10
      help     make a row cheaper, or raise limits.fuel-per-row in study.toml
    valid answers, 1 rows
      row      14
      failure  failed: the answer is NaN, expected a finite number
    ");
}

#[test]
fn abstaining_is_allowed_and_counted() {
    let report = checked(|_, rows| {
        let result = |row: &usize| match row {
            0..3 => RowResult::Unanswered("failed: no guests".to_owned()),
            19 => RowResult::value(json!(19)),
            _ => RowResult::Unanswered("abstained: too far".to_owned()),
        };
        rows.iter().map(result).collect()
    });
    assert_eq!((report.findings.len(), report.unanswered, report.failed), (0, 19, 3));
    let example = ("0".to_owned(), "no answer (failed: no guests)".to_owned());
    assert_eq!(report.failed_example, Some(example));
}

#[test]
fn equal_instances_that_differ_are_not_deterministic() {
    thread_local!(static CALLS: Cell<usize> = const { Cell::new(0) });
    let report = checked(|_, rows| {
        CALLS.set(CALLS.get() + 1);
        numbers(rows, |row| row + CALLS.get())
    });
    assert_eq!(report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::Determinism]);
}
