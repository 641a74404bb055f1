//! The verdict: what the declared threshold says of what was found. The program reads it out; nobody chooses it.
//!
//! Always holds: the same facts give the same verdict, to the byte; a verdict is the gravest of its reasons, VOID before
//! INCONCLUSIVE before NO-GO before GO, so what a study cannot say it does not say; a share meets its bound by its counts, in
//! whole numbers.
//!
//! # Which windows count
//! A window is complete when the feed was seen running across both its ends: a snapshot was observed at its beginning or
//! before it, one at its end or after it, and no decision of one of its snapshots can come any more. So the first and the last
//! window of a study hardly ever count. Complete windows follow each other without gaps: one without a pair is among them, and
//! has too few.

mod bound;
mod determination;
mod estimate;
mod format;
pub mod plan;
mod window_selection;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bound::meets_bound_by_count;
pub use determination::determine_verdict;
pub use format::{TESTED_LATER, describe_threshold, direction_words, format_share};

use crate::scoring::{Cells, Conditions, Difference, InputCounts, Interval, VerdictEvidence};
use understudy_records::join::Accounting;
use understudy_study::{InterferenceKind, Micros, PerStream, Study, Threshold};

/// The version of the layout of `verdict.json`.
pub const FORMAT: u32 = 1;
/// The level of the test whether answers leak: so rarely is a study accused that is clean. It is strict, since the verdict is
/// VOID then.
pub const CONTAMINATION_LEVEL: f64 = 0.001;
/// The confidence of intervals that are shown and decide nothing.
pub const DISPLAY_CONFIDENCE: f64 = 0.95;

/// The verdict in a word, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum VerdictKind {
    /// Safe to try on canary.
    #[serde(rename = "GO")]
    Go,
    /// Not to be tried.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// The study cannot say yet.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
    /// The study can say nothing.
    #[serde(rename = "VOID")]
    Void,
}

impl VerdictKind {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            VerdictKind::Go => "GO",
            VerdictKind::NoGo => "NO-GO",
            VerdictKind::Inconclusive => "INCONCLUSIVE",
            VerdictKind::Void => "VOID",
        }
    }
}

/// Everything that a verdict is made of.
pub struct Facts<'f> {
    /// The study.
    pub study: &'f Study,
    /// Its threshold.
    pub threshold: &'f Threshold,
    /// Its conditions.
    pub conditions: &'f Conditions,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal: &'f str,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Whether the run is closed: nothing more can come.
    pub closed: bool,
    /// The latest event time of each stream.
    pub clocks: PerStream<Option<Micros>>,
    /// Where every record has got to.
    pub accounting: Accounting,
    /// What the snapshots looked like.
    pub inputs: &'f InputCounts,
    /// The sums of the pairs.
    pub cells: &'f Cells,
    /// What was scored by the threshold's metric.
    pub evidence: &'f VerdictEvidence,
    /// The least and the greatest figure of the metric.
    pub range: (Option<f64>, Option<f64>),
    /// For each reference its shares by value.
    pub references: &'f [Vec<f64>],
    /// What came between, in order of time.
    pub interferences: &'f [InterferenceEvent],
}

/// Something that came between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InterferenceEvent {
    /// What sort of thing.
    pub kind: InterferenceKind,
    /// From when on decisions may have been otherwise for it.
    pub since: Timestamp,
    /// What is known of it.
    pub description: String,
}

/// The verdict. Written as `verdict.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// The version of the layout: [`FORMAT`].
    pub format: u32,
    /// The study's name.
    pub study: String,
    /// SHA-256 of its seal, in hexadecimal.
    pub seal: String,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// When the first snapshot was observed. If that was before the seal, the figures could have been known by then.
    pub first_snapshot: Option<Timestamp>,
    /// Whether the run was closed; otherwise it was looked at before its end.
    pub closed: bool,
    /// The threshold in words.
    pub threshold: String,
    /// The metric's name.
    pub metric: String,
    /// The confidence of the intervals, each bound by itself.
    pub confidence: f64,
    /// The windows that count, in order of time.
    pub windows: Vec<CountedWindow>,
    /// Where every record has got to.
    pub accounting: Accounting,
    /// What the inputs looked like, where a reference is declared.
    pub inputs: Vec<InputShare>,
    /// What has come round, where a cycle is declared.
    pub cycle: Vec<CycleValue>,
    /// What came between.
    pub interferences: Vec<InterferenceEvent>,
    /// For each model, in the order declared.
    pub models: Vec<ModelVerdict>,
}

