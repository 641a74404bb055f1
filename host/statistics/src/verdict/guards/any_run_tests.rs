//! Takes runs that are GO, moves records out of the study by every way out, and checks the verdict against the
//! shares that were moved. The records pass through the real join, and the verdict is the real one.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::Schema;
use fastrand::Rng;
use jiff::Timestamp;

use super::super::test_support::{DAY, MONDAY, STUDY};
use super::super::{Facts, PairCounts, RunResults, Verdict, determine_verdict};
use super::*;
use crate::scoring::{
    AnswerStatus, Cells, CellsShape, Conditions, EvidencePair, InputCounts, ModelScores, RecordCounts,
    RevisionSums, ScoredPairs, VerdictEvidence, WindowClock, jackknife_group,
};
use understudy_records::batch::Records;
use understudy_records::join::{IntervalJoin, JoinBounds, Slot};
use understudy_study::{Micros, PerStream, Study, parse};

const RUNS: u64 = 10_000;
const MINUTE: i64 = 60_000_000;
/// The limits that a threshold may declare, in percent.
const LIMITS: [u64; 5] = [0, 2, 5, 10, 25];

/// What happens to a pair of records on the way into the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
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

    fn accepts_snapshot(self) -> bool {
        !matches!(
            self,
            Fate::RejectedSnapshot | Fate::LateSnapshot | Fate::MissingSnapshot | Fate::ShedSnapshot
        )
    }

    fn accepts_decision(self) -> bool {
        !matches!(self, Fate::RejectedDecision | Fate::LateDecision | Fate::MissingDecision)
    }
}

/// A snapshot and its decision.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// The day of the run, from 0. The days -1 and `days` show that the others are complete.
    day: i64,
    /// The event time of the snapshot. The decision follows ten minutes later.
    at: i64,
    fate: Fate,
}

/// A record on its way to the join.
#[derive(Clone, Copy)]
struct Sent {
    pair: usize,
    time: i64,
    content: u64,
    is_rejected: bool,
}

/// A run with a threshold.
struct Run {
    study: Study,
    /// The limit of each guard, in percent.
    limits: BTreeMap<&'static str, u64>,
    /// The days of which the windows count.
    counted: Vec<i64>,
    pairs: Vec<Pair>,
}

const GUARDS: [Guard; 7] = [
    Guard::Shed,
    Guard::Rejected,
    Guard::Late,
    Guard::Conflict,
    Guard::Orphaned,
    Guard::Coverage,
    Guard::Unanswered,
];

impl Run {
    /// A run in which every pair is compared.
    fn random(rng: &mut Rng) -> Run {
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
        let mut pairs = vec![Pair { day: -1, at: *MONDAY - DAY / 2, fate: Fate::Compared }];
        for day in 0..days {
            let number = rng.i64(12..25);
            pairs.extend((0..number).map(|pair| {
                let at = *MONDAY + day * DAY + pair * (20 * 60 / number) * MINUTE;
                Pair { day, at, fate: Fate::Compared }
            }));
        }
        pairs.push(Pair { day: days, at: *MONDAY + days * DAY + DAY / 2, fate: Fate::Compared });
        Run { study, limits, counted, pairs }
    }

    /// Moves records out of the study by some of the exits. Those at both ends stay.
    fn move_out(&mut self, rng: &mut Rng) {
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
    fn remove(&mut self, guard: Guard) {
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
    fn stream(&self, kind: StreamKind) -> Vec<Sent> {
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
    fn verdict(&self, rng: &mut Rng) -> Verdict {
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
                let at = Some(Micros(decoded[exclusion.row as usize].time));
                counted.add_excluded(&mut clock, kind, exclusion.reason, at, Micros(0));
            }
            for own in rejected {
                // Records on time arrive in order.
                let at = times.iter().copied().filter(|time| *time < own).max().map(Micros).max(before);
                counted.add_excluded(&mut clock, kind, ExclusionReason::Rejected, at, Micros(0));
            }
            if kind == StreamKind::Snapshots {
                for sent in &kept {
                    inputs.add(clock.window(sent.time), sent.time, &[0], [0, 0]);
                }
            }
            accepted.insert(result.slot, kept.iter().map(|sent| sent.pair).collect());
            for joined in result.pairs {
                let [snapshot, decision] =
                    [joined.snapshot, joined.decision].map(|(slot, row)| accepted[&slot][row as usize]);
                assert_eq!(snapshot, decision);
                let Pair { at, fate, .. } = self.pairs[snapshot];
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
                    scopes: &[0],
                    group: jackknife_group(&snapshot.to_string()),
                    blinded: false,
                    occurrence: None,
                    labels: None,
                };
                evidence.add(&pair, &models, 0, 0);
            }
        }
        let accounting = join.accounting();
        let facts = Facts {
            study: &self.study,
            threshold: self.study.threshold.as_ref().unwrap(),
            conditions: &conditions,
            seal: "5ea1",
            sealed_at: Timestamp::from_microsecond(*MONDAY).unwrap(),
            results: RunResults {
                closed: true,
                clocks: PerStream::from_fn(|kind| join.clock(kind)),
                accounting,
                pairs: counts,
                inputs: &inputs,
                records: &counted,
                cells: &cells,
                revisions: &RevisionSums::new(cells.shape().clone()),
                evidence: &evidence,
            },
            range: (Some(0.0), Some(1.0)),
            references: &[],
            interferences: &[],
            shed: self.count(|fate| fate == Fate::ShedSnapshot),
            source_failure: None,
        };
        determine_verdict(&facts, &mut |pairs, sums| Some(sums[0] / pairs as f64))
    }

