//! The pairing against a plain statement of its semantics, under every interleaving and cut into any batches.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use proptest::prelude::*;

use super::*;

/// One record: id, time, content.
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

const HORIZON: Horizon = Horizon { horizon: 10, lateness: [6, 3] };

/// The class of each record of one stream, by the words of the module's documentation and nothing else.
fn classes(side: StreamKind, inputs: &[Input]) -> Vec<Option<Class>> {
    let mut classes: Vec<Option<Class>> = Vec::new();
    for (at, new) in inputs.iter().enumerate() {
        let accepted =
            || inputs[..at].iter().zip(&classes).filter(|(_, class)| class.is_none()).map(|(i, _)| i);
        let watermark = accepted().map(|i| i.time).max().map(|max| max - HORIZON.lateness[side as usize]);
        let held = |i: &&Input| i.id == new.id && watermark.is_none_or(|w| w <= i.time + 2 * HORIZON.horizon);
        classes.push(match accepted().rfind(held) {
            Some(before) if before.content == new.content => Some(Class::Duplicate),
            Some(_) => Some(Class::Conflict),
            None if watermark.is_some_and(|w| new.time < w) => Some(Class::Late),
            None => None,
        });
    }
    classes
}

/// The pairs among accepted records, as places in the two streams.
fn pairs(streams: &[Vec<Input>; 2], classes: &[Vec<Option<Class>>; 2]) -> BTreeSet<(usize, usize)> {
    let accepted = |side: usize| {
        streams[side]
            .iter()
            .zip(&classes[side])
            .enumerate()
            .filter(|(_, (_, c))| c.is_none())
            .map(|(at, (i, _))| (at, *i))
    };
    let mut pairs = BTreeSet::new();
    for (s, snapshot) in accepted(0) {
        for (d, decision) in accepted(1) {
            if snapshot.id == decision.id && (snapshot.time - decision.time).abs() <= HORIZON.horizon {
                pairs.insert((s, d));
            }
        }
    }
    pairs
}

/// A stream that moves forward, with repetitions and stragglers.
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
    fn pairs_and_accounts_are_those_of_the_definition(
        snapshots in stream(),
        decisions in stream(),
        cuts in prop::collection::vec((any::<bool>(), 1usize..8), 0..60),
        seed: u64,
    ) {
        let streams = [snapshots, decisions];
        let classes = [classes(StreamKind::Snapshots, &streams[0]), classes(StreamKind::Decisions, &streams[1])];
        let wanted = pairs(&streams, &classes);

        let mut pairing = Pairing::new(HORIZON, seed);
        let mut next = [0, 0];
        let mut place = FxHashMap::default();
        let mut found = BTreeSet::new();
        let rest = [(true, 1000), (false, 1000)];
        for (decision, size) in cuts.into_iter().chain(rest) {
            let side = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
            let from = next[side as usize];
            let to = (from + size).min(streams[side as usize].len());
            next[side as usize] = to;
            let taken = pairing.take(side, &records(&streams[side as usize][from..to]), []);
            let told: Vec<_> = taken.refused.iter().map(|r| r.as_ref().map(|(class, _)| *class)).collect();
            prop_assert_eq!(&told[..], &classes[side as usize][from..to]);
            let accepted = (from..to).filter(|at| classes[side as usize][*at].is_none());
            for (row, at) in accepted.enumerate() {
                place.insert((taken.slot, row as u32), at);
            }
            for pair in taken.pairs {
                prop_assert!(found.insert((place[&pair.snapshot], place[&pair.decision])), "paired twice");
            }
            let accounting = pairing.accounting();
            prop_assert!(accounting.balances(), "{accounting:?}");
        }
        prop_assert_eq!(&found, &wanted);

        // What is left is told by the times alone.
        let accounting = pairing.accounting();
        for side in StreamKind::ALL {
            let clock = |side: StreamKind| {
                let accepted = streams[side as usize].iter().zip(&classes[side as usize]);
                accepted.filter(|(_, c)| c.is_none()).map(|(i, _)| i.time).max()
            };
            let over = clock(side.other()).map(|max| max - HORIZON.lateness[side.other() as usize]);
            let unpaired = |at: &usize| !wanted.iter().any(|p| [p.0, p.1][side as usize] == *at);
            let accepted = (0..streams[side as usize].len()).filter(|at| classes[side as usize][*at].is_none());
            let expired = accepted
                .filter(unpaired)
                .filter(|at| over.is_some_and(|w| streams[side as usize][*at].time + HORIZON.horizon < w))
                .count();
            let account = [accounting.snapshots, accounting.decisions][side as usize];
            prop_assert_eq!(account.expired, expired as u64);
        }
    }
}

fn at(id: u8, time: i64) -> Input {
    Input { id, time, content: 0 }
}

#[test]
fn what_is_held_is_let_go_of_when_time_has_moved_on() {
    let mut pairing = Pairing::new(HORIZON, 0);
    let mut retired = BTreeSet::new();
    for step in 0..2000 {
        for side in StreamKind::ALL {
            // Every third decision is missing.
            if side == StreamKind::Snapshots || step % 3 > 0 {
                pairing.take(side, &records(&[at((step % 250) as u8, step)]), []);
            }
        }
        for slot in pairing.retired() {
            assert!(retired.insert(slot), "named twice");
        }
        assert!(pairing.batches.len() < 80 && pairing.table.len() < 80, "{}", pairing.batches.len());
    }
    let Accounting { snapshots, .. } = pairing.accounting();
    assert_eq!((snapshots.received, snapshots.paired), (2000, 1333));
    assert!(snapshots.expired > 600 && snapshots.waiting < 10, "{snapshots:?}");
}

#[test]
fn reasons_say_what_happened() {
    let mut pairing = Pairing::new(HORIZON, 0);
    let mut take = |inputs: &[Input]| pairing.take(StreamKind::Decisions, &records(inputs), []).refused;
    take(&[at(1, 5_000_000), at(2, 90_000_000)]);
    let again = take(&[at(2, 90_000_000), Input { content: 1, ..at(2, 90_000_000) }, at(3, 80_000_000)]);
    let reasons: Vec<_> = again.into_iter().flatten().map(|(_, reason)| reason).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    id "2" came before, the same to the byte
    id "2" came before with other content; the first one stands
    1970-01-01T00:01:20Z is more than 3µs behind its stream, which is at 1970-01-01T00:01:30Z
    "#);
}
