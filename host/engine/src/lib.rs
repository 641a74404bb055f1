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
//! A run whose directory is there already goes on from what the log holds.
//!
//! Always holds: every accepted snapshot is answered and logged before any of its pairs is compared, but for the blinded ones,
//! which are logged then and answered with their pair; queues are bounded;
//! the figures do not depend on batches, workers or the interleaving of the streams.

pub mod batches;
pub mod control;
pub mod evaluation;
pub mod hot_swap;
pub mod inference;
pub mod ingest;
pub mod join;
pub mod log_schema;
pub mod pipeline;
pub mod plugins;
pub mod recovery;
pub mod seal;
pub mod stats;

use std::path::Path;

pub use crate::batches::acks::{Receipt, RefusedRow};
pub use crate::batches::evaluated_pairs::Compared;
pub use crate::batches::pair_batch::Sources;
pub use crate::control::messages::RunCommand;
pub use crate::control::status::{PluginStatus, RunStatus};
pub use crate::evaluation::divergence_stats::{keyed_id_hash, profile_index};
pub use crate::evaluation::projection::buffered_fields;
pub use crate::hot_swap::request::{Replacement, SwapError, SwapRequest, SwapResult};
pub use crate::hot_swap::swapper::HotSwapper;
pub use crate::ingest::push_intake::{Intake, Undelivered};
pub use crate::ingest::read_order::Order;
pub use crate::log_schema::schema::{BLINDED, OUTCOME, Pairs, SCORED, is_disclosed_pair_column, schemas};
pub use crate::pipeline::handle::{OnReady, RunHandle};
pub use crate::pipeline::start::check_served;
pub use crate::plugins::blinding::{Blind, blinded};
pub use crate::plugins::load::{PrepareError, Prepared, prepare};
pub use crate::plugins::loaded_plugin::Member;
pub use crate::plugins::stored_files::Kept;
pub use crate::plugins::stored_files::WhatIf;
pub use crate::plugins::stored_files::{asset_name, plugin_name};
pub use crate::plugins::study_fields::conditions;
pub use crate::recovery::load_run::recall;
pub use crate::recovery::recompute::{Rebuilt, rebuild, recompute_ids};
pub use crate::seal::manifest::{SEAL, Seal};
pub use crate::seal::seal_file::{PromiseError, promise, promised, seal_path};
pub use crate::stats::aggregates::Judged;
pub use crate::stats::checkpoint::{Ended, Saved};
pub use crate::stats::determinism::Again;
pub use crate::stats::interim_schedule::{Look, Looked, Unripe};
pub use crate::stats::latency::Latency;
pub use crate::stats::latency::Times;
pub use crate::stats::run_result::{
    Comparison, End, Incident, ModelCounts, Outcome, RefusedRecord, SubstrateLatency,
};

pub use crate::plugins::plugin_versions::PluginVersions;

use crate::control::messages;
use crate::pipeline::coordinator::Coordinator;
use crate::pipeline::started_run::StartedRun;
use crate::pipeline::{event_loop, resume, start};

use understudy_run_log::ledger::{Event, FileDigest, Ledger};
use understudy_run_log::signed_head::Signer;
use understudy_run_log::{CHECKPOINT, Commit, LogWriter, REPORT, RunDirectory, checkpoint};
use understudy_sandbox::sha256_hex;

/// How a run is to be made.
pub struct Options<'o> {
    /// The directory to write, or whose run is to go on.
    pub directory: &'o Path,
    /// In which order two files are read.
    pub order: Order,
    /// The key that signs the ledger.
    pub signer: Option<Signer>,
    /// The run whose log takes the place of the sources: then this is an offline evaluation.
    pub replayed: Option<Replaying<'o>>,
    /// Is told of each look that the study declares.
    pub look: Option<Look>,
    /// Is told, once the run has begun, where records are delivered to it and commands are given. Only such a run takes records
    /// over HTTP.
    pub served: Option<OnReady>,
}

