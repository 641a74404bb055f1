//! What classifiers of `ai.onnx.ml` have in common.

use tabular_program::{Columns, Kind, ScoreTransform, Step, Values};

use super::call::Call;
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::Dim;

/// The labels of a classifier.
pub(super) struct ClassLabels(Values);

impl ClassLabels {
    /// Reads the attributes: texts, or integers of the given name.
    pub(super) fn read(call: &Call<'_>, integers: &str) -> Result<Self, Fault> {
        let texts = call.text_list("classlabels_strings")?;
        Ok(Self(if texts.is_empty() {
            Values::Integers { values: call.integer_list(integers).to_vec() }
        } else {
            Values::Texts { values: texts }
        }))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the labels are integers.
    pub(super) fn are_integers(&self) -> bool {
        self.0.kind() == Kind::Integer
    }

    /// The labels of positions.
    pub(super) fn look_up(&self, call: &mut Call<'_>, position: Columns) -> Result<Value, Fault> {
        let to = call.result(self.0.kind(), vec![Dim::Rows])?;
        call.step(Step::Lookup { table: self.0.clone(), width: 1, index: position, to: to.columns });
        Ok(Value::Tensor(to))
    }

    /// The positions themselves as labels.
    pub(super) fn positions(position: Columns) -> Value {
        Value::Tensor(Tensor { columns: position, shape: vec![Dim::Rows] })
    }
}

/// The attribute `post_transform`.
pub(super) fn score_transform(call: &Call<'_>) -> Result<ScoreTransform, Fault> {
    Ok(match call.text("post_transform")?.unwrap_or("NONE") {
        "NONE" => ScoreTransform::None,
        "LOGISTIC" => ScoreTransform::Logistic,
        "SOFTMAX" => ScoreTransform::Softmax,
        "SOFTMAX_ZERO" => ScoreTransform::SoftmaxZero,
        "PROBIT" => ScoreTransform::Probit,
        other => return Err(format!("post_transform {other:?} does not exist").into()),
    })
}
