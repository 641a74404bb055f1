//! A node with its arguments, and what operators do with them.

use tabular_lowering::ProgramBuilder;
use tabular_program::{Columns, Kind, Operand, Step, Values};

use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::proto::{self, Attribute};
use crate::shape::{self, Dim, Shape};
use crate::tensor::{self, Constant};

/// A node while it is lowered.
pub(crate) struct Call<'a> {
    pub(crate) builder: &'a mut ProgramBuilder,
    pub(crate) node: &'a proto::Node,
    /// The arguments; nothing for those that are left out.
    pub(crate) inputs: Vec<Option<Value>>,
    /// The version of the operator set.
    pub(crate) version: i64,
}

impl Call<'_> {
    /// Whether an argument is given.
    pub(crate) fn has(&self, index: usize) -> bool {
        matches!(self.inputs.get(index), Some(Some(_)))
    }

    /// An argument.
    pub(crate) fn input(&self, index: usize) -> Result<Value, Fault> {
        match self.inputs.get(index) {
            Some(Some(value)) => Ok(value.clone()),
            _ => Err(format!("input {index} is missing").into()),
        }
    }

    /// An argument as columns.
    pub(super) fn tensor(&mut self, index: usize) -> Result<Tensor, Fault> {
        let value = self.input(index)?;
        self.materialized(value)
    }

    /// A value as columns.
    pub(super) fn materialized(&mut self, value: Value) -> Result<Tensor, Fault> {
        match value {
            Value::Tensor(tensor) | Value::Labelled(tensor, _) => Ok(tensor),
            Value::Constant(constant) => {
                let shape = constant.shape();
                shape::width(&shape)?;
                let columns = self
                    .builder
                    .constants(&self.origin(), constant.values)
                    .map_err(|error| error.to_string())?;
                Ok(Tensor { columns, shape })
            }
            Value::Shape(_) => Err("the number of rows is used as a value".into()),
            Value::Merged(_) | Value::Blocked(..) => Err("it takes rows and columns as one dimension".into()),
            Value::Tokens(..) => Err(Fault::with_remedy(
                "it takes tokens, whose number depends on the text",
                "only TfIdfVectorizer is supported",
            )),
        }
    }

    /// An argument that has to be constant.
    pub(crate) fn constant(&self, index: usize) -> Result<Constant, Fault> {
        match self.input(index)? {
            Value::Constant(constant) => Ok(constant),
            _ => Err(Fault::with_remedy(
                format!("input {index} depends on the row"),
                "only a constant is supported",
            )),
        }
    }

    /// An argument that has to be constant integers.
    pub(crate) fn integers(&self, index: usize) -> Result<Vec<i64>, Fault> {
        match self.constant(index)?.values {
            Values::Integers { values } => Ok(values),
            _ => Err(format!("input {index} has no integers").into()),
        }
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.get(name)
    }

    /// An integer attribute.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).and_then(|attribute| attribute.integer)
    }

    /// A float attribute.
    pub(crate) fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).and_then(|attribute| attribute.float)
    }

    /// A text attribute.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.attribute(name).and_then(|attribute| attribute.text.as_deref()) {
            None => Ok(None),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(format!("attribute {name} is not UTF-8").into()),
            },
        }
    }

    /// An attribute of integers; empty if it is absent.
    pub(crate) fn integer_list(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.integers)
    }

    /// An attribute of floats; empty if it is absent.
    pub(crate) fn float_list(&self, name: &str) -> &[f32] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    /// An attribute of texts; empty if it is absent.
    pub(crate) fn text_list(&self, name: &str) -> Result<Vec<String>, Fault> {
        self.attribute(name).map_or(Ok(Vec::new()), |attribute| tensor::texts(&attribute.texts))
    }

    /// A tensor attribute.
    pub(super) fn tensor_attribute(&self, name: &str) -> Result<Option<Constant>, Fault> {
        match self.attribute(name).and_then(|attribute| attribute.tensor.as_ref()) {
            None => Ok(None),
            Some(tensor) => Ok(Some(Constant::parse(tensor).map_err(|error| error.to_string())?)),
        }
    }

    /// The axes that an operator works along: an argument since some version, an attribute before.
    pub(crate) fn axes(&self, input: usize) -> Result<Option<Vec<i64>>, Fault> {
        if self.has(input) {
            return Ok(Some(self.integers(input)?));
        }
        Ok(self.attribute("axes").map(|attribute| attribute.integers.clone()))
    }

    /// The operator and the node, for messages of the engine.
    pub(super) fn origin(&self) -> String {
        format!("{} {:?}", self.node.full_operator(), self.node.label())
    }

    /// Columns for a result.
    pub(super) fn columns(&mut self, kind: Kind, width: usize) -> Result<Columns, Fault> {
        self.builder.columns(kind, width).map_err(|error| error.to_string().into())
    }

    /// A result of a shape.
    pub(super) fn result(&mut self, kind: Kind, shape: Shape) -> Result<Tensor, Fault> {
        let width = shape::width(&shape)?;
        Ok(Tensor { columns: self.columns(kind, width)?, shape })
    }

    /// Adds a step.
    pub(super) fn step(&mut self, step: Step) {
        let origin = self.origin();
        self.builder.step(&origin, step);
    }

    /// A value as an operand that is broadcast to a shape.
    pub(super) fn operand(&mut self, value: Value, to: &[Dim]) -> Result<Operand, Fault> {
        let from = value.shape();
        let columns = shape::broadcast_columns(&from, to);
        let is_whole = columns.iter().zip(0..).all(|(column, position)| *column == position);
        Ok(match value {
            Value::Constant(constant) if constant.values.kind() != Kind::Text => {
                let values = if constant.values.len() == 1 {
                    constant.values
                } else {
                    tensor::select(&constant.values, &columns)
                };
                Operand::Constants { values }
            }
            value => {
                let tensor = self.materialized(value)?;
                if tensor.columns.width as usize == columns.len() && is_whole || tensor.columns.width == 1 {
                    return Ok(Operand::Columns { columns: tensor.columns });
                }
                Operand::Columns { columns: self.selected(tensor.columns, columns)? }
            }
        })
    }

    /// Some columns of a value. Adjacent ones are not moved.
    pub(super) fn selected(&mut self, from: Columns, indices: Vec<u32>) -> Result<Columns, Fault> {
        let first = indices.first().copied().unwrap_or(0);
        if indices.iter().zip(first..).all(|(index, expected)| *index == expected) {
            return Ok(Columns { start: from.start + first, width: indices.len() as u32, ..from });
        }
        let to = self.columns(from.kind, indices.len())?;
        self.step(Step::Select { from, indices, to });
        Ok(to)
    }

    /// A value as columns of a kind.
    pub(super) fn converted(&mut self, tensor: Tensor, kind: Kind) -> Result<Tensor, Fault> {
        if tensor.columns.kind == kind {
            return Ok(tensor);
        }
        let to = self.columns(kind, tensor.columns.width as usize)?;
        self.step(Step::Cast { from: tensor.columns, to });
        Ok(Tensor { columns: to, ..tensor })
    }

    /// An argument as rows of features: `[rows, features]`, or `[rows]`, which has one feature.
    pub(super) fn features(&mut self, index: usize) -> Result<Tensor, Fault> {
        let tensor = self.tensor(index)?;
        if matches!(tensor.shape[..], [Dim::Rows] | [Dim::Rows, Dim::Fixed(_)]) {
            Ok(tensor)
        } else {
            Err(format!(
                "input {index} has the shape {}, expected [rows, features]",
                shape::text(&tensor.shape)
            )
            .into())
        }
    }
}

/// The only result of an operator.
pub(super) fn one(tensor: Tensor) -> Result<Vec<Value>, Fault> {
    Ok(vec![Value::Tensor(tensor)])
}
