//! What a plugin says of itself, checked before it is believed.
//!
//! Always holds: names are not empty, not long, free of control characters and told apart; there are not too many; the
//! bounds of a figure are finite and in order.

use rustc_hash::FxHashSet;

use super::SandboxError;
use super::bindings::decider::exports::understudy::shadow::columns::{Field, Kind as Given};
use super::decider::InputField;
use understudy_study::Kind;

/// The most fields that a plugin may read, and the most components that a metric may have.
const MAX_NAMES: usize = 4096;
/// The longest name, in characters.
const MAX_LENGTH: usize = 200;

/// The name and the version of a plugin, for people.
pub(super) fn title(name: &str, version: &str) -> String {
    super::clean(&format!("{name} {version}")).chars().take(MAX_LENGTH).collect()
}

/// The fields that a plugin reads.
pub(super) fn fields(given: Vec<Field>) -> Result<Vec<InputField>, SandboxError> {
    distinct("fields", given.iter().map(|field| field.name.as_str()))?;
    let read = |field: Field| InputField { name: field.name, kind: kind(field.kind), required: field.required };
    Ok(given.into_iter().map(read).collect())
}

/// The components of a metric.
pub(super) fn components(names: Vec<String>) -> Result<Vec<String>, SandboxError> {
    if names.is_empty() {
        return Err(wrong("a metric needs at least one component"));
    }
    distinct("components", names.iter().map(String::as_str))?;
    Ok(names)
}

/// The least and the greatest figure of a metric.
pub(super) fn range(
    least: Option<f64>,
    greatest: Option<f64>,
) -> Result<(Option<f64>, Option<f64>), SandboxError> {
    if let Some(bound) = [least, greatest].into_iter().flatten().find(|bound| !bound.is_finite()) {
        return Err(wrong(format!("a bound of its range is {bound}; omit bounds that are not finite")));
    }
    match (least, greatest) {
        (Some(least), Some(greatest)) if least > greatest => {
            Err(wrong(format!("its minimum {least} is above its maximum {greatest}")))
        }
        range => Ok(range),
    }
}

fn kind(kind: Given) -> Kind {
    match kind {
        Given::Boolean => Kind::Boolean,
        Given::Integer => Kind::Integer,
        Given::Number => Kind::Number,
        Given::Text => Kind::Text,
        Given::Timestamp => Kind::Timestamp,
        Given::Json => Kind::Json,
    }
}

fn distinct<'n>(what: &str, names: impl ExactSizeIterator<Item = &'n str>) -> Result<(), SandboxError> {
    if names.len() > MAX_NAMES {
        return Err(wrong(format!("it has {} {what}; at most {MAX_NAMES} are allowed", names.len())));
    }
    let mut seen = FxHashSet::default();
    for name in names {
        let shown = || super::clean(name).chars().take(MAX_LENGTH).collect::<String>();
        let characters = name.chars().count();
        if name.is_empty() {
            return Err(wrong(format!("one of its {what} has an empty name")));
        } else if characters > MAX_LENGTH {
            let shown = shown();
            return Err(wrong(format!(
                "the name \"{shown}...\" among its {what} has {characters} characters; at most {MAX_LENGTH} are allowed"
            )));
        } else if name.chars().any(super::is_hidden) {
            return Err(wrong(format!("the name \"{}\" among its {what} has control characters", shown())));
        } else if !seen.insert(name) {
            return Err(wrong(format!("duplicate name `{name}` among its {what}")));
        }
    }
    Ok(())
}

fn wrong(why: impl Into<String>) -> SandboxError {
    SandboxError::Description { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> String {
        match components(names.iter().map(|&name| name.to_owned()).collect()) {
            Ok(_) => "sound".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_that_cannot_be_are_told() {
        let many: Vec<String> = (0..4097).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = "é".repeat(201);
        let said = [
            told(&["hits", "misses"]),
            told(&many[..4096]),
            told(&["é".repeat(200).as_str()]),
            told(&[]),
            told(&many),
            told(&["a", ""]),
            told(&["a", "b", "a"]),
            told(&["clear\u{1b}[2J"]),
            told(&["\u{202e}reversed"]),
            told(&[long.as_str()]).replace(&"é".repeat(200), "é*200"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        sound
        sound
        sound
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
    fn bounds_that_cannot_be_are_told() {
        assert_eq!(range(None, Some(1.0)).expect("sound"), (None, Some(1.0)));
        assert_eq!(range(Some(1.0), Some(1.0)).expect("sound"), (Some(1.0), Some(1.0)));
        let cases = [(Some(f64::NAN), None), (None, Some(f64::INFINITY)), (Some(1.0), Some(0.0))];
        let said: Vec<String> = cases
            .into_iter()
            .map(|(least, greatest)| range(least, greatest).expect_err("unsound").to_string())
            .collect();
        insta::assert_snapshot!(said.join("\n"), @"
        invalid description: a bound of its range is NaN; omit bounds that are not finite
        invalid description: a bound of its range is inf; omit bounds that are not finite
        invalid description: its minimum 1 is above its maximum 0
        ");
    }

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(title("rooms\r\n", "\u{1b}[31m1"), "rooms    [31m1");
        assert_eq!(title(&"x".repeat(1 << 20), "1").len(), MAX_LENGTH);
    }
}
