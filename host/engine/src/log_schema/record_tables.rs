//! The tables of received records: `snapshots/`, `decisions/` and `excluded/`.
//!
//! Invariants: a field has the name under which plugins ask for it: `input.NAME` for a snapshot field,
//! `decision.NAME` for a decision field. Sequence numbers count all received records of a stream from 0,
//! accepted and excluded.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field};

use crate::batches::messages::{InferredBatch, ModelOutput};
use crate::log_schema::table_encoder::{TableColumns, TableEncoder, numbers, optional_times, times};
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{Answers, ExcludedRecord, Reason, Records, data_type};
use understudy_study::{ALL_SNAPSHOTS, FieldKind, Scope, Stream};

/// Column: the generation of a record or pair, see
/// [`PluginVersions`](crate::plugins::plugin_versions::PluginVersions).
pub const GENERATION: &str = "generation";

/// Column: the scopes of an excluded snapshot by name, separated by spaces; null if they are not known.
pub const SCOPES: &str = "scopes";

/// Accepted decisions, as the log stores them.
pub struct AcceptedDecisions {
    /// Sequence number of each row.
    pub sequences: Vec<u64>,
    /// Generation of the plugins when the decisions were read.
    pub generation: u32,
    /// The decisions themselves.
    pub records: Records,
}

/// Rows of the table of snapshots or decisions.
trait AcceptedRows: 'static {
    fn sequences(&self) -> &[u64];
    fn generation(&self) -> u32;
    fn records(&self) -> &Records;
}

impl AcceptedRows for InferredBatch {
    fn sequences(&self) -> &[u64] {
        &self.batch.sequences
    }

    fn generation(&self) -> u32 {
        self.batch.generation
    }

    fn records(&self) -> &Records {
        &self.batch.records
    }
}

impl AcceptedRows for AcceptedDecisions {
    fn sequences(&self) -> &[u64] {
        &self.sequences
    }

    fn generation(&self) -> u32 {
        self.generation
    }

    fn records(&self) -> &Records {
        &self.records
    }
}

/// The tables of received records: answered snapshots, decisions, and excluded records with their sequence
/// numbers.
pub struct RecordTables {
    /// The table `snapshots/`.
    pub snapshots: TableEncoder<InferredBatch>,
    /// The table `decisions/`.
    pub decisions: TableEncoder<AcceptedDecisions>,
    /// The table `excluded/`.
    pub excluded: TableEncoder<[(u64, ExcludedRecord)]>,
}

impl RecordTables {
    /// The tables of a study.
    pub fn new(sealed_study: &SealedStudy) -> RecordTables {
        let study = &sealed_study.study;
        let mut snapshots = record_columns(&study.inputs, "observed_at", "input.", study.log.keep_raw);
        for (index, model) in sealed_study.models.iter().enumerate() {
            let name = format!("model.{}", model.name);
            let answers = Answers::column_fields(&name, model.plugin.answer_schema());
            snapshots.push(TableColumns::several(answers, move |rows: &InferredBatch| {
                rows.models[index].output.answers.columns("").into_iter().map(|(_, column)| column).collect()
            }));
            let nanos =
                Field::new(format!("{name}.nanos"), DataType::UInt64, sealed_study.blinding.is_some());
            snapshots.push(TableColumns::several([nanos], move |rows: &InferredBatch| {
                vec![latencies(&rows.models[index])]
            }));
        }
        let decisions = record_columns(&study.decisions, "decided_at", "decision.", study.log.keep_raw);
        RecordTables {
            snapshots: TableEncoder::new(snapshots),
            decisions: TableEncoder::new(decisions),
            excluded: TableEncoder::new(excluded_columns(&study.scopes)),
        }
    }
}

/// The latency of a model for each snapshot; null for a blinded snapshot.
fn latencies(model: &ModelOutput) -> ArrayRef {
    let mut nanos: Vec<Option<u64>> = model.latencies.iter().map(|latency| Some(latency.0)).collect();
    for (row, _) in model.output.answers.unanswered.iter().filter(|(_, why)| *why == Reason::Blinded) {
        nanos[*row as usize] = None;
    }
    Arc::new(UInt64Array::from(nanos))
}

