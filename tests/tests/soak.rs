//! A short soak test; `cargo xtask bench soak` runs a long one.

use std::time::Duration;

use understudy_tests::soak::soak;

#[test]
fn acknowledged_records_are_stored_once_under_failures() {
    // Each process is killed after another number of rows.
    let soaked = soak(5, Duration::ZERO, |life, _, acknowledged| acknowledged >= 700 + 450 * life as u64);
    assert_eq!(soaked.resumptions, 4, "each process but the first resumes the run");
    // Every request is acknowledged twice, so each record has at least one duplicate.
    for duplicates in soaked.duplicates {
        assert!(duplicates >= soaked.rows, "{duplicates} duplicates of {} rows", soaked.rows);
    }
}
