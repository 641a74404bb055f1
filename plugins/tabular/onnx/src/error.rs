//! Why a file cannot be imported.

use std::fmt;

use tabular_lowering::BuildError;

/// Why an ONNX file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnnxError {
    /// The bytes are not an ONNX file.
    File {
        /// What is wrong, and where.
        fault: String,
    },
    /// The graph is not valid.
    Graph {
        /// What is wrong.
        fault: String,
    },
    /// A node cannot be lowered.
    Node {
        /// The operator, with its domain unless it is ONNX's own.
        operator: String,
        /// The name of the node, or its first output if it has none.
        node: String,
        /// What is wrong, or not supported.
        fault: String,
    },
    /// The model is too large.
    Size {
        /// What is too large.
        fault: String,
    },
}

impl fmt::Display for OnnxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { fault } => write!(
                formatter,
                "the file is damaged, or it is no ONNX file: {fault}; export the model again"
            ),
            Self::Graph { fault } => {
                write!(formatter, "the graph of the ONNX file is invalid: {fault}")?;
                write_remedy(formatter, fault, "export the model again")
            }
            Self::Node { operator, node, fault } => {
                write!(formatter, "node {node:?} ({operator}): {fault}")?;
                write_remedy(formatter, fault, "export the model without it")
            }
            Self::Size { fault } => {
                write!(formatter, "the model is too large: {fault}; export a smaller model")
            }
        }
    }
}

/// Writes what helps, unless a fault says so itself, after a semicolon.
fn write_remedy(formatter: &mut fmt::Formatter<'_>, fault: &str, remedy: &str) -> fmt::Result {
    if fault.contains("; ") { Ok(()) } else { write!(formatter, "; {remedy}") }
}

impl std::error::Error for OnnxError {}

impl From<BuildError> for OnnxError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::TooManyColumns { .. } => Self::Size { fault: error.to_string() },
            BuildError::Invalid(fault) => Self::Graph { fault: format!("its types do not fit: {fault}") },
        }
    }
}

/// What is wrong at a node; the operator and the node's name are added where it is lowered.
pub(crate) type Fault = String;
