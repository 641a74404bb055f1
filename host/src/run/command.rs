//! What a run that is served may be told while it goes on, and what it tells of itself.
//!
//! Always holds: a command is carried out between two batches, on the thread that conducts; what is told of is what the log
//! was given.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use super::live::Intake;
use super::outcome::{Latency, ModelCounts};
use super::prepare::{Member, Prepared};
use super::saved::Saved;
use crate::pairing::Accounting;
use crate::sandbox::{DeciderPlugin, Meter, Role, ScorerPlugin, Usage};

/// Commands that may wait.
pub(super) const COMMANDS: usize = 16;

/// What a run is told.
pub enum Command {
    /// Nothing more will come: what was delivered is still taken, and then the run is closed.
    End,
    /// To show where it stands.
    Peek(oneshot::Sender<Saved>),
}

/// A run that is served, for those who serve it.
pub struct Handle {
    /// Its directory.
    pub directory: PathBuf,
    /// Where records are delivered, if the study takes some so.
    pub intake: Option<Intake>,
    /// Where commands are given.
    pub commands: mpsc::Sender<Command>,
    /// Where it stands, told anew several times a second.
    pub standing: watch::Receiver<Standing>,
}

/// Is told of a run once it has begun.
pub type Served = Box<dyn FnOnce(Handle) + Send>;

/// A plugin that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginStanding {
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// Its name in the study.
    pub name: String,
    /// What it calls itself, and its version.
    pub title: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// The generation with which it came: 0 is what was sealed, each swap begins the next.
    pub generation: u32,
    /// What its instances have used since it came or the process began.
    pub usage: Usage,
}

/// Where a run stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Standing {
    /// When this was so.
    pub at: Option<Timestamp>,
    /// When the run began.
    pub began: Option<Timestamp>,
    /// Where every record has got to that the log was given.
    pub accounting: Accounting,
    /// The latest time among the accepted records of each stream.
    pub clocks: [Option<Timestamp>; 2],
    /// Batches of snapshots that are being answered.
    pub in_flight: u64,
    /// Segment groups that are sealed or being sealed.
    pub groups: u32,
    /// For each model what it did.
    pub models: Vec<ModelCounts>,
    /// How often models have broken.
    pub incidents: u64,
    /// The generation that is in force: how many swaps there were.
    pub generation: u32,
    /// The plugins: the models, the comparator, the metrics.
    pub plugins: Vec<PluginStanding>,
}

impl Standing {
    /// The models' counts with their times.
    pub(super) fn models(counts: &[ModelCounts], times: &[super::counted::Times]) -> Vec<ModelCounts> {
        let timed = |(counts, times): (&ModelCounts, &super::counted::Times)| ModelCounts {
            latency: Latency::of(times.histogram()),
            ..*counts
        };
        counts.iter().zip(times).map(timed).collect()
    }
}

/// The plugins that run, with what counts for them.
pub(super) struct Running(Vec<(PluginStanding, Arc<Meter>)>);

impl Running {
    /// Those of a study.
    pub fn new(prepared: &Prepared) -> Running {
        let standing = |role: Role, name: &str, title: &str, sha256: &str| PluginStanding {
            role: role.name().to_owned(),
            name: name.to_owned(),
            title: title.to_owned(),
            sha256: sha256.to_owned(),
            ..PluginStanding::default()
        };
        let decider = |role, member: &Member<DeciderPlugin>| {
            let plugin = &member.plugin;
            (standing(role, &member.name, &plugin.title, &member.file.digest), plugin.meter())
        };
        let metric = |member: &Member<ScorerPlugin>| {
            let plugin = &member.plugin;
            (standing(Role::Metric, &member.name, &plugin.title, &member.file.digest), plugin.meter())
        };
        let models = prepared.models.iter().map(|member| decider(Role::Model, member));
        let comparator = decider(Role::Comparator, &prepared.comparator);
        Running(models.chain([comparator]).chain(prepared.metrics.iter().map(metric)).collect())
    }

    /// Where they stand.
    pub fn standing(&self) -> Vec<PluginStanding> {
        let now = |(plugin, meter): &(PluginStanding, Arc<Meter>)| PluginStanding {
            usage: meter.usage(),
            ..plugin.clone()
        };
        self.0.iter().map(now).collect()
    }
}
