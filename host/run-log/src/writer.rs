//! The thread that appends to the write-ahead log, with group commit.
//!
//! The open segments are the write-ahead log of a run. A commit takes all queued rows and appends them to
//! each table as one batch. If a sender waits for an acknowledgement, the commit calls `fdatasync` once per
//! table and acknowledges all of them. The next commit gathers meanwhile. With `log.commit-wait` a commit
//! waits that much longer, up to `log.commit-rows` rows.
//!
//! Invariants: rows are acknowledged after they are on disk. Rows of one sender are appended in the order in
//! which it sent them. Appending never waits for sealing. After the first error no more rows are accepted,
//! and the run ends with that error.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use tokio::sync::oneshot;

use crate::error::LogError;
use crate::layout::Table;
use crate::recover::Recovered;
use crate::sealer::Sealer;
use crate::segment_group::{ClosedGroup, GroupBoundary};
use crate::segment_writer::SegmentWriter;

/// Messages that may be queued.
const QUEUE: usize = 64;
/// The longest time before appended rows are synced if no sender waits for an acknowledgement.
const FLUSH: Duration = Duration::from_millis(500);

/// The policy of group commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// How long a commit waits for more rows once a sender waits for an acknowledgement.
    pub wait: Duration,
    /// The number of rows at which a commit no longer waits.
    pub rows: usize,
}

/// Called when rows are on disk; dropped without a call if they could not be written.
pub type Acknowledge = Box<dyn FnOnce() + Send>;

enum WriterMessage {
    /// Rows to append together, and the acknowledgement to send when they are on disk.
    Rows(Vec<(Table, RecordBatch)>, Option<Acknowledge>),
    /// The end of the open group's records.
    EndRecords(Box<GroupBoundary>),
    /// The end of the pairs of the earliest group whose records have ended, with the checkpoint at that
    /// point.
    EndPairs { checkpoint: Vec<u8> },
}

/// Sends rows to the log. Each sending thread has a clone.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<WriterMessage>,
}

/// The threads that append and seal. They end once all [`LogWriter`]s are dropped.
pub struct LogThreads {
    append: JoinHandle<Result<(), LogError>>,
    seal: JoinHandle<Result<(), LogError>>,
}

impl LogWriter {
    /// Opens the tables of `run` to append after `recovered`. The schemas are in the order of [`Table::ALL`].
    ///
    /// # Errors
    /// If the folders or the threads cannot be created.
    pub fn open(
        run: &Path,
        schemas: [SchemaRef; 4],
        recovered: Recovered,
        commit: Commit,
        sealer: Sealer,
    ) -> Result<(LogWriter, LogThreads), LogError> {
        let mut tables = Vec::new();
        for ((table, schema), open) in Table::ALL.into_iter().zip(schemas).zip(recovered.writers) {
            let segments = SegmentWriter::new(run.join(table.folder()), schema.clone(), open)?;
            tables.push(TableWriter { table, segments, schema, gathered: Vec::new() });
        }
        let (queue, messages) = sync_channel(QUEUE);
        // Unbounded: a closed group takes only file names and a checkpoint.
        let (closed, groups) = std::sync::mpsc::channel();
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        let failed = LogError::io("start the writer threads of", run);
        let seal = spawn("seal").spawn(move || sealer.work(&groups)).map_err(&failed)?;
        let group = recovered.group;
        let committer = Committer {
            tables,
            groups: [group; 2],
            awaiting_pairs: VecDeque::new(),
            waiting: Vec::new(),
            commit,
            closed,
            rows: 0,
        };
        let append = spawn("log").spawn(move || committer.work(&messages)).map_err(&failed)?;
        Ok((LogWriter { queue }, LogThreads { append, seal }))
    }

    /// Sends rows without an acknowledgement; blocks while the queue is full. Returns false if the log has
    /// failed, see [`LogThreads::finish`].
    pub fn append(&self, rows: Vec<(Table, RecordBatch)>) -> bool {
        self.send(rows, None)
    }

    /// Sends rows. The receiver completes when they are on disk, or fails if the log has failed.
    pub fn commit(&self, rows: Vec<(Table, RecordBatch)>) -> oneshot::Receiver<()> {
        let (acknowledge, acknowledged) = oneshot::channel();
        // The receiver may have been dropped.
        self.commit_to(rows, Box::new(move || acknowledge.send(()).unwrap_or_default()));
        acknowledged
    }

    /// Sends rows; `acknowledge` is called when they are on disk. Returns false if the log has failed.
    pub fn commit_to(&self, rows: Vec<(Table, RecordBatch)>, acknowledge: Acknowledge) -> bool {
        self.send(rows, Some(acknowledge))
    }

    fn send(&self, mut rows: Vec<(Table, RecordBatch)>, acknowledge: Option<Acknowledge>) -> bool {
        rows.retain(|(_, batch)| batch.num_rows() > 0);
        (rows.is_empty() && acknowledge.is_none())
            || self.queue.send(WriterMessage::Rows(rows, acknowledge)).is_ok()
    }

