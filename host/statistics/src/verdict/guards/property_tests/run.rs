//! Runs of random records, which leave the study by any way out, and their real verdicts.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::Schema;
use fastrand::Rng;

use super::super::super::test_support::{DAY, MONDAY, STUDY};
use super::super::super::{Facts, PairCounts, RunResults, Verdict, determine_verdict};
use super::super::*;
use super::GUARDS;
use crate::scoring::{
    AnswerStatus, Cells, CellsShape, Conditions, CountedExclusion, EvidencePair, InputCounts, ModelScores,
    RecordCounts, RevisionSums, ScoredPairs, SelfAgreementSums, VerdictEvidence, WindowClock,
    jackknife_group,
};
use understudy_records::batch::Records;
use understudy_records::join::{IntervalJoin, JoinBounds, Slot};
use understudy_study::{Micros, PerStream, Study, parse};

const MINUTE: i64 = 60_000_000;
/// The limits that a threshold may declare, in percent.
const LIMITS: [u64; 5] = [0, 2, 5, 10, 25];

/// What happens to a pair of records on the way into the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Compared,
    RejectedSnapshot,
    RejectedDecision,
    LateSnapshot,
    LateDecision,
    /// A second snapshot with the same id has other content.
    ConflictingSnapshot,
    ConflictingDecision,
    CopiedSnapshot,
    CopiedDecision,
    MissingSnapshot,
    MissingDecision,
    /// The snapshot was a mirrored request that never became a record.
    ShedSnapshot,
    Incomparable,
    Unanswered,
}

impl Fate {
    /// Every way out.
    const EXITS: [Fate; 13] = [
        Fate::RejectedSnapshot,
        Fate::RejectedDecision,
        Fate::LateSnapshot,
        Fate::LateDecision,
        Fate::ConflictingSnapshot,
        Fate::ConflictingDecision,
        Fate::CopiedSnapshot,
        Fate::CopiedDecision,
        Fate::MissingSnapshot,
        Fate::MissingDecision,
        Fate::ShedSnapshot,
        Fate::Incomparable,
        Fate::Unanswered,
    ];

    pub(super) fn accepts_snapshot(self) -> bool {
        !matches!(
            self,
            Fate::RejectedSnapshot | Fate::LateSnapshot | Fate::MissingSnapshot | Fate::ShedSnapshot
        )
    }

    pub(super) fn accepts_decision(self) -> bool {
        !matches!(self, Fate::RejectedDecision | Fate::LateDecision | Fate::MissingDecision)
    }

    pub(super) fn accepts(self, kind: StreamKind) -> bool {
        match kind {
            StreamKind::Snapshots => self.accepts_snapshot(),
            StreamKind::Decisions => self.accepts_decision(),
        }
    }

    pub(super) fn is_compared(self) -> bool {
        self.accepts_snapshot() && self.accepts_decision() && self != Fate::Incomparable
    }
}

/// A snapshot and its decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// The day of the run, from 0. The days -1 and `days` show that the others are complete.
    pub(super) day: i64,
    /// The event time of the snapshot. The decision follows ten minutes later.
    at: i64,
    /// Whether the snapshot belongs to the declared scope.
    pub(super) in_scope: bool,
    pub(super) fate: Fate,
}

/// A record on its way to the join.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pair: usize,
    time: i64,
    content: u64,
    is_rejected: bool,
}

/// A run with a threshold.
pub(super) struct Run {
    study: Study,
    /// The limit of each guard, in percent.
    pub(super) limits: BTreeMap<&'static str, u64>,
    /// The days of which the windows count.
    pub(super) counted: Vec<i64>,
    pub(super) pairs: Vec<Pair>,
}

impl Pair {
    fn scopes(&self) -> &'static [u16] {
        if self.in_scope { &[0, 1] } else { &[0] }
    }
}

impl Run {
    /// A run in which every pair is compared.
    pub(super) fn random(rng: &mut Rng) -> Run {
        let days = rng.i64(2..4);
        let limits: BTreeMap<&str, u64> =
            GUARDS.iter().map(|guard| (guard.key(), LIMITS[rng.usize(..LIMITS.len())])).collect();
        let number = rng.i64(1..=days);
        let (windows, counted) = match rng.u8(..3) {
            0 => (format!("{{ first = {number} }}"), (0..number).collect()),
            1 => (format!("{{ latest = {number} }}"), (days - number..days).collect()),
            _ => ("{ all = true }".to_owned(), (-1..=days).collect()),
        };
        let quantifier = if windows.contains("all") || rng.bool() { "pooled" } else { "every-window" };
        let mut text = STUDY.replace("\"week\"", "\"day\"").replace("\"1d\"", "\"6h\"\nlateness = \"0s\"");
        text = text.replace("[inputs]\n", "[inputs]\nlateness = \"0s\"\n");
        text += &format!(
            "at-least = 0.5\nquantifier = \"{quantifier}\"\nwindows = {windows}\nevidence = \"point\"\n\
             least-per-window = 1\n"
        );
        for (key, percent) in &limits {
            let percent = if *key == "least-coverage" { 100 - percent } else { *percent };
            text += &format!("{key} = {}\n", percent as f64 / 100.0);
        }
        let study = parse(&text).map_err(|unsound| unsound.faults.to_string()).unwrap();
        let pair = |day, at, in_scope| Pair { day, at, in_scope, fate: Fate::Compared };
        let mut pairs = vec![pair(-1, *MONDAY - DAY / 2, true)];
        let scope_share = [0.3, 0.6, 0.9][rng.usize(..3)];
        for day in 0..days {
            let number = rng.i64(12..25);
            pairs.extend((0..number).map(|index| {
                let at = *MONDAY + day * DAY + index * (20 * 60 / number) * MINUTE;
                // Each day has a pair in the scope.
                pair(day, at, index == 0 || rng.f64() < scope_share)
            }));
        }
        pairs.push(pair(days, *MONDAY + days * DAY + DAY / 2, true));
        Run { study, limits, counted, pairs }
    }

