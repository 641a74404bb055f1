//! Checks the contract with plugins: the answer to a row depends on that row alone.
//!
//! All rows are asked for in several batches and orders. For a row whose result differs, the check looks for the
//! shortest example: an earlier call, or another row in the batch, that changes it.

use std::collections::BTreeSet;

use fastrand::Rng;
use understudy_sandbox::{failure_advice, failure_kind};

use crate::row_result::RowResult;
use crate::subject::Subject;

/// Rows of a difference for which an example is looked for, the shortest rows first.
const SUSPECTS: usize = 8;
/// Other rows that are tried alone with a suspect.
const OTHERS: usize = 256;
/// Random splits of the rows.
const SPLITS: usize = 2;
/// Rows of the largest batch of a random split.
const SPLIT_ROWS: usize = 50;

/// A rule of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every row has a valid answer, or a reason for none, within the limits of a study.
    ValidAnswers,
    /// At least one row has an answer. Otherwise the other rules were not tested.
    SomeAnswer,
    /// Equal instances give the same answers to the same calls.
    Determinism,
    /// An earlier call does not change an answer.
    NoState,
    /// Other rows of the batch do not change an answer.
    BatchIndependence,
    /// What a column holds for a missing value does not change an answer.
    MissingValues,
    /// The order of the keys of a JSON field does not change an answer.
    KeyOrder,
    /// The value of a metric is in its declared range.
    Range,
    /// A model reads no field of the decision.
    DecisionAccess,
}

impl Rule {
    /// The rule in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Rule::ValidAnswers => "valid answers",
            Rule::SomeAnswer => "an answer to some row",
            Rule::Determinism => "determinism",
            Rule::NoState => "no state between calls",
            Rule::BatchIndependence => "independence of the batch",
            Rule::MissingValues => "missing values",
            Rule::KeyOrder => "order of keys in JSON fields",
            Rule::Range => "declared range",
            Rule::DecisionAccess => "no access to the decision",
        }
    }
}

/// A violated rule, with its shortest example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Number of rows that violate it; of fields for [`Rule::DecisionAccess`].
    pub rows: usize,
    /// The example, one line each.
    pub example: Vec<String>,
}

/// What rows cost when each is asked for alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// The most fuel of a row.
    pub most_fuel: u64,
    /// The row that uses it.
    pub most_fuel_row: usize,
    /// Mean fuel of a row.
    pub mean_fuel: u64,
    /// Peak linear memory of an instance, in bytes.
    pub memory_bytes: u64,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractReport {
    /// Number of rows that were asked for.
    pub rows: usize,
    /// Number of rows without an answer, with a reason that the plugin or the host gives. This is allowed.
    pub unanswered: usize,
    /// Number of those rows for which the plugin says that it failed.
    pub failed: usize,
    /// The shortest of those rows, and the reason.
    pub failed_example: Option<(String, String)>,
    /// The findings, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The costs.
    pub costs: Costs,
}

/// Checks determinism, state, batches and the validity of answers.
pub fn check(subject: &dyn Subject, seed: u64) -> ContractReport {
    let all: Vec<usize> = (0..subject.rows()).collect();
    let mut first = subject.instance();
    let base = first.call(&all);
    let again = first.call(&all);
    drop(first);
    let repeated = subject.instance().call(&all);
    let (alone, costs) = one_by_one(subject);

    let mut findings: Vec<Finding> = failures(subject, &base);
    let unanswered = base.iter().filter(|result| matches!(result, RowResult::Unanswered(_))).count();
    if unanswered == base.len()
        && let Some(row) = shortest(subject, &all)
    {
        findings.push(Finding {
            rule: Rule::SomeAnswer,
            rows: unanswered,
            example: vec![
                "no row has an answer, so the other rules are not tested; give rows that have one".to_owned(),
                format!("row       {}", subject.row_text(row)),
                format!("result    {}", base[row]),
            ],
        });
    }
    let differing_runs = differing(&base, &repeated);
    if let Some(row) = shortest(subject, &differing_runs) {
        findings.push(Finding {
            rule: Rule::Determinism,
            rows: differing_runs.len(),
            example: vec![
                format!("row       {}", subject.row_text(row)),
                format!("instance  {}", base[row]),
                format!("another   {}", repeated[row]),
            ],
        });
    } else {
        let mut suspects: BTreeSet<usize> = differing(&base, &again).into_iter().collect();
        suspects.extend(differing(&base, &alone));
        let mut rng = Rng::with_seed(seed);
        let reversed: Vec<usize> = all.iter().rev().copied().collect();
        suspects.extend(differing(&base, &in_batches(subject, &reversed, || usize::MAX)));
        for _ in 0..SPLITS {
            let mut order = all.clone();
            rng.shuffle(&mut order);
            let split = in_batches(subject, &order, || rng.usize(1..=SPLIT_ROWS));
            suspects.extend(differing(&base, &split));
        }
        findings.extend(explain(subject, &suspects));
    }
    let failed: Vec<usize> = all.iter().copied().filter(|row| has_failed(&base[*row])).collect();
    let failed_example = shortest(subject, &failed).map(|row| (subject.row_text(row), base[row].to_string()));
    ContractReport { rows: all.len(), unanswered, failed: failed.len(), failed_example, findings, costs }
}

