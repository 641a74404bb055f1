//! Cases: single decided rows with everything that the log holds about them.
//!
//! Invariants: a case is returned only after the ledger records who is shown it. A row that is not decided,
//! or whose horizon is not over, is withheld with the reason. Only the records with the requested id are
//! evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Float64Type, UInt16Type, UInt64Type};
use jiff::Timestamp;

use crate::disclose::absent_case::{decisions_with_id, missing_snapshot_reason, withheld_reason};
use crate::disclose::access_record::Exposure;
use crate::disclose::cell_text::{saturating_timestamp, text};
use crate::disclose::decided_rows::{
    DisclosureCounts, DisclosureCutoff, RowKey, decided_rows_by_id, row_key, times,
};
use crate::disclose::disagreements::Disagreements;
use crate::disclose::pair_scan::{PairScan, model_column};
use crate::disclose::revised_decisions::add_other_decisions;
use understudy_engine::log_schema::row_decoder;
use understudy_engine::{BLINDED, LoadedPlugin, SealedStudy, conditions};
use understudy_report::model::case::{Case, CaseModel, PluginAnswer, SimilarCase};
use understudy_report::model::report::PluginInfo;
use understudy_report::value_text;
use understudy_run_log::signed_head::Signer;
use understudy_run_log::{RowSelection, ScanOptions, Table};
use understudy_sandbox::DeciderPlugin;
use understudy_study::{Condition, Micros, StreamKind};

/// Similar cases per model.
const SIMILAR_CASES: usize = 5;

/// The row that is requested.
#[derive(Clone, Debug)]
pub struct CaseQuery {
    /// The id.
    pub id: String,
    /// The event time of the snapshot; needed if the id was used more than once.
    pub at: Option<Timestamp>,
    /// Whether to include the snapshot as it was received.
    pub raw: bool,
}