    /// Moves records out of the study by some of the exits. Those at both ends stay.
    pub(super) fn move_out(&mut self, rng: &mut Rng) {
        let inner = self.pairs.len() - 1;
        for _ in 0..rng.usize(1..4) {
            let exit = Fate::EXITS[rng.usize(..Fate::EXITS.len())];
            // Shares near the limits: half of the time a few percent.
            let share = if rng.bool() { rng.f64() * 0.04 } else { rng.f64() * 0.3 };
            for pair in &mut self.pairs[1..inner] {
                if rng.f64() < share {
                    pair.fate = exit;
                }
            }
        }
    }

    /// Removes a guard from the threshold, but not from what is expected.
    pub(super) fn remove(&mut self, guard: Guard) {
        let threshold = self.study.threshold.as_mut().unwrap();
        match guard {
            Guard::Rejected => threshold.most_rejected = 1.0,
            Guard::Late => threshold.most_late = 1.0,
            Guard::Conflict => threshold.most_conflict = 1.0,
            Guard::Orphaned => threshold.most_orphaned = 1.0,
            Guard::Shed => threshold.most_shed = 1.0,
            Guard::Coverage => threshold.least_coverage = 0.0,
            Guard::Unanswered => threshold.most_unanswered = 1.0,
        }
    }

    /// The records of a stream in the order in which they arrive.
    pub(super) fn stream(&self, kind: StreamKind) -> Vec<Sent> {
        let (mut sent, mut behind) = (Vec::new(), Vec::new());
        for (pair, Pair { at, fate, .. }) in self.pairs.iter().enumerate() {
            if kind == StreamKind::Snapshots && *fate == Fate::ShedSnapshot {
                continue;
            }
            let (time, own) = match kind {
                StreamKind::Snapshots => (
                    *at,
                    [
                        Fate::RejectedSnapshot,
                        Fate::LateSnapshot,
                        Fate::ConflictingSnapshot,
                        Fate::CopiedSnapshot,
                        Fate::MissingSnapshot,
                    ],
                ),
                StreamKind::Decisions => (
                    *at + 10 * MINUTE,
                    [
                        Fate::RejectedDecision,
                        Fate::LateDecision,
                        Fate::ConflictingDecision,
                        Fate::CopiedDecision,
                        Fate::MissingDecision,
                    ],
                ),
            };
            let record = |content| Sent { pair, time, content, is_rejected: false };
            match own.iter().position(|exit| exit == fate) {
                None => sent.push(record(0)),
                Some(0) => sent.push(Sent { is_rejected: true, ..record(0) }),
                Some(1) => behind.push(record(0)),
                Some(2) => sent.extend([record(0), record(1)]),
                Some(3) => sent.extend([record(0), record(0), record(0)]),
                Some(_) => {}
            }
        }
        sent.extend(behind);
        sent
    }

