//! Checks the files of a run against its ledger.
//!
//! Invariants: a file is read once, block by block, and every byte of it is hashed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::SerializedFileReader;

use crate::verify::issue::VerifyReport;
use understudy_report::counted;
use understudy_run_log::ledger::Segment;
use understudy_run_log::{
    INTERIM, LogError, Table, file_digest, open_file, open_segment, segments as segments_of,
};

/// The issue of a file that the ledger does not name.
const UNEXPECTED: &str = "the ledger does not name this file; understudy did not write it";
/// Files that are hashed in parallel.
const READERS: usize = 2;

/// Checks the digest of a file. `source` is where the expected digest comes from.
pub fn check(run: &Path, file: &str, sha256: &str, source: &str, report: &mut VerifyReport) {
    match file_digest(&run.join(file)) {
        Ok((found, _)) if found == sha256 => {}
        Ok((found, _)) => {
            report.issue(
                file,
                format_args!("the file was changed: its SHA-256 is {found}, and {source} has {sha256}"),
            );
        }
        Err(error) => report.issue(file, format_args!("cannot be read: {error}; {source} names it")),
    }
}

/// Checks digest, size and number of rows of every sealed segment.
pub fn segments(run: &Path, sealed: &BTreeMap<String, Segment>, report: &mut VerifyReport) {
    let all: Vec<&Segment> = sealed.values().collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while let Some(segment) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(what) = segment_fault(run, segment) {
                        let mut found = found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        found.push((segment.file.clone(), what));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    found.sort();
    found.into_iter().for_each(|(file, what)| report.issue(file, what));
}

/// The fault of a segment, if it has one.
fn segment_fault(run: &Path, segment: &Segment) -> Option<String> {
    let path = run.join(&segment.file);
    let (sha256, bytes) = match file_digest(&path) {
        Ok(found) => found,
        Err(error) => return Some(format!("cannot be read: {error}; the ledger names it")),
    };
    if bytes != segment.bytes {
        return Some(format!("it has {bytes} bytes, and the ledger has {}", segment.bytes));
    }
    if sha256 != segment.sha256 {
        return Some(format!(
            "the file was changed: its SHA-256 is {sha256}, and the ledger has {}",
            segment.sha256
        ));
    }
    let rows = open_file(&path).map_err(|error| error.to_string()).and_then(|file| {
        let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
        Ok(reader.metadata().file_metadata().num_rows())
    });
    match rows {
        Ok(rows) if rows as u64 == segment.rows => None,
        Ok(rows) => Some(format!("it has {rows} rows, and the ledger has {}", segment.rows)),
        Err(error) => Some(format!("it cannot be read as Parquet: {error}")),
    }
}

/// Checks the checksums of the open segments of a run that has not ended. Nothing vouches yet for their
/// number of batches. A torn end is what a killed process leaves behind.
///
/// # Errors
/// If a segment cannot be read.
pub fn open(run: &Path, report: &mut VerifyReport) -> Result<(), LogError> {
    let before = report.issues.len();
    let (mut files, mut rows) = (0, 0);
    for table in Table::ALL {
        for segment in segments_of(run, table)?.into_iter().filter(|segment| !segment.sealed) {
            let (found, damage) = open_segment(&segment.path)?;
            (files, rows) = (files + 1, rows + found);
            if let Some(damage) = damage {
                let file = segment.path.strip_prefix(run).unwrap_or(&segment.path);
                report
                    .issue(file.display(), format_args!("{damage} after {}", counted(found, "row", "rows")));
            }
        }
    }
    let files = counted(files, "open segment", "open segments");
    let rows = counted(rows, "row", "rows");
    if report.issues.len() == before {
        let details =
            format!("{files} with {rows} have valid checksums; nothing vouches yet that they are complete");
        report.passed.push(("open", details));
    }
    Ok(())
}

/// Finds interim reports that the ledger does not name. In a running run, one may be about to be recorded.
///
/// # Errors
/// If the folder cannot be listed.
pub fn unexpected_reports(
    run: &Path,
    known: &BTreeMap<String, String>,
    ended: bool,
    report: &mut VerifyReport,
) -> io::Result<()> {
    let folder = run.join(INTERIM);
    if !ended || !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let name = format!("{INTERIM}/{}", entry?.file_name().to_string_lossy());
        if !known.contains_key(&name) {
            report.issue(name, UNEXPECTED);
        }
    }
    Ok(())
}

/// Finds files in the table folders that the ledger does not name. An ended run has no open segments.
///
/// # Errors
/// If a folder cannot be listed.
pub fn unexpected_files(
    run: &Path,
    sealed: &BTreeMap<String, Segment>,
    ended: bool,
    report: &mut VerifyReport,
) -> io::Result<()> {
    for table in Table::ALL {
        let folder = run.join(table.folder());
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let name = format!("{}/{}", table.folder(), entry?.file_name().to_string_lossy());
            let open = name.ends_with(".arrows") || name.ends_with(".tmp");
            if !sealed.contains_key(&name) && (ended || !open) {
                report.issue(name, UNEXPECTED);
            }
        }
    }
    Ok(())
}
