//! The report of a run: the content of `report.json`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::divergence::{Divergence, Spreads};
use understudy_engine::{Again, Comparison, End, Incident, Latency, RefusedRecord, SubstrateLatency};
use understudy_records::pairing::Accounting;
use understudy_sandbox::Better;
use understudy_statistics::scoring::Interval;
use understudy_study::Form;

/// The version of this layout; it changes when a reader of the last one would misread a report.
pub const FORMAT: u32 = 2;

/// What a run found. Written as `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The version of the layout: [`FORMAT`].
    pub format: u32,
    /// The study's name.
    pub study: String,
    /// SHA-256 of the canonical form of the declaration, as the seal has it, in hexadecimal.
    pub declaration: String,
    /// The zone of windows and calendar conditions.
    pub time_zone: String,
    /// When the run began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub end: End,
    /// Where every record has got to.
    pub accounting: Accounting,
    /// What became of the pairs.
    pub comparison: Comparison,
    /// The models, in the order declared.
    pub models: Vec<Model>,
    /// The comparator.
    pub comparator: Plugin,
    /// The metrics, in the order declared.
    pub metrics: Vec<Metric>,
    /// The conditions with their values, in the order declared.
    pub conditions: Vec<Condition>,
    /// The windows that have pairs, in order of time.
    pub windows: Vec<Window>,
    /// Time from the snapshot to the substrate's decision, by the times that the records carry.
    pub substrate_latency: SubstrateLatency,
    /// Its distribution, over decisions at or after their snapshot.
    pub substrate_times: Vec<Time>,
    /// Where models and substrate part.
    pub divergence: Divergence,
    /// SHA-256 of the seal of the run whose log was replayed, if this is an offline evaluation and no shadow run; null
    /// otherwise.
    pub replay_of: Option<String>,
    /// What broke, the same things together, the most frequent first.
    pub incidents: Vec<Incident>,
    /// The first records that were refused, at most ten of each stream and class, in the order in which they came.
    pub refused: Vec<RefusedRecord>,
}

impl Report {
    /// The content of `report.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }
}

/// A plugin as it ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Plugin {
    /// Its name in the study.
    pub name: String,
    /// What it calls itself, with its version.
    pub title: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// A model and what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Model {
    /// Which.
    #[serde(flatten)]
    pub plugin: Plugin,
    /// The form of its answers.
    pub form: Form,
    /// Snapshots that it answered.
    pub answered: u64,
    /// Snapshots that it chose not to answer.
    pub abstained: u64,
    /// Snapshots that it failed on.
    pub failed: u64,
    /// Snapshots that it was not asked about before their decision had come.
    pub blinded: u64,
    /// The time until the batch of a snapshot was answered; its rows share it.
    pub latency: Latency,
    /// Its distribution.
    pub times: Vec<Time>,
    /// What came of asking it about a share of the snapshots again.
    pub again: Again,
    /// For each metric, in the order of [`Report::metrics`].
    pub scores: Vec<Scores>,
    /// How its answers lie to the substrate's.
    pub spreads: Spreads,
}

/// A point of a distribution of times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Time {
    /// The share, from 0 to 1, that is no longer.
    pub share: f64,
    /// The time, to three significant digits.
    pub nanos: u64,
}

/// A metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Metric {
    /// Which.
    #[serde(flatten)]
    pub plugin: Plugin,
    /// Whether the study turns on it.
    pub primary: bool,
    /// Which way is better.
    pub better: Better,
    /// The least figure there can be.
    pub least: Option<f64>,
    /// The greatest figure there can be.
    pub greatest: Option<f64>,
    /// The names of its components.
    pub components: Vec<String>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Window {
    /// What it is called.
    pub label: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// The figures of one model by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Scores {
    /// Over all compared pairs.
    pub overall: Figure,
    /// For each condition, for each of its values, in the order of [`Report::conditions`].
    pub conditions: Vec<Vec<Figure>>,
    /// For each window, in the order of [`Report::windows`].
    pub windows: Vec<Figure>,
}

/// A figure and what it was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Figure {
    /// The figure; `None` where it is not defined.
    pub value: Option<f64>,
    /// The bounds that hold it with 95 %, by the metric that [`Divergence`] names, over all pairs and where its conditions and
    /// the windows cut them; none where they cannot be told. They are for a look at a declared time, not for many looks.
    pub interval: Option<Interval>,
    /// Compared pairs.
    pub pairs: u64,
    /// Those that the model chose not to answer. They stay among the pairs.
    pub abstained: u64,
    /// Those that it failed on. They stay among the pairs.
    pub failed: u64,
    /// Those that the metric broke on. The figure is over the others.
    pub unscored: u64,
    /// The sum of each component, in the order of [`Metric::components`].
    pub sums: Vec<f64>,
}
