//! Writes the open segment of a table, and converts closed segments to Parquet.
//!
//! Invariants: an open segment is a stream of complete Arrow batches. A Parquet file is complete and synced
//! before it gets its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::durable_file::{make_folder, sync_folder};
use crate::error::LogError;
use crate::ipc_stream::{StreamWriter, scan};
use crate::regular_file::create_file;
use understudy_study::hexadecimal;

/// Appends to the segments of one table, one after the other.
pub(super) struct SegmentWriter {
    folder: PathBuf,
    schema: SchemaRef,
    open: Option<StreamWriter>,
    /// Whether rows were appended since the last sync.
    dirty: bool,
    /// Whether the folder must be synced for the name of the open file.
    unnamed: bool,
}

impl SegmentWriter {
    /// Continues `open`, or creates a segment at the first append.
    pub fn new(
        folder: PathBuf,
        schema: SchemaRef,
        open: Option<StreamWriter>,
    ) -> Result<SegmentWriter, LogError> {
        make_folder(&folder)?;
        Ok(SegmentWriter { folder, schema, open, dirty: false, unnamed: false })
    }

    /// Appends a batch to the open segment, which belongs to `group`.
    pub fn append(&mut self, group: u32, batch: &RecordBatch) -> Result<(), LogError> {
        if self.open.is_none() {
            let path = self.folder.join(format!("{group:06}.arrows"));
            self.open = Some(StreamWriter::create(&path, &self.schema)?);
            self.unnamed = true;
        }
        self.dirty = true;
        self.open.as_mut().expect("opened above").append(batch)
    }

    /// Syncs the appended rows to disk.
    pub fn sync(&mut self) -> Result<(), LogError> {
        if !std::mem::take(&mut self.dirty) {
            return Ok(());
        }
        if let Some(open) = &mut self.open {
            open.sync()?;
        }
        if std::mem::take(&mut self.unnamed) {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Ends the open segment and syncs it. The next append creates another.
    pub fn close(&mut self) -> Result<Option<PathBuf>, LogError> {
        let Some(open) = self.open.take() else { return Ok(None) };
        let path = open.path().to_owned();
        // Rows of this file may await an acknowledgement, and a later sync does not include it.
        open.finish()?;
        if std::mem::take(&mut self.unnamed) {
            sync_folder(&self.folder)?;
        }
        self.dirty = false;
        Ok(Some(path))
    }
}

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The number of rows.
    pub rows: u64,
    /// The first and the last sequence number; `None` for tables that hold both streams.
    pub sequences: Option<(u64, u64)>,
}

/// Writes a closed segment as a synced Parquet file beside it. The segment is kept.
pub(super) fn seal(segment: &Path) -> Result<Sealed, LogError> {
    let mut batches = scan(segment)?;
    let torn = |why: &str| LogError::damaged("read", segment)(why.to_owned());
    let schema = batches.schema().cloned().ok_or_else(|| torn("it has no complete message"))?;
    let mut parquet = ParquetFile::create(&segment.with_extension("parquet"), &schema)?;
    for batch in &mut batches {
        parquet.write(&batch?)?;
    }
    match batches.ended() {
        true => parquet.finish(),
        false => Err(torn(batches.damage().unwrap_or("its end marker is missing"))),
    }
}

/// A Parquet file under a temporary name. It gets its name when it is complete and on disk.
pub(super) struct ParquetFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: ArrowWriter<Hashing<File>>,
    rows: u64,
    sequences: Option<(u64, u64)>,
    /// The index of the sequence numbers' column, if they belong to one stream.
    sequence: Option<usize>,
}

impl ParquetFile {
    /// Creates a file that will be renamed to `path`.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<ParquetFile, LogError> {
        let temporary = path.with_extension("parquet.tmp");
        let file = create_file(&temporary).map_err(LogError::io("write", &temporary))?;
        let file = Hashing { inner: file, hash: Sha256::new(), bytes: 0 };
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(schema)))
            .map_err(LogError::parquet("write", &temporary))?;
        let one_stream = schema.index_of("stream").is_err();
        let sequence = schema.index_of("sequence").ok().filter(|_| one_stream);
        Ok(ParquetFile { path: path.to_owned(), temporary, writer, rows: 0, sequences: None, sequence })
    }

    /// Writes rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LogError> {
        self.rows += batch.num_rows() as u64;
        if let Some(column) = self.sequence {
            let column = batch.column(column).as_primitive::<UInt64Type>().values();
            if let (Some(&first), Some(&last)) = (column.first(), column.last()) {
                self.sequences = Some((self.sequences.map_or(first, |(first, _)| first), last));
            }
        }
        self.writer.write(batch).map_err(LogError::parquet("write", &self.temporary))
    }

    /// Completes the file, syncs it and renames it.
    pub fn finish(mut self) -> Result<Sealed, LogError> {
        let io = LogError::io("write", &self.temporary);
        // `into_inner` would finish the file, too, but loses the system's error code.
        self.writer.finish().map_err(LogError::parquet("write", &self.temporary))?;
        let file = self.writer.inner();
        file.inner.sync_data().map_err(&io)?;
        fs::rename(&self.temporary, &self.path).map_err(&io)?;
        sync_folder(self.path.parent().expect("a segment lies in its table's folder"))?;
        Ok(Sealed {
            sha256: hexadecimal(&file.hash.clone().finalize()),
            bytes: file.bytes,
            rows: self.rows,
            sequences: self.sequences,
        })
    }
}

/// A writer that hashes and counts the bytes.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Rows in a row group, which is held in memory as encoded pages before it is written.
const ROW_GROUP_ROWS: usize = 64 << 10;

/// Columns with few repeated values: a dictionary would be built and then discarded.
const UNIQUE: [&str; 10] = [
    "id",
    "raw",
    "sequence",
    "line",
    "offset",
    "digest",
    "snapshot",
    "decision",
    "observed_at",
    "decided_at",
];

fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has the level 1")))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for field in schema.fields().iter().filter(|field| UNIQUE.contains(&field.name().as_str())) {
        let column: ColumnPath = field.name().as_str().into();
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        // Mostly ascending numbers and times have small differences.
        let ascends =
            field.name() != "digest" && !matches!(field.data_type(), DataType::Utf8 | DataType::Binary);
        if ascends {
            properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    // No query selects by raw text or digest, and digests do not compress.
    properties
        .set_column_statistics_enabled("raw".into(), EnabledStatistics::None)
        .set_column_statistics_enabled("digest".into(), EnabledStatistics::None)
        .set_column_compression("digest".into(), Compression::UNCOMPRESSED)
        .build()
}
