//! Checks the latest verdict against the ledger and, on a closed run, against a verdict that is computed
//! again.

use std::path::Path;

use super::files;
use super::issue::VerifyReport;
use crate::verdict::interferences::events_since_verdict;
use crate::verdict::threshold_evaluation::closed_verdict;
use crate::verdict::try_history::try_history;
use crate::verify::register_check::REGISTER;
use understudy_engine::{Checkpoint, Seal, SealedStudy};
use understudy_run_log::VERDICT;
use understudy_run_log::ledger::{Entry, LedgerState, RecordedVerdict};
use understudy_run_log::read_file;
use understudy_run_log::register::RegisterContent;
use understudy_statistics::verdict::{KnownTries, Verdict};

/// What a verdict is computed again from.
#[derive(Clone, Copy)]
pub(crate) struct VerdictInputs<'a> {
    /// The study, with the plugins that the run stored.
    pub sealed_study: &'a SealedStudy,
    /// The run's checkpoint.
    pub saved: &'a Checkpoint,
    /// SHA-256 of the run's seal, in hexadecimal.
    pub seal: &'a str,
    /// The run's seal.
    pub manifest: &'a Seal,
    /// The register of seals, if the study names one and it can be read.
    pub register: Option<&'a RegisterContent>,
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
        let Some(VerdictInputs { sealed_study, saved, seal, manifest, register }) =
            inputs.filter(|_| *closed && report.issues.len() == before)
        else {
            return format!(
                "{VERDICT} matches the ledger; it was given before the end of the run and is not computed again{later}"
            );
        };
        let stored = read_file(&run.join(VERDICT));
        let tries = stored.as_ref().ok().and_then(|bytes| serde_json::from_slice::<Verdict>(bytes).ok());
        let tries = tries.map(|verdict| verdict.tries).unwrap_or_default();
        let tries = match tries_at_verdict(&tries, manifest, recorded, register) {
            Ok(tries) => tries,
            Err(what) => {
                report.issue(REGISTER, what);
                return String::new();
            }
        };
        let computed = closed_verdict(sealed_study, seal, saved, &entries[..*index], tries);
        match (computed, stored) {
            (Ok(computed), Ok(stored)) if computed.to_json().as_bytes() == stored => {}
            (Ok(_), _) => report.issue(VERDICT, "it is not the verdict that the sums and the declaration give"),
            (Err(error), _) => report.issue(VERDICT, format_args!("{error:#}")),
        }
        format!("{VERDICT} follows from the sums and the declaration, byte for byte{later}")
    });
}

/// The other tries that were known when the verdict was given: those in the register's entries that it covers. If the
/// register is missing, they are the stored ones, for which the digest of the verdict in the ledger vouches.
///
/// # Errors
/// If the verdict leaves out the register that the study names, or the register does not begin with the entries
/// that the verdict covers.
fn tries_at_verdict(
    stored: &KnownTries,
    seal: &Seal,
    recorded: &LedgerState,
    register: Option<&RegisterContent>,
) -> Result<KnownTries, String> {
    let KnownTries::Read(history) = stored else {
        return match seal.names_register() {
            true => Err("the study names a register, and the verdict does not say what is in it".to_owned()),
            false => Ok(KnownTries::NoRegister),
        };
    };
    let Some(register) = register else { return Ok(stored.clone()) };
    let covered = register.prefix(usize::try_from(history.entries).unwrap_or(usize::MAX));
    if covered.last_digest() != history.head {
        return Err(format!(
            "it does not begin with the {} entries that the verdict covers: it was truncated or rewritten",
            history.entries
        ));
    }
    let registration = recorded.start.as_ref().and_then(|start| start.register.as_ref());
    let found = registration.and_then(|registration| try_history(&covered, seal, &registration.run));
    Ok(found.map_or(KnownTries::NotRead, KnownTries::Read))
}