/// The columns of accepted records: place, id, event time, declared fields, text and digest.
fn record_columns<S: AcceptedRows>(
    stream: &Stream,
    time: &str,
    prefix: &str,
    keep_raw: bool,
) -> Vec<TableColumns<S>> {
    let field = |field: &understudy_study::Field| {
        Field::new(format!("{prefix}{}", field.name), data_type(field.kind), true)
    };
    let mut columns = vec![
        TableColumns::required("sequence", DataType::UInt64, |rows: &S| numbers(rows.sequences())),
        TableColumns::required(GENERATION, DataType::UInt32, |rows: &S| {
            Arc::new(UInt32Array::from_value(rows.generation(), rows.sequences().len()))
        }),
        TableColumns::required("line", DataType::UInt64, |rows: &S| numbers(&rows.records().lines)),
        TableColumns::required("offset", DataType::UInt64, |rows: &S| numbers(&rows.records().offsets)),
        TableColumns::required("id", DataType::Utf8, |rows: &S| Arc::new(rows.records().ids.clone())),
        TableColumns::required(time, data_type(FieldKind::Timestamp), |rows: &S| {
            times(rows.records().times.clone())
        }),
        TableColumns::several(stream.fields.iter().map(field), |rows: &S| {
            rows.records().fields.columns().to_vec()
        }),
    ];
    if keep_raw {
        columns.push(TableColumns::required("raw", DataType::Utf8, |rows: &S| {
            Arc::new(rows.records().raw.clone())
        }));
    }
    columns.push(TableColumns::required("digest", DataType::UInt64, |rows: &S| {
        numbers(&rows.records().digests)
    }));
    columns
}

/// The columns of excluded records with their sequence numbers. `scopes` are the declared ones.
fn excluded_columns(scopes: &[Scope]) -> Vec<TableColumns<[(u64, ExcludedRecord)]>> {
    let text = |name: &str, value: fn(&ExcludedRecord) -> &str| {
        TableColumns::required(name, DataType::Utf8, move |rows: &[(u64, ExcludedRecord)]| {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, record)| value(record))))
        })
    };
    let number = |name: &str, value: fn(&(u64, ExcludedRecord)) -> u64| {
        TableColumns::required(name, DataType::UInt64, move |rows: &[(u64, ExcludedRecord)]| {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(value)))
        })
    };
    let names = known_scope_names(scopes);
    vec![
        text("stream", |record| record.kind.name()),
        number("sequence", |(sequence, _)| *sequence),
        number("line", |(_, record)| record.position.line),
        number("offset", |(_, record)| record.position.offset),
        text("reason", |record| record.reason.name()),
        text("detail", |record| &record.detail),
        TableColumns::nullable(
            "counted_at",
            data_type(FieldKind::Timestamp),
            |rows: &[(u64, ExcludedRecord)]| {
                optional_times(rows.iter().map(|(_, record)| record.counted_at.map(|at| at.0)).collect())
            },
        ),
        TableColumns::nullable(SCOPES, DataType::Utf8, move |rows: &[(u64, ExcludedRecord)]| {
            let text = |record: &ExcludedRecord| Some(scope_names(record.scopes.as_deref()?, &names));
            Arc::new(rows.iter().map(|(_, record)| text(record)).collect::<StringArray>())
        }),
        TableColumns::required("raw", DataType::Binary, |rows: &[(u64, ExcludedRecord)]| {
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|(_, record)| &record.raw)))
        }),
        number("digest", |(_, record)| record.position.digest),
    ]
}

/// The names of all scopes by index: all of the input, and the declared ones.
pub(super) fn known_scope_names(scopes: &[Scope]) -> Vec<String> {
    let declared = scopes.iter().map(|scope| scope.name.clone());
    std::iter::once(ALL_SNAPSHOTS.to_owned()).chain(declared).collect()
}

/// The names of scopes, separated by spaces, which no name has.
fn scope_names(scopes: &[u16], names: &[String]) -> String {
    scopes.iter().map(|scope| names[usize::from(*scope)].as_str()).collect::<Vec<_>>().join(" ")
}
