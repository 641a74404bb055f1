//! An open segment compared with the appended batches: complete, truncated at any byte, and with any byte changed.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;

use arrow::array::{
    Array as _, DictionaryArray, Float64Array, ListArray, NullArray, RecordBatchOptions, StringArray,
    UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, UInt16Type};
use arrow::ipc::reader::StreamReader;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A row with a column of each type in the log, and one of nulls.
type Row = (u64, Option<String>, Option<u8>, Option<f64>, Option<Vec<u8>>);

const NAMES: [&str; 4] = ["dock-1", "", "yard", "käi"];

fn batch(rows: &[Row]) -> RecordBatch {
    let label = |code: &Option<u8>| code.map(|code| NAMES[code as usize % NAMES.len()]);
    let labels: DictionaryArray<UInt16Type> = rows.iter().map(|row| label(&row.2)).collect();
    // A list of labels contains a dictionary.
    let ranked: DictionaryArray<UInt16Type> =
        rows.iter().flat_map(|row| row.4.iter().flatten()).map(|code| label(&Some(*code))).collect();
    let lengths = rows.iter().map(|row| row.4.as_ref().map_or(0, Vec::len));
    let rankings = ListArray::new(
        Arc::new(Field::new("item", ranked.data_type().clone(), true)),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(ranked),
        Some(NullBuffer::from_iter(rows.iter().map(|row| row.4.is_some()))),
    );
    let columns: [(&str, arrow::array::ArrayRef); 6] = [
        ("number", Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.0)))),
        ("text", Arc::new(rows.iter().map(|row| row.1.as_deref()).collect::<StringArray>())),
        ("label", Arc::new(labels)),
        ("confidence", Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>())),
        ("ranking", Arc::new(rankings)),
        ("nothing", Arc::new(NullArray::new(rows.len()))),
    ];
    let field = |(name, column): &(&str, arrow::array::ArrayRef)| {
        Field::new(*name, column.data_type().clone(), *name != "number")
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
        .expect("columns of one length")
}

fn batches() -> impl Strategy<Value = Vec<RecordBatch>> {
    let text = prop::option::of("[a-zäö]{0,9}");
    let ranking = prop::option::of(prop::collection::vec(0u8..4, 0..4));
    let row = (any::<u64>(), text, prop::option::of(0u8..4), prop::option::of(-1.0..1.0), ranking);
    let rows = prop::collection::vec(row, 0..8).prop_map(|rows| batch(&rows));
    prop::collection::vec(rows, 0..5)
}

/// A segment with these batches, and the end of each in the file.
struct Written {
    folder: TempDir,
    ends: Vec<u64>,
}

impl Written {
    fn new(batches: &[RecordBatch], finished: bool) -> Written {
        let written = Written { folder: TempDir::new().expect("a folder"), ends: Vec::new() };
        let schema = batches.first().map_or_else(|| batch(&[]).schema(), RecordBatch::schema);
        let mut writer = StreamWriter::create(&written.path(), &schema).expect("a new file");
        let append = |batch| {
            writer.append(batch).expect("the disk has room");
            writer.position
        };
        let ends = batches.iter().map(append).collect();
        if finished {
            writer.finish().expect("the disk has room");
        }
        Written { ends, ..written }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("000000.arrows")
    }

    fn length(&self) -> u64 {
        fs::metadata(self.path()).expect("it was written").len()
    }

    /// The number of batches that end at or before an offset.
    fn before(&self, place: u64) -> usize {
        self.ends.iter().filter(|end| **end <= place).count()
    }

    /// The result of a scan, which never fails because of the content: batches, damage, and whether it reached
    /// the end marker.
    fn scan(&self) -> (Vec<RecordBatch>, Option<String>, bool) {
        let mut scan = scan(&self.path()).expect("the file is there");
        let found = (&mut scan).map(|batch| batch.expect("damage is no error")).collect();
        (found, scan.damage().map(str::to_owned), scan.ended())
    }
}

