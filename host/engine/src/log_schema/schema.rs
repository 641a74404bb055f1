//! The tables of the run log: their columns, and how batches become rows.
//!
//! Invariants: a field has the name under which plugins ask for it: `input.NAME` for a snapshot field,
//! `decision.NAME` for a decision field. Sequence numbers count all received records of a stream from 0,
//! accepted and excluded. One list per table gives its schema, its rows and the columns that may be shown; a
//! column is shown only if its entry says so.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, Float64Array, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt16Type};

use crate::batches::evaluated_pairs::EvaluatedPairs;
use crate::batches::messages::{DecisionRows, InferredBatch, ModelOutput};
use crate::plugins::study_fields;
use crate::plugins::study_fields::declared_field;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{Answers, ExcludedRecord, Reason, Records, data_type};
use understudy_sandbox::InputField;
use understudy_statistics::scoring::{ModelScores, Window, WindowClock};
use understudy_study::{AnswerForm, Condition, FieldKind, Stream, Study};

/// The schemas of the tables, in the order of [`Table::ALL`](understudy_run_log::Table::ALL).
pub fn schemas(sealed_study: &SealedStudy) -> [SchemaRef; 4] {
    let RecordTables { snapshots, decisions, excluded } = RecordTables::new(sealed_study);
    [snapshots.schema, decisions.schema, excluded.schema, PairTableBuilder::new(sealed_study).table.schema]
}

/// Encodes the columns of one entry, one array per field.
type ColumnEncoder<S> = Box<dyn Fn(&S) -> Vec<ArrayRef> + Send + Sync>;

/// One column of a table, or several that are encoded together, with the way to encode them from `S`.
struct TableColumns<S: ?Sized> {
    fields: Vec<Field>,
    /// Whether cases, exports and `understudy log` may show the columns.
    disclosed: bool,
    encode: ColumnEncoder<S>,
}

impl<S: ?Sized> TableColumns<S> {
    /// Several columns, which are not shown. `encode` returns one array per field.
    fn several(
        fields: impl IntoIterator<Item = Field>,
        encode: impl Fn(&S) -> Vec<ArrayRef> + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns { fields: fields.into_iter().collect(), disclosed: false, encode: Box::new(encode) }
    }

    /// A column without nulls, which is not shown.
    fn required(
        name: impl Into<String>,
        data_type: DataType,
        encode: impl Fn(&S) -> ArrayRef + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns::several([Field::new(name, data_type, false)], move |rows| vec![encode(rows)])
    }

    /// A column that may have nulls, which is not shown.
    fn nullable(
        name: impl Into<String>,
        data_type: DataType,
        encode: impl Fn(&S) -> ArrayRef + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns::several([Field::new(name, data_type, true)], move |rows| vec![encode(rows)])
    }

    /// The same columns, as ones that may be shown.
    fn disclosed(self) -> TableColumns<S> {
        TableColumns { disclosed: true, ..self }
    }
}

/// Encodes the rows of a table from `S`.
pub struct TableEncoder<S: ?Sized> {
    schema: SchemaRef,
    columns: Vec<TableColumns<S>>,
}

impl<S: ?Sized> TableEncoder<S> {
    fn new(columns: Vec<TableColumns<S>>) -> TableEncoder<S> {
        let fields: Vec<Field> = columns.iter().flat_map(|column| column.fields.iter().cloned()).collect();
        TableEncoder { schema: Arc::new(Schema::new(fields)), columns }
    }

    /// Encodes rows.
    pub fn encode(&self, rows: &S) -> RecordBatch {
        let columns = self.columns.iter().flat_map(|column| (column.encode)(rows)).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
            .expect("each column is encoded in the type that it declares")
    }
}

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
            let answers = Answers::column_fields(&name, model.plugin.form);
            snapshots.push(TableColumns::several(answers, move |rows: &InferredBatch| {
                rows.models[index].output.answers.columns("").map(|(_, column)| column).to_vec()
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
            excluded: TableEncoder::new(excluded_columns()),
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

/// The columns of excluded records with their sequence numbers.
fn excluded_columns() -> Vec<TableColumns<[(u64, ExcludedRecord)]>> {
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
    vec![
        text("stream", |record| record.kind.name()),
        number("sequence", |(sequence, _)| *sequence),
        number("line", |(_, record)| record.position.line),
        number("offset", |(_, record)| record.position.offset),
        text("reason", |record| record.reason.name()),
        text("detail", |record| &record.detail),
        TableColumns::required("raw", DataType::Binary, |rows: &[(u64, ExcludedRecord)]| {
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|(_, record)| &record.raw)))
        }),
        number("digest", |(_, record)| record.position.digest),
    ]
}

