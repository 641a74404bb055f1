//! Decodes the answers of model and comparator for a metric.
//!
//! Invariants:
//! - After decoding, equal names have equal codes, although the answers of model and comparator come with a
//!   dictionary each. The dictionaries are merged once per batch, so scoring a pair compares codes, not
//!   strings.

use std::hash::{Hash, Hasher};

use crate::dictionary::Dictionary;
use crate::strings::Strings;
use crate::{AnswerValues, Answers, Form, Text};

/// A label. It compares and hashes as fast as an integer. Comparing labels of different batches is meaningless.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    code: u32,
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
pub enum DecodedAnswers<'a> {
    /// The label of each code, and one code per row.
    Labels(Vec<Label<'a>>, &'a [u32]),
    /// One number per row.
    Numbers(&'a [f64]),
    /// The concatenated rankings, and the offsets at which they begin and end.
    Rankings(Vec<Label<'a>>, &'a [u32]),
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
        let (decoded, length) = match &answers.values {
            AnswerValues::Labels(encoded) => {
                (Self::Labels(labels(&encoded.names, names)?, &encoded.codes), encoded.codes.len())
            }
            AnswerValues::Numbers(numbers) => (Self::Numbers(numbers), numbers.len()),
            AnswerValues::Rankings(encoded) => {
                let labels = labels(&encoded.names, names)?;
                let ranked: Option<Vec<_>> =
                    encoded.codes.iter().map(|code| labels.get(*code as usize).copied()).collect();
                let ranked = ranked.ok_or("a ranking has a code without a name")?;
                (Self::Rankings(ranked, &encoded.offsets), encoded.offsets.len().saturating_sub(1))
            }
        };
        if length == rows { Ok(decoded) } else { Err(format!("found {length} answers, expected {rows}")) }
    }

    fn form(&self) -> Form {
        match self {
            Self::Labels(..) => Form::Label,
            Self::Numbers(_) => Form::Number,
            Self::Rankings(..) => Form::Ranking,
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
    note = "it scores `Label<'a>`, `f64`, or rankings as `&'a [Label<'a>]`"
)]
pub trait ScoredAnswer<'a>: Copy {
    /// The form of the answers.
    const FORM: Form;

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
    }
}

#[cold]
fn unreadable<T>(form: Form, side: &DecodedAnswers<'_>, row: usize) -> Result<T, String> {
    if side.form() == form {
        Err(format!("the answer to row {row} has an invalid code"))
    } else {
        Err(format!("the metric scores {}, not {}", name(form), name(side.form())))
    }
}

impl<'a> ScoredAnswer<'a> for Label<'a> {
    const FORM: Form = Form::Label;

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match side {
            DecodedAnswers::Labels(labels, codes) => {
                codes.get(row).and_then(|code| labels.get(*code as usize)).copied()
            }
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORM, side, row), Ok)
    }
}

impl<'a> ScoredAnswer<'a> for f64 {
    const FORM: Form = Form::Number;

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match side {
            DecodedAnswers::Numbers(numbers) => numbers.get(row).copied(),
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORM, side, row), Ok)
    }
}

impl<'a> ScoredAnswer<'a> for &'a [Label<'a>] {
    const FORM: Form = Form::Ranking;

    #[inline]
    fn read(side: &'a DecodedAnswers<'a>, row: usize) -> Result<Self, String> {
        match side {
            DecodedAnswers::Rankings(ranked, offsets) => offsets
                .get(row..)
                .and_then(<[u32]>::first_chunk)
                .and_then(|[start, end]| ranked.get(*start as usize..*end as usize)),
            _ => None,
        }
        .map_or_else(|| unreadable(Self::FORM, side, row), Ok)
    }
}
