//! The verdict: the declared threshold applied to the facts of a run. The program computes it; nobody chooses
//! it.
//!
//! Invariants:
//! - The same facts give the same verdict, to the byte.
//! - A verdict is the worst of its reasons: VOID before INCONCLUSIVE before NO-GO before GO. So a study
//!   does not claim what it cannot show.
//! - A share meets its bound by its counts, in whole numbers.
//!
//! # Complete windows
//! A window is complete if the feed was observed on both sides of it: a snapshot was observed at its start or
//! before, another at its end or after, and no more snapshots of it and decisions on them can arrive. So the first and
//! the last window of a study are rarely complete. Complete windows follow each other without gaps: a window
//! without pairs is one of them, and has too few comparisons.

mod baseline_gain;
mod bound_check;
mod ceiling;
mod ceiling_gate;
mod chance_corrected_agreement;
mod chance_gate;
mod determination;
mod estimate;
mod facts;
mod family;
mod format;
mod gates;
mod guards;
mod interim_gates;
mod interval_method;
mod mean_scores;
mod notes;
mod pass_reason;
pub mod plan;
mod reason_group;
mod replicates;
mod revised_agreement;
mod simulated_run;
mod threshold_text;
mod try_history;
mod window_selection;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use baseline_gain::{BaselineGain, BaselineGains, LeftOutPairs};
pub use bound_check::meets_bound_by_count;
pub use ceiling::CeilingShare;
pub use chance_corrected_agreement::{ChanceAgreement, ChanceMeasure, ModelLabels};
pub use determination::determine_verdict;
pub use estimate::chooses_end;
pub use facts::{Facts, InterferenceEvent, PairCounts, RunResults};
pub use family::has_nested_bounds;
pub use format::{TESTED_LATER, direction_words, format_confidence, format_share, untestable_sentence};
pub use guards::{Guard, GuardResult, GuardSpan, GuardSubject, term_consequence};
pub use interval_method::{IntervalMethod, MissingInterval};
pub use notes::verdict_notes;
pub use replicates::MetricLimits;
pub use revised_agreement::{RevisedAgreement, RevisedSlice, VerdictRevisions};
pub use simulated_run::SimulatedRun;
pub use threshold_text::{ceiling_requirement, chance_requirement, describe_threshold};
pub use try_history::{KnownTries, OtherTry, TryHistory};

use crate::scoring::{Difference, Interval};
use understudy_records::join::Accounting;

/// The version of the format of `verdict.json`.
pub const FORMAT: u32 = 1;
/// The level of the contamination test, which is the rate at which a clean study is falsely accused. It is
/// strict, since the verdict is VOID then.
pub const CONTAMINATION_LEVEL: f64 = 0.001;
/// The confidence of intervals that are displayed but decide nothing.
pub const DISPLAY_CONFIDENCE: f64 = 0.95;

/// The kind of a verdict, in ascending severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum VerdictKind {
    /// The model meets the threshold: safe to try on canary.
    #[serde(rename = "GO")]
    Go,
    /// The model misses the threshold.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// The evidence does not suffice yet.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
    /// The study is invalid: its evidence cannot be used.
    #[serde(rename = "VOID")]
    Void,
}

impl VerdictKind {
    /// The name in reports and files.
    pub fn name(self) -> &'static str {
        match self {
            VerdictKind::Go => "GO",
            VerdictKind::NoGo => "NO-GO",
            VerdictKind::Inconclusive => "INCONCLUSIVE",
            VerdictKind::Void => "VOID",
        }
    }
}

/// The verdict on a study, written as `verdict.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// The version of the format.
    pub format: u32,
    /// The name of the study.
    pub study: String,
    /// The SHA-256 of the seal, in hexadecimal.
    pub seal: String,
    /// The time at which the study was sealed.
    pub sealed_at: Timestamp,
    /// The time at which the first snapshot was observed. If it is before the seal, results may have been
    /// known when the study was sealed.
    pub first_snapshot: Option<Timestamp>,
    /// Whether the run was closed. If not, the verdict is an interim one.
    pub closed: bool,
    /// The threshold in words.
    pub threshold: String,
    /// What every reader of the verdict must know of the threshold, one sentence each: that a constant may be GO, and
    /// how several verdicts share the confidence.
    pub notes: Vec<String>,
    /// The name of the threshold's metric.
    pub metric: String,
    /// The declared confidence of a bound. A verdict that shares its level with others has a higher one.
    pub confidence: f64,
    /// The windows that count, in order of time.
    pub windows: Vec<CountedWindow>,
    /// The account of every record that was received.
    pub accounting: Accounting,
    /// The pairs of the whole run.
    pub pairs: PairCounts,
    /// The pairs of the whole run with more than one decision; `None` if the study refuses revisions.
    pub revisions: Option<VerdictRevisions>,
    /// The number of mirrored requests that never became a record. No term of the accounting has them.
    pub shed: u64,
    /// With `[mirror]`: how often the run was resumed although no stop was recorded, because its process was killed or
    /// crashed. Each time, `shed` may miss the requests of at most one minute. 0 without `[mirror]`.
    pub cut_offs: u64,
    /// The guards over all records, which hold for all models and scopes.
    pub guards: Vec<GuardResult>,
    /// The observed shares of condition values that have a declared reference.
    pub inputs: Vec<InputShare>,
    /// The coverage of the declared cycle.
    pub cycle: Vec<CycleValue>,
    /// Exposures and comparator changes, in order of time.
    pub interferences: Vec<InterferenceEvent>,
    /// Other tries of the study, as far as a register of seals has them.
    pub tries: KnownTries,
    /// The verdicts on each model, in the order of declaration.
    pub models: Vec<ModelVerdict>,
}

