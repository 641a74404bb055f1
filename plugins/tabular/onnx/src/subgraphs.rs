//! Which nodes of a graph the neural engine runs, and the subgraphs that are written for it.
//!
//! The tabular engine runs what it has operators for. Nodes between two nodes of the neural engine go there as well, so that
//! values do not move back and forth. Nodes of the neural engine form one subgraph, unless one needs the result of
//! a step of the tabular engine that itself needs a result of the subgraph.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tabular_lowering::ProgramBuilder;
use tabular_program::{Port, Step, Values};

use crate::error::{Fault, OnnxError};
use crate::graph_lowering::{Tensor, Value};
use crate::neural::{NetInput, NetPart, shape};
use crate::node_lowering::node_error;
use crate::proto::encoding::{GraphDraft, NodeDraft, PortType};
use crate::proto::{Graph, Node};
use crate::tensor::Constant;

/// Where the nodes of a graph run.
pub(crate) struct Plan {
    /// What is written for the nodes of the neural engine.
    parts: HashMap<usize, NetPart>,
    /// For each node that depends on the row, how many subgraphs come before it. Nodes of the neural engine come before
    /// those of the tabular engine with the same number.
    stages: BTreeMap<usize, usize>,
}

impl Plan {
    /// Places the nodes in `order`. `parts` are those that the tabular engine lacks; `check` says whether the neural engine has a
    /// node. `values` are the results of all nodes.
    pub(crate) fn new(
        graph: &Graph,
        order: &[usize],
        values: &HashMap<&str, Value>,
        mut parts: HashMap<usize, NetPart>,
        check: impl Fn(usize) -> Option<NetPart>,
    ) -> Self {
        let is_fixed = |index: usize| {
            let mut results = graph.nodes[index].outputs.iter().filter_map(|name| values.get(&name[..]));
            !parts.contains_key(&index)
                && results.all(|value| matches!(value, Value::Constant(_) | Value::Shape(_)))
        };
        let placed: Vec<usize> = order.iter().copied().filter(|index| !is_fixed(*index)).collect();
        let mut producers: HashMap<&str, usize> = HashMap::new();
        for index in &placed {
            producers.extend(graph.nodes[*index].outputs.iter().map(|name| (&name[..], *index)));
        }
        let sources = |index: usize| -> Vec<usize> {
            graph.nodes[index].inputs.iter().filter_map(|name| producers.get(&name[..]).copied()).collect()
        };
        let mut after: HashSet<usize> = parts.keys().copied().collect();
        let mut before = after.clone();
        for index in &placed {
            if sources(*index).iter().any(|source| after.contains(source)) {
                after.insert(*index);
            }
        }
        for index in placed.iter().rev() {
            if before.contains(index) {
                before.extend(sources(*index));
            }
        }
        for index in &placed {
            if after.contains(index) && before.contains(index) && !parts.contains_key(index) {
                parts.extend(check(*index).map(|part| (*index, part)));
            }
        }
        let mut stages: BTreeMap<usize, usize> = BTreeMap::new();
        for index in &placed {
            let is_part = parts.contains_key(index);
            let stage = |source: &usize| {
                stages
                    .get(source)
                    .map_or(0, |stage| stage + usize::from(is_part && !parts.contains_key(source)))
            };
            let stage = sources(*index).iter().map(stage).max().unwrap_or(0);
            stages.insert(*index, stage);
        }
        Self { parts, stages }
    }

    /// The operators of the nodes that the neural engine runs, each once.
    pub(crate) fn operators(&self, graph: &Graph) -> Vec<String> {
        let names: BTreeSet<String> =
            self.parts.keys().map(|index| graph.nodes[*index].full_operator()).collect();
        names.into_iter().collect()
    }

    /// The number of stages.
    pub(crate) fn stages(&self) -> usize {
        self.stages.values().max().map_or(0, |last| last + 1)
    }

