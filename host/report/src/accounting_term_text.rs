//! Words for the terms of the accounting equation that depend on whether the run has ended.
//!
//! Invariants: no text says of a run that has ended that a record can still be joined.

use crate::format::counted;
use understudy_records::join::{AccountTerm, Accounting};
use understudy_statistics::verdict::Verdict;

/// What a term counts, in a few words. `is_final` says whether no more records can arrive.
pub fn term_description(term: AccountTerm, is_final: bool) -> &'static str {
    match term {
        AccountTerm::Waiting if is_final => "unmatched at the end",
        _ => term.description(),
    }
}

/// A sentence on the waiting records of both streams; `None` if there are none. `is_final` says whether no more
/// records can arrive.
pub fn waiting_sentence(accounting: &Accounting, is_final: bool) -> Option<String> {
    let streams = [
        counted(accounting.snapshots.waiting, "snapshot", "snapshots"),
        counted(accounting.decisions.waiting, "decision", "decisions"),
    ];
    let numbers = [accounting.snapshots.waiting, accounting.decisions.waiting];
    let listed: Vec<String> =
        streams.into_iter().zip(numbers).filter(|(_, number)| *number > 0).map(|(text, _)| text).collect();
    if listed.is_empty() {
        return None;
    }
    let listed = listed.join(" and ");
    Some(match is_final {
        true => format!(
            "Waiting when the run ended: {listed}. The records of the other stream had not passed the horizon, and no counterpart can be joined any more."
        ),
        false => {
            format!("Waiting: {listed}. A counterpart can still arrive, because the horizon has not passed.")
        }
    })
}

/// Sentences about mirrored requests that never became a record, and about those that are not counted because the process
/// was killed. `guard` is the key of their limit, formatted for the rendering.
pub fn shed_sentences(verdict: &Verdict, guard: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    if verdict.shed > 0 {
        let shed = counted(verdict.shed, "mirrored request", "mirrored requests");
        sentences.push(format!("{shed} never became a record, and no term has them; {guard} limits them."));
    }
    if verdict.cut_offs > 0 {
        let times = counted(verdict.cut_offs, "time", "times");
        sentences.push(format!(
            "The process was cut off {times}. Mirrored requests that never became a record in the last minute before are not \
             counted, so {guard} does not limit them."
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_records::join::Account;

    #[test]
    fn waiting_records_can_be_joined_only_before_the_end() {
        let account = |waiting| Account { waiting, ..Account::default() };
        let accounting = |snapshots, decisions| Accounting {
            snapshots: account(snapshots),
            decisions: account(decisions),
        };
        let sentence = |snapshots, decisions, is_final| {
            waiting_sentence(&accounting(snapshots, decisions), is_final).unwrap_or_default()
        };
        insta::assert_snapshot!(
            [sentence(502, 1, false), sentence(502, 1, true), sentence(1, 0, true), sentence(0, 0, true)].join("\n"),
            @"
        Waiting: 502 snapshots and 1 decision. A counterpart can still arrive, because the horizon has not passed.
        Waiting when the run ended: 502 snapshots and 1 decision. The records of the other stream had not passed the horizon, and no counterpart can be joined any more.
        Waiting when the run ended: 1 snapshot. The records of the other stream had not passed the horizon, and no counterpart can be joined any more.
        "
        );
        assert!(!term_description(AccountTerm::Waiting, true).contains("can still"));
        assert_eq!(term_description(AccountTerm::Paired, true), AccountTerm::Paired.description());
    }
}
