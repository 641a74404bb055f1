//! What the models answered to the snapshots of pairs: as the log has it or, where the id is blinded, as they answer now that
//! the decision is there.
//!
//! Always holds: a model is asked about a blinded snapshot only in a pair; every pair has an answer of every model, or why
//! there is none.

use super::incidents::Incidents;
use super::judge::Sources;
use super::prepare::{Member, Prepared};
use super::reads::PairReads;
use crate::batch::{Answers, Reason};
use crate::sandbox::{Decider, DeciderPlugin};

/// Gives answers.
pub struct Given {
    models: usize,
    /// The models, if ids are blinded.
    late: Option<Vec<Late>>,
}

/// A model that is asked once decisions are there.
struct Late {
    name: String,
    decider: Decider,
    reads: PairReads,
}

impl Given {
    /// With fresh instances of the models, if ids are blinded. `held` are the places of the declared fields that are held of
    /// each side.
    pub fn new(prepared: &Prepared, held: &[Vec<usize>; 2]) -> Given {
        let late = |model: &Member<DeciderPlugin>| Late {
            name: model.name.clone(),
            decider: model.plugin.instance(),
            reads: PairReads::new(prepared, held, &model.plugin.reads),
        };
        Given {
            models: prepared.models.len(),
            late: prepared.blind.as_ref().map(|_| prepared.models.iter().map(late).collect()),
        }
    }

    /// For each model what it answered to the snapshot of each pair, and which pairs were blinded. What breaks is noted.
    pub fn answers(&mut self, sources: &Sources, incidents: &mut Incidents) -> (Vec<Answers>, Vec<usize>) {
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
        let mut late = self.late.iter_mut().flatten().filter(|_| !asked.is_empty()).map(|model| {
            let decided = model.decider.decide(&model.reads.batch(sources, &asked, &[]));
            for (at, why) in &decided.broken {
                let row = blinded[*at as usize];
                incidents.add(&model.name, why, sources.sequence(row), sources.id(row));
            }
            decided.answers
        });
        let given = (0..self.models).map(|model| {
            let late = late.next();
            let logged = sources.all_shown.iter().map(|shown| &shown.answers[model]);
            Answers::gather(&logged.chain(&late).collect::<Vec<_>>(), &picks)
        });
        (given.collect(), blinded)
    }
}
