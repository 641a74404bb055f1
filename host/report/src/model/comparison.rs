//! Models side by side: what each is over the same pairs, and by how much they differ.
//!
//! Always holds: all figures here are of pairs that every model has, summed over several.

use serde::Serialize;

use crate::model::report::Plugin;
use understudy_sandbox::Better;
use understudy_statistics::scoring::Interval;

/// Models side by side. As JSON, what `understudy compare --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SideBySide {
    /// The version of this layout: 1.
    pub format: u32,
    /// The confidence of each bound by itself.
    pub confidence: f64,
    /// The run directories, one or two.
    pub runs: Vec<Compared>,
    /// Pairs that all have, of which the figures are.
    pub pairs: u64,
    /// Whether the decisions were put into the models' form by the same comparator in both runs.
    pub same_comparator: bool,
    /// The model that the others are set beside.
    pub reference: ModelOf,
    /// The others.
    pub others: Vec<Beside>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compared {
    /// Its directory, as it was named.
    pub run: String,
    /// Its study.
    pub study: String,
    /// Pairs that could be compared there.
    pub pairs: u64,
    /// Those of them that the other run has not; 0 where there is no other.
    pub only_here: u64,
}

/// A model of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ModelOf {
    /// The run's directory, as it was named.
    pub run: String,
    /// The model.
    #[serde(flatten)]
    pub plugin: Plugin,
}

/// A model set beside the reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Beside {
    /// The model.
    pub model: ModelOf,
    /// First over all pairs, then over each value of each condition that has at least five pairs.
    pub parts: Vec<Part>,
}

/// The two over some of the pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// The condition; null for all pairs.
    pub condition: Option<String>,
    /// Its value; null for all pairs.
    pub value: Option<String>,
    /// How many pairs.
    pub pairs: u64,
    /// How often each agrees with the substrate; null for numbers.
    pub agreement: Option<Agreement>,
    /// By each metric.
    pub metrics: Vec<MetricPair>,
}

/// How often two models agree with the substrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Agreement {
    /// Both do.
    pub both: u64,
    /// Only the reference does.
    pub only_reference: u64,
    /// Only the other does.
    pub only_other: u64,
    /// Neither does.
    pub neither: u64,
}

/// The figures of the two by a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MetricPair {
    /// The metric's name.
    pub metric: String,
    /// Which way is closer to the substrate.
    pub better: Better,
    /// Pairs that it scored for both.
    pub pairs: u64,
    /// The reference's figure; null where it is not defined.
    pub reference: Option<f64>,
    /// The other's.
    pub other: Option<f64>,
    /// The other's less the reference's.
    pub difference: Option<f64>,
    /// The bounds of the true difference; null where the groups say nothing of its spread.
    pub interval: Option<Interval>,
    /// How likely so great a difference, one way or the other, would be if there were none: two-sided.
    pub p_value: Option<f64>,
}

impl SideBySide {
    /// As JSON.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("figures are plain data");
        json + "\n"
    }
}
