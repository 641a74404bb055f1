//! Whether a run is whole: nothing missing, nothing changed, and everything that was derived follows from the log.
//!
//! Always holds: nothing is believed before what vouches for it has been checked: the ledger by its chain and its
//! signature, the seal and the segments by the ledger, the plugins by the seal, the rows by all of them.

use std::collections::{BTreeMap, BTreeSet};
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
use understudy_run_log::ledger::{self, Entry, Event, FileDigest, LEDGER, NOTE, Segment};
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
    let past = History::of(&bytes, written, &mut findings);
    signature(run, &bytes, &past, keys, &mut findings);
    let opened = past.opened();
    let seal = opened
        .as_ref()
        .and_then(|opened| promise::check(run, opened.seal, opened.study_toml, keys, &mut findings));
    let version = opened.map(|opened| opened.version.to_owned()).unwrap_or_default();
    files(run, &past, &mut findings)?;
    // What was changed might be no Parquet any more, and cannot say more than that it was changed.
    if !findings.broken.is_empty() {
        findings.left.push(("records", "what is in the segments, since the run is not whole".to_owned()));
        return Ok(findings);
    }
    // To compile the plugins takes a while, so that is done meanwhile.
    let (looked, prepared) = thread::scope(|scope| {
        let seal = seal.as_ref().filter(|_| past.ended.is_some());
        let preparing = seal.map(|seal| scope.spawn(|| recall(run, seal, &WhatIf::default())));
        let looked = records(run, &past, &mut findings);
        (looked, preparing.and_then(|preparing| preparing.join().ok()))
    });
    looked?;
    match (past.ended.is_some(), seal, prepared) {
        (true, Some(seal), Some(prepared)) if findings.broken.is_empty() => {
            let whole = figures(run, &seal, &version, prepared, past.reduced, &mut findings);
            let promised = past.opened().map(|opened| opened.seal.to_owned()).unwrap_or_default();
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

/// What the ledger tells.
struct History {
    entries: Vec<Entry>,
    /// Whether all of it can be believed.
    is_whole: bool,
    /// The sealed segments, as they are now.
    segments: BTreeMap<String, Segment>,
    /// How many of them have lost fields.
    reduced: usize,
    /// How many records of each stream they hold.
    covers: [u64; 2],
    /// The files that were derived by its end, if it has ended.
    ended: Option<Vec<FileDigest>>,
}

impl History {
    fn of(bytes: &[u8], written: bool, findings: &mut Findings) -> History {
        let mut history = History {
            entries: Vec::new(),
            is_whole: false,
            segments: BTreeMap::new(),
            reduced: 0,
            covers: [0; 2],
            ended: None,
        };
        findings.look("ledger", |findings| {
            let (entries, mut faults) = ledger::check(bytes);
            // Its last line may just be being written.
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
            faults.retain(|fault| !(written && fault.line == lines && !bytes.ends_with(b"\n")));
            for fault in faults {
                findings.fault(format_args!("{LEDGER}:{}", fault.line), fault.what);
            }
            match entries.first().map(|entry| &entry.event) {
                Some(Event::RunStarted { .. }) => {}
                None if bytes.is_empty() => findings.fault(LEDGER, "it is gone, or empty"),
                _ => findings.fault(LEDGER, "it does not begin with the opening of a study"),
            }
            history.entries = entries;
            format!(
                "{}, each chained to the one before",
                counted(history.entries.len() as u64, "entry", "entries")
            )
        });
        let mut wrong = Vec::new();
        for entry in &history.entries {
            let mut fault = |what: String| wrong.push((entry.entry + 1, what));
            match &entry.event {
                Event::GroupSealed { segments, position: covers, .. } => {
                    if covers.iter().zip(&history.covers).any(|(now, before)| now < before) {
                        fault("it covers fewer records than the entry before".to_owned());
                    }
                    history.covers = *covers;
                    for segment in segments {
                        if history.segments.insert(segment.file.clone(), segment.clone()).is_some() {
                            fault(format!("{} was sealed before", segment.file));
                        }
                    }
                }
                Event::SegmentReduced { before, after, .. } => {
                    history.reduced += 1;
                    if history.segments.insert(before.file.clone(), after.clone()).as_ref() != Some(before) {
                        fault(format!("{} was not as this entry says before it was reduced", before.file));
                    }
                }
                Event::RunStopped { files, .. } | Event::RunClosed { files } => history.ended = Some(files.clone()),
                Event::RunResumed { .. } => history.ended = None,
                Event::RunStarted { .. } if entry.entry > 0 => fault("a run is opened once".to_owned()),
                _ => {}
            }
        }
        history.is_whole = findings.broken.is_empty() && wrong.is_empty();
        for (line, what) in wrong {
            findings.fault(format_args!("{LEDGER}:{line}"), what);
        }
        history
    }

    fn opened(&self) -> Option<Opened<'_>> {
        match self.entries.first().map(|entry| &entry.event) {
            Some(Event::RunStarted { seal, study_toml, version, key, .. }) => {
                Some(Opened { seal, study_toml, version, key: key.as_deref() })
            }
            _ => None,
        }
    }
}

/// What the first entry says.
struct Opened<'h> {
    seal: &'h str,
    study_toml: &'h str,
    version: &'h str,
    key: Option<&'h str>,
}

