//! The order of the revisions of a decision: by version, then event time, then arrival.
//!
//! Invariants: the order is total, and depends on the stream of decisions alone: not on how it is cut into batches.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};

/// The versions of the accepted decisions of a batch.
pub(super) enum Versions {
    /// The study declares no version field.
    Undeclared,
    /// Integers, times, or numbers as integers that have the same order.
    Numbers(Vec<Option<i64>>),
    Texts(StringArray),
}

impl Versions {
    /// The versions of the rows `accepted` of a column.
    pub(super) fn from_column(column: Option<&ArrayRef>, accepted: &[u32]) -> Versions {
        let Some(column) = column else { return Versions::Undeclared };
        let rows = || accepted.iter().map(|row| *row as usize);
        let numbers = |value: &dyn Fn(usize) -> i64| {
            Versions::Numbers(rows().map(|row| column.is_valid(row).then(|| value(row))).collect())
        };
        match column.data_type() {
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>();
                numbers(&|row| values.value(row))
            }
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>();
                numbers(&|row| ordered_bits(values.value(row)))
            }
            DataType::Timestamp(..) => {
                let values = column.as_primitive::<TimestampMicrosecondType>();
                numbers(&|row| values.value(row))
            }
            DataType::Utf8 => {
                let values = column.as_string::<i32>();
                Versions::Texts(rows().map(|row| values.is_valid(row).then(|| values.value(row))).collect())
            }
            other => unreachable!("a version field has an order, and {other} has none"),
        }
    }

    /// Compares the version of a row with that of a row of another batch. A missing version comes first.
    pub(super) fn compare(&self, row: u32, other: &Versions, other_row: u32) -> Ordering {
        let (row, other_row) = (row as usize, other_row as usize);
        match (self, other) {
            (Versions::Numbers(one), Versions::Numbers(other)) => one[row].cmp(&other[other_row]),
            (Versions::Texts(one), Versions::Texts(other)) => text(one, row).cmp(&text(other, other_row)),
            _ => Ordering::Equal,
        }
    }
}

fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// An integer that has the order of the finite number `value`. Both zeros give the same integer.
fn ordered_bits(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, TimestampMicrosecondArray};

    use super::*;

    /// Whether the rows of a column, of which the first is rejected, ascend strictly.
    fn ascend(column: ArrayRef) {
        let accepted: Vec<u32> = (1..column.len() as u32).collect();
        let versions = Versions::from_column(Some(&column), &accepted);
        for one in 0..accepted.len() as u32 {
            for other in 0..accepted.len() as u32 {
                assert_eq!(versions.compare(one, &versions, other), one.cmp(&other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn versions_have_the_order_of_their_type() {
        ascend(Arc::new(Int64Array::from(vec![
            Some(9),
            None,
            Some(i64::MIN),
            Some(-1),
            Some(0),
            Some(2),
            Some(10),
        ])));
        ascend(Arc::new(Float64Array::from(vec![
            Some(9.0),
            None,
            Some(f64::MIN),
            Some(-1.5),
            Some(-1e-300),
            Some(0.0),
            Some(2.0),
            Some(10.0),
            Some(f64::MAX),
        ])));
        ascend(Arc::new(TimestampMicrosecondArray::from(vec![Some(9), None, Some(-5), Some(3)])));
        ascend(Arc::new(StringArray::from(vec![
            Some("z"),
            None,
            Some(""),
            Some("10"),
            Some("9"),
            Some("é"),
        ])));
    }

    #[test]
    fn both_zeros_are_equal_and_undeclared_versions_too() {
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0]));
        let versions = Versions::from_column(Some(&zeros), &[0, 1]);
        assert_eq!(versions.compare(0, &versions, 1), Ordering::Equal);
        let none = Versions::from_column(None, &[0, 1]);
        assert_eq!(none.compare(0, &none, 1), Ordering::Equal);
    }
}
