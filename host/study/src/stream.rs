//! Names the two streams of a study and holds one value for each of them.
//!
//! Invariants: the snapshots come first wherever both streams are listed; a [`PerStream`] is indexed by [`StreamKind`]
//! only, so that the two values cannot be mistaken for each other.

use std::ops::{Index, IndexMut};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the two streams of records that a study joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// The inputs that the models see.
    Snapshots,
    /// The decisions that the substrate made.
    Decisions,
}

impl StreamKind {
    /// Both kinds, snapshots first.
    pub const ALL: [StreamKind; 2] = [StreamKind::Snapshots, StreamKind::Decisions];

    /// The name in messages, tables and files: `snapshots` or `decisions`.
    pub const fn name(self) -> &'static str {
        match self {
            StreamKind::Snapshots => "snapshots",
            StreamKind::Decisions => "decisions",
        }
    }

    /// The kind of the other stream.
    pub const fn other(self) -> StreamKind {
        match self {
            StreamKind::Snapshots => StreamKind::Decisions,
            StreamKind::Decisions => StreamKind::Snapshots,
        }
    }
}

/// One value for each of the two streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct PerStream<T> {
    /// The value of the snapshots.
    pub snapshots: T,
    /// The value of the decisions.
    pub decisions: T,
}

impl<T> PerStream<T> {
    /// The results of `make` for the snapshots and the decisions, called in this order.
    pub fn from_fn(mut make: impl FnMut(StreamKind) -> T) -> PerStream<T> {
        PerStream { snapshots: make(StreamKind::Snapshots), decisions: make(StreamKind::Decisions) }
    }

    /// Like [`PerStream::from_fn`]; stops at the first error.
    ///
    /// # Errors
    /// The first error of `make`.
    pub fn try_from_fn<E>(mut make: impl FnMut(StreamKind) -> Result<T, E>) -> Result<PerStream<T>, E> {
        Ok(PerStream { snapshots: make(StreamKind::Snapshots)?, decisions: make(StreamKind::Decisions)? })
    }

    /// The results of `make` for both values, snapshots first.
    pub fn map<U>(self, mut make: impl FnMut(T) -> U) -> PerStream<U> {
        PerStream { snapshots: make(self.snapshots), decisions: make(self.decisions) }
    }

    /// References to both values.
    pub const fn as_ref(&self) -> PerStream<&T> {
        PerStream { snapshots: &self.snapshots, decisions: &self.decisions }
    }

    /// Both values, snapshots first.
    pub fn into_array(self) -> [T; 2] {
        [self.snapshots, self.decisions]
    }

    /// References to both values, snapshots first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.snapshots, &self.decisions].into_iter()
    }
}

impl<T: Clone> PerStream<T> {
    /// The same value for both streams.
    pub fn splat(value: T) -> PerStream<T> {
        PerStream { snapshots: value.clone(), decisions: value }
    }
}

impl<T> From<[T; 2]> for PerStream<T> {
    fn from([snapshots, decisions]: [T; 2]) -> PerStream<T> {
        PerStream { snapshots, decisions }
    }
}

impl<T> Index<StreamKind> for PerStream<T> {
    type Output = T;

    fn index(&self, kind: StreamKind) -> &T {
        match kind {
            StreamKind::Snapshots => &self.snapshots,
            StreamKind::Decisions => &self.decisions,
        }
    }
}

impl<T> IndexMut<StreamKind> for PerStream<T> {
    fn index_mut(&mut self, kind: StreamKind) -> &mut T {
        match kind {
            StreamKind::Snapshots => &mut self.snapshots,
            StreamKind::Decisions => &mut self.decisions,
        }
    }
}
