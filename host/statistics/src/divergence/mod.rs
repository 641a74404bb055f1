//! Subgroup discovery: finds the subgroups of the input in which a model's metric differs from that of all
//! other pairs.
//!
//! A subgroup is a conjunction of up to three values of different conditions: late bookings, of groups, in
//! winter. All subgroups with enough pairs are examined, so some would stand out by chance alone. A subgroup
//! is listed only if it was discovered in one half of the pairs and confirmed in the other. A metric may also
//! change over time: [`find_change_points`] finds the windows at which it does.
//!
//! Invariants:
//! - The same table gives the same subgroups in the same order, bit for bit.
//! - A subgroup is not listed for a difference that a wider subgroup, with fewer terms, already explains.
//! - The code is pure: sums in, subgroups out.

mod change_points;
mod delta_method;
mod fisher;
mod frequent_patterns;
mod search_settings;
mod subgroup_contrast;
mod subgroup_search;

pub use change_points::{DetectedChange, find_change_points, min_windows};
pub use delta_method::{DeltaEstimate, SumsLayout, delta_estimate};
pub use fisher::fisher_exact;
pub use frequent_patterns::{MAX_TERMS, Pattern, PatternTable, frequent_patterns};
pub use search_settings::SearchSettings;
pub use subgroup_search::{EXPLORE_LEVEL, SearchResult, Subgroup, benjamini_hochberg, search_subgroups};

/// One value of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternTerm {
    /// The index of the condition.
    pub condition: u16,
    /// The index of the value.
    pub value: u16,
}
