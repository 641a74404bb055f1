//! The events that a ledger records.
//!
//! Invariants: an event is plain data; its JSON form is the variant's name in kebab case under `kind`, with
//! the variant's fields beside it. A field is left out only where its documentation says so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::review::{FailureMode, Judgement, SampledStratum};
use understudy_records::join::ExclusionCounts;
use understudy_study::{InterferenceKind, PerStream};

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// The run began. Always the first entry, and only the first.
    RunStarted {
        /// The study's name.
        study: String,
        /// SHA-256 of `seal.json`, in hexadecimal.
        seal: String,
        /// SHA-256 of the bytes of the run's `study.toml`, in hexadecimal. The seal holds the digest of its
        /// content.
        study_toml: String,
        /// The version of understudy that started the run.
        version: String,
        /// The verifier key of the ledger's signed head; left out if the ledger is not signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The run in the register of seals; left out if the study names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        register: Option<RunRegistration>,
    },
    /// A plugin of the study was loaded.
    PluginLoaded {
        /// `model`, `comparator` or `metric`.
        role: String,
        /// The plugin's name in the study.
        name: String,
        /// SHA-256 of the component, in hexadecimal.
        sha256: String,
        /// The files that are passed to the plugin.
        assets: Vec<Asset>,
    },
    /// The segments of a group were converted to Parquet.
    GroupSealed {
        /// The group's number, from 0.
        group: u32,
        /// The sealed segments; tables without rows have none.
        segments: Vec<Segment>,
        /// Records of each stream in this group and all groups before it.
        position: PerStream<u64>,
        /// With revisions: whether the sources have ended, and the group has the pairs that this settles.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ended: bool,
    },
    /// The number of excluded records changed. The counts are totals since the run began.
    RecordsExcluded {
        /// Excluded snapshots.
        snapshots: ExclusionCounts,
        /// Excluded decisions.
        decisions: ExclusionCounts,
    },
    /// Mirrored requests that never became a record, since the last such entry. A proxy repeats none of them.
    RequestsShed {
        /// Requests that were refused, for instance for lack of room.
        refused: u64,
        /// Requests that were answered, and whose record was not written.
        lost: u64,
    },
    /// Results of a model's determinism checks since the model's last such entry.
    DeterminismChecked {
        /// The model's name in the study.
        model: String,
        /// Snapshots that the model answered a second time.
        rows: u64,
        /// Snapshots whose second answer differs from the first.
        mismatches: u64,
        /// Sequence numbers of the mismatches, at most 1,000.
        sequences: Vec<u64>,
        /// The id of the first mismatch; empty if there is none.
        first_id: String,
    },
    /// A run that had not ended was resumed.
    RunResumed {
        /// Records of each stream in the log after recovery.
        position: PerStream<u64>,
        /// How the run was interrupted, such as "was cut off".
        interruption: String,
        /// Rows of each stream that recovery dropped because a row before them is missing.
        truncated: PerStream<u64>,
        /// Damaged segments, each with its damage; left out if there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        damaged: Vec<String>,
    },
    /// A plugin swap was approved. It takes effect with `swap-applied`.
    Swap {
        /// The generation that the swap begins, from 1.
        generation: u32,
        /// `model`, `comparator` or `metric`.
        role: String,
        /// The name of the plugin slot in the study.
        name: String,
        /// SHA-256 of the new component, in hexadecimal.
        sha256: String,
        /// SHA-256 of the component that is replaced, in hexadecimal.
        replaces: String,
        /// The new plugin's configuration, a JSON object.
        config: String,
        /// The trained model that the new plugin runs, if a swap has replaced the sealed one; left out otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<SwappedModel>,
        /// What caused the swap.
        trigger: SwapTrigger,
        /// The operator, or the part of understudy that swapped.
        who: String,
        /// The operator's reason.
        reason: String,
        /// Result of the shadow comparison on recent pairs; left out if the swap was forced without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shadow: Option<ShadowResult>,
        /// Whether the swap was forced although the answers may differ.
        comparator_change: bool,
    },
    /// The swap of this generation took effect.
    SwapApplied {
        /// The generation.
        generation: u32,
        /// The first sequence number of each stream that belongs to the generation.
        first_sequences: PerStream<u64>,
        /// The latest event time among the snapshots accepted before the swap; left out if there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot_clock: Option<Timestamp>,
    },
    /// The swap of this generation did not take effect: the process ended first.
    SwapAbandoned {
        /// The generation that the swap would have begun.
        generation: u32,
    },
    /// Records may be missing: a source failed, or cannot be replayed from the position where it was left.
    SourceGap {
        /// `snapshots` or `decisions`.
        stream: String,
        /// Why records may be missing.
        reason: String,
    },
    /// A person or a program was shown a model's answers.
    Exposure {
        /// Who was shown the answers.
        who: String,
        /// The command that showed them, with the output format.
        command: String,
        /// Rows that were shown.
        rows: u64,
        /// SHA-256 over the ids, each with a line feed, in the order in which they were shown.
        ids: String,
        /// Rows that were withheld because they are not decided or their horizon is not over.
        withheld: u64,
        /// Decisions from this time on may be influenced; left out if the run was closed before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// An operator disclosed an interference that understudy cannot observe.
    Disclosure {
        /// The kind of interference.
        interference: InterferenceKind,
        /// Who disclosed it.
        who: String,
        /// What is known about it.
        text: String,
        /// Decisions from this time on may be influenced.
        since: Timestamp,
    },
    /// A declared interim report was written.
    InterimReport {
        /// The last window that the report covers.
        window: String,
        /// The report's files.
        files: Vec<FileDigest>,
    },
    /// A sample of a model's disagreements was drawn for review.
    ReviewSample {
        /// The model's name in the study.
        model: String,
        /// The seed of the draw.
        seed: String,
        /// The strata. A row belongs to the first stratum that contains it.
        strata: Vec<SampledStratum>,
    },
    /// A reviewer judged a disagreement.
    Review {
        /// The reviewer.
        who: String,
        /// The model's name in the study.
        model: String,
        /// The id of the row.
        id: String,
        /// The event time of its snapshot. An id may be used more than once.
        observed_at: Timestamp,
        /// The stratum from which the row was drawn.
        stratum: String,
        /// The reviewer's judgement.
        judgement: Judgement,
        /// The failure mode of the wrong side; left out if the reviewer named none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_mode: Option<FailureMode>,
        /// The reviewer's note; left out if it is empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A verdict was given.
    Verdict {
        /// The verdict's file.
        file: FileDigest,
        /// Whether the run was closed at that time.
        closed: bool,
        /// Records of each stream in the log at that time.
        position: PerStream<u64>,
        /// The verdict on each model and scope, such as `model/scope: GO`.
        rulings: Vec<String>,
    },
    /// An operator's note.
    Note {
        /// The operator.
        who: String,
        /// The text.
        text: String,
    },
    /// Columns of a sealed segment were dropped under the study's `log.retain`.
    SegmentReduced {
        /// The segment before.
        before: Segment,
        /// The segment after.
        after: Segment,
        /// The dropped columns.
        dropped_columns: Vec<String>,
    },
    /// The run stopped before its sources ended. It can be resumed.
    RunStopped {
        /// Why the run stopped.
        reason: StopReason,
        /// The derived files at that time.
        files: Vec<FileDigest>,
    },
    /// The sources ended, and the run with them. It cannot be resumed.
    RunClosed {
        /// The derived files at that time.
        files: Vec<FileDigest>,
    },
}

/// A run in the register of seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRegistration {
    /// The path of the register's file when the run started, relative to the run directory.
    pub path: String,
    /// The run's id in the register, 128 random bits in hexadecimal.
    pub run: String,
}

