//! Recovery of logs that were truncated anywhere, compared with the appended rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::concat_batches;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::reader::SegmentFile;
use crate::segment_writer::seal;
use understudy_study::PerStream;

/// A record in the log: its stream, its sequence number, and whether it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    kind: StreamKind,
    sequence: u64,
    excluded: bool,
}

impl Row {
    fn table(self) -> Table {
        match self.excluded {
            true => Table::Excluded,
            false => Table::from_stream(self.kind),
        }
    }

    fn mark(self) -> RecordPosition {
        let (line, offset) = (self.sequence + 1, 10 * self.sequence);
        RecordPosition { line, offset, digest: self.sequence ^ (0xfeed + self.kind as u64) }
    }
}

fn batch(table: Table, rows: &[Row]) -> RecordBatch {
    let numbers = |of: fn(Row) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| of(*row))))
    };
    let text = |of: fn(Row) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| of(*row))))
    };
    let mut columns = vec![
        ("sequence", numbers(|row| row.sequence)),
        ("line", numbers(|row| row.mark().line)),
        ("offset", numbers(|row| row.mark().offset)),
        ("raw", text(|row| format!("{row:?}"))),
        ("digest", numbers(|row| row.mark().digest)),
    ];
    if table == Table::Excluded {
        columns.insert(0, ("stream", text(|row| row.kind.name().to_owned())));
    }
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// A step of writing a log: rows of a stream are appended, and the group may be closed after them.
#[derive(Clone, Debug)]
struct Step {
    kind: StreamKind,
    /// For each row: whether it is excluded.
    rows: Vec<bool>,
    close: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (any::<bool>(), prop::collection::vec(prop::bool::weighted(0.3), 1..5), prop::bool::weighted(0.2));
    let step = step.prop_map(|(decision, rows, close)| {
        let kind = if decision { StreamKind::Decisions } else { StreamKind::Snapshots };
        Step { kind, rows, close }
    });
    prop::collection::vec(step, 0..16)
}

/// The content of a file: the end of each batch, and its rows.
#[derive(Default)]
struct Content {
    batches: Vec<(u64, Vec<Row>)>,
    /// Bytes on disk when the acknowledged step ended.
    synced: u64,
}

/// A truncated log.
struct Log {
    folder: TempDir,
    groups: u32,
    sealed: PerStream<u64>,
    /// The rows that are complete.
    left: Vec<Row>,
    /// Records of each stream on disk when the acknowledged step ended.
    acknowledged: PerStream<u64>,
}

