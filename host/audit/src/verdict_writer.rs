//! `understudy decide`: gives the verdict on a run and records it.
//!
//! Invariants: a verdict applies the threshold in the seal, and only to a run that passes verification. It is
//! in the ledger before anyone reads it. The verdict on a closed run can be computed again, byte for byte.
//! `verdict.json` is derived: if it is lost or damaged, the verdict can be given again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use crate::run_files::{load_sealed_study, read_seal};
use crate::verdict::threshold_evaluation::{closed_verdict, evaluate_threshold};
use crate::verdict::try_history::try_history;
use crate::verify::issue::{DETERMINISM, Issue, VerifyReport};
use crate::verify::register_check::REGISTER;
use crate::verify::run_check::verify;
use understudy_engine::{Checkpoint, PluginOverrides, Seal, buffered_fields, recompute};
use understudy_run_log::ledger::{Event, FileDigest, Ledger, LedgerState};
use understudy_run_log::register::RegisterContent;
use understudy_run_log::signed_head::{Signer, Verifier};
use understudy_run_log::{CHECKPOINT, RunDirectory, VERDICT, checkpoint, read_file, write_file};
use understudy_sandbox::sha256_hex;
use understudy_statistics::verdict::{KnownTries, RunResults, ScopeVerdict, Verdict};
use understudy_study::{ALL_SNAPSHOTS, Study};

/// Verifications of a running run before its issues count.
const VERIFY_ATTEMPTS: usize = 5;
/// Pause between these verifications.
const VERIFY_PAUSE: Duration = Duration::from_millis(300);

/// The part of a verdict that is asked for; everything by default.
#[derive(Clone, Debug, Default)]
pub struct VerdictChoice {
    /// The name of a model.
    pub model: Option<String>,
    /// The name of a scope.
    pub scope: Option<String>,
}

impl VerdictChoice {
    /// Checks that the study declares the model and the scope.
    fn check(&self, study: &Study) -> anyhow::Result<()> {
        let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let models: Vec<&str> = study.models.iter().map(|model| model.name.as_str()).collect();
        if let Some(model) = self.model.as_deref().filter(|model| !models.contains(model)) {
            bail!("the study has no model \"{model}\"; it has {}", list(models));
        }
        let scopes: Vec<&str> = study.scopes.iter().map(|scope| scope.name.as_str()).collect();
        if let Some(scope) =
            self.scope.as_deref().filter(|scope| *scope != ALL_SNAPSHOTS && !scopes.contains(scope))
        {
            bail!(
                "scope \"{scope}\" was not declared before the run started, and a scope chosen afterwards allows no verdict; \
                 declared scopes: {}",
                list(scopes)
            );
        }
        Ok(())
    }
}

/// Why a run permits no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidCause {
    /// The run failed verification.
    Damaged,
    /// Its figures cannot be computed again, and a model is known not to repeat its answers.
    Unrepeatable,
    /// The register of seals is not where the run recorded it.
    NoRegister,
}

/// Result of [`decide`].
pub enum Decision {
    /// A verdict was given.
    Verdict {
        /// The verdict.
        verdict: Box<Verdict>,
        /// Issues of the previous verdict's file, which the new one replaces.
        replaced: Vec<String>,
    },
    /// The verdict is VOID, without figures.
    Void {
        /// Why no verdict is possible.
        cause: VoidCause,
        /// The failed or skipped checks, each with its reason.
        issues: Vec<String>,
    },
}

