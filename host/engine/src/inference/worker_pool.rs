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

use crate::inference::determinism_check::{Again, Asker, Tally};
use crate::inference::work_queues::{Lanes, Task};
use crate::ingest::push_intake::Told;
use crate::log_schema::schema;
use crate::plugins::blinding::{Blind, blinded};
use crate::plugins::load::Prepared;
use crate::plugins::plugin_versions::{Turn, Watch};
use understudy_records::batch::{Answers, Reason, Records, Refused};
use understudy_records::pairing::Slot;
use understudy_sandbox::{Decided, Decider, DeciderPlugin, SandboxError};
use understudy_statistics::scoring::{Conditions, Window, WindowClock};
use understudy_study::Study;

/// Accepted snapshots, to be answered.
pub struct Job {
    /// Jobs are numbered without gaps, and taken up again in this order.
    pub number: u64,
    /// The name that the pairing has given to the batch.
    pub slot: Slot,
    /// The sequence number of each row.
    pub sequences: Vec<u64>,
    /// The generation that is to answer it.
    pub generation: u32,
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
    lanes: Option<Lanes<Job, Exchange>>,
    threads: Vec<JoinHandle<()>>,
    tally: Tally,
}

/// A model in whose place another comes: its index, and what the thread has of the new one.
pub struct Exchange(pub usize, pub Model);

impl Workers {
    /// Starts the threads. What they have answered goes to `answered`, in any order.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(prepared: &Prepared, answered: &UnboundedSender<Answered>) -> std::io::Result<Workers> {
        let mut threads = Vec::new();
        let study = &prepared.study;
        let tally = Tally::new(prepared.models.len());
        let (lanes, ends) = Lanes::new(study.limits.workers, prepared.cast.generation());
        let (retired, models) = channel::<Model>();
        // What an old model was still to be asked again is asked here, so that nobody waits for it.
        let retire = move || models.into_iter().for_each(|mut model| model.asker.ask());
        threads.push(thread::Builder::new().name("models-retired".to_owned()).spawn(retire)?);
        for (number, jobs) in ends.into_iter().enumerate() {
            let parts = prepared.cast.models.iter().enumerate();
            let worker = Worker {
                models: parts.map(|(index, part)| Model::new(study, index, part.now(), &tally)).collect(),
                classes: Classes::new(study),
                blind: prepared.blind.clone(),
                retired: retired.clone(),
            };
            let answered = answered.clone();
            let work = move || worker.work(&jobs, &answered);
            threads.push(thread::Builder::new().name(format!("models-{number}")).spawn(work)?);
        }
        Ok(Workers { lanes: Some(lanes), threads, tally })
    }

    /// Where what comes of asking models again is gathered.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
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
        drop(self.lanes);
        // A thread that panicked has been missed before: its answers never came.
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
        self.tally.take()
    }

    /// Hands a job to a thread.
    pub fn submit(&mut self, job: Job) {
        if let Some(lanes) = &mut self.lanes {
            debug_assert_eq!(job.generation, lanes.generation());
            lanes.submit(job);
        }
    }

    /// Begins the next generation, with a new model for each thread if it is a model that is exchanged.
    pub fn exchange(&mut self, new: Vec<Exchange>) {
        if let Some(lanes) = &mut self.lanes {
            lanes.exchange(new);
        }
    }
}

/// Where in a batch of snapshots the columns stand that a model reads.
fn indices(study: &Study, plugin: &DeciderPlugin) -> Vec<usize> {
    let index = |name: &str| study.inputs.fields.iter().position(|field| field.name == name);
    plugin.reads.iter().map(|f| index(&f.name).expect("checked when prepared")).collect()
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
            conditions: schema::conditions(study),
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
pub struct Model {
    decider: Decider,
    /// The columns that it reads.
    columns: Vec<usize>,
    asker: Asker,
    watch: Arc<Watch>,
}

impl Model {
    /// The model of this index, with an instance of its own.
    pub fn new(study: &Study, index: usize, turn: &Turn<DeciderPlugin>, tally: &Tally) -> Model {
        Model {
            decider: turn.plugin.instance(),
            columns: indices(study, &turn.plugin),
            asker: Asker::new(turn.plugin.clone(), index, study.log.replay_share, tally.clone()),
            watch: turn.watch.clone(),
        }
    }

    /// Makes the instance before the first batch comes.
    ///
    /// # Errors
    /// When the plugin cannot be set up.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        self.decider.start()
    }
}

struct Worker {
    models: Vec<Model>,
    classes: Classes,
    blind: Option<Blind>,
    retired: Sender<Model>,
}

impl Worker {
    fn work(mut self, jobs: &Receiver<Task<Job, Exchange>>, answered: &UnboundedSender<Answered>) {
        while let Ok(task) = jobs.recv() {
            let job = match task {
                Task::Work(job) => job,
                Task::Exchange(Exchange(index, new)) => {
                    let old = std::mem::replace(&mut self.models[index], new);
                    // The other end hears until all the threads that work are gone.
                    let _ = self.retired.send(old);
                    continue;
                }
            };
            let blinded = blinded(self.blind.as_ref(), &job.records.ids);
            let models = self.models.iter_mut().map(|model| {
                let Model { decider, columns, asker, watch } = model;
                let shown: RecordBatch =
                    job.records.fields.project(columns).expect("the columns were found when prepared");
                let started = Instant::now();
                let decided = decide(decider, &shown, &blinded);
                let nanos = vec![started.elapsed().as_nanos() as u64; shown.num_rows()];
                asker.note(&job.sequences, &job.records.ids, &shown, &decided.answers);
                watch.count(shown.num_rows(), decided.answers.failed());
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

impl Met {
    /// The sequence numbers of its snapshot and its decision.
    pub fn sequences(&self) -> [u64; 2] {
        let (shown, s) = &self.snapshot;
        let (taken, d) = &self.decision;
        [shown.sequences[*s as usize], taken.sequences[*d as usize]]
    }
}
