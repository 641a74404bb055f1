//! The report bundle: a report with its verdict, threshold, events, reviews and provenance.
//!
//! Invariants: figures are those of the [`Report`], rulings those of the [`Verdict`]; nothing is computed here. Every
//! HTML, Markdown and JSON rendering of a run is made from one bundle.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::report::Report;
use crate::model::reviews::ReviewSummary;
use understudy_run_log::ledger::Judgement;
use understudy_statistics::verdict::Verdict;
use understudy_study::Direction;

/// The version of the format. It changes when a reader of the previous version would misread a bundle.
pub const FORMAT: u32 = 2;

/// A report with its verdict, threshold, events, reviews and provenance. Printed by `understudy report --format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReportBundle {
    /// The version of the format.
    pub format: u32,
    /// The figures, as in `report.json`.
    pub report: Report,
    /// The threshold, if one is declared.
    pub threshold: Option<ThresholdSummary>,
    /// The latest verdict, as in `verdict.json`.
    pub verdict: Option<Verdict>,
    /// Events after that verdict that could change it, in words.
    pub events_since_verdict: Vec<String>,
    /// Mirrored requests that never became a record, as recorded in the ledger.
    pub shed: u64,
    /// The events of the run, in order of time.
    pub events: Vec<RunEvent>,
    /// The reviews of disagreements, one entry for each model.
    pub reviews: Vec<ReviewSummary>,
    /// The notes of the reviewers.
    pub review_notes: Vec<ReviewNote>,
    /// Versions, digests and keys that identify the run and its evidence.
    pub provenance: Provenance,
}

/// The requirement of a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ThresholdSummary {
    /// The whole requirement in words.
    pub text: String,
    /// Whether the value has to be at least or at most the bound.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
}

/// An event of a run, from the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunEvent {
    /// When the ledger entry was written.
    pub at: Timestamp,
    /// The kind of event.
    pub kind: RunEventKind,
    /// The event time from which decisions may be affected; null if none is.
    pub effective_from: Option<Timestamp>,
    /// The event in words.
    pub text: String,
}

/// The kind of an event of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunEventKind {
    /// Answers were disclosed to a person.
    Exposure,
    /// The substrate changed, or the comparator was replaced by one with other answers.
    ComparatorChange,
    /// A plugin was replaced by one that gave the same answers to recent pairs.
    Swap,
    /// A plugin was replaced by one that gives other answers, or that was not tested.
    ForcedSwap,
    /// The run was resumed after a stop, or a source had a gap.
    Interruption,
    /// The determinism check found mismatches.
    DeterminismMismatch,
    /// Fields of records were deleted, as declared.
    Retention,
    /// An interim report was made.
    InterimReport,
    /// A person added a note.
    Note,
}

/// The note of a reviewer on one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReviewNote {
    /// The name of the reviewer.
    pub reviewer: String,
    /// The model.
    pub model: String,
    /// The stratum that the case was sampled from.
    pub stratum: String,
    /// The judgement.
    pub judgement: Judgement,
    /// The text of the note.
    pub note: String,
}

/// Versions, digests and keys that identify a run and its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Provenance {
    /// The version of understudy that started the run.
    pub run_version: String,
    /// The version of understudy that made this bundle.
    pub report_version: String,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal: String,
    /// When the study was sealed.
    pub sealed_at: Option<Timestamp>,
    /// The public key that signs the ledger, if one does.
    pub key: Option<String>,
    /// Number of ledger entries.
    pub ledger_entries: u64,
    /// The hash of the last ledger entry, in hexadecimal.
    pub ledger_head: String,
    /// Whether the run is closed, so that no more records can arrive.
    pub closed: bool,
    /// Number of sealed segments of the run log.
    pub segments: u64,
    /// Number of rows in the sealed segments.
    pub segment_rows: u64,
    /// The plugins with their roles.
    pub plugins: Vec<PluginProvenance>,
}

/// A plugin with its role in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginProvenance {
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// Its name in the study.
    pub name: String,
    /// The title and version that the plugin reports.
    pub title: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

impl ReportBundle {
    /// The text that `understudy report --format json` prints.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a bundle is plain data");
        json + "\n"
    }
}
