//! The thread that conducts: numbers what comes, finds pairs, hands work on, and knows when all is done.
//!
//! Always holds: a pair is handed on once, after its snapshot has been answered and given to the log; a batch is let go
//! when its last row is paired or expired.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use hdrhistogram::Histogram;
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, unbounded_channel};

use super::feed::{Feed, Feeds};
use super::incidents::Incidents;
use super::judge::{Judge, Judged, needed, shape};
use super::outcome::{End, Kept, Latency, ModelCounts, Outcome, RefusedRecord, SubstrateLatency};
use super::prepare::Prepared;
use super::progress::Progress;
use super::tables;
use super::worker::{Answered, Job, Met, Shown, Taken, Workers};
use crate::batch::{Answers, Decoded, Reason, Refused, Side};
use crate::pairing::{Horizon, Pair, Pairing, Slot};
use crate::runlog::{LogWriter, Table};
use crate::sandbox::digest;

/// Batches that each worker may have before it.
const AHEAD: u64 = 3;
/// Runs of pairs that may wait to be compared.
const UNCOMPARED: usize = 16;
/// Refused records of each stream and class that the report shows.
const SHOWN: usize = 10;

/// Runs the pipeline until the sources end or `stop` comes.
///
/// # Errors
/// When threads cannot be started. That the log failed is known to its writer.
pub async fn conduct(
    prepared: &Prepared,
    mut feeds: Feeds,
    log: LogWriter,
    schemas: [SchemaRef; 4],
    kept: Vec<Kept>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Outcome> {
    let began = Timestamp::now();
    let mut conductor = Conductor::start(prepared, log, schemas)?;
    tokio::pin!(stop);
    let mut end = End::Finished;
    let mut faults = Vec::new();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    while feeds.receivers.iter().any(Option::is_some) {
        let room = conductor.in_flight() < AHEAD * prepared.study.limits.workers as u64;
        let wants = Side::BOTH.map(|side| feeds.wants(side, &conductor.pairing));
        let [snapshots, decisions] = &mut feeds.receivers;
        let (side, fed) = tokio::select! {
            biased;
            () = &mut stop => {
                end = End::Interrupted;
                break;
            }
            Some(answered) = conductor.answers.recv() => {
                conductor.answered(answered);
                continue;
            }
            Some(fed) = next(snapshots), if wants[0] && room => (Side::Snapshot, fed),
            Some(fed) = next(decisions), if wants[1] => (Side::Decision, fed),
            _ = tick.tick() => {
                conductor.show();
                continue;
            }
        };
        match fed {
            Feed::Batch(decoded) => conductor.take(*decoded),
            Feed::End(fault) => {
                feeds.receivers[side as usize] = None;
                faults.extend(fault.map(|fault| fault.to_string()));
            }
        }
        if conductor.log_failed {
            break;
        }
    }
    if !faults.is_empty() && end == End::Finished {
        end = End::SourceBroke(faults);
    }
    // Whatever was taken is answered, logged and compared, however the reading ended.
    while conductor.in_flight() > 0 {
        match conductor.answers.recv().await {
            Some(answered) => conductor.answered(answered),
            None => anyhow::bail!("a thread that runs models has stopped; this is a fault in understudy"),
        }
    }
    conductor.finish(began, end, kept)
}

async fn next(receiver: &mut Option<Receiver<Feed>>) -> Option<Feed> {
    match receiver {
        Some(receiver) => receiver.recv().await.or(Some(Feed::End(None))),
        None => None,
    }
}

struct Conductor<'p> {
    prepared: &'p Prepared,
    pairing: Pairing,
    workers: Workers,
    answers: UnboundedReceiver<Answered>,
    /// Answers that came before those of an earlier job.
    early: BTreeMap<u64, Answered>,
    submitted: u64,
    done: u64,
    log: LogWriter,
    log_failed: bool,
    schemas: [SchemaRef; 4],
    /// For each side the columns that are held for its pairs.
    needed: [Vec<usize>; 2],
    judge: JoinHandle<Judged>,
    met: std::sync::mpsc::SyncSender<Vec<Met>>,
    shown: HashMap<Slot, Arc<Shown>>,
    taken: HashMap<Slot, Arc<Taken>>,
    /// Pairs whose snapshot is still being answered.
    unanswered: HashMap<Slot, Vec<(u32, Arc<Taken>, u32)>>,
    /// Batches that the pairing has let go before they were answered.
    gone: HashSet<Slot>,
    /// Rows given to the log: snapshots, decisions.
    sequence: [u64; 2],
    counts: Vec<ModelCounts>,
    latency: Vec<Histogram<u64>>,
    incidents: Incidents,
    refused: Vec<RefusedRecord>,
    progress: Progress,
}

