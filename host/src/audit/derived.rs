//! What a run derived from its log against what is derived from it now.
//!
//! Always holds: every column of every pair is compared, whatever the order of the rows; memory grows by a few bytes for
//! every 65,536 snapshots.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, anyhow};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::finding::Findings;
use crate::run::{Pairs, Prepared, Rebuilt, Saved, needed, rebuild, schemas};
use crate::runlog::{CHECKPOINT, Reading, Table};

/// Pairs of so many snapshots are told apart from others by one sum.
const RANGE: u64 = 1 << 16;

/// Makes pairs and sums again and compares them with those of the run. Gives how many pairs there are.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold.
pub fn check(prepared: &Prepared, run: &Path, saved: &Saved, findings: &mut Findings) -> anyhow::Result<u64> {
    let schema = schemas(prepared)[Table::Pairs as usize].clone();
    let mut seed = [0; 8];
    // So that nobody can make other rows with the same sums.
    getrandom::fill(&mut seed).map_err(|error| anyhow!("no random numbers: {error}"))?;
    let seed = u64::from_le_bytes(seed);
    let (logged, rebuilt) = thread::scope(|scope| {
        let logged = scope.spawn(|| logged(run, &schema, seed));
        let rebuilt = rebuilt(prepared, run, &schema, seed);
        let logged = logged.join().map_err(|_| anyhow!("a thread that reads the log has stopped"));
        anyhow::Ok((logged??, rebuilt?))
    })?;
    let (again, rebuilt) = rebuilt;
    for (range, expected, found) in logged.differences(&again) {
        findings.fault(
            "pairs",
            format_args!(
                "the pairs of the snapshots with sequence numbers {range} to {} are not those that the log gives: there \
                 are {found}, and the log gives {expected}{}",
                range + RANGE - 1,
                if found == expected { " with other content" } else { "" }
            ),
        );
    }
    for what in differences(saved, &rebuilt) {
        findings.fault(CHECKPOINT, format_args!("{what} not those that the log gives"));
    }
    Ok(rebuilt.judged.comparison.compared + rebuilt.judged.comparison.incomparable)
}

/// The pairs that the log holds.
fn logged(run: &Path, schema: &SchemaRef, seed: u64) -> anyhow::Result<RowSet> {
    let mut set = RowSet::new(schema, seed)?;
    for batch in
        (Reading { table: Table::Pairs, columns: Vec::new(), from_group: 0, from: None }).open(run)?
    {
        set.add(&batch?)?;
    }
    Ok(set)
}

/// The pairs as they are made now, and all else.
fn rebuilt(
    prepared: &Prepared,
    run: &Path,
    schema: &SchemaRef,
    seed: u64,
) -> anyhow::Result<(RowSet, Rebuilt)> {
    let mut set = RowSet::new(schema, seed)?;
    let mut table = Pairs::new(prepared);
    let rebuilt = rebuild(prepared, run, needed(prepared), |compared| {
        set.add(&table.batch(&compared.sources, &compared.answers))
    })?;
    Ok((set, rebuilt))
}

/// What of a checkpoint is not as it should be, as the beginning of a sentence.
fn differences(saved: &Saved, rebuilt: &Rebuilt) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut compare = |same: bool, what: &'static str| {
        if !same {
            found.push(what);
        }
    };
    let (then, now) = (&saved.counted, &rebuilt.counted);
    compare(
        saved.ended.as_ref().map(|ended| ended.accounting) == Some(rebuilt.accounting),
        "the accounts are",
    );
    compare(rebuilt.accounting.balances(), "the accounts do not balance: they are");
    compare(then.position == now.position, "the counts of records are");
    compare(then.clocks == now.clocks, "the latest times are");
    compare(then.models == now.models, "the counts of the models' answers are");
    compare(then.latency == now.latency, "the models' latencies are");
    compare(then.incidents == now.incidents, "the models' incidents are");
    compare(then.refused() == now.refused(), "the first refused records are");
    let Some(then) = &saved.judged else { return vec!["the sums are missing, so they are"] };
    let now = &rebuilt.judged;
    compare(then.cells == now.cells, "the sums of the scores are");
    compare(then.comparison == now.comparison, "the counts of compared pairs are");
    compare(then.substrate == now.substrate && then.before == now.before, "the substrate's latencies are");
    compare(then.incidents == now.incidents, "the incidents of comparator and metrics are");
    found
}

/// Rows, by which snapshots they belong to: how many there are, and a sum of digests, in which their order does not show.
struct RowSet {
    schema: SchemaRef,
    converter: RowConverter,
    seed: u64,
    ranges: BTreeMap<u64, (u64, u64)>,
}

impl RowSet {
    fn new(schema: &SchemaRef, seed: u64) -> anyhow::Result<RowSet> {
        let sorts = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(sorts).context("the columns of pairs cannot be compared")?;
        Ok(RowSet { schema: schema.clone(), converter, seed, ranges: BTreeMap::new() })
    }

    fn add(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let snapshots = batch.column_by_name("snapshot").and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let same = batch.schema_ref().fields() == self.schema.fields();
        let snapshots =
            snapshots.filter(|_| same).context("the log's pairs have other columns than this study's")?;
        let rows = self.converter.convert_columns(batch.columns())?;
        for (snapshot, row) in snapshots.values().iter().zip(rows.iter()) {
            let (count, sum) = self.ranges.entry(snapshot / RANGE).or_default();
            *count += 1;
            *sum = sum.wrapping_add(xxh3_64_with_seed(row.data(), self.seed));
        }
        Ok(())
    }

    /// The first snapshot of each range in which the two differ, and how many pairs the other and this one have there.
    fn differences(&self, other: &RowSet) -> Vec<(u64, u64, u64)> {
        let of = |set: &RowSet, range: &u64| set.ranges.get(range).copied().unwrap_or_default();
        let mut ranges: Vec<u64> = self.ranges.keys().chain(other.ranges.keys()).copied().collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges.retain(|range| of(self, range) != of(other, range));
        ranges.into_iter().map(|range| (range * RANGE, of(other, &range).0, of(self, &range).0)).collect()
    }
}
