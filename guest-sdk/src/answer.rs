//! What a model answers, and how the answers of a batch are gathered.
//!
//! Always holds: every row of a batch has one value, be it answered or not, and a value that the contract forbids (a
//! number that is not finite, a confidence outside 0 to 1, a ranking with a name twice) becomes an unanswered row that
//! says so.

use std::borrow::Cow;

use crate::dictionary::Dictionary;
use crate::{Answers, Decisions, Form, Labels, Rankings, Reason};

/// What a model can say of a row. It is
///
/// - a label: `&str`, [`String`] or [`Cow<str>`](Cow). A borrowed one may come from the row or from the model itself.
/// - a number: `f64`.
/// - a ranking, best first: a `Vec`, slice or array of names.
///
/// Any of them can come with a confidence, as [`Sure`], and can be left open, as a [`Result`] whose error is a [`Reason`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer",
    note = "a label is a `&str`, `String` or `Cow<str>`, a number is an `f64`, a ranking is a `Vec`, slice or array of names",
    note = "with a confidence it is a `Sure<_>`; where it may be missing, a `Result<_, Reason>`"
)]
pub trait Answer: Sized {
    /// Gathers the answers of a batch.
    type Batch: Batch;

    /// Adds itself as the answer of the next row.
    ///
    /// # Errors
    /// Why the row has no answer; nothing was added then.
    fn add_to(self, batch: &mut Self::Batch) -> Result<(), Reason>;
}

/// Gathers the answers of a batch, row by row.
pub trait Batch: Sized {
    /// The form that all of them have.
    const FORM: Form;

    /// Empty, with room for `rows` rows.
    fn with_rows(rows: usize) -> Self;
    /// Adds a row that has no answer.
    fn add_unanswered(&mut self);
    /// The answers, and how sure the model is of each, if it says.
    fn finish(self) -> (Decisions, Option<Vec<f64>>);
}

/// Answers `rows` rows, one after the other.
pub fn answers<A: Answer>(rows: u32, mut answer: impl FnMut(usize) -> Result<A, Reason>) -> Answers {
    let mut batch = A::Batch::with_rows(rows as usize);
    let mut unanswered = Vec::new();
    for row in 0..rows {
        if let Err(reason) = answer(row as usize).and_then(|answer| answer.add_to(&mut batch)) {
            batch.add_unanswered();
            unanswered.push((row, reason));
        }
    }
    let (decisions, confidence) = batch.finish();
    Answers { decisions, confidence, unanswered }
}

/// Gathers labels.
pub struct LabelBatch {
    names: Dictionary,
    codes: Vec<u32>,
}

impl Batch for LabelBatch {
    const FORM: Form = Form::Label;

    fn with_rows(rows: usize) -> Self {
        Self { names: Dictionary::new(), codes: Vec::with_capacity(rows) }
    }

    fn add_unanswered(&mut self) {
        self.codes.push(0);
    }

    fn finish(self) -> (Decisions, Option<Vec<f64>>) {
        (Decisions::Labels(Labels { names: self.names.into_names(), codes: self.codes }), None)
    }
}

impl Answer for &str {
    type Batch = LabelBatch;

    #[inline]
    fn add_to(self, batch: &mut LabelBatch) -> Result<(), Reason> {
        let code = batch.names.code(self);
        batch.codes.push(code);
        Ok(())
    }
}

impl Answer for String {
    type Batch = LabelBatch;

    fn add_to(self, batch: &mut LabelBatch) -> Result<(), Reason> {
        self.as_str().add_to(batch)
    }
}

impl Answer for Cow<'_, str> {
    type Batch = LabelBatch;

    fn add_to(self, batch: &mut LabelBatch) -> Result<(), Reason> {
        self.as_ref().add_to(batch)
    }
}

/// Gathers numbers.
pub struct NumberBatch(Vec<f64>);

impl Batch for NumberBatch {
    const FORM: Form = Form::Number;

    fn with_rows(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    fn add_unanswered(&mut self) {
        self.0.push(0.0);
    }

    fn finish(self) -> (Decisions, Option<Vec<f64>>) {
        (Decisions::Numbers(self.0), None)
    }
}

impl Answer for f64 {
    type Batch = NumberBatch;

