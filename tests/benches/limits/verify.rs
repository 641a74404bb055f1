//! Compares `understudy verify` with `sha256sum` of the same files, and `understudy report` with reading the
//! sums.

use std::process::{Command, Stdio};
use std::time::Instant;

use understudy_engine::Checkpoint;
use understudy_run_log::checkpoint;
use understudy_tests::{TestWorkspace, files, root, synthetic};

use super::{judge, watched};

/// Number of snapshots, of decisions and of pairs: the log has three times as many rows.
const ROWS: u64 = 10_000_000;
const ROUNDS: usize = 3;

/// Measures the time of `verify` against `sha256sum`, its peak memory, and the time of a report beyond
/// reading the sums.
pub fn verify() -> bool {
    let workspace = synthetic::workspace(ROWS);
    let run = watched(workspace.command(&["run", "study.toml", "--run", "run"]));
    println!(
        "a run of {ROWS} snapshots and decisions: {:.1} s, peak {:.1} MiB",
        run.seconds,
        run.peak as f64 / 1024.0
    );
    let files = files(&workspace.path().join("run"));
    let bytes: u64 = files.iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum();
    println!("its {} files have {:.0} MB", files.len(), bytes as f64 / 1e6);
    let (mut floors, mut times, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let status =
            Command::new("sha256sum").args(&files).current_dir(root()).stdout(Stdio::null()).status();
        assert!(status.expect("coreutils are installed").success());
        floors.push(started.elapsed().as_secs_f64());
        let verified = watched(workspace.command(&["verify", "run"]));
        println!("sha256sum {:.2} s, verify {:.2} s", floors[floors.len() - 1], verified.seconds);
        times.push(verified.seconds);
        peak = peak.max(verified.peak);
    }
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let time =
        judge("verify against sha256sum of the same files", least(&times) / least(&floors), 3.0, "times");
    let memory = judge("peak memory of verify", peak as f64 * 1024.0 / 1e6, 300.0, "MB");
    let report = report(&workspace);
    time && memory && report
}

/// Seconds to build the page of a run, excluding the time to read its checkpoint.
fn report(workspace: &TestWorkspace) -> bool {
    let (mut reading, mut making) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let bytes =
            std::fs::read(workspace.path().join("run/checkpoint.bin")).expect("an ended run has sums");
        let saved: Checkpoint = checkpoint::decode(&bytes).expect("they are whole");
        assert!(saved.aggregates.is_some());
        reading = reading.min(started.elapsed().as_secs_f64());
        making = making.min(watched(workspace.command(&["report", "run"])).seconds);
    }
    let page = workspace.path().join("run/report.html").metadata().expect("a page").len();
    println!(
        "reading the sums {reading:.3} s; the whole of `understudy report` {making:.3} s; a page of {page} bytes"
    );
    judge("a report beyond reading the sums", making - reading, 1.0, "s")
}
