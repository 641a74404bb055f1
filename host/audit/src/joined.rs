//! The compared pairs of one run, or of two runs of the same feed side by side.
//!
//! Always holds: a pair of two runs is joined by id and observed time, once; of a run that was not closed only pairs are looked
//! at whose horizon is over. What is held is the pairs that one run has come to and the other not yet, or never comes to: until
//! the other has ended it cannot be told which, and from then on nothing more is held.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use rustc_hash::FxHashMap;

use super::decided::{Over, over};
use super::sample::Key;
use understudy_engine::{Compared, Prepared, needed, rebuild};
use understudy_records::batch::Stand;
use understudy_statistics::scoring::jackknife_group;

/// Batches that may wait to be joined.
const WAITING: usize = 4;

/// A compared pair, of one run.
#[derive(Clone, Debug)]
pub struct Row {
    /// The group of its id.
    pub group: u8,
    /// The index of its value of each condition that is looked at.
    pub values: Vec<u16>,
    /// For each model what it was scored: the components of each metric that is looked at, one after the other.
    pub scores: Vec<Vec<f64>>,
    /// For each model whether it agrees with the substrate.
    pub agrees: Vec<Option<bool>>,
}

/// What is looked at of a run.
pub struct Look<'r> {
    /// The study, with the plugins that the run kept.
    pub prepared: &'r Prepared,
    /// The run directory.
    pub run: &'r Path,
    /// The places of the metrics that are looked at.
    pub metrics: Vec<usize>,
    /// The places of the conditions that are looked at.
    pub conditions: Vec<usize>,
}

/// How many pairs there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Compared pairs of each run.
    pub pairs: [u64; 2],
    /// Those that both have; of one run, all.
    pub both: u64,
}

/// Shows `each` the pairs that all of one or two runs have, with their row in each.
///
/// # Errors
/// When a log cannot be read, or does not hold what its study's rows hold.
pub fn join(looks: &[Look<'_>], mut each: impl FnMut(&[&Row]) + Send) -> anyhow::Result<Joined> {
    let mut joined = Joined::default();
    let [one, other] = looks else {
        for look in looks {
            rows(look, |batch| {
                joined.pairs[0] += batch.len() as u64;
                batch.iter().for_each(|(_, row)| each(&[row]));
                Ok(())
            })?;
        }
        joined.both = joined.pairs[0];
        return Ok(joined);
    };
    thread::scope(|scope| {
        let read = |look| {
            let (send, batches) = sync_channel(WAITING);
            (batches, scope.spawn(move || rows(look, |batch| hand_over(&send, batch))))
        };
        let ((first, reading), (second, also_reading)) = (read(one), read(other));
        meet([first, second], &mut joined, &mut each);
        for reading in [reading, also_reading] {
            reading
                .join()
                .map_err(|_| anyhow!("a thread that reads has stopped; this is a fault in understudy"))??;
        }
        Ok(joined)
    })
}

type Batch = Vec<(Key, Row)>;

fn hand_over(send: &SyncSender<Batch>, batch: Batch) -> anyhow::Result<()> {
    send.send(batch).map_err(|_| anyhow!("nobody joins any more"))
}

/// Joins what comes, from the side that is behind in event time.
fn meet(batches: [Receiver<Batch>; 2], joined: &mut Joined, each: &mut impl FnMut(&[&Row])) {
    let mut waiting: [FxHashMap<Key, Row>; 2] = Default::default();
    let mut clocks = [Some(i64::MIN); 2];
    loop {
        let side = match clocks {
            [None, None] => return,
            [Some(one), Some(other)] => usize::from(other < one),
            [one, _] => usize::from(one.is_none()),
        };
        let Ok(batch) = batches[side].recv() else {
            clocks[side] = None;
            // What the other side still holds can meet nothing more.
            waiting[1 - side].clear();
            continue;
        };
        joined.pairs[side] += batch.len() as u64;
        for (key, row) in batch {
            clocks[side] = clocks[side].max(Some(key.1));
            match waiting[1 - side].remove(&key) {
                Some(met) => {
                    joined.both += 1;
                    each(&if side == 0 { [&row, &met] } else { [&met, &row] });
                }
                None if clocks[1 - side].is_some() => drop(waiting[side].insert(key, row)),
                None => {}
            }
        }
    }
}

/// Shows `each` the compared pairs of a run whose horizon is over.
fn rows(look: &Look<'_>, mut each: impl FnMut(Batch) -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    let Over { over, .. } = over(look.prepared, look.run)?;
    rebuild(look.prepared, look.run, needed(look.prepared), |compared| {
        let mut batch = batch(look, compared);
        batch.retain(|((_, time), _)| over.is_none_or(|over| *time < over));
        each(batch)
    })?;
    Ok(())
}

fn batch(look: &Look<'_>, compared: &Compared) -> Batch {
    let stands: Vec<Vec<Stand>> =
        compared.given.iter().map(|given| given.stands(&compared.answers)).collect();
    let row = |(at, &pair): (usize, &usize)| {
        let sources = &compared.sources;
        let id = sources.id(pair).to_owned();
        let (time, values) = sources.shown(pair, |shown, within| {
            let value = |condition: &usize| shown.conditions[*condition][within];
            (shown.times[within], look.conditions.iter().map(value).collect())
        });
        let scores = compared.models.iter().map(|model| {
            let components = look.metrics.iter().flat_map(|metric| &model.scores[*metric]);
            components.map(|component| component[at]).collect()
        });
        let row = Row {
            group: jackknife_group(&id),
            values,
            scores: scores.collect(),
            agrees: stands.iter().map(|stands| stands[pair].agrees()).collect(),
        };
        ((id, time), row)
    };
    compared.answered.iter().enumerate().map(row).collect()
}
