//! `understudy compare`: models side by side.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::report::{Format, style};
use super::{Exit, found};
use understudy_audit::{self as audit, Comparing};
use understudy_engine::WhatIf;
use understudy_report::model::comparison;

/// Set models side by side over the same pairs: the models of one run, or those of two runs of the same feed, joined by id and
/// observed time. Shows the differences of their figures with intervals, in all and by condition: sums over at least five pairs
/// each, of a run that goes on only over those whose horizon is over, and no row.
#[derive(clap::Args)]
pub(super) struct Compare {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A second run of the same feed, such as a what-if.
    #[arg(value_name = "RUN")]
    other: Option<PathBuf>,
    /// The model of the first run that the others are set beside [default: the first]
    #[arg(long, value_name = "MODEL")]
    reference: Option<String>,
    /// The form to print it in.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Compare {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let mut runs = vec![comparing(&self.run)?];
        if let Some(other) = &self.other {
            runs.push(comparing(other)?);
        }
        let compared = audit::compare(&runs, self.reference.as_deref())?;
        match self.format {
            Format::Text => {
                found(side_by_side(&compared, style(std::io::stdout().is_terminal())).trim_end())?;
            }
            Format::Json => found(compared.to_json().trim_end())?,
        }
        Ok(Exit::Done)
    }
}

fn comparing(run: &Path) -> anyhow::Result<Comparing> {
    let (prepared, _) = audit::sealed(run, &WhatIf::default())?;
    audit::has_its_fields(run)?;
    Ok(Comparing { run: run.to_owned(), prepared })
}
