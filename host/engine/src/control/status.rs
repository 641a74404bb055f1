//! The status of a running pipeline, as it is published to the service.
//!
//! Invariants: the counts of models cover exactly the records that were handed to the log. `accounting`
//! also counts the records that the join has received and the log has not. Usage and latencies cover blocks of at
//! least [`understudy_sandbox::USAGE_BLOCK_ROWS`] rows, so that no difference of two statuses tells of a single row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::control::published_absent_fields::AbsentField;
use crate::plugins::plugin_versions::{PluginSlot, PluginVersions};
use crate::stats::run_result::ModelCounts;
use understudy_records::join::Accounting;
use understudy_sandbox::{DeciderPlugin, PluginRole, ScorerPlugin, USAGE_BLOCK_ROWS, Usage, UsageCounters};
use understudy_study::PerStream;

/// The status of one plugin slot: its current plugin, and the resources that this plugin has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginStatus {
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// The slot's name in the study.
    pub name: String,
    /// The name and version that the plugin reports of itself.
    pub title: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// The generation that the plugin started with: 0 for a sealed plugin, and each swap starts the next one.
    pub generation: u32,
    /// Resources used by the plugin's instances since its swap or the start of the process, whichever is
    /// later, in blocks of rows; the traps are current.
    pub usage: Usage,
    /// A bound of the rows: they are fewer than this, and at least as many as in `usage`.
    #[serde(default)]
    pub rows_below: u64,
}

/// The progress of a running or ended run. Without a time, no status was published yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunStatus {
    /// The time of this status.
    pub at: Option<Timestamp>,
    /// The time when the run began.
    pub began: Option<Timestamp>,
    /// The number of records in each state.
    pub accounting: Accounting,
    /// For each stream the latest event time among its accepted records.
    pub clocks: PerStream<Option<Timestamp>>,
    /// Snapshot batches that the workers have not returned yet.
    pub in_flight: u64,
    /// Segment groups that are sealed or being sealed.
    pub groups: u32,
    /// Snapshots that were accepted since the start of the process.
    pub new_snapshots: u64,
    /// For each model the current number of snapshots by outcome, and its latency in blocks of rows.
    pub models: Vec<ModelCounts>,
    /// Failed model calls.
    pub failures: u64,
    /// The current generation, which is the number of swaps so far.
    pub generation: u32,
    /// The plugin slots: the models, the comparator, the metrics.
    pub plugins: Vec<PluginStatus>,
    /// Declared fields that no accepted record has a value of, in blocks of records.
    #[serde(default)]
    pub absent_fields: Vec<AbsentField>,
}

impl PluginStatus {
    /// The status of the current plugin of each slot.
    pub(crate) fn from_versions(versions: &PluginVersions) -> Vec<PluginStatus> {
        let decider = |role, slot: &PluginSlot<DeciderPlugin>| {
            let plugin = &slot.current().plugin;
            plugin_status(role, slot, &plugin.title, &plugin.usage_counters())
        };
        let metric = |slot: &PluginSlot<ScorerPlugin>| {
            let plugin = &slot.current().plugin;
            plugin_status(PluginRole::Metric, slot, &plugin.title, &plugin.usage_counters())
        };
        let models = versions.models.iter().map(|slot| decider(PluginRole::Model, slot));
        let comparator = decider(PluginRole::Comparator, &versions.comparator);
        models.chain([comparator]).chain(versions.metrics.iter().map(metric)).collect()
    }
}

fn plugin_status<P>(
    role: PluginRole,
    slot: &PluginSlot<P>,
    title: &str,
    counters: &UsageCounters,
) -> PluginStatus {
    let current = slot.current();
    let usage = counters.published_usage();
    PluginStatus {
        role: role.name().to_owned(),
        name: slot.name.clone(),
        title: title.to_owned(),
        sha256: current.component.clone(),
        generation: current.since,
        usage,
        rows_below: usage.rows + USAGE_BLOCK_ROWS,
    }
}
