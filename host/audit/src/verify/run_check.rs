//! `understudy verify`: checks that nothing of a run is missing or changed, and that all derived results
//! follow from the log.
//!
//! Invariants: a file is trusted only after what vouches for it has been checked. The ledger is checked by
//! its chain and its signature, the seal and the segments by the ledger, the plugins by the seal, and the
//! records by all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use crate::reviews_file::{REVIEWS, expected_content};
use crate::verify::issue::{DETERMINISM, VerifyReport};
use crate::verify::verdict_check::VerdictInputs;
use crate::verify::{files, recompute_check, register_check, seal_check, sequence_check, verdict_check};
use understudy_engine::{
    Checkpoint, CompileCache, LoadStudyError, PluginOverrides, Seal, SealedStudy, asset_file_name,
    load_run_study, plugin_file_name,
};
use understudy_report::{build, counted};
use understudy_run_log::ledger::{self, Entry, Event, LEDGER, LedgerState, NOTE};
use understudy_run_log::signed_head::Verifier;
use understudy_run_log::{CHECKPOINT, LogError, REPORT, RunDirectory, checkpoint, read_file, read_text_file};
use understudy_study::{PerStream, StreamKind};

/// Why a run cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The directory holds no run, or the log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Verifies a run. One of `keys` must have signed its ledger, and its seal if that is signed. Without keys,
/// each is checked with the key that it names. `register` is the path of the register of seals, if it has moved
/// since the run started.
///
/// # Errors
/// If the run cannot be read. Faults of the run are issues in the report.
pub fn verify(run: &Path, keys: &[Verifier], register: Option<&Path>) -> Result<VerifyReport, VerifyError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| VerifyError::Unreadable { path, error }
    };
    RunDirectory::ensure_run(run)?;
    let path = run.join(LEDGER);
    let bytes = match read_file(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(unreadable(&path))?,
    };
    let being_written = RunDirectory::is_being_written(run)?;
    let mut report = VerifyReport::default();
    let ledger_file = ReadLedger::read(&bytes, being_written, &mut report);
    signature(run, &bytes, &ledger_file, keys, &mut report);
    let start = ledger_file.state.start.as_ref();
    let seal =
        start.and_then(|start| seal_check::check(run, &start.seal, &start.study_toml, keys, &mut report));
    report.register = start
        .zip(seal.as_ref())
        .and_then(|(start, seal)| register_check::check(run, start, seal, keys, register, &mut report));
    let version = start.map(|start| start.version.clone()).unwrap_or_default();
    files(run, &ledger_file, &mut report)?;
    // A changed file may not be Parquet any more, and its content would add nothing.
    if !report.issues.is_empty() {
        report.skipped.push(("records", "the run has other issues".to_owned()));
        return Ok(report);
    }
    // The plugins are compiled while the records are read.
    let (checked, sealed_study) = thread::scope(|scope| {
        let seal = seal.as_ref().filter(|_| ledger_file.state.end.is_some());
        let preparing = seal.map(|seal| {
            scope.spawn(|| load_run_study(run, seal, &PluginOverrides::default(), CompileCache::Bypassed))
        });
        let checked = records(run, &ledger_file, &mut report);
        (checked, preparing.and_then(|preparing| preparing.join().ok()))
    });
    checked?;
    match (ledger_file.state.end.is_some(), seal, sealed_study) {
        (true, Some(seal), Some(sealed_study)) if report.issues.is_empty() => {
            let inputs = figures(run, &seal, &version, sealed_study, &ledger_file.state, &mut report);
            let sealed = ledger_file.state.start.as_ref().map(|start| start.seal.clone()).unwrap_or_default();
            let register = report.register.take();
            let inputs = inputs.as_ref().map(|(sealed_study, saved)| VerdictInputs {
                sealed_study,
                saved,
                seal: &sealed,
                register: register.as_ref(),
                manifest: &seal,
            });
            verdict_check::check(run, &ledger_file.entries, &ledger_file.state, inputs, &mut report);
            report.register = register;
        }
        (true, ..) => {}
        (false, ..) => {
            verdict_check::check(run, &ledger_file.entries, &ledger_file.state, None, &mut report);
            report.skipped.push((
                "figures",
                match being_written {
                    true => "the run is not finished, so its results are not final".to_owned(),
                    false => {
                        "the run was cut off; resume it with `understudy run`, and verify it after its end"
                            .to_owned()
                    }
                },
            ))
        }
    }
    Ok(report)
}

/// The ledger, as far as it can be read.
struct ReadLedger {
    entries: Vec<Entry>,
    state: LedgerState,
    /// Whether the ledger has no fault, so that it names every file of the run.
    is_whole: bool,
}

