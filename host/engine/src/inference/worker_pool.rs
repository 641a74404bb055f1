//! The worker threads that run the models. Each thread owns an instance of every model and processes whole
//! batches.
//!
//! Invariants: every submitted batch comes back once, whatever the models do with it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use tokio::sync::mpsc::UnboundedSender;

use crate::batches::messages::{InferredBatch, ModelOutput, RowLatencies, SnapshotBatch};
use crate::batches::slice_classifier::SliceClassifier;
use crate::inference::determinism_check::{DeterminismChecker, SharedDeterminismStats};
use crate::inference::work_queues::{QueueItem, WorkQueues};
use crate::plugins::blinding::{BlindingRule, blinding_mask};
use crate::plugins::plugin_versions::{FailureCounter, PluginSlot, PluginVersion};
use crate::seal::sealed_study::SealedStudy;
use crate::stats::determinism::DeterminismStats;
use understudy_records::batch::{Answers, Reason};
use understudy_sandbox::{AnsweredBatch, Decider, DeciderPlugin, SandboxError};
use understudy_study::{Nanos, Study};

/// The worker threads and the queues that feed them. The default value has no threads; it stands in for a
/// pool that has been finished.
#[derive(Default)]
pub struct WorkerPool {
    queues: Option<WorkQueues<SnapshotBatch, ModelSwap>>,
    threads: Vec<JoinHandle<()>>,
    determinism_stats: SharedDeterminismStats,
}

/// The new instance of a swapped model for one worker.
pub struct ModelSwap {
    /// The index of the model in the study.
    pub model: usize,
    /// The instance that replaces the worker's own.
    pub instance: ModelInstance,
}

impl WorkerPool {
    /// Starts `limits.workers` threads. They send processed batches to `results`, in any order.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(
        sealed_study: &SealedStudy,
        results: &UnboundedSender<InferredBatch>,
    ) -> std::io::Result<WorkerPool> {
        let mut threads = Vec::new();
        let study = &sealed_study.study;
        let determinism_stats = SharedDeterminismStats::new(sealed_study.models.len());
        let (queues, receivers) = WorkQueues::new(study.limits.workers, sealed_study.versions.generation());
        let (retired, retired_models) = channel::<ModelInstance>();
        // The last determinism check of a replaced model runs on this thread, so that no worker waits for it.
        let check_retired =
            move || retired_models.into_iter().for_each(|mut model| model.determinism_checker.check());
        threads.push(thread::Builder::new().name("models-retired".to_owned()).spawn(check_retired)?);
        for (number, queue) in receivers.into_iter().enumerate() {
            let instance = |(index, slot): (usize, &PluginSlot<DeciderPlugin>)| {
                ModelInstance::new(study, index, slot.current(), &determinism_stats)
            };
            let worker = Worker {
                models: sealed_study.versions.models.iter().enumerate().map(instance).collect(),
                slice_classifier: SliceClassifier::new(study),
                blinding: sealed_study.blinding.clone(),
                retired: retired.clone(),
            };
            let results = results.clone();
            let run = move || worker.run(&queue, &results);
            threads.push(thread::Builder::new().name(format!("models-{number}")).spawn(run)?);
        }
        Ok(WorkerPool { queues: Some(queues), threads, determinism_stats })
    }

    /// The results of the determinism check, as the workers share them.
    pub fn determinism_stats(&self) -> &SharedDeterminismStats {
        &self.determinism_stats
    }

    /// Ends the threads after their last batch. Returns the determinism results since they were last drained.
    pub fn finish(self) -> Vec<DeterminismStats> {
        drop(self.queues);
        // The coordinator has already reported a thread that panicked: its results never came.
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
        self.determinism_stats.drain()
    }

    /// Submits a batch to the next worker in turn.
    pub fn submit(&mut self, job: SnapshotBatch) {
        if let Some(queues) = &mut self.queues {
            debug_assert_eq!(job.generation, queues.generation());
            queues.submit(job);
        }
    }

    /// Starts the next generation. `swaps` has one new instance for each worker if a model is swapped, else
    /// it is empty.
    pub fn begin_generation(&mut self, swaps: Vec<ModelSwap>) {
        if let Some(queues) = &mut self.queues {
            queues.begin_generation(swaps);
        }
    }
}

