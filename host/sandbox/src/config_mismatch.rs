//! What is wrong with a value of a configuration, in words for the author of the study.

use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::sanitize;
use understudy_study::nearest;

/// The most keys or texts that a message lists.
const MAX_LISTED: usize = 20;
/// The longest value that a message shows, in characters.
const MAX_SHOWN: usize = 60;

/// A value or key of a configuration that the schema of the plugin does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMismatch {
    /// The JSON Pointer of the value, or of the value of the key.
    pub pointer: String,
    /// Whether the key is wrong, and not its value.
    pub is_key: bool,
    /// What is wrong, such as `` `config.k` ``.
    subject: String,
    /// The rest of the sentence, with what to write.
    problem: String,
}

impl ConfigMismatch {
    /// The message, with the column at which the value or key begins, from 1.
    pub fn at_column(&self, column: usize) -> String {
        format!("{} at column {column}{}", self.subject, self.problem)
    }

    /// The mismatches of an error of the validator. An unknown key is one each.
    pub(super) fn from_error(error: &ValidationError<'_>, schema: &Value) -> Vec<ConfigMismatch> {
        let pointer = error.instance_path().as_str();
        // The last part of the path is the keyword.
        let keyword_path = error.schema_path().as_str();
        let node = keyword_path.rsplit_once('/').and_then(|(node, _)| schema.pointer(node)).unwrap_or(schema);
        let key = |name: &str, subject: String, problem: String| ConfigMismatch {
            pointer: format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
            is_key: true,
            subject,
            problem,
        };
        let value = |problem: String| ConfigMismatch {
            pointer: pointer.to_owned(),
            is_key: false,
            subject: format!("`{}`", path_text(pointer, None)),
            problem,
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let allowed = allowed_keys(node);
                let unknown = |name: &String| {
                    let subject = format!("unknown key `{}`", path_text(pointer, Some(name)));
                    key(name, subject, unknown_key(name, &allowed))
                };
                unexpected.iter().map(unknown).collect()
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                if is_misspelt(name, error.instance(), node) {
                    return Vec::new();
                }
                let member = node.pointer("/properties").and_then(|members| members.get(name));
                let expected = member.map_or_else(|| "a value".to_owned(), |member| expected(member, schema));
                vec![value(format!(" lacks `{}`; write {expected} there", cut(name)))]
            }
            _ => vec![value(format!(" is {}; write {}", shown(error.instance()), expected(node, schema)))],
        }
    }
}

impl fmt::Display for ConfigMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.subject, self.problem)
    }
}

/// Whether an unknown key of `instance` is taken for the key `name`. It is reported as unknown.
fn is_misspelt(name: &str, instance: &Value, node: &Value) -> bool {
    let allowed = allowed_keys(node);
    let is_closed = node.get("additionalProperties") == Some(&Value::Bool(false));
    let keys = instance.as_object().into_iter().flat_map(|table| table.keys());
    let mut unknown = keys.filter(|key| !allowed.contains(&key.as_str()));
    is_closed && unknown.any(|key| nearest(key, allowed.iter().copied()) == Some(name))
}

/// The keys that a table must have, each with what to write.
pub(super) fn required_keys(schema: &Value) -> Vec<(String, String)> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let described = |name: &str| {
        let member = schema.get("properties").and_then(|members| members.get(name));
        (cut(name), member.map_or_else(|| "a value".to_owned(), |member| expected(member, schema)))
    };
    required.filter_map(Value::as_str).take(MAX_LISTED).map(described).collect()
}

/// The rest of a sentence about an unknown key.
fn unknown_key(name: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        return "; remove it, no key is allowed here".to_owned();
    }
    let hint = nearest(name, allowed.iter().copied()).map(|near| format!(" did you mean `{}`?", cut(near)));
    let listed: Vec<String> = allowed.iter().take(MAX_LISTED).map(|key| cut(key)).collect();
    let more = if allowed.len() > MAX_LISTED { ", ..." } else { "" };
    format!(";{} keys allowed here: {}{more}", hint.unwrap_or_default(), listed.join(", "))
}

fn allowed_keys(node: &Value) -> Vec<&str> {
    let members = node.get("properties").and_then(Value::as_object);
    members.into_iter().flat_map(|members| members.keys().map(String::as_str)).collect()
}

