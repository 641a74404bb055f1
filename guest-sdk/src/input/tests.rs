use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{Kind, Text, Timestamp, Values};

#[derive(Debug, PartialEq, Deserialize)]
struct Stop<'a> {
    city: &'a str,
    nights: u8,
}

#[derive(Debug, PartialEq, Input)]
struct Booking<'a> {
    repeated: bool,
    adults: u8,
    price: f64,
    segment: &'a str,
    observed_at: Timestamp,
    r#type: Option<&'a str>,
    #[input(json)]
    first: Stop<'a>,
    #[input(json, name = "decision.stops")]
    stops: Option<Vec<Stop<'a>>>,
}

#[derive(Debug, PartialEq, Input)]
struct Nothing;

fn columns() -> Vec<Column> {
    vec![
        Column::booleans([true, false]),
        Column::integers([2, 3]),
        Column::numbers([80.5, -1.0]),
        Column::text(["direct", "grüppe"]),
        Column::timestamps([Timestamp(7), Timestamp(-7)]),
        Column::text(["", "group"]).with_missing([0]),
        Column::json([r#"{"city":"Oslo","nights":1}"#, r#"{"city":"Bergen","nights":2}"#]),
        Column::json(["[]", r#"[{"city":"Voss","nights":0}]"#]).with_missing([]),
    ]
}

fn rows<'a, I: Input<'a>>(count: usize, columns: &'a [Column]) -> Vec<Result<I, String>> {
    let bound = I::bind(count, columns).unwrap();
    (0..count).map(|row| I::row(&bound, row)).collect()
}

fn one<'a, V: Value<'a>>(column: &'a Column, row: usize) -> Result<V, String> {
    Reader::bind("x", 2, column)?.read(row)
}

#[test]
fn fields_follow_from_the_types() {
    let fields: Vec<_> = Booking::fields().into_iter().map(|f| (f.name, f.kind, f.required)).collect();
    let expected = [
        ("repeated", Kind::Boolean, true),
        ("adults", Kind::Integer, true),
        ("price", Kind::Number, true),
        ("segment", Kind::Text, true),
        ("observed_at", Kind::Timestamp, true),
        ("type", Kind::Text, false),
        ("first", Kind::Json, true),
        ("decision.stops", Kind::Json, false),
    ];
    assert_eq!(fields, expected.map(|(name, kind, required)| (name.to_owned(), kind, required)));
    assert!(Nothing::fields().is_empty());
}

#[test]
fn rows_are_assembled_from_columns() {
    let columns = columns();
    let second = Booking {
        repeated: false,
        adults: 3,
        price: -1.0,
        segment: "grüppe",
        observed_at: Timestamp(-7),
        r#type: Some("group"),
        first: Stop { city: "Bergen", nights: 2 },
        stops: Some(vec![Stop { city: "Voss", nights: 0 }]),
    };
    let rows = rows::<Booking<'_>>(2, &columns);
    assert_eq!(rows[1].as_ref(), Ok(&second));
    assert_eq!(
        rows[0].as_ref().map(|first| (first.r#type, first.stops.as_ref().map(Vec::len))),
        Ok((None, Some(0)))
    );
    assert_eq!(self::rows::<Nothing>(1, &[]), [Ok(Nothing)]);
}

#[test]
fn a_value_that_does_not_fit_fails_only_its_row() {
    let mut columns = columns();
    columns[1] = Column::integers([300, 3]);
    let rows = rows::<Booking<'_>>(2, &columns);
    insta::assert_snapshot!(rows[0].as_ref().unwrap_err(), @"field `adults`: 300 does not fit u8");
    assert!(rows[1].is_ok());
}

#[test]
fn json_of_another_shape_fails_only_its_row() {
    let mut columns = columns();
    columns[6] = Column::json([r#"{"city":"Oslo"}"#, r#"{"city":"Oslo","nights":1}"#]);
    let rows = rows::<Booking<'_>>(2, &columns);
    insta::assert_snapshot!(rows[0].as_ref().unwrap_err(), @r#"field `first`: missing field `nights` at line 1 column 15: {"city":"Oslo"}"#);
    assert!(rows[1].is_ok());
}

#[test]
fn unexpected_columns_fail_the_batch() {
    let fault = |change: fn(&mut Vec<Column>)| {
        let mut columns = columns();
        change(&mut columns);
        Booking::bind(2, &columns).err().unwrap()
    };
    insta::assert_snapshot!(fault(|columns| columns.truncate(3)), @"expected 8 columns, found 3");
    insta::assert_snapshot!(fault(|columns| columns.swap(1, 2)), @"field `adults`: expected 2 values of kind integer, found 2 of kind number");
    insta::assert_snapshot!(fault(|columns| columns[3] = Column::text(["a"])), @"field `segment`: expected 2 values of kind text, found 1 of kind text");
    insta::assert_snapshot!(fault(|columns| columns[1].missing = Some(vec![1])), @"field `adults`: row 1 has no value, but the field is required");
    insta::assert_snapshot!(fault(|columns| columns[5].missing.get_or_insert_default().push(64)), @"field `type`: missing-row index 64 is out of range for 2 rows");
    let bad = |columns: &mut Vec<Column>| {
        columns[3] = Values::Text(Text { offsets: vec![0, 1, 2], bytes: vec![b'a', 0xff] }).into();
    };
    insta::assert_snapshot!(fault(bad), @"field `segment`: text is not UTF-8: invalid utf-8 sequence of 1 bytes from index 1");
}

#[test]
fn a_string_that_splits_a_character_is_an_error() {
    let column = Values::Text(Text { offsets: vec![0, 1, 2], bytes: "é".into() }).into();
    insta::assert_snapshot!(one::<&str>(&column, 0).unwrap_err(), @"field `x`: string offsets are out of range or split a character");
}

#[test]
fn numbers_can_be_narrowed() {
    let column = Column::numbers([0.1, 1e300]);
    assert_eq!(one::<f32>(&column, 0), Ok(0.1));
    insta::assert_snapshot!(one::<f32>(&column, 1).unwrap_err(), @"field `x`: 1e300 does not fit f32");
    assert!(one::<u64>(&Column::integers([-1, 0]), 0).is_err());
}

proptest! {
    #[test]
    fn exactly_the_missing_rows_are_none(values in prop::collection::vec(any::<Option<i64>>(), 0..300)) {
        let missing = (0u32..).zip(&values).filter(|(_, value)| value.is_none()).map(|(row, _)| row);
        let column = Column::integers(values.iter().map(|value| value.unwrap_or(0))).with_missing(missing);
        let reader = Reader::<Option<i64>>::bind("x", values.len(), &column).unwrap();
        let read: Vec<_> = (0..values.len()).map(|row| reader.read(row).unwrap()).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn strings_round_trip(values in prop::collection::vec(".{0,5}", 0..50)) {
        let column = Column::text(&values);
        let reader = Reader::<&str>::bind("x", values.len(), &column).unwrap();
        let read: Vec<_> = (0..values.len()).map(|row| reader.read(row).unwrap()).collect();
        prop_assert_eq!(read, values);
    }
}
