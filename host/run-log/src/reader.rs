//! Reads the tables of a run, sealed and open segments alike.
//!
//! Invariants: rows come in the order in which they were appended. Memory holds a few thousand rows at a
//! time. An open segment is read up to its last complete batch; a sealed one is read completely or fails. A
//! filter on rows may skip whole row groups by their statistics, and never skips a row that it accepts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::UInt64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::statistics::{Statistics, ValueStatistics};

use crate::error::LogError;
use crate::ipc_stream::{Scan, scan};
use crate::layout::Table;
use understudy_study::Micros;

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;

/// A segment file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// The number of its group.
    pub group: u32,
    /// Its path.
    pub path: PathBuf,
    /// Whether it is sealed, as Parquet.
    pub sealed: bool,
}

/// Lists the segments of a table by group. If a group has an open and a sealed segment, the sealed one is
/// listed.
///
/// # Errors
/// If the folder cannot be read. A table without a folder has no segments.
pub fn segments(run: &Path, table: Table) -> Result<Vec<SegmentFile>, LogError> {
    let folder = run.join(table.folder());
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io("read", &folder)(error)),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(LogError::io("read", &folder))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        let sealed = match path.extension().and_then(|kind| kind.to_str()) {
            Some("parquet") => true,
            Some("arrows") => false,
            _ => continue,
        };
        if let Some(group) = stem
            && (sealed || !found.contains_key(&group))
        {
            found.insert(group, SegmentFile { group, path, sealed });
        }
    }
    Ok(found.into_values().collect())
}

/// Accepts rows by the value of one column.
#[derive(Clone, Debug)]
pub enum RowSelection {
    /// Rows whose text column has one of these values.
    Texts(&'static str, BTreeSet<String>),
    /// Rows whose column of unsigned numbers has one of these values.
    Numbers(&'static str, BTreeSet<u64>),
}

impl RowSelection {
    fn column(&self) -> &'static str {
        match self {
            RowSelection::Texts(column, _) | RowSelection::Numbers(column, _) => column,
        }
    }

    /// Whether each row of a batch is accepted. A batch without the column has no accepted row.
    fn mask(&self, batch: &RecordBatch) -> BooleanArray {
        let column = batch.column_by_name(self.column());
        let mask = match self {
            RowSelection::Texts(_, wanted) => {
                let texts = column.and_then(|column| column.as_string_opt::<i32>());
                // The usual selection has one value, and comparing with it is cheaper than a lookup.
                let only = if wanted.len() == 1 { wanted.first() } else { None };
                texts.map(|texts| match only {
                    Some(only) => texts.iter().map(|text| Some(text == Some(only))).collect(),
                    None => texts.iter().map(|text| text.map(|text| wanted.contains(text))).collect(),
                })
            }
            RowSelection::Numbers(_, wanted) => {
                let numbers = column.and_then(|column| column.as_primitive_opt::<UInt64Type>());
                numbers.map(|numbers| numbers.values().iter().map(|n| Some(wanted.contains(n))).collect())
            }
        };
        mask.unwrap_or_else(|| BooleanArray::from(vec![false; batch.num_rows()]))
    }

    /// Whether the statistics of a row group allow for an accepted row.
    fn may_match(&self, group: &RowGroupMetaData) -> bool {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == self.column());
        let Some(statistics) = chunk.and_then(|chunk| chunk.statistics()) else { return true };
        match (self, statistics) {
            (RowSelection::Texts(_, wanted), Statistics::ByteArray(bounds)) => {
                let Some((least, greatest)) = bounds.min_opt().zip(bounds.max_opt()) else { return true };
                let inside =
                    |text: &String| least.data() <= text.as_bytes() && text.as_bytes() <= greatest.data();
                wanted.iter().any(inside)
            }
            (RowSelection::Numbers(_, wanted), Statistics::Int64(bounds)) => {
                let Some((least, greatest)) = bounds.min_opt().zip(bounds.max_opt()) else { return true };
                wanted.range(*least as u64..).next().is_some_and(|first| *first <= *greatest as u64)
            }
            _ => true,
        }
    }
}

/// Options of a scan over a table.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// The table.
    pub table: Table,
    /// The columns to read; all if empty.
    pub columns: Vec<String>,
    /// The first group to read.
    pub from_group: u32,
    /// A column of event times and a time: row groups of sealed segments with only earlier times may be
    /// skipped.
    pub from: Option<(&'static str, Micros)>,
    /// The rows to read; all if `None`.
    pub rows: Option<RowSelection>,
}

