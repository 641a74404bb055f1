//! Rows of every type become records of JSON, and reading goes on at any row.

use arrow::array::{
    BooleanArray, DictionaryArray, Float32Array, Int64Array, ListArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use jiff::SignedDuration;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use super::*;
use understudy_study::Field as StudyField;

fn stream(fields: &[(&str, FieldKind)]) -> Stream {
    Stream {
        id: "id".into(),
        time: "at".into(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: fields.iter().map(|(name, kind)| StudyField { name: (*name).into(), kind: *kind }).collect(),
    }
}

/// Writes columns into a file with row groups of `group` rows.
fn file(columns: Vec<(&str, ArrayRef)>, group: usize) -> NamedTempFile {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of equal length");
    let file = NamedTempFile::new().expect("a temporary file");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let handle = file.reopen().expect("the file exists");
    let mut writer = ArrowWriter::try_new(handle, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("the disk has room");
    writer.close().expect("the disk has room");
    file
}

fn times(count: i64) -> ArrayRef {
    let start = 1_777_627_800_000_000_000;
    let values = (0..count).map(|row| start + row * 60_000_000_000 + 1_234_567);
    Arc::new(TimestampNanosecondArray::from_iter_values(values).with_timezone("+02:00"))
}

/// Row, row group, text and fault of each record, a line for each.
fn read(mut reader: ParquetReader, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(lines) = reader.next_batch(most).expect("readable") {
        assert!(lines.len() <= most);
        out.extend((0..lines.len()).map(|at| {
            let text = String::from_utf8_lossy(lines.text(at)).into_owned();
            let fault = lines.fault(at).map_or_else(String::new, |fault| format!(" <- {fault}"));
            format!("{} in {}: {text}{fault}", lines.line(at), lines.offset(at))
        }));
    }
    out
}

#[test]
fn rows_are_records_of_their_types() {
    let ids: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    let list = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]);
    let file = file(
        vec![
            ("id", Arc::new(ids)),
            ("at", times(3)),
            ("rate", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NAN)]))),
            ("free", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("items", Arc::new(list)),
            ("extras", Arc::new(StringArray::from(vec![Some("{\"a\": 1}"), Some("{"), None]))),
            ("note", Arc::new(StringArray::from(vec![Some("x\"y"), None, Some("{}")]))),
        ],
        2,
    );
    let stream =
        stream(&[("extras", FieldKind::Json), ("note", FieldKind::Text), ("rate", FieldKind::Number)]);
    let open =
        || ParquetReader::open(file.path(), Some(&stream), 1000, None).expect("readable").expect("rows");
    insta::assert_snapshot!(read(open(), 10).join("\n"), @r#"
    1 in 0: {"id":"a","at":"2026-05-01T09:30:00.001234Z","rate":0.10000000149011612,"free":true,"items":[1,null],"extras":{"a": 1},"note":"x\"y"}
    2 in 0: {"id":"b","at":"2026-05-01T09:31:00.001234Z","rate":null,"free":null,"items":null,"extras":"{","note":null} <- column `extras`: its text is not JSON; write JSON, or declare text
    3 in 1: {"id":"a","at":"2026-05-01T09:32:00.001234Z","rate":"NaN","free":false,"items":[],"extras":null,"note":"{}"} <- column `rate`: NaN is no number; write null if the value is missing
    "#);
    assert_eq!(read(open(), 1), read(open(), 10));
}

#[test]
fn reading_goes_on_at_any_row() {
    let file = file(vec![("id", Arc::new(Int64Array::from_iter_values(0..25))), ("at", times(25))], 10);
    let open = |from| ParquetReader::open(file.path(), Some(&stream(&[])), 1000, from).expect("readable");
    let all = read(open(None).expect("rows"), 7);
    assert_eq!((all.len(), &all[24][..9]), (25, "25 in 2: "));
    for row in 1..=25_u64 {
        let group = (row - 1) / 10;
        let rest = read(open(Some((row, group))).expect("the row exists"), 4);
        assert_eq!(rest, all[row as usize - 1..], "{row}");
    }
    for (row, group) in [(0, 0), (11, 0), (10, 1), (26, 2), (1, 3), (1, u64::MAX)] {
        assert!(open(Some((row, group))).is_none(), "{row} in {group}");
    }
}

#[test]
fn columns_that_do_not_fit_are_all_named() {
    let naive: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(0..2));
    let file = file(
        vec![
            ("key", Arc::new(Int64Array::from_iter_values(0..2))),
            ("at", naive),
            ("nights", Arc::new(Int64Array::from_iter_values(0..2))),
            ("epoch", Arc::new(Int64Array::from_iter_values(0..2))),
            ("free", Arc::new(StringArray::from(vec!["yes", "no"]))),
        ],
        2,
    );
    let stream =
        stream(&[("nights", FieldKind::Text), ("epoch", FieldKind::Timestamp), ("free", FieldKind::Boolean)]);
    let fault = ParquetReader::open(file.path(), Some(&stream), 1000, None)
        .err()
        .expect("no such columns")
        .to_string();
    let fault = fault.replace(&file.path().display().to_string(), "feed.parquet");
    insta::assert_snapshot!(fault.replace("; column", ";\ncolumn"), @r#"
    cannot read feed.parquet: it has no column "id", which the study declares as the key of the id; its columns are "key", "at", "nights", "epoch", "free";
    column "at" is of the type Timestamp(ns): its times have no zone; convert them to the instants that they mean, for instance with `df["time"].dt.tz_localize("UTC")` in pandas;
    column "nights" is of the type Int64: the study declares text; declare integer;
    column "epoch" is of the type Int64: its times are numbers, perhaps seconds or milliseconds since 1970; convert them, for instance with `pd.to_datetime(df["time"], unit="ms", utc=True)` in pandas;
    column "free" is of the type Utf8: the study declares boolean; declare text
    "#);
}

#[test]
fn a_damaged_file_is_an_error_or_has_rows() {
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..25).map(|row| format!("text {row}"))));
    let whole = file(
        vec![("id", Arc::new(Int64Array::from_iter_values(0..25))), ("at", times(25)), ("note", text)],
        10,
    );
    let bytes = std::fs::read(whole.path()).expect("the file exists");
    let damaged = NamedTempFile::new().expect("a temporary file");
    let mut errors = 0;
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        std::fs::write(damaged.path(), &changed).expect("the disk has room");
        let Ok(Some(mut reader)) = ParquetReader::open(damaged.path(), Some(&stream(&[])), 1000, None) else {
            errors += 1;
            continue;
        };
        let mut rows = 0;
        let ended = loop {
            match reader.next_batch(4) {
                Ok(Some(lines)) => rows += lines.len(),
                ended => break ended,
            }
            assert!(rows < 10_000, "{at}");
        };
        errors += usize::from(ended.is_err());
    }
    assert!(errors > 10, "{errors}");
}

#[test]
fn another_file_is_no_parquet() {
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "{\"id\":1}\n").expect("the disk has room");
    let fault = check_parquet(file.path(), Some(&stream(&[]))).expect_err("JSON Lines").to_string();
    assert!(fault.contains("it is no Parquet file that can be read ("), "{fault}");
}
