//! Decides which figures may be shown before the end of a run, so that nobody who still has to decide learns about a
//! single row.
//!
//! Invariants:
//! - The windows are divided into blocks, and the pairs of each block into parts. Each part that is shown has no pairs or at
//!   least [`MIN_INTERIM_PAIRS`]. For the figures of a model, the same holds for the pairs that it answered: a metric may
//!   leave the others out.
//! - A figure that is shown covers whole parts. So no figure of fewer pairs follows by subtraction from one report.
//! - Later windows change neither the blocks nor the parts of earlier ones. So none follows from several reports either.
//!
//! The invariants hold for each condition, each scope, the blinded pairs and the revised pairs by themselves. Conditions
//! that nearly coincide are not compared with each other.

use std::iter::Sum;
use std::ops::{AddAssign, Range};

use super::cells::{Cells, Slice};
use super::{VerdictEvidence, Window};
use understudy_study::Scope;

/// The minimum number of pairs that a figure covers before the end of a run.
pub const MIN_INTERIM_PAIRS: u64 = 5;

/// The size of a set of pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct PartSize {
    pairs: u64,
    /// Those that the model answered; all of them for a figure of no model.
    answered: u64,
}

impl PartSize {
    /// Whether a figure of these pairs is withheld.
    fn is_few(self) -> bool {
        [self.pairs, self.answered].into_iter().any(|count| (1..MIN_INTERIM_PAIRS).contains(&count))
    }

    fn saturating_sub(self, other: PartSize) -> PartSize {
        PartSize {
            pairs: self.pairs.saturating_sub(other.pairs),
            answered: self.answered.saturating_sub(other.answered),
        }
    }
}

impl AddAssign for PartSize {
    fn add_assign(&mut self, other: PartSize) {
        self.pairs += other.pairs;
        self.answered += other.answered;
    }
}

impl Sum for PartSize {
    fn sum<I: Iterator<Item = PartSize>>(sizes: I) -> PartSize {
        sizes.fold(PartSize::default(), |mut sum, size| {
            sum += size;
            sum
        })
    }
}

/// For each part of a partition of pairs whether its figure is withheld. First, parts of few pairs are withheld. Then the
/// smallest other parts follow, until the withheld parts together are not few.
fn withheld_parts(parts: &[PartSize]) -> Vec<bool> {
    let mut withheld: Vec<bool> = parts.iter().map(|part| part.is_few()).collect();
    loop {
        let total: PartSize =
            parts.iter().zip(&withheld).filter(|(_, withheld)| **withheld).map(|(part, _)| *part).sum();
        let shown = (0..parts.len()).filter(|at| !withheld[*at] && parts[*at].pairs > 0);
        match shown.min_by_key(|at| parts[*at]).filter(|_| total.is_few()) {
            Some(smallest) => withheld[smallest] = true,
            None => return withheld,
        }
    }
}

