//! Reads ONNX files and lowers them.
//!
//! [`import`] reads a file, checks its graph, and lowers every node to steps of a form. Whatever the engine cannot do is
//! an error that names the operator and the node.
//!
//! Invariants:
//! - A file is untrusted. Reading it takes time and memory in proportion to its length; lengths, dimensions and indices
//!   in it are checked before they are used.
//! - A value of the graph depends on one row: an operator that would combine rows is an error.
//! - Constants of the graph are computed once, by the same code as values of rows.

mod error;
mod graph;
mod lowerer;
mod operators;
mod proto;
mod shape;
mod tensor;

use std::collections::BTreeMap;

use tabular_form::{Columns, Form, Kind};

pub use error::OnnxError;

/// A model of an ONNX file.
#[derive(Clone, Debug)]
pub struct Import {
    /// The lowered model.
    pub form: Form,
    /// What the model reads, in the order of the form's inputs.
    pub inputs: Vec<Port>,
    /// What the model answers, in the order of the form's outputs.
    pub outputs: Vec<Port>,
    /// The operators of the graph, and how many nodes have them.
    pub operators: BTreeMap<String, usize>,
    /// The name of the program that wrote the file.
    pub producer: String,
    /// The version that the file gives the model.
    pub version: i64,
    /// The description that the file gives the model.
    pub description: String,
    /// Keys and values that the file gives the model.
    pub metadata: BTreeMap<String, String>,
}

/// An input or output of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its columns in the form.
    pub columns: Columns,
    /// The labels of the columns, if a `ZipMap` names them.
    pub labels: Vec<String>,
}

impl Port {
    /// The kind of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.columns.kind
    }
}

/// Reads and lowers an ONNX file.
///
/// # Errors
/// If the file is damaged, its graph is invalid, or the engine lacks an operator.
pub fn import(file: &[u8]) -> Result<Import, OnnxError> {
    let model = proto::Model::read(file)?;
    lowerer::lower(&model)
}

#[cfg(test)]
mod tests;
