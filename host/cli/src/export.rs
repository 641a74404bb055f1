//! `understudy export`: the decided rows of a run in one file.

use std::path::PathBuf;

use anyhow::bail;

use super::{Exit, tell};
use understudy_audit::{self as audit, Form};
use understudy_engine::WhatIf;
use understudy_report::counted;
use understudy_run_log::note::Signer;

/// Write the decided rows of a run to one file: fields, conditions, answers, decisions, scores. It is recorded in the ledger
/// who has them. Rows whose decision has not come, or whose horizon is not over, are left out.
#[derive(clap::Args)]
pub(super) struct Export {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write: .parquet or .csv.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Who is shown the answers [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Export {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.output.display();
        let form = match self.output.extension().and_then(|kind| kind.to_str()) {
            Some("parquet") => Form::Parquet,
            Some("csv") => Form::Csv,
            _ => bail!("{shown} is neither a .parquet nor a .csv file; give it one of these endings"),
        };
        let who = audit::who(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let (prepared, _) = audit::sealed(&self.run, &WhatIf::default())?;
        audit::has_its_fields(&self.run)?;
        let counts = audit::export(&prepared, &self.run, &self.output, form, who, signer)?;
        let rows = counted(counts.shown, "row", "rows");
        tell(format_args!("{rows} written to {shown}; the ledger says so"));
        if counts.refused > 0 {
            tell(format_args!(
                "{} not among them: the decision has not come, or the horizon is not over",
                counted(counts.refused, "snapshot is", "snapshots are")
            ));
        }
        Ok(Exit::Done)
    }
}
