//! `understudy run`: a study, from its sources to its report.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::report::style;
use super::{Exit, INTERRUPTED, found, tell};
use understudy_audit::Interims;
use understudy_engine::{End, Options, Order, Prepared, prepare, run};
use understudy_report::build;
use understudy_report::render;
use understudy_run_log::note::Signer;

/// Run a study: feed the models, log their answers, pair them with the decisions, score, report. A run that was cut off
/// or stopped goes on where its log ends. A study that was sealed is run only as it was sealed, see `understudy seal`.
#[derive(clap::Args)]
pub(super) struct Run {
    /// The study's declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// The directory to write, or that of a run that has not ended [default: runs/NAME-OF-THE-STUDY]
    #[arg(long, value_name = "DIRECTORY")]
    run: Option<PathBuf>,
    /// Overrule `limits.batch-rows`; no figure depends on it.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_rows: Option<u32>,
    /// Overrule `limits.workers`; no figure depends on it.
    #[arg(long, value_name = "THREADS", value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: Option<u8>,
    /// In which order two files are read; no figure depends on it.
    #[arg(long, value_enum, default_value_t)]
    order: Order,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Run {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let mut prepared = prepare(&self.study, |study| {
            if let Some(rows) = self.batch_rows {
                study.limits.batch_rows = rows as usize;
            }
            if let Some(workers) = self.workers {
                study.limits.workers = usize::from(workers);
            }
        })?;
        let directory = self.run.unwrap_or_else(|| PathBuf::from("runs").join(&prepared.study.name));
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let options = Options {
            directory: &directory,
            order: self.order,
            signer,
            replayed: None,
            look: None,
            served: None,
        };
        conduct(&mut prepared, options, tell, || {})
    }
}

/// Makes a run to its end, writes its report and prints it. `tell` is told what else there is to say, `stopping` that a signal
/// has come.
pub(super) fn conduct(
    prepared: &mut Prepared,
    options: Options<'_>,
    tell: fn(String),
    stopping: impl FnOnce(),
) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the run")?;
    let directory = options.directory;
    let is_what_if = options.replayed.is_some();
    let interims = match prepared.study.interim.every {
        Some(_) => Some(Interims::start(directory, options.signer.clone(), tell)?),
        None => None,
    };
    let look = interims.as_ref().map(Interims::look);
    let options = Options { look, ..options };
    let ran = runtime.block_on(async {
        // Listened for before the directory is made, so that there is none without a report.
        let signalled = interrupt().context("cannot listen for signals")?;
        let stop = async {
            // The thread that listens is there for as long as the process is.
            let _ = signalled.await;
            stopping();
        };
        run(prepared, options, |what| tell(what.to_owned()), stop).await
    })?;
    // A reader that is blocked on standard input is not waited for.
    runtime.shutdown_background();
    if let Some(interims) = interims {
        interims.finish();
    }
    prepared.cast = ran.cast.clone();
    let report = build(&ran.outcome, prepared);
    let end = ran.outcome.end.clone();
    ran.close(report.to_json().as_bytes())?;
    found(render(&report, style(std::io::stdout().is_terminal())).trim_end())?;
    tell(format!("written to {}", directory.display()));
    if prepared.study.threshold.is_some() && end == End::Finished && !is_what_if {
        tell(format!("`understudy decide {}` says what the threshold says of it", directory.display()));
    }
    Ok(match end {
        End::Finished => Exit::Done,
        End::Interrupted | End::Interim { .. } => Exit::Interrupted,
        End::SourceBroke(faults) => {
            faults.into_iter().for_each(tell);
            Exit::SourceBroke
        }
    })
}

/// Comes when the user presses Ctrl-C, the terminal is closed or the system asks the process to end, from this call on. When
/// that happens again the process ends at once: what was acknowledged is on disk.
fn interrupt() -> anyhow::Result<oneshot::Receiver<()>> {
    let (told, signalled) = oneshot::channel();
    let (ready, listening) = mpsc::channel();
    // A thread of its own: that of the run may be waiting for the disk.
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
            // Who asked waits for this.
            let _ = ready.send(Ok(()));
            signals.next().await;
            let _ = told.send(());
            signals.next().await;
            std::process::exit(i32::from(INTERRUPTED));
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
    listening.recv()??;
    Ok(signalled)
}

/// The signals that end a process.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Signals> {
        let [pressed, asked, hung_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Signals([pressed?, asked?, hung_up?]))
    }

    async fn next(&mut self) {
        let [pressed, asked, hung_up] = &mut self.0;
        tokio::select! {
            _ = pressed.recv() => {}
            _ = asked.recv() => {}
            _ = hung_up.recv() => {}
        }
    }
}
