//! Steps of support vector machines.

use tabular_program::Columns;

use super::{Block, Operation};

/// See [`tabular_program::Step::Couple`].
pub(super) struct Couple {
    pub(super) from: Columns,
    pub(super) to: Columns,
}

/// The most rounds of the iteration.
const ROUNDS: usize = 100;

impl Operation for Couple {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let classes = self.to.width as usize;
        let mut pairs = vec![0.0; classes * classes];
        let mut solver = Solver::new(classes);
        block.planes.map_within::<f32>(self.to, |planes, results| {
            let arguments = planes.read(self.from);
            for row in 0..rows {
                let mut column = 0;
                for first in 0..classes {
                    for second in first + 1..classes {
                        let probability = arguments[column * rows + row];
                        pairs[first * classes + second] = probability;
                        pairs[second * classes + first] = 1.0 - probability;
                        column += 1;
                    }
                }
                for (class, probability) in solver.solve(&pairs).iter().enumerate() {
                    results[class * rows + row] = *probability;
                }
            }
        });
    }
}

/// Minimises the quadratic form of the pairwise probabilities.
struct Solver {
    classes: usize,
    /// The symmetric matrix of the form.
    matrix: Vec<f32>,
    /// The matrix times the probabilities.
    product: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Solver {
    fn new(classes: usize) -> Self {
        let zeros = || vec![0.0; classes];
        Self { classes, matrix: vec![0.0; classes * classes], product: zeros(), probabilities: zeros() }
    }

    /// The probabilities of the classes. Element `i * classes + j` of `pairs` is the probability of `i` against `j`.
    fn solve(&mut self, pairs: &[f32]) -> &[f32] {
        let classes = self.classes;
        let tolerance = 0.005 / classes as f32;
        self.probabilities.fill(1.0 / classes as f32);
        for i in 0..classes {
            let mut diagonal = 0.0;
            for j in (0..classes).filter(|j| *j != i) {
                let against = pairs[j * classes + i];
                diagonal += against * against;
                self.matrix[i * classes + j] = -against * pairs[i * classes + j];
            }
            self.matrix[i * classes + i] = diagonal;
        }
        for _ in 0..ROUNDS {
            let mut form = 0.0;
            for i in 0..classes {
                let row = &self.matrix[i * classes..][..classes];
                let mut sum = 0.0;
                for (element, probability) in row.iter().zip(&self.probabilities) {
                    sum += element * probability;
                }
                self.product[i] = sum;
                form += self.probabilities[i] * sum;
            }
            let error = self.product.iter().map(|product| (product - form).abs()).fold(0.0, f32::max);
            if error < tolerance {
                break;
            }
            for i in 0..classes {
                let diagonal = self.matrix[i * classes + i];
                let step = (form - self.product[i]) / diagonal;
                self.probabilities[i] += step;
                form =
                    (form + step * (step * diagonal + 2.0 * self.product[i])) / (1.0 + step) / (1.0 + step);
                for j in 0..classes {
                    self.product[j] = (self.product[j] + step * self.matrix[i * classes + j]) / (1.0 + step);
                    self.probabilities[j] /= 1.0 + step;
                }
            }
        }
        &self.probabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistent_pairs_give_their_probabilities() {
        // The probability of i against j is p(i) / (p(i) + p(j)).
        let expected = [0.5f32, 0.3, 0.2];
        let mut pairs = vec![0.0; 9];
        for i in 0..3 {
            for j in (0..3).filter(|j| *j != i) {
                pairs[i * 3 + j] = expected[i] / (expected[i] + expected[j]);
            }
        }
        let mut solver = Solver::new(3);
        for (found, expected) in solver.solve(&pairs).iter().zip(expected) {
            assert!((found - expected).abs() < 0.005, "{found}, expected {expected}");
        }
    }
}
