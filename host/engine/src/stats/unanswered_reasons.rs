//! Counts why answers are missing, by plugin and reason.
//!
//! Invariants: every missing answer is counted once, except those that are missing because of blinding. The number of
//! reasons is bounded. The counts do not depend on the order in which answers are counted or parts are merged.
//!
//! Reasons contain values, so reasons that differ only in values are counted together. Of more than `MAX_REASONS`
//! reasons those with the least hashes are kept: a reason that is kept was never dropped, so its count is complete.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::stats::reason_pattern::ReasonPattern;
use crate::stats::run_result::{UnansweredGroup, UnansweredKind};
use understudy_records::batch::Reason;

/// Maximum number of reasons that are counted one by one for each plugin and kind.
const MAX_REASONS: usize = 256;

/// The missing answers of all plugins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnansweredReasons(BTreeMap<(String, UnansweredKind), ReasonCounts>);

/// The missing answers of one plugin and kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ReasonCounts {
    /// By the hash of the reason without its values, and that reason.
    reasons: BTreeMap<(u64, String), ReasonCount>,
    /// Answers missing for reasons that are not kept.
    others: u64,
}

/// The missing answers with one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ReasonCount {
    count: u64,
    /// The lowest sequence number of a row without an answer, with its id and the reason as the plugin gave it.
    first: (u64, String, String),
    /// What the reasons of all rows share.
    pattern: ReasonPattern,
}

impl ReasonCount {
    fn merge(&mut self, other: ReasonCount) {
        self.count += other.count;
        self.pattern.merge(&other.pattern);
        if other.first < self.first {
            self.first = other.first;
        }
    }
}

