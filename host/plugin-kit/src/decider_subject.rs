//! Models and comparators with rows, and the checks that need the cells of the rows.

use arrow::array::RecordBatch;
use serde_json::Value as Json;

use understudy_sandbox::{Decider, DeciderPlugin, Usage};
use understudy_study::{DECISION_PREFIX, FieldKind};

use crate::cell::{CellValue, Row, empty_cell, row_batch, row_text};
use crate::contract::{ContractReport, Finding, Rule, check, differing, shortest};
use crate::row_result::RowResult;
use crate::subject::{Instance, Subject};

/// A model or comparator with rows.
pub struct DeciderSubject {
    /// The plugin.
    pub plugin: DeciderPlugin,
    /// The rows.
    pub rows: Vec<Row>,
}

struct DeciderInstance<'s> {
    decider: Decider,
    subject: &'s DeciderSubject,
    placeholder: fn(FieldKind) -> CellValue,
}

impl DeciderSubject {
    fn batch(&self, rows: &[usize], placeholder: fn(FieldKind) -> CellValue) -> RecordBatch {
        let rows: Vec<Row> = rows.iter().map(|row| self.rows[*row].clone()).collect();
        row_batch(&self.plugin.reads, &rows, placeholder)
    }

    fn instance_with(&self, placeholder: fn(FieldKind) -> CellValue) -> DeciderInstance<'_> {
        DeciderInstance { decider: self.plugin.instance(), subject: self, placeholder }
    }

    fn all_answers(&self, placeholder: fn(FieldKind) -> CellValue) -> Vec<RowResult> {
        let rows: Vec<usize> = (0..self.rows.len()).collect();
        self.instance_with(placeholder).call(&rows)
    }
}

impl Subject for DeciderSubject {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn instance(&self) -> Box<dyn Instance + '_> {
        Box::new(self.instance_with(empty_cell))
    }

    fn prepared(&self, batches: &[Vec<usize>]) -> Box<dyn FnMut() + '_> {
        let batches: Vec<RecordBatch> = batches.iter().map(|rows| self.batch(rows, empty_cell)).collect();
        let mut decider = self.plugin.instance();
        Box::new(move || {
            for batch in &batches {
                decider.decide(batch);
            }
        })
    }

    fn row_text(&self, row: usize) -> String {
        row_text(&self.plugin.reads, &self.rows[row])
    }

    fn usage(&self) -> Usage {
        self.plugin.usage_counters().usage()
    }
}

impl Instance for DeciderInstance<'_> {
    fn call(&mut self, rows: &[usize]) -> Vec<RowResult> {
        let batch = self.subject.batch(rows, self.placeholder);
        RowResult::from_answers(&self.decider.decide(&batch).answers)
    }
}

/// The fields of the decision that a plugin reads. Which fields it reads may depend on its configuration.
pub fn decision_fields(plugin: &DeciderPlugin) -> Vec<&str> {
    let names = plugin.reads.iter().map(|field| field.name.as_str());
    names.filter(|name| name.starts_with(DECISION_PREFIX)).collect()
}

/// A finding if a model reads the decision: its target would be among its inputs.
pub fn check_decision_access(plugin: &DeciderPlugin) -> Option<Finding> {
    let fields = decision_fields(plugin);
    let example = vec![
        format!("reads   {}", fields.join(", ")),
        "reason  a model must not know the decision that it is compared with; a study refuses it".to_owned(),
    ];
    (!fields.is_empty()).then_some(Finding { rule: Rule::DecisionAccess, rows: fields.len(), example })
}

/// Checks a model or comparator.
pub fn check_decider(subject: &DeciderSubject, seed: u64) -> ContractReport {
    let mut report = check(subject, seed);
    let base = subject.all_answers(empty_cell);
    // A plugin with state, for example, would differ here, too.
    if report.findings.iter().all(|finding| finding.rule == Rule::ValidAnswers) {
        report.findings.extend(compared(
            subject,
            Rule::MissingValues,
            &base,
            &subject.all_answers(other_cell),
            |_| "with another value in the place of a missing one".to_owned(),
        ));
        let reversed = DeciderSubject { plugin: subject.plugin.clone(), rows: reversed_keys(&subject.rows) };
        if reversed.rows != subject.rows {
            let answers = reversed.all_answers(empty_cell);
            report.findings.extend(compared(subject, Rule::KeyOrder, &base, &answers, |row| {
                format!("for {}", reversed.row_text(row))
            }));
        }
    }
    report
}

/// A finding if results differ. `how` says what is different for a row.
fn compared(
    subject: &DeciderSubject,
    rule: Rule,
    base: &[RowResult],
    other: &[RowResult],
    how: impl Fn(usize) -> String,
) -> Option<Finding> {
    let mut rows = differing(base, other);
    if rule == Rule::KeyOrder {
        // A reason may quote the value with its keys.
        rows.retain(|row| {
            !matches!((&base[*row], &other[*row]), (RowResult::Unanswered(_), RowResult::Unanswered(_)))
        });
    }
    let row = shortest(subject, &rows)?;
    let example = vec![
        format!("row    {}", subject.row_text(row)),
        format!("once   {}", base[row]),
        format!("other  {}, {}", other[row], how(row)),
    ];
    Some(Finding { rule, rows: rows.len(), example })
}

/// Another value for the place of a missing one.
fn other_cell(kind: FieldKind) -> CellValue {
    match kind {
        FieldKind::Boolean => CellValue::Boolean(true),
        FieldKind::Integer => CellValue::Integer(1_234_567),
        FieldKind::Number => CellValue::Number(1_234_567.5),
        FieldKind::Text => CellValue::Text("placeholder".to_owned()),
        FieldKind::Timestamp => CellValue::Timestamp(1_234_567),
        FieldKind::Json => CellValue::Json("{\"placeholder\":1}".to_owned()),
    }
}

/// The rows with the keys of all JSON objects in reverse order.
fn reversed_keys(rows: &[Row]) -> Vec<Row> {
    let reversed = |cell: &Option<CellValue>| match cell {
        Some(CellValue::Json(text)) => Some(CellValue::Json(reversed_json(text))),
        cell => cell.clone(),
    };
    rows.iter().map(|row| row.iter().map(reversed).collect()).collect()
}

/// A JSON text with the keys of its objects in reverse order. A text that has no two keys in one object, and one that
/// would change in another way, stays as it is.
fn reversed_json(text: &str) -> String {
    let Ok(value) = serde_json::from_str::<Json>(text) else { return text.to_owned() };
    // `Json` sorts the keys and writes each number in its shortest form.
    let written = value.to_string();
    if written == text { json_with_reversed_keys(&value) } else { text.to_owned() }
}

/// A value as JSON text, with the keys of all objects in reverse order.
fn json_with_reversed_keys(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let members = members.iter().rev().map(|(key, value)| {
                format!("{}:{}", Json::from(key.as_str()), json_with_reversed_keys(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => {
            format!("[{}]", items.iter().map(json_with_reversed_keys).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::reversed_json;

    #[test]
    fn the_keys_of_objects_are_reversed() {
        assert_eq!(
            reversed_json(r#"{"a":1,"b":[{"c":"x","d":null}]}"#),
            r#"{"b":[{"d":null,"c":"x"}],"a":1}"#
        );
        for unchanged in [r#"{"a":1}"#, "[1,2]", r#"{"b":1.0e3,"a":2}"#, "no JSON"] {
            assert_eq!(reversed_json(unchanged), unchanged);
        }
    }
}
