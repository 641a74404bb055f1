//! The features of a booster as inputs of a program.

use tabular_lowering::{BuildError, ProgramBuilder};
use tabular_program::{Columns, Kind, MISSING_INTEGER, MISSING_TEXT, Step, Values};

/// The categories of a feature, in the order of their codes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Categories {
    /// The feature is a number, or the code of a category.
    None,
    Texts(Vec<String>),
    Integers(Vec<i64>),
}

/// Whether each feature needs a value. XGBoost and LightGBM handle a missing number, and a missing category like an unknown
/// one. A feature needs a value if one of its categories looks like a missing one, because no model can distinguish the two.
pub(crate) fn required(categories: &[Categories]) -> Vec<bool> {
    let is_missing = |categories: &Categories| match categories {
        Categories::None => false,
        Categories::Texts(texts) => texts.iter().any(|text| text == MISSING_TEXT),
        Categories::Integers(numbers) => numbers.contains(&MISSING_INTEGER),
    };
    categories.iter().map(is_missing).collect()
}

/// Adds the inputs. Returns columns of a kind, one for each feature. An unknown category is `unknown`.
///
/// A model of numbers has one input, `features`. If a feature has categories, each feature has its own input.
pub(crate) fn inputs(
    builder: &mut ProgramBuilder,
    kind: Kind,
    names: &[String],
    categories: &[Categories],
    unknown: f64,
) -> Result<Columns, BuildError> {
    if categories.iter().all(|categories| *categories == Categories::None) {
        return builder.input("features", kind, categories.len());
    }
    let to = builder.columns(kind, categories.len())?;
    let number = |value: f64| match kind {
        Kind::Double => Values::Doubles { values: vec![value] },
        _ => Values::Floats { values: vec![value as f32] },
    };
    for (index, categories) in categories.iter().enumerate() {
        let name = names.get(index).cloned().unwrap_or_else(|| format!("f{index}"));
        let column = Columns { start: to.start + index as u32, width: 1, ..to };
        let (input_kind, keys) = match categories {
            Categories::None => {
                let from = builder.input(&name, kind, 1)?;
                builder.step(&name, Step::Copy { from, to: column });
                continue;
            }
            Categories::Texts(texts) => (Kind::Text, Values::Texts { values: texts.clone() }),
            Categories::Integers(numbers) => (Kind::Integer, Values::Integers { values: numbers.clone() }),
        };
        let from = builder.input(&name, input_kind, 1)?;
        let codes: Vec<f64> = (0..keys.len()).map(|code| code as f64).collect();
        let values = match kind {
            Kind::Double => Values::Doubles { values: codes },
            _ => Values::Floats { values: codes.into_iter().map(|code| code as f32).collect() },
        };
        builder.step(&name, Step::Encode { from, keys, values, default: number(unknown), to: column });
    }
    Ok(to)
}
