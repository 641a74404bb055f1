//! A run: the pipeline from the sources to the report.
//!
//! ```text
//! snapshots  read, decode -> number, deduplicate -> models answer -> log
//!                                   |                                |
//!                                pairing ------------------------ compare, score -> cells -> report
//!                                   |
//! decisions  read, decode -> number, deduplicate -> log
//! ```
//!
//! Two threads read and decode, `limits.workers` run models, one compares, two write; this module's own thread conducts.
//!
//! Always holds: every accepted snapshot is answered and logged before any of its pairs is compared; queues are bounded;
//! the figures do not depend on batches, workers or the interleaving of the streams.

mod conductor;
mod feed;
mod incidents;
mod judge;
mod outcome;
mod prepare;
mod progress;
mod tables;
mod worker;

use std::path::Path;

pub use outcome::{
    Comparison, End, Incident, Kept, Latency, ModelCounts, Outcome, RefusedRecord, SubstrateLatency,
};
pub use prepare::{Member, PrepareError, Prepared, prepare, recall};
pub use tables::conditions;

use prepare::{asset_name, plugin_name};

use crate::runlog::{LogError, LogWriter, RunDirectory, checkpoint};
use crate::sandbox::digest;

/// The name of the file that holds the [`Outcome`].
pub const CHECKPOINT: &str = "checkpoint.bin";

/// In which order two files are read. Figures do not depend on it; memory does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// Side by side in event time, so that little has to wait.
    #[default]
    InStep,
    /// All the snapshots, then all the decisions.
    SnapshotsFirst,
    /// All the decisions, then all the snapshots.
    DecisionsFirst,
}

/// Runs a prepared study to the end of its sources, or until `stop` comes, and writes the run directory.
///
/// # Errors
/// When a source cannot be opened, the directory cannot be used or the log cannot be written.
pub async fn run(
    prepared: &Prepared,
    directory: &Path,
    order: Order,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<(Outcome, RunDirectory)> {
    let feeds = feed::Feeds::open(prepared, order)?;
    let directory = RunDirectory::create(directory, &prepared.text)?;
    let kept = keep(prepared, &directory)?;
    let schemas = tables::schemas(prepared);
    let (log, writing) = LogWriter::open(directory.path(), schemas.clone())?;
    let conducted = conductor::conduct(prepared, feeds, log, schemas, kept, stop).await;
    // If the log failed, that is why conducting stopped.
    let written = writing.finish()?;
    let outcome = conducted?;
    let accepted = |account: crate::pairing::Account| account.paired + account.waiting + account.expired;
    let due = [outcome.accounting.snapshots, outcome.accounting.decisions].map(accepted);
    anyhow::ensure!(
        written.rows[..2] == due,
        "the log holds {:?} snapshots and decisions, and {due:?} were accepted: a fault in understudy",
        &written.rows[..2]
    );
    directory.write(CHECKPOINT, &checkpoint::encode(&outcome)?)?;
    Ok((outcome, directory))
}

/// Puts the plugins and their assets into the run directory.
fn keep(prepared: &Prepared, directory: &RunDirectory) -> Result<Vec<Kept>, LogError> {
    let models = prepared.models.iter().map(|m| (&m.name, &m.file, &m.assets));
    let metrics = prepared.metrics.iter().map(|m| (&m.name, &m.file, &m.assets));
    let comparator = &prepared.comparator;
    let comparator = (&comparator.name, &comparator.file, &comparator.assets);
    let mut kept = Vec::new();
    for (name, file, assets) in models.chain([comparator]).chain(metrics) {
        directory.write(&plugin_name(&file.digest), &file.bytes)?;
        let mut digests = Vec::new();
        for (name, bytes) in assets.iter() {
            let digest = digest(bytes);
            directory.write(&asset_name(&digest), bytes)?;
            digests.push((name.clone(), digest));
        }
        kept.push(Kept { name: name.clone(), digest: file.digest.clone(), assets: digests });
    }
    Ok(kept)
}
