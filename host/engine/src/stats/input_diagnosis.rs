//! Diagnoses from the log why a run read or joined fewer than a tenth of its records.
//!
//! Invariants: nothing is read unless a run ended so; memory and time are bounded by the number of records examined.

use std::collections::HashSet;
use std::path::Path;

use anyhow::anyhow;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimestampMicrosecondType, UInt64Type};

use understudy_records::diagnosis::{
    CauseCounts, IdComparison, InputDiagnosis, UnpairedIds, UnreadStream, is_hardly_joined, is_hardly_read,
};
use understudy_records::join::Accounting;
use understudy_run_log::{ScanOptions, Table};
use understudy_study::{Micros, StreamKind, Study};

/// Rejected records of a stream that are examined.
const EXAMINED: u64 = 10_000;

/// Why the run in `run` read or joined fewer than a tenth of its records; `None` if it read and joined more.
///
/// # Errors
/// If the log cannot be read.
pub fn diagnose(
    study: &Study,
    run: &Path,
    accounting: &Accounting,
) -> anyhow::Result<Option<InputDiagnosis>> {
    let accounts =
        [(StreamKind::Snapshots, &accounting.snapshots), (StreamKind::Decisions, &accounting.decisions)];
    let mut unread = Vec::new();
    for (kind, account) in accounts.into_iter().filter(|(_, account)| is_hardly_read(account)) {
        let causes = if account.rejected > 0 { causes(study, run, kind)? } else { CauseCounts::default() };
        unread.push(UnreadStream::new(kind, account, causes));
    }
    // What was not read cannot be joined.
    let unpaired = match unread.is_empty() && is_hardly_joined(accounting) {
        true => Some(compare_ids(study, run)?),
        false => None,
    };
    let is_found = !unread.is_empty() || unpaired.is_some();
    Ok(is_found.then_some(InputDiagnosis { unread, unpaired }))
}

/// The causes of the first rejected records of a stream.
fn causes(study: &Study, run: &Path, kind: StreamKind) -> anyhow::Result<CauseCounts> {
    let mut counts = CauseCounts::default();
    let columns = ["stream", "reason", "raw"].map(str::to_owned).to_vec();
    for batch in ScanOptions::new(Table::Excluded, columns).open(run)? {
        let batch = batch?;
        let (streams, reasons) = (texts(&batch, "stream")?, texts(&batch, "reason")?);
        let raw = batch.column_by_name("raw").and_then(|column| column.as_binary_opt::<i32>());
        let raw = raw.ok_or_else(|| anyhow!("cannot decode the log: the column raw is missing"))?;
        for row in 0..batch.num_rows() {
            if streams.value(row) == kind.name() && reasons.value(row) == "rejected" {
                counts.add(raw.value(row), study.stream(kind));
            }
            if counts.total() >= EXAMINED {
                return Ok(counts);
            }
        }
    }
    Ok(counts)
}

/// Compares the ids of the first unpaired records of both streams.
fn compare_ids(study: &Study, run: &Path) -> anyhow::Result<UnpairedIds> {
    // Fewer than a tenth of the records are paired, so the two sets are small against the log.
    let (mut snapshots, mut decisions) = (HashSet::new(), HashSet::new());
    let columns = ["snapshot", "decision"].map(str::to_owned).to_vec();
    for batch in ScanOptions::new(Table::Pairs, columns).open(run)? {
        let batch = batch?;
        snapshots.extend(numbers(&batch, "snapshot")?.iter().copied());
        decisions.extend(numbers(&batch, "decision")?.iter().copied());
        if snapshots.len() as u64 > IdComparison::EXAMINED {
            break;
        }
    }
    let mut comparison = IdComparison::new(Micros::from_duration(study.horizon));
    each_unpaired(run, Table::Snapshots, "observed_at", &snapshots, |id, time| {
        comparison.add_snapshot(id, time)
    })?;
    each_unpaired(run, Table::Decisions, "decided_at", &decisions, |id, time| {
        comparison.add_decision(id, time)
    })?;
    Ok(comparison.finish())
}

/// Passes id and event time of each record that is not paired to `each`, until it returns false.
fn each_unpaired(
    run: &Path,
    table: Table,
    time: &str,
    paired: &HashSet<u64>,
    mut each: impl FnMut(&str, i64) -> bool,
) -> anyhow::Result<()> {
    let columns = ["sequence", "id", time].map(str::to_owned).to_vec();
    for batch in ScanOptions::new(table, columns).open(run)? {
        let batch = batch?;
        let (sequences, ids) = (numbers(&batch, "sequence")?, texts(&batch, "id")?);
        let times = batch
            .column_by_name(time)
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.ok_or_else(|| anyhow!("cannot decode the log: the column {time} is missing"))?;
        for (row, sequence) in sequences.iter().enumerate() {
            if !paired.contains(sequence) && !each(ids.value(row), times.value(row)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> anyhow::Result<&'b arrow::array::StringArray> {
    let column = batch.column_by_name(name).filter(|column| *column.data_type() == DataType::Utf8);
    Ok(column
        .ok_or_else(|| {
            anyhow!(
                "cannot decode the log: it has no text column {name}; check the run with `understudy verify`"
            )
        })?
        .as_string())
}

fn numbers<'b>(batch: &'b RecordBatch, name: &str) -> anyhow::Result<&'b [u64]> {
    let column = batch.column_by_name(name).filter(|column| *column.data_type() == DataType::UInt64);
    let column = column.ok_or_else(|| {
        anyhow!("cannot decode the log: it has no column of whole numbers {name}; check the run with `understudy verify`")
    })?;
    Ok(column.as_primitive::<UInt64Type>().values())
}
