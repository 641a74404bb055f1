//! Answers that depend on more than the row: on the order of keys, or on the place of a missing value.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use understudy_sdk::prelude::*;
use understudy_sdk::{AnswerValues, Answers, Column, Reader, Values, collect_answers};

/// The keys of a JSON object in their order. Another value has none.
#[derive(Default)]
pub struct Keys(Vec<String>);

impl Keys {
    /// The first key, or nothing.
    pub fn first(&self) -> String {
        self.0.first().cloned().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }

        deserializer.deserialize_map(KeyVisitor)
    }
}

/// Answers each text, also where the value is missing.
pub fn placeholders(rows: u32, column: &Column) -> Result<Answers, String> {
    let Values::Text(texts) = &column.values else { return Err("expected texts".to_owned()) };
    Ok(collect_answers(rows, |row| {
        let bytes = &texts.bytes[texts.offsets[row] as usize..texts.offsets[row + 1] as usize];
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }))
}

/// Answers the first key of each object.
pub fn first_keys(rows: u32, column: &Column) -> Result<Answers, String> {
    let objects = Reader::<Json<Keys>>::bind("text", rows as usize, column)?;
    Ok(collect_answers(rows, |row| objects.read(row).map(|Json(keys)| keys.first()).map_err(Reason::Failed)))
}

/// Answers the length of each text, and NaN for a trigger.
pub fn nan_answers(rows: u32, column: &Column, is_trigger: impl Fn(&str) -> bool) -> Result<Answers, String> {
    let texts = Reader::<&str>::bind("text", rows as usize, column)?;
    let mut answers = collect_answers(rows, |row| Ok(texts.read(row).map_err(Reason::Failed)?.len() as f64));
    if let AnswerValues::Numbers(numbers) = &mut answers.values {
        for (row, number) in numbers.iter_mut().enumerate() {
            if is_trigger(texts.read(row)?) {
                *number = f64::NAN;
            }
        }
    }
    Ok(answers)
}
