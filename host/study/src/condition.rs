//! Reads `[[conditions]]`: the declared partitions of the snapshots.
//!
//! Invariants: every snapshot has exactly one value of each condition. So no value is declared twice, no declared value
//! has the name of an implicit one, and the edges of bins ascend.

use std::collections::HashSet;

use super::table_reader::TableReader;
use super::toml_value::Value;
use super::validate::{self, BINS, CALENDAR, DECISION_PREFIX, DeclaredFields, NAME, NameRegistry};
use super::{Condition, FieldKind, Split};

/// The keys that say what a condition is: `field` with `values` or `bins`, or `calendar`.
const CONTENT: [&str; 4] = ["field", "values", "bins", "calendar"];
const FIELD: &str = "the name of a snapshot's field, such as \"lead_time\"";
const VALUES: &str = "a list of texts, integers or booleans, at least one, such as [\"direct\", \"groups\"]";

/// The implicit values of a condition with `values`.
const IMPLICIT_VALUES: [&str; 2] = ["other", "missing"];

/// Reads one condition and declares its name.
pub(super) fn condition(
    section: &mut TableReader<'_>,
    declared: &DeclaredFields,
    names: &mut NameRegistry,
) -> Option<Condition> {
    let name = section.required("name", NAME, Value::name);
    let field = section.optional("field", FIELD, Value::word);
    let values = section.filled_list("values", VALUES, Value::scalar);
    let bins = section.filled_list("bins", BINS, Value::number);
    let calendar =
        section.optional("calendar", &validate::one_of(&CALENDAR), |value| value.choice(&CALENDAR));

    let name = name.filter(|name| section.check("name", names.claim_part(name, section.line())).is_some());
    let mut keys = CONTENT.to_vec();
    keys.retain(|key| section.has(key));
    let split = match keys[..] {
        ["field", "values"] => field.map(|field| split_values(section, declared, field, values)),
        ["field", "bins"] => field.map(|field| split_bins(section, declared, field, bins)),
        ["calendar"] => calendar,
        _ => {
            let has =
                if keys.is_empty() { "none of these".to_owned() } else { validate::listed(&keys, " and ") };
            let message = format!(
                "a condition needs either `field` and `values`, or `field` and `bins`, or `calendar`; this one has {has}"
            );
            section.absent(&CONTENT, section.line(), &message);
            None
        }
    };
    Some(Condition { name: name?.to_owned(), split: split? })
}

fn split_values(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    field: &str,
    listed: Vec<((String, FieldKind), usize)>,
) -> Split {
    let suited = [FieldKind::Text, FieldKind::Integer, FieldKind::Boolean];
    let kind = kind(section, declared, field, "values", &suited);
    let path = section.at("values");
    let mut values: Vec<String> = Vec::new();
    let mut distinct: HashSet<String> = HashSet::new();
    for ((value, of), line) in listed {
        if let Some(kind) = kind.filter(|kind| *kind != of) {
            let (of, kind) = (of.name(), kind.name());
            let message = format!(
                "`{path}` contains `{value}` of kind {of}, but the field `{field}` is of kind {kind}; write values of kind {kind}"
            );
            section.fault(line, message);
        } else if IMPLICIT_VALUES.contains(&value.as_str()) {
            let message = format!(
                "`{path}` contains `{value}`, which exists implicitly: `other` is any value that is not listed, \
                 `missing` is no value; remove it"
            );
            section.fault(line, message);
        } else if !distinct.insert(value.clone()) {
            section.fault(line, format!("`{path}` contains `{value}` twice; remove one"));
        }
        values.push(value);
    }
    Split::Values { field: field.to_owned(), values }
}

fn split_bins(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    field: &str,
    listed: Vec<(f64, usize)>,
) -> Split {
    kind(section, declared, field, "bins", &[FieldKind::Integer, FieldKind::Number]);
    let path = section.at("bins");
    for pair in listed.windows(2) {
        if let Some(message) = validate::bin_fault(&path, pair[0].0, pair[1].0) {
            section.fault(pair[1].1, message);
        }
    }
    Split::Bins { field: field.to_owned(), edges: listed.into_iter().map(|(edge, _)| edge).collect() }
}

/// The kind of the condition's field, if it is known and allowed.
fn kind(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    field: &str,
    by: &str,
    suited: &[FieldKind],
) -> Option<FieldKind> {
    let path = section.at("field");
    let line = section.line_of("field");
    if field.starts_with(DECISION_PREFIX) {
        let message = format!(
            "`{path}` is `{field}`, but a condition divides snapshots; use a field of [inputs.fields]"
        );
        section.fault(line, message);
        return None;
    }
    let found = declared.input(&format!("`{path}` is"), field);
    let kind = found.map_err(|message| section.absent(&[], line, &message)).ok()??;
    if suited.contains(&kind) {
        return Some(kind);
    }
    let kinds: Vec<_> = suited.iter().map(|kind| kind.name()).collect();
    let (kind, kinds) = (kind.name(), kinds.join(", "));
    section.fault(
        line,
        format!("`{path}` is `{field}` of kind {kind}, but `{by}` needs a field of kind {kinds}"),
    );
    None
}

#[cfg(test)]
mod tests;
