//! The operators, lowered one by one.
//!
//! Names of operators and attributes are those of ONNX.

mod call;
mod classifier;
mod dense_layers;
mod elementwise;
mod encoders;
mod indexing;
mod linear;
mod reductions;
mod scalers;
mod scan;
mod shapes;
mod support_vectors;
mod text;
mod tree_attributes;
mod tree_ensemble;
mod trees;

pub(crate) use call::Call;

use crate::error::Fault;
use crate::graph_lowering::Value;

/// Lowers a node. Returns the values of its outputs, as many as there are.
pub(crate) fn lower(mut call: Call<'_>) -> Result<Vec<Value>, Fault> {
    let domain = if call.node.domain == "ai.onnx" { "" } else { &call.node.domain[..] };
    let call = &mut call;
    match (domain, &call.node.operator[..]) {
        ("ai.onnx.ml", "ArrayFeatureExtractor") => indexing::array_feature_extractor(call),
        ("ai.onnx.ml", "Binarizer") => scalers::binarizer(call),
        ("ai.onnx.ml", "CategoryMapper") => encoders::category_mapper(call),
        ("ai.onnx.ml", "CastMap" | "DictVectorizer") => {
            Err(Fault::with_remedy("maps are not supported", "export the model with tensors as inputs"))
        }
        ("ai.onnx.ml", "FeatureVectorizer") => shapes::feature_vectorizer(call),
        ("ai.onnx.ml", "Imputer") => scalers::imputer(call),
        ("ai.onnx.ml", "LabelEncoder") => encoders::label_encoder(call),
        ("ai.onnx.ml", "LinearClassifier") => linear::linear_classifier(call),
        ("ai.onnx.ml", "LinearRegressor") => linear::linear_regressor(call),
        ("ai.onnx.ml", "Normalizer") => scalers::normalizer(call),
        ("ai.onnx.ml", "OneHotEncoder") => encoders::one_hot_encoder(call),
        ("ai.onnx.ml", "Scaler") => scalers::scaler(call),
        ("ai.onnx.ml", "SVMClassifier") => support_vectors::classifier(call),
        ("ai.onnx.ml", "SVMRegressor") => support_vectors::regressor(call),
        ("ai.onnx.ml", "TreeEnsemble") => tree_ensemble::tree_ensemble(call),
        ("ai.onnx.ml", "TreeEnsembleClassifier") => trees::classifier(call),
        ("ai.onnx.ml", "TreeEnsembleRegressor") => trees::regressor(call),
        ("ai.onnx.ml", "ZipMap") => encoders::zip_map(call),
        ("com.microsoft", "CDist") => scan::c_dist(call),
        ("com.microsoft", "Tokenizer") => text::tokenizer(call),
        ("", "ArgMax" | "ArgMin") => reductions::position(call),
        ("", "BatchNormalization") => dense_layers::batch_normalization(call),
        ("", "Cast") => elementwise::cast(call),
        ("", "Clip") => elementwise::clip(call),
        ("", "Concat") => shapes::concat(call),
        ("", "Constant") => shapes::constant(call),
        ("", "ConstantOfShape") => shapes::constant_of_shape(call),
        ("", "CumSum") => reductions::cumulative_sum(call),
        ("", "Dropout") => dense_layers::dropout(call),
        ("", "Expand") => shapes::expand(call),
        ("", "Flatten") => shapes::flatten(call),
        ("", "Gather") => indexing::gather(call),
        ("", "GatherElements") => indexing::gather_elements(call),
        ("", "Gemm") => linear::gemm(call),
        ("", "Identity") => shapes::identity(call),
        ("", "LogSoftmax" | "Softmax") => reductions::softmax(call),
        ("", "LpNormalization") => reductions::lp_normalization(call),
        ("", "MatMul") => linear::mat_mul(call),
        ("", "Max" | "Mean" | "Min" | "Sum") => elementwise::variadic(call),
        ("", "PRelu") => dense_layers::p_relu(call),
        ("", "Reshape") => shapes::reshape(call),
        ("", "Scan") => scan::scan(call),
        ("", "Shape") => shapes::shape(call),
        ("", "Slice") => indexing::slice(call),
        ("", "Split") => indexing::split(call),
        ("", "Squeeze") => shapes::squeeze(call),
        ("", "StringNormalizer") => text::string_normalizer(call),
        ("", "TfIdfVectorizer") => text::tf_idf_vectorizer(call),
        ("", "TopK") => reductions::top_k(call),
        ("", "Transpose") => indexing::transpose(call),
        ("", "Unsqueeze") => shapes::unsqueeze(call),
        ("", "Where") => elementwise::choose(call),
        ("", operator) => {
            match elementwise::lower(operator, call).or_else(|| reductions::lower(operator, call)) {
                Some(result) => result,
                None => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

/// Why an operator is refused that the engine does not have.
const UNKNOWN: &str = "the operator is not supported";

pub(crate) fn unknown() -> Fault {
    UNKNOWN.into()
}