/// Replaces each byte of a file by each value of `changed`, one at a time, and scans the result.
fn with_each_byte_changed(batches: &[RecordBatch], changed: impl Fn(u8) -> Vec<u8>) {
    let written = Written::new(batches, true);
    let bytes = fs::read(written.path()).expect("it was written");
    let file = OpenOptions::new().write(true).open(written.path()).expect("it was written");
    for (place, byte) in bytes.iter().enumerate() {
        for changed in changed(*byte).into_iter().filter(|changed| changed != byte) {
            file.write_at(&[changed], place as u64).expect("it can be written");
            let (found, damage, ended) = written.scan();
            let what = format!("byte {place} of {}, {byte:#x} to {changed:#x}", bytes.len());
            assert_eq!(found, batches[..written.before(place as u64)], "{what}");
            assert!(damage.is_some() && !ended, "{what}: {damage:?}");
        }
        file.write_at(&[*byte], place as u64).expect("it can be written");
    }
    assert_eq!(written.scan(), (batches.to_vec(), None, true));
}

fn two_batches() -> [RecordBatch; 2] {
    [
        batch(&[
            (1, Some("a".to_owned()), Some(0), None, Some(vec![0, 2])),
            (2, None, None, Some(0.5), None),
        ]),
        batch(&[(3, Some("bc".to_owned()), Some(3), Some(1.0), Some(vec![]))]),
    ]
}

/// Batches with one column have metadata whose length fits in one byte.
fn small_batches() -> [RecordBatch; 2] {
    two_batches().map(|batch| batch.project(&[0]).expect("it has a column"))
}

#[test]
fn a_changed_byte_invalidates_its_message_and_later_ones() {
    let bits_and_extremes = |byte: u8| (0..8).map(|bit| byte ^ (1 << bit)).chain([0, 255]).collect();
    with_each_byte_changed(&two_batches(), bits_and_extremes);
    with_each_byte_changed(&small_batches(), |_| (0..=255).collect());
}

