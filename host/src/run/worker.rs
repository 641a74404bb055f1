//! The threads that run models. Each owns an instance of every model; a batch is answered by one thread.
//!
//! Always holds: a job that goes in comes out once, whatever the models do with it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use arrow::array::{Array as _, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use tokio::sync::mpsc::UnboundedSender;

use super::again::{Again, Asker, Tally};
use super::blind::{Blind, blinded};
use super::live::Told;
use super::prepare::{Member, Prepared};
use super::tables;
use crate::batch::{Answers, Reason, Records, Refused};
use crate::pairing::Slot;
use crate::sandbox::{Decided, Decider, DeciderPlugin};
use crate::scoring::{Conditions, Window, WindowClock};
use crate::study::Study;

/// Accepted snapshots, to be answered.
pub struct Job {
    /// Jobs are numbered without gaps, and taken up again in this order.
    pub number: u64,
    /// The name that the pairing has given to the batch.
    pub slot: Slot,
    /// The sequence number of each row.
    pub sequences: Vec<u64>,
    /// The snapshots.
    pub records: Records,
    /// The records that came with them and were refused, so that the log has all in the order of the stream.
    pub refused: Vec<(u64, Refused)>,
    /// The sequence number that the next record of the stream has.
    pub next: u64,
    /// Who waits to be told that they are on disk.
    pub told: Told,
}

/// Snapshots with everything that is known of them before their decision.
pub struct Answered {
    /// The job.
    pub job: Job,
    /// For each model what it answered.
    pub models: Vec<Timed>,
    /// The window of each row.
    pub windows: Vec<Window>,
    /// For each condition the value of each row.
    pub conditions: Vec<Vec<u16>>,
}

impl Answered {
    /// A job without rows.
    pub fn nothing(job: Job) -> Answered {
        Answered { job, models: Vec::new(), windows: Vec::new(), conditions: Vec::new() }
    }
}

/// What a model answered to a batch.
pub struct Timed {
    /// The answers.
    pub decided: Decided,
    /// For each row the nanoseconds until its whole batch was answered: what the row waited for this model.
    pub nanos: Vec<u64>,
}

/// The worker threads.
#[derive(Default)]
pub struct Workers {
    queues: Vec<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    tally: Tally,
}

impl Workers {
    /// Starts the threads. What they have answered goes to `answered`, in any order.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(prepared: &Prepared, answered: &UnboundedSender<Answered>) -> std::io::Result<Workers> {
        let (mut queues, mut threads) = (Vec::new(), Vec::new());
        let tally = Tally::new(prepared.models.len());
        let share = prepared.study.log.replay_share;
        for number in 0..prepared.study.limits.workers {
            let (queue, jobs) = channel();
            let model = |(index, member): (usize, &Member<DeciderPlugin>)| Model {
                decider: member.plugin.instance(),
                columns: indices(prepared, member),
                asker: Asker::new(member.plugin.clone(), index, share, tally.clone()),
            };
            let worker = Worker {
                models: prepared.models.iter().enumerate().map(model).collect(),
                classes: Classes::new(&prepared.study),
                blind: prepared.blind.clone(),
            };
            let answered = answered.clone();
            let work = move || worker.work(&jobs, &answered);
            threads.push(thread::Builder::new().name(format!("models-{number}")).spawn(work)?);
            queues.push(queue);
        }
        Ok(Workers { queues, threads, tally })
    }

    /// What has come of asking the models again since the last time.
    pub fn again(&self) -> Vec<Again> {
        self.tally.take()
    }

    /// Whether a model has answered otherwise, asked again, since the last time.
    pub fn differs(&self) -> bool {
        self.tally.differs()
    }

    /// Ends the threads, and gives what has come of asking the models again since the last time.
    pub fn finish(self) -> Vec<Again> {
        drop(self.queues);
        // A thread that panicked has been missed before: its answers never came.
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
        self.tally.take()
    }

    /// Hands a job to a thread.
    pub fn submit(&self, job: Job) {
        let queue = &self.queues[(job.number % self.queues.len() as u64) as usize];
        // A thread hangs up only when nobody waits for its answers any more.
        let _ = queue.send(job);
    }
}

/// Where in a batch of snapshots the columns stand that a model reads.
fn indices(prepared: &Prepared, model: &Member<DeciderPlugin>) -> Vec<usize> {
    let fields = &prepared.study.inputs.fields;
    let index = |name: &str| fields.iter().position(|field| field.name == name);
    model.plugin.reads.iter().map(|f| index(&f.name).expect("checked when prepared")).collect()
}

