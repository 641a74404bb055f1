//! `understudy register`: the register of seals that several studies share.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Exit;
use super::output::{print_err, print_out};
use understudy_run_log::register::{
    RegisterContent, RegisterEntry, RegisterEvent, RegisteredSeal, complete_lines, read_locked, register_file,
};
use understudy_run_log::signed_head::Verifier;
use understudy_study::short_digest;

/// Check and print a register of seals.
///
/// A study that names a register appends its seal to it, and each start of a run.
#[derive(clap::Args)]
pub(super) struct Register {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Verify(Verify),
}

/// Check the chain and the signatures of a register, and print its entries.
///
/// Exit codes: 0 intact, 1 broken, 2 cannot be checked. The end of a register can be cut off unnoticed; a seal
/// that is missing then is reported by `understudy verify` of its run.
#[derive(clap::Args)]
struct Verify {
    /// The register: its file, or the directory with `register.jsonl`.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Verifier key that may sign entries, as `understudy key` prints it. With it, every entry must be signed with
    /// one of the given keys. Repeatable.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
}

impl Register {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let Command::Verify(verify) = self.command;
        verify.execute().or_else(|error| {
            print_err(format_args!("{error:#}"));
            Ok(Exit::NotChecked)
        })
    }
}

impl Verify {
    fn execute(self) -> anyhow::Result<Exit> {
        let keys = self.key.iter().map(|key| Verifier::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let path = register_file(&self.path);
        let shown = path.display();
        let bytes = read_locked(&path)?.with_context(|| format!("cannot read {shown}: it does not exist"))?;
        let complete = complete_lines(&bytes);
        let (content, mut faults) = RegisterContent::parse(complete);
        if content.entries().is_empty() {
            bail!("{shown} is not a register: its first line is not an entry `register-opened`");
        }
        for entry in content.entries() {
            print_entry(entry)?;
        }
        let mut unknown = 0;
        for entry in content.entries() {
            let signer = entry.signer().ok().flatten();
            if !keys.is_empty() && !signer.is_some_and(|signer| keys.contains(&signer)) {
                unknown += 1;
                print_out(format_args!(
                    "BROKEN     entry {}: it is not signed with a given key",
                    entry.entry
                ))?;
            }
        }
        faults.sort_by_key(|fault| fault.line);
        for fault in &faults {
            print_out(format_args!("BROKEN     line {}: {}", fault.line, fault.what))?;
        }
        if complete.len() < bytes.len() {
            print_out(
                "the last line is incomplete: its append was interrupted, and the next one removes it",
            )?;
        }
        print_out(format_args!("identity   {}", content.identity()))?;
        print_summary(&path, &content, faults.len() + unknown)
    }
}

/// One entry: its number, its time, what it records and who signed it.
fn print_entry(entry: &RegisterEntry) -> anyhow::Result<()> {
    let event = match &entry.event.event {
        RegisterEvent::RegisterOpened { version, .. } => format!("opened by understudy {version}"),
        RegisterEvent::StudySealed(RegisteredSeal { study, seal, threshold, .. }) => {
            let threshold = threshold.as_deref().unwrap_or("no threshold");
            format!("seal {} of study \"{study}\": {threshold}", short_digest(seal))
        }
        RegisterEvent::RunStarted { seal, run } => {
            format!("run {} under seal {}", short_digest(run), short_digest(seal))
        }
    };
    let signed = match &entry.event.signed {
        Some(signature) => format!("signed with {}", signature.key),
        None => "not signed".to_owned(),
    };
    let at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    print_out(format_args!("{:<4} {at}  {event}  ({signed})", entry.entry))
}

fn print_summary(path: &Path, content: &RegisterContent, faults: usize) -> anyhow::Result<Exit> {
    let shown = path.display();
    let entries = understudy_report::counted(content.entries().len() as u64, "entry", "entries");
    match faults {
        0 => {
            print_out(format_args!("{shown} is intact: {entries}, each chained to the one before"))?;
            Ok(Exit::Done)
        }
        faults => {
            let faults = understudy_report::counted(faults as u64, "problem", "problems");
            print_out(format_args!("{shown} is broken: {faults}"))?;
            Ok(Exit::Failed)
        }
    }
}
