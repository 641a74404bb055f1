//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`.
//!
//! The results are those of ONNX Runtime, down to the last bit where its order of additions is fixed: sums in the order of
//! the trees, then the base values.

use tabular_lowering::trees::{self, TreeModel, TreeNode, TreeNodes};
use tabular_program::{
    Aggregate, BinaryFunction, ClassRule, Columns, Kind, MAX_PLANE_COLUMNS, ScoreTransform, Step,
};

use super::call::{Call, one};
use super::classifier::{ClassLabels, score_transform};
use super::elementwise;
use super::tree_attributes::{self, AttributeTrees, tree_kind};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::Dim;
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// How the trees of an ensemble become results.
pub(super) struct Combination {
    pub(super) aggregate: Aggregate,
    /// Whether sums are divided by the number of trees.
    pub(super) average: bool,
    pub(super) base: Vec<f64>,
    pub(super) transform: ScoreTransform,
}

/// Adds the step that sums the trees up.
fn sums(
    call: &mut Call<'_>,
    features: &Tensor,
    trees: Vec<TreeNodes>,
    targets: usize,
    aggregate: Aggregate,
) -> Result<Columns, Fault> {
    let kind = features.columns.kind;
    let start = match aggregate {
        Aggregate::Sum => 0.0,
        Aggregate::Minimum => f64::INFINITY,
        Aggregate::Maximum => f64::NEG_INFINITY,
    };
    let model = TreeModel { features: kind, values: kind, aggregate, start: vec![start; targets], trees };
    let ensemble = trees::lower(&model).map_err(|error| error.to_string())?;
    let to = call.columns(kind, targets)?;
    let ensemble = call.builder.ensemble(ensemble);
    call.step(Step::Trees { from: features.columns, ensemble, to });
    Ok(to)
}

/// The features in the kind that trees compare them in.
pub(super) fn tree_features(call: &mut Call<'_>) -> Result<Tensor, Fault> {
    let features = call.features(0)?;
    if features.columns.kind == Kind::Text {
        return Err("its features are text".into());
    }
    let kind = tree_kind(features.columns.kind);
    call.converted(features, kind)
}

/// The results of a regressor, in the kind of the features.
pub(super) fn regression(
    call: &mut Call<'_>,
    features: &Tensor,
    trees: Vec<TreeNodes>,
    targets: usize,
    combination: Combination,
) -> Result<Tensor, Fault> {
    let Combination { aggregate, average, base, transform } = combination;
    let count = trees.len();
    if aggregate != Aggregate::Sum {
        check_extremes(&trees, targets)?;
    }
    let columns = sums(call, features, trees, targets, aggregate)?;
    let shape = vec![Dim::Rows, Dim::Fixed(targets)];
    let mut result = Tensor { columns, shape };
    let kind = columns.kind;
    if average {
        let count = Constant { values: tensor::numbers(kind, &[count as f64]), dimensions: Vec::new() };
        result =
            elementwise::binary(call, BinaryFunction::Divide, Value::Tensor(result), Value::Constant(count))?;
    }
    if base.len() == targets {
        let base = Value::Constant(Constant::list(tensor::numbers(kind, &base)));
        result = elementwise::binary(call, BinaryFunction::Add, Value::Tensor(result), base)?;
    }
    // ONNX Runtime transforms a single result by the probit only.
    if transform == ScoreTransform::None || (targets == 1 && transform != ScoreTransform::Probit) {
        return Ok(result);
    }
    let scores = call.converted(result, Kind::Float)?;
    let to = call.result(Kind::Float, scores.shape.clone())?;
    call.step(Step::Transform { transform, from: scores.columns, to: to.columns });
    call.converted(to, kind)
}

/// A smallest or largest value needs a number from each leaf.
fn check_extremes(trees: &[TreeNodes], targets: usize) -> Result<(), Fault> {
    for node in trees.iter().flatten() {
        if let TreeNode::Leaf(values) = node {
            let complete = (0..targets as u32).all(|target| values.iter().any(|(other, _)| *other == target));
            if !complete || values.iter().any(|(_, value)| value.is_nan()) {
                return Err("a minimum or maximum of leaves without a number is not supported".into());
            }
        }
    }
    if trees.is_empty() { Err("it has no trees".into()) } else { Ok(()) }
}