impl Log {
    /// Appends all steps, then truncates each file at or after its length after the first `acknowledged`
    /// steps.
    fn new(
        groups: u32,
        sealed: PerStream<u64>,
        steps: &[Step],
        acknowledged: usize,
        cuts: &[prop::sample::Index],
    ) -> Log {
        let folder = TempDir::new().expect("a folder");
        let mut log = Log { folder, groups, sealed, left: Vec::new(), acknowledged: sealed };
        let mut next = sealed;
        let mut group = groups;
        let mut open: BTreeMap<usize, (PathBuf, StreamWriter)> = BTreeMap::new();
        let mut files: BTreeMap<PathBuf, Content> = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            let row = |(at, excluded): (usize, &bool)| Row {
                kind: step.kind,
                sequence: next[step.kind] + at as u64,
                excluded: *excluded,
            };
            let rows: Vec<Row> = step.rows.iter().enumerate().map(row).collect();
            next[step.kind] += rows.len() as u64;
            for table in RECORDS {
                let rows: Vec<Row> = rows.iter().copied().filter(|row| row.table() == table).collect();
                if rows.is_empty() {
                    continue;
                }
                let batch = batch(table, &rows);
                let (path, writer) = open.entry(table as usize).or_insert_with(|| {
                    let path = log.file(table, group);
                    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
                    (path.clone(), StreamWriter::create(&path, &batch.schema()).expect("a new file"))
                });
                writer.append(&batch).expect("the disk has room");
                let end = fs::metadata(&*path).expect("it is there").len();
                files.entry(path.clone()).or_default().batches.push((end, rows));
            }
            if step.close {
                group += 1;
                while let Some((_, (_, writer))) = open.pop_first() {
                    writer.finish().expect("the disk has room");
                }
            }
            if at < acknowledged {
                log.acknowledged = next;
                for (path, content) in &mut files {
                    content.synced = fs::metadata(path).expect("it is there").len();
                }
            }
        }
        for (at, (path, content)) in files.iter().enumerate() {
            let file = fs::OpenOptions::new().write(true).open(path).expect("it is there");
            let length = file.metadata().expect("it is there").len();
            let cut = cuts[at % cuts.len()].index((length - content.synced) as usize + 1) as u64;
            let length = content.synced + cut;
            file.set_len(length).expect("it can be cut");
            let whole = content.batches.iter().filter(|(end, _)| *end <= length);
            log.left.extend(whole.flat_map(|(_, rows)| rows));
        }
        log
    }

    fn file(&self, table: Table, group: u32) -> PathBuf {
        self.folder.path().join(table.folder()).join(format!("{group:06}.arrows"))
    }

    /// For each stream the first missing number.
    fn next(&self) -> PerStream<u64> {
        PerStream::from_fn(|kind| {
            let has =
                |sequence: &u64| self.left.iter().any(|row| row.kind == kind && row.sequence == *sequence);
            (self.sealed[kind]..).find(|sequence| !has(sequence)).expect("rows end somewhere")
        })
    }

    /// The rows before these numbers, in the order in which they were appended.
    fn rows(&self, table: Table) -> Vec<Row> {
        let next = self.next();
        let stays = |row: &&Row| row.table() == table && row.sequence < next[row.kind];
        self.left.iter().filter(stays).copied().collect()
    }

    /// The number of rows behind these numbers.
    fn rows_beyond_end(&self) -> PerStream<u64> {
        let next = self.next();
        let rows_beyond_end =
            |kind: StreamKind| move |row: &&Row| row.kind == kind && row.sequence >= next[kind];
        PerStream::from_fn(|kind| self.left.iter().filter(rows_beyond_end(kind)).count() as u64)
    }

    fn recover(&self) -> Recovered {
        recover(self.folder.path(), self.groups, self.sealed).expect("what is torn is no error")
    }

    /// Checks the recovered state, in memory and on disk.
    fn check(&self, recovered: &Recovered) -> Result<(), TestCaseError> {
        prop_assert_eq!(recovered.next, self.next());
        prop_assert_eq!(recovered.group, self.groups);
        for kind in StreamKind::ALL {
            prop_assert!(recovered.next[kind] >= self.acknowledged[kind]);
            let of = |row: &&Row| row.kind == kind && row.sequence + 1 == recovered.next[kind];
            let last = self.left.iter().find(of).map(|row| (row.sequence, row.mark()));
            prop_assert_eq!(recovered.marks[kind], last);
        }
        for table in RECORDS {
            let rows = self.rows(table);
            prop_assert_eq!(recovered.rows[table as usize], rows.len() as u64);
            prop_assert_eq!(self.read(table), batch(table, &rows));
            let files: Vec<PathBuf> = self.files(table).into_keys().collect();
            let only: Vec<PathBuf> =
                (!rows.is_empty()).then(|| self.file(table, self.groups)).into_iter().collect();
            prop_assert_eq!(&files, &only);
            let open = recovered.writers[table as usize].as_ref().map(|writer| writer.path().to_owned());
            prop_assert_eq!(open.into_iter().collect::<Vec<_>>(), only);
        }
        Ok(())
    }

    /// All rows of a table.
    fn read(&self, table: Table) -> RecordBatch {
        let reading = ScanOptions::new(table, Vec::new());
        let rows = reading.open(self.folder.path()).expect("the folder is there");
        let batches: Vec<RecordBatch> = rows.map(|batch| batch.expect("whole batches")).collect();
        concat_batches(&batch(table, &[]).schema(), &batches).expect("they have one schema")
    }

    /// The files of a table.
    fn files(&self, table: Table) -> BTreeMap<PathBuf, Vec<u8>> {
        let segments = segments(self.folder.path(), table).expect("the folder is there");
        let read =
            |segment: SegmentFile| (segment.path.clone(), fs::read(&segment.path).expect("it is there"));
        segments.into_iter().map(read).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_log_is_recovered_up_to_the_first_missing_record(
        groups in 0u32..3,
        sealed in prop::array::uniform2(0u64..4),
        steps in steps(),
        acknowledged: prop::sample::Index,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        interrupted in prop::array::uniform3(0usize..4),
    ) {
        let acknowledged = acknowledged.index(steps.len() + 1);
        let log = Log::new(groups, sealed.into(), &steps, acknowledged, &cuts);
        let before = RECORDS.map(|table| log.files(table));
        let recovered = log.recover();
        prop_assert_eq!(recovered.cut, log.rows_beyond_end());
        log.check(&recovered)?;
        drop(recovered);

        // As if recovery had been interrupted: each table is unchanged, or merged with some files left, or
        // complete.
        for (table, (before, interrupted)) in RECORDS.into_iter().zip(before.iter().zip(interrupted)) {
            let merged = log.files(table);
            let aside = log.file(table, groups).with_extension("arrows.tmp");
            let remove = |path: &PathBuf| fs::remove_file(path).expect("it is there");
            match interrupted {
                0 => {
                    merged.keys().for_each(remove);
                    before.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("room"));
                    let half = merged.values().next().map_or(&[][..], |bytes| &bytes[..bytes.len() / 2]);
                    if !before.is_empty() {
                        fs::write(aside, half).expect("room");
                    }
                }
                1 | 2 => {
                    let others = before.iter().filter(|(path, _)| !merged.contains_key(*path));
                    let left = others.skip(interrupted - 1);
                    left.for_each(|(path, bytes)| fs::write(path, bytes).expect("room"));
                }
                _ => {}
            }
        }
        let mut recovered = log.recover();
        log.check(&recovered)?;

        // The log can be appended to.
        for (table, writer) in RECORDS.into_iter().zip(&mut recovered.writers) {
            let rows = [Row { kind: StreamKind::Snapshots, sequence: 99, excluded: table == Table::Excluded }];
            if let Some(writer) = writer {
                writer.append(&batch(table, &rows)).expect("the disk has room");
                prop_assert_eq!(log.read(table), batch(table, &[log.rows(table), rows.to_vec()].concat()));
            }
        }
    }

    #[test]
    fn ranges_are_followed_from_any_start_in_any_order(
        runs in prop::collection::vec((0u64..30, 1u64..6), 0..12),
        start in 0u64..30,
    ) {
        let numbers: BTreeSet<u64> = runs.iter().flat_map(|(first, count)| *first..first + count).collect();
        let ranges = runs.iter().map(|(first, count)| (*first, first + count)).collect();
        let mut found = SequenceRanges(PerStream { snapshots: Vec::new(), decisions: ranges });
        let end = (start..).find(|number| !numbers.contains(number)).expect("there is an end");
        prop_assert_eq!(found.end(StreamKind::Decisions, start), end);
        let rows_beyond_end = numbers.iter().filter(|number| **number > end).count();
        prop_assert_eq!(found.count_from(StreamKind::Decisions, end), rows_beyond_end as u64);
        prop_assert_eq!((found.end(StreamKind::Snapshots, start), found.count_from(StreamKind::Snapshots, start)), (start, 0));
    }
}

