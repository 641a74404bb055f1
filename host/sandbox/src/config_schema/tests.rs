//! Schemas of every kind, and configurations that do not fit them, with the messages that their authors read.

use serde_json::json;

use super::*;

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn schema(value: &Value) -> ConfigSchema {
    ConfigSchema::from_json(value.to_string().as_bytes()).unwrap_or_else(|why| panic!("{why}"))
}

/// The messages about a configuration, one a line.
fn messages(schema: &ConfigSchema, config: &Value) -> String {
    schema.mismatches(config).iter().map(ConfigMismatch::to_string).collect::<Vec<_>>().join("\n")
}

/// Why a schema is refused.
fn refusal(schema: &str) -> String {
    ConfigSchema::from_json(schema.as_bytes()).err().unwrap_or_else(|| panic!("{schema} is accepted"))
}

fn rooms() -> ConfigSchema {
    schema(&json!({
        "type": "object",
        "properties": {
            "k": {"type": "integer", "minimum": 1, "maximum": 1000},
            "p": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "share": {"type": "number", "maximum": 0.5},
            "labels": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1},
            "form": {"type": "string", "enum": ["label", "number"]},
            "round": {"type": "object", "additionalProperties": {"$ref": "#/$defs/places"}},
            "either": {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^[a-z]+$"}]},
            "kind": {"type": ["string", "null"]},
            "fixed": {"const": 7},
            "least": {"type": "integer", "minimum": 0}
        },
        "required": ["k", "form"],
        "additionalProperties": false,
        "$defs": {"places": {"type": "integer", "minimum": 0}}
    }))
}

#[test]
fn a_configuration_that_fits_has_no_mismatch() {
    let config = json!({
        "k": 3, "p": 0.5, "share": -2, "labels": ["a", "b"], "form": "label", "round": {"/a": 2}, "either": "abc",
        "kind": null, "fixed": 7, "least": 0
    });
    assert_eq!(messages(&rooms(), &config), "");
}

#[test]
fn all_mismatches_are_reported_with_what_to_write() {
    let config = json!({
        "k": 0, "p": 1, "share": "x", "labels": [], "form": "class", "round": {"/a": -1}, "either": 7, "kind": 4,
        "fixed": 8, "least": [1], "lest": 3
    });
    insta::assert_snapshot!(messages(&rooms(), &config), @r#"
    `config.either` is 7; write true or false or a text that matches `^[a-z]+$`
    `config.fixed` is 8; write 7
    `config.form` is "class"; write "label" or "number"
    `config.k` is 0; write a whole number from 1 to 1000
    `config.kind` is 4; write a text
    `config.labels` is an empty list; write a list of at least 1 element
    `config.least` is a list; write a whole number of at least 0
    `config.p` is 1; write a number above 0 and below 1
    `config.round."/a"` is -1; write a whole number of at least 0
    `config.share` is "x"; write a number of at most 0.5
    unknown key `config.lest`; did you mean `least`? keys allowed here: either, fixed, form, k, kind, labels, least, p, round, share
    "#);
    insta::assert_snapshot!(messages(&rooms(), &json!({"k": 2.5, "labels": ["a", "long"], "x": {}})), @r#"
    `config` lacks `form`; write "label" or "number" there
    `config.k` is 2.5; write a whole number from 1 to 1000
    `config.labels[1]` is "long"; write a text of at most 3 characters
    unknown key `config.x`; keys allowed here: either, fixed, form, k, kind, labels, least, p, round, share
    "#);
    // A misspelt key is not missing as well.
    insta::assert_snapshot!(messages(&rooms(), &json!({"k": 2, "frm": "label"})), @"unknown key `config.frm`; did you mean `form`? keys allowed here: either, fixed, form, k, kind, labels, least, p, round, share");
}

#[test]
fn mismatches_have_the_pointer_of_the_value_or_key() {
    let mismatches = rooms().mismatches(&json!({"k": 3, "form": "label", "round": {"a/b": "x"}, "a~b": 1}));
    let places: Vec<_> = mismatches.iter().map(|found| (found.pointer.as_str(), found.is_key)).collect();
    assert_eq!(places, [("/round/a~1b", false), ("/a~0b", true)]);
    let columns: Vec<_> = mismatches.iter().map(|found| found.at_column(9)).collect();
    insta::assert_snapshot!(columns.join("\n"), @r#"
    `config.round."a/b"` at column 9 is "x"; write a whole number of at least 0
    unknown key `config."a~b"` at column 9; keys allowed here: either, fixed, form, k, kind, labels, least, p, round, share
    "#);
}

#[test]
fn a_plugin_without_keys_says_so() {
    let schema = schema(&json!({"type": "object", "properties": {}, "additionalProperties": false}));
    insta::assert_snapshot!(messages(&schema, &json!({"k": 3})), @"unknown key `config.k`; remove it, no key is allowed here");
}

#[test]
fn texts_of_the_schema_and_the_configuration_are_printable_and_short() {
    let schema = schema(&json!({
        "properties": {"a\u{1b}[2J": {"enum": ["\u{202e}x".repeat(100)]}},
        "additionalProperties": false
    }));
    let text = messages(&schema, &json!({"a\u{1b}[2J": "\u{1b}[2J", "b\u{7}": 1}));
    assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)) && text.len() < 500, "{text:?}");
    assert!(!schema.pretty_text().chars().any(|c| c != '\n' && is_hidden(c)));
}

