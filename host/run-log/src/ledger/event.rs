//! What the ledger tells of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::review::{FailureMode, Judgement, SampledStratum};
use understudy_study::InterferenceKind;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// The study was opened.
    Opened {
        /// Its name.
        study: String,
        /// SHA-256 of `seal.json`, in hexadecimal.
        seal: String,
        /// SHA-256 of `study.toml` to the byte, as the run keeps it, in hexadecimal. The seal has that of what it says.
        study_toml: String,
        /// The version of understudy that opened it.
        version: String,
        /// The verifier key of the ledger's signed head, if it is signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A plugin was loaded.
    Plugin {
        /// `model`, `comparator` or `metric`.
        role: String,
        /// Its name in the study.
        name: String,
        /// SHA-256 of the component, in hexadecimal.
        sha256: String,
        /// Its assets.
        assets: Vec<Asset>,
    },
    /// A group of segments was sealed.
    Sealed {
        /// Its number.
        group: u32,
        /// The segments that have rows.
        segments: Vec<Segment>,
        /// How many records of each stream are in this group and those before: snapshots, decisions.
        covers: [u64; 2],
    },
    /// Records were refused: how many by now.
    Refused {
        /// Of the snapshots.
        snapshots: RefusedCounts,
        /// Of the decisions.
        decisions: RefusedCounts,
    },
    /// A model was asked about snapshots again, since the last such entry.
    Replayed {
        /// The model's name in the study.
        model: String,
        /// How many snapshots it was asked about.
        asked: u64,
        /// How many of them it answered otherwise than before.
        otherwise: u64,
        /// The sequence numbers of those, the first thousand.
        sequences: Vec<u64>,
        /// The id of the first of them; empty if there is none.
        first_id: String,
    },
    /// A run that had not ended goes on.
    Resumed {
        /// How many records of each stream its log holds.
        position: [u64; 2],
        /// How it had come to stand still.
        after: String,
        /// How many rows of each stream were cut off because one before them was missing.
        cut: [u64; 2],
        /// Segments that did not end as they should, and how.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        torn: Vec<String>,
    },
    /// A plugin is to take the place of another. It has once `exchanged` follows.
    Swap {
        /// The generation that it begins, counted from 1.
        generation: u32,
        /// `model`, `comparator` or `metric`.
        role: String,
        /// The part's name in the study.
        name: String,
        /// SHA-256 of the component, in hexadecimal.
        sha256: String,
        /// SHA-256 of the one in whose place it comes.
        instead_of: String,
        /// Its configuration, a JSON object.
        config: String,
        /// How it came about.
        how: SwapKind,
        /// Who wanted it.
        who: String,
        /// Why.
        reason: String,
        /// What came of trying both on the latest pairs; nothing if that was not done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tried: Option<Tried>,
        /// Whether those before it answered otherwise, so that what follows is measured by another yardstick.
        new_yardstick: bool,
    },
    /// The plugin of the `swap` before has taken its place.
    Exchanged {
        /// The generation.
        generation: u32,
        /// The first sequence number of each stream that is its own: snapshots, decisions.
        from: [u64; 2],
        /// The latest time among the snapshots that were accepted before; nothing if there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Timestamp>,
    },
    /// The plugin of the `swap` before has not taken its place: the process was gone before.
    NotExchanged {
        /// The generation that it would have begun.
        generation: u32,
    },
    /// A source broke off, or cannot be wound back to where it was left.
    Gap {
        /// `snapshots` or `decisions`.
        stream: String,
        /// What was found.
        what: String,
    },
    /// Somebody or something was shown answers of a model.
    Exposure {
        /// Who.
        who: String,
        /// By which command, and in which form.
        how: String,
        /// How many rows.
        rows: u64,
        /// Which: a digest over the ids, in the order in which they were shown.
        ids: String,
        /// Rows that were asked for and refused, since their decision had not come or their horizon was not over.
        refused: u64,
        /// From when on decisions may have been swayed by it; nothing if the run was closed before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// Somebody told of something that came between, outside of what this program sees.
    Disclosed {
        /// What sort of thing.
        what: InterferenceKind,
        /// Who tells of it.
        who: String,
        /// What is known of it.
        text: String,
        /// From when on decisions may have been otherwise for it.
        since: Timestamp,
    },
    /// The run was reported on before its end, as declared.
    Interim {
        /// The last window that the report covers.
        window: String,
        /// The report's files.
        files: Vec<FileDigest>,
    },
    /// Disagreements of a model were drawn, to be judged.
    Sampled {
        /// The model's name in the study.
        model: String,
        /// What the draw was seeded with.
        seed: String,
        /// The strata, in the order in which a row was looked for in them.
        strata: Vec<SampledStratum>,
    },
    /// A disagreement was judged.
    Reviewed {
        /// By whom.
        who: String,
        /// The model's name in the study.
        model: String,
        /// The id of the row.
        id: String,
        /// The observed time of its snapshot: an id may be used again.
        observed_at: Timestamp,
        /// The stratum that it was drawn from.
        stratum: String,
        /// Who was right.
        judgement: Judgement,
        /// How whoever was wrong went wrong, if that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<FailureMode>,
        /// What else was said; empty if nothing was.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A verdict was given.
    Verdict {
        /// Its file.
        file: FileDigest,
        /// Whether the run was closed; otherwise it was looked at before its end.
        closed: bool,
        /// How many records of each stream the log held.
        position: [u64; 2],
        /// Each model and scope with its verdict in a word: `model/scope: GO`.
        rulings: Vec<String>,
    },
    /// A note.
    Note {
        /// Whose.
        who: String,
        /// What it says.
        text: String,
    },
    /// Columns of a sealed segment were dropped, as the study declares.
    Reduced {
        /// The segment as it was.
        before: Segment,
        /// The segment as it is.
        after: Segment,
        /// The columns that are gone.
        dropped: Vec<String>,
    },
    /// The run was stopped, or a source broke off; it can go on.
    Stopped {
        /// What stopped it.
        how: String,
        /// The files that were derived by then.
        files: Vec<FileDigest>,
    },
    /// The sources have ended, and the run with them.
    Closed {
        /// The files that were derived by then.
        files: Vec<FileDigest>,
    },
}

/// How a plugin came to take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapKind {
    /// Somebody wanted it.
    Asked,
    /// Somebody wanted the one before it back.
    Undone,
    /// It failed more often than is allowed, so the one before it came back.
    FellBack,
}

/// What came of trying a plugin beside the one in whose place it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// The latest pairs, which both were tried on.
    pub pairs: u64,
    /// Those on which both came to the same.
    pub same: u64,
}

/// A file that is handed to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its name in the study.
    pub name: String,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The file, from the run directory.
    pub file: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The first and the last sequence number, of a table of one stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequences: Option<(u64, u64)>,
}

/// How many records of a stream were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedCounts {
    /// Could not be read as a record.
    pub rejected: u64,
    /// Came before, the same to the byte.
    pub duplicate: u64,
    /// Came before with other content.
    pub conflict: u64,
    /// Too far behind their own stream.
    pub late: u64,
}

/// A file and what it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// The file, from the run directory.
    pub file: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl From<[u64; 4]> for RefusedCounts {
    /// From counts by class: rejected, duplicate, conflict, late.
    fn from([rejected, duplicate, conflict, late]: [u64; 4]) -> RefusedCounts {
        RefusedCounts { rejected, duplicate, conflict, late }
    }
}

impl RefusedCounts {
    /// By class: rejected, duplicate, conflict, late.
    pub fn by_class(self) -> [u64; 4] {
        [self.rejected, self.duplicate, self.conflict, self.late]
    }
}
