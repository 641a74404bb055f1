//! Validated, dictionary-encoded answers, one per row.
//!
//! Invariants (validated by the sandbox): there is one answer per row; every code is an index into the names; every
//! answered number is finite; a ranking or set does not repeat a name; the labels of a set are sorted by their bytes; a JSON
//! text is in its canonical form; `unanswered` is ascending. Class probabilities are those of
//! [`Probabilities`].

use std::sync::Arc;

mod canonical_json;
mod nominal;
mod probabilities;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::{Field, Float64Type};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use understudy_study::AnswerForm;

pub use canonical_json::canonical_json;
pub use probabilities::Probabilities;

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

/// The values of answers, in one form.
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
    /// Row `i` is the set `codes[offsets[i]..offsets[i + 1]]`, sorted by the bytes of the names.
    LabelSets {
        /// The distinct labels.
        names: Names,
        /// One offset into `codes` per row, and the end of the last row.
        offsets: Vec<u32>,
        /// Indices into `names`.
        codes: Vec<u32>,
    },
    /// Row `i` is the JSON value `texts[codes[i]]`, in its canonical form.
    Json {
        /// The distinct JSON texts.
        texts: Names,
        /// One index into `texts` per row.
        codes: Vec<u32>,
    },
}

/// What the answers of a plugin consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSchema {
    /// The form of the answers.
    pub form: AnswerForm,
    /// Whether they have class probabilities.
    pub probabilities: bool,
}

impl From<AnswerForm> for AnswerSchema {
    /// Answers of this form without probabilities.
    fn from(form: AnswerForm) -> AnswerSchema {
        AnswerSchema { form, probabilities: false }
    }
}

impl AnswerSchema {
    /// The names of the columns that [`Answers::columns`] writes, in their order.
    pub fn column_names(self, name: &str) -> Vec<String> {
        let parts = ["answer", "unanswered", "confidence"]
            .into_iter()
            .chain(self.probabilities.then_some("probabilities"));
        parts.map(|part| format!("{name}.{part}")).collect()
    }
}

/// One answer per row. The value of an unanswered row is meaningless.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// The values.
    pub decisions: AnswerColumn,
    /// One confidence from 0 to 1 per row, if the plugin returns any; NaN for a row without one.
    pub confidence: Option<Vec<f64>>,
    /// The probabilities of classes, if the plugin reports them.
    pub probabilities: Option<Probabilities>,
    /// The rows without an answer, ascending, with the reason.
    pub unanswered: Vec<(u32, Reason)>,
}

impl Answers {
    /// Answers of `rows` unanswered rows with the same reason.
    pub fn unanswered(schema: impl Into<AnswerSchema>, rows: usize, reason: &Reason) -> Answers {
        let AnswerSchema { form, probabilities } = schema.into();
        let decisions = match form {
            AnswerForm::Label => AnswerColumn::Labels { names: Names::from(vec![""]), codes: vec![0; rows] },
            AnswerForm::Number => AnswerColumn::Numbers(vec![0.0; rows]),
            AnswerForm::Ranking => AnswerColumn::Rankings {
                names: Names::from(vec![""]),
                offsets: vec![0; rows + 1],
                codes: vec![],
            },
            AnswerForm::LabelSet => AnswerColumn::LabelSets {
                names: Names::from(vec![""]),
                offsets: vec![0; rows + 1],
                codes: vec![],
            },
            AnswerForm::Json => AnswerColumn::Json { texts: Names::from(vec!["null"]), codes: vec![0; rows] },
        };
        let unanswered = (0..rows as u32).map(|row| (row, reason.clone())).collect();
        let probabilities = probabilities.then(|| Probabilities::none(rows));
        Answers { decisions, confidence: None, probabilities, unanswered }
    }

    /// Answers of these values for each row.
    pub fn from_values(decisions: AnswerColumn) -> Answers {
        Answers { decisions, confidence: None, probabilities: None, unanswered: Vec::new() }
    }

    /// Answers of one ranking for each row, best first.
    pub fn from_rankings(rankings: &[Vec<String>]) -> Answers {
        let (names, offsets, codes) = encode_lists(rankings);
        Answers::from_values(AnswerColumn::Rankings { names, offsets, codes })
    }

    /// Answers of one set of labels for each row, sorted by their bytes.
    pub fn from_label_sets(sets: &[Vec<String>]) -> Answers {
        let (names, offsets, codes) = encode_lists(sets);
        Answers::from_values(AnswerColumn::LabelSets { names, offsets, codes })
    }

