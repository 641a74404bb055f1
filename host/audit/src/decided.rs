//! The decided rows of a run, each with all that is known of it: fields, conditions, answers, decision, scores.
//!
//! Always holds: a row is shown only once its decision has come and, unless the run was closed, its horizon is over; the
//! others are counted. What a row holds is made from the log, not from what was derived before.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Float64Array, RecordBatch, TimestampMicrosecondArray,
};
use arrow::compute::{filter_record_batch, interleave};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::entries;
use understudy_engine::{Compared, Pairs, Prepared, rebuild, schemas};
use understudy_records::batch::Answers;
use understudy_study::StreamKind;
use understudy_run_log::{LogError, Reading, Table, ledger};
use understudy_sandbox::Scorer;

/// Different vectors of components whose figure is kept, so that a metric is asked once for each.
const FIGURES: usize = 4096;

/// How many rows were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were shown.
    pub shown: u64,
    /// Accepted snapshots that were not: their decision has not come, or their horizon is not over.
    pub refused: u64,
    /// The latest decision of a run that was not closed: later ones may be swayed by what is shown.
    pub since: Option<Timestamp>,
}

/// Shows `each` the decided rows of a run, as batches of [`columns`], in the order in which they were paired.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold; or what `each` says.
pub fn decided(
    prepared: &Prepared,
    run: &Path,
    mut each: impl FnMut(RecordBatch) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Counts> {
    let Over { over, since } = over(prepared, run)?;
    let study = &prepared.study;
    let all = [&study.inputs, &study.decisions].map(|stream| (0..stream.fields.len()).collect::<Vec<_>>());
    let mut rows = Rows::new(prepared);
    let mut counts = Counts { since, ..Counts::default() };
    let rebuilt = rebuild(prepared, run, all, |compared| {
        let batch = rows.batch(compared);
        let observed = times(&batch, "observed_at");
        let shown: BooleanArray =
            observed.values().iter().map(|time| Some(over.is_none_or(|over| *time < over))).collect();
        let batch = filter_record_batch(&batch, &shown)?;
        counts.shown += batch.num_rows() as u64;
        if batch.num_rows() > 0 { each(batch) } else { Ok(()) }
    })?;
    counts.refused = rebuilt.counted.accepted(StreamKind::Snapshots) - counts.shown;
    Ok(counts)
}

/// A column of times of decided rows: `observed_at` or `decided_at`.
pub fn times<'b>(batch: &'b RecordBatch, name: &str) -> &'b TimestampMicrosecondArray {
    let column = batch.column_by_name(name).expect("decided rows have their times");
    column.as_primitive()
}

/// The columns of decided rows.
pub fn columns(prepared: &Prepared) -> SchemaRef {
    let [snapshots, decisions, _, pairs] = schemas(prepared);
    let named = |schema: &SchemaRef, prefix: &str| {
        let fields = schema.fields().iter().filter(|field| field.name().starts_with(prefix));
        fields.map(|field| field.as_ref().clone()).collect::<Vec<_>>()
    };
    let own = pairs.fields().iter().filter(|field| is_own(field));
    let mut fields: Vec<Field> = own.map(|field| field.as_ref().clone()).collect();
    fields.extend(named(&snapshots, "input."));
    fields.extend(named(&decisions, "decision."));
    for model in &prepared.models {
        let name = format!("model.{}", model.name);
        fields.extend(Answers::column_fields(&name, model.plugin.form));
        for metric in &prepared.metrics {
            fields.push(Field::new(format!("{name}.{}", metric.name), DataType::Float64, true));
        }
    }
    Arc::new(Schema::new(fields))
}

/// Whether a column of the pairs stands among those of decided rows: the numbers of the two records say nothing outside the
/// log, and scores are figures here.
fn is_own(field: &Field) -> bool {
    !["snapshot", "decision"].contains(&field.name().as_str()) && !field.name().starts_with("model.")
}

/// Which horizons are over.
pub struct Over {
    /// Those of snapshots before this time, microseconds; all of them if there is none, since the run was closed.
    pub over: Option<i64>,
    /// The latest decision of a run that was not closed.
    pub since: Option<Timestamp>,
}

