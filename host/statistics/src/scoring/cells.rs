//! The scores by window, slice, model and metric, as exact sums of components and as counts.
//!
//! Invariants:
//! - The same pairs give equal cells and the same serialized bytes, whatever the order, the batches and the
//!   merges.
//! - Every pair counts once in the slice of all pairs and once for each condition, whether a model answered
//!   or not.
//! - A clone shares the windows of the original; adding pairs to one of the two copies only the windows that
//!   change.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::calendar_window::Window;
use super::copy_on_write::CopyOnWrite;
use super::exact_sum::ExactSum;

/// The dimensions of [`Cells`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellsShape {
    /// The number of values of each condition.
    pub conditions: Vec<usize>,
    /// The number of models.
    pub models: usize,
    /// The number of components of each metric.
    pub components: Vec<usize>,
}

impl CellsShape {
    /// The number of slices: one for all pairs, and one for each value of each condition.
    fn slices(&self) -> usize {
        1 + self.conditions.iter().sum::<usize>()
    }

    /// The number of sums of one model in one slice: the components of all metrics.
    fn width(&self) -> usize {
        self.components.iter().sum()
    }

    /// The number of sums of one slice, over all models.
    fn stride(&self) -> usize {
        self.models * self.width()
    }

    /// For each condition, the index of the slice of its first value.
    fn bases(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().scan(1, |next, values| {
            let base = *next;
            *next += values;
            Some(base)
        })
    }

    /// The index of a slice.
    fn slice(&self, slice: Slice) -> usize {
        match slice {
            Slice::All => 0,
            Slice::Value { condition, value } => {
                let values = self.conditions[condition];
                assert!(value < values, "value {value} of a condition of {values} values");
                1 + self.conditions[..condition].iter().sum::<usize>() + value
            }
        }
    }
}

/// A subset of the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slice {
    /// All pairs.
    All,
    /// The pairs that have a certain value of a condition.
    Value {
        /// The index of the condition.
        condition: usize,
        /// The index of the value in the condition.
        value: usize,
    },
}

/// Whether a model answered the snapshot of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AnswerStatus {
    /// The model gave an answer.
    Answered,
    /// The model declined to answer.
    Abstained,
    /// The call of the model failed.
    Failed,
}

impl AnswerStatus {
    /// Every status, in the order in which counts are stored.
    pub const ALL: [AnswerStatus; 3] =
        [AnswerStatus::Answered, AnswerStatus::Abstained, AnswerStatus::Failed];

    /// The name in log columns and exports.
    pub fn name(self) -> &'static str {
        match self {
            AnswerStatus::Answered => "answered",
            AnswerStatus::Abstained => "abstained",
            AnswerStatus::Failed => "failed",
        }
    }
}

/// The answers' statuses and the scores of one model in a batch of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelScores {
    /// For each row, whether the model answered.
    pub statuses: Vec<AnswerStatus>,
    /// For each metric, each of its components and each row: the score, a finite number. Rows without an
    /// answer have scores, too: the metric defines their cost.
    pub scores: Vec<Vec<Vec<f64>>>,
}

impl ModelScores {
    /// The statuses and scores of these rows.
    pub fn gather(&self, rows: &[usize]) -> ModelScores {
        let component = |scores: &Vec<f64>| rows.iter().map(|row| scores[*row]).collect();
        ModelScores {
            statuses: rows.iter().map(|row| self.statuses[*row]).collect(),
            scores: self.scores.iter().map(|metric| metric.iter().map(component).collect()).collect(),
        }
    }
}

/// A batch of pairs that every metric has scored, as columns.
#[derive(Clone, Copy, Debug)]
pub struct ScoredPairs<'a> {
    /// The window of each row.
    pub windows: &'a [Window],
    /// For each condition, the index of each row's value.
    pub conditions: &'a [Vec<u16>],
    /// For each model, its statuses and scores.
    pub models: &'a [ModelScores],
}

/// The counts and sums of one slice, model and metric: the arguments of the metric's `reduce`, and the
/// unanswered pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTally {
    /// The number of pairs, answered or not.
    pub pairs: u64,
    /// Of these, the pairs in which the model abstained.
    pub abstained: u64,
    /// Of these, the pairs in which the model failed.
    pub failed: u64,
    /// The sum of each component over all pairs, rounded once.
    pub sums: Vec<f64>,
}

/// Why a batch, other cells or a checkpoint cannot be added to these cells.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellsError {
    /// A batch or a checkpoint has another number of items than the shape requires.
    #[error("cannot add to cells: found {found} {what}, expected {expected}")]
    Count {
        /// The plural name of the items.
        what: &'static str,
        /// The number of items that are there.
        found: usize,
        /// The number of items that the shape requires.
        expected: usize,
    },
    /// A row has a value index that its condition does not have.
    #[error(
        "cannot add to cells: row {row} has value {value} of condition {condition}, which has {values} values"
    )]
    Value {
        /// The index of the row in the batch.
        row: usize,
        /// The index of the condition.
        condition: usize,
        /// The index of the value.
        value: u16,
        /// The number of values of the condition.
        values: usize,
    },
    /// The other cells have different dimensions.
    #[error("cannot merge cells: their shapes differ, so they belong to different studies")]
    Shape,
}

