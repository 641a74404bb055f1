//! The command line: one module per command, named like the command.
//!
//! Invariants:
//! - Results go to standard output, all else to standard error.
//! - The exit code tells how the command ended, see [`Exit`].

mod attest;
mod case;
mod check;
mod command_groups;
mod command_reference;
mod compare;
mod completions;
mod decide;
mod demo;
mod disclose;
mod end;
mod export;
mod feed_check;
mod follow_up;
mod init;
mod key;
mod log;
mod logging;
mod manual;
mod model;
mod note;
mod output;
mod pack;
mod plan;
mod plugin;
mod register;
mod relative_path;
mod replay;
mod report;
mod retain;
mod review;
mod run;
mod schema;
mod seal;
mod serve;
mod sort;
mod status;
mod status_text;
mod study_reference;
mod swap;
mod token;
mod top;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use understudy_statistics::verdict::VerdictKind;

pub use crate::command_reference::command_reference;
pub use crate::study_reference::study_reference;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Done,
    /// The command failed, or a comparison found a difference.
    Failed,
    /// `verify` could not check the run.
    NotChecked,
    /// A run reached its end, but a source failed before its own.
    SourceFailed,
    /// A signal stopped the run; all accepted records are on disk.
    Interrupted,
    /// `decide` gave a verdict.
    Verdict(VerdictKind),
    /// `decide` could not give a verdict.
    NoVerdict,
}

/// Exit code after SIGINT, by convention of shells.
const INTERRUPTED: u8 = 130;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done | Exit::Verdict(VerdictKind::Go) => 0,
            Exit::Failed | Exit::Verdict(VerdictKind::NoGo) => 1,
            Exit::NotChecked | Exit::Verdict(VerdictKind::Inconclusive) => 2,
            Exit::SourceFailed | Exit::Verdict(VerdictKind::Void) => 3,
            Exit::NoVerdict => 4,
            Exit::Interrupted => INTERRUPTED,
        })
    }
}

/// Shadow-test decision models: evaluate them on live inputs, log their answers without acting on them, and
/// compare them with the real decisions.
#[derive(Parser)]
#[command(name = "understudy", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 failure, see the message; 2 invalid arguments; 3 a source failed before its \
                          end; 130 interrupted, with all accepted records on disk. `decide`: 0 GO, 1 NO-GO, \
                          2 INCONCLUSIVE, 3 VOID, 4 no verdict.";

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Plan(plan::Plan),
    Seal(seal::Seal),
    Register(register::Register),
    Sort(sort::Sort),
    Demo(demo::Demo),
    Run(run::Run),
    Serve(serve::Serve),
    Plugin(plugin::Plugin),
    Swap(swap::Swap),
    End(end::End),
    Status(status::Status),
    Top(top::Top),
    Report(report::Report),
    Decide(decide::Decide),
    FollowUp(follow_up::FollowUp),
    Verify(verify::Verify),
    Attest(attest::Attest),
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
    Model(model::Model),
    Completions(completions::Completions),
    Manual(manual::Manual),
}

/// The command line with its help texts.
fn command_line() -> clap::Command {
    let command = Arguments::command();
    let template = command_groups::help_template(&command);
    command.help_template(template)
}

/// Executes the command in the arguments of this process.
pub fn main() -> ExitCode {
    let parsed = command_line().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = parsed.unwrap_or_else(|error| decide::exit_with_usage(&error));
    match execute(arguments.command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::print_err(format_args!("{error:#}"));
            Exit::Failed.into()
        }
    }
}

/// Executes a command with its arguments, as in a shell.
fn execute_line(line: &[&str]) -> anyhow::Result<Exit> {
    let words = std::iter::once("understudy").chain(line.iter().copied());
    let matches = command_line().try_get_matches_from(words)?;
    execute(Arguments::from_arg_matches(&matches)?.command)
}

fn execute(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Init(init) => init.execute(),
        Command::Check(check) => check.execute(),
        Command::Plan(plan) => plan.execute(),
        Command::Seal(seal) => seal.execute(),
        Command::Register(register) => register.execute(),
        Command::Sort(sort) => sort.execute(),
        Command::Demo(demo) => demo.execute(),
        Command::Run(run) => run.execute(),
        Command::Serve(serve) => serve.execute(),
        Command::Plugin(plugin) => plugin.execute(),
        Command::Swap(swap) => swap.execute(),
        Command::End(end) => end.execute(),
        Command::Status(status) => status.execute(),
        Command::Top(top) => top.execute(),
        Command::Report(report) => report.execute(),
        Command::Decide(decide) => decide.execute(),
        Command::FollowUp(follow_up) => follow_up.execute(),
        Command::Verify(verify) => verify.execute(),
        Command::Attest(attest) => attest.execute(),
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
        Command::Model(model) => model.execute(),
        Command::Completions(completions) => completions.execute(),
        Command::Manual(manual) => manual.execute(),
    }
}
