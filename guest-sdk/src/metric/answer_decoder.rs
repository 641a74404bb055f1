//! Decodes the answers of model and comparator for a metric.
//!
//! Invariants:
//! - After decoding, equal names have equal codes, although the answers of model and comparator come with a
//!   dictionary each. The dictionaries are merged once per batch, so scoring a pair compares codes, not
//!   strings.

use std::hash::{Hash, Hasher};

use crate::dictionary::Dictionary;
use crate::strings::Strings;
use crate::{AnswerValues, Answers, Form, Probabilities, Text};

/// A label. It compares and hashes as fast as an integer. Comparing labels of different batches is meaningless.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    pub(super) code: u32,
    name: &'a str,
}

impl<'a> Label<'a> {
    /// The name that the plugin answered.
    pub fn name(self) -> &'a str {
        self.name
    }
}

impl PartialEq for Label<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Label<'_> {}

impl Hash for Label<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}

/// The decoded answers of model or comparator to a batch.
pub struct DecodedAnswers<'a> {
    pub(super) values: DecodedValues<'a>,
    /// One confidence per row, NaN for a row without one.
    pub(super) confidence: Option<&'a [f64]>,
    pub(super) probabilities: Option<DecodedProbabilities<'a>>,
}

/// The decoded values of answers.
pub(super) enum DecodedValues<'a> {
    /// The label of each code, and one code per row.
    Labels(Vec<Label<'a>>, &'a [u32]),
    /// One number per row.
    Numbers(&'a [f64]),
    /// The concatenated rankings, and the offsets at which they begin and end.
    Rankings(Vec<Label<'a>>, &'a [u32]),
    /// The concatenated sets, each sorted by the codes of its labels, and the offsets at which they begin and end.
    LabelSets(Vec<Label<'a>>, &'a [u32]),
    /// The text of each code, and one code per row.
    Json(Vec<Label<'a>>, &'a [u32]),
}

/// The decoded class probabilities of a batch.
pub(super) struct DecodedProbabilities<'a> {
    /// The concatenated classes of all rows.
    classes: Vec<Label<'a>>,
    /// The probability of each class.
    values: &'a [f64],
    /// The offsets at which the classes of a row begin and end.
    offsets: &'a [u32],
}

impl<'a> DecodedProbabilities<'a> {
    fn decode(rows: usize, encoded: &'a Probabilities, names: &mut Dictionary) -> Result<Self, String> {
        let Probabilities { names: text, offsets, codes, values } = encoded;
        let labels = labels(text, names)?;
        let classes: Option<Vec<_>> = codes.iter().map(|code| labels.get(*code as usize).copied()).collect();
        let classes = classes.ok_or("a probability has a code without a name")?;
        if offsets.len() != rows + 1 || classes.len() != values.len() {
            return Err(format!(
                "found probabilities of {} rows and {} classes, expected {rows} and {}",
                offsets.len().saturating_sub(1),
                classes.len(),
                values.len()
            ));
        }
        Ok(Self { classes, values, offsets })
    }

    /// The classes of a row and their probabilities; empty if it has none.
    pub(super) fn row(&self, row: usize) -> (&[Label<'a>], &'a [f64]) {
        let bounds = self.offsets.get(row..).and_then(<[u32]>::first_chunk);
        let range = bounds.map(|[start, end]| *start as usize..*end as usize).unwrap_or_default();
        (self.classes.get(range.clone()).unwrap_or_default(), self.values.get(range).unwrap_or_default())
    }
}

impl<'a> DecodedAnswers<'a> {
    /// Decodes the answers of model and comparator to a batch of `rows` rows.
    ///
    /// # Errors
    /// If the number of answers is not `rows`, or if a code has no name.
    pub(super) fn decode_pair(
        rows: usize,
        model: &'a Answers,
        comparator: &'a Answers,
    ) -> Result<[Self; 2], String> {
        let mut names = Dictionary::new();
        Ok([
            Self::decode(rows, model, &mut names).map_err(|fault| format!("the model's answers: {fault}"))?,
            Self::decode(rows, comparator, &mut names)
                .map_err(|fault| format!("the comparator's answers: {fault}"))?,
        ])
    }

