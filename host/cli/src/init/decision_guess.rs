//! Guesses which field of the decisions is the decision, and in which form it is an answer.
//!
//! Invariants: pure; a form is guessed only if the values can have no other, or if the reason says what speaks for it.

use std::collections::HashSet;

use serde_json::Value as Json;
use understudy_report::{count, counted};
use understudy_study::{AnswerForm, FieldKind};

use super::feed_sample::{Sample, SampleColumn, SampleValue};
use super::operator_question::Question;

/// Names of keys that say "decision".
const USUAL: [&str; 12] = [
    "decision", "label", "action", "outcome", "choice", "chosen", "answer", "result", "target", "class",
    "verdict", "assigned",
];
/// The share of pairs in which a field of the snapshot equals the decision, so that they are certainly of one kind.
const EQUAL_SHARE: f64 = 0.5;
/// The most different integers that may be names.
const MOST_CODES: usize = 12;

/// The guessed field of the decisions that holds the decision, with its form as an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DecisionField {
    pub name: String,
    pub kind: FieldKind,
    pub form: AnswerForm,
    /// Why this field, as a sentence without its full stop.
    pub reason: String,
    /// Why this form.
    pub form_reason: String,
}

/// Values that the command line names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DecisionOverrides<'a> {
    pub field: Option<&'a str>,
    pub form: Option<AnswerForm>,
}

/// The decision, by the decisions and the snapshots that they are paired with.
///
/// # Errors
/// What to name instead.
pub(super) fn guess_decision(
    snapshots: &Sample,
    decisions: &Sample,
    keys: [&str; 2],
    pairs: &[(usize, usize)],
    named: DecisionOverrides<'_>,
) -> Result<DecisionField, Question> {
    let (column, reason) = decision_column(snapshots, decisions, keys, pairs, named.field)?;
    let kind = column.kind().unwrap_or(FieldKind::Text);
    let (form, form_reason) = match named.form {
        Some(form) => (form, "it is named on the command line".to_owned()),
        None => form_of(column, kind)?,
    };
    if !is_valid_answer(kind, form) {
        return Err(Question::new(
            "the form of the decision",
            format!("`{}` is of kind {}, which cannot be {}", column.name, kind.name(), form.with_article()),
            "name another --form, or another --decision",
        ));
    }
    Ok(DecisionField { name: column.name.clone(), kind, form, reason, form_reason })
}

fn decision_column<'s>(
    snapshots: &Sample,
    decisions: &'s Sample,
    keys: [&str; 2],
    pairs: &[(usize, usize)],
    named: Option<&str>,
) -> Result<(&'s SampleColumn, String), Question> {
    let ask = |why: String| Question::new("which field is the decision", why, "name it with --decision");
    if let Some(name) = named {
        let column = decisions.column(name);
        let column = column.ok_or_else(|| {
            ask(format!("no decision has the key `{name}`; the keys are {}", decisions.names()))
        })?;
        return Ok((column, "it is named on the command line".to_owned()));
    }
    let is_candidate = |column: &&SampleColumn| {
        let is_key = keys.contains(&column.name.as_str());
        !is_key && column.kind().is_some_and(|kind| kind != FieldKind::Timestamp)
    };
    let candidates: Vec<&SampleColumn> = decisions.columns.iter().filter(is_candidate).collect();
    let names = || {
        let names: Vec<String> = candidates.iter().map(|column| format!("`{}`", column.name)).collect();
        names.join(", ")
    };
    match candidates[..] {
        [] => {
            return Err(ask(format!(
                "decisions have no key besides id and time; their keys are {}",
                decisions.names()
            )));
        }
        [only] => return Ok((only, "it is the only field of the decisions".to_owned())),
        _ => {}
    }
    let like_inputs: Vec<(&SampleColumn, &SampleColumn, usize)> = candidates
        .iter()
        .filter_map(|column| {
            let (input, equal) = best_matching_field(snapshots, column, pairs)?;
            (equal as f64 >= EQUAL_SHARE * pairs.len() as f64).then_some((*column, input, equal))
        })
        .collect();
    if let [(column, input, equal)] = like_inputs[..] {
        let reason = format!(
            "in {} of {} it equals `{}` of the snapshot; others, for --decision, are {}",
            count(equal as u64),
            counted(pairs.len() as u64, "pair", "pairs"),
            input.name,
            listed_without(&candidates, column)
        );
        return Ok((column, reason));
    }
    let is_usual = |column: &&&SampleColumn| {
        let name = column.name.to_ascii_lowercase();
        USUAL.iter().any(|usual| {
            name == *usual || name.ends_with(&format!("_{usual}")) || name.starts_with(&format!("{usual}_"))
        })
    };
    let usual: Vec<&&SampleColumn> = candidates.iter().filter(is_usual).collect();
    match usual[..] {
        [column] => Ok((
            column,
            format!("its name says so; others, for --decision, are {}", listed_without(&candidates, column)),
        )),
        _ => Err(ask(format!("decisions have several fields: {}", names()))),
    }
}

fn listed_without(columns: &[&SampleColumn], without: &SampleColumn) -> String {
    let others = columns.iter().filter(|column| column.name != without.name);
    others.map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ")
}

