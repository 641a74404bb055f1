//! Programs over columns, to which trained models are lowered, and their encoding as bytes.
//!
//! An importer turns a model file into a [`Program`]; the engine runs it. The program knows nothing of ONNX, XGBoost or
//! LightGBM, so an operator that several of them share has one implementation.
//!
//! # Semantics
//! A program computes on blocks of rows. Every value of a row is a cell of a *plane*: one plane for each [`Kind`]. A
//! [`Columns`] names adjacent columns of a plane. A [`Step`] reads columns and writes columns.
//!
//! Invariants:
//! - [`Program::from_bytes`] accepts only programs that the engine can run without a further check: all columns exist and have
//!   the kinds that the step takes, no step reads a column that no step before it wrote, no step writes a column that
//!   it reads, trees have no cycles, and all indices are within their tables.
//!   The graph of a [`Step::Subgraph`] is checked by the graph runtime that prepares it.
//! - Reading takes time and memory in proportion to the number of bytes.
//! - The bytes of a program do not depend on the machine.

mod codec;
mod column_accesses;
mod columns;
mod functions;
mod lowered_model;
pub mod pattern;
mod step;
mod step_validation;
mod text_case;
mod tokens;
mod tree_validation;
mod trees;
mod validation;

pub use codec::ProgramError;
pub use columns::{Columns, Kind, Operand, Values};
pub use functions::{
    BinaryFunction, ClassRule, Comparison, DistanceFunction, Norm, ReduceFunction, ScoreTransform,
    UnaryFunction, Unknown,
};
pub use lowered_model::{AnswerForm, AnswerRule, Field, FieldKind, LoweredModel, Scores};
pub use step::{Axis, Port, Step};
pub use text_case::change_case;
pub use tokens::{TokenRule, TokenSplit};
pub use trees::{Aggregate, Ensemble, FloatValues, MAX_THRESHOLDS, Node, Test, Tree};
pub use validation::MAX_PLANE_COLUMNS;

use codec::{Part, Reader, record};

/// The first bytes of a program.
const MAGIC: [u8; 4] = *b"USTF";
/// Version of the encoding. A program of another version is refused: the model file is imported again.
const VERSION: u32 = 3;

record! {
    /// A model as a program over columns.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Program {
        /// What the model reads, in order.
        pub inputs: Vec<Input>,
        /// What the model answers, in order.
        pub outputs: Vec<Output>,
        /// Number of columns in the plane of each kind, in the order of [`Kind::ALL`].
        pub planes: [u32; 5],
        /// What is computed, in order.
        pub steps: Vec<Instruction>,
        /// The tree ensembles that [`Step::Trees`] refers to, each at most once.
        pub ensembles: Vec<Ensemble>,
    }
}

record! {
    /// A value that the model reads.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Input {
        /// Name of the input in the model file.
        pub name: String,
        /// Where its columns are. The caller fills them.
        pub columns: Columns,
    }
}

record! {
    /// A value that the model answers.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Output {
        /// Name of the output in the model file.
        pub name: String,
        /// Where its columns are.
        pub columns: Columns,
    }
}

record! {
    /// A step and where it comes from.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Instruction {
        /// The operator and the node of the model file, for messages: `OneHotEncoder "city"`.
        pub origin: String,
        /// What is computed.
        pub step: Step,
    }
}

/// How far a probability may lie outside of 0 to 1 by rounding. The importer and the engine share it: a score that the
/// importer takes for a probability must be one for the engine.
pub const PROBABILITY_TOLERANCE: f64 = 1e-5;

/// How far the sum of the class probabilities of a row may be from 1 by rounding, with many classes of 32-bit floats.
pub const SCORE_SUM_TOLERANCE: f64 = 1e-3;

/// The cell of a text that is missing. It is a noncharacter, which no text for interchange has.
pub const MISSING_TEXT: &str = "\u{FFFF}";

/// The cell of an integer that is missing.
pub const MISSING_INTEGER: i64 = i64::MIN;

impl Program {
    /// The kind of each input column, in order.
    pub fn input_kinds(&self) -> impl Iterator<Item = Kind> {
        self.inputs
            .iter()
            .flat_map(|input| std::iter::repeat_n(input.columns.kind, input.columns.width as usize))
    }

    /// Whether the program has a [`Step::Subgraph`], which only an engine with a graph runtime runs.
    #[must_use]
    pub fn has_subgraphs(&self) -> bool {
        self.steps.iter().any(|instruction| matches!(instruction.step, Step::Subgraph { .. }))
    }

    /// The bytes of the program.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        VERSION.write(&mut bytes);
        self.write(&mut bytes);
        bytes
    }

    /// Reads and checks a program.
    ///
    /// # Errors
    /// If the bytes are of another version or are not a program that the engine can run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(ProgramError::new("the bytes are not a lowered model; import the model file"));
        }
        let version = u32::read(&mut reader)?;
        if version != VERSION {
            return Err(ProgramError::new(format!(
                "the lowered model has version {version}, expected {VERSION}; import the model file again"
            )));
        }
        let program = Self::read(&mut reader)?;
        reader.finish()?;
        program.check()?;
        Ok(program)
    }

    /// Checks that the engine can run the program.
    ///
    /// # Errors
    /// If an invariant of this crate does not hold. The message names the step.
    pub fn check(&self) -> Result<(), ProgramError> {
        validation::check(self)
    }
}

#[cfg(test)]
mod tests;
