//! The sorted file: compressed by its name, and in place only once it is complete.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{Builder, NamedTempFile};
use zstd::stream::write::Encoder as ZstdEncoder;

/// The largest permissions of the file; the process's umask removes some.
const MODE: u32 = 0o666;
/// The write buffer, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// A file that is written under a temporary name, which vanishes unless the file is finished.
pub(super) struct OutputFile {
    path: PathBuf,
    folder: PathBuf,
    writer: CompressedWriter,
}

enum CompressedWriter {
    Plain(BufWriter<NamedTempFile>),
    Gzip(Box<GzEncoder<BufWriter<NamedTempFile>>>),
    Zstd(ZstdEncoder<'static, BufWriter<NamedTempFile>>),
}

impl OutputFile {
    /// Opens a temporary file beside `path`. The extension of `path` decides on the compression.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(super) fn create(path: &Path) -> io::Result<OutputFile> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        if path.is_dir() {
            return Err(crate::decompression::is_a_directory());
        }
        let file = Builder::new()
            .prefix(".understudy-sort-")
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(&folder)?;
        let buffered = BufWriter::with_capacity(BUFFER_BYTES, file);
        let writer = match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => CompressedWriter::Gzip(Box::new(GzEncoder::new(buffered, Compression::default()))),
            Some("zst" | "zstd") => {
                CompressedWriter::Zstd(ZstdEncoder::new(buffered, zstd::DEFAULT_COMPRESSION_LEVEL)?)
            }
            _ => CompressedWriter::Plain(buffered),
        };
        Ok(OutputFile { path: path.to_owned(), folder, writer })
    }

    /// The directory of the output, in which the sorted runs are spilled.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Completes the file on disk and gives it its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self) -> io::Result<()> {
        let buffered = match self.writer {
            CompressedWriter::Plain(writer) => writer,
            CompressedWriter::Gzip(encoder) => encoder.finish()?,
            CompressedWriter::Zstd(encoder) => encoder.finish()?,
        };
        let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            CompressedWriter::Plain(writer) => writer.write(bytes),
            CompressedWriter::Gzip(encoder) => encoder.write(bytes),
            CompressedWriter::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            CompressedWriter::Plain(writer) => writer.flush(),
            CompressedWriter::Gzip(encoder) => encoder.flush(),
            CompressedWriter::Zstd(encoder) => encoder.flush(),
        }
    }
}
