//! What a log holds after its writer is gone, however it went.
//!
//! The groups in the ledger are whole. What is behind them may be torn anywhere, and each table at another place; of each
//! stream it holds what comes before the first sequence number that is missing. That is put together into one open
//! group, and the sources are asked again for the rest. Pairs are derived from it again.
//!
//! Always holds: a record that was acknowledged is still there, and none is there twice; recovering again, or after a
//! recovery that was itself cut off, gives the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::UInt64Type;

use super::ledger::{Entry, Event, LEDGER};
use super::reader::{ScanOptions, segments};
use super::stream::{StreamWriter, make_folder, scan, sync_folder};
use super::{LogError, Table};
use understudy_records::batch::RecordPosition;
use understudy_study::{PerStream, StreamKind};

/// What a log holds.
pub struct Recovered {
    /// The open group.
    pub group: u32,
    /// How many records of each stream the log holds: the sequence number of the next.
    pub next: PerStream<u64>,
    /// Rows of each table in the open group.
    pub rows: [u64; 4],
    /// The open segment of each table that has one, to be appended to.
    pub writers: [Option<StreamWriter>; 4],
    /// How many rows of each stream were dropped, because one before them was missing.
    pub cut: PerStream<u64>,
    /// The last record of each stream in the open group, with its sequence number.
    pub marks: PerStream<Option<(u64, RecordPosition)>>,
    /// Segments that do not end as they should, and how.
    pub torn: Vec<(PathBuf, String)>,
}

/// Rows that are gathered into one batch.
const BATCH_ROWS: usize = 1024;
const RECORDS: [Table; 3] = [Table::Snapshots, Table::Decisions, Table::Excluded];

/// Whether all that the ledger says was sealed is there, by its size: reading it all would take as long as the log is.
///
/// # Errors
/// When a segment is gone or has another size.
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
                format!("has {} bytes, and {sealed} were sealed: it was cut or changed", found.len())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => "is gone".to_owned(),
            Err(error) => return Err(LogError::io("read", &path)(error)),
        };
        return Err(LogError::Directory(format!(
            "{} {what}; put a copy of it back to go on, or choose another directory with --run",
            path.display()
        )));
    }
    Ok(())
}

/// Recovers a run whose ledger has so many sealed groups, which hold so many records of each stream.
///
/// # Errors
/// When the system refuses, or a segment does not hold what it should.
pub fn recover(run: &Path, groups: u32, sealed: PerStream<u64>) -> Result<Recovered, LogError> {
    for table in RECORDS {
        named(run, table, groups)?;
    }
    for table in Table::ALL {
        clear(run, table, groups)?;
    }
    let mut found = Found::default();
    let mut torn = Vec::new();
    for table in RECORDS {
        for segment in segments(run, table)?.into_iter().filter(|segment| !segment.sealed) {
            let mut scan = scan(&segment.path)?;
            for batch in &mut scan {
                found.note(&Keys::of(table, &batch?, &segment.path)?);
            }
            torn.extend(scan.damage().map(|what| (segment.path.clone(), what.to_owned())));
        }
    }
    let next = PerStream::from_fn(|side| found.end(side, sealed[side]));
    let mut recovered = Recovered {
        group: groups,
        next,
        rows: [0; 4],
        writers: [const { None }; 4],
        cut: PerStream::from_fn(|side| found.behind(side, next[side])),
        marks: PerStream::default(),
        torn,
    };
    for table in RECORDS {
        merge(run, table, groups, sealed, &mut recovered)?;
    }
    Ok(recovered)
}

/// Whether each sealed segment of a table is in the ledger, or still has the open one that it was made of.
fn named(run: &Path, table: Table, groups: u32) -> Result<(), LogError> {
    for segment in segments(run, table)? {
        let path = &segment.path;
        if segment.sealed && segment.group >= groups && !path.with_extension("arrows").exists() {
            return Err(LogError::Directory(format!(
                "{} was sealed, and the ledger does not say so: the end of {} was cut off; put a copy of it back to go \
                 on, or choose another directory with --run",
                path.display(),
                run.join(LEDGER).display()
            )));
        }
    }
    Ok(())
}