fn numbers(values: &[u64]) -> ArrayRef {
    Arc::new(UInt64Array::from(values.to_vec()))
}

fn times(micros: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
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

/// The schema of a plugin's input from pairs: the fields that it reads, under its names.
pub fn reads_schema(study: &Study, reads: &[InputField]) -> SchemaRef {
    let field = |reads: &InputField| {
        let kind = declared_field(study, &reads.name).expect("checked when the study was loaded").kind;
        Field::new(&reads.name, data_type(kind), true)
    };
    Arc::new(Schema::new(reads.iter().map(field).collect::<Vec<_>>()))
}

/// Builds rows of the pair table. With blinding, the table has a column that says whether a pair is blinded,
/// and for blinded pairs each model's later answer in `model.NAME.*`. With `log.retain`, it also has each
/// model's scores: `model.NAME.outcome`, and per metric `model.NAME.METRIC.COMPONENT`, the last of which says
/// whether the metric scored the pair.
pub struct PairTableBuilder {
    table: TableEncoder<EvaluatedPairs>,
}

impl PairTableBuilder {
    /// A builder of all columns.
    pub fn new(sealed_study: &SealedStudy) -> PairTableBuilder {
        PairTableBuilder { table: TableEncoder::new(PairTableLayout::from_study(sealed_study).columns()) }
    }

    /// A builder of the columns that cases, exports and `understudy log` may show.
    pub fn with_disclosed_columns(sealed_study: &SealedStudy) -> PairTableBuilder {
        let mut columns = PairTableLayout::from_study(sealed_study).columns();
        columns.retain(|column| column.disclosed);
        PairTableBuilder { table: TableEncoder::new(columns) }
    }

    /// The schema of the built rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.table.schema
    }

    /// Encodes evaluated pairs.
    pub fn batch(&self, pairs: &EvaluatedPairs) -> RecordBatch {
        self.table.encode(pairs)
    }
}

/// What the columns of the pair table depend on.
struct PairTableLayout {
    /// Per condition: its name, and the names of its values.
    conditions: Vec<(String, ArrayRef)>,
    clock: WindowClock,
    /// Whether the study blinds ids.
    blinded: bool,
    /// Whether the table keeps scores.
    retains_scores: bool,
    comparator: AnswerForm,
    /// Name and answer form of each model.
    models: Vec<(String, AnswerForm)>,
    /// Name and components of each metric.
    metrics: Vec<(String, Vec<String>)>,
}

impl PairTableLayout {
    fn from_study(sealed_study: &SealedStudy) -> PairTableLayout {
        let study = &sealed_study.study;
        let values = study_fields::conditions(study);
        let condition = |(index, condition): (usize, &Condition)| {
            let names = StringArray::from_iter_values(values.values(index));
            (condition.name.clone(), Arc::new(names) as ArrayRef)
        };
        let metrics = sealed_study.metrics.iter();
        PairTableLayout {
            conditions: study.conditions.iter().enumerate().map(condition).collect(),
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            blinded: sealed_study.blinding.is_some(),
            retains_scores: study.log.retain.is_some(),
            comparator: sealed_study.comparator.plugin.form,
            models: sealed_study.models.iter().map(|model| (model.name.clone(), model.plugin.form)).collect(),
            metrics: metrics.map(|metric| (metric.name.clone(), metric.plugin.components.clone())).collect(),
        }
    }

