//! A node while it is checked for the neural engine, and the nodes that are written for it.

use tabular_program::{Kind, Values};

use super::Refusal;
use super::shape::{self, NetShape};
use crate::error::Fault;
use crate::graph_lowering::Value;
use crate::operators::Call;
use crate::proto::encoding::AttributeValue;
use crate::shape::Dim;
use crate::tensor::Constant;

/// The nodes that are written for a node of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetPart {
    pub(crate) nodes: Vec<NetNode>,
    /// Kind and shape of the node's outputs.
    pub(crate) results: Vec<(Kind, NetShape)>,
}

/// A node of a subgraph.
#[derive(Clone, Debug)]
pub(crate) struct NetNode {
    pub(crate) operator: &'static str,
    pub(crate) inputs: Vec<NetInput>,
    /// Names of values of the file, or new ones.
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<(&'static str, AttributeValue)>,
}

/// An argument of a node of a subgraph.
#[derive(Clone, Debug)]
pub(crate) enum NetInput {
    /// None.
    Absent,
    /// An argument of the node of the file.
    Argument(usize),
    /// What an earlier node of the part computes.
    Inner(String),
    /// A constant that the file does not have in this form.
    Constant(Constant),
}

/// A node of the file, and what is written for it so far.
pub(super) struct NetCall<'c, 'b> {
    pub(super) call: &'c Call<'b>,
    part: NetPart,
}

impl<'c, 'b> NetCall<'c, 'b> {
    pub(super) fn new(call: &'c Call<'b>) -> Self {
        Self { call, part: NetPart::default() }
    }

    /// The part that was written, with the kinds and shapes of the node's outputs.
    pub(super) fn part(mut self, results: Vec<(Kind, NetShape)>) -> Result<NetPart, Refusal> {
        for (_, result) in &results {
            shape::checked(result.clone())?;
        }
        self.part.results = results;
        Ok(self.part)
    }

    /// The shape of an argument.
    pub(super) fn shape(&self, index: usize) -> Result<NetShape, Refusal> {
        Ok(net_shape(&self.call.input(index)?)?)
    }

    /// The kind of an argument.
    pub(super) fn kind(&self, index: usize) -> Result<Kind, Refusal> {
        Ok(self.call.input(index)?.kind())
    }

    /// The shape of an argument of 32-bit floats.
    pub(super) fn floats(&self, index: usize) -> Result<NetShape, Refusal> {
        self.of_kinds(index, &[Kind::Float])
    }

    /// The shape of an argument of one of several kinds.
    pub(super) fn of_kinds(&self, index: usize, kinds: &[Kind]) -> Result<NetShape, Refusal> {
        let kind = self.kind(index)?;
        if kinds.contains(&kind) {
            return self.shape(index);
        }
        Err(Refusal::Kind(match kind {
            Kind::Double => Fault::with_remedy(
                "it computes with float64, and the neural engine has float32",
                "convert the model",
            ),
            Kind::Integer => Fault::with_remedy(
                "it computes with integers, which the neural engine does not",
                "cast them to float32",
            ),
            Kind::Boolean | Kind::Float => {
                format!("input {index} is {kind:?}, which the neural engine does not take there").into()
            }
            Kind::Text => "it takes text, which the neural engine does not".into(),
        }))
    }

    /// The lengths of an argument of 32-bit floats without rows: weights.
    pub(super) fn weights(&self, index: usize) -> Result<Vec<usize>, Refusal> {
        Ok(shape::lengths(&self.floats(index)?, "its weights")?)
    }

    /// Refuses arguments from `count` on.
    pub(super) fn at_most(&self, count: usize, what: &str) -> Result<(), Refusal> {
        if (count..self.call.inputs.len()).any(|index| self.call.has(index)) {
            return Err(Fault::from(format!("{what} is not supported")).into());
        }
        Ok(())
    }

    /// Refuses outputs from `count` on.
    pub(super) fn one_output(&self) -> Result<(), Refusal> {
        if self.call.node.outputs.iter().skip(1).any(|output| !output.is_empty()) {
            return Err(Fault::with_remedy(
                "only its first output is supported",
                "export the model without the others",
            )
            .into());
        }
        Ok(())
    }

    /// All arguments, unchanged.
    pub(super) fn arguments(&self) -> Vec<NetInput> {
        (0..self.call.inputs.len()).map(|index| self.argument(index)).collect()
    }

    /// An argument, unchanged; none if it is absent.
    pub(super) fn argument(&self, index: usize) -> NetInput {
        if self.call.has(index) { NetInput::Argument(index) } else { NetInput::Absent }
    }

    /// Writes a node whose result is used by the next ones.
    pub(super) fn inner(
        &mut self,
        operator: &'static str,
        inputs: Vec<NetInput>,
        attributes: Vec<(&'static str, AttributeValue)>,
    ) -> NetInput {
        let name = format!("{}/{}", self.call.node.label(), self.part.nodes.len());
        self.part.nodes.push(NetNode { operator, inputs, outputs: vec![name.clone()], attributes });
        NetInput::Inner(name)
    }

    /// Writes a node that computes one output of the node of the file.
    pub(super) fn output(
        &mut self,
        operator: &'static str,
        inputs: Vec<NetInput>,
        attributes: Vec<(&'static str, AttributeValue)>,
        name: &str,
    ) {
        self.part.nodes.push(NetNode { operator, inputs, outputs: vec![name.to_owned()], attributes });
    }

    /// Writes the node that computes the outputs of the node of the file.
    pub(super) fn last(
        &mut self,
        operator: &'static str,
        inputs: Vec<NetInput>,
        attributes: Vec<(&'static str, AttributeValue)>,
    ) {
        let outputs = self.call.node.outputs.clone();
        self.part.nodes.push(NetNode { operator, inputs, outputs, attributes });
    }
}

/// The shape of a value.
fn net_shape(value: &Value) -> Result<NetShape, Fault> {
    match value {
        Value::Blocked(_, shape) => Ok(shape.clone()),
        Value::Merged(_) | Value::Tokens(..) => {
            Err("it takes rows and columns as one dimension, or tokens".into())
        }
        value => Ok(shape::from_tabular(&value.shape())),
    }
}

/// Integers as a list of one dimension.
pub(super) fn integers(values: Vec<i64>) -> NetInput {
    NetInput::Constant(Constant::list(Values::Integers { values }))
}

/// Lengths as a list of one dimension.
pub(super) fn lengths(values: &[usize]) -> NetInput {
    integers(values.iter().map(|value| *value as i64).collect())
}

/// A float without dimensions.
pub(super) fn float(value: f32) -> NetInput {
    NetInput::Constant(Constant { values: Values::Floats { values: vec![value] }, dimensions: Vec::new() })
}

/// The dimensions that an argument of a list asks for: numbers, of which the number of rows is `None`.
pub(super) fn requested(call: &Call<'_>, index: usize) -> Result<Vec<Option<i64>>, Fault> {
    let dim = |dim: Dim| match dim {
        Dim::Rows => None,
        Dim::Fixed(length) => Some(length as i64),
    };
    Ok(match call.input(index)? {
        Value::Shape(dims) => dims.into_iter().map(dim).collect(),
        _ => call.integers(index)?.into_iter().map(Some).collect(),
    })
}
