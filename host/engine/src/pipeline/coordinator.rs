//! The thread that conducts: numbers what comes, finds pairs, hands work on, and knows when all is done.
//!
//! Always holds: a pair is handed on once, after its snapshot has been answered and given to the log; a batch is let go
//! when its last row is paired or expired. Between two calls, what is counted is what the log was given, and the pairs
//! handed on are those among the records that the log was given: so a group may be cut there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;

use crate::control::messages::Standing;
use crate::evaluation::evaluator::{Judge, Judged, Work};
use crate::evaluation::projection::needed;
use crate::inference::determinism_check::Again;
use crate::inference::worker_pool::{Answered, Job, Met, Workers};
use crate::ingest::push_intake::{Ticket, Told};
use crate::join::join_buffer::Holding;
use crate::log_schema::schema;
use crate::pipeline::progress::Progress;
use crate::plugins::load::Prepared;
use crate::plugins::plugin_versions::PluginVersions;
use crate::stats::checkpoint::{Ended, Saved};
use crate::stats::counters::Counted;
use crate::stats::interim_schedule::{Look, Looked, Schedule};
use crate::stats::run_result::End;
use understudy_records::batch::{Decoded, Refused, Side};
use understudy_records::pairing::Account;
use understudy_run_log::checkpoint::CheckpointError;
use understudy_run_log::ledger::Event;
use understudy_run_log::{Cut, LogWriter, Table};

/// Runs of pairs that may wait to be compared.
const UNCOMPARED: usize = 16;

/// Conducts one run.
pub struct Coordinator<'p> {
    pub(crate) prepared: &'p Prepared,
    pub(crate) holding: Holding,
    pub(crate) workers: Workers,
    pub(crate) answers: UnboundedReceiver<Answered>,
    /// Answers that came before those of an earlier job.
    early: BTreeMap<u64, Answered>,
    submitted: u64,
    done: u64,
    log: LogWriter,
    pub(crate) log_failed: bool,
    schemas: [SchemaRef; 4],
    judge: JoinHandle<Result<Judged, CheckpointError>>,
    pub(crate) work: SyncSender<Work>,
    /// The sequence number of the next record of each stream.
    pub(crate) next: [u64; 2],
    pub(crate) counted: Counted,
    /// Who ran, and since when: what checkpoints begin with.
    seal: String,
    pub(crate) began: Timestamp,
    pub(crate) group: Group,
    /// While logged records are read back: which pairs are not to be handed on as new.
    pub(crate) restoring: Option<Known>,
    /// For each model what came of asking it again.
    pub(crate) again: Vec<Again>,
    schedule: Option<Schedule>,
    pub(crate) cast: PluginVersions,
    pub(crate) standing: watch::Sender<Standing>,
    /// When that was said last.
    pub(crate) stood: Instant,
    pub(crate) progress: Progress,
}

/// The group that is open.
pub(crate) struct Group {
    /// How many groups are before it.
    pub(crate) number: u32,
    /// Rows in the tables of snapshots, decisions and refused records.
    rows: [usize; 3],
    opened: Instant,
}

/// Pairs that are known: those whose snapshot and decision have smaller sequence numbers than these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Pairs that have been judged.
    pub judged: [u64; 2],
    /// Pairs that the log has.
    pub logged: [u64; 2],
}

/// From where a run goes on.
pub struct Start {
    /// The digest of `seal.json`.
    pub seal: String,
    /// When the run began.
    pub began: Timestamp,
    /// How many groups are sealed.
    pub groups: u32,
    /// Rows of the open group in the tables of snapshots, decisions and refused records.
    pub rows: [usize; 3],
    /// What was counted.
    pub counted: Counted,
    /// What was judged.
    pub judged: Judged,
    /// For each model what came of asking it again.
    pub again: Vec<Again>,
    /// What the looks are called that were reported on.
    pub looks: BTreeSet<String>,
}

