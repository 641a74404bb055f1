//! Collects how often the substrate decides the same for the same input class, and how often the models agree with it there.
//!
//! Invariants: each evaluated pair is added once; a study without `[ceiling]` collects nothing. The fields of the input
//! class, their bins and the study's hash key alone decide which snapshots are one input class.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::evaluation::answer_hashes::{answer_hashes, append_length_prefixed};
use crate::evaluation::text_column::TextColumn;
use crate::evaluation::verdict_stats::ScoredPairBatch;
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use understudy_statistics::scoring::{InputClassPair, Rater, SelfAgreementSums, input_class_capacity};
use understudy_study::{PerStream, Scope};

/// Adds evaluated pairs to the sums by input class and by rater.
pub struct SelfAgreementCollector {
    /// The fields of an input class: the index of each among the buffered snapshot fields, and the edges between its bins.
    fields: Vec<(usize, Vec<f64>)>,
    /// The index of the field that says who decided, among the buffered decision fields.
    rater: Option<usize>,
    shows_raters: bool,
    scopes: Vec<Scope>,
    /// The most counts of answers by window and scope.
    capacity: usize,
    /// The study's hash key.
    key: u64,
}

impl SelfAgreementCollector {
    /// A collector for a study; `None` without `[ceiling]`. For each stream, `buffered_fields` are the indices of the
    /// declared fields that the join buffers.
    pub fn new(
        sealed_study: &SealedStudy,
        buffered_fields: &PerStream<Vec<usize>>,
    ) -> Option<SelfAgreementCollector> {
        let study = &sealed_study.study;
        let ceiling = study.ceiling.as_ref()?;
        let column = |buffered: &[usize], field: usize| {
            let column = buffered.iter().position(|buffered| *buffered == field);
            column.expect("the fields of an input class and its rater are buffered")
        };
        let fields = ceiling
            .fields
            .iter()
            .map(|field| (column(&buffered_fields.snapshots, field.field), field.edges.clone()));
        Some(SelfAgreementCollector {
            fields: fields.collect(),
            rater: ceiling.rater.map(|rater| column(&buffered_fields.decisions, rater)),
            shows_raters: ceiling.show_raters,
            scopes: study.scopes.clone(),
            capacity: input_class_capacity(study.windows.every),
            key: sealed_study.key,
        })
    }

    /// Adds a batch of evaluated pairs.
    pub fn add(&self, batch: &ScoredPairBatch<'_>, sums: &mut SelfAgreementSums) {
        let sources = batch.sources;
        let classes: Vec<Vec<InputClassColumn<'_>>> = sources
            .snapshot_batches
            .iter()
            .map(|snapshots| {
                let column = |(index, edges)| InputClassColumn::new(snapshots.fields.column(index), edges);
                self.fields.iter().map(|(index, edges)| column((*index, edges))).collect()
            })
            .collect();
        let raters: Option<Vec<TextColumn<'_>>> = self.rater.map(|index| {
            let columns = sources.decision_batches.iter().map(|decisions| decisions.fields.column(index));
            columns.map(TextColumn::new).collect()
        });
        let substrate = answer_hashes(batch.comparator, self.key);
        let models: Vec<Vec<Option<u64>>> =
            batch.models.iter().map(|answers| answer_hashes(answers, self.key)).collect();
        let (mut scopes, mut equal) = (Vec::new(), Vec::new());
        let (mut class, mut rater) = (Vec::new(), Vec::new());
        for (at, &row) in batch.rows.iter().enumerate() {
            // Evaluated pairs have an answer of the comparator.
            let Some(answer) = substrate[at] else { continue };
            study_fields::matching_scopes(
                &self.scopes,
                |condition| batch.conditions[condition][at],
                &mut scopes,
            );
            class.clear();
            let (source, within) = sources.snapshots[row];
            classes[source].iter().for_each(|column| column.write(within, &mut class));
            equal.clear();
            equal.extend(models.iter().map(|hashes| hashes[at] == Some(answer)));
            rater.clear();
            let (source, within) = sources.decisions[row];
            let name = raters.as_ref().and_then(|columns| columns[source].value(within));
            write_value(name.as_deref(), &mut rater);
            let pair = InputClassPair {
                window: batch.windows[at],
                scopes: &scopes,
                class: self.hash(&class),
                answer,
                rater: name.as_deref().map(|name| Rater {
                    // 0 is no rater.
                    hash: self.hash(&rater).max(1),
                    name: self.shows_raters.then_some(name),
                }),
                equal: &equal,
            };
            sums.add(&pair, self.capacity);
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.key)
    }
}

