//! The class probabilities of a batch of answers.
//!
//! Invariants (validated by the sandbox): an answered row has at least one class, an unanswered row none; the
//! probabilities of a row are from 0 to 1, of distinct classes, and add up to 1.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, MapArray, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};

use super::Names;
use super::name_dictionary::{Dictionary, MergedDictionary};

/// The probabilities of classes. The classes of row `i` are `codes[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Probabilities {
    /// The distinct classes.
    pub names: Names,
    /// One offset into `codes` per row, and the end of the last row.
    pub offsets: Vec<u32>,
    /// Indices into `names`.
    pub codes: Vec<u32>,
    /// The probability of each code, from 0 to 1.
    pub values: Vec<f64>,
}

impl Probabilities {
    /// Those of rows without an answer.
    pub fn none(rows: usize) -> Probabilities {
        let names = Names::from(Vec::<&str>::new());
        Probabilities { names, offsets: vec![0; rows + 1], codes: Vec::new(), values: Vec::new() }
    }

    /// The classes of a row, each with its probability, in the order of the plugin.
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = (&str, f64)> {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        range.map(|at| (self.names.value(self.codes[at] as usize), self.values[at]))
    }

    /// The probability of a class in a row: 0 if it is not among its classes, `None` if the row has none.
    pub fn probability_of(&self, row: usize, class: &str) -> Option<f64> {
        let mut classes = self.row(row);
        (classes.len() > 0).then(|| classes.find(|(name, _)| *name == class).map_or(0.0, |(_, value)| value))
    }

    /// The approximate size in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.names.get_array_memory_size()
            + 4 * (self.offsets.len() + self.codes.len())
            + 8 * self.values.len()
    }

    /// Row `i` is row `picks[i].1` of `sources[picks[i].0]`. A source without probabilities has rows without classes.
    pub(super) fn gather<'a>(
        sources: impl Iterator<Item = Option<&'a Probabilities>>,
        picks: &[(usize, usize)],
    ) -> Probabilities {
        let sources: Vec<Option<&Probabilities>> = sources.collect();
        let none = Names::from(Vec::<&str>::new());
        let mut merged =
            MergedDictionary::new(sources.iter().map(|own| own.map_or(&none, |own| &own.names)).collect());
        let (mut offsets, mut codes, mut values) = (vec![0], Vec::new(), Vec::new());
        for &(source, row) in picks {
            if let Some(own) = sources[source] {
                let range = own.offsets[row] as usize..own.offsets[row + 1] as usize;
                codes.extend(own.codes[range.clone()].iter().map(|code| merged.code(source, *code)));
                values.extend_from_slice(&own.values[range]);
            }
            offsets.push(codes.len() as u32);
        }
        Probabilities { names: merged.finish(), offsets, codes, values }
    }

    /// A map from class to probability for each row; null for a row without classes.
    pub(super) fn column(&self) -> ArrayRef {
        let mut names = StringBuilder::with_capacity(self.codes.len(), self.codes.len() * 8);
        self.codes.iter().for_each(|code| names.append_value(self.names.value(*code as usize)));
        let classes: ArrayRef = Arc::new(names.finish());
        let values: ArrayRef = Arc::new(Float64Array::from(self.values.clone()));
        let entries = StructArray::new(entry_fields(), vec![classes, values], None);
        let offsets = self.offsets.iter().map(|offset| *offset as i32).collect::<ScalarBuffer<i32>>();
        let has_classes: NullBuffer = self.offsets.windows(2).map(|ends| ends[0] < ends[1]).collect();
        let nulls = (has_classes.null_count() > 0).then_some(has_classes);
        Arc::new(MapArray::new(entries_field(), OffsetBuffer::new(offsets), entries, nulls, false))
    }

    /// Reads what [`Probabilities::column`] wrote; `None` if the column has another type.
    pub(super) fn from_column(column: &ArrayRef) -> Option<Probabilities> {
        let map = column.as_map_opt()?;
        let classes: &StringArray = map.keys().as_string_opt::<i32>()?;
        let probabilities = map.values().as_primitive_opt::<Float64Type>()?;
        let mut names = Dictionary::default();
        let (mut offsets, mut codes, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in 0..map.len() {
            if map.is_valid(row) {
                for at in map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize {
                    codes.push(names.code(classes.value(at)));
                    values.push(probabilities.value(at));
                }
            }
            offsets.push(codes.len() as u32);
        }
        Some(Probabilities { names: names.finish(), offsets, codes, values })
    }
}

fn entry_fields() -> Fields {
    Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Float64, false),
    ])
}

fn entries_field() -> Arc<Field> {
    Arc::new(Field::new("entries", DataType::Struct(entry_fields()), false))
}
