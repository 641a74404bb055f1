//! Prepares a lowered model and answers rows with it: what the model runtimes share.
//!
//! Invariants:
//! - Fields and form of the answers are those of the lowered model.
//! - A row without a finite answer is unanswered, with the reason.

mod answers;
mod class_probabilities;
mod label_columns;
mod label_indices;
mod label_positions;
mod sources;

use std::sync::{Mutex, PoisonError};

use class_probabilities::Classes;
use tabular_engine::{Buffers, GraphEngine, Model};
use tabular_program::{AnswerForm, AnswerRule, Field, FieldKind, LoweredModel};
use understudy_sdk::{Answers, Assets, Column, Form, Kind};

/// Name of the asset that holds the lowered model.
const ASSET: &str = "model";

/// A lowered model, ready to answer.
pub struct PreparedModel {
    fields: Vec<Field>,
    answer: AnswerRule,
    /// If the label's output holds indices instead of texts: the position of each one's text among the labels of the scores.
    label_positions: Option<Vec<u32>>,
    /// The classes of the probabilities, if the answers have them.
    classes: Option<Classes>,
    model: Model,
    /// Memory that calls reuse. A plugin has one thread, so the lock is always free.
    buffers: Mutex<Buffers>,
}

impl PreparedModel {
    /// Prepares the lowered model among the assets. `graphs` runs its subgraphs.
    ///
    /// # Errors
    /// If there is no model, or it cannot be run.
    pub fn new(assets: &Assets, graphs: &dyn GraphEngine) -> Result<Self, String> {
        let bytes = assets.get(ASSET).ok_or("the asset `model` is missing; give a lowered model")?;
        let mut model = LoweredModel::from_bytes(bytes).map_err(|error| error.to_string())?;
        let label_positions = label_indices::take_label_indices(&mut model);
        let LoweredModel { fields, answer, program } = model;
        let model = Model::with_graphs(program, graphs).map_err(|error| error.to_string())?;
        let classes = Classes::new(&answer);
        Ok(Self { fields, answer, label_positions, classes, model, buffers: Mutex::default() })
    }

    /// What the model reads, in order.
    #[must_use]
    pub fn reads(&self) -> Vec<understudy_sdk::Field> {
        let field = |field: &Field| understudy_sdk::Field {
            name: field.name.clone(),
            kind: match field.kind {
                FieldKind::Boolean => Kind::Boolean,
                FieldKind::Integer => Kind::Integer,
                FieldKind::Number => Kind::Number,
                FieldKind::Text => Kind::Text,
            },
            required: field.required,
        };
        self.fields.iter().map(field).collect()
    }

    /// The form of the answers.
    #[must_use]
    pub fn form(&self) -> Form {
        match self.answer.form() {
            AnswerForm::Label => Form::Label,
            AnswerForm::Number => Form::Number,
            AnswerForm::Ranking => Form::Ranking,
        }
    }

    /// Whether the answers have class probabilities.
    #[must_use]
    pub fn has_probabilities(&self) -> bool {
        self.classes.is_some()
    }

    /// Answers `rows` rows.
    ///
    /// # Errors
    /// If the columns are not those that the model reads.
    pub fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        let sources = columns.iter().map(sources::source).collect::<Result<Vec<_>, _>>()?;
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs =
            self.model.run(rows as usize, &sources, &mut buffers).map_err(|error| error.to_string())?;
        let mut answers = answers::answers(&self.answer, self.label_positions.as_deref(), rows, &outputs);
        if let Some(classes) = &self.classes {
            classes.add_to(&mut answers, rows, &outputs);
        }
        Ok(answers)
    }
}
