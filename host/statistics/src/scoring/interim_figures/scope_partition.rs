//! Divides the pairs of a block into parts by the scopes whose figures are shown.
//!
//! Invariants:
//! - Each part is empty or has enough pairs. A sum over some scopes, with any factors, covers whole parts. So no intersection,
//!   difference or other combination of shown scopes has few pairs.
//! - No combination with the shown values of one condition has few pairs either.

use super::part_size::{PartSize, reveals_few};
use crate::scoring::{ValueCounts, VerdictEvidence, Window};

/// The pairs of a block, divided by scopes.
#[derive(Clone)]
pub struct ScopePartition {
    sets: Vec<ScopeSet>,
    /// The number of parts.
    parts: usize,
}

/// The pairs that belong to the same scopes.
#[derive(Clone)]
struct ScopeSet {
    /// The scopes, in ascending order, with scope 0.
    scopes: Vec<u16>,
    /// The number of pairs by condition and value.
    sizes: Vec<Vec<PartSize>>,
    /// The index of the part.
    part: usize,
}

impl ScopePartition {
    /// All pairs of these windows as one part. `values` are the numbers of values of the conditions. `None` if the pairs were
    /// not counted by scopes, such as in a study without a threshold. The counts must add up to `all`.
    pub fn new(
        evidence: &VerdictEvidence,
        windows: &[Window],
        model: Option<usize>,
        values: &[usize],
        all: PartSize,
    ) -> Option<ScopePartition> {
        let mut sets: Vec<ScopeSet> = Vec::new();
        for window in windows.iter().filter_map(|window| evidence.windows.get(window)) {
            for (scopes, counts) in window.scope_sets.sets()? {
                let at = sets.iter().position(|set| set.scopes == scopes).unwrap_or(sets.len());
                if at == sets.len() {
                    let sizes = values.iter().map(|values| vec![PartSize::default(); *values]).collect();
                    sets.push(ScopeSet { scopes: scopes.to_vec(), sizes, part: 0 });
                }
                for ((condition, value), counts) in counts {
                    *sets[at].sizes.get_mut(usize::from(*condition))?.get_mut(usize::from(*value))? +=
                        size(counts, model);
                }
            }
        }
        let counted = sets.iter().flat_map(|set| set.sizes.first()).flatten().copied().sum::<PartSize>();
        (counted == all).then_some(ScopePartition { sets, parts: 1 })
    }

    /// Divides the parts by scope `scope`. `None` if the figure of the scope would reveal few pairs, alone or together with the
    /// figures of the earlier scopes and of the values of a condition. `conditions` has the index of each condition whose
    /// values have figures in this block, and for each value whether its figure is withheld.
    pub fn divided(&self, scope: u16, conditions: &[(usize, &[bool])]) -> Option<ScopePartition> {
        let mut divided = self.clone();
        let mut parts: Vec<(usize, bool)> = Vec::new();
        for set in &mut divided.sets {
            let part = (set.part, set.scopes.contains(&scope));
            let at = parts.iter().position(|known| *known == part).unwrap_or(parts.len());
            if at == parts.len() {
                parts.push(part);
            }
            set.part = at;
        }
        divided.parts = parts.len();
        let is_few = divided.rows(0).iter().any(|row| row.iter().copied().sum::<PartSize>().is_few());
        let reveals =
            |(condition, withheld): &(usize, &[bool])| reveals_few(&divided.rows(*condition), withheld);
        (!is_few && !conditions.iter().any(reveals)).then_some(divided)
    }

    /// For each part the number of pairs by value of a condition.
    pub fn rows(&self, condition: usize) -> Vec<Vec<PartSize>> {
        let values = self.sets.first().map_or(0, |set| set.sizes[condition].len());
        let mut rows = vec![vec![PartSize::default(); values]; self.parts];
        for set in &self.sets {
            rows[set.part].iter_mut().zip(&set.sizes[condition]).for_each(|(own, more)| *own += *more);
        }
        rows
    }
}

/// The size of a set of pairs, as the figures of `model` see it.
fn size(counts: &ValueCounts, model: Option<usize>) -> PartSize {
    let unanswered = model.and_then(|model| counts.unanswered.get(model)).copied().unwrap_or(0);
    PartSize { pairs: counts.pairs, answered: counts.pairs - unanswered }
}