impl ScanOptions {
    /// Reads these columns of all rows of a table; all columns if `columns` is empty.
    pub fn new(table: Table, columns: Vec<String>) -> ScanOptions {
        ScanOptions { table, columns, from_group: 0, from: None, rows: None }
    }

    /// Reads only the selected rows.
    pub fn select(self, rows: RowSelection) -> ScanOptions {
        ScanOptions { rows: Some(rows), ..self }
    }

    /// Opens the table.
    ///
    /// # Errors
    /// If the table's folder cannot be read.
    pub fn open(self, run: &Path) -> Result<TableRows, LogError> {
        let mut segments = segments(run, self.table)?;
        segments.retain(|segment| segment.group >= self.from_group);
        Ok(TableRows { options: self, segments: segments.into_iter(), open: None })
    }

    /// Opens one segment.
    pub fn segment(self, segment: SegmentFile) -> TableRows {
        TableRows { options: self, segments: vec![segment].into_iter(), open: None }
    }
}

/// Counts the rows of a table: sealed segments by their metadata, open ones by reading them.
///
/// # Errors
/// If a segment cannot be read.
pub fn count_rows(run: &Path, table: Table) -> Result<u64, LogError> {
    let mut rows = 0;
    for segment in segments(run, table)? {
        rows += match segment.sealed {
            true => {
                let path = &segment.path;
                let file = File::open(path).map_err(LogError::io("read", path))?;
                let builder = ParquetRecordBatchReaderBuilder::try_new(file)
                    .map_err(LogError::parquet("read", path))?;
                builder.metadata().file_metadata().num_rows() as u64
            }
            false => {
                let mut rows = 0;
                for batch in ScanOptions::new(table, Vec::new()).segment(segment) {
                    rows += batch?.num_rows() as u64;
                }
                rows
            }
        };
    }
    Ok(rows)
}

