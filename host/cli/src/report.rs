//! `understudy report`: the report of a run as HTML, Markdown, JSON or text.

use std::fmt::Display;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::Exit;
use super::output::{print_err, print_out};
use understudy_audit as audit;
use understudy_report::Style;
use understudy_report::model::bundle::ReportBundle;
use understudy_report::{html, markdown, mlflow_files, render_report};
use understudy_run_log::{PAGE, write_file};

/// Write the report of an ended run.
///
/// The report is computed from the stored aggregates and plugins. It contains verdict, threshold, accounting,
/// conditions, the input subgroups in which model and substrate differ, and the evidence for all figures.
#[derive(clap::Args)]
pub(super) struct Report {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Output file [default: report.html in the run directory for HTML, otherwise standard output].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tracking directory of MLflow, such as `mlruns`: writes a run for each model into it instead.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "output"])]
    mlflow: Option<PathBuf>,
}

/// Output format of several commands.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for a terminal.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// Format of a report.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum ReportFormat {
    /// One self-contained HTML file.
    #[default]
    Html,
    /// Markdown with the same sections.
    Md,
    /// JSON with the same figures; see `understudy schema report-bundle`.
    Json,
    /// Summary for a terminal.
    Text,
}

impl Report {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let bundle = audit::report_bundle(&self.run)?;
        if let Some(folder) = &self.mlflow {
            return write_mlflow(&bundle, folder);
        }
        let content = match self.format {
            ReportFormat::Html => html(&bundle),
            ReportFormat::Md => markdown(&bundle),
            ReportFormat::Json => bundle.to_json(),
            ReportFormat::Text => {
                let terminal = self.output.is_none() && std::io::stdout().is_terminal();
                render_report(&bundle.report, style(terminal))
            }
        };
        let page = matches!(self.format, ReportFormat::Html).then(|| self.run.join(PAGE));
        match self.output.or(page) {
            Some(path) => {
                write_output(&path, content.as_bytes())?;
                print_err(format_args!("written to {}", path.display()));
            }
            None => print_out(content.trim_end())?,
        }
        Ok(Exit::Done)
    }
}

/// Writes the report into a tracking directory of MLflow.
fn write_mlflow(bundle: &ReportBundle, folder: &Path) -> anyhow::Result<Exit> {
    let cannot_write = |path: &Path, error: &dyn Display| {
        anyhow!("cannot write {}: {error}; choose another directory with --mlflow", path.display())
    };
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let root = folder.canonicalize().map_err(|error| cannot_write(folder, &error))?;
    for file in mlflow_files(bundle, &root) {
        let path = root.join(&file.path);
        let parent = path.parent().unwrap_or(&root);
        fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        write_file(&path, &file.content).map_err(|error| cannot_write(&path, &error))?;
    }
    print_err(format_args!("written to {}", folder.display()));
    Ok(Exit::Done)
}

/// Replaces a regular file atomically; writes directly to any other, such as a pipe, a device or a link.
fn write_output(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match fs::symlink_metadata(path) {
        Ok(existing) if !existing.is_file() => fs::write(path, bytes).map_err(anyhow::Error::from),
        _ => write_file(path, bytes).map_err(anyhow::Error::from),
    };
    written.map_err(|error| {
        anyhow!("cannot write {}: {error:#}; choose another file with --output", path.display())
    })
}

/// Style of text output: the width of the terminal, or 100 columns; in colour on a terminal unless `NO_COLOR`
/// is set.
pub(super) fn style(terminal: bool) -> Style {
    let columns = console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns));
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    Style { width: if terminal { columns.clamp(60, 120) } else { 100 }, color }
}
