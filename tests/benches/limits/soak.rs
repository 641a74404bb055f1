//! A soak test of half an hour; see `understudy_tests::soak`. Memory at the end must not exceed memory after
//! a few minutes.

use std::time::Duration;

use understudy_tests::soak::soak;

use super::judge;

/// Number of processes, of which all but the last are ended by SIGKILL, and the age of each at its end.
const LIVES: usize = 10;
const LIFE: Duration = Duration::from_secs(180);
/// Pause of a client after each request. The test is about endurance, not speed.
const PAUSE: Duration = Duration::from_millis(20);
/// Maximum ratio of the memory of the last process to that of the second.
const LIMIT: f64 = 1.10;

/// Runs the soak test for half an hour.
pub fn soak_run() -> bool {
    let soaked = soak(LIVES, PAUSE, |_, lasted, _| lasted >= LIFE);
    let mib: Vec<u64> = soaked.resident.iter().map(|bytes| bytes >> 20).collect();
    println!(
        "{} snapshots and decisions, each sent twice, through {LIVES} lives of {} s: all are there once, the figures are those \
         of the same rows out of files, and `verify` finds nothing; resident at the end of each life, MiB: {mib:?}",
        soaked.rows,
        LIFE.as_secs()
    );
    let ratio = soaked.resident[LIVES - 1] as f64 / soaked.resident[1] as f64;
    judge("memory at the end of the last life, to that of the second", ratio, LIMIT, "times")
}
