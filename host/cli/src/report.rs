//! `understudy report`: a run, made again from its sums: a page, Markdown, JSON, or a summary in the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Exit, found, tell};
use understudy_audit as audit;
use understudy_report::Style;
use understudy_report::html;
use understudy_report::markdown;
use understudy_report::render;
use understudy_run_log::{PAGE, write_file};

/// Report on an ended run, from the sums that it left and the plugins that it kept: verdict, threshold, accounting, conditions,
/// the classes of input in which model and substrate part, and what vouches for all of it.
#[derive(clap::Args)]
pub(super) struct Report {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// The file to write [default: report.html in the run directory for a page, else standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// For people or for programs.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The forms of a report.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Form {
    /// One page that opens in any browser and needs nothing else.
    #[default]
    Html,
    /// Markdown, with the same sections and words.
    Md,
    /// For programs, with the same figures; see `understudy schema dossier`.
    Json,
    /// A summary for the terminal.
    Text,
}

impl Report {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let dossier = audit::dossier(&self.run)?;
        let made = match self.format {
            Form::Html => html(&dossier),
            Form::Md => markdown(&dossier),
            Form::Json => dossier.to_json(),
            Form::Text => {
                let terminal = self.output.is_none() && std::io::stdout().is_terminal();
                render(&dossier.report, style(terminal))
            }
        };
        let page = matches!(self.format, Form::Html).then(|| self.run.join(PAGE));
        match self.output.or(page) {
            Some(path) => {
                put(&path, made.as_bytes())?;
                tell(format_args!("written to {}", path.display()));
            }
            None => found(made.trim_end())?,
        }
        Ok(Exit::Done)
    }
}

/// Writes a file at once; into what is no plain file, such as a pipe, a device or a link, it is written as it is.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => std::fs::write(path, bytes).map_err(anyhow::Error::from),
        _ => write_file(path, bytes).map_err(anyhow::Error::from),
    };
    written.with_context(|| format!("cannot write {}; choose another file with --output", path.display()))
}

/// How a report is shown here: as wide as the terminal, or 100 columns; in colour on a terminal unless `NO_COLOR` is
/// set.
pub(super) fn style(terminal: bool) -> Style {
    let columns = console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns));
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    Style { width: if terminal { columns.clamp(60, 120) } else { 100 }, color }
}
