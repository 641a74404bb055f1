//! Drops the raw text and the fields of snapshots from sealed segments, as a study declares with
//! `log.retain`.
//!
//! A reduced snapshot keeps its id, time, source position, digest and the models' answers. The reduced
//! segment is written beside the original, then the ledger records both, then the reduced segment replaces
//! the original.
//!
//! Invariants: the segment under its name is either the original or the reduced one. When a run is opened, an
//! interrupted replacement is completed or undone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use jiff::{SignedDuration, Timestamp};

use crate::digest::file_digest;
use crate::durable_file::sync_folder;
use crate::error::LogError;
use crate::layout::Table;
use crate::ledger::{Entry, Event, Ledger, Segment};
use crate::reader::{ScanOptions, SegmentFile, latest_time};
use crate::segment_writer::ParquetFile;
use understudy_study::Micros;

/// The extension of a reduced segment until it replaces the original.
const REDUCED_EXTENSION: &str = "parquet.reduced";

/// The segments of snapshots that have all their columns, and how long they keep them.
pub struct Retention {
    /// How long a segment keeps its columns after it was sealed.
    after: SignedDuration,
    /// The unreduced segments, each with the time at which it was sealed.
    unreduced: Vec<(Segment, Timestamp)>,
}

/// Whether a column of the snapshot table is dropped.
pub fn is_dropped(column: &str) -> bool {
    column == "raw" || column.starts_with("input.")
}

impl Retention {
    /// The state after these entries of the ledger.
    pub fn from_entries(entries: &[Entry], after: SignedDuration) -> Retention {
        let mut unreduced: BTreeMap<String, (Segment, Timestamp)> = BTreeMap::new();
        for entry in entries {
            match &entry.event {
                Event::GroupSealed { segments, .. } => {
                    let snapshots = segments.iter().filter(|segment| holds_snapshots(segment));
                    unreduced.extend(snapshots.map(|s| (s.file.clone(), (s.clone(), entry.at))));
                }
                Event::SegmentReduced { after, .. } => drop(unreduced.remove(&after.file)),
                _ => {}
            }
        }
        Retention { after, unreduced: unreduced.into_values().collect() }
    }

    /// Adds the segments of a group that was sealed at a time.
    pub fn sealed(&mut self, segments: &[Segment], at: Timestamp) {
        let snapshots = segments.iter().filter(|segment| holds_snapshots(segment));
        self.unreduced.extend(snapshots.map(|segment| (segment.clone(), at)));
    }

    /// Reduces the segments that are due and hold no snapshot at or after the event time `settled`; any
    /// segment if it is `None`. Returns the number of reduced segments.
    ///
    /// # Errors
    /// If a segment cannot be read or written.
    pub fn reduce(
        &mut self,
        run: &Path,
        ledger: &Ledger,
        settled: Option<Micros>,
    ) -> Result<usize, LogError> {
        let due = Timestamp::now().saturating_sub(self.after).unwrap_or(Timestamp::MIN);
        let mut reduced = 0;
        let mut at = 0;
        while let Some((segment, sealed)) = self.unreduced.get(at) {
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
            let (segment, _) = self.unreduced.remove(at);
            reduce_segment(&path, segment, ledger)?;
            reduced += 1;
        }
        Ok(reduced)
    }
}

fn holds_snapshots(segment: &Segment) -> bool {
    segment.file.starts_with(Table::Snapshots.folder())
}

/// Replaces a segment by a reduced one.
fn reduce_segment(path: &Path, before: Segment, ledger: &Ledger) -> Result<(), LogError> {
    let reduced_path = path.with_extension(REDUCED_EXTENSION);
    let file = SegmentFile { group: 0, path: path.to_owned(), sealed: true };
    let reading = ScanOptions::new(Table::Snapshots, Vec::new());
    let mut writing: Option<(ParquetFile, Vec<usize>)> = None;
    let mut dropped = Vec::new();
    for batch in reading.segment(file) {
        let batch = batch?;
        if writing.is_none() {
            let schema = batch.schema();
            let kept_columns: Vec<usize> =
                (0..schema.fields().len()).filter(|at| !is_dropped(schema.field(*at).name())).collect();
            dropped =
                schema.fields().iter().map(|f| f.name().clone()).filter(|name| is_dropped(name)).collect();
            let kept: Schema = schema.project(&kept_columns).map_err(LogError::arrow("read", path))?;
            writing = Some((ParquetFile::create(&reduced_path, &kept.into())?, kept_columns));
        }
        let (writer, kept_columns) = writing.as_mut().expect("made above");
        writer.write(&batch.project(kept_columns).map_err(LogError::arrow("read", path))?)?;
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
    replace_segment(&reduced_path, path)
}

fn replace_segment(reduced_path: &Path, path: &Path) -> Result<(), LogError> {
    fs::rename(reduced_path, path).map_err(LogError::io("write", path))?;
    sync_folder(path.parent().expect("a segment is in the folder of its table"))
}

/// Completes interrupted replacements that the ledger records, and undoes others.
///
/// # Errors
/// If the system call fails.
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
    left.retain(|path| path.to_string_lossy().ends_with(REDUCED_EXTENSION));
    for reduced_path in left {
        // `000003.parquet.reduced` becomes `000003.parquet`.
        let path = reduced_path.with_extension("");
        let recorded = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::SegmentReduced { after, .. } if run.join(&after.file) == path => Some(&after.sha256),
            _ => None,
        });
        let (digest, _) = file_digest(&reduced_path).map_err(LogError::io("read", &reduced_path))?;
        match recorded == Some(&digest) {
            true => replace_segment(&reduced_path, &path)?,
            false => fs::remove_file(&reduced_path).map_err(LogError::io("remove", &reduced_path))?,
        }
    }
    Ok(())
}
