//! What broke during a run: the same things together, with the first row that each happened on.
//!
//! Always holds: every break is counted; the number of different ones that are kept apart is bounded.

use std::collections::HashMap;

use super::outcome::Incident;

/// Different things that are kept apart; the rest are counted together for each plugin.
const KINDS: usize = 1000;

/// What broke.
#[derive(Clone, Debug, Default)]
pub struct Incidents(HashMap<(String, String), (u64, String)>);

impl Incidents {
    /// Notes that `plugin` broke on the row with this id.
    pub fn add(&mut self, plugin: &str, what: &str, id: &str) {
        let known = self.0.contains_key(&(plugin.to_owned(), what.to_owned()));
        let what = if known || self.0.len() < KINDS { what } else { "other things" };
        let entry = self.0.entry((plugin.to_owned(), what.to_owned())).or_insert_with(|| (0, id.to_owned()));
        entry.0 += 1;
    }

    /// Takes over what somebody else noted.
    pub fn merge(&mut self, other: Incidents) {
        for (key, (count, id)) in other.0 {
            self.0.entry(key).or_insert((0, id)).0 += count;
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }

    /// As the report has them: the most frequent first.
    pub fn list(self) -> Vec<Incident> {
        let incident = |((plugin, what), (count, first_id))| Incident { plugin, what, count, first_id };
        let mut list: Vec<Incident> = self.0.into_iter().map(incident).collect();
        list.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.plugin, &a.what).cmp(&(&b.plugin, &b.what)))
        });
        list
    }
}
