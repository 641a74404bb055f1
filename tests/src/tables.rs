//! The files and the tables of a run directory, as tests read them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt64Type;
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Every file under a folder with its content; a folder has none.
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

/// The files of a table with this extension, in their order. None if the table is not there.
pub fn segments(run: &Path, table: &str, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(run.join(table)) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    paths.sort();
    paths
}

/// All the rows of a table whose run has ended. `None` if it has no row.
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

/// How many rows of a table can be read out of its open segments: those of the whole batches.
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

/// The texts of a column that has no gaps.
pub fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = column(batch, name);
    column.as_string::<i32>().iter().map(|text| text.expect("a text").to_owned()).collect()
}

/// A row of the table of refused records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Counted from 1.
    pub line: u64,
    /// `rejected`, `duplicate`, `conflict` or `late`.
    pub class: String,
    /// In words.
    pub reason: String,
    /// The record's own bytes.
    pub raw: Vec<u8>,
}

/// The refused records of a run that has ended, in the order of the table.
pub fn refused(run: &Path) -> Vec<Refusal> {
    let Some(batch) = sealed(run, "excluded") else { return Vec::new() };
    let (streams, classes, reasons) =
        (texts(&batch, "stream"), texts(&batch, "reason"), texts(&batch, "detail"));
    let (lines, raw) = (column(&batch, "line"), column(&batch, "raw"));
    let (lines, raw) = (lines.as_primitive::<UInt64Type>(), raw.as_binary::<i32>());
    (0..batch.num_rows())
        .map(|row| Refusal {
            stream: streams[row].clone(),
            line: lines.value(row),
            class: classes[row].clone(),
            reason: reasons[row].clone(),
            raw: raw.value(row).to_vec(),
        })
        .collect()
}