/// Asks one instance for each row alone.
fn one_by_one(subject: &dyn Subject) -> (Vec<RowResult>, Costs) {
    let mut instance = subject.instance();
    let (mut results, mut costs, mut total) = (Vec::new(), Costs::default(), 0);
    for row in 0..subject.rows() {
        let before = subject.usage().fuel;
        results.append(&mut instance.call(&[row]));
        let fuel = subject.usage().fuel - before;
        total += fuel;
        if fuel > costs.most_fuel {
            (costs.most_fuel, costs.most_fuel_row) = (fuel, row);
        }
    }
    costs.mean_fuel = total.checked_div(results.len() as u64).unwrap_or_default();
    costs.memory_bytes = subject.usage().memory_bytes;
    (results, costs)
}

/// The results of one instance by row, after it was asked in the given order.
fn in_batches(
    subject: &dyn Subject,
    order: &[usize],
    mut batch_rows: impl FnMut() -> usize,
) -> Vec<RowResult> {
    let mut instance = subject.instance();
    let mut results: Vec<Option<RowResult>> = vec![None; order.len()];
    let mut rest = order;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(batch_rows().min(rest.len()));
        for (row, result) in batch.iter().zip(instance.call(batch)) {
            results[*row] = Some(result);
        }
        rest = later;
    }
    results.into_iter().map(|result| result.expect("every row is in one batch")).collect()
}

/// The rows whose results differ in any bit.
pub(crate) fn differing(one: &[RowResult], other: &[RowResult]) -> Vec<usize> {
    (0..one.len()).filter(|row| !one[*row].is_identical(&other[*row])).collect()
}

/// The row with the shortest text.
pub(crate) fn shortest(subject: &dyn Subject, rows: &[usize]) -> Option<usize> {
    rows.iter().copied().min_by_key(|row| (subject.row_text(*row).len(), *row))
}

/// Whether the plugin says that it cannot answer the row.
fn has_failed(result: &RowResult) -> bool {
    matches!(result, RowResult::Unanswered(reason) if reason.starts_with("failed: "))
        && fault(result).is_none()
}

/// The failure in a result. The SDK replaces a number that is not finite by a reason, so that the other rows of the batch
/// are answered. The check counts it as a failure.
fn fault(result: &RowResult) -> Option<&str> {
    let not_finite = ["NaN", "inf", "-inf"];
    match result {
        RowResult::Broken(why) => Some(why),
        RowResult::Unanswered(reason) => {
            let answer = reason.strip_prefix("failed: the answer is ")?;
            not_finite.iter().any(|number| answer.starts_with(number)).then_some(reason)
        }
        RowResult::Answer { .. } => None,
    }
}

/// One finding for each kind of failure.
fn failures(subject: &dyn Subject, results: &[RowResult]) -> Vec<Finding> {
    let mut by_kind: Vec<(String, Vec<usize>)> = Vec::new();
    for (row, result) in results.iter().enumerate() {
        let Some(why) = fault(result) else { continue };
        let kind = if matches!(result, RowResult::Broken(_)) { failure_kind(why) } else { why.to_owned() };
        match by_kind.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, rows)) => rows.push(row),
            None => by_kind.push((kind, vec![row])),
        }
    }
    let finding = |(_, rows): (String, Vec<usize>)| {
        let row = shortest(subject, &rows).expect("each kind has a row");
        let why = fault(&results[row]).expect("only failures are collected");
        let mut example = vec![format!("row      {}", subject.row_text(row)), format!("failure  {why}")];
        example.extend(failure_advice(why).map(|advice| format!("help     {advice}")));
        Finding { rule: Rule::ValidAnswers, rows: rows.len(), example }
    };
    by_kind.into_iter().map(finding).collect()
}

