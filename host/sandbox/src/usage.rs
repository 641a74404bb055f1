//! Counters of what all instances of a plugin have used.
//!
//! Invariants:
//! - Counters never decrease, even if instances are discarded.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counters that the instances of a plugin share.
#[derive(Debug, Default)]
pub struct UsageCounters {
    calls: AtomicU64,
    fuel: AtomicU64,
    traps: AtomicU64,
    memory: AtomicU64,
}

/// A snapshot of the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Number of calls.
    pub calls: u64,
    /// Wasmtime fuel, about one unit per Wasm instruction.
    pub fuel: u64,
    /// Calls after which the instance was discarded: traps, panics, exceeded budgets.
    pub traps: u64,
    /// Peak linear memory of a single instance, in bytes.
    pub memory_bytes: u64,
}

impl UsageCounters {
    /// Records a call.
    pub(super) fn record_call(&self, fuel: u64, trapped: bool, memory: usize) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.fuel.fetch_add(fuel, Ordering::Relaxed);
        self.traps.fetch_add(u64::from(trapped), Ordering::Relaxed);
        self.memory.fetch_max(memory as u64, Ordering::Relaxed);
    }

    /// The current counters.
    pub fn usage(&self) -> Usage {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            calls: load(&self.calls),
            fuel: load(&self.fuel),
            traps: load(&self.traps),
            memory_bytes: load(&self.memory),
        }
    }
}
