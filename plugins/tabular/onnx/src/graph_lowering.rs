//! Lowers a graph node by node.

use std::collections::{BTreeMap, HashMap};

use tabular_engine::{Buffers, Model, OutputColumns};
use tabular_lowering::ProgramBuilder;
use tabular_program::{Columns, Kind, TokenRule, Values};

use crate::error::{Fault, OnnxError};
use crate::neural::shape::NetShape;
use crate::neural::{self, NetPart, Refusal};
use crate::operators::{self, Call};
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
                let fault = format!("output {:?} is no value of a row", output.name);
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
            Err(OnnxError::Graph { fault })
        }
    }
}

fn lower_input(input: &proto::ValueInfo, builder: &mut ProgramBuilder) -> Result<Tensor, OnnxError> {
    let error = |fault: String| OnnxError::Graph { fault: format!("input {:?} {fault}", input.name) };
    let Some(tensor) = &input.tensor else {
        return Err(error("is no tensor; export the model with tensors as inputs".to_owned()));
    };
    let kind = tensor::value_kind(tensor.element_type).map_err(error)?;
    let Some(dimensions) = &tensor.dimensions else {
        return Err(error("has no shape; export the model with the number of its columns".to_owned()));
    };
    if dimensions.is_empty() {
        return Err(error("is a single number; export the model with a dimension for rows".to_owned()));
    }
    let mut shape = vec![Dim::Rows];
    for dimension in &dimensions[1..] {
        match usize::try_from(*dimension) {
            Ok(length) => shape.push(Dim::Fixed(length)),
            Err(_) if *dimension > 0 => return Err(error(format!("has the dimension {dimension}"))),
            Err(_) => {
                let fault =
                    "has a dimension without a number; export the model with the number of its columns";
                return Err(error(fault.to_owned()));
            }
        }
    }
    let width = shape::width(&shape).map_err(error)?;
    Ok(Tensor { columns: builder.input(&input.name, kind, width)?, shape })
}

/// Where a node is lowered to.
enum NodePlacement {
    /// Steps of the tabular engine, with their results.
    Engine(Vec<Value>),
    /// A part of a subgraph.
    Neural(NetPart),
}

fn node_error(node: &proto::Node, fault: Fault) -> OnnxError {
    OnnxError::Node { operator: node.full_operator(), node: node.label().to_owned(), fault }
}

/// Lowers a node for the tabular engine, or else for the neural engine.
fn lower_node(
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
            Refusal::Kind(fault_of_kind) if fault == operators::UNKNOWN => fault_of_kind,
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
        return Err("the file does not say which version of the operator it means".to_owned());
    };
    let inputs = node.inputs.iter().map(|name| values.get(&name[..]).cloned()).collect();
    Ok(Call { builder, node, inputs, version: *version })
}

/// Checks a node for the neural engine.
fn check_for_neural(
    model: &proto::Model,
    node: &proto::Node,
    values: &HashMap<&str, Value>,
) -> Result<NetPart, Refusal> {
    let mut builder = ProgramBuilder::new();
    let part = neural::check(&call(model, node, values, &mut builder)?)?;
    if part.results.len() < node.outputs.len() {
        return Err(Refusal::Use(format!("it has {} outputs", node.outputs.len())));
    }
    Ok(part)
}

/// Lowers a node to steps of the tabular engine.
fn lower_in_engine(
    model: &proto::Model,
    node: &proto::Node,
    values: &HashMap<&str, Value>,
    builder: &mut ProgramBuilder,
) -> Result<Vec<Value>, Fault> {
    let call = call(model, node, values, builder)?;
    if call.inputs.iter().flatten().any(|input| matches!(input, Value::Blocked(..))) {
        return Err("it takes rows and columns as one dimension".to_owned());
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
                return Err("its result has rows although its arguments are constant".to_owned());
            }
            builder.output("", tensor.columns);
        }
    }
    let program = builder.finish().map_err(|error| error.to_string())?;
    let model = Model::new(program).map_err(|error| error.to_string())?;
    let answers = model.run(1, &[], &mut Buffers::default()).map_err(|error| error.to_string())?;
    if let Some(failure) = answers.failures.first() {
        return Err(failure.message.clone());
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
            None => return Err("a constant was not computed".to_owned()),
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