/// Tells windows and condition values.
pub struct Classes {
    clock: WindowClock,
    conditions: Conditions,
}

impl Classes {
    /// For the windows and conditions of a study.
    pub fn new(study: &Study) -> Classes {
        Classes {
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            conditions: tables::conditions(study),
        }
    }

    /// The window of each record, and for each condition the value of each.
    pub fn classify(&mut self, records: &Records) -> (Vec<Window>, Vec<Vec<u16>>) {
        let windows = records.times.iter().map(|&time| self.clock.window(time)).collect();
        let conditions = self.conditions.classify(&records.fields, &records.times);
        (windows, conditions.expect("the declaration's fields are the batch's columns"))
    }
}

/// A model, as one thread has it.
struct Model {
    decider: Decider,
    /// The columns that it reads.
    columns: Vec<usize>,
    asker: Asker,
}

struct Worker {
    models: Vec<Model>,
    classes: Classes,
    blind: Option<Blind>,
}

impl Worker {
    fn work(mut self, jobs: &Receiver<Job>, answered: &UnboundedSender<Answered>) {
        while let Ok(job) = jobs.recv() {
            let blinded = blinded(self.blind.as_ref(), &job.records.ids);
            let models = self.models.iter_mut().map(|Model { decider, columns, asker }| {
                let shown: RecordBatch =
                    job.records.fields.project(columns).expect("the columns were found when prepared");
                let started = Instant::now();
                let decided = decide(decider, &shown, &blinded);
                let nanos = vec![started.elapsed().as_nanos() as u64; shown.num_rows()];
                asker.note(&job.sequences, &job.records.ids, &shown, &decided.answers);
                Timed { decided, nanos }
            });
            let models = models.collect();
            let (windows, conditions) = self.classes.classify(&job.records);
            if answered.send(Answered { job, models, windows, conditions }).is_err() {
                return;
            }
        }
        self.models.iter_mut().for_each(|model| model.asker.ask());
    }
}

/// Asks a model about the rows of a batch that are not blinded.
fn decide(decider: &mut Decider, batch: &RecordBatch, blinded: &BooleanArray) -> Decided {
    if blinded.true_count() == 0 {
        return decider.decide(batch);
    }
    let open = not(blinded).expect("a mask can be turned round");
    let shown = filter_record_batch(batch, &open).expect("the mask has one value a row");
    let mut decided = decider.decide(&shown);
    let unasked = Answers::none(decided.answers.form(), 1, &Reason::Blinded);
    let rows: Vec<u32> = (0..blinded.len() as u32).filter(|row| open.value(*row as usize)).collect();
    let mut picks = vec![(1, 0); blinded.len()];
    rows.iter().enumerate().for_each(|(at, row)| picks[*row as usize] = (0, at));
    decided.answers = Answers::gather(&[&decided.answers, &unasked], &picks);
    decided.broken.iter_mut().for_each(|(row, _)| *row = rows[*row as usize]);
    decided
}

/// What a pair needs of its snapshot: held until the last row of its batch is paired or expired.
pub struct Shown {
    /// Sequence numbers.
    pub sequences: Vec<u64>,
    /// The snapshots' fields that are held for pairs.
    pub fields: RecordBatch,
    /// Ids.
    pub ids: arrow::array::StringArray,
    /// Observed times, microseconds.
    pub times: Vec<i64>,
    /// For each model its answers.
    pub answers: Vec<Answers>,
    /// The window of each row.
    pub windows: Vec<Window>,
    /// For each condition the value of each row.
    pub conditions: Vec<Vec<u16>>,
}

/// What a pair needs of its decision.
pub struct Taken {
    /// Sequence numbers.
    pub sequences: Vec<u64>,
    /// The decisions' fields that are held for pairs.
    pub fields: RecordBatch,
    /// Times of the decisions, microseconds.
    pub times: Vec<i64>,
}

impl Shown {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let row = 8 + 8 + size_of::<Window>() + 2 * self.conditions.len();
        let answers: usize = self.answers.iter().map(Answers::bytes).sum();
        column_bytes(self.fields.columns())
            + column_bytes(&[Arc::new(self.ids.clone())])
            + row * self.times.len()
            + answers
    }
}

impl Taken {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        column_bytes(self.fields.columns()) + 16 * self.times.len()
    }
}

fn column_bytes(columns: &[ArrayRef]) -> usize {
    columns.iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or_default()).sum()
}

/// A pair, held by what it needs.
pub struct Met {
    /// The snapshot's batch and row.
    pub snapshot: (Arc<Shown>, u32),
    /// The decision's batch and row.
    pub decision: (Arc<Taken>, u32),
}
