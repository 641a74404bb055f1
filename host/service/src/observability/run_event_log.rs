//! What is logged of a run while it goes on.
//!
//! Always holds: counts and the names of plugins, nothing of a record; a plugin that traps all the time is told of at most
//! every [`EVERY`].

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use understudy_engine::RunStatus;

/// How often it is told that plugins trap.
const EVERY: Duration = Duration::from_secs(10);

/// Tells of a run until it has ended.
pub async fn tell(mut standing: Receiver<RunStatus>) {
    let mut known = Traps::default();
    let mut generation = standing.borrow().generation;
    known.news(&standing.borrow());
    while standing.changed().await.is_ok() {
        let (news, now) = {
            let standing = standing.borrow_and_update();
            (known.news(&standing), standing.generation)
        };
        if now != generation {
            tracing::info!(from = generation, to = now, "swapped");
            generation = now;
        }
        for Trapped { plugin, role, times, all } in &news {
            tracing::warn!(plugin, role, times, all, "plugin trapped");
        }
        if !news.is_empty() {
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// How often each plugin had trapped when it was last told of.
#[derive(Default)]
struct Traps(BTreeMap<(String, String, u32), u64>);

/// A plugin that has trapped since.
#[derive(Debug, PartialEq, Eq)]
struct Trapped {
    plugin: String,
    role: String,
    times: u64,
    all: u64,
}

impl Traps {
    /// What has trapped since this was last asked.
    fn news(&mut self, standing: &RunStatus) -> Vec<Trapped> {
        let mut news = Vec::new();
        for plugin in &standing.plugins {
            let key = (plugin.role.clone(), plugin.name.clone(), plugin.generation);
            let all = plugin.usage.traps;
            let before = self.0.insert(key, all).unwrap_or(0);
            if all > before {
                let (plugin, role) = (plugin.name.clone(), plugin.role.clone());
                news.push(Trapped { plugin, role, times: all - before, all });
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_engine::PluginStatus;

    #[test]
    fn traps_are_told_of_once() {
        let standing = |traps: u64, generation| {
            let mut plugin = PluginStatus { generation, name: "m".into(), ..PluginStatus::default() };
            plugin.usage.traps = traps;
            RunStatus { plugins: vec![plugin], ..RunStatus::default() }
        };
        let mut known = Traps::default();
        let mut times = |traps, generation| {
            known.news(&standing(traps, generation)).iter().map(|news| news.times).collect::<Vec<_>>()
        };
        assert_eq!([times(0, 0), times(3, 0), times(3, 0), times(5, 0)], [vec![], vec![3], vec![], vec![2]]);
        // What comes with a swap has trapped by itself.
        assert_eq!([times(1, 1), times(1, 1)], [vec![1], vec![]]);
    }
}
