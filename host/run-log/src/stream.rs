//! An open segment: an Arrow IPC stream whose messages carry checksums.
//!
//! Arrow ends a message's metadata with padding that every reader passes over. The last eight bytes of it hold the
//! xxh3-64 of the metadata before them and of the body behind them, little-endian. So any Arrow reader reads the stream,
//! and ours can tell a whole message from a torn one.
//!
//! Always holds: an append either stands whole in the file or not at all, except after a crash; what a scan yields is
//! what was appended, up to the first message that is torn or damaged.

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

use super::LogError;

/// What each message begins with: the continuation marker and the length of the metadata.
const PREFIX: usize = 8;
const MARKER: [u8; 4] = [0xff; 4];
const CHECKSUM: usize = 8;
/// What is found where a process was killed that wrote.
const TORN: &str = "it ends in the middle of a message";
/// A stream ends with a message whose metadata has no length.
const END: [u8; PREFIX] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Appends batches to a segment.
pub struct StreamWriter {
    path: PathBuf,
    file: File,
    encoder: StreamEncoder,
    /// How much of the file is whole messages.
    position: u64,
}

impl StreamWriter {
    /// Begins a file, which must not be there yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<StreamWriter, LogError> {
        let file = File::create_new(path).map_err(LogError::io("write", path))?;
        let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5);
        let encoder = options.and_then(|options| StreamEncoder::try_new_with_options(schema, options));
        let encoder = encoder.map_err(LogError::arrow("write", path))?;
        Ok(StreamWriter { path: path.to_owned(), file, encoder, position: 0 })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file another name, under which it is written on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn rename(&mut self, path: &Path) -> Result<(), LogError> {
        std::fs::rename(&self.path, path).map_err(LogError::io("write", path))?;
        self.path = path.to_owned();
        Ok(())
    }

    /// Appends a batch. It is with the system then, not yet on disk.
    ///
    /// # Errors
    /// When the system refuses; what was written of the batch is cut off again if that can be done.
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
                // Recovery cuts off a torn batch too; the error is what matters.
                let _ = self.file.set_len(self.position);
                Err(LogError::io("write", &self.path)(error))
            }
        }
    }

    /// Puts what was appended on disk.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(LogError::io("sync", &self.path))
    }

    /// Writes the end of the stream, and puts all of it on disk.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self) -> Result<(), LogError> {
        self.write(&END)?;
        self.sync()
    }
}

/// Puts the names in a folder on disk.
///
/// # Errors
/// When the system refuses.
pub fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LogError::io("sync", folder))
}

/// Makes a folder, if it is not there, and puts its own name on disk: what is synced in it is lost without.
///
/// # Errors
/// When the system refuses.
pub fn make_folder(folder: &Path) -> Result<(), LogError> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(LogError::io("make", folder))?;
    match folder.parent() {
        Some(parent) if parent != Path::new("") => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Encoded messages as one run of bytes, with their checksums.
fn framed(pieces: &[Buffer]) -> Result<Vec<u8>, String> {
    // Room in front for the checksums of as many messages as there can be, so that the long body, which is the last
    // one's, is copied once.
    let room = pieces.len() * CHECKSUM;
    let mut bytes = Vec::with_capacity(room + pieces.iter().map(Buffer::len).sum::<usize>());
    bytes.resize(room, 0);
    pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    let mut messages = Vec::new();
    let mut at = room;
    while at < bytes.len() {
        let message = Parts::of(&bytes[at..])?;
        messages.push((at, message));
        at += message.len();
    }
    let first = room - messages.len() * CHECKSUM;
    let mut to = first;
    for (at, Parts { metadata, body }) in messages {
        bytes.copy_within(at..at + PREFIX + metadata, to);
        let length = (metadata + CHECKSUM) as u32;
        bytes[to + 4..to + PREFIX].copy_from_slice(&length.to_le_bytes());
        let behind = to + PREFIX + metadata;
        let checksum = checksum(&bytes[to + PREFIX..behind], &bytes[at + PREFIX + metadata..][..body]);
        bytes.copy_within(at + PREFIX + metadata..at + PREFIX + metadata + body, behind + CHECKSUM);
        bytes[behind..behind + CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        to = behind + CHECKSUM + body;
    }
    bytes.drain(..first);
    Ok(bytes)
}

/// The lengths of a message's parts.
#[derive(Clone, Copy)]
struct Parts {
    metadata: usize,
    body: usize,
}

impl Parts {
    /// Of the message that `bytes` begin with.
    fn of(bytes: &[u8]) -> Result<Parts, String> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX>().ok_or(TORN)?;
        let metadata = metadata_length(prefix)?;
        let metadata = rest.get(..metadata).ok_or(TORN)?;
        Ok(Parts { metadata: metadata.len(), body: body_length(metadata)? })
    }

    fn len(self) -> usize {
        PREFIX + self.metadata + self.body
    }
}

fn metadata_length(prefix: &[u8; PREFIX]) -> Result<usize, String> {
    let [marker @ .., a, b, c, d] = *prefix;
    match marker == MARKER {
        true => Ok(u32::from_le_bytes([a, b, c, d]) as usize),
        false => Err("a message does not begin as one".to_owned()),
    }
}

fn body_length(metadata: &[u8]) -> Result<usize, String> {
    let message =
        root_as_message(metadata).map_err(|_| "the metadata of a message cannot be read".to_owned())?;
    usize::try_from(message.bodyLength()).map_err(|_| "a message has a body of negative length".to_owned())
}

fn checksum(metadata: &[u8], body: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(metadata);
    hash.update(body);
    hash.digest()
}

/// The batches of a segment, up to the first message that is torn or damaged.
pub struct Scan {
    path: PathBuf,
    file: BufReader<File>,
    /// What has not been read of the file.
    left: u64,
    decoder: StreamDecoder,
    schema: Option<SchemaRef>,
    ended: bool,
    damage: Option<String>,
}

/// Scans a segment.
///
/// # Errors
/// When it cannot be read.
pub fn scan(path: &Path) -> Result<Scan, LogError> {
    let file = File::open(path).map_err(LogError::io("read", path))?;
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
            None => scan.damage = Some("it does not begin with a schema".to_owned()),
        }
    }
    Ok(scan)
}

/// How many rows of an open segment are whole, and what was found behind them but for a torn end.
///
/// # Errors
/// When it cannot be read.
pub fn open_segment(path: &Path) -> Result<(u64, Option<String>), LogError> {
    let mut scan = scan(path)?;
    let mut rows = 0;
    for batch in &mut scan {
        rows += batch?.num_rows() as u64;
    }
    Ok((rows, scan.damage().filter(|damage| *damage != TORN).map(str::to_owned)))
}

/// The columns that a whole message names.
fn schema_of(message: &[u8]) -> Option<Schema> {
    let length = metadata_length(message.first_chunk()?).ok()?;
    let metadata = message.get(PREFIX..PREFIX + length - CHECKSUM)?;
    try_fb_to_schema(root_as_message(metadata).ok()?.header_as_schema()?).ok()
}

impl Scan {
    /// The columns; `None` if not even they can be read.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// Whether the stream has been read to its end marker.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What was found in place of a whole message.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// The next whole message; `None` where there is none.
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
            // Behind the end nothing is ever written, so this is a length that was changed to zero.
            if self.left > 0 {
                return Ok(Err("something stands behind its end".to_owned()));
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
        // Aligned, so that the columns can stand in it as they are.
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
        // The decoder looks at a message without a body only once something follows. So it is handed each message behind
        // its marker, and then the marker of the next, which it takes or leaves.
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