#[test]
fn a_truncated_segment_keeps_the_batches_before() {
    for batches in [two_batches(), small_batches()] {
        let written = Written::new(&batches, true);
        let bytes = fs::read(written.path()).expect("it was written");
        let mut messages = vec![0];
        while messages.last() != written.ends.last().map(|end| *end as usize).as_ref() {
            let last = messages[messages.len() - 1];
            messages.push(last + MessageLengths::from_bytes(&bytes[last..]).expect("a message").len());
        }
        let file = OpenOptions::new().write(true).open(written.path()).expect("it was written");
        for length in (0..bytes.len()).rev() {
            file.set_len(length as u64).expect("it can be cut");
            let (found, damage, ended) = written.scan();
            assert_eq!(found, batches[..written.before(length as u64)], "cut at {length}");
            // A cut between two messages is not detected.
            let torn = damage.is_some_and(|damage| damage == "the last message is incomplete");
            assert_eq!((torn, ended), (!messages.contains(&length), false), "cut at {length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn appended_batches_are_scanned_and_read_by_any_arrow_reader(batches in batches(), finished: bool) {
        let written = Written::new(&batches, finished);
        prop_assert_eq!(written.scan(), (batches.clone(), None, finished));
        if !batches.is_empty() {
            let file = File::open(written.path()).expect("it was written");
            let reader = StreamReader::try_new(file, None).expect("a schema");
            let read: Vec<RecordBatch> = reader.map(|batch| batch.expect("a whole batch")).collect();
            prop_assert_eq!(read, batches);
        }
    }

    #[test]
    fn a_damaged_segment_never_yields_a_wrong_batch(
        batches in batches(),
        cut: prop::sample::Index,
        changed: prop::sample::Index,
        to: u8,
    ) {
        let written = Written::new(&batches, false);
        let mut bytes = fs::read(written.path()).expect("it was written");
        bytes.truncate(cut.index(bytes.len() + 1));
        let mut sound = bytes.len();
        if !bytes.is_empty() {
            let place = changed.index(bytes.len());
            if bytes[place] != to {
                bytes[place] = to;
                sound = place;
            }
        }
        fs::write(written.path(), &bytes).expect("it can be written");
        let (found, _, ended) = written.scan();
        prop_assert_eq!(found, &batches[..written.before(sound as u64)]);
        prop_assert!(!ended);
    }

    #[test]
    fn a_file_of_random_bytes_has_no_batches(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        marked: bool,
        metadata in 0u32..500,
    ) {
        let written = Written::new(&[], false);
        if marked && bytes.len() >= PREFIX {
            bytes[..4].copy_from_slice(&MARKER);
            bytes[4..PREFIX].copy_from_slice(&metadata.to_le_bytes());
        }
        fs::write(written.path(), &bytes).expect("it can be written");
        let (found, damage, ended) = written.scan();
        prop_assert_eq!(found, vec![]);
        prop_assert_eq!(damage.is_none(), bytes.is_empty() || ended);
    }
}

#[test]
fn a_batch_without_bytes_is_kept() {
    let nothing = batch(&[(1, None, None, None, None), (2, None, None, None, None)])
        .project(&[5])
        .expect("it has six columns");
    let rows = RecordBatchOptions::new().with_row_count(Some(3));
    let bare = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &rows).expect("rows");
    for one in [nothing, bare] {
        let batches = [one.clone(), one.clone(), one];
        for finished in [false, true] {
            assert_eq!(Written::new(&batches, finished).scan(), (batches.to_vec(), None, finished));
        }
    }
}

#[test]
fn a_renamed_segment_is_appended_to() {
    let batches = two_batches();
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("000007.arrows");
    let aside = path.with_extension("arrows.tmp");
    let mut writer = StreamWriter::create(&aside, &batches[0].schema()).expect("a new file");
    writer.append(&batches[0]).expect("the disk has room");
    writer.rename(&path).expect("it can be renamed");
    writer.append(&batches[1]).expect("the disk has room");
    assert_eq!(writer.path(), path);
    assert!(!aside.exists());
    let found: Result<Vec<_>, _> = scan(&path).expect("it is there").collect();
    assert_eq!(found.expect("it is whole"), batches);
}

#[test]
fn damage_is_described() {
    let batches = small_batches();
    let written = Written::new(&batches, true);
    let bytes = fs::read(written.path()).expect("it was written");
    let mut foreign = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batches[0].schema())
        .expect("a schema can be written");
    foreign.write(&batches[0]).expect("a vector has room");
    let end = written.ends[1] as usize;
    let length = bytes.len();
    let with = |place: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        bytes
    };
    let cases = [
        ("another program's stream", foreign.into_inner().expect("it ends")),
        ("text", b"{\"id\": \"r1\"}\n".to_vec()),
        ("no metadata", [&MARKER[..], &4u32.to_le_bytes(), &[0; 16]].concat()),
        ("cut", bytes[..end - 1].to_vec()),
        ("a byte of a body changed", with(end - 1, 1)),
        ("more behind its end", [&bytes[..], &bytes[..length / 2]].concat()),
    ];
    let said = cases.map(|(what, bytes)| {
        fs::write(written.path(), bytes).expect("it can be written");
        format!("{what}: {}", written.scan().1.unwrap_or_default())
    });
    insta::assert_snapshot!(said.join("\n"), @r#"
    another program's stream: the metadata of a message cannot be read
    text: a message has no continuation marker
    no metadata: a message has no checksum
    cut: the last message is incomplete
    a byte of a body changed: a checksum does not match
    more behind its end: bytes follow the end marker
    "#);
    fs::remove_file(written.path()).expect("it is there");
    let error = scan(&written.path()).err().expect("it is gone").to_string();
    insta::assert_snapshot!(error.replace(&written.folder.path().display().to_string(), "RUN"), @r#"
    cannot read RUN/000000.arrows: No such file or directory (os error 2)
    "#);
}

#[test]
fn an_existing_segment_is_not_overwritten() {
    let written = Written::new(&two_batches(), false);
    let error = StreamWriter::create(&written.path(), &batch(&[]).schema()).err().expect("it is there");
    let said = error.to_string().replace(&written.folder.path().display().to_string(), "RUN");
    insta::assert_snapshot!(said, @r#"
    cannot write RUN/000000.arrows: File exists (os error 17)
    "#);
    assert!(written.length() > 0);
}

#[test]
fn the_schema_is_known_before_the_first_batch() {
    let written = Written::new(&two_batches(), false);
    let scan = scan(&written.path()).expect("it is there");
    assert_eq!(scan.schema(), Some(&two_batches()[0].schema()));
    assert_eq!(scan.schema().map(|schema| schema.field(5).data_type().clone()), Some(DataType::Null));
}
