//! Reading the tables of a run, sealed and open segments alike.
//!
//! Always holds: rows come in the order in which they were appended; memory holds a few thousand rows; an open segment is
//! read up to its last whole batch, a sealed one whole or not without an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::stream::{Scan, scan};
use super::{LogError, Table};
use understudy_study::Micros;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8192;

/// A segment of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its group.
    pub group: u32,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is Parquet.
    pub sealed: bool,
}

/// The segments of a table, by group. Where a group has both kinds, the sealed one.
///
/// # Errors
/// When the folder cannot be read. One that is not there has no segments.
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

/// What is to be read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Of which table.
    pub table: Table,
    /// Which columns; all if empty.
    pub columns: Vec<String>,
    /// From which group on.
    pub from_group: u32,
    /// A column of times, and a time: runs of sealed rows that are all before it may be left out.
    pub from: Option<(&'static str, Micros)>,
}

impl Reading {
    /// Begins to read.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open(self, run: &Path) -> Result<Rows, LogError> {
        let mut segments = segments(run, self.table)?;
        segments.retain(|segment| segment.group >= self.from_group);
        Ok(Rows { reading: self, segments: segments.into_iter(), open: None })
    }

    /// Begins to read one segment.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn segment(self, segment: SegmentFile) -> Rows {
        Rows { reading: self, segments: vec![segment].into_iter(), open: None }
    }
}

/// The rows of a table.
pub struct Rows {
    reading: Reading,
    segments: std::vec::IntoIter<SegmentFile>,
    open: Option<(PathBuf, Kind)>,
}

enum Kind {
    Sealed(Box<ParquetRecordBatchReader>),
    Open(Box<Scan>),
}

impl Rows {
    fn start(&self, segment: &SegmentFile) -> Result<Kind, LogError> {
        let sealed = SegmentFile { path: segment.path.with_extension("parquet"), ..segment.clone() };
        let segment = match segment.sealed {
            true => segment,
            false => match scan(&segment.path) {
                Ok(scan) => return Ok(Kind::Open(Box::new(scan))),
                // A run that goes on has sealed it since it was listed.
                Err(LogError::Io { error, .. }) if error.kind() == ErrorKind::NotFound => &sealed,
                Err(error) => return Err(error),
            },
        };
        let failed = LogError::parquet("read", &segment.path);
        let file = File::open(&segment.path).map_err(LogError::io("read", &segment.path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(&failed)?;
        let schema = builder.schema().clone();
        let mask = match self.reading.columns.is_empty() {
            true => ProjectionMask::all(),
            false => {
                let place = |name: &String| schema.index_of(name).ok();
                let places = self.reading.columns.iter().filter_map(place);
                ProjectionMask::roots(builder.parquet_schema(), places)
            }
        };
        let groups: Vec<usize> = match self.reading.from {
            None => (0..builder.metadata().num_row_groups()).collect(),
            Some((column, from)) => {
                let matters = |group: &RowGroupMetaData| latest(group, column).is_none_or(|at| at >= from);
                let groups = builder.metadata().row_groups().iter().enumerate();
                groups.filter(|(_, group)| matters(group)).map(|(at, _)| at).collect()
            }
        };
        let reader = builder.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH_ROWS);
        Ok(Kind::Sealed(Box::new(reader.build().map_err(failed)?)))
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = match &mut self.open {
                None => None,
                Some((path, Kind::Sealed(reader))) => {
                    reader.next().map(|batch| batch.map_err(LogError::arrow("read", path)))
                }
                Some((_, Kind::Open(scan))) => {
                    scan.next().map(|batch| project(&batch?, &self.reading.columns))
                }
            };
            if next.is_some() {
                return next;
            }
            let segment = self.segments.next()?;
            match self.start(&segment) {
                Ok(kind) => self.open = Some((segment.path, kind)),
                Err(error) => {
                    self.open = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The columns that are asked for, in the order in which they stand, as Parquet gives them.
fn project(batch: &RecordBatch, columns: &[String]) -> Result<RecordBatch, LogError> {
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    let mut places: Vec<usize> =
        columns.iter().filter_map(|name| batch.schema_ref().index_of(name).ok()).collect();
    places.sort_unstable();
    Ok(batch.project(&places).expect("the places were found in the batch"))
}

/// The latest time of a column in a sealed segment, microseconds; `None` if that is not known.
///
/// # Errors
/// When it cannot be read.
pub fn latest_time(path: &Path, column: &str) -> Result<Option<Micros>, LogError> {
    let file = File::open(path).map_err(LogError::io("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(LogError::parquet("read", path))?;
    let groups = builder.metadata().row_groups().iter().map(|group| latest(group, column));
    Ok(groups.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().max()))
}

/// The latest time of a column in a run of rows; `None` if that is not known.
fn latest(group: &RowGroupMetaData, column: &str) -> Option<Micros> {
    let column = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    match column.statistics()? {
        Statistics::Int64(statistics) => statistics.max_opt().copied(),
        _ => None,
    }
}
