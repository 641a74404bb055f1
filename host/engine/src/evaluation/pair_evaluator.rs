//! The evaluation thread: runs the comparator and the metrics on joined pairs, and adds their scores to the
//! aggregates.
//!
//! Invariants:
//! - A pair is evaluated once.
//! - A pair without a comparator answer is counted and enters no statistic.
//! - A pair that a metric fails on is counted and leaves that metric's statistics.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use crate::batches::evaluated_pairs::{EvaluatedPairs, MetricFailure};
use crate::batches::messages::JoinedPair;
use crate::batches::pair_batch::PairBatch;
use crate::evaluation::divergence_stats::DivergenceCollector;
use crate::evaluation::model_answers::AnswerResolver;
use crate::evaluation::projection::PairProjection;
use crate::evaluation::recent_pairs::{PairSample, RecentPairs};
use crate::evaluation::self_agreement_stats::SelfAgreementCollector;
use crate::evaluation::verdict_stats::{EvidenceCollector, ScoredPairBatch};
use crate::log_schema::pair_table::PairTableBuilder;
use crate::plugins::instance_cache::InstanceCache;
use crate::plugins::plugin_versions::{PluginSlot, PluginVersions};
use crate::plugins::slot_kind::{ComparatorSlot, MetricSlot, ModelSlot, SlotVersion};
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use crate::stats::checkpoint::Checkpoint;
use crate::stats::interim_schedule::{InterimCallback, InterimSnapshot};
use understudy_records::batch::{Answers, Reason};
use understudy_run_log::checkpoint::{self, CheckpointError};
use understudy_run_log::{LogWriter, Table};
use understudy_sandbox::{Decider, Scorer, ScorerPlugin};
use understudy_statistics::scoring::{AnswerStatus, ModelScores, ScoredPairs, Window};
use understudy_study::{Micros, Nanos, PerStream, StreamKind, Study};

/// The most pairs of one evaluation. If fewer wait in the queue, those are evaluated. It affects speed, not
/// results.
pub(crate) const MAX_BATCH_PAIRS: usize = 4096;

/// A message to the evaluator. Checkpoints that it carries lack the aggregates, which the evaluator adds.
pub enum EvaluatorMessage {
    /// Pairs to evaluate and to log.
    NewPairs(Vec<JoinedPair>),
    /// Pairs to evaluate that the log already has.
    ReplayedPairs(Vec<JoinedPair>),
    /// The open segment group ends after the pairs that were sent so far. Carries the checkpoint for that
    /// position.
    RotateGroup(Box<Checkpoint>),
    /// An interim report is due.
    InterimReport(Box<InterimSnapshot>),
    /// A plugin is swapped; the first sequence number of each stream that belongs to the new generation.
    Swap(PerStream<u64>, Box<EvaluatorSwap>),
    /// All pairs of snapshots before this time have been sent, so their baselines are scored.
    SettleBefore(Micros),
    /// A request for the most recent pairs.
    SampleRecentPairs(oneshot::Sender<Option<PairSample>>),
    /// A request for a checkpoint with the current aggregates.
    SnapshotAggregates(Box<Checkpoint>, oneshot::Sender<Checkpoint>),
}

/// A new plugin version, with a running instance where the evaluator runs the plugin.
pub enum EvaluatorSwap {
    /// A model. The evaluator creates an instance when it has to call the model on a blinded snapshot.
    Model(SlotVersion<ModelSlot>),
    /// The comparator.
    Comparator(SlotVersion<ComparatorSlot>, Decider),
    /// A metric.
    Metric(SlotVersion<MetricSlot>, Scorer),
}

impl EvaluatorSwap {
    /// Makes the new version the current one of its slot.
    pub(crate) fn push_to(&self, versions: &mut PluginVersions) {
        match self {
            EvaluatorSwap::Model(new) => new.push_to(versions),
            EvaluatorSwap::Comparator(new, _) => new.push_to(versions),
            EvaluatorSwap::Metric(new, _) => new.push_to(versions),
        }
    }
}

/// Evaluates pairs.
pub struct Evaluator {
    pub(super) versions: PluginVersions,
    /// Instances of the comparator, each with its projection.
    pub(super) comparator: InstanceCache<(Decider, PairProjection)>,
    /// Instances of each metric.
    pub(super) metrics: Vec<InstanceCache<Scorer>>,
    /// Instances of the threshold's metric that score baselines.
    pub(super) baseline_scorer: InstanceCache<Scorer>,
    answer_resolver: AnswerResolver,
    pub(super) study: Study,
    pub(super) buffered_fields: PerStream<Vec<usize>>,
    /// The most recent pairs; `None` if the run is not served.
    recent_pairs: Option<RecentPairs>,
    pub(super) evidence_collector: Option<EvidenceCollector>,
    self_agreement_collector: Option<SelfAgreementCollector>,
    divergence_collector: DivergenceCollector,
    pub(super) aggregates: Aggregates,
}