/// Finds out for suspects whether an earlier call or the batch changes them. Each rule has one finding.
fn explain(subject: &dyn Subject, suspects: &BTreeSet<usize>) -> Vec<Finding> {
    let mut shortest_first: Vec<usize> = suspects.iter().copied().collect();
    shortest_first.sort_by_key(|row| (subject.row_text(*row).len(), *row));
    let mut findings: Vec<Finding> = Vec::new();
    for &row in shortest_first.iter().take(SUSPECTS) {
        let alone = subject.instance().call(&[row]).remove(0);
        let found = state_example(subject, row, &alone)
            .map(|example| (Rule::NoState, example))
            .or_else(|| Some((Rule::BatchIndependence, batch_example(subject, row, &alone)?)));
        if let Some((rule, example)) = found
            && findings.iter().all(|finding| finding.rule != rule)
        {
            findings.push(Finding { rule, rows: suspects.len(), example });
        }
    }
    if let (true, Some(row)) = (findings.is_empty(), shortest_first.first()) {
        let example = vec![
            format!("row  {}", subject.row_text(*row)),
            "its answer changed with the calls before it or the rows beside it, but none of them alone explains it; look for state that \
             many calls change, such as a counter"
                .to_owned(),
        ];
        findings.push(Finding { rule: Rule::BatchIndependence, rows: suspects.len(), example });
    }
    findings
}

/// The shortest earlier calls that change the answer to a row asked for alone.
fn state_example(subject: &dyn Subject, row: usize, alone: &RowResult) -> Option<Vec<String>> {
    let after = |earlier: &[usize]| {
        let mut instance = subject.instance();
        instance.call(earlier);
        let result = instance.call(&[row]).remove(0);
        (!result.is_identical(alone)).then_some(result)
    };
    let (earlier, result) = smallest_change(subject, row, after)?;
    Some(vec![
        format!("row    {}", subject.row_text(row)),
        format!("first  {alone}"),
        format!("then   {result}, after a call with {}", rows_text(subject, row, &earlier)),
    ])
}

/// The smallest batch that changes the answer to a row.
fn batch_example(subject: &dyn Subject, row: usize, alone: &RowResult) -> Option<Vec<String>> {
    let within = |others: &[usize]| {
        // The row is first or last: a plugin may look at the rows before or after.
        [[&[row][..], others].concat(), [others, &[row][..]].concat()].into_iter().find_map(|batch| {
            let at = if batch[0] == row { 0 } else { batch.len() - 1 };
            let result = subject.instance().call(&batch).swap_remove(at);
            (!result.is_identical(alone)).then_some(result)
        })
    };
    let (others, result) = smallest_change(subject, row, within)?;
    Some(vec![
        format!("row    {}", subject.row_text(row)),
        format!("alone  {alone}"),
        format!("batch  {result}, in a batch with {}", rows_text(subject, row, &others)),
    ])
}

/// The fewest rows for which `change` returns a result: one row if possible, the row itself first.
fn smallest_change(
    subject: &dyn Subject,
    row: usize,
    change: impl Fn(&[usize]) -> Option<RowResult>,
) -> Option<(Vec<usize>, RowResult)> {
    let mut singles: Vec<usize> = (0..subject.rows()).collect();
    singles.sort_by_key(|other| (*other != row, subject.row_text(*other).len(), *other));
    for other in singles.iter().take(OTHERS) {
        if let Some(result) = change(&[*other]) {
            return Some((vec![*other], result));
        }
    }
    let mut rows: Vec<usize> = (0..subject.rows()).filter(|other| *other != row).collect();
    let mut result = change(&rows)?;
    // Removes ever smaller parts as long as the rest still changes the answer.
    let mut part = rows.len() / 2;
    while part > 0 {
        let mut start = 0;
        while start < rows.len() && rows.len() > 1 {
            let end = (start + part).min(rows.len());
            let rest = [&rows[..start], &rows[end..]].concat();
            match change(&rest).filter(|_| !rest.is_empty()) {
                Some(changed) => (rows, result) = (rest, changed),
                None => start = end,
            }
        }
        part /= 2;
    }
    Some((rows, result))
}

/// The other rows of an example.
fn rows_text(subject: &dyn Subject, row: usize, others: &[usize]) -> String {
    match others {
        [same] if *same == row => "the same row".to_owned(),
        [other] => format!("the row {}", subject.row_text(*other)),
        [other, ..] => format!("{} rows, among them {}", others.len(), subject.row_text(*other)),
        [] => "no row".to_owned(),
    }
}

#[cfg(test)]
mod tests;
