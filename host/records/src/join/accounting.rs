//! Accounts for every record received.
//!
//! Invariants: per stream, received = rejected + duplicate + conflict + late + paired + revised + waiting + expired;
//! [`Account::terms`] is the only list of these terms.
//!
//! Excluded records are counted in three places that must agree: here by the join, in `stats/counters.rs` of
//! `understudy_engine` from the log, for a resumed and for a verified run, and by window in `scoring/record_counts.rs` of
//! `understudy_statistics`, for the guards of the verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use understudy_study::{Micros, PerStream, StreamKind};

use super::{IntervalJoin, RowState};
use crate::batch::ExclusionReason;

/// What became of the records of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// All records received.
    pub received: u64,
    /// Records that cannot be decoded, or whose time leaps ahead of the records around them.
    pub rejected: u64,
    /// Records that repeat an earlier one byte for byte.
    pub duplicate: u64,
    /// Records that repeat an earlier id with different content.
    pub conflict: u64,
    /// Records behind the watermark of their own stream.
    pub late: u64,
    /// Records that are joined with their counterpart.
    pub paired: u64,
    /// Decisions that another decision of the same snapshot counts in place of.
    pub revised: u64,
    /// Records whose counterpart can still arrive.
    pub waiting: u64,
    /// Records whose counterpart can no longer arrive. An expired decision is an orphan.
    pub expired: u64,
}

/// A term on the right side of the accounting equation: what can become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountTerm {
    /// The record is excluded.
    Excluded(ExclusionReason),
    /// The record is joined with its counterpart.
    Paired,
    /// Another decision of the same snapshot counts.
    Revised,
    /// The counterpart can still arrive.
    Waiting,
    /// The counterpart can no longer arrive.
    Expired,
}

impl AccountTerm {
    /// The name in reports, metrics and messages, such as `duplicate`.
    pub const fn name(self) -> &'static str {
        match self {
            AccountTerm::Excluded(reason) => reason.name(),
            AccountTerm::Paired => "paired",
            AccountTerm::Revised => "revised",
            AccountTerm::Waiting => "waiting",
            AccountTerm::Expired => "expired",
        }
    }

    /// What the term counts, in a few words.
    pub const fn description(self) -> &'static str {
        match self {
            AccountTerm::Excluded(ExclusionReason::Rejected) => "not decoded, or leaps ahead",
            AccountTerm::Excluded(ExclusionReason::Duplicate) => "same id, same bytes",
            AccountTerm::Excluded(ExclusionReason::Conflict) => "same id, differs",
            AccountTerm::Excluded(ExclusionReason::Late) => "behind watermark",
            AccountTerm::Paired => "joined",
            AccountTerm::Revised => "another revision counts",
            AccountTerm::Waiting => "can still be joined",
            AccountTerm::Expired => "decisions: orphans",
        }
    }
}

impl Account {
    /// Every term of the equation with its number of records, in the order of reports. The numbers add up to
    /// [`Account::received`].
    pub fn terms(&self) -> [(AccountTerm, u64); 8] {
        let Account { received: _, rejected, duplicate, conflict, late, paired, revised, waiting, expired } =
            *self;
        [
            (AccountTerm::Excluded(ExclusionReason::Rejected), rejected),
            (AccountTerm::Excluded(ExclusionReason::Duplicate), duplicate),
            (AccountTerm::Excluded(ExclusionReason::Conflict), conflict),
            (AccountTerm::Excluded(ExclusionReason::Late), late),
            (AccountTerm::Paired, paired),
            (AccountTerm::Revised, revised),
            (AccountTerm::Waiting, waiting),
            (AccountTerm::Expired, expired),
        ]
    }

    /// The counter of the records that are excluded for a reason.
    pub fn excluded_mut(&mut self, reason: ExclusionReason) -> &mut u64 {
        match reason {
            ExclusionReason::Rejected => &mut self.rejected,
            ExclusionReason::Duplicate => &mut self.duplicate,
            ExclusionReason::Conflict => &mut self.conflict,
            ExclusionReason::Late => &mut self.late,
        }
    }

    /// The excluded records by reason.
    pub fn exclusions(self) -> ExclusionCounts {
        let Account { rejected, duplicate, conflict, late, .. } = self;
        ExclusionCounts { rejected, duplicate, conflict, late }
    }

    /// Whether every record received is accounted for.
    pub fn balances(&self) -> bool {
        self.received == self.terms().iter().map(|(_, records)| records).sum::<u64>()
    }
}

/// The number of excluded records of one stream, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionCounts {
    /// Records that cannot be decoded, or whose time leaps ahead of the records around them.
    pub rejected: u64,
    /// Records that repeat an earlier one byte for byte.
    pub duplicate: u64,
    /// Records that repeat an earlier id with different content.
    pub conflict: u64,
    /// Records behind the watermark of their own stream.
    pub late: u64,
}

impl ExclusionCounts {
    /// All excluded records.
    pub fn total(self) -> u64 {
        let ExclusionCounts { rejected, duplicate, conflict, late } = self;
        rejected + duplicate + conflict + late
    }
}