impl Evaluator {
    /// An evaluator that adds to `aggregates`. For each stream, `buffered_fields` are the indices of the
    /// declared fields that the join buffers: at least those of
    /// [`buffered_fields`](crate::evaluation::projection::buffered_fields).
    pub fn new(
        sealed_study: &SealedStudy,
        buffered_fields: &PerStream<Vec<usize>>,
        mut aggregates: Aggregates,
    ) -> Evaluator {
        aggregates.withdraw_open_pairs();
        let (versions, study) = (sealed_study.versions.clone(), sealed_study.study.clone());
        let recent_pairs = study.is_live().then(|| RecentPairs::new(study.swaps.last));
        Evaluator {
            comparator: InstanceCache::default(),
            metrics: versions.metrics.iter().map(|_| InstanceCache::default()).collect(),
            baseline_scorer: InstanceCache::default(),
            answer_resolver: AnswerResolver::new(sealed_study, buffered_fields),
            versions,
            study,
            buffered_fields: buffered_fields.clone(),
            recent_pairs,
            evidence_collector: EvidenceCollector::new(sealed_study, &buffered_fields.snapshots),
            self_agreement_collector: SelfAgreementCollector::new(sealed_study, buffered_fields),
            divergence_collector: DivergenceCollector::new(sealed_study),
            aggregates,
        }
    }

