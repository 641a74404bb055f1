//! `understudy decide`: the verdict of the declared threshold.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::bail;

use super::Exit;
use super::output::{print_err, print_out};
use super::report::{Format, style};
use understudy_audit::{self as audit, Decision, VerdictChoice, VoidCause};
use understudy_report::render_verdict;
use understudy_run_log::VERDICT;
use understudy_run_log::signed_head::{Signer, Verifier};
use understudy_statistics::verdict::{Verdict, VerdictKind};
use understudy_study::ALL_SNAPSHOTS;

/// Evaluate the declared threshold and give the verdict.
///
/// Prints GO, NO-GO, INCONCLUSIVE or VOID for each model and scope, with all reasons, and records the verdict
/// in verdict.json and in the ledger. Exit codes: 0 GO, 1 NO-GO, 2 INCONCLUSIVE, 3 VOID, 4 no verdict. With
/// several models or scopes the exit code is that of the worst selected verdict.
#[derive(clap::Args)]
pub(super) struct Decide {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Scope of the exit code [default: all of the input].
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Model of the exit code [default: all models].
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Verifier key that must have signed the ledger, and the seal if that is signed, as `understudy key`
    /// prints it. Repeatable.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Path of the register of seals, if it has moved since the run started.
    #[arg(long, value_name = "PATH")]
    register: Option<PathBuf>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Decide {
    pub fn execute(self) -> anyhow::Result<Exit> {
        self.decide().or_else(|error| {
            print_err(format_args!("{error:#}"));
            Ok(Exit::NoVerdict)
        })
    }

    fn decide(self) -> anyhow::Result<Exit> {
        let keys = self.key.iter().map(|key| Verifier::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let choice = VerdictChoice { model: self.model, scope: self.scope };
        let verdict = match audit::decide(&self.run, &choice, &keys, signer, self.register.as_deref())? {
            Decision::Verdict { verdict, replaced } => {
                for what in replaced {
                    print_err(format_args!(
                        "{what}; it differed from the recorded verdict and is written again"
                    ));
                }
                verdict
            }
            Decision::Void { cause, issues } => {
                print_out(match cause {
                    VoidCause::Damaged => {
                        "VOID: the run is damaged or altered, so that it permits no verdict"
                    }
                    VoidCause::Unrepeatable => {
                        "VOID: a model gave other answers when they were computed again, so the figures cannot be verified"
                    }
                    VoidCause::NoRegister => {
                        "VOID: the register of seals is not where the run recorded it, so other tries are not known"
                    }
                })?;
                for what in issues {
                    print_out(format_args!("  {what}"))?;
                }
                return Ok(Exit::Verdict(VerdictKind::Void));
            }
        };
        let kind = worst(&verdict, &choice)?;
        match self.format {
            Format::Text => {
                print_out(
                    render_verdict(
                        &verdict,
                        choice.model.as_deref(),
                        choice.scope.as_deref(),
                        style(std::io::stdout().is_terminal()),
                    )
                    .trim_end(),
                )?;
            }
            Format::Json => print_out(verdict.to_json().trim_end())?,
        }
        print_err(format_args!("written to {}", self.run.join(VERDICT).display()));
        Ok(Exit::Verdict(kind))
    }
}

/// The worst of the selected verdicts.
fn worst(verdict: &Verdict, choice: &VerdictChoice) -> anyhow::Result<VerdictKind> {
    let scope = choice.scope.as_deref().unwrap_or(ALL_SNAPSHOTS);
    match verdict.worst(choice.model.as_deref(), scope) {
        Some((_, found)) => Ok(found.verdict),
        None => bail!("the study has no such model or scope; see `understudy check`"),
    }
}

/// Exits because of invalid arguments: with 4 for `decide`, where 2 is a verdict, otherwise with 2.
pub(super) fn exit_with_usage(error: &clap::Error) -> ! {
    let is_decide = std::env::args().nth(1).is_some_and(|command| command == "decide");
    if is_decide && error.use_stderr() {
        let _ = error.print();
        std::process::exit(4);
    }
    error.exit()
}
