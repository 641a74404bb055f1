//! What reviewers judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_run_log::ledger::{FailureMode, Judgement};
use understudy_statistics::scoring::Interval;

/// What was judged of one model's disagreements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReviewSummary {
    /// The model's name in the study.
    pub model: String,
    /// Its disagreements with the substrate, when they were last drawn from.
    pub disagreements: u64,
    /// How many of them were judged.
    pub judged: u64,
    /// By stratum, in the order in which they were drawn from.
    pub strata: Vec<StratumReviewed>,
    /// Who was right, how often among those that were judged.
    pub judgements: Vec<JudgementCount>,
    /// How whoever was wrong went wrong, how often among those that were judged.
    pub modes: Vec<ModeCount>,
    /// Of the disagreements of the strata that were judged, who was right; empty where nothing was judged.
    pub shares: Vec<JudgementShare>,
    /// The confidence of each bound of a share by itself.
    pub confidence: f64,
    /// L. Kish's effective sample size, of which the bounds of the shares are; `None` where nothing was judged.
    pub effective: Option<f64>,
    /// Strata with disagreements none of which was judged: the shares say nothing of them.
    pub unjudged: Vec<String>,
    /// Judgements of earlier draws, from other strata; they are in no figure here.
    pub elsewise: u64,
}

/// What was judged of one stratum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StratumReviewed {
    /// What it is called.
    pub name: String,
    /// Its disagreements.
    pub disagreements: u64,
    /// How many of them were judged.
    pub judged: u64,
    /// Who was right, how often.
    pub judgements: Vec<JudgementCount>,
}

/// How often something was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JudgementCount {
    /// What.
    pub judgement: Judgement,
    /// How often.
    pub count: u64,
}

/// How often a failure was of one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModeCount {
    /// Which; `None` where it was not said.
    pub mode: Option<FailureMode>,
    /// How often.
    pub count: u64,
}

/// The share of all disagreements of which something would be judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JudgementShare {
    /// What.
    pub judgement: Judgement,
    /// The mean of its shares in the strata, weighted by their disagreements; in [0, 1].
    pub share: f64,
    /// Its bounds: E. B. Wilson's at the effective sample size.
    pub interval: Interval,
}
