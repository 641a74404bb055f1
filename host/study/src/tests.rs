//! Tests the time after which no later snapshot or decision can form a pair with a snapshot.

use super::*;
use crate::test_support::read;

const HOUR: i64 = 3_600_000_000;

#[test]
fn snapshots_are_complete_behind_both_clocks_and_the_horizon() {
    // A horizon of two days. Snapshots may be late by one hour, decisions by three.
    let study = read(&[
        ("time = \"observed_at\"", "time = \"observed_at\"\nlateness = \"1h\""),
        ("time = \"decided_at\"", "time = \"decided_at\"\nlateness = \"3h\""),
    ]);
    let lag = study.required_lag();
    assert_eq!((lag.snapshots, lag.decisions), (Micros(HOUR), Micros(51 * HOUR)));
    let complete = |snapshots: Option<i64>, decisions: Option<i64>| {
        let clock = |hours: Option<i64>| hours.map(|hours| Micros(hours * HOUR));
        study.complete_before(PerStream { snapshots: clock(snapshots), decisions: clock(decisions) })
    };
    assert_eq!(complete(Some(100), Some(200)), Some(Micros(99 * HOUR)));
    assert_eq!(complete(Some(200), Some(100)), Some(Micros(49 * HOUR)));
    assert_eq!([complete(Some(100), None), complete(None, Some(100))], [None; 2]);
}
