//! The sandbox: where plugins run, and the only door to them.
//!
//! Always holds:
//! - a plugin has no import at all, so there is nothing that it could write to, ask or look up;
//! - a call ends: by its fuel, or at the latest by the clock; its memory and what it may hand back are limited;
//! - an instance that trapped is thrown away, and when traps go on and on the next one waits a little;
//! - what a plugin says is checked before it is believed: lengths, codes, UTF-8, finite numbers, names;
//! - what is recorded for a row depends on that row alone: a batch that fails is cut until the rows that fail stand
//!   alone, so the size of a batch never shows in the answers.

mod bindings;
mod compile_cache;
mod answer_validation;
mod borrowed_columns;
mod decider;
mod description_validation;
mod engine;
mod instance;
mod limits;
mod component;
mod usage;
mod batch_sizing;
mod panic_report;
mod scorer;

use std::path::PathBuf;

pub use decider::{AnsweredBatch, Decider, DeciderPlugin, InputField};
pub use engine::{Budget, Sandbox};
pub use instance::is_timeout;
pub use component::{Assets, ComponentFile, PluginRole, sha256_hex};
pub use usage::{UsageCounters, Usage};
pub use scorer::{Better, ScoredBatch, Scorer, ScorerPlugin};

/// Why a plugin cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine itself.
    #[error("cannot set up the sandbox: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; build the plugin, or correct the path")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{path} is not Wasm: a component begins with the bytes \"\\0asm\"; name the .wasm file")]
    NotWasm {
        /// The file.
        path: PathBuf,
    },
    /// The file is what `rustc` makes, without its interface.
    #[error(
        "{path} is a core module, not a component; make it one with `understudy pack {path} --output COMPONENT.wasm`"
    )]
    CoreModule {
        /// The file.
        path: PathBuf,
    },
    /// The file does not validate or compile.
    #[error("{path} is not a valid component: {why}; rebuild it")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What the compiler said.
        why: String,
    },
    /// The plugin wants something from outside.
    #[error(
        "{path} imports {}; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI",
        listed(.names)
    )]
    Imports {
        /// The file.
        path: PathBuf,
        /// The imports.
        names: Vec<String>,
    },
    /// The plugin does not export what its place in the study needs.
    #[error("{path} {found}, so it cannot be {wanted}; name a component that exports `{export}`")]
    World {
        /// The file.
        path: PathBuf,
        /// The place that it was given, with its article.
        wanted: &'static str,
        /// What a plugin in that place exports.
        export: &'static str,
        /// What it is instead.
        found: &'static str,
    },
    /// The plugin exports an interface of the right name that is made differently.
    #[error("its `{export}` differs from the host's: {why}; build it against the host's wit/shadow.wit")]
    Interface {
        /// The export.
        export: &'static str,
        /// What differs.
        why: String,
    },
    /// The plugin did not take its configuration.
    #[error("configuration rejected: {why}")]
    Config {
        /// What the plugin said.
        why: String,
    },
    /// The plugin describes itself in a way that cannot be.
    #[error("invalid description: {why}")]
    Description {
        /// What is wrong.
        why: String,
    },
    /// A call trapped or ran over its budget.
    #[error("{0}")]
    Call(CallError),
}

impl SandboxError {
    fn engine(error: wasmtime::Error) -> SandboxError {
        SandboxError::Engine(format!("{error:#}"))
    }

    fn interface<W: instance::World>(error: &wasmtime::Error) -> SandboxError {
        SandboxError::Interface { export: W::EXPORT, why: clean(&format!("{error:#}")) }
    }
}

/// The first few names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} others", shown.join(", ")),
    }
}

/// Why one call of a plugin gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{verb}` {why}")]
pub struct CallError {
    /// The function that was called.
    pub verb: &'static str,
    /// What happened, to be read after the verb: "panicked at src/lib.rs:7:9: ...".
    pub why: String,
}

/// What the host itself saw of a call, which is the same for every row.
const HOST_OBSERVED: [&str; 5] =
    ["used up its fuel", instance::TIMEOUT_MESSAGE, "overflowed its stack", "wanted more", "handed back more"];

/// What broke, without anything that the plugin said or answered, which may tell of the row.
pub fn failure_kind(what: &str) -> String {
    let Some((verb, why)) = what.strip_prefix('`').and_then(|rest| rest.split_once("` ")) else {
        return "it broke".to_owned();
    };
    match why {
        _ if HOST_OBSERVED.iter().any(|seen| why.starts_with(seen)) => what.to_owned(),
        _ if why.starts_with("panicked") => format!("`{verb}` panicked"),
        _ if why.starts_with("trapped") => format!("`{verb}` trapped"),
        _ => format!("`{verb}` returned no usable result"),
    }
}

/// Text from a plugin as it may be shown: one line that hides nothing, at most 1,000 characters.
fn clean(text: &str) -> String {
    text.chars().take(1000).map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

/// Whether a character does something to a terminal or to the order of its neighbours instead of being seen: control
/// characters, the ends of lines and paragraphs, and the marks of writing direction.
fn is_hidden(c: char) -> bool {
    let marks =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    marks || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::failure_kind;

    #[test]
    fn the_kind_of_a_break_has_nothing_that_the_plugin_said() {
        for (what, kind) in [
            ("`decide` panicked at src/lib.rs:7:9: no room for guest 17", "`decide` panicked"),
            ("`decide` trapped: unreachable in choose_suite", "`decide` trapped"),
            ("`decide` used up its fuel of 1000", "`decide` used up its fuel of 1000"),
            ("`decide` took longer than 1s", "`decide` took longer than 1s"),
            ("`decide` returned an error: guest 17 is unknown", "`decide` returned no usable result"),
            (
                "`score` returned the component NaN; components must be finite",
                "`score` returned no usable result",
            ),
            ("other things", "it broke"),
        ] {
            assert_eq!(failure_kind(what), kind);
        }
    }
}
