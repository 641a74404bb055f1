//! Defines the options of a run: its directory and its mode.
//!
//! Invariants: a study with an HTTP source runs in served mode; any other study does not; an offline
//! evaluation reads no source of the study.

use std::path::Path;

use anyhow::bail;

use crate::ingest::shed_counter::ShedCounter;
use crate::ingest::stream_interleaving::ReadOrder;
use crate::pipeline::run_handle::OnReady;
use crate::plugins::load::LoadedStudy;
use crate::plugins::stored_files::PluginOverrides;
use understudy_run_log::signed_head::Signer;

/// How a run is started, whatever its mode.
pub struct RunOptions<'o> {
    /// The directory to create, or that of an interrupted run to resume.
    pub directory: &'o Path,
    /// The order in which two files are read.
    pub order: ReadOrder,
    /// The key that signs the ledger's head; `None` leaves the ledger unsigned.
    pub signer: Option<Signer>,
}

/// Where the records of a run come from.
pub enum RunMode<'o> {
    /// From the files or standard input that the study declares.
    Batch,
    /// From HTTP.
    Served {
        /// Gets the handle for deliveries and commands once the run has started.
        on_ready: OnReady,
        /// Counts the mirrored requests that never become a record. The ledger records the counts.
        shed: ShedCounter,
    },
    /// From the log of another run: an offline evaluation with other plugins.
    WhatIf(ReplayedRun<'o>),
}

/// The run whose log an offline evaluation replays.
#[derive(Clone, Copy, Debug)]
pub struct ReplayedRun<'o> {
    /// The directory of the run.
    pub run: &'o Path,
    /// SHA-256 of the run's seal, in hexadecimal.
    pub seal: &'o str,
    /// The plugins that replace those of the run.
    pub overrides: &'o PluginOverrides,
}

impl RunMode<'_> {
    /// Checks that a study with HTTP sources is served, and that one without is not. A what-if needs no
    /// sources.
    pub(crate) fn check_sources(&self, loaded: &LoadedStudy) -> anyhow::Result<()> {
        let path = loaded.path.display();
        match (self, loaded.study.is_live()) {
            (RunMode::Batch, true) => {
                bail!("{path} declares HTTP sources in `[sources]`; serve it with `understudy serve {path}`")
            }
            (RunMode::Served { .. }, false) => loaded.require_http_source(),
            _ => Ok(()),
        }
    }
}

impl LoadedStudy {
    /// Checks that there is something to serve.
    ///
    /// # Errors
    /// If no stream of the study comes over HTTP.
    pub fn require_http_source(&self) -> anyhow::Result<()> {
        let path = self.path.display();
        if !self.study.is_live() {
            bail!(
                "{path} has no HTTP source, so there is nothing to serve; write snapshots = {{ http = true }} in \
                 `[sources]`, or run it with `understudy run {path}`"
            );
        }
        Ok(())
    }
}
