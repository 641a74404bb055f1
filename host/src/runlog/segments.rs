//! One table of the log: an open segment that is appended to, and sealed ones.
//!
//! Always holds: a segment is a stream of whole Arrow batches; it becomes Parquet under another name before it is
//! removed.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::LogError;

/// Appends to the open segment of one table.
pub(super) struct Segments {
    folder: PathBuf,
    schema: SchemaRef,
    open: Option<Open>,
    next: u32,
}

struct Open {
    path: PathBuf,
    writer: StreamWriter<BufWriter<File>>,
    rows: usize,
}

impl Segments {
    pub fn new(folder: PathBuf, schema: SchemaRef) -> Result<Segments, LogError> {
        fs::create_dir_all(&folder).map_err(LogError::io("make", &folder))?;
        Ok(Segments { folder, schema, open: None, next: 0 })
    }

    /// Appends a batch and says how many rows the open segment has now.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<usize, LogError> {
        if self.open.is_none() {
            let path = self.folder.join(format!("{:06}.arrows", self.next));
            self.next += 1;
            let file = File::create_new(&path).map_err(LogError::io("write", &path))?;
            let file = BufWriter::with_capacity(1 << 20, file);
            let writer =
                StreamWriter::try_new(file, &self.schema).map_err(LogError::arrow("write", &path))?;
            self.open = Some(Open { path, writer, rows: 0 });
        }
        let open = self.open.as_mut().expect("opened above");
        open.writer.write(batch).map_err(LogError::arrow("write", &open.path))?;
        open.rows += batch.num_rows();
        Ok(open.rows)
    }

    /// Hands what was appended to the system, so that a reader sees it.
    pub fn flush(&mut self) -> Result<(), LogError> {
        match &mut self.open {
            Some(open) => open.writer.get_mut().flush().map_err(LogError::io("write", &open.path)),
            None => Ok(()),
        }
    }

    /// Ends the open segment. The next append begins another. It is not synced: [`seal`] syncs what it becomes.
    pub fn close(&mut self) -> Result<Option<PathBuf>, LogError> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let error = LogError::io("write", &open.path);
        open.writer.finish().map_err(LogError::arrow("write", &open.path))?;
        let file = open.writer.into_inner().map_err(LogError::arrow("write", &open.path))?;
        file.into_inner().map_err(|e| error(e.into_error()))?;
        drop(error);
        Ok(Some(open.path))
    }
}

/// Turns a closed segment into Parquet and removes it.
pub(super) fn seal(segment: &Path) -> Result<(), LogError> {
    let file = File::open(segment).map_err(LogError::io("read", segment))?;
    let reader = StreamReader::try_new(BufReader::with_capacity(1 << 20, file), None)
        .map_err(LogError::arrow("read", segment))?;
    let sealed = segment.with_extension("parquet");
    let aside = segment.with_extension("parquet.tmp");
    let io = LogError::io("write", &aside);
    let failed = LogError::parquet("write", &aside);
    let file = File::create(&aside).map_err(&io)?;
    let mut writer =
        ArrowWriter::try_new(file, reader.schema(), Some(properties(&reader.schema()))).map_err(&failed)?;
    for batch in reader {
        writer.write(&batch.map_err(LogError::arrow("read", segment))?).map_err(&failed)?;
    }
    let file = writer.into_inner().map_err(&failed)?;
    file.sync_data().map_err(&io)?;
    fs::rename(&aside, &sealed).map_err(&io)?;
    fs::remove_file(segment).map_err(LogError::io("remove", segment))
}

/// Rows that a sealer holds in memory, as encoded pages, before it writes them.
const ROW_GROUP_ROWS: usize = 64 << 10;

/// Columns in which hardly a value comes twice: a dictionary would be filled, found useless and thrown away.
const UNIQUE: [&str; 8] =
    ["id", "raw", "sequence", "line", "snapshot", "decision", "observed_at", "decided_at"];

fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd")))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for field in schema.fields().iter().filter(|field| UNIQUE.contains(&field.name().as_str())) {
        let column: ColumnPath = field.name().as_str().into();
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        // Numbers and times that mostly ascend: their differences are small.
        if !matches!(field.data_type(), DataType::Utf8 | DataType::Binary) {
            properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    // Nobody looks for a record by how its text compares with others.
    properties.set_column_statistics_enabled("raw".into(), EnabledStatistics::None).build()
}
