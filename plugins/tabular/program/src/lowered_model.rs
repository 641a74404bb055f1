//! A program together with the fields that it reads and the answers that it gives: what the host stores of a model file.
//!
//! Invariants:
//! - [`LoweredModel::from_bytes`] accepts only models whose fields and answers fit their program.

use crate::codec::{Part as _, ProgramError, Reader, choice, record};
use crate::columns::{Columns, Kind};
use crate::{MAGIC, Program, VERSION};

/// Follows the magic of a program and tells a model from a program alone.
const MODEL: [u8; 4] = *b"MODL";
/// The same for a model with subgraphs. The host selects the model runtime by it.
const NEURAL_MODEL: [u8; 4] = *b"NEUR";

record! {
    /// A model that is ready to run in a study.
    #[derive(Clone, Debug, PartialEq)]
    pub struct LoweredModel {
        /// What the model reads from a record: one field for each column of the program's inputs, in order.
        pub fields: Vec<Field>,
        /// How the outputs of the program become an answer.
        pub answer: AnswerRule,
        /// What is computed.
        pub program: Program,
    }
}

record! {
    /// A field of a record.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Field {
        /// Its name in the study.
        pub name: String,
        /// The type of its values in the study.
        pub kind: FieldKind,
        /// Whether a row without a value has no answer. Otherwise a missing value is NaN to the program,
        /// [`MISSING_TEXT`](crate::MISSING_TEXT), [`MISSING_INTEGER`](crate::MISSING_INTEGER) or false.
        pub required: bool,
    }
}

choice! {
    /// The type of a field's values.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FieldKind {
        /// True or false.
        0 Boolean,
        /// Signed 64-bit integers.
        1 Integer,
        /// Finite 64-bit floats.
        2 Number,
        /// UTF-8 text.
        3 Text,
    }
}

impl FieldKind {
    /// The type whose values become cells of a kind.
    #[must_use]
    pub fn of_cells(kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean,
            Kind::Integer => Self::Integer,
            Kind::Float | Kind::Double => Self::Number,
            Kind::Text => Self::Text,
        }
    }
}

choice! {
    /// How the outputs of a program become an answer. An output is named by its index.
    #[derive(Clone, Debug, PartialEq)]
    pub enum AnswerRule {
        /// The number in an output of one column.
        0 Number {
            /// The output, of floats or integers.
            output: u32,
        },
        /// The label in an output of one column.
        1 Label {
            /// The output, of text, integers or booleans.
            output: u32,
            /// The labels of the integers from 0, distinct. Without labels, the label of an integer is its
            /// decimal text.
            names: Vec<String>,
            /// Where the confidence comes from, if there is one.
            scores: Option<Scores>,
        },
        /// The label with the largest score, the first of equal ones.
        2 LargestScore {
            /// The output, of floats.
            output: u32,
            /// The label of each column, distinct.
            labels: Vec<String>,
            /// Whether the scores are from 0 to 1, and so the largest one is the confidence.
            confidence: bool,
            /// Whether the scores of a row are the probabilities of the labels, with the sum 1.
            probabilities: bool,
        },
        /// One of two labels.
        3 Threshold {
            /// The output, of floats and one column.
            output: u32,
            /// The second label is answered from this score on.
            threshold: f64,
            /// Two labels: below the threshold, and from it on.
            labels: Vec<String>,
            /// Whether the score is the probability of the second label.
            confidence: bool,
        },
        /// The labels with the largest scores in descending order, the first of equal ones first.
        4 Ranking {
            /// The output, of floats.
            output: u32,
            /// The label of each column, distinct.
            labels: Vec<String>,
            /// How many labels are answered, from 1 to their number.
            count: u32,
        },
    }
}

record! {
    /// Scores from 0 to 1, one column for each label.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Scores {
        /// The output, of floats.
        pub output: u32,
        /// The value of the label output that each column belongs to, as text. Without values, the largest score is
        /// that of the label.
        pub labels: Vec<String>,
        /// Whether the scores of a row are the probabilities of the labels, with the sum 1.
        pub probabilities: bool,
    }
}

/// The form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// A label.
    Label,
    /// A number.
    Number,
    /// A ranking of labels.
    Ranking,
}

