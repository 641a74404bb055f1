//! The thread that appends to the log: group commit.
//!
//! A commit takes whatever waits, appends it to each table as one batch, and, if somebody waits to be told, puts it on
//! disk with one `fdatasync` a table and tells all of them. While it does, the next commit gathers. With
//! `log.commit-wait` it waits that much longer for more, up to `log.commit-rows`.
//!
//! Always holds: whoever is told that its rows are on disk is told so after they are; rows of one sender are appended in
//! the order in which it gave them; appending never waits for sealing; after the first error nothing more is taken, and
//! the error is what the run ends with.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use tokio::sync::oneshot;

use super::ledger::Event;
use super::recover::Recovered;
use super::sealer::{Closed, Sealer};
use super::segments::Segments;
use super::{LogError, Table};
use understudy_records::join::ExclusionCounts;
use understudy_study::{Micros, PerStream};

/// Entries that may wait to be appended.
const QUEUE: usize = 64;
/// How long what was appended may wait before it is put on disk though nobody waits to be told.
const FLUSH: Duration = Duration::from_millis(500);

/// When a commit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// How long to wait for more, once something waits to be acknowledged.
    pub wait: Duration,
    /// The rows with which it is made at once.
    pub rows: usize,
}

/// Called when rows are on disk; dropped uncalled when they could not be put there.
pub type Acknowledge = Box<dyn FnOnce() + Send>;

enum Entry {
    /// Rows, appended together; perhaps somebody waits to be told that they are on disk.
    Rows(Vec<(Table, RecordBatch)>, Option<Acknowledge>),
    /// The records of this group end here.
    Cut(Box<Cut>),
    /// The pairs of the earliest group whose records have ended end here; this is the checkpoint of that moment.
    CutPairs { checkpoint: Vec<u8> },
}

/// The end of a group's records.
#[derive(Debug, Default)]
pub struct Cut {
    /// How many records of each stream are in the log then.
    pub covers: PerStream<u64>,
    /// How many of each were refused, by class.
    pub refused: PerStream<ExclusionCounts>,
    /// What the ledger is to tell before it tells of the group.
    pub events: Vec<Event>,
    /// Before this time, microseconds, no snapshot can matter any more; `None` if all may.
    pub settled: Option<Micros>,
}

/// Takes rows for the log. Cloned for each thread that has some.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<Entry>,
}

/// The other end: ends once all the [`LogWriter`]s are gone.
pub struct Writing {
    appending: JoinHandle<Result<(), LogError>>,
    sealing: JoinHandle<Result<(), LogError>>,
}

impl LogWriter {
    /// Opens the tables of `run`, with the schemas in the order of [`Table::ALL`], to go on from where `recovered` says.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(
        run: &Path,
        schemas: [SchemaRef; 4],
        recovered: Recovered,
        commit: Commit,
        sealer: Sealer,
    ) -> Result<(LogWriter, Writing), LogError> {
        let mut tables = Vec::new();
        for ((table, schema), open) in Table::ALL.into_iter().zip(schemas).zip(recovered.writers) {
            let segments = Segments::new(run.join(table.folder()), schema.clone(), open)?;
            tables.push(Appending { table, segments, schema, gathered: Vec::new() });
        }
        let (queue, entries) = sync_channel(QUEUE);
        // No bound: a closed group costs its names and a checkpoint.
        let (closed, groups) = std::sync::mpsc::channel();
        let spawn = |name: &str| thread::Builder::new().name(name.to_owned());
        let failed = LogError::io("start the threads that write", run);
        let sealing = spawn("seal").spawn(move || sealer.work(&groups)).map_err(&failed)?;
        let group = recovered.group;
        let committer = Committer {
            tables,
            groups: [group; 2],
            cuts: VecDeque::new(),
            waiting: Vec::new(),
            commit,
            closed,
            rows: 0,
        };
        let appending = spawn("log").spawn(move || committer.work(&entries)).map_err(&failed)?;
        Ok((LogWriter { queue }, Writing { appending, sealing }))
    }

    /// Hands over rows; waits while too many are queued. False if the log has failed: see [`Writing::finish`].
    pub fn append(&self, rows: Vec<(Table, RecordBatch)>) -> bool {
        self.send(rows, None)
    }

    /// Hands over rows; what comes back is told when they are on disk. It is dropped if the log has failed.
    pub fn commit(&self, rows: Vec<(Table, RecordBatch)>) -> oneshot::Receiver<()> {
        let (acknowledge, acknowledged) = oneshot::channel();
        // Who does not wait any more need not be told.
        self.commit_to(rows, Box::new(move || acknowledge.send(()).unwrap_or_default()));
        acknowledged
    }

    /// Hands over rows, and has somebody told when they are on disk. False if the log has failed.
    pub fn commit_to(&self, rows: Vec<(Table, RecordBatch)>, acknowledge: Acknowledge) -> bool {
        self.send(rows, Some(acknowledge))
    }

    fn send(&self, mut rows: Vec<(Table, RecordBatch)>, acknowledge: Option<Acknowledge>) -> bool {
        rows.retain(|(_, batch)| batch.num_rows() > 0);
        (rows.is_empty() && acknowledge.is_none()) || self.queue.send(Entry::Rows(rows, acknowledge)).is_ok()
    }

    /// Ends the group's records. False if the log has failed.
    pub fn cut(&self, cut: Cut) -> bool {
        self.queue.send(Entry::Cut(Box::new(cut))).is_ok()
    }

    /// Ends the pairs of the earliest group whose records have been ended; the checkpoint is written once it is sealed.
    /// False if the log has failed.
    pub fn cut_pairs(&self, checkpoint: Vec<u8>) -> bool {
        self.queue.send(Entry::CutPairs { checkpoint }).is_ok()
    }
}

