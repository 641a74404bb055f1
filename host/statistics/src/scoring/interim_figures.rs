//! Decides which figures may be shown before the end of a run, so that no single row can be inferred.
//!
//! Invariants:
//! - The windows are divided into blocks, and the pairs of each block into parts by the scopes that are shown. Each part has no
//!   pairs or at least [`MIN_INTERIM_PAIRS`]. For the figures of a model, the same holds for the pairs that it answered: a
//!   metric may leave the others out.
//! - A figure that is shown covers whole parts, or the pairs of a value in whole blocks. No combination of both has few pairs.
//! - Later windows change neither the blocks nor the parts of earlier ones. So no figure of few pairs follows from several
//!   reports either.
//!
//! The invariants hold for all scopes together with each condition, and for the blinded pairs and the revised pairs by
//! themselves. Values of two conditions that nearly coincide are not compared with each other.

mod label_cells;
mod part_size;
mod scope_partition;
mod subgroups;
#[cfg(test)]
mod test_support;
mod value_blocks;

use std::ops::Range;

pub use self::label_cells::{LabelCell, shown_label_cells};
pub use self::part_size::{MIN_INTERIM_PAIRS, PartSize, withheld_counts};
pub use self::subgroups::ProfileSize;

use self::part_size::withheld_parts;
use self::scope_partition::ScopePartition;
use self::value_blocks::{ValueBlock, ValueBlocks};
use super::cells::{Cells, Slice};
use super::{StratumSums, VerdictEvidence, Window};
use understudy_study::AnswerForm;

/// Whether the figures of a metric with this number of components may be shown before the end of a run. Several sums over names tell,
/// beside the decisions, how often the model agrees with each name, also with one that few pairs have.
pub fn may_show_interim(form: AnswerForm, components: usize) -> bool {
    matches!(form, AnswerForm::Number | AnswerForm::Ranking) || components <= 1
}

/// Divides windows of these sizes into blocks: each window is added to a block until it has at least
/// [`MIN_INTERIM_PAIRS`] pairs, and as many answered ones or none. Also returns the size of the rest after the last block.
fn blocks(windows: &[PartSize]) -> (Vec<Range<usize>>, PartSize) {
    let (mut blocks, mut start, mut open) = (Vec::new(), 0, PartSize::default());
    for (at, window) in windows.iter().enumerate() {
        open += *window;
        if open.pairs >= MIN_INTERIM_PAIRS && !open.is_few() {
            blocks.push(start..at + 1);
            (start, open) = (at + 1, PartSize::default());
        }
    }
    (blocks, open)
}

/// The pairs of a slice in a window, and those of them that `model` answered; all of them without a model.
fn part_size(cells: &Cells, model: Option<usize>, window: Window, slice: Slice) -> PartSize {
    let Some(totals) = cells.window(window) else { return PartSize::default() };
    let pairs = totals.pairs(slice);
    let unanswered = model.map_or(0, |model| totals.unanswered(slice, model));
    PartSize { pairs, answered: pairs - unanswered }
}

/// The last window that a report up to `last` covers: an earlier one if the latest windows have pairs, but too few for a
/// figure. `None` if all windows together have too few.
pub fn last_covered_window(cells: &Cells, last: Window) -> Option<Window> {
    let windows: Vec<Window> =
        cells.iter().map(|(window, _)| window).take_while(|window| *window <= last).collect();
    let counts = windows.iter().map(|window| part_size(cells, None, *window, Slice::All));
    let (blocks, open) = blocks(&counts.collect::<Vec<_>>());
    match open.pairs {
        0 => Some(last),
        _ => blocks.last().map(|block| windows[block.end - 1]),
    }
}

/// Which figures of a run may be shown before its end.
pub struct InterimRules {
    without_model: InterimFigures,
    models: Vec<InterimFigures>,
}

