//! The writer: acknowledged rows are on disk in order, and any error ends it.

use std::sync::Arc;

use arrow::array::{AsArray as _, StringArray, UInt64Array};
use arrow::datatypes::UInt64Type;
use tempfile::TempDir;

use super::*;
use crate::ledger::{Event, Ledger};
use crate::{DirectoryContent, RunDirectory, ScanOptions, recover};
use understudy_study::PerStream;

/// Rows with these numbers.
fn batch(numbers: impl IntoIterator<Item = u64>) -> RecordBatch {
    let numbers = UInt64Array::from_iter_values(numbers);
    let text = StringArray::from_iter_values(numbers.values().iter().map(u64::to_string));
    RecordBatch::try_from_iter([("number", Arc::new(numbers) as _), ("text", Arc::new(text) as _)])
        .expect("columns of one length")
}

fn open(run: &Path, commit: Commit) -> (LogWriter, LogThreads) {
    let Ok(DirectoryContent::Empty(directory)) = RunDirectory::open(run, "study", None) else {
        panic!("it is new")
    };
    let ledger = Ledger::create(run, None).expect("a new ledger");
    let recovered = recover(run, 0, PerStream::default()).expect("nothing is there");
    let schemas = [(); 4].map(|()| batch([]).schema());
    LogWriter::open(run, schemas, recovered, commit, Sealer::new(directory, ledger, PerStream::default()))
        .expect("a new log")
}

const AT_ONCE: Commit = Commit { wait: Duration::ZERO, rows: 4096 };

/// The numbers in a table's rows.
fn numbers(run: &Path, table: Table) -> Vec<u64> {
    let reading = ScanOptions::new(table, Vec::new());
    let rows = reading.open(run).expect("the folder is there");
    rows.flat_map(|rows| {
        rows.expect("whole batches").column(0).as_primitive::<UInt64Type>().values().to_vec()
    })
    .collect()
}

#[test]
fn acknowledged_rows_are_on_disk_in_the_order_of_their_sender() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    for commit in [AT_ONCE, Commit { wait: Duration::from_millis(1), rows: 3 }] {
        let run = &run.join(commit.rows.to_string());
        let (log, writing) = open(run, commit);
        thread::scope(|scope| {
            for sender in 0..4 {
                let log = log.clone();
                scope.spawn(move || {
                    for at in 0..20 {
                        let number = 100 * sender + at;
                        let table = Table::ALL[number as usize % 3];
                        let acknowledged = log.commit(vec![(table, batch([number]))]);
                        acknowledged.blocking_recv().expect("the disk has room");
                        assert!(numbers(run, table).contains(&number));
                    }
                });
            }
        });
        // An empty commit is acknowledged, too.
        log.commit(vec![(Table::Pairs, batch([]))]).blocking_recv().expect("the disk has room");
        drop(log);
        writing.finish().expect("the disk has room");
        for table in &Table::ALL[..3] {
            let numbers = numbers(run, *table);
            let of = |sender: u64| numbers.iter().copied().filter(move |number| number / 100 == sender);
            assert!((0..4).all(|sender| of(sender).is_sorted()), "{numbers:?}");
        }
        assert_eq!(Table::ALL.map(|table| numbers(run, table).len()).iter().sum::<usize>(), 80);
    }
}

#[test]
fn a_group_holds_the_rows_sent_before_its_end() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    let (log, writing) = open(run, AT_ONCE);
    // The first rows await their acknowledgement while their group ends.
    let acknowledged = log.commit(vec![(Table::Snapshots, batch(0..3)), (Table::Pairs, batch([7]))]);
    assert!(log.end_records(GroupBoundary { position: [3, 0].into(), ..GroupBoundary::default() }));
    assert!(log.append(vec![(Table::Snapshots, batch(3..5)), (Table::Pairs, batch([8]))]));
    assert!(log.end_pairs(b"a checkpoint".to_vec()));
    assert!(log.append(vec![(Table::Snapshots, batch(5..6)), (Table::Pairs, batch([9]))]));
    acknowledged.blocking_recv().expect("the disk has room");
    drop(log);
    writing.finish().expect("the disk has room");

    let (_, entries) = Ledger::open(run, None).expect("it is whole");
    let [
        Event::GroupSealed {
            group: 0,
            segments,
            position: PerStream { snapshots: 3, decisions: 0 },
            ended: false,
        },
    ] = &entries.iter().map(|e| e.event.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("{entries:?}")
    };
    let sealed: Vec<_> = segments.iter().map(|segment| (&segment.file[..], segment.rows)).collect();
    assert_eq!(sealed, [("snapshots/000000.parquet", 3), ("pairs/000000.parquet", 2)]);
    assert_eq!(numbers(run, Table::Snapshots), [0, 1, 2, 3, 4, 5]);
    assert_eq!(numbers(run, Table::Pairs), [7, 8, 9]);
    assert_eq!(std::fs::read(run.join(crate::CHECKPOINT)).expect("it is there"), b"a checkpoint");
}

#[test]
fn an_error_of_sealing_ends_writing() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    let (log, writing) = open(run, AT_ONCE);
    std::fs::create_dir(run.join("snapshots/000000.parquet.tmp")).expect("it can be made");
    let mut rows = 0;
    // The sealing of a group fails; then rows and groups are sent until none is accepted, long before the end.
    while rows < 10_000
        && log.append(vec![(Table::Snapshots, batch([rows]))])
        && log.end_records(GroupBoundary { position: [rows, 0].into(), ..GroupBoundary::default() })
        && log.end_pairs(Vec::new())
    {
        rows += 1;
    }
    let acknowledged = log.commit(vec![(Table::Snapshots, batch([rows]))]);
    assert!(acknowledged.blocking_recv().is_err());
    let said = writing.finish().expect_err("it cannot be written").to_string();
    insta::assert_snapshot!(said.replace(&run.display().to_string(), "RUN"), @"cannot write RUN/snapshots/000000.parquet.tmp: it is a directory, not a regular file");
}
