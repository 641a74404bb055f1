//! An open segment: an Arrow IPC stream whose messages carry checksums.
//!
//! Arrow ends the metadata of a message with padding that readers skip. The last eight bytes of this padding
//! hold the xxh3-64 of the metadata before them and of the body behind them, little-endian. Any Arrow reader
//! can read the stream, and this reader detects incomplete and damaged messages.
//!
//! Invariants: a batch is appended completely or not at all, except after a crash. A scan returns what was
//! appended, up to the first incomplete or damaged message.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::{IpcWriteOptions, StreamEncoder};
use arrow::ipc::{MetadataVersion, root_as_message};
use xxhash_rust::xxh3::Xxh3;

use crate::error::LogError;
use crate::regular_file::open_file;

/// Bytes of a message's prefix: the continuation marker and the length of the metadata.
const PREFIX: usize = 8;
const MARKER: [u8; 4] = [0xff; 4];
const CHECKSUM: usize = 8;
/// The damage that a killed writer leaves.
const TORN: &str = "the last message is incomplete";
/// A stream ends with a message whose metadata has no length.
const END: [u8; PREFIX] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Appends batches to a segment.
pub struct StreamWriter {
    path: PathBuf,
    file: File,
    encoder: StreamEncoder,
    /// Bytes of complete messages in the file.
    position: u64,
}

impl StreamWriter {
    /// Creates a file, which must not exist.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<StreamWriter, LogError> {
        let file = File::create_new(path).map_err(LogError::io("write", path))?;
        let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5);
        let encoder = options.and_then(|options| StreamEncoder::try_new_with_options(schema, options));
        let encoder = encoder.map_err(LogError::arrow("write", path))?;
        Ok(StreamWriter { path: path.to_owned(), file, encoder, position: 0 })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file; later appends go to the renamed file.
    ///
    /// # Errors
    /// If the file cannot be renamed.
    pub fn rename(&mut self, path: &Path) -> Result<(), LogError> {
        std::fs::rename(&self.path, path).map_err(LogError::io("write", path))?;
        self.path = path.to_owned();
        Ok(())
    }

    /// Appends a batch. It is not on disk before [`StreamWriter::sync`].
    ///
    /// # Errors
    /// If the batch cannot be written; a partial batch is removed if possible.
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), LogError> {
        let pieces = self.encoder.encode(batch).map_err(LogError::arrow("write", &self.path))?;
        let framed = framed(&pieces).map_err(LogError::damaged("write", &self.path))?;
        self.write(&framed)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.position += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // If this fails, recovery removes the partial batch.
                let _ = self.file.set_len(self.position);
                Err(LogError::io("write", &self.path)(error))
            }
        }
    }

    /// Syncs the appended batches to disk.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(LogError::io("sync", &self.path))
    }

    /// Writes the end marker and syncs the file.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn finish(mut self) -> Result<(), LogError> {
        self.write(&END)?;
        self.sync()
    }
}

/// The encoded messages as one buffer, with their checksums.
fn framed(pieces: &[Buffer]) -> Result<Vec<u8>, String> {
    // Space in front for the checksums of all possible messages, so that the long body, which belongs to the
    // last message, is copied once.
    let room = pieces.len() * CHECKSUM;
    let mut bytes = Vec::with_capacity(room + pieces.iter().map(Buffer::len).sum::<usize>());
    bytes.resize(room, 0);
    pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    let mut messages = Vec::new();
    let mut at = room;
    while at < bytes.len() {
        let message = MessageLengths::from_bytes(&bytes[at..])?;
        messages.push((at, message));
        at += message.len();
    }
    let first = room - messages.len() * CHECKSUM;
    let mut to = first;
    for (at, MessageLengths { metadata, body }) in messages {
        bytes.copy_within(at..at + PREFIX + metadata, to);
        let length = (metadata + CHECKSUM) as u32;
        bytes[to + 4..to + PREFIX].copy_from_slice(&length.to_le_bytes());
        let metadata_end = to + PREFIX + metadata;
        let checksum = checksum(&bytes[to + PREFIX..metadata_end], &bytes[at + PREFIX + metadata..][..body]);
        bytes.copy_within(at + PREFIX + metadata..at + PREFIX + metadata + body, metadata_end + CHECKSUM);
        bytes[metadata_end..metadata_end + CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        to = metadata_end + CHECKSUM + body;
    }
    bytes.drain(..first);
    Ok(bytes)
}

/// The lengths of a message's metadata and body, in bytes.
#[derive(Clone, Copy)]
struct MessageLengths {
    metadata: usize,
    body: usize,
}

impl MessageLengths {
    /// The lengths of the message at the start of `bytes`.
    fn from_bytes(bytes: &[u8]) -> Result<MessageLengths, String> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX>().ok_or(TORN)?;
        let metadata = metadata_length(prefix)?;
        let metadata = rest.get(..metadata).ok_or(TORN)?;
        Ok(MessageLengths { metadata: metadata.len(), body: body_length(metadata)? })
    }

    fn len(self) -> usize {
        PREFIX + self.metadata + self.body
    }
}

fn metadata_length(prefix: &[u8; PREFIX]) -> Result<usize, String> {
    let [marker @ .., a, b, c, d] = *prefix;
    match marker == MARKER {
        true => Ok(u32::from_le_bytes([a, b, c, d]) as usize),
        false => Err("a message has no continuation marker".to_owned()),
    }
}

fn body_length(metadata: &[u8]) -> Result<usize, String> {
    let message =
        root_as_message(metadata).map_err(|_| "the metadata of a message cannot be read".to_owned())?;
    usize::try_from(message.bodyLength()).map_err(|_| "a message has a negative body length".to_owned())
}

