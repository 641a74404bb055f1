//! Validates the description that a plugin returns.
//!
//! Invariants of a valid description:
//! - Names are distinct, not empty, limited in length and number, and free of control characters.
//! - The bounds of a metric are finite and in order.

use rustc_hash::FxHashSet;

use super::SandboxError;
use super::bindings::decider::exports::understudy::shadow::columns::{Field, Kind as WitKind};
use understudy_study::FieldKind;

/// Maximum number of fields that a plugin reads, and of components of a metric.
const MAX_NAMES: usize = 4096;
/// Maximum length of a name in characters.
const MAX_LENGTH: usize = 200;

/// Display name and version of a plugin, sanitised.
pub(super) fn title(name: &str, version: &str) -> String {
    super::sanitize(&format!("{name} {version}")).chars().take(MAX_LENGTH).collect()
}

/// A field that a plugin reads, as its description declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Name of the field in the study.
    pub name: String,
    /// Kind as which the plugin receives it.
    pub kind: FieldKind,
    /// Whether rows without a value are withheld from the plugin.
    pub required: bool,
}

/// Validates the fields that a plugin reads.
pub(super) fn fields(fields: Vec<Field>) -> Result<Vec<InputField>, SandboxError> {
    check_names("fields", fields.iter().map(|field| field.name.as_str()))?;
    let convert =
        |field: Field| InputField { name: field.name, kind: kind(field.kind), required: field.required };
    Ok(fields.into_iter().map(convert).collect())
}

/// Validates the component names of a metric.
pub(super) fn components(names: Vec<String>) -> Result<Vec<String>, SandboxError> {
    if names.is_empty() {
        return Err(invalid("a metric needs at least one component"));
    }
    check_names("components", names.iter().map(String::as_str))?;
    Ok(names)
}

/// Validates the bounds of a metric.
pub(super) fn range(
    minimum: Option<f64>,
    maximum: Option<f64>,
) -> Result<(Option<f64>, Option<f64>), SandboxError> {
    if let Some(bound) = [minimum, maximum].into_iter().flatten().find(|bound| !bound.is_finite()) {
        return Err(invalid(format!("a bound of its range is {bound}; omit bounds that are not finite")));
    }
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) if minimum > maximum => {
            Err(invalid(format!("its minimum {minimum} is above its maximum {maximum}")))
        }
        range => Ok(range),
    }
}

fn kind(kind: WitKind) -> FieldKind {
    match kind {
        WitKind::Boolean => FieldKind::Boolean,
        WitKind::Integer => FieldKind::Integer,
        WitKind::Number => FieldKind::Number,
        WitKind::Text => FieldKind::Text,
        WitKind::Timestamp => FieldKind::Timestamp,
        WitKind::Json => FieldKind::Json,
    }
}

fn check_names<'n>(what: &str, names: impl ExactSizeIterator<Item = &'n str>) -> Result<(), SandboxError> {
    if names.len() > MAX_NAMES {
        return Err(invalid(format!("it has {} {what}; at most {MAX_NAMES} are allowed", names.len())));
    }
    let mut seen = FxHashSet::default();
    for name in names {
        let shown = || super::sanitize(name).chars().take(MAX_LENGTH).collect::<String>();
        let characters = name.chars().count();
        if name.is_empty() {
            return Err(invalid(format!("one of its {what} has an empty name")));
        } else if characters > MAX_LENGTH {
            let shown = shown();
            return Err(invalid(format!(
                "the name \"{shown}...\" among its {what} has {characters} characters; at most {MAX_LENGTH} are allowed"
            )));
        } else if name.chars().any(super::is_hidden) {
            return Err(invalid(format!("the name \"{}\" among its {what} has control characters", shown())));
        } else if !seen.insert(name) {
            return Err(invalid(format!("duplicate name `{name}` among its {what}")));
        }
    }
    Ok(())
}

fn invalid(why: impl Into<String>) -> SandboxError {
    SandboxError::Description { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(names: &[&str]) -> String {
        match components(names.iter().map(|&name| name.to_owned()).collect()) {
            Ok(_) => "valid".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn invalid_names_are_rejected() {
        let many: Vec<String> = (0..4097).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = "é".repeat(201);
        let results = [
            result(&["hits", "misses"]),
            result(&many[..4096]),
            result(&["é".repeat(200).as_str()]),
            result(&[]),
            result(&many),
            result(&["a", ""]),
            result(&["a", "b", "a"]),
            result(&["clear\u{1b}[2J"]),
            result(&["\u{202e}reversed"]),
            result(&[long.as_str()]).replace(&"é".repeat(200), "é*200"),
        ];
        insta::assert_snapshot!(results.join("\n"), @r#"
        valid
        valid
        valid
        invalid description: a metric needs at least one component
        invalid description: it has 4097 components; at most 4096 are allowed
        invalid description: one of its components has an empty name
        invalid description: duplicate name `a` among its components
        invalid description: the name "clear [2J" among its components has control characters
        invalid description: the name " reversed" among its components has control characters
        invalid description: the name "é*200..." among its components has 201 characters; at most 200 are allowed
        "#);
    }

    #[test]
    fn invalid_bounds_are_rejected() {
        assert_eq!(range(None, Some(1.0)).expect("valid"), (None, Some(1.0)));
        assert_eq!(range(Some(1.0), Some(1.0)).expect("valid"), (Some(1.0), Some(1.0)));
        let cases = [(Some(f64::NAN), None), (None, Some(f64::INFINITY)), (Some(1.0), Some(0.0))];
        let errors: Vec<String> = cases
            .into_iter()
            .map(|(minimum, maximum)| range(minimum, maximum).expect_err("invalid").to_string())
            .collect();
        insta::assert_snapshot!(errors.join("\n"), @"
        invalid description: a bound of its range is NaN; omit bounds that are not finite
        invalid description: a bound of its range is inf; omit bounds that are not finite
        invalid description: its minimum 1 is above its maximum 0
        ");
    }

    #[test]
    fn titles_are_one_short_line() {
        assert_eq!(title("rooms\r\n", "\u{1b}[31m1"), "rooms    [31m1");
        assert_eq!(title(&"x".repeat(1 << 20), "1").len(), MAX_LENGTH);
    }
}