    /// The verdict of the run. Batches and the interleaving of the streams are random.
    pub(super) fn verdict(&self, rng: &mut Rng) -> Verdict {
        let bounds = JoinBounds {
            horizon: Micros(self.study.horizon.as_micros() as i64),
            lateness: PerStream::splat(Micros(0)),
        };
        let mut join = IntervalJoin::new(bounds, rng.u64(..));
        let mut clock = WindowClock::new(self.study.windows, self.study.time_zone.clone());
        let conditions = Conditions::new(&self.study.conditions, self.study.time_zone.clone()).unwrap();
        let mut cells =
            Cells::new(CellsShape { conditions: conditions.sizes(), models: 1, components: vec![2] });
        let (mut evidence, mut inputs) = (VerdictEvidence::default(), InputCounts::default());
        let mut counts = PairCounts::default();
        let streams = PerStream::from_fn(|kind| self.stream(kind));
        let mut next = PerStream::<usize>::default();
        let mut counted = RecordCounts::default();
        let mut accepted: HashMap<Slot, Vec<usize>> = HashMap::new();
        while StreamKind::ALL.iter().any(|kind| next[*kind] < streams[*kind].len()) {
            let kind = if rng.bool() { StreamKind::Snapshots } else { StreamKind::Decisions };
            let left = &streams[kind][next[kind]..];
            let batch = &left[..left.len().min(rng.usize(1..40))];
            next[kind] += batch.len();
            let before = join.clock(kind);
            let (decoded, rejected): (Vec<Sent>, Vec<Sent>) =
                batch.iter().partition(|sent| !sent.is_rejected);
            let rejected: Vec<i64> = rejected.iter().map(|sent| sent.time).collect();
            let reasons = vec![ExclusionReason::Rejected; rejected.len()];
            let result = join.offer(kind, &records(&decoded), reasons);
            let kept = result.accepted(decoded.len());
            let kept: Vec<&Sent> =
                decoded.iter().zip(kept).filter(|(_, kept)| *kept).map(|(sent, _)| sent).collect();
            let times: Vec<i64> = kept.iter().map(|sent| sent.time).collect();
            counted.add_accepted(&mut clock, kind, &times);
            for exclusion in &result.excluded {
                let sent = decoded[exclusion.row as usize];
                let scopes = self.pairs[sent.pair].scopes();
                let record = CountedExclusion {
                    reason: exclusion.reason,
                    at: Some(Micros(sent.time)),
                    scopes: (kind == StreamKind::Snapshots).then_some(scopes),
                };
                counted.add_excluded(&mut clock, kind, record, Micros(0));
            }
            for own in rejected {
                // Records on time arrive in order.
                let at = times.iter().copied().filter(|time| *time < own).max().map(Micros).max(before);
                let record = CountedExclusion { reason: ExclusionReason::Rejected, at, scopes: None };
                counted.add_excluded(&mut clock, kind, record, Micros(0));
            }
            if kind == StreamKind::Snapshots {
                for sent in &kept {
                    inputs.add(clock.window(sent.time), sent.time, self.pairs[sent.pair].scopes(), [0, 0]);
                }
            }
            accepted.insert(result.slot, kept.iter().map(|sent| sent.pair).collect());
            for joined in result.pairs {
                let [snapshot, decision] =
                    [joined.snapshot, joined.decision].map(|(slot, row)| accepted[&slot][row as usize]);
                assert_eq!(snapshot, decision);
                let Pair { at, fate, .. } = self.pairs[snapshot];
                counted.add_joined(&mut clock, [at + 10 * MINUTE]);
                if fate == Fate::Incomparable {
                    counts.incomparable += 1;
                    continue;
                }
                counts.compared += 1;
                let window = clock.window(at);
                let status =
                    if fate == Fate::Unanswered { AnswerStatus::Failed } else { AnswerStatus::Answered };
                let models =
                    [ModelScores { statuses: vec![status], scores: vec![vec![vec![1.0], vec![1.0]]] }];
                let scored =
                    ScoredPairs { windows: &[window], conditions: &[vec![0], vec![0]], models: &models };
                cells.add(scored).unwrap();
                let pair = EvidencePair {
                    window,
                    scopes: self.pairs[snapshot].scopes(),
                    values: &[0, 0],
                    group: jackknife_group(&snapshot.to_string()),
                    cluster: None,
                    blinded: false,
                    range: None,
                    occurrence: None,
                    labels: None,
                };
                evidence.add(&pair, &models, 0, 0);
            }
        }
        let accounting = join.accounting();
        let results = RunResults {
            closed: true,
            clocks: PerStream::from_fn(|kind| join.clock(kind)),
            accounting,
            pairs: counts,
            inputs: &inputs,
            records: &counted,
            cells: &cells,
            revisions: &RevisionSums::new(cells.shape().clone()),
            self_agreement: &SelfAgreementSums::default(),
            evidence: &evidence,
        };
        let threshold = self.study.threshold.as_ref().unwrap();
        let facts = Facts::undisturbed(&self.study, threshold, &conditions, results);
        let facts = Facts { shed: self.count(|fate| fate == Fate::ShedSnapshot), ..facts };
        determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
    }

    pub(super) fn count(&self, fate: impl Fn(Fate) -> bool) -> u64 {
        self.pairs.iter().filter(|pair| fate(pair.fate)).count() as u64
    }
}

fn records(sent: &[Sent]) -> Records {
    Records {
        ids: StringArray::from_iter_values(sent.iter().map(|sent| sent.pair.to_string())),
        times: sent.iter().map(|sent| sent.time).collect(),
        fields: RecordBatch::new_empty(Schema::empty().into()),
        raw: StringArray::from_iter_values(sent.iter().map(|sent| sent.content.to_string())),
        digests: sent.iter().map(|sent| sent.content).collect(),
        lines: (1..=sent.len() as u64).collect(),
        offsets: vec![0; sent.len()],
    }
}
