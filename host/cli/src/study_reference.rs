//! The reference of `study.toml` as Markdown, generated from its JSON Schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The reference of all tables and keys of `study.toml` as Markdown.
pub fn study_reference() -> String {
    let schema = understudy_study::schema();
    let mut text = String::from("# study.toml\n");
    push_table(&mut text, &schema, &[]);
    text
}

/// The position of a table: its keys from the top, each with whether it is an array of tables.
type TablePath<'s> = [(&'s str, bool)];

/// A table with its description, its keys, and its subtables.
fn push_table(text: &mut String, schema: &Value, path: &TablePath<'_>) {
    let mut push = |content: &str| write!(text, "\n{content}\n").expect("writing to a String cannot fail");
    if !path.is_empty() {
        push(&format!("{} {}", "#".repeat(path.len() + 1), heading(path)));
    }
    if let Some(description) = schema["description"].as_str() {
        push(description);
    }
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = String::from("| key | type | default | description |\n| --- | --- | --- | --- |");
    let mut tables = Vec::new();
    for (key, property) in properties {
        let presence = match &property["default"] {
            _ if required.contains(&key.as_str()) => "required".to_owned(),
            Value::Null => "none".to_owned(),
            value => format!("`{value}`"),
        };
        let kind = match table_of(property) {
            Some((table, is_array)) => {
                tables.push((key.as_str(), table, is_array));
                if is_array { "array of tables".to_owned() } else { "table".to_owned() }
            }
            None => type_text(property),
        };
        let description = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        write!(rows, "\n| `{key}` | {} | {presence} | {} |", escape(&kind), escape(&description))
            .expect("writing to a String cannot fail");
    }
    if !properties.is_empty() {
        push(&rows);
    }
    for (key, table, is_array) in tables {
        push_table(text, table, &[path, &[(key, is_array)]].concat());
    }
}

/// The heading of a table as TOML writes it, such as `[[models]]`.
fn heading(path: &TablePath<'_>) -> String {
    let keys: Vec<&str> = path.iter().map(|(key, _)| *key).collect();
    let keys = keys.join(".");
    match path.last() {
        Some((_, true)) => format!("`[[{keys}]]`"),
        _ => format!("`[{keys}]`"),
    }
}

/// The schema of a table, and whether the property is an array of such tables; `None` for any other property.
fn table_of(property: &Value) -> Option<(&Value, bool)> {
    if property["properties"].is_object() {
        return Some((property, false));
    }
    let items = property.get("items")?;
    items["properties"].is_object().then_some((items, true))
}

/// Type, allowed values and range of a value.
fn type_text(property: &Value) -> String {
    let alternatives = ["oneOf", "anyOf"].into_iter().find_map(|key| property[key].as_array());
    if let (Value::Null, Some(alternatives)) = (&property["type"], alternatives) {
        let texts: Vec<String> = alternatives.iter().map(type_text).filter(|text| !text.is_empty()).collect();
        return texts.join(" or ");
    }
    if let Some(values) = property["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(value) = property.get("const") {
        return format!("`{value}`");
    }
    let mut kind = match &property["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    if kind == "array" {
        kind = format!("array of {}", type_text(&property["items"]));
    }
    if kind == "object" {
        kind = match property["additionalProperties"].is_object() {
            true => format!("table of {}", type_text(&property["additionalProperties"])),
            false => "table".to_owned(),
        };
    }
    let bounds = [
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    ];
    let bounds: Vec<String> = bounds
        .into_iter()
        .filter_map(|(key, words)| property.get(key).map(|value| format!("{words} {value}")))
        .collect();
    match bounds.is_empty() {
        true => kind,
        false => format!("{kind}, {}", bounds.join(", ")),
    }
}

fn escape(cell: &str) -> String {
    cell.replace('|', "\\|")
}

/// Asserts that a page of the documentation's reference equals the generated text. With `UPDATE_DOCS=1`
/// writes the page.
#[cfg(test)]
pub(crate) fn check_page(name: &str, generated: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, generated).expect("the page can be written");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == generated, "{name} is outdated; run the tests of understudy-cli with UPDATE_DOCS=1");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documentation_contains_the_reference() {
        super::check_page("study-toml.md", &super::study_reference());
    }
}
