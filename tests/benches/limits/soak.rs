//! A soak of half an hour: see `understudy_tests::soak`. Memory has to be as flat at the end as it was after a few minutes.

use std::time::Duration;

use understudy_tests::soak::soak;

use super::judge;

/// Lives of the process, each ended by SIGKILL but the last, and how long one lasts.
const LIVES: usize = 10;
const LIFE: Duration = Duration::from_secs(180);
/// How long a client rests after each request: it is to last, not to be fast.
const PAUSE: Duration = Duration::from_millis(20);
/// The most that the memory of the last life may be to that of the second.
const LIMIT: f64 = 1.10;

/// Half an hour.
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
