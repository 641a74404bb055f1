//! The scores by window, slice, model and metric: exact sums of components, and counts.
//!
//! Always so: the same pairs give equal cells, and the same bytes when written, in whatever order and batches they
//! were added, and however cells were merged. Every pair counts once in the slice of all pairs and once in each
//! condition; a model's unanswered pairs are among them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::exact::ExactSum;
use super::window::Window;

/// The dimensions of cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// How many values each condition has.
    pub conditions: Vec<usize>,
    /// How many models there are.
    pub models: usize,
    /// How many components each metric has.
    pub components: Vec<usize>,
}

impl Shape {
    /// The number of slices: all pairs, and each value of each condition.
    fn slices(&self) -> usize {
        1 + self.conditions.iter().sum::<usize>()
    }

    /// The number of sums of one model in one slice: the components of all metrics.
    fn width(&self) -> usize {
        self.components.iter().sum()
    }

    /// The number of sums of one slice.
    fn stride(&self) -> usize {
        self.models * self.width()
    }

    /// Where the first value of each condition stands among the slices.
    fn bases(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().scan(1, |next, values| {
            let base = *next;
            *next += values;
            Some(base)
        })
    }

    /// Where a slice stands among the slices.
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

/// Which pairs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slice {
    /// All of them.
    All,
    /// Those that have a certain value of a condition.
    Value {
        /// The index of the condition.
        condition: usize,
        /// The index of its value.
        value: usize,
    },
}

/// Whether a model answered a pair's snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// It did.
    Answered,
    /// It chose not to.
    Abstained,
    /// It could not.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 3] = [Outcome::Answered, Outcome::Abstained, Outcome::Failed];

    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Abstained => "abstained",
            Outcome::Failed => "failed",
        }
    }
}

/// What one model made of a batch of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelScores {
    /// For each row, whether it answered.
    pub outcomes: Vec<Outcome>,
    /// For each metric, for each of its components, for each row: the score, a finite number. Unanswered rows have
    /// one too: the metric says what they cost.
    pub scores: Vec<Vec<Vec<f64>>>,
}

/// A batch of pairs that every metric has scored.
#[derive(Clone, Copy, Debug)]
pub struct ScoredPairs<'a> {
    /// The window of each row.
    pub windows: &'a [Window],
    /// For each condition, the index of each row's value.
    pub conditions: &'a [Vec<u16>],
    /// For each model, its outcomes and scores.
    pub models: &'a [ModelScores],
}

/// What there is to say of one slice, model and metric: what the metric's `reduce` wants, and what it leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// How many pairs, answered or not.
    pub pairs: u64,
    /// How many of them the model abstained from.
    pub abstained: u64,
    /// How many of them the model failed on.
    pub failed: u64,
    /// The sum of each component over all pairs, rounded once.
    pub sums: Vec<f64>,
}

/// Why pairs, cells or a checkpoint do not belong to these cells.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellsError {
    /// There are more or fewer of something than the shape, or the batch, has it.
    #[error("cells: {found} {what}, and {expected} belong there")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many are there.
        found: usize,
        /// How many should be.
        expected: usize,
    },
    /// A row has a value that its condition does not have.
    #[error("cells: row {row} has value {value} of condition {condition}, which has {values} values")]
    Value {
        /// The row of the batch.
        row: usize,
        /// The index of the condition.
        condition: usize,
        /// The index of the value.
        value: u16,
        /// How many values the condition has.
        values: usize,
    },
    /// Cells of another study.
    #[error("cells of different shapes cannot be merged: they are not of the same study")]
    Shape,
}

/// The scores of a study, by window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredCells")]
pub struct Cells {
    #[serde(serialize_with = "by_value")]
    shape: Arc<Shape>,
    windows: BTreeMap<Window, Totals>,
}

/// The scores of one window, or of several together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    #[serde(skip)]
    shape: Arc<Shape>,
    /// By slice.
    pairs: Vec<u64>,
    /// By slice and model: abstained, failed.
    unanswered: Vec<[u64; 2]>,
    /// By slice, model, metric and component.
    sums: Vec<ExactSum>,
}

impl Cells {
    /// Cells without a pair.
    pub fn new(shape: Shape) -> Self {
        Self { shape: Arc::new(shape), windows: BTreeMap::new() }
    }

    /// The dimensions.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Adds a batch of pairs. Fastest where rows of one window stand together.
    ///
    /// # Errors
    /// If the batch does not have this shape; then nothing of it has been added.
    pub fn add(&mut self, pairs: ScoredPairs<'_>) -> Result<(), CellsError> {
        pairs.check(&self.shape)?;
        let mut from = 0;
        for same in pairs.windows.chunk_by(|a, b| a == b) {
            let rows = from..from + same.len();
            from = rows.end;
            let totals = self.windows.entry(same[0]).or_insert_with(|| Totals::new(&self.shape));
            totals.add(pairs, rows);
        }
        Ok(())
    }

