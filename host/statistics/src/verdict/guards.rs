//! The guards of a verdict: what share of the records left the study by each way out, and whether the
//! threshold allows it.
//!
//! Invariants:
//! - Every record that a run receives is counted by a guard or is a duplicate. [`term_consequence`] lists
//!   every term of an account, so a new term does not compile without one.
//! - Identical copies add no information. They are in no count of a guard, so sending records again does not
//!   dilute a share.
//! - A share meets its limit by its counts, in whole numbers.
//! - A record that may belong to a declared scope counts in it. So a scope is GO only if the true share is within the
//!   limit.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::format::{at_least, at_most, format_share};
use super::window_selection::WindowSelection;
use super::{Facts, VerdictKind};
use crate::number_text::count;
use crate::scoring::{ScopeExclusions, Window, WindowClock, WindowRecordCounts};
use understudy_records::batch::ExclusionReason;
use understudy_records::join::{Account, AccountTerm};
use understudy_study::{Micros, StreamKind, Threshold, WindowChoice};

/// A way in which records leave the study, limited by a key of `[threshold]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Guard {
    /// Records that cannot be decoded, or whose time leaps ahead of the records around them.
    #[serde(rename = "most-rejected")]
    Rejected,
    /// Records behind the watermark of their stream.
    #[serde(rename = "most-late")]
    Late,
    /// Records that repeat an earlier id with different content.
    #[serde(rename = "most-conflict")]
    Conflict,
    /// Decisions without a snapshot.
    #[serde(rename = "most-orphaned")]
    Orphaned,
    /// Mirrored requests that never became a record.
    #[serde(rename = "most-shed")]
    Shed,
    /// Accepted snapshots that are compared. The others wait for a decision, have expired, or belong to a pair
    /// that the comparator did not answer.
    #[serde(rename = "least-coverage")]
    Coverage,
    /// Compared pairs without an answer or without a score.
    #[serde(rename = "most-unanswered")]
    Unanswered,
}

impl Guard {
    /// The key of `[threshold]` that declares the limit.
    pub const fn key(self) -> &'static str {
        match self {
            Guard::Rejected => "most-rejected",
            Guard::Late => "most-late",
            Guard::Conflict => "most-conflict",
            Guard::Orphaned => "most-orphaned",
            Guard::Shed => "most-shed",
            Guard::Coverage => "least-coverage",
            Guard::Unanswered => "most-unanswered",
        }
    }

    /// The verdict if the limit is not met.
    pub const fn verdict(self) -> VerdictKind {
        match self {
            Guard::Unanswered => VerdictKind::NoGo,
            _ => VerdictKind::Void,
        }
    }

    /// Whether the share must be at least the limit. Otherwise it must be at most the limit.
    pub const fn is_minimum(self) -> bool {
        matches!(self, Guard::Coverage)
    }

    fn limit(self, threshold: &Threshold) -> f64 {
        match self {
            Guard::Rejected => threshold.most_rejected,
            Guard::Late => threshold.most_late,
            Guard::Conflict => threshold.most_conflict,
            Guard::Orphaned => threshold.most_orphaned,
            Guard::Shed => threshold.most_shed,
            Guard::Coverage => threshold.least_coverage,
            Guard::Unanswered => threshold.most_unanswered,
        }
    }

    /// What is true of the counted records, after `120 of 240 snapshots`.
    const fn predicate(self) -> &'static str {
        match self {
            Guard::Rejected => "could not be decoded or leapt ahead in time",
            Guard::Late => "are late",
            Guard::Conflict => "are in conflict with an earlier record of the same id",
            Guard::Orphaned => "have no snapshot within the horizon",
            Guard::Shed => "were shed: mirrored requests that never became a record",
            Guard::Coverage => "were compared",
            Guard::Unanswered => "have no answer or no score",
        }
    }
}

/// The records over which a share is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuardSpan {
    /// The whole run.
    Run,
    /// The windows that count.
    CountedWindows,
    /// The windows that count and the horizon after them, in which decisions on their snapshots are taken.
    DecisionPeriod,
}

impl GuardSpan {
    /// The span in words.
    pub const fn name(self) -> &'static str {
        match self {
            GuardSpan::Run => "the whole run",
            GuardSpan::CountedWindows => "the windows that count",
            GuardSpan::DecisionPeriod => "the windows that count and the horizon after them",
        }
    }
}

