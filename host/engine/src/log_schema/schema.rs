//! The tables of the run log: their columns, and how batches become rows.
//!
//! Invariants: a field has the name under which plugins ask for it: `input.NAME` for a snapshot field,
//! `decision.NAME` for a decision field. Sequence numbers count all received records of a stream from 0,
//! accepted and excluded.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, Float64Array, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt16Type};

use crate::batches::evaluated_pairs::EvaluatedPairs;
use crate::batches::messages::InferredBatch;
use crate::plugins::study_fields;
use crate::plugins::study_fields::declared_field;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{Answers, ExcludedRecord, Reason, Records, data_type};
use understudy_sandbox::InputField;
use understudy_statistics::scoring::{Window, WindowClock};
use understudy_study::{FieldKind, Stream, Study};

/// The schemas of the tables, in the order of [`Table::ALL`](understudy_run_log::Table::ALL).
pub fn schemas(prepared: &SealedStudy) -> [SchemaRef; 4] {
    let study = &prepared.study;
    let mut snapshots = record_fields(&study.inputs, "observed_at", "input.", study.log.keep_raw);
    for model in &prepared.models {
        let name = format!("model.{}", model.name);
        snapshots.extend(Answers::column_fields(&name, model.plugin.form));
        // Null for a blinded snapshot.
        snapshots.push(Field::new(format!("{name}.nanos"), DataType::UInt64, prepared.blinding.is_some()));
    }
    let decisions = record_fields(&study.decisions, "decided_at", "decision.", study.log.keep_raw);
    let refused = vec![
        Field::new("stream", DataType::Utf8, false),
        Field::new("sequence", DataType::UInt64, false),
        Field::new("line", DataType::UInt64, false),
        Field::new("offset", DataType::UInt64, false),
        Field::new("reason", DataType::Utf8, false),
        Field::new("detail", DataType::Utf8, false),
        Field::new("raw", DataType::Binary, false),
        Field::new("digest", DataType::UInt64, false),
    ];
    [snapshots, decisions, refused, PairTableBuilder::fields(prepared)]
        .map(|fields| Arc::new(Schema::new(fields)))
}

fn record_fields(stream: &Stream, time: &str, prefix: &str, keep_raw: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::new("sequence", DataType::UInt64, false),
        Field::new(GENERATION, DataType::UInt32, false),
        Field::new("line", DataType::UInt64, false),
        Field::new("offset", DataType::UInt64, false),
        Field::new("id", DataType::Utf8, false),
        Field::new(time, data_type(FieldKind::Timestamp), false),
    ];
    for field in &stream.fields {
        fields.push(Field::new(format!("{prefix}{}", field.name), data_type(field.kind), true));
    }
    if keep_raw {
        fields.push(Field::new("raw", DataType::Utf8, false));
    }
    fields.push(Field::new("digest", DataType::UInt64, false));
    fields
}

fn record_columns(sequences: &[u64], generation: u32, records: &Records, keep_raw: bool) -> Vec<ArrayRef> {
    let numbers = |values: &[u64]| Arc::new(UInt64Array::from(values.to_vec())) as ArrayRef;
    let mut columns = vec![
        numbers(sequences),
        Arc::new(UInt32Array::from_value(generation, sequences.len())),
        numbers(&records.lines),
        numbers(&records.offsets),
        Arc::new(records.ids.clone()),
        times(records.times.clone()),
    ];
    columns.extend(records.fields.columns().iter().cloned());
    if keep_raw {
        columns.push(Arc::new(records.raw.clone()));
    }
    columns.push(numbers(&records.digests));
    columns
}

/// Whether the log keeps the text of records.
fn has_raw(schema: &SchemaRef) -> bool {
    schema.column_with_name("raw").is_some()
}

fn times(micros: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}

/// Encodes answered snapshots.
pub fn snapshots(schema: &SchemaRef, answered: &InferredBatch) -> RecordBatch {
    let job = &answered.batch;
    let mut columns = record_columns(&job.sequences, job.generation, &job.records, has_raw(schema));
    for model in &answered.models {
        let answers = &model.output.answers;
        columns.extend(answers.columns("").map(|(_, column)| column));
        let mut nanos: Vec<Option<u64>> = model.nanos.iter().map(|nanos| Some(nanos.0)).collect();
        for (row, _) in answers.unanswered.iter().filter(|(_, why)| *why == Reason::Blinded) {
            nanos[*row as usize] = None;
        }
        columns.push(Arc::new(UInt64Array::from(nanos)));
    }
    RecordBatch::try_new(schema.clone(), columns).expect("the columns are made for this schema")
}

/// Encodes decisions.
pub fn decisions(schema: &SchemaRef, sequences: &[u64], generation: u32, records: &Records) -> RecordBatch {
    RecordBatch::try_new(schema.clone(), record_columns(sequences, generation, records, has_raw(schema)))
        .expect("the columns are made for this schema")
}

