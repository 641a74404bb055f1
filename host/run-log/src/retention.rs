//! Dropping the snapshots' own text and fields from sealed segments, as a study declares with `log.retain`.
//!
//! What stays of a snapshot is its id, time, place and digest, and what the models answered. The smaller segment is written
//! beside the old one, then the ledger tells of both, then it takes the old one's place.
//!
//! Always holds: the segment that has the name is the one before or the one after; an interrupted exchange is brought to its
//! end, or undone, when the run is opened next.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use jiff::{SignedDuration, Timestamp};

use super::ledger::{Entry, Event, Ledger, Segment};
use super::reader::{ScanOptions, SegmentFile, latest_time};
use super::segments::ParquetFile;
use super::stream::sync_folder;
use super::{LogError, Table, file_digest};
use understudy_study::Micros;

/// What the smaller segment is called until it takes the place of the old one.
const BESIDE: &str = "parquet.reduced";

/// The segments of snapshots that still have all that came.
pub struct Retention {
    /// How long they do.
    after: SignedDuration,
    /// Each with the time at which it was sealed.
    whole: Vec<(Segment, Timestamp)>,
}

/// Whether a column of the snapshots is dropped.
pub fn is_dropped(column: &str) -> bool {
    column == "raw" || column.starts_with("input.")
}

impl Retention {
    /// What the ledger's entries say.
    pub fn of(entries: &[Entry], after: SignedDuration) -> Retention {
        let mut whole: BTreeMap<String, (Segment, Timestamp)> = BTreeMap::new();
        for entry in entries {
            match &entry.event {
                Event::GroupSealed { segments, .. } => {
                    let snapshots = segments.iter().filter(|segment| is_of_snapshots(segment));
                    whole.extend(snapshots.map(|s| (s.file.clone(), (s.clone(), entry.at))));
                }
                Event::SegmentReduced { after, .. } => drop(whole.remove(&after.file)),
                _ => {}
            }
        }
        Retention { after, whole: whole.into_values().collect() }
    }

    /// A group has been sealed.
    pub fn sealed(&mut self, segments: &[Segment], at: Timestamp) {
        let snapshots = segments.iter().filter(|segment| is_of_snapshots(segment));
        self.whole.extend(snapshots.map(|segment| (segment.clone(), at)));
    }

    /// Drops what is due now and in which no snapshot is at or after `settled`; `None` if none can matter any
    /// more. Gives how many segments that were.
    ///
    /// # Errors
    /// When a segment cannot be read or written.
    pub fn reduce(&mut self, run: &Path, ledger: &Ledger, settled: Option<Micros>) -> Result<usize, LogError> {
        let due = Timestamp::now().saturating_sub(self.after).unwrap_or(Timestamp::MIN);
        let mut reduced = 0;
        let mut at = 0;
        while let Some((segment, sealed)) = self.whole.get(at) {
            let path = run.join(&segment.file);
            let may = *sealed <= due
                && match settled {
                    None => true,
                    Some(settled) => {
                        latest_time(&path, "observed_at")?.is_some_and(|latest| latest < settled)
                    }
                };
            if !may {
                at += 1;
                continue;
            }
            let (segment, _) = self.whole.remove(at);
            exchange(&path, segment, ledger)?;
            reduced += 1;
        }
        Ok(reduced)
    }
}

fn is_of_snapshots(segment: &Segment) -> bool {
    segment.file.starts_with(Table::Snapshots.folder())
}

/// Puts a smaller segment in the place of one.
fn exchange(path: &Path, before: Segment, ledger: &Ledger) -> Result<(), LogError> {
    let beside = path.with_extension(BESIDE);
    let file = SegmentFile { group: 0, path: path.to_owned(), sealed: true };
    let reading = ScanOptions::new(Table::Snapshots, Vec::new());
    let mut writing: Option<(ParquetFile, Vec<usize>)> = None;
    let mut dropped = Vec::new();
    for batch in reading.segment(file) {
        let batch = batch?;
        if writing.is_none() {
            let schema = batch.schema();
            let stays: Vec<usize> =
                (0..schema.fields().len()).filter(|at| !is_dropped(schema.field(*at).name())).collect();
            dropped =
                schema.fields().iter().map(|f| f.name().clone()).filter(|name| is_dropped(name)).collect();
            let kept: Schema = schema.project(&stays).map_err(LogError::arrow("read", path))?;
            writing = Some((ParquetFile::create(&beside, &kept.into())?, stays));
        }
        let (writer, stays) = writing.as_mut().expect("made above");
        writer.write(&batch.project(stays).map_err(LogError::arrow("read", path))?)?;
    }
    let Some((writer, _)) = writing else { return Ok(()) };
    let sealed = writer.finish()?;
    let after = Segment {
        file: before.file.clone(),
        sha256: sealed.sha256,
        bytes: sealed.bytes,
        rows: sealed.rows,
        sequences: sealed.sequences,
    };
    ledger.append(Event::SegmentReduced { before, after, dropped_columns: dropped })?;
    take_place(&beside, path)
}

fn take_place(beside: &Path, path: &Path) -> Result<(), LogError> {
    fs::rename(beside, path).map_err(LogError::io("write", path))?;
    sync_folder(path.parent().expect("a segment lies in its table's folder"))
}

/// Brings exchanges to their end that were interrupted, or undoes them.
///
/// # Errors
/// When the system refuses.
pub fn finish_interrupted(run: &Path, entries: &[Entry]) -> Result<(), LogError> {
    let folder = run.join(Table::Snapshots.folder());
    let listed = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(LogError::io("read", &folder))?,
    };
    let mut left: Vec<PathBuf> = Vec::new();
    for entry in listed {
        left.push(entry.map_err(LogError::io("read", &folder))?.path());
    }
    left.retain(|path| path.to_string_lossy().ends_with(BESIDE));
    for beside in left {
        // `000003.parquet.reduced` is to be `000003.parquet`.
        let path = beside.with_extension("");
        let told = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::SegmentReduced { after, .. } if run.join(&after.file) == path => Some(&after.sha256),
            _ => None,
        });
        let (digest, _) = file_digest(&beside).map_err(LogError::io("read", &beside))?;
        match told == Some(&digest) {
            true => take_place(&beside, &path)?,
            false => fs::remove_file(&beside).map_err(LogError::io("remove", &beside))?,
        }
    }
    Ok(())
}