/// What a guard counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuardSubject {
    /// Snapshots.
    Snapshots,
    /// Decisions.
    Decisions,
    /// Compared pairs.
    Pairs,
}

impl GuardSubject {
    /// The plural noun.
    pub const fn name(self) -> &'static str {
        match self {
            GuardSubject::Snapshots => "snapshots",
            GuardSubject::Decisions => "decisions",
            GuardSubject::Pairs => "pairs",
        }
    }
}

/// The share that a guard limits, and whether it is within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GuardResult {
    /// The guard.
    pub guard: Guard,
    /// What is counted.
    pub subject: GuardSubject,
    /// The records over which the share is taken.
    pub span: GuardSpan,
    /// The number to which the guard applies.
    pub count: u64,
    /// The number of which `count` is a part, without identical copies.
    pub whole: u64,
    /// The part of `count` whose scope is not known. 0 for all of the input.
    pub scope_unknown: u64,
    /// The declared limit of the share: a minimum for `least-coverage`, otherwise a maximum.
    pub limit: f64,
    /// Whether the share is within the limit. True if there is nothing to count.
    pub within_limit: bool,
}

impl GuardResult {
    pub(super) fn new(
        guard: Guard,
        threshold: &Threshold,
        (subject, span): (GuardSubject, GuardSpan),
        (count, whole): (u64, u64),
    ) -> GuardResult {
        let limit = guard.limit(threshold);
        let within = if guard.is_minimum() { at_least } else { at_most };
        let within_limit = whole == 0 || within(count, whole, limit);
        GuardResult { guard, subject, span, count, whole, scope_unknown: 0, limit, within_limit }
    }

    /// What is counted: `120 of 240 snapshots`.
    pub fn counts(&self) -> String {
        format!("{} of {} {}", count(self.count), count(self.whole), self.subject.name())
    }

    /// The share with six decimals, never rounded to a limit that it misses.
    pub fn share(&self) -> String {
        format_share(self.count, self.whole)
    }

    /// Whether nothing is counted and there is only a maximum, so that the guard says nothing more.
    pub fn is_zero(&self) -> bool {
        self.count == 0 && !self.guard.is_minimum()
    }

    /// The limit in words: `at most 0.01`.
    pub fn limit_words(&self) -> String {
        format!("{} {}", if self.guard.is_minimum() { "at least" } else { "at most" }, self.limit)
    }

    /// The whole result in words: `120 of 240 snapshots (0.500000) are late; at most 0.01 is allowed`.
    pub fn sentence(&self) -> String {
        let permitted = if self.guard.is_minimum() { "required" } else { "allowed" };
        let span = match (self.guard, self.span) {
            // These are never taken over the whole run.
            (Guard::Coverage | Guard::Unanswered, _) | (_, GuardSpan::Run) => String::new(),
            (_, span) => format!(" in {}", span.name()),
        };
        let unknown = match self.scope_unknown {
            0 => String::new(),
            unknown if unknown == self.count => ", and each may belong to this scope".to_owned(),
            unknown => format!(", of which {} may belong to this scope", count(unknown)),
        };
        format!(
            "{}{span} ({}) {}{unknown}; {} is {permitted}",
            self.counts(),
            self.share(),
            self.guard.predicate(),
            self.limit_words()
        )
    }
}

/// What a term of a stream's account means for the verdict: the key of its guard, or why no limit applies.
pub fn term_consequence(stream: StreamKind, term: AccountTerm) -> &'static str {
    match (term, stream) {
        (AccountTerm::Excluded(ExclusionReason::Rejected), _) => Guard::Rejected.key(),
        (AccountTerm::Excluded(ExclusionReason::Late), _) => Guard::Late.key(),
        (AccountTerm::Excluded(ExclusionReason::Conflict), _) => Guard::Conflict.key(),
        (AccountTerm::Excluded(ExclusionReason::Duplicate), _) => "none: identical copies add no information",
        (AccountTerm::Revised, _) => "none: another revision counts, as declared",
        (AccountTerm::Paired, _) => "incomparable pairs: least-coverage",
        (AccountTerm::Waiting | AccountTerm::Expired, StreamKind::Snapshots) => Guard::Coverage.key(),
        (AccountTerm::Waiting | AccountTerm::Expired, StreamKind::Decisions) => Guard::Orphaned.key(),
    }
}

