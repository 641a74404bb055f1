//! Counts the records that the log holds, and how far the log reaches.
//!
//! Invariants: counting records as they are logged and counting them when they are read back gives the same
//! result.

use arrow::array::{Array as _, RecordBatch};
use serde::{Deserialize, Serialize};

use crate::batches::messages::{InferredBatch, JoinedPair};
use crate::plugins::study_fields;
use crate::stats::failures::FailureLog;
use crate::stats::latency::LatencyHistogram;
use crate::stats::latency::LatencyPercentiles;
use crate::stats::run_result::{ListedExclusion, ModelCounts};
use crate::stats::unanswered_reasons::UnansweredReasons;
use understudy_records::batch::{Answers, ExcludedRecord, Reason};
use understudy_records::join::Account;
use understudy_statistics::scoring::{CountedExclusion, InputCounts, RecordCounts, Window, WindowClock};
use understudy_study::{Micros, PerStream, Plugin, StreamKind, Study};

/// Excluded records of each stream and class that the report shows.
const SHOWN: usize = 10;

/// Counters of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunCounters {
    /// Per stream: the sequence number of the next record, which is the number of records in the log.
    pub position: PerStream<u64>,
    /// Per stream: the latest event time among accepted records; `None` before the first.
    pub clocks: PerStream<Option<Micros>>,
    /// The earliest event time among accepted snapshots; `None` before the first.
    pub earliest: Option<i64>,
    /// Per stream: records received, excluded and joined. Waiting and expired records are counted by the
    /// join.
    pub accounts: PerStream<Account>,
    /// Per model: its answer counts, without latency.
    pub models: Vec<ModelCounts>,
    /// Per model: latency of its answers.
    pub latency: Vec<LatencyHistogram>,
    /// Failures of the models.
    pub failures: FailureLog,
    /// Why answers of the models are missing, without blinded snapshots.
    pub unanswered: UnansweredReasons,
    /// With revisions: whether the sources have ended, so that every matched snapshot is settled.
    pub ended: bool,
    /// Per stream and declared field: the accepted records without a value. Empty before the first record.
    pub missing_values: PerStream<Vec<u64>>,
    /// The first excluded records.
    pub exclusions: Vec<ListedExclusion>,
    /// Input statistics, if the study has a threshold or interim reports.
    pub inputs: InputCounts,
    /// The records by window, if the study has a threshold or interim reports.
    pub records: RecordCounts,
}

impl RunCounters {
    /// Empty counters for this number of models.
    pub fn new(models: usize) -> RunCounters {
        RunCounters {
            position: PerStream::default(),
            clocks: PerStream::default(),
            earliest: None,
            accounts: Default::default(),
            models: vec![ModelCounts::default(); models],
            latency: vec![LatencyHistogram::default(); models],
            failures: FailureLog::default(),
            unanswered: UnansweredReasons::default(),
            ended: false,
            missing_values: PerStream::default(),
            exclusions: Vec::new(),
            inputs: InputCounts::default(),
            records: RecordCounts::default(),
        }
    }

    /// Counts accepted records of a stream by their event times, in the order of arrival.
    pub fn count_accepted(&mut self, study: &Study, kind: StreamKind, times: &[i64]) {
        if counts_windows(study) {
            let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
            self.records.add_accepted(&mut clock, kind, times);
        }
        if kind == StreamKind::Snapshots {
            self.earliest = self.earliest.into_iter().chain(times.iter().copied()).min();
        }
        self.accounts[kind].received += times.len() as u64;
        self.clocks[kind] = self.clocks[kind].max(times.iter().copied().max().map(Micros));
    }

    /// Counts the missing values of accepted records of a stream; `fields` has one column for each declared field.
    pub fn count_missing_values(&mut self, kind: StreamKind, fields: &RecordBatch) {
        let counts = &mut self.missing_values[kind];
        counts.resize(fields.num_columns(), 0);
        for (count, column) in counts.iter_mut().zip(fields.columns()) {
            *count += column.null_count() as u64;
        }
    }