    #[inline]
    fn add_to(self, batch: &mut NumberBatch) -> Result<(), Reason> {
        if !self.is_finite() {
            return Err(Reason::Failed(format!("the answer is {self}, which is no finite number")));
        }
        batch.0.push(self);
        Ok(())
    }
}

/// Gathers rankings.
pub struct RankingBatch {
    names: Dictionary,
    offsets: Vec<u32>,
    codes: Vec<u32>,
    /// For each name the ranking that it was in last, counted from 1.
    last: Vec<usize>,
}

impl Batch for RankingBatch {
    const FORM: Form = Form::Ranking;

    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { names: Dictionary::new(), offsets, codes: Vec::new(), last: Vec::new() }
    }

    fn add_unanswered(&mut self) {
        self.offsets.push(self.codes.len() as u32);
    }

    fn finish(self) -> (Decisions, Option<Vec<f64>>) {
        let Self { names, offsets, codes, .. } = self;
        (Decisions::Rankings(Rankings { names: names.into_names(), offsets, codes }), None)
    }
}

impl RankingBatch {
    fn push<S: AsRef<str>>(&mut self, names: &[S]) -> Result<(), Reason> {
        let (ranking, start) = (self.offsets.len(), self.codes.len());
        for name in names {
            let name = name.as_ref();
            let code = self.names.code(name);
            self.last.resize(self.names.len(), 0);
            if std::mem::replace(&mut self.last[code as usize], ranking) == ranking {
                self.codes.truncate(start);
                return Err(Reason::Failed(format!("the ranking has `{name}` twice")));
            }
            self.codes.push(code);
        }
        self.offsets.push(self.codes.len() as u32);
        Ok(())
    }
}

impl<S: AsRef<str>> Answer for &[S] {
    type Batch = RankingBatch;

    fn add_to(self, batch: &mut RankingBatch) -> Result<(), Reason> {
        batch.push(self)
    }
}

impl<S: AsRef<str>> Answer for Vec<S> {
    type Batch = RankingBatch;

    fn add_to(self, batch: &mut RankingBatch) -> Result<(), Reason> {
        batch.push(&self)
    }
}

impl<S: AsRef<str>, const N: usize> Answer for [S; N] {
    type Batch = RankingBatch;

    fn add_to(self, batch: &mut RankingBatch) -> Result<(), Reason> {
        batch.push(&self)
    }
}

/// An answer, and how sure the model is of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sure<A> {
    /// The answer.
    pub answer: A,
    /// From 0, not at all, to 1, certain.
    pub confidence: f64,
}

/// Gathers answers with their confidence.
pub struct SureBatch<B> {
    answers: B,
    confidence: Vec<f64>,
}

impl<B: Batch> Batch for SureBatch<B> {
    const FORM: Form = B::FORM;

    fn with_rows(rows: usize) -> Self {
        Self { answers: B::with_rows(rows), confidence: Vec::with_capacity(rows) }
    }

    fn add_unanswered(&mut self) {
        self.answers.add_unanswered();
        self.confidence.push(0.0);
    }

    fn finish(self) -> (Decisions, Option<Vec<f64>>) {
        (self.answers.finish().0, Some(self.confidence))
    }
}

impl<A: Answer> Answer for Sure<A> {
    type Batch = SureBatch<A::Batch>;

    #[inline]
    fn add_to(self, batch: &mut Self::Batch) -> Result<(), Reason> {
        if !(0.0..=1.0).contains(&self.confidence) {
            let confidence = self.confidence;
            return Err(Reason::Failed(format!("the confidence is {confidence}, which is not from 0 to 1")));
        }
        self.answer.add_to(&mut batch.answers)?;
        batch.confidence.push(self.confidence);
        Ok(())
    }
}

impl<A: Answer> Answer for Result<A, Reason> {
    type Batch = A::Batch;

    #[inline]
    fn add_to(self, batch: &mut A::Batch) -> Result<(), Reason> {
        self?.add_to(batch)
    }
}

#[cfg(test)]
mod tests;
