//! What the models answered to the snapshots of pairs: as the log has it or, where the id is blinded, as they answer now that
//! the decision is there.
//!
//! Always holds: a model is asked about a blinded snapshot only in a pair; every pair has an answer of every model, or why
//! there is none; a blinded snapshot is answered by the model that was in force when it was taken up.

use crate::batches::pair_batch::Sources;
use crate::evaluation::projection::PairProjection;
use crate::plugins::instance_cache::Seat;
use crate::plugins::load::Prepared;
use crate::plugins::plugin_versions::PluginVersions;
use crate::stats::failures::Incidents;
use understudy_records::batch::{Answers, Reason};
use understudy_sandbox::Decider;
use understudy_study::{PerStream, Study};

/// Gives answers.
pub struct AnswerResolver {
    models: usize,
    /// The models, if ids are blinded.
    late: Option<DeferredModels>,
}

/// Models that are asked once decisions are there.
struct DeferredModels {
    seats: Vec<Seat<(Decider, PairProjection)>>,
    study: Study,
    held: PerStream<Vec<usize>>,
}

impl AnswerResolver {
    /// With fresh instances of the models, if ids are blinded. `held` are the places of the declared fields that are held of
    /// each side.
    pub fn new(prepared: &Prepared, held: &PerStream<Vec<usize>>) -> AnswerResolver {
        let late = || DeferredModels {
            seats: prepared.models.iter().map(|_| Seat::default()).collect(),
            study: prepared.study.clone(),
            held: held.clone(),
        };
        AnswerResolver { models: prepared.models.len(), late: prepared.blind.as_ref().map(|_| late()) }
    }

    /// For each model what it answered to the snapshot of each pair, all of one generation, and which pairs were blinded. What
    /// breaks is noted.
    pub fn answers(
        &mut self,
        cast: &PluginVersions,
        generation: u32,
        sources: &Sources,
        incidents: &mut Incidents,
    ) -> (Vec<Answers>, Vec<usize>) {
        let mut picks = sources.snapshots.clone();
        let mut blinded = Vec::new();
        if self.late.is_some() {
            let is_blinded = |row: &usize| {
                sources.shown(*row, |shown, within| shown.answers[0].reason(within) == Some(&Reason::Blinded))
            };
            blinded.extend((0..picks.len()).filter(is_blinded));
        }
        let asked: Vec<(usize, usize)> = blinded.iter().map(|&row| sources.snapshots[row]).collect();
        for (at, row) in blinded.iter().enumerate() {
            // Behind the batches that the log has answers to.
            picks[*row] = (sources.all_shown.len(), at);
        }
        let mut late = Vec::new();
        if let Some(DeferredModels { seats, study, held }) = self.late.as_mut().filter(|_| !asked.is_empty()) {
            for (seat, part) in seats.iter_mut().zip(&cast.models) {
                let turn = part.at(generation);
                let (decider, reads) = seat.at(turn.since, || {
                    (turn.plugin.instance(), PairProjection::new(study, held, &turn.plugin.reads))
                });
                let decided = decider.decide(&reads.batch(sources, &asked, &[]));
                turn.watch.count(asked.len(), decided.answers.failed());
                for (at, why) in &decided.broken {
                    let row = blinded[*at as usize];
                    incidents.add(&part.name, why, sources.sequence(row), sources.id(row));
                }
                late.push(decided.answers);
            }
        }
        let given = (0..self.models).map(|model| {
            let logged = sources.all_shown.iter().map(|shown| &shown.answers[model]);
            Answers::gather(&logged.chain(late.get(model)).collect::<Vec<_>>(), &picks)
        });
        (given.collect(), blinded)
    }
}
