//! `understudy plugin`: the stock plugins, and what a component is.

mod list;
mod show;

use super::Exit;

/// List stock plugins, and show what a plugin reads and answers.
#[derive(clap::Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
}

impl Plugin {
    pub fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::List(list) => list.execute(),
            Command::Show(show) => show.execute(),
        }
    }
}
