//! What readers of this crate return.

use std::fmt;

use tabular_form::{Axis, BinaryFunction, Columns, Form, Kind, Operand, Step, Values};
use tabular_lowering::{Program, ProgramError, trees::TreeError};

/// A lowered booster.
#[derive(Clone, Debug)]
pub struct Import {
    /// The lowered model. It has one input, `features`. A classifier has the outputs `class`, the index of the class, and
    /// `probabilities`; other models have `prediction`.
    pub form: Form,
    /// The names of the features, in order; empty if the file has none.
    pub feature_names: Vec<String>,
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
pub struct BoosterError(String);

impl BoosterError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for BoosterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BoosterError {}

impl From<ProgramError> for BoosterError {
    fn from(error: ProgramError) -> Self {
        Self(format!("the model is too large: {error}"))
    }
}

impl From<TreeError> for BoosterError {
    fn from(error: TreeError) -> Self {
        Self(format!("the model has an invalid tree: {error}"))
    }
}

/// Adds the outputs of a classifier to a program: the class with the largest probability, the first of equal ones.
pub(crate) fn class_outputs(program: &mut Program, probabilities: Columns) -> Result<Task, ProgramError> {
    let class = program.columns(Kind::Integer, 1)?;
    let axis = Axis { outer: 1, length: probabilities.width, inner: 1 };
    program
        .step("class", Step::Position { largest: true, last: false, from: probabilities, axis, to: class });
    program.output("class", class);
    program.output("probabilities", probabilities);
    Ok(Task::Classes(probabilities.width as usize))
}

/// The probabilities of two classes from that of the second: `1 - p` and `p`.
pub(crate) fn two_probabilities(program: &mut Program, second: Columns) -> Result<Columns, ProgramError> {
    let to = program.columns(second.kind, 2)?;
    let one = if second.kind == Kind::Double {
        Values::Doubles { values: vec![1.0] }
    } else {
        Values::Floats { values: vec![1.0] }
    };
    program.step(
        "probabilities",
        Step::Binary {
            function: BinaryFunction::Subtract,
            left: Operand::Constants { values: one },
            right: Operand::Columns { columns: second },
            to: Columns { width: 1, ..to },
        },
    );
    program.step(
        "probabilities",
        Step::Copy { from: second, to: Columns { start: to.start + 1, width: 1, ..to } },
    );
    Ok(to)
}
