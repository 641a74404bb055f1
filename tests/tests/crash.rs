//! A run that is killed repeatedly ends like an undisturbed one.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use understudy_run_log::ledger::{Event, check};
use understudy_sandbox::sha256_hex;
use understudy_tests::messy_streams::{assert_same_log, assert_verifies, workspace};
use understudy_tests::process::TestProcess;
use understudy_tests::synthetic::Numbers;

/// Number of kills.
const KILLS: u64 = 300;
/// Rows per stream: with one row per batch, more than the run reads between all kills.
const ROWS: u64 = 60_000;

/// The arguments of each start.
const COMMAND: [&str; 6] = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];

/// Parses the position of the log from the message of a resumed run.
fn resumed_position(running: TestProcess) -> u64 {
    let output = running.wait_with_output().stderr;
    let after = output.split("resumes after ").nth(1).and_then(|rest| rest.split(' ').next());
    after.map_or(0, |number| number.parse().expect("a number of snapshots"))
}

/// Damages the checkpoint, removes it, or restores an older one.
fn meddle(run: &Path, numbers: &mut Numbers) {
    let checkpoint = run.join("checkpoint.bin");
    let older = run.with_extension("older");
    let Ok(mut bytes) = fs::read(&checkpoint) else { return };
    match numbers.next(12) {
        0 => fs::remove_file(&checkpoint).expect("it is there"),
        1 => {
            let at = numbers.next(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << numbers.next(8);
            fs::write(&checkpoint, bytes).expect("it can be written");
        }
        2 => {
            bytes.truncate(numbers.next(bytes.len() as u64) as usize);
            fs::write(&checkpoint, bytes).expect("it can be written");
        }
        3 if older.exists() => drop(fs::copy(&older, &checkpoint).expect("it can be copied")),
        4 => drop(fs::copy(&checkpoint, &older).expect("it can be copied")),
        _ => {}
    }
}

/// Checks that the ledger is intact and has the digest of every sealed file.
fn ledger_holds(run: &Path) {
    let (entries, faults) = check(&fs::read(run.join("ledger.jsonl")).expect("a run has a ledger"));
    assert_eq!(faults, []);
    let mut named = 0;
    for entry in entries {
        if let Event::GroupSealed { segments, .. } = entry.event {
            for segment in segments {
                let bytes = fs::read(run.join(&segment.file)).expect("what is named is there");
                assert_eq!((sha256_hex(&bytes), bytes.len() as u64), (segment.sha256, segment.bytes));
                named += 1;
            }
        }
    }
    let folders = ["snapshots", "decisions", "excluded", "pairs"];
    let files = folders.map(|table| fs::read_dir(run.join(table)).expect("a table").count());
    assert_eq!(named, files.iter().sum::<usize>(), "nothing else is there");
}

#[test]
fn a_run_killed_300_times_ends_like_an_undisturbed_run() {
    let (workspace, records) = workspace(ROWS);
    workspace.ok(&["run", "study.toml", "--run", "plain"]);
    let run = workspace.path().join("run");
    let mut numbers = Numbers(20_260_301);
    // Bytes that a process may write before it is killed, so that kills are spread evenly over the stream.
    let mut most = 400_000;
    let (mut kills, mut far) = (0, 0);
    while kills < KILLS {
        meddle(&run, &mut numbers);
        // Sometimes during start or recovery.
        let most_now = if kills % 10 == 3 { 20_000 } else { most };
        let limit = numbers.next(most_now);
        let mut running = TestProcess::start(workspace.command(&COMMAND));
        while running.bytes_written().is_some_and(|written| written < limit) {
            thread::sleep(Duration::from_micros(50));
        }
        let alive = running.kill();
        let before = far;
        far = resumed_position(running).max(far);
        assert!(alive, "it ended by itself after {kills} kills, {far} snapshots far");
        kills += 1;
        let left = records.snapshots.saturating_sub(far);
        most = match far - before > left / (KILLS + 20 - kills) {
            true => (most * 2 / 3).max(1000),
            false => (most * 5 / 4).min(1 << 23),
        };
        if left < 5_000 {
            most = most.min(100_000);
        }
    }
    println!(
        "{kills} kills of a living process, the last one after {far} of {} snapshots",
        records.snapshots
    );
    workspace.ok(&COMMAND);
    assert_same_log(&workspace, "run", "plain", records);
    assert_verifies(&workspace, "run");
    ledger_holds(&run);
    let half = records.snapshots / 2;
    assert!(far > half, "the kills lie in the stream and not all before it: {far} of {}", records.snapshots);
}
