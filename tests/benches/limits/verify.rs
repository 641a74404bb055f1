//! `understudy verify` beside `sha256sum` of the same files.

use std::process::{Command, Stdio};
use std::time::Instant;

use understudy_tests::{files, root, synthetic};

use super::{judge, watched};

/// Snapshots, and as many decisions and pairs: the log has three times as many rows.
const ROWS: u64 = 10_000_000;
const ROUNDS: usize = 3;

/// Time against `sha256sum`, and peak memory.
pub fn verify() -> bool {
    let bench = synthetic::bench(ROWS);
    let run = watched(bench.command(&["run", "study.toml", "--run", "run"]));
    println!(
        "a run of {ROWS} snapshots and decisions: {:.1} s, peak {:.1} MiB",
        run.seconds,
        run.peak as f64 / 1024.0
    );
    let files = files(&bench.path().join("run"));
    let bytes: u64 = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum();
    println!("its {} files have {:.0} MB", files.len(), bytes as f64 / 1e6);
    let (mut floors, mut times, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let status =
            Command::new("sha256sum").args(&files).current_dir(root()).stdout(Stdio::null()).status();
        assert!(status.expect("coreutils are installed").success());
        floors.push(started.elapsed().as_secs_f64());
        let verified = watched(bench.command(&["verify", "run"]));
        println!("sha256sum {:.2} s, verify {:.2} s", floors[floors.len() - 1], verified.seconds);
        times.push(verified.seconds);
        peak = peak.max(verified.peak);
    }
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let time =
        judge("verify against sha256sum of the same files", least(&times) / least(&floors), 3.0, "times");
    let memory = judge("peak memory of verify", peak as f64 * 1024.0 / 1e6, 300.0, "MB");
    time && memory
}
