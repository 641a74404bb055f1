//! The commands that a served run accepts while it is running.
//!
//! Invariants: the coordinator executes a command between two batches, on its own thread.

use tokio::sync::oneshot;

use crate::evaluation::pair_evaluator::EvaluatorSwap;
use crate::evaluation::recent_pairs::PairSample;
use crate::inference::worker_pool::ModelSwap;
use crate::plugins::plugin_versions::SwapApplied;
use crate::stats::checkpoint::Checkpoint;

/// The capacity of the command channel.
pub(crate) const COMMAND_QUEUE: usize = 16;

/// A command to a running pipeline. Commands that ask for something carry the channel for the reply.
pub enum RunCommand {
    /// Accept no more records, process those that were delivered, and close the run.
    End {
        /// The operator, for the ledger.
        who: String,
        /// The operator's reason, for the ledger.
        reason: String,
    },
    /// Send a checkpoint of the current state with all aggregates.
    SnapshotAggregates(oneshot::Sender<Checkpoint>),
    /// Send the most recent pairs; `None` if there are none yet.
    SampleRecentPairs(oneshot::Sender<Option<PairSample>>),
    /// Replace the plugin of a slot.
    Swap(Box<SwapInstances>, oneshot::Sender<SwapApplied>),
}

/// The running instances of a plugin that takes over a slot.
pub struct SwapInstances {
    /// If a model is swapped, its new instance for each worker; else empty.
    pub worker_models: Vec<ModelSwap>,
    /// The new version, with an instance for the evaluator unless a model is swapped.
    pub evaluator_swap: EvaluatorSwap,
}