    /// Answers of one JSON value for each row, in its canonical form.
    pub fn from_json<'t>(rows: impl IntoIterator<Item = &'t str>) -> Answers {
        let mut texts = Dictionary::default();
        let codes = rows.into_iter().map(|text| texts.code(text)).collect();
        Answers::from_values(AnswerColumn::Json { texts: texts.finish(), codes })
    }

    /// Answers of one number for each row.
    pub fn from_numbers(numbers: Vec<f64>) -> Answers {
        Answers::from_values(AnswerColumn::Numbers(numbers))
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.decisions {
            AnswerColumn::Labels { codes, .. } | AnswerColumn::Json { codes, .. } => codes.len(),
            AnswerColumn::Numbers(numbers) => numbers.len(),
            AnswerColumn::Rankings { offsets, .. } | AnswerColumn::LabelSets { offsets, .. } => {
                offsets.len() - 1
            }
        }
    }

    /// The approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        let names = |names: &Names| names.get_array_memory_size();
        let decisions = match &self.decisions {
            AnswerColumn::Labels { names: of, codes } | AnswerColumn::Json { texts: of, codes } => {
                names(of) + 4 * codes.len()
            }
            AnswerColumn::Numbers(numbers) => 8 * numbers.len(),
            AnswerColumn::Rankings { names: of, offsets, codes }
            | AnswerColumn::LabelSets { names: of, offsets, codes } => {
                names(of) + 4 * (offsets.len() + codes.len())
            }
        };
        let probabilities = self.probabilities.as_ref().map_or(0, Probabilities::bytes);
        decisions
            + 8 * self.confidence.as_ref().map_or(0, Vec::len)
            + probabilities
            + 64 * self.unanswered.len()
    }

    /// The form of the answers.
    pub fn form(&self) -> AnswerForm {
        match self.decisions {
            AnswerColumn::Labels { .. } => AnswerForm::Label,
            AnswerColumn::Numbers(_) => AnswerForm::Number,
            AnswerColumn::Rankings { .. } => AnswerForm::Ranking,
            AnswerColumn::LabelSets { .. } => AnswerForm::LabelSet,
            AnswerColumn::Json { .. } => AnswerForm::Json,
        }
    }

    /// The form of the answers, and whether they have class probabilities.
    pub fn schema(&self) -> AnswerSchema {
        AnswerSchema { form: self.form(), probabilities: self.probabilities.is_some() }
    }

    /// The confidence in the answer of a row: the one that the plugin reports, or else the probability of the label. `None`
    /// for an unanswered row, and if the plugin reports neither.
    pub fn confidence_at(&self, row: usize) -> Option<f64> {
        if self.reason(row).is_some() {
            return None;
        }
        let reported = self.confidence.as_ref().map(|values| values[row]).filter(|value| !value.is_nan());
        reported.or_else(|| match (&self.probabilities, &self.decisions) {
            (Some(probabilities), AnswerColumn::Labels { names, codes }) => {
                probabilities.probability_of(row, names.value(codes[row] as usize))
            }
            _ => None,
        })
    }

    /// The rows in which other answers to the same rows differ in any bit.
    pub fn differing(&self, other: &Answers) -> Vec<usize> {
        if self.schema() != other.schema() {
            return (0..self.rows()).collect();
        }
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
        let (own, other) = (self.answer_column(), other.answer_column());
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
            AnswerColumn::Labels { .. } | AnswerColumn::Json { .. } => {
                let mut merged = Merged::of_answers(sources);
                let codes = picks
                    .iter()
                    .map(|&(source, row)| match &sources[source].decisions {
                        AnswerColumn::Labels { codes, .. } | AnswerColumn::Json { codes, .. } => {
                            merged.code(source, codes[row])
                        }
                        _ => unreachable!("all sources have one form"),
                    })
                    .collect();
                match sources[0].decisions {
                    AnswerColumn::Json { .. } => AnswerColumn::Json { texts: merged.finish(), codes },
                    _ => AnswerColumn::Labels { names: merged.finish(), codes },
                }
            }
            AnswerColumn::Rankings { .. } | AnswerColumn::LabelSets { .. } => {
                let mut merged = Merged::of_answers(sources);
                let mut offsets = Vec::with_capacity(picks.len() + 1);
                offsets.push(0);
                let mut all = Vec::new();
                for &(source, row) in picks {
                    let (AnswerColumn::Rankings { offsets: from, codes, .. }
                    | AnswerColumn::LabelSets { offsets: from, codes, .. }) = &sources[source].decisions
                    else {
                        unreachable!("all sources have one form")
                    };
                    for &code in &codes[from[row] as usize..from[row + 1] as usize] {
                        all.push(merged.code(source, code));
                    }
                    offsets.push(all.len() as u32);
                }
                match sources[0].decisions {
                    AnswerColumn::LabelSets { .. } => {
                        AnswerColumn::LabelSets { names: merged.finish(), offsets, codes: all }
                    }
                    _ => AnswerColumn::Rankings { names: merged.finish(), offsets, codes: all },
                }
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
        let probabilities = sources.iter().any(|source| source.probabilities.is_some()).then(|| {
            Probabilities::gather(sources.iter().map(|source| source.probabilities.as_ref()), picks)
        });
        Answers { decisions, confidence, probabilities, unanswered }
    }

    /// The columns of answers in the run log: `NAME.answer` (text, number, list of text or JSON text; null without an answer),
    /// `NAME.unanswered` (the reason; null with an answer) and `NAME.confidence` (null without a confidence). Answers with
    /// class probabilities also have `NAME.probabilities` (a map from class to probability; null without an answer).
    pub fn columns(&self, name: &str) -> Vec<(Field, ArrayRef)> {
        let answers = self.answer_column();
        let mut reasons = StringBuilder::new();
        let mut next = self.unanswered.iter().peekable();
        for row in 0..self.rows() as u32 {
            match next.next_if(|(at, _)| *at == row) {
                Some((_, reason)) => reasons.append_value(reason.to_string()),
                None => reasons.append_null(),
            }
        }
        let reasons: ArrayRef = Arc::new(reasons.finish());
        let probabilities = self.probabilities.as_ref().map(Probabilities::column);
        let columns = [answers, reasons, self.confidence_column()].into_iter().chain(probabilities);
        let names = self.schema().column_names(name).into_iter();
        names
            .zip(columns)
            .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
            .collect()
    }

    /// The Arrow fields of [`Answers::columns`] for answers of one schema.
    pub fn column_fields(name: &str, schema: impl Into<AnswerSchema>) -> Vec<Field> {
        let none = Answers::unanswered(schema, 0, &Reason::Abstained(String::new()));
        none.columns(name).into_iter().map(|(field, _)| field).collect()
    }

    /// Reads the columns that [`Answers::columns`] wrote, in their order.
    ///
    /// `None` if a column is missing or has another type, or a row has neither an answer nor a valid reason, or not
    /// exactly the answered rows have probabilities.
    pub fn from_columns(schema: impl Into<AnswerSchema>, columns: &[&ArrayRef]) -> Option<Answers> {
        let AnswerSchema { form, probabilities } = schema.into();
        let (&[answers, reasons, confidences], more) = columns.split_first_chunk()?;
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
            AnswerForm::Json => {
                let texts = answers.as_string_opt::<i32>()?;
                let codes = texts.iter().map(|text| names.code(text.unwrap_or("null"))).collect();
                AnswerColumn::Json { texts: names.finish(), codes }
            }
            AnswerForm::Ranking | AnswerForm::LabelSet => {
                let lists = answers.as_list_opt::<i32>()?;
                let values = lists.values().as_string_opt::<i32>()?;
                let mut offsets = vec![0];
                let mut codes = Vec::with_capacity(values.len());
                for row in 0..rows {
                    let range = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
                    codes.extend(range.map(|at| names.code(values.value(at))));
                    offsets.push(codes.len() as u32);
                }
                match form {
                    AnswerForm::LabelSet => AnswerColumn::LabelSets { names: names.finish(), offsets, codes },
                    _ => AnswerColumn::Rankings { names: names.finish(), offsets, codes },
                }
            }
        };
        let confidences = confidences.as_primitive_opt::<Float64Type>()?;
        let confidence = (confidences.null_count() < rows)
            .then(|| confidences.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
        let probabilities = match (probabilities, more) {
            (false, []) => None,
            (true, [column]) if column.null_count() == unanswered.len() => {
                let probabilities = Probabilities::from_column(column)?;
                let has_any = |(row, _): &(u32, Reason)| column.is_valid(*row as usize);
                if unanswered.iter().any(has_any) {
                    return None;
                }
                Some(probabilities)
            }
            _ => return None,
        };
        Some(Answers { decisions, confidence, probabilities, unanswered })
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
            AnswerColumn::Labels { names, codes } | AnswerColumn::Json { texts: names, codes } => {
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
            AnswerColumn::Rankings { names, offsets, codes }
            | AnswerColumn::LabelSets { names, offsets, codes } => {
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

/// Encodes lists of names: the names, the offsets of the lists, and the codes.
fn encode_lists(lists: &[Vec<String>]) -> (Names, Vec<u32>, Vec<u32>) {
    let mut names = Dictionary::default();
    let (mut offsets, mut codes) = (vec![0], Vec::new());
    for list in lists {
        codes.extend(list.iter().map(|name| names.code(name)));
        offsets.push(codes.len() as u32);
    }
    (names.finish(), offsets, codes)
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
    fn of_answers(sources: &[&'a Answers]) -> Merged<'a> {
        let names = |answers: &&'a Answers| match &answers.decisions {
            AnswerColumn::Labels { names, .. }
            | AnswerColumn::Rankings { names, .. }
            | AnswerColumn::LabelSets { names, .. }
            | AnswerColumn::Json { texts: names, .. } => names,
            AnswerColumn::Numbers(_) => unreachable!("numbers have no names"),
        };
        Merged::new(sources.iter().map(names).collect())
    }

    fn new(sources: Vec<&'a Names>) -> Merged<'a> {
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
