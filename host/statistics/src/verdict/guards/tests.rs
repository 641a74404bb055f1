//! Each guard at its limit and beyond it, and the texts of the reasons.

use super::super::test_support::{Case, DAY, GOOD, MONDAY, every};
use super::*;
use crate::scoring::CountedExclusion;
use understudy_records::join::Accounting;
use understudy_study::{Every, Micros, Revisions, Windows};

/// A balanced account of 1,000 different records of which `count` are in the term that `set` changes.
fn account(count: u64, set: impl Fn(&mut Account, u64)) -> Account {
    let mut account = Account { received: 1000, paired: 1000 - count, ..Account::default() };
    set(&mut account, count);
    account
}

/// The verdict and the reasons of a good run with these accounts.
fn decided(threshold: &str, snapshots: Account, decisions: Account) -> (VerdictKind, String) {
    let accounting = Some(Accounting { snapshots, decisions });
    Case { accounting, ..Case::new(&format!("{}\n{threshold}", every(3)), &[GOOD; 3]) }.decide()
}

type Set = fn(&mut Account, u64);

#[test]
fn a_guard_holds_up_to_its_limit_in_either_stream() {
    let terms: [(Set, &str); 3] = [
        (|account, count| account.rejected = count, "most-rejected"),
        (|account, count| account.late = count, "most-late"),
        (|account, count| account.conflict = count, "most-conflict"),
    ];
    let fine = account(0, |_, _| {});
    for (set, key) in terms {
        for (limit, allowed) in
            [(String::new(), 10), (format!("{key} = 0"), 0), (format!("{key} = 0.25"), 250)]
        {
            for (count, kind) in [(allowed, VerdictKind::Go), (allowed + 1, VerdictKind::Void)] {
                let found = account(count, set);
                for (snapshots, decisions) in [(found, fine), (fine, found)] {
                    let (verdict, reasons) = decided(&limit, snapshots, decisions);
                    assert_eq!(verdict, kind, "{key} {limit} {count}\n{reasons}");
                }
            }
        }
    }
}

#[test]
fn decisions_without_a_snapshot_are_limited() {
    let fine = account(0, |_, _| {});
    let expired = |count| account(count, |account, count| account.expired = count);
    let waiting = |count| account(count, |account, count| account.waiting = count);
    assert_eq!(decided("", fine, expired(50)).0, VerdictKind::Go);
    assert_eq!(decided("", fine, expired(51)).0, VerdictKind::Void);
    assert_eq!(decided("", fine, waiting(51)).0, VerdictKind::Void);
    assert_eq!(decided("most-orphaned = 0.06", fine, waiting(51)).0, VerdictKind::Go);
    // Snapshots without a decision are a matter of coverage, by window.
    assert_eq!(decided("", expired(900), fine).0, VerdictKind::Go);
    // Before the end of the run, the snapshot of a waiting decision can still arrive.
    let open = |decisions| {
        let accounting = Some(Accounting { snapshots: fine, decisions });
        Case { accounting, closed: false, ..Case::new(&every(3), &[GOOD; 3]) }.decide().0
    };
    assert_eq!([open(waiting(900)), open(expired(51))], [VerdictKind::Go, VerdictKind::Void]);
}

#[test]
fn identical_copies_do_not_dilute_a_share() {
    let copied = |copies: u64| {
        let late = account(11, |account, count| account.late = count);
        Account { received: late.received + copies, duplicate: copies, ..late }
    };
    for copies in [0, 1000, 1_000_000] {
        let (kind, reasons) = decided("", copied(copies), account(0, |_, _| {}));
        assert_eq!(kind, VerdictKind::Void, "{copies}");
        assert_eq!(reasons, "VOID: 11 of 1,000 snapshots (0.011000) are late; at most 0.01 is allowed");
    }
    // Copies alone change nothing.
    let copies = Account { received: 5000, duplicate: 4000, paired: 1000, ..Account::default() };
    assert_eq!(decided("", copies, copies).0, VerdictKind::Go);
    let only_copies = Account { received: 7, duplicate: 7, ..Account::default() };
    assert_eq!(decided("", only_copies, only_copies).0, VerdictKind::Go);
}

