//! Whether the plugins that a run kept still answer every logged snapshot as they did, bit for bit.
//!
//! Always holds: the plugins are those of the seal, and those that the ledger has exchanged for them; rows are handed over in batches of the size asked for, each to an
//! instance that has seen nothing else, so what a model keeps between calls shows.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::UInt64Type;

use super::entries;
use understudy_engine::{Member, Prepared, blinded, log_schema::decode};
use understudy_study::StreamKind;
use understudy_run_log::ledger::{self, Event};
use understudy_run_log::{Reading, Table, segments};
use understudy_sandbox::{DeciderPlugin, InputField, is_timeout};

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Snapshots that were replayed.
    pub rows: u64,
    /// Snapshots that could not be, since their fields were dropped as the study declares.
    pub dropped: u64,
    /// Snapshots that were not, since they are blinded: what the models answer once the decision is there is made again by
    /// `verify`.
    pub blinded: u64,
    /// For each model what came of it.
    pub models: Vec<ModelReplayed>,
}

/// What came of replaying one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelReplayed {
    /// Its name in the study.
    pub name: String,
    /// Rows that it answers otherwise than it did.
    pub differ: u64,
    /// The first of them: sequence number and id.
    pub which: Vec<(u64, String)>,
    /// Rows in which the clock ended a call, then or now: what they would have come to cannot be told.
    pub by_the_clock: u64,
}

/// Replays the log of a run, whose plugins `prepared` has. Keeps at most `most` rows that differ, of each model.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold.
pub fn replay(prepared: &Prepared, run: &Path, batch_rows: usize, most: usize) -> anyhow::Result<Replayed> {
    let reduced = reduced(run)?;
    let named = |member: &Member<DeciderPlugin>| ModelReplayed {
        name: member.name.clone(),
        ..ModelReplayed::default()
    };
    let mut models: Vec<ModelReplayed> = prepared.models.iter().map(named).collect();
    let (mut rows, mut dropped, mut hidden) = (0, 0, 0);
    for segment in segments(run, Table::Snapshots)? {
        let columns = decode::columns(prepared, Table::Snapshots);
        let reading = Reading { table: Table::Snapshots, columns, from_group: 0, from: None };
        let gone = reduced.contains(&segment.group);
        for batch in reading.segment(segment) {
            let batch = batch?;
            if gone {
                dropped += batch.num_rows() as u64;
                continue;
            }
            let ids = batch.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>());
            let blinded = blinded(prepared.blind.as_ref(), ids.context("the log's snapshots have no ids")?);
            hidden += blinded.true_count() as u64;
            let batch = filter_record_batch(&batch, &not(&blinded)?)?;
            rows += batch.num_rows() as u64;
            let mut start = 0;
            while start < batch.num_rows() {
                let part = batch.slice(start, batch_rows.min(batch.num_rows() - start));
                let (part, generation) = of_one_generation(prepared, &part)?;
                start += part.num_rows();
                decide(prepared, generation, &mut models, &part, most)?;
            }
        }
    }
    Ok(Replayed { rows, dropped, blinded: hidden, models })
}

/// The groups whose snapshots have lost their fields.
fn reduced(run: &Path) -> anyhow::Result<BTreeSet<u32>> {
    let group = |file: &str| file.strip_prefix("snapshots/")?.strip_suffix(".parquet")?.parse().ok();
    let reduced = entries(run)?.into_iter().filter_map(|entry| match entry.event {
        Event::SegmentReduced { after, .. } => group(&after.file),
        _ => None,
    });
    Ok(reduced.collect())
}

/// The first rows of a batch that are of one generation, and which that is.
fn of_one_generation(prepared: &Prepared, batch: &RecordBatch) -> anyhow::Result<(RecordBatch, u32)> {
    let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
    let sequences = sequences.context("the log's snapshots have no sequence numbers")?.values();
    let of = |sequence: &u64| prepared.cast.of(StreamKind::Snapshots, *sequence);
    let first = sequences.first().map_or(0, of);
    let rows = sequences.iter().take_while(|sequence| of(sequence) == first).count();
    Ok((batch.slice(0, rows), first))
}

fn decide(
    prepared: &Prepared,
    generation: u32,
    models: &mut [ModelReplayed],
    batch: &RecordBatch,
    most: usize,
) -> anyhow::Result<()> {
    let decode::Logged { sequences, records } =
        decode::records(&prepared.study.inputs, StreamKind::Snapshots, batch)?;
    let answers = decode::answers(prepared, batch)?;
    let fields = &prepared.study.inputs.fields;
    for ((replayed, part), then) in models.iter_mut().zip(&prepared.cast.models).zip(answers) {
        let then = then.decided.answers;
        let plugin = &part.at(generation).plugin;
        let place = |reads: &InputField| fields.iter().position(|field| field.name == reads.name);
        let reads: Option<Vec<usize>> = plugin.reads.iter().map(place).collect();
        let other = "the log's fields are not the study's";
        let shown = records.fields.project(&reads.context(other)?).context(other)?;
        let now = plugin.instance().decide(&shown).answers;
        for row in then.differing(&now) {
            if is_timeout(then.reason(row)) || is_timeout(now.reason(row)) {
                replayed.by_the_clock += 1;
                continue;
            }
            replayed.differ += 1;
            if replayed.which.len() < most {
                replayed.which.push((sequences[row], records.ids.value(row).to_owned()));
            }
        }
    }
    Ok(())
}

/// Whether the log of a run has all the fields of its snapshots.
///
/// # Errors
/// When some were dropped.
pub fn has_its_fields(run: &Path) -> anyhow::Result<()> {
    match reduced(run)?.len() {
        0 => Ok(()),
        segments => bail!(
            "{} has lost the fields of its snapshots in {segments} of its segments, as its study declares with `log.retain`, so \
             they can neither be shown nor be handed to other plugins",
            run.display()
        ),
    }
}

/// Whether a run has been closed, so that nobody has still to decide on any of its snapshots.
///
/// # Errors
/// When it has not.
pub fn is_closed(run: &Path) -> anyhow::Result<()> {
    match ledger::is_closed(&entries(run)?) {
        true => Ok(()),
        false => bail!(
            "{} holds a run that has not ended, and a what-if would show answers to snapshots that are still to be decided; \
             run the study again to go on, and ask at its end",
            run.display()
        ),
    }
}

/// Whether a run may be replayed: it must not be being written.
///
/// # Errors
/// When it is.
pub fn at_rest(run: &Path) -> anyhow::Result<()> {
    if understudy_run_log::RunDirectory::is_being_written(run)? {
        bail!("{} is being written by another process; wait for it to end, or stop it", run.display());
    }
    Ok(())
}
