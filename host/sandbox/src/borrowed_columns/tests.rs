//! Borrowed columns have the values of the rows, also for a slice of a batch.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array, Int64Array, TimestampMicrosecondArray};

use super::*;

/// Borrows the columns of a batch without its first and last row, and formats them.
fn borrow_middle(columns: Vec<ArrayRef>, kinds: &[FieldKind]) -> String {
    let named = columns.into_iter().enumerate().map(|(index, column)| (index.to_string(), column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(named).expect("columns of one length");
    let part = batch.slice(1, batch.num_rows() - 2);
    let borrowed = borrow_columns(&part, kinds);
    borrowed.iter().map(|column| format!("{:?}\n", column.column())).collect()
}

#[test]
fn a_slice_is_borrowed_like_a_whole_batch() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["first", "é", "", "three", "last"])),
        Arc::new(StringArray::from(vec!["[1]", "{}", "null", "\"\"", "[2]"])),
        Arc::new(BooleanArray::from(vec![true, false, true, false, true])),
        Arc::new(BooleanArray::from(vec![false, true, false, true, false])),
        Arc::new(Int64Array::from(vec![9, i64::MIN, 0, i64::MAX, 9])),
        Arc::new(Int64Array::from(vec![9, -1, 0, 1, 9])),
        Arc::new(Float64Array::from(vec![9.0, -0.5, 0.0, 1e300, 9.0])),
        Arc::new(TimestampMicrosecondArray::from(vec![9, -1, 0, 1, 9])),
    ];
    let kinds = [
        FieldKind::Text,
        FieldKind::Json,
        FieldKind::Boolean,
        FieldKind::Number,
        FieldKind::Integer,
        FieldKind::Number,
        FieldKind::Number,
        FieldKind::Timestamp,
    ];
    insta::assert_snapshot!(borrow_middle(columns, &kinds), @"
    Column { values: Values::Text(TextParam { offsets: [0, 2, 2, 7], bytes: [195, 169, 116, 104, 114, 101, 101] }), missing: None }
    Column { values: Values::Json(TextParam { offsets: [0, 2, 6, 8], bytes: [123, 125, 110, 117, 108, 108, 34, 34] }), missing: None }
    Column { values: Values::Boolean([0, 1, 0]), missing: None }
    Column { values: Values::Number([1.0, 0.0, 1.0]), missing: None }
    Column { values: Values::Integer([-9223372036854775808, 0, 9223372036854775807]), missing: None }
    Column { values: Values::Number([-1.0, 0.0, 1.0]), missing: None }
    Column { values: Values::Number([-0.5, 0.0, 1e300]), missing: None }
    Column { values: Values::Timestamp([-1, 0, 1]), missing: None }
    ");
}

#[test]
fn missing_rows_are_relative_to_the_slice() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![None, Some("a"), None, Some("b"), None])),
        Arc::new(BooleanArray::from(vec![None, None, Some(true), None, None])),
        Arc::new(Int64Array::from(vec![None, None, Some(1), Some(2), None])),
        Arc::new(Float64Array::from(vec![None, Some(1.0), Some(2.0), Some(3.0), None])),
    ];
    let kinds = [FieldKind::Text, FieldKind::Boolean, FieldKind::Number, FieldKind::Number];
    insta::assert_snapshot!(borrow_middle(columns, &kinds), @"
    Column { values: Values::Text(TextParam { offsets: [0, 1, 1, 2], bytes: [97, 98] }), missing: Some([1]) }
    Column { values: Values::Boolean([0, 1, 0]), missing: Some([0, 2]) }
    Column { values: Values::Number([0.0, 1.0, 2.0]), missing: Some([0]) }
    Column { values: Values::Number([1.0, 2.0, 3.0]), missing: None }
    ");
}

#[test]
fn an_empty_slice_has_no_values() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["first", "last"])),
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Int64Array::from(vec![1, 2])),
    ];
    insta::assert_snapshot!(borrow_middle(columns, &[FieldKind::Text, FieldKind::Boolean, FieldKind::Number]), @"
    Column { values: Values::Text(TextParam { offsets: [0], bytes: [] }), missing: None }
    Column { values: Values::Boolean([]), missing: None }
    Column { values: Values::Number([]), missing: None }
    ");
}
