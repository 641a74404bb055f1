//! Lowers a node to steps of the tabular engine, or to a part of a subgraph for the neural engine.

use std::collections::HashMap;

use tabular_engine::{Buffers, Model, OutputColumns};
use tabular_lowering::ProgramBuilder;
use tabular_program::Values;

use crate::error::{Fault, OnnxError};
use crate::graph_lowering::{Preference, Tensor, Value};
use crate::neural::{self, NetPart, Refusal};
use crate::operators::{self, Call};
use crate::proto;
use crate::shape::{self, Dim};
use crate::tensor::Constant;

/// Where a node is lowered to.
pub(crate) enum NodePlacement {
    /// Steps of the tabular engine, with their results.
    Engine(Vec<Value>),
    /// A part of a subgraph.
    Neural(NetPart),
}

pub(crate) fn node_error(node: &proto::Node, fault: Fault) -> OnnxError {
    OnnxError::Node { operator: node.full_operator(), node: node.label().to_owned(), fault }
}

/// Lowers a node for the tabular engine, or else for the neural engine.
pub(crate) fn lower_node(
    model: &proto::Model,
    node: &proto::Node,
    values: &HashMap<&str, Value>,
    builder: &mut ProgramBuilder,
    preference: Preference,
) -> Result<NodePlacement, OnnxError> {
    let refusal = if preference == Preference::Engine {
        None
    } else {
        match check_for_neural(model, node, values) {
            Ok(part) => return Ok(NodePlacement::Neural(part)),
            Err(refusal) => Some(refusal),
        }
    };
    let fault = match lower_in_engine(model, node, values, builder) {
        Ok(results) => return Ok(NodePlacement::Engine(results)),
        Err(fault) => fault,
    };
    let refusal = match refusal {
        Some(refusal) => refusal,
        None => match check_for_neural(model, node, values) {
            Ok(part) => return Ok(NodePlacement::Neural(part)),
            Err(refusal) => refusal,
        },
    };
    Err(node_error(
        node,
        match refusal {
            Refusal::Use(fault) => fault,
            // What the engine has, it has for more kinds.
            Refusal::Kind(fault_of_kind) if fault == operators::unknown() => fault_of_kind,
            Refusal::Kind(_) | Refusal::Operator => fault,
        },
    ))
}

/// A node with its arguments.
fn call<'a>(
    model: &proto::Model,
    node: &'a proto::Node,
    values: &HashMap<&str, Value>,
    builder: &'a mut ProgramBuilder,
) -> Result<Call<'a>, Fault> {
    let domain = if node.domain == "ai.onnx" { "" } else { &node.domain[..] };
    let Some(version) = model.operator_sets.get(domain).or_else(|| {
        // The empty name and ai.onnx are the same domain.
        (domain.is_empty()).then(|| model.operator_sets.get("ai.onnx")).flatten()
    }) else {
        return Err("the file does not say which version of the operator it means".into());
    };
    let inputs = node.inputs.iter().map(|name| values.get(&name[..]).cloned()).collect();
    Ok(Call { builder, node, inputs, version: *version })
}

/// Checks a node for the neural engine.
pub(crate) fn check_for_neural(
    model: &proto::Model,
    node: &proto::Node,
    values: &HashMap<&str, Value>,
) -> Result<NetPart, Refusal> {
    let mut builder = ProgramBuilder::new();
    let part = neural::check(&call(model, node, values, &mut builder)?)?;
    if part.results.len() < node.outputs.len() {
        return Err(Refusal::Use(format!("it has {} outputs", node.outputs.len()).into()));
    }
    Ok(part)
}

/// Lowers a node to steps of the tabular engine.
pub(crate) fn lower_in_engine(
    model: &proto::Model,
    node: &proto::Node,
    values: &HashMap<&str, Value>,
    builder: &mut ProgramBuilder,
) -> Result<Vec<Value>, Fault> {
    let call = call(model, node, values, builder)?;
    if call.inputs.iter().flatten().any(|input| matches!(input, Value::Blocked(..))) {
        return Err("it takes rows and columns as one dimension".into());
    }
    if !call.inputs.iter().flatten().all(|input| matches!(input, Value::Constant(_))) {
        return operators::lower(call);
    }
    let mut builder = ProgramBuilder::new();
    let results = operators::lower(Call { builder: &mut builder, ..call })?;
    fold(results, builder)
}

/// Computes values that depend on constants alone.
fn fold(results: Vec<Value>, mut builder: ProgramBuilder) -> Result<Vec<Value>, Fault> {
    for result in &results {
        if let Value::Tensor(tensor) | Value::Labelled(tensor, _) = result {
            if shape::rows_axis(&tensor.shape).is_some() {
                return Err("its result has rows although its arguments are constant".into());
            }
            builder.output("", tensor.columns);
        }
    }
    let program = builder.finish().map_err(|error| error.to_string())?;
    let model = Model::new(program).map_err(|error| error.to_string())?;
    let answers = model.run(1, &[], &mut Buffers::default()).map_err(|error| error.to_string())?;
    if let Some(failure) = answers.failures.first() {
        return Err(failure.message.clone().into());
    }
    let texts = &answers.texts;
    let mut computed = answers.outputs.into_iter();
    let mut constant = |tensor: &Tensor| {
        let values = match computed.next() {
            Some(OutputColumns::Booleans(values)) => Values::Booleans { values },
            Some(OutputColumns::Integers(values)) => Values::Integers { values },
            Some(OutputColumns::Floats(values)) => Values::Floats { values },
            Some(OutputColumns::Doubles(values)) => Values::Doubles { values },
            Some(OutputColumns::Texts(cells)) => {
                Values::Texts { values: cells.into_iter().map(|cell| texts.get(cell).to_owned()).collect() }
            }
            None => return Err(Fault::from("a constant was not computed")),
        };
        let fixed = |dim: &Dim| if let Dim::Fixed(length) = dim { *length } else { 1 };
        Ok(Constant { values, dimensions: tensor.shape.iter().map(fixed).collect() })
    };
    results
        .into_iter()
        .map(|result| {
            Ok(match result {
                Value::Tensor(tensor) | Value::Labelled(tensor, _) => Value::Constant(constant(&tensor)?),
                other => other,
            })
        })
        .collect()
}
