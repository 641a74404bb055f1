//! `understudy attest`: signed statements about verdicts, for the policies of deployments.

use std::path::PathBuf;

use anyhow::anyhow;

use super::Exit;
use super::output::{print_err, print_out};
use understudy_audit::{AttestedResult, Statement, attest, open_attestation};
use understudy_run_log::signed_head::{Signer, Verifier};
use understudy_run_log::{read_text_file, write_file};
use understudy_study::{ALL_SNAPSHOTS, read_advice};

/// Sign a statement about a verdict, or check one.
///
/// The statement is an in-toto test result in a DSSE envelope, which policy engines of deployments read. Its subject is
/// the model, by the SHA-256 of its files.
#[derive(clap::Args)]
pub(super) struct Attest {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Sign(Sign),
    Verify(Verify),
}

/// Sign a statement about the verdict that `understudy decide` recorded.
///
/// The result is PASSED if all verdicts on the model are GO, WARNED if the one on the chosen scope is and another is not, and
/// FAILED otherwise.
#[derive(clap::Args)]
struct Sign {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Key file that signs the statement, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: PathBuf,
    /// Model that the statement is about [default: the only one].
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Scope of the result.
    #[arg(long, value_name = "SCOPE", default_value = ALL_SNAPSHOTS)]
    scope: String,
    /// File for the envelope [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Check the signature of a statement, and print what it says.
///
/// Exit codes: 0 PASSED or WARNED, 1 FAILED, 4 not signed with a given key, or no statement about a verdict.
#[derive(clap::Args)]
struct Verify {
    /// The envelope.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Verifier key that must have signed it, as `understudy key` prints it. If it is repeated, one of them suffices.
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// SHA-256 of a file that the statement must be about, in hexadecimal. Repeatable.
    #[arg(long, value_name = "SHA256", value_parser = sha256)]
    subject: Vec<String>,
}

impl Attest {
    pub fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Sign(sign) => sign.execute(),
            Command::Verify(verify) => verify.execute().or_else(|error| {
                print_err(format_args!("{error:#}"));
                Ok(Exit::NoVerdict)
            }),
        }
    }
}

impl Sign {
    fn execute(self) -> anyhow::Result<Exit> {
        let signer = Signer::read(&self.sign_key)?;
        let envelope = attest(&self.run, self.model.as_deref(), &self.scope, &signer)?;
        match &self.output {
            None => print_out(envelope.to_json().trim_end())?,
            Some(path) => {
                write_file(path, envelope.to_json().as_bytes())?;
                print_err(format_args!("written to {}", path.display()));
            }
        }
        Ok(Exit::Done)
    }
}

impl Verify {
    fn execute(self) -> anyhow::Result<Exit> {
        let keys = self.key.iter().map(|key| Verifier::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let shown = self.file.display();
        let text = read_text_file(&self.file).map_err(|error| {
            anyhow!("cannot read {shown}: {error}; {}", read_advice(&error, "correct the path"))
        })?;
        let (statement, key) =
            open_attestation(&text, &keys).map_err(|fault| anyhow!("cannot verify {shown}: {fault}"))?;
        for digest in &self.subject {
            if !statement.subject.iter().any(|file| file.digest.get("sha256") == Some(digest)) {
                return Err(anyhow!(
                    "{shown} is not about a file with the SHA-256 {digest}; it is about {}",
                    subjects(&statement)
                ));
            }
        }
        print_statement(&statement, key)?;
        Ok(match statement.predicate.result {
            AttestedResult::Passed | AttestedResult::Warned => Exit::Done,
            AttestedResult::Failed => Exit::Failed,
        })
    }
}

/// A SHA-256 in lower-case hexadecimal.
fn sha256(text: &str) -> Result<String, String> {
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err("it is not a SHA-256 of 64 hexadecimal digits, as `sha256sum FILE` prints it".to_owned())
        }
    }
}

fn print_statement(statement: &Statement, key: &Verifier) -> anyhow::Result<()> {
    let predicate = &statement.predicate;
    print_out(format_args!("{}, signed by {key}", predicate.result.name()))?;
    for (what, tests) in [("passed", &predicate.passed_tests), ("failed", &predicate.failed_tests)] {
        for test in tests {
            print_out(format_args!("  {what}: {test}"))?;
        }
    }
    for file in statement.subject.iter().chain(&predicate.configuration) {
        let digest = file.digest.get("sha256").map_or("no SHA-256", String::as_str);
        print_out(format_args!("  {}: {digest}", file.name))?;
        for (fact, value) in &file.annotations {
            print_out(format_args!("    {fact}: {value}"))?;
        }
    }
    Ok(())
}

fn subjects(statement: &Statement) -> String {
    let files: Vec<&str> = statement.subject.iter().map(|file| file.name.as_str()).collect();
    files.join(", ")
}
