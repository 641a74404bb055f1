//! Reads the files and tables of a run directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt64Type;
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// All files and folders under a folder, with the content of files.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                open.push(path.clone());
                found.insert(path, Vec::new());
            } else {
                let content = fs::read(&path).expect("a file can be read");
                found.insert(path, content);
            }
        }
    }
    found
}

/// The files of a table with this extension, sorted. Empty if the table does not exist.
pub fn segments(run: &Path, table: &str, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(run.join(table)) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    paths.sort();
    paths
}

/// All rows of a table of an ended run; `None` if it has no rows.
pub fn sealed(run: &Path, table: &str) -> Option<RecordBatch> {
    assert_eq!(segments(run, table, "arrows"), [] as [PathBuf; 0], "an open segment is left of {table}");
    let mut batches = Vec::new();
    for path in segments(run, table, "parquet") {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).expect("the file is there"));
        let reader = reader.and_then(|builder| builder.build());
        let reader = reader.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        batches.extend(reader.map(|batch| batch.expect("a sealed segment is whole")));
    }
    let schema = batches.first()?.schema();
    Some(concat_batches(&schema, &batches).expect("the segments of a table have one schema"))
}

/// Number of rows that can be read from the open segments of a table: those of complete batches.
pub fn open_rows(run: &Path, table: &str) -> usize {
    let whole = |path: &PathBuf| {
        let reader = File::open(path).ok().and_then(|file| StreamReader::try_new(file, None).ok());
        reader.into_iter().flatten().map_while(Result::ok).map(|batch| batch.num_rows()).sum::<usize>()
    };
    segments(run, table, "arrows").iter().map(whole).sum()
}

/// A column by its name.
pub fn column(batch: &RecordBatch, name: &str) -> ArrayRef {
    batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).clone()
}

/// The values of a text column without missing values.
pub fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = column(batch, name);
    column.as_string::<i32>().iter().map(|text| text.expect("a text").to_owned()).collect()
}

/// A row of the table `excluded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcludedRow {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Line number, from 1.
    pub line: u64,
    /// `rejected`, `duplicate`, `conflict` or `late`.
    pub reason: String,
    /// Explanation for people.
    pub detail: String,
    /// The bytes of the record.
    pub raw: Vec<u8>,
}

/// The excluded records of an ended run, in the order of the table.
pub fn excluded_rows(run: &Path) -> Vec<ExcludedRow> {
    let Some(batch) = sealed(run, "excluded") else { return Vec::new() };
    let (streams, reasons, details) =
        (texts(&batch, "stream"), texts(&batch, "reason"), texts(&batch, "detail"));
    let (lines, raw) = (column(&batch, "line"), column(&batch, "raw"));
    let (lines, raw) = (lines.as_primitive::<UInt64Type>(), raw.as_binary::<i32>());
    (0..batch.num_rows())
        .map(|row| ExcludedRow {
            stream: streams[row].clone(),
            line: lines.value(row),
            reason: reasons[row].clone(),
            detail: details[row].clone(),
            raw: raw.value(row).to_vec(),
        })
        .collect()
}
