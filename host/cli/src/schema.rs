//! `understudy schema`: the JSON Schemas of the files that people and programs meet.

use super::{Exit, found};
use understudy_report::schema;

/// Print the JSON Schema of a file, for editors and readers.
#[derive(clap::Args)]
pub(super) struct Schema {
    /// Which file.
    #[arg(value_enum)]
    file: File,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum File {
    /// study.toml
    Study,
    /// report.json
    Report,
    /// verdict.json
    Verdict,
    /// what `understudy report --format json` prints
    Dossier,
}

impl Schema {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let schema = match self.file {
            File::Study => understudy_study::schema(),
            File::Report => schema::report(),
            File::Verdict => schema::verdict(),
            File::Dossier => schema::dossier(),
        };
        found(serde_json::to_string_pretty(&schema)?)?;
        Ok(Exit::Done)
    }
}
