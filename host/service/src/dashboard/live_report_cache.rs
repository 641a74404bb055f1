//! A cache of the live figures: what a report would show if the run were evaluated now.
//!
//! Invariants:
//! - Figures are computed only on request, on a blocking thread, at most once per [`MIN_INTERVAL`] and at
//!   most a fifth of the time.
//! - A request during a computation receives the previous figures.
//! - Figures cover only complete windows, which no further pair can join.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::app::run_slot::RunSlot;
use understudy_audit::{build_interim, read_entries, read_seal};
use understudy_engine::{
    Checkpoint, CompileCache, InterimSnapshot, NotReady, PluginOverrides, RunCommand, Seal, SealedStudy,
    load_run_study,
};
use understudy_report::live_sections;
use understudy_report::page::{Banner, Section};
use understudy_run_log::ledger::{Entry, Event};
use understudy_sandbox::sha256_hex;
use understudy_statistics::verdict::{PairCounts, Verdict};

/// Minimum time between two computations.
const MIN_INTERVAL: Duration = Duration::from_secs(5);
/// Idle time after a computation as a multiple of its duration, so that it uses at most a fifth of the time.
const IDLE_FACTOR: u32 = 4;
/// Maximum time that the first request waits for figures.
const FIRST_WAIT: Duration = Duration::from_secs(3);

/// The live figures, or why there are none.
#[derive(Clone, Debug, Default)]
pub enum LiveFigures {
    /// The first figures are being computed.
    #[default]
    Pending,
    /// No window is complete yet.
    NotReady(NotReady),
    /// The latest figures.
    Ready {
        /// Time of the computation.
        at: Timestamp,
        /// Label of the last covered window.
        window: String,
        /// Interim verdict; `None` if the study declares no threshold.
        verdict: Option<Box<Verdict>>,
        /// The interim verdict in words.
        banners: Vec<Banner>,
        /// The numbers of compared and incomparable pairs of complete windows.
        comparison: PairCounts,
        /// The number of windows with metrics.
        windows: u64,
        /// Mirrored requests that never became a record, as recorded in the ledger.
        shed: u64,
        /// Sections of the report.
        sections: Vec<Section>,
    },
    /// The computation failed.
    Failed,
}

/// The sealed study of the run, with plugin instances that are separate from those of the run.
pub struct CachedStudy {
    /// The study and its plugins.
    pub sealed_study: SealedStudy,
    /// The seal of the study.
    pub seal: Seal,
    /// SHA-256 of the seal in hexadecimal.
    pub digest: String,
}

/// Computes the live figures on demand and caches them.
#[derive(Default)]
pub struct LiveReportCache {
    figures: watch::Sender<Arc<LiveFigures>>,
    busy: AtomicBool,
    /// Earliest time of the next computation.
    next: Mutex<Option<Instant>>,
    /// The loaded study, with the number of swap entries in the ledger when it was loaded.
    study: Mutex<Option<(usize, Arc<CachedStudy>)>>,
}

impl LiveReportCache {
    /// The latest figures. Starts a computation if one is due.
    pub async fn figures(self: &Arc<LiveReportCache>, run: &Arc<RunSlot>) -> Arc<LiveFigures> {
        let next = *self.next.lock();
        let is_due = next.is_none_or(|next| next <= Instant::now());
        if is_due && !self.busy.swap(true, Ordering::AcqRel) {
            tokio::spawn(refresh(self.clone(), run.clone()));
        }
        let mut latest = self.figures.subscribe();
        let ready = latest.wait_for(|figures| !matches!(**figures, LiveFigures::Pending));
        match tokio::time::timeout(FIRST_WAIT, ready).await {
            Ok(Ok(figures)) => figures.clone(),
            _ => Arc::default(),
        }
    }

    /// The sealed study with the plugin versions that the run has now. It blocks for as long as compiling
    /// them takes.
    ///
    /// # Errors
    /// If the seal is damaged, or sealed content has changed.
    pub fn sealed_study(&self, run: &Path) -> anyhow::Result<Arc<CachedStudy>> {
        let is_swap = |entry: &&Entry| {
            matches!(
                entry.event,
                Event::Swap { .. } | Event::SwapApplied { .. } | Event::SwapAbandoned { .. }
            )
        };
        let swaps = read_entries(run)?.iter().filter(is_swap).count();
        let mut cached = self.study.lock();
        if let Some((_, study)) = cached.as_ref().filter(|(at, _)| *at == swaps) {
            return Ok(study.clone());
        }
        let seal = read_seal(run)?;
        let sealed_study = load_run_study(run, &seal, &PluginOverrides::default(), CompileCache::Used)?;
        let digest = sha256_hex(seal.to_json().as_bytes());
        let study = Arc::new(CachedStudy { sealed_study, seal, digest });
        *cached = Some((swaps, study.clone()));
        Ok(study)
    }
}

/// Computes new figures and publishes them.
async fn refresh(cache: Arc<LiveReportCache>, run: Arc<RunSlot>) {
    let began = Instant::now();
    match compute(&cache, &run).await {
        Ok(Some(figures)) => drop(cache.figures.send_replace(Arc::new(figures))),
        // The run has ended, and its last figures stay.
        Ok(None) => {}
        Err(_) => {
            // The error may contain text from a plugin, so that it is not logged.
            tracing::warn!("cannot compute the live figures; run `understudy verify` to find the cause");
            cache.figures.send_replace(Arc::new(LiveFigures::Failed));
        }
    }
    let idle = MIN_INTERVAL.max(began.elapsed() * IDLE_FACTOR);
    *cache.next.lock() = Some(Instant::now() + idle);
    cache.busy.store(false, Ordering::Release);
}

/// New figures; `None` if the run has not started or has ended.
async fn compute(cache: &Arc<LiveReportCache>, run: &RunSlot) -> anyhow::Result<Option<LiveFigures>> {
    let Some(run) = run.started_run() else { return Ok(None) };
    let (sender, aggregates) = oneshot::channel();
    if run.commands.send(RunCommand::SnapshotAggregates(sender)).await.is_err() {
        return Ok(None);
    }
    let Ok(aggregates) = aggregates.await else { return Ok(None) };
    let (cache, run) = (cache.clone(), run.directory.clone());
    let figures = tokio::task::spawn_blocking(move || figures_from(&cache, &run, aggregates));
    figures.await.context("the thread that computes the live figures panicked")?.map(Some)
}

fn figures_from(cache: &LiveReportCache, run: &Path, aggregates: Checkpoint) -> anyhow::Result<LiveFigures> {
    let sealed = cache.sealed_study(run)?;
    let interim = match InterimSnapshot::latest(aggregates, &sealed.sealed_study.study) {
        Ok(interim) => interim,
        Err(reason) => return Ok(LiveFigures::NotReady(reason)),
    };
    let bundle = build_interim(&sealed.sealed_study, &sealed.seal, &interim, &read_entries(run)?)?;
    let (banners, sections) = live_sections(&bundle);
    tracing::debug!(window = interim.label, "live figures computed");
    Ok(LiveFigures::Ready {
        at: Timestamp::now(),
        window: interim.label,
        verdict: bundle.verdict.map(Box::new),
        banners,
        comparison: bundle.report.comparison,
        windows: bundle.report.windows.len() as u64,
        shed: bundle.shed,
        sections,
    })
}
