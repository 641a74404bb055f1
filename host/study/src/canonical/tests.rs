//! The canonical form: what changes it, what does not, and that it is stable between versions.

use proptest::prelude::*;
use toml::{Table, Value};

use super::super::test_support::{VALID, edited};
use super::*;

fn canonical(text: &str) -> CanonicalStudy {
    CanonicalStudy::from_toml(text).unwrap()
}

fn changes(then: &str, now: &str) -> String {
    canonical(then).changes(&canonical(now)).join("\n")
}

/// An independent computation of form and digest:
///
/// ```python
/// import hashlib, json, tomllib
/// form = json.dumps(tomllib.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
/// print(form, hashlib.sha256(form.encode()).hexdigest())
/// ```
#[test]
fn form_and_digest_match_python() {
    let text = r#"# Comments do not count.
study = "rooms"
at-least = 0.85
many = 1_000
[log]
keep-raw = true
[[conditions]]
name = "séjour"
bins = [0.1, 10.0, -0.0]
"#;
    let form = canonical(text);
    let written = r#"{"at-least":0.85,"conditions":[{"bins":[0.1,10.0,-0.0],"name":"séjour"}],"log":{"keep-raw":true},"many":1000,"study":"rooms"}"#;
    assert_eq!(form.text(), written);
    assert_eq!(form.sha256(), "9274c39022fe36e3fc43300345162c066dd83dd0981ef3f175f8b76d7935407a");
}

#[test]
fn layout_does_not_change_the_form() {
    let plain = "a = 1\n[b]\nc = \"x\"\nd = [1.5, true]\n[[e]]\nname = \"f\"\n";
    let others = [
        "# A comment.\na = 1 # another\n\n\n[b]\n  c='x'\nd=[ 1.50,\n  true, # a third\n]\n[[e]]\n\"name\" = \"\"\"\nf\"\"\"\n",
        "b = { d = [15e-1, true], c = \"\\u0078\" }\ne = [{ name = \"f\" }]\na = 0x1\n",
        "b.d = [+1.5, true]\nb.c = \"x\"\na = +1\n[[e]]\nname = \"f\"\n",
        "\r\na = 0b1\r\n[[e]]\r\nname = 'f'\r\n[b]\r\nd = [1.5,true,]\r\nc = '''\r\nx'''\r\n",
    ];
    for other in others {
        assert_eq!(canonical(other), canonical(plain), "{other}");
        assert_eq!(changes(plain, other), "");
    }
}

#[test]
fn every_value_has_one_canonical_text() {
    let form = |value: &str| {
        CanonicalStudy::from_toml(&format!("a = {value}")).map(|form| form.text()[5..].replace('}', ""))
    };
    let same = |values: &[&str], form_of_all: &str| {
        for value in values {
            assert_eq!(form(value).as_deref(), Ok(form_of_all), "{value}");
        }
    };
    same(&["1", "+1", "0x1", "0o1", "0b1"], "1");
    same(&["1.0", "1e0", "10e-1", "1.000"], "1.0");
    same(&["-0.0"], "-0.0");
    same(&["1e300", "10e299"], "1e300");
    same(&["5e-324"], "5e-324");
    same(&["0.1", "0.1000000000000000055511151231257827"], "0.1");
    same(&["9223372036854775807"], "9223372036854775807");
    same(&["\"\\u00e9\\n\"", "\"é\\n\""], "\"é\\n\"");
    let rejection = |value| form(value).unwrap_err().to_string();
    insta::assert_snapshot!(rejection("[0.0, { b = inf }]"), @"`a[1].b` is a number that is not finite, which JSON does not have");
    insta::assert_snapshot!(rejection("-nan"), @"`a` is a number that is not finite, which JSON does not have");
    insta::assert_snapshot!(rejection("2026-03-01T00:00:00Z"), @"`a` is a date or time, which JSON does not have");
    insta::assert_snapshot!(rejection("9223372036854775808"), @"invalid TOML: u64 value was too large");
    insta::assert_snapshot!(rejection("["), @"invalid TOML: unclosed array, expected `]`");
}