#[test]
fn every_exceeded_guard_is_a_reason_with_its_counts() {
    let left = Account {
        received: 1500,
        duplicate: 500,
        rejected: 20,
        late: 30,
        conflict: 40,
        expired: 50,
        waiting: 60,
        paired: 780,
        revised: 20,
    };
    assert!(left.balances());
    insta::assert_snapshot!(decided("", left, left).1, @r"
    VOID: 20 of 1,000 snapshots (0.020000) could not be decoded or leapt ahead in time; at most 0.01 is allowed
    VOID: 20 of 1,000 decisions (0.020000) could not be decoded or leapt ahead in time; at most 0.01 is allowed
    VOID: 30 of 1,000 snapshots (0.030000) are late; at most 0.01 is allowed
    VOID: 30 of 1,000 decisions (0.030000) are late; at most 0.01 is allowed
    VOID: 40 of 1,000 snapshots (0.040000) are in conflict with an earlier record of the same id; at most 0.01 is allowed
    VOID: 40 of 1,000 decisions (0.040000) are in conflict with an earlier record of the same id; at most 0.01 is allowed
    VOID: 110 of 1,000 decisions (0.110000) have no snapshot within the horizon; at most 0.05 is allowed
    ");
}

#[test]
fn every_term_is_limited_or_explained() {
    let list: Vec<String> = Account::default()
        .terms()
        .into_iter()
        .map(|(term, _)| {
            let [snapshots, decisions] = StreamKind::ALL.map(|kind| term_consequence(kind, term));
            format!("{}: {snapshots} / {decisions}", term.name())
        })
        .collect();
    insta::assert_snapshot!(list.join("\n"), @r"
    rejected: most-rejected / most-rejected
    duplicate: none: identical copies add no information / none: identical copies add no information
    conflict: most-conflict / most-conflict
    late: most-late / most-late
    paired: incomparable pairs: least-coverage / incomparable pairs: least-coverage
    revised: none: another revision counts, as declared / none: another revision counts, as declared
    waiting: least-coverage / most-orphaned
    expired: least-coverage / most-orphaned
    ");
}

#[test]
fn a_long_run_does_not_dilute_the_windows_that_count() {
    let kinds = |in_windows: i64, after: i64| {
        let case = |number: &str| {
            let weeks = [GOOD; 4];
            let threshold = every(1).replace("{ first = 1 }", number);
            let mut case = Case::new(&threshold, &weeks);
            let windows = Windows { every: Every::Week, week_ends: jiff::civil::Weekday::Sunday };
            let mut clock = WindowClock::new(windows, jiff::tz::TimeZone::UTC);
            let at = |week: i64| *MONDAY + week * 7 * DAY;
            for kind in StreamKind::ALL {
                for week in 0..4 {
                    case.records.add_accepted(&mut clock, kind, &[at(week) + DAY; 1000]);
                    if kind == StreamKind::Decisions {
                        case.records.add_joined(&mut clock, [at(week) + DAY; 1000]);
                    }
                }
            }
            for (week, records) in [(0, in_windows), (2, after)] {
                for _ in 0..records {
                    let at = Some(Micros(at(week) + DAY));
                    let late = CountedExclusion { reason: ExclusionReason::Late, at, scopes: None };
                    case.records.add_excluded(&mut clock, StreamKind::Decisions, late, Micros(0));
                }
            }
            case.decide()
        };
        [case("{ first = 1 }"), case("{ latest = 1 }")]
    };
    // Eleven of 1,010 in the first week are more than one percent; over the run they are not.
    let [first, latest] = kinds(11, 0);
    assert_eq!((first.0, latest.0), (VerdictKind::Void, VerdictKind::Go));
    insta::assert_snapshot!(first.1, @"VOID: 11 of 1,011 decisions in the windows that count (0.010880) are late; at most 0.01 is allowed");
    assert_eq!(kinds(10, 11).map(|found| found.0), [VerdictKind::Go, VerdictKind::Go]);
}

/// A look at a run that has not ended, after one week of 1,000 decisions, of which 100 have no snapshot so far.
/// `snapshots` and `decisions` are how far the watermarks are past the end of the week, in µs.
fn look_at_orphans(snapshots: i64, decisions: i64, revisions: Revisions) -> VerdictKind {
    let mut case = Case::new(&every(1), &[GOOD]);
    let windows = Windows { every: Every::Week, week_ends: jiff::civil::Weekday::Sunday };
    let mut clock = WindowClock::new(windows, jiff::tz::TimeZone::UTC);
    case.records.add_accepted(&mut clock, StreamKind::Decisions, &[*MONDAY + DAY; 1000]);
    case.records.add_joined(&mut clock, [*MONDAY + DAY; 900]);
    // Decisions may be late by the horizon, one day.
    Case {
        closed: false,
        before_lateness: -snapshots,
        latest_decision: Some(decisions + DAY),
        revisions,
        ..case
    }
    .decide()
    .0
}

#[test]
fn decisions_of_a_window_are_without_a_snapshot_once_none_can_arrive() {
    // A snapshot can be as late as one horizon after the week.
    let look = |snapshots| look_at_orphans(snapshots, 2 * DAY, Revisions::Refuse);
    assert_eq!(
        [0, DAY - 1, DAY, DAY + 1].map(look),
        [VerdictKind::Go, VerdictKind::Go, VerdictKind::Go, VerdictKind::Void]
    );
}

#[test]
fn decisions_are_without_a_snapshot_once_no_revision_can_arrive() {
    for revisions in [Revisions::First, Revisions::Last { version: None }] {
        let look = |decisions| look_at_orphans(2 * DAY, decisions, revisions);
        assert_eq!([2 * DAY, 2 * DAY + 1].map(look), [VerdictKind::Go, VerdictKind::Void]);
        assert_eq!(look_at_orphans(DAY, 3 * DAY, revisions), VerdictKind::Go);
    }
}

#[test]
fn a_sentence_says_how_many_records_may_belong_to_the_scope() {
    let sentence = |scope_unknown| {
        let result = GuardResult {
            guard: Guard::Late,
            subject: GuardSubject::Snapshots,
            span: GuardSpan::CountedWindows,
            count: 3,
            whole: 10,
            scope_unknown,
            limit: 0.01,
            within_limit: false,
        };
        result.sentence()
    };
    insta::assert_snapshot!([0, 2, 3].map(sentence).join("\n"), @r"
    3 of 10 snapshots in the windows that count (0.300000) are late; at most 0.01 is allowed
    3 of 10 snapshots in the windows that count (0.300000) are late, of which 2 may belong to this scope; at most 0.01 is allowed
    3 of 10 snapshots in the windows that count (0.300000) are late, and each may belong to this scope; at most 0.01 is allowed
    ");
}

#[test]
fn a_scope_has_its_own_records_and_those_of_unknown_scope() {
    // Half of the 1,000 pairs are in the scope.
    let mut case = Case { shed: 5, ..Case::new(&every(1), &[GOOD]) };
    let windows = Windows { every: Every::Week, week_ends: jiff::civil::Weekday::Sunday };
    let mut clock = WindowClock::new(windows, jiff::tz::TimeZone::UTC);
    for kind in StreamKind::ALL {
        case.records.add_accepted(&mut clock, kind, &[*MONDAY + DAY; 1000]);
    }
    case.records.add_joined(&mut clock, [*MONDAY + DAY; 990]);
    let snapshot = StreamKind::Snapshots;
    for (kind, number, reason, scopes) in [
        (snapshot, 4, ExclusionReason::Rejected, None),
        (snapshot, 3, ExclusionReason::Late, Some(&[0, 1][..])),
        (snapshot, 2, ExclusionReason::Late, Some(&[0][..])),
        (StreamKind::Decisions, 1, ExclusionReason::Conflict, None),
    ] {
        for _ in 0..number {
            let record = CountedExclusion { reason, at: Some(Micros(*MONDAY + DAY)), scopes };
            case.records.add_excluded(&mut clock, kind, record, Micros(0));
        }
    }
    let verdict = case.verdict();
    let guards = verdict.models[0].scopes[1].guards.iter();
    let found: Vec<_> = guards
        .map(|result| (result.guard, result.span, result.count, result.whole, result.scope_unknown))
        .collect();
    let (counted, decided) = (GuardSpan::CountedWindows, GuardSpan::DecisionPeriod);
    assert_eq!(
        found,
        [
            (Guard::Rejected, counted, 4, 507, 4),
            (Guard::Late, counted, 3, 503, 0),
            (Guard::Conflict, decided, 1, 501, 1),
            (Guard::Orphaned, decided, 10, 510, 10),
            (Guard::Shed, GuardSpan::Run, 5, 505, 5),
            (Guard::Coverage, counted, 500, 500, 0),
            (Guard::Unanswered, counted, 0, 500, 0),
        ]
    );
}

#[test]
fn a_verdict_lists_shed_requests_only_if_there_are_any() {
    let is_listed = |shed| {
        let guards = Case { shed, ..Case::new(&every(3), &[GOOD; 3]) }.verdict().guards;
        guards.iter().any(|result| result.guard == Guard::Shed)
    };
    assert_eq!([0, 1].map(is_listed), [false, true]);
}

#[test]
fn mirrored_requests_that_never_became_a_record_are_limited() {
    let decided = |shed, limit: &str| {
        let threshold = format!("{}\n{limit}", every(3));
        Case { shed, ..Case::new(&threshold, &[GOOD; 3]) }.decide()
    };
    // Ten of 1,010 are less than one percent.
    assert_eq!(decided(10, "").0, VerdictKind::Go);
    let (kind, reasons) = decided(11, "");
    assert_eq!(kind, VerdictKind::Void);
    insta::assert_snapshot!(reasons, @"VOID: 11 of 1,011 snapshots (0.010880) were shed: mirrored requests that never became a record; at most 0.01 is allowed");
    assert_eq!(decided(11, "most-shed = 0.02").0, VerdictKind::Go);
    assert_eq!(decided(1, "most-shed = 0").0, VerdictKind::Void);
}

#[test]
fn a_run_whose_source_failed_is_never_a_go() {
    // The first weeks are complete, and the run is not closed.
    let decided =
        |source_failure| Case { source_failure, closed: false, ..Case::new(&every(3), &[GOOD; 4]) }.decide();
    assert_eq!(decided(None).0, VerdictKind::Go);
    let (kind, reasons) = decided(Some("line 9 of d.jsonl is not in order of time"));
    assert_eq!(kind, VerdictKind::Inconclusive);
    insta::assert_snapshot!(reasons, @"INCONCLUSIVE: a source failed, and what it has left to read may belong to these windows: line 9 of d.jsonl is not in order of time");
}
