//! Compares JSON values, with rules for some paths.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

/// Largest number of decimals: a 64-bit float has no more than about 16 digits.
const MAX_DECIMALS: u32 = 15;

/// A part of a path.
enum Part {
    /// Every key and every element.
    Any,
    /// A key, or the index of an element.
    Name(String),
}

/// What a rule does.
#[derive(Clone, Copy)]
enum Action {
    /// The value is not compared.
    Ignore,
    /// A number is rounded to this many decimals.
    Round(u32),
}

/// A rule for the values at a path.
struct Rule {
    path: Vec<Part>,
    action: Action,
}

/// The rules of a configuration.
pub(crate) struct Rules(Vec<Rule>);

/// A rule that may apply below a value, with the number of parts of its path that lead there.
type Active<'r> = (&'r Rule, usize);

impl Rules {
    /// Reads the paths.
    ///
    /// # Errors
    /// If a path is no pointer, or a number of decimals is too large.
    pub(crate) fn new(ignore: &[String], round: &BTreeMap<String, u32>) -> Result<Self, String> {
        let mut rules = Vec::new();
        for pointer in ignore {
            rules.push(Rule { path: path(pointer, "ignore")?, action: Action::Ignore });
        }
        for (pointer, decimals) in round {
            if *decimals > MAX_DECIMALS {
                return Err(format!(
                    "config: `round` has {decimals} decimals for \"{pointer}\"; it must be from 0 to {MAX_DECIMALS}"
                ));
            }
            rules.push(Rule { path: path(pointer, "round")?, action: Action::Round(*decimals) });
        }
        Ok(Self(rules))
    }

    /// Whether two values are equal.
    pub(crate) fn equal(&self, model: &Value, decision: &Value) -> bool {
        let active: Vec<Active<'_>> = self.0.iter().map(|rule| (rule, 0)).collect();
        equal(model, decision, &active)
    }
}

/// The parts of a pointer.
fn path(pointer: &str, key: &str) -> Result<Vec<Part>, String> {
    let Some(parts) = pointer.strip_prefix('/') else {
        return Err(format!(
            "config: `{key}` has the path \"{pointer}\"; write a JSON pointer such as \"/items/*/id\""
        ));
    };
    let part = |part: &str| match part {
        "*" => Part::Any,
        name => Part::Name(name.replace("~1", "/").replace("~0", "~")),
    };
    Ok(parts.split('/').map(part).collect())
}

/// The rules that may apply at a key or an element.
fn below<'r>(active: &[Active<'r>], name: &str) -> Vec<Active<'r>> {
    let leads = |(rule, depth): &&Active<'r>| match rule.path.get(*depth) {
        Some(Part::Any) => true,
        Some(Part::Name(own)) => own == name,
        None => false,
    };
    active.iter().filter(leads).map(|(rule, depth)| (*rule, depth + 1)).collect()
}

/// The actions of the rules whose path ends at a value.
fn actions<'a>(active: &'a [Active<'_>]) -> impl Iterator<Item = Action> + 'a {
    active.iter().filter(|(rule, depth)| rule.path.len() == *depth).map(|(rule, _)| rule.action)
}

fn is_ignored(active: &[Active<'_>]) -> bool {
    actions(active).any(|action| matches!(action, Action::Ignore))
}

fn equal(model: &Value, decision: &Value, active: &[Active<'_>]) -> bool {
    if is_ignored(active) {
        return true;
    }
    match (model, decision) {
        (Value::Number(model), Value::Number(decision)) => {
            let decimals = actions(active).filter_map(|action| match action {
                Action::Round(decimals) => Some(decimals),
                Action::Ignore => None,
            });
            equal_numbers(model, decision, decimals.min())
        }
        (Value::Array(model), Value::Array(decision)) => {
            model.len() == decision.len()
                && model.iter().zip(decision).enumerate().all(|(index, (model, decision))| {
                    equal(model, decision, &below(active, &index.to_string()))
                })
        }
        (Value::Object(model), Value::Object(decision)) => {
            let keys: BTreeSet<&String> = model.keys().chain(decision.keys()).collect();
            keys.into_iter().all(|key| {
                let active = below(active, key);
                match (model.get(key), decision.get(key)) {
                    (Some(model), Some(decision)) => equal(model, decision, &active),
                    _ => is_ignored(&active),
                }
            })
        }
        _ => model == decision,
    }
}

/// Compares numbers by value, rounded if `decimals` are given.
fn equal_numbers(model: &Number, decision: &Number, decimals: Option<u32>) -> bool {
    if model == decision {
        return true;
    }
    // Two different integers may be the same float.
    let are_integers = !model.is_f64() && !decision.is_f64();
    let (Some(model), Some(decision)) = (model.as_f64(), decision.as_f64()) else { return false };
    match decimals {
        None => model == decision && !are_integers,
        Some(decimals) if !are_integers => rounded(model, decimals) == rounded(decision, decimals),
        Some(_) => false,
    }
}

/// A number times a power of ten, rounded half away from zero; the number itself if that is beyond the range of floats.
fn rounded(number: f64, decimals: u32) -> f64 {
    let scaled = number * 10f64.powi(decimals as i32);
    if scaled.is_finite() { scaled.round() } else { number }
}
