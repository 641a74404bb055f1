//! The class and the scores of a tree ensemble's classifier, as ONNX Runtime chooses and rounds them.

use tabular_program::{ClassRule, Columns, Kind, ScoreTransform, Values};

use super::arguments::{Constant, apply_in_turns, constants};
use super::score_transforms::transform_scores;
use super::{Block, Operation};
use crate::math::Float;

/// Rows whose largest scores are found together.
const TILE: usize = 16;

/// See [`tabular_program::Step::Classes`].
pub(super) struct Classes {
    pub(super) sums: Columns,
    pub(super) scored: Option<Columns>,
    pub(super) base: Values,
    pub(super) rule: ClassRule,
    pub(super) transform: ScoreTransform,
    pub(super) label: Columns,
    pub(super) to: Columns,
}

impl Operation for Classes {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.sums.kind {
            Kind::Float => self.choose::<f32>(block),
            _ => self.choose::<f64>(block),
        }
    }
}

/// The score of a class, if it has one.
#[derive(Clone, Copy)]
struct Score<T> {
    value: T,
    scored: bool,
}

impl Classes {
    fn choose<T: Constant + Float>(&self, block: &mut Block<'_, '_>) {
        match (self.rule, self.scored) {
            (ClassRule::Largest, None) => self.choose_largest::<T>(block),
            _ => self.choose_by_row::<T>(block),
        }
    }

    /// The largest score, if each class has one: column by column.
    fn choose_largest<T: Constant + Float>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let base = constants::<T>(&self.base);
        if base.is_empty() {
            block.planes.map_across::<i64>(self.label, |planes, labels| {
                find_largest_of_rows(planes.read::<T>(self.sums), rows, labels);
            });
            match self.sums.kind {
                Kind::Float => block.planes.map_within::<f32>(self.to, |planes, results| {
                    apply_in_turns(planes.read(self.sums), results, |score: f32| score);
                }),
                _ => block.planes.map_across::<f32>(self.to, |planes, results| {
                    apply_in_turns(planes.read(self.sums), results, |score: f64| score as f32);
                }),
            }
        } else {
            let mut scores = block.planes.read::<T>(self.sums).to_vec();
            for (column, base) in scores.chunks_exact_mut(rows).zip(base) {
                column.iter_mut().for_each(|score| *score = *score + *base);
            }
            find_largest_of_rows(&scores, rows, block.planes.write::<i64>(self.label));
            apply_in_turns(&scores, block.planes.write::<f32>(self.to), |score| score.to_double() as f32);
        }
        transform_scores(self.transform, rows, block.planes.write::<f32>(self.to));
    }

    fn choose_by_row<T: Constant + Float>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let base = constants::<T>(&self.base);
        let mut scores = vec![Score { value: T::default(), scored: false }; self.sums.width as usize];
        let mut results = vec![0.0; self.to.width as usize];
        for row in 0..rows {
            let sums = block.planes.read::<T>(self.sums);
            let scored = self.scored.map(|scored| block.planes.read::<T>(scored));
            for (class, score) in scores.iter_mut().enumerate() {
                let cell = class * rows + row;
                score.value = sums[cell];
                score.scored = scored.is_none_or(|scored| scored[cell] > T::default());
            }
            let label = match self.rule {
                ClassRule::Largest => largest(&mut scores, base, self.transform, &mut results),
                ClassRule::Binary { one_class, positive } => {
                    let second =
                        scores.get(1).copied().unwrap_or(Score { value: T::default(), scored: false });
                    binary([scores[0], second], base, [one_class, positive], self.transform, &mut results)
                }
            };
            block.planes.write::<i64>(self.label)[row] = label;
            let to = block.planes.write::<f32>(self.to);
            for (class, result) in results.iter().enumerate() {
                to[class * rows + row] = *result;
            }
        }
    }
}

/// The columns of the largest scores of all rows, the first of equal ones.
fn find_largest_of_rows<T: Float>(scores: &[T], rows: usize, labels: &mut [i64]) {
    let mut first = 0;
    while first + TILE <= rows {
        find_largest::<T, TILE>(scores, rows, first, labels);
        first += TILE;
    }
    while first < rows {
        find_largest::<T, 1>(scores, rows, first, labels);
        first += 1;
    }
}

/// The columns of the largest scores of `N` rows from `first` on, the first of equal ones. They stay in registers.
#[inline(always)]
fn find_largest<T: Float, const N: usize>(scores: &[T], rows: usize, first: usize, labels: &mut [i64]) {
    let (mut best, mut classes) = ([T::default(); N], [0_u32; N]);
    for (class, column) in (0..).zip(scores.chunks_exact(rows)) {
        let column = &column[first..first + N];
        for row in 0..N {
            let is_larger = (class == 0) | (column[row] > best[row]);
            classes[row] = if is_larger { class } else { classes[row] };
            best[row] = if is_larger { column[row] } else { best[row] };
        }
    }
    for (label, class) in labels[first..].iter_mut().zip(classes) {
        *label = i64::from(class);
    }
}

impl<T: Float> Score<T> {
    /// The score as a result; 0 without a score.
    fn result(self) -> f32 {
        if self.scored { self.value.to_double() as f32 } else { 0.0 }
    }
}

/// See [`ClassRule::Largest`].
fn largest<T: Float>(
    scores: &mut [Score<T>],
    base: &[T],
    transform: ScoreTransform,
    results: &mut [f32],
) -> i64 {
    for (score, base) in scores.iter_mut().zip(base) {
        score.value = if score.scored { score.value + *base } else { *base };
        score.scored = true;
    }
    let mut best: Option<usize> = None;
    for (class, score) in scores.iter().enumerate() {
        if score.scored && best.is_none_or(|best| score.value > scores[best].value) {
            best = Some(class);
        }
    }
    for (result, score) in results.iter_mut().zip(scores) {
        *result = score.result();
    }
    transform_scores(transform, 1, results);
    best.unwrap_or(0) as i64
}

/// See [`ClassRule::Binary`].
fn binary<T: Float>(
    [mut first, mut second]: [Score<T>; 2],
    base: &[T],
    [one_class, positive]: [bool; 2],
    transform: ScoreTransform,
    results: &mut [f32],
) -> i64 {
    match *base {
        [_, base] if second.scored => {
            // The base of the second class is added to the sum of the first one.
            second.value = base + first.value;
            first.value = -second.value;
        }
        [first_base, second_base] => {
            second.value = second.value + second_base;
            first.value = first.value + first_base;
        }
        [base] => first.value = first.value + base,
        _ => {}
    }
    let (zero, one) = (T::default(), T::from_double(1.0));
    let score = if second.scored {
        second.value
    } else if first.scored {
        first.value
    } else {
        zero
    };
    let limit = if one_class && positive { T::from_double(0.5) } else { zero };
    let label = i64::from(score > limit);
    if second.scored || base.len() == 2 {
        results.copy_from_slice(&[first.result(), second.result()]);
        transform_scores(transform, 1, results);
        return label;
    }
    // One score becomes two.
    let score = first.result();
    if transform == ScoreTransform::Logistic {
        results.copy_from_slice(&[-score, score]);
        transform_scores(transform, 1, results);
    } else if one_class && positive {
        results.copy_from_slice(&[(one - first.value).to_double() as f32, score]);
    } else {
        results.copy_from_slice(&[-score, score]);
    }
    label
}
