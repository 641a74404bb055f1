//! Encoders of `ai.onnx.ml`, and `ZipMap`.

use std::collections::HashSet;

use tabular_program::{Kind, Step, Unknown, Values};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::Value;
use crate::shape::Dim;
use crate::tensor;

type Lowered = Result<Vec<Value>, Fault>;

/// `OneHotEncoder`.
pub(super) fn one_hot_encoder(call: &mut Call<'_>) -> Lowered {
    let texts = call.text_list("cats_strings")?;
    let categories = if texts.is_empty() {
        Values::Integers { values: call.integer_list("cats_int64s").to_vec() }
    } else {
        Values::Texts { values: texts }
    };
    if categories.is_empty() {
        return Err("it has no categories".into());
    }
    check_distinct(&categories)?;
    let tensor = call.tensor(0)?;
    if (tensor.columns.kind == Kind::Text) != (categories.kind() == Kind::Text) {
        return Err(format!("its argument is {:?}, its categories are not", tensor.columns.kind).into());
    }
    // Numbers are cut to integers, as in ONNX Runtime.
    let tensor = call.converted(tensor, categories.kind())?;
    let unknown = if call.integer("zeros").unwrap_or(1) == 0 { Unknown::Fails } else { Unknown::Zeros };
    let mut shape = tensor.shape.clone();
    shape.push(Dim::Fixed(categories.len()));
    let to = call.result(Kind::Float, shape)?;
    call.step(Step::OneHot { from: tensor.columns, categories, unknown, to: to.columns });
    one(to)
}

/// Numbers by their bits, so that all NaNs are one.
fn number_keys(values: &Values) -> Result<Vec<u64>, Fault> {
    Ok(match values {
        Values::Integers { values } => values.iter().map(|value| *value as u64).collect(),
        other => tensor::doubles(other)?
            .into_iter()
            .map(|value| if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() })
            .collect(),
    })
}

fn check_distinct(values: &Values) -> Result<(), Fault> {
    let distinct = match values {
        Values::Texts { values } => values.iter().collect::<HashSet<_>>().len(),
        other => number_keys(other)?.into_iter().collect::<HashSet<_>>().len(),
    };
    if distinct == values.len() { Ok(()) } else { Err("a key is listed twice".into()) }
}

/// `LabelEncoder`. Version 1 has a list of classes; since version 2 there are keys and values, since version 4 also as
/// tensors.
pub(super) fn label_encoder(call: &mut Call<'_>) -> Lowered {
    if call.version < 2 {
        let classes = call.text_list("classes_strings")?;
        return between_texts_and_positions(call, classes);
    }
    let keys = keys_or_values(call, "keys")?;
    let values = keys_or_values(call, "values")?;
    if keys.len() != values.len() {
        return Err(format!("it has {} keys and {} values", keys.len(), values.len()).into());
    }
    let default = match call.tensor_attribute("default_tensor")? {
        Some(constant) if constant.values.kind() == values.kind() && constant.values.len() == 1 => {
            constant.values
        }
        Some(_) => return Err("default_tensor is no value of the kind of the values".into()),
        None => match values.kind() {
            Kind::Text => {
                Values::Texts { values: vec![call.text("default_string")?.unwrap_or("_Unused").to_owned()] }
            }
            Kind::Integer => Values::Integers { values: vec![call.integer("default_int64").unwrap_or(-1)] },
            kind => tensor::numbers(kind, &[f64::from(call.float("default_float").unwrap_or(-0.0))]),
        },
    };
    encode(call, keys, values, default)
}

fn keys_or_values(call: &Call<'_>, name: &str) -> Result<Values, Fault> {
    let texts = call.text_list(&format!("{name}_strings"))?;
    if !texts.is_empty() {
        return Ok(Values::Texts { values: texts });
    }
    let integers = call.integer_list(&format!("{name}_int64s"));
    if !integers.is_empty() {
        return Ok(Values::Integers { values: integers.to_vec() });
    }
    let floats = call.float_list(&format!("{name}_floats"));
    if !floats.is_empty() {
        return Ok(Values::Floats { values: floats.to_vec() });
    }
    match call.tensor_attribute(&format!("{name}_tensor"))? {
        Some(constant) => Ok(constant.values),
        None => Err(format!("it has no {name}").into()),
    }
}

fn encode(call: &mut Call<'_>, keys: Values, values: Values, default: Values) -> Lowered {
    let tensor = call.tensor(0)?;
    if tensor.columns.kind != keys.kind() {
        return Err(
            format!("its argument is {:?}, its keys are {:?}", tensor.columns.kind, keys.kind()).into()
        );
    }
    // The last one of equal keys counts.
    let (keys, values) = last_of_equal_keys(keys, values)?;
    let to = call.result(values.kind(), tensor.shape)?;
    call.step(Step::Encode { from: tensor.columns, keys, values, default, to: to.columns });
    one(to)
}

fn last_of_equal_keys(keys: Values, values: Values) -> Result<(Values, Values), Fault> {
    fn last<K: std::hash::Hash + Eq>(
        keys: impl DoubleEndedIterator<Item = K> + ExactSizeIterator,
    ) -> Vec<u32> {
        let mut seen = HashSet::new();
        let mut positions: Vec<u32> = Vec::new();
        for (position, key) in keys.enumerate().rev() {
            if seen.insert(key) {
                positions.push(position as u32);
            }
        }
        positions.reverse();
        positions
    }
    let positions = match &keys {
        Values::Texts { values } => last(values.iter()),
        other => last(number_keys(other)?.into_iter()),
    };
    Ok((tensor::select(&keys, &positions), tensor::select(&values, &positions)))
}

/// Texts become their positions, integers the texts at them.
fn between_texts_and_positions(call: &mut Call<'_>, texts: Vec<String>) -> Lowered {
    let positions = Values::Integers { values: (0..texts.len() as i64).collect() };
    let texts = Values::Texts { values: texts };
    let default_text =
        Values::Texts { values: vec![call.text("default_string")?.unwrap_or("_Unused").to_owned()] };
    let default_number = Values::Integers { values: vec![call.integer("default_int64").unwrap_or(-1)] };
    if call.input(0)?.kind() == Kind::Text {
        encode(call, texts, positions, default_number)
    } else {
        encode(call, positions, texts, default_text)
    }
}

/// `CategoryMapper`.
pub(super) fn category_mapper(call: &mut Call<'_>) -> Lowered {
    let texts = Values::Texts { values: call.text_list("cats_strings")? };
    let numbers = Values::Integers { values: call.integer_list("cats_int64s").to_vec() };
    if texts.len() != numbers.len() {
        return Err(format!("it has {} texts and {} integers", texts.len(), numbers.len()).into());
    }
    if call.input(0)?.kind() == Kind::Text {
        let default = Values::Integers { values: vec![call.integer("default_int64").unwrap_or(-1)] };
        encode(call, texts, numbers, default)
    } else {
        let default = call.text("default_string")?.unwrap_or("_Unused").to_owned();
        encode(call, numbers, texts, Values::Texts { values: vec![default] })
    }
}

/// `ZipMap`: its columns with labels.
pub(super) fn zip_map(call: &mut Call<'_>) -> Lowered {
    let tensor = call.features(0)?;
    let mut labels = call.text_list("classlabels_strings")?;
    if labels.is_empty() {
        labels = call.integer_list("classlabels_int64s").iter().map(i64::to_string).collect();
    }
    if labels.len() != tensor.columns.width as usize {
        return Err(format!("it has {} labels for {} columns", labels.len(), tensor.columns.width).into());
    }
    Ok(vec![Value::Labelled(tensor, labels)])
}
