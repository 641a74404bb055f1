//! Recomputes all data derived from the log, from the log alone.
//!
//! Invariants: nothing is written to the run; the result does not depend on data that was derived earlier.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::anyhow;

use crate::batches::evaluated_pairs::EvaluatedPairs;
use crate::batches::messages::JoinedPair;
use crate::evaluation::pair_evaluator::{Evaluator, MAX_BATCH_PAIRS};
use crate::join::join_buffer::JoinBuffer;
use crate::recovery::log_replay;
use crate::recovery::log_replay::LogReplay;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use understudy_records::join::{Accounting, IntervalJoin};
use understudy_run_log::ledger::{self, LEDGER, LedgerState};
use understudy_run_log::read_file;
use understudy_study::{Micros, PerStream};

/// Maximum number of waiting pair batches.
const EVALUATION_QUEUE_BATCHES: usize = 4;

/// The derived data of a run.
pub struct Recomputed {
    /// Counters of records.
    pub counters: RunCounters,
    /// Sums of the evaluation.
    pub aggregates: Aggregates,
    /// The accounting of all records.
    pub accounting: Accounting,
}

/// Recomputes everything that is derived from the log of `run`, and passes all evaluated pairs to `each`.
/// `held` are the declared fields that it needs per stream, besides those that the comparator reads.
///
/// # Errors
/// If the log cannot be read, or does not hold the rows of this study; or the error of `each`.
pub fn recompute(
    sealed_study: &SealedStudy,
    run: &Path,
    held: PerStream<Vec<usize>>,
    each: impl FnMut(&EvaluatedPairs) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Recomputed> {
    let replay = LogReplay::open(sealed_study, run, PerStream::default())?;
    let settle = Settle::from_run(sealed_study, run)?.unless_by_clock();
    let (mut counters, aggregates, mut join_buffer) =
        evaluate(sealed_study, replay, &held, join_buffer(sealed_study, &held), settle, each)?;
    log_replay::count_excluded(sealed_study, run, 0, &mut counters)?;
    counters.position = counters.accounts.map(|account| account.received);
    let accounting = log_replay::accounting(&mut join_buffer, &counters);
    Ok(Recomputed { counters, aggregates, accounting })
}

/// Evaluates only the pairs of the records with these ids, and passes them to `each`. The pairs
/// are those of the whole log.
///
/// # Errors
/// Like [`recompute`].
pub fn recompute_ids(
    sealed_study: &SealedStudy,
    run: &Path,
    held: PerStream<Vec<usize>>,
    ids: &BTreeSet<String>,
    each: impl FnMut(&EvaluatedPairs) -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    let replay = LogReplay::open_selected(sealed_study, run, PerStream::default(), Some(ids))?;
    let mut join_buffer = join_buffer(sealed_study, &held);
    let revisions = sealed_study.study.revisions;
    join_buffer.join = IntervalJoin::for_selected_ids(join_buffer.join.bounds(), 0).with_revisions(revisions);
    let settle = Settle::from_run(sealed_study, run)?;
    evaluate(sealed_study, replay, &held, join_buffer, settle, each).map(drop)
}

/// With revisions: which matched snapshots are settled after the last record of the log.
#[derive(Clone, Copy)]
enum Settle {
    /// All, because the sources have ended.
    All,
    /// Those whose last possible candidate lies before this time. A join of all records has settled them.
    Before(Micros),
    /// None.
    Nothing,
}

impl Settle {
    fn from_run(sealed_study: &SealedStudy, run: &Path) -> anyhow::Result<Settle> {
        let study = &sealed_study.study;
        if !study.revisions.are_accepted() {
            return Ok(Settle::Nothing);
        }
        let entries = read_file(&run.join(LEDGER)).map(|bytes| ledger::check(&bytes).0).unwrap_or_default();
        let recorded = LedgerState::from_entries(&entries);
        if recorded.ended || recorded.closed {
            return Ok(Settle::All);
        }
        let lateness = Micros::from_duration(study.decisions.lateness);
        let clock = log_replay::decision_clock(run, u64::MAX)?;
        Ok(clock.map_or(Settle::Nothing, |clock| Settle::Before(clock.saturating_sub(lateness))))
    }

    /// For a join of all records, which settles by its own clock.
    fn unless_by_clock(self) -> Settle {
        match self {
            Settle::Before(_) => Settle::Nothing,
            other => other,
        }
    }
}

/// The buffer of a join over the log. The run directory may be read-only or in use, so the spill file goes elsewhere.
fn join_buffer(sealed_study: &SealedStudy, held: &PerStream<Vec<usize>>) -> JoinBuffer {
    JoinBuffer::new(sealed_study, held.clone(), &std::env::temp_dir())
}

/// Joins and evaluates the records of a replay.
fn evaluate(
    sealed_study: &SealedStudy,
    mut rows: LogReplay<'_>,
    held: &PerStream<Vec<usize>>,
    mut join_buffer: JoinBuffer,
    settle: Settle,
    mut each: impl FnMut(&EvaluatedPairs) -> anyhow::Result<()> + Send,
) -> anyhow::Result<(RunCounters, Aggregates, JoinBuffer)> {
    let aggregates = Aggregates::new(sealed_study);
    let mut evaluator = Evaluator::new(sealed_study, held, aggregates);
    let mut counters = RunCounters::new(sealed_study.models.len());
    let (work, waiting) = sync_channel::<(Vec<JoinedPair>, Option<Micros>)>(EVALUATION_QUEUE_BATCHES);
    let compare = move || {
        for (pairs, complete_before) in waiting {
            evaluator.evaluate(pairs).iter().try_for_each(&mut each)?;
            if let Some(time) = complete_before {
                evaluator.settle_before(time);
            }
        }
        anyhow::Ok(evaluator.into_aggregates())
    };
    let aggregates = thread::scope(|scope| {
        // Dropped after an error too, so that the receiver does not wait.
        let work = work;
        let comparing = thread::Builder::new().name("compare".into()).spawn_scoped(scope, compare)?;
        let mut pending = Vec::new();
        while let Some((kind, batch)) = rows.next(&join_buffer.join)? {
            let pairs = rows.feed(&mut join_buffer, Some(&mut counters), kind, &batch)?;
            counters.count_pairs(&sealed_study.study, &pairs);
            pending.extend(pairs);
            // The receiver only hangs up after an error, which is returned below.
            if pending.len() >= MAX_BATCH_PAIRS {
                let complete = sealed_study.study.complete_before(counters.clocks);
                if work.send((std::mem::take(&mut pending), complete)).is_err() {
                    break;
                }
            }
        }
        let settled = match settle {
            Settle::All => join_buffer.finish()?,
            Settle::Before(time) => join_buffer.settle_before(time)?,
            Settle::Nothing => Vec::new(),
        };
        counters.ended = matches!(settle, Settle::All);
        counters.count_pairs(&sealed_study.study, &settled);
        pending.extend(settled);
        if !pending.is_empty() {
            let _ = work.send((pending, None));
        }
        drop(work);
        let stopped = |_| anyhow!("the evaluation thread has stopped; this is a bug in understudy");
        comparing.join().map_err(stopped)?
    })?;
    Ok((counters, aggregates, join_buffer))
}
