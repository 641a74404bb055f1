//! Whether a run is whole: nothing missing, nothing changed, and everything that was derived follows from the log.
//!
//! Always holds: nothing is believed before what vouches for it has been checked: the ledger by its chain and its
//! signature, the seal and the segments by the ledger, the plugins by the seal, the rows by all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::decide::{self, Again};
use super::finding::Findings;
use super::{derived, files, promise, reviews, sequences};
use understudy_engine::{PrepareError, Prepared, SEAL, Saved, Seal, WhatIf, plugin_name, recall};
use understudy_study::StreamKind;
use understudy_report::build;
use understudy_report::counted;
use understudy_run_log::ledger::{self, Entry, Event, LEDGER, LedgerState, NOTE};
use understudy_run_log::note::Verifier;
use understudy_run_log::{CHECKPOINT, LogError, REPORT, RunDirectory, checkpoint};

/// Why a run cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is no run.
    #[error("{} holds no run: it has no {LEDGER}; name the directory that `understudy run` wrote", run.display())]
    NoRun {
        /// The directory.
        run: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Looks at a run. Its ledger must have been signed with one of `keys`, and its seal too if it is signed; with no keys, each
/// by the key that it names.
///
/// # Errors
/// When it cannot be looked at. What is wrong with it is among the findings.
pub fn verify(run: &Path, keys: &[Verifier]) -> Result<Findings, VerifyError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| VerifyError::Unreadable { path, error }
    };
    let path = run.join(LEDGER);
    if !path.is_file() && !run.join(SEAL).is_file() {
        return Err(VerifyError::NoRun { run: run.to_owned() });
    }
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(unreadable(&path))?,
    };
    let written = RunDirectory::is_being_written(run)?;
    let mut findings = Findings::default();
    let past = ReadLedger::read(&bytes, written, &mut findings);
    signature(run, &bytes, &past, keys, &mut findings);
    let opened = past.state.start.as_ref();
    let seal = opened
        .and_then(|opened| promise::check(run, &opened.seal, &opened.study_toml, keys, &mut findings));
    let version = opened.map(|opened| opened.version.clone()).unwrap_or_default();
    files(run, &past, &mut findings)?;
    // What was changed might be no Parquet any more, and cannot say more than that it was changed.
    if !findings.broken.is_empty() {
        findings.left.push(("records", "what is in the segments, since the run is not whole".to_owned()));
        return Ok(findings);
    }
    // To compile the plugins takes a while, so that is done meanwhile.
    let (looked, prepared) = thread::scope(|scope| {
        let seal = seal.as_ref().filter(|_| past.state.end.is_some());
        let preparing = seal.map(|seal| scope.spawn(|| recall(run, seal, &WhatIf::default())));
        let looked = records(run, &past, &mut findings);
        (looked, preparing.and_then(|preparing| preparing.join().ok()))
    });
    looked?;
    match (past.state.end.is_some(), seal, prepared) {
        (true, Some(seal), Some(prepared)) if findings.broken.is_empty() => {
            let whole = figures(run, &seal, &version, prepared, past.state.reduced.len(), &mut findings);
            let promised = past.state.start.as_ref().map(|start| start.seal.clone()).unwrap_or_default();
            let again = whole.as_ref().map(|(prepared, saved)| Again { prepared, saved, seal: &promised });
            decide::check(run, &past.entries, again, &mut findings);
        }
        (true, ..) => {}
        (false, ..) => {
            decide::check(run, &past.entries, None, &mut findings);
            findings.left.push((
                "figures",
                match written {
                    true => "the run is going on, so its figures are not final".to_owned(),
                    false => "the run was cut off; run the study again to go on, and verify it at the end"
                        .to_owned(),
                },
            ))
        }
    }
    Ok(findings)
}

/// The ledger, as far as it can be read.
struct ReadLedger {
    entries: Vec<Entry>,
    state: LedgerState,
    /// Whether the ledger has no fault, so that it names every file of the run.
    is_whole: bool,
}

impl ReadLedger {
    /// Reads a ledger and reports its faults. While the run is being written, its last line may be incomplete.
    fn read(bytes: &[u8], being_written: bool, findings: &mut Findings) -> ReadLedger {
        let mut entries = Vec::new();
        findings.look("ledger", |findings| {
            let (read, mut faults) = ledger::check(bytes);
            entries = read;
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
            faults.retain(|fault| !(being_written && fault.line == lines && !bytes.ends_with(b"\n")));
            for fault in faults {
                findings.fault(format_args!("{LEDGER}:{}", fault.line), fault.what);
            }
            match entries.first().map(|entry| &entry.event) {
                Some(Event::RunStarted { .. }) => {}
                None if bytes.is_empty() => findings.fault(LEDGER, "the file is missing or empty"),
                _ => findings.fault(LEDGER, "the first entry does not record the start of a run"),
            }
            format!("{}, each chained to the one before", counted(entries.len() as u64, "entry", "entries"))
        });
        let state = LedgerState::from_entries(&entries);
        let is_whole = findings.broken.is_empty() && state.contradictions.is_empty();
        for fault in &state.contradictions {
            findings.fault(format_args!("{LEDGER}:{}", fault.line), &fault.what);
        }
        ReadLedger { entries, state, is_whole }
    }
}