    /// The columns. Sequence numbers mean nothing outside the log, and scores are shown as one number per
    /// metric, so neither is disclosed.
    fn columns(self) -> Vec<TableColumns<EvaluatedPairs>> {
        let PairTableLayout { conditions, clock, blinded, retains_scores, comparator, models, metrics } =
            self;
        let mut columns = vec![
            TableColumns::required("id", DataType::Utf8, |pairs: &EvaluatedPairs| {
                Arc::new(StringArray::from_iter_values(rows(pairs).map(|row| pairs.batch.id(row))))
            })
            .disclosed(),
            TableColumns::required("snapshot", DataType::UInt64, |pairs: &EvaluatedPairs| {
                Arc::new(UInt64Array::from_iter_values(rows(pairs).map(|row| pairs.batch.sequence(row))))
            }),
            TableColumns::required("decision", DataType::UInt64, |pairs: &EvaluatedPairs| {
                let sequence = |row| decision_value(pairs, row, |batch, within| batch.sequences[within]);
                Arc::new(UInt64Array::from_iter_values(rows(pairs).map(sequence)))
            }),
            TableColumns::required(GENERATION, DataType::UInt32, |pairs: &EvaluatedPairs| {
                Arc::new(UInt32Array::from_value(pairs.generation, rows(pairs).len()))
            })
            .disclosed(),
            TableColumns::required(
                "observed_at",
                data_type(FieldKind::Timestamp),
                |pairs: &EvaluatedPairs| {
                    let time = |row| pairs.batch.snapshot_value(row, |batch, within| batch.times[within]);
                    times(rows(pairs).map(time).collect())
                },
            )
            .disclosed(),
            TableColumns::required(
                "decided_at",
                data_type(FieldKind::Timestamp),
                |pairs: &EvaluatedPairs| {
                    let time = |row| decision_value(pairs, row, |batch, within| batch.times[within]);
                    times(rows(pairs).map(time).collect())
                },
            )
            .disclosed(),
            TableColumns::required("window", DataType::Utf8, move |pairs: &EvaluatedPairs| {
                window_labels(&clock, pairs)
            })
            .disclosed(),
        ];
        for (index, (name, values)) in conditions.into_iter().enumerate() {
            let data_type = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
            let encode = move |pairs: &EvaluatedPairs| {
                let key =
                    |row| pairs.batch.snapshot_value(row, |batch, within| batch.conditions[index][within]);
                let keys = UInt16Array::from_iter_values(rows(pairs).map(key));
                let column = DictionaryArray::<UInt16Type>::try_new(keys, values.clone());
                Arc::new(column.expect("a value's index lies within the names")) as ArrayRef
            };
            columns.push(TableColumns::required(format!("condition.{name}"), data_type, encode).disclosed());
        }
        if blinded {
            columns.push(
                TableColumns::required(BLINDED, DataType::Boolean, |pairs: &EvaluatedPairs| {
                    let blinded = blinded_rows(pairs);
                    Arc::new(blinded.iter().map(|row| Some(row.is_some())).collect::<BooleanArray>())
                })
                .disclosed(),
            );
        }
        columns.push(
            TableColumns::several(
                Answers::column_fields("comparator", comparator),
                |pairs: &EvaluatedPairs| pairs.answers.columns("").map(|(_, column)| column).to_vec(),
            )
            .disclosed(),
        );
        if blinded {
            for (index, (model, form)) in models.iter().enumerate() {
                let fields = Answers::column_fields(&format!("model.{model}"), *form);
                columns.push(TableColumns::several(fields, move |pairs: &EvaluatedPairs| {
                    let only = blinded_rows(pairs);
                    let answers = pairs.model_answers[index].columns("");
                    let blinded = answers.map(|(_, column)| take(&column, &only, None));
                    blinded.map(|column| column.expect("the indices are those of its rows")).to_vec()
                }));
            }
        }
        if retains_scores {
            for (index, (model, _)) in models.iter().enumerate() {
                columns.extend(score_columns(index, model, &metrics));
            }
        }
        columns
    }
}

/// The columns of a model's scores; null where the comparator has no answer.
fn score_columns(
    model: usize,
    name: &str,
    metrics: &[(String, Vec<String>)],
) -> Vec<TableColumns<EvaluatedPairs>> {
    let outcome = format!("model.{name}.{OUTCOME}");
    let mut columns = vec![TableColumns::nullable(outcome, DataType::Utf8, move |pairs: &EvaluatedPairs| {
        let value = |scores: &ModelScores, at: usize| scores.statuses[at].name();
        Arc::new(StringArray::from(answered_values(pairs, model, value)))
    })];
    for (metric, (metric_name, components)) in metrics.iter().enumerate() {
        let components = components.iter().map(String::as_str).chain([SCORED]);
        for (component, component_name) in components.enumerate() {
            let score = format!("model.{name}.{metric_name}.{component_name}");
            columns.push(TableColumns::nullable(score, DataType::Float64, move |pairs: &EvaluatedPairs| {
                let value = |scores: &ModelScores, at: usize| scores.scores[metric][component][at];
                Arc::new(Float64Array::from(answered_values(pairs, model, value)))
            }));
        }
    }
    columns
}

