//! Recomputes the derived results of a run from its log and compares them with the stored ones.
//!
//! Invariants: every column of every pair is compared, in any order of the rows. Memory grows by a few bytes
//! for every 65,536 snapshots.

use std::path::Path;
use std::thread;

use anyhow::anyhow;
use arrow::datatypes::SchemaRef;

use crate::verify::issue::VerifyReport;
use crate::verify::multiset_digest::{MultisetDigest, RANGE, Seed};
use crate::verify::sums_from_scores;
use understudy_engine::{
    Checkpoint, PairTableBuilder, Recomputed, SealedStudy, buffered_fields, recompute, schemas,
};
use understudy_run_log::{CHECKPOINT, ScanOptions, Table};

/// Recomputes pairs and sums and compares them with the stored ones. Returns the number of pairs.
///
/// # Errors
/// If the log cannot be read, or does not hold the rows of this study.
pub fn check(
    sealed_study: &SealedStudy,
    run: &Path,
    saved: &Checkpoint,
    report: &mut VerifyReport,
) -> anyhow::Result<u64> {
    let schema = schemas(sealed_study)[Table::Pairs as usize].clone();
    let seed = Seed::new()?;
    let (logged, rebuilt) = thread::scope(|scope| {
        let logged = scope.spawn(|| logged(run, &schema, seed));
        let rebuilt = rebuilt(sealed_study, run, &schema, seed);
        let logged = logged.join().map_err(|_| {
            anyhow!("the thread that reads the pair table panicked; this is a bug in understudy")
        });
        anyhow::Ok((logged??, rebuilt?))
    })?;
    let (recomputed, rebuilt) = rebuilt;
    for (range, [found, expected]) in logged.differences(&recomputed) {
        let content = if found == expected { " with different content" } else { "" };
        report.issue(
            "pairs",
            format_args!(
                "the pairs of the snapshots with sequence numbers {range} to {} do not follow from the log: the table has \
                 {found}, and the log gives {expected}{content}",
                range + RANGE - 1
            ),
        );
    }
    for what in differences(saved, &rebuilt) {
        report.issue(CHECKPOINT, format_args!("{what} not those that the log gives"));
    }
    Ok(rebuilt.aggregates.comparison.compared + rebuilt.aggregates.comparison.incomparable)
}

/// Recomputes the sums from the stored scores of the pairs, for runs whose fields were dropped. Returns the
/// number of pairs.
///
/// # Errors
/// If the pairs cannot be read, or do not hold the scores of this study.
pub fn check_stored_scores(
    sealed_study: &SealedStudy,
    run: &Path,
    saved: &Checkpoint,
    report: &mut VerifyReport,
) -> anyhow::Result<u64> {
    let (cells, comparison) = sums_from_scores::sums(sealed_study, run)?;
    let then = saved.aggregates.as_ref();
    let accounting = saved.end.as_ref().map(|ended| ended.accounting);
    for (same, what) in [
        (then.is_some_and(|then| then.cells == cells), "the sums of the scores are"),
        (then.is_some_and(|then| then.comparison == comparison), "the counts of compared pairs are"),
        (accounting.is_some_and(|accounting| accounting.balances()), "the accounts do not balance; they are"),
        (
            accounting.map(|accounting| accounting.snapshots.paired)
                == Some(comparison.compared + comparison.incomparable),
            "the counts of pairs are",
        ),
    ] {
        if !same {
            report.issue(CHECKPOINT, format_args!("{what} not those that the stored scores give"));
        }
    }
    Ok(comparison.compared + comparison.incomparable)
}

/// The digest of the stored pairs.
fn logged(run: &Path, schema: &SchemaRef, seed: Seed) -> anyhow::Result<MultisetDigest> {
    let mut set = MultisetDigest::new(schema, seed);
    for batch in ScanOptions::new(Table::Pairs, Vec::new()).open(run)? {
        set.add(&batch?)?;
    }
    Ok(set)
}

/// The digest of the recomputed pairs, and all other recomputed results.
fn rebuilt(
    sealed_study: &SealedStudy,
    run: &Path,
    schema: &SchemaRef,
    seed: Seed,
) -> anyhow::Result<(MultisetDigest, Recomputed)> {
    let mut set = MultisetDigest::new(schema, seed);
    let table = PairTableBuilder::new(sealed_study);
    let rebuilt = recompute(sealed_study, run, buffered_fields(sealed_study), |compared| {
        set.add(&table.batch(compared))
    })?;
    Ok((set, rebuilt))
}

/// The differences between a checkpoint and the recomputed results, each as the beginning of a sentence.
fn differences(saved: &Checkpoint, rebuilt: &Recomputed) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut compare = |same: bool, what: &'static str| {
        if !same {
            found.push(what);
        }
    };
    let (then, now) = (&saved.counters, &rebuilt.counters);
    compare(saved.end.as_ref().map(|ended| ended.accounting) == Some(rebuilt.accounting), "the accounts are");
    compare(rebuilt.accounting.balances(), "the accounts do not balance; they are");
    compare(then.position == now.position, "the counts of records are");
    compare(then.clocks == now.clocks, "the latest times are");
    compare(then.models == now.models, "the counts of the models' answers are");
    compare(then.latency == now.latency, "the models' latencies are");
    compare(then.failures == now.failures, "the models' failures are");
    compare(then.unanswered == now.unanswered, "the reasons of the models' missing answers are");
    compare(then.sorted_exclusions() == now.sorted_exclusions(), "the first excluded records are");
    compare(then.inputs == now.inputs, "the distributions of the snapshots' fields are");
    compare(then.records == now.records, "the counts of records by window are");
    let Some(then) = &saved.aggregates else { return vec!["the sums are missing; they are"] };
    let now = &rebuilt.aggregates;
    compare(then.cells == now.cells, "the sums of the scores are");
    compare(then.comparison == now.comparison, "the counts of compared pairs are");
    compare(then.evidence == now.evidence, "the statistics of the verdict are");
    compare(then.self_agreement == now.self_agreement, "the sums by input class are");
    compare(then.profiles == now.profiles, "the sums by profile are");
    compare(then.revisions == now.revisions, "the sums of revised decisions are");
    compare(then.answer_distributions == now.answer_distributions, "the answer distributions are");
    compare(
        then.substrate == now.substrate && then.decided_before == now.decided_before,
        "the substrate's latencies are",
    );
    compare(then.failures == now.failures, "the failures of comparator and metrics are");
    compare(then.unanswered == now.unanswered, "the reasons of the comparator's missing answers are");
    found
}
