//! Single decided rows, with all that is known of them.
//!
//! Always holds: a row is given to be shown only after the ledger says who is shown it; one that is not decided is refused,
//! and it is said why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Float64Type, UInt16Type, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::Timestamp;

use super::decided::{decided, over, times};
use super::disagreements::Disagreements;
use super::export::zoned;
use super::exposure::Exposure;
use super::sample::Key;
use understudy_engine::{BLINDED, Member, Prepared, conditions, log_schema::decode};
use understudy_report::model::case::Case;
use understudy_report::model::case::CaseModel;
use understudy_report::model::report::Plugin;
use understudy_report::model::case::Said;
use understudy_report::model::case::Similar;
use understudy_run_log::note::Signer;
use understudy_run_log::{Reading, Table};
use understudy_sandbox::DeciderPlugin;
use understudy_study::{Condition, StreamKind};

/// Similar cases that are shown of each model.
const SIMILAR: usize = 5;

/// The row that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its id.
    pub id: String,
    /// The observed time of its snapshot, where the id was used more than once.
    pub at: Option<Timestamp>,
    /// Whether its own text is wanted.
    pub raw: bool,
}

/// The row that is wanted, and for each model that differs there the nearest similar ones. The ledger says so first.
///
/// # Errors
/// When there is no such row, or it is not decided; when the log cannot be read; or when the ledger cannot say who is shown it.
pub fn case(
    prepared: &Prepared,
    run: &Path,
    wanted: &Wanted,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<Case> {
    let ids = BTreeSet::from([wanted.id.clone()]);
    let logged = logged_snapshots(prepared, run, &ids, wanted.raw)?;
    let (key, logged) = chosen(&logged, wanted)?;
    let disagreements = Disagreements::of(prepared, run)?;
    let mut found = None;
    let mut alike = vec![Alike::default(); prepared.models.len()];
    let counts = decided(prepared, run, |batch| {
        let same = same_conditions(prepared, &batch, &logged.conditions);
        for (model, alike) in alike.iter_mut().enumerate() {
            let differs = disagreements.rows(&batch, model)?;
            for row in (0..batch.num_rows()).filter(|row| differs[*row]) {
                let own = key_of(&batch, row);
                if own == *key {
                    alike.differs = true;
                } else if same[row] {
                    alike.add(key.1, &own, || {
                        let said = |name: &str| anyhow::Ok(in_cell(&said(&batch, name, row)?));
                        Ok((said(&format!("model.{}", prepared.models[model].name))?, said("comparator")?))
                    })?;
                }
            }
        }
        if let Some(row) = (0..batch.num_rows()).find(|row| key_of(&batch, *row) == *key) {
            found = Some((read(prepared, &batch, row, logged)?, batch.slice(row, 1)));
        }
        Ok(())
    })?;
    let Some((mut case, row)) = found else { bail!(not_decided(prepared, run, key)?) };
    let mut exposure = Exposure::new(who, "case".to_owned());
    exposure.add(&row);
    let mut others = BTreeSet::new();
    for (model, alike) in case.models.iter_mut().zip(alike) {
        model.differs = alike.differs;
        if alike.differs {
            others.extend(alike.rows.iter().map(|(_, key, _)| key.clone()));
            model.similar = Some(alike.rows.into_iter().map(similar).collect());
        }
    }
    others.iter().for_each(|(id, _)| exposure.add_id(id));
    exposure.record(run, counts, signer)?;
    Ok(case)
}

/// Rows of a run by what tells them apart, without similar ones.
///
/// # Errors
/// When the log cannot be read, or has not all of them.
pub fn cases(
    prepared: &Prepared,
    run: &Path,
    wanted: &BTreeSet<Key>,
    disagreements: &Disagreements,
) -> anyhow::Result<BTreeMap<Key, Case>> {
    let ids = wanted.iter().map(|(id, _)| id.clone()).collect();
    let logged = logged_snapshots(prepared, run, &ids, false)?;
    let mut found = BTreeMap::new();
    decided(prepared, run, |batch| {
        let rows: Vec<(usize, Key)> = (0..batch.num_rows())
            .map(|row| (row, key_of(&batch, row)))
            .filter(|(_, key)| wanted.contains(key))
            .collect();
        for (row, key) in rows {
            let logged = logged.get(&key).context("the log has lost a snapshot since")?;
            let mut case = read(prepared, &batch, row, logged)?;
            for (model, of) in case.models.iter_mut().enumerate() {
                of.differs = disagreements.rows(&batch.slice(row, 1), model)?[0];
            }
            found.insert(key, case);
        }
        Ok(())
    })?;
    Ok(found)
}

/// What tells a decided row from all others.
pub fn key_of(batch: &RecordBatch, row: usize) -> Key {
    let observed = times(batch, "observed_at").value(row);
    (batch.column(0).as_string::<i32>().value(row).to_owned(), observed)
}

/// The index of a decided row's value of each condition.
pub fn values_of(prepared: &Prepared, batch: &RecordBatch, row: usize) -> Vec<usize> {
    let value = |condition: &Condition| {
        let column = batch.column_by_name(&format!("condition.{}", condition.name));
        let column = column.expect("the column was made of this study");
        usize::from(column.as_dictionary::<UInt16Type>().keys().value(row))
    };
    prepared.study.conditions.iter().map(value).collect()
}

/// What the table of snapshots has besides what a decided row has.
struct LoggedSnapshot {
    raw: Option<String>,
    nanos: Vec<Option<u64>>,
    conditions: Vec<u16>,
}

/// The accepted snapshots that have one of these ids.
fn logged_snapshots(
    prepared: &Prepared,
    run: &Path,
    ids: &BTreeSet<String>,
    raw: bool,
) -> anyhow::Result<BTreeMap<Key, LoggedSnapshot>> {
    let mut columns = decode::columns(prepared, Table::Snapshots);
    columns.extend(raw.then(|| "raw".to_owned()));
    let mut conditions = conditions(&prepared.study);
    let mut found = BTreeMap::new();
    for batch in (Reading { table: Table::Snapshots, columns, from_group: 0, from: None }).open(run)? {
        let batch = batch?;
        let own = batch.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>());
        let own = own.context("the log's snapshots have no ids")?.iter();
        let mask: BooleanArray = own.map(|id| id.map(|id| ids.contains(id))).collect();
        let batch = filter_record_batch(&batch, &mask)?;
        if batch.num_rows() == 0 {
            continue;
        }
        let records = decode::records(&prepared.study.inputs, StreamKind::Snapshots, &batch)?.records;
        let values = conditions.classify(&records.fields, &records.times)?;
        for row in 0..batch.num_rows() {
            let nanos = prepared.models.iter().map(|model| {
                let column = batch.column_by_name(&format!("model.{}.nanos", model.name))?;
                let column = column.as_primitive_opt::<UInt64Type>()?;
                column.is_valid(row).then(|| column.value(row))
            });
            let snapshot = LoggedSnapshot {
                raw: records.raw.is_valid(row).then(|| records.raw.value(row).to_owned()),
                nanos: nanos.collect(),
                conditions: values.iter().map(|values| values[row]).collect(),
            };
            found.insert((records.ids.value(row).to_owned(), records.times[row]), snapshot);
        }
    }
    Ok(found)
}

