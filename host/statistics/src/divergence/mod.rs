//! Where they part: the classes of input in which a model's figure is another than elsewhere.
//!
//! A class is a conjunction of up to three values of different conditions: late bookings, of groups, in winter. All that
//! have enough pairs are looked at, so some would stand out by chance alone; what is listed was discovered in one half of
//! the pairs and confirmed in the other. A figure may also change with time: [`changes`] says from which window on.
//!
//! Pure: sums in, classes out. Always holds: the same table gives the same classes in the same order, bit for bit; no
//! class is listed for what a class above it, of fewer terms, already says.

mod change;
mod compare;
mod fisher;
mod moments;
mod search;
mod table;

pub use change::{Change, changes, least_windows};
pub use fisher::fisher;
pub use moments::{Estimate, Layout, Reduce, estimate};
pub use search::{Class, EXPLORE_LEVEL, Found, Settings, benjamini_hochberg, search};
pub use table::{DEEPEST, Pattern, Table, patterns};

/// One value of one condition, each by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// The condition.
    pub condition: u16,
    /// Its value.
    pub value: u16,
}
