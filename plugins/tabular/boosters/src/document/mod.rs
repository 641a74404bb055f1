//! Documents of objects, lists and numbers, as JSON or UBJSON.
//!
//! Lists of numbers are kept as numbers alone, because a model consists of them.

mod json;
mod ubjson;

use crate::imported_model::BoosterError;

/// How deep values may be nested.
const DEEPEST: usize = 32;

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Numbers(Vec<f64>),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Reads a document: JSON if it begins with a brace and what follows looks like JSON, otherwise UBJSON.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, BoosterError> {
        // In UBJSON the length of the first key follows the brace, in JSON a quote, a space or the other brace.
        let file = file.trim_ascii_start();
        match file.iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'"' | b'}') => json::parse(file),
            _ => ubjson::parse(file),
        }
    }

    /// The value of a key of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            // The last one of equal keys counts.
            Self::Object(entries) => {
                entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value at a path of keys.
    ///
    /// # Errors
    /// If a key of the path is missing.
    pub(crate) fn at(&self, path: &str) -> Result<&Self, BoosterError> {
        path.split('.')
            .try_fold(self, |value, key| value.get(key))
            .ok_or_else(|| BoosterError::new(format!("the model has no {path}")))
    }

    /// The numbers of a list at a path of keys.
    pub(crate) fn numbers(&self, path: &str) -> Result<&[f64], BoosterError> {
        match self.at(path)? {
            Self::Numbers(numbers) => Ok(numbers),
            Self::List(list) if list.is_empty() => Ok(&[]),
            _ => Err(BoosterError::new(format!("{path} is no list of numbers"))),
        }
    }

    /// The whole numbers of a list at a path of keys.
    pub(crate) fn integers(&self, path: &str) -> Result<Vec<i64>, BoosterError> {
        let numbers = self.numbers(path)?.iter();
        numbers
            .map(|number| {
                whole(*number).ok_or_else(|| BoosterError::new(format!("{path} has the number {number}")))
            })
            .collect()
    }

    /// The text at a path of keys.
    pub(crate) fn text(&self, path: &str) -> Result<&str, BoosterError> {
        match self.at(path)? {
            Self::Text(text) => Ok(text),
            _ => Err(BoosterError::new(format!("{path} is no text"))),
        }
    }

    /// The whole number at a path of keys; it may be written as text.
    pub(crate) fn integer(&self, path: &str) -> Result<i64, BoosterError> {
        let number = match self.at(path)? {
            Self::Number(number) => whole(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| BoosterError::new(format!("{path} is no whole number")))
    }

    /// The texts of a list at a path of keys; none if there is no list.
    pub(crate) fn texts(&self, path: &str) -> Result<Vec<String>, BoosterError> {
        let not_texts = || BoosterError::new(format!("{path} is no list of texts"));
        match self.at(path) {
            Ok(Self::List(list)) => list
                .iter()
                .map(|value| if let Self::Text(text) = value { Ok(text.clone()) } else { Err(not_texts()) })
                .collect(),
            Ok(Self::Numbers(numbers)) if numbers.is_empty() => Ok(Vec::new()),
            Ok(_) => Err(not_texts()),
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// A number without a fraction.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A list, of numbers alone if it has no other values.
fn list(values: Vec<Value>) -> Value {
    if values.iter().all(|value| matches!(value, Value::Number(_))) {
        let number = |value| if let Value::Number(number) = value { number } else { f64::NAN };
        return Value::Numbers(values.into_iter().map(number).collect());
    }
    Value::List(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_ubjson_are_read_alike() {
        let json = br#" {"a": [1, -2.5e1, 3], "b": {"c": "x\n\u00e9\ud83d\ude00", "d": [true, null, []]}, "e": []} "#;
        let ubjson = [
            &b"{i\x01a[$l#i\x03\0\0\0\x01\xff\xff\xff\xe7\0\0\0\x03"[..],
            b"i\x01b{i\x01cSi\x08x\n\xc3\xa9\xf0\x9f\x98\x80i\x01d[TZ[]]}",
            b"i\x01e[]}",
        ]
        .concat();
        let (json, ubjson) = (Value::parse(json).unwrap(), Value::parse(&ubjson).unwrap());
        assert_eq!(json, ubjson);
        assert_eq!(json.numbers("a").unwrap(), [1.0, -25.0, 3.0]);
        assert_eq!(json.text("b.c").unwrap(), "x\né😀");
        assert_eq!(json.at("b.x").unwrap_err().to_string(), "the model has no b.x; save the model again");
    }

    #[test]
    fn damaged_documents_are_refused() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{\"a\":01x}",
            "{\"a\":\"\\q\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":nul}",
            "{\"a\":1e999999x}",
        ] {
            assert!(Value::parse(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "{\"a\":".to_owned() + &"[".repeat(100_000);
        assert!(Value::parse(deep.as_bytes()).unwrap_err().to_string().contains("nested too deep"));
        assert!(
            Value::parse(&b"{i\x01a[".repeat(10_000)).unwrap_err().to_string().contains("nested too deep")
        );
        // A list of more values than there are bytes.
        assert!(Value::parse(b"{i\x01a[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}
