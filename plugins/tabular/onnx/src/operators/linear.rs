//! Matrix products and linear models.

use tabular_program::{BinaryFunction, Comparison, Kind, Operand, ScoreTransform, Step, Values};

use super::call::{Call, one};
use super::classifier::{ClassLabels, score_transform};
use super::elementwise;
use super::indexing::transposed;
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Dim};
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// `from * weights + bias`, for a matrix with one row for each column of a group.
fn multiply(
    call: &mut Call<'_>,
    from: &Tensor,
    weights: Values,
    bias: Values,
    width: usize,
) -> Result<Tensor, Fault> {
    let inner = match from.shape.last() {
        Some(Dim::Fixed(inner)) => *inner,
        _ => 1,
    };
    if inner == 0 || inner.checked_mul(width) != Some(weights.len()) {
        return Err(format!(
            "a matrix of {} values does not fit {}",
            weights.len(),
            shape::text(&from.shape)
        )
        .into());
    }
    let mut shape = from.shape.clone();
    match shape.last_mut() {
        Some(last @ Dim::Fixed(_)) => *last = Dim::Fixed(width),
        _ => shape.push(Dim::Fixed(width)),
    }
    let groups = from.columns.width / inner as u32;
    let to = call.result(from.columns.kind, shape)?;
    if groups > 0 {
        call.step(Step::Linear { from: from.columns, weights, bias, groups, to: to.columns });
    }
    Ok(to)
}

/// `MatMul` with a constant matrix.
pub(super) fn mat_mul(call: &mut Call<'_>) -> Lowered {
    let from = call.tensor(0)?;
    let matrix = call.constant(1)?;
    if matrix.values.kind() != from.columns.kind || from.columns.kind == Kind::Text {
        return Err(format!("it multiplies {:?} by {:?}", from.columns.kind, matrix.values.kind()).into());
    }
    if !matches!(from.shape.last(), Some(Dim::Fixed(_))) {
        return Err("it multiplies along the rows".into());
    }
    let none = tensor::numbers(from.columns.kind, &[]);
    match matrix.dimensions[..] {
        [_, width] => one(multiply(call, &from, matrix.values, none, width)?),
        [_] => {
            let mut product = multiply(call, &from, matrix.values, none, 1)?;
            product.shape.pop();
            one(product)
        }
        _ => Err(format!("a matrix of {} dimensions is not supported", matrix.dimensions.len()).into()),
    }
}

/// `Gemm` with a constant matrix.
pub(super) fn gemm(call: &mut Call<'_>) -> Lowered {
    let from = call.tensor(0)?;
    let kind = from.columns.kind;
    let matrix = call.constant(1)?;
    if call.integer("transA").unwrap_or(0) != 0 {
        return Err("transA=1 combines rows".into());
    }
    if matrix.dimensions.len() != 2
        || matrix.values.kind() != kind
        || !matches!(kind, Kind::Float | Kind::Double)
    {
        return Err("its second argument is no matrix of floats".into());
    }
    if !matches!(from.shape[..], [_, Dim::Fixed(_)]) {
        return Err(format!("its first argument has the shape {}", shape::text(&from.shape)).into());
    }
    let matrix = if call.integer("transB").unwrap_or(0) != 0 { transposed(&matrix) } else { matrix };
    let (alpha, beta) = (call.float("alpha").unwrap_or(1.0), call.float("beta").unwrap_or(1.0));
    let width = matrix.dimensions[1];
    let scaled = |values: &Values, factor: f32| -> Result<Values, Fault> {
        if factor == 1.0 {
            return Ok(values.clone());
        }
        let products: Vec<f64> =
            tensor::doubles(values)?.iter().map(|value| value * f64::from(factor)).collect();
        Ok(tensor::numbers(kind, &products))
    };
    let weights = scaled(&matrix.values, alpha)?;
    let mut bias = tensor::numbers(kind, &[]);
    let mut added = None;
    if call.has(2) && beta != 0.0 {
        match call.input(2)? {
            Value::Constant(constant)
                if constant.values.kind() == kind && matches!(constant.dimensions[..], [] | [_] | [1, _]) =>
            {
                let values = scaled(&constant.values, beta)?;
                if values.len() != 1 && values.len() != width {
                    return Err(format!(
                        "its third argument has {} values for {width} columns",
                        values.len()
                    )
                    .into());
                }
                bias = tensor::repeated(&values, width);
            }
            other if beta == 1.0 => added = Some(other),
            _ => return Err("its third argument depends on the row, and beta is not 1".into()),
        }
    }
    let product = multiply(call, &from, weights, bias, width)?;
    match added {
        Some(added) => one(elementwise::binary(call, BinaryFunction::Add, Value::Tensor(product), added)?),
        None => one(product),
    }
}

