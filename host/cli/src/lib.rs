//! The commands, one file each.
//!
//! Always holds: what a command found goes to standard output, everything else to standard error; the exit code says
//! how it ended, see [`Exit`].

mod case;
mod check;
mod compare;
mod decide;
mod disclose;
mod end;
mod export;
mod key;
mod log;
mod logging;
mod note;
mod pack;
mod plan;
mod replay;
mod report;
mod retain;
mod review;
mod run;
mod schema;
mod seal;
mod serve;
mod standing;
mod status;
mod swap;
mod token;
mod top;
mod verify;

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use understudy_statistics::verdict::VerdictKind;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Done,
    /// It could not do what it was told; standard error says why.
    Failed,
    /// `verify` could not look at the run; standard error says why.
    NotLooked,
    /// A run went to its end, but a source broke off before its own.
    SourceBroke,
    /// A run was stopped by a signal; everything so far is on disk.
    Interrupted,
    /// `decide` gave a verdict.
    Ruled(VerdictKind),
    /// `decide` could not give one; standard error says why.
    NotRuled,
}

/// The exit code of a process that was stopped by a signal.
const INTERRUPTED: u8 = 130;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done | Exit::Ruled(VerdictKind::Go) => 0,
            Exit::Failed | Exit::Ruled(VerdictKind::NoGo) => 1,
            Exit::NotLooked | Exit::Ruled(VerdictKind::Inconclusive) => 2,
            Exit::SourceBroke | Exit::Ruled(VerdictKind::Void) => 3,
            Exit::NotRuled => 4,
            Exit::Interrupted => INTERRUPTED,
        })
    }
}

/// Runs decision models in shadow: fed the live inputs, their answers logged and never actioned, beside the decisions
/// that are really taken.
#[derive(Parser)]
#[command(name = "understudy", version, after_help = EXITS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXITS: &str = "Exit codes: 0 done; 1 could not, see the message; 2 wrong arguments; 3 a source broke off before \
                     its end; 130 interrupted, with everything so far on disk. Those of `decide`: \
                     0 GO, 1 NO-GO, 2 INCONCLUSIVE, 3 VOID, 4 no verdict.";

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Plan(plan::Plan),
    Seal(seal::Seal),
    Run(run::Run),
    Serve(serve::Serve),
    Swap(swap::Swap),
    End(end::End),
    Status(status::Status),
    Top(top::Top),
    Report(report::Report),
    Decide(decide::Decide),
    Verify(verify::Verify),
    Replay(replay::Replay),
    Export(export::Export),
    Retain(retain::Retain),
    Log(log::Log),
    Case(case::Case),
    Review(review::Review),
    Compare(compare::Compare),
    Note(note::Note),
    Disclose(disclose::Disclose),
    Key(key::Key),
    Token(token::Token),
    Schema(schema::Schema),
    Pack(pack::Pack),
}

/// Runs the command in the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| decide::refused(&error));
    let done = match arguments.command {
        Command::Check(check) => check.execute(),
        Command::Plan(plan) => plan.execute(),
        Command::Seal(seal) => seal.execute(),
        Command::Run(run) => run.execute(),
        Command::Serve(serve) => serve.execute(),
        Command::Swap(swap) => swap.execute(),
        Command::End(end) => end.execute(),
        Command::Status(status) => status.execute(),
        Command::Top(top) => top.execute(),
        Command::Report(report) => report.execute(),
        Command::Decide(decide) => decide.execute(),
        Command::Verify(verify) => verify.execute(),
        Command::Replay(replay) => replay.execute(),
        Command::Export(export) => export.execute(),
        Command::Retain(retain) => retain.execute(),
        Command::Log(log) => log.execute(),
        Command::Case(case) => case.execute(),
        Command::Review(review) => review.execute(),
        Command::Compare(compare) => compare.execute(),
        Command::Note(note) => note.execute(),
        Command::Disclose(disclose) => disclose.execute(),
        Command::Key(key) => key.execute(),
        Command::Token(token) => token.execute(),
        Command::Schema(schema) => schema.execute(),
        Command::Pack(pack) => pack.execute(),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            tell(format_args!("{error:#}"));
            Exit::Failed.into()
        }
    }
}

/// Writes a line of what a command found. A reader who has seen enough and hangs up, as `head` does, is no fault.
fn found(line: impl Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Writes a line beside what was found. That nobody listens is no fault.
fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