/// Encodes excluded records with their sequence numbers.
pub fn excluded(schema: &SchemaRef, refused: &[(u64, ExcludedRecord)]) -> RecordBatch {
    let text =
        |of: fn(&ExcludedRecord) -> &str| StringArray::from_iter_values(refused.iter().map(|(_, r)| of(r)));
    let numbers =
        |of: fn(&(u64, ExcludedRecord)) -> u64| UInt64Array::from_iter_values(refused.iter().map(of));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(text(|r| r.kind.name())),
        Arc::new(numbers(|(sequence, _)| *sequence)),
        Arc::new(numbers(|(_, r)| r.position.line)),
        Arc::new(numbers(|(_, r)| r.position.offset)),
        Arc::new(text(|r| r.reason.name())),
        Arc::new(text(|r| &r.detail)),
        Arc::new(BinaryArray::from_iter_values(refused.iter().map(|(_, r)| &r.raw))),
        Arc::new(numbers(|(_, r)| r.position.digest)),
    ];
    RecordBatch::try_new(schema.clone(), columns).expect("the columns are made for this schema")
}

/// Column: the generation of a record or pair, see
/// [`PluginVersions`](crate::plugins::plugin_versions::PluginVersions).
pub const GENERATION: &str = "generation";
/// Column: whether a model answered the snapshot of a pair.
pub const OUTCOME: &str = "outcome";
/// Column: whether the snapshot of a pair was blinded.
pub const BLINDED: &str = "blinded";
/// The host's own component of each metric: whether it scored a pair.
pub const SCORED: &str = "scored";

/// Columns of the pair table that may be shown, besides the conditions and the comparator's answer. Sequence
/// numbers mean nothing outside the log, and scores are shown as one number per metric.
const DISCLOSED_PAIR_COLUMNS: [&str; 9] = [
    "id",
    GENERATION,
    "observed_at",
    "decided_at",
    "window",
    BLINDED,
    "comparator.answer",
    "comparator.unanswered",
    "comparator.confidence",
];

/// Whether a column of the pair table may be shown in cases, exports and `understudy log`. A column that is
/// not listed here is never shown.
pub fn is_disclosed_pair_column(study: &Study, column: &str) -> bool {
    is_disclosed(study.conditions.iter().map(|condition| condition.name.as_str()), column)
}

fn is_disclosed<'c>(mut conditions: impl Iterator<Item = &'c str>, column: &str) -> bool {
    DISCLOSED_PAIR_COLUMNS.contains(&column)
        || column.strip_prefix("condition.").is_some_and(|name| conditions.any(|condition| condition == name))
}

/// The schema of a plugin's input from pairs: the fields that it reads, under its names.
pub fn reads_schema(study: &Study, reads: &[InputField]) -> SchemaRef {
    let field = |reads: &InputField| {
        let kind = declared_field(study, &reads.name).expect("checked when prepared").kind;
        Field::new(&reads.name, data_type(kind), true)
    };
    Arc::new(Schema::new(reads.iter().map(field).collect::<Vec<_>>()))
}

/// Builds rows of the pair table. With blinding, the table has a column that says whether a pair is blinded,
/// and for blinded pairs each model's later answer in `model.NAME.*`. With `log.retain`, it also has each
/// model's scores: `model.NAME.outcome`, and per metric `model.NAME.METRIC.COMPONENT`, the last of which says
/// whether the metric scored the pair.
pub struct PairTableBuilder {
    schema: SchemaRef,
    /// Whether the study blinds ids.
    blinded: bool,
    /// Per model and metric: number of stored components; empty without `log.retain`.
    scores: Vec<Vec<usize>>,
    clock: WindowClock,
    label: Option<(Window, String)>,
    /// Per condition: the names of its values.
    values: Vec<ArrayRef>,
}

impl PairTableBuilder {
    /// A builder for the pairs of a study.
    pub fn new(prepared: &SealedStudy) -> PairTableBuilder {
        let study = &prepared.study;
        let conditions = study_fields::conditions(study);
        let names = |condition: usize| {
            Arc::new(StringArray::from_iter_values(conditions.values(condition))) as ArrayRef
        };
        let components: Vec<usize> = prepared.metrics.iter().map(|m| m.plugin.components.len() + 1).collect();
        let held = if study.log.retain.is_some() { prepared.models.len() } else { 0 };
        PairTableBuilder {
            blinded: prepared.blinding.is_some(),
            scores: vec![components; held],
            schema: Arc::new(Schema::new(Self::fields(prepared))),
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            label: None,
            values: (0..study.conditions.len()).map(names).collect(),
        }
    }

