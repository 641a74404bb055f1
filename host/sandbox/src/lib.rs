//! Runs plugins as WebAssembly components. No other code calls a plugin.
//!
//! Invariants:
//! - A plugin imports nothing, so it has no access to files, network, clock or randomness.
//! - Every call ends, by its fuel or at the latest by its timeout. Memory and returned bytes are limited.
//! - An instance that trapped is discarded. After many traps in a row, a new instance is delayed.
//! - A configuration fits the schema that the plugin declares, before the plugin runs.
//! - Everything that a plugin returns is validated before use: lengths, codes, UTF-8, finite numbers, names.
//! - The recorded answer to a row depends on that row alone. A failed batch is split until the failing rows
//!   are isolated, so batch sizes never affect answers.

mod answer_validation;
mod batch_sizing;
mod bindings;
mod borrowed_columns;
mod compile_cache;
mod component;
mod component_file;
mod config_mismatch;
mod config_schema;
mod config_section;
mod decider;
mod description_validation;
mod engine;
mod importer;
mod instance;
mod limits;
mod panic_report;
mod schema_limits;
mod scorer;
mod usage;
mod world;

use std::path::PathBuf;

pub use component_file::{Assets, ComponentFile, PluginRole, sha256_hex};
pub use config_mismatch::ConfigMismatch;
pub use config_schema::ConfigSchema;
pub use decider::{AnsweredBatch, Decider, DeciderPlugin};
pub use description_validation::InputField;
pub use engine::{Budget, Sandbox};
pub use importer::{
    ImportError, ImportedModel, MAX_MODEL_SIZE, ModelFiles, ModelSummary, import_cached, import_model,
};
pub use instance::is_timeout;
pub use scorer::{Better, ScoredBatch, Scorer, ScorerPlugin};
pub use usage::{USAGE_BLOCK_ROWS, Usage, UsageCounters, UsagePause};

/// Why a plugin cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine cannot be created.
    #[error("cannot set up the sandbox: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; build the plugin, or correct the path")]
    Unreadable {
        /// Path of the plugin's file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is not WebAssembly.
    #[error("{path} is not Wasm: a component begins with the bytes \"\\0asm\"; name the .wasm file")]
    NotWasm {
        /// Path of the plugin's file.
        path: PathBuf,
    },
    /// The file is a core module, as `rustc` writes it, not a component.
    #[error(
        "{path} is a core module, not a component; make it one with `understudy pack {path} --output COMPONENT.wasm`"
    )]
    CoreModule {
        /// Path of the plugin's file.
        path: PathBuf,
    },
    /// The file does not validate or compile.
    #[error("{path} is not a valid component: {why}; rebuild it")]
    Invalid {
        /// Path of the plugin's file.
        path: PathBuf,
        /// Error of the compiler.
        why: String,
    },
    /// The plugin has imports.
    #[error(
        "{path} imports {}; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI",
        name_list(.names)
    )]
    Imports {
        /// Path of the plugin's file.
        path: PathBuf,
        /// Names of the imports.
        names: Vec<String>,
    },
    /// The plugin does not export the interface of its role.
    #[error("{path} {found}, so it cannot be {wanted}; name a component that exports `{export}`")]
    World {
        /// Path of the plugin's file.
        path: PathBuf,
        /// The role in the study, with its article.
        wanted: &'static str,
        /// The interface that a plugin of that role exports.
        export: &'static str,
        /// A phrase that says what the plugin is instead.
        found: &'static str,
    },
    /// The plugin exports an interface with the right name but other types.
    #[error("its `{export}` differs from the host's: {why}; build it against the host's wit/shadow.wit")]
    Interface {
        /// Name of the interface.
        export: &'static str,
        /// The difference, as wasmtime reports it.
        why: String,
    },
    /// The schema that the plugin declares of its configuration cannot be used.
    #[error("{path} declares an unusable config schema: {why}; correct the schema, and build it again")]
    ConfigSchema {
        /// Path of the plugin's file.
        path: PathBuf,
        /// What is wrong with the schema.
        why: String,
    },
    /// The configuration does not fit the schema that the plugin declares.
    #[error("cannot configure it: {}", mismatch_list(.mismatches))]
    ConfigMismatch {
        /// What does not fit, at least one.
        mismatches: Vec<ConfigMismatch>,
    },
    /// The plugin rejected its configuration.
    #[error("configuration rejected: {why}")]
    Config {
        /// The plugin's error message.
        why: String,
    },
    /// The plugin's description of itself is invalid.
    #[error("invalid description: {why}")]
    Description {
        /// The violated rule.
        why: String,
    },
    /// A call trapped or exceeded its budget.
    #[error("{0}")]
    Call(CallError),
}

