//! Checks the latest verdict against the ledger and, on a closed run, against a verdict that is computed
//! again.

use std::path::Path;

use super::files;
use super::issue::VerifyReport;
use crate::verdict::evaluation::closed_verdict;
use crate::verdict::interferences::events_since_verdict;
use understudy_engine::{Checkpoint, SealedStudy};
use understudy_run_log::VERDICT;
use understudy_run_log::ledger::{Entry, LedgerState, RecordedVerdict};

/// What a verdict is computed again from.
#[derive(Clone, Copy)]
pub(crate) struct VerdictInputs<'a> {
    /// The study, with the plugins that the run stored.
    pub sealed_study: &'a SealedStudy,
    /// The run's checkpoint.
    pub saved: &'a Checkpoint,
    /// SHA-256 of the run's seal, in hexadecimal.
    pub seal: &'a str,
}

/// Checks the latest verdict, if there is one. Without `inputs` it is not computed again.
pub(crate) fn check(
    run: &Path,
    entries: &[Entry],
    recorded: &LedgerState,
    inputs: Option<VerdictInputs<'_>>,
    report: &mut VerifyReport,
) {
    let Some(RecordedVerdict { index, file, closed, .. }) = &recorded.verdict else { return };
    let later = events_since_verdict(*closed, recorded);
    let later = match later.is_empty() {
        true => String::new(),
        false => format!(
            "; it does not cover later events ({}), so run `understudy decide` again",
            later.join("; ")
        ),
    };
    report.check("verdict", |report| {
        let before = report.issues.len();
        files::check(run, &file.file, &file.sha256, "the ledger", report);
        let Some(VerdictInputs { sealed_study, saved, seal }) =
            inputs.filter(|_| *closed && report.issues.len() == before)
        else {
            return format!(
                "{VERDICT} matches the ledger; it was given before the end of the run and is not computed again{later}"
            );
        };
        let computed = closed_verdict(sealed_study, seal, saved, &entries[..*index]);
        match (computed, std::fs::read(run.join(VERDICT))) {
            (Ok(computed), Ok(stored)) if computed.to_json().as_bytes() == stored => {}
            (Ok(_), _) => report.issue(VERDICT, "it is not the verdict that the sums and the declaration give"),
            (Err(error), _) => report.issue(VERDICT, format_args!("{error:#}")),
        }
        format!("{VERDICT} follows from the sums and the declaration, byte for byte{later}")
    });
}