impl UnansweredReasons {
    /// Counts the missing answers of a batch: the index of each row and the reason. `row_key` returns the sequence number
    /// and the id of a row.
    pub fn add<'a>(
        &mut self,
        plugin: &str,
        unanswered: impl IntoIterator<Item = (u32, &'a Reason)>,
        row_key: impl Fn(usize) -> (u64, &'a str),
    ) {
        // Rows of a batch often have the same reason, and the value-free form is computed once for these.
        let mut batch: FxHashMap<(UnansweredKind, &str), ReasonCount> = FxHashMap::default();
        for (row, reason) in unanswered {
            let (kind, text) = match reason {
                Reason::Abstained(text) => (UnansweredKind::Abstained, text),
                Reason::Failed(text) | Reason::Broke(text) => (UnansweredKind::Failed, text),
                Reason::Blinded => continue,
            };
            let (sequence, id) = row_key(row as usize);
            match batch.get_mut(&(kind, text)) {
                Some(known) => {
                    known.count += 1;
                    if sequence < known.first.0 {
                        known.first = (sequence, id.to_owned(), std::mem::take(&mut known.first.2));
                    }
                }
                None => {
                    let first = (sequence, id.to_owned(), text.clone());
                    let pattern = ReasonPattern::new(text);
                    batch.insert((kind, text), ReasonCount { count: 1, first, pattern });
                }
            }
        }
        for ((kind, _), counted) in batch {
            let reason = counted.pattern.key();
            let counts = self.0.entry((plugin.to_owned(), kind)).or_default();
            counts.insert((xxh3_64(reason.as_bytes()), reason), counted);
        }
    }

    /// Adds the missing answers of another part of the run.
    pub fn merge(&mut self, other: UnansweredReasons) {
        for (key, ReasonCounts { reasons, others }) in other.0 {
            let counts = self.0.entry(key).or_default();
            counts.others += others;
            reasons.into_iter().for_each(|(reason, counted)| counts.insert(reason, counted));
        }
    }

    /// The groups of the report: at most `most` reasons for each plugin and kind, the most frequent first, and behind
    /// them one group without a reason for all others.
    pub fn most_frequent(self, most: usize) -> Vec<UnansweredGroup> {
        let mut list = Vec::new();
        for ((plugin, kind), ReasonCounts { reasons, mut others }) in self.0 {
            let mut groups: Vec<UnansweredGroup> = Vec::new();
            let mut sorted: Vec<(String, ReasonCount)> =
                reasons.into_iter().map(|((_, reason), counted)| (reason, counted)).collect();
            sorted.sort_by(|(one, a), (other, b)| b.count.cmp(&a.count).then_with(|| one.cmp(other)));
            for (_, ReasonCount { count, first: (_, id, text), pattern }) in sorted {
                if groups.len() == most {
                    others += count;
                    continue;
                }
                let (reason, example) = match pattern.is_uniform() {
                    true => (text, None),
                    false => (pattern.text(), Some(text)),
                };
                groups.push(UnansweredGroup {
                    plugin: plugin.clone(),
                    kind,
                    reason: Some(reason),
                    count,
                    first_id: id,
                    example,
                });
            }
            if others > 0 {
                groups.push(UnansweredGroup {
                    plugin,
                    kind,
                    reason: None,
                    count: others,
                    first_id: String::new(),
                    example: None,
                });
            }
            list.extend(groups);
        }
        list
    }
}

impl ReasonCounts {
    fn insert(&mut self, reason: (u64, String), counted: ReasonCount) {
        if let Some(known) = self.reasons.get_mut(&reason) {
            return known.merge(counted);
        }
        self.reasons.insert(reason, counted);
        if self.reasons.len() > MAX_REASONS
            && let Some((_, dropped)) = self.reasons.pop_last()
        {
            self.others += dropped.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDS: [&str; 4] = ["a", "b", "c", "d"];

    fn counted(reasons: &[(u64, Reason)]) -> UnansweredReasons {
        let mut log = UnansweredReasons::default();
        let rows = reasons.iter().enumerate().map(|(row, (_, reason))| (row as u32, reason));
        log.add("p", rows, |row| (reasons[row].0, IDS[reasons[row].0 as usize % 4]));
        log
    }

    fn failed(text: &str) -> Reason {
        Reason::Failed(text.to_owned())
    }

    #[test]
    fn reasons_are_listed_by_frequency_with_an_example() {
        let reasons = [
            (7, failed("the ranking repeats `y`")),
            (2, failed("the ranking repeats `x`")),
            (3, failed("the decision has no `room`")),
            (5, failed("the decision has no `room`")),
            (6, failed("the decision has no `room`")),
            (4, Reason::Abstained("unsure".to_owned())),
            (8, Reason::Blinded),
            (9, Reason::Broke("unreachable".to_owned())),
        ];
        let group = |kind, reason: &str, count, first_id: &str, example: Option<&str>| UnansweredGroup {
            plugin: "p".to_owned(),
            kind,
            reason: Some(reason.to_owned()),
            count,
            first_id: first_id.to_owned(),
            example: example.map(str::to_owned),
        };
        let (abstained, failed) = (UnansweredKind::Abstained, UnansweredKind::Failed);
        let list = counted(&reasons).most_frequent(9);
        assert_eq!(
            list,
            [
                group(abstained, "unsure", 1, "a", None),
                group(failed, "the decision has no `room`", 3, "d", None),
                group(failed, "the ranking repeats `…`", 2, "c", Some("the ranking repeats `x`")),
                group(failed, "unreachable", 1, "b", None),
            ]
        );
        let bounded = counted(&reasons).most_frequent(1);
        assert_eq!(bounded.iter().map(|group| group.count).collect::<Vec<_>>(), [1, 3, 3]);
        assert_eq!(bounded[2].reason, None);
    }

    #[test]
    fn the_number_of_reasons_is_bounded() {
        let words: Vec<String> =
            (0..1000u32).map(|at| format!("word{}", char::from_u32(0x4e00 + at).unwrap())).collect();
        let reasons: Vec<_> = words.iter().zip(0..).map(|(word, at)| (at, failed(word))).collect();
        let list = counted(&reasons).most_frequent(20);
        assert_eq!((list.len(), list.iter().map(|group| group.count).sum::<u64>()), (21, 1000));
    }

    proptest! {
        #[test]
        fn counts_do_not_depend_on_order_or_parts(
            texts in prop::collection::vec((0..400u32, 0..3u32), 1..600),
            cut in 0..600usize,
            order in any::<u64>(),
        ) {
            let word = |at: u32| char::from_u32(0x4e00 + at).unwrap();
            let reasons: Vec<(u64, Reason)> = texts.iter().zip(0..)
                .map(|((at, value), sequence)| (sequence, failed(&format!("{} `{value}`", word(*at))))).collect();
            let mut other = reasons.clone();
            other.sort_by_key(|(sequence, _)| (sequence ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (one, two) = other.split_at(cut.min(other.len()));
            let mut parts = counted(two);
            parts.merge(counted(one));
            prop_assert_eq!(parts.clone(), counted(&reasons));
            prop_assert_eq!(parts.most_frequent(30).iter().map(|group| group.count).sum::<u64>(), reasons.len() as u64);
        }
    }
}
