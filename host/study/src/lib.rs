//! The declaration of a study: what `study.toml` says, once it has been found sound.
//!
//! Pure: text in, a [`Study`] or every fault in it out. No file is opened here, no plugin loaded, no clock read.
//! A [`Study`] that exists has passed every check that needs nothing but its text.

mod canonical;
mod check;
mod condition;
mod divergence;
mod fault;
mod mirror;
mod notes;
mod parse;
mod plugin;
#[cfg(test)]
mod sample;
mod schema;
mod section;
mod split;
mod stream;
mod swaps;
mod threshold;
mod units;
mod value;

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use canonical::{Canonical, NotCanonical};
pub use check::WHOLE;
pub use divergence::{Divergence, Interim, suspects};
pub use fault::{Fault, Faults};
pub use mirror::{Mirror, Part};
pub use parse::parse;
pub use schema::schema;
pub use stream::{PerStream, StreamKind};
pub use swaps::Swaps;
pub use threshold::{
    Blinding, Chance, Counted, Cycle, Direction, Evidence, Interference, InterferenceKind, Quantifier,
    Reference, Scope, Shares, Threshold,
};
pub use units::{Micros, Nanos};

/// What the values of a field are. The same six as in `wit/shadow.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number that fits 64 bits with a sign.
    Integer,
    /// A finite number of 64 bits.
    Number,
    /// A string.
    Text,
    /// An RFC 3339 string with a zone; held in microseconds since 1970, UTC.
    Timestamp,
    /// Any JSON value, held as its text.
    Json,
}

impl Kind {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Boolean, Self::Integer, Self::Number, Self::Text, Self::Timestamp, Self::Json];

    /// Its name in `study.toml`, such as `integer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        }
    }
}

/// The form of an answer. The same three as in `wit/shadow.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// One name out of a set.
    Label,
    /// A finite number.
    Number,
    /// Names, best first.
    Ranking,
}

impl Form {
    /// Its name in a plugin's configuration and in messages, such as `label`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Number => "number",
            Self::Ranking => "ranking",
        }
    }
}

/// A declared field of a record: a top-level key of the JSON object, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key, and the name in the study.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// One of the two streams of records: the snapshots or the decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The key that holds the id: a string or an integer.
    pub id: String,
    /// The key that holds the event time: RFC 3339 with a zone.
    pub time: String,
    /// How far a record may lag behind the latest one of its own stream before it is late.
    pub lateness: SignedDuration,
    /// The declared fields, in the order of the file. `id` and `time` may be among them.
    pub fields: Vec<Field>,
}

impl Study {
    /// The declaration of a stream.
    pub fn stream(&self, kind: StreamKind) -> &Stream {
        match kind {
            StreamKind::Snapshots => &self.inputs,
            StreamKind::Decisions => &self.decisions,
        }
    }

    /// The declared source of a stream.
    pub fn source(&self, kind: StreamKind) -> &Source {
        match kind {
            StreamKind::Snapshots => &self.snapshots_source,
            StreamKind::Decisions => &self.decisions_source,
        }
    }

    /// Whether records are delivered to it, so that it is served.
    pub fn is_live(&self) -> bool {
        StreamKind::ALL.into_iter().any(|kind| self.source(kind).is_pushed())
    }
}

/// Where a stream comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// JSON Lines in a file, plain, gzip or zstd (told by its first bytes). Relative to the study's folder.
    File(PathBuf),
    /// JSON Lines on standard input.
    Stdin,
    /// Requests to a run that is served, see `understudy serve`.
    Http,
}

impl Source {
    /// Whether clients push records to the run, instead of the run pulling them.
    pub const fn is_pushed(&self) -> bool {
        match self {
            Source::Http => true,
            Source::File(_) | Source::Stdin => false,
        }
    }

    /// Whether reading can pause for any time without holding up a sender.
    pub const fn is_pausable(&self) -> bool {
        match self {
            Source::File(_) => true,
            Source::Stdin | Source::Http => false,
        }
    }
}

/// A plugin as declared: a model, the comparator, or a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Its name in the study: letters, digits, `-` and `_`.
    pub name: String,
    /// The component's file, relative to the study's folder.
    pub path: PathBuf,
    /// The fields that it may read; the decision's begin with `decision.`. Always empty for a metric.
    pub grant: Vec<String>,
    /// Its configuration, a JSON object.
    pub config: serde_json::Value,
    /// Its assets: name and file, relative to the study's folder.
    pub assets: Vec<(String, PathBuf)>,
    /// The line of `study.toml` where it is declared, counted from 1.
    pub line: usize,
    /// The line of its `grant`, or of the plugin where there is none.
    pub grant_line: usize,
    /// The line of its `config`, or of the plugin where there is none.
    pub config_line: usize,
    /// The line of its `plugin`.
    pub path_line: usize,
}

/// How snapshots are split in advance.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// What it splits by.
    pub split: Split,
}

