//! `[swaps]`: what is asked of a plugin that takes the place of another while a run goes on.
//!
//! Always holds: every key has a default.

use super::section::Section;
use super::value::Value;

/// What is asked of a plugin that takes the place of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Swaps {
    /// The latest pairs that it is tried on, beside the one in whose place it comes.
    pub last: usize,
    /// The share of those pairs in which it has to answer the same. Below it, it is refused unless told otherwise, and then
    /// it is a new yardstick.
    pub equivalent: f64,
    /// The share of rows that it may fail on, once in its place; with more the one before comes back.
    pub failed: f64,
    /// Rows that it is asked for before that share is looked at.
    pub failed_rows: u64,
}

impl Default for Swaps {
    fn default() -> Swaps {
        Swaps { last: 1_000, equivalent: 1.0, failed: 0.05, failed_rows: 100 }
    }
}

/// Reads the section.
pub(super) fn swaps(root: &mut Section<'_>) -> Swaps {
    root.section_or_default("swaps", "[swaps] with last = 1000", |section| {
        let default = Swaps::default();
        let rows = |value: &Value<'_>| value.integer().filter(|rows| (1..=100_000).contains(rows));
        let share = |value: &Value<'_>| value.number().filter(|share| (0.0..=1.0).contains(share));
        let count = "a whole number from 1 to 100000";
        let last = section.optional("last", count, rows).map_or(default.last, |rows| rows as usize);
        let failed_rows =
            section.optional("failed-rows", count, rows).map_or(default.failed_rows, |rows| rows as u64);
        let mut share =
            |key, default| section.optional(key, "a number from 0 to 1", share).unwrap_or(default);
        let (equivalent, failed) = (share("equivalent", default.equivalent), share("failed", default.failed));
        Swaps { last, equivalent, failed, failed_rows }
    })
}

#[cfg(test)]
mod tests {
    use super::Swaps;
    use crate::sample::{SOUND, faults, read};

    #[test]
    fn every_key_has_a_default_and_what_is_written_is_read() {
        assert_eq!(read(&[]).swaps, Swaps { last: 1_000, equivalent: 1.0, failed: 0.05, failed_rows: 100 });
        let more = format!("{SOUND}[swaps]\nlast = 50\nequivalent = 0.99\nfailed = 0\nfailed-rows = 10\n");
        let wanted = Swaps { last: 50, equivalent: 0.99, failed: 0.0, failed_rows: 10 };
        assert_eq!(crate::parse(&more).unwrap().swaps, wanted);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let wrong = "[swaps]\nlast = 0\nequivalent = 1.5\nfaild = 0.1\n[windows]";
        let said = faults(&[("[windows]", wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")), @r"
study.toml:40: `swaps.last` is 0; write a whole number from 1 to 100000
study.toml:41: `swaps.equivalent` is 1.5; write a number from 0 to 1
study.toml:42: unknown key `swaps.faild`; did you mean `failed`? known keys here: last, failed-rows, equivalent, failed
");
    }
}