/// What became of the records of both streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accounting {
    /// The account of the snapshots.
    pub snapshots: Account,
    /// The account of the decisions.
    pub decisions: Account,
}

impl Accounting {
    /// The accounting equation, one term a row: `received`, `= rejected`, `+ duplicate` and so on, each with its numbers
    /// of records and with the term, which `received` does not have. The term `revised` is left out if it is zero, as
    /// in every study that refuses revisions.
    pub fn equation(&self) -> Vec<(String, Option<AccountTerm>, PerStream<u64>)> {
        let Accounting { snapshots, decisions } = self;
        let received = PerStream { snapshots: snapshots.received, decisions: decisions.received };
        let mut rows = vec![("received".to_owned(), None, received)];
        for ((term, snapshots), (_, decisions)) in snapshots.terms().into_iter().zip(decisions.terms()) {
            if term == AccountTerm::Revised && decisions == 0 {
                continue;
            }
            let sign = if rows.len() == 1 { '=' } else { '+' };
            rows.push((format!("{sign} {}", term.name()), Some(term), PerStream { snapshots, decisions }));
        }
        rows
    }

    /// Whether both accounts balance and have the same number of pairs.
    pub fn balances(&self) -> bool {
        self.snapshots.balances()
            && self.decisions.balances()
            && self.snapshots.paired == self.decisions.paired
    }
}

impl From<PerStream<Account>> for Accounting {
    fn from(PerStream { snapshots, decisions }: PerStream<Account>) -> Accounting {
        Accounting { snapshots, decisions }
    }
}

impl IntervalJoin {
    /// Counts records that were excluded before they reached the join, by their reasons.
    pub fn count_rejected(&mut self, kind: StreamKind, rejected: impl IntoIterator<Item = ExclusionReason>) {
        let account = &mut self.accounts[kind];
        for reason in rejected {
            account.received += 1;
            *account.excluded_mut(reason) += 1;
        }
    }

    /// The exact account of every record received. Looks at every row that is still waiting.
    pub fn accounting(&self) -> Accounting {
        let mut accounts = self.accounts;
        for batch in self.batches.values().filter(|batch| batch.open) {
            let account = &mut accounts[batch.kind];
            let watermark = self.watermark(batch.kind.other());
            for (time, state) in batch.times.iter().zip(&batch.states) {
                match state {
                    RowState::Settled => {}
                    RowState::Waiting if Micros(*time) + self.bounds.horizon < watermark => {
                        account.expired += 1
                    }
                    RowState::Waiting | RowState::Matched => account.waiting += 1,
                }
            }
        }
        accounts.into()
    }

    /// Like [`IntervalJoin::accounting`] in constant time, but expired records count as waiting until their whole batch
    /// has expired.
    pub fn accounting_estimate(&self) -> Accounting {
        let waiting = |account: Account| {
            let settled = account.exclusions().total() + account.paired + account.revised + account.expired;
            Account { waiting: account.received - settled, ..account }
        };
        self.accounts.map(waiting).into()
    }

    /// Sets the accounts after logged records were replayed: `expired` must not count the rows
    /// that [`IntervalJoin::open_rows`] returns.
    pub fn set_accounts(&mut self, accounts: PerStream<Account>) {
        self.accounts = accounts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(revised: u64) -> Account {
        let [rejected, duplicate, conflict, late, paired, waiting, expired] = [1, 2, 4, 8, 16, 32, 64];
        let received = 127 + revised;
        Account { received, rejected, duplicate, conflict, late, paired, revised, waiting, expired }
    }

    #[test]
    fn the_equation_has_a_revised_term_only_if_a_decision_was_revised() {
        let text = |accounting: Accounting| {
            let row = |(name, term, records): (String, Option<AccountTerm>, PerStream<u64>)| {
                assert_eq!(term.is_none(), name == "received");
                format!("{name} {} {}", records.snapshots, records.decisions)
            };
            accounting.equation().into_iter().map(row).collect::<Vec<_>>().join("\n")
        };
        let plain = Accounting { snapshots: account(0), decisions: Account { late: 0, ..account(0) } };
        insta::assert_snapshot!(text(plain), @"
        received 127 127
        = rejected 1 1
        + duplicate 2 2
        + conflict 4 4
        + late 8 0
        + paired 16 16
        + waiting 32 32
        + expired 64 64
        ");
        let revised = text(Accounting { decisions: account(128), ..plain });
        assert!(revised.contains("\n+ paired 16 16\n+ revised 0 128\n+ waiting 32 32"), "{revised}");
    }

    #[test]
    fn accounts_balance_only_if_each_does_and_their_pairs_agree() {
        let balanced = Accounting { snapshots: account(0), decisions: account(128) };
        assert!(balanced.balances());
        let wrong = Account { received: 128, ..account(0) };
        assert!(!wrong.balances());
        assert!(!Accounting { snapshots: wrong, ..balanced }.balances());
        assert!(!Accounting { decisions: wrong, ..balanced }.balances());
        let unpaired = Account { paired: 15, waiting: 33, ..account(0) };
        assert!(unpaired.balances());
        assert!(!Accounting { decisions: unpaired, ..balanced }.balances());
    }
}