    /// The nodes of a stage that the engine runs, in the order of `order`.
    pub(crate) fn engine_nodes<'p>(
        &'p self,
        order: &'p [usize],
        stage: usize,
    ) -> impl Iterator<Item = usize> + 'p {
        order
            .iter()
            .copied()
            .filter(move |index| self.stages.get(index) == Some(&stage) && !self.parts.contains_key(index))
    }

    /// The nodes of a stage's subgraph, in the order of `order`.
    fn members(&self, order: &[usize], stage: usize) -> Vec<usize> {
        let is_member =
            |index: &usize| self.stages.get(index) == Some(&stage) && self.parts.contains_key(index);
        order.iter().copied().filter(is_member).collect()
    }

    /// Adds the step of a stage's subgraph, if it has one, and the values that it computes.
    pub(crate) fn add_subgraph<'m>(
        &self,
        graph: &'m Graph,
        order: &[usize],
        stage: usize,
        values: &mut HashMap<&'m str, Value>,
        builder: &mut ProgramBuilder,
    ) -> Result<(), OnnxError> {
        let members = self.members(order, stage);
        let Some(first) = members.first() else { return Ok(()) };
        let inner: HashSet<&str> = members
            .iter()
            .flat_map(|index| graph.nodes[*index].outputs.iter().map(|name| &name[..]))
            .collect();
        let mut subgraph = Subgraph::new(inner, values);
        for index in &members {
            subgraph.add(&graph.nodes[*index], &self.parts[index])?;
        }
        let Subgraph { draft, inputs, .. } = subgraph;
        let read_outside: HashSet<&str> = (0..graph.nodes.len())
            .filter(|index| self.stages.contains_key(index) && !members.contains(index))
            .flat_map(|index| graph.nodes[index].inputs.iter().map(|name| &name[..]))
            .chain(graph.outputs.iter().map(|output| &output.name[..]))
            .collect();
        let (mut outputs, mut ports) = (Vec::new(), Vec::new());
        for index in &members {
            for (name, (kind, result)) in graph.nodes[*index].outputs.iter().zip(&self.parts[index].results) {
                if !read_outside.contains(&name[..]) {
                    continue;
                }
                let columns = builder.columns(*kind, shape::width(result))?;
                let dimensions: Vec<u32> =
                    shape::dimensions(result).into_iter().map(|length| length as u32).collect();
                outputs.push(PortType { name: name.clone(), kind: *kind, dimensions: dimensions.clone() });
                ports.push(Port { dimensions, columns });
                values.insert(name, result_value(columns, result));
            }
        }
        let types: Vec<PortType> = inputs.iter().map(|(kind, _)| kind.clone()).collect();
        let inputs = inputs.into_iter().map(|(_, port)| port).collect();
        let file = draft.into_file(&types, &outputs);
        let first = &graph.nodes[*first];
        let origin = match members.len() - 1 {
            0 => format!("{} {:?}", first.full_operator(), first.label()),
            more => format!("{} {:?} and {more} more nodes", first.full_operator(), first.label()),
        };
        builder.step(&origin, Step::Subgraph { file, inputs, outputs: ports });
        Ok(())
    }
}

/// A value that the neural engine computes.
pub(crate) fn result_value(columns: tabular_program::Columns, result: &[shape::NetDim]) -> Value {
    match shape::to_tabular(result) {
        Some(shape) => Value::Tensor(Tensor { columns, shape }),
        None => Value::Blocked(columns, result.to_vec()),
    }
}

/// A subgraph while it is written.
struct Subgraph<'v, 'm> {
    /// The values that the subgraph computes.
    inner: HashSet<&'m str>,
    values: &'v HashMap<&'m str, Value>,
    draft: GraphDraft,
    inputs: Vec<(PortType, Port)>,
    /// The names of the constants that were written.
    constants: HashSet<String>,
}

impl<'v, 'm> Subgraph<'v, 'm> {
    fn new(inner: HashSet<&'m str>, values: &'v HashMap<&'m str, Value>) -> Self {
        Self { inner, values, draft: GraphDraft::default(), inputs: Vec::new(), constants: HashSet::new() }
    }

    /// Writes what belongs to a node of the file.
    fn add(&mut self, node: &Node, part: &NetPart) -> Result<(), OnnxError> {
        let error = |fault: Fault| node_error(node, fault);
        for net_node in &part.nodes {
            let mut inputs = Vec::with_capacity(net_node.inputs.len());
            for input in &net_node.inputs {
                inputs.push(match input {
                    NetInput::Absent => String::new(),
                    NetInput::Inner(name) => name.clone(),
                    NetInput::Argument(index) => {
                        let name = &node.inputs[*index];
                        self.argument(name).map_err(error)?;
                        name.clone()
                    }
                    NetInput::Constant(constant) => {
                        let name = format!("constant {}", self.constants.len());
                        self.constant(&name, constant).map_err(error)?;
                        name
                    }
                });
            }
            self.draft.node(&NodeDraft {
                operator: net_node.operator,
                name: node.label(),
                inputs,
                outputs: &net_node.outputs,
                attributes: &net_node.attributes,
            });
        }
        Ok(())
    }

    /// Makes a value of the file available.
    fn argument(&mut self, name: &str) -> Result<(), Fault> {
        if self.inner.contains(name) || self.inputs.iter().any(|(port, _)| port.name == name) {
            return Ok(());
        }
        let (columns, dimensions) = match self.values.get(name) {
            Some(Value::Constant(constant)) => return self.constant(name, constant),
            Some(Value::Tensor(tensor) | Value::Labelled(tensor, _)) => {
                (tensor.columns, shape::dimensions(&shape::from_tabular(&tensor.shape)))
            }
            Some(Value::Blocked(columns, dims)) => (*columns, shape::dimensions(dims)),
            Some(Value::Shape(_) | Value::Merged(_) | Value::Tokens(..)) | None => {
                return Err(format!("value {name:?} is none that the neural engine takes").into());
            }
        };
        let dimensions: Vec<u32> = dimensions.into_iter().map(|length| length as u32).collect();
        let port = PortType { name: name.to_owned(), kind: columns.kind, dimensions: dimensions.clone() };
        self.inputs.push((port, Port { dimensions, columns }));
        Ok(())
    }

    /// Writes a constant, unless it was written before.
    fn constant(&mut self, name: &str, constant: &Constant) -> Result<(), Fault> {
        if let Values::Integers { values } = &constant.values
            && let Some(value) = values.iter().find(|value| i32::try_from(**value).is_err())
        {
            return Err(format!(
                "the integer {value} is outside of the 32 bits that the neural engine computes with"
            )
            .into());
        }
        if self.constants.insert(name.to_owned()) {
            self.draft.initializer(name, constant);
        }
        Ok(())
    }
}
