//! Reads the conditions of a study: how its snapshots are split in advance.
//!
//! Every snapshot falls under exactly one value of each condition, so no value is declared twice, none has the name of
//! one that is added by itself, and the edges of bins ascend.

use super::check::{self, CALENDAR, DECISION, Declared, NAME, Names};
use super::section::Section;
use super::value::Value;
use super::{Condition, Kind, Split};

const FIELD: &str = "the name of a snapshot's field, such as \"lead_time\"";
const VALUES: &str = "a list of texts, integers or booleans, at least one, such as [\"direct\", \"groups\"]";
const BINS: &str = "a list of finite numbers in ascending order, at least one, such as [7, 30, 90]";

/// The values that every split by `values` has besides the declared ones.
const ADDED: [&str; 2] = ["other", "missing"];

/// One condition. Its name is taken from those that the conditions after it may have.
pub(super) fn condition(
    section: &mut Section<'_>,
    declared: &Declared,
    names: &mut Names,
) -> Option<Condition> {
    let name = section.required("name", NAME, Value::name);
    let field = section.optional("field", FIELD, Value::word);
    let values = section.filled_list("values", VALUES, Value::scalar);
    let bins = section.filled_list("bins", BINS, Value::number);
    let calendar = section.optional("calendar", &check::one_of(&CALENDAR), |value| value.choice(&CALENDAR));

    let name = name.filter(|name| section.check("name", names.claim_part(name, section.line())).is_some());
    let mut keys = vec!["field", "values", "bins", "calendar"];
    keys.retain(|key| section.has(key));
    let split = match keys[..] {
        ["field", "values"] => field.map(|field| split_values(section, declared, field, values)),
        ["field", "bins"] => field.map(|field| split_bins(section, declared, field, bins)),
        ["calendar"] => calendar,
        _ => {
            let has = if keys.is_empty() { "none of them".to_owned() } else { check::listed(&keys, " and ") };
            let message = format!(
                "a condition has either `field` and `values`, or `field` and `bins`, or `calendar`; this one has {has}"
            );
            section.absent(section.line(), message);
            None
        }
    };
    Some(Condition { name: name?.to_owned(), split: split? })
}

fn split_values(
    section: &Section<'_>,
    declared: &Declared,
    field: &str,
    listed: Vec<((String, Kind), usize)>,
) -> Split {
    let suited = [Kind::Text, Kind::Integer, Kind::Boolean];
    let kind = kind(section, declared, field, "values", &suited);
    let path = section.at("values");
    let mut values: Vec<String> = Vec::new();
    for ((value, of), line) in listed {
        if let Some(kind) = kind.filter(|kind| *kind != of) {
            let (of, kind) = (of.name(), kind.name());
            let message = format!(
                "`{path}` holds `{value}`, of kind {of}, but the field `{field}` is {kind}; write values of its kind"
            );
            section.fault(line, message);
        } else if ADDED.contains(&value.as_str()) {
            let message = format!(
                "`{path}` holds `{value}`, which is there unlisted: `other` for the values that are not listed, \
                 `missing` for no value; take it away"
            );
            section.fault(line, message);
        } else if values.contains(&value) {
            section.fault(line, format!("`{path}` holds `{value}` twice; take one away"));
        }
        values.push(value);
    }
    Split::Values { field: field.to_owned(), values }
}

fn split_bins(section: &Section<'_>, declared: &Declared, field: &str, listed: Vec<(f64, usize)>) -> Split {
    kind(section, declared, field, "bins", &[Kind::Integer, Kind::Number]);
    for pair in listed.windows(2) {
        let [(before, _), (edge, line)] = pair else { continue };
        if edge <= before {
            let path = section.at("bins");
            section.fault(*line, format!("`{path}` has {edge} after {before}; write {BINS}"));
        }
    }
    Split::Bins { field: field.to_owned(), edges: listed.into_iter().map(|(edge, _)| edge).collect() }
}

/// The kind of the field that a condition splits by, if it is known and suits.
fn kind(section: &Section<'_>, declared: &Declared, field: &str, by: &str, suited: &[Kind]) -> Option<Kind> {
    let path = section.at("field");
    let line = section.line_of("field");
    if field.starts_with(DECISION) {
        let message =
            format!("`{path}` is `{field}`, but a condition splits snapshots; take one of [inputs.fields]");
        section.fault(line, message);
        return None;
    }
    let found = declared.input(&format!("`{path}` is"), field);
    let kind = found.map_err(|message| section.absent(line, message)).ok()??;
    if suited.contains(&kind) {
        return Some(kind);
    }
    let kinds: Vec<_> = suited.iter().map(|kind| kind.name()).collect();
    let (kind, kinds) = (kind.name(), kinds.join(", "));
    section.fault(
        line,
        format!("`{path}` is `{field}`, of kind {kind}, but `{by}` need one of these kinds: {kinds}"),
    );
    None
}

#[cfg(test)]
mod tests;
