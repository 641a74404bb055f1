//! The answers of a pair, as a metric sees them.
//!
//! The model's answers and the comparator's have a dictionary each. Always holds: one code stands for the same name on
//! both sides, because the two dictionaries are made one when a batch comes; a pair then costs no string.

use crate::dictionary::Dictionary;
use crate::strings::Strings;
use crate::{Answers, Decisions, Form, Text};

/// A label: as quick to compare as a number. Only labels of one batch can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Label<'a> {
    code: u32,
    name: &'a str,
}

impl<'a> Label<'a> {
    /// Its name.
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

/// The answers of one side to a batch.
pub enum Side<'a> {
    /// Labels: what each code stands for, and the code of each row.
    Labels(Vec<Label<'a>>, &'a [u32]),
    /// The number of each row.
    Numbers(&'a [f64]),
    /// Rankings, end to end, and where each begins.
    Rankings(Vec<Label<'a>>, &'a [u32]),
}

impl<'a> Side<'a> {
    /// The answers of the model and of the comparator to a batch of `rows` rows.
    ///
    /// # Errors
    /// When they do not have as many answers, or codes that stand for nothing.
    pub(super) fn of_both(
        rows: usize,
        model: &'a Answers,
        comparator: &'a Answers,
    ) -> Result<[Self; 2], String> {
        let mut names = Dictionary::new();
        Ok([
            Self::of(rows, model, &mut names).map_err(|fault| format!("the model's answers: {fault}"))?,
            Self::of(rows, comparator, &mut names)
                .map_err(|fault| format!("the comparator's answers: {fault}"))?,
        ])
    }

    fn of(rows: usize, answers: &'a Answers, names: &mut Dictionary) -> Result<Self, String> {
        let (side, length) = match &answers.decisions {
            Decisions::Labels(given) => {
                (Self::Labels(labels(&given.names, names)?, &given.codes), given.codes.len())
            }
            Decisions::Numbers(numbers) => (Self::Numbers(numbers), numbers.len()),
            Decisions::Rankings(given) => {
                let labels = labels(&given.names, names)?;
                let ranked: Option<Vec<_>> =
                    given.codes.iter().map(|code| labels.get(*code as usize).copied()).collect();
                let ranked = ranked.ok_or("a ranking has a code that stands for no name")?;
                (Self::Rankings(ranked, &given.offsets), given.offsets.len().saturating_sub(1))
            }
        };
        if length == rows { Ok(side) } else { Err(format!("there are {length}, not {rows}")) }
    }

    fn form(&self) -> Form {
        match self {
            Self::Labels(..) => Form::Label,
            Self::Numbers(_) => Form::Number,
            Self::Rankings(..) => Form::Ranking,
        }
    }
}

fn labels<'a>(given: &'a Text, names: &mut Dictionary) -> Result<Vec<Label<'a>>, String> {
    let strings = Strings::new(given)?;
    let name = |index| strings.get(index).ok_or("the offsets of its names do not mark out whole characters");
    (0..strings.len())
        .map(|index| name(index).map(|name| Label { code: names.code(name), name }))
        .collect::<Result<_, _>>()
        .map_err(str::to_owned)
}

/// An answer of the form that a metric scores.
#[diagnostic::on_unimplemented(
    message = "a metric cannot score `{Self}`",
    note = "it scores `Label<'a>`, `f64`, or rankings as `&'a [Label<'a>]`"
)]
pub trait Scored<'a>: Copy {
    /// The form.
    const FORM: Form;

    /// The answer to an answered row.
    ///
    /// # Errors
    /// When the answers are of another form, or there is none.
    fn read(side: &'a Side<'a>, row: usize) -> Result<Self, String>;
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Label => "labels",
        Form::Number => "numbers",
        Form::Ranking => "rankings",
    }
}

#[cold]
fn unread<T>(form: Form, side: &Side<'_>, row: usize) -> Result<T, String> {
    if side.form() == form {
        Err(format!("the answer to row {row} stands for nothing"))
    } else {
        Err(format!("the metric scores {}, not {}", name(form), name(side.form())))
    }
}

impl<'a> Scored<'a> for Label<'a> {
    const FORM: Form = Form::Label;

    #[inline]
    fn read(side: &'a Side<'a>, row: usize) -> Result<Self, String> {
        match side {
            Side::Labels(labels, codes) => {
                codes.get(row).and_then(|code| labels.get(*code as usize)).copied()
            }
            _ => None,
        }
        .map_or_else(|| unread(Self::FORM, side, row), Ok)
    }
}

impl<'a> Scored<'a> for f64 {
    const FORM: Form = Form::Number;

    #[inline]
    fn read(side: &'a Side<'a>, row: usize) -> Result<Self, String> {
        match side {
            Side::Numbers(numbers) => numbers.get(row).copied(),
            _ => None,
        }
        .map_or_else(|| unread(Self::FORM, side, row), Ok)
    }
}

impl<'a> Scored<'a> for &'a [Label<'a>] {
    const FORM: Form = Form::Ranking;

    #[inline]
    fn read(side: &'a Side<'a>, row: usize) -> Result<Self, String> {
        match side {
            Side::Rankings(ranked, offsets) => offsets
                .get(row..)
                .and_then(<[u32]>::first_chunk)
                .and_then(|[start, end]| ranked.get(*start as usize..*end as usize)),
            _ => None,
        }
        .map_or_else(|| unread(Self::FORM, side, row), Ok)
    }
}
