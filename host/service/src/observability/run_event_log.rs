//! Logs the events of a running study: plugin traps and swaps.
//!
//! Invariants:
//! - Messages contain counts and plugin names, and nothing of a record.
//! - Traps are logged at most once per [`TRAP_LOG_INTERVAL`].

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use understudy_engine::RunStatus;

/// Minimum time between two messages about traps.
const TRAP_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Logs events until the run ends, which closes the channel.
pub async fn log_run_events(mut status: Receiver<RunStatus>) {
    let mut counts = TrapCounts::default();
    let mut generation = status.borrow().generation;
    counts.new_traps(&status.borrow());
    while status.changed().await.is_ok() {
        let (traps, now) = {
            let status = status.borrow_and_update();
            (counts.new_traps(&status), status.generation)
        };
        if now != generation {
            tracing::info!(from = generation, to = now, "plugin swapped");
            generation = now;
        }
        for NewTraps { plugin, role, times, total } in &traps {
            tracing::warn!(plugin, role, times, total, "plugin trapped");
        }
        if !traps.is_empty() {
            tokio::time::sleep(TRAP_LOG_INTERVAL).await;
        }
    }
}

/// Number of logged traps by role, plugin and generation.
#[derive(Default)]
struct TrapCounts(BTreeMap<(String, String, u32), u64>);

/// Traps of a plugin that are not logged yet.
#[derive(Debug, PartialEq, Eq)]
struct NewTraps {
    plugin: String,
    role: String,
    times: u64,
    total: u64,
}

impl TrapCounts {
    /// The traps since the previous call.
    fn new_traps(&mut self, status: &RunStatus) -> Vec<NewTraps> {
        let mut traps = Vec::new();
        for plugin in &status.plugins {
            let key = (plugin.role.clone(), plugin.name.clone(), plugin.generation);
            let total = plugin.usage.traps;
            let before = self.0.insert(key, total).unwrap_or(0);
            if total > before {
                let (plugin, role) = (plugin.name.clone(), plugin.role.clone());
                traps.push(NewTraps { plugin, role, times: total - before, total });
            }
        }
        traps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_engine::PluginStatus;

    #[test]
    fn each_trap_is_logged_once() {
        let status = |traps: u64, generation| {
            let mut plugin = PluginStatus { generation, name: "m".into(), ..PluginStatus::default() };
            plugin.usage.traps = traps;
            RunStatus { plugins: vec![plugin], ..RunStatus::default() }
        };
        let mut counts = TrapCounts::default();
        let mut times = |traps, generation| {
            counts.new_traps(&status(traps, generation)).iter().map(|traps| traps.times).collect::<Vec<_>>()
        };
        assert_eq!([times(0, 0), times(3, 0), times(3, 0), times(5, 0)], [vec![], vec![3], vec![], vec![2]]);
        // The count of a swapped-in plugin starts at 0.
        assert_eq!([times(1, 1), times(1, 1)], [vec![1], vec![]]);
    }
}
