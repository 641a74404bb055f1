//! All that there is to say of a run: its report, its verdict, what happened to it, what was reviewed, what vouches for it.
//!
//! Always holds: the figures are those of the [`Report`], the rulings those of the [`Verdict`]; nothing is computed here.
//! Every rendering of a run is made of one of these.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::report::Report;
use crate::model::reviews::ReviewSummary;
use understudy_run_log::ledger::Judgement;
use understudy_statistics::verdict::Verdict;
use understudy_study::Direction;

/// The version of this layout; it changes when a reader of the last one would misread a dossier.
pub const FORMAT: u32 = 1;

/// All that there is to say of a run. Printed by `understudy report --format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Dossier {
    /// The version of the layout: [`FORMAT`].
    pub format: u32,
    /// The figures, as in `report.json`.
    pub report: Report,
    /// The threshold, if one is declared.
    pub threshold: Option<Asked>,
    /// The verdict that was given last, as in `verdict.json`.
    pub verdict: Option<Verdict>,
    /// What came after that verdict and could change it.
    pub overtaken_by: Vec<String>,
    /// What happened to the run, in order of time.
    pub history: Vec<Happened>,
    /// What was judged of cases in which a model and the substrate differ.
    pub reviews: Vec<ReviewSummary>,
    /// What the reviewers noted.
    pub notes: Vec<ReviewNote>,
    /// What vouches for it.
    pub provenance: Provenance,
}

/// What a threshold asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// All of it, in words.
    pub words: String,
    /// On which side of the bound the figure has to lie.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
}

/// Something that happened to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Happened {
    /// When the ledger was told of it.
    pub at: Timestamp,
    /// What sort of thing.
    pub kind: Kind,
    /// From when on decisions may have been otherwise for it.
    pub since: Option<Timestamp>,
    /// What, in words.
    pub what: String,
}

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Somebody was shown answers.
    Exposure,
    /// The substrate or its comparator changed.
    ComparatorChange,
    /// A plugin came in the place of another that answers the same.
    Swap,
    /// A plugin came in the place of another that answers otherwise: a new yardstick.
    NewYardstick,
    /// The run went on after a stop, or its sources had a gap.
    Interruption,
    /// A model was found to answer otherwise when it was asked again.
    Instability,
    /// Fields of records were dropped, as declared.
    Retention,
    /// It was looked at before its end.
    Look,
    /// Somebody left a note.
    Note,
}

/// What a reviewer noted of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReviewNote {
    /// The reviewer.
    pub who: String,
    /// The model.
    pub model: String,
    /// The class that the case was drawn from.
    pub stratum: String,
    /// Who was right.
    pub judgement: Judgement,
    /// What was noted.
    pub note: String,
}

/// What vouches for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Provenance {
    /// The version of understudy that opened the run.
    pub opened_by: String,
    /// The version that made this.
    pub made_by: String,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal: String,
    /// When the study was sealed.
    pub sealed_at: Option<Timestamp>,
    /// The key that signs the ledger, if one does.
    pub key: Option<String>,
    /// Entries of the ledger.
    pub entries: u64,
    /// The hash of the last of them, in hexadecimal.
    pub head: String,
    /// Whether the run was closed: nothing more can come.
    pub closed: bool,
    /// Sealed segments, and their rows.
    pub segments: [u64; 2],
    /// Plugins: role, name, title, SHA-256 of the component.
    pub plugins: Vec<[String; 4]>,
}

impl Dossier {
    /// As JSON.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a dossier is plain data");
        json + "\n"
    }
}
