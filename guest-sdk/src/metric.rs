//! Metrics: what a pair of answers scores, and the figure that the sums of the scores make.
//!
//! Always holds: a pair is scored by itself. The host adds the components up over whatever it likes, in any order, so a
//! figure must follow from the sums alone.

mod pair;

use std::ops::{Bound, Index, IndexMut, RangeBounds};

use serde::de::DeserializeOwned;

use crate::{Answers, Assets, Direction};

pub use pair::{Label, Scored, Side};

/// A metric, by pairs.
pub trait Metric: Sized + Send + Sync + 'static {
    /// Its configuration, see [`Model::Config`](crate::Model::Config).
    type Config: DeserializeOwned;
    /// The answers that it scores: [`Label<'a>`](Label), `f64`, or a ranking as `&'a [Label<'a>]`, best first.
    type Answer<'a>: Scored<'a>;

    /// Sets it up.
    ///
    /// # Errors
    /// A sentence for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// The names of its components, at least one.
    fn components(&self) -> Vec<String>;

    /// Which way is better.
    fn better(&self) -> Direction;

    /// The least and the greatest figure there can be: `0.0..=1.0`, `0.0..`, or all numbers unless it says.
    fn range(&self) -> impl RangeBounds<f64> {
        ..
    }

    /// Scores one pair: writes its components, which are all 0 before, as finite numbers. The model may not have
    /// answered; then the metric says what that costs.
    fn score(
        &self,
        model: Option<Self::Answer<'_>>,
        comparator: Self::Answer<'_>,
        components: &mut Components<'_>,
    );

    /// The figure over `rows` pairs, from the sum of each component; `None` where it is not defined. For intervals the host asks
    /// for it a little beside such sums too, so they need not be whole numbers where all scores are.
    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64>;
}

/// The components of one pair, by their positions in [`Metric::components`].
pub struct Components<'a> {
    columns: &'a mut [Vec<f64>],
    row: usize,
}

impl Index<usize> for Components<'_> {
    type Output = f64;

    #[inline]
    fn index(&self, component: usize) -> &f64 {
        &self.columns[component][self.row]
    }
}

impl IndexMut<usize> for Components<'_> {
    #[inline]
    fn index_mut(&mut self, component: usize) -> &mut f64 {
        &mut self.columns[component][self.row]
    }
}

/// Scores `rows` pairs: for each component one number a row. The comparator has answered every row.
///
/// # Errors
/// When an answer is of another form than the metric scores, or is not there.
pub fn score<M: Metric>(
    metric: &M,
    rows: u32,
    model: &Answers,
    comparator: &Answers,
) -> Result<Vec<Vec<f64>>, String> {
    let rows = rows as usize;
    let mut columns = vec![vec![0.0; rows]; metric.components().len()];
    let [model_side, comparator_side] = Side::of_both(rows, model, comparator)?;
    let mut unanswered = model.unanswered.iter().map(|(row, _)| *row as usize).peekable();
    for row in 0..rows {
        let answer = match unanswered.next_if_eq(&row) {
            Some(_) => None,
            None => Some(M::Answer::read(&model_side, row)?),
        };
        let decision = M::Answer::read(&comparator_side, row)?;
        metric.score(answer, decision, &mut Components { columns: &mut columns, row });
    }
    Ok(columns)
}

/// The least and the greatest figure of a range.
pub(crate) fn bounds(range: &impl RangeBounds<f64>) -> [Option<f64>; 2] {
    [range.start_bound(), range.end_bound()].map(|bound| match bound {
        Bound::Included(figure) | Bound::Excluded(figure) => Some(*figure),
        Bound::Unbounded => None,
    })
}

#[cfg(test)]
mod tests;
