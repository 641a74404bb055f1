//! Categories of missing texts.
//!
//! scikit-learn's encoders have a category for missing texts if the training had some, `nan` or `None`. skl2onnx writes it as
//! the text `"nan"` or `"None"`, and so does ONNX Runtime with a missing text of pandas. A feed has null there. So
//! [`tabular_program::MISSING_TEXT`] becomes another key of this category.

use tabular_program::{Columns, Instruction, Kind, MISSING_TEXT, Program, Step, Unknown, Values};

/// The program whose exports have such categories.
const PRODUCER: &str = "skl2onnx";
/// How it writes them.
const NAN: &str = "nan";
const NONE: &str = "None";

/// Adds the key of missing texts to the encoders that have a category for them.
pub(crate) fn add_keys(program: &mut Program, producer: &str) {
    if producer != PRODUCER {
        return;
    }
    let mut steps = Vec::with_capacity(program.steps.len());
    for mut instruction in std::mem::take(&mut program.steps) {
        match &mut instruction.step {
            Step::Encode { keys: Values::Texts { values: keys }, values, .. } => {
                if let Some(position) = position(keys)
                    && (keys[position] == NONE || !is_number(values, position))
                {
                    keys.push(MISSING_TEXT.to_owned());
                    repeat(values, position);
                }
            }
            // An encoder that fails names the unknown text, so it keeps its texts.
            Step::OneHot { from, categories, unknown: Unknown::Zeros, .. } => {
                if let Values::Texts { values: texts } = &*categories
                    && let Some(position) = position(texts)
                {
                    let to = Columns {
                        start: program.planes[Kind::Integer.index()],
                        kind: Kind::Integer,
                        ..*from
                    };
                    program.planes[Kind::Integer.index()] += to.width;
                    let step = encode(*from, texts, position, to);
                    *from = to;
                    *categories = Values::Integers { values: (0..categories.len() as i64).collect() };
                    steps.push(Instruction { origin: instruction.origin.clone(), step });
                }
            }
            _ => {}
        }
        steps.push(instruction);
    }
    program.steps = steps;
}

/// The position of the category of missing texts; `None` without one, and if several categories could be it.
fn position(keys: &[String]) -> Option<usize> {
    let find = |wanted: &str| keys.iter().position(|key| key == wanted);
    match (find(NAN), find(NONE), find(MISSING_TEXT)) {
        (Some(position), None, None) | (None, Some(position), None) => Some(position),
        _ => None,
    }
}

/// Whether the value of a key is its number. An `OrdinalEncoder` makes NaN of NaN unless it has `encoded_missing_value`,
/// but skl2onnx numbers it like a category.
fn is_number(values: &Values, position: usize) -> bool {
    match values {
        Values::Integers { values } => values[position] == position as i64,
        Values::Floats { values } => values[position] == position as f32,
        Values::Doubles { values } => values[position] == position as f64,
        Values::Texts { .. } | Values::Booleans { .. } => false,
    }
}

/// Adds a copy of a value to the end.
fn repeat(values: &mut Values, position: usize) {
    match values {
        Values::Booleans { values } => values.push(values[position]),
        Values::Integers { values } => values.push(values[position]),
        Values::Floats { values } => values.push(values[position]),
        Values::Doubles { values } => values.push(values[position]),
        Values::Texts { values } => values.push(values[position].clone()),
    }
}

/// The numbers of texts; a missing one has that at `position`, an unknown one -1.
fn encode(from: Columns, texts: &[String], position: usize, to: Columns) -> Step {
    let mut keys = texts.to_vec();
    keys.push(MISSING_TEXT.to_owned());
    let mut numbers: Vec<i64> = (0..texts.len() as i64).collect();
    numbers.push(position as i64);
    let (keys, values) = (Values::Texts { values: keys }, Values::Integers { values: numbers });
    Step::Encode { from, keys, values, default: Values::Integers { values: vec![-1] }, to }
}