/// The scores of a study, by window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredCells")]
pub struct Cells {
    #[serde(serialize_with = "by_value")]
    shape: Arc<CellsShape>,
    windows: BTreeMap<Window, CopyOnWrite<Totals>>,
}

/// The counts and sums of one window, or of several windows together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    #[serde(skip)]
    shape: Arc<CellsShape>,
    /// By slice: the number of pairs.
    pairs: Vec<u64>,
    /// By slice and model: the pairs in which the model abstained, and in which it failed.
    unanswered: Vec<[u64; 2]>,
    /// By slice, model, metric and component: the sum of scores.
    sums: Vec<ExactSum>,
}

impl Cells {
    /// Cells without pairs.
    pub fn new(shape: CellsShape) -> Self {
        Self { shape: Arc::new(shape), windows: BTreeMap::new() }
    }

    /// The dimensions.
    pub fn shape(&self) -> &CellsShape {
        &self.shape
    }

    /// Adds a batch of pairs. Consecutive rows of one window are added together, which is fastest.
    ///
    /// # Errors
    /// If the batch does not have this shape. Nothing is added then.
    pub fn add(&mut self, pairs: ScoredPairs<'_>) -> Result<(), CellsError> {
        pairs.check(&self.shape)?;
        let mut from = 0;
        for same in pairs.windows.chunk_by(|a, b| a == b) {
            let rows = from..from + same.len();
            from = rows.end;
            self.totals_mut(same[0]).add(pairs, rows);
        }
        Ok(())
    }

    /// Adds all pairs of `other`.
    ///
    /// # Errors
    /// If `other` has a different shape. Nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), CellsError> {
        if self.shape != other.shape {
            return Err(CellsError::Shape);
        }
        for (window, totals) in &other.windows {
            self.totals_mut(*window).merge(totals);
        }
        Ok(())
    }

    fn totals_mut(&mut self, window: Window) -> &mut Totals {
        let new = || CopyOnWrite::new(Totals::new(&self.shape));
        self.windows.entry(window).or_insert_with(new).to_mut()
    }

    /// The windows that have pairs, in order of time.
    pub fn iter(&self) -> impl Iterator<Item = (Window, &Totals)> {
        self.windows.iter().map(|(window, totals)| (*window, &**totals))
    }

    /// The cells up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> Cells {
        let windows = self.windows.range(..=last).map(|(window, totals)| (*window, totals.clone()));
        Cells { shape: Arc::clone(&self.shape), windows: windows.collect() }
    }

    /// The totals of a window; `None` if it has no pairs.
    pub fn window(&self, window: Window) -> Option<&Totals> {
        self.windows.get(&window).map(|totals| &**totals)
    }

    /// The totals of several windows together. A window that is listed twice counts twice, which resampling
    /// needs; a window without pairs adds nothing.
    pub fn fold(&self, windows: impl IntoIterator<Item = Window>) -> Totals {
        let mut overall = Totals::new(&self.shape);
        windows.into_iter().filter_map(|window| self.window(window)).for_each(|totals| overall.merge(totals));
        overall
    }
}

impl Totals {
    fn new(shape: &Arc<CellsShape>) -> Self {
        let slices = shape.slices();
        Self {
            shape: Arc::clone(shape),
            pairs: vec![0; slices],
            unanswered: vec![[0; 2]; slices * shape.models],
            sums: vec![ExactSum::default(); slices * shape.stride()],
        }
    }

    /// The number of pairs of a slice.
    ///
    /// # Panics
    /// If the shape has no such slice.
    pub fn pairs(&self, slice: Slice) -> u64 {
        self.pairs[self.shape.slice(slice)]
    }

    /// The pairs of a slice that a model did not answer.
    ///
    /// # Panics
    /// If the shape has no such slice or model.
    pub fn unanswered(&self, slice: Slice, model: usize) -> u64 {
        assert!(model < self.shape.models, "model {model} of {}", self.shape.models);
        self.unanswered[self.shape.slice(slice) * self.shape.models + model].iter().sum()
    }

    /// The counts of one slice, and one model's sums of one metric.
    ///
    /// # Panics
    /// If the shape has no such slice, model or metric.
    pub fn tally(&self, slice: Slice, model: usize, metric: usize) -> CellTally {
        let shape = &self.shape;
        assert!(model < shape.models, "model {model} of {}", shape.models);
        let slice = shape.slice(slice);
        let column = slice * shape.models + model;
        let first = column * shape.width() + shape.components[..metric].iter().sum::<usize>();
        let [abstained, failed] = self.unanswered[column];
        let sums = &self.sums[first..first + shape.components[metric]];
        CellTally {
            pairs: self.pairs[slice],
            abstained,
            failed,
            sums: sums.iter().map(ExactSum::value).collect(),
        }
    }