/// Returns the requested row and, for each model that disagrees there, the nearest similar rows. Records the
/// exposure first.
///
/// # Errors
/// If there is no such row, or it must not be shown yet; if the log cannot be read; or if the ledger cannot
/// be written.
pub fn case(
    sealed_study: &SealedStudy,
    run: &Path,
    query: &CaseQuery,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<Case> {
    let ids = BTreeSet::from([query.id.clone()]);
    let stored = stored_snapshots(sealed_study, run, &ids, query.raw)?;
    if stored.is_empty() {
        bail!(missing_snapshot_reason(
            sealed_study,
            &query.id,
            &decisions_with_id(sealed_study, run, &query.id)?
        ));
    }
    let (key, stored) = requested(&stored, query)?;
    let cutoff = DisclosureCutoff::read(sealed_study, run)?;
    let mut found = None;
    decided_rows_by_id(sealed_study, run, &cutoff, &ids, |batch| {
        if let Some(row) = (0..batch.num_rows()).find(|row| row_key(&batch, *row) == *key) {
            found = Some((build_case(sealed_study, &batch, row, stored)?, batch.slice(row, 1)));
        }
        Ok(())
    })?;
    let Some((mut case, row)) = found else { bail!(withheld_reason(sealed_study, cutoff, key)) };
    add_other_decisions(sealed_study, run, [&mut case])?;
    let scan = PairScan::new(sealed_study, run, cutoff);
    let disagreements = Disagreements::load(sealed_study, &scan)?;
    for (model, shown) in case.models.iter_mut().enumerate() {
        shown.differs = disagreements.mask(&row, model)?[0];
    }
    let disagreeing: Vec<usize> =
        (0..case.models.len()).filter(|model| case.models[*model].differs).collect();
    let mut exposure = Exposure::new(who, "case".to_owned());
    exposure.add(&row);
    let mut others = BTreeSet::new();
    let similar =
        similar_cases(sealed_study, &scan, &disagreements, (key, &stored.conditions), &disagreeing)?;
    for (model, similar) in disagreeing.into_iter().zip(similar) {
        others.extend(similar.rows.iter().map(|(_, key, _)| key.clone()));
        case.models[model].similar = Some(similar.rows.into_iter().map(similar_case).collect());
    }
    others.iter().for_each(|(id, _)| exposure.add_id(id));
    exposure.record(run, DisclosureCounts::read(run, &cutoff)?, signer)?;
    Ok(case)
}

/// Returns the rows with these keys, without similar ones.
///
/// # Errors
/// If the log cannot be read.
pub(crate) fn cases(
    sealed_study: &SealedStudy,
    run: &Path,
    cutoff: &DisclosureCutoff,
    keys: &BTreeSet<RowKey>,
    disagreements: &Disagreements,
) -> anyhow::Result<BTreeMap<RowKey, Case>> {
    let ids = keys.iter().map(|(id, _)| id.clone()).collect();
    let stored = stored_snapshots(sealed_study, run, &ids, false)?;
    let mut found = BTreeMap::new();
    decided_rows_by_id(sealed_study, run, cutoff, &ids, |batch| {
        let rows: Vec<(usize, RowKey)> = (0..batch.num_rows())
            .map(|row| (row, row_key(&batch, row)))
            .filter(|(_, key)| keys.contains(key))
            .collect();
        for (row, key) in rows {
            let stored = stored.get(&key).context("a snapshot is missing from the log")?;
            let mut case = build_case(sealed_study, &batch, row, stored)?;
            for (model, shown) in case.models.iter_mut().enumerate() {
                shown.differs = disagreements.mask(&batch.slice(row, 1), model)?[0];
            }
            found.insert(key, case);
        }
        Ok(())
    })?;
    add_other_decisions(sealed_study, run, found.values_mut())?;
    Ok(found)
}

/// For each of these models the rows nearest in time to `key` with the same conditions on which it disagrees,
/// too. Row groups are read from the nearest on, until no other can hold a nearer row.
///
/// # Errors
/// If the log cannot be read.
fn similar_cases(
    sealed_study: &SealedStudy,
    scan: &PairScan<'_>,
    disagreements: &Disagreements,
    (key, conditions): (&RowKey, &[u16]),
    models: &[usize],
) -> anyhow::Result<Vec<NearestRows>> {
    let mut similar = vec![NearestRows::default(); models.len()];
    if models.is_empty() {
        return Ok(similar);
    }
    let Micros(at) = key.1;
    let distance = |times: Option<(Micros, Micros)>| match times {
        Some((Micros(first), _)) if at < first => first.abs_diff(at),
        Some((_, Micros(last))) if at > last => at.abs_diff(last),
        _ => 0,
    };
    let mut groups = scan.groups()?;
    groups.sort_by_key(|group| distance(group.times));
    for group in groups {
        if similar.iter().all(|nearest| nearest.is_complete_within(distance(group.times))) {
            break;
        }
        let Some(pairs) = scan.read(&group)? else { continue };
        let mut mask = same_conditions(sealed_study, &pairs, conditions);
        mask.iter_mut().enumerate().for_each(|(row, same)| *same &= row_key(&pairs, row) != *key);
        let pairs = filter_record_batch(&pairs, &BooleanArray::from(mask))?;
        if pairs.num_rows() == 0 {
            continue;
        }
        let pairs = scan.with_model_answers(pairs)?;
        for (model, nearest) in models.iter().zip(&mut similar) {
            let disagrees = disagreements.mask(&pairs, *model)?;
            for row in (0..pairs.num_rows()).filter(|row| disagrees[*row]) {
                nearest.add(at, &row_key(&pairs, row), || {
                    let answer = |name: &str| answer_of(&pairs, name, row);
                    Ok((answer(&model_column(&sealed_study.models[*model].name))?, answer("comparator")?))
                })?;
            }
        }
    }
    Ok(similar)
}

/// For each condition the index of a row's value.
pub(crate) fn condition_values(sealed_study: &SealedStudy, batch: &RecordBatch, row: usize) -> Vec<usize> {
    let value = |condition: &Condition| {
        let column = batch.column_by_name(&format!("condition.{}", condition.name));
        let column = column.expect("the column belongs to the study");
        usize::from(column.as_dictionary::<UInt16Type>().keys().value(row))
    };
    sealed_study.study.conditions.iter().map(value).collect()
}

/// What the snapshot table holds in addition to a decided row.
struct StoredSnapshot {
    /// The snapshot as it was received, if requested.
    raw: Option<String>,
    /// The latency of each model in nanoseconds; `None` if it was asked after the decision.
    nanos: Vec<Option<u64>>,
    conditions: Vec<u16>,
}

/// The accepted snapshots with one of these ids.
fn stored_snapshots(
    sealed_study: &SealedStudy,
    run: &Path,
    ids: &BTreeSet<String>,
    raw: bool,
) -> anyhow::Result<BTreeMap<RowKey, StoredSnapshot>> {
    let mut columns = row_decoder::columns(sealed_study, Table::Snapshots);
    columns.extend(raw.then(|| "raw".to_owned()));
    let mut conditions = conditions(&sealed_study.study);
    let mut found = BTreeMap::new();
    let options = ScanOptions::new(Table::Snapshots, columns).select(RowSelection::Texts("id", ids.clone()));
    for batch in options.open(run)? {
        let batch = batch?;
        let records =
            row_decoder::records(&sealed_study.study.inputs, StreamKind::Snapshots, &batch)?.records;
        let values = conditions.classify(&records.fields, &records.times)?;
        for row in 0..batch.num_rows() {
            let nanos = sealed_study.models.iter().map(|model| {
                let column = batch.column_by_name(&format!("model.{}.nanos", model.name))?;
                let column = column.as_primitive_opt::<UInt64Type>()?;
                column.is_valid(row).then(|| column.value(row))
            });
            let snapshot = StoredSnapshot {
                raw: records.raw.is_valid(row).then(|| records.raw.value(row).to_owned()),
                nanos: nanos.collect(),
                conditions: values.iter().map(|values| values[row]).collect(),
            };
            found.insert((records.ids.value(row).to_owned(), Micros(records.times[row])), snapshot);
        }
    }
    Ok(found)
}

/// The requested snapshot among those with its id.
fn requested<'l>(
    stored: &'l BTreeMap<RowKey, StoredSnapshot>,
    query: &CaseQuery,
) -> anyhow::Result<(&'l RowKey, &'l StoredSnapshot)> {
    let id = value_text(&query.id);
    let matches = |at: Micros| query.at.is_none_or(|query| query.as_microsecond() == at.0);
    let matching: Vec<_> = stored.iter().filter(|((_, at), _)| matches(*at)).collect();
    let list = |keys: &mut dyn Iterator<Item = &RowKey>| {
        keys.map(|(_, at)| saturating_timestamp(*at).to_string()).collect::<Vec<_>>().join(", ")
    };
    match matching[..] {
        [one] => Ok(one),
        [] => bail!(
            "no snapshot with the id \"{id}\" has this event time; its event times are {}",
            list(&mut stored.keys())
        ),
        _ => bail!(
            "the id \"{id}\" was used {} times; choose one event time with --at: {}",
            matching.len(),
            list(&mut matching.iter().map(|(key, _)| *key))
        ),
    }
}

