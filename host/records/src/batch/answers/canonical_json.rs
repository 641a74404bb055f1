//! The canonical form of a JSON value, so that equal values have equal texts.
//!
//! Invariants: the keys of an object are sorted by their bytes, and there is no space outside of texts. A number is written as
//! `serde_json` does: an integer of 64 bits in decimal, any other number as the shortest text of the nearest 64-bit float,
//! so that 1 and 1.0 are different texts. If an object repeats a key, the last value wins.

use serde_json::Value;

/// The canonical form of a JSON text.
///
/// # Errors
/// If the text is not JSON, has a number beyond the range of 64-bit floats, or is nested too deeply.
pub fn canonical_json(text: &str) -> Result<String, String> {
    // The map of a value is sorted.
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(value.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_sorted_and_spaces_removed() {
        let cases = [
            (
                r#" { "b" : [ 1 , 2.50 , "a b" ] , "a" : { "d" : null , "c" : true } } "#,
                r#"{"a":{"c":true,"d":null},"b":[1,2.5,"a b"]}"#,
            ),
            (r#"{"a": 1, "a": 2}"#, r#"{"a":2}"#),
            ("1e2", "100.0"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("18446744073709551615", "18446744073709551615"),
            ("-0", "-0.0"),
            (r#""\u00e9\/""#, "\"é/\""),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical_json(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_value_is_rejected() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["", "NaN", "{", "1e999", "{} {}", "'a'", "\"\\ud800\"", deep.as_str()] {
            assert!(canonical_json(text).is_err(), "{text}");
        }
        let error = canonical_json("1e999").expect_err("out of range");
        assert!(error.contains("number out of range"), "{error}");
    }

    /// Any JSON value of a few levels.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e300..1e300f64).prop_map(Value::from),
            ".{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_stable_and_independent_of_spaces(value in json()) {
            let canonical = value.to_string();
            prop_assert_eq!(canonical_json(&serde_json::to_string_pretty(&value).unwrap()), Ok(canonical.clone()));
            prop_assert_eq!(canonical_json(&canonical), Ok(canonical));
        }
    }
}
