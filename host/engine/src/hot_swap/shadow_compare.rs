//! A plugin tried on the latest pairs, beside the one whose part it is to take.
//!
//! Always holds: both are asked for the same rows, and nothing of what comes of it is logged or scored.

use crate::evaluation::projection::PairReads;
use crate::evaluation::recent_pairs::Sample;
use understudy_records::batch::Answers;
use understudy_run_log::ledger::Tried;
use understudy_sandbox::{DeciderPlugin, ScorerPlugin};
use understudy_study::Study;

/// Pairs to try plugins on.
pub struct Trial<'t> {
    study: &'t Study,
    held: &'t [Vec<usize>; 2],
    sample: &'t Sample,
}

impl<'t> Trial<'t> {
    /// On these pairs. `held` are the places of the declared fields that they have of each side.
    pub fn new(study: &'t Study, held: &'t [Vec<usize>; 2], sample: &'t Sample) -> Trial<'t> {
        Trial { study, held, sample }
    }

    /// A model or comparator, beside the one that runs. That is asked afresh: what it has answered may be of one before it.
    pub fn decider(&self, old: &DeciderPlugin, new: &DeciderPlugin) -> Tried {
        let [before, now] = [old, new].map(|plugin| {
            let shown = PairReads::new(self.study, self.held, &plugin.reads).of(&self.sample.fields);
            plugin.instance().decide(&shown).answers
        });
        let pairs = self.sample.rows() as u64;
        Tried { pairs, same: pairs - before.differing(&now).len() as u64 }
    }

    /// A metric, beside the one that runs: a pair is the same if both give every model the same components.
    pub fn metric(&self, old: &ScorerPlugin, new: &ScorerPlugin) -> Tried {
        let Sample { comparator, given, .. } = self.sample;
        let answered: Vec<(usize, usize)> = (0..comparator.rows())
            .filter(|row| comparator.reason(*row).is_none())
            .map(|row| (0, row))
            .collect();
        let mut same = vec![true; answered.len()];
        let substrate = Answers::gather(&[comparator], &answered);
        for given in given {
            let said = Answers::gather(&[given], &answered);
            let [before, now] = [old, new].map(|metric| metric.instance().score(&said, &substrate));
            for (at, same) in same.iter_mut().enumerate() {
                let bits = |components: &[Vec<f64>]| {
                    components.iter().map(|component| component[at].to_bits()).collect::<Vec<_>>()
                };
                *same &= bits(&before.components) == bits(&now.components);
            }
        }
        Tried { pairs: answered.len() as u64, same: same.into_iter().filter(|same| *same).count() as u64 }
    }
}
