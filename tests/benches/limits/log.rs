//! Compares appends to the run log with plain writes to the same disk.
//!
//! Only bytes of open segments count. Sealing is not waited for, but it uses the same CPUs.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use understudy_run_log::ledger::Ledger;
use understudy_run_log::{
    Commit, DirectoryContent, GroupBoundary, LogThreads, LogWriter, RunDirectory, ScanOptions, Sealer, Table,
    recover,
};
use understudy_study::PerStream;
use understudy_tests::{root, synthetic};

use super::judge;

const BATCH_ROWS: u32 = 1024;
/// Number of batches of a bulk load.
const BATCHES: usize = 512;
/// Number of batches per sync.
const ACKNOWLEDGED: usize = 16;
/// Number of batches per group, which is sealed concurrently: half a default segment.
const GROUP: usize = 128;
/// The default commit interval of a study.
const COMMIT: Commit = Commit { wait: Duration::ZERO, rows: 4096 };
const WRITERS: usize = 64;
/// Number of rows per writer.
const ROWS: usize = 100;
const ROUNDS: usize = 5;

/// Measures appends with single acknowledgements, and bulk appends, against plain writes.
pub fn log() -> bool {
    let batches = batches();
    // On the disk of the project, because a temporary folder can be in memory.
    let folder = tempfile::tempdir_in(root().join("target")).expect("a folder");
    one_by_one(folder.path(), &batches[0]);
    bulk(folder.path(), &batches)
}

/// Logged snapshot rows of the synthetic study.
pub fn batches() -> Vec<RecordBatch> {
    let workspace = synthetic::workspace(u64::from(BATCH_ROWS) * BATCHES as u64);
    workspace.run(&[]);
    let reading =
        ScanOptions { table: Table::Snapshots, columns: Vec::new(), from_group: 0, from: None, rows: None };
    let rows = reading.open(&workspace.path().join("run")).expect("the run has snapshots");
    let mut batches = Vec::new();
    for rows in rows {
        let rows = rows.expect("the run's log is whole");
        for start in (0..rows.num_rows() as u32).step_by(BATCH_ROWS as usize) {
            let end = (rows.num_rows() as u32).min(start + BATCH_ROWS);
            // Copied, so that each batch owns its memory, as in a run.
            let taken = take_record_batch(&rows, &UInt32Array::from_iter_values(start..end));
            batches.push(taken.expect("the rows are there"));
        }
    }
    batches
}

/// Creates a log for snapshots only.
fn open(run: &Path, batch: &RecordBatch) -> (LogWriter, LogThreads) {
    let Ok(DirectoryContent::Empty(directory)) = RunDirectory::open(run, "study", None) else {
        panic!("it is new")
    };
    let ledger = Ledger::create(run, None).expect("a new ledger");
    let recovered = recover(run, 0, PerStream::splat(0)).expect("nothing is there");
    let sealer = Sealer::new(directory, ledger, PerStream::default());
    LogWriter::open(run, [(); 4].map(|()| batch.schema()), recovered, COMMIT, sealer).expect("a new log")
}

/// Measures many writers that wait until their row is on disk, and the time of the disk for the same number
/// of bytes.
fn one_by_one(folder: &Path, batch: &RecordBatch) {
    for round in 0..ROUNDS {
        let run = folder.join(format!("one-by-one-{round}"));
        let (log, writing) = open(&run, batch);
        let began = Instant::now();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let log = log.clone();
                let row = batch.slice(writer, 1);
                scope.spawn(move || {
                    for _ in 0..ROWS {
                        let acknowledged = log.commit(vec![(Table::Snapshots, row.clone())]);
                        acknowledged.blocking_recv().expect("the disk has room");
                    }
                });
            }
        });
        let seconds = began.elapsed().as_secs_f64();
        drop(log);
        writing.finish().expect("the disk has room");
        let rows = (WRITERS * ROWS) as f64;
        // Some writer always waits, so each appended batch had its own sync.
        let reading = ScanOptions {
            table: Table::Snapshots,
            columns: Vec::new(),
            from_group: 0,
            from: None,
            rows: None,
        };
        let syncs = reading.open(&run).expect("it was written").count();
        let bytes = fs::metadata(run.join("snapshots/000000.arrows")).expect("it was written").len();
        let bare = bare_syncs(&run.join("bare"), bytes as usize / syncs, syncs);
        println!(
            "{WRITERS} writers, each row acknowledged: {:.0} rows a second, {:.1} rows and {:.2} ms a sync; a bare append \
             of as many bytes and fdatasync: {:.2} ms",
            rows / seconds,
            rows / syncs as f64,
            seconds * 1000.0 / syncs as f64,
            bare * 1000.0 / syncs as f64
        );
    }
}

