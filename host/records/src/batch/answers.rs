//! Validated, dictionary-encoded answers, one per row.
//!
//! Invariants (validated by the sandbox): there is one answer per row; every code is an index into the names; every
//! answered number is finite; a ranking does not repeat a name; `unanswered` is ascending.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Float64Type};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use understudy_study::AnswerForm;

/// The distinct names that codes refer to.
pub type Names = StringArray;

/// Why a row has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The plugin abstained, with its explanation.
    Abstained(String),
    /// The plugin reported that it cannot answer, with its explanation.
    Failed(String),
    /// The plugin trapped, exceeded a limit or returned an invalid answer; with the cause.
    Broke(String),
    /// The model is not called before the decision is known.
    Blinded,
}

impl Reason {
    /// Parses what [`std::fmt::Display`] writes; `None` for any other text.
    pub fn parse(text: &str) -> Option<Reason> {
        match text.split_once(": ") {
            _ if text == "abstained" => Some(Reason::Abstained(String::new())),
            _ if text == "blinded" => Some(Reason::Blinded),
            Some(("abstained", why)) => Some(Reason::Abstained(why.to_owned())),
            Some(("failed", why)) => Some(Reason::Failed(why.to_owned())),
            Some(("broke", why)) => Some(Reason::Broke(why.to_owned())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Abstained(why) if why.is_empty() => write!(f, "abstained"),
            Reason::Abstained(why) => write!(f, "abstained: {why}"),
            Reason::Failed(why) => write!(f, "failed: {why}"),
            Reason::Broke(why) => write!(f, "broke: {why}"),
            Reason::Blinded => write!(f, "blinded"),
        }
    }
}

/// The values of answers, in one of the three forms.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerColumn {
    /// Row `i` is `names[codes[i]]`.
    Labels {
        /// The distinct labels.
        names: Names,
        /// One index into `names` per row.
        codes: Vec<u32>,
    },
    /// Row `i` is `numbers[i]`.
    Numbers(Vec<f64>),
    /// Row `i` is `codes[offsets[i]..offsets[i + 1]]`, best first.
    Rankings {
        /// The distinct ranked names.
        names: Names,
        /// One offset into `codes` per row, and the end of the last row.
        offsets: Vec<u32>,
        /// Indices into `names`, best first.
        codes: Vec<u32>,
    },
}

/// One answer per row. The value of an unanswered row is meaningless.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// The values.
    pub decisions: AnswerColumn,
    /// One confidence from 0 to 1 per row, if the plugin returns any; NaN for a row without one.
    pub confidence: Option<Vec<f64>>,
    /// The rows without an answer, ascending, with the reason.
    pub unanswered: Vec<(u32, Reason)>,
}

impl Answers {
    /// Answers of `rows` unanswered rows with the same reason.
    pub fn unanswered(form: AnswerForm, rows: usize, reason: &Reason) -> Answers {
        let decisions = match form {
            AnswerForm::Label => AnswerColumn::Labels { names: Names::from(vec![""]), codes: vec![0; rows] },
            AnswerForm::Number => AnswerColumn::Numbers(vec![0.0; rows]),
            AnswerForm::Ranking => AnswerColumn::Rankings {
                names: Names::from(vec![""]),
                offsets: vec![0; rows + 1],
                codes: vec![],
            },
        };
        let unanswered = (0..rows as u32).map(|row| (row, reason.clone())).collect();
        Answers { decisions, confidence: None, unanswered }
    }

    /// Answers of one ranking for each row, best first.
    pub fn from_rankings(rankings: &[Vec<String>]) -> Answers {
        let mut names = Dictionary::default();
        let (mut offsets, mut codes) = (vec![0], Vec::new());
        for ranking in rankings {
            codes.extend(ranking.iter().map(|name| names.code(name)));
            offsets.push(codes.len() as u32);
        }
        let decisions = AnswerColumn::Rankings { names: names.finish(), offsets, codes };
        Answers { decisions, confidence: None, unanswered: Vec::new() }
    }

