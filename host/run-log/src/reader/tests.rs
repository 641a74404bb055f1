//! Selections and row groups return the rows that a scan of the whole table returns.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::compute::{concat_batches, filter_record_batch};
use tempfile::TempDir;

use super::*;
use crate::ipc_stream::StreamWriter;
use crate::layout::Table;
use crate::segment_writer::seal;
use understudy_study::Micros;

/// Rows with these numbers; a text occurs on every tenth row.
fn batch(numbers: std::ops::Range<u64>) -> RecordBatch {
    let ids: ArrayRef =
        Arc::new(StringArray::from_iter_values(numbers.clone().map(|number| format!("id-{}", number % 10))));
    let times = numbers.clone().map(|number| 1000 * number as i64);
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times));
    let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(numbers));
    RecordBatch::try_from_iter([("sequence", numbers), ("id", ids), ("observed_at", times)])
        .expect("columns of one length")
}

/// A run with a sealed segment of more than one row group, and an open one.
fn run() -> TempDir {
    let run = TempDir::new().expect("a folder");
    let folder = run.path().join("snapshots");
    fs::create_dir(&folder).expect("created");
    for (group, numbers) in [(0, 0..100_000), (1, 100_000..100_500)] {
        let path = folder.join(format!("{group:06}.arrows"));
        let mut writer = StreamWriter::create(&path, &batch(0..1).schema()).expect("created");
        writer.append(&batch(numbers)).expect("appended");
        writer.finish().expect("finished");
        if group == 0 {
            seal(&path).expect("sealed");
            fs::remove_file(&path).expect("removed");
        }
    }
    run
}

fn rows(run: &TempDir, options: ScanOptions) -> RecordBatch {
    let batches: Vec<RecordBatch> =
        options.open(run.path()).expect("opened").collect::<Result<_, _>>().expect("read");
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

#[test]
fn a_selection_returns_exactly_the_accepted_rows() {
    let run = run();
    let columns = || vec!["sequence".to_owned(), "id".to_owned()];
    let all = rows(&run, ScanOptions::new(Table::Snapshots, columns()));
    assert_eq!(all.num_rows(), 100_500);
    assert_eq!(count_rows(run.path(), Table::Snapshots).expect("read"), 100_500);
    for selection in [
        RowSelection::Texts("id", BTreeSet::from(["id-3".to_owned()])),
        RowSelection::Texts("id", BTreeSet::from(["id-3".to_owned(), "id-9".to_owned(), "no".to_owned()])),
        RowSelection::Numbers("sequence", BTreeSet::from([0, 70_000, 100_499, 200_000])),
    ] {
        let expected = filter_record_batch(&all, &selection.mask(&all)).expect("a mask of that length");
        let found = rows(&run, ScanOptions::new(Table::Snapshots, columns()).select(selection));
        assert_eq!(found, expected);
    }
}

#[test]
fn row_groups_have_their_times_and_can_be_read_alone() {
    let run = run();
    let groups = row_groups(run.path(), Table::Snapshots, "observed_at").expect("read");
    let last = 65_535_000;
    let times: Vec<_> = groups.iter().map(|group| group.times).collect();
    assert_eq!(
        times,
        [Some((Micros(0), Micros(last))), Some((Micros(last + 1000), Micros(99_999_000))), None]
    );
    let read = |group: &RowGroup| group.read(Table::Snapshots, vec!["sequence".to_owned()]).expect("read");
    let counts = groups.iter().map(|group| read(group).iter().map(RecordBatch::num_rows).sum::<usize>());
    assert_eq!(counts.collect::<Vec<_>>(), [65_536, 34_464, 500]);
}
