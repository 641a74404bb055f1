//! Schema and parser agree: a study with every key is changed, key by key, as the schema allows or forbids, and the parser
//! must accept or reject the change.

use serde_json::Value as Json;
use toml::{Table, Value as Toml};

use super::schema;
use crate::{ConfigPositions, Faults, PerStream, PluginSource, Study, parse};

/// A valid study in which every key occurs at least once.
const EVERY_KEY: &str = r#"
study = "every-key"
time-zone = "Europe/Amsterdam"
register = "../register.jsonl"

[metadata]
owners = ["yard team"]
protocol = "https://wiki.example.org/yard"
notes = "none"

[follow-up]
run = "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"
seal = "2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"
verdict = "3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c"
scope = "weekend"

[inputs]
id = "id"
time = "at"
lateness = "1h"
most-ahead = "1h"
fields = { lead_time = "integer", segment = "text" }

[decisions]
id = "id"
time = "at"
horizon = "2d"
lateness = "1d12h"
most-ahead = "1h"
revisions = "last"
version = "revision"
fields = { room = "text", revision = "integer" }

[sources]
snapshots = { http = true }
decisions = { stdin = true }

[mirror]
id = "header x-request-id"
time = "arrival"
fields = { segment = "body /segment" }

[[models]]
name = "rules"
plugin = "rules.wasm"
grant = ["lead_time"]
config = { labels = ["a"] }
assets = { weights = "weights.bin" }

[[models]]
name = "trained"
plugin = "onnx"
file = "model.onnx"
fields = ["lead_time"]
labels = ["a", "b"]
score-threshold = 0.5
softmax = false
top = 2
training-period = { from = "2016-07-02T00:00:00Z", until = "2016-11-01T00:00:00Z" }
grant = ["lead_time"]

[comparator]
name = "recorded"
plugin = "recorded.wasm"
grant = ["decision.room"]
config = { form = "label" }
assets = { table = "table.csv" }

[[metrics]]
name = "agreement"
plugin = "agreement.wasm"
primary = true
config = { labels = ["a"] }
assets = { costs = "costs.csv" }

[[conditions]]
name = "segment"
field = "segment"
values = ["direct"]

[[conditions]]
name = "lead-time"
field = "lead_time"
bins = [7]

[[conditions]]
name = "day"
calendar = "weekend"

[windows]
every = "week"
week-ends = "friday"

[limits]
batch-rows = 16
workers = 2
fuel-per-row = 5000
call-timeout = "3s"
memory-mib = 8
record-bytes = 4096
join-buffer-mib = 64
answer-kib = 32

[log]
keep-raw = false
commit-wait = "2ms"
commit-rows = 512
segment-rows = 1000
seal-every = "2h"
replay-share = 0.25
retain = "30d"

[threshold]
metric = "agreement"
at-least = 0.85
quantifier = "pooled"
windows = { first = 8 }
evidence = "bound"
confidence = 0.95
least-per-window = 200
least-per-condition = 50
conditions = ["segment"]
least-coverage = 0.9
most-rejected = 0.02
most-late = 0.03
most-conflict = 0.04
most-orphaned = 0.06
most-shed = 0.07
most-unanswered = 0.1
chance = { kappa = 0.4 }
of-ceiling = 0.95
family = "holm"
cycle = { condition = "day", times = 8 }
on-exposure = "split"
on-comparator-change = "split"

[[threshold.reference]]
condition = "segment"
shares = { direct = 0.75, other = 0.25 }
tolerance = 0.05

[[threshold.reference]]
condition = "day"
file = "days.json"
tolerance = 0.1

[[scopes]]
name = "direct"
where = { segment = ["direct", "other"] }

[blinding]
share = 0.2

[ceiling]
fields = ["lead_time", "segment"]
bins = { lead_time = [7, 30] }
rater = "room"
show-raters = true

[divergence]
metric = "agreement"
conditions = ["segment", "lead-time"]
depth = 2
support = 0.02
level = 0.1

[[divergence.suspected]]
where = { segment = "direct" }

[interim]
every = 4

[swaps]
last = 500
equivalent = 0.99
failed = 0.1
failed-rows = 50
"#;

/// Keys that exclude another key, which the example has.
const INSTEAD: [(&str, &str); 5] = [
    ("at-most", "at-least"),
    ("at-most", "of-ceiling"),
    ("latest", "first"),
    ("all", "first"),
    ("cluster", "of-ceiling"),
];

