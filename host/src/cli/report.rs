//! `understudy report`: the summary of a run, made again from its sums.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::{Exit, found};
use crate::report::{Style, build, render};
use crate::run::{Outcome, SEAL, Saved, Seal, WhatIf, recall};
use crate::runlog::{CHECKPOINT, REPORT, checkpoint, ledger};

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
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; see `understudy schema report`.
    Json,
}

impl Report {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let (outcome, seal) = ended(&self.run)?;
        let report = build(&outcome, &recall(&self.run, &seal, &WhatIf::default())?);
        match self.format {
            Format::Text => found(render(&report, style(std::io::stdout().is_terminal())).trim_end())?,
            Format::Json => found(report.to_json().trim_end())?,
        }
        Ok(Exit::Done)
    }
}

/// What an ended run left behind, and its seal.
fn ended(run: &Path) -> anyhow::Result<(Outcome, Seal)> {
    let path = run.join(CHECKPOINT);
    let shown = path.display();
    let closed = is_closed(run);
    let unended = || match closed {
        true => anyhow!(
            "{shown} is gone, so the report cannot be made again; {}/{REPORT} holds the figures as they were",
            run.display()
        ),
        false => anyhow!(
            "{} holds a run that has not ended; run the study again to go on, and see its report at the end",
            run.display()
        ),
    };
    let bytes = fs::read(&path).map_err(|error| match run.join(SEAL).is_file() {
        true => unended(),
        false => anyhow!("cannot read {shown}: {error}; name a run directory whose run has ended"),
    })?;
    let saved: Saved = checkpoint::decode(&bytes).map_err(|error| match closed {
        true => {
            anyhow!("cannot use {shown}: {error}; {}/{REPORT} holds the figures as they were", run.display())
        }
        false => anyhow!(
            "cannot use {shown}: {error}; run the study again to go on, which makes it anew from the log"
        ),
    })?;
    let path = run.join(SEAL);
    let shown = path.display();
    let seal = fs::read(&path).map_err(|error| anyhow!("cannot read {shown}: {error}"))?;
    let seal = Seal::parse(&seal)
        .map_err(|what| anyhow!("{shown} is damaged: {what}; run `understudy verify` to see what else is"))?;
    Ok((saved.outcome(&seal).ok_or_else(unended)?, seal))
}

/// Whether a run has been closed, and so cannot go on.
fn is_closed(run: &Path) -> bool {
    let (entries, _) = ledger::check(&fs::read(run.join(ledger::LEDGER)).unwrap_or_default());
    ledger::is_closed(&entries)
}

/// How a report is shown here: as wide as the terminal, or 100 columns; in colour on a terminal unless `NO_COLOR` is
/// set.
pub(super) fn style(terminal: bool) -> Style {
    let columns = console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns));
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    Style { width: if terminal { columns.clamp(60, 120) } else { 100 }, color }
}
