//! Builds decided rows from evaluated pairs: the disclosed columns of the pair table, the fields of both
//! records, and for each model its answer and its scores.
//!
//! Invariants: one list gives the schema and the rows; a column that is not in it is not shown.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use rustc_hash::FxHashMap;

use understudy_engine::{EvaluatedPairs, PairTableBuilder, SealedStudy, schemas};
use understudy_records::batch::{Answers, interleave_rows};
use understudy_sandbox::Scorer;

/// Scores that are cached per metric, by their components: a metric is called once for each distinct vector.
const CACHED_SCORES: usize = 4096;

/// Where columns of decided rows come from.
#[derive(Clone, Copy)]
enum ColumnSource {
    /// The disclosed columns of the pair table.
    PairTable,
    /// The fields of the snapshots.
    SnapshotFields,
    /// The fields of the decisions.
    DecisionFields,
    /// The answer of this model.
    Answer(usize),
    /// The score that a metric gives a model, or the reason that the metric failed.
    Score { model: usize, metric: usize },
}

/// The columns that may be shown, each group with its source.
fn allowed_columns(sealed_study: &SealedStudy) -> Vec<(Fields, ColumnSource)> {
    let [snapshots, decisions, ..] = schemas(sealed_study);
    let declared = |schema: &SchemaRef, prefix: &str| {
        let fields = schema.fields().iter().filter(|field| field.name().starts_with(prefix));
        fields.cloned().collect::<Fields>()
    };
    let pairs = PairTableBuilder::with_disclosed_columns(sealed_study);
    let mut columns = vec![
        (pairs.schema().fields().clone(), ColumnSource::PairTable),
        (declared(&snapshots, "input."), ColumnSource::SnapshotFields),
        (declared(&decisions, "decision."), ColumnSource::DecisionFields),
    ];
    for (index, model) in sealed_study.models.iter().enumerate() {
        let name = format!("model.{}", model.name);
        let answer = Answers::column_fields(&name, model.plugin.answer_schema());
        columns.push((Fields::from_iter(answer), ColumnSource::Answer(index)));
        for (metric_index, metric) in sealed_study.metrics.iter().enumerate() {
            let score = Field::new(format!("{name}.{}", metric.name), DataType::Float64, true);
            let unscored = Field::new(format!("{name}.{}.unscored", metric.name), DataType::Utf8, true);
            let source = ColumnSource::Score { model: index, metric: metric_index };
            columns.push((Fields::from(vec![score, unscored]), source));
        }
    }
    columns
}

fn schema(columns: &[(Fields, ColumnSource)]) -> SchemaRef {
    let fields = columns.iter().flat_map(|(fields, _)| fields.iter().cloned());
    Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()))
}

/// The columns of decided rows.
pub fn disclosed_columns(sealed_study: &SealedStudy) -> SchemaRef {
    schema(&allowed_columns(sealed_study))
}

/// Builds decided rows from evaluated pairs.
pub(crate) struct DecidedRowBuilder {
    columns: Vec<(Fields, ColumnSource)>,
    schema: SchemaRef,
    /// Builds the disclosed columns of the pair table.
    pairs: PairTableBuilder,
    metrics: Vec<PairScores>,
}

impl DecidedRowBuilder {
    pub(crate) fn new(sealed_study: &SealedStudy) -> DecidedRowBuilder {
        let columns = allowed_columns(sealed_study);
        let metrics = sealed_study.versions.metrics.iter();
        DecidedRowBuilder {
            schema: schema(&columns),
            columns,
            pairs: PairTableBuilder::with_disclosed_columns(sealed_study),
            metrics: metrics.map(|metric| PairScores::new(metric.current().plugin.instance())).collect(),
        }
    }

    /// The decided rows of evaluated pairs, in the same order. The pairs hold all declared fields.
    pub(crate) fn batch(&mut self, compared: &EvaluatedPairs) -> RecordBatch {
        let pairs = &compared.batch;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (_, source) in &self.columns {
            match *source {
                ColumnSource::PairTable => arrays.extend_from_slice(self.pairs.batch(compared).columns()),
                ColumnSource::SnapshotFields => {
                    let batches: Vec<_> = pairs.snapshot_batches.iter().map(|batch| &batch.fields).collect();
                    arrays.extend_from_slice(interleave_rows(&batches, &pairs.snapshots).columns());
                }
                ColumnSource::DecisionFields => {
                    let batches: Vec<_> = pairs.decision_batches.iter().map(|batch| &batch.fields).collect();
                    arrays.extend_from_slice(interleave_rows(&batches, &pairs.decisions).columns());
                }
                ColumnSource::Answer(model) => {
                    let columns = compared.model_answers[model].columns("");
                    arrays.extend(columns.into_iter().map(|(_, column)| column));
                }
                ColumnSource::Score { model, metric } => {
                    arrays.extend(self.metrics[metric].columns(compared, model, metric));
                }
            }
        }
        RecordBatch::try_new(self.schema.clone(), arrays).expect("the columns are made for this schema")
    }
}

/// A metric's score of single pairs.
struct PairScores {
    scorer: Scorer,
    cached: FxHashMap<Vec<u64>, Result<Option<f64>, String>>,
}

impl PairScores {
    fn new(scorer: Scorer) -> PairScores {
        PairScores { scorer, cached: FxHashMap::default() }
    }

    /// One score per pair; null if there is nothing to compare with, or the metric has no score. And for each pair on
    /// which the metric failed the cause.
    fn columns(&mut self, compared: &EvaluatedPairs, model: usize, metric: usize) -> [ArrayRef; 2] {
        let mut scores = vec![None; compared.batch.snapshots.len()];
        let mut causes: Vec<Option<String>> = vec![None; scores.len()];
        for failure in &compared.metric_failures {
            if (failure.model, failure.metric) == (model, metric) {
                causes[failure.row] = Some(failure.reason.clone());
            }
        }
        for (at, row) in compared.answered.iter().enumerate() {
            let components = &compared.models[model].scores[metric];
            let (scored, components) = components.split_last().expect("the host has a component of its own");
            if scored[at] > 0.0 {
                let components: Vec<f64> = components.iter().map(|component| component[at]).collect();
                match self.score(&components) {
                    Ok(score) => scores[*row] = score,
                    Err(cause) => causes[*row] = Some(cause),
                }
            }
        }
        [Arc::new(Float64Array::from(scores)), Arc::new(StringArray::from(causes))]
    }

    fn score(&mut self, components: &[f64]) -> Result<Option<f64>, String> {
        let key: Vec<u64> = components.iter().map(|component| component.to_bits()).collect();
        if let Some(cached) = self.cached.get(&key) {
            return cached.clone();
        }
        let score = self.scorer.reduce(1, components);
        if self.cached.len() >= CACHED_SCORES {
            self.cached.clear();
        }
        self.cached.insert(key, score.clone());
        score
    }
}
