//! `understudy verify`: whether a run is whole.

use std::path::PathBuf;

use super::{Exit, found, tell};
use understudy_audit::{VerifyReport, verify};
use understudy_run_log::note::Verifier;

/// Check that a run is whole: its seal, the chain of its ledger and who signed them, every segment, every record, and that
/// the figures follow from them. Exit code 0: it is whole; 1: it is broken, and where; 2: it could not be looked at.
#[derive(clap::Args)]
pub(super) struct Verify {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Who must have signed the ledger, and the seal if that is signed: a verifier key, as `understudy key` prints it. May
    /// be given several times, where ledger and seal were signed by different people.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
}

impl Verify {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let keys: Result<Vec<_>, _> = self.key.iter().map(|key| Verifier::parse(key)).collect();
        match keys.map_err(anyhow::Error::from).and_then(|keys| Ok(verify(&self.run, &keys)?)) {
            Ok(report) => self.tell(&report),
            Err(error) => {
                tell(format_args!("{error:#}"));
                Ok(Exit::NotLooked)
            }
        }
    }

    fn tell(&self, report: &VerifyReport) -> anyhow::Result<Exit> {
        for (what, looked) in &report.passed {
            found(format_args!("{what:<10} {looked}"))?;
        }
        for (what, why) in &report.skipped {
            found(format_args!("{what:<10} not checked: {why}"))?;
        }
        for issue in &report.issues {
            found(format_args!("BROKEN     {issue}"))?;
        }
        let shown = self.run.display();
        match report.issues.len() {
            0 if report.skipped.is_empty() => found(format_args!("{shown} is whole"))?,
            0 if report.skipped.iter().all(|(what, _)| *what == "signature") => found(format_args!(
                "{shown} is whole; but as it is not signed, one who wrote all of it anew would not be found"
            ))?,
            0 => found(format_args!("{shown} is whole as far as it was checked"))?,
            1 => found(format_args!("{shown} is broken: 1 thing is wrong"))?,
            many => found(format_args!("{shown} is broken: {many} things are wrong"))?,
        }
        Ok(if report.issues.is_empty() { Exit::Done } else { Exit::Failed })
    }
}
