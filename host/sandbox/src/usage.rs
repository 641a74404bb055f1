//! Counters of what all instances of a plugin have used.
//!
//! Invariants:
//! - Counters never decrease, even if instances are discarded.
//! - The published usage covers whole blocks of rows, each of at least [`USAGE_BLOCK_ROWS`] different rows.
//! - A failed call of several rows is part of the block of its rows.
//!
//! The fuel of a call depends on the answer or score that it computes. So the usage after every row, or the
//! difference of two such usages, would tell the answer to a single row.

use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

/// Number of rows by which the published usage grows at least.
pub const USAGE_BLOCK_ROWS: u64 = 1000;

/// Counters that the instances of a plugin share.
#[derive(Debug, Default)]
pub struct UsageCounters(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// Usage of all calls.
    total: Usage,
    /// Usage of the complete blocks.
    published: Usage,
    /// Usage since the last complete block.
    open: Usage,
    /// Number of pauses that have not ended.
    pauses: u32,
}

/// A snapshot of the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Number of rows that the plugin answered or scored, or failed on.
    pub rows: u64,
    /// Number of calls.
    pub calls: u64,
    /// Wasmtime fuel, about one unit per Wasm instruction.
    pub fuel: u64,
    /// Calls after which the instance was discarded: traps, panics, exceeded budgets.
    pub traps: u64,
    /// Peak linear memory of a single instance, in bytes.
    pub memory_bytes: u64,
}

impl Usage {
    /// Adds counts, and takes the greater memory.
    pub(super) fn add(&mut self, more: Usage) {
        self.rows += more.rows;
        self.calls += more.calls;
        self.fuel += more.fuel;
        self.traps += more.traps;
        self.memory_bytes = self.memory_bytes.max(more.memory_bytes);
    }
}

impl UsageCounters {
    /// Records the usage of `used.rows` rows, with all calls that failed before. Without rows it is the usage
    /// of the set-up.
    pub(super) fn record(&self, used: Usage) {
        let mut counters = self.lock();
        counters.total.add(used);
        if counters.pauses > 0 {
            return;
        }
        counters.open.add(used);
        if counters.open.rows >= USAGE_BLOCK_ROWS || counters.total.rows == 0 {
            let block = std::mem::take(&mut counters.open);
            counters.published.add(block);
        }
    }

    /// Records a trap.
    pub(super) fn record_trap(&self) {
        self.lock().total.traps += 1;
    }

    /// The exact usage. It tells of single rows, so a running study must not show it.
    pub fn usage(&self) -> Usage {
        self.lock().total
    }

    /// The usage as a running study may show it: that of complete blocks, with the current number of traps.
    pub fn published_usage(&self) -> Usage {
        let counters = self.lock();
        Usage { traps: counters.total.traps, ..counters.published }
    }

    /// Leaves all calls out of the published usage until the returned value is dropped.
    pub fn pause(self: &Arc<UsageCounters>) -> UsagePause {
        self.lock().pauses += 1;
        UsagePause(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().expect("no holder panics")
    }
}

/// While this lives, calls are left out of the published usage.
#[derive(Debug)]
pub struct UsagePause(Arc<UsageCounters>);

impl Drop for UsagePause {
    fn drop(&mut self) {
        self.0.lock().pauses -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: u64, fuel: u64) -> Usage {
        Usage { rows, calls: 1, fuel, traps: 0, memory_bytes: fuel }
    }

    #[test]
    fn the_published_usage_grows_by_whole_blocks() {
        let counters = UsageCounters::default();
        counters.record(rows(0, 7));
        assert_eq!(counters.published_usage(), rows(0, 7), "the set-up depends on no row");
        for row in 1..=3500 {
            let before = counters.published_usage();
            counters.record(rows(1, row));
            let after = counters.published_usage();
            let is_complete = row % USAGE_BLOCK_ROWS == 0;
            assert_eq!(after != before, is_complete, "row {row}");
            assert_eq!(after.rows, row / USAGE_BLOCK_ROWS * USAGE_BLOCK_ROWS);
        }
        assert_eq!(counters.published_usage().fuel, 7 + 3000 * 3001 / 2);
        assert_eq!((counters.usage().rows, counters.usage().fuel), (3500, 7 + 3500 * 3501 / 2));
        // A batch ends the block that it is in.
        counters.record(rows(2000, 1));
        assert_eq!(counters.published_usage().rows, 5500);
    }

    #[test]
    fn traps_are_published_at_once() {
        let counters = UsageCounters::default();
        counters.record(rows(0, 7));
        counters.record(rows(1, 70));
        counters.record_trap();
        assert_eq!(counters.published_usage(), Usage { traps: 1, ..rows(0, 7) });
    }

    #[test]
    fn rows_of_a_pause_are_never_published() {
        let counters = Arc::new(UsageCounters::default());
        counters.record(rows(999, 1));
        let pause = counters.pause();
        counters.record(rows(5000, 10));
        drop(pause);
        assert_eq!(counters.published_usage().rows, 0);
        counters.record(rows(1, 100));
        assert_eq!((counters.published_usage().rows, counters.published_usage().fuel), (1000, 101));
    }
}
