//! Recovers the log of a run that was interrupted.
//!
//! The groups in the ledger are complete. Behind them each table may be torn at a different place. On
//! recovery each stream is truncated at its first sequence gap. The remaining rows become one open group, the
//! sources are read again from there, and the pairs are derived again.
//!
//! Invariants: an acknowledged record is never lost, and no record is stored twice. Recovery is idempotent,
//! even if it was itself interrupted.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::UInt64Type;

use crate::durable_file::{make_folder, sync_folder};
use crate::error::LogError;
use crate::ipc_stream::{StreamWriter, scan};
use crate::layout::Table;
use crate::ledger::{Entry, Event, LEDGER};
use crate::reader::{ScanOptions, segments};
use understudy_records::batch::RecordPosition;
use understudy_study::{PerStream, StreamKind};

/// The state of a recovered log.
pub struct Recovered {
    /// The number of the open group.
    pub group: u32,
    /// The next sequence number of each stream, which is the number of records in the log.
    pub next: PerStream<u64>,
    /// Rows of each table in the open group.
    pub rows: [u64; 4],
    /// The open segment of each table that has one; new rows are appended to it.
    pub writers: [Option<StreamWriter>; 4],
    /// Rows of each stream that were dropped because a row before them is missing.
    pub cut: PerStream<u64>,
    /// The last record of each stream in the open group, with its sequence number.
    pub marks: PerStream<Option<(u64, RecordPosition)>>,
    /// Damaged segments, each with the damage.
    pub torn: Vec<(PathBuf, String)>,
}

/// Rows in a merged batch.
const BATCH_ROWS: usize = 1024;
const RECORDS: [Table; 3] = [Table::Snapshots, Table::Decisions, Table::Excluded];

/// Checks that every sealed segment in the ledger exists with its size. Hashing all of them would take too
/// long for a start.
///
/// # Errors
/// If a segment is missing or has another size.
pub fn present(run: &Path, entries: &[Entry]) -> Result<(), LogError> {
    let mut sizes: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for entry in entries {
        let (before, after) = match &entry.event {
            Event::GroupSealed { segments, .. } => (&segments[..], None),
            Event::SegmentReduced { before, after, .. } => (std::slice::from_ref(before), Some(after)),
            _ => continue,
        };
        for segment in before.iter().chain(after) {
            sizes.entry(&segment.file).or_default().push(segment.bytes);
        }
    }
    for (file, sizes) in sizes {
        let path = run.join(file);
        let what = match fs::metadata(&path) {
            Ok(found) if sizes.contains(&found.len()) => continue,
            Ok(found) => {
                let sealed = sizes.last().copied().unwrap_or_default();
                format!("has {} bytes, and the ledger has {sealed}: it was truncated or changed", found.len())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => "is missing".to_owned(),
            Err(error) => return Err(LogError::io("read", &path)(error)),
        };
        return Err(LogError::Directory(format!(
            "{} {what}; restore it from a copy to resume the run, or choose another directory with --run",
            path.display()
        )));
    }
    Ok(())
}

/// Recovers a run whose ledger has `groups` sealed groups with `sealed` records of each stream.
///
/// # Errors
/// If a file operation fails, or a segment has the wrong columns.
pub fn recover(run: &Path, groups: u32, sealed: PerStream<u64>) -> Result<Recovered, LogError> {
    for table in RECORDS {
        check_sealed_are_recorded(run, table, groups)?;
    }
    for table in Table::ALL {
        remove_leftovers(run, table, groups)?;
    }
    let mut found = SequenceRanges::default();
    let mut torn = Vec::new();
    for table in RECORDS {
        for segment in segments(run, table)?.into_iter().filter(|segment| !segment.sealed) {
            let mut scan = scan(&segment.path)?;
            for batch in &mut scan {
                found.add(&RowPositions::from_batch(table, &batch?, &segment.path)?);
            }
            torn.extend(scan.damage().map(|what| (segment.path.clone(), what.to_owned())));
        }
    }
    let next = PerStream::from_fn(|kind| found.end(kind, sealed[kind]));
    let mut recovered = Recovered {
        group: groups,
        next,
        rows: [0; 4],
        writers: [const { None }; 4],
        cut: PerStream::from_fn(|kind| found.count_from(kind, next[kind])),
        marks: PerStream::default(),
        torn,
    };
    for table in RECORDS {
        merge(run, table, groups, sealed, &mut recovered)?;
    }
    Ok(recovered)
}

/// Checks that each sealed segment of a table is in the ledger, or still has its open segment beside it.
fn check_sealed_are_recorded(run: &Path, table: Table, groups: u32) -> Result<(), LogError> {
    for segment in segments(run, table)? {
        let path = &segment.path;
        if segment.sealed && segment.group >= groups && !path.with_extension("arrows").exists() {
            return Err(LogError::Directory(format!(
                "{} is sealed but not in the ledger: the end of {} is missing; restore the ledger from a copy to resume \
                 the run, or choose another directory with --run",
                path.display(),
                run.join(LEDGER).display()
            )));
        }
    }
    Ok(())
}

/// Removes leftover files of a table: temporary files, open segments of sealed groups, sealed segments of
/// groups that are not in the ledger, and pairs that are derived again.
fn remove_leftovers(run: &Path, table: Table, groups: u32) -> Result<(), LogError> {
    let folder = run.join(table.folder());
    make_folder(&folder)?;
    let failed = LogError::io("read", &folder);
    for entry in fs::read_dir(&folder).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let group = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        let left_over = match (path.extension().and_then(|kind| kind.to_str()), group) {
            (Some("tmp"), _) => true,
            (Some("arrows"), Some(group)) => group < groups || table == Table::Pairs,
            (Some("parquet"), Some(group)) => group >= groups,
            _ => false,
        };
        if left_over {
            fs::remove_file(&path).map_err(LogError::io("remove", &path))?;
        }
    }
    sync_folder(&folder)
}

