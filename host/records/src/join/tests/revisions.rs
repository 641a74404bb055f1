//! Compares the join with revisions with a direct statement of its semantics, under any interleaving and any batch
//! sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field};

use super::*;

const MODES: [Revisions; 3] =
    [Revisions::First, Revisions::Last { version: None }, Revisions::Last { version: Some(0) }];

/// The version of a record: its content, or none.
fn version(input: &Input) -> Option<i64> {
    (input.content > 0).then(|| i64::from(input.content))
}

/// Records with the field `version`.
fn versioned(inputs: &[Input]) -> Records {
    let schema = Schema::new(vec![Field::new("version", DataType::Int64, true)]);
    let versions: Int64Array = inputs.iter().map(version).collect();
    let fields = RecordBatch::try_new(schema.into(), vec![Arc::new(versions)]).unwrap();
    // The bytes of a record have its time.
    let digests =
        inputs.iter().map(|input| (input.time as u64).wrapping_mul(8) + u64::from(input.content)).collect();
    Records { fields, digests, ..records(inputs) }
}

/// The exclusion of each record of one stream, by the definition in the module's documentation.
fn exclusions_with_revisions(kind: StreamKind, inputs: &[Input]) -> Vec<Option<ExclusionReason>> {
    let mut exclusions: Vec<Option<ExclusionReason>> = Vec::new();
    for (at, new) in inputs.iter().enumerate() {
        let accepted = || inputs[..at].iter().zip(&exclusions).filter(|(_, e)| e.is_none()).map(|(i, _)| i);
        let watermark = accepted().map(|i| i.time).max().map(|max| max - BOUNDS.lateness[kind].0);
        let held =
            |i: &&Input| i.id == new.id && watermark.is_none_or(|w| w <= i.time + 2 * BOUNDS.horizon.0);
        let is_same = |i: &Input| (i.time, i.content) == (new.time, new.content);
        exclusions.push(if accepted().filter(held).any(is_same) {
            Some(ExclusionReason::Duplicate)
        } else if kind == StreamKind::Snapshots && accepted().any(|i| held(&i)) {
            Some(ExclusionReason::Conflict)
        } else if watermark.is_some_and(|w| new.time < w) {
            Some(ExclusionReason::Late)
        } else {
            None
        });
    }
    exclusions
}

/// What is expected of a pair: the decision that counts, and the other one with the number of revised decisions.
type Expected = (usize, Option<(usize, u32)>);

/// The pair of each accepted snapshot that has a candidate, by the index of the snapshot.
fn expected_pairs(
    mode: Revisions,
    streams: &[Vec<Input>; 2],
    exclusions: &[Vec<Option<ExclusionReason>>; 2],
) -> BTreeMap<usize, Expected> {
    let mut pairs = BTreeMap::new();
    for (s, snapshot) in streams[0].iter().enumerate().filter(|(s, _)| exclusions[0][*s].is_none()) {
        let fits = |(d, decision): &(usize, &Input)| {
            exclusions[1][*d].is_none()
                && decision.id == snapshot.id
                && (decision.time - snapshot.time).abs() <= BOUNDS.horizon.0
        };
        let mut candidates: Vec<_> = streams[1].iter().enumerate().filter(fits).collect();
        candidates.sort_by_key(|(d, decision)| {
            let version = mode.version_field().and_then(|_| version(decision));
            (version, decision.time, *d)
        });
        if mode == Revisions::First {
            candidates.reverse();
        }
        if let Some((counts, _)) = candidates.last() {
            let revised = candidates.len() as u32 - 1;
            pairs.insert(s, (*counts, (revised > 0).then(|| (candidates[0].0, revised))));
        }
    }
    pairs
}

/// A stream in which ids are often repeated with other content.
fn revised_stream() -> impl Strategy<Value = Vec<Input>> {
    prop::collection::vec((0u8..4, 0i64..5, -8i64..4, 0u8..3), 0..60).prop_map(|steps| {
        let mut now = 0;
        steps
            .into_iter()
            .map(|(id, step, jitter, content)| {
                now += step;
                Input { id, time: now + jitter, content }
            })
            .collect()
    })
}

