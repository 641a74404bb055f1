//! Diagnoses from the log why a run read or joined fewer than a tenth of its records, and which declared fields are misspelt.
//!
//! Invariants: the log is read only after such an end, or if no accepted record has a value of a declared field; memory and
//! time are bounded by the number of records examined.

use std::collections::HashSet;
use std::path::Path;

use anyhow::anyhow;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimestampMicrosecondType, UInt64Type};

use understudy_records::diagnosis::{
    CauseCounts, IdComparison, InputDiagnosis, MisspeltField, UndeclaredKeys, UnpairedIds, UnreadStream,
    is_hardly_joined, is_hardly_read,
};
use understudy_records::join::Accounting;
use understudy_run_log::{ScanOptions, Table};
use understudy_study::{Micros, PerStream, StreamKind, Study};

/// Rejected records of a stream that are examined.
const EXAMINED: u64 = 10_000;

/// Why the run in `run` read or joined fewer than a tenth of its records, and the misspelt fields; `None` if there is nothing to
/// say. `missing_values` has per stream and declared field the accepted records without a value.
///
/// # Errors
/// If the log cannot be read.
pub fn diagnose(
    study: &Study,
    run: &Path,
    accounting: &Accounting,
    missing_values: &PerStream<Vec<u64>>,
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
    let mut misspelt = Vec::new();
    for (kind, account) in accounts {
        let accepted = account.received - account.exclusions().total();
        misspelt.extend(misspelt_fields(study, run, kind, accepted, &missing_values[kind])?);
    }
    let is_found = !unread.is_empty() || unpaired.is_some() || !misspelt.is_empty();
    Ok(is_found.then_some(InputDiagnosis { unread, unpaired, misspelt }))
}

/// The fields of a stream that none of its accepted records has a value of, although the first of them have a similar key.
/// Empty if the log does not keep the text of records.
fn misspelt_fields(
    study: &Study,
    run: &Path,
    kind: StreamKind,
    accepted: u64,
    missing_values: &[u64],
) -> anyhow::Result<Vec<MisspeltField>> {
    let stream = study.stream(kind);
    let fields = stream.fields.iter().zip(missing_values);
    let absent: Vec<_> =
        fields.filter(|(_, missing)| **missing == accepted).map(|(field, _)| field).collect();
    if accepted == 0 || absent.is_empty() || !study.log.keep_raw {
        return Ok(Vec::new());
    }
    let table = match kind {
        StreamKind::Snapshots => Table::Snapshots,
        StreamKind::Decisions => Table::Decisions,
    };
    let mut keys = UndeclaredKeys::default();
    'scan: for batch in ScanOptions::new(table, vec!["raw".to_owned()]).open(run)? {
        for raw in texts(&batch?, "raw")?.iter().flatten() {
            if !keys.add(raw.as_bytes(), stream) {
                break 'scan;
            }
        }
    }
    Ok(absent.into_iter().filter_map(|field| keys.similar(kind, &field.name)).collect())
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