/// Whether the ledger's head is signed, and by whom it should be.
fn signature(run: &Path, bytes: &[u8], past: &ReadLedger, keys: &[Verifier], findings: &mut Findings) {
    let Some(start) = &past.state.start else { return };
    let named = start.key.as_deref();
    // If it is none of them, that shows by its signature.
    let given = keys.iter().find(|key| named == Some(&key.to_string())).or(keys.first());
    let verifier = match (given, named) {
        (Some(key), _) => key.clone(),
        (None, Some(named)) => match Verifier::parse(named) {
            Ok(named) => named,
            Err(error) => return findings.fault(format_args!("{LEDGER}:1"), error),
        },
        (None, None) if run.join(NOTE).exists() => {
            return findings.fault(NOTE, "it signs the head of a ledger that was opened without a key");
        }
        (None, None) => return findings.left.push(("signature", "the ledger is not signed".to_owned())),
    };
    let note = match fs::read_to_string(run.join(NOTE)) {
        Ok(note) => note,
        Err(error) => {
            return findings.fault(
                NOTE,
                format_args!("cannot be read: {error}; the ledger should be signed by {verifier}"),
            );
        }
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    findings.look("signature", |findings| match verifier.check(&note, lines) {
        Ok(size) => {
            let all = past.entries.len() as u64;
            let behind = match all.saturating_sub(size) {
                0 => String::new(),
                more => format!("; {} behind them without the key", counted(more, "entry", "entries")),
            };
            let who = match given {
                Some(_) => "by a key given",
                None => "by the key that the ledger names itself; with --key its owner is known too",
            };
            format!("the first {}, {who}: {verifier}{behind}", counted(size, "entry", "entries"))
        }
        Err(what) => {
            findings.fault(NOTE, what);
            String::new()
        }
    });
}

/// What lies in the run directory.
fn files(run: &Path, past: &ReadLedger, findings: &mut Findings) -> Result<(), VerifyError> {
    findings.look("segments", |findings| {
        files::segments(run, &past.state.segments, findings);
        let rows: u64 = past.state.segments.values().map(|segment| segment.rows).sum();
        let files = counted(past.state.segments.len() as u64, "file", "files");
        format!("{files} with {}, as the ledger has them", counted(rows, "row", "rows"))
    });
    let unreadable = |error| VerifyError::Unreadable { path: run.to_owned(), error };
    if past.state.end.is_none() {
        files::open(run, findings)?;
    }
    // What a broken ledger does not name may well be in it.
    if past.is_whole {
        files::strangers(run, &past.state.segments, past.state.end.is_some(), findings).map_err(unreadable)?;
        reviews::check(run, &past.entries, findings);
    }
    for file in past.state.end.iter().flatten() {
        files::check(run, &file.file, &file.sha256, "the ledger", findings);
    }
    let swapped = past.state.swaps.iter().map(|swap| swap.sha256.as_str());
    for sha256 in swapped.collect::<BTreeSet<_>>() {
        files::check(run, &plugin_name(sha256), sha256, "the ledger", findings);
    }
    for (file, sha256) in &past.state.interim_files {
        files::check(run, file, sha256, "the ledger", findings);
    }
    if past.is_whole {
        files::strange_reports(run, &past.state.interim_files, past.state.end.is_some(), findings).map_err(unreadable)?;
    }
    Ok(())
}

/// The records that the segments hold.
fn records(run: &Path, past: &ReadLedger, findings: &mut Findings) -> Result<(), LogError> {
    let mut done = Ok(());
    findings.look("records", |findings| {
        for side in StreamKind::ALL {
            done = sequences::check(run, side, past.state.position[side], past.state.end.is_some(), findings);
            if done.is_err() {
                break;
            }
        }
        let [snapshots, decisions] = past.state.position;
        let snapshots = counted(snapshots, "snapshot", "snapshots");
        let open = if past.state.end.is_some() { "" } else { " in sealed segments" };
        format!(
            "{snapshots} and {}{open}, none missing, none twice",
            counted(decisions, "decision", "decisions")
        )
    });
    done
}

/// What was derived by the end. Gives it, where it is as it should be.
fn figures(
    run: &Path,
    seal: &Seal,
    version: &str,
    prepared: Result<Prepared, PrepareError>,
    reduced: usize,
    findings: &mut Findings,
) -> Option<(Prepared, Saved)> {
    let mut whole = None;
    findings.look("figures", |findings| {
        let saved = fs::read(run.join(CHECKPOINT)).map_err(|error| error.to_string());
        let saved: Saved = match saved.and_then(|bytes| checkpoint::decode(&bytes).map_err(|error| error.to_string())) {
            Ok(saved) => saved,
            Err(what) => {
                findings.fault(CHECKPOINT, what);
                return String::new();
            }
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                findings.fault("plugins", error);
                return String::new();
            }
        };
        let checked = match reduced {
            0 => derived::check(&prepared, run, &saved, findings),
            _ => derived::check_kept(&prepared, run, &saved, findings),
        };
        let pairs = match checked {
            Ok(pairs) => pairs,
            Err(error) => {
                findings.fault("records", format_args!("{error:#}"));
                return String::new();
            }
        };
        let Some(outcome) = saved.outcome(seal) else {
            findings.fault(CHECKPOINT, "it is not that of an ended run");
            return String::new();
        };
        let mut report = format!("{REPORT} too");
        if version != env!("CARGO_PKG_VERSION") {
            report = format!("{REPORT} was written by understudy {version}, and not made again");
        } else if fs::read(run.join(REPORT)).ok() != Some(build(&outcome, &prepared).to_json().into_bytes()) {
            findings.fault(REPORT, "it is not the report that the sums give");
        }
        let windows = counted(outcome.cells.iter().count() as u64, "window", "windows");
        let pairs = counted(pairs, "pair", "pairs");
        whole = Some((prepared, saved));
        match reduced {
            0 => format!(
                "{pairs}, and the sums of {windows}, come out of the log again, bit for bit; {report}"
            ),
            _ => format!(
                "the sums of {windows} come out of the scores of {pairs} again, bit for bit; {report}. The pairs \
                 are not made again: the fields of {} were dropped, as the study declares",
                counted(reduced as u64, "segment", "segments")
            ),
        }
    });
    whole
}
