//! The order of a graph's nodes.

use std::collections::HashMap;

use crate::error::OnnxError;
use crate::proto::Graph;

/// The indices of the nodes that the graph's outputs need, each after the nodes that it needs.
pub(crate) fn order(graph: &Graph) -> Result<Vec<usize>, OnnxError> {
    let error = |fault: String| Err(OnnxError::Graph { fault: fault.into() });
    if graph.outputs.is_empty() {
        return error("it has no outputs".to_owned());
    }
    let mut sources: HashMap<&str, Option<usize>> = HashMap::new();
    for name in graph
        .initializers
        .iter()
        .map(|tensor| &tensor.name)
        .chain(graph.inputs.iter().map(|input| &input.name))
    {
        sources.insert(name, None);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            if sources.insert(name, Some(index)).is_some() {
                return error(format!("value {name:?} is computed twice"));
            }
        }
    }
    let mut order = Vec::new();
    let mut states = vec![State::Unseen; graph.nodes.len()];
    // Nodes that are being visited, each with the number of inputs that were visited.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for output in &graph.outputs {
        match sources.get(&output.name[..]) {
            None => return error(format!("nothing computes the output {:?}", output.name)),
            Some(None) => continue,
            Some(Some(node)) => {
                if states[*node] == State::Unseen {
                    states[*node] = State::Open;
                    open.push((*node, 0));
                }
            }
        }
        while let Some((index, visited)) = open.last_mut() {
            let node = &graph.nodes[*index];
            let Some(name) = node.inputs.get(*visited) else {
                states[*index] = State::Done;
                order.push(*index);
                open.pop();
                continue;
            };
            *visited += 1;
            if name.is_empty() {
                continue;
            }
            match sources.get(&name[..]) {
                None => {
                    return error(format!("nothing computes {name:?}, which node {:?} reads", node.label()));
                }
                Some(None) => {}
                Some(Some(source)) => match states[*source] {
                    State::Done => {}
                    State::Open => return error(format!("it has a cycle through node {:?}", node.label())),
                    State::Unseen => {
                        states[*source] = State::Open;
                        open.push((*source, 0));
                    }
                },
            }
        }
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Open,
    Done,
}

impl crate::proto::Node {
    /// The node's name, or its first output.
    pub(crate) fn label(&self) -> &str {
        if self.name.is_empty() { self.outputs.first().map_or("", |output| output) } else { &self.name }
    }

    /// The operator, with its domain unless it is ONNX's own.
    pub(crate) fn full_operator(&self) -> String {
        match &self.domain[..] {
            "" | "ai.onnx" => self.operator.clone(),
            domain => format!("{domain}.{}", self.operator),
        }
    }
}