    /// Adds all that `other` has.
    ///
    /// # Errors
    /// If it is of another shape; then nothing of it has been added.
    pub fn merge(&mut self, other: &Self) -> Result<(), CellsError> {
        if self.shape != other.shape {
            return Err(CellsError::Shape);
        }
        for (window, totals) in &other.windows {
            self.windows.entry(*window).or_insert_with(|| Totals::new(&self.shape)).merge(totals);
        }
        Ok(())
    }

    /// The windows that have a pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Window, &Totals)> {
        self.windows.iter().map(|(window, totals)| (*window, totals))
    }

    /// The scores up to a window, that one too.
    pub fn until(&self, last: Window) -> Cells {
        let windows = self.windows.range(..=last).map(|(window, totals)| (*window, totals.clone()));
        Cells { shape: Arc::clone(&self.shape), windows: windows.collect() }
    }

    /// The scores of a window, if it has a pair.
    pub fn window(&self, window: Window) -> Option<&Totals> {
        self.windows.get(&window)
    }

    /// The scores of several windows together. A window named twice counts twice, as a resample wants it; one without
    /// a pair adds nothing.
    pub fn fold(&self, windows: impl IntoIterator<Item = Window>) -> Totals {
        let mut overall = Totals::new(&self.shape);
        windows.into_iter().filter_map(|window| self.window(window)).for_each(|totals| overall.merge(totals));
        overall
    }
}

impl Totals {
    fn new(shape: &Arc<Shape>) -> Self {
        let slices = shape.slices();
        Self {
            shape: Arc::clone(shape),
            pairs: vec![0; slices],
            unanswered: vec![[0; 2]; slices * shape.models],
            sums: vec![ExactSum::default(); slices * shape.stride()],
        }
    }

    /// One slice's counts and one model's sums of one metric.
    ///
    /// # Panics
    /// As indexing does, if the shape has no such slice, model or metric.
    pub fn tally(&self, slice: Slice, model: usize, metric: usize) -> Tally {
        let shape = &self.shape;
        assert!(model < shape.models, "model {model} of {}", shape.models);
        let slice = shape.slice(slice);
        let column = slice * shape.models + model;
        let first = column * shape.width() + shape.components[..metric].iter().sum::<usize>();
        let [abstained, failed] = self.unanswered[column];
        let sums = &self.sums[first..first + shape.components[metric]];
        Tally {
            pairs: self.pairs[slice],
            abstained,
            failed,
            sums: sums.iter().map(ExactSum::value).collect(),
        }
    }

    /// Adds rows of a batch whose shape has been checked.
    fn add(&mut self, pairs: ScoredPairs<'_>, rows: Range<usize>) {
        let Self { shape, pairs: counts, unanswered, sums } = self;
        // For each condition, where its slices begin and which of them each row is in.
        let slices: Vec<_> =
            shape.bases().zip(pairs.conditions).map(|(base, values)| (base, &values[rows.clone()])).collect();
        counts[0] += rows.len() as u64;
        for (base, values) in &slices {
            values.iter().for_each(|&value| counts[base + usize::from(value)] += 1);
        }
        let stride = shape.stride();
        let mut at = 0;
        for (model, of_model) in pairs.models.iter().enumerate() {
            for (row, outcome) in of_model.outcomes[rows.clone()].iter().enumerate() {
                let reason = match outcome {
                    Outcome::Answered => continue,
                    Outcome::Abstained => 0,
                    Outcome::Failed => 1,
                };
                unanswered[model][reason] += 1;
                for (base, values) in &slices {
                    unanswered[(base + usize::from(values[row])) * shape.models + model][reason] += 1;
                }
            }
            for scores in of_model.scores.iter().flatten() {
                for (row, &score) in scores[rows.clone()].iter().enumerate() {
                    // Zeros are common, a hit or a miss, and change nothing.
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
    fn check(self, shape: &Shape) -> Result<(), CellsError> {
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
            count("rows of outcomes", model.outcomes.len(), rows)?;
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

/// Serde shares an `Arc` only with its feature `rc`; here it is written once anyway.
fn by_value<S: Serializer>(shape: &Arc<Shape>, serializer: S) -> Result<S::Ok, S::Error> {
    shape.serialize(serializer)
}

/// Cells as read back, before they are believed.
#[derive(Deserialize)]
struct StoredCells {
    shape: Shape,
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
            Ok((window, Totals { shape: Arc::clone(&shape), pairs, unanswered, sums }))
        };
        let windows = stored.windows.into_iter().map(believed).collect::<Result<_, _>>()?;
        Ok(Self { shape, windows })
    }
}

#[cfg(test)]
mod tests;