    /// Processes messages until the coordinator hangs up, and returns the aggregates. New pairs go to the log
    /// as rows of `table`; interim reports go to `on_interim`.
    ///
    /// # Errors
    /// When a checkpoint cannot be encoded.
    pub fn run(
        mut self,
        messages: &Receiver<EvaluatorMessage>,
        log: &LogWriter,
        table: PairTableBuilder,
        mut on_interim: Option<InterimCallback>,
    ) -> Result<Aggregates, CheckpointError> {
        let mut next = messages.recv().ok();
        while let Some(message) = next.take() {
            match message {
                EvaluatorMessage::NewPairs(mut pairs) => {
                    while pairs.len() < MAX_BATCH_PAIRS && next.is_none() {
                        match messages.try_recv() {
                            Ok(EvaluatorMessage::NewPairs(more)) => pairs.extend(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    for evaluated in self.evaluate(pairs) {
                        // A failure of the log is reported by its writer.
                        log.append(vec![(Table::Pairs, table.batch(&evaluated))]);
                    }
                }
                EvaluatorMessage::ReplayedPairs(pairs) => {
                    // A process before this one may have published the usage of these pairs in other blocks.
                    let _paused = self.versions.pause_usage();
                    drop(self.evaluate(pairs));
                }
                EvaluatorMessage::Swap(from, swap) => self.apply_swap(from, *swap),
                EvaluatorMessage::RotateGroup(mut checkpoint) => {
                    checkpoint.aggregates = Some(self.aggregates_so_far());
                    log.end_pairs(checkpoint::encode(&*checkpoint)?);
                }
                EvaluatorMessage::InterimReport(mut report) => {
                    if let Some(on_interim) = &mut on_interim {
                        report.checkpoint.aggregates = Some(self.aggregates_so_far());
                        on_interim(*report);
                    }
                }
                EvaluatorMessage::SettleBefore(time) => self.settle_before(time),
                // A requester may have gone.
                EvaluatorMessage::SampleRecentPairs(reply) => {
                    let _ = reply.send(self.recent_pairs.as_ref().and_then(RecentPairs::latest));
                }
                EvaluatorMessage::SnapshotAggregates(mut checkpoint, reply) => {
                    checkpoint.aggregates = Some(self.aggregates_so_far());
                    let _ = reply.send(*checkpoint);
                }
            }
            next = next.or_else(|| messages.recv().ok());
        }
        Ok(self.into_aggregates())
    }

    fn apply_swap(&mut self, from: PerStream<u64>, swap: EvaluatorSwap) {
        let generation = self.versions.begin(from);
        swap.push_to(&mut self.versions);
        match swap {
            EvaluatorSwap::Model(_) => {}
            EvaluatorSwap::Comparator(SlotVersion { version, .. }, decider) => {
                let projection =
                    PairProjection::new(&self.study, &self.buffered_fields, &version.plugin.reads);
                self.comparator.insert(generation, (decider, projection));
            }
            EvaluatorSwap::Metric(SlotVersion { index, .. }, scorer) => {
                self.metrics[index].insert(generation, scorer);
            }
        }
    }

    /// Evaluates pairs and adds them to the aggregates. Returns one batch for each combination of
    /// generations.
    pub fn evaluate(&mut self, pairs: Vec<JoinedPair>) -> Vec<EvaluatedPairs> {
        let generations = |pair: &JoinedPair| {
            let sequences = pair.sequences();
            let of_snapshot = self.versions.generation_of_record(StreamKind::Snapshots, sequences.snapshots);
            (self.versions.generation_of_pair(sequences), of_snapshot)
        };
        let Some(first) = pairs.first().map(generations) else { return Vec::new() };
        if pairs.iter().all(|pair| generations(pair) == first) {
            return vec![self.evaluate_batch(&pairs, first)];
        }
        let mut by_generation: BTreeMap<_, Vec<JoinedPair>> = BTreeMap::new();
        for pair in pairs {
            by_generation.entry(generations(&pair)).or_default().push(pair);
        }
        by_generation.into_iter().map(|(of, pairs)| self.evaluate_batch(&pairs, of)).collect()
    }

    /// Evaluates pairs of one generation, whose snapshots all belong to `snapshot_generation`.
    fn evaluate_batch(
        &mut self,
        pairs: &[JoinedPair],
        (generation, snapshot_generation): (u32, u32),
    ) -> EvaluatedPairs {
        let sources = PairBatch::from_pairs(pairs);
        let version = self.versions.comparator.version_at(generation);
        let (decider, projection) = self.comparator.get_or_insert_with(version.since, || {
            let projection = PairProjection::new(&self.study, &self.buffered_fields, &version.plugin.reads);
            (version.plugin.instance(), projection)
        });
        let input = projection.project_pairs(&sources, &sources.snapshots, &sources.decisions);
        let decided = decider.decide(&input);
        version.failure_counter.count(pairs.len(), decided.answers.failed());
        for (row, reason) in &decided.broken {
            let (row, name) = (*row as usize, &self.versions.comparator.name);
            self.aggregates.failures.add(name, reason, sources.sequence(row), sources.id(row));
        }
        self.record_substrate_latency(pairs);
        let (model_answers, blinded) = self.answer_resolver.resolve(
            &self.versions,
            snapshot_generation,
            &sources,
            (&mut self.aggregates.failures, &mut self.aggregates.unanswered),
        );
        let answers = decided.answers;
        self.aggregates.unanswered.add(
            &self.versions.comparator.name,
            answers.unanswered.iter().map(|(row, why)| (*row, why)),
            |row| (sources.sequence(row), sources.id(row)),
        );
        if let Some(recent_pairs) = &mut self.recent_pairs {
            recent_pairs.add(&sources, &model_answers, &answers);
        }
        let rows: Vec<usize> = (0..pairs.len()).filter(|row| answers.reason(*row).is_none()).collect();
        self.aggregates.comparison.compared += rows.len() as u64;
        self.aggregates.comparison.incomparable += (pairs.len() - rows.len()) as u64;
        let (models, metric_failures) = match rows.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => {
                self.score_and_aggregate(generation, &sources, &rows, &answers, &model_answers, &blinded)
            }
        };
        let revised_answers =
            self.evaluate_revisions(generation, &sources, (&answers, &rows), &model_answers, &models);
        EvaluatedPairs {
            generation,
            batch: sources,
            answers,
            revised_answers,
            blinded,
            model_answers,
            answered: rows,
            models,
            metric_failures,
        }
    }

    /// Scores the pairs `rows`, which the comparator answered, and adds them to the aggregates. Returns the
    /// scores of each model, and the pairs on which metrics failed.
    fn score_and_aggregate(
        &mut self,
        generation: u32,
        sources: &PairBatch,
        rows: &[usize],
        comparator: &Answers,
        models: &[Answers],
        blinded: &[usize],
    ) -> (Vec<ModelScores>, Vec<MetricFailure>) {
        let picks: Vec<_> = rows.iter().map(|&row| (0, row)).collect();
        let comparable = |answers| match rows.len() == sources.snapshots.len() {
            true => Cow::Borrowed(answers),
            false => Cow::Owned(Answers::gather(&[answers], &picks)),
        };
        let comparator = comparable(comparator);
        let models: Vec<Cow<'_, Answers>> = models.iter().map(comparable).collect();
        let mut metric_failures = Vec::new();
        let scores = models.iter().enumerate().map(|(model, answers)| {
            let (scores, failures) = self.score(generation, answers, sources, rows, &comparator);
            metric_failures.extend(failures.into_iter().map(|failure| MetricFailure { model, ..failure }));
            scores
        });
        let scores: Vec<ModelScores> = scores.collect();
        let windows: Vec<Window> =
            rows.iter().map(|&row| sources.snapshot_value(row, |s, r| s.windows[r])).collect();
        let values = |condition: usize| {
            rows.iter().map(|&row| sources.snapshot_value(row, |s, r| s.conditions[condition][r])).collect()
        };
        let conditions: Vec<Vec<u16>> = (0..self.study.conditions.len()).map(values).collect();
        let mut is_blinded = vec![false; sources.snapshots.len()];
        blinded.iter().for_each(|&row| is_blinded[row] = true);
        let is_blinded: Vec<bool> = rows.iter().map(|&row| is_blinded[row]).collect();
        self.aggregates
            .cells
            .add(ScoredPairs { windows: &windows, conditions: &conditions, models: &scores })
            .expect("the cells have the study's shape");
        let batch = ScoredPairBatch {
            sources,
            rows,
            windows: &windows,
            conditions: &conditions,
            blinded: &is_blinded,
            comparator: &comparator,
            models: &models,
            scores: &scores,
        };
        if let Some(collector) = &mut self.evidence_collector {
            collector.add(&batch, generation, &mut self.aggregates);
        }
        if let Some(collector) = &self.self_agreement_collector {
            collector.add(&batch, &mut self.aggregates.self_agreement);
        }
        let Aggregates { profiles, answer_distributions, .. } = &mut self.aggregates;
        self.divergence_collector.add(&batch, profiles, answer_distributions);
        (scores, metric_failures)
    }

    /// The aggregates of all pairs that were evaluated.
    pub fn into_aggregates(mut self) -> Aggregates {
        self.aggregates_so_far()
    }

    /// Runs all metrics on the answers of one model to the pairs `rows`. Returns the scores and the failures, which do
    /// not name the model.
    pub(super) fn score(
        &mut self,
        generation: u32,
        answers: &Answers,
        sources: &PairBatch,
        rows: &[usize],
        comparator: &Answers,
    ) -> (ModelScores, Vec<MetricFailure>) {
        let mut statuses = vec![AnswerStatus::Answered; rows.len()];
        for (row, reason) in &answers.unanswered {
            statuses[*row as usize] = match reason {
                Reason::Abstained(_) => AnswerStatus::Abstained,
                Reason::Failed(_) | Reason::Broke(_) => AnswerStatus::Failed,
                Reason::Blinded => unreachable!("models answer blinded snapshots before they are scored"),
            };
        }
        let failures = &mut self.aggregates.failures;
        let mut metric_failures = Vec::new();
        let score =
            |(metric, (slot, cache)): (usize, (&PluginSlot<ScorerPlugin>, &mut InstanceCache<Scorer>))| {
                let version = slot.version_at(generation);
                let scorer = cache.get_or_insert_with(version.since, || version.plugin.instance());
                let mut scored = scorer.score(answers, comparator);
                version.failure_counter.count(rows.len(), scored.broken.len());
                // The host adds a last component: 1 for each pair that the metric scored.
                let mut is_scored = vec![1.0; rows.len()];
                for (row, reason) in &scored.broken {
                    is_scored[*row as usize] = 0.0;
                    let row = rows[*row as usize];
                    failures.add(&slot.name, reason, sources.sequence(row), sources.id(row));
                    metric_failures.push(MetricFailure { model: 0, metric, row, reason: reason.clone() });
                }
                scored.components.push(is_scored);
                scored.components
            };
        let scores = self.versions.metrics.iter().zip(&mut self.metrics).enumerate().map(score).collect();
        (ModelScores { statuses, scores }, metric_failures)
    }

    /// Records the time from each snapshot to its decision. Times are in microseconds, the histogram in
    /// nanoseconds.
    fn record_substrate_latency(&mut self, pairs: &[JoinedPair]) {
        for JoinedPair { snapshot: (snapshots, s), decision: (decisions, d), .. } in pairs {
            match decisions.times[*d as usize] - snapshots.times[*s as usize] {
                micros @ 0.. => self.aggregates.substrate.record(Nanos(micros as u64 * 1000)),
                _ => self.aggregates.decided_before += 1,
            }
        }
    }
}
