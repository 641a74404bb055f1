//! Groups the plugin failures of a run, each with the first row that it happened on.
//!
//! Invariants: every failure is counted; the number of groups is bounded.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::stats::run_result::FailureGroup;

/// Maximum number of different failures; further ones are counted together per plugin.
const KINDS: usize = 1000;

/// Counts failures by plugin and message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailureLog(BTreeMap<String, BTreeMap<String, FailureCount>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FailureCount {
    count: u64,
    /// The lowest sequence number of a failed row, so that the order of counting does not matter.
    first: u64,
    first_id: String,
}

impl FailureCount {
    fn add(&mut self, other: FailureCount) {
        self.count += other.count;
        if other.first < self.first {
            (self.first, self.first_id) = (other.first, other.first_id);
        }
    }
}

impl FailureLog {
    /// Counts a failure of `plugin` on the row with this sequence number and id. A failure that is already
    /// known costs no allocation.
    pub fn add(&mut self, plugin: &str, what: &str, sequence: u64, id: &str) {
        if let Some(group) = self.0.get_mut(plugin).and_then(|groups| groups.get_mut(what)) {
            group.count += 1;
            if sequence < group.first {
                (group.first, group.first_id) = (sequence, id.to_owned());
            }
            return;
        }
        let groups: usize = self.0.values().map(BTreeMap::len).sum();
        let what = if groups < KINDS { what } else { "other things" };
        self.insert(
            plugin.to_owned(),
            what.to_owned(),
            FailureCount { count: 1, first: sequence, first_id: id.to_owned() },
        );
    }

    /// Adds the failures of another part of the run.
    pub fn merge(&mut self, other: FailureLog) {
        for (plugin, groups) in other.0 {
            for (what, group) in groups {
                self.insert(plugin.clone(), what, group);
            }
        }
    }

    fn insert(&mut self, plugin: String, what: String, group: FailureCount) {
        match self.0.entry(plugin).or_default().entry(what) {
            Entry::Occupied(mut known) => known.get_mut().add(group),
            Entry::Vacant(new) => {
                new.insert(group);
            }
        }
    }

    /// Total number of failures.
    pub fn count(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).map(|group| group.count).sum()
    }

    /// The groups of the report, most frequent first.
    pub fn list(self) -> Vec<FailureGroup> {
        let mut list = Vec::new();
        for (plugin, groups) in self.0 {
            for (what, FailureCount { count, first_id, .. }) in groups {
                list.push(FailureGroup { plugin: plugin.clone(), what, count, first_id });
            }
        }
        list.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.plugin, &a.what).cmp(&(&b.plugin, &b.what)))
        });
        list
    }
}