/// What a schema accepts, such as `a whole number from 1 to 1000`.
fn expected(schema: &Value, root: &Value) -> String {
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?))
    {
        return expected(target, root);
    }
    if let Some(value) = schema.get("const") {
        return shown(value);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return alternatives(values.iter().map(shown).collect());
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(keyword).and_then(Value::as_array) {
            return alternatives(choices.iter().map(|choice| expected(choice, root)).collect());
        }
    }
    match schema.get("type") {
        Some(Value::String(kind)) => expected_kind(kind, schema),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            alternatives(kinds.map(|kind| expected_kind(kind, schema)).collect())
        }
        _ => "a value that fits the schema; `understudy plugin show` prints it".to_owned(),
    }
}

fn expected_kind(kind: &str, schema: &Value) -> String {
    match kind {
        "integer" => format!("a whole number{}", range(schema)),
        "number" => format!("a number{}", range(schema)),
        "boolean" => "true or false".to_owned(),
        "string" => {
            let pattern = schema.get("pattern").and_then(Value::as_str);
            let pattern =
                pattern.map_or_else(String::new, |pattern| format!(" that matches `{}`", cut(pattern)));
            format!(
                "a text{}{pattern}",
                length(schema, ["minLength", "maxLength"], ["character", "characters"])
            )
        }
        "array" => format!("a list{}", length(schema, ["minItems", "maxItems"], ["element", "elements"])),
        "object" => format!("a table{}", length(schema, ["minProperties", "maxProperties"], ["key", "keys"])),
        _ => "another value".to_owned(),
    }
}

/// The range of a number, with a space before it; empty if there is none.
fn range(schema: &Value) -> String {
    let bound = |keyword: &str| schema.get(keyword).filter(|bound| bound.is_number());
    match (bound("minimum"), bound("maximum"), bound("exclusiveMinimum"), bound("exclusiveMaximum")) {
        (Some(least), Some(greatest), None, None) => format!(" from {least} to {greatest}"),
        (Some(least), None, None, None) => format!(" of at least {least}"),
        (None, Some(greatest), None, None) => format!(" of at most {greatest}"),
        (least, greatest, above, below) => {
            let parts = [("at least", least), ("at most", greatest), ("above", above), ("below", below)];
            let parts = parts.iter().filter_map(|(word, bound)| Some(format!("{word} {}", bound.as_ref()?)));
            match parts.collect::<Vec<_>>().join(" and ") {
                parts if parts.is_empty() => parts,
                parts => format!(" {parts}"),
            }
        }
    }
}

/// The lengths of a text, list or table, with a space before them; empty if there is none.
fn length(schema: &Value, [least, greatest]: [&str; 2], [one, many]: [&str; 2]) -> String {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let named = |number: u64| format!("{number} {}", if number == 1 { one } else { many });
    match (bound(least), bound(greatest)) {
        (Some(least), Some(greatest)) if least == greatest => format!(" of {}", named(least)),
        (Some(least), Some(greatest)) => format!(" of {least} to {}", named(greatest)),
        (Some(least), None) => format!(" of at least {}", named(least)),
        (None, Some(greatest)) => format!(" of at most {}", named(greatest)),
        (None, None) => String::new(),
    }
}

/// `a, b or c`, without repetitions.
fn alternatives(mut words: Vec<String>) -> String {
    words.dedup();
    if words.len() > MAX_LISTED {
        words.truncate(MAX_LISTED);
        words.push("...".to_owned());
    }
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "another value".to_owned(),
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".to_owned(),
        Value::Array(elements) if elements.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        value => cut(&value.to_string()),
    }
}

/// A text of at most 60 characters that affects no terminal.
fn cut(text: &str) -> String {
    let text = sanitize(text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A JSON Pointer as a path, such as `config.round."/a"[2]`, with a further key.
fn path_text(pointer: &str, key: Option<&str>) -> String {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    let mut path = "config".to_owned();
    for part in parts.chain(key.map(str::to_owned)) {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path += &format!("[{part}]");
        } else if !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            path += &format!(".{}", cut(&part));
        } else {
            path += &format!(".\"{}\"", cut(&part));
        }
    }
    path
}
