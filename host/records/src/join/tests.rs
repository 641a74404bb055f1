//! Compares the join with a direct statement of its semantics, under any interleaving and any batch sizes.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use proptest::prelude::*;

use super::*;

mod revisions;

/// A record.
#[derive(Clone, Copy, Debug)]
struct Input {
    id: u8,
    time: i64,
    content: u8,
}

fn records(inputs: &[Input]) -> Records {
    Records {
        ids: StringArray::from_iter_values(inputs.iter().map(|i| i.id.to_string())),
        times: inputs.iter().map(|i| i.time).collect(),
        fields: RecordBatch::new_empty(Schema::empty().into()),
        raw: StringArray::from_iter_values(inputs.iter().map(|i| i.content.to_string())),
        digests: inputs.iter().map(|i| u64::from(i.content)).collect(),
        lines: (0..inputs.len() as u64).collect(),
        offsets: vec![0; inputs.len()],
    }
}

const BOUNDS: JoinBounds =
    JoinBounds { horizon: Micros(10), lateness: PerStream { snapshots: Micros(6), decisions: Micros(3) } };

/// The exclusion of each record of one stream, by the definition in the module's documentation.
fn exclusions(kind: StreamKind, inputs: &[Input]) -> Vec<Option<ExclusionReason>> {
    let mut exclusions: Vec<Option<ExclusionReason>> = Vec::new();
    for (at, new) in inputs.iter().enumerate() {
        let accepted =
            || inputs[..at].iter().zip(&exclusions).filter(|(_, class)| class.is_none()).map(|(i, _)| i);
        let watermark = accepted().map(|i| i.time).max().map(|max| max - BOUNDS.lateness[kind].0);
        let held =
            |i: &&Input| i.id == new.id && watermark.is_none_or(|w| w <= i.time + 2 * BOUNDS.horizon.0);
        exclusions.push(match accepted().rfind(held) {
            Some(before) if before.content == new.content => Some(ExclusionReason::Duplicate),
            Some(_) => Some(ExclusionReason::Conflict),
            None if watermark.is_some_and(|w| new.time < w) => Some(ExclusionReason::Late),
            None => None,
        });
    }
    exclusions
}

/// The pairs among accepted records, as indices into the two streams.
fn pairs(
    streams: &[Vec<Input>; 2],
    exclusions: &[Vec<Option<ExclusionReason>>; 2],
) -> BTreeSet<(usize, usize)> {
    let accepted = |kind: usize| {
        streams[kind]
            .iter()
            .zip(&exclusions[kind])
            .enumerate()
            .filter(|(_, (_, c))| c.is_none())
            .map(|(at, (i, _))| (at, *i))
    };
    let mut pairs = BTreeSet::new();
    for (s, snapshot) in accepted(0) {
        for (d, decision) in accepted(1) {
            if snapshot.id == decision.id && (snapshot.time - decision.time).abs() <= BOUNDS.horizon.0 {
                pairs.insert((s, d));
            }
        }
    }
    pairs
}