impl Verdict {
    /// The content of `verdict.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a verdict is plain data");
        json + "\n"
    }

    /// The worst verdict on a scope over the models, or over one of them; the first if several are as grave.
    /// `None` if the verdict does not cover the model or the scope.
    pub fn worst(&self, model: Option<&str>, scope: &str) -> Option<(&ModelVerdict, &ScopeVerdict)> {
        let models = self.models.iter().filter(|found| model.is_none_or(|name| found.model == name));
        let found = models.filter_map(|model| {
            let found = model.scopes.iter().find(|found| found.scope == scope)?;
            Some((model, found))
        });
        found.rev().max_by_key(|(_, found)| found.verdict)
    }
}

/// A window that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CountedWindow {
    /// The label of the window.
    pub label: String,
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after the window.
    pub end: Timestamp,
    /// Whether the window is complete: the feed was observed on both sides of it.
    pub complete: bool,
}

/// The share of a condition value among the snapshots of the windows that count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InputShare {
    /// The name of the condition.
    pub condition: String,
    /// The value of the condition.
    pub value: String,
    /// The number of snapshots with the value.
    pub snapshots: u64,
    /// Their share of all snapshots.
    pub share: f64,
    /// The expected share.
    pub reference: f64,
    /// The greatest allowed distance from the expected share.
    pub tolerance: f64,
    /// Whether the distance is within the tolerance.
    pub within_tolerance: bool,
}

/// The coverage of one value of the cycle in the windows that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CycleValue {
    /// The value of the cycle's condition.
    pub value: String,
    /// The number of days, hours or months with the value that have compared pairs.
    pub occurrences: u64,
    /// The required number of occurrences.
    pub required: u64,
    /// The number of compared pairs.
    pub pairs: u64,
    /// Whether the value has the required occurrences, and as many pairs as a condition value requires.
    pub covered: bool,
}

/// The verdicts on one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelVerdict {
    /// The name of the model in the study.
    pub model: String,
    /// The contamination test, if ids were blinded.
    pub contamination: Option<Contamination>,
    /// The verdict on all of the input, and on each scope in the order of declaration.
    pub scopes: Vec<ScopeVerdict>,
    /// A remark for readers of the model's values, such as that they are at their best by construction. `None` if there is
    /// none.
    pub remark: Option<String>,
}

/// The comparison of agreement where the answer existed before the decision with agreement where it did not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Contamination {
    /// The pairs whose snapshot the model answered before the decision.
    pub unblinded: Estimate,
    /// The pairs whose snapshot the model answered only after the decision.
    pub blinded: Estimate,
    /// Whether the test was carried out: this happens once, at the end.
    pub tested: bool,
    /// By how much the model is closer to the substrate where its answer existed before the decision. `None`
    /// if the test was not carried out or not possible.
    pub difference: Option<Difference>,
}

/// The verdict on one model in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScopeVerdict {
    /// `all`, or the name of a scope.
    pub scope: String,
    /// The kind of the verdict.
    pub verdict: VerdictKind,
    /// The reasons, the worst first.
    pub reasons: Vec<VerdictReason>,
    /// The confidence of each bound of an interval on its own.
    pub confidence: f64,
    /// The number of verdicts among which the declared level is divided; 1 if each has it on its own.
    pub level_shared_by: u64,
    /// The number of snapshots in the windows that count.
    pub snapshots: u64,
    /// The number of compared pairs among them.
    pub compared: u64,
    /// The number of compared pairs without an answer or a score.
    pub unanswered: u64,
    /// The guards over the pairs of the model in the scope and, in a declared scope, over the records that may belong to it.
    pub guards: Vec<GuardResult>,
    /// The estimate over all windows that count.
    pub pooled: Estimate,
    /// The estimate of each window, in the order of [`Verdict::windows`].
    pub windows: Vec<Estimate>,
    /// The agreement of labels beyond chance, if the threshold requires it.
    pub chance: Option<ChanceAgreement>,
    /// The gains over baselines, if the threshold requires them, the answers are no labels and the run is closed.
    pub baselines: Option<BaselineGains>,
    /// The agreement as a share of the substrate's ceiling, if the threshold requires it and the run is closed.
    pub ceiling: Option<CeilingShare>,
}

impl ScopeVerdict {
    /// The reason that is named first: one of the worst.
    pub fn main_reason(&self) -> &str {
        self.reasons.first().map_or("", |reason| reason.text.as_str())
    }
}

/// A reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerdictReason {
    /// The verdict to which the reason alone would lead.
    pub verdict: VerdictKind,
    /// The reason in words, with its numbers.
    pub text: String,
}

/// The value of the threshold's metric over a set of pairs, with its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// The number of pairs that the metric scored.
    pub pairs: u64,
    /// Those of them that the model answered.
    pub answered: u64,
    /// The number of pairs with score 1, if every score is 0 or 1 and the metric is their mean.
    pub hits: Option<u64>,
    /// The value of the metric; `None` where it is not defined.
    pub value: Option<f64>,
    /// The bounds, each one-sided.
    pub interval: Option<Interval>,
    /// The method of the interval.
    pub method: Option<IntervalMethod>,
    /// Why a value has no interval; `None` if it has one, and where there is no value.
    pub no_interval: Option<MissingInterval>,
    /// Whether all but the number of pairs is withheld, because it would reveal few pairs before the end of the run.
    pub withheld: bool,
}

impl Estimate {
    /// The estimate with nothing but the number of its pairs and answers, as withheld.
    fn without_figures(self) -> Estimate {
        Estimate { pairs: self.pairs, answered: self.answered, withheld: true, ..Estimate::default() }
    }
}

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