/// For each of these numbers of pairs, which belong to the parts of a partition, whether it is withheld before the end of a
/// run. The withheld numbers together are at least [`MIN_INTERIM_PAIRS`], if any others remain.
pub fn withheld_counts(counts: &[u64]) -> Vec<bool> {
    let parts = counts.iter().map(|pairs| PartSize { pairs: *pairs, answered: *pairs });
    withheld_parts(&parts.collect::<Vec<_>>())
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
    /// The rules for these sums. `is_stopped` says whether they are those of a run that was stopped.
    pub fn new(
        cells: &Cells,
        evidence: &VerdictEvidence,
        scopes: &[Scope],
        is_stopped: bool,
    ) -> InterimRules {
        let figures =
            |model| InterimFigures::new(cells, model, is_stopped).with_evidence(cells, evidence, scopes);
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

    /// The figures of a model.
    pub fn model(&self, model: usize) -> &InterimFigures {
        &self.models[model]
    }
}

/// Which figures of one model, or of the substrate, may be shown before the end of a run.
pub struct InterimFigures {
    /// The index of the model; `None` for figures of no model.
    model: Option<usize>,
    blocks: Vec<Block>,
}

/// Consecutive windows with pairs. A figure covers all of them or none.
struct Block {
    windows: Vec<Window>,
    /// Whether the figure over all pairs of the block is withheld.
    all: bool,
    /// For each value of each condition whether its figure is withheld.
    values: Vec<Vec<bool>>,
    /// For each scope whether its figure is withheld.
    scopes: Vec<bool>,
    /// Whether the figures of the blinded pairs and of the others are withheld.
    blinding: bool,
    /// Whether these are the windows after the last block, whose figures are all withheld.
    is_rest: bool,
}

impl InterimFigures {
    /// The figures that may be shown. The figures of windows after the last block are withheld, because a later report adds
    /// these windows to a block. If the run was stopped, they belong to the last block.
    fn new(cells: &Cells, model: Option<usize>, is_stopped: bool) -> InterimFigures {
        let windows: Vec<Window> = cells.iter().map(|(window, _)| window).collect();
        let counts = windows.iter().map(|window| part_size(cells, model, *window, Slice::All));
        let (mut ranges, open) = blocks(&counts.collect::<Vec<_>>());
        let mut rest = None;
        match ranges.last_mut() {
            Some(last) if is_stopped => last.end = windows.len(),
            _ if open.pairs > 0 => rest = Some(ranges.last().map_or(0, |last| last.end)..windows.len()),
            _ => {}
        }
        let block = |range: Range<usize>| {
            let counts = |slice, window| part_size(cells, model, window, slice);
            Block::new(windows[range].to_vec(), counts, cells)
        };
        let rest = rest.map(|range| block(range).withheld());
        InterimFigures { model, blocks: ranges.into_iter().map(block).chain(rest).collect() }
    }

    /// Adds the scopes and the blinded pairs.
    fn with_evidence(
        mut self,
        cells: &Cells,
        evidence: &VerdictEvidence,
        scopes: &[Scope],
    ) -> InterimFigures {
        for block in &mut self.blocks {
            block.add_evidence(cells, self.model, evidence, scopes);
        }
        self
    }

    fn for_part(&self, part: &Cells, cells: &Cells) -> InterimFigures {
        let counts = |cells: &Cells, slice, window| part_size(cells, self.model, window, slice);
        let block = |block: &Block| {
            let windows = || block.windows.clone();
            let own = Block::new(windows(), |slice, window| counts(part, slice, window), cells);
            let rest =
                |slice, window| counts(cells, slice, window).saturating_sub(counts(part, slice, window));
            let rest = Block::new(windows(), rest, cells);
            let either = |own: &Vec<bool>, rest: &Vec<bool>| {
                own.iter().zip(rest).map(|(own, rest)| *own || *rest).collect()
            };
            let combined = Block {
                all: own.all || rest.all,
                values: own.values.iter().zip(&rest.values).map(|(own, rest)| either(own, rest)).collect(),
                ..own
            };
            if block.is_rest { combined.withheld() } else { combined }
        };
        InterimFigures { model: self.model, blocks: self.blocks.iter().map(block).collect() }
    }

    /// Whether the figure over all pairs is shown.
    pub fn shows_all(&self) -> bool {
        self.blocks.iter().all(|block| !block.all)
    }

    /// Whether the figure of a window is shown.
    pub fn shows_window(&self, window: Window) -> bool {
        self.block(window).is_none_or(|block| block.is_one_window() && !block.all)
    }

    /// Whether the figure of a value of a condition over all windows is shown.
    pub fn shows_value(&self, condition: usize, value: usize) -> bool {
        self.blocks.iter().all(|block| !block.values[condition][value])
    }

    /// Whether the figure of a value of a condition in a window is shown.
    pub fn shows_value_in_window(&self, condition: usize, value: usize, window: Window) -> bool {
        self.block(window).is_none_or(|block| block.is_one_window() && !block.values[condition][value])
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

    /// The block of a window; `None` if the window has no pairs.
    fn block(&self, window: Window) -> Option<&Block> {
        let block = self.blocks.get(self.first_block_not_before(window));
        block.filter(|block| block.windows.contains(&window))
    }
}

impl Block {
    fn new(windows: Vec<Window>, counts: impl Fn(Slice, Window) -> PartSize, cells: &Cells) -> Block {
        let total = |slice| windows.iter().map(|window| counts(slice, *window)).sum::<PartSize>();
        let sizes = cells.shape().conditions.iter().enumerate();
        let values = sizes.map(|(condition, values)| {
            let totals = (0..*values).map(|value| total(Slice::Value { condition, value }));
            withheld_parts(&totals.collect::<Vec<_>>())
        });
        let (all, values) = (total(Slice::All).is_few(), values.collect());
        Block { windows, all, values, scopes: Vec::new(), blinding: false, is_rest: false }
    }

    /// The block without any figure.
    fn withheld(mut self) -> Block {
        self.values.iter_mut().flatten().for_each(|withheld| *withheld = true);
        Block { all: true, is_rest: true, ..self }
    }

    fn is_one_window(&self) -> bool {
        self.windows.len() == 1
    }

    /// Adds the scopes and the blinded pairs. The figure of a scope is withheld if the scope has few pairs, or if the
    /// difference between the scope and a shown figure has.
    fn add_evidence(
        &mut self,
        cells: &Cells,
        model: Option<usize>,
        evidence: &VerdictEvidence,
        scopes: &[Scope],
    ) {
        let total = |slice| {
            self.windows.iter().map(|window| part_size(cells, model, *window, slice)).sum::<PartSize>()
        };
        let all = total(Slice::All);
        let (mut own, mut blinded) = (vec![PartSize::default(); 1 + scopes.len()], PartSize::default());
        for window in self.windows.iter().filter_map(|window| evidence.windows.get(window)) {
            for (key, sums) in &window.sums {
                let sums_of_model = model.and_then(|model| sums.models.get(model));
                let unanswered = sums_of_model.map_or(0, |sums| sums.unanswered);
                let counts = PartSize { pairs: sums.pairs, answered: sums.pairs - unanswered };
                own[usize::from(key.scope)] += counts;
                if key.scope == 0 && key.blinded {
                    blinded += counts;
                }
            }
        }
        self.blinding = self.is_rest || blinded.is_few() || all.saturating_sub(blinded).is_few();
        let is_withheld = |(scope, own): (&Scope, PartSize)| {
            let parts = scope.values.iter().flat_map(|(condition, values)| {
                let counts = |value: usize| total(Slice::Value { condition: *condition, value });
                let sum: PartSize = values.iter().map(|value| counts(*value)).sum();
                // A scope with all pairs of its values divides the values that are withheld together.
                // Neither part of them may have few pairs.
                let withheld = self.values[*condition].iter().enumerate().filter(|(_, withheld)| **withheld);
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    withheld.map(|(value, _)| value).partition(|value| values.contains(value));
                let split = [inside, outside].map(|part| part.into_iter().map(counts).sum());
                [vec![sum.saturating_sub(own)], if sum == own { split.to_vec() } else { Vec::new() }].concat()
            });
            self.is_rest || [own, all.saturating_sub(own)].into_iter().chain(parts).any(PartSize::is_few)
        };
        self.scopes = scopes.iter().zip(own.split_off(1)).map(is_withheld).collect();
    }
}

#[cfg(test)]
mod tests;