/// The name and the value of each condition, by the indices of the values.
fn condition_texts(sealed_study: &SealedStudy, values: &[u16]) -> Vec<(String, String)> {
    let known = conditions(&sealed_study.study);
    let declared = sealed_study.study.conditions.iter().zip(values).enumerate();
    let name = |(at, (condition, value)): (usize, (&Condition, &u16))| {
        (condition.name.clone(), known.values(at)[usize::from(*value)].clone())
    };
    declared.map(name).collect()
}

/// For each row: whether it has these values of all conditions.
fn same_conditions(sealed_study: &SealedStudy, batch: &RecordBatch, values: &[u16]) -> Vec<bool> {
    let same = |row| {
        condition_values(sealed_study, batch, row)
            .iter()
            .zip(values)
            .all(|(own, value)| *own == usize::from(*value))
    };
    (0..batch.num_rows()).map(same).collect()
}

/// The rows nearest in time on which a model disagrees, the nearest first: distance in microseconds, key, and
/// the answers of model and substrate.
#[derive(Clone, Default)]
struct NearestRows {
    rows: Vec<(u64, RowKey, (PluginAnswer, PluginAnswer))>,
}

impl NearestRows {
    /// Adds a row if it is among the nearest.
    fn add(
        &mut self,
        at: i64,
        key: &RowKey,
        answers: impl FnOnce() -> anyhow::Result<(PluginAnswer, PluginAnswer)>,
    ) -> anyhow::Result<()> {
        let rank = (key.1.0.abs_diff(at), key);
        let place = self.rows.partition_point(|(distance, known, _)| (*distance, known) < rank);
        if place < SIMILAR_CASES {
            self.rows.insert(place, (rank.0, key.clone(), answers()?));
            self.rows.truncate(SIMILAR_CASES);
        }
        Ok(())
    }