/// A join that is fed from two streams, and what it returned.
struct Feed<'s> {
    join: IntervalJoin,
    streams: &'s [Vec<Input>; 2],
    next: [usize; 2],
    place: BTreeMap<(Slot, u32), usize>,
    found: BTreeMap<usize, Expected>,
}

impl<'s> Feed<'s> {
    fn new(join: IntervalJoin, streams: &'s [Vec<Input>; 2]) -> Feed<'s> {
        Feed { join, streams, next: [0; 2], place: BTreeMap::new(), found: BTreeMap::new() }
    }

    /// Offers the next records of a stream. Returns the exclusion of each.
    fn offer(&mut self, kind: StreamKind, size: usize) -> Vec<Option<ExclusionReason>> {
        let from = self.next[kind as usize];
        let to = (from + size).min(self.streams[kind as usize].len());
        self.next[kind as usize] = to;
        let result = self.join.offer(kind, &versioned(&self.streams[kind as usize][from..to]), []);
        let mut reasons = vec![None; to - from];
        result.excluded.iter().for_each(|excluded| reasons[excluded.row as usize] = Some(excluded.reason));
        let accepted = (from..to).filter(|at| reasons[*at - from].is_none());
        self.place.extend(accepted.enumerate().map(|(row, at)| ((result.slot, row as u32), at)));
        self.add(result.pairs);
        reasons
    }

    fn add(&mut self, pairs: Vec<JoinedRows>) {
        for JoinedRows { snapshot, decision, revised } in pairs {
            let other = revised.map(|revised| (self.place[&revised.decision], revised.times.len() as u32));
            let known = self.found.insert(self.place[&snapshot], (self.place[&decision], other));
            assert_eq!(known, None, "paired twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn revised_pairs_and_accounts_match_the_definition(
        snapshots in stream(),
        decisions in revised_stream(),
        cuts in prop::collection::vec((any::<bool>(), 1usize..8), 0..60),
        again in prop::collection::vec((any::<bool>(), 1usize..20), 0..60),
        mode in prop::sample::select(&MODES),
        seed: u64,
    ) {
        let streams = [snapshots, decisions];
        let excluded = [
            exclusions_with_revisions(StreamKind::Snapshots, &streams[0]),
            exclusions_with_revisions(StreamKind::Decisions, &streams[1]),
        ];
        let wanted = expected_pairs(mode, &streams, &excluded);
        let mut feed = Feed::new(IntervalJoin::new(BOUNDS, seed).with_revisions(mode), &streams);
        let rest = [(true, 1000), (false, 1000)];
        for (decision, size) in cuts.into_iter().chain(rest) {
            let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            let from = feed.next[kind as usize];
            let reasons = feed.offer(kind, size);
            prop_assert_eq!(&reasons[..], &excluded[kind as usize][from..from + reasons.len()]);

            // A pair is emitted as soon as no candidate can arrive, and not before.
            let seen = |kind: usize| {
                let accepted = streams[kind].iter().zip(&excluded[kind]).take(feed.next[kind]);
                accepted.filter(|(_, e)| e.is_none()).map(|(i, _)| i.time)
            };
            let watermark = seen(1).max().map(|max| max - BOUNDS.lateness.decisions.0);
            let is_settled = |s: &usize| {
                *s < feed.next[0] && watermark.is_some_and(|w| streams[0][*s].time + BOUNDS.horizon.0 < w)
            };
            let settled: BTreeMap<_, _> =
                wanted.iter().filter(|(s, _)| is_settled(s)).map(|(s, pair)| (*s, *pair)).collect();
            prop_assert_eq!(&feed.found, &settled);
            let accounting = feed.join.accounting();
            prop_assert!(accounting.balances(), "{accounting:?}");
            let revised = feed.found.values().filter_map(|(_, other)| *other).map(|(_, count)| u64::from(count));
            prop_assert_eq!(accounting.decisions.revised, revised.sum::<u64>());
            prop_assert!(feed.join.accounting_estimate().balances());
        }
        let pairs = feed.join.finish();
        feed.add(pairs);
        prop_assert_eq!(&feed.found, &wanted);
        let accounting = feed.join.accounting();
        prop_assert!(accounting.balances(), "{accounting:?}");

        // The accepted records, offered again in other batches, give the same pairs and the same account.
        let place: [Vec<usize>; 2] = [0, 1].map(|kind: usize| {
            (0..streams[kind].len()).filter(|at| excluded[kind][*at].is_none()).collect()
        });
        let logged = [0, 1].map(|kind: usize| place[kind].iter().map(|at| streams[kind][*at]).collect::<Vec<_>>());
        let mut replay = Feed::new(IntervalJoin::new(BOUNDS, !seed).with_revisions(mode), &logged);
        for (decision, size) in again.into_iter().chain(rest) {
            let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            prop_assert!(replay.offer(kind, size).iter().all(Option::is_none));
        }
        let pairs = replay.join.finish();
        replay.add(pairs);
        let original = replay.found.iter().map(|(s, (d, other))| {
            let other = other.map(|(other, count)| (place[1][other], count));
            (place[0][*s], (place[1][*d], other))
        });
        prop_assert_eq!(original.collect::<BTreeMap<_, _>>(), wanted);
        let replayed = replay.join.accounting();
        prop_assert_eq!(replayed.decisions.expired, accounting.decisions.expired);
        prop_assert_eq!(replayed.decisions.revised, accounting.decisions.revised);
        prop_assert_eq!(replayed.snapshots.expired, accounting.snapshots.expired);
    }

    #[test]
    fn a_selection_of_ids_has_the_revised_pairs_of_the_whole_streams(
        snapshots in stream(),
        decisions in revised_stream(),
        ids in prop::collection::btree_set(0u8..6, 0..4),
        cuts in prop::collection::vec((any::<bool>(), 1usize..8), 0..60),
        mode in prop::sample::select(&MODES),
        until in prop::option::of(-20i64..200),
        seed: u64,
    ) {
        let streams = [snapshots, decisions];
        let excluded = [
            exclusions_with_revisions(StreamKind::Snapshots, &streams[0]),
            exclusions_with_revisions(StreamKind::Decisions, &streams[1]),
        ];
        let mut wanted = expected_pairs(mode, &streams, &excluded);
        wanted.retain(|s, _| ids.contains(&streams[0][*s].id));
        if let Some(until) = until {
            wanted.retain(|s, _| streams[0][*s].time + BOUNDS.horizon.0 < until);
        }
        let place = [0, 1].map(|kind: usize| -> Vec<usize> {
            let of_ids = |at: &usize| excluded[kind][*at].is_none() && ids.contains(&streams[kind][*at].id);
            (0..streams[kind].len()).filter(of_ids).collect()
        });
        let selected = [0, 1].map(|kind: usize| place[kind].iter().map(|at| streams[kind][*at]).collect::<Vec<_>>());
        let mut feed = Feed::new(IntervalJoin::for_selected_ids(BOUNDS, seed).with_revisions(mode), &selected);
        for (decision, size) in cuts.into_iter().chain([(true, 1000), (false, 1000)]) {
            let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            prop_assert!(feed.offer(kind, size).iter().all(Option::is_none));
        }
        let pairs = match until {
            Some(until) => feed.join.settle_before(Micros(until)),
            None => feed.join.finish(),
        };
        feed.add(pairs);
        let original = feed.found.iter().map(|(s, (d, other))| {
            let other = other.map(|(other, count)| (place[1][other], count));
            (place[0][*s], (place[1][*d], other))
        });
        prop_assert_eq!(original.collect::<BTreeMap<_, _>>(), wanted);
    }
}

/// Offers one decision after the other to a join with one snapshot at time 0, and returns its pair by arrival.
fn pair_of(mode: Revisions, decisions: &[(i64, u8)]) -> Expected {
    let inputs: Vec<Input> =
        decisions.iter().map(|&(time, content)| Input { id: 1, time, content }).collect();
    let streams = [vec![at(1, 0)], inputs];
    let mut feed = Feed::new(IntervalJoin::new(BOUNDS, 0).with_revisions(mode), &streams);
    for _ in decisions {
        assert_eq!(feed.offer(StreamKind::Decisions, 1), [None]);
    }
    feed.offer(StreamKind::Snapshots, 1);
    let pairs = feed.join.finish();
    feed.add(pairs);
    feed.found[&0]
}

#[test]
fn the_first_or_the_last_revision_counts() {
    let [first, last, by_version] = MODES;
    let three = [(1, 2), (2, 1), (3, 0)];
    assert_eq!(pair_of(first, &three), (0, Some((2, 2))));
    assert_eq!(pair_of(last, &three), (2, Some((0, 2))));
    // The version counts, not the time, and a missing version comes first.
    assert_eq!(pair_of(by_version, &three), (0, Some((2, 2))));
    // Equal times and versions: the order of arrival.
    assert_eq!(pair_of(last, &[(2, 2), (2, 1), (2, 0)]), (2, Some((0, 2))));
    assert_eq!(pair_of(by_version, &[(3, 1), (1, 1), (2, 1)]), (0, Some((1, 2))));
    // The first decision again, later, is a revision, too.
    assert_eq!(pair_of(last, &[(1, 0), (2, 1), (3, 0)]), (2, Some((0, 2))));
    // A decision beyond the horizon is no candidate.
    assert_eq!(pair_of(last, &[(1, 0), (10, 1), (11, 2)]), (1, Some((0, 1))));
}

#[test]
fn batches_with_revisions_are_evicted_as_event_time_advances() {
    let mut join = IntervalJoin::new(BOUNDS, 0).with_revisions(Revisions::Last { version: None });
    let (mut closed, mut offered) = (BTreeSet::new(), 0);
    for step in 0..2000 {
        join.offer(StreamKind::Snapshots, &versioned(&[at((step % 250) as u8, step)]), []);
        // Every third decision is missing, and every fifth is revised.
        let revised = if step % 5 == 0 { 2 } else { 1 };
        for content in 0..if step % 3 == 0 { 0 } else { revised } {
            let decision = Input { content, ..at((step % 250) as u8, step) };
            join.offer(StreamKind::Decisions, &versioned(&[decision]), []);
            offered += 1;
        }
        for slot in join.take_closed_batches() {
            assert!(closed.insert(slot), "returned twice");
        }
        assert!(join.batches.len() < 120 && join.table.len() < 120, "{}", join.batches.len());
        assert!(join.unsettled.len() < 40, "{}", join.unsettled.len());
    }
    let Accounting { snapshots, decisions } = join.accounting();
    assert_eq!((snapshots.received, decisions.received), (2000, offered));
    assert!(decisions.revised > 250 && decisions.waiting < 40 && snapshots.expired > 600, "{decisions:?}");
}

#[test]
fn revisions_beyond_the_limit_are_conflicts() {
    let bounds = JoinBounds { horizon: Micros(10_000), ..BOUNDS };
    let mut join = IntervalJoin::new(bounds, 0).with_revisions(Revisions::First);
    let mut excluded = Vec::new();
    for from in (0..1200).step_by(100) {
        let inputs: Vec<Input> = (from..from + 100).map(|time| at(1, time)).collect();
        excluded.extend(join.offer(StreamKind::Decisions, &versioned(&inputs), []).excluded);
    }
    let again = join.offer(StreamKind::Decisions, &versioned(&[at(1, 999), at(2, 1300)]), []).excluded;
    assert_eq!(excluded.len(), 200);
    assert!(excluded.iter().all(|excluded| excluded.reason == ExclusionReason::Conflict));
    insta::assert_snapshot!(excluded[0].detail, @r#"1000 earlier records have the id "1", the most that are kept"#);
    assert_eq!(
        again.iter().map(|excluded| excluded.reason).collect::<Vec<_>>(),
        [ExclusionReason::Duplicate]
    );
    let account = join.accounting().decisions;
    assert_eq!((account.received, account.conflict, account.duplicate), (1202, 200, 1));
    assert!(join.accounting().balances());
}

#[test]
fn the_treatment_of_repeated_ids_is_that_which_was_set() {
    assert_eq!(IntervalJoin::new(BOUNDS, 0).revisions(), Revisions::Refuse);
    for mode in MODES {
        assert_eq!(IntervalJoin::new(BOUNDS, 0).with_revisions(mode).revisions(), mode);
    }
}