#[test]
fn changes_are_listed_by_key() {
    let edits = [
        ("lead_time = \"integer\"", "lead_time = \"number\""),
        ("horizon = \"2d\"", "horizon = \"3d\"\nlateness = \"1h\""),
        ("price = \"number\"\n", ""),
        ("plugin = \"rules.wasm\"", "plugin = \"rules-2.wasm\"\nconfig = { at = 0.85, \"a b\".c = 1 }"),
        ("grant = [\"lead_time\", \"segment\"]", "grant = [\"segment\", \"lead_time\"]"),
        ("values = [\"direct\", \"groups\"]", "values = [\"direct\"]"),
        ("bins = [7, 30]", "bins = [7, 31]"),
    ];
    insta::assert_snapshot!(changes(VALID, &edited(&edits)), @r#"
    `conditions[lead-time].bins[1]` was 30 and is 31
    `conditions[segment].values` was ["direct","groups"] and is ["direct"]
    `decisions.horizon` was "2d" and is "3d"
    `decisions.lateness` is new: "1h"
    `inputs.fields.lead_time` was "integer" and is "number"
    `inputs.fields.price` was "number" and is removed
    `models[rules].config` is new: {"a b":{"c":1},"at":0.85}
    `models[rules].grant[0]` was "lead_time" and is "segment"
    `models[rules].grant[1]` was "segment" and is "lead_time"
    `models[rules].plugin` was "rules.wasm" and is "rules-2.wasm"
    "#);
    let then = "[[m]]\nname = 'a'\nx = 1\n[[m]]\nname = 'b'\n[[m]]\nname = 'c'";
    let now = "[[m]]\nname = 'c'\n[[m]]\nname = 'd'\n[[m]]\nname = 'a'\nx = 2";
    insta::assert_snapshot!(changes(then, now), @r#"
    `m[a].x` was 1 and is 2
    `m[b]` was {"name":"b"} and is removed
    `m[d]` is new: {"name":"d"}
    the order of `m` was a, c and is c, a
    "#);
    let now = "a = 1.0\nb = 0.8500000000000001\nc = ['x']";
    insta::assert_snapshot!(changes("a = 1\nb = 0.85\nc = 'x'", now), @r#"
    `a` was 1 and is 1.0
    `b` was 0.85 and is 0.8500000000000001
    `c` was "x" and is ["x"]
    "#);
    let now = format!("\"a.b\" = \"\\u009b{}\"", "y".repeat(100));
    insta::assert_snapshot!(changes("\"a.b\" = 'x'", &now), @r#"`"a.b"` was "x" and is "\u{9b}yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy..."#);
}

#[test]
fn a_form_is_serialised_losslessly() {
    let form = canonical("a = 0.1\nb = 2.2250738585072014e-308\nc = 123456789.12345679");
    let written = serde_json::to_string_pretty(&vec![form.clone()]).unwrap();
    let read: Vec<CanonicalStudy> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, [form]);
}

/// A value that both TOML and JSON have.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter("JSON has it", |number| number.is_finite()).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            table(inner).prop_map(Value::Table),
        ]
    })
}

fn table(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Table> {
    prop::collection::btree_map("[a-z. ]{0,3}", value, 0..4).prop_map(|table| table.into_iter().collect())
}

/// Whether two values are bitwise equal.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Table(one), Value::Table(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn written(table: &Table) -> CanonicalStudy {
    canonical(&toml::to_string(table).unwrap())
}

proptest! {
    #[test]
    fn random_layout_does_not_change_the_form(table in table(value())) {
        let plain = written(&table);
        prop_assert_eq!(&plain, &canonical(&toml::to_string_pretty(&table).unwrap()));
        let inline = table.iter().rev().map(|(key, value)| format!("{} = {value} # {key:?}\n", quoted(key)));
        prop_assert_eq!(&plain, &canonical(&inline.collect::<String>()));
        prop_assert!(serde_json::from_str::<serde_json::Value>(plain.text()).is_ok());
    }

    #[test]
    fn any_changed_value_is_reported(table in table(value()), key in "[a-z]{1,2}", one in value(), other in value()) {
        let with = |value: &Value| {
            let mut table = table.clone();
            table.insert(key.clone(), value.clone());
            written(&table)
        };
        let (then, now) = (with(&one), with(&other));
        let equal = same(&one, &other);
        prop_assert_eq!(then == now, equal);
        prop_assert_eq!(then.sha256() == now.sha256(), equal);
        let changes = then.changes(&now);
        prop_assert_eq!(changes.is_empty(), equal);
        for change in changes {
            prop_assert!(change.contains(&format!("`{key}")), "{}", change);
        }
    }
}
