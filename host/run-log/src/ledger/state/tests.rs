//! The state of ledgers with a few entries.

use super::*;
use crate::ledger::event::{StopReason, SwapTrigger};

fn time(minute: i64) -> Timestamp {
    Timestamp::from_second(1_772_359_200 + 60 * minute).expect("a time")
}

/// A ledger of these events, one a minute.
fn entries(events: Vec<Event>) -> Vec<Entry> {
    let entry = |(number, event)| {
        let (at, previous) = (time(number as i64), String::new());
        Entry { entry: number as u64, at, previous, event }
    };
    events.into_iter().enumerate().map(entry).collect()
}

fn state(events: Vec<Event>) -> LedgerState {
    LedgerState::from_entries(&entries(events))
}

fn started() -> Event {
    Event::RunStarted {
        study: "rooms".to_owned(),
        seal: "a".repeat(64),
        study_toml: "b".repeat(64),
        version: "0.1.0".to_owned(),
        key: None,
        register: None,
    }
}

fn segment(file: &str, rows: u64) -> Segment {
    let sha256 = format!("{file} with {rows} rows");
    Segment { file: file.to_owned(), sha256, bytes: 9, rows, sequences: None }
}

fn sealed(group: u32, files: &[&str], position: PerStream<u64>) -> Event {
    let segments = files.iter().map(|file| segment(file, 5)).collect();
    Event::GroupSealed { group, segments, position, ended: false }
}

fn resumed(position: PerStream<u64>) -> Event {
    let interruption = "was cut off".to_owned();
    Event::RunResumed { position, interruption, truncated: PerStream::default(), damaged: Vec::new() }
}

fn swap(generation: u32, comparator_change: bool) -> Event {
    Event::Swap {
        model: None,
        generation,
        role: "comparator".to_owned(),
        name: "rules".to_owned(),
        sha256: "c".repeat(64),
        replaces: "d".repeat(64),
        config: "{}".to_owned(),
        trigger: SwapTrigger::Operator,
        who: "ana".to_owned(),
        reason: "to see".to_owned(),
        shadow: None,
        comparator_change,
    }
}

fn applied(generation: u32, first_sequences: PerStream<u64>) -> Event {
    Event::SwapApplied { generation, first_sequences, snapshot_clock: None }
}

fn contradictions(events: Vec<Event>) -> Vec<(usize, String)> {
    state(events).contradictions.into_iter().map(|fault| (fault.line, fault.what)).collect()
}

#[test]
fn an_empty_ledger_has_no_start_and_was_cut_off() {
    let state = state(Vec::new());
    assert_eq!((state.start.clone(), state.interruption()), (None, "was cut off"));
    assert_eq!(state, LedgerState::default());
}

