//! `understudy verify`: the integrity of a run.

use std::path::PathBuf;

use super::Exit;
use super::output::{print_err, print_out};
use understudy_audit::{VerifyReport, verify};
use understudy_run_log::signed_head::Verifier;

/// Verify the integrity of a run.
///
/// Checks the seal, the hash chain of the ledger, their signatures, every segment and every record, and
/// recomputes the figures from them. Exit codes: 0 intact, 1 broken, 2 cannot be checked.
#[derive(clap::Args)]
pub(super) struct Verify {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Verifier key that must have signed the ledger, and the seal if that is signed, as `understudy key`
    /// prints it. Repeatable, since ledger and seal may have different signers.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Path of the register of seals, if it has moved since the run started.
    #[arg(long, value_name = "PATH")]
    register: Option<PathBuf>,
}

impl Verify {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let keys: Result<Vec<_>, _> = self.key.iter().map(|key| Verifier::parse(key)).collect();
        match keys
            .map_err(anyhow::Error::from)
            .and_then(|keys| Ok(verify(&self.run, &keys, self.register.as_deref())?))
        {
            Ok(report) => self.print(&report),
            Err(error) => {
                print_err(format_args!("{error:#}"));
                Ok(Exit::NotChecked)
            }
        }
    }

    fn print(&self, report: &VerifyReport) -> anyhow::Result<Exit> {
        for (check, result) in &report.passed {
            print_out(format_args!("{check:<10} {result}"))?;
        }
        for (check, reason) in &report.skipped {
            print_out(format_args!("{check:<10} not checked: {reason}"))?;
        }
        for issue in &report.issues {
            print_out(format_args!("BROKEN     {issue}"))?;
        }
        let shown = self.run.display();
        match report.issues.len() {
            0 if report.skipped.is_empty() => print_out(format_args!("{shown} is intact"))?,
            0 if report.skipped.iter().all(|(check, _)| *check == "signature") => print_out(format_args!(
                "{shown} is intact, but not signed: a run that was rewritten completely would not be detected"
            ))?,
            0 => print_out(format_args!("{shown} is intact as far as it was checked"))?,
            1 => print_out(format_args!("{shown} is broken: 1 problem"))?,
            many => print_out(format_args!("{shown} is broken: {many} problems"))?,
        }
        Ok(if report.issues.is_empty() { Exit::Done } else { Exit::Failed })
    }
}