/// A value of each pair that the comparator answered, from a model's scores; `None` for the others.
fn answered_values<T: Clone>(
    pairs: &EvaluatedPairs,
    model: usize,
    value: impl Fn(&ModelScores, usize) -> T,
) -> Vec<Option<T>> {
    let scores = pairs.models.get(model);
    let mut values = vec![None; rows(pairs).len()];
    for (at, row) in pairs.answered.iter().enumerate() {
        values[*row] = scores.map(|scores| value(scores, at));
    }
    values
}

fn rows(pairs: &EvaluatedPairs) -> Range<usize> {
    0..pairs.batch.snapshots.len()
}

fn decision_value<T>(pairs: &EvaluatedPairs, row: usize, value: impl FnOnce(&DecisionRows, usize) -> T) -> T {
    let (batch, within) = pairs.batch.decisions[row];
    value(&pairs.batch.decision_batches[batch], within)
}

/// For each pair its own row if it is blinded, else null.
fn blinded_rows(pairs: &EvaluatedPairs) -> UInt32Array {
    let mut blinded = vec![None; rows(pairs).len()];
    pairs.blinded.iter().for_each(|row| blinded[*row] = Some(*row as u32));
    UInt32Array::from(blinded)
}

fn window_labels(clock: &WindowClock, pairs: &EvaluatedPairs) -> ArrayRef {
    let count = rows(pairs).len();
    let mut labels = StringBuilder::with_capacity(count, count * 24);
    // Neighbouring pairs mostly share their window.
    let mut last: Option<(Window, String)> = None;
    for row in rows(pairs) {
        let window = pairs.batch.snapshot_value(row, |batch, within| batch.windows[within]);
        match &last {
            Some((known, label)) if *known == window => labels.append_value(label),
            _ => labels.append_value(&last.insert((window, clock.label(window))).1),
        }
    }
    Arc::new(labels.finish())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use understudy_study::{Every, Windows};

    use super::*;

    #[test]
    fn only_listed_columns_are_disclosed() {
        let layout = PairTableLayout {
            conditions: vec![("region".to_owned(), Arc::new(StringArray::from(vec!["north"])))],
            clock: WindowClock::new(
                Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday },
                TimeZone::UTC,
            ),
            blinded: true,
            retains_scores: true,
            comparator: AnswerForm::Label,
            models: vec![("forest".to_owned(), AnswerForm::Label)],
            metrics: vec![("accuracy".to_owned(), vec!["hit".to_owned()])],
        };
        let (disclosed, hidden): (Vec<_>, Vec<_>) =
            layout.columns().into_iter().partition(|column| column.disclosed);
        let names = |columns: &[TableColumns<EvaluatedPairs>]| {
            let fields = columns.iter().flat_map(|column| &column.fields);
            fields.map(|field| field.name().clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&disclosed),
            [
                "id",
                "generation",
                "observed_at",
                "decided_at",
                "window",
                "condition.region",
                "blinded",
                "comparator.answer",
                "comparator.unanswered",
                "comparator.confidence",
            ]
        );
        assert_eq!(
            names(&hidden),
            [
                "snapshot",
                "decision",
                "model.forest.answer",
                "model.forest.unanswered",
                "model.forest.confidence",
                "model.forest.outcome",
                "model.forest.accuracy.hit",
                "model.forest.accuracy.scored",
            ]
        );
    }

    #[test]
    fn a_new_column_is_not_disclosed() {
        let column = TableColumns::<EvaluatedPairs>::required("operator", DataType::UInt64, |pairs| {
            numbers(&[pairs.batch.snapshots.len() as u64])
        });
        assert!(!column.disclosed);
    }
}
