//! A label with what a model reports beside it: its confidence and class probabilities.

use super::answer_decoder::{DecodedAnswers, Label, ScoredAnswer};
use crate::Form;

/// A label with its confidence and class probabilities, where the plugin reports them.
#[derive(Clone, Copy, Debug)]
pub struct Prediction<'a> {
    label: Label<'a>,
    confidence: Option<f64>,
    classes: &'a [Label<'a>],
    probabilities: &'a [f64],
}

impl<'a> Prediction<'a> {
    /// The label.
    pub fn label(self) -> Label<'a> {
        self.label
    }

    /// The classes and their probabilities; empty if the plugin reports none.
    pub fn probabilities(self) -> impl ExactSizeIterator<Item = (Label<'a>, f64)> {
        self.classes.iter().copied().zip(self.probabilities.iter().copied())
    }

    /// The probability of a class: 0 if it is not among the classes, and `None` if there are no classes.
    pub fn probability_of(self, class: Label<'_>) -> Option<f64> {
        if self.classes.is_empty() {
            return None;
        }
        Some(self.probabilities().find(|(known, _)| *known == class).map_or(0.0, |(_, value)| value))
    }

    /// The confidence in the label: the one that the plugin reports, or else the probability of the label.
    /// `None` if it reports neither.
    pub fn confidence(self) -> Option<f64> {
        self.confidence.or_else(|| self.probability_of(self.label))
    }
}

impl<'a> ScoredAnswer<'a> for Prediction<'a> {
    const FORMS: &'static [Form] = &[Form::Label];

    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        let (classes, probabilities) =
            side.probabilities.as_ref().map(|classes| classes.row(row)).unwrap_or_default();
        let confidence = side.confidence.and_then(|values| values.get(row)).copied();
        Ok(Self {
            label: Label::read(side, row)?,
            confidence: confidence.filter(|confidence| !confidence.is_nan()),
            classes,
            probabilities,
        })
    }
}
