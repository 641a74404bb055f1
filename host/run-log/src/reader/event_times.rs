//! The range of event times in sealed segments, from the statistics of their row groups.

use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};

use crate::error::LogError;
use crate::regular_file::open_file;
use understudy_study::Micros;

/// The latest event time of a column in a sealed segment, in microseconds; `None` if it is not known.
///
/// # Errors
/// If the segment cannot be read.
pub fn latest_time(path: &Path, column: &str) -> Result<Option<Micros>, LogError> {
    let file = open_file(path).map_err(LogError::io("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(LogError::parquet("read", path))?;
    let groups = builder.metadata().row_groups().iter().map(|group| latest(group, column));
    Ok(groups.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().max()))
}

/// The earliest event time of a column in a row group; `None` if it is not known.
pub(crate) fn earliest(group: &RowGroupMetaData, column: &str) -> Option<Micros> {
    time_bounds(group, column)?.min_opt().copied().map(Micros)
}

/// The latest event time of a column in a row group; `None` if it is not known.
pub(crate) fn latest(group: &RowGroupMetaData, column: &str) -> Option<Micros> {
    time_bounds(group, column)?.max_opt().copied().map(Micros)
}

fn time_bounds<'g>(group: &'g RowGroupMetaData, column: &str) -> Option<&'g ValueStatistics<i64>> {
    let column = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    match column.statistics()? {
        Statistics::Int64(statistics) => Some(statistics),
        _ => None,
    }
}