impl SandboxError {
    fn engine(error: wasmtime::Error) -> SandboxError {
        SandboxError::Engine(format!("{error:#}"))
    }

    fn interface<W: world::World>(error: &wasmtime::Error) -> SandboxError {
        SandboxError::Interface { export: W::EXPORT, why: sanitize(&format!("{error:#}")) }
    }
}

/// All mismatches in one line.
fn mismatch_list(mismatches: &[ConfigMismatch]) -> String {
    mismatches.iter().map(ConfigMismatch::to_string).collect::<Vec<_>>().join(". Also ")
}

/// The first 10 names, quoted, and the number of the others.
fn name_list(names: &[String]) -> String {
    const MAX_LISTED: usize = 10;
    let quoted: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => quoted.join(", "),
        more => format!("{} and {more} others", quoted.join(", ")),
    }
}

/// Why a call of a plugin returned no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{function}` {why}")]
pub struct CallError {
    /// Name of the called function.
    pub function: &'static str,
    /// A predicate to the function's name, such as "panicked at src/lib.rs:7:9: ...".
    pub why: String,
}

/// Prefixes of failures that the host observes itself. Their texts contain nothing from the plugin.
const HOST_OBSERVED: [&str; 5] = [
    "used up its fuel",
    instance::TIMEOUT_MESSAGE,
    "overflowed its stack",
    "exceeded its",
    "returned more than",
];

/// What helps against a failure that the host observes, by how the failure begins. The limits are those of the study.
const ADVICE: [(&str, &str); 5] = [
    ("used up its fuel", "make a row cheaper, or raise limits.fuel-per-row in study.toml"),
    (instance::TIMEOUT_MESSAGE, "make a row faster, or raise limits.call-timeout in study.toml"),
    ("exceeded its memory limit", "use less memory, or raise limits.memory-mib in study.toml"),
    ("overflowed its stack", "recurse less deeply; the stack has no limit to raise"),
    ("returned more than", "return less for a row; this limit cannot be raised"),
];

/// What helps against a failure by a limit; `None` for other failures.
pub fn failure_advice(failure: &str) -> Option<&'static str> {
    let (_, why) = failure.strip_prefix('`')?.split_once("` ")?;
    ADVICE.iter().find(|(start, _)| why.starts_with(start)).map(|(_, advice)| *advice)
}

/// The kind of a failure, without any text or value from the plugin, which could reveal data of the row.
pub fn failure_kind(failure: &str) -> String {
    let Some((function, why)) = failure.strip_prefix('`').and_then(|rest| rest.split_once("` ")) else {
        return "the plugin failed".to_owned();
    };
    match why {
        _ if HOST_OBSERVED.iter().any(|prefix| why.starts_with(prefix)) => failure.to_owned(),
        _ if why.starts_with("panicked") => format!("`{function}` panicked"),
        _ if why.starts_with("trapped") => format!("`{function}` trapped"),
        _ => format!("`{function}` returned no usable result"),
    }
}

/// Sanitises text from a plugin for display: hidden characters become spaces, at most 1,000 characters
/// remain.
fn sanitize(text: &str) -> String {
    text.chars().take(1000).map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

/// Whether a character is invisible and affects a terminal or the order of text: control characters, line and
/// paragraph separators, and directional marks.
fn is_hidden(c: char) -> bool {
    let marks =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    marks || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::{failure_advice, failure_kind};

    #[test]
    fn a_failure_by_a_limit_has_advice_that_names_the_limit() {
        let advice = |failure: &str| failure_advice(failure).unwrap_or_default();
        assert!(advice("`decide` used up its fuel of 1000").contains("limits.fuel-per-row"));
        assert!(advice("`score` took longer than 1s").contains("limits.call-timeout"));
        assert!(advice("`decide` exceeded its memory limit of 64 MiB").contains("limits.memory-mib"));
        assert_eq!(advice("`decide` panicked at src/lib.rs:7:9: used up its fuel"), "");
        assert_eq!(advice("used up its fuel"), "", "a text of the plugin");
    }

    #[test]
    fn failure_kinds_contain_no_text_of_the_plugin() {
        for (failure, kind) in [
            ("`decide` panicked at src/lib.rs:7:9: no room for guest 17", "`decide` panicked"),
            ("`decide` trapped: unreachable in choose_suite", "`decide` trapped"),
            ("`decide` used up its fuel of 1000", "`decide` used up its fuel of 1000"),
            ("`decide` took longer than 1s", "`decide` took longer than 1s"),
            ("`decide` returned an error: guest 17 is unknown", "`decide` returned no usable result"),
            (
                "`score` returned the component NaN; components must be finite",
                "`score` returned no usable result",
            ),
            ("other text", "the plugin failed"),
        ] {
            assert_eq!(failure_kind(failure), kind);
        }
    }
}