impl LoweredModel {
    /// The bytes of the model.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [MAGIC, self.mark()].concat();
        VERSION.write(&mut bytes);
        self.write(&mut bytes);
        bytes
    }

    /// Reads and checks a model.
    ///
    /// # Errors
    /// If the bytes are of another version or are not a model that the engine can run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let mut reader = Reader::new(bytes);
        let (magic, mark) = (reader.take(MAGIC.len()), reader.take(MODEL.len()));
        let is_mark = mark.as_ref().is_ok_and(|mark| [MODEL, NEURAL_MODEL].iter().any(|known| known == mark));
        if magic != Ok(&MAGIC) || !is_mark {
            return Err(ProgramError::new("the bytes are not a lowered model; import the model file"));
        }
        let version = u32::read(&mut reader)?;
        if version != VERSION {
            return Err(ProgramError::new(format!(
                "the lowered model has version {version}, expected {VERSION}; import the model file again"
            )));
        }
        let model = Self::read(&mut reader)?;
        reader.finish()?;
        if mark != Ok(&model.mark()) {
            return Err(ProgramError::new(
                "the lowered model is marked for another model runtime; import the model file again",
            ));
        }
        model.check()?;
        Ok(model)
    }

    /// The four bytes that follow the magic.
    fn mark(&self) -> [u8; 4] {
        if self.program.has_subgraphs() { NEURAL_MODEL } else { MODEL }
    }

    /// Checks that fields and answers fit the program, and that the engine can run it.
    ///
    /// # Errors
    /// If an invariant does not hold.
    pub fn check(&self) -> Result<(), ProgramError> {
        self.program.check()?;
        let kinds: Vec<Kind> = self.program.input_kinds().collect();
        if kinds.len() != self.fields.len() {
            return Err(ProgramError::new(format!(
                "{} fields for {} columns",
                self.fields.len(),
                kinds.len()
            )));
        }
        for (field, kind) in self.fields.iter().zip(kinds) {
            if field.kind != FieldKind::of_cells(kind) {
                let (name, found) = (&field.name, field.kind);
                return Err(ProgramError::new(format!(
                    "field {name:?} of type {found:?} is read as {kind:?}"
                )));
            }
        }
        self.answer.check(&self.program)
    }
}

impl AnswerRule {
    /// Whether answers have a confidence.
    #[must_use]
    pub fn has_confidence(&self) -> bool {
        match self {
            Self::Number { .. } | Self::Ranking { .. } => false,
            Self::Label { scores, .. } => scores.is_some(),
            Self::LargestScore { confidence, .. } | Self::Threshold { confidence, .. } => *confidence,
        }
    }

    /// The classes whose probabilities the answers have, one for each score, or two for a threshold. `None` if they have
    /// none, or if the class of a score has no name.
    #[must_use]
    pub fn classes(&self) -> Option<Vec<&str>> {
        match self {
            Self::Label { names, scores: Some(Scores { labels, probabilities: true, .. }), .. } => {
                let name = |value: &String| names.get(value.parse::<usize>().ok()?);
                match (&labels[..], &names[..]) {
                    ([], []) => None,
                    ([], own) | (own, []) => Some(own.iter().map(String::as_str).collect()),
                    (values, _) => values.iter().map(|value| name(value).map(String::as_str)).collect(),
                }
            }
            Self::LargestScore { labels, probabilities: true, .. }
            | Self::Threshold { labels, confidence: true, .. } => {
                Some(labels.iter().map(String::as_str).collect())
            }
            _ => None,
        }
    }

    /// The form of the answers.
    #[must_use]
    pub fn form(&self) -> AnswerForm {
        match self {
            Self::Number { .. } => AnswerForm::Number,
            Self::Ranking { .. } => AnswerForm::Ranking,
            Self::Label { .. } | Self::LargestScore { .. } | Self::Threshold { .. } => AnswerForm::Label,
        }
    }

    fn check(&self, program: &Program) -> Result<(), ProgramError> {
        let error = |fault: &str| Err(ProgramError::new(format!("the answer is invalid: {fault}")));
        let columns = |output: u32| match program.outputs.get(output as usize) {
            Some(output) => Ok(output.columns),
            None => Err(ProgramError::new(format!("the answer is invalid: there is no output {output}"))),
        };
        let is_float = |columns: Columns| matches!(columns.kind, Kind::Float | Kind::Double);
        let (output, labels): (_, &[String]) = match self {
            Self::Number { output } => (columns(*output)?, &[]),
            Self::Label { output, names, scores } => {
                if let Some(Scores { output, labels, .. }) = scores {
                    let scores = columns(*output)?;
                    let fits = labels.is_empty() || labels.len() == scores.width as usize;
                    if !is_float(scores) || scores.width == 0 || !fits {
                        return error("the scores are no floats, one for each label");
                    }
                    let mut classes = self.classes().unwrap_or_default();
                    classes.sort_unstable();
                    let are_distinct = classes.windows(2).all(|pair| pair[0] != pair[1]);
                    if !classes.is_empty() && (classes.len() != scores.width as usize || !are_distinct) {
                        return error(
                            "the classes of the probabilities are not distinct, one for each score",
                        );
                    }
                }
                (columns(*output)?, names)
            }
            Self::LargestScore { output, labels, .. }
            | Self::Threshold { output, labels, .. }
            | Self::Ranking { output, labels, .. } => (columns(*output)?, labels),
        };
        let mut sorted: Vec<&String> = labels.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return error("two labels are equal");
        }
        let is_integer = matches!(output.kind, Kind::Integer | Kind::Boolean);
        let fits = match self {
            Self::Number { .. } => output.width == 1 && (is_float(output) || output.kind == Kind::Integer),
            Self::Label { names, .. } => {
                output.width == 1 && (is_integer || output.kind == Kind::Text && names.is_empty())
            }
            Self::LargestScore { .. } => {
                is_float(output) && output.width > 0 && output.width as usize == labels.len()
            }
            Self::Ranking { count, .. } => {
                let ranks = 1..=output.width;
                is_float(output) && output.width as usize == labels.len() && ranks.contains(count)
            }
            Self::Threshold { threshold, .. } => {
                is_float(output) && output.width == 1 && labels.len() == 2 && threshold.is_finite()
            }
        };
        if fits { Ok(()) } else { error("the output has another kind or number of columns") }
    }
}

#[cfg(test)]
mod tests;
