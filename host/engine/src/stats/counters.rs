//! What is counted of the records that the log holds, and how far it holds them.
//!
//! Always holds: it says the same whether the records were counted as they were logged or as they were read back from
//! the log.

use serde::{Deserialize, Serialize};

use crate::batches::messages::InferredBatch;
use crate::plugins::study_fields;
use crate::stats::failures::FailureLog;
use crate::stats::latency::LatencyHistogram;
use crate::stats::latency::LatencyPercentiles;
use crate::stats::run_result::{ListedExclusion, ModelCounts};
use understudy_records::batch::{Answers, ExcludedRecord, Reason};
use understudy_records::join::Account;
use understudy_statistics::scoring::InputCounts;
use understudy_statistics::scoring::Window;
use understudy_study::{Micros, PerStream, Plugin, StreamKind, Study};

/// Excluded records of each stream and class that the report shows.
const SHOWN: usize = 10;

/// What is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunCounters {
    /// How many records of each stream the log holds: the sequence number of the next.
    pub position: PerStream<u64>,
    /// The latest time among the accepted ones of each stream, microseconds; `None` before the first.
    pub clocks: PerStream<Option<Micros>>,
    /// The earliest time among the accepted snapshots, microseconds; `None` before the first.
    pub earliest: Option<i64>,
    /// What was received and what became of it, up to acceptance, and how many were paired. Waiting and expired are
    /// the pairing's to say.
    pub accounts: PerStream<Account>,
    /// For each model what it did; the latency is left empty here.
    pub models: Vec<ModelCounts>,
    /// For each model the nanoseconds that its answers took.
    pub latency: Vec<LatencyHistogram>,
    /// What broke in the models.
    pub incidents: FailureLog,
    /// The first records that were refused.
    pub refused: Vec<ListedExclusion>,
    /// What the snapshots looked like, where a threshold is declared, or reports before the end.
    pub inputs: InputCounts,
}

impl RunCounters {
    /// Nothing yet, of so many models.
    pub fn new(models: usize) -> RunCounters {
        RunCounters {
            position: PerStream::default(),
            clocks: PerStream::default(),
            earliest: None,
            accounts: Default::default(),
            models: vec![ModelCounts::default(); models],
            latency: vec![LatencyHistogram::default(); models],
            incidents: FailureLog::default(),
            refused: Vec::new(),
            inputs: InputCounts::default(),
        }
    }

    /// Counts accepted records of one side, whose times these are.
    pub fn accept(&mut self, side: StreamKind, times: &[i64]) {
        if side == StreamKind::Snapshots {
            self.earliest = self.earliest.into_iter().chain(times.iter().copied()).min();
        }
        self.accounts[side].received += times.len() as u64;
        self.clocks[side] = self.clocks[side].max(times.iter().copied().max().map(Micros));
    }

    /// Counts accepted snapshots that have been answered.
    pub fn answer(&mut self, study: &Study, answered: &InferredBatch) {
        let InferredBatch { batch: job, windows, conditions, .. } = answered;
        self.accept(StreamKind::Snapshots, &job.records.times);
        take_in(study, &mut self.inputs, &job.records.times, windows, conditions);
        for ((index, model), Plugin { name, .. }) in answered.models.iter().enumerate().zip(&study.models) {
            let Answers { unanswered, .. } = &model.output.answers;
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
            for (row, what) in &model.output.broken {
                let row = *row as usize;
                self.incidents.add(
                    name,
                    what,
                    answered.batch.sequences[row],
                    answered.batch.records.ids.value(row),
                );
            }
        }
    }

    /// Counts refused records.
    pub fn refuse(&mut self, refused: &[(u64, ExcludedRecord)]) {
        for (_, record) in refused {
            let account = &mut self.accounts[record.kind];
            account.received += 1;
            *account.excluded_mut(record.reason) += 1;
            let (stream, class) = (record.kind.name(), record.reason.name());
            let alike = |r: &&ListedExclusion| r.class == class && r.stream == stream;
            if self.refused.iter().filter(alike).count() < SHOWN {
                self.refused.push(ListedExclusion {
                    stream: stream.to_owned(),
                    line: record.position.line,
                    class: class.to_owned(),
                    reason: record.detail.clone(),
                });
            }
        }
    }

    /// The first records that were refused, in the order of the report: in which order the two streams were read does not
    /// matter.
    pub fn refused(&self) -> Vec<ListedExclusion> {
        let mut refused = self.refused.clone();
        refused.sort_by(|a, b| (&b.stream, a.line).cmp(&(&a.stream, b.line)));
        refused
    }

    /// Counts pairs.
    pub fn pair(&mut self, pairs: u64) {
        self.accounts.snapshots.paired += pairs;
        self.accounts.decisions.paired += pairs;
    }

    /// For each model what it did, with the times that its answers took.
    pub fn models(&self) -> Vec<ModelCounts> {
        let timed = |(counts, times): (&ModelCounts, &LatencyHistogram)| ModelCounts {
            latency: LatencyPercentiles::of(times.histogram()),
            ..*counts
        };
        self.models.iter().zip(&self.latency).map(timed).collect()
    }

    /// How many records of a side were accepted.
    pub fn accepted(&self, side: StreamKind) -> u64 {
        let account = self.accounts[side];
        account.received - account.exclusions().total()
    }
}

/// Counts accepted snapshots for a study that has a threshold, or that is reported on before its end.
pub fn take_in(
    study: &Study,
    inputs: &mut InputCounts,
    times: &[i64],
    windows: &[Window],
    conditions: &[Vec<u16>],
) {
    if study.threshold.is_none() && study.interim.every.is_none() {
        return;
    }
    let mut scopes = Vec::new();
    for (row, (&time, &window)) in times.iter().zip(windows).enumerate() {
        study_fields::matching_scopes(&study.scopes, |condition| conditions[condition][row], &mut scopes);
        inputs.add(window, time, &scopes, conditions.iter().map(|values| values[row]));
    }
}