/// Merges the remaining rows of a table's open segments into one segment, and removes the others.
fn merge(
    run: &Path,
    table: Table,
    group: u32,
    sealed: PerStream<u64>,
    recovered: &mut Recovered,
) -> Result<(), LogError> {
    let segments: Vec<_> = segments(run, table)?.into_iter().filter(|segment| !segment.sealed).collect();
    let folder = run.join(table.folder());
    let path = folder.join(format!("{group:06}.arrows"));
    let mut merged = MergedSegment {
        temporary: path.with_extension("arrows.tmp"),
        writer: None,
        gathered: Vec::new(),
        rows: 0,
    };
    // An interrupted merge may have left the same rows in two files.
    let mut next = sealed;
    for segment in &segments {
        for batch in scan(&segment.path)? {
            let batch = batch?;
            let keys = RowPositions::from_batch(table, &batch, &segment.path)?;
            let mut keep = Vec::with_capacity(batch.num_rows());
            for row in 0..batch.num_rows() {
                let (kind, sequence) = keys.row(row);
                let (next, end) = (&mut next[kind], recovered.next[kind]);
                let new = (*next..end).contains(&sequence);
                if new {
                    *next = sequence + 1;
                    let mark = &mut recovered.marks[kind];
                    if mark.is_none_or(|(before, _)| before < sequence) {
                        *mark = Some((sequence, keys.position(row)));
                    }
                }
                keep.push(new);
            }
            let batch = match keep.iter().all(|keep| *keep) {
                true => batch,
                false => filter_record_batch(&batch, &BooleanArray::from(keep))
                    .expect("the mask has one value a row"),
            };
            if batch.num_rows() > 0 {
                recovered.rows[table as usize] += batch.num_rows() as u64;
                merged.push(batch)?;
            }
        }
    }
    merged.append()?;
    let mut writer = merged.writer;
    if let Some(writer) = &mut writer {
        writer.sync()?;
        writer.rename(&path)?;
        sync_folder(&folder)?;
    }
    for segment in segments.iter().filter(|segment| writer.is_none() || segment.path != path) {
        fs::remove_file(&segment.path).map_err(LogError::io("remove", &segment.path))?;
    }
    sync_folder(&folder)?;
    recovered.writers[table as usize] = writer;
    Ok(())
}

/// A segment into which the rows of others are merged. Batches of one row would take ten times the space.
struct MergedSegment {
    temporary: PathBuf,
    writer: Option<StreamWriter>,
    gathered: Vec<RecordBatch>,
    /// Rows in `gathered`.
    rows: usize,
}

impl MergedSegment {
    fn push(&mut self, batch: RecordBatch) -> Result<(), LogError> {
        self.rows += batch.num_rows();
        self.gathered.push(batch);
        match self.rows >= BATCH_ROWS {
            true => self.append(),
            false => Ok(()),
        }
    }

    fn append(&mut self) -> Result<(), LogError> {
        self.rows = 0;
        let gathered = std::mem::take(&mut self.gathered);
        let Some(first) = gathered.first() else { return Ok(()) };
        let schema = first.schema();
        let batch = concat_batches(&schema, &gathered).map_err(LogError::arrow("read", &self.temporary))?;
        if self.writer.is_none() {
            self.writer = Some(StreamWriter::create(&self.temporary, &schema)?);
        }
        self.writer.as_mut().expect("created above").append(&batch)
    }
}

