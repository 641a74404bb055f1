//! The log of a process that serves, on standard error.
//!
//! Always holds: only this program's own events are in it, never those of a library that would print what it works on; an event
//! carries counts and names that the study declares, never an id, a field, an answer or a token.

use std::io::Write as _;
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Exit;

/// The variable that names the level.
const VARIABLE: &str = "UNDERSTUDY_LOG";
/// Whose events are shown.
const OWN: &str = "understudy_host";

/// In which form the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How a process logs.
#[derive(Clone, clap::Args)]
pub(super) struct Logging {
    /// In which form the log is written to standard error.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    log_format: Format,
    /// How much is logged: error, warn, info, debug or off [default: what UNDERSTUDY_LOG says, or info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Logging {
    /// Begins to log.
    ///
    /// # Errors
    /// When there is no such level.
    pub fn start(&self) -> anyhow::Result<()> {
        let said = std::env::var(VARIABLE).ok().filter(|said| !said.trim().is_empty());
        let level = match (&self.log_level, &said) {
            (Some(level), _) => parsed(level, "--log-level")?,
            (None, Some(level)) => parsed(level, VARIABLE)?,
            (None, None) => Level::INFO.into(),
        };
        let own = Targets::new().with_target(OWN, level);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
        let layer = match self.log_format {
            Format::Text => lines.with_ansi(false).with_filter(own).boxed(),
            Format::Json => lines.json().flatten_event(true).with_filter(own).boxed(),
        };
        tracing_subscriber::registry().with(layer).try_init().context("the log has begun already")
    }

    /// Says why a process could not do what it was told, where the log is no text: in text it is said as any command says it.
    pub fn failed(&self, done: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
        match done {
            Err(error) if self.log_format == Format::Json => {
                tracing::error!("{error:#}");
                Ok(Exit::Failed)
            }
            done => done,
        }
    }

    /// Says where this process is reached. In text that is a line of its own, which can be read whatever the level.
    pub fn listening(&self, at: &str) {
        match self.log_format {
            Format::Text => {
                // That nobody listens is no fault.
                let _ = writeln!(std::io::stderr(), "listening on {at}");
            }
            Format::Json => tracing::info!(at, "listening"),
        }
    }
}

fn parsed(level: &str, whence: &str) -> anyhow::Result<LevelFilter> {
    match LevelFilter::from_str(level.trim()) {
        Ok(level) => Ok(level),
        Err(_) => bail!("{whence} is \"{level}\"; write error, warn, info, debug or off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_one_of_a_few_words() {
        assert_eq!(parsed(" WARN ", "x").expect("a level"), LevelFilter::WARN);
        assert_eq!(parsed("off", "x").expect("a level"), LevelFilter::OFF);
        insta::assert_snapshot!(
            parsed("loud", "--log-level").expect_err("none"),
            @r#"--log-level is "loud"; write error, warn, info, debug or off"#
        );
    }
}
