//! Decided rows: snapshots with their decision, answers and scores, as they may be shown.
//!
//! Invariants: a row is shown only if its decision has come and, unless the run is closed, its horizon is
//! over. Rows that are withheld are counted. The content of a shown row is computed from the records in the
//! log; the pair table serves only to find and to count rows. Only columns on an allow list are shown.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use anyhow::Context as _;
use arrow::array::{AsArray as _, BooleanArray, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use crate::disclose::decided_row_builder::{DecidedRowBuilder, disclosed_columns};
use crate::run_files::read_entries;
use understudy_engine::{SealedStudy, recompute, recompute_ids};
use understudy_run_log::{LogError, ScanOptions, Table, count_rows, ledger, row_groups};
use understudy_study::{Micros, PerStream, StreamKind};

/// Row counts of a disclosure, for its entry in the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisclosureCounts {
    /// Decided rows that may be shown.
    pub decided: u64,
    /// Accepted snapshots that are withheld: not decided, or their horizon is not over.
    pub withheld: u64,
    /// The latest decision time if the run is not closed: later decisions may be influenced.
    pub since: Option<Timestamp>,
}

impl DisclosureCounts {
    /// Counts the rows of a run by its tables, without evaluating them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) fn read(run: &Path, cutoff: &DisclosureCutoff) -> anyhow::Result<DisclosureCounts> {
        let decided = match cutoff.before {
            None => count_rows(run, Table::Pairs)?,
            Some(_) => {
                let mut decided = 0;
                for batch in ScanOptions::new(Table::Pairs, vec!["observed_at".to_owned()]).open(run)? {
                    decided += cutoff.mask(&batch?)?.true_count() as u64;
                }
                decided
            }
        };
        let withheld = count_rows(run, Table::Snapshots)?.saturating_sub(decided);
        Ok(DisclosureCounts { decided, withheld, since: cutoff.since })
    }
}

/// Computes all decided rows of a run and passes them to `each`, as batches of [`disclosed_columns`], in the
/// order in which they were paired.
///
/// # Errors
/// If the log cannot be read, or does not hold the rows of this study; or the error of `each`.
pub fn for_each_decided_row(
    sealed_study: &SealedStudy,
    run: &Path,
    mut each: impl FnMut(RecordBatch) -> anyhow::Result<()> + Send,
) -> anyhow::Result<DisclosureCounts> {
    let cutoff = DisclosureCutoff::read(sealed_study, run)?;
    let mut rows = DecidedRowBuilder::new(sealed_study);
    let mut counts = DisclosureCounts { since: cutoff.since, ..DisclosureCounts::default() };
    let rebuilt = recompute(sealed_study, run, all_fields(sealed_study), |compared| {
        let batch = cutoff.apply(rows.batch(compared))?;
        counts.decided += batch.num_rows() as u64;
        if batch.num_rows() > 0 { each(batch) } else { Ok(()) }
    })?;
    counts.withheld = rebuilt.counters.accepted(StreamKind::Snapshots) - counts.decided;
    Ok(counts)
}

/// Computes the decided rows with these ids and passes them to `each`, as batches of [`disclosed_columns`].
///
/// # Errors
/// Like [`for_each_decided_row`].
pub(crate) fn decided_rows_by_id(
    sealed_study: &SealedStudy,
    run: &Path,
    cutoff: &DisclosureCutoff,
    ids: &BTreeSet<String>,
    mut each: impl FnMut(RecordBatch) -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    let mut rows = DecidedRowBuilder::new(sealed_study);
    recompute_ids(sealed_study, run, all_fields(sealed_study), ids, |compared| {
        let batch = cutoff.apply(rows.batch(compared))?;
        if batch.num_rows() > 0 { each(batch) } else { Ok(()) }
    })
}

/// Computes the latest decided rows of a run, at most `most`; only those with one of `ids`, unless that is
/// empty.
///
/// # Errors
/// If the log cannot be read, or does not hold the rows of this study.
pub fn latest_decided_rows(
    sealed_study: &SealedStudy,
    run: &Path,
    ids: &BTreeSet<String>,
    most: usize,
) -> anyhow::Result<(RecordBatch, DisclosureCounts)> {
    let cutoff = DisclosureCutoff::read(sealed_study, run)?;
    let counts = DisclosureCounts::read(run, &cutoff)?;
    let latest = if ids.is_empty() { Some(latest_keys(run, &cutoff, most)?) } else { None };
    let of_latest = latest.as_ref().map(|keys| keys.iter().map(|(id, _)| id.clone()).collect());
    let mut batches = Vec::new();
    decided_rows_by_id(sealed_study, run, &cutoff, of_latest.as_ref().unwrap_or(ids), |batch| {
        batches.push(batch);
        Ok(())
    })?;
    let rows = concat_batches(&disclosed_columns(sealed_study), &batches)?;
    let Some(latest) = latest else {
        let first = rows.num_rows().saturating_sub(most);
        return Ok((rows.slice(first, rows.num_rows() - first), counts));
    };
    let places: FxHashMap<RowKey, u32> =
        (0..rows.num_rows()).map(|row| (row_key(&rows, row), row as u32)).collect();
    let picks: UInt32Array = latest.iter().filter_map(|key| places.get(key).copied()).map(Some).collect();
    Ok((take_record_batch(&rows, &picks)?, counts))
}