/// Writes a key and removes the key that it excludes.
fn write(table: &mut Table, key: &str, value: Toml) {
    for (_, other) in INSTEAD.iter().filter(|(instead, _)| *instead == key) {
        table.remove(*other);
    }
    if key == "evidence" && value.as_str() == Some("point") {
        table.remove("confidence");
    }
    if key == "revisions" && value.as_str() != Some("last") {
        table.remove("version");
    }
    table.insert(key.to_owned(), value);
}

/// A table of the schema: its path in messages, and its schema.
struct Closed {
    path: String,
    schema: Json,
}

/// The tables of the schema that allow no additional keys.
fn closed() -> Vec<Closed> {
    fn walk(path: &str, schema: &Json, found: &mut Vec<Closed>) {
        if schema["additionalProperties"] == false {
            found.push(Closed { path: path.to_owned(), schema: schema.clone() });
        }
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            walk(path.trim_start_matches('.'), inner, found);
        }
        if schema["type"] == "array" {
            walk(path, &schema["items"], found);
        }
    }
    let mut found = Vec::new();
    walk("", &schema(), &mut found);
    found
}

/// The tables of a study at a path: several if the path contains a list.
fn tables<'t>(study: &'t mut Table, path: &str) -> Vec<&'t mut Table> {
    let mut found = vec![study];
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let inner = found.into_iter().filter_map(|table| table.get_mut(key)).flat_map(|value| match value {
            Toml::Table(table) => vec![table],
            Toml::Array(tables) => tables.iter_mut().filter_map(Toml::as_table_mut).collect(),
            _ => Vec::new(),
        });
        found = inner.collect();
    }
    found
}

fn every_key() -> Table {
    EVERY_KEY.parse().unwrap()
}

fn read(study: &Table) -> Result<Study, Faults> {
    parse(&study.to_string()).map_err(|unsound| unsound.faults)
}

fn messages(study: &Table) -> Vec<String> {
    read(study).err().iter().flat_map(Faults::as_slice).map(|fault| fault.message.clone()).collect()
}

/// Converts a value of the schema to TOML.
fn toml(json: &Json) -> Toml {
    Toml::try_from(json).unwrap()
}

#[test]
fn the_example_is_valid_and_has_every_key() {
    assert_eq!(messages(&every_key()), Vec::<String>::new());
    for Closed { path, schema } in closed() {
        for key in schema["properties"].as_object().unwrap().keys() {
            // The two sources are of one shape and each has one of three keys, of which a mirror wants one; the third is in
            // the sound study with which other tests begin, and only it has a format.
            if path.starts_with("sources.") && matches!(&key[..], "file" | "format") {
                continue;
            }
            let path =
                if path.starts_with("sources.") { "sources.snapshots sources.decisions" } else { &path };
            let mut study = every_key();
            let key =
                INSTEAD.iter().find(|(instead, _)| instead == key).map_or(key.as_str(), |(_, other)| other);
            let written =
                path.split(' ').any(|path| tables(&mut study, path).iter().any(|t| t.contains_key(key)));
            assert!(written, "{path}.{key}");
        }
    }
}

#[test]
fn parser_and_schema_have_the_same_keys() {
    for Closed { path, schema } in closed() {
        let mut study = every_key();
        let opened =
            tables(&mut study, &path).into_iter().map(|table| table.insert("zzzzzz".into(), 1.into()));
        assert!(opened.count() > 0, "{path}");
        let unknown = messages(&study);
        assert!(!unknown.is_empty(), "{path}");
        for message in unknown {
            let (key, known) = message.split_once("; keys allowed here: ").unwrap();
            assert_eq!(key, format!("unknown key `{path}.zzzzzz`").replace("`.", "`"));
            let mut known: Vec<_> = known.split(", ").collect();
            known.sort_unstable();
            assert_eq!(known, schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), "{path}");
        }
    }
}

#[test]
fn parser_and_schema_require_the_same_keys() {
    for Closed { path, schema } in closed() {
        for key in schema["properties"].as_object().unwrap().keys() {
            let mut study = every_key();
            for table in tables(&mut study, &path) {
                table.remove(key);
            }
            let named = format!("`{path}.{key}` is missing; ").replace("`.", "`");
            let missed = messages(&study).iter().any(|message| message.starts_with(&named));
            let required = schema["required"].as_array().unwrap().iter().any(|required| required == key);
            assert_eq!(missed, required, "{path}.{key}");
        }
    }
}

