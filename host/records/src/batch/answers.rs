//! Validated, dictionary-encoded answers, one per row.
//!
//! Invariants (validated by the sandbox): there is one answer per row; every code is an index into the names; every
//! answered number is finite; a ranking or set does not repeat a name; the labels of a set are sorted by their bytes; a JSON
//! text is in its canonical form; `unanswered` is ascending. Class probabilities are those of
//! [`Probabilities`].

mod canonical_json;
mod log_columns;
mod name_dictionary;
mod nominal;
mod probabilities;
mod reason;
mod row_selection;

use arrow::array::{Array as _, StringArray};
use serde::{Deserialize, Serialize};

use understudy_study::AnswerForm;

pub use canonical_json::canonical_json;
pub use probabilities::Probabilities;
pub use reason::Reason;

use name_dictionary::{Dictionary, encode_lists};

/// The distinct names that codes refer to.
pub type Names = StringArray;

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
}

#[cfg(test)]
mod tests;