    fn decode(rows: usize, answers: &'a Answers, names: &mut Dictionary) -> Result<Self, String> {
        let (values, length) = match &answers.values {
            AnswerValues::Labels(encoded) => {
                (DecodedValues::Labels(labels(&encoded.names, names)?, &encoded.codes), encoded.codes.len())
            }
            AnswerValues::Numbers(numbers) => (DecodedValues::Numbers(numbers), numbers.len()),
            AnswerValues::Rankings(encoded) => {
                let labels = labels(&encoded.names, names)?;
                let ranked: Option<Vec<_>> =
                    encoded.codes.iter().map(|code| labels.get(*code as usize).copied()).collect();
                let ranked = ranked.ok_or("a ranking has a code without a name")?;
                (DecodedValues::Rankings(ranked, &encoded.offsets), encoded.offsets.len().saturating_sub(1))
            }
            AnswerValues::LabelSets(encoded) => {
                let labels = labels(&encoded.names, names)?;
                let listed: Option<Vec<_>> =
                    encoded.codes.iter().map(|code| labels.get(*code as usize).copied()).collect();
                let mut listed = listed.ok_or("a set has a code without a name")?;
                for ends in encoded.offsets.windows(2) {
                    if let Some(set) = listed.get_mut(ends[0] as usize..ends[1] as usize) {
                        set.sort_unstable_by_key(|label| label.code);
                    }
                }
                (DecodedValues::LabelSets(listed, &encoded.offsets), encoded.offsets.len().saturating_sub(1))
            }
            AnswerValues::Json(encoded) => {
                (DecodedValues::Json(labels(&encoded.names, names)?, &encoded.codes), encoded.codes.len())
            }
        };
        if length != rows {
            return Err(format!("found {length} answers, expected {rows}"));
        }
        let probabilities = answers.probabilities.as_ref();
        let probabilities =
            probabilities.map(|encoded| DecodedProbabilities::decode(rows, encoded, names)).transpose()?;
        Ok(Self { values, confidence: answers.confidence.as_deref(), probabilities })
    }

    fn form(&self) -> Form {
        match self.values {
            DecodedValues::Labels(..) => Form::Label,
            DecodedValues::Numbers(_) => Form::Number,
            DecodedValues::Rankings(..) => Form::Ranking,
            DecodedValues::LabelSets(..) => Form::LabelSet,
            DecodedValues::Json(..) => Form::Json,
        }
    }
}

/// Decodes the names of one dictionary into labels that `names` numbers.
fn labels<'a>(text: &'a Text, names: &mut Dictionary) -> Result<Vec<Label<'a>>, String> {
    let strings = Strings::new(text)?;
    let name = |index| strings.get(index).ok_or("name offsets are out of range or split a character");
    (0..strings.len())
        .map(|index| name(index).map(|name| Label { code: names.code(name), name }))
        .collect::<Result<_, _>>()
        .map_err(str::to_owned)
}

/// A type of answers that a metric can score.
#[diagnostic::on_unimplemented(
    message = "a metric cannot score `{Self}`",
    note = "it scores `Label<'a>`, `Prediction<'a>`, `f64`, rankings as `&'a [Label<'a>]`, `LabelSet<'a>`, `JsonText<'a>` or `NominalAnswer<'a>`"
)]
pub trait ScoredAnswer<'a>: Copy {
    /// The forms of answers that it can be.
    const FORMS: &'static [Form];

    /// Reads the answer of `row`, which must be answered.
    ///
    /// # Errors
    /// If the answers have another form, or if `row` has no valid answer.
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String>;
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Label => "labels",
        Form::Number => "numbers",
        Form::Ranking => "rankings",
        Form::LabelSet => "sets of labels",
        Form::Json => "JSON values",
    }
}

#[cold]
pub(super) fn unreadable<T>(forms: &[Form], side: &DecodedAnswers<'_>, row: usize) -> Result<T, String> {
    if forms.contains(&side.form()) {
        Err(format!("the answer to row {row} has an invalid code"))
    } else {
        let scored: Vec<&str> = forms.iter().map(|form| name(*form)).collect();
        Err(format!("the metric scores {}, not {}", scored.join(" or "), name(side.form())))
    }
}

impl<'a> ScoredAnswer<'a> for Label<'a> {
    const FORMS: &'static [Form] = &[Form::Label];

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match &side.values {
            DecodedValues::Labels(labels, codes) => {
                codes.get(row).and_then(|code| labels.get(*code as usize)).copied()
            }
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORMS, side, row), Ok)
    }
}

impl<'a> ScoredAnswer<'a> for f64 {
    const FORMS: &'static [Form] = &[Form::Number];

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match &side.values {
            DecodedValues::Numbers(numbers) => numbers.get(row).copied(),
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORMS, side, row), Ok)
    }
}

impl<'a> ScoredAnswer<'a> for &'a [Label<'a>] {
    const FORMS: &'static [Form] = &[Form::Ranking];

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match &side.values {
            DecodedValues::Rankings(ranked, offsets) => offsets
                .get(row..)
                .and_then(<[u32]>::first_chunk)
                .and_then(|[start, end]| ranked.get(*start as usize..*end as usize)),
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORMS, side, row), Ok)
    }
}