/// The one snapshot that is wanted.
fn chosen<'l>(
    logged: &'l BTreeMap<Key, LoggedSnapshot>,
    wanted: &Wanted,
) -> anyhow::Result<(&'l Key, &'l LoggedSnapshot)> {
    let id = &wanted.id;
    let is_wanted = |at: i64| wanted.at.is_none_or(|wanted| wanted.as_microsecond() == at);
    let fitting: Vec<_> = logged.iter().filter(|((_, at), _)| is_wanted(*at)).collect();
    let listed = |keys: &mut dyn Iterator<Item = &Key>| {
        keys.map(|(_, at)| instant(*at).to_string()).collect::<Vec<_>>().join(", ")
    };
    match fitting[..] {
        [one] => Ok(one),
        [] if logged.is_empty() => {
            bail!(
                "no accepted snapshot has the id \"{id}\"; the table `refused` has those that were not accepted"
            )
        }
        [] => bail!(
            "no snapshot with the id \"{id}\" was observed then; there is {}",
            listed(&mut logged.keys())
        ),
        _ => bail!(
            "the id \"{id}\" was used {} times; say with --at which snapshot is meant: {}",
            fitting.len(),
            listed(&mut fitting.iter().map(|(key, _)| *key))
        ),
    }
}

/// Why a snapshot is not among the decided rows.
fn not_decided(prepared: &Prepared, run: &Path, (id, at): &Key) -> anyhow::Result<String> {
    let horizon = prepared.study.horizon;
    Ok(match over(prepared, run)?.over {
        None => format!("\"{id}\" was never decided: no decision came within the horizon of {horizon:#}"),
        Some(over) if *at >= over => format!(
            "the horizon of \"{id}\" is not over: somebody may still have to decide, and is not to be swayed; it is shown once \
             decisions have come that are more than {:#} later than {}",
            horizon.saturating_add(prepared.study.decisions.lateness),
            instant(*at)
        ),
        Some(_) => {
            format!("\"{id}\" is not decided yet: no decision has come within the horizon of {horizon:#}")
        }
    })
}

/// The conditions with the names of these values.
fn names(prepared: &Prepared, values: &[u16]) -> Vec<(String, String)> {
    let known = conditions(&prepared.study);
    let declared = prepared.study.conditions.iter().zip(values).enumerate();
    let name = |(at, (condition, value)): (usize, (&Condition, &u16))| {
        (condition.name.clone(), known.values(at)[usize::from(*value)].clone())
    };
    declared.map(name).collect()
}

