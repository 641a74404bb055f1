//! One table's open segment, and what becomes of it when it is closed.
//!
//! Always holds: a segment is a stream of whole Arrow batches; it becomes Parquet under another name, synced, before
//! anything is said of it.

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

use super::stream::{StreamWriter, make_folder, scan, sync_folder};
use super::{LogError, hexadecimal};

/// The segments of one table that are appended to, one after the other.
pub(super) struct Segments {
    folder: PathBuf,
    schema: SchemaRef,
    open: Option<StreamWriter>,
    /// Whether something was appended since it was last synced.
    dirty: bool,
    /// Whether the open file's name may not be on disk yet.
    unnamed: bool,
}

impl Segments {
    /// Goes on with an open segment, or begins with the first that is needed.
    pub fn new(folder: PathBuf, schema: SchemaRef, open: Option<StreamWriter>) -> Result<Segments, LogError> {
        make_folder(&folder)?;
        Ok(Segments { folder, schema, open, dirty: false, unnamed: false })
    }

    /// Appends a batch to the segment of this group.
    pub fn append(&mut self, group: u32, batch: &RecordBatch) -> Result<(), LogError> {
        if self.open.is_none() {
            let path = self.folder.join(format!("{group:06}.arrows"));
            self.open = Some(StreamWriter::create(&path, &self.schema)?);
            self.unnamed = true;
        }
        self.dirty = true;
        self.open.as_mut().expect("opened above").append(batch)
    }

    /// Puts what was appended on disk.
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

    /// Ends the open segment and puts it on disk. The next append begins another.
    pub fn close(&mut self) -> Result<Option<PathBuf>, LogError> {
        let Some(open) = self.open.take() else { return Ok(None) };
        let path = open.path().to_owned();
        // Some of its rows may be waited for, and a later sync does not come to this file any more.
        open.finish()?;
        if std::mem::take(&mut self.unnamed) {
            sync_folder(&self.folder)?;
        }
        self.dirty = false;
        Ok(Some(path))
    }
}

/// A segment as Parquet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The first and the last sequence number, of a table of one stream.
    pub sequences: Option<(u64, u64)>,
}

/// Writes a closed segment as Parquet beside it, synced. The segment stays.
pub(super) fn seal(segment: &Path) -> Result<Sealed, LogError> {
    let mut batches = scan(segment)?;
    let torn = |why: &str| LogError::damaged("read", segment)(why.to_owned());
    let schema = batches.schema().cloned().ok_or_else(|| torn("it has no whole message"))?;
    let mut parquet = ParquetFile::create(&segment.with_extension("parquet"), &schema)?;
    for batch in &mut batches {
        parquet.write(&batch?)?;
    }
    match batches.ended() {
        true => parquet.finish(),
        false => Err(torn(batches.damage().unwrap_or("it does not end as a closed segment does"))),
    }
}

/// A Parquet file being written aside: it gets its name when it is whole and on disk.
pub(super) struct ParquetFile {
    path: PathBuf,
    aside: PathBuf,
    writer: ArrowWriter<Hashing<File>>,
    rows: u64,
    sequences: Option<(u64, u64)>,
    /// The column of the sequence numbers, where they are those of one stream.
    sequence: Option<usize>,
}

impl ParquetFile {
    /// Begins a file that will be `path`.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<ParquetFile, LogError> {
        let aside = path.with_extension("parquet.tmp");
        let file = File::create(&aside).map_err(LogError::io("write", &aside))?;
        let file = Hashing { inner: file, hash: Sha256::new(), bytes: 0 };
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(schema)))
            .map_err(LogError::parquet("write", &aside))?;
        let one_stream = schema.index_of("stream").is_err();
        let sequence = schema.index_of("sequence").ok().filter(|_| one_stream);
        Ok(ParquetFile { path: path.to_owned(), aside, writer, rows: 0, sequences: None, sequence })
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
        self.writer.write(batch).map_err(LogError::parquet("write", &self.aside))
    }

    /// Ends the file, puts it on disk and gives it its name.
    pub fn finish(mut self) -> Result<Sealed, LogError> {
        let io = LogError::io("write", &self.aside);
        // Taking the file out of the writer would do this too, but tells what the system said in words only.
        self.writer.finish().map_err(LogError::parquet("write", &self.aside))?;
        let file = self.writer.inner();
        file.inner.sync_data().map_err(&io)?;
        fs::rename(&self.aside, &self.path).map_err(&io)?;
        sync_folder(self.path.parent().expect("a segment lies in its table's folder"))?;
        Ok(Sealed {
            sha256: hexadecimal(&file.hash.clone().finalize()),
            bytes: file.bytes,
            rows: self.rows,
            sequences: self.sequences,
        })
    }
}

/// Hashes what passes through.
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

/// Rows that a sealer holds in memory, as encoded pages, before it writes them.
const ROW_GROUP_ROWS: usize = 64 << 10;

/// Columns in which hardly a value comes twice: a dictionary would be filled, found useless and thrown away.
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
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd")))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for field in schema.fields().iter().filter(|field| UNIQUE.contains(&field.name().as_str())) {
        let column: ColumnPath = field.name().as_str().into();
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        // Numbers and times that mostly ascend: their differences are small.
        let ascends =
            field.name() != "digest" && !matches!(field.data_type(), DataType::Utf8 | DataType::Binary);
        if ascends {
            properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    // Nobody looks for a record by how its text or its digest compares with others; and digests do not compress.
    properties
        .set_column_statistics_enabled("raw".into(), EnabledStatistics::None)
        .set_column_statistics_enabled("digest".into(), EnabledStatistics::None)
        .set_column_compression("digest".into(), Compression::UNCOMPRESSED)
        .build()
}
