//! A swap of a plugin as the ledger records it: its approval, its shadow comparison and its outcome.

use jiff::Timestamp;

use crate::ledger::event::{ShadowResult, SwapTrigger, SwappedModel};
use understudy_study::PerStream;

/// What became of an approved swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapOutcome {
    /// The ledger does not record it: the process may have ended before it could.
    Unrecorded,
    /// The swap took effect.
    Applied {
        /// The first sequence number of each stream that belongs to the generation.
        first_sequences: PerStream<u64>,
        /// The latest event time among the snapshots accepted before the swap.
        snapshot_clock: Option<Timestamp>,
    },
    /// The swap did not take effect.
    Abandoned,
}

/// A swap, from its approval to its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSwap {
    /// When the swap was approved.
    pub at: Timestamp,
    /// The generation that the swap begins, from 1.
    pub generation: u32,
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// The name of the plugin slot in the study.
    pub name: String,
    /// SHA-256 of the new component, in hexadecimal.
    pub sha256: String,
    /// The new plugin's configuration, a JSON object.
    pub config: String,
    /// The trained model that the new plugin runs, if a swap has replaced the sealed one.
    pub model: Option<SwappedModel>,
    /// What caused the swap.
    pub trigger: SwapTrigger,
    /// Result of the shadow comparison, unless the swap was forced without one.
    pub shadow: Option<ShadowResult>,
    /// Whether the swap was forced although the answers may differ.
    pub comparator_change: bool,
    /// What became of the swap.
    pub outcome: SwapOutcome,
    /// Per stream, the lowest position from which the run was resumed after the swap; `None` if it never was.
    /// Records from there on were read again, by the plugins that ran then.
    pub resumed_from: Option<PerStream<u64>>,
}