    fn count(&self, fate: impl Fn(Fate) -> bool) -> u64 {
        self.pairs.iter().filter(|pair| fate(pair.fate)).count() as u64
    }

    /// The shares that left the study, from the fates of the records alone: the guard, the number that left and
    /// the number of which it is a part.
    fn shares(&self) -> Vec<(Guard, u64, u64)> {
        let is = |wanted: Fate| self.count(|fate| fate == wanted);
        let pairs = self.pairs.len() as u64;
        let whole = [
            pairs + is(Fate::ConflictingSnapshot) - is(Fate::MissingSnapshot) - is(Fate::ShedSnapshot),
            pairs + is(Fate::ConflictingDecision) - is(Fate::MissingDecision),
        ];
        let orphaned = self.count(|fate| fate.accepts_decision() && !fate.accepts_snapshot());
        let counted =
            || self.pairs.iter().filter(|pair| self.counted.contains(&pair.day)).map(|pair| pair.fate);
        let snapshots = counted().filter(|fate| fate.accepts_snapshot()).count() as u64;
        let is_compared =
            |fate: &Fate| fate.accepts_snapshot() && fate.accepts_decision() && *fate != Fate::Incomparable;
        let compared = counted().filter(is_compared).count() as u64;
        let unanswered = counted().filter(|fate| *fate == Fate::Unanswered).count() as u64;
        let mut shares = vec![
            (Guard::Rejected, is(Fate::RejectedSnapshot), whole[0]),
            (Guard::Rejected, is(Fate::RejectedDecision), whole[1]),
            (Guard::Late, is(Fate::LateSnapshot), whole[0]),
            (Guard::Late, is(Fate::LateDecision), whole[1]),
            (Guard::Conflict, is(Fate::ConflictingSnapshot), whole[0]),
            (Guard::Conflict, is(Fate::ConflictingDecision), whole[1]),
            (Guard::Orphaned, orphaned, whole[1]),
        ];
        let shed = is(Fate::ShedSnapshot);
        if shed > 0 {
            shares.push((Guard::Shed, shed, whole[0] + shed));
        }
        if !self.counted.contains(&-1) {
            let (first, last) = (self.counted[0], self.counted[self.counted.len() - 1]);
            for (kind, last) in [
                (StreamKind::Snapshots, last),
                (StreamKind::Decisions, last),
                // The horizon of six hours ends on the next day.
                (StreamKind::Decisions, last + 1),
            ] {
                shares.extend(self.day_shares(kind, first..=last));
            }
        }
        shares.push((Guard::Coverage, snapshots - compared, snapshots));
        shares.push((Guard::Unanswered, unanswered, compared));
        shares
    }

    /// The shares of the rejected, late and conflicting records of a stream over some days.
    fn day_shares(&self, kind: StreamKind, days: RangeInclusive<i64>) -> [(Guard, u64, u64); 3] {
        let [rejected, late, conflict] = match kind {
            StreamKind::Snapshots => [Fate::RejectedSnapshot, Fate::LateSnapshot, Fate::ConflictingSnapshot],
            StreamKind::Decisions => [Fate::RejectedDecision, Fate::LateDecision, Fate::ConflictingDecision],
        };
        let accepts = match kind {
            StreamKind::Snapshots => Fate::accepts_snapshot,
            StreamKind::Decisions => Fate::accepts_decision,
        };
        let (mut counts, mut whole) = ([0; 3], 0);
        // A rejected record is counted on the day of the latest accepted record before it.
        let mut day = -1;
        for pair in &self.pairs {
            if accepts(pair.fate) {
                day = pair.day;
            }
            let own = if pair.fate == rejected { day } else { pair.day };
            if !days.contains(&own) {
                continue;
            }
            whole += u64::from(accepts(pair.fate));
            for (count, exit) in counts.iter_mut().zip([rejected, late, conflict]) {
                *count += u64::from(pair.fate == exit);
                whole += u64::from(pair.fate == exit);
            }
        }
        let [rejected, late, conflict] = counts;
        [(Guard::Rejected, rejected, whole), (Guard::Late, late, whole), (Guard::Conflict, conflict, whole)]
    }

