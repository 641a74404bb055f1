//! `understudy export`: all decided rows as one file.

use std::path::PathBuf;

use anyhow::bail;

use super::Exit;
use super::output::print_err;
use understudy_audit::{self as audit, CsvText, ExportFormat};
use understudy_engine::PluginOverrides;
use understudy_report::counted;
use understudy_run_log::signed_head::Signer;

/// Export all decided rows to a file.
///
/// Writes fields, conditions, answers, decisions and scores. The ledger records who exported them. Rows are
/// included only after their decision has arrived and their horizon has passed.
#[derive(clap::Args)]
pub(super) struct Export {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Output file, which ends in .parquet or .csv.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Put an apostrophe before each text that a spreadsheet would read as a formula; only for .csv. Without this
    /// option texts are written as they are, for programs.
    #[arg(long)]
    spreadsheet: bool,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Export {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.output.display();
        let form = match self.output.extension().and_then(|kind| kind.to_str()) {
            Some("parquet") if self.spreadsheet => {
                bail!("cannot export to {shown} for a spreadsheet: --spreadsheet needs a .csv file")
            }
            Some("parquet") => ExportFormat::Parquet,
            Some("csv") if self.spreadsheet => ExportFormat::Csv(CsvText::Spreadsheet),
            Some("csv") => ExportFormat::Csv(CsvText::Exact),
            _ => bail!("cannot export to {shown}: unknown file extension; use .parquet or .csv"),
        };
        let who = audit::operator(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (sealed_study, _) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        audit::ensure_all_fields(&self.run)?;
        let counts = audit::export(&sealed_study, &self.run, &self.output, form, who, signer)?;
        let rows = counted(counts.decided, "row", "rows");
        print_err(format_args!("{rows} written to {shown} and recorded in the ledger"));
        if counts.withheld > 0 {
            print_err(format_args!(
                "{} omitted: no decision yet, or the horizon has not passed",
                counted(counts.withheld, "snapshot", "snapshots")
            ));
        }
        Ok(Exit::Done)
    }
}