/// The guards over the records of both streams, which hold for all models and scopes: over the whole run, and
/// again over the windows that count, so that a long run does not dilute what happened in them.
pub(super) fn record_guards(facts: &Facts<'_>, selection: &WindowSelection) -> Vec<GuardResult> {
    let (threshold, results) = (facts.threshold, &facts.results);
    let streams = [
        (GuardSubject::Snapshots, results.accounting.snapshots),
        (GuardSubject::Decisions, results.accounting.decisions),
    ];
    let mut guards = Vec::new();
    let mut add = |guard, subject, span, counts| {
        guards.push(GuardResult::new(guard, threshold, (subject, span), counts));
    };
    for guard in [Guard::Rejected, Guard::Late, Guard::Conflict] {
        for (subject, account) in streams {
            let count = match guard {
                Guard::Rejected => account.rejected,
                Guard::Late => account.late,
                _ => account.conflict,
            };
            add(guard, subject, GuardSpan::Run, (count, distinct(&account)));
        }
    }
    let decisions = results.accounting.decisions;
    // Until the run is closed, the snapshot of a waiting decision can still arrive.
    let waiting = if results.closed { decisions.waiting } else { 0 };
    let counts = (decisions.expired + waiting, distinct(&decisions));
    add(Guard::Orphaned, GuardSubject::Decisions, GuardSpan::Run, counts);
    if facts.shed > 0 || facts.study.mirror.is_some() {
        let counts = (facts.shed, distinct(&results.accounting.snapshots) + facts.shed);
        add(Guard::Shed, GuardSubject::Snapshots, GuardSpan::Run, counts);
    }
    if let Some(spans) = Spans::new(facts, selection).filter(|_| threshold.windows != WindowChoice::All) {
        for (subject, kind, span, windows) in [
            (GuardSubject::Snapshots, StreamKind::Snapshots, GuardSpan::CountedWindows, &spans.counted),
            (GuardSubject::Decisions, StreamKind::Decisions, GuardSpan::CountedWindows, &spans.counted),
            (GuardSubject::Decisions, StreamKind::Decisions, GuardSpan::DecisionPeriod, &spans.decisions),
        ] {
            let counts = results.records.total(windows.clone(), kind);
            for (guard, count) in exclusions(counts) {
                add(guard, subject, span, (count, counts.total()));
            }
            if kind == StreamKind::Decisions {
                add(Guard::Orphaned, subject, span, (spans.orphaned(facts, windows), counts.total()));
            }
        }
    }
    guards
}

/// The windows over which the shares of the windows that count are taken.
struct Spans {
    /// The windows that count.
    counted: RangeInclusive<Window>,
    /// The windows that count and the horizon after them. A decision on a snapshot of the windows that count is
    /// taken in them if it follows soon, and at the latest one horizon after them.
    decisions: RangeInclusive<Window>,
    clock: WindowClock,
}

impl Spans {
    /// The spans of the selected windows; `None` without windows.
    fn new(facts: &Facts<'_>, selection: &WindowSelection) -> Option<Spans> {
        let ends = selection.windows.first().zip(selection.windows.last());
        let (&first, &last) = ends?;
        let mut clock = WindowClock::new(facts.study.windows, facts.study.time_zone.clone());
        let latest = clock.window(selection.decided_by?);
        Some(Spans { counted: first..=last, decisions: first..=latest, clock })
    }

    /// The decisions of `windows` without a snapshot. Until the run is closed, those whose snapshot can still arrive
    /// are left out, by whole windows.
    fn orphaned(&self, facts: &Facts<'_>, windows: &RangeInclusive<Window>) -> u64 {
        let (study, results) = (facts.study, &facts.results);
        let horizon = Micros::from_duration(study.horizon);
        let watermark = |kind| {
            let clock: Option<Micros> = results.clocks[kind];
            clock.map(|clock| clock.saturating_sub(Micros::from_duration(study.stream(kind).lateness)))
        };
        let (snapshots, decisions) = (watermark(StreamKind::Snapshots), watermark(StreamKind::Decisions));
        let is_settled = |window| {
            let no_snapshot = Micros(self.clock.bounds(window).end).saturating_add(horizon);
            // With revisions, a pair is counted once no other decision on its snapshot can arrive.
            let no_revision = no_snapshot.saturating_add(horizon);
            let revisions_settled = !study.revisions.are_accepted() || decisions > Some(no_revision);
            results.closed || (snapshots > Some(no_snapshot) && revisions_settled)
        };
        results.records.orphaned(windows.clone(), is_settled)
    }
}