impl InterimRules {
    /// The rules for these sums of a study with this number of declared scopes.
    pub fn new(cells: &Cells, evidence: &VerdictEvidence, scopes: usize) -> InterimRules {
        let figures = |model| InterimFigures::new(cells, evidence, scopes, model);
        InterimRules {
            without_model: figures(None),
            models: (0..cells.shape().models).map(|model| figures(Some(model))).collect(),
        }
    }

    /// The rules for part of the pairs, such as the revised ones. A figure of the other pairs would follow by subtraction, so
    /// these must not be few either.
    pub fn for_part(&self, part: &Cells, cells: &Cells) -> InterimRules {
        InterimRules {
            without_model: self.without_model.for_part(part, cells),
            models: self.models.iter().map(|figures| figures.for_part(part, cells)).collect(),
        }
    }

    /// The figures that are of no model.
    pub fn without_model(&self) -> &InterimFigures {
        &self.without_model
    }

    /// The figures of the model with this index in the study.
    ///
    /// # Panics
    /// If there is no such model.
    pub fn model(&self, model: usize) -> &InterimFigures {
        &self.models[model]
    }
}

/// Which figures of one model, or of the substrate, may be shown before the end of a run.
pub struct InterimFigures {
    /// The index of the model; `None` for figures of no model.
    model: Option<usize>,
    blocks: Vec<Block>,
    /// For each condition the blocks that its values cover.
    values: Vec<Vec<ValueBlock>>,
}

/// Consecutive windows with pairs. A figure covers all of them or none.
struct Block {
    windows: Vec<Window>,
    /// Whether the figure over all pairs of the block is withheld.
    all: bool,
    /// For each scope whether its figure is withheld.
    scopes: Vec<bool>,
    /// Whether the figures of the blinded pairs and of the others are withheld.
    blinding: bool,
    /// Whether these are the windows after the last block, whose figures are all withheld.
    is_rest: bool,
}

impl InterimFigures {
    /// The figures that may be shown. The figures of windows after the last block are withheld, because a later report adds
    /// these windows to a block.
    fn new(cells: &Cells, evidence: &VerdictEvidence, scopes: usize, model: Option<usize>) -> InterimFigures {
        let windows: Vec<Window> = cells.iter().map(|(window, _)| window).collect();
        let counts = windows.iter().map(|window| part_size(cells, model, *window, Slice::All));
        let (ranges, open) = blocks(&counts.collect::<Vec<_>>());
        let first = ranges.last().map_or(0, |last| last.end);
        let rest = (open.pairs > 0).then_some(first..windows.len());
        let sizes = &cells.shape().conditions;
        let mut values: Vec<ValueBlocks> = sizes.iter().map(|values| ValueBlocks::new(*values)).collect();
        let mut blocks = Vec::new();
        for range in ranges {
            let windows = &windows[range];
            let counts =
                BlockCounts::new(windows, cells, |slice, window| part_size(cells, model, window, slice));
            let mut partition = match scopes {
                0 => None,
                _ => ScopePartition::new(evidence, windows, model, sizes, counts.all),
            };
            let alone: Vec<Option<Vec<bool>>> = values
                .iter()
                .zip(&counts.values)
                .map(|(blocks, values)| blocks.withheld_alone(values))
                .collect();
            let conditions: Vec<(usize, &[bool])> =
                (0..).zip(&alone).filter_map(|(at, withheld)| Some((at, withheld.as_deref()?))).collect();
            let is_withheld = |scope: usize| {
                let divided = partition.as_ref().and_then(|known| known.divided(scope as u16, &conditions));
                let is_withheld = divided.is_none();
                partition = divided.or(partition.take());
                is_withheld
            };
            let scopes = (1..=scopes).map(is_withheld).collect();
            for (condition, (blocks, withheld)) in values.iter_mut().zip(alone).enumerate() {
                match (withheld, &partition) {
                    (Some(withheld), _) => blocks.add_alone(withheld),
                    (None, Some(partition)) => blocks.join(partition.rows(condition)),
                    (None, None) => blocks.join(vec![counts.values[condition].clone()]),
                }
            }
            let blinded = blinded_size(evidence, windows, model);
            blocks.push(Block {
                windows: windows.to_vec(),
                all: counts.all.is_few(),
                scopes,
                blinding: blinded.is_few() || counts.all.saturating_sub(blinded).is_few(),
                is_rest: false,
            });
        }
        let has_rest = rest.is_some();
        blocks.extend(rest.map(|range| Block::withheld(windows[range].to_vec(), scopes)));
        InterimFigures {
            model,
            blocks,
            values: values.into_iter().map(|values| values.finish(has_rest)).collect(),
        }
    }

