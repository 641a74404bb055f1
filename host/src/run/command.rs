//! What a run that is served may be told while it goes on, and what it tells of itself.
//!
//! Always holds: a command is carried out between two batches, on the thread that conducts; what is told of is what the log
//! was given.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use super::live::Intake;
use super::outcome::{Latency, ModelCounts};
use super::saved::Saved;
use crate::pairing::Accounting;

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

/// Where a run stands.
#[derive(Clone, Debug, Default, Serialize)]
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