    /// Whether no row at this distance or farther can be among the nearest.
    fn is_complete_within(&self, distance: u64) -> bool {
        self.rows.len() == SIMILAR_CASES
            && self.rows.last().is_some_and(|(farthest, ..)| *farthest < distance)
    }
}

fn similar_case(
    (_, (id, at), (answer, substrate_answer)): (u64, RowKey, (PluginAnswer, PluginAnswer)),
) -> SimilarCase {
    SimilarCase { id, observed_at: saturating_timestamp(at), answer, substrate_answer }
}

/// The case of a decided row, without whether its models disagree.
fn build_case(
    sealed_study: &SealedStudy,
    batch: &RecordBatch,
    row: usize,
    stored: &StoredSnapshot,
) -> anyhow::Result<Case> {
    let fields = |prefix: &str| {
        let named = batch.schema_ref().fields().iter().filter_map(|field| field.name().strip_prefix(prefix));
        let value = |name: &str| Ok((name.to_owned(), text(batch, &format!("{prefix}{name}"), row)?));
        named.map(value).collect::<anyhow::Result<Vec<_>>>()
    };
    let time = |name: &str| saturating_timestamp(Micros(times(batch, name).value(row)));
    let models = sealed_study.models.iter().zip(&stored.nanos).map(|(member, nanos)| {
        let name = format!("model.{}", member.name);
        let score = |metric: &str| number(batch, &format!("{name}.{metric}"), row);
        let metric_failures = sealed_study.metrics.iter().filter_map(|metric| {
            let cause = text(batch, &format!("{name}.{}.unscored", metric.name), row).transpose()?;
            Some(cause.map(|cause| (metric.name.clone(), cause)))
        });
        Ok(CaseModel {
            plugin: plugin(member),
            answer: answer_of(batch, &name, row)?,
            latency_nanos: *nanos,
            metric_values: sealed_study.metrics.iter().map(|metric| score(&metric.name)).collect(),
            metric_failures: metric_failures.collect::<anyhow::Result<_>>()?,
            differs: false,
            similar: None,
        })
    });
    let models = models.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Case {
        id: row_key(batch, row).0,
        observed_at: time("observed_at"),
        decided_at: time("decided_at"),
        window: text(batch, "window", row)?.unwrap_or_default(),
        fields: fields("input.")?,
        raw: stored.raw.clone(),
        conditions: condition_texts(sealed_study, &stored.conditions),
        decision: fields("decision.")?,
        other_decisions: Vec::new(),
        comparator: plugin(&sealed_study.comparator),
        substrate_answer: answer_of(batch, "comparator", row)?,
        blinded: batch.column_by_name(BLINDED).is_some_and(|blinded| blinded.as_boolean().value(row)),
        metrics: sealed_study.metrics.iter().map(|metric| metric.name.clone()).collect(),
        models,
    })
}

fn plugin(member: &LoadedPlugin<DeciderPlugin>) -> PluginInfo {
    PluginInfo {
        name: member.name.clone(),
        title: member.plugin.title.clone(),
        digest: member.file.digest.clone(),
    }
}

/// A plugin's answer to a row.
fn answer_of(batch: &RecordBatch, name: &str, row: usize) -> anyhow::Result<PluginAnswer> {
    let part = |part: &str| text(batch, &format!("{name}.{part}"), row);
    let answer = match part("answer")? {
        Some(answer) => Ok(answer),
        None => Err(part("unanswered")?.unwrap_or_default()),
    };
    let confidence = number(batch, &format!("{name}.confidence"), row);
    Ok(PluginAnswer { answer, confidence, probabilities: probabilities(batch, name, row) })
}

/// The class probabilities of an answer, the most probable class first; empty if there are none.
fn probabilities(batch: &RecordBatch, name: &str, row: usize) -> Vec<(String, f64)> {
    let column =
        batch.column_by_name(&format!("{name}.probabilities")).and_then(|column| column.as_map_opt());
    let Some(map) = column.filter(|map| map.is_valid(row)) else { return Vec::new() };
    let entries = map.value(row);
    let classes = entries.column(0).as_string::<i32>().iter().flatten().map(str::to_owned);
    let values = entries.column(1).as_primitive::<Float64Type>().values();
    let mut probabilities: Vec<_> = classes.zip(values.iter().copied()).collect();
    probabilities.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    probabilities
}

/// A number; `None` if it is null or the column is missing.
fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
    column.is_valid(row).then(|| column.value(row))
}
