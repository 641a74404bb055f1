//! `Scan` and `CDist`: distances to constant vectors, as exporters of nearest neighbours and Gaussian processes write them.

use tabular_program::{DistanceFunction, Kind, Step, UnaryFunction, Values};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::proto::{Graph, Node};
use crate::shape::Dim;
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// `Scan` over constant vectors whose body computes the distance of the rows to one of them.
pub(super) fn scan(call: &mut Call<'_>) -> Lowered {
    let only = "only a scan over constant vectors that computes their distances to the rows is supported; export the \
                model without the operator";
    let lists = ["scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"];
    let is_plain = call.integer("num_scan_inputs") == Some(1)
        && call.inputs.len() == 2
        && lists.iter().all(|name| call.integer_list(name).iter().all(|number| *number == 0));
    let function = match call.node.attributes.get("body").and_then(|attribute| attribute.graph.as_ref()) {
        Some(body) if is_plain => distance_function(body),
        _ => None,
    };
    let function = function.ok_or(only)?;
    let distances = distances(call, function)?;
    // Distances have one row for each vector, and the state is the argument.
    let shape = vec![distances.shape[1], Dim::Rows];
    Ok(vec![call.input(0)?, Value::Tensor(Tensor { shape, ..distances })])
}

/// `CDist` of `com.microsoft`.
pub(super) fn c_dist(call: &mut Call<'_>) -> Lowered {
    let is_root = match call.text("metric")?.unwrap_or("sqeuclidean") {
        "euclidean" => true,
        "sqeuclidean" => false,
        metric => return Err(format!("metric {metric:?} is not supported").into()),
    };
    let distances = distances(call, DistanceFunction::SumOfSquares)?;
    if !is_root {
        return one(distances);
    }
    let to = call.result(distances.columns.kind, distances.shape)?;
    call.step(Step::Unary { function: UnaryFunction::SquareRoot, from: distances.columns, to: to.columns });
    one(to)
}

/// The distances of the first argument's rows to the vectors of the second one: `[rows, vectors]`.
fn distances(call: &mut Call<'_>, function: DistanceFunction) -> Result<Tensor, Fault> {
    let features = call.features(0)?;
    let vectors = call.constant(1)?;
    let kind = features.columns.kind;
    let (count, width) = match vectors.dimensions[..] {
        [count, width] => (count, width),
        _ => {
            return Err(
                format!("its vectors have {} dimensions, expected 2", vectors.dimensions.len()).into()
            );
        }
    };
    if width != features.columns.width as usize || vectors.values.kind() != kind {
        return Err(
            format!("vectors of {width} features do not fit {} features", features.columns.width).into()
        );
    }
    if !matches!(kind, Kind::Float | Kind::Double) {
        return Err(format!("its argument is {kind:?}, expected floats").into());
    }
    let to = call.result(kind, vec![Dim::Rows, Dim::Fixed(count)])?;
    call.step(Step::Distances { function, from: features.columns, vectors: vectors.values, to: to.columns });
    Ok(to)
}

/// The distance that a body computes of its first input, all rows, and its second, one vector.
fn distance_function(body: &Graph) -> Option<DistanceFunction> {
    let source = |name: &str| body.nodes.iter().find(|node| node.outputs.iter().any(|output| output == name));
    // The name of a value before copies of it.
    let original = |name: &str| {
        let mut name = name.to_owned();
        for _ in 0..body.nodes.len() {
            match source(&name) {
                Some(node) if is(node, "Identity") => name = node.inputs.first()?.clone(),
                _ => break,
            }
        }
        Some(name)
    };
    let ([rows, vector], [state, scanned]) = (&body.inputs[..], &body.outputs[..]) else { return None };
    if original(&state.name)? != rows.name {
        return None;
    }
    let constant = |name: &str| {
        let tensor = body.initializers.iter().find(|tensor| tensor.name == name)?;
        Constant::parse(tensor).ok()
    };
    let sum = source(&original(&scanned.name)?)?;
    let axes = match sum.inputs.get(1) {
        Some(name) => match constant(name)?.values {
            Values::Integers { values } => values,
            _ => return None,
        },
        None => sum.attributes.get("axes")?.integers.clone(),
    };
    let keeps = sum.attributes.get("keepdims").and_then(|attribute| attribute.integer).unwrap_or(1);
    if !matches!(axes[..], [1 | -1]) || keeps != 0 {
        return None;
    }
    let summed = source(&original(sum.inputs.first()?)?)?;
    let is_difference = |node: &Node| {
        let [left, right] = &node.inputs[..] else { return false };
        is(node, "Sub")
            && original(left).as_ref() == Some(&rows.name)
            && original(right).as_ref() == Some(&vector.name)
    };
    let absolute = |node: &Node| {
        let argument = node.inputs.first().and_then(|name| original(name)).and_then(|name| source(&name));
        is(node, "Abs") && argument.is_some_and(is_difference)
    };
    if is(sum, "ReduceSumSquare") && is_difference(summed) {
        return Some(DistanceFunction::SumOfSquares);
    }
    if !is(sum, "ReduceSum") {
        return None;
    }
    if absolute(summed) {
        return Some(DistanceFunction::SumOfAbsolutes);
    }
    let base = source(&original(summed.inputs.first()?)?)?;
    let exponent = tensor::doubles(&constant(summed.inputs.get(1)?)?.values).ok()?;
    match exponent[..] {
        [exponent] if is(summed, "Pow") && absolute(base) => Some(DistanceFunction::SumOfPowers { exponent }),
        _ => None,
    }
}

/// Whether a node has one of ONNX's own operators.
fn is(node: &Node, operator: &str) -> bool {
    matches!(&node.domain[..], "" | "ai.onnx") && node.operator == operator
}