/// The columns of a snapshot batch that a model reads.
fn column_indices(study: &Study, plugin: &DeciderPlugin) -> Vec<usize> {
    let index = |name: &str| study.inputs.fields.iter().position(|field| field.name == name);
    plugin.reads.iter().map(|f| index(&f.name).expect("checked when the plugin was loaded")).collect()
}

/// A model as one worker has it.
pub struct ModelInstance {
    decider: Decider,
    /// The columns of a snapshot batch that the model reads.
    columns: Vec<usize>,
    determinism_checker: DeterminismChecker,
    failure_counter: Arc<FailureCounter>,
}

impl ModelInstance {
    /// A new instance of the model at `index` in the study. The sandbox sets it up at the first batch or in
    /// [`start`](Self::start).
    pub fn new(
        study: &Study,
        index: usize,
        version: &PluginVersion<DeciderPlugin>,
        stats: &SharedDeterminismStats,
    ) -> ModelInstance {
        let (plugin, share) = (version.plugin.clone(), study.log.replay_share);
        ModelInstance {
            decider: version.plugin.instance(),
            columns: column_indices(study, &version.plugin),
            determinism_checker: DeterminismChecker::new(plugin, index, share, stats.clone()),
            failure_counter: version.failure_counter.clone(),
        }
    }

    /// Sets the instance up before its first batch, so that a swap does not delay that batch.
    ///
    /// # Errors
    /// When the plugin cannot be set up.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        self.decider.start()
    }
}

struct Worker {
    models: Vec<ModelInstance>,
    slice_classifier: SliceClassifier,
    blinding: Option<BlindingRule>,
    /// Where replaced models go for their last determinism check.
    retired: Sender<ModelInstance>,
}

impl Worker {
    fn run(
        mut self,
        queue: &Receiver<QueueItem<SnapshotBatch, ModelSwap>>,
        results: &UnboundedSender<InferredBatch>,
    ) {
        while let Ok(item) = queue.recv() {
            let job = match item {
                QueueItem::Work(job) => job,
                QueueItem::Swap(ModelSwap { model, instance }) => {
                    let replaced = std::mem::replace(&mut self.models[model], instance);
                    // The receiver lives until all workers have ended.
                    let _ = self.retired.send(replaced);
                    continue;
                }
            };
            let blinded = blinding_mask(self.blinding.as_ref(), &job.records.ids);
            let models = self.models.iter_mut().map(|model| {
                let ModelInstance { decider, columns, determinism_checker, failure_counter } = model;
                let input: RecordBatch =
                    job.records.fields.project(columns).expect("the columns are those of the study");
                let started = Instant::now();
                let decided = decide_open_rows(decider, &input, &blinded);
                let latencies = RowLatencies::uniform(input.num_rows(), Nanos::from(started.elapsed()));
                determinism_checker.collect(&job.sequences, &job.records.ids, &input, &decided.answers);
                failure_counter.count(input.num_rows(), decided.answers.failed());
                ModelOutput { output: decided, latencies }
            });
            let models = models.collect();
            let (windows, conditions) = self.slice_classifier.classify(&job.records);
            if results.send(InferredBatch { batch: job, models, windows, conditions }).is_err() {
                return;
            }
        }
        self.models.iter_mut().for_each(|model| model.determinism_checker.check());
    }
}

/// Runs a model on the rows that are not blinded. The others have [`Reason::Blinded`] in place of an answer.
fn decide_open_rows(decider: &mut Decider, batch: &RecordBatch, blinded: &BooleanArray) -> AnsweredBatch {
    if blinded.true_count() == 0 {
        return decider.decide(batch);
    }
    let open = not(blinded).expect("a mask can be inverted");
    let input = filter_record_batch(batch, &open).expect("the mask has one value a row");
    let mut decided = decider.decide(&input);
    let unasked = Answers::unanswered(decided.answers.schema(), 1, &Reason::Blinded);
    let rows: Vec<u32> = (0..blinded.len() as u32).filter(|row| open.value(*row as usize)).collect();
    let mut picks = vec![(1, 0); blinded.len()];
    rows.iter().enumerate().for_each(|(at, row)| picks[*row as usize] = (0, at));
    decided.answers = Answers::gather(&[&decided.answers, &unasked], &picks);
    decided.broken.iter_mut().for_each(|(row, _)| *row = rows[*row as usize]);
    decided
}