    /// The figures of part of the pairs, which are never joined over blocks.
    fn for_part(&self, part: &Cells, cells: &Cells) -> InterimFigures {
        let size = |cells: &Cells, slice, window| part_size(cells, self.model, window, slice);
        let mut values: Vec<Vec<ValueBlock>> = self.values.iter().map(|_| Vec::new()).collect();
        let mut blocks = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let own = BlockCounts::new(&block.windows, cells, |slice, window| size(part, slice, window));
            let rest = BlockCounts::new(&block.windows, cells, |slice, window| {
                size(cells, slice, window).saturating_sub(size(part, slice, window))
            });
            for (blocks, (own, rest)) in values.iter_mut().zip(own.values.iter().zip(&rest.values)) {
                let withheld = withheld_parts(own).into_iter().zip(withheld_parts(rest));
                let withheld = withheld.map(|(own, rest)| own || rest || block.is_rest).collect();
                blocks.push(ValueBlock { blocks: at..at + 1, withheld });
            }
            blocks.push(Block {
                all: own.all.is_few() || rest.all.is_few() || block.is_rest,
                ..Block::withheld(block.windows.clone(), 0)
            });
        }
        InterimFigures { model: self.model, blocks, values }
    }

    /// Whether the figure over all pairs is shown.
    pub fn shows_all(&self) -> bool {
        self.blocks.iter().all(|block| !block.all)
    }

    /// Whether the figure of a window is shown.
    pub fn shows_window(&self, window: Window) -> bool {
        self.block(window).is_none_or(|at| self.blocks[at].is_one_window() && !self.blocks[at].all)
    }

    /// Whether the figure of a value of a condition over all windows is shown.
    pub fn shows_value(&self, condition: usize, value: usize) -> bool {
        self.values[condition].iter().all(|block| !block.withheld[value])
    }

    /// Whether the figure of a value of a condition in a window is shown.
    pub fn shows_value_in_window(&self, condition: usize, value: usize, window: Window) -> bool {
        self.block(window).is_none_or(|at| {
            let known = &self.values[condition];
            let block = &known[known.partition_point(|block| block.blocks.end <= at)];
            self.blocks[at].is_one_window() && block.blocks.len() == 1 && !block.withheld[value]
        })
    }

    /// Whether the figure of a slice over all windows is shown.
    pub fn shows(&self, slice: Slice) -> bool {
        match slice {
            Slice::All => self.shows_all(),
            Slice::Value { condition, value } => self.shows_value(condition, value),
        }
    }

    /// Whether the figure over some windows, in order of time, in a scope is shown. The windows must be whole blocks.
    /// Scope 0 is all pairs, and the declared scopes follow.
    pub fn shows_scope(&self, scope: usize, windows: &[Window]) -> bool {
        self.are_whole_blocks(windows, |block| match scope {
            0 => !block.all,
            declared => !block.scopes[declared - 1],
        })
    }

    /// The blocks of windows, in order of time. Statistics of what lies within a block would reveal few pairs, so an interval
    /// before the end is over whole blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &[Window]> {
        self.blocks.iter().map(|block| block.windows.as_slice())
    }

    /// The blocks of windows that the figures of a value of a condition cover, in order of time.
    pub fn value_blocks(&self, condition: usize) -> impl Iterator<Item = Vec<Window>> {
        let joined = self.values[condition].iter().map(|known| &self.blocks[known.blocks.clone()]);
        joined.map(|blocks| blocks.iter().flat_map(|block| &block.windows).copied().collect())
    }

    /// These windows, in order of time, divided into blocks. A window without pairs is a block of its own.
    pub fn divided(&self, windows: &[Window]) -> Vec<Vec<Window>> {
        let mut divided: Vec<(Option<usize>, Vec<Window>)> = Vec::new();
        for window in windows {
            let block = self.block(*window);
            // Windows without pairs may lie between those of a block.
            let own = divided.iter_mut().rev().find(|(known, _)| known.is_some());
            match own.filter(|(known, _)| *known == block) {
                Some((_, own)) => own.push(*window),
                None => divided.push((block, vec![*window])),
            }
        }
        divided.into_iter().map(|(_, windows)| windows).collect()
    }

    /// Whether the figures of the blinded pairs and of the others over some windows, in order of time, are shown.
    pub fn shows_blinding(&self, windows: &[Window]) -> bool {
        self.are_whole_blocks(windows, |block| !block.blinding)
    }

    /// Whether `is_shown` holds for each block that has any of the windows, and all its windows are among them.
    /// `windows` are in order of time.
    fn are_whole_blocks(&self, windows: &[Window], is_shown: impl Fn(&Block) -> bool) -> bool {
        let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return true };
        let mut overlapping = self.blocks[self.first_block_not_before(*first)..]
            .iter()
            .take_while(|block| block.windows.first().is_some_and(|begin| begin <= last));
        overlapping.all(|block| {
            let covered = block.windows.iter().filter(|window| windows.binary_search(window).is_ok()).count();
            covered == 0 || (covered == block.windows.len() && is_shown(block))
        })
    }

    /// The index of the first block that does not end before a window.
    fn first_block_not_before(&self, window: Window) -> usize {
        self.blocks.partition_point(|block| block.windows.last().is_some_and(|last| *last < window))
    }

    /// The index of the block of a window; `None` if the window has no pairs.
    fn block(&self, window: Window) -> Option<usize> {
        let at = self.first_block_not_before(window);
        self.blocks.get(at).filter(|block| block.windows.contains(&window)).map(|_| at)
    }
}