impl ReadLedger {
    /// Reads a ledger and reports its faults. While the run is being written, its last line may be
    /// incomplete.
    fn read(bytes: &[u8], being_written: bool, report: &mut VerifyReport) -> ReadLedger {
        let mut entries = Vec::new();
        report.check("ledger", |report| {
            let (read, mut faults) = ledger::check(bytes);
            entries = read;
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
            faults.retain(|fault| !(being_written && fault.line == lines && !bytes.ends_with(b"\n")));
            for fault in faults {
                report.issue(format_args!("{LEDGER}:{}", fault.line), fault.what);
            }
            match entries.first().map(|entry| &entry.event) {
                Some(Event::RunStarted { .. }) => {}
                None if bytes.is_empty() => report.issue(LEDGER, "the file is missing or empty"),
                _ => report.issue(LEDGER, "the first entry does not record the start of a run"),
            }
            format!("{}, each chained to the one before", counted(entries.len() as u64, "entry", "entries"))
        });
        let state = LedgerState::from_entries(&entries);
        let is_whole = report.issues.is_empty() && state.contradictions.is_empty();
        for fault in &state.contradictions {
            report.issue(format_args!("{LEDGER}:{}", fault.line), &fault.what);
        }
        ReadLedger { entries, state, is_whole }
    }
}

