//! The row groups of a table: their number of rows, their event times, and their rows one group at a time.

use std::path::Path;

use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::LogError;
use crate::layout::Table;
use crate::reader::event_times::{earliest, latest};
use crate::reader::segment_list::{SegmentFile, segments};
use crate::reader::table_rows::ScanOptions;
use crate::regular_file::open_file;
use understudy_study::Micros;

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
                let file = open_file(path).map_err(LogError::io("read", path))?;
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
        let file = open_file(path).map_err(LogError::io("read", path))?;
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
        ScanOptions::new(table, columns).row_group(&self.segment, self.index)?.collect()
    }
}
