//! JSON values as answers.

use serde::Serialize;

use crate::answer::{Answer, AnswerBuilder, CollectedAnswers};
use crate::dictionary::Dictionary;
use crate::input::Json;
use crate::{AnswerValues, Form, Labels, Reason};

/// Collects JSON values.
pub struct JsonBuilder {
    texts: Dictionary,
    codes: Vec<u32>,
}

impl AnswerBuilder for JsonBuilder {
    const FORM: Form = Form::Json;

    fn with_rows(rows: usize) -> Self {
        Self { texts: Dictionary::new(), codes: Vec::with_capacity(rows) }
    }

    fn add_unanswered(&mut self) {
        self.codes.push(0);
    }

    fn finish(self) -> CollectedAnswers {
        AnswerValues::Json(Labels { names: self.texts.into_names(), codes: self.codes }).into()
    }
}

impl<T: Serialize> Answer for Json<T> {
    type Builder = JsonBuilder;

    fn add_to(self, batch: &mut JsonBuilder) -> Result<(), Reason> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| Reason::Failed(format!("the answer cannot be written as JSON: {error}")))?;
        batch.codes.push(batch.texts.code(&text));
        Ok(())
    }
}