fn checksum(metadata: &[u8], body: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(metadata);
    hash.update(body);
    hash.digest()
}

/// The batches of a segment, up to the first incomplete or damaged message.
pub struct Scan {
    path: PathBuf,
    file: BufReader<File>,
    /// Unread bytes of the file.
    left: u64,
    decoder: StreamDecoder,
    schema: Option<SchemaRef>,
    ended: bool,
    damage: Option<String>,
}

/// Opens a segment for a scan.
///
/// # Errors
/// If the file cannot be read.
pub fn scan(path: &Path) -> Result<Scan, LogError> {
    let file = open_file(path).map_err(LogError::io("read", path))?;
    let left = file.metadata().map_err(LogError::io("read", path))?.len();
    let mut scan = Scan {
        path: path.to_owned(),
        file: BufReader::with_capacity(1 << 18, file),
        left,
        decoder: StreamDecoder::new(),
        schema: None,
        ended: false,
        damage: None,
    };
    if let Some(mut message) = scan.message()? {
        match schema_of(&message) {
            Some(schema) => {
                scan.schema = Some(Arc::new(schema));
                scan.decode(&mut message);
            }
            None => scan.damage = Some("the schema is missing".to_owned()),
        }
    }
    Ok(scan)
}

/// The number of rows in complete batches of an open segment, and the damage behind them. An incomplete last
/// message is no damage.
///
/// # Errors
/// If the file cannot be read.
pub fn open_segment(path: &Path) -> Result<(u64, Option<String>), LogError> {
    let mut scan = scan(path)?;
    let mut rows = 0;
    for batch in &mut scan {
        rows += batch?.num_rows() as u64;
    }
    Ok((rows, scan.damage().filter(|damage| *damage != TORN).map(str::to_owned)))
}

/// The schema in a complete message, if it is a schema message.
fn schema_of(message: &[u8]) -> Option<Schema> {
    let length = metadata_length(message.first_chunk()?).ok()?;
    let metadata = message.get(PREFIX..PREFIX + length - CHECKSUM)?;
    try_fb_to_schema(root_as_message(metadata).ok()?.header_as_schema()?).ok()
}

impl Scan {
    /// The schema; `None` if it cannot be read.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Whether the stream has been read to its end marker.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The damage behind the last complete message, as a clause.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// The next complete message; `None` if there is none.
    fn message(&mut self) -> Result<Option<Buffer>, LogError> {
        if self.ended || self.damage.is_some() || self.left == 0 {
            return Ok(None);
        }
        match self.read_message() {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(damage)) => {
                self.damage = Some(damage);
                Ok(None)
            }
            Err(error) => Err(LogError::io("read", &self.path)(error)),
        }
    }

    fn read_message(&mut self) -> std::io::Result<Result<Option<Buffer>, String>> {
        let mut prefix = [0; PREFIX];
        if self.left < PREFIX as u64 {
            return Ok(Err(TORN.to_owned()));
        }
        self.file.read_exact(&mut prefix)?;
        self.left -= PREFIX as u64;
        if prefix == END {
            // Nothing is written behind the end marker, so a message length was changed to zero.
            if self.left > 0 {
                return Ok(Err("bytes follow the end marker".to_owned()));
            }
            self.ended = true;
            return Ok(Ok(None));
        }
        let length = match metadata_length(&prefix) {
            Ok(length) if length as u64 > self.left => return Ok(Err(TORN.to_owned())),
            Ok(length) if length < CHECKSUM => return Ok(Err("a message has no checksum".to_owned())),
            Ok(length) => length,
            Err(damage) => return Ok(Err(damage)),
        };
        // The buffer is aligned, so that columns can reference it without a copy.
        let mut message = MutableBuffer::from_len_zeroed(PREFIX + length);
        message.as_slice_mut()[..PREFIX].copy_from_slice(&prefix);
        self.file.read_exact(&mut message.as_slice_mut()[PREFIX..])?;
        self.left -= length as u64;
        let metadata = PREFIX..PREFIX + length - CHECKSUM;
        let body = match body_length(&message.as_slice()[metadata.clone()]) {
            Ok(body) if body as u64 > self.left => return Ok(Err(TORN.to_owned())),
            Ok(body) => body,
            Err(damage) => return Ok(Err(damage)),
        };
        message.resize(PREFIX + length + body, 0);
        self.file.read_exact(&mut message.as_slice_mut()[PREFIX + length..])?;
        self.left -= body as u64;
        let bytes = message.as_slice();
        let found = checksum(&bytes[metadata.clone()], &bytes[PREFIX + length..]);
        if bytes[metadata.end..PREFIX + length] != found.to_le_bytes() {
            return Ok(Err("a checksum does not match".to_owned()));
        }
        Ok(Ok(Some(message.into())))
    }

    fn decode(&mut self, message: &mut Buffer) -> Option<RecordBatch> {
        // The decoder handles a message without a body only when more bytes follow. So each message is passed
        // without its marker, followed by the marker of the next message, which the decoder may consume.
        message.advance(MARKER.len());
        let decoded = match self.decoder.decode(message) {
            Ok(None) => self.decoder.decode(&mut Buffer::from(&MARKER)),
            decoded => decoded,
        };
        match decoded {
            Ok(batch) => batch,
            Err(error) => {
                self.damage = Some(error.to_string());
                None
            }
        }
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut message = match self.message() {
                Ok(message) => message?,
                Err(error) => return Some(Err(error)),
            };
            if let Some(batch) = self.decode(&mut message) {
                return Some(Ok(batch));
            }
        }
    }
}

#[cfg(test)]
mod tests;
