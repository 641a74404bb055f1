//! Groups the plugin failures of a run, each with the first row that it happened on.
//!
//! Invariants: every failure is counted; the number of groups is bounded. Failures that differ only in values are one group,
//! as for the reasons of missing answers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::stats::reason_pattern::ReasonPattern;
use crate::stats::run_result::FailureGroup;

/// Maximum number of different failures; further ones are counted together per plugin.
const KINDS: usize = 1000;

/// Counts failures by plugin and by message without values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailureLog(BTreeMap<String, BTreeMap<String, FailureCount>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FailureCount {
    count: u64,
    /// The lowest sequence number of a failed row, with its id and message, so that the order of counting does not matter.
    first: (u64, String, String),
    /// What all messages share.
    pattern: ReasonPattern,
}

impl FailureCount {
    fn add(&mut self, other: FailureCount) {
        self.count += other.count;
        self.pattern.merge(&other.pattern);
        if other.first < self.first {
            self.first = other.first;
        }
    }
}

impl FailureLog {
    /// Counts a failure of `plugin` on the row with this sequence number and id.
    pub fn add(&mut self, plugin: &str, what: &str, sequence: u64, id: &str) {
        let pattern = ReasonPattern::new(what);
        let key = pattern.key();
        let is_known = self.0.get(plugin).is_some_and(|groups| groups.contains_key(&key));
        let groups: usize = self.0.values().map(BTreeMap::len).sum();
        let (key, pattern, what) = match is_known || groups < KINDS {
            true => (key, pattern, what),
            false => (OTHERS.to_owned(), ReasonPattern::new(OTHERS), OTHERS),
        };
        let first = (sequence, id.to_owned(), what.to_owned());
        self.insert(plugin.to_owned(), key, FailureCount { count: 1, first, pattern });
    }

    /// Adds the failures of another part of the run.
    pub fn merge(&mut self, other: FailureLog) {
        for (plugin, groups) in other.0 {
            for (key, group) in groups {
                self.insert(plugin.clone(), key, group);
            }
        }
    }

    fn insert(&mut self, plugin: String, key: String, group: FailureCount) {
        match self.0.entry(plugin).or_default().entry(key) {
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

    /// The groups of the report: the most frequent first, and of equally frequent ones the earliest.
    pub fn list(self) -> Vec<FailureGroup> {
        let mut list = Vec::new();
        for (plugin, groups) in self.0 {
            for FailureCount { count, first: (first, first_id, message), pattern } in groups.into_values() {
                let (what, example) = match pattern.is_uniform() {
                    true => (message, None),
                    false => (pattern.text(), Some(message)),
                };
                let plugin = plugin.clone();
                list.push(FailureGroup { plugin, what, example, count, first, first_id });
            }
        }
        list.sort_by(|a, b| {
            let key = |group: &FailureGroup| (group.plugin.clone(), group.first, group.what.clone());
            b.count.cmp(&a.count).then_with(|| key(a).cmp(&key(b)))
        });
        list
    }
}

/// The message of failures that are not listed.
const OTHERS: &str = "other things";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_differ_in_values_are_one_group_with_its_earliest_row() {
        let error = |key: &str| format!("`decide` panicked: app.py, line 12: KeyError: '{key}'");
        let failures = [(9, "a", "reboot loop; again"), (4, "b", "müde"), (7, "c", "`x` = 3")];
        let log = |failures: &[(u64, &str, &str)]| {
            let mut log = FailureLog::default();
            failures.iter().for_each(|(at, id, key)| log.add("model", &error(key), *at, id));
            log
        };
        let all = log(&failures);
        let mut parts = log(&failures[2..]);
        parts.merge(log(&failures[..2]));
        assert_eq!(parts, all);
        let group = FailureGroup {
            plugin: "model".to_owned(),
            what: error("…"),
            example: Some(error("müde")),
            count: 3,
            first: 4,
            first_id: "b".to_owned(),
        };
        assert_eq!(all.list(), [group]);
    }

    #[test]
    fn equally_frequent_failures_are_listed_from_the_earliest() {
        let mut log = FailureLog::default();
        for (sequence, what) in [(8, "a"), (3, "c"), (5, "b"), (6, "d"), (7, "d")] {
            log.add("model", what, sequence, "id");
        }
        let listed: Vec<String> = log.list().into_iter().map(|group| group.what).collect();
        assert_eq!(listed, ["d", "c", "b", "a"]);
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut log = FailureLog::default();
        for at in 0..3 * KINDS as u32 {
            let word = char::from_u32(0x4e00 + at).unwrap().to_string();
            log.add("model", &word, at.into(), "id");
        }
        assert_eq!((log.count(), log.list().len()), (3 * KINDS as u64, KINDS + 1));
    }
}