fn snapshot(sequence: u64) -> Row {
    Row { kind: StreamKind::Snapshots, sequence, excluded: false }
}

/// A closed segment with these rows.
fn segment(run: &Path, table: Table, group: u32, rows: &[Row]) -> PathBuf {
    let path = run.join(table.folder()).join(format!("{group:06}.arrows"));
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    let batch = batch(table, rows);
    let mut writer = StreamWriter::create(&path, &batch.schema()).expect("a new file");
    writer.append(&batch).expect("the disk has room");
    writer.finish().expect("the disk has room");
    path
}

#[test]
fn leftovers_are_removed_and_sealed_segments_stay() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    segment(run, Table::Snapshots, 1, &[snapshot(0)]);
    segment(run, Table::Snapshots, 2, &[snapshot(1), snapshot(2)]);
    segment(run, Table::Pairs, 2, &[snapshot(1)]);
    for name in ["000001.parquet", "000002.parquet", "000002.parquet.tmp", "notes.txt"] {
        fs::write(run.join("snapshots").join(name), name).expect("it can be written");
        fs::write(run.join("pairs").join(name), name).expect("it can be written");
    }
    let recovered = recover(run, 2, [1, 0].into()).expect("nothing is torn");
    assert_eq!((recovered.next, recovered.rows, recovered.torn.len()), ([3, 0].into(), [2, 0, 0, 0], 0));
    let names = |table: Table| {
        let entries = fs::read_dir(run.join(table.folder())).expect("a folder").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names.join(" ")
    };
    let names = Table::ALL.map(|table| format!("{}: {}.", table.folder(), names(table)));
    insta::assert_snapshot!(names.join("\n"), @r#"
    snapshots: 000001.parquet 000002.arrows notes.txt.
    decisions: .
    excluded: .
    pairs: 000001.parquet notes.txt.
    "#);
}

