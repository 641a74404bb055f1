//! The log of a serving process, on standard error.
//!
//! Invariants:
//! - The log contains only events of this program, since those of libraries may contain data.
//! - Events contain counts and declared names, and never an id, a field, an answer or a token.

use std::io::Write as _;
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Exit;

/// Environment variable that sets the level.
const VARIABLE: &str = "UNDERSTUDY_LOG";
/// Prefix of the event targets of this program's crates.
const OWN_TARGETS: &str = "understudy";

/// Format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// Lines of text.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Options of the log.
#[derive(Clone, clap::Args)]
pub(super) struct Logging {
    /// Format of the log on standard error.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    log_format: LogFormat,
    /// Log level: error, warn, info, debug or off [default: UNDERSTUDY_LOG, or info].
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Logging {
    /// Starts the log.
    ///
    /// # Errors
    /// If the level is unknown.
    pub fn start(&self) -> anyhow::Result<()> {
        let variable = std::env::var(VARIABLE).ok().filter(|level| !level.trim().is_empty());
        let level = match (&self.log_level, &variable) {
            (Some(level), _) => parse_level(level, "--log-level")?,
            (None, Some(level)) => parse_level(level, VARIABLE)?,
            (None, None) => Level::INFO.into(),
        };
        let own = Targets::new().with_target(OWN_TARGETS, level);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
        let layer = match self.log_format {
            LogFormat::Text => lines.with_ansi(false).with_filter(own).boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_filter(own).boxed(),
        };
        tracing_subscriber::registry().with(layer).try_init().context("cannot start the log twice")
    }

    /// Logs the error of a failed command if the log is JSON. In text the caller prints it, as for any
    /// command.
    pub fn log_failure(&self, result: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
        match result {
            Err(error) if self.log_format == LogFormat::Json => {
                tracing::error!("{error:#}");
                Ok(Exit::Failed)
            }
            result => result,
        }
    }

    /// Reports the address of the server. In text it is a plain line, which is printed at every log level.
    pub fn log_address(&self, address: &str) {
        match self.log_format {
            LogFormat::Text => {
                // A closed standard error is not an error.
                let _ = writeln!(std::io::stderr(), "listening on {address}");
            }
            LogFormat::Json => tracing::info!(address, "listening"),
        }
    }
}

fn parse_level(level: &str, origin: &str) -> anyhow::Result<LevelFilter> {
    match LevelFilter::from_str(level.trim()) {
        Ok(level) => Ok(level),
        Err(_) => bail!("unknown log level \"{level}\" in {origin}; use error, warn, info, debug or off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_level_is_an_error() {
        assert_eq!(parse_level(" WARN ", "x").expect("a level"), LevelFilter::WARN);
        assert_eq!(parse_level("off", "x").expect("a level"), LevelFilter::OFF);
        insta::assert_snapshot!(
            parse_level("loud", "--log-level").expect_err("none"),
            @r#"unknown log level "loud" in --log-level; use error, warn, info, debug or off"#
        );
    }
}
