//! Reads `[swaps]`: the conditions for swapping a plugin during a run.
//!
//! Invariants: every key has a default.

use super::table_reader::TableReader;
use super::toml_value::Value;

/// The conditions for swapping a plugin during a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Swaps {
    /// The number of recent pairs on which the new plugin is compared with the old one.
    pub last: usize,
    /// The share of those pairs, from 0 to 1, on which both must answer the same. Below it the swap is rejected unless it
    /// is forced or restores an earlier version. A swap of any plugin below it is a comparator change.
    pub equivalent: f64,
    /// The share of rows, from 0 to 1, that the new plugin may fail on before it is rolled back.
    pub failed: f64,
    /// The number of rows before that share is evaluated.
    pub failed_rows: u64,
}

impl Default for Swaps {
    fn default() -> Swaps {
        Swaps { last: 1_000, equivalent: 1.0, failed: 0.05, failed_rows: 100 }
    }
}

/// Reads the section `[swaps]`.
pub(super) fn swaps(root: &mut TableReader<'_>) -> Swaps {
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
    use crate::test_support::{VALID, faults, read};

    #[test]
    fn keys_are_read_and_have_defaults() {
        assert_eq!(read(&[]).swaps, Swaps { last: 1_000, equivalent: 1.0, failed: 0.05, failed_rows: 100 });
        let more = format!("{VALID}[swaps]\nlast = 50\nequivalent = 0.99\nfailed = 0\nfailed-rows = 10\n");
        let wanted = Swaps { last: 50, equivalent: 0.99, failed: 0.0, failed_rows: 10 };
        assert_eq!(crate::parse(&more).unwrap().swaps, wanted);
    }

    #[test]
    fn faults_name_their_lines() {
        let wrong = "[swaps]\nlast = 0\nequivalent = 1.5\nfaild = 0.1\n[windows]";
        let said = faults(&[("[windows]", wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")), @r"
study.toml:40: `swaps.last` is 0; write a whole number from 1 to 100000
study.toml:41: `swaps.equivalent` is 1.5; write a number from 0 to 1
study.toml:42: unknown key `swaps.faild`; did you mean `failed`? keys allowed here: last, failed-rows, equivalent, failed
");
    }
}
