//! The results of reviews: what reviewers judged, and estimates of what they would judge over all disagreements.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_run_log::ledger::{FailureMode, Judgement};
use understudy_statistics::scoring::Interval;

/// The reviews of one model's disagreements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReviewSummary {
    /// The model's name in the study.
    pub model: String,
    /// Its disagreements with the substrate at the time of the latest sample.
    pub disagreements: u64,
    /// How many of them were judged.
    pub judged: u64,
    /// The strata of the latest sample, in order.
    pub strata: Vec<StratumSummary>,
    /// The number of judgements of each kind.
    pub judgements: Vec<JudgementCount>,
    /// The number of failures of each mode among the judged disagreements.
    pub failure_modes: Vec<FailureModeCount>,
    /// The estimated share of each judgement among all disagreements of the judged strata; empty if none is judged.
    pub shares: Vec<JudgementShare>,
    /// The confidence of each bound of a share by itself.
    pub confidence: f64,
    /// Kish's effective sample size, which the intervals of the shares use; null if nothing was judged.
    pub effective_sample_size: Option<f64>,
    /// Strata that have disagreements but no judgement; the shares do not cover them.
    pub unjudged_strata: Vec<String>,
    /// Judgements of earlier samples with other strata; no figure here includes them.
    pub superseded_judgements: u64,
}

/// The reviews of one stratum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StratumSummary {
    /// Its name.
    pub name: String,
    /// Its disagreements.
    pub disagreements: u64,
    /// How many of them were judged.
    pub judged: u64,
    /// The number of judgements of each kind.
    pub judgements: Vec<JudgementCount>,
}

/// The number of judgements of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JudgementCount {
    /// The kind of judgement.
    pub judgement: Judgement,
    /// Its number.
    pub count: u64,
}

/// The number of failures of one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FailureModeCount {
    /// The mode; null where the reviewer named none.
    pub mode: Option<FailureMode>,
    /// Its number.
    pub count: u64,
}

/// The estimated share of one judgement among all disagreements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JudgementShare {
    /// The kind of judgement.
    pub judgement: Judgement,
    /// The mean of its shares in the strata, weighted by their disagreements; from 0 to 1.
    pub share: f64,
    /// Wilson's score interval at the effective sample size.
    pub interval: Interval,
}
