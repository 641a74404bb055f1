//! Runs a study from its sources to its checkpoint: starts or resumes it, drives the event loop, and closes
//! the ledger.
//!
//! Invariants: the checkpoint is on disk before the last ledger entries; a failed log is reported as the
//! log's error, whatever stopped the pipeline because of it.

use anyhow::bail;

use crate::control::messages;
use crate::hot_swap::swapper::HotSwapper;
use crate::log_schema::schema::schemas;
use crate::pipeline::coordinator::Coordinator;
use crate::pipeline::run_handle::RunHandle;
use crate::pipeline::run_options::{RunMode, RunOptions};
use crate::pipeline::shed_recorder::ShedRecorder;
use crate::pipeline::started_run::StartedRun;
use crate::pipeline::{event_loop, run_resumption, start};
use crate::plugins::load::LoadedStudy;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::input_diagnosis::diagnose;
use crate::stats::interim_schedule::InterimCallback;
use crate::stats::run_result::{EndReason, RunResult};
use understudy_run_log::ledger::{Event, FileDigest, Ledger, StopReason};
use understudy_run_log::{CHECKPOINT, Commit, LogWriter, REPORT, RunDirectory, checkpoint, read_file};
use understudy_sandbox::sha256_hex;

/// A run that has ended; its report is not written yet.
pub struct EndedRun {
    /// The sums and counts that the report is made from.
    pub result: RunResult,
    /// The study, with the plugin versions at the end of the run.
    pub study: SealedStudy,
    /// The run directory.
    pub directory: RunDirectory,
    ledger: Ledger,
}

/// Runs a study until its sources end or `stop` resolves, and writes the run directory. An interrupted run is
/// resumed; then `notify` gets a line for the user that says where it continues.
///
/// # Errors
/// If the sources do not fit the mode or cannot be opened, the directory cannot be used, the sealed content
/// has changed, or the log cannot be written or read.
pub async fn run(
    study: LoadedStudy,
    options: RunOptions<'_>,
    mode: RunMode<'_>,
    on_interim: Option<InterimCallback>,
    notify: impl FnOnce(&str),
    stop: impl Future<Output = ()>,
) -> anyhow::Result<EndedRun> {
    mode.check_sources(&study)?;
    let (replayed, served) = match mode {
        RunMode::Batch => (None, None),
        RunMode::Served { on_ready, shed } => (None, Some((on_ready, shed))),
        RunMode::WhatIf(replayed) => (Some(replayed), None),
    };
    let started = start::start_or_resume(study, options, replayed)?;
    let StartedRun { mut study, directory, ledger, seal, sealer, recovered, initial, replay, readers } =
        started;
    if let Some(replay) = &replay {
        notify(&replay.notice);
    }
    let (on_ready, shed) = served.unzip();
    let recorder = shed.map(|shed| ShedRecorder::start(shed, ledger.clone())).transpose()?;
    let log = &study.study.log;
    let commit = Commit { wait: log.commit_wait.unsigned_abs(), rows: log.commit_rows };
    let (writer, writing) = LogWriter::open(directory.path(), schemas(&study), recovered, commit, sealer)?;
    let pipeline = async {
        let mut coordinator = Coordinator::start(&study, writer, directory.path(), initial, on_interim)?;
        if let Some(replay) = replay {
            run_resumption::replay_log(&mut coordinator, directory.path(), &replay)?;
        }
        let (commands, queue) = tokio::sync::mpsc::channel(messages::COMMAND_QUEUE);
        if let Some(on_ready) = on_ready {
            coordinator.disable_progress();
            let (run, stats) = (directory.path(), coordinator.determinism_stats());
            let swapper = HotSwapper::start(&study, run, ledger.clone(), stats, commands.clone())?;
            let (directory, intake, status) =
                (run.to_owned(), readers.intake(), coordinator.subscribe_status());
            on_ready(RunHandle { directory, intake, commands, swapper, status });
        }
        event_loop::run_event_loop(coordinator, readers, queue, stop).await
    };
    let ended = pipeline.await;
    // A failure of the log is what stopped the pipeline. The counts are recorded whatever happened.
    let shed_recorded = recorder.map_or(Ok(()), ShedRecorder::finish);
    writing.finish()?;
    shed_recorded?;
    let (mut checkpoint, events, versions) = ended?;
    if let Some(end) = &mut checkpoint.end {
        end.diagnosis =
            diagnose(&study.study, directory.path(), &end.accounting, &checkpoint.counters.missing_values)?;
    }
    directory.write(CHECKPOINT, &checkpoint::encode(&checkpoint)?)?;
    for event in events {
        ledger.append(event)?;
    }
    study.versions = versions;
    let Some(result) = checkpoint.result(&seal) else {
        bail!("the checkpoint of the end has no end state; this is a bug in understudy")
    };
    Ok(EndedRun { result, study, directory, ledger })
}

impl EndedRun {
    /// Writes the report, and the ledger entry that records the digests of the report and the checkpoint.
    ///
    /// # Errors
    /// If one of the files cannot be written.
    pub fn close(self, report: &[u8]) -> anyhow::Result<()> {
        self.directory.write(REPORT, report)?;
        let mut files = Vec::new();
        for file in [CHECKPOINT, REPORT] {
            let bytes = read_file(&self.directory.path().join(file))?;
            files.push(FileDigest { file: file.to_owned(), sha256: sha256_hex(&bytes) });
        }
        let event = match self.result.end {
            EndReason::Finished => Event::RunClosed { files },
            EndReason::Interrupted | EndReason::Interim { .. } => {
                Event::RunStopped { reason: StopReason::Interrupted, files }
            }
            EndReason::SourceBroke(faults) => {
                Event::RunStopped { reason: StopReason::SourceFailed(faults.join("; ")), files }
            }
        };
        self.ledger.append(event)?;
        Ok(())
    }
}
