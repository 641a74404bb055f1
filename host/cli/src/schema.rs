//! `understudy schema`: the JSON Schemas of input and output files.

use super::Exit;
use super::output::print_out;
use understudy_report::schema;

/// Print the JSON Schema of a file format.
///
/// Editors use the schema of study.toml for completion; programs use the others to read results.
#[derive(clap::Args)]
pub(super) struct Schema {
    /// File format.
    #[arg(value_enum)]
    file: FileFormat,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum FileFormat {
    /// Study declaration, study.toml.
    Study,
    /// Report of a run, report.json.
    Report,
    /// Verdict of a run, verdict.json.
    Verdict,
    /// Output of `understudy report --format json`.
    ReportBundle,
}

impl Schema {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let schema = match self.file {
            FileFormat::Study => understudy_study::schema(),
            FileFormat::Report => schema::report(),
            FileFormat::Verdict => schema::verdict(),
            FileFormat::ReportBundle => schema::bundle(),
        };
        print_out(serde_json::to_string_pretty(&schema)?)?;
        Ok(Exit::Done)
    }
}
