//! Adds the values of leaves, or finds the smallest or largest ones.

use tabular_program::{Aggregate, Ensemble, FloatValues};

/// Rows of a turn: a loop in Wasm costs as much as a row.
const TURN: usize = 8;

/// The leaf values of an ensemble.
#[derive(Default)]
pub(super) struct Sums {
    aggregate: Aggregate,
    pub(super) start: FloatValues,
    values: FloatValues,
    /// Of each tree: index of its first value, and its target if it has one.
    trees: Vec<(usize, Option<usize>)>,
    targets: usize,
    /// Whether the scores of a row are adjacent, instead of those of a target.
    by_row: bool,
}

/// A kind of leaf values.
pub(super) trait Value: Copy + Default + PartialOrd + std::ops::Add<Output = Self> {
    /// The values, if they are of this kind.
    fn values(values: &FloatValues) -> Option<&[Self]>;
}

impl Value for f32 {
    fn values(values: &FloatValues) -> Option<&[Self]> {
        match values {
            FloatValues::Floats { values } => Some(values),
            FloatValues::Doubles { .. } => None,
        }
    }
}

impl Value for f64 {
    fn values(values: &FloatValues) -> Option<&[Self]> {
        match values {
            FloatValues::Floats { .. } => None,
            FloatValues::Doubles { values } => Some(values),
        }
    }
}

/// The values of the kind that the scores have.
fn of_kind<T: Value>(values: &FloatValues) -> &[T] {
    T::values(values)
        .unwrap_or_else(|| unreachable!("the program was checked: scores have the kind of the leaf values"))
}

impl Sums {
    pub(super) fn new(ensemble: Ensemble) -> Self {
        let targets = ensemble.targets();
        let mut first = 0;
        let trees = ensemble
            .trees
            .iter()
            .map(|tree| {
                let target = if targets == 1 { Some(0) } else { tree.target.map(|target| target as usize) };
                let place = (first, target);
                first += tree.leaf_values(targets);
                place
            })
            .collect::<Vec<_>>();
        let by_row = trees.iter().any(|(_, target)| target.is_none());
        Self {
            aggregate: ensemble.aggregate,
            start: ensemble.start,
            values: ensemble.values,
            trees,
            targets,
            by_row,
        }
    }

    /// The scores of a single tree: one column for each target, from the leaf that each row reaches. Returns false if the ensemble
    /// has several trees, or is no sum.
    pub(super) fn write_single<T: Value>(&self, leaves: &[u32], results: &mut [T]) -> bool {
        let [(_, target)] = self.trees[..] else { return false };
        if self.aggregate != Aggregate::Sum || (target.is_some() && self.targets > 1) {
            return false;
        }
        let (start, values) = (of_kind::<T>(&self.start), of_kind::<T>(&self.values));
        match start {
            [start] => write_columns([*start], values, leaves, results),
            [first, second] => write_columns([*first, *second], values, leaves, results),
            [first, second, third] => write_columns([*first, *second, *third], values, leaves, results),
            _ => {
                let columns = results.chunks_exact_mut(leaves.len()).enumerate().zip(start);
                for ((target, results), start) in columns {
                    for (result, leaf) in results.iter_mut().zip(leaves) {
                        *result = *start + values[*leaf as usize * self.targets + target];
                    }
                }
            }
        }
        true
    }

    /// Fills the scores of `rows` rows with the values before the first tree.
    pub(super) fn begin<T: Value>(&self, scores: &mut Vec<T>, rows: usize) {
        let start = of_kind::<T>(&self.start);
        scores.clear();
        if self.by_row {
            for _ in 0..rows {
                scores.extend_from_slice(start);
            }
        } else {
            for value in start {
                scores.resize(scores.len() + rows, *value);
            }
        }
    }

