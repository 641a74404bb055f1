//! What runs the graphs of [`Step::Subgraph`](tabular_program::Step::Subgraph). The engine itself has no such operators.

use std::fmt;

use tabular_program::Port;

/// Prepares graphs.
pub trait GraphEngine {
    /// Reads the ONNX file of a graph. The ports are in the order of the graph's inputs and outputs.
    ///
    /// # Errors
    /// If the graph cannot be run.
    fn prepare(&self, file: Vec<u8>, inputs: &[Port], outputs: &[Port])
    -> Result<Box<dyn Graph>, GraphError>;
}

/// A graph that is ready to run.
pub trait Graph: Send + Sync {
    /// Computes the outputs of one row. Inputs and outputs are in the order of the ports, and have their lengths and
    /// kinds.
    ///
    /// # Errors
    /// If an operator fails on the values.
    fn run(&self, inputs: &[GraphValues]) -> Result<Vec<GraphValues>, GraphError>;
}

/// The elements of a tensor, the last dimension first.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphValues {
    /// Of a port of kind float.
    Floats(Vec<f32>),
    /// Of a port of kind integer, or boolean: 1 for true and 0 for false.
    Integers(Vec<i32>),
}

/// Why a graph cannot be run, or not on these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError(String);

impl GraphError {
    /// An error with a message.
    #[must_use]
    pub fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for GraphError {}

/// Refuses all graphs: what runs models without subgraphs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoGraphs;

impl GraphEngine for NoGraphs {
    fn prepare(&self, _: Vec<u8>, _: &[Port], _: &[Port]) -> Result<Box<dyn Graph>, GraphError> {
        Err(GraphError::new(
            "this runtime runs no subgraphs, and the model has some; import the model file again".to_owned(),
        ))
    }
}