#[test]
fn required_keys_are_listed_with_what_to_write() {
    insta::assert_debug_snapshot!(rooms().required_keys(), @r#"
    [
        (
            "k",
            "a whole number from 1 to 1000",
        ),
        (
            "form",
            "\"label\" or \"number\"",
        ),
    ]
    "#);
}

#[test]
fn invalid_schemas_are_refused() {
    let refusals = [
        refusal("{"),
        refusal("3"),
        refusal(r#"{"type": "text"}"#),
        refusal(r#"{"properties": {"k": {"minimum": "1"}}}"#),
        refusal(r#"{"properties": {"k": {"pattern": "("}}}"#),
        refusal(r#"{"properties": {"k": {"pattern": "(?=a)b"}}}"#),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    it is not JSON: EOF while parsing an object at line 1 column 1
    3 is not of types "boolean", "object"
    at /type: "text" is not valid under any of the schemas listed in the 'anyOf' keyword
    at /properties/k/minimum: "1" is not of type "number"
    at /properties/k/pattern: "(" is no pattern, is too large, or has look-around or back-references
    at /properties/k/pattern: "(?=a)b" is no pattern, is too large, or has look-around or back-references
    "#);
}

#[test]
fn a_schema_cannot_reach_outside_of_itself() {
    let refusals = [
        refusal(r#"{"$ref": "http://127.0.0.1:9/schema.json"}"#),
        refusal(r#"{"properties": {"k": {"$ref": "file:///etc/passwd"}}}"#),
        refusal(r##"{"$ref": "#/$defs/absent"}"##),
        refusal(r#"{"$id": "http://127.0.0.1:9/", "$ref": "other"}"#),
        refusal(r##"{"$dynamicRef": "#x"}"##),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r##"
    it refers to "http://127.0.0.1:9/schema.json"; only a place in the schema itself can be referred to, such as "#/$defs/room"
    it refers to "file:///etc/passwd"; only a place in the schema itself can be referred to, such as "#/$defs/room"
    it refers to "#/$defs/absent"; only a place in the schema itself can be referred to, such as "#/$defs/room"
    it uses the keyword `$id`, which is not supported; remove it
    it uses the keyword `$dynamicRef`, which is not supported; remove it
    "##);
    // An unknown dialect is not fetched: all schemas are read as those of 2020-12.
    schema(&json!({"$schema": "http://127.0.0.1:9/dialect", "type": "object"}));
}

#[test]
fn schemas_that_cost_too_much_are_refused() {
    let nested = format!("{}true{}", r#"{"items":"#.repeat(100), "}".repeat(100));
    let deep = format!("{}{}", r#"{"items":"#.repeat(5000), "}".repeat(5000));
    // Each definition refers to the next one twice, so that the last is evaluated 2^14 times.
    let doubled: Map<String, Value> = (0..14)
        .map(|at| {
            let next = format!("#/$defs/d{}", at + 1);
            (format!("d{at}"), json!({"allOf": [{"$ref": next}, {"$ref": next}]}))
        })
        .chain([("d14".to_owned(), json!({"type": "integer"}))])
        .collect();
    let doubled = json!({"$defs": doubled}).to_string();
    let chain: Map<String, Value> = (0..100)
        .map(|at| (format!("c{at}"), json!({"$ref": format!("#/$defs/c{}", at + 1)})))
        .chain([("c100".to_owned(), json!({"type": "integer"}))])
        .collect();
    let chain = json!({"$ref": "#/$defs/c0", "$defs": chain}).to_string();
    let wide =
        json!({"properties": (0..10_000).map(|at| (format!("p{at}"), json!({}))).collect::<Map<_, _>>()});
    let patterns =
        json!({"allOf": (0..65).map(|at| json!({"pattern": format!("a{at}")})).collect::<Vec<_>>()});
    let refusals = [
        refusal(&nested),
        refusal(&deep),
        refusal(&doubled),
        refusal(&chain),
        refusal(&wide.to_string()),
        refusal(&patterns.to_string()),
        refusal(r#"{"pattern": "((a{100}){100}){100}"}"#),
        refusal(r##"{"properties": {"k": {"$ref": "#"}}}"##),
        refusal(r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##),
        refusal(r#"{"unevaluatedProperties": false}"#),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r##"
    it is nested more than 64 deep, with its references; write a flatter one
    it is not JSON: recursion limit exceeded at line 1 column 1144
    it has more than 10000 schemas, with its references replaced by what they refer to; write a smaller one
    it is nested more than 64 deep, with its references; write a flatter one
    it has more than 10000 schemas, with its references replaced by what they refer to; write a smaller one
    it has 65 patterns; at most 64 are allowed
    at /pattern: "((a{100}){100}){100}" is no pattern, is too large, or has look-around or back-references
    it refers to itself at "#"; write it without recursion
    it refers to itself at "#/$defs/b"; write it without recursion
    it uses the keyword `unevaluatedProperties`, which is not supported; remove it
    "##);
}

#[test]
fn names_that_look_like_keywords_are_names() {
    let schema =
        schema(&json!({"properties": {"$ref": {"type": "integer"}, "$id": {}}, "default": {"$ref": "x"}}));
    assert_eq!(messages(&schema, &json!({"$ref": 3})), "");
}

#[test]
fn a_pattern_that_backtracks_elsewhere_takes_linear_time() {
    let schema = schema(&json!({"properties": {"k": {"pattern": "^(a+)+$"}}}));
    // A backtracking engine takes 2^50000 steps.
    let text = "a".repeat(50_000) + "b";
    assert_eq!(schema.mismatches(&json!({"k": text})).len(), 1);
}

#[test]
fn a_schema_is_added_to_a_component_once() {
    let with = ConfigSchema::add_to_component(COMPONENT, "{\"type\": \"object\"}").expect("it is valid");
    let file = ComponentFile::from_bytes("with.wasm".as_ref(), with.clone()).expect("it is a component");
    let schema = ConfigSchema::of_component(&file).expect("it is valid").expect("it has one");
    assert_eq!(schema.pretty_text(), "{\n  \"type\": \"object\"\n}");
    let again = ConfigSchema::add_to_component(&with, "{}");
    assert_eq!(again.unwrap_err(), "the component declares one already");
    assert!(ConfigSchema::add_to_component(COMPONENT, "{").is_err());
    assert!(ConfigSchema::add_to_component(COMPONENT, &" ".repeat(100_000)).is_err());
}
