//! Which fields of both records a pair's plugins read, and where they are held.
//!
//! Always holds: of each side are held the fields that the comparator reads and, where ids are blinded, those that the models
//! read, each once. A run that is served holds all that they are granted: whoever takes their place may read that.

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;

use crate::batches::pair_batch::Sources;
use crate::evaluation::verdict_stats;
use crate::log_schema::schema;
use crate::plugins::study_fields::DECISION_PREFIX;
use crate::plugins::load::Prepared;
use crate::plugins::study_fields;
use understudy_sandbox::InputField;
use understudy_study::{PerStream, StreamKind, Study};

/// What a plugin reads of pairs.
pub struct PairProjection {
    /// For each field that it reads: its side, and the place among those that are held of that side.
    columns: Vec<(StreamKind, usize)>,
    schema: SchemaRef,
}

impl PairProjection {
    /// For a plugin that reads these fields. `held` are the places of the declared fields that are held of each side.
    pub fn new(study: &Study, held: &PerStream<Vec<usize>>, reads: &[InputField]) -> PairProjection {
        let place = |field: &InputField| {
            let (side, at) = column(study, &field.name).expect("checked when prepared");
            let place = held[side].iter().position(|held| *held == at);
            (side, place.expect("what is read of a pair is held"))
        };
        PairProjection { columns: reads.iter().map(place).collect(), schema: schema::reads_schema(study, reads) }
    }

    /// The columns that it reads of pairs of which these fields are held, of each side.
    pub fn of(&self, fields: &PerStream<RecordBatch>) -> RecordBatch {
        let columns = self.columns.iter().map(|&(side, index)| fields[side].column(index).clone());
        let rows = RecordBatchOptions::new().with_row_count(Some(fields.snapshots.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns.collect(), &rows)
            .expect("the columns have the types of the study's fields")
    }

    /// The columns that it reads of pairs whose snapshots and decisions stand there among the sources.
    pub fn batch(
        &self,
        sources: &Sources,
        snapshots: &[(usize, usize)],
        decisions: &[(usize, usize)],
    ) -> RecordBatch {
        let column = |&(side, index): &(StreamKind, usize)| -> ArrayRef {
            let (arrays, picks): (Vec<&dyn Array>, _) = match side {
                StreamKind::Snapshots => {
                    (sources.all_shown.iter().map(|s| s.fields.column(index) as _).collect(), snapshots)
                }
                StreamKind::Decisions => {
                    (sources.taken.iter().map(|t| t.fields.column(index) as _).collect(), decisions)
                }
            };
            interleave(&arrays, picks).expect("the columns of a field have one type")
        };
        let columns = self.columns.iter().map(column).collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(snapshots.len()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows)
            .expect("the columns have the types of the study's fields")
    }
}

/// Where a field stands that a plugin may read: its side, and the column among that side's declared fields.
fn column(study: &Study, name: &str) -> Option<(StreamKind, usize)> {
    let (side, stream, key) = match name.strip_prefix(DECISION_PREFIX) {
        Some(key) => (StreamKind::Decisions, &study.decisions, key),
        None => (StreamKind::Snapshots, &study.inputs, name),
    };
    Some((side, stream.fields.iter().position(|field| field.name == key)?))
}

/// For each side the places of the declared fields that have to be held for a pair: those that the comparator reads and,
/// where ids are blinded, those that the models read, and the one by which pairs hang together.
pub fn buffered_fields(prepared: &Prepared) -> PerStream<Vec<usize>> {
    let mut needed = PerStream::<Vec<usize>>::default();
    let late =
        prepared.models.iter().filter(|_| prepared.blind.is_some()).flat_map(|m| m.plugin.reads.iter());
    let study = &prepared.study;
    let own = prepared.comparator.plugin.reads.iter().chain(late).map(|reads| reads.name.as_str());
    let plugins = study.models.iter().chain([&study.comparator]);
    let granted =
        plugins.filter(|_| study.is_live()).flat_map(|plugin| plugin.grant.iter().map(String::as_str));
    for name in own.chain(granted) {
        // A grant may name what the study does not have; nobody reads that.
        let Some((side, at)) = column(study, name) else { continue };
        let places = &mut needed[side];
        if !places.contains(&at) {
            places.push(at);
        }
    }
    if let Some(cluster) = study_fields::cluster(&prepared.study)
        && !needed.snapshots.contains(&cluster)
    {
        needed.snapshots.push(cluster);
    }
    needed
}
