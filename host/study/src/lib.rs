//! Parses and validates `study.toml`, the declaration of a study, and defines the types that every crate shares.
//!
//! Invariants: pure, text in, a [`Study`] or every fault in the text out; no file is opened, no plugin is loaded and no
//! clock is read; a [`Study`] has passed every check that needs nothing but the text.

mod answer_form;
mod canonical;
mod ceiling;
mod condition;
mod condition_values;
mod config_positions;
mod diagnostics;
mod divergence;
mod fault;
mod follow_up;
mod hexadecimal;
mod metadata;
mod mirror;
mod model_file;
mod named_entry;
mod parse;
mod plugin;
mod position;
mod read_advice;
mod registry;
mod revisions;
mod schema;
mod similar_names;
mod source;
mod stream;
mod swaps;
mod table_reader;
#[cfg(test)]
mod test_support;
mod threshold;
mod time_units;
mod toml_value;
mod training_period;
mod unquoted_value;
mod validate;

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use answer_form::AnswerForm;
pub use canonical::{CanonicalError, CanonicalStudy};
pub use ceiling::{Ceiling, InputClassField};
pub use config_positions::ConfigPositions;
pub use divergence::{Divergence, Interim, suspects};
pub use fault::{Fault, Faults};
pub use follow_up::FollowUp;
pub use hexadecimal::{hexadecimal, short_digest};
pub use metadata::Metadata;
pub use mirror::{Mirror, RequestPart};
pub use model_file::{ModelFile, ModelFormat};
pub use parse::parse;
pub use position::Position;
pub use read_advice::read_advice;
pub use registry::{
    ComponentManifest, RegistryContentError, RegistryReference, RegistryReferenceError, RegistryRepository,
    RegistryTarget,
};
pub use revisions::Revisions;
pub use schema::schema;
pub use source::{FileSource, RecordFormat, Source};
pub use stream::{PerStream, StreamKind};
pub use swaps::Swaps;
pub use threshold::{
    Blinding, ChanceRequirement, Cycle, Direction, Evidence, Family, InterferenceEffect, InterferenceKind,
    Quantifier, Reference, Scope, Shares, Threshold, WindowChoice, chance_forms,
};
pub use time_units::{Micros, Nanos};
pub use training_period::TrainingPeriod;
pub use validate::{ALL_SNAPSHOTS, DECISION_PREFIX, nearest};

/// The type of a field's values. The same six types as in `wit/shadow.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// `true` or `false`.
    Boolean,
    /// A signed integer of 64 bits.
    Integer,
    /// A finite floating-point number of 64 bits.
    Number,
    /// A string.
    Text,
    /// An RFC 3339 string with a time zone; stored as microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Any JSON value; stored as its text.
    Json,
}

impl FieldKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Boolean, Self::Integer, Self::Number, Self::Text, Self::Timestamp, Self::Json];

    /// The name in `study.toml`, such as `integer`.
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

    /// Whether a plugin may read a field of this kind as `wanted`: as what it is, and whole numbers and truth values as
    /// numbers, too. True is 1.
    pub fn is_readable_as(self, wanted: FieldKind) -> bool {
        self == wanted || (wanted == Self::Number && matches!(self, Self::Integer | Self::Boolean))
    }
}

/// A declared field of a record: a top-level key of the JSON object and the type of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key in the record, which is also the name in the study.
    pub name: String,
    /// The type of the values.
    pub kind: FieldKind,
}

/// The declaration of one of the two streams of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The key of the record's id, a string or an integer.
    pub id: String,
    /// The key of the record's event time, RFC 3339 with a time zone.
    pub time: String,
    /// How far a record may lag behind the latest record of its own stream before it is late.
    pub lateness: SignedDuration,
    /// How far a record's event time may lie ahead of this machine's clock before the record is rejected.
    pub most_ahead: SignedDuration,
    /// The declared fields, in the order of the file. The keys of the id and the time may be among them.
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

    /// Per stream: how far its clock must be past an event time, so that no snapshot before that time can form a new pair.
    pub fn required_lag(&self) -> PerStream<Micros> {
        PerStream {
            snapshots: Micros::from_duration(self.inputs.lateness),
            decisions: Micros::from_duration(self.decisions.lateness.saturating_add(self.horizon)),
        }
    }

    /// The event time before which no snapshot can form a new pair, once the records up to these clocks have been paired.
    /// `None` until both streams have a clock.
    pub fn complete_before(&self, clocks: PerStream<Option<Micros>>) -> Option<Micros> {
        let lag = self.required_lag();
        let reached = |kind| clocks[kind].map(|clock: Micros| clock.saturating_sub(lag[kind]));
        Some(reached(StreamKind::Snapshots)?.min(reached(StreamKind::Decisions)?))
    }

    /// Whether clients push records of any stream to the run, so that it needs a server.
    pub fn is_live(&self) -> bool {
        StreamKind::ALL.into_iter().any(|kind| self.source(kind).is_pushed())
    }
}

