//! Joins the evaluated pairs of two runs of the same feed, or reads those of one run.
//!
//! Invariants: pairs of two runs are joined by id and event time, each once. Memory holds the pairs that one run
//! has reached and the other has not; once a run has ended, the pairs of the other are no longer held.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use rustc_hash::FxHashMap;

use crate::disclose::decided_rows::RowKey;
use understudy_engine::{EvaluatedPairs, SealedStudy, buffered_fields, recompute};
use understudy_records::batch::AnswerAgreement;
use understudy_statistics::scoring::jackknife_group;
use understudy_study::Micros;

/// Batches that may be queued for the join.
const PREFETCHED_BATCHES: usize = 4;

/// An evaluated pair of one run.
#[derive(Clone, Debug)]
pub struct JoinRow {
    /// The jackknife group of its id.
    pub group: u8,
    /// For each selected condition the index of its value.
    pub values: Vec<u16>,
    /// For each model the components of all selected metrics, concatenated.
    pub scores: Vec<Vec<f64>>,
    /// For each model whether it agrees with the substrate.
    pub agrees: Vec<Option<bool>>,
}

/// A run to join, with the selected metrics and conditions.
pub struct JoinInput<'r> {
    /// The study, with the plugins that the run kept.
    pub sealed_study: &'r SealedStudy,
    /// The run directory.
    pub run: &'r Path,
    /// The indices of the selected metrics.
    pub metrics: Vec<usize>,
    /// The indices of the selected conditions.
    pub conditions: Vec<usize>,
}

/// Counts of joined pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinCounts {
    /// Evaluated pairs of each run.
    pub pairs: [u64; 2],
    /// Pairs that both runs have; all pairs if there is one run.
    pub both: u64,
}

/// Passes to `each` the pairs that one or two runs have in common, with the row of each run.
///
/// # Errors
/// If a log cannot be read, or does not hold the rows of its study.
pub fn join(
    inputs: &[JoinInput<'_>],
    mut each: impl FnMut(&[&JoinRow]) + Send,
) -> anyhow::Result<JoinCounts> {
    let mut joined = JoinCounts::default();
    let [one, other] = inputs else {
        for input in inputs {
            rows(input, |batch| {
                joined.pairs[0] += batch.len() as u64;
                batch.iter().for_each(|(_, row)| each(&[row]));
                Ok(())
            })?;
        }
        joined.both = joined.pairs[0];
        return Ok(joined);
    };
    thread::scope(|scope| {
        let read = |input| {
            let (send, batches) = sync_channel(PREFETCHED_BATCHES);
            (batches, scope.spawn(move || rows(input, |batch| send_batch(&send, batch))))
        };
        let ((first, reading), (second, also_reading)) = (read(one), read(other));
        join_batches([first, second], &mut joined, &mut each);
        for reading in [reading, also_reading] {
            reading
                .join()
                .map_err(|_| anyhow!("a thread that reads a log panicked; this is a bug in understudy"))??;
        }
        Ok(joined)
    })
}

type RowBatch = Vec<(RowKey, JoinRow)>;

fn send_batch(send: &SyncSender<RowBatch>, batch: RowBatch) -> anyhow::Result<()> {
    send.send(batch).map_err(|_| anyhow!("the join consumer stopped"))
}

/// Joins batches as they arrive; the run that is behind in event time is read first.
fn join_batches(
    batches: [Receiver<RowBatch>; 2],
    joined: &mut JoinCounts,
    each: &mut impl FnMut(&[&JoinRow]),
) {
    let mut waiting: [FxHashMap<RowKey, JoinRow>; 2] = Default::default();
    let mut clocks = [Some(Micros(i64::MIN)); 2];
    loop {
        let run = match clocks {
            [None, None] => return,
            [Some(one), Some(other)] => usize::from(other < one),
            [one, _] => usize::from(one.is_none()),
        };
        let Ok(batch) = batches[run].recv() else {
            clocks[run] = None;
            // The rows that the other run still holds can no longer match.
            waiting[1 - run].clear();
            continue;
        };
        joined.pairs[run] += batch.len() as u64;
        for (key, row) in batch {
            clocks[run] = clocks[run].max(Some(key.1));
            match waiting[1 - run].remove(&key) {
                Some(matching) => {
                    joined.both += 1;
                    each(&if run == 0 { [&row, &matching] } else { [&matching, &row] });
                }
                None if clocks[1 - run].is_some() => drop(waiting[run].insert(key, row)),
                None => {}
            }
        }
    }
}

/// Passes the evaluated pairs of a run to `each`.
fn rows(
    input: &JoinInput<'_>,
    mut each: impl FnMut(RowBatch) -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    recompute(input.sealed_study, input.run, buffered_fields(input.sealed_study), |compared| {
        each(batch(input, compared))
    })?;
    Ok(())
}

fn batch(input: &JoinInput<'_>, compared: &EvaluatedPairs) -> RowBatch {
    let agreements: Vec<Vec<AnswerAgreement>> =
        compared.model_answers.iter().map(|answers| answers.agreements(&compared.answers)).collect();
    let row = |(at, &pair): (usize, &usize)| {
        let sources = &compared.batch;
        let id = sources.id(pair).to_owned();
        let (time, values) = sources.snapshot_value(pair, |shown, within| {
            let value = |condition: &usize| shown.conditions[*condition][within];
            (Micros(shown.times[within]), input.conditions.iter().map(value).collect())
        });
        let scores = compared.models.iter().map(|model| {
            let components = input.metrics.iter().flat_map(|metric| &model.scores[*metric]);
            components.map(|component| component[at]).collect()
        });
        let row = JoinRow {
            group: jackknife_group(&id),
            values,
            scores: scores.collect(),
            agrees: agreements.iter().map(|agreements| agreements[pair].agrees()).collect(),
        };
        ((id, time), row)
    };
    compared.answered.iter().enumerate().map(row).collect()
}
