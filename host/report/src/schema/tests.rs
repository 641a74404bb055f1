//! Tests the schemas against written reports: reports are valid, altered ones are not, and every key is required and
//! described.

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::terminal::fixture::{empty, hotel, rates, troubled};

fn validator(schema: &Json) -> Validator {
    jsonschema::validator_for(schema).unwrap()
}

#[test]
fn reports_match_the_schema() {
    let validator = validator(&super::report());
    let interim = Report { end: RunEnd::Interim { window: "week ending 2016-09-25".to_owned() }, ..hotel() };
    let interrupted = Report { end: RunEnd::Interrupted, ..hotel() };
    for report in [hotel(), rates(), empty(), troubled(), interrupted, interim] {
        let json = serde_json::to_value(&report).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
    }
}

/// The JSON pointers of all values inside a value.
fn pointers(at: String, value: &Json, found: &mut Vec<String>) {
    found.push(at.clone());
    for (key, inner) in value.as_object().into_iter().flatten() {
        pointers(format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), inner, found);
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        pointers(format!("{at}/{index}"), inner, found);
    }
}

proptest! {
    #[test]
    fn a_value_of_another_type_is_invalid_anywhere(choice in any::<prop::sample::Index>()) {
        let validator = validator(&super::report());
        let mut json = serde_json::to_value(rates()).unwrap();
        let mut all = Vec::new();
        pointers(String::new(), &json, &mut all);
        let pointer = choice.get(&all);
        // No value of a report is a list of lists of booleans.
        *json.pointer_mut(pointer).unwrap() = json!([[true]]);
        prop_assert!(!validator.is_valid(&json), "{pointer}");
    }
}

/// Every object of a schema that has properties, with its path.
fn objects<'s>(at: String, schema: &'s Json, found: &mut Vec<(String, &'s Json)>) {
    if schema.get("properties").is_some_and(Json::is_object) {
        found.push((at.clone(), schema));
    }
    for (key, inner) in schema.as_object().into_iter().flatten() {
        objects(format!("{at}.{key}"), inner, found);
    }
    for (index, inner) in schema.as_array().into_iter().flatten().enumerate() {
        objects(format!("{at}[{index}]"), inner, found);
    }
}

#[test]
fn every_key_is_described_and_required() {
    for schema in [super::report(), super::verdict(), super::bundle()] {
        let mut all = Vec::new();
        objects(String::new(), &schema, &mut all);
        assert!(all.len() > 10, "{}", all.len());
        for (at, object) in all {
            let required: Vec<&str> =
                object["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                assert!(required.contains(&key.as_str()), "{at}.{key} is not required");
                // The tag of a variant is described by its value; a variant with one key is described as a whole.
                let is_described =
                    |schema: &Json| schema["description"].as_str().is_some_and(|text| text.ends_with('.'));
                let alone = required.len() == 1 && is_described(object);
                assert!(
                    is_described(property) || alone || property.get("const").is_some(),
                    "{at}.{key}: {property}"
                );
            }
        }
    }
}
