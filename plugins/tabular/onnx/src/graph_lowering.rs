//! Lowers a graph node by node.

use std::collections::{BTreeMap, HashMap};

use tabular_lowering::ProgramBuilder;
use tabular_program::{Columns, Kind, TokenRule};

use crate::error::{Fault, OnnxError};
use crate::neural;
use crate::neural::shape::NetShape;
use crate::node_lowering::{NodePlacement, check_for_neural, lower_in_engine, lower_node, node_error};
use crate::proto;
use crate::shape::{self, Dim, Shape};
use crate::subgraphs::{self, Plan};
use crate::tensor::{self, Constant};
use crate::{GraphOutput, ImportedModel, node_order};

/// A value of the graph.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A value of each row.
    Tensor(Tensor),
    /// The same for all rows.
    Constant(Constant),
    /// A list of dimensions, one of which may be the number of rows.
    Shape(Shape),
    /// A value of each row whose columns have labels.
    Labelled(Tensor, Vec<String>),
    /// The columns of all rows in one dimension: `[rows, n]` as `[1, rows * n]`.
    Merged(Tensor),
    /// The tokens of a column of text, as many as there are.
    Tokens(Tensor, TokenRule),
    /// A value of the neural engine, one dimension of which has several elements for each row.
    Blocked(Columns, NetShape),
}

/// A value of each row. Its shape may lack the rows: then it is the same for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) columns: Columns,
    pub(crate) shape: Shape,
}

/// Which engine runs a node that both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    /// The tabular engine, with its exact integers and 64-bit floats.
    Engine,
    /// The neural engine: to test it.
    #[cfg(test)]
    Neural,
}

/// The most values of constants that nodes compute: as many as the largest file has.
const MAX_COMPUTED: usize = 1 << 27;

/// Lowers a model.
pub(crate) fn lower(model: &proto::Model) -> Result<ImportedModel, OnnxError> {
    lower_with(model, Preference::Engine)
}

/// Lowers a model. `preference` says which runtime has a node that both have.
pub(crate) fn lower_with(model: &proto::Model, preference: Preference) -> Result<ImportedModel, OnnxError> {
    let graph = &model.graph;
    let order = node_order::order(graph)?;
    let mut operators = BTreeMap::new();
    for index in &order {
        *operators.entry(graph.nodes[*index].full_operator()).or_default() += 1;
    }
    let (mut builder, mut values) = with_inputs(graph)?;
    let mut parts = HashMap::new();
    let mut computed = 0_usize;
    for index in &order {
        let node = &graph.nodes[*index];
        let results = match lower_node(model, node, &values, &mut builder, preference)? {
            NodePlacement::Engine(results) => results,
            NodePlacement::Neural(part) => {
                let mut results = Vec::with_capacity(part.results.len());
                for (kind, shape) in &part.results {
                    let columns = builder.columns(*kind, net_width(node, shape)?)?;
                    results.push(subgraphs::result_value(columns, shape));
                }
                parts.insert(*index, part);
                results
            }
        };
        for (name, value) in node.outputs.iter().zip(results) {
            if let Value::Constant(constant) = &value {
                computed += constant.values.len();
            }
            if computed > MAX_COMPUTED {
                let fault = format!("its nodes compute more than {MAX_COMPUTED} values of constants");
                return Err(OnnxError::Size { fault });
            }
            values.insert(name, value);
        }
    }
    let mut neural_operators = Vec::new();
    if !parts.is_empty() {
        let check = |index: usize| check_for_neural(model, &graph.nodes[index], &values).ok();
        let plan = Plan::new(graph, &order, &values, parts, check);
        neural_operators = plan.operators(graph);
        (builder, values) = lower_stages(model, &order, &plan, values)?;
    }
    let mut outputs = Vec::new();
    for output in &graph.outputs {
        let (columns, labels) = match values.get(&output.name[..]) {
            Some(Value::Tensor(tensor)) => (rows_first(&output.name, tensor)?, Vec::new()),
            Some(Value::Labelled(tensor, labels)) => (rows_first(&output.name, tensor)?, labels.clone()),
            Some(Value::Constant(constant)) => {
                (builder.constants("Constant", constant.values.clone())?, Vec::new())
            }
            Some(Value::Shape(_) | Value::Merged(_) | Value::Tokens(..) | Value::Blocked(..)) | None => {
                let fault = format!("output {:?} is no value of a row", output.name).into();
                return Err(OnnxError::Graph { fault });
            }
        };
        builder.output(&output.name, columns);
        outputs.push(GraphOutput { name: output.name.clone(), columns, labels });
    }
    let program = builder.finish()?;
    for (output, lowered) in outputs.iter_mut().zip(&program.outputs) {
        output.columns = lowered.columns;
    }
    Ok(ImportedModel {
        program,
        outputs,
        operators,
        neural_operators,
        producer: model.producer.clone(),
        metadata: model.metadata.clone(),
    })
}