impl<'p> Conductor<'p> {
    fn start(
        prepared: &'p Prepared,
        log: LogWriter,
        schemas: [SchemaRef; 4],
    ) -> anyhow::Result<Conductor<'p>> {
        let study = &prepared.study;
        let horizon = Horizon {
            horizon: study.horizon.as_micros() as i64,
            lateness: [study.inputs.lateness.as_micros() as i64, study.decisions.lateness.as_micros() as i64],
        };
        let (answered, answers) = unbounded_channel();
        let workers = Workers::start(prepared, &answered)?;
        let judge = Judge::new(prepared, log.clone(), shape(prepared, tables::conditions(study).sizes()));
        let (met, pairs) = std::sync::mpsc::sync_channel(UNCOMPARED);
        let judge = thread::Builder::new().name("compare".into()).spawn(move || judge.work(&pairs))?;
        let histogram = || Histogram::new(3).expect("three digits are allowed");
        Ok(Conductor {
            prepared,
            pairing: Pairing::new(horizon, seed()),
            workers,
            answers,
            early: BTreeMap::new(),
            submitted: 0,
            done: 0,
            log,
            log_failed: false,
            schemas,
            needed: needed(prepared),
            judge,
            met,
            shown: HashMap::new(),
            taken: HashMap::new(),
            unanswered: HashMap::new(),
            gone: HashSet::new(),
            sequence: [0; 2],
            counts: vec![ModelCounts::default(); prepared.models.len()],
            latency: prepared.models.iter().map(|_| histogram()).collect(),
            incidents: Incidents::default(),
            refused: Vec::new(),
            progress: Progress::start(&study.name),
        })
    }

    fn in_flight(&self) -> u64 {
        self.submitted - self.done
    }

    fn append(&mut self, table: Table, batch: RecordBatch) {
        self.log_failed |= !self.log.append(table, batch);
    }

    /// Takes decoded records of either side.
    fn take(&mut self, decoded: Decoded) {
        let Decoded { side, records, mut refused } = decoded;
        let taken = self.pairing.take(side, &records, refused.len());
        let keep: Vec<bool> = taken.refused.iter().map(Option::is_none).collect();
        for (row, refusal) in taken.refused.into_iter().enumerate() {
            if let Some((class, reason)) = refusal {
                let raw = records.raw.value(row).as_bytes().to_vec();
                refused.push(Refused { side, line: records.lines[row], class, reason, raw });
            }
        }
        self.refuse(refused);
        let records = records.filter(&keep);
        let first = self.sequence[side as usize];
        self.sequence[side as usize] += records.len() as u64;
        match side {
            Side::Snapshot => {
                for Pair { snapshot, decision } in taken.pairs {
                    let theirs = self.taken[&decision.0].clone();
                    self.unanswered.entry(taken.slot).or_default().push((snapshot.1, theirs, decision.1));
                }
                if !records.is_empty() {
                    self.workers.submit(Job { number: self.submitted, slot: taken.slot, first, records });
                    self.submitted += 1;
                }
            }
            Side::Decision => {
                self.append(Table::Decisions, tables::decisions(&self.schemas[1], first, &records));
                let ours =
                    Arc::new(Taken { first, fields: self.held(side, &records.fields), times: records.times });
                let mut met = Vec::new();
                for Pair { snapshot, decision } in taken.pairs {
                    match self.shown.get(&snapshot.0) {
                        Some(shown) => met.push(Met {
                            snapshot: (shown.clone(), snapshot.1),
                            decision: (ours.clone(), decision.1),
                        }),
                        None => self.unanswered.entry(snapshot.0).or_default().push((
                            snapshot.1,
                            ours.clone(),
                            decision.1,
                        )),
                    }
                }
                if !ours.times.is_empty() {
                    self.taken.insert(taken.slot, ours);
                }
                self.compare(met);
            }
        }
        self.let_go();
    }

    /// Takes what a worker has answered, in the order of the jobs.
    fn answered(&mut self, answered: Answered) {
        self.early.insert(answered.job.number, answered);
        while let Some(answered) = self.early.remove(&self.done) {
            self.done += 1;
            self.count(&answered);
            self.append(Table::Snapshots, tables::snapshots(&self.schemas[0], &answered));
            let Answered { job, models, windows, conditions } = answered;
            let shown = Arc::new(Shown {
                first: job.first,
                fields: self.held(Side::Snapshot, &job.records.fields),
                ids: job.records.ids,
                times: job.records.times,
                answers: models.into_iter().map(|model| model.decided.answers).collect(),
                windows,
                conditions,
            });
            let waiting = self.unanswered.remove(&job.slot).unwrap_or_default();
            let met = waiting.into_iter().map(|(row, taken, theirs)| Met {
                snapshot: (shown.clone(), row),
                decision: (taken, theirs),
            });
            self.compare(met.collect());
            if !self.gone.remove(&job.slot) {
                self.shown.insert(job.slot, shown);
            }
        }
    }

    /// The columns of a side that its pairs need; the others are let go.
    fn held(&self, side: Side, fields: &RecordBatch) -> RecordBatch {
        fields.project(&self.needed[side as usize]).expect("the columns were found when prepared")
    }

    fn compare(&mut self, met: Vec<Met>) {
        if !met.is_empty() {
            // The other end stops only by a panic, which `finish` reports.
            let _ = self.met.send(met);
        }
    }

    /// Lets go of the batches that no pair can come from any more.
    fn let_go(&mut self) {
        for slot in self.pairing.retired() {
            if self.taken.remove(&slot).is_none() && self.shown.remove(&slot).is_none() {
                self.gone.insert(slot);
            }
        }
    }

    fn count(&mut self, answered: &Answered) {
        for (index, model) in answered.models.iter().enumerate() {
            let Answers { unanswered, .. } = &model.decided.answers;
            let abstained =
                unanswered.iter().filter(|(_, why)| matches!(why, Reason::Abstained(_))).count() as u64;
            let counts = &mut self.counts[index];
            counts.abstained += abstained;
            counts.failed += unanswered.len() as u64 - abstained;
            let answers = (model.decided.answers.rows() - unanswered.len()) as u64;
            counts.answered += answers;
            self.latency[index].record_n(model.nanos, answers).expect("the histogram grows");
            for (row, what) in &model.decided.broken {
                let id = answered.job.records.ids.value(*row as usize);
                self.incidents.add(&self.prepared.models[index].name, what, id);
            }
        }
    }

    fn refuse(&mut self, refused: Vec<Refused>) {
        if refused.is_empty() {
            return;
        }
        for record in &refused {
            let (stream, class) = (record.side.plural(), record.class.name());
            let alike = |r: &&RefusedRecord| r.class == class && r.stream == stream;
            if self.refused.iter().filter(alike).count() < SHOWN {
                self.refused.push(RefusedRecord {
                    stream: stream.to_owned(),
                    line: record.line,
                    class: class.to_owned(),
                    reason: record.reason.clone(),
                });
            }
        }
        self.append(Table::Refused, tables::refused(&self.schemas[2], &refused));
    }

    fn show(&self) {
        self.progress.show(self.sequence, self.pairing.clock(Side::Snapshot), self.incidents.count());
    }

    fn finish(self, began: Timestamp, end: End, kept: Vec<Kept>) -> anyhow::Result<Outcome> {
        self.progress.finish();
        drop(self.met);
        drop(self.log);
        let judged = self.judge.join();
        let judged = judged.map_err(|_| {
            anyhow::anyhow!("the thread that compares has stopped; this is a fault in understudy")
        })?;
        let mut incidents = self.incidents;
        incidents.merge(judged.incidents);
        let counts = self.counts.into_iter().zip(&self.latency);
        let accounting = self.pairing.accounting();
        debug_assert!(accounting.balances());
        Ok(Outcome {
            began,
            ended: Timestamp::now(),
            end,
            declaration: digest(self.prepared.text.as_bytes()),
            kept,
            accounting,
            comparison: judged.comparison,
            cells: judged.cells,
            models: counts
                .map(|(counts, latency)| ModelCounts { latency: Latency::of(latency), ..counts })
                .collect(),
            substrate_latency: SubstrateLatency {
                after: Latency::of(&judged.substrate),
                before: judged.before,
            },
            incidents: incidents.list(),
            refused: self.refused,
        })
    }
}

/// Something that senders of records cannot foresee.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}