/// The row groups of the sealed segments of a table, each with the range of a column of event times, in
/// microseconds; `None` where the range is not known. An open segment counts as one row group.
///
/// # Errors
/// If a segment cannot be read.
pub fn row_groups(run: &Path, table: Table, column: &str) -> Result<Vec<RowGroup>, LogError> {
    let mut found = Vec::new();
    for segment in segments(run, table)? {
        if !segment.sealed {
            found.push(RowGroup { segment, index: None, times: None });
            continue;
        }
        let path = &segment.path;
        let file = File::open(path).map_err(LogError::io("read", path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(LogError::parquet("read", path))?;
        for (index, group) in builder.metadata().row_groups().iter().enumerate() {
            let times = earliest(group, column).zip(latest(group, column));
            found.push(RowGroup { segment: segment.clone(), index: Some(index), times });
        }
    }
    Ok(found)
}

/// A part of a segment that can be read by itself.
#[derive(Clone, Debug)]
pub struct RowGroup {
    segment: SegmentFile,
    /// The index in a sealed segment; `None` for an open segment.
    index: Option<usize>,
    /// The first and the last event time; `None` if they are not known.
    pub times: Option<(Micros, Micros)>,
}

impl RowGroup {
    /// Reads these columns of the row group.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, table: Table, columns: Vec<String>) -> Result<Vec<RecordBatch>, LogError> {
        let options = ScanOptions::new(table, columns);
        let rows = TableRows { options, segments: Vec::new().into_iter(), open: None };
        let path = self.segment.path.clone();
        let open = Some((path, rows.start(&self.segment, self.index)?));
        TableRows { open, ..rows }.collect()
    }
}

/// The rows of a table, in batches.
pub struct TableRows {
    options: ScanOptions,
    segments: std::vec::IntoIter<SegmentFile>,
    open: Option<(PathBuf, SegmentReader)>,
}

enum SegmentReader {
    Sealed(Box<ParquetRecordBatchReader>),
    Open(Box<Scan>),
}

impl TableRows {
    /// Opens a segment, or one of its row groups.
    fn start(&self, segment: &SegmentFile, row_group: Option<usize>) -> Result<SegmentReader, LogError> {
        let sealed = SegmentFile { path: segment.path.with_extension("parquet"), ..segment.clone() };
        let segment = match segment.sealed {
            true => segment,
            false => match scan(&segment.path) {
                Ok(scan) => return Ok(SegmentReader::Open(Box::new(scan))),
                // A running run has sealed the segment since it was listed.
                Err(LogError::Io { error, .. }) if error.kind() == ErrorKind::NotFound => &sealed,
                Err(error) => return Err(error),
            },
        };
        let failed = LogError::parquet("read", &segment.path);
        let file = File::open(&segment.path).map_err(LogError::io("read", &segment.path))?;
        let rows = self.options.rows.as_ref();
        // With the offsets of its pages, a selected row is read without the pages before it.
        let policy = if rows.is_some() { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
        let options = ArrowReaderOptions::new().with_offset_index_policy(policy);
        let builder =
            ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(&failed)?;
        let schema = builder.schema().clone();
        let mask = match self.options.columns.is_empty() {
            true => ProjectionMask::all(),
            false => {
                let roots = self.options.columns.iter().filter_map(|name| schema.index_of(name).ok());
                ProjectionMask::roots(builder.parquet_schema(), roots)
            }
        };
        let mut groups: Vec<usize> = match row_group {
            Some(index) => vec![index],
            None => (0..builder.metadata().num_row_groups()).collect(),
        };
        let group = |index: usize| builder.metadata().row_group(index);
        if let Some((column, from)) = self.options.from {
            groups.retain(|index| latest(group(*index), column).is_none_or(|time| time >= from));
        }
        if let Some(rows) = rows {
            groups.retain(|index| rows.may_match(group(*index)));
        }
        let filter = rows.and_then(|rows| {
            let root = schema.index_of(rows.column()).ok()?;
            let mask = ProjectionMask::roots(builder.parquet_schema(), [root]);
            let rows = rows.clone();
            let accepts = ArrowPredicateFn::new(mask, move |batch| Ok(rows.mask(&batch)));
            Some(RowFilter::new(vec![Box::new(accepts)]))
        });
        let mut builder = builder.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH_ROWS);
        if let Some(filter) = filter {
            builder = builder.with_row_filter(filter);
        }
        Ok(SegmentReader::Sealed(Box::new(builder.build().map_err(failed)?)))
    }

    /// The selected rows and columns of a batch of an open segment.
    fn narrow(&self, batch: RecordBatch, path: &Path) -> Result<RecordBatch, LogError> {
        let batch = match &self.options.rows {
            None => batch,
            Some(rows) => {
                filter_record_batch(&batch, &rows.mask(&batch)).map_err(LogError::arrow("read", path))?
            }
        };
        project(&batch, &self.options.columns)
    }
}

impl Iterator for TableRows {
    type Item = Result<RecordBatch, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = match &mut self.open {
                None => None,
                Some((path, SegmentReader::Sealed(reader))) => {
                    reader.next().map(|batch| batch.map_err(LogError::arrow("read", path)))
                }
                Some((_, SegmentReader::Open(scan))) => scan.next(),
            };
            match (next, &self.open) {
                (Some(Ok(batch)), Some((path, SegmentReader::Open(_)))) => {
                    let narrowed = self.narrow(batch, path);
                    if narrowed.as_ref().is_ok_and(|batch| batch.num_rows() == 0) {
                        continue;
                    }
                    return Some(narrowed);
                }
                (Some(next), _) => return Some(next),
                (None, _) => {}
            }
            let segment = self.segments.next()?;
            match self.start(&segment, None) {
                Ok(reader) => self.open = Some((segment.path, reader)),
                Err(error) => {
                    self.open = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The requested columns in the order of the batch, which is how Parquet returns them.
fn project(batch: &RecordBatch, columns: &[String]) -> Result<RecordBatch, LogError> {
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    let mut indices: Vec<usize> =
        columns.iter().filter_map(|name| batch.schema_ref().index_of(name).ok()).collect();
    indices.sort_unstable();
    Ok(batch.project(&indices).expect("the indices are those of the batch"))
}

/// The latest event time of a column in a sealed segment, in microseconds; `None` if it is not known.
///
/// # Errors
/// If the segment cannot be read.
pub fn latest_time(path: &Path, column: &str) -> Result<Option<Micros>, LogError> {
    let file = File::open(path).map_err(LogError::io("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(LogError::parquet("read", path))?;
    let groups = builder.metadata().row_groups().iter().map(|group| latest(group, column));
    Ok(groups.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().max()))
}

/// The earliest event time of a column in a row group; `None` if it is not known.
fn earliest(group: &RowGroupMetaData, column: &str) -> Option<Micros> {
    time_bounds(group, column)?.min_opt().copied().map(Micros)
}

/// The latest event time of a column in a row group; `None` if it is not known.
fn latest(group: &RowGroupMetaData, column: &str) -> Option<Micros> {
    time_bounds(group, column)?.max_opt().copied().map(Micros)
}

fn time_bounds<'g>(group: &'g RowGroupMetaData, column: &str) -> Option<&'g ValueStatistics<i64>> {
    let column = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    match column.statistics()? {
        Statistics::Int64(statistics) => Some(statistics),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray, UInt64Array};
    use arrow::compute::concat_batches;
    use tempfile::TempDir;

    use super::*;
    use crate::ipc_stream::StreamWriter;
    use crate::segment_writer::seal;

    /// Rows with these numbers; a text occurs on every tenth row.
    fn batch(numbers: std::ops::Range<u64>) -> RecordBatch {
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values(
            numbers.clone().map(|number| format!("id-{}", number % 10)),
        ));
        let times = numbers.clone().map(|number| 1000 * number as i64);
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times));
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(numbers));
        RecordBatch::try_from_iter([("sequence", numbers), ("id", ids), ("observed_at", times)])
            .expect("columns of one length")
    }

    /// A run with a sealed segment of more than one row group, and an open one.
    fn run() -> TempDir {
        let run = TempDir::new().expect("a folder");
        let folder = run.path().join("snapshots");
        fs::create_dir(&folder).expect("created");
        for (group, numbers) in [(0, 0..100_000), (1, 100_000..100_500)] {
            let path = folder.join(format!("{group:06}.arrows"));
            let mut writer = StreamWriter::create(&path, &batch(0..1).schema()).expect("created");
            writer.append(&batch(numbers)).expect("appended");
            writer.finish().expect("finished");
            if group == 0 {
                seal(&path).expect("sealed");
                fs::remove_file(&path).expect("removed");
            }
        }
        run
    }

    fn rows(run: &TempDir, options: ScanOptions) -> RecordBatch {
        let batches: Vec<RecordBatch> =
            options.open(run.path()).expect("opened").collect::<Result<_, _>>().expect("read");
        concat_batches(&batches[0].schema(), &batches).expect("one schema")
    }

    #[test]
    fn a_selection_returns_exactly_the_accepted_rows() {
        let run = run();
        let columns = || vec!["sequence".to_owned(), "id".to_owned()];
        let all = rows(&run, ScanOptions::new(Table::Snapshots, columns()));
        assert_eq!(all.num_rows(), 100_500);
        assert_eq!(count_rows(run.path(), Table::Snapshots).expect("read"), 100_500);
        for selection in [
            RowSelection::Texts("id", BTreeSet::from(["id-3".to_owned()])),
            RowSelection::Texts(
                "id",
                BTreeSet::from(["id-3".to_owned(), "id-9".to_owned(), "no".to_owned()]),
            ),
            RowSelection::Numbers("sequence", BTreeSet::from([0, 70_000, 100_499, 200_000])),
        ] {
            let expected = filter_record_batch(&all, &selection.mask(&all)).expect("a mask of that length");
            let found = rows(&run, ScanOptions::new(Table::Snapshots, columns()).select(selection));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn row_groups_have_their_times_and_can_be_read_alone() {
        let run = run();
        let groups = row_groups(run.path(), Table::Snapshots, "observed_at").expect("read");
        let last = 65_535_000;
        let times: Vec<_> = groups.iter().map(|group| group.times).collect();
        assert_eq!(
            times,
            [Some((Micros(0), Micros(last))), Some((Micros(last + 1000), Micros(99_999_000))), None]
        );
        let read =
            |group: &RowGroup| group.read(Table::Snapshots, vec!["sequence".to_owned()]).expect("read");
        let counts = groups.iter().map(|group| read(group).iter().map(RecordBatch::num_rows).sum::<usize>());
        assert_eq!(counts.collect::<Vec<_>>(), [65_536, 34_464, 500]);
    }
}
