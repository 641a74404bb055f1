//! What broke during a run: the same things together, with the first row that each happened on.
//!
//! Always holds: every break is counted; the number of different ones that are kept apart is bounded.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::stats::run_result::Incident;

/// Different things that are kept apart; the rest are counted together for each plugin.
const KINDS: usize = 1000;

/// What broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incidents(BTreeMap<(String, String), Seen>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    count: u64,
    /// The least sequence number that it happened on, so that it does not matter in which order it was noted.
    first: u64,
    first_id: String,
}

impl Seen {
    fn add(&mut self, other: Seen) {
        self.count += other.count;
        if other.first < self.first {
            (self.first, self.first_id) = (other.first, other.first_id);
        }
    }
}

impl Incidents {
    /// Notes that `plugin` broke on the row with this sequence number and id.
    pub fn add(&mut self, plugin: &str, what: &str, sequence: u64, id: &str) {
        let known = self.0.contains_key(&(plugin.to_owned(), what.to_owned()));
        let what = if known || self.0.len() < KINDS { what } else { "other things" };
        let seen = Seen { count: 1, first: sequence, first_id: id.to_owned() };
        self.note((plugin.to_owned(), what.to_owned()), seen);
    }

    /// Takes over what somebody else noted.
    pub fn merge(&mut self, other: Incidents) {
        for (key, seen) in other.0 {
            self.note(key, seen);
        }
    }

    fn note(&mut self, key: (String, String), seen: Seen) {
        match self.0.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().add(seen),
            Entry::Vacant(new) => {
                new.insert(seen);
            }
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.values().map(|seen| seen.count).sum()
    }

    /// As the report has them: the most frequent first.
    pub fn list(self) -> Vec<Incident> {
        let incident =
            |((plugin, what), Seen { count, first_id, .. })| Incident { plugin, what, count, first_id };
        let mut list: Vec<Incident> = self.0.into_iter().map(incident).collect();
        list.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.plugin, &a.what).cmp(&(&b.plugin, &b.what)))
        });
        list
    }
}