    /// Answers of one number for each row.
    pub fn from_numbers(numbers: Vec<f64>) -> Answers {
        Answers { decisions: AnswerColumn::Numbers(numbers), confidence: None, unanswered: Vec::new() }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.decisions {
            AnswerColumn::Labels { codes, .. } => codes.len(),
            AnswerColumn::Numbers(numbers) => numbers.len(),
            AnswerColumn::Rankings { offsets, .. } => offsets.len() - 1,
        }
    }

    /// The approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        let names = |names: &Names| names.get_array_memory_size();
        let decisions = match &self.decisions {
            AnswerColumn::Labels { names: of, codes } => names(of) + 4 * codes.len(),
            AnswerColumn::Numbers(numbers) => 8 * numbers.len(),
            AnswerColumn::Rankings { names: of, offsets, codes } => {
                names(of) + 4 * (offsets.len() + codes.len())
            }
        };
        decisions + 8 * self.confidence.as_ref().map_or(0, Vec::len) + 64 * self.unanswered.len()
    }

    /// The form of the answers.
    pub fn form(&self) -> AnswerForm {
        match self.decisions {
            AnswerColumn::Labels { .. } => AnswerForm::Label,
            AnswerColumn::Numbers(_) => AnswerForm::Number,
            AnswerColumn::Rankings { .. } => AnswerForm::Ranking,
        }
    }

    /// The rows in which other answers to the same rows differ in any bit.
    pub fn differing(&self, other: &Answers) -> Vec<usize> {
        let columns = self.columns("").into_iter().zip(other.columns(""));
        let columns: Vec<_> = columns.map(|((_, one), (_, other))| (one, other)).collect();
        if self.rows() == other.rows() && columns.iter().all(|(one, other)| one == other) {
            return Vec::new();
        }
        let differs = |row: &usize| {
            *row >= other.rows()
                || columns.iter().any(|(one, other)| one.slice(*row, 1) != other.slice(*row, 1))
        };
        (0..self.rows()).filter(differs).collect()
    }

    /// The rows in which the values of other answers to the same rows differ, whatever the confidence and the reasons.
    pub fn differing_values(&self, other: &Answers) -> Vec<usize> {
        let [(_, own), ..] = self.columns("");
        let [(_, other), ..] = other.columns("");
        (0..self.rows()).filter(|row| own.slice(*row, 1) != other.slice(*row, 1)).collect()
    }

    /// Why `row` has no answer; `None` if it has one.
    pub fn reason(&self, row: usize) -> Option<&Reason> {
        let at = self.unanswered.binary_search_by_key(&(row as u32), |(row, _)| *row).ok()?;
        Some(&self.unanswered[at].1)
    }

    /// The number of rows without an answer because the plugin failed.
    pub fn failed(&self) -> usize {
        let failed = |(_, reason): &&(u32, Reason)| matches!(reason, Reason::Failed(_) | Reason::Broke(_));
        self.unanswered.iter().filter(failed).count()
    }

    /// Gathers rows of other answers: row `i` is row `picks[i].1` of `sources[picks[i].0]`. There must be at least one
    /// source, and all sources must have one form.
    pub fn gather(sources: &[&Answers], picks: &[(usize, usize)]) -> Answers {
        let decisions = match sources[0].decisions {
            AnswerColumn::Numbers(_) => AnswerColumn::Numbers(
                picks
                    .iter()
                    .map(|&(source, row)| match &sources[source].decisions {
                        AnswerColumn::Numbers(numbers) => numbers[row],
                        _ => unreachable!("all sources have one form"),
                    })
                    .collect(),
            ),
            AnswerColumn::Labels { .. } => {
                let mut merged = Merged::new(sources);
                let codes = picks
                    .iter()
                    .map(|&(source, row)| match &sources[source].decisions {
                        AnswerColumn::Labels { codes, .. } => merged.code(source, codes[row]),
                        _ => unreachable!("all sources have one form"),
                    })
                    .collect();
                AnswerColumn::Labels { names: merged.finish(), codes }
            }
            AnswerColumn::Rankings { .. } => {
                let mut merged = Merged::new(sources);
                let mut offsets = Vec::with_capacity(picks.len() + 1);
                offsets.push(0);
                let mut all = Vec::new();
                for &(source, row) in picks {
                    let AnswerColumn::Rankings { offsets: from, codes, .. } = &sources[source].decisions
                    else {
                        unreachable!("all sources have one form")
                    };
                    for &code in &codes[from[row] as usize..from[row + 1] as usize] {
                        all.push(merged.code(source, code));
                    }
                    offsets.push(all.len() as u32);
                }
                AnswerColumn::Rankings { names: merged.finish(), offsets, codes: all }
            }
        };
        let confidence = sources.iter().any(|s| s.confidence.is_some()).then(|| {
            let of = |&(source, row): &(usize, usize)| {
                sources[source].confidence.as_ref().map_or(f64::NAN, |c| c[row])
            };
            picks.iter().map(of).collect()
        });
        let unanswered = if sources.iter().all(|s| s.unanswered.is_empty()) {
            Vec::new()
        } else {
            let reason = |(at, &(source, row)): (usize, &(usize, usize))| {
                sources[source].reason(row).map(|reason| (at as u32, reason.clone()))
            };
            picks.iter().enumerate().filter_map(reason).collect()
        };
        Answers { decisions, confidence, unanswered }
    }

    /// The columns of answers in the run log: `NAME.answer` (text, number or list of text; null without an answer),
    /// `NAME.unanswered` (the reason; null with an answer) and `NAME.confidence` (null without a confidence).
    pub fn columns(&self, name: &str) -> [(Field, ArrayRef); 3] {
        let answers = self.answer_column();
        let mut reasons = StringBuilder::new();
        let mut next = self.unanswered.iter().peekable();
        for row in 0..self.rows() as u32 {
            match next.next_if(|(at, _)| *at == row) {
                Some((_, reason)) => reasons.append_value(reason.to_string()),
                None => reasons.append_null(),
            }
        }
        [
            (Field::new(format!("{name}.answer"), answers.data_type().clone(), true), answers),
            (Field::new(format!("{name}.unanswered"), DataType::Utf8, true), Arc::new(reasons.finish())),
            (Field::new(format!("{name}.confidence"), DataType::Float64, true), self.confidence_column()),
        ]
    }

    /// The Arrow fields of [`Answers::columns`] for answers of one form.
    pub fn column_fields(name: &str, form: AnswerForm) -> [Field; 3] {
        Answers::unanswered(form, 0, &Reason::Abstained(String::new())).columns(name).map(|(field, _)| field)
    }

    /// Reads the columns that [`Answers::columns`] wrote: answers, reasons and confidences.
    ///
    /// `None` if a column has another type, or a row has neither an answer nor a valid reason.
    pub fn from_columns(form: AnswerForm, columns: [&ArrayRef; 3]) -> Option<Answers> {
        let [answers, reasons, confidences] = columns;
        let rows = answers.len();
        let mut unanswered = Vec::new();
        let reasons = reasons.as_string_opt::<i32>()?;
        for row in (0..rows).filter(|&row| reasons.is_valid(row)) {
            unanswered.push((row as u32, Reason::parse(reasons.value(row))?));
        }
        if answers.null_count() != unanswered.len()
            || unanswered.iter().any(|(row, _)| answers.is_valid(*row as usize))
        {
            return None;
        }
        let mut names = Dictionary::default();
        let decisions = match form {
            AnswerForm::Number => {
                let numbers = answers.as_primitive_opt::<Float64Type>()?;
                AnswerColumn::Numbers(numbers.iter().map(|number| number.unwrap_or(0.0)).collect())
            }
            AnswerForm::Label => {
                let labels = answers.as_string_opt::<i32>()?;
                let codes = labels.iter().map(|label| names.code(label.unwrap_or_default())).collect();
                AnswerColumn::Labels { names: names.finish(), codes }
            }
            AnswerForm::Ranking => {
                let lists = answers.as_list_opt::<i32>()?;
                let values = lists.values().as_string_opt::<i32>()?;
                let mut offsets = vec![0];
                let mut codes = Vec::with_capacity(values.len());
                for row in 0..rows {
                    let range = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
                    codes.extend(range.map(|at| names.code(values.value(at))));
                    offsets.push(codes.len() as u32);
                }
                AnswerColumn::Rankings { names: names.finish(), offsets, codes }
            }
        };
        let confidences = confidences.as_primitive_opt::<Float64Type>()?;
        let confidence = (confidences.null_count() < rows)
            .then(|| confidences.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
        Some(Answers { decisions, confidence, unanswered })
    }

    fn confidence_column(&self) -> ArrayRef {
        match &self.confidence {
            Some(values) => {
                Arc::new(Float64Array::from_iter(values.iter().map(|c| (!c.is_nan()).then_some(*c))))
            }
            None => Arc::new(Float64Array::new_null(self.rows())),
        }
    }

    fn answer_column(&self) -> ArrayRef {
        let mut missing = self.unanswered.iter().map(|(row, _)| *row as usize).peekable();
        let mut answered = |row: usize| missing.next_if_eq(&row).is_none();
        match &self.decisions {
            AnswerColumn::Labels { names, codes } => {
                let mut out = StringBuilder::with_capacity(codes.len(), codes.len() * 8);
                for (row, &code) in codes.iter().enumerate() {
                    out.append_option(answered(row).then(|| names.value(code as usize)));
                }
                Arc::new(out.finish())
            }
            AnswerColumn::Numbers(numbers) if self.unanswered.is_empty() => {
                Arc::new(Float64Array::from(numbers.clone()))
            }
            AnswerColumn::Numbers(numbers) => {
                let mut out = Float64Builder::with_capacity(numbers.len());
                for (row, &number) in numbers.iter().enumerate() {
                    out.append_option(answered(row).then_some(number));
                }
                Arc::new(out.finish())
            }
            AnswerColumn::Rankings { names, offsets, codes } => {
                let mut out = ListBuilder::new(StringBuilder::new());
                for row in 0..offsets.len() - 1 {
                    for &code in &codes[offsets[row] as usize..offsets[row + 1] as usize] {
                        out.values().append_value(names.value(code as usize));
                    }
                    out.append(answered(row));
                }
                Arc::new(out.finish())
            }
        }
    }
}