/// The field of the snapshots that equals a field of the decisions in the most pairs, and in how many.
pub(super) fn best_matching_field<'s>(
    snapshots: &'s Sample,
    decision: &SampleColumn,
    pairs: &[(usize, usize)],
) -> Option<(&'s SampleColumn, usize)> {
    let kind = decision.kind();
    let same_kind = snapshots.columns.iter().filter(|column| column.kind() == kind);
    let equal = |column: &SampleColumn| {
        let is_equal = |(snapshot, row): &&(usize, usize)| {
            let (input, decided) = (&column.cells[*snapshot], &decision.cells[*row]);
            !input.is_missing() && input == decided
        };
        pairs.iter().filter(is_equal).count()
    };
    let counted = same_kind.map(|column| (column, equal(column)));
    // The first of the best.
    counted.rev().max_by_key(|(_, equal)| *equal).filter(|(_, equal)| *equal > 0)
}

/// Whether a field of a kind can be an answer of a form, as the stock plugin `recorded` reads it.
pub(super) fn is_valid_answer(kind: FieldKind, form: AnswerForm) -> bool {
    use FieldKind as K;
    match form {
        AnswerForm::Label => matches!(kind, K::Text | K::Integer | K::Boolean),
        AnswerForm::Number => matches!(kind, K::Number | K::Integer),
        AnswerForm::Ranking | AnswerForm::LabelSet => matches!(kind, K::Json | K::Text | K::Integer),
        AnswerForm::Json => kind == K::Json,
    }
}

/// The form of a decision, and why.
fn form_of(column: &SampleColumn, kind: FieldKind) -> Result<(AnswerForm, String), Question> {
    let ask = |why: String, forms: &str| {
        Question::new("the form of the decision", why, format!("name it with {forms}"))
    };
    let name = &column.name;
    let distinct = column.distinct();
    let present = column.present().count();
    match kind {
        FieldKind::Boolean => Ok((AnswerForm::Label, "true and false are two labels".to_owned())),
        FieldKind::Number => Ok((AnswerForm::Number, "it holds numbers".to_owned())),
        FieldKind::Integer if distinct <= MOST_CODES && present >= 10 * distinct => Err(ask(
            format!(
                "`{name}` holds {}, which may be names or quantities",
                counted(distinct as u64, "integer", "different integers")
            ),
            "--form label, --form number or --form ranking",
        )),
        FieldKind::Integer => {
            let different = counted(distinct as u64, "integer", "different integers");
            Ok((AnswerForm::Number, format!("it holds {different}")))
        }
        FieldKind::Text if present >= 20 && distinct * 2 > present => Err(ask(
            format!(
                "`{name}` holds {} in {}, and labels repeat",
                counted(distinct as u64, "text", "different texts"),
                counted(present as u64, "decision", "decisions")
            ),
            "--form label, or another field with --decision",
        )),
        FieldKind::Text => Ok((
            AnswerForm::Label,
            format!("it holds {}", counted(distinct as u64, "text", "different texts")),
        )),
        FieldKind::Timestamp => Err(ask(
            format!("`{name}` holds times, and an answer cannot be a time"),
            "--decision, as another field",
        )),
        FieldKind::Json => form_of_json(column),
    }
}

/// The form of arrays and objects.
fn form_of_json(column: &SampleColumn) -> Result<(AnswerForm, String), Question> {
    let items: Option<Vec<Vec<String>>> = column.present().map(items_of).collect();
    let Some(lists) = items else {
        return Ok((AnswerForm::Json, "it holds values that are no lists of texts or integers".to_owned()));
    };
    let repeats = |list: &Vec<String>| list.iter().collect::<HashSet<_>>().len() < list.len();
    if lists.iter().any(repeats) {
        return Ok((
            AnswerForm::Json,
            "it holds lists that repeat an item, so they are neither rankings nor sets".to_owned(),
        ));
    }
    let long: Vec<&Vec<String>> = lists.iter().filter(|list| list.len() > 1).collect();
    if long.is_empty() {
        return Err(Question::new(
            "the form of the decision",
            format!("`{}` holds lists of one item at most", column.name),
            "name it with --form ranking, --form label-set or --form json",
        ));
    }
    let sorted = long.iter().filter(|list| list.is_sorted()).count();
    if sorted == long.len() && long.len() > 1 {
        return Ok((
            AnswerForm::LabelSet,
            "it holds lists whose items are always in alphabetical order, as of a set".to_owned(),
        ));
    }
    let reason = format!(
        "it holds lists, {} of {} in another order than the alphabetical, as of a ranking; --form label-set if their order has no meaning",
        count((long.len() - sorted) as u64),
        count(long.len() as u64)
    );
    Ok((AnswerForm::Ranking, reason))
}

/// The items of an array of texts and integers; `None` for any other value.
pub(super) fn items_of(cell: &SampleValue) -> Option<Vec<String>> {
    let SampleValue::Json(Json::Array(values)) = cell else { return None };
    let item = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => number.as_i64().map(|integer| integer.to_string()),
        _ => None,
    };
    values.iter().map(item).collect()
}
