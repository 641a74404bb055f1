//! The trait of metrics: component scores per pair of answers, and the value of the metric from their sums.
//!
//! Invariants:
//! - The components of a pair depend on that pair alone.
//! - The value follows from the sums of the components alone. The host sums over any set of pairs, in any
//!   order.

mod nominal;
mod pair;
mod prediction;

use std::ops::{Bound, Index, IndexMut, RangeBounds};

use serde::de::DeserializeOwned;

use crate::{Answers, Assets, ConfigSchema, Direction};

pub use nominal::{JsonText, LabelSet, NominalAnswer};
pub use pair::{DecodedAnswers, Label, ScoredAnswer};
pub use prediction::Prediction;

/// A metric, scored pair by pair.
///
/// ```
/// use understudy_sdk::{collect_answers, native, prelude::*};
///
/// /// Share of rows in which model and comparator give the same label.
/// struct Agreement;
///
/// impl Metric for Agreement {
///     type Config = NoConfig;
///     type Answer<'a> = Label<'a>;
///
///     fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
///         Ok(Self)
///     }
///
///     fn components(&self) -> Vec<String> {
///         vec!["agreed".to_owned()]
///     }
///
///     fn direction(&self) -> Direction {
///         Direction::HigherIsBetter
///     }
///
///     fn score(&self, model: Option<Label<'_>>, comparator: Label<'_>, components: &mut Components<'_>) {
///         components[0] = f64::from(model == Some(comparator));
///     }
///
///     fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
///         (rows > 0).then(|| sums[0] / rows as f64)
///     }
/// }
///
/// let metric: Agreement = native::metric("{}", vec![])?;
/// let model = collect_answers(2, |_| Ok("suite"));
/// let comparator = collect_answers(2, |row| Ok(["suite", "single"][row]));
/// assert_eq!(native::value(&metric, 2, &model, &comparator), Ok(Some(0.5)));
/// # Ok::<(), String>(())
/// ```
pub trait Metric: Sized + Send + Sync + 'static {
    /// The configuration; see [`Model::Config`](crate::Model::Config).
    type Config: DeserializeOwned + ConfigSchema;
    /// The type of answers that the metric scores: [`Label<'a>`](Label), `f64`, `&'a [Label<'a>]` for
    /// rankings, best first, [`LabelSet<'a>`](LabelSet), [`JsonText<'a>`](JsonText),
    /// [`Prediction<'a>`](Prediction) for labels with their confidence and class probabilities, or
    /// [`NominalAnswer<'a>`](NominalAnswer) for labels, sets and JSON values of which only equality counts.
    type Answer<'a>: ScoredAnswer<'a>;

    /// Creates the plugin from its configuration and assets.
    ///
    /// # Errors
    /// A message for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// Names of the components, at least one.
    fn components(&self) -> Vec<String>;

    /// Whether higher or lower values are better.
    fn direction(&self) -> Direction;

    /// The range of possible values, such as `0.0..=1.0` or `0.0..`. Unbounded by default.
    fn range(&self) -> impl RangeBounds<f64> {
        ..
    }

    /// Whether the metric needs class probabilities of the model. If it does, the host refuses a study with a
    /// model that reports none. They are not needed by default.
    fn needs_probabilities(&self) -> bool {
        false
    }

    /// Scores one pair by writing its components, which are initially 0, as finite numbers. `model` is `None`
    /// if the model did not answer; the metric decides how such a pair scores.
    fn score(
        &self,
        model: Option<Self::Answer<'_>>,
        comparator: Self::Answer<'_>,
        components: &mut Components<'_>,
    );

    /// The value of the metric over `rows` pairs, given the sum of each component; `None` if it is undefined.
    /// To estimate intervals the host also evaluates it near the actual sums, which need not be whole numbers
    /// even if all scores are.
    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64>;
}

/// The components of one pair, indexed as in [`Metric::components`].
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

/// Scores `rows` pairs. Returns one column per component, with one number per row. The comparator must have
/// answered every row.
///
/// # Errors
/// If answers have another form than the metric scores, or if their number is not `rows`.
pub fn score<M: Metric>(
    metric: &M,
    rows: u32,
    model: &Answers,
    comparator: &Answers,
) -> Result<Vec<Vec<f64>>, String> {
    let rows = rows as usize;
    let mut columns = vec![vec![0.0; rows]; metric.components().len()];
    let [model_side, comparator_side] = DecodedAnswers::decode_pair(rows, model, comparator)?;
    let mut unanswered = model.unanswered.iter().map(|(row, _)| *row as usize).peekable();
    for row in 0..rows {
        let answer = match unanswered.next_if_eq(&row) {
            Some(_) => None,
            None => Some(M::Answer::read(&model_side, row)?),
        };
        let expected = M::Answer::read(&comparator_side, row)?;
        metric.score(answer, expected, &mut Components { columns: &mut columns, row });
    }
    Ok(columns)
}

/// Lower and upper end of a range; `None` if it is unbounded there.
pub(crate) fn bounds(range: &impl RangeBounds<f64>) -> [Option<f64>; 2] {
    [range.start_bound(), range.end_bound()].map(|bound| match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(*value),
        Bound::Unbounded => None,
    })
}

#[cfg(test)]
mod tests;
