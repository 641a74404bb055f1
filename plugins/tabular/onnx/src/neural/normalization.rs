//! Normalisation, and the softmax.

use tabular_program::{Kind, Values};

use super::LoweredNode;
use super::call::{NetCall, NetInput, float, integers, lengths};
use super::shape::{self, NetDim, fixed};
use crate::error::Fault;
use crate::proto::encoding::AttributeValue;
use crate::shape::axis;
use crate::tensor::Constant;

/// The epsilon of all normalisations.
const EPSILON: f32 = 1e-5;

fn epsilon(net: &NetCall<'_, '_>) -> f32 {
    net.call.float("epsilon").unwrap_or(EPSILON)
}

/// The number of channels, which are the second dimension. The dimensions after it have no rows.
fn channels(from: &[NetDim]) -> Result<usize, Fault> {
    if from.len() < 2 {
        return Err(format!("its argument is {}, expected rows and channels first", shape::text(from)).into());
    }
    Ok(shape::lengths(&from[1..], "its channels")?[0])
}

/// Checks that arguments are vectors of a length.
fn vectors(net: &NetCall<'_, '_>, indices: &[usize], length: usize) -> Result<(), super::Refusal> {
    for index in indices {
        let found = net.weights(*index)?;
        if found != [length] {
            return Err(format!("input {index} has the shape {found:?}, expected [{length}]").into());
        }
    }
    Ok(())
}

/// `BatchNormalization` outside of training.
pub(super) fn batch(mut net: NetCall<'_, '_>) -> LoweredNode {
    let from = net.floats(0)?;
    if net.call.integer("training_mode").unwrap_or(0) != 0 {
        return Err(Fault::with_remedy(
            "training_mode=1 combines rows",
            "export the model in evaluation mode",
        )
        .into());
    }
    net.one_output()?;
    let channels = channels(&from)?;
    vectors(&net, &[1, 2, 3, 4], channels)?;
    let attributes = vec![("epsilon", AttributeValue::Float(epsilon(&net)))];
    let arguments = net.arguments();
    net.last("BatchNormalization", arguments, attributes);
    net.part(vec![(Kind::Float, from)])
}

/// `InstanceNormalization`.
pub(super) fn instance(mut net: NetCall<'_, '_>) -> LoweredNode {
    let from = net.floats(0)?;
    let channels = channels(&from)?;
    vectors(&net, &[1, 2], channels)?;
    let attributes = vec![("epsilon", AttributeValue::Float(epsilon(&net)))];
    let arguments = net.arguments();
    net.last("InstanceNormalization", arguments, attributes);
    net.part(vec![(Kind::Float, from)])
}

/// `GroupNormalization`: groups of channels are normalised as instances, and then each channel is scaled.
pub(super) fn group(mut net: NetCall<'_, '_>) -> LoweredNode {
    let from = net.floats(0)?;
    let channels = channels(&from)?;
    if net.call.integer("stash_type").unwrap_or(1) != 1 {
        return Err("stash_type is not that of float32".into());
    }
    let groups = usize::try_from(net.call.integer("num_groups").unwrap_or(0)).unwrap_or(0);
    if groups == 0 || channels % groups != 0 {
        return Err(format!("{channels} channels are no {groups} groups").into());
    }
    // Until version 21 each group is scaled.
    let scaled = if net.call.version < 21 { groups } else { channels };
    vectors(&net, &[1, 2], scaled)?;
    let constant =
        |value: f32| NetInput::Constant(Constant::list(Values::Floats { values: vec![value; groups] }));
    let width = shape::width(&from[1..]);
    let grouped = [from[0].length, groups, width / groups];
    let rows = net.inner("Reshape", vec![NetInput::Argument(0), lengths(&grouped)], Vec::new());
    let attributes = vec![("epsilon", AttributeValue::Float(epsilon(&net)))];
    let normal = net.inner("InstanceNormalization", vec![rows, constant(1.0), constant(0.0)], attributes);
    let per_scale = [from[0].length, scaled, width / scaled];
    let mut result = net.inner("Reshape", vec![normal, lengths(&per_scale)], Vec::new());
    for (operator, index) in [("Mul", 1), ("Add", 2)] {
        let column = net.inner("Reshape", vec![NetInput::Argument(index), lengths(&[scaled, 1])], Vec::new());
        result = net.inner(operator, vec![result, column], Vec::new());
    }
    net.last("Reshape", vec![result, lengths(&shape::dimensions(&from))], Vec::new());
    net.part(vec![(Kind::Float, from)])
}

