//! The served run: absent until recovery is complete, then reachable through its handle.
//!
//! Invariants:
//! - Records are accepted only between the start of the run and the start of draining.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::http::response::Problem;
use understudy_engine::RunHandle;
use understudy_run_log::signed_head::Signer;
use understudy_study::Study;

/// The study that is served, and its run once that has started.
pub struct RunSlot {
    /// The served study.
    pub study: Study,
    /// Key that signs the ledger's head, if it is signed.
    pub signer: Option<Signer>,
    handle: OnceLock<RunHandle>,
    draining: AtomicBool,
}

impl RunSlot {
    /// A slot whose run has not started.
    pub fn new(study: Study, signer: Option<Signer>) -> RunSlot {
        RunSlot { study, signer, handle: OnceLock::new(), draining: AtomicBool::new(false) }
    }

    /// Publishes the handle of the started run; only the first call has an effect.
    pub fn set_started(&self, handle: RunHandle) {
        let _ = self.handle.set(handle);
    }

    /// Stops accepting records.
    pub fn drain(&self) {
        if !self.draining.swap(true, Ordering::Relaxed) {
            tracing::info!("draining: no more records are accepted");
        }
    }

    /// Whether no more records are accepted.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The run, if it accepts records.
    ///
    /// # Errors
    /// 503 before the run has started and while it is draining.
    pub fn accepting_run(&self) -> Result<&RunHandle, Problem> {
        match self.handle.get() {
            Some(_) if self.is_draining() => Err(Problem::ending()),
            Some(handle) => Ok(handle),
            None => Err(Problem::starting()),
        }
    }

    /// The run, also while it is draining; `None` before it has started.
    pub fn started_run(&self) -> Option<&RunHandle> {
        self.handle.get()
    }
}
