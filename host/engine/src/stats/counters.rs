//! What is counted of the records that the log holds, and how far it holds them.
//!
//! Always holds: it says the same whether the records were counted as they were logged or as they were read back from
//! the log.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::evaluation::verdict_stats;
use crate::inference::worker_pool::Answered;
use crate::stats::failures::Incidents;
use crate::stats::run_result::{Latency, ModelCounts, RefusedRecord};
use understudy_records::batch::{Answers, Reason, Refused, Side};
use understudy_records::pairing::Account;
use understudy_statistics::scoring::Inputs;
use understudy_study::{Plugin, Study};

/// Refused records of each stream and class that the report shows.
const SHOWN: usize = 10;

/// What is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// How many records of each stream the log holds: the sequence number of the next.
    pub position: [u64; 2],
    /// The latest time among the accepted ones of each stream, microseconds; `None` before the first.
    pub clocks: [Option<i64>; 2],
    /// The earliest time among the accepted snapshots, microseconds; `None` before the first.
    pub earliest: Option<i64>,
    /// What was received and what became of it, up to acceptance, and how many were paired. Waiting and expired are
    /// the pairing's to say.
    pub accounts: [Account; 2],
    /// For each model what it did; the latency is left empty here.
    pub models: Vec<ModelCounts>,
    /// For each model the nanoseconds that its answers took.
    pub latency: Vec<Times>,
    /// What broke in the models.
    pub incidents: Incidents,
    /// The first records that were refused.
    pub refused: Vec<RefusedRecord>,
    /// What the snapshots looked like, where a threshold is declared, or reports before the end.
    pub inputs: Inputs,
}

impl Counted {
    /// Nothing yet, of so many models.
    pub fn new(models: usize) -> Counted {
        Counted {
            position: [0; 2],
            clocks: [None; 2],
            earliest: None,
            accounts: Default::default(),
            models: vec![ModelCounts::default(); models],
            latency: vec![Times::default(); models],
            incidents: Incidents::default(),
            refused: Vec::new(),
            inputs: Inputs::default(),
        }
    }

    /// Counts accepted records of one side, whose times these are.
    pub fn accept(&mut self, side: Side, times: &[i64]) {
        if side == Side::Snapshot {
            self.earliest = self.earliest.into_iter().chain(times.iter().copied()).min();
        }
        let side = side as usize;
        self.accounts[side].received += times.len() as u64;
        self.clocks[side] = self.clocks[side].max(times.iter().copied().max());
    }

    /// Counts accepted snapshots that have been answered.
    pub fn answer(&mut self, study: &Study, answered: &Answered) {
        let Answered { job, windows, conditions, .. } = answered;
        self.accept(Side::Snapshot, &job.records.times);
        verdict_stats::take_in(study, &mut self.inputs, &job.records.times, windows, conditions);
        for ((index, model), Plugin { name, .. }) in answered.models.iter().enumerate().zip(&study.models) {
            let Answers { unanswered, .. } = &model.decided.answers;
            let counts = &mut self.models[index];
            for (_, why) in unanswered {
                *match why {
                    Reason::Abstained(_) => &mut counts.abstained,
                    Reason::Failed(_) | Reason::Broke(_) => &mut counts.failed,
                    Reason::Blinded => &mut counts.blinded,
                } += 1;
            }
            counts.answered += (model.nanos.len() - unanswered.len()) as u64;
            let mut without = unanswered.iter().map(|(row, _)| *row as usize).peekable();
            for (row, nanos) in model.nanos.iter().enumerate() {
                if without.next_if_eq(&row).is_none() {
                    self.latency[index].record(*nanos);
                }
            }
            for (row, what) in &model.decided.broken {
                let row = *row as usize;
                self.incidents.add(
                    name,
                    what,
                    answered.job.sequences[row],
                    answered.job.records.ids.value(row),
                );
            }
        }
    }

    /// Counts refused records.
    pub fn refuse(&mut self, refused: &[(u64, Refused)]) {
        for (_, record) in refused {
            let account = &mut self.accounts[record.side as usize];
            account.received += 1;
            *account.refused(record.class) += 1;
            let (stream, class) = (record.side.plural(), record.class.name());
            let alike = |r: &&RefusedRecord| r.class == class && r.stream == stream;
            if self.refused.iter().filter(alike).count() < SHOWN {
                self.refused.push(RefusedRecord {
                    stream: stream.to_owned(),
                    line: record.line,
                    class: class.to_owned(),
                    reason: record.reason.clone(),
                });
            }
        }
    }

    /// The first records that were refused, in the order of the report: in which order the two streams were read does not
    /// matter.
    pub fn refused(&self) -> Vec<RefusedRecord> {
        let mut refused = self.refused.clone();
        refused.sort_by(|a, b| (&b.stream, a.line).cmp(&(&a.stream, b.line)));
        refused
    }

    /// Counts pairs.
    pub fn pair(&mut self, pairs: u64) {
        for account in &mut self.accounts {
            account.paired += pairs;
        }
    }

    /// For each model what it did, with the times that its answers took.
    pub fn models(&self) -> Vec<ModelCounts> {
        let timed = |(counts, times): (&ModelCounts, &Times)| ModelCounts {
            latency: Latency::of(times.histogram()),
            ..*counts
        };
        self.models.iter().zip(&self.latency).map(timed).collect()
    }

    /// How many records of a side were accepted.
    pub fn accepted(&self, side: Side) -> u64 {
        let Account { received, rejected, duplicate, conflict, late, .. } = self.accounts[side as usize];
        received - rejected - duplicate - conflict - late
    }
}

/// A distribution of times, in nanoseconds, to three significant digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Times {
        Times(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Times {
    /// Counts one.
    pub fn record(&mut self, nanos: u64) {
        self.0.record(nanos).expect("the histogram grows");
    }

    /// The histogram.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = self.0.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value()));
        counts.collect::<Vec<(u64, u64)>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Times, D::Error> {
        let mut times = Times::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            times.0.record_n(value, count).map_err(serde::de::Error::custom)?;
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Latency;
    use understudy_run_log::checkpoint;

    proptest! {
        #[test]
        fn a_distribution_is_read_back_as_it_was(
            nanos in prop::collection::vec(prop_oneof![0u64..5000, any::<u64>().prop_map(|n| n >> 8)], 0..200),
        ) {
            let mut times = Times::default();
            nanos.iter().for_each(|nanos| times.record(*nanos));
            let again: Times = checkpoint::decode(&checkpoint::encode(&times).unwrap()).unwrap();
            prop_assert_eq!(Latency::of(times.histogram()), Latency::of(again.histogram()));
            prop_assert_eq!(again, times);
        }
    }
}
