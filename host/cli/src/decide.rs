//! `understudy decide`: what the declared threshold says of a run.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::bail;

use super::report::{Format, style};
use super::{Exit, found, tell};
use understudy_audit::{self as audit, Choice, Decided};
use understudy_report::ruling;
use understudy_run_log::VERDICT;
use understudy_run_log::note::{Signer, Verifier};
use understudy_statistics::verdict::{Verdict, VerdictKind};
use understudy_study::WHOLE;

/// Say what the threshold that was declared before the start says of a run: GO, NO-GO, INCONCLUSIVE or VOID, for each model and
/// scope, with every reason. It is written as verdict.json and into the ledger. Exit code 0: GO; 1: NO-GO; 2: INCONCLUSIVE;
/// 3: VOID; 4: there could be no verdict. With several models it is the gravest of theirs.
#[derive(clap::Args)]
pub(super) struct Decide {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The scope that the exit code is of; all of the input unless named.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The model that the exit code is of; all of them unless named.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Who must have signed the ledger, and the seal if that is signed: a verifier key, as `understudy key` prints it. May
    /// be given several times.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// The form to print it in.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Decide {
    pub fn execute(self) -> anyhow::Result<Exit> {
        self.ruled().or_else(|error| {
            tell(format_args!("{error:#}"));
            Ok(Exit::NotRuled)
        })
    }

    fn ruled(self) -> anyhow::Result<Exit> {
        let keys = self.key.iter().map(|key| Verifier::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let choice = Choice { model: self.model, scope: self.scope };
        let verdict = match audit::decide(&self.run, &choice, &keys, signer)? {
            Decided::Verdict { verdict, replaced } => {
                for what in replaced {
                    tell(format_args!("{what}; it was not the verdict that was given, and is made again"));
                }
                verdict
            }
            Decided::Broken(what) => {
                found(
                    "VOID: the run is not whole, and what does not match its seal and its ledger permits nothing",
                )?;
                for what in what {
                    found(format_args!("  {what}"))?;
                }
                return Ok(Exit::Ruled(VerdictKind::Void));
            }
        };
        let word = word(&verdict, &choice)?;
        match self.format {
            Format::Text => {
                found(
                    ruling(
                        &verdict,
                        choice.model.as_deref(),
                        choice.scope.as_deref(),
                        style(std::io::stdout().is_terminal()),
                    )
                    .trim_end(),
                )?;
            }
            Format::Json => found(verdict.to_json().trim_end())?,
        }
        tell(format_args!("written to {}", self.run.join(VERDICT).display()));
        Ok(Exit::Ruled(word))
    }
}

/// The gravest of the chosen verdicts.
fn word(verdict: &Verdict, choice: &Choice) -> anyhow::Result<VerdictKind> {
    let rulings =
        verdict.models.iter().filter(|model| choice.model.as_ref().is_none_or(|name| model.model == *name));
    let scope = choice.scope.as_deref().unwrap_or(WHOLE);
    let words = rulings.flat_map(|model| &model.scopes).filter(|ruling| ruling.scope == scope);
    match words.map(|ruling| ruling.verdict).max() {
        Some(word) => Ok(word),
        None => bail!("the study has no such model or scope"),
    }
}

/// Ends the process over arguments that are wrong: with 4 for `decide`, whose 2 is a verdict.
pub(super) fn refused(error: &clap::Error) -> ! {
    let decides = std::env::args().nth(1).is_some_and(|command| command == "decide");
    if decides && error.use_stderr() {
        let _ = error.print();
        std::process::exit(4);
    }
    error.exit()
}
