//! Recomputes the sums of a run from the stored scores of its pairs, after the fields of its snapshots were
//! dropped.
//!
//! Invariants: every stored score is added once, and only the pair table is read.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, is_not_null};
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};

use understudy_engine::{Aggregates, OUTCOME, SCORED, SealedStudy, conditions};
use understudy_run_log::{ScanOptions, Table};
use understudy_statistics::scoring::{
    AnswerStatus, Cells, Conditions, ModelScores, ScoredPairs, WindowClock,
};
use understudy_statistics::verdict::PairCounts;

/// The sums and the counts of evaluated pairs.
///
/// # Errors
/// If the pairs cannot be read, or do not hold the scores of this study.
pub fn sums(sealed_study: &SealedStudy, run: &Path) -> anyhow::Result<(Cells, PairCounts)> {
    let study = &sealed_study.study;
    let conditions = conditions(study);
    let mut aggregates = Aggregates::new(sealed_study);
    let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
    for batch in ScanOptions::new(Table::Pairs, Vec::new()).open(run)? {
        let batch = batch?;
        let first = format!("model.{}.{OUTCOME}", sealed_study.models[0].name);
        let scored = filter_record_batch(&batch, &is_not_null(column(&batch, &first)?)?)?;
        aggregates.comparison.compared += scored.num_rows() as u64;
        aggregates.comparison.incomparable += (batch.num_rows() - scored.num_rows()) as u64;
        let times = column(&scored, "observed_at")?.as_primitive_opt::<TimestampMicrosecondType>();
        let times = times.context("the pair table has no event times")?;
        let windows: Vec<_> = times.values().iter().map(|time| clock.window(*time)).collect();
        let values = (0..study.conditions.len()).map(|condition| {
            let name = format!("condition.{}", study.conditions[condition].name);
            codes(&conditions, condition, column(&scored, &name)?)
        });
        let values = values.collect::<anyhow::Result<Vec<_>>>()?;
        let models = sealed_study.models.iter().map(|model| scores(sealed_study, &model.name, &scored));
        let models = models.collect::<anyhow::Result<Vec<_>>>()?;
        aggregates
            .cells
            .add(ScoredPairs { windows: &windows, conditions: &values, models: &models })
            .map_err(|error| anyhow!("the pair table does not hold the scores of this study: {error}"))?;
    }
    Ok((aggregates.cells, aggregates.comparison))
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> anyhow::Result<&'b ArrayRef> {
    batch.column_by_name(name).with_context(|| format!("the pair table has no column {name}"))
}

/// The indices of a condition's values.
fn codes(conditions: &Conditions, condition: usize, names: &ArrayRef) -> anyhow::Result<Vec<u16>> {
    let known = conditions.values(condition);
    let names = cast(names, &DataType::Utf8)?;
    let code = |name: Option<&str>| {
        let at = known.iter().position(|known| Some(known.as_str()) == name);
        at.map(|at| at as u16).with_context(|| {
            format!(
                "the pair table has the value {} of a condition, which the study does not have",
                name.unwrap_or("null")
            )
        })
    };
    names.as_string::<i32>().iter().map(code).collect()
}

fn scores(sealed_study: &SealedStudy, model: &str, batch: &RecordBatch) -> anyhow::Result<ModelScores> {
    let outcomes = column(batch, &format!("model.{model}.{OUTCOME}"))?.as_string_opt::<i32>();
    let outcomes: &StringArray = outcomes.context("the outcomes are not text")?;
    let outcome = |name: Option<&str>| {
        let known = AnswerStatus::ALL.into_iter().find(|known| Some(known.name()) == name);
        known.context("a pair has an unknown outcome")
    };
    let statuses = outcomes.iter().map(outcome).collect::<anyhow::Result<_>>()?;
    let mut all = Vec::new();
    for metric in &sealed_study.metrics {
        let mut components = Vec::new();
        for component in metric.plugin.components.iter().map(String::as_str).chain([SCORED]) {
            let name = format!("model.{model}.{}.{component}", metric.name);
            let values = column(batch, &name)?.as_primitive_opt::<Float64Type>();
            let values = values.filter(|values| values.null_count() == 0);
            components
                .push(values.with_context(|| format!("the column {name} has nulls"))?.values().to_vec());
        }
        all.push(components);
    }
    Ok(ModelScores { statuses, scores: all })
}
