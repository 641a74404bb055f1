//! The operators that the neural engine has: what a node has to be so that rten computes what ONNX says.
//!
//! rten 0.27 answers some of ONNX's node tests wrongly without a message: `ArgMax` of equal values, `Sign` of 0, `MatMul`
//! with a vector, `Resize`, `NonMaxSuppression`, `DynamicQuantizeLinear`, `ReduceMax` of nothing. Others need attributes
//! that may be left out, such as strides. So nothing reaches rten but what is written here, in one form with all
//! attributes, and `tests::conformance` runs every node test of these operators.
//!
//! Invariants:
//! - An operator computes in 32-bit floats. Integers are moved, compared and used as positions only, since rten has 32 bits
//!   for them.
//! - No operator combines rows. A graph runs one row at a time, so a dimension of rows has the length 1 there.

mod call;
mod convolution;
mod elementwise;
mod layout;
mod matrix_product;
mod normalization;
mod recurrent_layers;
mod reductions;
mod reshape;
pub(crate) mod shape;

pub(crate) use call::{NetInput, NetPart};

use call::NetCall;

use crate::error::Fault;
use crate::operators::Call;

/// Why a node is not for the neural engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The neural engine does not have the operator.
    Operator,
    /// It has the operator for other kinds of values.
    Kind(Fault),
    /// It has the operator otherwise.
    Use(Fault),
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self::Use(reason.into())
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Use(reason.into())
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Use(fault)
    }
}

/// The oldest version of ONNX's operators whose attributes the checks know.
const OLDEST_OPERATOR_SET: i64 = 7;

/// The attributes of an operator that its check reads; none if the neural engine does not have the operator.
fn attributes(operator: &str) -> Option<&'static [&'static str]> {
    Some(match operator {
        "AveragePool" => {
            &["auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"]
        }
        "MaxPool" => {
            // The order of the positions, which are no output here, is left out.
            &["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"]
        }
        // The momentum is for training.
        "BatchNormalization" => &["epsilon", "momentum", "training_mode"],
        "Cast" => &["to"],
        "Clip" => &["max", "min"],
        "Concat" | "Flatten" | "Gather" | "LogSoftmax" | "Softmax" => &["axis"],
        "Conv" => &["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
        "ConvTranspose" => &[
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "output_padding",
            "output_shape",
            "pads",
            "strides",
        ],
        "DepthToSpace" | "SpaceToDepth" => &["blocksize", "mode"],
        // Ratio and seed are for training.
        "Dropout" => &["ratio", "seed"],
        "Einsum" => &["equation"],
        "Elu" | "LeakyRelu" | "Swish" => &["alpha"],
        "GRU" => &[
            "activation_alpha",
            "activation_beta",
            "activations",
            "clip",
            "direction",
            "hidden_size",
            "layout",
            "linear_before_reset",
        ],
        "LSTM" => &[
            "activation_alpha",
            "activation_beta",
            "activations",
            "clip",
            "direction",
            "hidden_size",
            "input_forget",
            "layout",
        ],
        "Gelu" => &["approximate"],
        "Gemm" => &["alpha", "beta", "transA", "transB"],
        "GroupNormalization" => &["epsilon", "num_groups", "stash_type"],
        "HardSigmoid" => &["alpha", "beta"],
        "InstanceNormalization" => &["epsilon"],
        "LayerNormalization" | "RMSNormalization" => &["axis", "epsilon", "stash_type"],
        "Pad" => &["mode", "pads", "value"],
        "Reshape" => &["allowzero", "shape"],
        "Slice" => &["axes", "ends", "starts"],
        "Split" => &["axis", "num_outputs", "split"],
        "Squeeze" | "Unsqueeze" => &["axes"],
        "Transpose" => &["perm"],
        "Trilu" => &["upper"],
        "ReduceL2" | "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceProd" | "ReduceSum"
        | "ReduceSumSquare" => &["axes", "keepdims", "noop_with_empty_axes"],
        "Expand" | "GlobalAveragePool" | "GlobalMaxPool" | "MatMul" | "Tile" | "Where" => &[],
        operator if elementwise::signature(operator).is_some() => &[],
        _ => return None,
    })
}

/// The nodes that are written for a node, or why it is refused.
type LoweredNode = Result<NetPart, Refusal>;

/// The nodes that are written for a node, if the neural engine has it.
pub(crate) fn check(call: &Call<'_>) -> LoweredNode {
    if !matches!(&call.node.domain[..], "" | "ai.onnx") {
        return Err(Refusal::Operator);
    }
    let known = attributes(&call.node.operator).ok_or(Refusal::Operator)?;
    if call.version < OLDEST_OPERATOR_SET {
        let reason = format!("operator set {} is older than {OLDEST_OPERATOR_SET}", call.version);
        return Err(Refusal::Kind(Fault::with_remedy(reason, "export the model with a newer one")));
    }
    if let Some(name) = call.node.attributes.keys().find(|name| !known.contains(&&name[..])) {
        return Err(Refusal::Kind(format!("attribute {name} is not supported").into()));
    }
    let net = NetCall::new(call);
    match &call.node.operator[..] {
        "AveragePool" | "MaxPool" => convolution::pool(net),
        "BatchNormalization" => normalization::batch(net),
        "Cast" => elementwise::cast(net),
        "Clip" => elementwise::clip(net),
        "Concat" => layout::concat(net),
        "Conv" => convolution::conv(net),
        "ConvTranspose" => convolution::conv_transpose(net),
        "DepthToSpace" => layout::depth_to_space(net),
        "Dropout" => elementwise::dropout(net),
        "Einsum" => matrix_product::einsum(net),
        "Expand" => layout::expand(net),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => reshape::reshape(net),
        "GRU" | "LSTM" => recurrent_layers::recurrent(net),
        "Gather" => layout::gather(net),
        "Gemm" => matrix_product::gemm(net),
        "GlobalAveragePool" | "GlobalMaxPool" => convolution::global_pool(net),
        "GroupNormalization" => normalization::group(net),
        "InstanceNormalization" => normalization::instance(net),
        "LayerNormalization" => normalization::layer(net),
        "LogSoftmax" | "Softmax" => normalization::softmax(net),
        "MatMul" => matrix_product::mat_mul(net),
        "Pad" => layout::pad(net),
        "RMSNormalization" => normalization::root_mean_square(net),
        "Slice" => layout::slice(net),
        "SpaceToDepth" => layout::space_to_depth(net),
        "Split" => layout::split(net),
        "Tile" => layout::tile(net),
        "Transpose" => layout::transpose(net),
        "Trilu" => layout::trilu(net),
        "Where" => elementwise::choose(net),
        operator => match elementwise::signature(operator) {
            Some(signature) => elementwise::lower(net, signature),
            None => reductions::lower(net),
        },
    }
}