    /// Counts answered snapshots.
    pub fn count_inferred(&mut self, study: &Study, answered: &InferredBatch) {
        let InferredBatch { batch: job, windows, conditions, .. } = answered;
        self.count_accepted(study, StreamKind::Snapshots, &job.records.times);
        self.count_missing_values(StreamKind::Snapshots, &job.records.fields);
        record_inputs(study, &mut self.inputs, &job.records.times, windows, conditions);
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
            let row_key = |row: usize| (answered.batch.sequences[row], answered.batch.records.ids.value(row));
            self.unanswered.add(name, unanswered.iter().map(|(row, why)| (*row, why)), row_key);
            counts.answered += (model.latencies.rows() - unanswered.len()) as u64;
            let unanswered_before = |end: usize| unanswered.partition_point(|(row, _)| (*row as usize) < end);
            for (rows, latency) in model.latencies.runs() {
                let without = unanswered_before(rows.end) - unanswered_before(rows.start);
                self.latency[index].record_n(latency, (rows.len() - without) as u64);
            }
            for (row, what) in &model.output.broken {
                let row = *row as usize;
                self.failures.add(
                    name,
                    what,
                    answered.batch.sequences[row],
                    answered.batch.records.ids.value(row),
                );
            }
        }
    }

    /// Counts excluded records, after the accepted records of their batch.
    pub fn count_excluded(&mut self, study: &Study, excluded: &[(u64, ExcludedRecord)]) {
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        for (_, record) in excluded {
            if counts_windows(study) {
                let lateness = Micros(study.stream(record.kind).lateness.as_micros() as i64);
                let counted = CountedExclusion {
                    reason: record.reason,
                    at: record.counted_at,
                    scopes: record.scopes.as_deref(),
                };
                self.records.add_excluded(&mut clock, record.kind, counted, lateness);
            }
            let account = &mut self.accounts[record.kind];
            account.received += 1;
            *account.excluded_mut(record.reason) += 1;
            let (stream, class) = (record.kind.name(), record.reason.name());
            let alike = |r: &&ListedExclusion| r.class == class && r.stream == stream;
            if self.exclusions.iter().filter(alike).count() < SHOWN {
                self.exclusions.push(ListedExclusion {
                    stream: stream.to_owned(),
                    line: record.position.line,
                    class: class.to_owned(),
                    reason: record.detail.clone(),
                });
            }
        }
    }

    /// The first excluded records, in the order of the report, which does not depend on the order of reading.
    pub fn sorted_exclusions(&self) -> Vec<ListedExclusion> {
        let mut excluded = self.exclusions.clone();
        excluded.sort_by(|a, b| (&b.stream, a.line).cmp(&(&a.stream, b.line)));
        excluded
    }

    /// Counts joined pairs and their revised decisions.
    pub fn count_pairs(&mut self, study: &Study, pairs: &[JoinedPair]) {
        if counts_windows(study) {
            let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
            self.records.add_joined(&mut clock, pairs.iter().flat_map(JoinedPair::decision_times));
        }
        self.accounts.snapshots.paired += pairs.len() as u64;
        self.accounts.decisions.paired += pairs.len() as u64;
        let revised = pairs.iter().filter_map(|pair| pair.revised.as_ref());
        self.accounts.decisions.revised += revised.map(|revised| revised.times.len() as u64).sum::<u64>();
    }

    /// Per model: its answer counts with latency.
    pub fn models(&self) -> Vec<ModelCounts> {
        let timed = |(counts, times): (&ModelCounts, &LatencyHistogram)| ModelCounts {
            latency: LatencyPercentiles::from_histogram(times.histogram()),
            ..*counts
        };
        self.models.iter().zip(&self.latency).map(timed).collect()
    }

    /// Number of accepted records of a stream.
    pub fn accepted(&self, kind: StreamKind) -> u64 {
        let account = self.accounts[kind];
        account.received - account.exclusions().total()
    }
}

/// Whether the study needs counts by window.
fn counts_windows(study: &Study) -> bool {
    study.threshold.is_some() || study.interim.every.is_some()
}

/// Adds accepted snapshots to the input statistics, if the study has a threshold or interim reports.
pub fn record_inputs(
    study: &Study,
    inputs: &mut InputCounts,
    times: &[i64],
    windows: &[Window],
    conditions: &[Vec<u16>],
) {
    if !counts_windows(study) {
        return;
    }
    let mut scopes = Vec::new();
    for (row, (&time, &window)) in times.iter().zip(windows).enumerate() {
        study_fields::matching_scopes(&study.scopes, |condition| conditions[condition][row], &mut scopes);
        inputs.add(window, time, &scopes, conditions.iter().map(|values| values[row]));
    }
}