    /// The guards whose share exceeds what the threshold declares.
    fn exceeded(&self) -> Vec<Guard> {
        let exceeds =
            |(guard, left, whole): &(Guard, u64, u64)| left * 100 > self.limits[guard.key()] * whole;
        self.shares().iter().filter(|share| exceeds(share)).map(|(guard, ..)| *guard).collect()
    }

    /// Checks that the account in the verdict has every record that was sent, and every share.
    fn check_account(&self, verdict: &Verdict) {
        let accounting = verdict.accounting;
        assert!(accounting.balances(), "{accounting:?}");
        for (kind, account) in StreamKind::ALL.into_iter().zip([accounting.snapshots, accounting.decisions]) {
            assert_eq!(account.received, self.stream(kind).len() as u64, "{kind:?}");
        }
        let PairCounts { compared, incomparable } = verdict.pairs;
        assert_eq!(accounting.snapshots.paired, compared + incomparable);
        assert_eq!(incomparable, self.count(|fate| fate == Fate::Incomparable));
        let copies =
            [Fate::CopiedSnapshot, Fate::CopiedDecision].map(|copied| self.count(|fate| fate == copied));
        assert_eq!(
            [accounting.snapshots.duplicate, accounting.decisions.duplicate],
            copies.map(|pairs| 2 * pairs)
        );
        let scope = &verdict.models[0].scopes[0];
        let printed = verdict.guards.iter().chain(&scope.guards);
        let printed = printed.map(|guard| match guard.guard {
            Guard::Coverage => (guard.guard, guard.whole - guard.count, guard.whole),
            _ => (guard.guard, guard.count, guard.whole),
        });
        assert_eq!(printed.collect::<Vec<_>>(), self.shares());
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

#[test]
fn a_run_is_go_only_while_every_share_is_within_its_limit() {
    // How often a guard alone decided.
    let mut decisive: HashMap<Guard, u32> = HashMap::new();
    let mut passed = 0;
    for seed in 0..RUNS {
        let mut rng = Rng::with_seed(seed);
        let mut run = Run::random(&mut rng);
        let kind = |verdict: &Verdict| verdict.models[0].scopes[0].verdict;
        let undisturbed = run.verdict(&mut rng);
        assert_eq!(kind(&undisturbed), VerdictKind::Go, "run {seed}: {:?}", undisturbed.models[0].scopes[0]);
        run.move_out(&mut rng);
        let verdict = run.verdict(&mut rng);
        run.check_account(&verdict);
        let exceeded = run.exceeded();
        let expected = exceeded.iter().map(|guard| guard.verdict()).max().unwrap_or(VerdictKind::Go);
        let scope = &verdict.models[0].scopes[0];
        assert_eq!(scope.verdict, expected, "run {seed}: {exceeded:?} {:?}", scope.reasons);
        match exceeded[..] {
            [] => passed += 1,
            [guard] => *decisive.entry(guard).or_default() += 1,
            _ => {}
        }
    }
    // The runs are of both kinds, and every guard matters.
    assert!(passed > RUNS / 10, "{passed}");
    for guard in GUARDS {
        assert!(decisive.get(&guard).is_some_and(|runs| *runs > 50), "{guard:?}: {decisive:?}");
    }
}

/// The test above can fail: without any one of the guards it does.
#[test]
fn a_missing_guard_is_noticed() {
    for guard in GUARDS {
        let is_wrong = |seed: u64| {
            let mut rng = Rng::with_seed(seed);
            let mut run = Run::random(&mut rng);
            run.move_out(&mut rng);
            run.remove(guard);
            let verdict = run.verdict(&mut rng).models[0].scopes[0].verdict;
            verdict == VerdictKind::Go && !run.exceeded().is_empty()
        };
        assert!((0..RUNS).any(is_wrong), "{guard:?}");
    }
}