/// Rows per second that writers put on disk, if each waits for its `rows` before it continues.
pub fn committed(run: &Path, batch: &RecordBatch, writers: usize, rows: u64, span: Duration) -> f64 {
    let (log, writing) = open(run, batch);
    let began = Instant::now();
    let commits: u64 = thread::scope(|scope| {
        let writers: Vec<_> = (0..writers)
            .map(|_| {
                let (log, rows) = (log.clone(), batch.slice(0, rows as usize));
                scope.spawn(move || {
                    let mut commits = 0;
                    while began.elapsed() < span {
                        let acknowledged = log.commit(vec![(Table::Snapshots, rows.clone())]);
                        acknowledged.blocking_recv().expect("the disk has room");
                        commits += 1;
                    }
                    commits
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("no writer panics")).sum()
    });
    let seconds = began.elapsed().as_secs_f64();
    drop(log);
    writing.finish().expect("the disk has room");
    (commits * rows) as f64 / seconds
}

/// Seconds to append and sync this many bytes, this many times.
fn bare_syncs(path: &Path, bytes: usize, times: usize) -> f64 {
    let mut file = File::create(path).expect("a new file");
    let bytes = vec![0x5a; bytes];
    let began = Instant::now();
    for _ in 0..times {
        file.write_all(&bytes).and_then(|()| file.sync_data()).expect("the disk has room");
    }
    began.elapsed().as_secs_f64()
}

/// Measures appends at full speed, and writes of the same bytes to a file with as many syncs.
fn bulk(folder: &Path, batches: &[RecordBatch]) -> bool {
    let run = folder.join("bytes");
    append(&run, batches, false);
    let bytes = fs::read(run.join("snapshots/000000.arrows")).expect("it was written");
    fs::remove_dir_all(run).expect("it was written");
    let megabytes = bytes.len() as f64 / 1e6;
    let (mut floors, mut appends, mut sealed) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for round in 0..ROUNDS {
        let path = folder.join("floor");
        let floor = plain(&path, &bytes, batches.len());
        fs::remove_file(path).expect("it was written");
        let [alone, beside] = [false, true].map(|seal| {
            let run = folder.join(format!("bulk-{round}-{seal}"));
            let seconds = append(&run, batches, seal);
            fs::remove_dir_all(run).expect("it was written");
            seconds
        });
        println!(
            "{megabytes:.0} MB: plain {:.0} MB/s, appended {:.0} MB/s, with sealing beside {:.0} MB/s",
            megabytes / floor,
            megabytes / alone,
            megabytes / beside
        );
        (floors, appends, sealed) = (floors.min(floor), appends.min(alone), sealed.min(beside));
    }
    println!("bulk appends against plain writes of the same bytes: {:.2} times", appends / floors);
    judge("the same with sealing beside", sealed / floors, 2.0, "times")
}

/// Seconds until all batches are on disk.
fn append(run: &Path, batches: &[RecordBatch], seal: bool) -> f64 {
    let (log, writing) = open(run, &batches[0]);
    let began = Instant::now();
    // The next batches are submitted while these are synced.
    let mut before = None;
    for (at, several) in batches.chunks(ACKNOWLEDGED).enumerate() {
        let (last, first) = several.split_last().expect("chunks are not empty");
        for batch in first {
            log.append(vec![(Table::Snapshots, batch.clone())]);
        }
        let next = log.commit(vec![(Table::Snapshots, last.clone())]);
        if let Some(before) = before.replace(next) {
            before.blocking_recv().expect("the disk has room");
        }
        if seal && ((at + 1) * ACKNOWLEDGED).is_multiple_of(GROUP) {
            log.end_records(GroupBoundary::default());
            log.end_pairs(Vec::new());
        }
    }
    if let Some(last) = before {
        last.blocking_recv().expect("the disk has room");
    }
    let seconds = began.elapsed().as_secs_f64();
    drop(log);
    writing.finish().expect("the disk has room");
    seconds
}

/// Seconds until bytes are on disk, with as many writes and syncs as the batches.
fn plain(path: &Path, bytes: &[u8], pieces: usize) -> f64 {
    let began = Instant::now();
    let mut file = OpenOptions::new().create_new(true).write(true).open(path).expect("a new file");
    for several in bytes.chunks(bytes.len().div_ceil(pieces) * ACKNOWLEDGED) {
        for piece in several.chunks(bytes.len().div_ceil(pieces)) {
            file.write_all(piece).expect("the disk has room");
        }
        file.sync_data().expect("the disk has room");
    }
    began.elapsed().as_secs_f64()
}
