//! Interferences as the ledger records them: exposures, disclosures and comparator changes.

use jiff::Timestamp;

use crate::ledger::event::ShadowResult;
use understudy_study::InterferenceKind;

/// An event that may have influenced decisions, or that changes what later results are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedInterference {
    /// The index of the entry that records it.
    pub index: usize,
    /// The kind of interference.
    pub kind: InterferenceKind,
    /// Decisions from this time on may be affected.
    pub since: Timestamp,
    /// Where the interference comes from.
    pub source: InterferenceSource,
}

/// Where an interference comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterferenceSource {
    /// Answers were shown.
    Exposure {
        /// Who was shown them.
        who: String,
        /// The command that showed them.
        command: String,
        /// The number of rows.
        rows: u64,
    },
    /// An operator disclosed it.
    Disclosure {
        /// Who disclosed it.
        who: String,
        /// What is known about it.
        text: String,
    },
    /// A swap was a comparator change: a plugin was swapped although its answers may differ.
    Swap {
        /// `model`, `comparator` or `metric`.
        role: String,
        /// The name of the plugin slot in the study.
        name: String,
        /// Result of the shadow comparison, unless the swap was forced without one.
        shadow: Option<ShadowResult>,
    },
}
