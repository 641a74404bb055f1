//! `understudy compare`: a paired comparison of models.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::Exit;
use super::output::print_out;
use super::report::{Format, style};
use understudy_audit::{self as audit, ComparisonRun};
use understudy_engine::PluginOverrides;
use understudy_report::render_comparison;

/// Compare models over the same pairs.
///
/// Compares the models of one run, or those of two runs over the same records, joined by id and observed
/// time. Prints the differences of their metrics with confidence intervals, overall and by condition. Each
/// run has to be closed: before the end, two comparisons would reveal single pairs. Values of conditions
/// with fewer than five pairs are left out.
#[derive(clap::Args)]
pub(super) struct Compare {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Second run over the same records, such as a what-if replay.
    #[arg(value_name = "RUN")]
    other: Option<PathBuf>,
    /// Model of the first run with which the others are compared [default: its first model].
    #[arg(long, value_name = "MODEL")]
    reference: Option<String>,
    /// Output format.
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
                print_out(render_comparison(&compared, style(std::io::stdout().is_terminal())).trim_end())?;
            }
            Format::Json => print_out(compared.to_json().trim_end())?,
        }
        Ok(Exit::Done)
    }
}

fn comparing(run: &Path) -> anyhow::Result<ComparisonRun> {
    let (sealed_study, _) = audit::load_sealed_study(run, &PluginOverrides::default())?;
    audit::ensure_all_fields(run)?;
    Ok(ComparisonRun { run: run.to_owned(), sealed_study })
}
