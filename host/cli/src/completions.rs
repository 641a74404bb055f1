//! `understudy completions`: the completions of a shell.

use clap_complete::Shell;

use super::output::print_out;
use super::{Exit, command_line};

/// Print the completions of a shell.
///
/// The script completes commands, options and their values. Packages install it; otherwise, write it where the
/// shell looks, such as `~/.local/share/bash-completion/completions/understudy`.
#[derive(clap::Args)]
pub(super) struct Completions {
    /// Shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn execute(self) -> anyhow::Result<Exit> {
        print_out(completions(self.shell)?.trim_end())?;
        Ok(Exit::Done)
    }
}

fn completions(shell: Shell) -> anyhow::Result<String> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "understudy", &mut script);
    Ok(String::from_utf8(script)?)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn each_shell_completes_all_commands() {
        for shell in Shell::value_variants() {
            let script = completions(*shell).expect("the script is text");
            for command in command_line().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
