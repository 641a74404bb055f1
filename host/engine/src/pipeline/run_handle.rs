//! The handle through which the service reaches a running pipeline.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::control::messages::RunCommand;
use crate::control::status::RunStatus;
use crate::hot_swap::swapper::HotSwapper;
use crate::ingest::push_intake::IntakeHandle;

/// A served run.
pub struct RunHandle {
    /// The run directory.
    pub directory: PathBuf,
    /// Where records are delivered; `None` if no stream of the study comes over HTTP.
    pub intake: Option<IntakeHandle>,
    /// Where commands are sent. It is closed once the run has ended.
    pub commands: mpsc::Sender<RunCommand>,
    /// Replaces plugins.
    pub swapper: Arc<HotSwapper>,
    /// The status of the run, updated several times a second.
    pub status: watch::Receiver<RunStatus>,
}

/// Called once, as soon as the run has started.
pub type OnReady = Box<dyn FnOnce(RunHandle) + Send>;
