//! The threads that write: one appends, one seals.
//!
//! Always holds: appending never waits for sealing; batches that wait are appended as one; after the first error
//! nothing more is taken, and the error is what the run ends with.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use super::LogError;
use super::segments::{Segments, seal};

/// Rows of an open segment before it is sealed.
const SEGMENT_ROWS: usize = 256 << 10;
/// Rows that are gathered into one batch of the log, if as many wait.
const GATHER_ROWS: usize = 4096;
/// Threads that seal, so that the last segments of the tables are not sealed one after the other.
const SEALERS: usize = 2;
/// Batches that may wait to be appended.
const QUEUE: usize = 16;
/// How long what was appended may wait before a reader of the directory sees it.
const FLUSH: Duration = Duration::from_millis(500);

/// The tables of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Snapshots with their answers.
    Snapshots,
    /// Decisions.
    Decisions,
    /// Records that take no part.
    Refused,
    /// Pairs.
    Pairs,
}

impl Table {
    /// All tables.
    pub const ALL: [Table; 4] = [Table::Snapshots, Table::Decisions, Table::Refused, Table::Pairs];

    /// The folder's name.
    pub fn folder(self) -> &'static str {
        match self {
            Table::Snapshots => "snapshots",
            Table::Decisions => "decisions",
            Table::Refused => "refused",
            Table::Pairs => "pairs",
        }
    }
}

/// What was written by the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of each table, in the order of [`Table::ALL`].
    pub rows: [u64; 4],
}

/// Takes batches for the log. Cloned for each thread that has some.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<(Table, RecordBatch)>,
}

/// The other end: ends once all the [`LogWriter`]s are gone.
pub struct Writing {
    appending: JoinHandle<Result<Written, LogError>>,
    sealing: Vec<JoinHandle<Result<(), LogError>>>,
}

impl LogWriter {
    /// Opens the tables in `folder`, with the schemas in the order of [`Table::ALL`].
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(folder: &Path, schemas: [SchemaRef; 4]) -> Result<(LogWriter, Writing), LogError> {
        let mut tables = Vec::new();
        for (table, schema) in Table::ALL.into_iter().zip(schemas) {
            let segments = Segments::new(folder.join(table.folder()), schema.clone())?;
            tables.push(Appending { segments, schema, gathered: Vec::new(), rows: 0 });
        }
        let (queue, batches) = sync_channel(QUEUE);
        // No bound: a segment that waits costs its name.
        let (closed, segments) = channel();
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        let failed = LogError::io("start the threads that write", folder);
        let segments = Arc::new(Mutex::new(segments));
        let mut sealing = Vec::new();
        for _ in 0..SEALERS {
            let segments = segments.clone();
            sealing.push(spawn("seal").spawn(move || seal_all(&segments)).map_err(&failed)?);
        }
        let appending = spawn("log").spawn(move || append(&mut tables, &batches, &closed));
        Ok((LogWriter { queue }, Writing { appending: appending.map_err(&failed)?, sealing }))
    }

    /// Hands over a batch; waits while too many are queued. False if the log has failed: see [`Writing::finish`].
    pub fn append(&self, table: Table, batch: RecordBatch) -> bool {
        batch.num_rows() == 0 || self.queue.send((table, batch)).is_ok()
    }
}

impl Writing {
    /// Waits until everything is on disk and sealed.
    ///
    /// # Errors
    /// The first thing that went wrong while writing.
    pub fn finish(self) -> Result<Written, LogError> {
        let stopped = |_| LogError::Directory("a thread that writes the log has stopped".to_owned());
        let written = self.appending.join().map_err(stopped)?;
        for sealing in self.sealing {
            sealing.join().map_err(stopped)??;
        }
        written
    }
}

/// Seals segments as they are closed, until no more can come.
fn seal_all(segments: &Mutex<Receiver<PathBuf>>) -> Result<(), LogError> {
    loop {
        // Held while waiting: the other sealers could only wait too.
        let next = segments.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(segment) => seal(&segment)?,
            Err(_) => return Ok(()),
        }
    }
}

struct Appending {
    segments: Segments,
    schema: SchemaRef,
    gathered: Vec<RecordBatch>,
    rows: u64,
}

impl Appending {
    fn gather(&mut self, batch: RecordBatch) -> Result<bool, LogError> {
        self.gathered.push(batch);
        if self.gathered.iter().map(RecordBatch::num_rows).sum::<usize>() >= GATHER_ROWS {
            self.append()
        } else {
            Ok(false)
        }
    }

    /// Appends what was gathered; true if the segment is full.
    fn append(&mut self) -> Result<bool, LogError> {
        let gathered = std::mem::take(&mut self.gathered);
        let batch = match &gathered[..] {
            [] => return Ok(false),
            [one] => one.clone(),
            many => concat_batches(&self.schema, many).expect("the batches of a table have one schema"),
        };
        self.rows += batch.num_rows() as u64;
        Ok(self.segments.append(&batch)? >= SEGMENT_ROWS)
    }

    fn close(&mut self, closed: &Sender<PathBuf>) -> Result<(), LogError> {
        self.append()?;
        if let Some(path) = self.segments.close()? {
            // The other end hangs up only after an error of its own, which is what the run then ends with.
            let _ = closed.send(path);
        }
        Ok(())
    }
}

fn append(
    tables: &mut [Appending],
    batches: &Receiver<(Table, RecordBatch)>,
    closed: &Sender<PathBuf>,
) -> Result<Written, LogError> {
    let mut flushed = Instant::now();
    loop {
        match batches.recv_timeout(FLUSH.saturating_sub(flushed.elapsed())) {
            Ok((table, batch)) => {
                let table = &mut tables[table as usize];
                if table.gather(batch)? {
                    table.close(closed)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if flushed.elapsed() >= FLUSH {
            for table in &mut *tables {
                if table.append()? {
                    table.close(closed)?;
                }
                table.segments.flush()?;
            }
            flushed = Instant::now();
        }
    }
    for table in &mut *tables {
        table.close(closed)?;
    }
    let mut written = Written::default();
    for (rows, table) in written.rows.iter_mut().zip(tables) {
        *rows = table.rows;
    }
    Ok(written)
}
