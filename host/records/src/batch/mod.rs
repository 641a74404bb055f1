//! Decodes records into Arrow columns and holds the answers to them.
//!
//! Invariants: pure, bytes in, columns out; a record is decoded once, however many models there are; every
//! line becomes either a row of [`Records`] or an [`ExcludedRecord`].

mod agreement;
mod answers;
mod batch_parts;
mod decode;
mod fields;
mod future_records;
mod line_fault;
mod lines;
mod numbers;
mod record_position;
mod times;
mod values;

pub use agreement::AnswerAgreement;
pub use answers::{AnswerColumn, AnswerSchema, Answers, Names, Probabilities, Reason, canonical_json};
pub use decode::{DecodedBatch, Decoder, Records, begins_with, record_digest};
pub use fields::{fields_schema, interleave_rows, record_batch};
pub(crate) use line_fault::wide_encoding;
pub use lines::Lines;
pub use record_position::RecordPosition;
pub use times::{epoch_hint, parse_time};
pub use values::data_type;

use serde::{Deserialize, Serialize};
use understudy_study::{Micros, StreamKind};

/// Why a record is counted and stored but not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExclusionReason {
    /// The record cannot be decoded.
    Rejected,
    /// The record repeats an earlier one byte for byte.
    Duplicate,
    /// The record repeats an earlier id with different content. The earlier record counts.
    Conflict,
    /// The record is behind the watermark of its own stream.
    Late,
}

impl ExclusionReason {
    /// Every reason, in the order of reports.
    pub const ALL: [ExclusionReason; 4] = [
        ExclusionReason::Rejected,
        ExclusionReason::Duplicate,
        ExclusionReason::Conflict,
        ExclusionReason::Late,
    ];

    /// The name in files, metrics and reports, such as `duplicate`.
    pub const fn name(self) -> &'static str {
        match self {
            ExclusionReason::Rejected => "rejected",
            ExclusionReason::Duplicate => "duplicate",
            ExclusionReason::Conflict => "conflict",
            ExclusionReason::Late => "late",
        }
    }
}

/// A record that the join excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The record's row in the batch that was offered.
    pub row: u32,
    /// Why the record is excluded.
    pub reason: ExclusionReason,
    /// The reason in words.
    pub detail: String,
}

/// A record that is not joined: stored as it arrived, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcludedRecord {
    /// The record's stream.
    pub kind: StreamKind,
    /// Where the record is in its source.
    pub position: RecordPosition,
    /// Why the record is excluded.
    pub reason: ExclusionReason,
    /// The reason in words, with the field and the value that caused it.
    pub detail: String,
    /// The time by which the record is counted in a window: its own event time. That of a rejected record is not
    /// known; it is counted at the latest event time of its stream before it. `None` before the stream's first
    /// accepted record.
    pub counted_at: Option<Micros>,
    /// The scopes to which an excluded snapshot belongs: 0 for all of the input, and the declared ones from 1. `None`
    /// if they are not known: for decisions, for records that cannot be decoded, and without declared scopes.
    pub scopes: Option<Vec<u16>>,
    /// The record's bytes.
    pub raw: Vec<u8>,
}