impl Block {
    /// A block without any figure.
    fn withheld(windows: Vec<Window>, scopes: usize) -> Block {
        Block { windows, all: true, scopes: vec![true; scopes], blinding: true, is_rest: true }
    }

    fn is_one_window(&self) -> bool {
        self.windows.len() == 1
    }
}

/// The pairs of a block.
struct BlockCounts {
    all: PartSize,
    /// By condition and value.
    values: Vec<Vec<PartSize>>,
}

impl BlockCounts {
    /// Adds up the sizes of slices in windows. `cells` has the conditions.
    fn new(windows: &[Window], cells: &Cells, size: impl Fn(Slice, Window) -> PartSize) -> BlockCounts {
        let total = |slice| windows.iter().map(|window| size(slice, *window)).sum::<PartSize>();
        let values = cells.shape().conditions.iter().enumerate().map(|(condition, values)| {
            (0..*values).map(|value| total(Slice::Value { condition, value })).collect()
        });
        BlockCounts { all: total(Slice::All), values: values.collect() }
    }
}

/// The blinded pairs of some windows.
fn blinded_size(evidence: &VerdictEvidence, windows: &[Window], model: Option<usize>) -> PartSize {
    let windows = windows.iter().filter_map(|window| evidence.windows.get(window));
    let sums = windows.flat_map(|window| &window.sums).filter(|(key, _)| key.scope == 0 && key.blinded);
    let size = |sums: &StratumSums| {
        let unanswered = model.and_then(|model| sums.models.get(model)).map_or(0, |sums| sums.unanswered);
        PartSize { pairs: sums.pairs, answered: sums.pairs - unanswered }
    };
    sums.map(|(_, sums)| size(sums)).sum()
}

#[cfg(test)]
mod tests;
