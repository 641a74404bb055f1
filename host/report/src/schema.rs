//! The JSON Schemas of what programs read: `report.json`, `verdict.json`, and a dossier, `understudy report --format json`.
//!
//! Always holds: they are made of the types that are written, with their words, so they cannot say anything else. Keys may be
//! added without a new format, so a reader should pass over those that it does not know, as the schemas do.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;

use crate::model::bundle::Dossier;
use crate::model::report::Report;
use understudy_statistics::verdict::Verdict;

/// The JSON Schema (draft 2020-12) of `report.json`.
pub fn report() -> Json {
    of::<Report>("report.json")
}

/// The JSON Schema of `verdict.json`.
pub fn verdict() -> Json {
    of::<Verdict>("verdict.json")
}

/// The JSON Schema of what `understudy report --format json` prints.
pub fn dossier() -> Json {
    of::<Dossier>("dossier")
}

fn of<T: JsonSchema>(title: &str) -> Json {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