    /// Ends the records of the open group. Returns false if the log has failed.
    pub fn end_records(&self, boundary: GroupBoundary) -> bool {
        self.queue.send(WriterMessage::EndRecords(Box::new(boundary))).is_ok()
    }

    /// Ends the pairs of the earliest group whose records have ended. The checkpoint is written once the
    /// group is sealed. Returns false if the log has failed.
    pub fn end_pairs(&self, checkpoint: Vec<u8>) -> bool {
        self.queue.send(WriterMessage::EndPairs { checkpoint }).is_ok()
    }
}

impl LogThreads {
    /// Waits until all rows are on disk and all ended groups are sealed.
    ///
    /// # Errors
    /// The first error of the threads.
    pub fn finish(self) -> Result<(), LogError> {
        let appended = self.append.join().map_err(|_| panicked("appends to the log"))?;
        // A failure of sealing also stops appending, so its error comes first.
        self.seal.join().map_err(|_| panicked("seals segments"))??;
        appended
    }
}

fn panicked(what: &str) -> LogError {
    LogError::Directory(format!("the thread that {what} panicked; this is a bug in understudy"))
}

/// The writer of one table.
struct TableWriter {
    table: Table,
    segments: SegmentWriter,
    schema: SchemaRef,
    gathered: Vec<RecordBatch>,
}

impl TableWriter {
    fn append(&mut self, group: u32) -> Result<(), LogError> {
        let gathered = std::mem::take(&mut self.gathered);
        match &gathered[..] {
            [] => Ok(()),
            [one] => self.segments.append(group, one),
            many => {
                let batch =
                    concat_batches(&self.schema, many).expect("the batches of a table have one schema");
                self.segments.append(group, &batch)
            }
        }
    }
}

struct Committer {
    tables: Vec<TableWriter>,
    /// The open group of the records, and that of the pairs, which may end later.
    groups: [u32; 2],
    /// Groups whose records have ended and whose pairs have not.
    awaiting_pairs: VecDeque<ClosedGroup>,
    waiting: Vec<Acknowledge>,
    commit: Commit,
    closed: Sender<ClosedGroup>,
    /// Gathered rows of all tables.
    rows: usize,
}

impl Committer {
    fn work(mut self, messages: &Receiver<WriterMessage>) -> Result<(), LogError> {
        let mut synced = Instant::now();
        loop {
            match messages.recv_timeout(FLUSH.saturating_sub(synced.elapsed())) {
                Ok(message) => {
                    self.handle(message)?;
                    self.receive_available(messages)?;
                    self.append()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !self.waiting.is_empty() || synced.elapsed() >= FLUSH {
                self.sync()?;
                synced = Instant::now();
            }
        }
        self.append()?;
        self.sync()
    }

    /// Takes all queued messages, and those that arrive while the commit may wait.
    fn receive_available(&mut self, messages: &Receiver<WriterMessage>) -> Result<(), LogError> {
        let began = Instant::now();
        while self.rows < self.commit.rows {
            let wait = match self.waiting.is_empty() {
                true => Duration::ZERO,
                false => self.commit.wait.saturating_sub(began.elapsed()),
            };
            match messages.recv_timeout(wait) {
                Ok(message) => self.handle(message)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn handle(&mut self, message: WriterMessage) -> Result<(), LogError> {
        match message {
            WriterMessage::Rows(rows, acknowledge) => {
                for (table, batch) in rows {
                    self.rows += batch.num_rows();
                    self.tables[table as usize].gathered.push(batch);
                }
                self.waiting.extend(acknowledge);
                Ok(())
            }
            WriterMessage::EndRecords(boundary) => {
                let mut closed =
                    ClosedGroup { group: self.groups[0], boundary: *boundary, ..ClosedGroup::default() };
                for table in self.tables.iter_mut().filter(|table| table.table != Table::Pairs) {
                    table.append(self.groups[0])?;
                    closed.segments[table.table as usize] = table.segments.close()?;
                }
                self.groups[0] += 1;
                self.awaiting_pairs.push_back(closed);
                Ok(())
            }
            WriterMessage::EndPairs { checkpoint } => {
                let table = &mut self.tables[Table::Pairs as usize];
                table.append(self.groups[1])?;
                let pairs = table.segments.close()?;
                self.groups[1] += 1;
                if let Some(mut closed) = self.awaiting_pairs.pop_front() {
                    closed.segments[Table::Pairs as usize] = pairs;
                    closed.checkpoint = checkpoint;
                    // The receiver is dropped only after an error of its own, with which the run ends.
                    self.closed.send(closed).map_err(|_| panicked("seals segments"))?;
                }
                Ok(())
            }
        }
    }

    fn append(&mut self) -> Result<(), LogError> {
        self.rows = 0;
        for table in &mut self.tables {
            let group = self.groups[usize::from(table.table == Table::Pairs)];
            table.append(group)?;
        }
        Ok(())
    }

    /// Syncs the records and sends the acknowledgements. Pairs are derived, so they are not synced.
    fn sync(&mut self) -> Result<(), LogError> {
        for table in self.tables.iter_mut().filter(|table| table.table != Table::Pairs) {
            table.segments.sync()?;
        }
        self.waiting.drain(..).for_each(|acknowledge| acknowledge());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