/// The position of the last record of a stream in the sealed groups, with its sequence number; `None` if
/// there is none.
///
/// # Errors
/// If they cannot be read.
pub fn last_mark(run: &Path, kind: StreamKind) -> Result<Option<(u64, RecordPosition)>, LogError> {
    let mut last: Option<(u64, RecordPosition)> = None;
    for table in [Table::from_stream(kind), Table::Excluded] {
        let columns = ["stream", "sequence", "line", "offset", "digest"].map(str::to_owned).to_vec();
        for segment in segments(run, table)?.into_iter().rev().filter(|segment| segment.sealed) {
            let path = segment.path.clone();
            let reading = ScanOptions::new(table, columns.clone());
            let mut found = None;
            for batch in reading.segment(segment) {
                let batch = batch?;
                let keys = RowPositions::from_batch(table, &batch, &path)?;
                let row = (0..batch.num_rows()).rev().find(|row| keys.row(*row).0 == kind);
                found = row.map(|row| (keys.row(row).1, keys.position(row))).or(found);
            }
            if let Some(found) = found {
                last = last.filter(|(before, _)| *before > found.0).or(Some(found));
                break;
            }
        }
    }
    Ok(last)
}

/// The streams, sequence numbers and source positions of a batch.
struct RowPositions {
    /// The stream of all rows, or a column with the stream of each row.
    kind: Result<StreamKind, StringArray>,
    sequences: UInt64Array,
    /// Lines, offsets and digests.
    positions: [UInt64Array; 3],
}

impl RowPositions {
    fn from_batch(table: Table, batch: &RecordBatch, path: &Path) -> Result<RowPositions, LogError> {
        let missing = |name: &str| LogError::Format {
            verb: "read",
            path: path.to_owned(),
            why: format!(
                "the column {name} is missing or has another type; the run was written by another version of understudy"
            ),
        };
        let numbers = |name: &str| {
            let column =
                batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt64Type>());
            column.cloned().ok_or_else(|| missing(name))
        };
        let kind = match table {
            Table::Snapshots => Ok(StreamKind::Snapshots),
            Table::Decisions => Ok(StreamKind::Decisions),
            Table::Excluded | Table::Pairs => {
                let streams = batch.column_by_name("stream").and_then(|column| column.as_string_opt::<i32>());
                Err(streams.cloned().ok_or_else(|| missing("stream"))?)
            }
        };
        let positions = [numbers("line")?, numbers("offset")?, numbers("digest")?];
        Ok(RowPositions { kind, sequences: numbers("sequence")?, positions })
    }

    fn row(&self, row: usize) -> (StreamKind, u64) {
        let kind = match &self.kind {
            Ok(kind) => *kind,
            Err(streams) if streams.value(row) == StreamKind::Snapshots.name() => StreamKind::Snapshots,
            Err(_) => StreamKind::Decisions,
        };
        (kind, self.sequences.value(row))
    }

    fn position(&self, row: usize) -> RecordPosition {
        let [line, offset, digest] = [0, 1, 2].map(|at| self.positions[at].value(row));
        RecordPosition { line, offset, digest }
    }
}

/// The sequence numbers of each stream, as ranges.
#[derive(Default)]
struct SequenceRanges(PerStream<Vec<(u64, u64)>>);

impl SequenceRanges {
    fn add(&mut self, keys: &RowPositions) {
        for row in 0..keys.sequences.len() {
            let (kind, sequence) = keys.row(row);
            match self.0[kind].last_mut() {
                Some((_, end)) if *end == sequence => *end += 1,
                _ => self.0[kind].push((sequence, sequence + 1)),
            }
        }
    }

    /// The first missing number at or after `start`.
    fn end(&mut self, kind: StreamKind, start: u64) -> u64 {
        let ranges = &mut self.0[kind];
        ranges.sort_unstable();
        ranges.iter().fold(start, |next, (first, end)| if *first <= next { next.max(*end) } else { next })
    }

    /// The number of sequence numbers at or after `end`.
    fn count_from(&self, kind: StreamKind, end: u64) -> u64 {
        let mut next = end;
        let mut count = 0;
        for (first, last) in &self.0[kind] {
            count += last.saturating_sub(next.max(*first));
            next = next.max(*last);
        }
        count
    }
}

#[cfg(test)]
mod tests;
