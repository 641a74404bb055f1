//! The figures of the moment: what a report would say if the run were looked at now.
//!
//! Always holds: they are made only while somebody looks, at most every [`EVERY`] and a fifth of the time, on a thread of their
//! own; whoever looks meanwhile is shown the last ones. They cover whole windows that no pair can join any more.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::app::state::Served;
use understudy_audit::{entries, moment, read_seal};
use understudy_engine::{RunCommand, Looked, Prepared, Saved, Seal, Unripe, WhatIf, recall};
use understudy_report::live;
use understudy_report::page::{Banner, Section};
use understudy_run_log::ledger::{Entry, Event};
use understudy_sandbox::sha256_hex;

/// How old figures may be before others are made.
const EVERY: Duration = Duration::from_secs(5);
/// Making them may take a fifth of the time.
const REST: u32 = 4;
/// How long one who looks first waits for them.
const PATIENCE: Duration = Duration::from_secs(3);

/// What there is to see.
#[derive(Clone, Debug, Default)]
pub enum Sight {
    /// It is being made.
    #[default]
    Coming,
    /// No window is over yet.
    Unripe(Unripe),
    /// Figures.
    Seen {
        /// When the run stood so.
        at: Timestamp,
        /// The last window that is covered.
        window: String,
        /// The verdict so far, in a word.
        banner: Banner,
        /// What there is to say.
        sections: Vec<Section>,
    },
    /// They cannot be made.
    Failed,
}

/// The sealed study of the run, with plugins of its own.
pub struct Recalled {
    /// The study.
    pub prepared: Prepared,
    /// The seal.
    pub seal: Seal,
    /// SHA-256 of the seal, in hexadecimal.
    pub digest: String,
}

/// Makes the figures, and keeps them.
#[derive(Default)]
pub struct Glance {
    sight: watch::Sender<Arc<Sight>>,
    busy: AtomicBool,
    /// When the next may be made.
    next: Mutex<Option<Instant>>,
    /// With how often the ledger tells of plugins that were exchanged.
    recalled: Mutex<Option<(usize, Arc<Recalled>)>>,
}

impl Glance {
    /// What there is to see; new figures are made if it is time.
    pub async fn look(&self, served: &Arc<Served>) -> Arc<Sight> {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = next.is_none_or(|next| next <= Instant::now());
        if is_due && !self.busy.swap(true, Ordering::AcqRel) {
            tokio::spawn(make(served.clone()));
        }
        let mut seen = self.sight.subscribe();
        let came = seen.wait_for(|sight| !matches!(**sight, Sight::Coming));
        match tokio::time::timeout(PATIENCE, came).await {
            Ok(Ok(sight)) => sight.clone(),
            _ => Arc::default(),
        }
    }

    /// The sealed study, with plugins of its own, as the run keeps them by now. It may take as long as compiling them.
    ///
    /// # Errors
    /// When the seal is damaged, or something that it promised is not what it was.
    pub fn recalled(&self, run: &Path) -> anyhow::Result<Arc<Recalled>> {
        let is_exchange = |entry: &&Entry| {
            matches!(entry.event, Event::Swap { .. } | Event::SwapApplied { .. } | Event::SwapAbandoned { .. })
        };
        let exchanges = entries(run)?.iter().filter(is_exchange).count();
        let mut known = self.recalled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = known.as_ref().filter(|(since, _)| *since == exchanges) {
            return Ok(known.clone());
        }
        let seal = read_seal(run)?;
        let prepared = recall(run, &seal, &WhatIf::default())?;
        let digest = sha256_hex(seal.to_json().as_bytes());
        let recalled = Arc::new(Recalled { prepared, seal, digest });
        *known = Some((exchanges, recalled.clone()));
        Ok(recalled)
    }
}

/// Makes figures, and shows them to whoever looks.
async fn make(served: Arc<Served>) {
    let began = Instant::now();
    let sight = sight(&served).await;
    let glance = &served.glance;
    match sight {
        Ok(Some(sight)) => drop(glance.sight.send_replace(Arc::new(sight))),
        // The run has ended: what was seen last stays.
        Ok(None) => {}
        Err(_) => {
            // What a plugin said may be in the error, so it is not logged.
            tracing::warn!(
                "the figures of the moment cannot be made; `understudy verify` says what is wrong"
            );
            glance.sight.send_replace(Arc::new(Sight::Failed));
        }
    }
    let rest = EVERY.max(began.elapsed() * REST);
    *glance.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + rest);
    glance.busy.store(false, Ordering::Release);
}

async fn sight(served: &Arc<Served>) -> anyhow::Result<Option<Sight>> {
    let Some(run) = served.begun_run() else { return Ok(None) };
    let (shown, peeked) = oneshot::channel();
    if run.commands.send(RunCommand::SnapshotAggregates(shown)).await.is_err() {
        return Ok(None);
    }
    let Ok(saved) = peeked.await else { return Ok(None) };
    let (served, run) = (served.clone(), run.directory.clone());
    let made = tokio::task::spawn_blocking(move || seen(&served.glance, &run, saved));
    made.await.context("the thread that makes the figures has stopped")?.map(Some)
}

fn seen(glance: &Glance, run: &Path, saved: Saved) -> anyhow::Result<Sight> {
    let known = glance.recalled(run)?;
    let looked = match Looked::latest(saved, &known.prepared.study) {
        Ok(looked) => looked,
        Err(unripe) => return Ok(Sight::Unripe(unripe)),
    };
    let dossier = moment(&known.prepared, &known.seal, &looked, &entries(run)?)?;
    let (banner, sections) = live(&dossier);
    tracing::debug!(window = looked.label, "look");
    Ok(Sight::Seen { at: Timestamp::now(), window: looked.label, banner, sections })
}