/// The first axis that is normalised, from which on no dimension has rows, and the shape.
fn normalised(net: &NetCall<'_, '_>) -> Result<(usize, Vec<NetDim>), super::Refusal> {
    let from = net.floats(0)?;
    if net.call.integer("stash_type").unwrap_or(1) != 1 {
        return Err("stash_type is not that of float32".into());
    }
    let first = axis(net.call.integer("axis").unwrap_or(-1), from.len())?;
    let from = shape::freed(from.clone(), &(first..from.len()).collect::<Vec<_>>());
    shape::lengths(&from[first..], "the normalised axes")?;
    for index in 1..net.call.inputs.len() {
        if net.call.has(index) && shape::broadcast(&from[first..], &net.floats(index)?)? != from[first..] {
            return Err("its scale or bias does not fit the normalised axes".into());
        }
    }
    Ok((first, from))
}

/// Writes the mean over the axes from one on, which stay with the length 1.
fn mean(net: &mut NetCall<'_, '_>, of: NetInput, first: usize, rank: usize) -> NetInput {
    let axes = integers((first..rank).map(|axis| axis as i64).collect());
    net.inner("ReduceMean", vec![of, axes], vec![("keepdims", AttributeValue::Integer(1))])
}

/// `LayerNormalization`, with its mean and the inverse of its deviation if they are outputs.
pub(super) fn layer(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, from) = normalised(&net)?;
    let rank = from.len();
    let attributes = vec![
        ("axis", AttributeValue::Integer(first as i64 - rank as i64)),
        ("epsilon", AttributeValue::Float(epsilon(&net))),
    ];
    let mut arguments = net.arguments();
    while matches!(arguments.last(), Some(NetInput::Absent)) {
        arguments.pop();
    }
    let outputs = net.call.node.outputs.clone();
    net.output("LayerNormalization", arguments, attributes, &outputs[0]);
    let mut reduced = from[..first].to_vec();
    reduced.resize(rank, fixed(1));
    let mut results = vec![(Kind::Float, from)];
    if outputs.iter().skip(1).any(|output| !output.is_empty()) {
        let centre = mean(&mut net, NetInput::Argument(0), first, rank);
        let distances = net.inner("Sub", vec![NetInput::Argument(0), centre.clone()], Vec::new());
        let squares = net.inner("Mul", vec![distances.clone(), distances], Vec::new());
        let variance = mean(&mut net, squares, first, rank);
        let epsilon = float(epsilon(&net));
        let sum = net.inner("Add", vec![variance, epsilon], Vec::new());
        let root = net.inner("Sqrt", vec![sum], Vec::new());
        for (output, (operator, value)) in
            outputs[1..].iter().zip([("Identity", centre), ("Reciprocal", root)])
        {
            if !output.is_empty() {
                net.output(operator, vec![value], Vec::new(), output);
            }
        }
        results.extend([(Kind::Float, reduced.clone()), (Kind::Float, reduced)]);
    }
    net.part(results)
}

/// `RMSNormalization`, as ONNX defines it by other operators.
pub(super) fn root_mean_square(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, from) = normalised(&net)?;
    net.one_output()?;
    let argument = || NetInput::Argument(0);
    let squares = net.inner("Mul", vec![argument(), argument()], Vec::new());
    let mean = mean(&mut net, squares, first, from.len());
    let epsilon = float(epsilon(&net));
    let sum = net.inner("Add", vec![mean, epsilon], Vec::new());
    let root = net.inner("Sqrt", vec![sum], Vec::new());
    let normal = net.inner("Div", vec![argument(), root], Vec::new());
    net.last("Mul", vec![normal, NetInput::Argument(1)], Vec::new());
    net.part(vec![(Kind::Float, from)])
}

/// `Softmax` and `LogSoftmax`.
pub(super) fn softmax(mut net: NetCall<'_, '_>) -> LoweredNode {
    let from = net.floats(0)?;
    let operator = if net.call.node.operator == "Softmax" { "Softmax" } else { "LogSoftmax" };
    let number = net.call.integer("axis").unwrap_or(if net.call.version < 13 { 1 } else { -1 });
    let from = shape::freed(from.clone(), &[axis(number, from.len())?]);
    let along = shape::column_axis(number, &from)?;
    // Until version 13 the axes from this one on are one.
    if net.call.version < 13 && from[along + 1..].iter().any(|dim| *dim != fixed(1)) {
        return Err(Fault::with_remedy(
            format!("it works along the axes from {number} on as one"),
            "export for operator set 13",
        )
        .into());
    }
    if from[along].length == 0 {
        return Err("its axis is empty".into());
    }
    net.last(operator, vec![NetInput::Argument(0)], vec![("axis", AttributeValue::Integer(along as i64))]);
    net.part(vec![(Kind::Float, from)])
}
