//! Snapshots and decisions as Arrow columns, and the answers given to them.
//!
//! Pure: bytes in, columns out. A record is decoded once, whatever the number of models. Nothing that comes in is lost
//! here: each line ends either among the [`Records`] or among the [`Refused`], with the reason.

mod answers;
mod decode;
mod lines;
mod stand;
mod values;

pub use answers::{Answers, Decisions, Names, Reason};
pub use decode::fields_schema;
pub use decode::{Decoded, Decoder, Records, begins_with, record_digest};
pub use lines::Lines;
pub use stand::Stand;
pub use values::data_type;

use serde::{Deserialize, Serialize};
use understudy_study::StreamKind;

/// Where a record stood in its source, and what it was: enough to find the place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its line, counted from 1.
    pub line: u64,
    /// The byte at which its line begins, in the decompressed source.
    pub offset: u64,
    /// The digest of its own bytes.
    pub digest: u64,
}

/// Why a record was counted and kept but takes no part in the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It could not be read as a record of its stream.
    Rejected,
    /// It came before, the same to the byte.
    Duplicate,
    /// Its id came before, with other content. The first one stands.
    Conflict,
    /// It lags further behind its own stream than `lateness` allows.
    Late,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 4] = [Class::Rejected, Class::Duplicate, Class::Conflict, Class::Late];

    /// As it is written in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Class::Rejected => "rejected",
            Class::Duplicate => "duplicate",
            Class::Conflict => "conflict",
            Class::Late => "late",
        }
    }
}

/// A record that takes no part in the study: kept as it came, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its stream.
    pub side: StreamKind,
    /// Its line in the source, counted from 1.
    pub line: u64,
    /// The byte at which its line begins, in the decompressed source.
    pub offset: u64,
    /// The kind of reason.
    pub class: Class,
    /// The reason in words: what was wrong, and in which field.
    pub reason: String,
    /// The record's own bytes.
    pub raw: Vec<u8>,
    /// A digest of them.
    pub digest: u64,
}