/// For each row whether it has these values of all conditions.
fn same_conditions(prepared: &Prepared, batch: &RecordBatch, values: &[u16]) -> Vec<bool> {
    let same = |row| {
        values_of(prepared, batch, row).iter().zip(values).all(|(own, value)| *own == usize::from(*value))
    };
    (0..batch.num_rows()).map(same).collect()
}

/// The rows that a model differs in too, the nearest in time first: how far away, which, and what was answered and done.
#[derive(Clone, Default)]
struct Alike {
    differs: bool,
    rows: Vec<(u64, Key, (String, String))>,
}

impl Alike {
    fn add(
        &mut self,
        at: i64,
        key: &Key,
        texts: impl FnOnce() -> anyhow::Result<(String, String)>,
    ) -> anyhow::Result<()> {
        let rank = (key.1.abs_diff(at), key);
        let place = self.rows.partition_point(|(away, known, _)| (*away, known) < rank);
        if place < SIMILAR {
            self.rows.insert(place, (rank.0, key.clone(), texts()?));
            self.rows.truncate(SIMILAR);
        }
        Ok(())
    }
}

fn similar((_, (id, at), (answer, done)): (u64, Key, (String, String))) -> Similar {
    Similar { id, observed_at: instant(at), answer, done }
}

/// A decided row, but for its conditions and where its models differ.
fn read(
    prepared: &Prepared,
    batch: &RecordBatch,
    row: usize,
    logged: &LoggedSnapshot,
) -> anyhow::Result<Case> {
    let fields = |prefix: &str| {
        let named = batch.schema_ref().fields().iter().filter_map(|field| field.name().strip_prefix(prefix));
        let value = |name: &str| Ok((name.to_owned(), text(batch, &format!("{prefix}{name}"), row)?));
        named.map(value).collect::<anyhow::Result<Vec<_>>>()
    };
    let time = |name: &str| instant(times(batch, name).value(row));
    let models = prepared.models.iter().zip(&logged.nanos).map(|(member, nanos)| {
        let name = format!("model.{}", member.name);
        let figure = |metric: &str| number(batch, &format!("{name}.{metric}"), row);
        Ok(CaseModel {
            plugin: plugin(member),
            said: said(batch, &name, row)?,
            nanos: *nanos,
            figures: prepared.metrics.iter().map(|metric| figure(&metric.name)).collect(),
            differs: false,
            similar: None,
        })
    });
    let models = models.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Case {
        id: key_of(batch, row).0,
        observed_at: time("observed_at"),
        decided_at: time("decided_at"),
        window: text(batch, "window", row)?.unwrap_or_default(),
        fields: fields("input.")?,
        raw: logged.raw.clone(),
        conditions: names(prepared, &logged.conditions),
        decision: fields("decision.")?,
        comparator: plugin(&prepared.comparator),
        done: said(batch, "comparator", row)?,
        blinded: batch.column_by_name(BLINDED).is_some_and(|blinded| blinded.as_boolean().value(row)),
        metrics: prepared.metrics.iter().map(|metric| metric.name.clone()).collect(),
        models,
    })
}

fn plugin(member: &Member<DeciderPlugin>) -> Plugin {
    Plugin {
        name: member.name.clone(),
        title: member.plugin.title.clone(),
        digest: member.file.digest.clone(),
    }
}

/// What a plugin answered to a row.
fn said(batch: &RecordBatch, name: &str, row: usize) -> anyhow::Result<Said> {
    let part = |part: &str| text(batch, &format!("{name}.{part}"), row);
    let answer = match part("answer")? {
        Some(answer) => Ok(answer),
        None => Err(part("unanswered")?.unwrap_or_default()),
    };
    Ok(Said { answer, confidence: number(batch, &format!("{name}.confidence"), row) })
}

/// An answer in one cell of a table.
fn in_cell(said: &Said) -> String {
    match &said.answer {
        Ok(answer) => answer.clone(),
        Err(why) => format!("({why})"),
    }
}

/// A number; `None` where it is missing.
fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
    column.is_valid(row).then(|| column.value(row))
}

/// A value as text; `None` where it is missing.
fn text(batch: &RecordBatch, name: &str, row: usize) -> anyhow::Result<Option<String>> {
    let column =
        batch.column_by_name(name).with_context(|| format!("the decided rows have no column {name}"))?;
    if column.is_null(row) {
        return Ok(None);
    }
    let options = FormatOptions::new().with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f UTC"));
    let value = zoned(&column.slice(row, 1));
    Ok(Some(ArrayFormatter::try_new(&value, &options)?.value(0).to_string()))
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