/// A stream that advances, with repetitions and records out of order.
fn stream() -> impl Strategy<Value = Vec<Input>> {
    prop::collection::vec((0u8..6, 0i64..6, -12i64..4, 0u8..2), 0..60).prop_map(|steps| {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn pairs_and_accounts_match_the_definition(
        snapshots in stream(),
        decisions in stream(),
        cuts in prop::collection::vec((any::<bool>(), 1usize..8), 0..60),
        seed: u64,
    ) {
        let streams = [snapshots, decisions];
        let excluded = [exclusions(StreamKind::Snapshots, &streams[0]), exclusions(StreamKind::Decisions, &streams[1])];
        let wanted = pairs(&streams, &excluded);

        let mut join = IntervalJoin::new(BOUNDS, seed);
        let mut next = [0, 0];
        let mut place = FxHashMap::default();
        let mut found = BTreeSet::new();
        let rest = [(true, 1000), (false, 1000)];
        for (decision, size) in cuts.into_iter().chain(rest) {
            let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            let from = next[kind as usize];
            let to = (from + size).min(streams[kind as usize].len());
            next[kind as usize] = to;
            let result = join.offer(kind, &records(&streams[kind as usize][from..to]), []);
            let mut reasons = vec![None; to - from];
            result.excluded.iter().for_each(|excluded| reasons[excluded.row as usize] = Some(excluded.reason));
            prop_assert_eq!(&reasons[..], &excluded[kind as usize][from..to]);
            let accepted: Vec<bool> = reasons.iter().map(Option::is_none).collect();
            prop_assert_eq!(result.accepted(to - from), accepted);
            let accepted = (from..to).filter(|at| excluded[kind as usize][*at].is_none());
            for (row, at) in accepted.enumerate() {
                place.insert((result.slot, row as u32), at);
            }
            for pair in result.pairs {
                prop_assert!(found.insert((place[&pair.snapshot], place[&pair.decision])), "paired twice");
            }
            let accounting = join.accounting();
            prop_assert!(accounting.balances(), "{accounting:?}");
        }
        prop_assert_eq!(&found, &wanted);

        // Whether an unpaired record is expired depends on the times alone.
        let accounting = join.accounting();
        for kind in StreamKind::ALL {
            let clock = |kind: StreamKind| {
                let accepted = streams[kind as usize].iter().zip(&excluded[kind as usize]);
                accepted.filter(|(_, c)| c.is_none()).map(|(i, _)| i.time).max()
            };
            let over = clock(kind.other()).map(|max| max - BOUNDS.lateness[kind.other()].0);
            let unpaired = |at: &usize| !wanted.iter().any(|p| [p.0, p.1][kind as usize] == *at);
            let accepted = (0..streams[kind as usize].len()).filter(|at| excluded[kind as usize][*at].is_none());
            let expired = accepted
                .filter(unpaired)
                .filter(|at| over.is_some_and(|w| streams[kind as usize][*at].time + BOUNDS.horizon.0 < w))
                .count();
            let account = match kind {
                StreamKind::Snapshots => accounting.snapshots,
                StreamKind::Decisions => accounting.decisions,
            };
            prop_assert_eq!(account.expired, expired as u64);
        }
    }

    #[test]
    fn a_selection_of_ids_has_the_pairs_of_the_whole_streams(
        snapshots in stream(),
        decisions in stream(),
        ids in prop::collection::btree_set(0u8..6, 0..4),
        cuts in prop::collection::vec((any::<bool>(), 1usize..8), 0..60),
        seed: u64,
    ) {
        let streams = [snapshots, decisions];
        let excluded = [exclusions(StreamKind::Snapshots, &streams[0]), exclusions(StreamKind::Decisions, &streams[1])];
        let mut wanted = pairs(&streams, &excluded);
        wanted.retain(|(snapshot, _)| ids.contains(&streams[0][*snapshot].id));

        let selected = [0, 1].map(|kind: usize| -> Vec<usize> {
            let of_ids = |at: &usize| excluded[kind][*at].is_none() && ids.contains(&streams[kind][*at].id);
            (0..streams[kind].len()).filter(of_ids).collect()
        });
        let mut join = IntervalJoin::for_selected_ids(BOUNDS, seed);
        let mut next = [0, 0];
        let mut place = FxHashMap::default();
        let mut found = BTreeSet::new();
        for (decision, size) in cuts.into_iter().chain([(true, 1000), (false, 1000)]) {
            let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            let from = next[kind as usize];
            let to = (from + size).min(selected[kind as usize].len());
            next[kind as usize] = to;
            let rows = &selected[kind as usize][from..to];
            let inputs: Vec<Input> = rows.iter().map(|at| streams[kind as usize][*at]).collect();
            let result = join.offer(kind, &records(&inputs), []);
            prop_assert!(result.excluded.is_empty(), "{:?}", result.excluded);
            place.extend(rows.iter().enumerate().map(|(row, at)| ((result.slot, row as u32), *at)));
            for pair in result.pairs {
                prop_assert!(found.insert((place[&pair.snapshot], place[&pair.decision])), "paired twice");
            }
        }
        prop_assert_eq!(found, wanted);
    }
}

fn at(id: u8, time: i64) -> Input {
    Input { id, time, content: 0 }
}

#[test]
fn batches_are_evicted_as_event_time_advances() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let mut closed = BTreeSet::new();
    for step in 0..2000 {
        for kind in StreamKind::ALL {
            // Every third decision is missing.
            if kind == StreamKind::Snapshots || step % 3 > 0 {
                join.offer(kind, &records(&[at((step % 250) as u8, step)]), []);
            }
        }
        for slot in join.take_closed_batches() {
            assert!(closed.insert(slot), "returned twice");
        }
        assert!(join.batches.len() < 80 && join.table.len() < 80, "{}", join.batches.len());
    }
    let Accounting { snapshots, .. } = join.accounting();
    assert_eq!((snapshots.received, snapshots.paired), (2000, 1333));
    assert!(snapshots.expired > 600 && snapshots.waiting < 10, "{snapshots:?}");
    // Each batch has one record.
    assert_eq!(closed.len() as u64, 2 * snapshots.paired + snapshots.expired);
}

#[test]
fn exclusion_details_name_the_id_or_the_times() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let mut offer = |inputs: &[Input]| join.offer(StreamKind::Decisions, &records(inputs), []).excluded;
    offer(&[at(1, 5_000_000), at(2, 90_000_000)]);
    let again = offer(&[at(2, 90_000_000), Input { content: 1, ..at(2, 90_000_000) }, at(3, 80_000_000)]);
    let reasons: Vec<_> = again.into_iter().map(|excluded| excluded.detail).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    an earlier record has the id "2": the two are identical
    an earlier record has the id "2": the two differ; the first one counts
    1970-01-01T00:01:20Z is more than 3µs behind the latest record of its stream, line 1 with the id "2" (1970-01-01T00:01:30Z)
    "#);
}

