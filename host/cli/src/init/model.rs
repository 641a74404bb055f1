//! Guesses which field of the snapshots a first model can answer with.
//!
//! Invariants: pure; a field is a model only if it is nearer to the decision than a constant; otherwise it is called a
//! stand-in.

use understudy_report::{count, counted};
use understudy_study::{AnswerForm, FieldKind};

use super::decision::{DecisionField, most_equal, suits};
use super::question::Question;
use super::sample::{Column, Sample};

/// The share of pairs in which a field has to equal the decision.
const EQUAL_SHARE: f64 = 0.3;

/// The field that the model answers with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelField {
    pub name: String,
    pub kind: FieldKind,
    /// Whether the field has nothing to do with the decision.
    pub is_stand_in: bool,
    /// Why this field, as a sentence without its full stop.
    pub reason: String,
}

/// The field of the snapshots that is nearest to the decision; without one that is near, any of its form.
///
/// # Errors
/// If no field of the snapshots can be an answer of that form.
pub(super) fn guess_model(
    snapshots: &Sample,
    decision: &DecisionField,
    decided: &Column,
    keys: [&str; 2],
    pairs: &[(usize, usize)],
) -> Result<ModelField, Question> {
    let near = match decision.form {
        AnswerForm::Number => nearest_number(snapshots, decided, keys, pairs),
        AnswerForm::Label | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => {
            equal_field(snapshots, decision, decided, pairs)
        }
    };
    if let Some(model) = near {
        return Ok(model);
    }
    // An id is declared as text.
    let kind_of =
        |column: &Column| if column.name == keys[0] { Some(FieldKind::Text) } else { column.kind() };
    let suited = |column: &&Column| kind_of(column).is_some_and(|kind| suits(kind, decision.form));
    let fields = || snapshots.columns.iter().filter(suited).filter(|column| column.name != keys[1]);
    // Fields with few values first, and the id last.
    let field = fields().min_by_key(|column| {
        let is_other_kind = kind_of(column) != Some(decision.kind);
        (column.name == keys[0], is_other_kind, column.distinct())
    });
    let field = field.ok_or_else(|| {
        Question::new(
            "a stand-in for the model",
            format!("no field of the snapshots can be {}", decision.form.with_article()),
            "add a field of that form to the snapshots, or name another --decision or --form",
        )
    })?;
    let no_field = match decision.form {
        AnswerForm::Number => "no field of the snapshots is nearer to the decision than a constant",
        _ => "no field of the snapshots often equals the decision",
    };
    Ok(ModelField {
        name: field.name.clone(),
        kind: kind_of(field).unwrap_or(FieldKind::Text),
        is_stand_in: true,
        reason: no_field.to_owned(),
    })
}

fn equal_field(
    snapshots: &Sample,
    decision: &DecisionField,
    decided: &Column,
    pairs: &[(usize, usize)],
) -> Option<ModelField> {
    let (field, equal) = most_equal(snapshots, decided, pairs)?;
    let share = equal as f64 / pairs.len().max(1) as f64;
    let commonest = decided.counts().into_values().max().unwrap_or_default() as f64;
    let commonest = commonest / decided.cells.len().max(1) as f64;
    // Two labels are often equal by chance.
    let is_few = decided.distinct() <= 2;
    if share < EQUAL_SHARE || is_few && share <= commonest {
        return None;
    }
    let reason = format!(
        "it equals the decision in {} of {}",
        count(equal as u64),
        counted(pairs.len() as u64, "pair", "pairs")
    );
    Some(ModelField { name: field.name.clone(), kind: decision.kind, is_stand_in: false, reason })
}

/// The field of numbers with the least mean distance from the decision, if that is less than from the median.
fn nearest_number(
    snapshots: &Sample,
    decided: &Column,
    keys: [&str; 2],
    pairs: &[(usize, usize)],
) -> Option<ModelField> {
    let mut numbers: Vec<f64> = pairs.iter().filter_map(|(_, row)| decided.cells[*row].number()).collect();
    numbers.sort_by(f64::total_cmp);
    let median = *numbers.get(numbers.len() / 2)?;
    let error = |answer: &dyn Fn(usize) -> Option<f64>| {
        let errors: Vec<f64> = pairs
            .iter()
            .filter_map(|(snapshot, row)| Some((answer(*snapshot)? - decided.cells[*row].number()?).abs()))
            .collect();
        let is_usual = errors.len() * 10 >= numbers.len() * 9 && !errors.is_empty();
        is_usual.then(|| errors.iter().sum::<f64>() / errors.len() as f64)
    };
    let constant = error(&|_| Some(median))?;
    let is_candidate = |column: &&Column| {
        !keys.contains(&column.name.as_str())
            && column.kind().is_some_and(|kind| suits(kind, AnswerForm::Number))
    };
    let columns = snapshots.columns.iter().filter(is_candidate);
    let errors = columns.filter_map(|column| Some((column, error(&|row| column.cells[row].number())?)));
    let (field, least) = errors.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, least)| *least < constant)?;
    let reason = format!(
        "it is {least:.4} from the decision on average, and the decisions' median {median} is {constant:.4} from it"
    );
    Some(ModelField { name: field.name.clone(), kind: field.kind()?, is_stand_in: false, reason })
}
