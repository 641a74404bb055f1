//! The period from which the training data of a model comes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table_reader::TableReader;
use super::toml_value::Value;

const PERIOD: &str = "{ from = \"2016-07-02T00:00:00Z\", until = \"2016-11-01T00:00:00Z\" }";
const INSTANT: &str = "an instant with its offset from UTC, such as \"2016-07-02T00:00:00Z\"";

/// The period of the snapshots on which a model was trained. A model may have memorised their decisions, so a verdict on
/// snapshots in this period says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TrainingPeriod {
    /// The beginning, included.
    pub from: Timestamp,
    /// The end, excluded.
    pub until: Timestamp,
}

/// Reads `training-period`, if it is declared.
///
/// # Errors
/// If it cannot be read, which is reported.
pub(super) fn training_period(section: &mut TableReader<'_>) -> Result<Option<TrainingPeriod>, ()> {
    match section.optional_section("training-period", PERIOD, period) {
        Some(None) => Err(()),
        found => Ok(found.flatten()),
    }
}

fn period(section: &mut TableReader<'_>) -> Option<TrainingPeriod> {
    let instant = |value: &Value<'_>| value.word().and_then(|text| text.parse::<Timestamp>().ok());
    let from = section.required("from", INSTANT, instant);
    let until = section.required("until", INSTANT, instant);
    let (from, until) = (from?, until?);
    if until <= from {
        let message = format!(
            "`{}` is {until}, which is not after `from`, {from}; write the end of the training data",
            section.at("until")
        );
        section.fault(section.line_of("until"), message);
        return None;
    }
    Some(TrainingPeriod { from, until })
}