/// A builder with the inputs of a graph, and the values of inputs and constants.
fn with_inputs(graph: &proto::Graph) -> Result<(ProgramBuilder, HashMap<&str, Value>), OnnxError> {
    let mut builder = ProgramBuilder::new();
    let mut values: HashMap<&str, Value> = HashMap::new();
    for tensor in &graph.initializers {
        values.insert(&tensor.name, Value::Constant(Constant::parse(tensor)?));
    }
    for input in &graph.inputs {
        // Older files list the constants among the inputs.
        if values.contains_key(&input.name[..]) {
            continue;
        }
        let tensor = lower_input(input, &mut builder)?;
        values.insert(&input.name, Value::Tensor(tensor));
    }
    Ok((builder, values))
}

/// Lowers a graph with subgraphs, of which `values` has all values.
fn lower_stages<'m>(
    model: &'m proto::Model,
    order: &[usize],
    plan: &Plan,
    values: HashMap<&'m str, Value>,
) -> Result<(ProgramBuilder, HashMap<&'m str, Value>), OnnxError> {
    let graph = &model.graph;
    let (mut builder, inputs) = with_inputs(graph)?;
    let is_fixed = |value: &Value| matches!(value, Value::Constant(_) | Value::Shape(_));
    let mut values: HashMap<&str, Value> = values.into_iter().filter(|(_, value)| is_fixed(value)).collect();
    values.extend(inputs);
    for stage in 0..plan.stages() {
        plan.add_subgraph(graph, order, stage, &mut values, &mut builder)?;
        for index in plan.engine_nodes(order, stage) {
            let node = &graph.nodes[index];
            let results = lower_in_engine(model, node, &values, &mut builder)
                .map_err(|fault| node_error(node, fault))?;
            for (name, value) in node.outputs.iter().zip(results) {
                values.insert(name, value);
            }
        }
    }
    Ok((builder, values))
}

/// The number of columns of a result of the neural engine.
fn net_width(node: &proto::Node, shape: &[neural::shape::NetDim]) -> Result<usize, OnnxError> {
    let fixed: Vec<Dim> = shape.iter().map(|dim| Dim::Fixed(dim.length)).collect();
    shape::width(&fixed).map_err(|fault| node_error(node, fault))
}

/// The columns of an output. Its first dimension of another length than 1 has to be that of the rows, unless it is the same
/// for all rows.
fn rows_first(name: &str, tensor: &Tensor) -> Result<Columns, OnnxError> {
    if shape::rows_axis(&tensor.shape).is_none() {
        return Ok(tensor.columns);
    }
    match tensor.shape.iter().find(|dim| **dim != Dim::Fixed(1)) {
        None | Some(Dim::Rows) => Ok(tensor.columns),
        Some(Dim::Fixed(_)) => {
            let fault =
                format!("output {name:?} has the shape {}, expected rows first", shape::text(&tensor.shape));
            Err(OnnxError::Graph { fault: fault.into() })
        }
    }
}

fn lower_input(input: &proto::ValueInfo, builder: &mut ProgramBuilder) -> Result<Tensor, OnnxError> {
    let error = |fault: Fault| OnnxError::Graph { fault: fault.at(&format!("input {:?} ", input.name)) };
    let unusable = |reason: &str, remedy| error(Fault::with_remedy(reason, remedy));
    let Some(tensor) = &input.tensor else {
        return Err(unusable("is no tensor", "export the model with tensors as inputs"));
    };
    let kind = tensor::value_kind(tensor.element_type).map_err(error)?;
    let Some(dimensions) = &tensor.dimensions else {
        return Err(unusable("has no shape", "export the model with the number of its columns"));
    };
    if dimensions.is_empty() {
        return Err(unusable("is a single number", "export the model with a dimension for rows"));
    }
    let mut shape = vec![Dim::Rows];
    for dimension in &dimensions[1..] {
        match usize::try_from(*dimension) {
            Ok(length) => shape.push(Dim::Fixed(length)),
            Err(_) if *dimension > 0 => return Err(error(format!("has the dimension {dimension}").into())),
            Err(_) => {
                let remedy = "export the model with the number of its columns";
                return Err(unusable("has a dimension without a number", remedy));
            }
        }
    }
    let width = shape::width(&shape).map_err(error)?;
    Ok(Tensor { columns: builder.input(&input.name, kind, width)?, shape })
}

impl Value {
    /// The kind of the elements.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Tensor(tensor)
            | Self::Labelled(tensor, _)
            | Self::Merged(tensor)
            | Self::Tokens(tensor, _) => tensor.columns.kind,
            Self::Constant(constant) => constant.values.kind(),
            Self::Shape(_) => Kind::Integer,
            Self::Blocked(columns, _) => columns.kind,
        }
    }

    /// The shape; of merged rows and of tokens that before, of blocked values that of their columns.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Tensor(tensor)
            | Self::Labelled(tensor, _)
            | Self::Merged(tensor)
            | Self::Tokens(tensor, _) => tensor.shape.clone(),
            Self::Constant(constant) => constant.shape(),
            Self::Shape(dimensions) => vec![Dim::Fixed(dimensions.len())],
            // No operator of the engine takes one.
            Self::Blocked(columns, _) => vec![Dim::Rows, Dim::Fixed(columns.width as usize)],
        }
    }
}
