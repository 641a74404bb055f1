//! `understudy run`: a study from its sources to its report.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::output::{print_err, print_out};
use super::report::style;
use super::{Exit, INTERRUPTED};
use understudy_audit::InterimReportWriter;
use understudy_engine::{EndReason, LoadedStudy, ReadOrder, RunMode, RunOptions, load_study, run};
use understudy_report::build;
use understudy_report::render_report;
use understudy_run_log::signed_head::Signer;

/// Run a study over its sources.
///
/// Evaluates the models on all snapshots, logs their answers, pairs them with the decisions, and prints the report. The report is
/// also in report.json of the run directory; `understudy report` makes a page of it. An interrupted run is resumed at the end of its log. A sealed study runs only if it matches its
/// seal, see `understudy seal`.
#[derive(clap::Args)]
pub(super) struct Run {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// New run directory, or the directory of a run to resume [default: runs/STUDY-NAME].
    #[arg(long, value_name = "DIRECTORY")]
    run: Option<PathBuf>,
    /// Override `limits.batch-rows`. It does not affect results.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_rows: Option<u32>,
    /// Override `limits.workers`. It does not affect results.
    #[arg(long, value_name = "THREADS", value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: Option<u8>,
    /// Order in which two files are read. It does not affect results.
    #[arg(long, value_enum, default_value_t)]
    order: ReadOrder,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Run {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let loaded = load_study(&self.study, |study| {
            if let Some(rows) = self.batch_rows {
                study.limits.batch_rows = rows as usize;
            }
            if let Some(workers) = self.workers {
                study.limits.workers = usize::from(workers);
            }
        })?;
        let directory = self.run.unwrap_or_else(|| PathBuf::from("runs").join(&loaded.study.name));
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let options = RunOptions { directory: &directory, order: self.order, signer };
        complete_run(loaded, options, RunMode::Batch, print_err, || {})
    }
}

/// Executes a run until its end or a signal, writes its report and prints it. `notify` receives messages;
/// `on_signal` is called at the first signal.
pub(super) fn complete_run(
    loaded: LoadedStudy,
    options: RunOptions<'_>,
    mode: RunMode<'_>,
    notify: fn(String),
    on_signal: impl FnOnce(),
) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime of the run")?;
    let directory = options.directory;
    let is_what_if = matches!(mode, RunMode::WhatIf(_));
    let interims = match loaded.study.interim.every {
        Some(_) => Some(InterimReportWriter::start(directory, options.signer.clone(), notify)?),
        None => None,
    };
    let on_interim = interims.as_ref().map(InterimReportWriter::callback);
    let ended = runtime.block_on(async {
        // Signals are handled before the directory is created, so that every directory gets a report.
        let signalled = first_signal().context("cannot listen for signals")?;
        let stop = async {
            // The listening thread lives as long as the process.
            let _ = signalled.await;
            on_signal();
        };
        run(loaded, options, mode, on_interim, |message| notify(message.to_owned()), stop).await
    })?;
    // A reader may be blocked on standard input.
    runtime.shutdown_background();
    if let Some(interims) = interims {
        interims.finish();
    }
    let report = build(&ended.result, &ended.study);
    let end = ended.result.end.clone();
    let has_threshold = ended.study.study.threshold.is_some();
    ended.close(report.to_json().as_bytes())?;
    print_out(render_report(&report, style(std::io::stdout().is_terminal())).trim_end())?;
    notify(format!("written to {}", directory.display()));
    if has_threshold && end == EndReason::Finished && !is_what_if {
        notify(format!("run `understudy decide {}` for the verdict", directory.display()));
    }
    Ok(match end {
        EndReason::Finished => Exit::Done,
        EndReason::Interrupted | EndReason::Interim { .. } => Exit::Interrupted,
        EndReason::SourceBroke(faults) => {
            faults.into_iter().for_each(notify);
            Exit::SourceFailed
        }
    })
}

/// A receiver of the first SIGINT, SIGTERM or SIGHUP after this call. The second one ends the process at
/// once, which loses no acknowledged record.
pub(super) fn first_signal() -> anyhow::Result<oneshot::Receiver<()>> {
    let (sender, signalled) = oneshot::channel();
    let (ready, listening) = mpsc::channel();
    // A thread of its own, since the thread of the run may wait for the disk.
    let listen = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            let mut signals = match Signals::new() {
                Ok(signals) => signals,
                Err(error) => return drop(ready.send(Err(error))),
            };
            // The caller waits for this message.
            let _ = ready.send(Ok(()));
            signals.next().await;
            let _ = sender.send(());
            signals.next().await;
            std::process::exit(i32::from(INTERRUPTED));
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    listening.recv()??;
    Ok(signalled)
}

/// SIGINT, SIGTERM and SIGHUP.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Signals> {
        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Signals([interrupt?, terminate?, hang_up?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