/// A run whose log is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Replaying<'o> {
    /// Its directory.
    pub run: &'o Path,
    /// SHA-256 of its seal, in hexadecimal.
    pub seal: &'o str,
    /// What is otherwise.
    pub what_if: &'o WhatIf,
}

/// A run that has ended; its report is still to be written.
pub struct Ran {
    /// What it left behind.
    pub outcome: Outcome,
    /// Its directory.
    pub directory: RunDirectory,
    /// Which plugins had which part.
    pub cast: PluginVersions,
    ledger: Ledger,
}

/// Runs a prepared study to the end of its sources, or until `stop` comes, and writes the run directory. A run that was
/// cut off or stopped goes on; `tell` is told so.
///
/// # Errors
/// When a source cannot be opened, the directory cannot be used, what was promised has changed, or the log cannot be
/// written or read.
pub async fn run(
    prepared: &mut Prepared,
    options: Options<'_>,
    tell: impl FnOnce(&str),
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Ran> {
    let mut options = options;
    let look = options.look.take();
    let served = options.served.take();
    check_served(prepared, served.is_some(), options.replayed.is_some())?;
    let started = start::start_or_resume(prepared, options)?;
    started.resume_notice.as_deref().map(tell);
    prepared.blind(&started.seal);
    let prepared = &*prepared;
    let schemas = schemas(prepared);
    let log = &prepared.study.log;
    let commit = Commit { wait: log.commit_wait.unsigned_abs(), rows: log.commit_rows };
    let StartedRun { directory, ledger, seal, sealer, recovered, initial, replay, readers, .. } = started;
    let (writer, writing) = LogWriter::open(directory.path(), schemas.clone(), recovered, commit, sealer)?;
    let conducted = async {
        let mut coordinator = Coordinator::start(prepared, writer, schemas, directory.path(), initial, look)?;
        if let Some(replay) = replay {
            resume::replay_log(&mut coordinator, directory.path(), &replay)?;
        }
        let (commands, queue) = tokio::sync::mpsc::channel(messages::COMMAND_QUEUE);
        if let Some(on_ready) = served {
            coordinator.disable_progress();
            let (run, stats) = (directory.path(), coordinator.determinism_stats());
            let swapper = HotSwapper::start(prepared, run, ledger.clone(), stats, commands.clone())?;
            let (directory, intake, status) =
                (run.to_owned(), readers.intake(), coordinator.subscribe_status());
            on_ready(RunHandle { directory, intake, commands, swapper, status });
        }
        event_loop::run_event_loop(coordinator, readers, queue, stop).await
    };
    let conducted = conducted.await;
    // If the log failed, that is why conducting stopped.
    writing.finish()?;
    let (saved, events, cast) = conducted?;
    directory.write(CHECKPOINT, &checkpoint::encode(&saved)?)?;
    for event in events {
        ledger.append(event)?;
    }
    let outcome = saved.outcome(&seal).expect("it has ended just now");
    Ok(Ran { outcome, directory, cast, ledger })
}

impl Ran {
    /// Writes the report, and closes the ledger over it and the checkpoint.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn close(self, report: &[u8]) -> anyhow::Result<()> {
        self.directory.write(REPORT, report)?;
        let mut files = Vec::new();
        for file in [CHECKPOINT, REPORT] {
            let bytes = std::fs::read(self.directory.path().join(file))?;
            files.push(FileDigest { file: file.to_owned(), sha256: sha256_hex(&bytes) });
        }
        let event = match self.outcome.end {
            End::Finished => Event::RunClosed { files },
            End::Interrupted | End::Interim { .. } => {
                Event::RunStopped { reason: "interrupted".to_owned(), files }
            }
            End::SourceBroke(faults) => Event::RunStopped { reason: faults.join("; "), files },
        };
        self.ledger.append(event)?;
        Ok(())
    }
}
