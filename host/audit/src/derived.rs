//! What a run derived from its log against what is derived from it now.
//!
//! Always holds: every column of every pair is compared, whatever the order of the rows; memory grows by a few bytes for
//! every 65,536 snapshots.

use std::path::Path;
use std::thread;

use anyhow::anyhow;
use arrow::datatypes::SchemaRef;

use super::finding::Findings;
use super::rowset::{RANGE, RowSet, Seed};
use super::scores;
use understudy_engine::{Pairs, Prepared, Rebuilt, Saved, needed, rebuild, schemas};
use understudy_run_log::{CHECKPOINT, Reading, Table};

/// Makes pairs and sums again and compares them with those of the run. Gives how many pairs there are.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold.
pub fn check(prepared: &Prepared, run: &Path, saved: &Saved, findings: &mut Findings) -> anyhow::Result<u64> {
    let schema = schemas(prepared)[Table::Pairs as usize].clone();
    let seed = Seed::new()?;
    let (logged, rebuilt) = thread::scope(|scope| {
        let logged = scope.spawn(|| logged(run, &schema, seed));
        let rebuilt = rebuilt(prepared, run, &schema, seed);
        let logged = logged.join().map_err(|_| anyhow!("a thread that reads the log has stopped"));
        anyhow::Ok((logged??, rebuilt?))
    })?;
    let (again, rebuilt) = rebuilt;
    for (range, [found, expected]) in logged.differences(&again) {
        let content = if found == expected { " with other content" } else { "" };
        findings.fault(
            "pairs",
            format_args!(
                "the pairs of the snapshots with sequence numbers {range} to {} are not those that the log gives: there \
                 are {found}, and the log gives {expected}{content}",
                range + RANGE - 1
            ),
        );
    }
    for what in differences(saved, &rebuilt) {
        findings.fault(CHECKPOINT, format_args!("{what} not those that the log gives"));
    }
    Ok(rebuilt.judged.comparison.compared + rebuilt.judged.comparison.incomparable)
}

/// Makes the sums again from the scores that the pairs keep, where snapshots have lost their fields. Gives how many pairs
/// there are.
///
/// # Errors
/// When the pairs cannot be read, or do not hold the scores of this study.
pub fn check_kept(
    prepared: &Prepared,
    run: &Path,
    saved: &Saved,
    findings: &mut Findings,
) -> anyhow::Result<u64> {
    let (cells, comparison) = scores::sums(prepared, run)?;
    let then = saved.judged.as_ref();
    let accounting = saved.ended.as_ref().map(|ended| ended.accounting);
    for (same, what) in [
        (then.is_some_and(|then| then.cells == cells), "the sums of the scores are"),
        (then.is_some_and(|then| then.comparison == comparison), "the counts of compared pairs are"),
        (accounting.is_some_and(|accounting| accounting.balances()), "the accounts do not balance: they are"),
        (
            accounting.map(|accounting| accounting.snapshots.paired)
                == Some(comparison.compared + comparison.incomparable),
            "the counts of pairs are",
        ),
    ] {
        if !same {
            findings.fault(CHECKPOINT, format_args!("{what} not those that the kept scores give"));
        }
    }
    Ok(comparison.compared + comparison.incomparable)
}

/// The pairs that the log holds.
fn logged(run: &Path, schema: &SchemaRef, seed: Seed) -> anyhow::Result<RowSet> {
    let mut set = RowSet::new(schema, seed);
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
    seed: Seed,
) -> anyhow::Result<(RowSet, Rebuilt)> {
    let mut set = RowSet::new(schema, seed);
    let mut table = Pairs::new(prepared);
    let rebuilt = rebuild(prepared, run, needed(prepared), |compared| set.add(&table.batch(compared)))?;
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
    compare(then.inputs == now.inputs, "the counts of what the snapshots looked like are");
    let Some(then) = &saved.judged else { return vec!["the sums are missing, so they are"] };
    let now = &rebuilt.judged;
    compare(then.cells == now.cells, "the sums of the scores are");
    compare(then.comparison == now.comparison, "the counts of compared pairs are");
    compare(then.evidence == now.evidence, "the sums that a verdict is made of are");
    compare(then.profiles == now.profiles, "the sums by profile are");
    compare(then.spreads == now.spreads, "the spreads of the answers are");
    compare(then.substrate == now.substrate && then.before == now.before, "the substrate's latencies are");
    compare(then.incidents == now.incidents, "the incidents of what was compared are");
    found
}
