//! Deliveries that wait until the log has them on disk, and the backpressure that follows from their age.
//!
//! Invariants:
//! - No delivery is admitted while the oldest one has waited longer than the maximum lag.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;

use crate::http::response::Problem;
use crate::util::request_duration_histogram::request_duration_histogram;

/// Arrival time and serial number, which makes it unique.
type QueueKey = (Instant, u64);

/// The deliveries that are not on disk yet.
pub struct DeliveryQueue {
    /// Age of the oldest delivery above which no further one is admitted.
    pub max_lag: Duration,
    /// Seconds that deliveries waited until they were on disk.
    pub wait_seconds: Histogram,
    queued: Mutex<BTreeSet<QueueKey>>,
    next_serial: AtomicU64,
}

impl DeliveryQueue {
    /// An empty queue.
    pub fn new(max_lag: Duration) -> DeliveryQueue {
        DeliveryQueue {
            max_lag,
            wait_seconds: request_duration_histogram(),
            queued: Mutex::default(),
            next_serial: AtomicU64::new(0),
        }
    }

    /// Number of queued deliveries, and the arrival time of the oldest.
    pub fn len_and_oldest(&self) -> (usize, Option<Instant>) {
        let queued = self.queued.lock();
        (queued.len(), queued.first().map(|(since, _)| *since))
    }

    /// Adds a delivery, which leaves the queue when the returned value is dropped.
    ///
    /// # Errors
    /// 429 if the oldest delivery has waited longer than the maximum lag.
    pub fn enqueue(self: &Arc<DeliveryQueue>) -> Result<QueuedDelivery, Problem> {
        let mut queued = self.queued.lock();
        if queued.first().is_some_and(|(since, _)| since.elapsed() > self.max_lag) {
            return Err(Problem::busy("the run lags behind its deliveries"));
        }
        let key = (Instant::now(), self.next_serial.fetch_add(1, Ordering::Relaxed));
        queued.insert(key);
        Ok(QueuedDelivery { queue: self.clone(), key })
    }
}

/// The place of one request in the queue. Dropping it removes the request from the queue.
pub struct QueuedDelivery {
    queue: Arc<DeliveryQueue>,
    key: QueueKey,
}

impl QueuedDelivery {
    /// Records that the delivery is on disk now.
    pub fn record_written(&self) {
        self.queue.wait_seconds.observe(self.key.0.elapsed().as_secs_f64());
    }
}

impl Drop for QueuedDelivery {
    fn drop(&mut self) {
        self.queue.queued.lock().remove(&self.key);
    }
}