impl Writing {
    /// Waits until everything is on disk, and every group that was ended is sealed.
    ///
    /// # Errors
    /// The first thing that went wrong while writing.
    pub fn finish(self) -> Result<(), LogError> {
        let appended = self.appending.join().map_err(|_| stopped("appends to the log"))?;
        // Appending stops because sealing has, too, so that error comes first.
        self.sealing.join().map_err(|_| stopped("seals"))??;
        appended
    }
}

fn stopped(what: &str) -> LogError {
    LogError::Directory(format!("the thread that {what} has stopped; this is a fault in understudy"))
}

/// One table, and what is to be appended to it next.
struct Appending {
    table: Table,
    segments: Segments,
    schema: SchemaRef,
    gathered: Vec<RecordBatch>,
}

impl Appending {
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
    tables: Vec<Appending>,
    /// The open group of the records, and of the pairs, which may end later.
    groups: [u32; 2],
    /// Groups whose records have ended and whose pairs have not.
    cuts: VecDeque<Closed>,
    waiting: Vec<Acknowledge>,
    commit: Commit,
    closed: Sender<Closed>,
    /// Rows gathered in all tables.
    rows: usize,
}

impl Committer {
    fn work(mut self, entries: &Receiver<Entry>) -> Result<(), LogError> {
        let mut synced = Instant::now();
        loop {
            match entries.recv_timeout(FLUSH.saturating_sub(synced.elapsed())) {
                Ok(entry) => {
                    self.take(entry)?;
                    self.gather(entries)?;
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

    /// Takes what else waits, and what comes while the commit may wait.
    fn gather(&mut self, entries: &Receiver<Entry>) -> Result<(), LogError> {
        let began = Instant::now();
        while self.rows < self.commit.rows {
            let wait = match self.waiting.is_empty() {
                true => Duration::ZERO,
                false => self.commit.wait.saturating_sub(began.elapsed()),
            };
            match entries.recv_timeout(wait) {
                Ok(entry) => self.take(entry)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn take(&mut self, entry: Entry) -> Result<(), LogError> {
        match entry {
            Entry::Rows(rows, acknowledge) => {
                for (table, batch) in rows {
                    self.rows += batch.num_rows();
                    self.tables[table as usize].gathered.push(batch);
                }
                self.waiting.extend(acknowledge);
                Ok(())
            }
            Entry::Cut(cut) => {
                let mut closed = Closed { group: self.groups[0], cut: *cut, ..Closed::default() };
                for table in self.tables.iter_mut().filter(|table| table.table != Table::Pairs) {
                    table.append(self.groups[0])?;
                    closed.segments[table.table as usize] = table.segments.close()?;
                }
                self.groups[0] += 1;
                self.cuts.push_back(closed);
                Ok(())
            }
            Entry::CutPairs { checkpoint } => {
                let table = &mut self.tables[Table::Pairs as usize];
                table.append(self.groups[1])?;
                let pairs = table.segments.close()?;
                self.groups[1] += 1;
                if let Some(mut closed) = self.cuts.pop_front() {
                    closed.segments[Table::Pairs as usize] = pairs;
                    closed.checkpoint = checkpoint;
                    // The other end hangs up only after an error of its own, which is what the run then ends with.
                    self.closed.send(closed).map_err(|_| stopped("seals"))?;
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

    /// Puts the records on disk, and tells those who wait. Pairs are derived, so nobody waits for them.
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
