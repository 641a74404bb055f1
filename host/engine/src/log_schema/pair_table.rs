//! The table `pairs/`: joined pairs with the comparator's answer.
//!
//! Invariants: a pair's columns depend on its records, its answers and the study alone, so the table can be
//! derived again from the log.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray, UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef, UInt16Type};

use crate::batches::evaluated_pairs::EvaluatedPairs;
use crate::batches::messages::DecisionRows;
use crate::batches::pair_batch::RevisedPair;
use crate::log_schema::record_tables::GENERATION;
use crate::log_schema::table_encoder::{TableColumns, TableEncoder, times};
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{AnswerSchema, Answers, data_type};
use understudy_statistics::scoring::{ModelScores, Window, WindowClock};
use understudy_study::{Condition, FieldKind};

/// Column: whether a model answered the snapshot of a pair.
pub const OUTCOME: &str = "outcome";
/// Column: whether the snapshot of a pair was blinded.
pub const BLINDED: &str = "blinded";
/// Column: the number of decisions of a pair that do not count.
pub const REVISED_DECISIONS: &str = "revised.decisions";
/// The host's own component of each metric: whether it scored a pair.
pub const SCORED: &str = "scored";

/// Builds rows of the pair table. With revisions, `revised.decisions` is the number of a pair's decisions that do not
/// count; the other columns `revised.*` are about the one at the other end of their order. With blinding, the table has a column that says whether a pair is blinded,
/// and for blinded pairs the answer that each model gave after the decision in `model.NAME.*`. With
/// `log.retain`, it also has each model's scores: `model.NAME.outcome`, and per metric
/// `model.NAME.METRIC.COMPONENT`, the last of which says whether the metric scored the pair.
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
        self.table.schema()
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
    /// Whether a pair may have several decisions.
    revisions: bool,
    /// Whether the table keeps scores.
    retains_scores: bool,
    comparator: AnswerSchema,
    /// Name and answer schema of each model.
    models: Vec<(String, AnswerSchema)>,
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
        let (models, metrics) = (sealed_study.models.iter(), sealed_study.metrics.iter());
        PairTableLayout {
            conditions: study.conditions.iter().enumerate().map(condition).collect(),
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            blinded: sealed_study.blinding.is_some(),
            revisions: study.revisions.are_accepted(),
            retains_scores: study.log.retain.is_some(),
            comparator: sealed_study.comparator.plugin.answer_schema(),
            models: models.map(|model| (model.name.clone(), model.plugin.answer_schema())).collect(),
            metrics: metrics.map(|metric| (metric.name.clone(), metric.plugin.components.clone())).collect(),
        }
    }

    /// The columns. Sequence numbers mean nothing outside the log, and scores are shown as one number per
    /// metric, so neither is disclosed.
    fn columns(self) -> Vec<TableColumns<EvaluatedPairs>> {
        let PairTableLayout {
            conditions,
            clock,
            blinded,
            revisions,
            retains_scores,
            comparator,
            models,
            metrics,
        } = self;
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
                |pairs: &EvaluatedPairs| {
                    pairs.answers.columns("").into_iter().map(|(_, column)| column).collect()
                },
            )
            .disclosed(),
        );
        if revisions {
            columns.extend(revised_columns(comparator));
        }
        if blinded {
            for (index, (model, schema)) in models.iter().enumerate() {
                let fields = Answers::column_fields(&format!("model.{model}"), *schema);
                columns.push(TableColumns::several(fields, move |pairs: &EvaluatedPairs| {
                    let only = blinded_rows(pairs);
                    let answers = pairs.model_answers[index].columns("");
                    let blinded = answers.iter().map(|(_, column)| take(column, &only, None));
                    blinded.map(|column| column.expect("the indices are those of its rows")).collect()
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

/// The columns of revised decisions. All but the first are null for a pair that has only one decision.
fn revised_columns(comparator: AnswerSchema) -> Vec<TableColumns<EvaluatedPairs>> {
    let answer_fields = Answers::column_fields("revised", comparator);
    let types: Vec<DataType> = answer_fields.iter().map(|field| field.data_type().clone()).collect();
    vec![
        TableColumns::required(REVISED_DECISIONS, DataType::UInt32, |pairs: &EvaluatedPairs| {
            let counts = revised_values(pairs, |revised, _| revised.count);
            Arc::new(UInt32Array::from_iter_values(counts.into_iter().map(Option::unwrap_or_default)))
        })
        .disclosed(),
        TableColumns::nullable("revised.decision", DataType::UInt64, |pairs: &EvaluatedPairs| {
            let sequence = |_: &RevisedPair, (batch, row): (&DecisionRows, usize)| batch.sequences[row];
            Arc::new(UInt64Array::from(revised_values(pairs, sequence)))
        }),
        TableColumns::nullable(
            "revised.decided_at",
            data_type(FieldKind::Timestamp),
            |pairs: &EvaluatedPairs| {
                let time = |_: &RevisedPair, (batch, row): (&DecisionRows, usize)| batch.times[row];
                let times = TimestampMicrosecondArray::from(revised_values(pairs, time));
                Arc::new(times.with_timezone("UTC"))
            },
        )
        .disclosed(),
        TableColumns::several(answer_fields, move |pairs: &EvaluatedPairs| {
            let Some(answers) = &pairs.revised_answers else {
                return types.iter().map(|kind| new_null_array(kind, rows(pairs).len())).collect();
            };
            let mut indices = vec![None; rows(pairs).len()];
            let revised = pairs.batch.revised.iter().enumerate();
            revised.for_each(|(at, pair)| indices[pair.row] = Some(at as u32));
            let indices = UInt32Array::from(indices);
            let columns = answers.columns("").into_iter().map(|(_, column)| take(&column, &indices, None));
            columns.map(|column| column.expect("the indices are those of its rows")).collect()
        })
        .disclosed(),
    ]
}

/// A value of the other decision of each pair; `None` for a pair that has only one.
fn revised_values<T: Clone>(
    pairs: &EvaluatedPairs,
    value: impl Fn(&RevisedPair, (&DecisionRows, usize)) -> T,
) -> Vec<Option<T>> {
    let mut values = vec![None; rows(pairs).len()];
    for revised in &pairs.batch.revised {
        let (batch, row) = revised.decision;
        values[revised.row] = Some(value(revised, (&pairs.batch.decision_batches[batch], row)));
    }
    values
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
    use understudy_study::{AnswerForm, Every, Windows};

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
            revisions: true,
            retains_scores: true,
            comparator: AnswerForm::Label.into(),
            models: vec![(
                "forest".to_owned(),
                AnswerSchema { form: AnswerForm::Label, probabilities: true },
            )],
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
                "revised.decisions",
                "revised.decided_at",
                "revised.answer",
                "revised.unanswered",
                "revised.confidence",
            ]
        );
        assert_eq!(
            names(&hidden),
            [
                "snapshot",
                "decision",
                "revised.decision",
                "model.forest.answer",
                "model.forest.unanswered",
                "model.forest.confidence",
                "model.forest.probabilities",
                "model.forest.outcome",
                "model.forest.accuracy.hit",
                "model.forest.accuracy.scored",
            ]
        );
    }

    #[test]
    fn a_new_column_is_not_disclosed() {
        let column = TableColumns::<EvaluatedPairs>::required("operator", DataType::UInt64, |pairs| {
            crate::log_schema::table_encoder::numbers(&[pairs.batch.snapshots.len() as u64])
        });
        assert!(!column.disclosed);
    }
}