/// `TreeEnsembleRegressor`.
pub(super) fn regressor(call: &mut Call<'_>) -> Lowered {
    let features = tree_features(call)?;
    let targets = call.integer("n_targets").unwrap_or(0);
    let targets = match u32::try_from(targets) {
        Ok(targets) if targets > 0 && targets <= MAX_PLANE_COLUMNS => targets,
        _ => {
            let most = MAX_PLANE_COLUMNS;
            return Err(format!("n_targets is {targets}, expected a number from 1 to {most}").into());
        }
    };
    let mut read = AttributeTrees::read(call, features.columns.width)?;
    read.add_weights(call, "target", targets)?;
    let (aggregate, average) = match call.text("aggregate_function")?.unwrap_or("SUM") {
        "SUM" => (Aggregate::Sum, false),
        "AVERAGE" => (Aggregate::Sum, true),
        "MIN" => (Aggregate::Minimum, false),
        "MAX" => (Aggregate::Maximum, false),
        other => return Err(format!("aggregate_function {other:?} does not exist").into()),
    };
    let base = tree_attributes::numbers(call, "base_values")?;
    let combination = Combination { aggregate, average, base, transform: score_transform(call)? };
    let result = regression(call, &features, read.trees, targets as usize, combination)?;
    // The result has 32 bits whatever the features have.
    one(call.converted(result, Kind::Float)?)
}

/// `TreeEnsembleClassifier`.
pub(super) fn classifier(call: &mut Call<'_>) -> Lowered {
    let features = tree_features(call)?;
    let labels = ClassLabels::read(call, "classlabels_int64s")?;
    let classes = labels.len();
    if classes < 2 {
        return Err(format!("a classifier of {classes} classes is not supported").into());
    }
    let mut read = AttributeTrees::read(call, features.columns.width)?;
    let weights = read.add_weights(call, "class", classes as u32)?;
    let transform = score_transform(call)?;
    let base = tree_attributes::numbers(call, "base_values")?;
    let rule = if classes > 2 {
        if !base.is_empty() && base.len() != classes {
            return Err(format!("it has {} base values for {classes} classes", base.len()).into());
        }
        ClassRule::Largest
    } else {
        let one_class = weights.windows(2).all(|pair| pair[0].target == pair[1].target);
        ClassRule::Binary { one_class, positive: weights.iter().all(|weight| weight.value >= 0.0) }
    };
    let presence = Presence::new(&read.trees, classes);
    // A single sum gives the scores of two classes if only the first one has weights.
    let single = classes == 2 && presence.always[0] && presence.never[1];
    if single && transform == ScoreTransform::Probit {
        return Err("the probit of a single score is not supported".into());
    }
    let width = if single { 1 } else { classes };
    let tracked = !single && presence.always.contains(&false);
    if tracked {
        add_presence(&mut read.trees, classes as u32);
    }
    let columns = sums(call, &features, read.trees, if tracked { 2 * width } else { width }, Aggregate::Sum)?;
    let part = |first: usize| Columns { start: columns.start + first as u32, width: width as u32, ..columns };
    let position = call.columns(Kind::Integer, 1)?;
    let to = call.result(Kind::Float, vec![Dim::Rows, Dim::Fixed(classes)])?;
    call.step(Step::Classes {
        sums: part(0),
        scored: tracked.then(|| part(width)),
        base: tensor::numbers(columns.kind, &base),
        rule,
        transform,
        label: position,
        to: to.columns,
    });
    // With weights of both classes ONNX Runtime answers 1 or 0, whatever the integer labels are.
    let literal = matches!(rule, ClassRule::Binary { one_class: false, .. }) && labels.are_integers();
    let label = if literal { ClassLabels::positions(position) } else { labels.look_up(call, position)? };
    Ok(vec![label, Value::Tensor(to)])
}

/// Which classes get a weight, whatever the row is.
struct Presence {
    /// Some tree gives every row a weight for the class.
    always: Vec<bool>,
    /// No leaf has a weight for the class.
    never: Vec<bool>,
}

impl Presence {
    fn new(trees: &[TreeNodes], classes: usize) -> Self {
        let mut presence = Self { always: vec![false; classes], never: vec![true; classes] };
        for tree in trees {
            let mut every_leaf = vec![true; classes];
            for node in tree {
                let TreeNode::Leaf(values) = node else { continue };
                let mut own = vec![false; classes];
                values.iter().for_each(|(class, _)| own[*class as usize] = true);
                for (class, own) in own.into_iter().enumerate() {
                    every_leaf[class] &= own;
                    presence.never[class] &= !own;
                }
            }
            presence.always.iter_mut().zip(every_leaf).for_each(|(always, every_leaf)| *always |= every_leaf);
        }
        presence
    }
}

/// Adds a target for each class that says whether the class has a weight.
fn add_presence(trees: &mut [TreeNodes], classes: u32) {
    for node in trees.iter_mut().flatten() {
        if let TreeNode::Leaf(values) = node {
            let mut present: Vec<u32> = values.iter().map(|(class, _)| *class).collect();
            present.sort_unstable();
            present.dedup();
            values.extend(present.into_iter().map(|class| (classes + class, 1.0)));
        }
    }
}
