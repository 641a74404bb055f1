//! What all the instances of a plugin have used together.
//!
//! Always holds: what was counted is never taken back, whatever becomes of an instance.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counts what the instances of a plugin use.
#[derive(Debug, Default)]
pub struct UsageCounters {
    calls: AtomicU64,
    fuel: AtomicU64,
    traps: AtomicU64,
    memory: AtomicU64,
}

/// What they have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Calls.
    pub calls: u64,
    /// Fuel, of wasmtime's: about one a Wasm instruction.
    pub fuel: u64,
    /// Calls that ended the instance: traps, panics, an exhausted budget.
    pub traps: u64,
    /// Bytes of linear memory that one instance has had at most.
    pub memory_bytes: u64,
}

impl UsageCounters {
    /// Counts a call.
    pub(super) fn call(&self, fuel: u64, trapped: bool, memory: usize) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.fuel.fetch_add(fuel, Ordering::Relaxed);
        self.traps.fetch_add(u64::from(trapped), Ordering::Relaxed);
        self.memory.fetch_max(memory as u64, Ordering::Relaxed);
    }

    /// What was used by now.
    pub fn usage(&self) -> Usage {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            calls: of(&self.calls),
            fuel: of(&self.fuel),
            traps: of(&self.traps),
            memory_bytes: of(&self.memory),
        }
    }
}
