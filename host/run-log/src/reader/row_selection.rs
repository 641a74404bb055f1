//! Selects rows by the values of one column.
//!
//! Invariants: statistics rule out a row group only if it has no accepted row.

use std::collections::BTreeSet;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

/// Accepts rows by the value of one column.
#[derive(Clone, Debug)]
pub enum RowSelection {
    /// Rows whose text column has one of these values.
    Texts(&'static str, BTreeSet<String>),
    /// Rows whose column of unsigned numbers has one of these values.
    Numbers(&'static str, BTreeSet<u64>),
}

impl RowSelection {
    pub(crate) fn column(&self) -> &'static str {
        match self {
            RowSelection::Texts(column, _) | RowSelection::Numbers(column, _) => column,
        }
    }

    /// Whether each row of a batch is accepted. A batch without the column has no accepted row.
    pub(crate) fn mask(&self, batch: &RecordBatch) -> BooleanArray {
        let column = batch.column_by_name(self.column());
        let mask = match self {
            RowSelection::Texts(_, wanted) => {
                let texts = column.and_then(|column| column.as_string_opt::<i32>());
                // The usual selection has one value, and comparing with it is cheaper than a lookup.
                let only = if wanted.len() == 1 { wanted.first() } else { None };
                texts.map(|texts| match only {
                    Some(only) => texts.iter().map(|text| Some(text == Some(only))).collect(),
                    None => texts.iter().map(|text| text.map(|text| wanted.contains(text))).collect(),
                })
            }
            RowSelection::Numbers(_, wanted) => {
                let numbers = column.and_then(|column| column.as_primitive_opt::<UInt64Type>());
                numbers.map(|numbers| numbers.values().iter().map(|n| Some(wanted.contains(n))).collect())
            }
        };
        mask.unwrap_or_else(|| BooleanArray::from(vec![false; batch.num_rows()]))
    }

    /// Whether the statistics of a row group allow for an accepted row.
    pub(crate) fn may_match(&self, group: &RowGroupMetaData) -> bool {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == self.column());
        let Some(statistics) = chunk.and_then(|chunk| chunk.statistics()) else { return true };
        match (self, statistics) {
            (RowSelection::Texts(_, wanted), Statistics::ByteArray(bounds)) => {
                let Some((least, greatest)) = bounds.min_opt().zip(bounds.max_opt()) else { return true };
                let inside =
                    |text: &String| least.data() <= text.as_bytes() && text.as_bytes() <= greatest.data();
                wanted.iter().any(inside)
            }
            (RowSelection::Numbers(_, wanted), Statistics::Int64(bounds)) => {
                let Some((least, greatest)) = bounds.min_opt().zip(bounds.max_opt()) else { return true };
                wanted.range(*least as u64..).next().is_some_and(|first| *first <= *greatest as u64)
            }
            _ => true,
        }
    }
}
