//! The types that a model can return as an answer, and builders that collect the answers of a batch.
//!
//! Invariants:
//! - Every row of a batch has one value, whether it is answered or not.
//! - A value that the contract forbids becomes an unanswered row with a reason: a number that is not finite,
//!   a confidence outside 0 to 1, a ranking that repeats a name, probabilities of which the sum is not 1.

use std::borrow::Cow;

use crate::dictionary::Dictionary;
use crate::{AnswerValues, Answers, Form, Labels, Probabilities, Rankings, Reason};

mod json;
mod label_set;
mod probabilities;

pub use json::JsonBuilder;
pub use label_set::LabelSetBuilder;
pub use probabilities::{ProbabilityBuilder, WithProbabilities};

/// A type that a model can return as the answer to a row:
///
/// - a label: `&str`, [`String`] or [`Cow<str>`](Cow), borrowed from the row or from the model, or owned;
/// - a number: `f64`;
/// - a ranking, best first: a `Vec`, slice or array of names;
/// - a set of labels: a [`BTreeSet`](std::collections::BTreeSet) or [`HashSet`](std::collections::HashSet) of names;
/// - any JSON value: [`Json`](crate::input::Json) of a type that serde can serialise.
///
/// Wrap an answer in [`WithConfidence`] to add a confidence, and a label in [`WithProbabilities`] to add the
/// probabilities of classes. Return `Result<_, Reason>` if some rows have no
/// answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an answer",
    note = "a label is a `&str`, `String` or `Cow<str>`, a number is an `f64`, a ranking is a `Vec`, slice or array of names, a set of labels is a `BTreeSet` or `HashSet` of names, a JSON value is a `Json<_>`",
    note = "use `WithConfidence<_>` to add a confidence, `WithProbabilities<_, _>` to add class probabilities, and `Result<_, Reason>` if some rows have no answer"
)]
pub trait Answer: Sized {
    /// Collects answers of this type.
    type Builder: AnswerBuilder;

    /// Adds the answer of the next row to `batch`.
    ///
    /// # Errors
    /// Why the row has no answer. In this case `batch` is unchanged.
    fn add_to(self, batch: &mut Self::Builder) -> Result<(), Reason>;
}

/// Collects the answers of a batch, row by row.
pub trait AnswerBuilder: Sized {
    /// The form of the answers.
    const FORM: Form;
    /// Whether the answers have class probabilities.
    const HAS_PROBABILITIES: bool = false;

    /// Creates an empty builder with capacity for `rows` rows.
    fn with_rows(rows: usize) -> Self;
    /// Adds a placeholder for a row without an answer.
    fn add_unanswered(&mut self);
    /// Returns the answers.
    fn finish(self) -> CollectedAnswers;
}

/// The answers of a batch without the reasons of unanswered rows.
pub struct CollectedAnswers {
    /// One answer per row.
    pub values: AnswerValues,
    /// One confidence per row, if the type has them.
    pub confidence: Option<Vec<f64>>,
    /// Class probabilities, if the type has them.
    pub probabilities: Option<Probabilities>,
}

impl From<AnswerValues> for CollectedAnswers {
    fn from(values: AnswerValues) -> Self {
        Self { values, confidence: None, probabilities: None }
    }
}

/// Collects the answers to `rows` rows. Calls `answer` once per row index, in ascending order.
///
/// ```
/// use understudy_sdk::{Reason, collect_answers};
///
/// let answers = collect_answers(3, |row| match row {
///     1 => Err(Reason::Abstained("no price known".to_owned())),
///     _ => Ok(row as f64),
/// });
/// assert_eq!(answers.unanswered.len(), 1);
/// ```
pub fn collect_answers<A: Answer>(rows: u32, mut answer: impl FnMut(usize) -> Result<A, Reason>) -> Answers {
    let mut batch = A::Builder::with_rows(rows as usize);
    let mut unanswered = Vec::new();
    for row in 0..rows {
        if let Err(reason) = answer(row as usize).and_then(|answer| answer.add_to(&mut batch)) {
            batch.add_unanswered();
            unanswered.push((row, reason));
        }
    }
    let CollectedAnswers { values, confidence, probabilities } = batch.finish();
    Answers { values, confidence, probabilities, unanswered }
}

/// Collects labels.
pub struct LabelBuilder {
    names: Dictionary,
    codes: Vec<u32>,
}

impl AnswerBuilder for LabelBuilder {
    const FORM: Form = Form::Label;

    fn with_rows(rows: usize) -> Self {
        Self { names: Dictionary::new(), codes: Vec::with_capacity(rows) }
    }

    fn add_unanswered(&mut self) {
        self.codes.push(0);
    }

    fn finish(self) -> CollectedAnswers {
        AnswerValues::Labels(Labels { names: self.names.into_names(), codes: self.codes }).into()
    }
}

impl Answer for &str {
    type Builder = LabelBuilder;

    #[inline]
    fn add_to(self, batch: &mut LabelBuilder) -> Result<(), Reason> {
        let code = batch.names.code(self);
        batch.codes.push(code);
        Ok(())
    }
}

impl Answer for String {
    type Builder = LabelBuilder;

    fn add_to(self, batch: &mut LabelBuilder) -> Result<(), Reason> {
        self.as_str().add_to(batch)
    }
}

