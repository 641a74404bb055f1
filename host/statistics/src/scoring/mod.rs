//! Scores, summed: which window and which conditions a pair falls in, and the sums that every figure is made from.
//!
//! Pure: no plugin, no clock, no file. A metric's own `score` and `reduce` are called elsewhere; here their components
//! are only added up. Always so: the same pairs give the same cells, bit for bit, whatever batches, workers, merges
//! and restarts they came by.

mod capped;
mod cells;
mod condition;
mod evidence;
mod exact;
mod interval;
mod local;
mod paired;
mod profiles;
mod spread;
mod spreads;
mod window;

pub use capped::{Matrix, Said};
pub use cells::{Cells, CellsError, ModelScores, Outcome, ScoredPairs, Shape, Slice, Tally, Totals};
pub use condition::{ConditionError, Conditions};
pub use evidence::{
    Evidence, EvidencePair, GROUPS, Inputs, Labels, ModelSums, Place, Sums, WindowEvidence, WindowInputs,
    group,
};
pub use exact::ExactSum;
pub use interval::{
    Block, Difference, Interval, POWER, Sequence, at_least, jackknife, jackknifed, shares, standard_error,
    student_above, student_quantile, upper_tail, wilson, wilson_weighted,
};
pub use paired::{Agreements, Paired, PairedFigures, PairedRow};
pub use profiles::{PRODUCTS, Part, PartSums, ProfileIndex, ProfiledPairs, Profiles};
pub use spread::{Errors, Places, Spread};
pub use spreads::{Parting, SpreadPairs, Spreads};
pub use window::{Window, WindowClock};
