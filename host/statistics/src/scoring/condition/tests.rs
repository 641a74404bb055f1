//! The classification by values, bins and calendar, and the errors of batches that do not fit.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{ConditionError, Conditions};
use crate::scoring::local_time::tests::{instants, micros, zone};
use understudy_study::{Condition, Split};

fn values(field: &str, values: &[&str]) -> Split {
    Split::Values { field: field.to_owned(), values: values.iter().map(ToString::to_string).collect() }
}

fn bins(field: &str, edges: &[f64]) -> Split {
    Split::Bins { field: field.to_owned(), edges: edges.to_vec() }
}

fn conditions(splits: &[Split], zone: TimeZone) -> Conditions {
    let named = |split: &Split| Condition { name: "day".to_owned(), split: split.clone() };
    let declared: Vec<_> = splits.iter().map(named).collect();
    Conditions::new(&declared, zone).unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// The names of the values of one condition on a single column `x`.
fn value_names(split: Split, column: ArrayRef) -> Vec<String> {
    let observed = vec![0; column.len()];
    let mut conditions = conditions(&[split], TimeZone::UTC);
    let codes = conditions.classify(&batch(vec![("x", column)]), &observed).unwrap();
    codes[0].iter().map(|&code| conditions.values(0)[usize::from(code)].clone()).collect()
}

#[test]
fn texts_are_classified_by_declared_value() {
    let column = StringArray::from(vec![
        Some("Direct"),
        None,
        Some("Groups"),
        Some("direct"),
        Some("Direct"),
        Some(""),
    ]);
    assert_eq!(
        value_names(values("x", &["Groups", "Direct"]), Arc::new(column)),
        ["Direct", "missing", "Groups", "other", "Direct", "other"]
    );
}

#[test]
fn integers_are_classified_by_their_text() {
    let column = Int64Array::from(vec![Some(1), Some(7), Some(-3), None, Some(i64::MAX), Some(0)]);
    assert_eq!(
        value_names(values("x", &["1", "-3", "07", "9223372036854775807", "-0", "few"]), Arc::new(column)),
        ["1", "other", "-3", "missing", "9223372036854775807", "other"]
    );
}

#[test]
fn booleans_are_classified_by_their_text() {
    let column = BooleanArray::from(vec![Some(true), Some(false), None]);
    assert_eq!(
        value_names(values("x", &["true", "false"]), Arc::new(column.clone())),
        ["true", "false", "missing"]
    );
    assert_eq!(value_names(values("x", &["false"]), Arc::new(column)), ["other", "false", "missing"]);
}

#[test]
fn numbers_are_classified_by_bin() {
    let column =
        Float64Array::from(vec![Some(6.999), Some(7.0), Some(-1e300), Some(30.0), Some(180.5), None]);
    assert_eq!(
        value_names(bins("x", &[7.0, 30.0, 180.0]), Arc::new(column)),
        ["< 7", "7 to < 30", "< 7", "30 to < 180", ">= 180", "missing"]
    );
}

#[test]
fn integers_are_binned_exactly() {
    let exact = 2f64.powi(53);
    let column = Int64Array::from(vec![(1 << 53) - 1, 1 << 53, (1 << 53) + 1]);
    let [below, at] = ["< 9007199254740992", ">= 9007199254740992"];
    assert_eq!(value_names(bins("x", &[exact]), Arc::new(column)), [below, at, at]);
    // As floats, these three are the same number.
    let column = Int64Array::from(vec![i64::MAX - 1, i64::MAX, i64::MIN]);
    let above = 2f64.powi(63);
    let within = "-9.223372036854776e18 to < 9.223372036854776e18";
    assert_eq!(value_names(bins("x", &[-above, above]), Arc::new(column)), [within; 3]);
    let column = Int64Array::from(vec![Some(-3), Some(-2), Some(2), Some(3), None]);
    assert_eq!(
        value_names(bins("x", &[-2.5, 2.5]), Arc::new(column)),
        ["< -2.5", "-2.5 to < 2.5", "-2.5 to < 2.5", ">= 2.5", "missing"]
    );
}

#[test]
fn bin_labels_have_short_numbers() {
    let split = bins("x", &[-1e300, -0.25, -0.0, 1e-9, 0.1, 7.0, 1e15, 1e21]);
    insta::assert_snapshot!(conditions(&[split], TimeZone::UTC).values(0).join("\n"), @"
    < -1e300
    -1e300 to < -0.25
    -0.25 to < 0
    0 to < 1e-9
    1e-9 to < 0.1
    0.1 to < 7
    7 to < 1000000000000000
    1000000000000000 to < 1e21
    >= 1e21
    missing
    ");
}

#[test]
fn calendar_conditions_use_the_time_zone_of_the_study() {
    let mut conditions = conditions(&[Split::Weekend, Split::DayOfWeek, Split::Hour], zone("Asia/Kathmandu"));
    assert_eq!(conditions.sizes(), [2, 7, 24]);
    // 18:15 in UTC is midnight in Kathmandu.
    let observed: Vec<_> = [
        "2016-07-01T18:14:59.999999Z",
        "2016-07-01T18:15:00Z",
        "2016-07-03T18:15:00Z",
        "1969-12-31T23:00:00Z",
    ]
    .map(micros)
    .to_vec();
    let codes =
        conditions.classify(&batch(vec![("x", Arc::new(Int64Array::from(vec![0; 4])))]), &observed).unwrap();
    let names = |row: usize| {
        (0..3)
            .map(|c| conditions.values(c)[usize::from(codes[c][row])].as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(0), "weekday friday 23");
    assert_eq!(names(1), "weekend saturday 00");
    assert_eq!(names(2), "weekday monday 00");
    // Kathmandu was at +05:30 until 1986.
    assert_eq!(names(3), "weekday thursday 04");
}

#[test]
fn a_batch_of_another_study_is_rejected() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let error = |split: Split, observed: &[i64]| {
        conditions(&[split], TimeZone::UTC).classify(&batch(vec![("x", text.clone())]), observed).unwrap_err()
    };
    let errors = [
        error(values("y", &["a"]), &[0]),
        error(bins("x", &[1.0]), &[0]),
        error(Split::Hour, &[0, 0]),
        conditions(&[values("x", &["a"])], TimeZone::UTC)
            .classify(&batch(vec![("x", Arc::new(Float64Array::from(vec![1.0])))]), &[0])
            .unwrap_err(),
    ];
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @"
    cannot classify by condition `day`: the batch has no column `y`
    cannot classify by condition `day`: column `x` has type Utf8, expected Int64 or Float64
    cannot classify the batch: it has 1 rows, but 2 observed times
    cannot classify by condition `day`: column `x` has type Float64, expected Utf8, Int64 or Boolean
    ");
}

#[test]
fn more_values_than_an_index_can_number_are_rejected() {
    let many = |count: usize| {
        let values = (0..count).map(|value| value.to_string()).collect();
        let split = Split::Values { field: "x".to_owned(), values };
        Conditions::new(&[Condition { name: "room".to_owned(), split }], TimeZone::UTC)
    };
    assert_eq!(many(65_533).unwrap().sizes(), [65_535]);
    let error = many(65_534).unwrap_err();
    assert_eq!(error, ConditionError::TooManyValues { condition: "room".to_owned(), count: 65_536 });
    insta::assert_snapshot!(
        error,
        @"cannot compile condition `room`: it has 65536 values, more than 65535; declare fewer"
    );
}

proptest! {
    #[test]
    fn calendar_conditions_match_jiff((zone, instant) in instants(), apart in -10_000_000_000_000..10_000_000_000_000i64) {
        let observed = [instant, instant + apart];
        let rows = batch(vec![("x", Arc::new(Int64Array::from(vec![0; 2])))]);
        let splits = [Split::Weekend, Split::DayOfWeek, Split::Hour, Split::Month];
        let mut conditions = conditions(&splits, zone.clone());
        let codes = conditions.classify(&rows, &observed).unwrap();
        let occurrences = |conditions: &mut Conditions, condition| conditions.occurrences(condition, &observed).unwrap();
        let [days, hours, months] = [0, 2, 3].map(|condition| occurrences(&mut conditions, condition));
        for (row, micros) in observed.into_iter().enumerate() {
            let local = zone.to_datetime(Timestamp::from_microsecond(micros).unwrap());
            let weekday = local.date().weekday();
            let weekend = matches!(weekday, Weekday::Saturday | Weekday::Sunday);
            prop_assert_eq!(codes[0][row], u16::from(weekend));
            prop_assert_eq!(codes[1][row], weekday.to_monday_zero_offset() as u16);
            prop_assert_eq!(codes[2][row], local.hour() as u16);
            prop_assert_eq!(codes[3][row], local.month() as u16 - 1);
            let day = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days[row]));
            prop_assert_eq!(day, local.date());
            prop_assert_eq!(hours[row], days[row] * 24 + i64::from(local.hour()));
            prop_assert_eq!(months[row], i64::from(local.year()) * 12 + i64::from(local.month()) - 1);
        }
    }

    #[test]
    fn bins_match_exact_comparison(
        x in any::<i64>(),
        near in prop::collection::btree_set(-3..3i64, 1..4),
    ) {
        // Edges near the value itself, where a conversion to a float would change it.
        let mut edges: Vec<f64> = near.iter().map(|d| x.saturating_add(d << 8) as f64).collect();
        edges.dedup();
        let column = Arc::new(Int64Array::from(vec![x]));
        let code = conditions(&[bins("x", &edges)], TimeZone::UTC).classify(&batch(vec![("x", column)]), &[0]).unwrap()[0][0];
        let not_above = edges.iter().filter(|&&edge| edge as i128 <= i128::from(x)).count();
        prop_assert_eq!(usize::from(code), not_above);
    }
}
