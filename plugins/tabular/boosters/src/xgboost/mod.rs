//! XGBoost models: JSON and UBJSON, as `save_model` writes them.
//!
//! Trees (`gbtree`, `dart`) of one or several targets, with categories, and linear models (`gblinear`). Leaf values are
//! added to the base score in 32 bits, in the order of the trees, as XGBoost does.

mod objective;
mod trees;

use tabular_lowering::ProgramBuilder;
use tabular_lowering::trees::{TreeModel, lower};
use tabular_program::{Aggregate, Columns, Kind, Step, Values};

use crate::document::Value;
use crate::features::{self, Categories, required};
use crate::imported_model::{BoosterError, ImportedModel};
use objective::Objective;

/// Imports a model.
///
/// # Errors
/// If the file is damaged or the model has a part that is not supported.
pub fn import(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    imported_model(file).map_err(|error| error.at("read as a model of XGBoost"))
}

/// The parts of a model that its kind does not matter for.
struct Learner {
    features: usize,
    /// Sums of a row.
    groups: usize,
    /// The value of each sum before the first tree.
    start: Vec<f64>,
    names: Vec<String>,
    categories: Vec<Categories>,
}

fn imported_model(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    let document = Value::parse(file)?;
    let learner = document.at("learner")?;
    let objective = Objective::parse(learner.text("objective.name")?)?;
    let mut parts = read_learner(learner, &objective)?;
    let booster = learner.at("gradient_booster")?;
    let (model, weights) = match booster.text("name")? {
        "gbtree" => (booster.at("model")?, None),
        "dart" => (booster.at("gbtree.model")?, Some(booster.numbers("weight_drop")?)),
        "gblinear" => return linear(booster, parts, &objective),
        other => return Err(BoosterError::unsupported(format!("booster {other:?}"))),
    };
    parts.categories = trees::categories(model, parts.features)?;
    let used = trees::used_trees(learner, model)?;
    let trees = trees::parse(model, &parts, used, weights)?;
    let count = trees.len();
    let ensemble = lower(&TreeModel {
        features: Kind::Float,
        values: Kind::Float,
        aggregate: Aggregate::Sum,
        start: parts.start.clone(),
        trees,
    })?;
    let mut builder = ProgramBuilder::new();
    let from = features::inputs(&mut builder, Kind::Float, &parts.names, &parts.categories, f64::NAN)?;
    let to = builder.columns(Kind::Float, parts.groups)?;
    let ensemble = builder.ensemble(ensemble);
    builder.step("trees", Step::Trees { from, ensemble, to });
    finish(builder, parts, &objective, to, count)
}

fn read_learner(learner: &Value, objective: &Objective) -> Result<Learner, BoosterError> {
    let parameters = learner.at("learner_model_param")?;
    let size = |name: &str| -> Result<usize, BoosterError> {
        let number = parameters.integer(name)?;
        match usize::try_from(number) {
            Ok(number) if number <= 1 << 20 => Ok(number),
            _ => Err(BoosterError::new(format!("{name} is {number}"))),
        }
    };
    let (features, classes) = (size("num_feature")?, size("num_class")?);
    let targets = if parameters.get("num_target").is_some() { size("num_target")? } else { 1 };
    let groups = classes.max(targets).max(1);
    let scores = base_scores(parameters.text("base_score")?)?;
    let start = match scores[..] {
        [score] => vec![objective.margin(score); groups],
        _ if scores.len() == groups => scores.iter().map(|score| objective.margin(*score)).collect(),
        _ => return Err(BoosterError::new(format!("it has {} base scores for {groups} sums", scores.len()))),
    };
    let names = learner.texts("feature_names")?;
    if !names.is_empty() && names.len() != features {
        return Err(BoosterError::new(format!("it has {} names for {features} features", names.len())));
    }
    Ok(Learner { features, groups, start, names, categories: vec![Categories::None; features] })
}

/// `5E-1`, or since version 3.1 `[5E-1,...]`.
fn base_scores(text: &str) -> Result<Vec<f32>, BoosterError> {
    text.trim_matches(['[', ']'])
        .split(',')
        .map(|score| match score.trim().parse() {
            Ok(score) if f32::is_finite(score) => Ok(score),
            _ => Err(BoosterError::new(format!("base_score {text:?} is no number"))),
        })
        .collect()
}

/// A linear model: a weight for each feature and sum, then a bias for each sum. A missing value counts as 0.
fn linear(booster: &Value, parts: Learner, objective: &Objective) -> Result<ImportedModel, BoosterError> {
    let weights = booster.numbers("model.weights")?;
    if weights.len() != (parts.features + 1) * parts.groups {
        return Err(BoosterError::new(format!(
            "it has {} weights for {} features and {} sums",
            weights.len(),
            parts.features,
            parts.groups
        )));
    }
    let (weights, bias) = weights.split_at(parts.features * parts.groups);
    let floats = |values: Vec<f32>| Values::Floats { values };
    let mut builder = ProgramBuilder::new();
    let features = builder.input("features", Kind::Float, parts.features)?;
    let present = builder.columns(Kind::Float, parts.features)?;
    builder.step(
        "features",
        Step::Impute {
            from: features,
            missing: floats(vec![f32::NAN]),
            replacements: floats(vec![0.0; parts.features]),
            to: present,
        },
    );
    let to = builder.columns(Kind::Float, parts.groups)?;
    // XGBoost adds the first base score to every sum.
    let start = parts.start[0] as f32;
    let bias = bias.iter().map(|bias| *bias as f32 + start).collect();
    builder.step(
        "weights",
        Step::Linear {
            from: present,
            weights: floats(weights.iter().map(|weight| *weight as f32).collect()),
            bias: floats(bias),
            groups: 1,
            to,
        },
    );
    finish(builder, parts, objective, to, 0)
}

fn finish(
    mut builder: ProgramBuilder,
    parts: Learner,
    objective: &Objective,
    margins: Columns,
    trees: usize,
) -> Result<ImportedModel, BoosterError> {
    let task = objective.add_outputs(&mut builder, margins)?;
    let program = builder.finish()?;
    Ok(ImportedModel {
        program,
        required: required(&parts.categories),
        class_names: Vec::new(),
        feature_names: parts.names,
        task,
        objective: objective.name.to_owned(),
        trees,
    })
}