#[test]
fn a_selection_excludes_an_id_again_within_twice_the_horizon_on_both_sides() {
    let reach = 2 * BOUNDS.horizon.0;
    for (distance, is_excluded) in
        [(-reach - 1, false), (-reach, true), (0, true), (reach, true), (reach + 1, false)]
    {
        let input = |time| Input { id: 1, time, content: 0 };
        let mut join = IntervalJoin::for_selected_ids(BOUNDS, 7);
        let result = join.offer(StreamKind::Snapshots, &records(&[input(100), input(100 + distance)]), []);
        assert_eq!(result.excluded.len(), usize::from(is_excluded), "distance {distance}");
    }
}

#[test]
fn the_first_of_equally_late_records_sets_the_clock() {
    let names = PerStream { snapshots: "line", decisions: "record" };
    let mut join = IntervalJoin::new(BOUNDS, 0).with_position_names(names);
    let times = [at(1, 90_000_000), at(2, 90_000_000), at(3, 80_000_000)];
    let excluded = join.offer(StreamKind::Decisions, &records(&times), []).excluded;
    let detail = excluded.iter().map(|excluded| excluded.detail.as_str()).collect::<String>();
    assert!(detail.contains("record 0 with the id \"1\""), "{detail}");
}

#[test]
fn a_batch_is_closed_at_once_if_all_its_rows_pair() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let snapshots = join.offer(StreamKind::Snapshots, &records(&[at(1, 0), at(2, 1)]), []).slot;
    assert!(join.take_closed_batches().is_empty());
    assert_eq!(join.row_states(snapshots), [RowState::Waiting; 2]);
    let first = join.offer(StreamKind::Decisions, &records(&[at(1, 2)]), []).slot;
    assert_eq!(join.take_closed_batches(), [first]);
    assert_eq!(join.row_states(snapshots), [RowState::Settled, RowState::Waiting]);
    let second = join.offer(StreamKind::Decisions, &records(&[at(2, 3)]), []).slot;
    assert_eq!(BTreeSet::from_iter(join.take_closed_batches()), BTreeSet::from([snapshots, second]));
    assert!(join.row_states(snapshots).is_empty(), "the batch is closed");
}