/// The declaration of a plugin: a model, the comparator or a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// The name in the study: letters, digits, `-` and `_`.
    pub name: String,
    /// Where the component comes from.
    pub source: PluginSource,
    /// The period of the training data; `None` if it is not declared, and for comparators and metrics.
    pub training_period: Option<TrainingPeriod>,
    /// The fields that the plugin may read; fields of the decision begin with `decision.`. Empty for a metric.
    pub grant: Vec<String>,
    /// The configuration, a JSON object.
    pub config: serde_json::Value,
    /// Where its keys and values are written.
    pub config_positions: ConfigPositions,
    /// Name and path of each asset, relative to the directory of `study.toml`.
    pub assets: Vec<(String, PathBuf)>,
    /// The line of the declaration in `study.toml`, from 1.
    pub line: usize,
    /// The line of the `grant` key; without it, the line of the plugin.
    pub grant_line: usize,
    /// The line of the `config` key; without it, the line of the plugin.
    pub config_line: usize,
    /// The line of the `plugin` key.
    pub source_line: usize,
}

impl Plugin {
    /// The file of a trained model; `None` if the plugin is a component.
    pub fn model_file(&self) -> Option<&ModelFile> {
        match &self.source {
            PluginSource::ModelFile(file) => Some(file),
            PluginSource::Stock(_) | PluginSource::Path(_) | PluginSource::Registry(_) => None,
        }
    }
}

/// Where the component of a plugin comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum PluginSource {
    /// The name of a stock plugin, which is part of the program.
    Stock(String),
    /// The path of a component, relative to the directory of `study.toml`.
    Path(PathBuf),
    /// A component in a registry, which has been pulled into the directory of `study.toml`.
    Registry(RegistryReference),
    /// A trained model, which a model runtime of the program runs.
    ModelFile(ModelFile),
}

impl PluginSource {
    /// The source of a component: a reference to a registry begins with `oci://`, a path has a slash or ends in `.wasm`, and anything
    /// else is a name.
    ///
    /// # Errors
    /// If a reference to a registry has another form than is expected, or no digest.
    pub fn component(plugin: &str) -> Result<PluginSource, RegistryReferenceError> {
        Ok(if plugin.starts_with(registry::SCHEME) {
            PluginSource::Registry(RegistryReference::parse(plugin)?)
        } else if plugin.contains('/') || plugin.ends_with(".wasm") {
            PluginSource::Path(PathBuf::from(plugin))
        } else {
            PluginSource::Stock(plugin.to_owned())
        })
    }
}

/// A declared partition of the snapshots.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The name: letters, digits, `-` and `_`; not `all`.
    pub name: String,
    /// How the value of a snapshot is determined.
    pub split: Split,
}

/// How a condition assigns a value to a snapshot. Every snapshot has exactly one value of each condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// The listed values of a text, integer or boolean field, as text; then `other` and `missing`.
    Values {
        /// The name of the snapshot's field.
        field: String,
        /// The listed values, in the order of reports.
        values: Vec<String>,
    },
    /// Bins of an integer or number field; then `missing`. Edges a < b give `< a`, `a to < b` and `>= b`.
    Bins {
        /// The name of the snapshot's field.
        field: String,
        /// The edges between the bins, strictly ascending, at least one.
        edges: Vec<f64>,
    },
    /// `weekday` or `weekend` (Saturday, Sunday), by the observed time in the study's time zone.
    Weekend,
    /// `monday` to `sunday`, by the observed time in the study's time zone.
    DayOfWeek,
    /// `00` to `23`, by the observed time in the study's time zone.
    Hour,
    /// `january` to `december`, by the observed time in the study's time zone.
    Month,
}

/// The length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Clock hours.
    Hour,
    /// Calendar days.
    Day,
    /// Weeks; [`Windows::week_ends`] sets their last day.
    Week,
    /// Calendar months.
    Month,
}

impl Every {
    /// The name of one interval, such as `week`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// The windows that results are reported for, in the study's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The length of a window.
    pub every: Every,
    /// The last day of a week; Sunday by default.
    pub week_ends: jiff::civil::Weekday,
}

/// Resource limits. Each has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the largest batch; at least 1. Readers use [`Limits::rows_per_batch`].
    pub batch_rows: usize,
    /// Threads that run models; at least 1.
    pub workers: usize,
    /// Fuel per row, about one unit an instruction. A batch that runs out of fuel is halved, down to single rows.
    pub fuel_per_row: u64,
    /// Wall-clock limit of one call, whatever its number of rows.
    pub call_timeout: SignedDuration,
    /// Linear memory of one plugin instance, in MiB.
    pub memory_mib: usize,
    /// The longest accepted record, in bytes.
    pub record_bytes: usize,
    /// Memory of the join buffer, in MiB. Records beyond it are spilled to disk.
    pub join_buffer_mib: usize,
    /// The longest answer of a plugin, in KiB: of a label, or of all names of a ranking together.
    pub answer_kib: usize,
}

/// Bytes that the answers of one batch may have, so that a text column stays below 2 GiB even with pairs of two batches.
const BATCH_ANSWER_BYTES: usize = 512 << 20;