/// Whether the ledger's head is signed, and by whom it should be.
fn signature(run: &Path, bytes: &[u8], past: &History, keys: &[Verifier], findings: &mut Findings) {
    let Some(Opened { key: named, .. }) = past.opened() else { return };
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
fn files(run: &Path, past: &History, findings: &mut Findings) -> Result<(), VerifyError> {
    findings.look("segments", |findings| {
        files::segments(run, &past.segments, findings);
        let rows: u64 = past.segments.values().map(|segment| segment.rows).sum();
        let files = counted(past.segments.len() as u64, "file", "files");
        format!("{files} with {}, as the ledger has them", counted(rows, "row", "rows"))
    });
    let unreadable = |error| VerifyError::Unreadable { path: run.to_owned(), error };
    if past.ended.is_none() {
        files::open(run, findings)?;
    }
    // What a broken ledger does not name may well be in it.
    if past.is_whole {
        files::strangers(run, &past.segments, past.ended.is_some(), findings).map_err(unreadable)?;
        reviews::check(run, &past.entries, findings);
    }
    for file in past.ended.iter().flatten() {
        files::check(run, &file.file, &file.sha256, "the ledger", findings);
    }
    let exchanged = past.entries.iter().filter_map(|entry| match &entry.event {
        Event::Swap { sha256, .. } => Some(sha256.as_str()),
        _ => None,
    });
    for sha256 in exchanged.collect::<BTreeSet<_>>() {
        files::check(run, &plugin_name(sha256), sha256, "the ledger", findings);
    }
    let interim = past.entries.iter().flat_map(|entry| match &entry.event {
        Event::InterimReport { files, .. } => files.as_slice(),
        _ => &[],
    });
    let interim: BTreeMap<&str, &str> =
        interim.map(|file| (file.file.as_str(), file.sha256.as_str())).collect();
    for (file, sha256) in &interim {
        files::check(run, file, sha256, "the ledger", findings);
    }
    if past.is_whole {
        files::strange_reports(run, &interim, past.ended.is_some(), findings).map_err(unreadable)?;
    }
    Ok(())
}

/// The records that the segments hold.
fn records(run: &Path, past: &History, findings: &mut Findings) -> Result<(), LogError> {
    let mut done = Ok(());
    findings.look("records", |findings| {
        for side in StreamKind::ALL {
            done = sequences::check(run, side, past.covers[side as usize], past.ended.is_some(), findings);
            if done.is_err() {
                break;
            }
        }
        let [snapshots, decisions] = past.covers;
        let snapshots = counted(snapshots, "snapshot", "snapshots");
        let open = if past.ended.is_some() { "" } else { " in sealed segments" };
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
