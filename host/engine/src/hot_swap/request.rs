//! What is asked for with an exchange, and what comes of it.
//!
//! Always holds: what is refused says why, and what to do.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::control::messages::Exchanged;
use understudy_run_log::LogError;
use understudy_run_log::ledger::{LedgerError, Tried};
use understudy_sandbox::SandboxError;

/// Who is to take a part.
#[derive(Clone, Debug)]
pub enum New {
    /// Another component, another configuration, or both.
    Plugin {
        /// The component and what messages call it, if it is another.
        component: Option<(PathBuf, Vec<u8>)>,
        /// The configuration, if it is another.
        config: Option<Map<String, Value>>,
    },
    /// Whoever had it before.
    Before,
}

/// A wish for an exchange.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The part: the name of a plugin in the study, or `comparator`.
    pub part: String,
    /// Who is to take it.
    pub new: New,
    /// Whether it is to take it though it does not answer the same.
    pub anyway: bool,
    /// Who wants it.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// An exchange that was made.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// The part's name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// From where on it holds.
    pub exchanged: Exchanged,
    /// What came of trying both.
    pub tried: Option<Tried>,
    /// Whether what follows is measured by another yardstick.
    pub new_yardstick: bool,
}

/// Why an exchange was not made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// There is no such part.
    #[error("the study has no plugin \"{name}\"; it has {}", .has.join(", "))]
    NoPart {
        /// The name.
        name: String,
        /// The names that there are.
        has: Vec<String>,
    },
    /// No reason was given.
    #[error("a swap needs a reason: it is what the report says of it")]
    NoReason,
    /// There is nobody to go back to.
    #[error("\"{0}\" has not been exchanged, so there is nothing to undo")]
    NothingBefore(String),
    /// It is the one that has the part.
    #[error("\"{0}\" runs with this component and this configuration already; nothing was exchanged")]
    Same(String),
    /// The component cannot be used.
    #[error("nothing was exchanged: {0}")]
    Sandbox(#[from] SandboxError),
    /// It does not fit into the study.
    #[error("nothing was exchanged: {}", .0.join("; "))]
    Misfit(Vec<String>),
    /// It answers otherwise.
    #[error(
        "nothing was exchanged: on the latest {pairs} pairs it came to the same as the one that runs in {same}, a share of \
         {share}, and the study asks for {level} (`swaps.equivalent`). If that is meant, say so (--anyway): then what \
         follows is measured by a new yardstick, and `threshold.on-comparator-change` says what that does to the verdict"
    )]
    Otherwise {
        /// Pairs that both were tried on.
        pairs: u64,
        /// Those on which both came to the same.
        same: u64,
        /// Their share.
        share: String,
        /// The share that is asked for.
        level: f64,
    },
    /// There is nothing yet to try it on.
    #[error(
        "nothing was exchanged: there are no pairs yet to try it on. Wait for some, or say that it is to be exchanged all the \
         same (--anyway): then what follows is measured by a new yardstick"
    )]
    NoPairs,
    /// The system gives no thread.
    #[error("nothing was exchanged: there is no thread to do it: {0}")]
    Thread(std::io::Error),
    /// The ledger could not be written before.
    #[error(
        "nothing was exchanged: the ledger could not be written at the exchange before, so it may lack an entry; stop the run \
         and serve it again, which completes it from the rows"
    )]
    Unsaid,
    /// The run takes no commands any more.
    #[error("nothing was exchanged: the run is ending")]
    Ending,
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The component cannot be kept.
    #[error(transparent)]
    Log(#[from] LogError),
}
