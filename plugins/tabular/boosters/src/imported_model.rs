//! What the importers of this crate return.

use std::fmt;

use tabular_lowering::{BuildError, ProgramBuilder, trees::TreeError};
use tabular_program::{Axis, BinaryFunction, Columns, Kind, Operand, Program, Step, Values};

/// An imported booster.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    /// What the model computes. It has one input, `features`. A classifier has the outputs `class`, the index of the class, and
    /// `probabilities`; other models have `prediction`.
    pub program: Program,
    /// The names of the features, in order; empty if the file has none.
    pub feature_names: Vec<String>,
    /// Whether each feature needs a value; otherwise the model handles a missing one.
    pub required: Vec<bool>,
    /// The names of the classes, in order; empty if the file has none.
    pub class_names: Vec<String>,
    /// What the model answers.
    pub task: Task,
    /// The objective, as the file names it.
    pub objective: String,
    /// Number of trees.
    pub trees: usize,
}

/// What a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A class; the number of classes.
    Classes(usize),
    /// Numbers; how many.
    Numbers(usize),
}

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoosterError {
    fault: String,
    remedy: &'static str,
}

impl BoosterError {
    /// A fault that a sound file does not have.
    pub(crate) fn new(fault: impl Into<String>) -> Self {
        Self::with_remedy(fault, "save the model again")
    }

    pub(crate) fn with_remedy(fault: impl Into<String>, remedy: &'static str) -> Self {
        Self { fault: fault.into(), remedy }
    }

    /// A part of a model that is not supported.
    pub(crate) fn unsupported(what: impl fmt::Display) -> Self {
        Self::with_remedy(format!("{what} is not supported"), "train the model without it")
    }

    /// The same error, with the place where it is before it.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self { fault: format!("{place}: {}", self.fault), ..self }
    }
}

impl fmt::Display for BoosterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.fault, self.remedy)
    }
}

impl std::error::Error for BoosterError {}

impl From<BuildError> for BoosterError {
    fn from(error: BuildError) -> Self {
        Self::with_remedy(format!("the model is too large: {error}"), "train a smaller model")
    }
}

impl From<TreeError> for BoosterError {
    fn from(error: TreeError) -> Self {
        Self::new(error.to_string())
    }
}

/// Adds the outputs of a classifier to a program: the class with the largest probability, the first of equal ones.
pub(crate) fn class_outputs(
    builder: &mut ProgramBuilder,
    probabilities: Columns,
) -> Result<Task, BuildError> {
    let class = builder.columns(Kind::Integer, 1)?;
    let axis = Axis { outer: 1, length: probabilities.width, inner: 1 };
    builder
        .step("class", Step::Position { largest: true, last: false, from: probabilities, axis, to: class });
    builder.output("class", class);
    builder.output("probabilities", probabilities);
    Ok(Task::Classes(probabilities.width as usize))
}

/// The probabilities of two classes from that of the second: `1 - p` and `p`.
pub(crate) fn two_probabilities(
    builder: &mut ProgramBuilder,
    second: Columns,
) -> Result<Columns, BuildError> {
    let to = builder.columns(second.kind, 2)?;
    let one = if second.kind == Kind::Double {
        Values::Doubles { values: vec![1.0] }
    } else {
        Values::Floats { values: vec![1.0] }
    };
    builder.step(
        "probabilities",
        Step::Binary {
            function: BinaryFunction::Subtract,
            left: Operand::Constants { values: one },
            right: Operand::Columns { columns: second },
            to: Columns { width: 1, ..to },
        },
    );
    builder.step(
        "probabilities",
        Step::Copy { from: second, to: Columns { start: to.start + 1, width: 1, ..to } },
    );
    Ok(to)
}
