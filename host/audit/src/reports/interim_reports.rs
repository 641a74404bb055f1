//! Writes the interim reports that a study declares.
//!
//! Invariants: each window is reported once, and the ledger has the digests of the report's files. No report
//! shows a single row. A report that cannot be written is reported as a warning and does not stop the run.
//! While one report is written at most one more waits; the evaluator blocks on the next, so that no more
//! copies of the sums are held.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;

use crate::reports::report_bundle::bundle;
use crate::run_files::read_seal;
use crate::verdict::threshold_evaluation::interim_verdict;
use understudy_engine::{
    CompileCache, InterimCallback, InterimSnapshot, PluginOverrides, Seal, SealedStudy, load_run_study,
};
use understudy_report::model::bundle::ReportBundle;
use understudy_report::{build, html};
use understudy_run_log::ledger::{Entry, Event, FileDigest, Ledger};
use understudy_run_log::signed_head::Signer;
use understudy_run_log::{INTERIM, write_file};
use understudy_sandbox::sha256_hex;

/// Writes interim reports on a thread of its own.
pub struct InterimReportWriter {
    looks: SyncSender<InterimSnapshot>,
    writing: JoinHandle<()>,
    warn: fn(String),
}

impl InterimReportWriter {
    /// Starts the thread for a run whose ledger `signer` signs, if it is signed. `warn` is called for each
    /// report that cannot be written.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        run: &Path,
        signer: Option<Signer>,
        warn: fn(String),
    ) -> anyhow::Result<InterimReportWriter> {
        let (looks, waiting) = sync_channel(1);
        let run = run.to_owned();
        let writing = std::thread::Builder::new()
            .name("interim".into())
            .spawn(move || write(&run, signer, &waiting, warn));
        Ok(InterimReportWriter {
            looks,
            writing: writing.context("cannot start the thread that writes interim reports")?,
            warn,
        })
    }

    /// The callback that the run calls for each interim report.
    pub fn callback(&self) -> InterimCallback {
        let looks = self.looks.clone();
        // A thread that has stopped is reported by `finish`.
        Box::new(move |looked| drop(looks.send(looked)))
    }

    /// Waits until all reports are written. The callback must have been dropped.
    pub fn finish(self) {
        drop(self.looks);
        if self.writing.join().is_err() {
            let what = "the thread that writes interim reports panicked, and some may be missing; this is a bug in \
                        understudy";
            (self.warn)(what.to_owned());
        }
    }
}

/// Writes reports until no more can come.
fn write(run: &Path, signer: Option<Signer>, looks: &Receiver<InterimSnapshot>, warn: fn(String)) {
    let mut known: Option<(SealedStudy, Seal)> = None;
    for look in looks {
        let label = look.label.clone();
        let written = loaded_study(run, &mut known)
            .and_then(|(sealed_study, seal)| write_report(run, signer.clone(), sealed_study, seal, look));
        if let Err(error) = written {
            warn(format!("the interim report up to the window {label} cannot be written: {error:#}"));
        }
    }
}

/// The sealed study with its own plugin instances, loaded at the first use.
fn loaded_study<'k>(
    run: &Path,
    known: &'k mut Option<(SealedStudy, Seal)>,
) -> anyhow::Result<(&'k SealedStudy, &'k Seal)> {
    if known.is_none() {
        let seal = read_seal(run)?;
        *known = Some((load_run_study(run, &seal, &PluginOverrides::default(), CompileCache::Used)?, seal));
    }
    let (sealed_study, seal) = known.as_ref().context("the study was loaded above")?;
    Ok((sealed_study, seal))
}

/// Writes one report, unless there is one up to the same window.
fn write_report(
    run: &Path,
    signer: Option<Signer>,
    sealed_study: &SealedStudy,
    seal: &Seal,
    mut look: InterimSnapshot,
) -> anyhow::Result<()> {
    let label = look.label.clone();
    let (ledger, entries) = Ledger::open(run, signer)?;
    if entries
        .iter()
        .any(|entry| matches!(&entry.event, Event::InterimReport { window, .. } if *window == label))
    {
        return Ok(());
    }
    // With too few pairs for a figure, no report is written. A later one covers these windows.
    if !look.truncate(&sealed_study.study) {
        return Ok(());
    }
    let bundle = build_interim(sealed_study, seal, &look, &entries)?;
    let folder = run.join(INTERIM);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut files = Vec::new();
    for (ending, content) in [("json", bundle.to_json()), ("html", html(&bundle))] {
        let file = format!("{INTERIM}/{}.{ending}", file_name(&label));
        write_file(&PathBuf::from(run).join(&file), content.as_bytes())?;
        files.push(FileDigest { file, sha256: sha256_hex(content.as_bytes()) });
    }
    // The files are written first, so that the ledger names no missing file. That is no exposure: they hold
    // sums only. A file that the ledger does not name yet is overwritten when the run is resumed, and is an
    // issue for `verify` in an ended run.
    ledger.append(Event::InterimReport { window: label, files })?;
    Ok(())
}

/// The report bundle of an interim report, whose sums contain only the windows that it covers. Nothing is
/// written.
///
/// # Errors
/// If there are no sums, or the threshold's metric fails.
pub fn build_interim(
    sealed_study: &SealedStudy,
    seal: &Seal,
    look: &InterimSnapshot,
    entries: &[Entry],
) -> anyhow::Result<ReportBundle> {
    let outcome = look.result(seal).context("an interim report has sums")?;
    let verdict = match sealed_study.study.threshold {
        Some(_) => Some(interim_verdict(sealed_study, seal, &look.checkpoint, entries)?),
        None => None,
    };
    Ok(bundle(build(&outcome, sealed_study), verdict, sealed_study, seal, entries))
}

/// A window's label as a file name: `week ending 2016-07-03` becomes `week-ending-2016-07-03`.
fn file_name(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