#[test]
fn open_rows_are_counted_by_stream() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let open = |join: &IntervalJoin| StreamKind::ALL.map(|kind| join.open_rows(kind));
    assert_eq!(open(&join), [0, 0]);
    join.offer(StreamKind::Snapshots, &records(&[at(1, 0), at(2, 1), at(3, 2)]), []);
    assert_eq!(open(&join), [3, 0]);
    join.offer(StreamKind::Decisions, &records(&[at(1, 2), at(4, 2), at(5, 2)]), []);
    assert_eq!(open(&join), [2, 2]);
    // Both batches expire.
    join.offer(StreamKind::Snapshots, &records(&[at(6, 100)]), []);
    join.offer(StreamKind::Decisions, &records(&[at(6, 100)]), []);
    assert_eq!(open(&join), [0, 0]);
}

#[test]
fn rows_that_expired_during_a_replay_are_settled_without_being_counted() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let snapshots = [at(1, 0), at(2, 2), at(3, 4), at(4, 5), at(5, 6)];
    let slot = join.offer(StreamKind::Snapshots, &records(&snapshots), []).slot;
    let paired = join.offer(StreamKind::Snapshots, &records(&[at(6, 2), at(7, 7)]), []).slot;
    // The watermark of the decisions is 15: a snapshot before 5 has expired.
    join.offer(StreamKind::Decisions, &records(&[at(2, 12), at(7, 17), at(8, 18)]), []);
    join.take_closed_batches();
    assert_eq!((join.open_rows(StreamKind::Snapshots), join.accounting().snapshots.expired), (5, 3));

    join.settle_expired_rows();
    assert_eq!(join.open_rows(StreamKind::Snapshots), 2);
    let (settled, waiting) = (RowState::Settled, RowState::Waiting);
    assert_eq!(join.row_states(slot), [settled, settled, settled, waiting, waiting]);
    assert_eq!(join.take_closed_batches(), [paired]);
    assert_eq!(join.accounting().snapshots.expired, 0);
}

#[test]
fn the_account_estimate_counts_expired_rows_of_an_open_batch_as_waiting() {
    let mut join = IntervalJoin::new(BOUNDS, 0);
    let rejected = [ExclusionReason::Rejected, ExclusionReason::Late, ExclusionReason::Rejected];
    join.offer(StreamKind::Snapshots, &records(&[at(1, 0), at(2, 6), at(3, 6)]), rejected);
    join.offer(StreamKind::Decisions, &records(&[at(2, 7), at(4, 18)]), []);
    let exact = join.accounting();
    let snapshots = Account {
        received: 6,
        rejected: 2,
        late: 1,
        paired: 1,
        waiting: 1,
        expired: 1,
        ..Account::default()
    };
    assert_eq!(exact.snapshots, snapshots);
    assert_eq!(exact.decisions, Account { received: 2, paired: 1, waiting: 1, ..Account::default() });
    let estimate = join.accounting_estimate();
    assert_eq!(estimate.snapshots, Account { waiting: 2, expired: 0, ..snapshots });
    assert_eq!(estimate.decisions, exact.decisions);

    let restored = PerStream { snapshots: estimate.snapshots, decisions: estimate.decisions };
    let mut replayed = IntervalJoin::new(BOUNDS, 0);
    replayed.set_accounts(restored);
    assert_eq!(replayed.accounting(), estimate);
}