impl Default for Limits {
    /// The limits of a study that declares none.
    fn default() -> Limits {
        // No default is negative or exceeds the types.
        Limits {
            batch_rows: validate::BATCH_ROWS.default as usize,
            workers: validate::WORKERS.default as usize,
            fuel_per_row: validate::FUEL_PER_ROW.default as u64,
            call_timeout: validate::CALL_TIMEOUT,
            memory_mib: validate::MEMORY_MIB.default as usize,
            record_bytes: validate::RECORD_BYTES.default as usize,
            join_buffer_mib: validate::JOIN_BUFFER_MIB.default as usize,
            answer_kib: validate::ANSWER_KIB.default as usize,
        }
    }
}

impl Limits {
    /// The longest answer in bytes.
    pub fn answer_bytes(&self) -> usize {
        self.answer_kib << 10
    }

    /// The rows of the largest batch: `batch_rows`, or fewer if their answers could exceed 512 MiB. At least 1.
    pub fn rows_per_batch(&self) -> usize {
        self.batch_rows.min(BATCH_ANSWER_BYTES / self.answer_bytes().max(1)).max(1)
    }
}

/// Settings of the run log. Each has a default.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSettings {
    /// Whether the log stores the text of each record beside its columns; true by default.
    pub keep_raw: bool,
    /// How long a commit waits for more rows once a client waits for it. Zero by default: a commit then takes the rows
    /// that arrived during the previous sync.
    pub commit_wait: SignedDuration,
    /// The number of rows at which a commit stops waiting.
    pub commit_rows: usize,
    /// The number of rows of a table at which its open segment is sealed; at least 1.
    pub segment_rows: usize,
    /// The longest time that a non-empty segment stays open.
    pub seal_every: SignedDuration,
    /// The share of the snapshots, from 0 to 1, that the determinism check repeats on a fresh instance.
    pub replay_share: f64,
    /// How long text and fields of snapshots are kept after their segment is sealed; forever by default.
    pub retain: Option<SignedDuration>,
}

/// The plugins of an invalid declaration, as far as they could be parsed, so that their faults can be reported together
/// with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// The models, in declaration order.
    pub models: Vec<Plugin>,
    /// The comparator, if it could be parsed.
    pub comparator: Option<Plugin>,
    /// The metrics, in declaration order.
    pub metrics: Vec<Plugin>,
    /// The limits; a limit that could not be parsed has its default.
    pub limits: Limits,
}

/// The result of parsing an invalid declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidStudy {
    /// Every fault of the declaration.
    pub faults: Faults,
    /// The plugins that could be parsed.
    pub plugins: Plugins,
}

/// A valid declaration of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// The time zone of windows and calendar conditions.
    pub time_zone: TimeZone,
    /// The register of seals, relative to the directory of `study.toml`, if declared.
    pub register: Option<PathBuf>,
    /// What people should know of the study.
    pub metadata: Metadata,
    /// The verdict of an earlier study that asked for this one, if declared.
    pub follow_up: Option<FollowUp>,
    /// The stream of snapshots.
    pub inputs: Stream,
    /// The stream of the substrate's decisions.
    pub decisions: Stream,
    /// The largest distance between the times of a snapshot and its decision, in either direction.
    pub horizon: SignedDuration,
    /// Which of several decisions with one id counts.
    pub revisions: Revisions,
    /// The source of the snapshots.
    pub snapshots_source: Source,
    /// The source of the decisions.
    pub decisions_source: Source,
    /// The lines of both sources in `study.toml`, from 1.
    pub source_lines: PerStream<usize>,
    /// How mirrored requests become snapshots, if declared.
    pub mirror: Option<Mirror>,
    /// The models; at least one.
    pub models: Vec<Plugin>,
    /// The plugin that derives the substrate's answer from its decision.
    pub comparator: Plugin,
    /// The metrics; at least one.
    pub metrics: Vec<Plugin>,
    /// The index of the primary metric in `metrics`.
    pub primary: usize,
    /// The conditions, in declaration order.
    pub conditions: Vec<Condition>,
    /// The windows of the reports.
    pub windows: Windows,
    /// The resource limits.
    pub limits: Limits,
    /// The settings of the run log.
    pub log: LogSettings,
    /// The threshold that a model must meet for a GO, if declared.
    pub threshold: Option<Threshold>,
    /// The parts of the input that have a verdict of their own, in declaration order.
    pub scopes: Vec<Scope>,
    /// The share of ids that are blinded until their decision is known.
    pub blinding: Blinding,
    /// How the substrate is compared with itself, if declared.
    pub ceiling: Option<Ceiling>,
    /// The settings of the divergence search.
    pub divergence: Divergence,
    /// The schedule of interim reports.
    pub interim: Interim,
    /// The conditions for swapping a plugin during a run.
    pub swaps: Swaps,
    /// What is valid and may still cause trouble, ordered by line.
    pub warnings: Vec<Fault>,
}

#[cfg(test)]
mod tests;
