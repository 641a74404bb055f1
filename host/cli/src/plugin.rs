//! `understudy plugin`: writes, builds, checks, tests, measures, lists and shows plugins.

mod arguments;
mod bench;
mod build;
mod check;
mod list;
mod new;
mod package;
mod show;
mod test;

use super::Exit;

/// Write, build, check, test, measure, list and show plugins.
#[derive(clap::Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Test(test::Test),
    Bench(bench::Bench),
    List(list::List),
    Show(show::Show),
}

impl Plugin {
    pub fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::New(new) => new.execute(),
            Command::Build(build) => build.execute(),
            Command::Check(check) => check.execute(),
            Command::Test(test) => test.execute(),
            Command::Bench(bench) => bench.execute(),
            Command::List(list) => list.execute(),
            Command::Show(show) => show.execute(),
        }
    }
}
