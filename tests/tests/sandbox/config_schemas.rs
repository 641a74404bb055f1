//! The JSON Schemas that plugins declare of their configuration: of a plugin that a toolchain built, and hostile ones.

use understudy_sandbox::{ComponentFile, ConfigSchema};
use understudy_tests::plugin;

use super::fixture::{BUDGET, sandbox};
use super::handmade_component::{load, model};

/// A component with a custom section at its end.
fn with_schema(mut component: Vec<u8>, schema: &[u8]) -> Vec<u8> {
    let name = b"understudy:config-schema";
    let mut length = 1 + name.len() + schema.len();
    component.push(0);
    while length >= 0x80 {
        component.push(length as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.push(name.len() as u8);
    component.extend(name);
    component.extend(schema);
    component
}

/// The error of loading a model that declares a schema, with an empty configuration. A call of the model would be an error of
/// its own.
fn refused(schema: &[u8]) -> String {
    let unreachable = model().with("configure", "unreachable").component();
    load(&sandbox(BUDGET), with_schema(unreachable, schema)).err().expect("it cannot be loaded").to_string()
}

#[test]
fn a_plugin_without_a_schema_is_configured_as_it_is() {
    let bytes = model().component();
    let file = ComponentFile::from_bytes("handmade.wasm".as_ref(), bytes.clone()).expect("a component");
    assert!(ConfigSchema::of_component(&file).expect("it has none").is_none());
    assert!(load(&sandbox(BUDGET), bytes).is_ok());
    let open = with_schema(model().component(), br#"{"type": "object"}"#);
    assert!(load(&sandbox(BUDGET), open).is_ok());
}

#[test]
fn a_configuration_that_does_not_fit_is_refused_before_the_plugin_runs() {
    insta::assert_snapshot!(refused(br#"{"required": ["k"], "properties": {"k": {"type": "integer"}}}"#), @"cannot configure it: `config` lacks `k`; write a whole number there");
}

#[test]
fn the_sdk_declares_the_schema_of_the_configuration() {
    let file = ComponentFile::read(&plugin("top_k_overlap")).expect("it was built");
    let schema = ConfigSchema::of_component(&file).expect("it is valid").expect("it has one");
    insta::assert_snapshot!(schema.pretty_text(), @r#"
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "additionalProperties": false,
      "description": "How many names are compared.",
      "properties": {
        "k": {
          "description": "The number of names that count.",
          "maximum": 1000,
          "minimum": 1,
          "type": "integer"
        }
      },
      "required": [
        "k"
      ],
      "type": "object"
    }
    "#);
}

#[test]
fn hostile_schemas_are_refused_by_name() {
    let nested = [br#"{"not":"#.repeat(5000), b"}".repeat(5000)].concat();
    let errors = [
        refused(&vec![b' '; 100 << 20]),
        refused(&nested),
        refused(br#"{"$ref": "http://127.0.0.1:9/schema.json"}"#),
        refused(br#"{"properties": {"k": {"pattern": "((a{100}){100}){100}"}}}"#),
        refused(br##"{"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}"##),
        refused(b"\xff\xfe"),
        refused(b"{\"type\": \"\x1b[2J\"}"),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r##"
    handmade.wasm declares an unusable config schema: it has 104857600 bytes; at most 65536 are allowed; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: it is not JSON: recursion limit exceeded at line 1 column 890; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: it refers to "http://127.0.0.1:9/schema.json"; only a place in the schema itself can be referred to, such as "#/$defs/room"; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: at /properties/k/pattern: "((a{100}){100}){100}" is no pattern, is too large, or has look-around or back-references; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: it refers to itself at "#"; write it without recursion; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: it is not JSON: expected value at line 1 column 1; correct the schema, and build it again
    handmade.wasm declares an unusable config schema: it is not JSON: control character (\u0000-\u001F) found while parsing a string at line 1 column 11; correct the schema, and build it again
    "##);
}
