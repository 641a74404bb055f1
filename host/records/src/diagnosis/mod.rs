//! Diagnoses why a run read or joined fewer than a tenth of its records, and declared fields that no record has.
//!
//! Invariants: a diagnosis explains and decides nothing; it depends on the records that were examined alone.
//!
//! One wrong setting of an export makes every record of a file unusable in the same way. A list of rejected lines does not
//! show that; the form that they have in common does.

mod misspelt_field;
mod rejection_cause;
mod unpaired_ids;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use understudy_study::StreamKind;

pub use misspelt_field::{MisspeltField, UndeclaredKeys};
pub use rejection_cause::{CauseCount, CauseCounts, RejectionCause};
pub use unpaired_ids::{BeyondHorizon, FormCount, IdComparison, IdForm, UnpairedIds};

use crate::join::{Account, Accounting};

/// Why a run read or joined fewer than a tenth of its records, and under which keys records have fields that are declared otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InputDiagnosis {
    /// The streams of which fewer than a tenth of the records could be decoded, or none was received.
    pub unread: Vec<UnreadStream>,
    /// Why fewer than a tenth of the accepted records were joined; null if more were joined, or if a stream is unread.
    pub unpaired: Option<UnpairedIds>,
    /// Declared fields that no accepted record has a value of, although records have a key of a similar name.
    #[serde(default)]
    pub misspelt: Vec<MisspeltField>,
}

/// A stream of which fewer than a tenth of the records could be decoded, or none was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UnreadStream {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Records received.
    pub received: u64,
    /// Records that could be decoded.
    pub decoded: u64,
    /// What the examined rejected records have in common, the most frequent cause first.
    pub causes: Vec<CauseCount>,
}

/// Whether fewer than a tenth of the records of a stream could be decoded, or none was received.
pub fn is_hardly_read(account: &Account) -> bool {
    let decoded = account.received - account.rejected;
    account.received == 0 || decoded < account.received.div_ceil(10)
}

/// Whether both streams have accepted records and fewer than a tenth of the smaller one were joined, or none.
pub fn is_hardly_joined(accounting: &Accounting) -> bool {
    let accepted = |account: &Account| account.paired + account.waiting + account.expired;
    let fewer = accepted(&accounting.snapshots).min(accepted(&accounting.decisions));
    fewer > 0 && accounting.snapshots.paired < fewer.div_ceil(10)
}

impl UnreadStream {
    /// A stream with the causes that were found among its rejected records.
    pub fn new(kind: StreamKind, account: &Account, causes: CauseCounts) -> UnreadStream {
        UnreadStream {
            stream: kind.name().to_owned(),
            received: account.received,
            decoded: account.received - account.rejected,
            causes: causes.list(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_records_is_enough() {
        let account = |received, rejected| Account { received, rejected, ..Account::default() };
        assert!(is_hardly_read(&account(0, 0)));
        assert!(is_hardly_read(&account(1, 1)));
        assert!(is_hardly_read(&account(100, 91)));
        assert!(!is_hardly_read(&account(100, 90)));
        let copies = Account { duplicate: 99, ..account(100, 0) };
        assert!(!is_hardly_read(&copies), "a duplicate was read");
        let accounting = |paired, snapshots: u64, decisions: u64| Accounting {
            snapshots: Account { paired, waiting: snapshots - paired, ..Account::default() },
            decisions: Account { paired, expired: decisions - paired, ..Account::default() },
        };
        assert!(is_hardly_joined(&accounting(0, 1, 1)));
        assert!(is_hardly_joined(&accounting(9, 100, 5_000)));
        assert!(!is_hardly_joined(&accounting(10, 100, 5_000)));
        assert!(!is_hardly_joined(&accounting(0, 0, 5)), "one stream is empty");
    }
}