#[test]
fn parser_and_schema_have_the_same_defaults() {
    let mut seen = 0;
    for Closed { path, schema } in closed() {
        for (key, property) in schema["properties"].as_object().unwrap() {
            let Some(default) = property.get("default") else { continue };
            let (mut without, mut with) = (every_key(), every_key());
            tables(&mut without, &path).into_iter().for_each(|table| {
                write(table, key, toml(default));
                table.remove(key);
            });
            tables(&mut with, &path).into_iter().for_each(|table| write(table, key, toml(default)));
            assert_eq!(stripped(read(&without).unwrap()), stripped(read(&with).unwrap()), "{path}.{key}");
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen}");
}

/// A study without its line numbers.
fn stripped(mut study: Study) -> Study {
    study.source_lines = PerStream::default();
    let plugins = study.models.iter_mut().chain(&mut study.metrics).chain([&mut study.comparator]);
    for plugin in plugins {
        (plugin.line, plugin.grant_line, plugin.config_line, plugin.source_line) = (0, 0, 0, 0);
        plugin.config_positions = ConfigPositions::default();
        if let PluginSource::ModelFile(file) = &mut plugin.source {
            file.line = 0;
        }
    }
    study.threshold.iter_mut().for_each(|threshold| threshold.line = 0);
    study.ceiling.iter_mut().for_each(|ceiling| ceiling.line = 0);
    for reference in study.threshold.iter_mut().flat_map(|threshold| &mut threshold.references) {
        reference.line = 0;
    }
    study
}

#[test]
fn parser_and_schema_have_the_same_bounds() {
    for Closed { path, schema } in closed() {
        for (key, property) in schema["properties"].as_object().unwrap() {
            let (Some(least), Some(most)) = (property["minimum"].as_i64(), property["maximum"].as_i64())
            else {
                continue;
            };
            for (number, sound) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
                let mut study = every_key();
                let mut tables = tables(&mut study, &path);
                let index = tables.iter().position(|table| table.contains_key(key)).unwrap_or(0);
                write(tables[index], key, number.into());
                assert_eq!(read(&study).is_ok(), sound, "{path}.{key} = {number}");
            }
        }
    }
}

#[test]
fn parser_and_schema_have_the_same_lengths() {
    let mut seen = 0;
    for Closed { path, schema } in closed() {
        for (key, property) in schema["properties"].as_object().unwrap() {
            let (text, is_list) = match property.get("items") {
                Some(items) => (items, true),
                None => (property, false),
            };
            let Some(most) = text["maxLength"].as_u64() else { continue };
            for (length, sound) in [(most, true), (most + 1, false)] {
                let mut study = every_key();
                let written = Toml::String("ü".repeat(length as usize));
                let value = if is_list { Toml::Array(vec![written]) } else { written };
                tables(&mut study, &path).into_iter().for_each(|table| write(table, key, value.clone()));
                assert_eq!(read(&study).is_ok(), sound, "{path}.{key} of {length}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn the_parser_accepts_every_enum_value_of_the_schema() {
    for Closed { path, schema } in closed() {
        for (key, property) in schema["properties"].as_object().unwrap() {
            // A source of this study is not a file, so it has no format.
            if path.starts_with("sources.") && key == "format" {
                continue;
            }
            for word in property["enum"].as_array().into_iter().flatten() {
                let mut study = every_key();
                if word != "week" && key == "every" {
                    study["windows"].as_table_mut().unwrap().remove("week-ends");
                }
                if word == "point" {
                    study["threshold"].as_table_mut().unwrap().remove("family");
                }
                let table = tables(&mut study, &path).into_iter().find(|table| table.contains_key(key));
                write(table.unwrap(), key, toml(word));
                assert_eq!(messages(&study), Vec::<String>::new(), "{path}.{key} = {word}");
            }
        }
    }
}

/// Appends the paths of the lists of tables at and below a table. `schema` must describe each key of their tables.
fn described_lists(path: &str, table: &Table, schema: &Json, found: &mut Vec<String>) {
    for (key, value) in table {
        let (path, schema) = (format!("{path}{key}"), &schema["properties"][key]);
        if let Some(table) = value.as_table() {
            described_lists(&format!("{path}."), table, schema, found);
        }
        let Some(table) = value.as_array().and_then(|list| list.first()?.as_table()) else { continue };
        for key in table.keys() {
            let property = &schema["items"]["properties"][key];
            assert!(property["description"].is_string(), "{path}.{key}: {property}");
        }
        found.push(path);
    }
}

#[test]
fn every_list_of_tables_has_the_keys_of_its_tables() {
    let mut lists = Vec::new();
    described_lists("", &every_key(), &schema(), &mut lists);
    let expected =
        ["conditions", "divergence.suspected", "metrics", "models", "scopes", "threshold.reference"];
    assert_eq!(lists, expected);
}

#[test]
fn every_key_has_a_description() {
    for Closed { path, schema } in closed() {
        for (key, property) in schema["properties"].as_object().unwrap() {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.'), "{path}.{key}: {description:?}");
        }
    }
}
