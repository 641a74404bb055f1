//! Reads the rows of a table, from sealed and open segments alike.
//!
//! Invariants: rows come in the order in which they were appended. Memory holds a few thousand rows at a
//! time. An open segment is read up to its last complete batch; a sealed one is read completely or fails. A
//! filter on rows may skip whole row groups by their statistics, and never skips a row that it accepts.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::file::metadata::PageIndexPolicy;

use crate::error::LogError;
use crate::ipc_stream::{Scan, scan};
use crate::layout::Table;
use crate::reader::event_times::latest;
use crate::reader::row_selection::RowSelection;
use crate::reader::segment_list::{SegmentFile, segments};
use crate::regular_file::open_file;
use understudy_study::Micros;

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;

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

    /// Opens one row group of a segment; the whole segment if `index` is `None`.
    ///
    /// # Errors
    /// If the segment cannot be opened.
    pub(crate) fn row_group(
        self,
        segment: &SegmentFile,
        index: Option<usize>,
    ) -> Result<TableRows, LogError> {
        let rows = TableRows { options: self, segments: Vec::new().into_iter(), open: None };
        let open = Some((segment.path.clone(), rows.start(segment, index)?));
        Ok(TableRows { open, ..rows })
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
        let file = open_file(&segment.path).map_err(LogError::io("read", &segment.path))?;
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