    /// Adds rows of a batch whose shape was checked.
    fn add(&mut self, pairs: ScoredPairs<'_>, rows: Range<usize>) {
        let Self { shape, pairs: counts, unanswered, sums } = self;
        // For each condition: the index of its first slice, and the value of each row.
        let slices: Vec<_> =
            shape.bases().zip(pairs.conditions).map(|(base, values)| (base, &values[rows.clone()])).collect();
        counts[0] += rows.len() as u64;
        for (base, values) in &slices {
            values.iter().for_each(|&value| counts[base + usize::from(value)] += 1);
        }
        let stride = shape.stride();
        let mut at = 0;
        for (model, of_model) in pairs.models.iter().enumerate() {
            for (row, outcome) in of_model.statuses[rows.clone()].iter().enumerate() {
                let reason = match outcome {
                    AnswerStatus::Answered => continue,
                    AnswerStatus::Abstained => 0,
                    AnswerStatus::Failed => 1,
                };
                unanswered[model][reason] += 1;
                for (base, values) in &slices {
                    unanswered[(base + usize::from(values[row])) * shape.models + model][reason] += 1;
                }
            }
            for scores in of_model.scores.iter().flatten() {
                for (row, &score) in scores[rows.clone()].iter().enumerate() {
                    // Zero scores are common (hits and misses) and do not change the sum.
                    if score == 0.0 {
                        continue;
                    }
                    sums[at].add(score);
                    for (base, values) in &slices {
                        sums[(base + usize::from(values[row])) * stride + at].add(score);
                    }
                }
                at += 1;
            }
        }
    }

    /// Adds totals of the same shape.
    fn merge(&mut self, other: &Self) {
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(count, more)| *count += more);
        let unanswered = self.unanswered.as_flattened_mut().iter_mut();
        unanswered.zip(other.unanswered.as_flattened()).for_each(|(count, more)| *count += more);
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, more)| sum.merge(more));
    }
}

impl ScoredPairs<'_> {
    fn check(self, shape: &CellsShape) -> Result<(), CellsError> {
        let rows = self.windows.len();
        count("conditions", self.conditions.len(), shape.conditions.len())?;
        for (condition, (of_rows, &values)) in self.conditions.iter().zip(&shape.conditions).enumerate() {
            count("rows of a condition", of_rows.len(), rows)?;
            if let Some(row) = of_rows.iter().position(|&value| usize::from(value) >= values) {
                return Err(CellsError::Value { row, condition, value: of_rows[row], values });
            }
        }
        count("models", self.models.len(), shape.models)?;
        for model in self.models {
            count("rows of statuses", model.statuses.len(), rows)?;
            count("metrics", model.scores.len(), shape.components.len())?;
            for (metric, &components) in model.scores.iter().zip(&shape.components) {
                count("components of a metric", metric.len(), components)?;
                metric.iter().try_for_each(|scores| count("rows of scores", scores.len(), rows))?;
            }
        }
        Ok(())
    }
}

fn count(what: &'static str, found: usize, expected: usize) -> Result<(), CellsError> {
    if found == expected { Ok(()) } else { Err(CellsError::Count { what, found, expected }) }
}

/// Serializes the shape itself: serde supports `Arc` only with its feature `rc`.
fn by_value<S: Serializer>(shape: &Arc<CellsShape>, serializer: S) -> Result<S::Ok, S::Error> {
    shape.serialize(serializer)
}

/// Deserialized cells before their dimensions are checked.
#[derive(Deserialize)]
struct StoredCells {
    shape: CellsShape,
    windows: BTreeMap<Window, StoredTotals>,
}

#[derive(Deserialize)]
struct StoredTotals {
    pairs: Vec<u64>,
    unanswered: Vec<[u64; 2]>,
    sums: Vec<ExactSum>,
}

impl TryFrom<StoredCells> for Cells {
    type Error = CellsError;

    fn try_from(stored: StoredCells) -> Result<Self, CellsError> {
        let shape = Arc::new(stored.shape);
        let slices = shape.slices();
        let believed = |(window, StoredTotals { pairs, unanswered, sums })| {
            count("stored counts of pairs", pairs.len(), slices)?;
            count("stored counts of unanswered pairs", unanswered.len(), slices * shape.models)?;
            count("stored sums", sums.len(), slices * shape.stride())?;
            let totals = Totals { shape: Arc::clone(&shape), pairs, unanswered, sums };
            Ok((window, CopyOnWrite::new(totals)))
        };
        let windows = stored.windows.into_iter().map(believed).collect::<Result<_, _>>()?;
        Ok(Self { shape, windows })
    }
}

#[cfg(test)]
mod tests;