impl<'p> Coordinator<'p> {
    /// Starts the threads that answer and compare. `look` is told of the looks that the study declares.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(
        prepared: &'p Prepared,
        log: LogWriter,
        schemas: [SchemaRef; 4],
        run: &Path,
        start: Start,
        look: Option<Look>,
    ) -> anyhow::Result<Coordinator<'p>> {
        let needed = needed(prepared);
        let looks = look.is_some();
        let (answered, answers) = unbounded_channel();
        let workers = Workers::start(prepared, &answered)?;
        let judge = Judge::new(prepared, &needed, start.judged);
        let (pairs, table) = (log.clone(), schema::Pairs::new(prepared));
        let (work, waiting) = std::sync::mpsc::sync_channel(UNCOMPARED);
        let judge = thread::Builder::new()
            .name("compare".into())
            .spawn(move || judge.work(&waiting, &pairs, table, look))?;
        Ok(Coordinator {
            prepared,
            holding: Holding::new(prepared, needed, run),
            workers,
            answers,
            early: BTreeMap::new(),
            submitted: 0,
            done: 0,
            log,
            log_failed: false,
            schemas,
            judge,
            work,
            next: start.counted.position,
            counted: start.counted,
            seal: start.seal,
            began: start.began,
            group: Group { number: start.groups, rows: start.rows, opened: Instant::now() },
            restoring: None,
            again: start.again,
            schedule: Schedule::new(&prepared.study, start.looks).filter(|_| looks),
            cast: prepared.cast.clone(),
            standing: watch::Sender::new(Standing::default()),
            stood: Instant::now(),
            progress: Progress::start(&prepared.study.name),
        })
    }

    /// For each side the time before which no record of it can matter any more, neither for a pair nor as a duplicate;
    /// `None` if all may.
    pub(crate) fn matters_from(&self) -> [Option<i64>; 2] {
        let horizon = self.holding.pairing.horizon();
        let watermarks = Side::BOTH.map(|side| {
            let clock = self.counted.clocks[side as usize];
            clock.map(|clock| clock.saturating_sub(horizon.lateness[side as usize]))
        });
        Side::BOTH.map(|side| {
            let own = watermarks[side as usize]?.saturating_sub(horizon.horizon.saturating_mul(2));
            let other = watermarks[side.other() as usize]?.saturating_sub(horizon.horizon);
            Some(own.min(other))
        })
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.submitted - self.done
    }

    /// Takes decoded records of either side, and who waits to be told of them.
    ///
    /// # Errors
    /// When records that wait on disk cannot be read or written.
    pub(crate) fn take(&mut self, decoded: Decoded, tickets: Vec<Ticket>) -> anyhow::Result<()> {
        let Decoded { side, records, mut refused } = decoded;
        let taken = self.holding.pairing.take(side, &records, refused.iter().map(|refused| refused.class));
        let keep: Vec<bool> = taken.refused.iter().map(Option::is_none).collect();
        for (row, refusal) in taken.refused.into_iter().enumerate() {
            if let Some((class, reason)) = refusal {
                let raw = records.raw.value(row).as_bytes().to_vec();
                let (line, offset, digest) = (records.lines[row], records.offsets[row], records.digests[row]);
                refused.push(Refused { side, line, offset, class, reason, raw, digest });
            }
        }
        let records = records.filter(&keep);
        let (sequences, refused) = self.number(side, &records.lines, refused);
        let told = Told::new(tickets, &refused);
        match side {
            Side::Snapshot => {
                self.holding.arrived(taken.slot, taken.pairs)?;
                let next = self.next[side as usize];
                let (number, slot, generation) = (self.submitted, taken.slot, self.cast.generation());
                let job = Job { number, slot, sequences, generation, records, refused, next, told };
                self.submitted += 1;
                match job.records.is_empty() {
                    false => self.workers.submit(job),
                    // Nothing to answer, but its refused records keep their place in the log.
                    true => self.answered(Answered::nothing(job))?,
                }
            }
            Side::Decision => {
                let rows = vec![
                    (Table::Refused, schema::refused(&self.schemas[2], &refused)),
                    (
                        Table::Decisions,
                        schema::decisions(&self.schemas[1], &sequences, self.cast.generation(), &records),
                    ),
                ];
                self.append(rows, told);
                self.counted.position[side as usize] = self.next[side as usize];
                self.counted.refuse(&refused);
                self.counted.accept(side, &records.times);
                let met = self.holding.decided(taken.slot, sequences, &records, taken.pairs)?;
                self.compare(met);
            }
        }
        self.cut_if_due();
        self.look_if_due();
        Ok(())
    }

    /// Numbers records and refused ones in the order of their lines.
    fn number(
        &mut self,
        side: Side,
        lines: &[u64],
        mut refused: Vec<Refused>,
    ) -> (Vec<u64>, Vec<(u64, Refused)>) {
        refused.sort_by_key(|refused| refused.line);
        let first = self.next[side as usize];
        self.next[side as usize] += (lines.len() + refused.len()) as u64;
        let mut numbered = Vec::with_capacity(refused.len());
        let mut rest = refused.into_iter().peekable();
        let mut sequences = Vec::with_capacity(lines.len());
        for (accepted, line) in lines.iter().enumerate() {
            while let Some(before) = rest.next_if(|refused| refused.line < *line) {
                numbered.push((first + (accepted + numbered.len()) as u64, before));
            }
            sequences.push(first + (accepted + numbered.len()) as u64);
        }
        for after in rest {
            numbered.push((first + (lines.len() + numbered.len()) as u64, after));
        }
        (sequences, numbered)
    }

    /// Takes what a worker has answered, in the order of the jobs.
    ///
    /// # Errors
    /// When records that wait on disk cannot be written.
    pub(crate) fn answered(&mut self, answered: Answered) -> anyhow::Result<()> {
        self.early.insert(answered.job.number, answered);
        while let Some(mut answered) = self.early.remove(&self.done) {
            self.done += 1;
            let told = std::mem::take(&mut answered.job.told);
            let mut rows = vec![(Table::Refused, schema::refused(&self.schemas[2], &answered.job.refused))];
            if !answered.job.records.is_empty() {
                rows.push((Table::Snapshots, schema::snapshots(&self.schemas[0], &answered)));
            }
            self.append(rows, told);
            self.counted.position[Side::Snapshot as usize] = answered.job.next;
            self.counted.refuse(&answered.job.refused);
            self.counted.answer(&self.prepared.study, &answered);
            let met = self.holding.answered(answered)?;
            self.compare(met);
        }
        self.cut_if_due();
        self.look_if_due();
        Ok(())
    }

    fn append(&mut self, rows: Vec<(Table, RecordBatch)>, told: Told) {
        for (table, batch) in &rows {
            if let Some(sum) = self.group.rows.get_mut(*table as usize) {
                *sum += batch.num_rows();
            }
        }
        self.log_failed |= !match told.acknowledge() {
            Some(acknowledge) => self.log.commit_to(rows, acknowledge),
            None => self.log.append(rows),
        };
    }

    pub(crate) fn compare(&mut self, mut met: Vec<Met>) {
        let mut logged = Vec::new();
        if let Some(known) = self.restoring {
            let before = |met: &Met, known: [u64; 2]| {
                let Met { snapshot: (shown, s), decision: (taken, d) } = met;
                shown.sequences[*s as usize] < known[0] && taken.sequences[*d as usize] < known[1]
            };
            met.retain(|met| !before(met, known.judged));
            (logged, met) = met.into_iter().partition(|met| before(met, known.logged));
        }
        self.counted.pair((met.len() + logged.len()) as u64);
        for work in [Work::Logged(logged), Work::Pairs(met)] {
            if let Work::Logged(met) | Work::Pairs(met) = &work
                && !met.is_empty()
            {
                // The other end stops only by a panic, which `finish` reports.
                let _ = self.work.send(work);
            }
        }
    }

    /// Ends the group if it is full or old.
    fn cut_if_due(&mut self) {
        self.stands();
        let log = &self.prepared.study.log;
        let full = self.group.rows.iter().any(|rows| *rows >= log.segment_rows);
        let old = || log.seal_every.as_secs_f64() <= self.group.opened.elapsed().as_secs_f64();
        // That a model keeps something between calls is not to be lost with a process that is killed.
        let news = || self.again.iter().all(|again| again.otherwise == 0) && self.workers.differs();
        if full || (self.group.rows != [0; 3] && (old() || news())) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let refused = self
            .counted
            .accounts
            .map(|Account { rejected, duplicate, conflict, late, .. }| [rejected, duplicate, conflict, late]);
        self.group = Group { number: self.group.number + 1, rows: [0; 3], opened: Instant::now() };
        let again = self.workers.again();
        let events = self.asked_again(again);
        let covers = self.counted.position;
        let settled = self.matters_from()[Side::Snapshot as usize];
        self.log_failed |= !self.log.cut(Cut { covers, refused, events, settled });
        let _ = self.work.send(Work::Cut(Box::new(self.saved(None, None))));
    }

    /// Adds up what came of asking the models again, and says it to the ledger.
    fn asked_again(&mut self, again: Vec<Again>) -> Vec<Event> {
        let mut events = Vec::new();
        for ((all, again), model) in self.again.iter_mut().zip(again).zip(&self.prepared.models) {
            if again.asked > 0 {
                events.push(Event::Replayed {
                    model: model.name.clone(),
                    asked: again.asked,
                    otherwise: again.otherwise,
                    sequences: again.sequences.clone(),
                    first_id: again.first_id.clone(),
                });
            }
            all.add(Again { sequences: Vec::new(), ..again });
        }
        events
    }

    pub(crate) fn saved(&self, judged: Option<Judged>, ended: Option<Ended>) -> Saved {
        Saved {
            seal: self.seal.clone(),
            groups: self.group.number,
            began: self.began,
            counted: self.counted.clone(),
            judged,
            ended,
        }
    }

    pub(crate) fn show(&mut self) {
        let taken = self.counted.position;
        self.progress.show(taken, self.holding.pairing.clock(Side::Snapshot), self.counted.incidents.count());
        self.cut_if_due();
    }

    /// Has the run looked at, if it is time. What is counted is answered and handed on, so no pair is missing.
    pub(crate) fn look_if_due(&mut self) {
        // While logged records are read back, it is not known yet what was judged.
        if self.restoring.is_some() {
            return;
        }
        while let Some((window, label)) = self.schedule.as_mut().and_then(|s| s.due(&self.counted)) {
            let saved =
                self.saved(None, None).as_ended(self.holding.pairing.accounting(), self.again.clone());
            let _ = self.work.send(Work::Look(Box::new(Looked { window, label, saved })));
        }
    }

    /// Ends the run: gives the checkpoint of its end, and what the ledger is still to tell.
    pub(crate) fn finish(mut self, end: End) -> anyhow::Result<(Saved, Vec<Event>)> {
        self.progress.finish();
        if self.group.rows != [0; 3] {
            self.cut();
        }
        let workers = std::mem::take(&mut self.workers);
        let events = self.asked_again(workers.finish());
        let saved = self.saved(None, None);
        drop(self.work);
        drop(self.log);
        let judged = self.judge.join();
        let judged = judged.map_err(|_| {
            anyhow::anyhow!("the thread that compares has stopped; this is a fault in understudy")
        })??;
        let accounting = self.holding.pairing.accounting();
        debug_assert!(accounting.balances());
        let ended = Ended { at: Timestamp::now(), end, accounting, again: self.again };
        Ok((Saved { judged: Some(judged), ended: Some(ended), ..saved }, events))
    }
}
