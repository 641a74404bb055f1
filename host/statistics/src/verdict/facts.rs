//! The facts from which a verdict is computed: the study, its threshold, and the results of a run.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scoring::{
    Cells, Conditions, InputCounts, RecordCounts, RevisionSums, SelfAgreementSums, VerdictEvidence,
};
use understudy_records::join::Accounting;
use understudy_study::{InterferenceKind, Micros, PerStream, Study, Threshold};

/// The results of a run that a verdict is based on.
#[derive(Clone, Copy)]
pub struct RunResults<'f> {
    /// Whether the run is closed, so that no more records can arrive.
    pub closed: bool,
    /// The latest event time of each stream.
    pub clocks: PerStream<Option<Micros>>,
    /// The account of every record that was received.
    pub accounting: Accounting,
    /// The pairs that the comparator answered, and those that it did not.
    pub pairs: PairCounts,
    /// The counts of the accepted snapshots.
    pub inputs: &'f InputCounts,
    /// The counts of the received records of both streams by window.
    pub records: &'f RecordCounts,
    /// The sums of the scores by window and condition.
    pub cells: &'f Cells,
    /// The counts and scores of the pairs with more than one decision.
    pub revisions: &'f RevisionSums,
    /// How often the substrate decides the same for the same input class.
    pub self_agreement: &'f SelfAgreementSums,
    /// The sums of the threshold's metric by stratum.
    pub evidence: &'f VerdictEvidence,
}

/// The facts from which a verdict is computed.
pub struct Facts<'f> {
    /// The declared study.
    pub study: &'f Study,
    /// The threshold of the study.
    pub threshold: &'f Threshold,
    /// The compiled conditions of the study.
    pub conditions: &'f Conditions,
    /// The SHA-256 of the seal, in hexadecimal.
    pub seal: &'f str,
    /// The time at which the study was sealed.
    pub sealed_at: Timestamp,
    /// The results of the run.
    pub results: RunResults<'f>,
    /// The least and the greatest possible value of the metric; `None` is no limit.
    pub range: (Option<f64>, Option<f64>),
    /// For each declared reference, the expected share of each value.
    pub references: &'f [Vec<f64>],
    /// The error of the source that stopped the run before its end.
    pub source_failure: Option<&'f str>,
    /// Exposures and comparator changes, in order of time.
    pub interferences: &'f [InterferenceEvent],
    /// The number of mirrored requests that never became a record.
    pub shed: u64,
    /// How often the run was resumed although no stop was recorded: its process was killed or crashed.
    pub cut_offs: u64,
}

/// The pairs of a run, by whether they can be compared; `paired` in the accounting is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PairCounts {
    /// Pairs that the comparator answered. All statistics are over these; in an interim report, over those of
    /// the covered windows.
    pub compared: u64,
    /// Pairs that the comparator did not answer.
    pub incomparable: u64,
}

/// An event that may have influenced decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InterferenceEvent {
    /// The kind of the event.
    pub kind: InterferenceKind,
    /// The time from which on decisions may have been influenced.
    pub since: Timestamp,
    /// What happened, for the reader of the verdict.
    pub description: String,
}
