//! The JSON Schemas of `report.json`, `verdict.json`, and the report bundle of `understudy report --format json`.
//!
//! Invariants: the schemas are generated from the types that are written, with their doc comments as descriptions. A
//! key may be added without a new format version, so readers should ignore unknown keys, as the schemas do.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;

use crate::model::bundle::ReportBundle;
use crate::model::report::Report;
use understudy_statistics::verdict::Verdict;

/// The JSON Schema (draft 2020-12) of `report.json`.
pub fn report() -> Json {
    generate::<Report>("report.json")
}

/// The JSON Schema of `verdict.json`.
pub fn verdict() -> Json {
    generate::<Verdict>("verdict.json")
}

/// The JSON Schema of what `understudy report --format json` prints.
pub fn bundle() -> Json {
    generate::<ReportBundle>("report bundle")
}

fn generate<T: JsonSchema>(title: &str) -> Json {
    let mut schema: Schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
