//! Tests which lines are decoded, and why the others are rejected.

use arrow::array::Array as _;
use arrow::datatypes::{Float64Type, Int64Type};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use understudy_study::{self as study, FieldKind};

fn stream() -> Stream {
    let field = |(name, kind): (&str, FieldKind)| study::Field { name: name.to_owned(), kind };
    Stream {
        id: "id".into(),
        time: "at".into(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: [
            ("flag", FieldKind::Boolean),
            ("count", FieldKind::Integer),
            ("price", FieldKind::Number),
            ("name", FieldKind::Text),
            ("seen", FieldKind::Timestamp),
            ("extra", FieldKind::Json),
            ("id", FieldKind::Text),
            ("at", FieldKind::Timestamp),
        ]
        .map(field)
        .to_vec(),
    }
}

fn decode(lines: &[&str]) -> DecodedBatch {
    let mut run = Lines::default();
    for (at, line) in lines.iter().enumerate() {
        run.push(at as u64 + 1, 0, line.as_bytes());
    }
    Decoder::new(StreamKind::Snapshots, &stream(), lines.len().max(1)).decode(&run)
}

fn reasons(lines: &[&str]) -> String {
    let decoded = decode(lines);
    decoded.excluded.iter().map(|r| format!("{}: {}\n", r.position.line, r.detail)).collect()
}

/// A line with the required keys and one more pair of key and value.
fn with(pair: &str) -> String {
    format!(r#"{{"id":"a","at":"2026-01-01T00:00:00Z",{pair}}}"#)
}

#[test]
fn every_kind_is_decoded_and_null_is_missing() {
    let full = r#"{"id":"x","at":"2026-05-01T09:30:00+02:00","flag":true,"count":-7,"price":1.5e3,"name":"\u00e9\n","seen":"1969-12-31T23:59:59.5Z","extra":{"a":[1,{"b":null}],"c":"\"q\""}}"#;
    let bare = r#"{"id":42,"at":"2026-05-01T09:30:00Z","flag":null,"other":[1,2]}"#;
    let DecodedBatch { records, excluded, .. } = decode(&[full, bare]);
    assert_eq!(excluded, []);
    assert_eq!(records.ids.iter().flatten().collect::<Vec<_>>(), ["x", "42"]);
    assert_eq!(records.times, [1_777_620_600_000_000, 1_777_627_800_000_000]);
    let column = |name: &str| records.fields.column_by_name(name).expect("a declared field").clone();
    assert!(column("flag").as_boolean().value(0));
    assert_eq!(column("count").as_primitive::<Int64Type>().value(0), -7);
    assert_eq!(column("price").as_primitive::<Float64Type>().value(0), 1500.0);
    assert_eq!(column("name").as_string::<i32>().value(0), "é\n");
    assert_eq!(column("seen").as_primitive::<TimestampMicrosecondType>().value(0), -500_000);
    assert_eq!(column("extra").as_string::<i32>().value(0), r#"{"a":[1,{"b":null}],"c":"\"q\""}"#);
    assert_eq!(column("id").as_string::<i32>().value(1), "42");
    for name in ["flag", "count", "price", "name", "seen", "extra"] {
        assert!(column(name).is_null(1), "{name}");
    }
    assert_eq!(records.raw.value(1), bare);
}

#[test]
fn lines_that_are_not_records_are_rejected_with_the_reason() {
    insta::assert_snapshot!(
        reasons(&[
            "booking 17",
            "[1, 2]",
            "17",
            r#"{"id":"a","at":"2026-01-01T00:00:00Z""#,
            r#"{"id":"a" "at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":"a","at":"2026-01-01T00:00:00Z",}"#,
            r#"{"id":"a","at":"2026-01-01T00:00:00Z"} {"id":"b","at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":"a","at":"2026-01-01T00:00:00Z","name":"\ud800"}"#,
        ]),
        @"
    1: not JSON: the word booking at column 1; write strings in double quotes
    2: not a JSON object but an array; write one object per line
    3: not a JSON object but a number; write one object per line
    4: not JSON: the line ends in the middle of a record
    5: not JSON: expected `,` or `}` at column 11
    6: not JSON: a comma before a closing bracket at column 38; JSON has no trailing commas; remove it
    7: not JSON: trailing characters at column 40
    8: not JSON: a string contains half of a surrogate pair or another invalid escape
    "
    );
}

#[test]
fn ids_and_times_are_required() {
    insta::assert_snapshot!(
        reasons(&[
            r#"{"at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":"","at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":true,"at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":1.5,"at":"2026-01-01T00:00:00Z"}"#,
            r#"{"id":"a"}"#,
            r#"{"id":"a","at":"yesterday"}"#,
            r#"{"id":"a","at":"2026-01-01T00:00:00"}"#,
            r#"{"id":"a","at":1767225600}"#,
            r#"{"id":null,"at":"-000044-03-15T12:00:00Z"}"#,
        ]),
        @r#"
    1: field `id`: the id is missing; every record needs one
    2: field `id`: the id is empty
    3: field `id`: expected an id, a string or an integer, found true
    4: field `id`: expected an id, a string or an integer, found 1.5
    5: field `at`: the time is missing; every record needs one
    6: field `at`: "yesterday" is not a time; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"
    7: field `at`: "2026-01-01T00:00:00" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z"
    8: field `at`: expected a time such as "2026-05-01T09:30:00Z", found 1767225600, perhaps seconds since 1970, which is 2026-01-01T00:00:00Z
    9: field `id`: the id is missing; every record needs one; field `at`: "-000044-03-15T12:00:00Z" is outside the range of times, which is 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z; correct it, or write null if the record has no such time
    "#
    );
}

#[test]
fn a_field_of_the_wrong_kind_is_named_with_its_value() {
    let long = format!(r#""name":[{}]"#, vec!["1"; 100].join(","));
    let lines = [
        r#""flag":1"#,
        r#""count":"7""#,
        r#""count":7.5"#,
        r#""count":123456789012345678901"#,
        r#""price":"1""#,
        r#""price":1e999"#,
        r#""seen":"2026-01-01""#,
        &long,
    ]
    .map(with);
    insta::assert_snapshot!(reasons(&lines.each_ref().map(String::as_str)), @r#"
    1: field `flag`: expected true or false, found 1
    2: field `count`: expected an integer, found "7"
    3: field `count`: expected an integer, found 7.5
    4: field `count`: expected a 64-bit integer, found 123456789012345678901
    5: field `price`: expected a number, found "1"
    6: field `price`: expected a number that a 64-bit float can hold, found 1e999
    7: field `seen`: "2026-01-01" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z"
    8: field `name`: expected a string, found [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1...
    "#);
}

#[test]
fn integers_may_be_written_with_a_zero_fraction() {
    let DecodedBatch { records, .. } = decode(&[&with(r#""count":3.0"#), &with(r#""count":1e3"#)]);
    let counts = records.fields.column(1).as_primitive::<Int64Type>().values().to_vec();
    assert_eq!(counts, [3, 1000]);
}

#[test]
fn invalid_utf8_rejects_one_record() {
    let mut run = Lines::default();
    run.push(1, 0, with(r#""name":"ok""#).as_bytes());
    run.push(2, 10, b"{\"id\":\"\xff\"}");
    run.push_broken(3, 20, b"{\"id\":", "longer than 6 bytes".into());
    let decoded = Decoder::new(StreamKind::Decisions, &stream(), 8).decode(&run);
    assert_eq!(decoded.records.lines, [1]);
    let told: Vec<_> = decoded.excluded.iter().map(|r| (r.position.line, r.detail.as_str())).collect();
    assert_eq!(told, [(2, "not UTF-8: invalid byte at column 8"), (3, "longer than 6 bytes")]);
    assert_eq!(decoded.excluded[0].raw, b"{\"id\":\"\xff\"}");
}

#[test]
fn a_prefix_is_recognised_by_its_digest() {
    // xxh3 uses different code paths at 16, 128, 240 and 256 bytes.
    let text: Vec<u8> = (0..600u32).map(|at| (at * 7 % 251) as u8).collect();
    assert!((1..=text.len()).all(|end| begins_with(&text, record_digest(&text[..end]))));
    assert!(!begins_with(&text, record_digest(&text[1..300])));
}

#[test]
fn deeply_nested_json_is_decoded() {
    let deep = with(&format!(r#""extra":{}{}"#, "[".repeat(200_000), "]".repeat(200_000)));
    let DecodedBatch { records, .. } = decode(&[&deep]);
    assert_eq!(records.fields.column(5).as_string::<i32>().value(0).len(), 400_000);
}

/// Lines of every kind: valid ones, wrong values, invalid syntax, two records in one.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u32..9, -3i64..3).prop_map(|(id, count)| with(&format!(r#""count":{count},"name":"{id}""#))),
        1 => Just(with(r#""count":"wrong""#)),
        1 => Just(r#"{"id":"a","at":"2026-01-01T00:00:00Z","name":"\ud800"}"#.to_owned()),
        1 => Just(r#"{"id":"a","at":"#.to_owned()),
        1 => Just(format!("{} {}", with(r#""count":1"#), with(r#""count":2"#))),
        1 => Just("}".to_owned()),
        1 => r#"[{}\[\]":,a0 ]{1,12}"#.prop_filter("blank lines are passed over", |l| !l.trim().is_empty()),
    ]
}

proptest! {
    #[test]
    fn a_line_is_decoded_independently_of_its_neighbours(lines in prop::collection::vec(line(), 1..20)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let together = decode(&lines);
        prop_assert_eq!(together.records.len() + together.excluded.len(), lines.len());
        let mut numbers: Vec<u64> = together.excluded.iter().map(|r| r.position.line).collect();
        numbers.extend(&together.records.lines);
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
        for (at, line) in lines.iter().enumerate() {
            let alone = decode(&[line]);
            let row = together.records.lines.iter().position(|l| *l == at as u64 + 1);
            prop_assert_eq!(alone.records.len(), usize::from(row.is_some()));
            match row {
                Some(row) => prop_assert_eq!(alone.records.fields, together.records.fields.slice(row, 1)),
                None => {
                    let excluded = together.excluded.iter().find(|r| r.position.line == at as u64 + 1).expect("counted above");
                    prop_assert_eq!(&alone.excluded[0].reason, &excluded.reason);
                    prop_assert_eq!(&excluded.raw[..], line.trim().as_bytes());
                }
            }
        }
    }
}

#[test]
fn id_and_time_may_be_declared_before_other_fields() {
    let mut stream = stream();
    stream.fields.rotate_right(2);
    let mut lines = Lines::default();
    lines.push(1, 0, with(r#""flag":true,"count":7,"name":"n""#).as_bytes());
    let DecodedBatch { records, .. } = Decoder::new(StreamKind::Snapshots, &stream, 1).decode(&lines);
    let column = |name: &str| records.fields.column_by_name(name).expect("a declared field").clone();
    assert_eq!(records.fields.num_columns(), 8);
    assert_eq!(column("id").as_string::<i32>().value(0), "a");
    assert_eq!(column("at").as_primitive::<TimestampMicrosecondType>().value(0), records.times[0]);
    assert!(column("flag").as_boolean().value(0));
    assert_eq!(column("count").as_primitive::<Int64Type>().value(0), 7);
    assert_eq!(column("name").as_string::<i32>().value(0), "n");
}

#[test]
fn an_excluded_record_is_counted_at_its_own_time_unless_it_is_rejected() {
    let DecodedBatch { records, .. } = decode(&[&with(r#""count":1"#), &with(r#""count":2"#)]);
    let counted_at = |reason| {
        let exclusion = Exclusion { row: 1, reason, detail: "why".to_owned() };
        records.excluded(StreamKind::Snapshots, &exclusion).counted_at
    };
    assert_eq!(counted_at(ExclusionReason::Rejected), None);
    for reason in [ExclusionReason::Late, ExclusionReason::Duplicate, ExclusionReason::Conflict] {
        assert_eq!(counted_at(reason), Some(Micros(1_767_225_600_000_000)), "{reason:?}");
    }
}

#[test]
fn nested_json_is_written_again_with_its_values_and_escapes() {
    let nested = r#"{"a":[false,true,null,-1.50],"b":"\u0001 \u001f \u007f\"\\\n\r\t","c":{}}"#;
    let DecodedBatch { records, .. } = decode(&[&with(&format!(r#""extra":{nested}"#))]);
    // DEL needs no escape; everything below the space does.
    let written = nested.replace("\\u007f", "\u{7f}");
    assert_eq!(records.fields.column(5).as_string::<i32>().value(0), written);
}