/// The guards over the records of both streams that belong to a declared scope or may belong to it, over the windows
/// that count. Shares of zero are left out. `compared` is the number of compared pairs in the scope.
///
/// The scopes of late and conflicting snapshots are known by their fields. A rejected record has no fields, and a
/// decision has none by which scopes are declared, so these records count in every scope, and so do shed requests.
/// Each share is of the records that are known to belong to the scope and of those that it counts, so it is at least
/// the true one.
fn scope_record_guards(
    facts: &Facts<'_>,
    selection: &WindowSelection,
    scope: u16,
    compared: u64,
) -> Vec<GuardResult> {
    let (threshold, results) = (facts.threshold, &facts.results);
    let Some(spans) = Spans::new(facts, selection) else { return Vec::new() };
    let mut guards = Vec::new();
    let mut add = |guard, subject, span, (known, unknown): (u64, u64), belonging: u64| {
        let counts = (known + unknown, belonging + unknown);
        let result = GuardResult::new(guard, threshold, (subject, span), counts);
        guards.extend((result.count > 0).then_some(GuardResult { scope_unknown: unknown, ..result }));
    };
    let ScopeExclusions { known, unknown } = results.records.excluded_snapshots(spans.counted.clone(), scope);
    let belonging = results.inputs.snapshots(&selection.windows, scope) + known.total();
    for ((guard, known), (_, unknown)) in exclusions(known).into_iter().zip(exclusions(unknown)) {
        add(guard, GuardSubject::Snapshots, GuardSpan::CountedWindows, (known, unknown), belonging);
    }
    let decisions = results.records.total(spans.decisions.clone(), StreamKind::Decisions);
    let orphaned = (Guard::Orphaned, spans.orphaned(facts, &spans.decisions));
    for (guard, count) in exclusions(decisions).into_iter().chain([orphaned]) {
        add(guard, GuardSubject::Decisions, GuardSpan::DecisionPeriod, (0, count), compared);
    }
    let all: Vec<Window> = results.inputs.windows.keys().copied().collect();
    let snapshots = results.inputs.snapshots(&all, scope);
    add(Guard::Shed, GuardSubject::Snapshots, GuardSpan::Run, (0, facts.shed), snapshots);
    guards
}

/// The guards of one model in one scope, over the windows that count: those over the records of a declared scope,
/// and those over its pairs.
pub(super) fn scope_guards(
    facts: &Facts<'_>,
    selection: &WindowSelection,
    scope: u16,
    PairShares { snapshots, compared, unanswered }: PairShares,
) -> Vec<GuardResult> {
    // The guards over all records are shared by all models.
    let mut guards = match scope {
        0 => Vec::new(),
        _ => scope_record_guards(facts, selection, scope, compared),
    };
    let result = |guard, subject, counts| {
        GuardResult::new(guard, facts.threshold, (subject, GuardSpan::CountedWindows), counts)
    };
    guards.push(result(Guard::Coverage, GuardSubject::Snapshots, (compared, snapshots)));
    guards.push(result(Guard::Unanswered, GuardSubject::Pairs, (unanswered, compared)));
    guards
}

/// The snapshots and pairs of one model in one scope, over the windows that count.
pub(super) struct PairShares {
    /// The accepted snapshots.
    pub(super) snapshots: u64,
    /// The compared pairs among them.
    pub(super) compared: u64,
    /// The compared pairs without an answer or a score.
    pub(super) unanswered: u64,
}

/// The excluded records of a stream, by the guard that limits them.
fn exclusions(counts: WindowRecordCounts) -> [(Guard, u64); 3] {
    [(Guard::Rejected, counts.rejected), (Guard::Late, counts.late), (Guard::Conflict, counts.conflict)]
}

/// The number of received records without identical copies.
fn distinct(account: &Account) -> u64 {
    account.received - account.duplicate
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