/// Checks the signature of the ledger's head.
fn signature(
    run: &Path,
    bytes: &[u8],
    ledger_file: &ReadLedger,
    keys: &[Verifier],
    report: &mut VerifyReport,
) {
    let Some(start) = &ledger_file.state.start else { return };
    let named = start.key.as_deref();
    // A key that did not sign the head fails the signature check below.
    let expected_key = keys.iter().find(|key| named == Some(&key.to_string())).or(keys.first());
    let verifier = match (expected_key, named) {
        (Some(key), _) => key.clone(),
        (None, Some(named)) => match Verifier::parse(named) {
            Ok(named) => named,
            Err(error) => return report.issue(format_args!("{LEDGER}:1"), error),
        },
        (None, None) if run.join(NOTE).exists() => {
            return report.issue(NOTE, "it signs the head of a ledger that was started without a key");
        }
        (None, None) => return report.skipped.push(("signature", "the ledger is not signed".to_owned())),
    };
    let note = match read_text_file(&run.join(NOTE)) {
        Ok(note) => note,
        Err(error) => {
            return report.issue(
                NOTE,
                format_args!("cannot be read: {error}; the ledger names the signer {verifier}"),
            );
        }
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    report.check("signature", |report| match verifier.check(&note, lines) {
        Ok(size) => {
            let entries = ledger_file.entries.len() as u64;
            let unsigned = match entries.saturating_sub(size) {
                0 => String::new(),
                more => format!("; {} after them are not signed", counted(more, "entry", "entries")),
            };
            let who = match expected_key {
                Some(_) => "signed with a given key",
                None => "signed with the key that the ledger names; check the owner with --key",
            };
            format!("the first {}, {who}: {verifier}{unsigned}", counted(size, "entry", "entries"))
        }
        Err(what) => {
            report.issue(NOTE, what);
            String::new()
        }
    });
}

/// Checks the files of the run directory.
fn files(run: &Path, ledger_file: &ReadLedger, report: &mut VerifyReport) -> Result<(), VerifyError> {
    report.check("segments", |report| {
        files::segments(run, &ledger_file.state.segments, report);
        let rows: u64 = ledger_file.state.segments.values().map(|segment| segment.rows).sum();
        let files = counted(ledger_file.state.segments.len() as u64, "file", "files");
        format!("{files} with {} match the ledger", counted(rows, "row", "rows"))
    });
    let unreadable = |error| VerifyError::Unreadable { path: run.to_owned(), error };
    if ledger_file.state.end.is_none() {
        files::open(run, report)?;
    }
    // A faulty ledger may have named a file that it does not name now.
    if ledger_file.is_whole {
        files::unexpected_files(run, &ledger_file.state.segments, ledger_file.state.end.is_some(), report)
            .map_err(unreadable)?;
        check_reviews(run, &ledger_file.entries, report);
    }
    for file in ledger_file.state.end.iter().flatten() {
        files::check(run, &file.file, &file.sha256, "the ledger", report);
    }
    let swapped = ledger_file.state.swaps.iter().map(|swap| swap.sha256.as_str());
    for sha256 in swapped.collect::<BTreeSet<_>>() {
        files::check(run, &plugin_file_name(sha256), sha256, "the ledger", report);
    }
    let models = ledger_file.state.swaps.iter().filter_map(|swap| swap.model.as_ref());
    let stored = models.flat_map(|model| model.files.iter().map(|file| &file.sha256).chain([&model.lowered]));
    for sha256 in stored.collect::<BTreeSet<_>>() {
        files::check(run, &asset_file_name(sha256), sha256, "the ledger", report);
    }
    for (file, sha256) in &ledger_file.state.interim_files {
        files::check(run, file, sha256, "the ledger", report);
    }
    if ledger_file.is_whole {
        files::unexpected_reports(
            run,
            &ledger_file.state.interim_files,
            ledger_file.state.end.is_some(),
            report,
        )
        .map_err(unreadable)?;
    }
    Ok(())
}

/// Checks that the segments hold every record once.
fn records(run: &Path, ledger_file: &ReadLedger, report: &mut VerifyReport) -> Result<(), LogError> {
    let mut done = Ok(());
    report.check("records", |report| {
        for kind in StreamKind::ALL {
            done = sequence_check::check(
                run,
                kind,
                ledger_file.state.position[kind],
                ledger_file.state.end.is_some(),
                report,
            );
            if done.is_err() {
                break;
            }
        }
        let PerStream { snapshots, decisions } = ledger_file.state.position;
        let snapshots = counted(snapshots, "snapshot", "snapshots");
        let open = if ledger_file.state.end.is_some() { "" } else { " in sealed segments" };
        format!(
            "{snapshots} and {}{open}, none missing or repeated",
            counted(decisions, "decision", "decisions")
        )
    });
    done
}

/// Adds the models that gave another answer in a determinism check. What such a model answered to blinded snapshots cannot be
/// computed again, so it alone may explain a difference to the log.
fn unrepeatable_models(ledger: &LedgerState, report: &mut VerifyReport) {
    for (model, checks) in ledger.determinism.iter().filter(|(_, checks)| checks.mismatches > 0) {
        report.issue(
            DETERMINISM,
            format_args!(
                "{model} gave a different answer in {} of {}, so its answers to blinded snapshots cannot be computed again, and \
                 the difference may be its own; `understudy replay` shows the rows. Mend the model, and start a new run",
                checks.mismatches,
                counted(checks.rows, "determinism check", "determinism checks")
            ),
        );
    }
}

/// Checks the derived results of an ended run. Returns what a verdict is computed from, if they are correct.
fn figures(
    run: &Path,
    seal: &Seal,
    version: &str,
    sealed_study: Result<SealedStudy, LoadStudyError>,
    ledger: &LedgerState,
    report: &mut VerifyReport,
) -> Option<(SealedStudy, Checkpoint)> {
    let reduced = ledger.reduced.len();
    let mut whole = None;
    report.check("figures", |report| {
        let saved = read_file(&run.join(CHECKPOINT)).map_err(|error| error.to_string());
        let saved: Checkpoint = match saved.and_then(|bytes| checkpoint::decode(&bytes).map_err(|error| error.to_string())) {
            Ok(saved) => saved,
            Err(what) => {
                report.issue(CHECKPOINT, what);
                return String::new();
            }
        };
        let sealed_study = match sealed_study {
            Ok(sealed_study) => sealed_study,
            Err(error) => {
                report.issue("plugins", error);
                return String::new();
            }
        };
        let before = report.issues.len();
        let checked = match reduced {
            0 => recompute_check::check(&sealed_study, run, &saved, report),
            _ => recompute_check::check_stored_scores(&sealed_study, run, &saved, report),
        };
        if report.issues.len() > before {
            unrepeatable_models(ledger, report);
        }
        let pairs = match checked {
            Ok(pairs) => pairs,
            Err(error) => {
                report.issue("records", format_args!("{error:#}"));
                return String::new();
            }
        };
        let Some(outcome) = saved.result(seal) else {
            report.issue(CHECKPOINT, "it belongs to a run that has not ended");
            return String::new();
        };
        let mut report_text = format!("{REPORT} too");
        if version != env!("CARGO_PKG_VERSION") {
            report_text = format!("{REPORT} was written by understudy {version} and is not computed again");
        } else if read_file(&run.join(REPORT)).ok() != Some(build(&outcome, &sealed_study).to_json().into_bytes()) {
            report.issue(REPORT, "it is not the report that the sums give");
        }
        let windows = counted(outcome.cells.iter().count() as u64, "window", "windows");
        let pairs = counted(pairs, "pair", "pairs");
        whole = Some((sealed_study, saved));
        match reduced {
            0 => format!(
                "{pairs} and the sums of {windows} follow from the log, bit for bit; {report_text}"
            ),
            _ => format!(
                "the sums of {windows} follow from the stored scores of {pairs}, bit for bit; {report_text}. The pairs \
                 are not computed again: the fields of {} were dropped, as the study declares. So the counts of records, the \
                 statistics of the verdict, the sums of revised decisions, the sums by profile, the answer distributions and \
                 the latencies are taken from {CHECKPOINT} as they are",
                counted(reduced as u64, "segment", "segments")
            ),
        }
    });
    whole
}

/// Checks the reviews file, if there is one, against the ledger.
fn check_reviews(run: &Path, entries: &[Entry], report: &mut VerifyReport) {
    let stored = match read_file(&run.join(REVIEWS)) {
        Ok(stored) => stored,
        // It can be written again from the ledger.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return report.issue(REVIEWS, format_args!("cannot be read: {error}")),
    };
    report.check("reviews", |report| {
        let expected = expected_content(entries);
        if stored != expected.as_bytes() {
            report.issue(
                REVIEWS,
                "it does not match the judgements in the ledger; remove the file, and the next review writes it again",
            );
        }
        let judgements = counted(expected.lines().count() as u64, "judgement", "judgements");
        format!("{judgements} match the ledger")
    });
}
