//! What the requests share: the run, and how much room there is.
//!
//! Always holds: a request has room in memory for as long as it is being worked on, and not longer; a run that has fallen
//! behind takes no more until it has caught up.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use tokio_rustls::rustls::ServerConfig;

use crate::admin::cases_and_review::Looks;
use crate::auth::denied_log::Denied;
use crate::auth::token_store::Tokens;
use crate::dashboard::live_report_cache::Glance;
use crate::http::response::Problem;
use crate::ingest::mirror::Mirrored;
use crate::observability::metrics::Metrics;
use crate::observability::request_metrics::Said;
use crate::util::process_stats::DiskGauge;
use crate::util::reloadable::Fresh;
use understudy_engine::Handle;
use understudy_run_log::note::Signer;
use understudy_study::Study;

/// The grain in which room is given: 1 KiB.
const GRAIN: usize = 1 << 10;

/// How a run is served.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The largest body, in bytes, as it comes and unpacked.
    pub body_bytes: usize,
    /// Bytes of bodies that may be in memory at once.
    pub room_bytes: usize,
    /// The most connections at once.
    pub connections: usize,
    /// The longest that a request's head, and then its body, may take to come.
    pub patience: Duration,
    /// How long the oldest delivery may have waited for the log before no more is taken.
    pub behind: Duration,
    /// Who may do what; without it, whoever reaches it from this machine may do all.
    pub tokens: Option<Arc<Fresh<Tokens>>>,
    /// The certificate to be known by; without it there is no TLS.
    pub tls: Option<Arc<Fresh<Arc<ServerConfig>>>>,
}

impl Settings {
    /// The defaults, on an address.
    pub fn on(listen: SocketAddr) -> Settings {
        Settings {
            listen,
            body_bytes: 8 << 20,
            room_bytes: 128 << 20,
            connections: 1024,
            patience: Duration::from_secs(10),
            behind: Duration::from_secs(5),
            tokens: None,
            tls: None,
        }
    }
}

/// What the requests share.
pub struct Served {
    /// The study.
    pub study: Study,
    /// How it is served.
    pub settings: Settings,
    /// Where denied requests are noted.
    pub denied: Denied,
    /// What became of mirrored requests.
    pub mirrored: Mirrored,
    /// The key that signs the ledger, if it is signed.
    pub signer: Option<Signer>,
    /// What is counted of the requests.
    pub metrics: Metrics,
    /// What was said in the log of late.
    pub said: Said,
    /// The disk below the run.
    pub disk: DiskGauge,
    /// The figures of the moment.
    pub glance: Glance,
    /// Looks at single cases.
    pub looks: Looks,
    run: OnceLock<Handle>,
    draining: AtomicBool,
    room: Arc<Semaphore>,
    /// Deliveries that wait for the log, the oldest first.
    waiting: Mutex<BTreeSet<(Instant, u64)>>,
    number: AtomicU64,
}

impl Served {
    /// Before the run has begun.
    pub fn new(study: Study, settings: Settings, signer: Option<Signer>) -> Arc<Served> {
        Arc::new(Served {
            study,
            room: Arc::new(Semaphore::new(settings.room_bytes / GRAIN)),
            settings,
            denied: Denied::default(),
            mirrored: Mirrored::default(),
            signer,
            metrics: Metrics::default(),
            said: Said::default(),
            disk: DiskGauge::default(),
            glance: Glance::default(),
            looks: Looks::default(),
            run: OnceLock::new(),
            draining: AtomicBool::new(false),
            waiting: Mutex::default(),
            number: AtomicU64::new(0),
        })
    }

    /// The run has begun.
    pub fn begun(&self, run: Handle) {
        // It begins once.
        let _ = self.run.set(run);
    }

    /// Nothing more is taken.
    pub fn drain(&self) {
        if !self.draining.swap(true, Ordering::Relaxed) {
            tracing::info!("draining: nothing more is taken");
        }
    }

    /// Whether nothing more is taken.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The run, if it takes records.
    ///
    /// # Errors
    /// When it does not yet, or not any more.
    pub fn run(&self) -> Result<&Handle, Problem> {
        match self.run.get() {
            Some(_) if self.is_draining() => Err(Problem::ending()),
            Some(run) => Ok(run),
            None => Err(Problem::starting()),
        }
    }

    /// The run, even while it is ending.
    pub fn begun_run(&self) -> Option<&Handle> {
        self.run.get()
    }

    /// Room for so many bytes.
    ///
    /// # Errors
    /// When there is none now.
    pub fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let grains = u32::try_from(bytes.div_ceil(GRAIN)).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(grains);
        room.map_err(|_| Problem::busy("the bodies of other requests take all the room there is"))
    }

    /// Bytes of room that are free.
    pub fn free(&self) -> usize {
        self.room.available_permits() * GRAIN
    }

    /// How many deliveries wait for the log, and since when the oldest does.
    pub fn waiting(&self) -> (usize, Option<Instant>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.len(), waiting.first().map(|(since, _)| *since))
    }

    /// Lines up for the log, for as long as what comes back is held.
    ///
    /// # Errors
    /// When the oldest delivery waits for too long already.
    pub fn queue(self: &Arc<Served>) -> Result<Waiting, Problem> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.first().is_some_and(|(since, _)| since.elapsed() > self.settings.behind) {
            return Err(Problem::busy("the models have fallen behind; what was taken is worked on first"));
        }
        let place = (Instant::now(), self.number.fetch_add(1, Ordering::Relaxed));
        waiting.insert(place);
        Ok(Waiting { served: self.clone(), place })
    }
}

/// A delivery that waits for the log.
pub struct Waiting {
    served: Arc<Served>,
    place: (Instant, u64),
}

impl Waiting {
    /// How long it has waited.
    pub fn waited(&self) -> Duration {
        self.place.0.elapsed()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.served.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}