/// Why a run stopped before its sources ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// A signal or a command stopped the run.
    Interrupted,
    /// A source could not be read to its end: its error. The records behind that are unknown.
    SourceFailed(String),
}

/// What caused a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapTrigger {
    /// An operator requested a new plugin.
    Operator,
    /// An operator requested the previous plugin version.
    Undo,
    /// The circuit breaker restored the previous plugin version after too many failures.
    Fallback,
}

/// Result of a shadow comparison of a new plugin with the one that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowResult {
    /// Recent pairs that both plugins were run on.
    pub pairs: u64,
    /// Pairs on which both plugins agree.
    pub agreeing: u64,
}

/// A file that is passed to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The asset's name in the study.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// A trained model that took over a slot, by what the run directory stores of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwappedModel {
    /// SHA-256 of the lowered model, which the component received as its asset, in hexadecimal.
    pub lowered: String,
    /// SHA-256 of the component that imported the files, in hexadecimal.
    pub importer: String,
    /// The model file, then the files beside it, with their paths relative to its folder.
    pub files: Vec<Asset>,
}

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The file's path, relative to the run directory.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The number of rows.
    pub rows: u64,
    /// The first and the last sequence number; left out for tables that hold both streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequences: Option<(u64, u64)>,
}

/// A file and its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// The file's path, relative to the run directory.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Mirrored requests that never became a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShedCounts {
    /// Requests that were refused, for instance for lack of room.
    pub refused: u64,
    /// Requests that were answered, and whose record was not written.
    pub lost: u64,
}

impl ShedCounts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.refused + self.lost
    }
}
