//! The models' answers to the snapshots of a pair batch: logged answers, or, for blinded ids, answers
//! computed now that the decision is known.
//!
//! Invariants:
//! - A model sees a blinded snapshot only after its decision has arrived.
//! - Every pair has an answer of every model, or the reason why there is none.
//! - A blinded snapshot is answered by the model version that was current when the snapshot was accepted.

use crate::batches::pair_batch::PairBatch;
use crate::evaluation::projection::PairProjection;
use crate::plugins::instance_cache::InstanceCache;
use crate::plugins::plugin_versions::PluginVersions;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::failures::FailureLog;
use crate::stats::unanswered_reasons::UnansweredReasons;
use understudy_records::batch::{Answers, Reason};
use understudy_sandbox::Decider;
use understudy_study::{PerStream, Study};

/// Provides the models' answers to pairs.
pub struct AnswerResolver {
    /// The number of models.
    models: usize,
    /// The models for blinded ids; `None` if the study has no blinding.
    deferred: Option<DeferredModels>,
}

/// Model instances that are called once decisions are known.
struct DeferredModels {
    instances: Vec<InstanceCache<(Decider, PairProjection)>>,
    study: Study,
    buffered_fields: PerStream<Vec<usize>>,
}

impl AnswerResolver {
    /// A resolver for a study. For each stream, `buffered_fields` are the indices of the declared fields that
    /// the join buffers.
    pub fn new(sealed_study: &SealedStudy, buffered_fields: &PerStream<Vec<usize>>) -> AnswerResolver {
        let deferred = sealed_study.blinding.as_ref().map(|_| DeferredModels {
            instances: sealed_study.models.iter().map(|_| InstanceCache::default()).collect(),
            study: sealed_study.study.clone(),
            buffered_fields: buffered_fields.clone(),
        });
        AnswerResolver { models: sealed_study.models.len(), deferred }
    }

    /// Returns for each model its answers to the snapshots of the pairs, and the indices of the blinded
    /// pairs, ascending. All snapshots belong to `generation`. Failed calls are added to `failures`, and the reasons
    /// of missing answers to blinded snapshots to `reasons`.
    pub fn resolve(
        &mut self,
        versions: &PluginVersions,
        generation: u32,
        sources: &PairBatch,
        (failures, reasons): (&mut FailureLog, &mut UnansweredReasons),
    ) -> (Vec<Answers>, Vec<usize>) {
        let mut picks = sources.snapshots.clone();
        let mut blinded = Vec::new();
        if self.deferred.is_some() {
            let is_blinded = |row: &usize| {
                sources.snapshot_value(*row, |batch, within| {
                    batch.answers[0].reason(within) == Some(&Reason::Blinded)
                })
            };
            blinded.extend((0..picks.len()).filter(is_blinded));
        }
        let snapshots: Vec<(usize, usize)> = blinded.iter().map(|&row| sources.snapshots[row]).collect();
        for (at, row) in blinded.iter().enumerate() {
            // The deferred answers come after the batches of logged answers.
            picks[*row] = (sources.snapshot_batches.len(), at);
        }
        let mut deferred_answers = Vec::new();
        if let Some(DeferredModels { instances, study, buffered_fields }) =
            self.deferred.as_mut().filter(|_| !snapshots.is_empty())
        {
            for (cache, slot) in instances.iter_mut().zip(&versions.models) {
                let version = slot.version_at(generation);
                let (decider, projection) = cache.get_or_insert_with(version.since, || {
                    let projection = PairProjection::new(study, buffered_fields, &version.plugin.reads);
                    (version.plugin.instance(), projection)
                });
                let decided = decider.decide(&projection.project_pairs(sources, &snapshots, &[]));
                version.failure_counter.count(snapshots.len(), decided.answers.failed());
                for (at, reason) in &decided.broken {
                    let row = blinded[*at as usize];
                    failures.add(&slot.name, reason, sources.sequence(row), sources.id(row));
                }
                let unanswered = decided.answers.unanswered.iter().map(|(at, why)| (*at, why));
                let row_key = |at: usize| (sources.sequence(blinded[at]), sources.id(blinded[at]));
                reasons.add(&slot.name, unanswered, row_key);
                deferred_answers.push(decided.answers);
            }
        }
        let answers = (0..self.models).map(|model| {
            let logged = sources.snapshot_batches.iter().map(|batch| &batch.answers[model]);
            Answers::gather(&logged.chain(deferred_answers.get(model)).collect::<Vec<_>>(), &picks)
        });
        (answers.collect(), blinded)
    }
}
