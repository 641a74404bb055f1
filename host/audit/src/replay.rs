//! `understudy replay`: answers the logged snapshots again and compares the answers with the logged ones.
//!
//! Invariants: nothing is written. Every batch is answered by a new instance, so that state a model keeps
//! between calls shows as a difference.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::UInt64Type;

use crate::run_files::read_entries;
use understudy_engine::log_schema::row_decoder;
use understudy_engine::{LoadedPlugin, SealedStudy, blinding_mask};
use understudy_run_log::ledger::{self, LedgerState};
use understudy_run_log::{ScanOptions, Table, segments};
use understudy_sandbox::{DeciderPlugin, InputField, is_timeout};
use understudy_study::StreamKind;

/// The result of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayResult {
    /// Replayed snapshots.
    pub rows: u64,
    /// Snapshots that cannot be replayed because their fields were dropped, as the study declares.
    pub dropped: u64,
    /// Blinded snapshots, which are not replayed: `verify` recomputes their answers.
    pub blinded: u64,
    /// The result of each model.
    pub models: Vec<ModelReplay>,
}

/// The result of replaying one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelReplay {
    /// The model's name in the study.
    pub name: String,
    /// Rows with an answer that differs from the logged one.
    pub differ: u64,
    /// The first of these rows: sequence number and id.
    pub first: Vec<(u64, String)>,
    /// Rows whose call timed out, in the run or in the replay. They are not compared.
    pub timed_out: u64,
}

/// Replays the log of a run with the plugins of `sealed_study`. Lists at most `most` differing rows per model.
///
/// # Errors
/// If the log cannot be read, or does not hold the rows of this study.
pub fn replay(
    sealed_study: &SealedStudy,
    run: &Path,
    batch_rows: usize,
    most: usize,
) -> anyhow::Result<ReplayResult> {
    let reduced = reduced(run)?;
    let named = |member: &LoadedPlugin<DeciderPlugin>| ModelReplay {
        name: member.name.clone(),
        ..ModelReplay::default()
    };
    let mut models: Vec<ModelReplay> = sealed_study.models.iter().map(named).collect();
    let (mut rows, mut dropped, mut hidden) = (0, 0, 0);
    for segment in segments(run, Table::Snapshots)? {
        let columns = row_decoder::columns(sealed_study, Table::Snapshots);
        let reading = ScanOptions::new(Table::Snapshots, columns);
        let gone = reduced.contains(&segment.group);
        for batch in reading.segment(segment) {
            let batch = batch?;
            if gone {
                dropped += batch.num_rows() as u64;
                continue;
            }
            let ids = batch.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>());
            let blinded = blinding_mask(
                sealed_study.blinding.as_ref(),
                ids.context("the log's snapshots have no ids")?,
            );
            hidden += blinded.true_count() as u64;
            let batch = filter_record_batch(&batch, &not(&blinded)?)?;
            rows += batch.num_rows() as u64;
            let mut start = 0;
            while start < batch.num_rows() {
                let part = batch.slice(start, batch_rows.min(batch.num_rows() - start));
                let (part, generation) = of_one_generation(sealed_study, &part)?;
                start += part.num_rows();
                decide(sealed_study, generation, &mut models, &part, most)?;
            }
        }
    }
    Ok(ReplayResult { rows, dropped, blinded: hidden, models })
}

/// The groups whose snapshots lost fields.
fn reduced(run: &Path) -> anyhow::Result<BTreeSet<u32>> {
    let group = |file: &String| file.strip_prefix("snapshots/")?.strip_suffix(".parquet")?.parse().ok();
    Ok(LedgerState::from_entries(&read_entries(run)?).reduced.iter().filter_map(group).collect())
}

/// The first rows of a batch that belong to one generation, and that generation.
fn of_one_generation(sealed_study: &SealedStudy, batch: &RecordBatch) -> anyhow::Result<(RecordBatch, u32)> {
    let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
    let sequences = sequences.context("the log's snapshots have no sequence numbers")?.values();
    let of = |sequence: &u64| sealed_study.versions.generation_of_record(StreamKind::Snapshots, *sequence);
    let first = sequences.first().map_or(0, of);
    let rows = sequences.iter().take_while(|sequence| of(sequence) == first).count();
    Ok((batch.slice(0, rows), first))
}

fn decide(
    sealed_study: &SealedStudy,
    generation: u32,
    models: &mut [ModelReplay],
    batch: &RecordBatch,
    most: usize,
) -> anyhow::Result<()> {
    let row_decoder::DecodedRows { sequences, records } =
        row_decoder::records(&sealed_study.study.inputs, StreamKind::Snapshots, batch)?;
    let answers = row_decoder::answers(sealed_study, batch)?;
    let fields = &sealed_study.study.inputs.fields;
    for ((replayed, part), then) in models.iter_mut().zip(&sealed_study.versions.models).zip(answers) {
        let then = then.output.answers;
        let plugin = &part.version_at(generation).plugin;
        let place = |reads: &InputField| fields.iter().position(|field| field.name == reads.name);
        let reads: Option<Vec<usize>> = plugin.reads.iter().map(place).collect();
        let other = "the log's fields are not the study's";
        let shown = records.fields.project(&reads.context(other)?).context(other)?;
        let now = plugin.instance().decide(&shown).answers;
        for row in then.differing(&now) {
            if is_timeout(then.reason(row)) || is_timeout(now.reason(row)) {
                replayed.timed_out += 1;
                continue;
            }
            replayed.differ += 1;
            if replayed.first.len() < most {
                replayed.first.push((sequences[row], records.ids.value(row).to_owned()));
            }
        }
    }
    Ok(())
}

/// Checks that the log of a run has all fields of its snapshots.
///
/// # Errors
/// If some were dropped.
pub fn ensure_all_fields(run: &Path) -> anyhow::Result<()> {
    match reduced(run)?.len() {
        0 => Ok(()),
        segments => bail!(
            "cannot read the fields of the snapshots in {}: `log.retain` of its study dropped them in {segments} segments, so they can \
             neither be shown nor passed to other plugins",
            run.display()
        ),
    }
}

/// Checks that a run is closed, so that no decision on its snapshots is pending.
///
/// # Errors
/// If it is not.
pub fn ensure_closed(run: &Path) -> anyhow::Result<()> {
    match ledger::is_closed(&read_entries(run)?) {
        true => Ok(()),
        false => bail!(
            "{} holds a run that has not ended, and a what-if replay would show answers to undecided snapshots; resume it with \
             `understudy run` and replay it after its end",
            run.display()
        ),
    }
}

/// Checks that no process writes to a run.
///
/// # Errors
/// If one does.
pub fn ensure_not_being_written(run: &Path) -> anyhow::Result<()> {
    if understudy_run_log::RunDirectory::is_being_written(run)? {
        bail!("{} is being written by another process; wait for it to end, or stop it", run.display());
    }
    Ok(())
}
