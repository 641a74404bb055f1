//! Collects how often the substrate decides the same in the same case, and how often the models agree with it there.
//!
//! Invariants: each evaluated pair is added once; a study without `[ceiling]` collects nothing. The fields of the case,
//! their bins and the study's hash key alone decide which snapshots are one case.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{Float64Type, Int64Type};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::evaluation::answer_hashes::{answer_hashes, append_length_prefixed};
use crate::evaluation::text_column::TextColumn;
use crate::evaluation::verdict_stats::ScoredPairBatch;
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use understudy_statistics::scoring::{CasePair, Rater, SelfAgreementSums, case_capacity};
use understudy_study::{PerStream, Scope};

/// Adds evaluated pairs to the sums by case and by rater.
pub struct SelfAgreementCollector {
    /// The fields of a case: the index of each among the buffered snapshot fields, and the edges between its bins.
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
            column.expect("the fields of a case and its rater are buffered")
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
            capacity: case_capacity(study.windows.every),
            key: sealed_study.key,
        })
    }

    /// Adds a batch of evaluated pairs.
    pub fn add(&self, batch: &ScoredPairBatch<'_>, sums: &mut SelfAgreementSums) {
        let sources = batch.sources;
        let cases: Vec<Vec<CaseColumn<'_>>> = sources
            .snapshot_batches
            .iter()
            .map(|snapshots| {
                let column = |(index, edges)| CaseColumn::new(snapshots.fields.column(index), edges);
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
        let (mut case, mut rater) = (Vec::new(), Vec::new());
        for (at, &row) in batch.rows.iter().enumerate() {
            // Evaluated pairs have an answer of the comparator.
            let Some(answer) = substrate[at] else { continue };
            study_fields::matching_scopes(
                &self.scopes,
                |condition| batch.conditions[condition][at],
                &mut scopes,
            );
            case.clear();
            let (source, within) = sources.snapshots[row];
            cases[source].iter().for_each(|column| column.write(within, &mut case));
            equal.clear();
            equal.extend(models.iter().map(|hashes| hashes[at] == Some(answer)));
            rater.clear();
            let (source, within) = sources.decisions[row];
            let name = raters.as_ref().and_then(|columns| columns[source].value(within));
            write_value(name.as_deref(), &mut rater);
            let pair = CasePair {
                window: batch.windows[at],
                scopes: &scopes,
                case: self.hash(&case),
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

/// A column of the values of a case.
enum CaseColumn<'c> {
    /// Integers or numbers, compared by their bins, and the edges between these bins.
    Binned(&'c ArrayRef, &'c [f64]),
    /// Values that are compared as they are.
    Exact(TextColumn<'c>),
}

impl<'c> CaseColumn<'c> {
    fn new(column: &'c ArrayRef, edges: &'c [f64]) -> CaseColumn<'c> {
        match edges {
            [] => CaseColumn::Exact(TextColumn::new(column)),
            edges => CaseColumn::Binned(column, edges),
        }
    }

    /// Appends the value of a row so that different rows of values have different bytes.
    fn write(&self, row: usize, bytes: &mut Vec<u8>) {
        match self {
            CaseColumn::Binned(column, edges) => {
                bytes.push(u8::from(column.is_valid(row)));
                if column.is_valid(row) {
                    let value = match column.as_primitive_opt::<Int64Type>() {
                        Some(integers) => integers.value(row) as f64,
                        None => column.as_primitive::<Float64Type>().value(row),
                    };
                    bytes.extend((edges.partition_point(|edge| *edge <= value) as u64).to_le_bytes());
                }
            }
            CaseColumn::Exact(column) => write_value(column.value(row).as_deref(), bytes),
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
        let column_of_case = CaseColumn::new(column, edges);
        let write = |row| {
            let mut bytes = Vec::new();
            column_of_case.write(row, &mut bytes);
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
            let cases = written(&column, &[7.0, 30.0]);
            assert_eq!(cases[1], cases[2]);
            let different: std::collections::BTreeSet<_> = cases.into_iter().collect();
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
            let cases = written(&column, &[]);
            assert_eq!(cases[0], cases[1]);
            let different: std::collections::BTreeSet<_> = cases.into_iter().collect();
            assert_eq!(different.len(), column.len() - 1);
        }
    }

    #[test]
    fn values_of_neighbouring_fields_are_told_apart() {
        let column = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let case = |one: &str, other: &str| {
            [written(&column(one), &[]).concat(), written(&column(other), &[]).concat()].concat()
        };
        assert_ne!(case("ab", "c"), case("a", "bc"));
    }
}
