//! A JSON object whose values are not parsed.
//!
//! Invariants:
//! - If an object repeats a key, the last value wins, as in the decoder of records.
//! - A value of null is no value.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The keys and values of an object, in order and with repetitions.
#[derive(Debug)]
pub struct JsonObject<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

/// Why a text is not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAnObject {
    /// It begins like another value, such as `an array`.
    Other(&'static str),
    /// It is not JSON. The decoder of records says where and why.
    Malformed,
}

impl<'t> JsonObject<'t> {
    /// Parses the text of an object.
    ///
    /// # Errors
    /// What the text is instead.
    pub fn parse(text: &'t str) -> Result<JsonObject<'t>, NotAnObject> {
        match json_type_name(text) {
            None | Some("an object") => serde_json::from_str(text).map_err(|_| NotAnObject::Malformed),
            Some(kind) => Err(NotAnObject::Other(kind)),
        }
    }

    /// The value of a key; `None` if it is absent or null.
    pub fn value(&self, key: &str) -> Option<&'t str> {
        let (_, last) = self.0.iter().rev().find(|(own, _)| own == key)?;
        Some(last.get()).filter(|value| *value != "null")
    }

    /// The text of the object with other values for some keys, which come first.
    pub fn with_replaced(&self, replaced: &[(&str, &str)]) -> String {
        let kept = self.0.iter().filter(|(own, _)| !replaced.iter().any(|(key, _)| own == key));
        let kept = kept.map(|(key, value)| (&**key, value.get()));
        let mut text = String::from("{");
        for (at, (key, value)) in replaced.iter().copied().chain(kept).enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&quoted(key));
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject<'de>, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = JsonObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(JsonObject(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// What a JSON text is, by its first character; `None` if no JSON text begins like that.
pub fn json_type_name(text: &str) -> Option<&'static str> {
    match text.trim_start().bytes().next()? {
        b'{' => Some("an object"),
        b'[' => Some("an array"),
        b'"' => Some("a string"),
        b'n' => Some("null"),
        b't' | b'f' => Some("a boolean"),
        b'-' | b'0'..=b'9' => Some("a number"),
        _ => None,
    }
}

/// Text as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is valid JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_wins() {
        let object = JsonObject::parse(r#"{"a":1,"b":null,"\u0061":[2, 3],"c":0,"c":null}"#).unwrap();
        assert_eq!(object.value("a"), Some("[2, 3]"));
        assert_eq!([object.value("b"), object.value("c"), object.value("d")], [None; 3]);
    }

    #[test]
    fn replaced_keys_come_first_and_once() {
        let object = JsonObject::parse("{ \"a\": 1, \"id\": null, \"b\": {\"x\": 1},\n\"id\": 3 }").unwrap();
        assert_eq!(
            object.with_replaced(&[("id", "\"x\""), ("at", "2")]),
            r#"{"id":"x","at":2,"a":1,"b":{"x": 1}}"#
        );
        assert_eq!(JsonObject::parse(" {} ").unwrap().with_replaced(&[]), "{}");
    }

    #[test]
    fn other_texts_are_no_objects() {
        let fault = |text| JsonObject::parse(text).unwrap_err();
        let others = [
            ("[1]", "an array"),
            (" \"x\"", "a string"),
            ("null", "null"),
            ("-1", "a number"),
            ("true", "a boolean"),
        ];
        for (text, kind) in others {
            assert_eq!(fault(text), NotAnObject::Other(kind));
        }
        for text in ["", "{\"a\":NaN}", "<x/>", "{} {}", "{\"a\":"] {
            assert_eq!(fault(text), NotAnObject::Malformed, "{text}");
        }
    }
}