#[test]
fn sealed_groups_add_up() {
    let state = state(vec![
        started(),
        sealed(0, &["a"], PerStream::from([5, 0])),
        sealed(1, &["b", "c"], PerStream::from([7, 3])),
    ]);
    assert_eq!((state.groups, state.position), (2, PerStream::from([7, 3])));
    assert_eq!(state.segments.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(state.start.map(|start| start.at), Some(time(0)));
    assert_eq!(state.contradictions, []);
}

#[test]
fn a_reduced_segment_takes_the_place_of_the_earlier_one() {
    let reduced = |before: Segment| Event::SegmentReduced {
        before,
        after: segment("a", 4),
        dropped_columns: vec!["raw".to_owned()],
    };
    let state = state(vec![started(), sealed(0, &["a"], PerStream::from([5, 0])), reduced(segment("a", 5))]);
    assert_eq!(state.segments["a"], segment("a", 4));
    assert_eq!(state.reduced, BTreeSet::from(["a".to_owned()]));
    assert_eq!(state.contradictions, []);
    assert_eq!(
        contradictions(vec![started(), sealed(0, &["a"], PerStream::from([5, 0])), reduced(segment("a", 6))]),
        [(3, "a did not have the recorded content before it was reduced".to_owned())]
    );
}

#[test]
fn entries_that_contradict_earlier_ones_are_reported() {
    assert_eq!(
        contradictions(vec![
            started(),
            sealed(0, &["a"], PerStream::from([5, 2])),
            sealed(1, &["a"], PerStream::from([6, 1])),
            started()
        ]),
        [
            (3, "it covers fewer records than an earlier entry".to_owned()),
            (3, "a was sealed before".to_owned()),
            (4, "a run is started only once".to_owned()),
        ]
    );
}

#[test]
fn a_run_has_ended_until_it_is_resumed() {
    let stopped = Event::RunStopped { reason: StopReason::Interrupted, files: Vec::new() };
    let ended = |events| {
        let state = state(events);
        (state.end.is_some(), state.closed, state.interruption())
    };
    assert_eq!(ended(vec![started()]), (false, false, "was cut off"));
    assert_eq!(ended(vec![started(), stopped.clone()]), (true, false, "was stopped"));
    assert_eq!(
        ended(vec![started(), stopped.clone(), resumed(PerStream::default())]),
        (false, false, "was cut off")
    );
    let closed = Event::RunClosed { files: Vec::new() };
    let (end, closed, _) = ended(vec![started(), stopped.clone(), resumed(PerStream::default()), closed]);
    assert!(end && closed);
    let again = || resumed(PerStream::default());
    assert_eq!(state(vec![started(), again(), stopped, again(), again()]).cut_offs, 2);
}

#[test]
fn determinism_checks_add_up_and_the_first_mismatch_stays() {
    let check = |mismatches, id: &str| Event::DeterminismChecked {
        model: "forest".to_owned(),
        rows: 10,
        mismatches,
        sequences: Vec::new(),
        first_id: id.to_owned(),
    };
    let state = state(vec![started(), check(0, ""), check(2, "b-7"), check(1, "b-9")]);
    let totals = DeterminismTotals { rows: 30, mismatches: 3, first_id: "b-7".to_owned() };
    assert_eq!(state.determinism, BTreeMap::from([("forest".to_owned(), totals)]));
}

#[test]
fn an_outcome_belongs_to_the_swap_before_it() {
    let outcomes = |events| {
        let state = state(events);
        state.swaps.into_iter().map(|swap| swap.outcome).collect::<Vec<_>>()
    };
    let made = SwapOutcome::Applied { first_sequences: PerStream::from([5, 3]), snapshot_clock: None };
    assert_eq!(outcomes(vec![started(), swap(1, false), applied(1, PerStream::from([5, 3]))]), [made]);
    assert_eq!(outcomes(vec![started(), swap(1, false)]), [SwapOutcome::Unrecorded]);
    let abandoned = Event::SwapAbandoned { generation: 1 };
    assert_eq!(
        outcomes(vec![
            started(),
            swap(1, false),
            abandoned,
            swap(1, false),
            applied(1, PerStream::from([5, 3]))
        ]),
        [SwapOutcome::Abandoned, made]
    );
    assert_eq!(
        outcomes(vec![started(), swap(1, false), swap(2, false), applied(1, PerStream::from([5, 3]))]),
        [SwapOutcome::Unrecorded, SwapOutcome::Unrecorded]
    );
}

#[test]
fn the_lowest_position_of_later_resumptions_is_kept_for_each_swap() {
    let state = state(vec![
        started(),
        resumed(PerStream::from([1, 1])),
        swap(1, false),
        resumed(PerStream::from([9, 4])),
        swap(2, false),
        resumed(PerStream::from([8, 6])),
    ]);
    let resumed: Vec<_> = state.swaps.iter().map(|swap| swap.resumed_from).collect();
    assert_eq!(resumed, [Some(PerStream::from([8, 4])), Some(PerStream::from([8, 6]))]);
}

#[test]
fn interferences_are_exposures_disclosures_and_applied_comparator_changes() {
    let exposure = |rows, since| Event::Exposure {
        who: "ana".to_owned(),
        command: "case".to_owned(),
        rows,
        ids: String::new(),
        withheld: 0,
        since,
    };
    let disclosure = Event::Disclosure {
        interference: InterferenceKind::Exposure,
        who: "bo".to_owned(),
        text: "a screen".to_owned(),
        since: time(-9),
    };
    let state = state(vec![
        started(),
        exposure(0, Some(time(-1))),
        exposure(3, None),
        exposure(3, Some(time(-2))),
        disclosure,
        swap(1, true),
        swap(2, true),
        applied(2, PerStream::from([5, 3])),
        swap(3, false),
        applied(3, PerStream::from([5, 3])),
    ]);
    let found: Vec<_> = state.interferences.iter().map(|found| (found.index, found.since)).collect();
    assert_eq!(found, [(3, time(-2)), (4, time(-9)), (7, time(7))]);
}

#[test]
fn the_latest_verdict_counts_and_whether_the_run_was_resumed_after_it() {
    let verdict = |closed| Event::Verdict {
        file: FileDigest { file: "verdict.json".to_owned(), sha256: "e".repeat(64) },
        closed,
        position: PerStream::from([5, 3]),
        rulings: Vec::new(),
    };
    let latest = |events| state(events).verdict.map(|v| (v.index, v.closed, v.resumed_since));
    assert_eq!(latest(vec![started()]), None);
    assert_eq!(
        latest(vec![started(), verdict(false), resumed(PerStream::from([5, 3]))]),
        Some((1, false, true))
    );
    assert_eq!(
        latest(vec![started(), verdict(false), resumed(PerStream::from([5, 3])), verdict(true)]),
        Some((3, true, false))
    );
}