#[test]
fn the_last_record_of_the_sealed_groups_is_found_in_any_table() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    let excluded = |kind, sequence| Row { kind, sequence, excluded: true };
    let groups: [&[Row]; 4] = [
        &[excluded(StreamKind::Decisions, 0), excluded(StreamKind::Snapshots, 0)],
        &[snapshot(1), snapshot(2), excluded(StreamKind::Snapshots, 3)],
        &[excluded(StreamKind::Decisions, 1), excluded(StreamKind::Decisions, 2)],
        &[snapshot(4), excluded(StreamKind::Decisions, 3)],
    ];
    let mut last = PerStream::default();
    assert_eq!(PerStream::from_fn(|kind| last_mark(run, kind).expect("nothing is there")), last);
    for (group, rows) in groups.into_iter().enumerate() {
        for table in RECORDS {
            let rows: Vec<Row> = rows.iter().copied().filter(|row| row.table() == table).collect();
            if !rows.is_empty() {
                let path = segment(run, table, group as u32, &rows);
                seal(&path).expect("it is whole");
                fs::remove_file(path).expect("it is there");
            }
        }
        rows.iter().for_each(|row| last[row.kind] = Some((row.sequence, row.mark())));
        assert_eq!(PerStream::from_fn(|kind| last_mark(run, kind).expect("they are whole")), last);
    }
    // The open group is not read.
    segment(run, Table::Snapshots, 9, &[snapshot(5)]);
    assert_eq!(PerStream::from_fn(|kind| last_mark(run, kind).expect("they are whole")), last);
}

#[test]
fn damage_is_reported() {
    let folder = TempDir::new().expect("a folder");
    let run = folder.path();
    let path = segment(run, Table::Snapshots, 0, &[snapshot(0)]);
    let length = fs::metadata(&path).expect("it is there").len();
    let file = fs::OpenOptions::new().write(true).open(&path).expect("it is there");
    file.set_len(length - 20).expect("it can be cut");
    fs::create_dir_all(run.join("excluded")).expect("it can be made");
    fs::write(run.join("excluded/000000.arrows"), "not a segment").expect("it can be written");
    let recovered = recover(run, 0, PerStream::default()).expect("what is torn is no error");
    let torn = recovered.torn.iter().map(|(path, what)| format!("{}: {what}", path.display()));
    let mut said: Vec<String> = torn.collect();

    let other = batch(Table::Snapshots, &[snapshot(0)]).project(&[1, 2]).expect("it has these columns");
    let path = run.join("decisions/000000.arrows");
    let mut writer = StreamWriter::create(&path, &other.schema()).expect("a new file");
    writer.append(&other).expect("the disk has room");
    said.push(recover(run, 0, PerStream::default()).err().expect("it has no sequence").to_string());
    insta::assert_snapshot!(said.join("\n").replace(&run.display().to_string(), "RUN"), @r#"
    RUN/snapshots/000000.arrows: the last message is incomplete
    RUN/excluded/000000.arrows: a message has no continuation marker
    cannot read RUN/decisions/000000.arrows: the column digest is missing or has another type; the run was written by another version of understudy
    "#);
}