/// A dictionary that numbers names in order of appearance.
#[derive(Default)]
struct Dictionary<'a> {
    by_name: FxHashMap<&'a str, u32>,
    names: StringBuilder,
}

impl<'a> Dictionary<'a> {
    fn code(&mut self, name: &'a str) -> u32 {
        let next = self.by_name.len() as u32;
        *self.by_name.entry(name).or_insert_with(|| {
            self.names.append_value(name);
            next
        })
    }

    fn finish(mut self) -> Names {
        self.names.finish()
    }
}

/// Merges several dictionaries into one.
struct Merged<'a> {
    sources: Vec<&'a Names>,
    /// For each source and code, the code in the merged dictionary once it was needed.
    codes: Vec<Vec<Option<u32>>>,
    merged: Dictionary<'a>,
}

impl<'a> Merged<'a> {
    fn new(sources: &[&'a Answers]) -> Merged<'a> {
        let names = |answers: &&'a Answers| match &answers.decisions {
            AnswerColumn::Labels { names, .. } | AnswerColumn::Rankings { names, .. } => names,
            AnswerColumn::Numbers(_) => unreachable!("numbers have no names"),
        };
        let sources: Vec<&Names> = sources.iter().map(names).collect();
        let codes = sources.iter().map(|names| vec![None; names.len()]).collect();
        Merged { sources, codes, merged: Dictionary::default() }
    }

    fn code(&mut self, source: usize, code: u32) -> u32 {
        if let Some(known) = self.codes[source][code as usize] {
            return known;
        }
        let merged = self.merged.code(self.sources[source].value(code as usize));
        self.codes[source][code as usize] = Some(merged);
        merged
    }

    fn finish(self) -> Names {
        self.merged.finish()
    }
}

#[cfg(test)]
mod tests;