/// A column of the values of an input class.
enum InputClassColumn<'c> {
    /// Integers or numbers, compared by their bins, and the edges between these bins.
    Binned(&'c ArrayRef, &'c [f64]),
    /// Values that are compared as they are.
    Exact(TextColumn<'c>),
}

impl<'c> InputClassColumn<'c> {
    fn new(column: &'c ArrayRef, edges: &'c [f64]) -> InputClassColumn<'c> {
        match edges {
            [] => InputClassColumn::Exact(TextColumn::new(column)),
            edges => InputClassColumn::Binned(column, edges),
        }
    }

    /// Appends the value of a row so that different rows of values have different bytes.
    fn write(&self, row: usize, bytes: &mut Vec<u8>) {
        match self {
            InputClassColumn::Binned(column, edges) => {
                bytes.push(u8::from(column.is_valid(row)));
                if column.is_valid(row) {
                    let value = match column.as_primitive_opt::<Int64Type>() {
                        Some(integers) => integers.value(row) as f64,
                        None => column.as_primitive::<Float64Type>().value(row),
                    };
                    bytes.extend((edges.partition_point(|edge| *edge <= value) as u64).to_le_bytes());
                }
            }
            InputClassColumn::Exact(column) => write_value(column.value(row).as_deref(), bytes),
        }
    }
}

/// Appends a value. A missing value is a value of its own.
fn write_value(value: Option<&str>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(value.is_some()));
    if let Some(text) = value {
        append_length_prefixed(text.as_bytes(), bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};

    use super::*;

    fn written(column: &ArrayRef, edges: &[f64]) -> Vec<Vec<u8>> {
        let column_of_input_class = InputClassColumn::new(column, edges);
        let write = |row| {
            let mut bytes = Vec::new();
            column_of_input_class.write(row, &mut bytes);
            bytes
        };
        (0..column.len()).map(write).collect()
    }

    #[test]
    fn values_in_one_bin_are_equal_and_edges_belong_to_the_bin_above() {
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![Some(6), Some(7), Some(29), Some(30), None]));
        let numbers: ArrayRef =
            Arc::new(Float64Array::from(vec![Some(6.9), Some(7.0), Some(29.9), Some(30.0), None]));
        for column in [integers, numbers] {
            let classes = written(&column, &[7.0, 30.0]);
            assert_eq!(classes[1], classes[2]);
            let different: std::collections::BTreeSet<_> = classes.into_iter().collect();
            assert_eq!(different.len(), 4, "below, between, above and missing");
        }
    }

    #[test]
    fn values_without_bins_are_compared_themselves() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a"), Some("a"), Some("b"), Some(""), None]));
        let numbers: ArrayRef =
            Arc::new(Float64Array::from(vec![Some(0.1), Some(0.1), Some(0.2), Some(0.0), None]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(true), Some(false), None]));
        for column in [texts, numbers, flags] {
            let classes = written(&column, &[]);
            assert_eq!(classes[0], classes[1]);
            let different: std::collections::BTreeSet<_> = classes.into_iter().collect();
            assert_eq!(different.len(), column.len() - 1);
        }
    }

    #[test]
    fn values_of_neighbouring_fields_are_told_apart() {
        let column = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let class = |one: &str, other: &str| {
            [written(&column(one), &[]).concat(), written(&column(other), &[]).concat()].concat()
        };
        assert_ne!(class("ab", "c"), class("a", "bc"));
    }
}
