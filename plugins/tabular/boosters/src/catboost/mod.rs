//! CatBoost models: JSON, as `save_model(format="json")` writes it.
//!
//! Features are numbers of 32 bits; leaf values and sums have 64 bits, as in CatBoost. A model of categorical, text or
//! embedding features is refused: its statistics of categories are hashed.

mod objective;
mod trees;

use tabular_lowering::ProgramBuilder;
use tabular_lowering::trees::{TreeModel, lower};
use tabular_program::{Aggregate, BinaryFunction, Columns, Kind, Operand, Step, Values};

use crate::document::Value;
use crate::imported_model::{BoosterError, ImportedModel};
use objective::Objective;

/// Imports a model.
///
/// # Errors
/// If the file is damaged or the model has a part that is not supported.
pub fn import(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    imported_model(file).map_err(|error| error.at("read as a model of CatBoost"))
}

/// Whether a document is a CatBoost model, and not one of XGBoost.
pub fn is_model(file: &[u8]) -> bool {
    // Both begin with a brace; the keys are sorted.
    let start = &file[..file.len().min(64)];
    start.windows(15).any(|window| window == b"\"features_info\"")
}

/// A feature, as CatBoost describes it.
pub(crate) struct Feature {
    name: String,
    /// Whether a missing value is above all borders.
    missing_is_true: bool,
    /// Whether the feature had missing values in training. Otherwise a missing value means nothing to the model.
    has_missing: bool,
}

fn imported_model(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    let document = Value::parse(file)?;
    let features = features(document.at("features_info")?)?;
    let objective = Objective::parse(&document)?;
    let (scale, bias) = scale_and_bias(&document)?;
    let targets = bias.len();
    let trees = trees::parse(&document, &features, targets)?;
    let count = trees.len();
    let ensemble = lower(&TreeModel {
        features: Kind::Float,
        values: Kind::Double,
        aggregate: Aggregate::Sum,
        start: vec![0.0; targets],
        trees,
    })?;
    let mut builder = ProgramBuilder::new();
    let from = builder.input("features", Kind::Float, features.len())?;
    let mut sums = builder.columns(Kind::Double, targets)?;
    let ensemble = builder.ensemble(ensemble);
    builder.step("trees", Step::Trees { from, ensemble, to: sums });
    for (function, numbers, neutral) in
        [(BinaryFunction::Multiply, vec![scale], 1.0), (BinaryFunction::Add, bias, 0.0)]
    {
        if numbers.iter().any(|number| *number != neutral) {
            sums = combine(&mut builder, function, sums, numbers)?;
        }
    }
    let task = objective.add_outputs(&mut builder, sums)?;
    let is_named = features.iter().all(|feature| !feature.name.is_empty());
    let names = features.iter().filter(|_| is_named).map(|feature| feature.name.clone()).collect();
    Ok(ImportedModel {
        program: builder.finish()?,
        feature_names: names,
        required: features.iter().map(|feature| !feature.has_missing).collect(),
        class_names: objective.classes,
        task,
        objective: objective.name,
        trees: count,
    })
}

fn combine(
    builder: &mut ProgramBuilder,
    function: BinaryFunction,
    sums: Columns,
    numbers: Vec<f64>,
) -> Result<Columns, BoosterError> {
    let to = builder.columns(Kind::Double, sums.width as usize)?;
    let left = Operand::Columns { columns: sums };
    let right = Operand::Constants { values: Values::Doubles { values: numbers } };
    builder.step("scale_and_bias", Step::Binary { function, left, right, to });
    Ok(to)
}

fn features(info: &Value) -> Result<Vec<Feature>, BoosterError> {
    for (key, kind) in [
        ("categorical_features", "categorical"),
        ("text_features", "text"),
        ("embedding_features", "embedding"),
    ] {
        let Some(Value::List(list)) = info.get(key) else { continue };
        if let Some(first) = list.first() {
            let name = first.text("feature_id").unwrap_or_default();
            let name =
                if name.is_empty() { "of position".to_owned() } else { format!("{name:?} of position") };
            let position = first.integer("flat_feature_index").unwrap_or(0);
            return Err(BoosterError::with_remedy(
                format!("the {kind} feature {name} {position} is not supported"),
                "encode it as numbers before training",
            ));
        }
    }
    let Value::List(list) = info.at("float_features")? else {
        return Err(BoosterError::new("it has no features"));
    };
    let mut features = Vec::with_capacity(list.len());
    for (position, feature) in list.iter().enumerate() {
        if feature.integer("flat_feature_index")? != position as i64 {
            return Err(BoosterError::new(format!("feature {position} is not in its place")));
        }
        features.push(Feature {
            name: feature.text("feature_id").unwrap_or_default().to_owned(),
            missing_is_true: match feature.text("nan_value_treatment")? {
                "AsTrue" => true,
                "AsFalse" | "AsIs" => false,
                other => {
                    return Err(BoosterError::unsupported(format!("nan_value_treatment {other:?}")));
                }
            },
            has_missing: matches!(feature.at("has_nans")?, Value::Boolean(true)),
        });
    }
    Ok(features)
}

/// What the sums are multiplied with, and what is added to each of them.
fn scale_and_bias(document: &Value) -> Result<(f64, Vec<f64>), BoosterError> {
    let error = || BoosterError::new("scale_and_bias is no number and a list of numbers");
    match document.at("scale_and_bias")? {
        // Models of one sum had a number before version 1.
        Value::Numbers(numbers) => match numbers[..] {
            [scale, bias] => Ok((scale, vec![bias])),
            _ => Err(error()),
        },
        Value::List(list) => match &list[..] {
            [Value::Number(scale), Value::Numbers(bias)] if !bias.is_empty() => Ok((*scale, bias.clone())),
            _ => Err(error()),
        },
        _ => Err(error()),
    }
}