    fn fields(prepared: &SealedStudy) -> Vec<Field> {
        let mut fields = vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("snapshot", DataType::UInt64, false),
            Field::new("decision", DataType::UInt64, false),
            Field::new(GENERATION, DataType::UInt32, false),
            Field::new("observed_at", data_type(FieldKind::Timestamp), false),
            Field::new("decided_at", data_type(FieldKind::Timestamp), false),
            Field::new("window", DataType::Utf8, false),
        ];
        let value = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
        for condition in &prepared.study.conditions {
            fields.push(Field::new(format!("condition.{}", condition.name), value.clone(), false));
        }
        if prepared.blinding.is_some() {
            fields.push(Field::new(BLINDED, DataType::Boolean, false));
        }
        fields.extend(Answers::column_fields("comparator", prepared.comparator.plugin.form));
        if prepared.blinding.is_some() {
            for model in &prepared.models {
                fields.extend(Answers::column_fields(&format!("model.{}", model.name), model.plugin.form));
            }
        }
        if prepared.study.log.retain.is_some() {
            for model in &prepared.models {
                let model = format!("model.{}", model.name);
                fields.push(Field::new(format!("{model}.{OUTCOME}"), DataType::Utf8, true));
                for metric in &prepared.metrics {
                    let own = metric.plugin.components.iter().map(String::as_str);
                    let names =
                        own.chain([SCORED]).map(|component| format!("{model}.{}.{component}", metric.name));
                    fields.extend(names.map(|name| Field::new(name, DataType::Float64, true)));
                }
            }
        }
        fields
    }

    /// Encodes evaluated pairs.
    pub fn batch(&mut self, compared: &EvaluatedPairs) -> RecordBatch {
        let EvaluatedPairs {
            generation,
            batch: sources,
            answers,
            blinded,
            model_answers: given,
            answered,
            models,
        } = compared;
        let rows = sources.snapshots.len();
        let decision = |row: usize| {
            let (batch, within) = sources.decisions[row];
            (&sources.decision_batches[batch], within)
        };
        let mut windows = StringBuilder::with_capacity(rows, rows * 24);
        for row in 0..rows {
            windows.append_value(self.label(sources.snapshot_value(row, |s, r| s.windows[r])));
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| sources.id(row)))),
            Arc::new(UInt64Array::from_iter_values(
                (0..rows).map(|row| sources.snapshot_value(row, |s, r| s.sequences[r])),
            )),
            Arc::new(UInt64Array::from_iter_values((0..rows).map(|row| {
                let (batch, within) = decision(row);
                batch.sequences[within]
            }))),
            Arc::new(UInt32Array::from_value(*generation, rows)),
            times((0..rows).map(|row| sources.snapshot_value(row, |s, r| s.times[r])).collect()),
            times(
                (0..rows)
                    .map(|row| {
                        let (batch, within) = decision(row);
                        batch.times[within]
                    })
                    .collect(),
            ),
            Arc::new(windows.finish()),
        ];
        for (condition, names) in self.values.iter().enumerate() {
            let keys = (0..rows).map(|row| sources.snapshot_value(row, |s, r| s.conditions[condition][r]));
            let keys = UInt16Array::from_iter_values(keys);
            let values = DictionaryArray::<UInt16Type>::try_new(keys, names.clone());
            columns.push(Arc::new(values.expect("a value's index lies within the names")));
        }
        let mut late = vec![None; rows];
        blinded.iter().for_each(|row| late[*row] = Some(*row as u32));
        if self.blinded {
            columns.push(Arc::new(late.iter().map(|row| Some(row.is_some())).collect::<BooleanArray>()));
        }
        columns.extend(answers.columns("").map(|(_, column)| column));
        if self.blinded {
            let late = UInt32Array::from(late);
            let only = |(_, column): (Field, ArrayRef)| {
                take(&column, &late, None).expect("the indices are those of its rows")
            };
            columns.extend(given.iter().flat_map(|answers| answers.columns("").map(only)));
        }
        for (index, metrics) in self.scores.iter().enumerate() {
            let scores = models.get(index);
            let mut outcomes = vec![None; rows];
            for (at, row) in answered.iter().enumerate() {
                outcomes[*row] = scores.map(|scores| scores.statuses[at].name());
            }
            columns.push(Arc::new(StringArray::from(outcomes)));
            for (metric, components) in metrics.iter().enumerate() {
                for component in 0..*components {
                    let mut values = vec![None; rows];
                    for (at, row) in answered.iter().enumerate() {
                        values[*row] = scores.map(|scores| scores.scores[metric][component][at]);
                    }
                    columns.push(Arc::new(Float64Array::from(values)));
                }
            }
        }
        RecordBatch::try_new(self.schema.clone(), columns).expect("the columns are made for this schema")
    }

    fn label(&mut self, window: Window) -> &str {
        if self.label.as_ref().is_none_or(|(known, _)| *known != window) {
            self.label = Some((window, self.clock.label(window)));
        }
        self.label.as_ref().map_or("", |(_, label)| label)
    }
}

#[cfg(test)]
mod tests {
    use super::is_disclosed;

    #[test]
    fn a_new_column_is_not_shown_unless_it_is_listed() {
        let shown = |column: &str| is_disclosed(["region"].into_iter(), column);
        for column in ["id", "observed_at", "decided_at", "window", "condition.region", "comparator.answer"] {
            assert!(shown(column), "{column}");
        }
        for column in [
            "snapshot",
            "decision",
            "operator",
            "condition.other",
            "comparator.latency",
            "model.forest.answer",
            "model.forest.outcome",
        ] {
            assert!(!shown(column), "{column}");
        }
    }
}
