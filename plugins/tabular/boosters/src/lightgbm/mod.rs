//! LightGBM models: text, as `save_model` writes it.
//!
//! Thresholds, leaf values and sums have 64 bits, and categories are sets, as in LightGBM.

mod objective;
mod text;
mod trees;

use tabular_lowering::ProgramBuilder;
use tabular_lowering::trees::{TreeModel, lower};
use tabular_program::{Aggregate, BinaryFunction, Kind, Operand, Step, Values};

use crate::document::Value;
use crate::features::{self, Categories, required};
use crate::imported_model::{BoosterError, ImportedModel};
use objective::Objective;
use text::{Section, Sections};

/// Imports a model.
///
/// # Errors
/// If the file is damaged or the model has a part that is not supported.
pub fn import(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    imported_model(file).map_err(|error| error.at("read as a model of LightGBM"))
}

fn imported_model(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    let Sections { header, trees: sections, pandas_categories } = Sections::parse(file)?;
    let features = header.size("max_feature_idx")? + 1;
    let names: Vec<String> = header.text("feature_names")?.split(' ').map(str::to_owned).collect();
    if names.len() != features {
        return Err(BoosterError::new(format!("it has {} names for {features} features", names.len())));
    }
    let sums = header.size("num_tree_per_iteration")?;
    if sums == 0 || sections.len() % sums != 0 {
        return Err(BoosterError::new(format!("it has {} trees for {sums} sums", sections.len())));
    }
    if header.optional("num_class").is_some() && header.size("num_class")? != sums {
        let classes = header.size("num_class")?;
        return Err(BoosterError::new(format!(
            "num_class is {classes}, and num_tree_per_iteration is {sums}"
        )));
    }
    if let Some(sizes) = header.optional("tree_sizes") {
        let listed = sizes.split_ascii_whitespace().count();
        if listed != sections.len() {
            return Err(BoosterError::new(format!(
                "tree_sizes has {listed} trees, and the file has {}",
                sections.len()
            )));
        }
    }
    let objective = Objective::parse(header.optional("objective").unwrap_or("custom"))?;
    let categories = categories(&header, features, pandas_categories.as_ref())?;
    let mut trees = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        let tree = trees::parse(section, features, (index % sums) as u32);
        trees.push(tree.map_err(|error| error.at(format_args!("tree {index}")))?);
    }
    let ensemble = lower(&TreeModel {
        features: Kind::Double,
        values: Kind::Double,
        aggregate: Aggregate::Sum,
        start: vec![0.0; sums],
        trees,
    })?;
    let mut builder = ProgramBuilder::new();
    let from = features::inputs(&mut builder, Kind::Double, &names, &categories, f64::NAN)?;
    let mut results = builder.columns(Kind::Double, sums)?;
    let ensemble = builder.ensemble(ensemble);
    builder.step("trees", Step::Trees { from, ensemble, to: results });
    if header.has_line("average_output") && !sections.is_empty() {
        let iterations = (sections.len() / sums) as f64;
        let to = builder.columns(Kind::Double, sums)?;
        builder.step(
            "average_output",
            Step::Binary {
                function: BinaryFunction::Divide,
                left: Operand::Columns { columns: results },
                right: Operand::Constants { values: Values::Doubles { values: vec![iterations] } },
                to,
            },
        );
        results = to;
    }
    let task = objective.add_outputs(&mut builder, results)?;
    let program = builder.finish()?;
    Ok(ImportedModel {
        program,
        required: required(&categories),
        class_names: Vec::new(),
        feature_names: names,
        task,
        objective: objective.name,
        trees: sections.len(),
    })
}

/// The names of categories that pandas gave, by feature. They are listed in the order of the features that have some; those
/// features have no range but a list of numbers.
fn categories(
    header: &Section,
    features: usize,
    names: Option<&Value>,
) -> Result<Vec<Categories>, BoosterError> {
    let mut all = vec![Categories::None; features];
    let Some(Value::List(names)) = names else { return Ok(all) };
    let infos: Vec<&str> = header.text("feature_infos")?.split(' ').collect();
    let categorical: Vec<usize> = (0..features)
        .filter(|index| infos.get(*index).is_some_and(|info| !info.starts_with('[') && *info != "none"))
        .collect();
    if categorical.len() != names.len() {
        let (named, found) = (names.len(), categorical.len());
        return Err(BoosterError::with_remedy(
            format!("pandas gave names to the categories of {named} features, but {found} have categories"),
            "train with category codes",
        ));
    }
    for (feature, names) in categorical.into_iter().zip(names) {
        all[feature] = match names {
            Value::Numbers(numbers) if numbers.iter().all(|number| number.fract() == 0.0) => {
                Categories::Integers(numbers.iter().map(|number| *number as i64).collect())
            }
            Value::List(texts) => Categories::Texts(
                texts
                    .iter()
                    .map(|text| match text {
                        Value::Text(text) => Ok(text.clone()),
                        _ => Err(BoosterError::new(
                            "the names of its categories are neither text nor integers",
                        )),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            _ => return Err(BoosterError::new("the names of its categories are neither text nor integers")),
        };
    }
    Ok(all)
}
