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
        fault: Fault,
    },
    /// A node cannot be lowered.
    Node {
        /// The operator, with its domain unless it is ONNX's own.
        operator: String,
        /// The name of the node, or its first output if it has none.
        node: String,
        /// What is wrong, or not supported.
        fault: Fault,
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
                write!(formatter, "the graph of the ONNX file is invalid: ")?;
                fault.write(formatter, "export the model again")
            }
            Self::Node { operator, node, fault } => {
                write!(formatter, "node {node:?} ({operator}): ")?;
                fault.write(formatter, "export the model without it")
            }
            Self::Size { fault } => {
                write!(formatter, "the model is too large: {fault}; export a smaller model")
            }
        }
    }
}

/// What is wrong at a place of the graph, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    reason: String,
    /// What helps, if it is not what helps with most faults of that kind of place.
    remedy: Option<&'static str>,
}

impl Fault {
    /// A fault with a remedy of its own.
    pub(crate) fn with_remedy(reason: impl Into<String>, remedy: &'static str) -> Self {
        Self { reason: reason.into(), remedy: Some(remedy) }
    }

    /// The same fault of a part, which is named first.
    pub(crate) fn at(self, place: &str) -> Self {
        Self { reason: format!("{place}{}", self.reason), ..self }
    }

    /// What is wrong, for tests.
    #[cfg(test)]
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, usual_remedy: &str) -> fmt::Result {
        write!(formatter, "{}; {}", self.reason, self.remedy.unwrap_or(usual_remedy))
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self { reason, remedy: None }
    }
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        Self::from(reason.to_owned())
    }
}

impl std::error::Error for OnnxError {}

impl From<BuildError> for OnnxError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::TooManyColumns { .. } => Self::Size { fault: error.to_string() },
            BuildError::Invalid(fault) => {
                Self::Graph { fault: format!("its types do not fit: {fault}").into() }
            }
        }
    }
}
