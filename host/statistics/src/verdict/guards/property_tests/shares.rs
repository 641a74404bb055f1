//! The shares of records that left a run, from the fates of the records alone.

use std::ops::RangeInclusive;

use super::super::super::{PairCounts, Verdict};
use super::super::*;
use super::run::{Fate, Pair, Run};

/// A guard, the number of records that left, and the number of which it is a part.
type Share = (Guard, u64, u64);

/// The guards of excluded records.
const EXCLUSIONS: [Guard; 3] = [Guard::Rejected, Guard::Late, Guard::Conflict];

impl Run {
    /// The shares of all records that left the study, from the fates of the records alone.
    fn record_shares(&self) -> Vec<Share> {
        let is = |wanted: Fate| self.count(|fate| fate == wanted);
        let pairs = self.pairs.len() as u64;
        let whole = [
            pairs + is(Fate::ConflictingSnapshot) - is(Fate::MissingSnapshot) - is(Fate::ShedSnapshot),
            pairs + is(Fate::ConflictingDecision) - is(Fate::MissingDecision),
        ];
        let orphaned = self.count(|fate| fate.accepts_decision() && !fate.accepts_snapshot());
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
                if kind == StreamKind::Decisions {
                    shares.push((
                        Guard::Orphaned,
                        self.orphaned(first..=last, |_| true),
                        shares[shares.len() - 1].2,
                    ));
                }
            }
        }
        shares
    }

    /// The shares of all of the input.
    fn shares(&self) -> Vec<Share> {
        let counted =
            || self.pairs.iter().filter(|pair| self.counted.contains(&pair.day)).map(|pair| pair.fate);
        let snapshots = counted().filter(|fate| fate.accepts_snapshot()).count() as u64;
        let compared = counted().filter(|fate| fate.is_compared()).count() as u64;
        let unanswered = counted().filter(|fate| *fate == Fate::Unanswered).count() as u64;
        let mut shares = self.record_shares();
        shares.push((Guard::Coverage, snapshots - compared, snapshots));
        shares.push((Guard::Unanswered, unanswered, compared));
        shares
    }

    /// The shares of the rejected, late and conflicting records of a stream over some days.
    fn day_shares(&self, kind: StreamKind, days: RangeInclusive<i64>) -> [Share; 3] {
        let left = self.excluded(kind, days.clone(), |_| true);
        let accepted =
            self.pairs.iter().filter(|pair| days.contains(&pair.day) && pair.fate.accepts(kind)).count();
        let whole = accepted as u64 + left.iter().sum::<u64>();
        [0, 1, 2].map(|index| (EXCLUSIONS[index], left[index], whole))
    }

    /// The rejected, late and conflicting records of a stream over some days, of the pairs for which `is_own` holds.
    fn excluded(&self, kind: StreamKind, days: RangeInclusive<i64>, is_own: fn(&Pair) -> bool) -> [u64; 3] {
        let exits = match kind {
            StreamKind::Snapshots => [Fate::RejectedSnapshot, Fate::LateSnapshot, Fate::ConflictingSnapshot],
            StreamKind::Decisions => [Fate::RejectedDecision, Fate::LateDecision, Fate::ConflictingDecision],
        };
        let mut left = [0; 3];
        // A rejected record is counted on the day of the latest accepted record before it.
        let mut day = -1;
        for pair in &self.pairs {
            if pair.fate.accepts(kind) {
                day = pair.day;
            }
            let counted_on = if pair.fate == exits[0] { day } else { pair.day };
            if days.contains(&counted_on) && is_own(pair) {
                left.iter_mut().zip(exits).for_each(|(left, exit)| *left += u64::from(pair.fate == exit));
            }
        }
        left
    }

    /// The shares of the declared scope that the guards have to take, in which records of unknown scope count.
    fn scope_shares(&self) -> Vec<Share> {
        let (days, decision_days) = self.scope_days();
        let unknown = |kind, days: &RangeInclusive<i64>| self.excluded(kind, days.clone(), |_| true);
        let known = self.excluded(StreamKind::Snapshots, days.clone(), |pair| pair.in_scope);
        let rejected = unknown(StreamKind::Snapshots, &days)[0];
        let is_counted = |pair: &&Pair| pair.in_scope && days.contains(&pair.day);
        let counted = || self.pairs.iter().filter(is_counted).map(|pair| pair.fate);
        let snapshots = counted().filter(|fate| fate.accepts_snapshot()).count() as u64;
        let compared = counted().filter(|fate| fate.is_compared()).count() as u64;
        let unanswered = counted().filter(|fate| *fate == Fate::Unanswered).count() as u64;
        let belonging = snapshots + known[1] + known[2];
        let mut shares = vec![
            (Guard::Rejected, rejected, belonging + rejected),
            (Guard::Late, known[1], belonging),
            (Guard::Conflict, known[2], belonging),
        ];
        let [rejected, late, conflict] = unknown(StreamKind::Decisions, &decision_days);
        let orphaned = self.orphaned(decision_days, |_| true);
        for (guard, count) in [
            (Guard::Rejected, rejected),
            (Guard::Late, late),
            (Guard::Conflict, conflict),
            (Guard::Orphaned, orphaned),
        ] {
            shares.push((guard, count, compared + count));
        }
        let shed = self.count(|fate| fate == Fate::ShedSnapshot);
        let accepts = |pair: &&Pair| pair.in_scope && pair.fate.accepts_snapshot();
        shares.push((Guard::Shed, shed, self.pairs.iter().filter(accepts).count() as u64 + shed));
        shares.retain(|(_, count, _)| *count > 0);
        shares.push((Guard::Coverage, snapshots - compared, snapshots));
        shares.push((Guard::Unanswered, unanswered, compared));
        shares
    }

    /// The shares of the declared scope that really left, which no guard can know.
    fn true_scope_shares(&self) -> Vec<Share> {
        let (days, decision_days) = self.scope_days();
        let mut shares = Vec::new();
        for (kind, days) in [(StreamKind::Snapshots, days), (StreamKind::Decisions, decision_days)] {
            let left = self.excluded(kind, days.clone(), |pair| pair.in_scope);
            let accepts = |pair: &&Pair| pair.in_scope && days.contains(&pair.day) && pair.fate.accepts(kind);
            let whole = self.pairs.iter().filter(accepts).count() as u64 + left.iter().sum::<u64>();
            shares.extend(EXCLUSIONS.into_iter().zip(left).map(|(guard, count)| (guard, count, whole)));
            if kind == StreamKind::Decisions {
                shares.push((Guard::Orphaned, self.orphaned(days, |pair| pair.in_scope), whole));
            }
        }
        let of_scope = |fates: fn(Fate) -> bool| {
            self.pairs.iter().filter(|pair| pair.in_scope && fates(pair.fate)).count() as u64
        };
        let shed = of_scope(|fate| fate == Fate::ShedSnapshot);
        shares.push((Guard::Shed, shed, of_scope(Fate::accepts_snapshot) + shed));
        shares
    }

    /// The days that count, and those with the horizon after them.
    fn scope_days(&self) -> (RangeInclusive<i64>, RangeInclusive<i64>) {
        let (first, last) = (self.counted[0], self.counted[self.counted.len() - 1]);
        (first..=last, first..=last + 1)
    }

    /// The accepted decisions over some days without an accepted snapshot, of the pairs for which `is_own` holds.
    fn orphaned(&self, days: RangeInclusive<i64>, is_own: fn(&Pair) -> bool) -> u64 {
        let is_orphaned = |fate: Fate| fate.accepts_decision() && !fate.accepts_snapshot();
        let own = self.pairs.iter().filter(|pair| days.contains(&pair.day) && is_own(pair));
        own.filter(|pair| is_orphaned(pair.fate)).count() as u64
    }

    /// The guards that do not hold: of all of the input, and of the declared scope with those of all of the input.
    pub(super) fn exceeded(&self) -> [Vec<Guard>; 2] {
        let all = self.beyond_limit(&self.shares());
        let scope =
            [self.beyond_limit(&self.record_shares()), self.beyond_limit(&self.scope_shares())].concat();
        [all, scope]
    }

    /// The guards beyond whose limit the declared scope really is.
    pub(super) fn truly_exceeded(&self) -> Vec<Guard> {
        self.beyond_limit(&self.true_scope_shares())
    }

    fn beyond_limit(&self, shares: &[Share]) -> Vec<Guard> {
        let exceeds = |(guard, left, whole): &&Share| left * 100 > self.limits[guard.key()] * whole;
        shares.iter().filter(exceeds).map(|(guard, ..)| *guard).collect()
    }

    /// Checks that the account in the verdict has every record that was sent, and every share.
    pub(super) fn check_account(&self, verdict: &Verdict) {
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
        let printed = |guards: &[GuardResult]| {
            let share = |guard: &GuardResult| match guard.guard {
                Guard::Coverage => (guard.guard, guard.whole - guard.count, guard.whole),
                _ => (guard.guard, guard.count, guard.whole),
            };
            guards.iter().map(share).collect::<Vec<_>>()
        };
        let [all, scope] = &verdict.models[0].scopes[..] else { panic!("the study has one scope") };
        assert_eq!([printed(&verdict.guards), printed(&all.guards)].concat(), self.shares());
        assert_eq!(printed(&scope.guards), self.scope_shares());
    }
}
