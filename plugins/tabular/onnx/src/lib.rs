//! Imports ONNX files.
//!
//! [`import`] parses a file, checks its graph, and lowers every node to steps of a program. Nodes that the tabular engine lacks become
//! subgraphs for the neural engine, if that has them as ONNX defines them. Whatever neither can do is an error that
//! names the operator and the node.
//!
//! Invariants:
//! - A file is untrusted. Reading it takes time and memory in proportion to its length; lengths, dimensions and indices
//!   in it are checked before they are used.
//! - A value of the graph depends on one row: an operator that would combine rows is an error.
//! - Constants of the graph are computed once, by the same code as values of rows.

mod error;
mod external_data;
mod graph_lowering;
mod neural;
mod node_lowering;
mod node_order;
mod operators;
mod proto;
mod shape;
mod subgraphs;
mod tensor;

use std::collections::BTreeMap;

use tabular_program::{Columns, Kind, Program};

pub use error::{Fault, OnnxError};

/// A model of an ONNX file.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    /// What the model computes.
    pub program: Program,
    /// What the model answers, in the order of the program's outputs.
    pub outputs: Vec<GraphOutput>,
    /// The operators of the graph, and how many nodes have them.
    pub operators: BTreeMap<String, usize>,
    /// Those of them that the neural engine runs.
    pub neural_operators: Vec<String>,
    /// The name of the program that wrote the file.
    pub producer: String,
    /// Keys and values that the file gives the model.
    pub metadata: BTreeMap<String, String>,
}

/// An output of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphOutput {
    /// Its name.
    pub name: String,
    /// Its columns in the program.
    pub columns: Columns,
    /// The labels of the columns, if a `ZipMap` names them.
    pub labels: Vec<String>,
}

impl GraphOutput {
    /// The kind of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.columns.kind
    }
}

/// Imports an ONNX file. `read` gives the content of the files that [`external_files`] names.
///
/// # Errors
/// If the file is damaged, its graph is invalid, or the engine lacks an operator.
pub fn import<'f>(file: &[u8], read: impl Fn(&str) -> Option<&'f [u8]>) -> Result<ImportedModel, OnnxError> {
    let mut model = proto::Model::parse(file)?;
    external_data::resolve(&mut model, read)?;
    graph_lowering::lower(&model)
}

/// The names of the files that hold weights of the model, relative to its folder, with `/` between their parts.
///
/// # Errors
/// If the file is damaged, or a name leads outside of the folder.
pub fn external_files(file: &[u8]) -> Result<Vec<String>, OnnxError> {
    external_data::names(&mut proto::Model::parse(file)?)
}

#[cfg(test)]
mod tests;
