//! Projects a pair onto the fields that a plugin reads, and decides which fields the join has to buffer.
//!
//! Invariants: the join buffers the fields that the comparator reads and, with blinding, those that the
//! models read, each once. A served run buffers every field that its plugins are granted: a plugin that is
//! swapped in may read them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::batches::pair_batch::PairBatch;
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{data_type, record_batch};
use understudy_sandbox::InputField;
use understudy_study::{DECISION_PREFIX, PerStream, StreamKind, Study};

/// The columns of a pair that a plugin reads.
pub struct PairProjection {
    /// For each field that the plugin reads its stream, and its index among the buffered fields of that
    /// stream.
    columns: Vec<(StreamKind, usize)>,
    /// The fields that the plugin reads, under its names.
    schema: SchemaRef,
}

impl PairProjection {
    /// The projection onto the fields `reads`. For each stream, `buffered_fields` are the indices of the
    /// declared fields that the join buffers.
    pub fn new(
        study: &Study,
        buffered_fields: &PerStream<Vec<usize>>,
        reads: &[InputField],
    ) -> PairProjection {
        let column = |field: &InputField| {
            let (kind, declared) =
                declared_column(study, &field.name).expect("checked when the plugin was loaded");
            let buffered = buffered_fields[kind].iter().position(|buffered| *buffered == declared);
            let buffered = buffered.expect("a field that a plugin reads is buffered");
            let data_type = data_type(study.stream(kind).fields[declared].kind);
            ((kind, buffered), Field::new(&field.name, data_type, true))
        };
        let (columns, fields): (_, Vec<Field>) = reads.iter().map(column).unzip();
        PairProjection { columns, schema: Arc::new(Schema::new(fields)) }
    }

    /// Projects pairs whose buffered fields are `fields`, row by row.
    pub fn project_sample(&self, fields: &PerStream<RecordBatch>) -> RecordBatch {
        let columns = self.columns.iter().map(|&(kind, index)| fields[kind].column(index).clone());
        self.batch(columns.collect(), fields.snapshots.num_rows())
    }

    /// Projects pairs of `sources`. `snapshots` and `decisions` are the batch and row of each pair's records;
    /// `decisions` may be empty for a model, which reads no field of them.
    pub fn project_pairs(
        &self,
        sources: &PairBatch,
        snapshots: &[(usize, usize)],
        decisions: &[(usize, usize)],
    ) -> RecordBatch {
        let column = |&(kind, index): &(StreamKind, usize)| -> ArrayRef {
            let (arrays, picks): (Vec<&dyn Array>, _) = match kind {
                StreamKind::Snapshots => (
                    sources.snapshot_batches.iter().map(|s| s.fields.column(index) as _).collect(),
                    snapshots,
                ),
                StreamKind::Decisions => (
                    sources.decision_batches.iter().map(|d| d.fields.column(index) as _).collect(),
                    decisions,
                ),
            };
            interleave(&arrays, picks).expect("the columns of a field have one type")
        };
        self.batch(self.columns.iter().map(column).collect(), snapshots.len())
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
        record_batch(self.schema.clone(), columns, rows)
            .expect("the columns have the types of the study's fields")
    }
}

/// The stream of a field that a plugin may read, and the field's index among that stream's declared fields.
fn declared_column(study: &Study, name: &str) -> Option<(StreamKind, usize)> {
    let (kind, key) = match name.strip_prefix(DECISION_PREFIX) {
        Some(key) => (StreamKind::Decisions, key),
        None => (StreamKind::Snapshots, name),
    };
    Some((kind, study.stream(kind).fields.iter().position(|field| field.name == key)?))
}

/// For each stream the indices of the declared fields that the join has to buffer:
/// - the fields that the comparator reads;
/// - with blinding, those that the models read; in a served run, those that are granted;
/// - the cluster field of the threshold;
/// - the fields of the ceiling's input classes, and the rater.
pub fn buffered_fields(sealed_study: &SealedStudy) -> PerStream<Vec<usize>> {
    let mut buffered = PerStream::<Vec<usize>>::default();
    let study = &sealed_study.study;
    let has_blinding = sealed_study.blinding.is_some();
    let models =
        sealed_study.models.iter().filter(|_| has_blinding).flat_map(|model| model.plugin.reads.iter());
    let read = sealed_study.comparator.plugin.reads.iter().chain(models).map(|field| field.name.as_str());
    let plugins = study.models.iter().chain([&study.comparator]).filter(|_| study.is_live());
    let granted = plugins.flat_map(|plugin| plugin.grant.iter().map(String::as_str));
    for name in read.chain(granted) {
        // A grant may name a field that the study does not have; no plugin can read it.
        let Some((kind, field)) = declared_column(study, name) else { continue };
        if !buffered[kind].contains(&field) {
            buffered[kind].push(field);
        }
    }
    let ceiling = study.ceiling.as_ref();
    let classes = ceiling.into_iter().flat_map(|ceiling| &ceiling.fields).map(|field| field.field);
    for field in study_fields::cluster_field(study).into_iter().chain(classes) {
        if !buffered.snapshots.contains(&field) {
            buffered.snapshots.push(field);
        }
    }
    if let Some(rater) = ceiling.and_then(|ceiling| ceiling.rater)
        && !buffered.decisions.contains(&rater)
    {
        buffered.decisions.push(rater);
    }
    buffered
}