/// Which horizons of a run are over.
///
/// # Errors
/// When the ledger or the decisions cannot be read.
pub fn over(prepared: &Prepared, run: &Path) -> anyhow::Result<Over> {
    if ledger::is_closed(&entries(run)?) {
        return Ok(Over { over: None, since: None });
    }
    let study = &prepared.study;
    let clock = latest_decision(run)?;
    let spans = study.decisions.lateness.saturating_add(study.horizon);
    let over = clock.map_or(i64::MIN, |clock| clock.saturating_sub(spans.as_micros() as i64));
    let since = clock
        .map_or_else(Timestamp::now, |clock| Timestamp::from_microsecond(clock).unwrap_or(Timestamp::MAX));
    Ok(Over { over: Some(over), since: Some(since) })
}

/// The latest time of a decision in the log, microseconds.
fn latest_decision(run: &Path) -> Result<Option<i64>, LogError> {
    let columns = vec!["decided_at".to_owned()];
    let mut latest = None;
    for batch in (Reading { table: Table::Decisions, columns, from_group: 0, from: None }).open(run)? {
        let batch = batch?;
        let times = batch.column_by_name("decided_at");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        latest = latest.max(times.and_then(|times| times.values().iter().max().copied()));
    }
    Ok(latest)
}

/// Makes rows of compared pairs.
struct Rows {
    schema: SchemaRef,
    pairs: Pairs,
    metrics: Vec<Figures>,
}

impl Rows {
    fn new(prepared: &Prepared) -> Rows {
        let metrics = prepared.cast.metrics.iter();
        Rows {
            schema: columns(prepared),
            pairs: Pairs::new(prepared),
            metrics: metrics.map(|metric| Figures::new(metric.now().plugin.instance())).collect(),
        }
    }

    fn batch(&mut self, compared: &Compared) -> RecordBatch {
        let sources = &compared.sources;
        let own = self.pairs.batch(compared);
        let mut columns: Vec<ArrayRef> = own
            .columns()
            .iter()
            .zip(own.schema_ref().fields())
            .filter(|(_, field)| is_own(field))
            .map(|(c, _)| c.clone())
            .collect();
        let gather = |batches: Vec<&RecordBatch>, picks: &[(usize, usize)]| -> Vec<ArrayRef> {
            let column = |at: usize| {
                let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
                interleave(&arrays, picks).expect("the columns of a field have one type")
            };
            (0..batches[0].num_columns()).map(column).collect()
        };
        columns.extend(gather(
            sources.all_shown.iter().map(|shown| &shown.fields).collect(),
            &sources.snapshots,
        ));
        columns.extend(gather(sources.taken.iter().map(|taken| &taken.fields).collect(), &sources.decisions));
        for (model, answers) in compared.given.iter().enumerate() {
            columns.extend(answers.columns("").map(|(_, column)| column));
            for (metric, figures) in self.metrics.iter_mut().enumerate() {
                columns.push(figures.column(compared, model, metric));
            }
        }
        RecordBatch::try_new(self.schema.clone(), columns).expect("the columns are made for this schema")
    }
}

/// A metric's figure of single pairs.
struct Figures {
    scorer: Scorer,
    known: FxHashMap<Vec<u64>, Option<f64>>,
}

impl Figures {
    fn new(scorer: Scorer) -> Figures {
        Figures { scorer, known: FxHashMap::default() }
    }

    /// One figure a pair; none where there is nothing to compare with, or where the metric gives none.
    fn column(&mut self, compared: &Compared, model: usize, metric: usize) -> ArrayRef {
        let mut figures = vec![None; compared.sources.snapshots.len()];
        for (at, row) in compared.answered.iter().enumerate() {
            let components = &compared.models[model].scores[metric];
            let (scored, components) = components.split_last().expect("the host has a component of its own");
            if scored[at] > 0.0 {
                let components: Vec<f64> = components.iter().map(|component| component[at]).collect();
                figures[*row] = self.figure(&components);
            }
        }
        Arc::new(Float64Array::from(figures))
    }

    fn figure(&mut self, components: &[f64]) -> Option<f64> {
        let key: Vec<u64> = components.iter().map(|component| component.to_bits()).collect();
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        // What the metric breaks on has no figure; that it broke is in the report.
        let figure = self.scorer.reduce(1, components).ok().flatten();
        if self.known.len() >= FIGURES {
            self.known.clear();
        }
        self.known.insert(key, figure);
        figure
    }
}
