//! The files of a run against what its ledger says of them.
//!
//! Always holds: a file is read once, piece by piece; every byte of it goes into its digest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::SerializedFileReader;

use super::finding::Findings;
use understudy_report::counted;
use understudy_run_log::ledger::Segment;
use understudy_run_log::{INTERIM, LogError, Table, file_digest, open_segment, segments as segments_of};

/// What is said of a file that the ledger does not know.
const STRANGER: &str = "it is in no entry of the ledger: it was put there by somebody else";
/// Files that are read side by side.
const READERS: usize = 2;

/// Holds a file against the digest that it should have. `says` is who says so.
pub fn check(run: &Path, file: &str, sha256: &str, says: &str, findings: &mut Findings) {
    match file_digest(&run.join(file)) {
        Ok((found, _)) if found == sha256 => {}
        Ok((found, _)) => {
            findings.fault(
                file,
                format_args!("it was changed: its SHA-256 is {found}, and {says} says {sha256}"),
            );
        }
        Err(error) => {
            findings.fault(file, format_args!("cannot be read: {error}; {says} says that it is there"))
        }
    }
}

/// Holds every sealed segment against its entry: digest, size, rows and sequence numbers.
pub fn segments(run: &Path, sealed: &BTreeMap<String, Segment>, findings: &mut Findings) {
    let all: Vec<&Segment> = sealed.values().collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while let Some(segment) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(what) = wrong(run, segment) {
                        let mut found = found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        found.push((segment.file.clone(), what));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    found.sort();
    found.into_iter().for_each(|(file, what)| findings.fault(file, what));
}

/// What is wrong with a segment.
fn wrong(run: &Path, segment: &Segment) -> Option<String> {
    let path = run.join(&segment.file);
    let (sha256, bytes) = match file_digest(&path) {
        Ok(found) => found,
        Err(error) => return Some(format!("cannot be read: {error}; the ledger says that it is there")),
    };
    if bytes != segment.bytes {
        return Some(format!("it has {bytes} bytes, and the ledger says {}", segment.bytes));
    }
    if sha256 != segment.sha256 {
        return Some(format!(
            "it was changed: its SHA-256 is {sha256}, and the ledger says {}",
            segment.sha256
        ));
    }
    let rows = File::open(&path).map_err(|error| error.to_string()).and_then(|file| {
        let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
        Ok(reader.metadata().file_metadata().num_rows())
    });
    match rows {
        Ok(rows) if rows as u64 == segment.rows => None,
        Ok(rows) => Some(format!("it has {rows} rows, and the ledger says {}", segment.rows)),
        Err(error) => Some(format!("it cannot be read as Parquet: {error}")),
    }
}

/// Looks at the open segments of a run that has not ended: whether each of their batches is whole. Nothing vouches for how
/// many there were. A torn end is what a process leaves that was killed.
///
/// # Errors
/// When one cannot be read.
pub fn open(run: &Path, findings: &mut Findings) -> Result<(), LogError> {
    let before = findings.broken.len();
    let (mut files, mut rows) = (0, 0);
    for table in Table::ALL {
        for segment in segments_of(run, table)?.into_iter().filter(|segment| !segment.sealed) {
            let (found, damage) = open_segment(&segment.path)?;
            (files, rows) = (files + 1, rows + found);
            if let Some(damage) = damage {
                let file = segment.path.strip_prefix(run).unwrap_or(&segment.path);
                findings
                    .fault(file.display(), format_args!("{damage} after {}", counted(found, "row", "rows")));
            }
        }
    }
    let files = counted(files, "open segment", "open segments");
    let rows = counted(rows, "row", "rows");
    if findings.broken.len() == before {
        let looked =
            format!("{files} with {rows}, whole as they stand; nothing vouches yet that this is all");
        findings.sound.push(("open", looked));
    }
    Ok(())
}

/// Finds what lies in the folder of the reports before the end and is in no entry. While a run goes on, one may just be
/// being written.
///
/// # Errors
/// When the folder cannot be listed.
pub fn strange_reports(
    run: &Path,
    known: &BTreeMap<&str, &str>,
    ended: bool,
    findings: &mut Findings,
) -> io::Result<()> {
    let folder = run.join(INTERIM);
    if !ended || !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let name = format!("{INTERIM}/{}", entry?.file_name().to_string_lossy());
        if !known.contains_key(name.as_str()) {
            findings.fault(name, STRANGER);
        }
    }
    Ok(())
}

/// Finds what lies in the folders of the tables and is in no entry. Open segments are not meant to be there once a run
/// has ended.
///
/// # Errors
/// When a folder cannot be listed.
pub fn strangers(
    run: &Path,
    sealed: &BTreeMap<String, Segment>,
    ended: bool,
    findings: &mut Findings,
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
                findings.fault(name, STRANGER);
            }
        }
    }
    Ok(())
}
