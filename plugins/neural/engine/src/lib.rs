//! Runs the subgraphs of trained models with rten.
//!
//! rten answers some of ONNX's own node tests wrongly, and loads operators with attributes that it does not have. So the
//! importer (`tabular-onnx`, module `neural`) writes a subgraph of checked operators only, with all attributes and
//! fixed dimensions.
//!
//! Invariants:
//! - Only operators that the importer writes are registered; a file with another one is refused.
//! - A graph runs as it is written: rten's fusions, which no node test covers, are off.
//! - A result has the kind and the number of elements of its port, or the row fails.

use rten::{Model, ModelOptions, NodeId, OpRegistry, Value, ValueOrView, ValueView, op_registry};
use tabular_engine::{Graph, GraphEngine, GraphError, GraphValues};
use tabular_program::{Kind, Port};

/// Prepares graphs for rten.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeuralEngine;

/// The operators that the importer writes.
fn operators() -> OpRegistry {
    op_registry!(
        Abs,
        Acos,
        Add,
        And,
        Asin,
        Atan,
        AveragePool,
        BatchNormalization,
        Cast,
        Ceil,
        Clip,
        Concat,
        Conv,
        ConvTranspose,
        Cos,
        DepthToSpace,
        Div,
        Einsum,
        Elu,
        Equal,
        Erf,
        Exp,
        Expand,
        Floor,
        GRU,
        Gather,
        Gelu,
        Gemm,
        Greater,
        GreaterOrEqual,
        HardSigmoid,
        HardSwish,
        Identity,
        InstanceNormalization,
        LSTM,
        LayerNormalization,
        LeakyRelu,
        Less,
        LessOrEqual,
        Log,
        LogSoftmax,
        MatMul,
        Max,
        MaxPool,
        Mean,
        Min,
        Mul,
        Neg,
        Not,
        Or,
        PRelu,
        Pad,
        Pow,
        Reciprocal,
        ReduceL2,
        ReduceMax,
        ReduceMean,
        ReduceMin,
        ReduceProd,
        ReduceSum,
        ReduceSumSquare,
        Relu,
        Reshape,
        Round,
        Sigmoid,
        Sin,
        Slice,
        Softmax,
        Softplus,
        Softsign,
        Split,
        Sqrt,
        Sub,
        Sum,
        Tan,
        Tanh,
        Tile,
        Transpose,
        Trilu,
        Where,
        Xor
    )
}

impl GraphEngine for NeuralEngine {
    fn prepare(
        &self,
        file: Vec<u8>,
        inputs: &[Port],
        outputs: &[Port],
    ) -> Result<Box<dyn Graph>, GraphError> {
        let model = ModelOptions::with_ops(operators())
            .enable_optimization(false)
            .load(file)
            .map_err(|error| GraphError::new(error.to_string()))?;
        let fits = model.input_ids().len() == inputs.len() && model.output_ids().len() == outputs.len();
        if !fits {
            return Err(GraphError::new(format!(
                "a subgraph has {} inputs and {} outputs, expected {} and {}; import the model file again",
                model.input_ids().len(),
                model.output_ids().len(),
                inputs.len(),
                outputs.len()
            )));
        }
        let dimensions = |port: &Port| port.dimensions.iter().map(|length| *length as usize).collect();
        Ok(Box::new(NeuralGraph {
            inputs: model.input_ids().iter().copied().zip(inputs.iter().map(dimensions)).collect(),
            outputs: outputs.to_vec(),
            output_ids: model.output_ids().to_vec(),
            model,
        }))
    }
}

/// A graph that rten has loaded.
struct NeuralGraph {
    model: Model,
    inputs: Vec<(NodeId, Vec<usize>)>,
    outputs: Vec<Port>,
    output_ids: Vec<NodeId>,
}

impl Graph for NeuralGraph {
    fn run(&self, inputs: &[GraphValues]) -> Result<Vec<GraphValues>, GraphError> {
        let view = |((id, dimensions), values): (&(NodeId, Vec<usize>), _)| {
            view(dimensions, values).map(|view| (*id, ValueOrView::from(view)))
        };
        let inputs = self.inputs.iter().zip(inputs).map(view).collect::<Result<_, _>>()?;
        let results = self
            .model
            .run(inputs, &self.output_ids, None)
            .map_err(|error| GraphError::new(error.to_string()))?;
        self.outputs.iter().zip(results).map(|(port, result)| values(port, result)).collect()
    }
}

/// The elements of a tensor as rten takes them.
fn view<'a>(dimensions: &[usize], values: &'a GraphValues) -> Result<ValueView<'a>, GraphError> {
    match values {
        GraphValues::Floats(values) => {
            ValueView::from_shape(dimensions, values).map_err(|error| GraphError::new(error.to_string()))
        }
        GraphValues::Integers(values) => {
            ValueView::from_shape(dimensions, values).map_err(|error| GraphError::new(error.to_string()))
        }
    }
}

/// A result of rten as the elements of a port.
fn values(port: &Port, result: Value) -> Result<GraphValues, GraphError> {
    let values = match (result, port.columns.kind) {
        (Value::FloatTensor(tensor), Kind::Float) => GraphValues::Floats(tensor.into_data()),
        (Value::Int32Tensor(tensor), Kind::Integer | Kind::Boolean) => {
            GraphValues::Integers(tensor.into_data())
        }
        (result, kind) => {
            return Err(GraphError::new(format!("the graph computes {}, expected {kind:?}", result.dtype())));
        }
    };
    let length = match &values {
        GraphValues::Floats(values) => values.len(),
        GraphValues::Integers(values) => values.len(),
    };
    if length != port.columns.width as usize {
        return Err(GraphError::new(format!(
            "the graph computes {length} elements, expected {}",
            port.columns.width
        )));
    }
    Ok(values)
}
