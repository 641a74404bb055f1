//! Schema and type are held to agree by what is written: every value of full reports is laid beside what the schema says
//! of it, and every word that the schema allows is read as the type reads it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::schema;
use crate::report::terminal::fixture::{empty, hotel, rates, troubled};
use crate::report::{End, Report};

/// What the schema says, with what `$ref` names in place of it.
fn resolved(said: &Json) -> Json {
    match said.get("$ref").and_then(Json::as_str) {
        Some(path) => schema().pointer(path.trim_start_matches('#')).cloned().unwrap(),
        None => said.clone(),
    }
}

fn keys(json: &Json) -> BTreeSet<String> {
    json.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn words(json: &Json) -> Vec<&str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_u64() => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Where a value is not what the schema says, or has keys that the schema lacks.
fn misfits(at: &str, said: &Json, value: &Json, found: &mut Vec<String>) {
    let said = resolved(said);
    if let Some(choices) = said["oneOf"].as_array() {
        let fits = |choice: &&Json| {
            let mut found = Vec::new();
            misfits(at, choice, value, &mut found);
            found.is_empty()
        };
        if choices.iter().filter(fits).count() != 1 {
            found.push(format!("{at}: {value} is not one of the choices"));
        }
        return;
    }
    let allowed =
        said["enum"].as_array().cloned().or_else(|| said.get("const").map(|only| vec![only.clone()]));
    if let Some(allowed) = allowed {
        if !allowed.contains(value) {
            found.push(format!("{at}: {value}"));
        }
        return;
    }
    let types = said["type"].as_str().map_or_else(|| words(&said["type"]), |one| vec![one]);
    let whole = kind(value) == "integer" && types.contains(&"number");
    if !whole && !types.contains(&kind(value)) {
        return found.push(format!("{at}: {value} is not {types:?}"));
    }
    if value.is_object() {
        let (has, knows) = (keys(value), keys(&said["properties"]));
        let requires = words(&said["required"]).into_iter().map(str::to_owned).collect();
        if has != knows || has != requires {
            found.push(format!("{at}: keys {has:?}, properties {knows:?}, required {requires:?}"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        misfits(&format!("{at}.{key}"), &said["properties"][key], inner, found);
    }
    for inner in value.as_array().into_iter().flatten() {
        misfits(&format!("{at}[]"), &said["items"], inner, found);
    }
}

fn fits(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    misfits("report", &schema(), &serde_json::to_value(report).unwrap(), &mut found);
    found
}

#[test]
fn a_report_has_the_keys_and_kinds_that_the_schema_says() {
    let interrupted = Report { end: End::Interrupted, ..hotel() };
    for report in [hotel(), rates(), empty(), troubled(), interrupted] {
        assert_eq!(fits(&report), Vec::<String>::new());
    }
}

/// The schema's own objects that can be found in a value, so that none is passed over because a list was empty.
fn visited(said: &Json, value: &Json, found: &mut BTreeSet<String>) {
    let said = resolved(said);
    let said = said["oneOf"].as_array().and_then(|choices| choices.last().cloned()).unwrap_or(said);
    if value.is_object() {
        found.insert(said["description"].to_string());
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        visited(&said["properties"][key], inner, found);
    }
    for inner in value.as_array().into_iter().flatten() {
        visited(&said["items"], inner, found);
    }
}

/// Everything in the schema that has properties, or describes one.
fn walk<'s>(at: String, said: &'s Json, found: &mut Vec<(String, &'s Json)>) {
    let maps =
        ["properties", "$defs"].into_iter().flat_map(|key| said[key].as_object().into_iter().flatten());
    let lists = said["oneOf"].as_array().into_iter().flatten();
    for (key, inner) in maps {
        walk(format!("{at}.{key}"), inner, found);
    }
    for inner in lists.chain(said.get("items")) {
        walk(format!("{at}[]"), inner, found);
    }
    found.push((at, said));
}

#[test]
fn no_object_of_the_schema_goes_unseen() {
    let schema = schema();
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    walk("report".into(), &schema, &mut all);
    visited(&schema, &serde_json::to_value(troubled()).unwrap(), &mut seen);
    let objects = all.iter().filter(|(_, said)| said["type"] == "object");
    let unseen: Vec<_> =
        objects.filter(|(_, said)| !seen.contains(&said["description"].to_string())).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn every_property_is_described() {
    let schema = schema();
    let mut all = Vec::new();
    walk("report".into(), &schema, &mut all);
    assert!(all.len() > 60, "{}", all.len());
    for (at, said) in all.iter().filter(|(at, _)| !at.ends_with("end[]")) {
        let description = said["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{at}: {description:?}");
    }
}

/// Every value at a path such as `models.form`, through all lists on its way.
fn at<'j>(json: &'j mut Json, path: &str) -> Vec<&'j mut Json> {
    path.split('.').fold(vec![json], |found, key| {
        let items = found.into_iter().filter_map(|value| value.get_mut(key));
        let each = items.flat_map(|value| match value {
            Json::Array(items) => items.iter_mut().collect(),
            one => vec![one],
        });
        each.collect()
    })
}

#[test]
fn the_type_reads_the_words_and_numbers_that_the_schema_allows_and_no_others() {
    let schema = schema();
    let mut report = serde_json::to_value(troubled()).unwrap();
    let read = |report: &Json| serde_json::from_value::<Report>(report.clone());
    for (list, key) in [("models", "form"), ("metrics", "better")] {
        let mut report = report.clone();
        let allowed = words(&schema["properties"][list]["items"]["properties"][key]["enum"]);
        assert!(allowed.len() > 1, "{list}.{key}");
        for (word, sound) in allowed.into_iter().map(|word| (word, true)).chain([("other", false)]) {
            at(&mut report, &format!("{list}.{key}")).into_iter().for_each(|value| *value = word.into());
            assert_eq!(read(&report).is_ok(), sound, "{list}.{key} = {word}");
        }
    }
    for word in ["finished", "interrupted"] {
        assert!(words(&schema["properties"]["end"]["oneOf"][0]["enum"]).contains(&word));
        report["end"] = word.into();
        assert!(read(&report).is_ok(), "{word}");
    }
    at(&mut report, "metrics.greatest").into_iter().for_each(|value| *value = Json::Null);
    at(&mut report, "models.scores.overall.value").into_iter().for_each(|value| *value = Json::Null);
    assert!(read(&report).is_ok());
}
