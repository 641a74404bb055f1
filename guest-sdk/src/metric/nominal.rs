//! Answers that a metric compares as a whole: sets of labels and JSON values, and any answer that is equal to another
//! one or not.

use std::cmp::Ordering;

use super::answer_decoder::{DecodedAnswers, DecodedValues, Label, ScoredAnswer, unreadable};
use crate::Form;

/// A set of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSet<'a> {
    /// Sorted by code, distinct.
    labels: &'a [Label<'a>],
}

impl<'a> LabelSet<'a> {
    /// The number of labels.
    pub fn len(self) -> usize {
        self.labels.len()
    }

    /// Whether the set has no label.
    pub fn is_empty(self) -> bool {
        self.labels.is_empty()
    }

    /// The labels, in an arbitrary order.
    pub fn labels(self) -> impl ExactSizeIterator<Item = Label<'a>> {
        self.labels.iter().copied()
    }

    /// The number of labels that both sets have. Both must be of one batch.
    pub fn common_labels(self, other: LabelSet<'_>) -> usize {
        let (mut own, mut theirs) = (self.labels, other.labels);
        let mut common = 0;
        while let ([first, rest @ ..], [other, others @ ..]) = (own, theirs) {
            match first.code.cmp(&other.code) {
                Ordering::Less => own = rest,
                Ordering::Greater => theirs = others,
                Ordering::Equal => {
                    common += 1;
                    (own, theirs) = (rest, others);
                }
            }
        }
        common
    }
}

impl<'a> ScoredAnswer<'a> for LabelSet<'a> {
    const FORMS: &'static [Form] = &[Form::LabelSet];

    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        let labels = match &side.values {
            DecodedValues::LabelSets(listed, offsets) => offsets
                .get(row..)
                .and_then(<[u32]>::first_chunk)
                .and_then(|[start, end]| listed.get(*start as usize..*end as usize)),
            _ => None,
        };
        labels.map_or_else(|| unreadable(Self::FORMS, side, row), |labels| Ok(Self { labels }))
    }
}

/// A JSON value in the canonical form of the host. Equal values have equal texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JsonText<'a>(Label<'a>);

impl<'a> JsonText<'a> {
    /// The JSON text: sorted keys, no spaces.
    pub fn text(self) -> &'a str {
        self.0.name()
    }
}

impl<'a> ScoredAnswer<'a> for JsonText<'a> {
    const FORMS: &'static [Form] = &[Form::Json];

    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        let text = match &side.values {
            DecodedValues::Json(texts, codes) => {
                codes.get(row).and_then(|code| texts.get(*code as usize)).copied()
            }
            _ => None,
        };
        text.map_or_else(|| unreadable(Self::FORMS, side, row), |text| Ok(Self(text)))
    }
}

/// A label, a set of labels or a JSON value, of which only equality counts. Comparing answers of different batches is
/// meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NominalAnswer<'a> {
    /// A label.
    Label(Label<'a>),
    /// A set of labels.
    LabelSet(LabelSet<'a>),
    /// A JSON value.
    Json(JsonText<'a>),
}

impl<'a> ScoredAnswer<'a> for NominalAnswer<'a> {
    const FORMS: &'static [Form] = &[Form::Label, Form::LabelSet, Form::Json];

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match &side.values {
            DecodedValues::LabelSets(..) => LabelSet::read(side, row).map(Self::LabelSet),
            DecodedValues::Json(..) => JsonText::read(side, row).map(Self::Json),
            DecodedValues::Labels(..) => Label::read(side, row).map(Self::Label),
            DecodedValues::Numbers(_) | DecodedValues::Rankings(..) => unreadable(Self::FORMS, side, row),
        }
    }
}
