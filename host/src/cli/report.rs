//! `understudy report`: the summary of a run, made again from its sums.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::anyhow;

use super::{Exit, found};
use crate::report::{Style, build, render};
use crate::run::{CHECKPOINT, Outcome, recall};
use crate::runlog::checkpoint;

/// Print the report of a run again, from the sums that it left and the plugins that it kept.
#[derive(clap::Args)]
pub(super) struct Report {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The form to print it in.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; see `understudy schema report`.
    Json,
}

impl Report {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let path = self.run.join(CHECKPOINT);
        let shown = path.display();
        let bytes = std::fs::read(&path).map_err(|error| {
            match self.run.join("snapshots").is_dir() {
                true => anyhow!(
                    "{} holds a run that has not ended, or was cut off before it could write its sums; run the study again \
                     into another directory",
                    self.run.display()
                ),
                false => anyhow!("cannot read {shown}: {error}; name a run directory whose run has ended"),
            }
        })?;
        let outcome: Outcome = checkpoint::decode(&bytes).map_err(|error| {
            anyhow!("cannot use {shown}: {error}; run the study again into another directory")
        })?;
        let report = build(&outcome, &recall(&self.run, &outcome)?);
        match self.format {
            Format::Text => found(render(&report, style(std::io::stdout().is_terminal())).trim_end())?,
            Format::Json => found(serde_json::to_string_pretty(&report)?)?,
        }
        Ok(Exit::Done)
    }
}

/// How a report is shown here: as wide as the terminal, or 100 columns; in colour on a terminal unless `NO_COLOR` is
/// set.
pub(super) fn style(terminal: bool) -> Style {
    let columns = console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns));
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    Style { width: if terminal { columns.clamp(60, 120) } else { 100 }, color }
}
