//! The request for a swap, its result and its errors.
//!
//! Invariants: an error says why the swap was rejected and what to do about it.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::plugins::plugin_versions::SwapApplied;
use understudy_run_log::LogError;
use understudy_run_log::ledger::{LedgerError, ShadowResult};
use understudy_sandbox::{ImportError, ModelFiles, SandboxError};

/// The plugin that is to take over a slot.
#[derive(Clone, Debug)]
pub enum Replacement {
    /// Another component, another configuration, or both.
    Plugin {
        /// The new component, with the path by which messages refer to it; `None` keeps the current
        /// component.
        component: Option<(PathBuf, Vec<u8>)>,
        /// The new configuration; `None` keeps the current one.
        config: Option<Map<String, Value>>,
    },
    /// Another file of a trained model.
    Model {
        /// Path of the model file, for messages and the ledger.
        path: PathBuf,
        /// The model file and the files that belong to it.
        files: ModelFiles,
    },
    /// The version before the current one.
    Previous,
}

/// A request to replace the plugin of a slot.
#[derive(Clone, Debug)]
pub struct SwapRequest {
    /// The slot: the name of a plugin in the study, or `comparator`.
    pub slot: String,
    /// The plugin that takes over.
    pub replacement: Replacement,
    /// Whether to swap although the shadow comparison finds differences or has no pairs.
    pub force: bool,
    /// The operator, for the ledger.
    pub who: String,
    /// The operator's reason, for the ledger and the report.
    pub reason: String,
}

/// A swap that took effect.
#[derive(Clone, Debug)]
pub struct SwapResult {
    /// The slot's name in the study.
    pub name: String,
    /// SHA-256 of the new component, in hexadecimal.
    pub sha256: String,
    /// The generation that the swap started, and where it starts.
    pub applied: SwapApplied,
    /// The result of the shadow comparison; `None` without pairs.
    pub shadow: Option<ShadowResult>,
    /// Whether the swap was forced although the answers may differ.
    pub comparator_change: bool,
}

/// Why a swap was rejected. The run continues unchanged.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The study has no such slot.
    #[error("swap rejected: the study has no plugin \"{name}\"; use one of {}", .known.join(", "))]
    UnknownSlot {
        /// The requested name.
        name: String,
        /// The names of the study's plugins, in quotes.
        known: Vec<String>,
    },
    /// The request has no reason.
    #[error("swap rejected: the reason is empty; give one for the ledger and the report")]
    MissingReason,
    /// The slot still has its sealed plugin.
    #[error("swap rejected: \"{0}\" has no previous version, since it has not been swapped")]
    NoPreviousVersion(String),
    /// The current plugin was requested.
    #[error("swap rejected: \"{0}\" already runs this plugin with this configuration")]
    Unchanged(String),
    /// The slot has no trained model.
    #[error("swap rejected: the study declares no file of a trained model for \"{0}\"; name a component")]
    NoTrainedModel(String),
    /// The model file cannot be imported.
    #[error("swap rejected: cannot import {}: {error}", path.display())]
    Import {
        /// The model file.
        path: PathBuf,
        /// Why.
        error: ImportError,
    },
    /// The component cannot be loaded.
    #[error("swap rejected: {0}")]
    Sandbox(#[from] SandboxError),
    /// The plugin cannot take over the slot: all reasons.
    #[error("swap rejected: {}", .0.join("; "))]
    Incompatible(Vec<String>),
    /// The shadow comparison found too many differences.
    #[error(
        "swap rejected: on the latest {pairs} pairs the new plugin agrees with the current one on {agreeing}, a share of \
         {share}; `swaps.equivalent` asks for {required}. To swap anyway, use --force; results after a forced swap count as \
         a comparator change, which `threshold.on-comparator-change` handles"
    )]
    NotEquivalent {
        /// Pairs that both plugins were run on.
        pairs: u64,
        /// Pairs on which both agree.
        agreeing: u64,
        /// The share of those pairs, as text.
        share: String,
        /// The share that the study asks for, from 0 to 1.
        required: f64,
    },
    /// There is no pair yet for the shadow comparison.
    #[error(
        "swap rejected: no recent pairs to test the new plugin on. Wait for pairs, or use --force; results after a forced \
         swap count as a comparator change"
    )]
    NoPairs,
    /// The system cannot start the thread for the swap.
    #[error("swap rejected: cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The ledger could not be written at an earlier swap.
    #[error(
        "swap rejected: the ledger may lack an entry, since it could not be written at the previous swap; stop the run and \
         serve it again, which restores the entry from the log"
    )]
    LedgerIncomplete,
    /// The run has stopped accepting commands.
    #[error("swap rejected: the run is ending")]
    RunEnding,
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The component cannot be stored in the run directory.
    #[error(transparent)]
    Log(#[from] LogError),
}
