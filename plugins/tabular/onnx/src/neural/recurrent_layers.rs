//! Recurrent layers.

use tabular_program::Kind;

use super::LoweredNode;
use super::call::{NetCall, NetInput};
use super::shape::{self, fixed};
use crate::error::Fault;
use crate::proto::encoding::AttributeValue;

/// `LSTM` or `GRU` with the usual activations.
pub(super) fn recurrent(mut net: NetCall<'_, '_>) -> LoweredNode {
    let is_lstm = net.call.node.operator == "LSTM";
    let direction = match net.call.text("direction")? {
        None | Some("forward") => "forward",
        Some("reverse") => "reverse",
        Some("bidirectional") => "bidirectional",
        Some(other) => return Err(format!("direction is {other:?}").into()),
    };
    let directions = if direction == "bidirectional" { 2 } else { 1 };
    let usual: &[&str] = if is_lstm { &["Sigmoid", "Tanh", "Tanh"] } else { &["Sigmoid", "Tanh"] };
    let activations = net.call.text_list("activations")?;
    let is_usual =
        activations.iter().map(|name| &name[..]).eq(usual.iter().copied().cycle().take(activations.len()));
    if !(activations.is_empty() || is_usual && activations.len() == usual.len() * directions) {
        return Err(format!("only the activations {} are supported", usual.join(", ")).into());
    }
    for name in ["activation_alpha", "activation_beta"] {
        if !net.call.float_list(name).is_empty() {
            return Err(format!("{name} is not supported").into());
        }
    }
    if net.call.float("clip").is_some_and(|clip| clip != 0.0) {
        return Err("clip is not supported".into());
    }
    for name in ["layout", "input_forget"] {
        if net.call.integer(name).unwrap_or(0) != 0 {
            return Err(format!("{name}=1 is not supported").into());
        }
    }
    let before_reset = net.call.integer("linear_before_reset").unwrap_or(0);
    if !is_lstm && before_reset != 1 {
        return Err(Fault::with_remedy("linear_before_reset=0 is not supported", "PyTorch exports 1").into());
    }
    if net.call.has(4) {
        return Err(Fault::with_remedy(
            "sequence_lens is not supported",
            "export the model for sequences of one length",
        )
        .into());
    }
    net.at_most(if is_lstm { 7 } else { 6 }, "a peephole")?;

    let from = net.floats(0)?;
    let &[steps, batch, features] = &from[..] else {
        return Err(
            format!("its argument is {}, expected [steps, rows, features]", shape::text(&from)).into()
        );
    };
    let [steps, features] = [steps, features].map(|dim| shape::lengths(&[dim], "its steps or features"));
    let (steps, features) = (steps?[0], features?[0]);
    let hidden = usize::try_from(net.call.integer("hidden_size").unwrap_or(0)).unwrap_or(0);
    let gates = if is_lstm { 4 } else { 3 };
    let expected = [
        (1, vec![directions, hidden.saturating_mul(gates), features]),
        (2, vec![directions, hidden.saturating_mul(gates), hidden]),
        (3, vec![directions, hidden.saturating_mul(2 * gates)]),
    ];
    for (index, expected) in expected {
        if net.call.has(index) || index < 3 {
            let found = net.weights(index)?;
            if found != expected || found.contains(&0) {
                return Err(format!("input {index} has the shape {found:?}, expected {expected:?}").into());
            }
        }
    }
    let state = vec![fixed(directions), batch, fixed(hidden)];
    for index in [5, 6] {
        if net.call.has(index) {
            let found = net.floats(index)?;
            if shape::dimensions(&found) != shape::dimensions(&state)
                || shape::broadcast(&state, &found)? != state
            {
                return Err(format!(
                    "its first state is {}, expected {}",
                    shape::text(&found),
                    shape::text(&state)
                )
                .into());
            }
        }
    }
    let mut attributes = vec![
        ("direction", AttributeValue::Text(direction)),
        ("hidden_size", AttributeValue::Integer(hidden as i64)),
    ];
    if !is_lstm {
        attributes.push(("linear_before_reset", AttributeValue::Integer(1)));
    }
    let mut arguments = net.arguments();
    while matches!(arguments.last(), Some(NetInput::Absent)) {
        arguments.pop();
    }
    net.last(if is_lstm { "LSTM" } else { "GRU" }, arguments, attributes);
    let all = vec![fixed(steps), fixed(directions), batch, fixed(hidden)];
    let mut results = vec![(Kind::Float, all), (Kind::Float, state.clone())];
    if is_lstm {
        results.push((Kind::Float, state));
    }
    net.part(results)
}