/// The keys of the latest pairs of a run before the cutoff, at most `most`, in the order in which they were
/// paired.
fn latest_keys(run: &Path, cutoff: &DisclosureCutoff, most: usize) -> anyhow::Result<Vec<RowKey>> {
    let mut latest = VecDeque::new();
    for group in row_groups(run, Table::Pairs, "observed_at")?.into_iter().rev() {
        let columns = ["id", "observed_at"].map(str::to_owned).to_vec();
        for batch in group.read(Table::Pairs, columns)?.into_iter().rev() {
            let batch = cutoff.apply(batch)?;
            for row in (0..batch.num_rows()).rev() {
                if latest.len() == most {
                    return Ok(latest.into());
                }
                latest.push_front(row_key(&batch, row));
            }
        }
    }
    Ok(latest.into())
}

/// The fields of both streams, all of which a decided row shows.
fn all_fields(sealed_study: &SealedStudy) -> PerStream<Vec<usize>> {
    PerStream::from_fn(|kind| (0..sealed_study.study.stream(kind).fields.len()).collect())
}

/// What identifies a decided row: its id and the event time of its snapshot, as an id may be used more than
/// once.
pub(crate) type RowKey = (String, Micros);

/// The key of a row of a batch that has ids and event times.
pub(crate) fn row_key(batch: &RecordBatch, row: usize) -> RowKey {
    let ids = batch.column_by_name("id").expect("decided rows have ids").as_string::<i32>();
    (ids.value(row).to_owned(), Micros(times(batch, "observed_at").value(row)))
}

/// A column of event times in microseconds: `observed_at` or `decided_at`.
pub(crate) fn times<'b>(batch: &'b RecordBatch, name: &str) -> &'b TimestampMicrosecondArray {
    let column = batch.column_by_name(name).expect("decided rows have their times");
    column.as_primitive()
}

/// Which decided rows may be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DisclosureCutoff {
    /// Rows with an earlier event time may be shown; all rows if `None`, since the run is closed.
    pub before: Option<Micros>,
    /// The latest decision time if the run is not closed.
    pub since: Option<Timestamp>,
}

impl DisclosureCutoff {
    /// The current cutoff of a run.
    ///
    /// # Errors
    /// If the ledger or the decisions cannot be read.
    pub(crate) fn read(sealed_study: &SealedStudy, run: &Path) -> anyhow::Result<DisclosureCutoff> {
        if ledger::is_closed(&read_entries(run)?) {
            return Ok(DisclosureCutoff { before: None, since: None });
        }
        let study = &sealed_study.study;
        let clock = latest_decision(run)?;
        let span = Micros::from_duration(study.decisions.lateness.saturating_add(study.horizon));
        let before = clock.map_or(Micros(i64::MIN), |clock| clock.saturating_sub(span));
        let since = clock.map_or_else(Timestamp::now, |clock| clock.timestamp().unwrap_or(Timestamp::MAX));
        Ok(DisclosureCutoff { before: Some(before), since: Some(since) })
    }

    /// Whether a row with this event time may be shown.
    pub(crate) fn allows(&self, observed: Micros) -> bool {
        self.before.is_none_or(|before| observed < before)
    }

    fn mask(&self, batch: &RecordBatch) -> anyhow::Result<BooleanArray> {
        let observed = batch.column_by_name("observed_at");
        let observed = observed.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let observed = observed.context("the pair table has no event times")?;
        Ok(observed.values().iter().map(|time| Some(self.allows(Micros(*time)))).collect())
    }

    /// The rows of a batch that may be shown.
    pub(crate) fn apply(&self, batch: RecordBatch) -> anyhow::Result<RecordBatch> {
        match self.before {
            None => Ok(batch),
            Some(_) => Ok(filter_record_batch(&batch, &self.mask(&batch)?)?),
        }
    }
}

/// The latest event time of a decision in the log.
fn latest_decision(run: &Path) -> Result<Option<Micros>, LogError> {
    let mut latest = None;
    for group in row_groups(run, Table::Decisions, "decided_at")? {
        if let Some((_, last)) = group.times {
            latest = latest.max(Some(last));
            continue;
        }
        for batch in group.read(Table::Decisions, vec!["decided_at".to_owned()])? {
            let times = batch.column_by_name("decided_at");
            let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
            latest = latest.max(times.and_then(|times| times.values().iter().max().copied()).map(Micros));
        }
    }
    Ok(latest)
}