/// The coefficients of a linear model as a matrix with one column for each target.
fn coefficients(call: &Call<'_>, features: &Tensor, targets: usize) -> Result<Values, Fault> {
    let inner = features.columns.width as usize;
    let coefficients = call.float_list("coefficients");
    if targets == 0 || coefficients.len() != inner * targets {
        return Err(format!(
            "it has {} coefficients for {inner} features and {targets} targets",
            coefficients.len()
        )
        .into());
    }
    let values = Values::Floats { values: coefficients.to_vec() };
    Ok(transposed(&Constant { values, dimensions: vec![targets, inner] }).values)
}

/// `LinearRegressor`.
pub(super) fn linear_regressor(call: &mut Call<'_>) -> Lowered {
    let features = call.features(0)?;
    let features = call.converted(features, Kind::Float)?;
    let targets = call.integer("targets").unwrap_or(1);
    let targets = usize::try_from(targets).map_err(|_| format!("{targets} targets"))?;
    let weights = coefficients(call, &features, targets)?;
    let intercepts = call.float_list("intercepts").to_vec();
    if !intercepts.is_empty() && intercepts.len() != targets {
        return Err(format!("it has {} intercepts for {targets} targets", intercepts.len()).into());
    }
    let scores = multiply(call, &features, weights, Values::Floats { values: intercepts }, targets)?;
    one(transformed(call, score_transform(call)?, scores)?)
}

fn transformed(call: &mut Call<'_>, transform: ScoreTransform, scores: Tensor) -> Result<Tensor, Fault> {
    // A single score is its own softmax in ONNX Runtime.
    let softmax = matches!(transform, ScoreTransform::Softmax | ScoreTransform::SoftmaxZero);
    if transform == ScoreTransform::None || (softmax && scores.columns.width == 1) {
        return Ok(scores);
    }
    let to = call.result(Kind::Float, scores.shape.clone())?;
    call.step(Step::Transform { transform, from: scores.columns, to: to.columns });
    Ok(to)
}

/// `LinearClassifier`.
pub(super) fn linear_classifier(call: &mut Call<'_>) -> Lowered {
    let features = call.features(0)?;
    let features = call.converted(features, Kind::Float)?;
    let labels = ClassLabels::read(call, "classlabels_ints")?;
    let intercepts = call.float_list("intercepts").to_vec();
    let classes = intercepts.len();
    let weights = coefficients(call, &features, classes)?;
    let transform = score_transform(call)?;
    let scores = multiply(call, &features, weights, Values::Floats { values: intercepts }, classes)?;
    if classes == 1 {
        if labels.len() != 2 {
            return Err(format!("it has one score and {} labels", labels.len()).into());
        }
        let is_positive = call.result(Kind::Boolean, scores.shape.clone())?;
        call.step(Step::Compare {
            comparison: Comparison::Greater,
            left: Operand::Columns { columns: scores.columns },
            right: Operand::Constants { values: Values::Floats { values: vec![0.0] } },
            to: is_positive.columns,
        });
        let position = call.converted(is_positive, Kind::Integer)?;
        let label = labels.look_up(call, position.columns)?;
        return Ok(vec![label, Value::Tensor(two_scores(call, transform, scores)?)]);
    }
    if labels.len() != classes {
        return Err(format!("it has {classes} scores and {} labels", labels.len()).into());
    }
    let position = call.columns(Kind::Integer, 1)?;
    let axis = tabular_program::Axis { outer: 1, length: classes as u32, inner: 1 };
    call.step(Step::Position { largest: true, last: false, from: scores.columns, axis, to: position });
    let label = labels.look_up(call, position)?;
    Ok(vec![label, Value::Tensor(transformed(call, transform, scores)?)])
}

/// One score of a classifier as two.
fn two_scores(call: &mut Call<'_>, transform: ScoreTransform, score: Tensor) -> Result<Tensor, Fault> {
    let score = match transform {
        ScoreTransform::Logistic
        | ScoreTransform::None
        | ScoreTransform::Softmax
        | ScoreTransform::SoftmaxZero => score,
        ScoreTransform::Probit => return Err("the probit of a single score is not supported".into()),
    };
    let to = call.result(Kind::Float, vec![Dim::Rows, Dim::Fixed(2)])?;
    let column = |position: u32| tabular_program::Columns {
        start: to.columns.start + position,
        width: 1,
        ..to.columns
    };
    call.step(Step::Binary {
        function: BinaryFunction::Subtract,
        left: Operand::Constants { values: Values::Floats { values: vec![1.0] } },
        right: Operand::Columns { columns: score.columns },
        to: column(0),
    });
    call.step(Step::Copy { from: score.columns, to: column(1) });
    Ok(to)
}