/// Removes what is left over in a table: what was written aside, the open segments of groups that are sealed, the sealed
/// ones of groups that are not in the ledger, and pairs that are derived again.
fn clear(run: &Path, table: Table, groups: u32) -> Result<(), LogError> {
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

/// Writes the rows that stay of a table's open segments into one, and removes the others.
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
    let mut merged =
        Merged { aside: path.with_extension("arrows.tmp"), writer: None, gathered: Vec::new(), rows: 0 };
    // A merge that was cut off may have left rows in two files.
    let mut next = sealed;
    for segment in &segments {
        for batch in scan(&segment.path)? {
            let batch = batch?;
            let keys = Keys::of(table, &batch, &segment.path)?;
            let mut stays = Vec::with_capacity(batch.num_rows());
            for row in 0..batch.num_rows() {
                let (side, sequence) = keys.row(row);
                let (next, end) = (&mut next[side], recovered.next[side]);
                let new = (*next..end).contains(&sequence);
                if new {
                    *next = sequence + 1;
                    let mark = &mut recovered.marks[side];
                    if mark.is_none_or(|(before, _)| before < sequence) {
                        *mark = Some((sequence, keys.mark(row)));
                    }
                }
                stays.push(new);
            }
            let batch = match stays.iter().all(|stays| *stays) {
                true => batch,
                false => filter_record_batch(&batch, &BooleanArray::from(stays))
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

/// A segment that the rows of others are gathered into. Rows that came one by one take ten times as much as together.
struct Merged {
    aside: PathBuf,
    writer: Option<StreamWriter>,
    gathered: Vec<RecordBatch>,
    /// Rows gathered.
    rows: usize,
}

impl Merged {
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
        let batch = concat_batches(&schema, &gathered).map_err(LogError::arrow("read", &self.aside))?;
        if self.writer.is_none() {
            self.writer = Some(StreamWriter::create(&self.aside, &schema)?);
        }
        self.writer.as_mut().expect("created above").append(&batch)
    }
}

/// The last record of a stream that the sealed groups hold, with its sequence number; `None` if they hold none.
///
/// # Errors
/// When they cannot be read.
pub fn last_mark(run: &Path, side: StreamKind) -> Result<Option<(u64, RecordPosition)>, LogError> {
    let mut last: Option<(u64, RecordPosition)> = None;
    for table in [Table::from_stream(side), Table::Excluded] {
        let columns = ["stream", "sequence", "line", "offset", "digest"].map(str::to_owned).to_vec();
        for segment in segments(run, table)?.into_iter().rev().filter(|segment| segment.sealed) {
            let path = segment.path.clone();
            let reading = ScanOptions::new(table, columns.clone());
            let mut found = None;
            for batch in reading.segment(segment) {
                let batch = batch?;
                let keys = Keys::of(table, &batch, &path)?;
                let row = (0..batch.num_rows()).rev().find(|row| keys.row(*row).0 == side);
                found = row.map(|row| (keys.row(row).1, keys.mark(row))).or(found);
            }
            if let Some(found) = found {
                last = last.filter(|(before, _)| *before > found.0).or(Some(found));
                break;
            }
        }
    }
    Ok(last)
}

/// What tells the rows of a table apart.
struct Keys {
    /// The stream of all rows, or of each.
    side: Result<StreamKind, StringArray>,
    sequences: UInt64Array,
    /// Lines, offsets, digests.
    marks: [UInt64Array; 3],
}

impl Keys {
    fn of(table: Table, batch: &RecordBatch, path: &Path) -> Result<Keys, LogError> {
        let missing = |name: &str| LogError::Format {
            verb: "read",
            path: path.to_owned(),
            why: format!("it has no column {name} of the right type; the run was written by another version"),
        };
        let numbers = |name: &str| {
            let column =
                batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt64Type>());
            column.cloned().ok_or_else(|| missing(name))
        };
        let side = match table {
            Table::Snapshots => Ok(StreamKind::Snapshots),
            Table::Decisions => Ok(StreamKind::Decisions),
            Table::Excluded | Table::Pairs => {
                let streams = batch.column_by_name("stream").and_then(|column| column.as_string_opt::<i32>());
                Err(streams.cloned().ok_or_else(|| missing("stream"))?)
            }
        };
        let marks = [numbers("line")?, numbers("offset")?, numbers("digest")?];
        Ok(Keys { side, sequences: numbers("sequence")?, marks })
    }

    fn row(&self, row: usize) -> (StreamKind, u64) {
        let side = match &self.side {
            Ok(side) => *side,
            Err(streams) if streams.value(row) == StreamKind::Snapshots.name() => StreamKind::Snapshots,
            Err(_) => StreamKind::Decisions,
        };
        (side, self.sequences.value(row))
    }

    fn mark(&self, row: usize) -> RecordPosition {
        let [line, offset, digest] = [0, 1, 2].map(|at| self.marks[at].value(row));
        RecordPosition { line, offset, digest }
    }
}

/// The sequence numbers of each stream, as ranges.
#[derive(Default)]
struct Found(PerStream<Vec<(u64, u64)>>);

impl Found {
    fn note(&mut self, keys: &Keys) {
        for row in 0..keys.sequences.len() {
            let (side, sequence) = keys.row(row);
            match self.0[side].last_mut() {
                Some((_, end)) if *end == sequence => *end += 1,
                _ => self.0[side].push((sequence, sequence + 1)),
            }
        }
    }

    /// The first number from `start` on that is missing.
    fn end(&mut self, side: StreamKind, start: u64) -> u64 {
        let ranges = &mut self.0[side];
        ranges.sort_unstable();
        ranges.iter().fold(start, |next, (first, end)| if *first <= next { next.max(*end) } else { next })
    }

    /// How many numbers there are from `end` on.
    fn behind(&self, side: StreamKind, end: u64) -> u64 {
        let mut next = end;
        let mut behind = 0;
        for (first, last) in &self.0[side] {
            behind += last.saturating_sub(next.max(*first));
            next = next.max(*last);
        }
        behind
    }
}

#[cfg(test)]
mod tests;