impl Answer for Cow<'_, str> {
    type Builder = LabelBuilder;

    fn add_to(self, batch: &mut LabelBuilder) -> Result<(), Reason> {
        self.as_ref().add_to(batch)
    }
}

/// Collects numbers.
pub struct NumberBuilder(Vec<f64>);

impl AnswerBuilder for NumberBuilder {
    const FORM: Form = Form::Number;

    fn with_rows(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    fn add_unanswered(&mut self) {
        self.0.push(0.0);
    }

    fn finish(self) -> CollectedAnswers {
        AnswerValues::Numbers(self.0).into()
    }
}

impl Answer for f64 {
    type Builder = NumberBuilder;

    #[inline]
    fn add_to(self, batch: &mut NumberBuilder) -> Result<(), Reason> {
        if !self.is_finite() {
            return Err(Reason::Failed(format!("the answer is {self}, expected a finite number")));
        }
        batch.0.push(self);
        Ok(())
    }
}

/// Collects rankings.
pub struct RankingBuilder {
    names: Dictionary,
    offsets: Vec<u32>,
    codes: Vec<u32>,
    /// Per name: the number of the last ranking that contains it, counted from 1. 0 if none does.
    last: Vec<usize>,
}

impl AnswerBuilder for RankingBuilder {
    const FORM: Form = Form::Ranking;

    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { names: Dictionary::new(), offsets, codes: Vec::new(), last: Vec::new() }
    }

    fn add_unanswered(&mut self) {
        self.offsets.push(self.codes.len() as u32);
    }

    fn finish(self) -> CollectedAnswers {
        let Self { names, offsets, codes, .. } = self;
        AnswerValues::Rankings(Rankings { names: names.into_names(), offsets, codes }).into()
    }
}

impl RankingBuilder {
    fn push<S: AsRef<str>>(&mut self, names: &[S]) -> Result<(), Reason> {
        let (ranking, start) = (self.offsets.len(), self.codes.len());
        for name in names {
            let name = name.as_ref();
            let code = self.names.code(name);
            self.last.resize(self.names.len(), 0);
            if std::mem::replace(&mut self.last[code as usize], ranking) == ranking {
                self.codes.truncate(start);
                return Err(Reason::Failed(format!("the ranking repeats `{name}`")));
            }
            self.codes.push(code);
        }
        self.offsets.push(self.codes.len() as u32);
        Ok(())
    }
}

impl<S: AsRef<str>> Answer for &[S] {
    type Builder = RankingBuilder;

    fn add_to(self, batch: &mut RankingBuilder) -> Result<(), Reason> {
        batch.push(self)
    }
}

impl<S: AsRef<str>> Answer for Vec<S> {
    type Builder = RankingBuilder;

    fn add_to(self, batch: &mut RankingBuilder) -> Result<(), Reason> {
        batch.push(&self)
    }
}

impl<S: AsRef<str>, const N: usize> Answer for [S; N] {
    type Builder = RankingBuilder;

    fn add_to(self, batch: &mut RankingBuilder) -> Result<(), Reason> {
        batch.push(&self)
    }
}

/// An answer with the model's confidence in it.
///
/// ```
/// use understudy_sdk::{WithConfidence, collect_answers};
///
/// let answers = collect_answers(1, |_| Ok(WithConfidence { answer: "suite", confidence: 0.8 }));
/// assert_eq!(answers.confidence, Some(vec![0.8]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithConfidence<A> {
    /// The answer.
    pub answer: A,
    /// From 0 (no confidence) to 1 (certain).
    pub confidence: f64,
}

/// Collects answers with their confidences.
pub struct ConfidenceBuilder<B> {
    answers: B,
    confidence: Vec<f64>,
}

impl<B: AnswerBuilder> AnswerBuilder for ConfidenceBuilder<B> {
    const FORM: Form = B::FORM;
    const HAS_PROBABILITIES: bool = B::HAS_PROBABILITIES;

    fn with_rows(rows: usize) -> Self {
        Self { answers: B::with_rows(rows), confidence: Vec::with_capacity(rows) }
    }

    fn add_unanswered(&mut self) {
        self.answers.add_unanswered();
        self.confidence.push(0.0);
    }

    fn finish(self) -> CollectedAnswers {
        CollectedAnswers { confidence: Some(self.confidence), ..self.answers.finish() }
    }
}

impl<A: Answer> Answer for WithConfidence<A> {
    type Builder = ConfidenceBuilder<A::Builder>;

    #[inline]
    fn add_to(self, batch: &mut Self::Builder) -> Result<(), Reason> {
        if !(0.0..=1.0).contains(&self.confidence) {
            let confidence = self.confidence;
            return Err(Reason::Failed(format!(
                "the confidence is {confidence}, expected a value from 0 to 1"
            )));
        }
        self.answer.add_to(&mut batch.answers)?;
        batch.confidence.push(self.confidence);
        Ok(())
    }
}

impl<A: Answer> Answer for Result<A, Reason> {
    type Builder = A::Builder;

    #[inline]
    fn add_to(self, batch: &mut A::Builder) -> Result<(), Reason> {
        self?.add_to(batch)
    }
}

#[cfg(test)]
mod tests;
