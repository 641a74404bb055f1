//! Counts mirrored requests that never become a record.
//!
//! A proxy repeats no mirrored request, so each of these is missing from the study for good. The verdict
//! limits their share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use understudy_run_log::ledger::ShedCounts;

/// Counts mirrored requests that never become a record, since the process started. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct ShedCounter(Arc<AtomicCounts>);

#[derive(Debug, Default)]
struct AtomicCounts {
    refused: AtomicU64,
    lost: AtomicU64,
}

impl ShedCounter {
    /// Counts a request that was refused, for instance because the queue was full.
    pub fn count_refused(&self) {
        self.0.refused.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a request that was answered, and whose record will never be on disk.
    pub fn count_lost(&self) {
        self.0.lost.fetch_add(1, Ordering::SeqCst);
    }

    /// The counts so far.
    pub fn counts(&self) -> ShedCounts {
        ShedCounts {
            refused: self.0.refused.load(Ordering::SeqCst),
            lost: self.0.lost.load(Ordering::SeqCst),
        }
    }
}