/// Gives the verdict on a run and records it. One of `keys` must have signed the ledger and the seal, unless
/// there are none. `register` is the path of the register of seals, if it has moved since the run started.
///
/// # Errors
/// If the directory holds no run, the study declares no threshold, the run is an offline evaluation, or the
/// verdict cannot be written.
pub fn decide(
    run: &Path,
    choice: &VerdictChoice,
    keys: &[Verifier],
    signer: Option<Signer>,
    register: Option<&Path>,
) -> anyhow::Result<Decision> {
    let report = verify_settled(run, keys, register)?;
    // An issue of an earlier verdict's file says nothing about the run, and the new verdict resolves it.
    let (replaced, issues): (Vec<_>, Vec<_>) =
        report.issues.iter().partition(|issue| issue.location == VERDICT);
    let texts = |issues: Vec<&Issue>| issues.into_iter().map(ToString::to_string).collect();
    if !issues.is_empty() {
        let cause = match issues.iter().any(|issue| issue.location == DETERMINISM) {
            true => VoidCause::Unrepeatable,
            false => VoidCause::Damaged,
        };
        return Ok(Decision::Void { cause, issues: texts(issues) });
    }
    if let Some((check, what)) = report.skipped.iter().find(|(check, _)| *check == REGISTER) {
        let issues = vec![format!("{check}: {what}")];
        return Ok(Decision::Void { cause: VoidCause::NoRegister, issues });
    }
    // A key that is not the ledger's is rejected before anything is changed.
    let (ledger, entries) = Ledger::open(run, signer)?;
    let (sealed_study, seal) = load_sealed_study(run, &PluginOverrides::default())?;
    let threshold = sealed_study.study.threshold.as_ref();
    threshold.with_context(|| {
        format!(
            "study \"{}\" declares no threshold, so there is nothing to decide; declare [threshold] before the run starts",
            sealed_study.study.name
        )
    })?;
    choice.check(&sealed_study.study)?;
    if sealed_study.replay_of.is_some() {
        bail!(
            "{} is an offline evaluation of another run's log, which allows no verdict; run `understudy decide` on the \
             original run",
            run.display()
        );
    }
    let recorded = LedgerState::from_entries(&entries);
    let closed = recorded.closed;
    let tries = known_tries(&read_seal(run)?, &recorded, report.register.as_ref())?;
    let (verdict, position) = match closed {
        true => {
            let saved = read_checkpoint(run)?;
            (closed_verdict(&sealed_study, &seal, &saved, &entries, tries)?, saved.counters.position)
        }
        false => {
            let rebuilt = recompute(&sealed_study, run, buffered_fields(&sealed_study), |_| Ok(()))?;
            let results = RunResults {
                closed,
                clocks: rebuilt.counters.clocks,
                accounting: rebuilt.accounting,
                pairs: rebuilt.aggregates.comparison,
                inputs: &rebuilt.counters.inputs,
                records: &rebuilt.counters.records,
                cells: &rebuilt.aggregates.cells,
                revisions: &rebuilt.aggregates.revisions,
                evidence: &rebuilt.aggregates.evidence,
                self_agreement: &rebuilt.aggregates.self_agreement,
            };
            let distributions = &rebuilt.aggregates.answer_distributions;
            let verdict = evaluate_threshold(&sealed_study, &seal, &recorded, results, distributions)?;
            (Verdict { tries, ..verdict }, rebuilt.counters.position)
        }
    };
    let json = verdict.to_json();
    let rulings = verdict.models.iter().flat_map(|model| {
        let ruling =
            |scope: &ScopeVerdict| format!("{}/{}: {}", model.model, scope.scope, scope.verdict.name());
        model.scopes.iter().map(ruling)
    });
    let file = FileDigest { file: VERDICT.to_owned(), sha256: sha256_hex(json.as_bytes()) };
    let event = Event::Verdict { file, closed, position, rulings: rulings.collect() };
    // The ledger is written first: if that fails, the previous verdict stays. If only the file fails, the
    // verdict can be given again.
    ledger.append(event)?;
    write_file(&run.join(VERDICT), json.as_bytes())?;
    Ok(Decision::Verdict { verdict: Box::new(verdict), replaced: texts(replaced) })
}

/// Verifies a run. In a running run a segment may have its name shortly before its entry, so issues of such a
/// run count only if they persist.
fn verify_settled(run: &Path, keys: &[Verifier], register: Option<&Path>) -> anyhow::Result<VerifyReport> {
    for _ in 0..VERIFY_ATTEMPTS {
        let report = verify(run, keys, register)?;
        if report.issues.is_empty() || !RunDirectory::is_being_written(run)? {
            return Ok(report);
        }
        std::thread::sleep(VERIFY_PAUSE);
    }
    Ok(verify(run, keys, register)?)
}

/// The other tries of the study. `register` is its register as the verification read it.
fn known_tries(
    seal: &Seal,
    recorded: &LedgerState,
    register: Option<&RegisterContent>,
) -> anyhow::Result<KnownTries> {
    if !seal.names_register() {
        return Ok(KnownTries::NoRegister);
    }
    let start = recorded.start.as_ref().context("the ledger does not record the start of the run")?;
    let registration =
        start.register.as_ref().context("the ledger does not say that the run is registered")?;
    let history = register.and_then(|register| try_history(register, seal, &registration.run));
    Ok(KnownTries::Read(history.context("the register has no start of the run")?))
}

/// The checkpoint of a closed run.
fn read_checkpoint(run: &Path) -> anyhow::Result<Checkpoint> {
    let path = run.join(CHECKPOINT);
    let bytes = read_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
    checkpoint::decode(&bytes).map_err(|error| anyhow!("cannot use {}: {error}", path.display()))
}