    /// Adds the values of a tree's leaves, one leaf for each row.
    pub(super) fn add<T: Value>(&self, tree: usize, leaves: &[u32], scores: &mut [T]) {
        let (first, target) = self.trees[tree];
        let values = &of_kind::<T>(&self.values)[first..];
        match (self.aggregate, target) {
            (Aggregate::Sum, Some(target)) if !self.by_row => {
                let scores = &mut scores[target * leaves.len()..][..leaves.len()];
                let (turns, rest) = scores.as_chunks_mut::<TURN>();
                let (leaves, last) = leaves.as_chunks::<TURN>();
                for (scores, leaves) in turns.iter_mut().zip(leaves) {
                    for row in 0..TURN {
                        scores[row] = scores[row] + values[leaves[row] as usize];
                    }
                }
                for (score, leaf) in rest.iter_mut().zip(last) {
                    *score = *score + values[*leaf as usize];
                }
            }
            (Aggregate::Sum, None) => match self.targets {
                2 => add_rows::<T, 2>(values, leaves, scores),
                3 => add_rows::<T, 3>(values, leaves, scores),
                4 => add_rows::<T, 4>(values, leaves, scores),
                _ => {
                    for (row, leaf) in leaves.iter().enumerate() {
                        self.add_one(tree, row, leaves.len(), *leaf, scores);
                    }
                }
            },
            _ => {
                for (row, leaf) in leaves.iter().enumerate() {
                    self.add_one(tree, row, leaves.len(), *leaf, scores);
                }
            }
        }
    }

    /// Adds the values of one leaf of each tree to the scores of a row.
    pub(super) fn add_row<T: Value>(&self, row: usize, rows: usize, leaves: &[u32], scores: &mut [T]) {
        if self.aggregate != Aggregate::Sum || self.targets > 1 {
            for (tree, leaf) in leaves.iter().enumerate() {
                self.add_one(tree, row, rows, *leaf, scores);
            }
            return;
        }
        let values = of_kind::<T>(&self.values);
        let mut sum = scores[row];
        for ((first, _), leaf) in self.trees.iter().zip(leaves) {
            sum = sum + values[first + *leaf as usize];
        }
        scores[row] = sum;
    }

    /// Adds the values of one leaf to the scores of a row.
    fn add_one<T: Value>(&self, tree: usize, row: usize, rows: usize, leaf: u32, scores: &mut [T]) {
        let (first, target) = self.trees[tree];
        let values = &of_kind::<T>(&self.values)[first..];
        match target {
            Some(target) => {
                let position = if self.by_row { row * self.targets + target } else { target * rows + row };
                scores[position] = self.combined(scores[position], values[leaf as usize]);
            }
            None => {
                let values = &values[leaf as usize * self.targets..][..self.targets];
                let scores = &mut scores[row * self.targets..][..self.targets];
                for (score, value) in scores.iter_mut().zip(values) {
                    *score = self.combined(*score, *value);
                }
            }
        }
    }

    #[inline(always)]
    fn combined<T: Value>(&self, score: T, value: T) -> T {
        match self.aggregate {
            Aggregate::Sum => score + value,
            Aggregate::Minimum => {
                if value < score {
                    value
                } else {
                    score
                }
            }
            Aggregate::Maximum => {
                if value > score {
                    value
                } else {
                    score
                }
            }
        }
    }

    /// Writes the scores as one column for each target.
    pub(super) fn finish<T: Value>(&self, scores: &[T], rows: usize, results: &mut [T]) {
        if self.by_row {
            for (target, results) in results.chunks_exact_mut(rows).enumerate() {
                for (result, scores) in results.iter_mut().zip(scores.chunks_exact(self.targets)) {
                    *result = scores[target];
                }
            }
        } else {
            results.copy_from_slice(scores);
        }
    }
}

/// Writes `N` columns of the sums of a start and the values of the leaf that each row reaches.
fn write_columns<T: Value, const N: usize>(start: [T; N], values: &[T], leaves: &[u32], results: &mut [T]) {
    let rows = leaves.len();
    let values = values.as_chunks::<N>().0;
    let mut columns = results.chunks_exact_mut(rows);
    let columns: [&mut [T]; N] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    assert!(columns.iter().all(|column| column.len() == rows), "a column for each target");
    let mut first = 0;
    while first + TURN <= rows {
        for row in first..first + TURN {
            let values = &values[leaves[row] as usize];
            for target in 0..N {
                columns[target][row] = start[target] + values[target];
            }
        }
        first += TURN;
    }
    for row in first..rows {
        let values = &values[leaves[row] as usize];
        for target in 0..N {
            columns[target][row] = start[target] + values[target];
        }
    }
}

/// Adds `N` values of the leaf that each row reaches.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn add_rows<T: Value, const N: usize>(values: &[T], leaves: &[u32], scores: &mut [T]) {
    for (scores, leaf) in scores.chunks_exact_mut(N).zip(leaves) {
        let values = &values[*leaf as usize * N..][..N];
        for lane in 0..N {
            scores[lane] = scores[lane] + values[lane];
        }
    }
}