/// What a condition splits by. Every snapshot has exactly one value of each condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// The values of a text, integer or boolean field, as text, in this order; then `other` and `missing`.
    Values {
        /// The field.
        field: String,
        /// The declared values.
        values: Vec<String>,
    },
    /// Bins of an integer or number field; then `missing`. With edges a < b: `< a`, `a to < b`, `>= b`.
    Bins {
        /// The field.
        field: String,
        /// Strictly ascending, at least one.
        edges: Vec<f64>,
    },
    /// `weekday` and `weekend` (Saturday, Sunday) of the observed time in the study's zone.
    Weekend,
    /// `monday` to `sunday` of the observed time in the study's zone.
    DayOfWeek,
    /// `00` to `23` of the observed time in the study's zone.
    Hour,
    /// `january` to `december` of the observed time in the study's zone.
    Month,
}

/// The calendar interval that figures are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Clock hours.
    Hour,
    /// Calendar days.
    Day,
    /// Weeks, by the day on which they end.
    Week,
    /// Calendar months.
    Month,
}

impl Every {
    /// What one of them is called, such as `week`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// How the study is cut into windows, in its own time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The interval.
    pub every: Every,
    /// The last day of a week. Sunday unless declared.
    pub week_ends: jiff::civil::Weekday,
}

/// What one plugin may use, and how records travel. Every limit has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most rows in one batch; at least 1.
    pub batch_rows: usize,
    /// Worker threads that run models; at least 1.
    pub workers: usize,
    /// Fuel (about one unit an instruction) for one row. A batch that needs more is cut, in the end to single rows.
    pub fuel_per_row: u64,
    /// Wall-clock backstop for one call, whatever its rows.
    pub call_timeout: SignedDuration,
    /// Linear memory of one instance, in MiB.
    pub memory_mib: usize,
    /// Longest accepted record, in bytes.
    pub record_bytes: usize,
    /// Memory for records that wait for their partner, in MiB. Beyond it they wait on disk.
    pub waiting_mib: usize,
}

/// How the run log is kept. Every setting has a default.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Whether it keeps each record's own text beside its columns. True unless declared.
    pub keep_raw: bool,
    /// How long a commit waits for more, once something waits to be acknowledged. Zero unless declared: then it takes
    /// what has come while the last one was being synced.
    pub commit_wait: SignedDuration,
    /// The rows with which a commit waits no longer.
    pub commit_rows: usize,
    /// The rows of a table with which its open segment is sealed; at least 1.
    pub segment_rows: usize,
    /// How long a segment stays open at most, unless it is empty.
    pub seal_every: SignedDuration,
    /// The share of the snapshots, from 0 to 1, that each model is asked about a second time, by a fresh instance.
    pub replay_share: f64,
    /// How long the snapshots' own text and fields are kept after their segment was sealed; for ever unless declared.
    pub retain: Option<SignedDuration>,
}

/// The plugins of a declaration that is not sound, as far as they could be read: so that what is wrong with them can be
/// said together with the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// The models, in the order declared.
    pub models: Vec<Plugin>,
    /// The comparator.
    pub comparator: Option<Plugin>,
    /// The metrics, in the order declared.
    pub metrics: Vec<Plugin>,
    /// The limits; the default of each that could not be read.
    pub limits: Limits,
}

/// A declaration that is not sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsound {
    /// Everything that is wrong with it.
    pub faults: Faults,
    /// Its plugins.
    pub plugins: Plugins,
}

/// A sound declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// The zone of its windows and calendar conditions.
    pub time_zone: TimeZone,
    /// The snapshots.
    pub inputs: Stream,
    /// The substrate's decisions.
    pub decisions: Stream,
    /// A decision belongs to a snapshot if their times lie no further apart than this, either way round.
    pub horizon: SignedDuration,
    /// Where the snapshots come from.
    pub snapshots_source: Source,
    /// Where the decisions come from.
    pub decisions_source: Source,
    /// How a mirrored request becomes a snapshot, if that is declared.
    pub mirror: Option<Mirror>,
    /// The models, at least one.
    pub models: Vec<Plugin>,
    /// The comparator.
    pub comparator: Plugin,
    /// The metrics, at least one.
    pub metrics: Vec<Plugin>,
    /// The index into `metrics` of the primary one.
    pub primary: usize,
    /// The conditions, in the order declared.
    pub conditions: Vec<Condition>,
    /// The windows.
    pub windows: Windows,
    /// The limits.
    pub limits: Limits,
    /// How the run log is kept.
    pub log: Log,
    /// What would permit the next stage, if that is declared.
    pub threshold: Option<Threshold>,
    /// The parts of the input that may be promoted by themselves, in the order declared.
    pub scopes: Vec<Scope>,
    /// For which ids no model is asked before the decision has come.
    pub blinding: Blinding,
    /// How it is looked for where a model and the substrate part.
    pub divergence: Divergence,
    /// How often a run is reported on before its end.
    pub interim: Interim,
    /// What is asked of a plugin that takes the place of another.
    pub swaps: Swaps,
}
