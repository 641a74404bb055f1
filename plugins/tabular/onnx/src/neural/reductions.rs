//! Values along axes as one value.

use tabular_program::Kind;

use super::call::{NetCall, NetInput, integers};
use super::shape::{self, fixed};
use super::{LoweredNode, Refusal};
use crate::error::Fault;
use crate::proto::encoding::AttributeValue;

/// An operator that reduces axes.
pub(super) fn lower(mut net: NetCall<'_, '_>) -> LoweredNode {
    let operator = match &net.call.node.operator[..] {
        "ReduceL2" => "ReduceL2",
        "ReduceMax" => "ReduceMax",
        "ReduceMean" => "ReduceMean",
        "ReduceMin" => "ReduceMin",
        "ReduceProd" => "ReduceProd",
        "ReduceSum" => "ReduceSum",
        "ReduceSumSquare" => "ReduceSumSquare",
        _ => return Err(Refusal::Operator),
    };
    let from = net.floats(0)?;
    let named = net.call.axes(1)?.unwrap_or_default();
    let axes = match &named[..] {
        [] if net.call.integer("noop_with_empty_axes").unwrap_or(0) != 0 => {
            return Err(Fault::with_remedy("it reduces no axis", "export the model without it").into());
        }
        [] => (0..from.len()).collect(),
        named => shape::axes(named, from.len())?,
    };
    let from = shape::freed(from, &axes);
    let reduced: Vec<_> = axes.iter().map(|axis| from[*axis]).collect();
    let lengths = shape::lengths(&reduced, "the reduced axes")?;
    if lengths.contains(&0) {
        return Err("it reduces an empty axis".into());
    }
    let keeps = net.call.integer("keepdims").unwrap_or(1) != 0;
    let kept = |(axis, dim): (usize, &shape::NetDim)| match (axes.contains(&axis), keeps) {
        (false, _) => Some(*dim),
        (true, true) => Some(fixed(1)),
        (true, false) => None,
    };
    let shape = from.iter().enumerate().filter_map(kept).collect();
    if axes.is_empty() {
        // A single number.
        net.last("Identity", vec![NetInput::Argument(0)], Vec::new());
        return if matches!(operator, "ReduceL2" | "ReduceSumSquare") {
            Err("it reduces a single number".into())
        } else {
            net.part(vec![(Kind::Float, shape)])
        };
    }
    let positions = integers(axes.iter().map(|axis| *axis as i64).collect());
    let attributes = vec![("keepdims", AttributeValue::Integer(i64::from(keeps)))];
    net.last(operator, vec![NetInput::Argument(0), positions], attributes);
    net.part(vec![(Kind::Float, shape)])
}
