//! Labels with the probabilities of classes.

use crate::answer::{Answer, AnswerBuilder, CollectedAnswers, LabelBuilder};
use crate::dictionary::Dictionary;
use crate::{Form, Probabilities, Reason};

/// How far the sum of the probabilities of a row may be from 1.
const SUM_TOLERANCE: f64 = 1e-6;

/// A label with the probabilities of classes. Metrics such as `brier-score` and `log-loss` need them.
///
/// `probabilities` is an array, `Vec` or iterator of a class and its probability. They are from 0 to 1, of
/// distinct classes, and their sum is within 1e-6 of 1. The label need not be the most probable class.
///
/// ```
/// use understudy_sdk::{WithProbabilities, collect_answers};
///
/// let answers = collect_answers(1, |_| {
///     Ok(WithProbabilities { answer: "suite", probabilities: [("suite", 0.75), ("single", 0.25)] })
/// });
/// assert_eq!(answers.probabilities.map(|classes| classes.values), Some(vec![0.75, 0.25]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithProbabilities<A, P> {
    /// The label.
    pub answer: A,
    /// Classes, each with its probability.
    pub probabilities: P,
}

/// Collects labels with the probabilities of classes.
pub struct ProbabilityBuilder {
    labels: LabelBuilder,
    names: Dictionary,
    offsets: Vec<u32>,
    codes: Vec<u32>,
    values: Vec<f64>,
    /// Per class: the number of the last row that has it, counted from 1. 0 if none does.
    last: Vec<usize>,
}

impl AnswerBuilder for ProbabilityBuilder {
    const FORM: Form = Form::Label;
    const HAS_PROBABILITIES: bool = true;

    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            labels: LabelBuilder::with_rows(rows),
            names: Dictionary::new(),
            offsets,
            codes: Vec::new(),
            values: Vec::new(),
            last: Vec::new(),
        }
    }

    fn add_unanswered(&mut self) {
        self.labels.add_unanswered();
        self.offsets.push(self.codes.len() as u32);
    }

    fn finish(self) -> CollectedAnswers {
        let Self { labels, names, offsets, codes, values, .. } = self;
        let probabilities = Probabilities { names: names.into_names(), offsets, codes, values };
        CollectedAnswers { probabilities: Some(probabilities), ..labels.finish() }
    }
}

impl ProbabilityBuilder {
    /// Adds the classes of the next row. After an error, some of them are in `codes` and `values`.
    fn push<S: AsRef<str>>(&mut self, classes: impl IntoIterator<Item = (S, f64)>) -> Result<(), Reason> {
        let row = self.offsets.len();
        let mut sum = 0.0;
        for (class, probability) in classes {
            let class = class.as_ref();
            if !(0.0..=1.0).contains(&probability) {
                return Err(Reason::Failed(format!(
                    "the probability of `{class}` is {probability}, expected a value from 0 to 1"
                )));
            }
            let code = self.names.code(class);
            self.last.resize(self.names.len(), 0);
            if std::mem::replace(&mut self.last[code as usize], row) == row {
                return Err(Reason::Failed(format!("the probabilities repeat the class `{class}`")));
            }
            self.codes.push(code);
            self.values.push(probability);
            sum += probability;
        }
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Reason::Failed(format!("the sum of the probabilities is {sum}, expected 1")));
        }
        Ok(())
    }
}

impl<A, P, S> Answer for WithProbabilities<A, P>
where
    A: Answer<Builder = LabelBuilder>,
    P: IntoIterator<Item = (S, f64)>,
    S: AsRef<str>,
{
    type Builder = ProbabilityBuilder;

    fn add_to(self, batch: &mut ProbabilityBuilder) -> Result<(), Reason> {
        let start = batch.codes.len();
        let added = batch.push(self.probabilities).and_then(|()| self.answer.add_to(&mut batch.labels));
        if added.is_err() {
            batch.codes.truncate(start);
            batch.values.truncate(start);
        } else {
            batch.offsets.push(batch.codes.len() as u32);
        }
        added
    }
}