impl Verdict {
    /// The content of `verdict.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a verdict is plain data");
        json + "\n"
    }
}

/// A window that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CountedWindow {
    /// What it is called.
    pub label: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// Whether the feed was seen running across both its ends.
    pub complete: bool,
}

/// The share of a condition's value among the snapshots of the windows that count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InputShare {
    /// The condition.
    pub condition: String,
    /// The value.
    pub value: String,
    /// Snapshots that have it.
    pub snapshots: u64,
    /// Their share.
    pub share: f64,
    /// What it should be.
    pub reference: f64,
    /// How far it may lie from that.
    pub tolerance: f64,
    /// Whether it lies no further.
    pub within_tolerance: bool,
}

/// How often a value of the cycle has occurred in the windows that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CycleValue {
    /// The value.
    pub value: String,
    /// Days, hours or months of it that have a compared pair.
    pub occurrences: u64,
    /// How many there have to be.
    pub required: u64,
    /// Compared pairs.
    pub pairs: u64,
    /// Whether it has come round as often as it has to, with as many pairs as are asked of a condition's value.
    pub covered: bool,
}

/// What is said of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelVerdict {
    /// Its name in the study.
    pub model: String,
    /// Whether its answers leak, where ids were blinded.
    pub contamination: Option<Contamination>,
    /// For all of the input, and for each scope in the order declared.
    pub scopes: Vec<ScopeVerdict>,
}

/// Whether agreement is higher where the answer existed in time than where it did not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Contamination {
    /// Where the model had answered before the decision came.
    pub unblinded: Estimate,
    /// Where it was asked only afterwards.
    pub blinded: Estimate,
    /// Whether it was tested: that is done at the end, once.
    pub tested: bool,
    /// Shown less blinded, by how much closer it is to the substrate; nothing where it was not tested, or cannot be told.
    pub difference: Option<Difference>,
}

/// What is said of one model in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScopeVerdict {
    /// `all`, or the name of a scope.
    pub scope: String,
    /// The verdict.
    pub verdict: VerdictKind,
    /// Why, the gravest first.
    pub reasons: Vec<VerdictReason>,
    /// Snapshots of the windows that count.
    pub snapshots: u64,
    /// Compared pairs of them.
    pub compared: u64,
    /// Those that have no answer or no score.
    pub unanswered: u64,
    /// The windows that count, taken together.
    pub pooled: Estimate,
    /// Each of them, in the order of [`Verdict::windows`].
    pub windows: Vec<Estimate>,
    /// What agreement is worth beyond chance, where that is asked for.
    pub chance: Option<ChanceAgreement>,
}

/// A reason, and what it alone would lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerdictReason {
    /// What it leads to.
    pub verdict: VerdictKind,
    /// In words, with its figures.
    pub text: String,
}

/// The threshold's metric over some pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// Pairs that the metric scored.
    pub pairs: u64,
    /// Those that scored 1, if the figure is the share of them and every score is 0 or 1.
    pub hits: Option<u64>,
    /// The figure; nothing where it is not defined.
    pub value: Option<f64>,
    /// Two bounds, each one-sided.
    pub interval: Option<Interval>,
    /// Where they come from.
    pub method: Option<IntervalMethod>,
}

/// Where an interval comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Wilson's score interval.
    Wilson,
    /// A delete-a-group jackknife over the groups of the cluster's key.
    Jackknife,
    /// A confidence sequence, which holds however often and whenever one looks.
    Sequence,
}

/// What agreement of labels is worth beyond chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChanceAgreement {
    /// The share of pairs with the same label.
    pub agreement: f64,
    /// The share of the substrate's commonest label.
    pub majority_share: f64,
    /// Cohen's kappa; nothing where it is not defined.
    pub kappa: Option<f64>,
}

#[cfg(test)]
mod tests;
