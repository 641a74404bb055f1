//! What a run that is served may be told while it goes on, and what it tells of itself.
//!
//! Always holds: a command is carried out between two batches, on the thread that conducts; what is told of is what the log
//! was given.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use crate::evaluation::recent_pairs::Sample;
use crate::hot_swap::swapper::Swapper;
use crate::inference::worker_pool::Model;
use crate::ingest::push_intake::Intake;
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use crate::stats::checkpoint::Saved;
use crate::stats::run_result::ModelCounts;
use understudy_records::pairing::Accounting;
use understudy_sandbox::{Decider, DeciderPlugin, Meter, Role, Scorer, ScorerPlugin, Usage};

/// Commands that may wait.
pub(crate) const COMMANDS: usize = 16;

/// What a run is told.
pub enum Command {
    /// Nothing more will come: what was delivered is still taken, and then the run is closed.
    End {
        /// Who says so.
        who: String,
        /// Why.
        reason: String,
    },
    /// To show where it stands.
    Peek(oneshot::Sender<Saved>),
    /// To show the latest pairs.
    Recent(oneshot::Sender<Option<Sample>>),
    /// To give a part to another plugin.
    Exchange(Box<Exchange>, oneshot::Sender<Exchanged>),
}

/// A part that is given to another plugin, with instances that are ready.
pub enum Exchange {
    /// A model, with one for each thread that answers.
    Model {
        /// Its index.
        index: usize,
        /// The plugin.
        turn: Turn<DeciderPlugin>,
        /// For each thread what it answers with.
        models: Vec<Model>,
    },
    /// The comparator.
    Comparator {
        /// The plugin.
        turn: Turn<DeciderPlugin>,
        /// Its instance.
        decider: Decider,
    },
    /// A metric.
    Metric {
        /// Its index.
        index: usize,
        /// The plugin.
        turn: Turn<ScorerPlugin>,
        /// Its instance.
        scorer: Scorer,
    },
}

/// An exchange that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The generation that it began.
    pub generation: u32,
    /// The first sequence number of each stream that is its own.
    pub from: [u64; 2],
    /// The latest time among the snapshots that were accepted before.
    pub clock: Option<Timestamp>,
    /// When it was made.
    pub at: Timestamp,
    /// How many nanoseconds the thread that conducts was held up by it; 0 where that is not known.
    pub nanos: u64,
}

/// A run that is served, for those who serve it.
pub struct Handle {
    /// Its directory.
    pub directory: PathBuf,
    /// Where records are delivered, if the study takes some so.
    pub intake: Option<Intake>,
    /// Where commands are given.
    pub commands: mpsc::Sender<Command>,
    /// Who makes exchanges of plugins.
    pub swapper: Arc<Swapper>,
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

impl PluginStanding {
    /// Of those that have the parts now.
    pub(crate) fn of(cast: &PluginVersions) -> Vec<PluginStanding> {
        let decider = |role, part: &Part<DeciderPlugin>| {
            let plugin = &part.now().plugin;
            standing(role, part, &plugin.title, &plugin.meter())
        };
        let metric = |part: &Part<ScorerPlugin>| {
            let plugin = &part.now().plugin;
            standing(Role::Metric, part, &plugin.title, &plugin.meter())
        };
        let models = cast.models.iter().map(|part| decider(Role::Model, part));
        let comparator = decider(Role::Comparator, &cast.comparator);
        models.chain([comparator]).chain(cast.metrics.iter().map(metric)).collect()
    }
}

fn standing<P>(role: Role, part: &Part<P>, title: &str, meter: &Meter) -> PluginStanding {
    let now = part.now();
    PluginStanding {
        role: role.name().to_owned(),
        name: part.name.clone(),
        title: title.to_owned(),
        sha256: now.component.clone(),
        generation: now.since,
        usage: meter.usage(),
    }
}
