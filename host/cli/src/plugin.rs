//! `understudy plugin`: writes, builds, checks, tests, watches, measures, lists, shows and pulls plugins.

mod arguments;
mod bench;
mod build;
mod check;
mod list;
mod new;
mod package;
mod pull;
mod show;
mod source_files;
mod test;
mod watch;

use super::Exit;

/// Write, build, test, watch, measure, list, show and pull plugins.
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
    Watch(watch::Watch),
    Bench(bench::Bench),
    List(list::List),
    Show(show::Show),
    Pull(pull::Pull),
}

impl Plugin {
    pub fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::New(new) => new.execute(),
            Command::Build(build) => build.execute(),
            Command::Check(check) => check.execute(),
            Command::Test(test) => test.execute(),
            Command::Watch(watch) => watch.execute(),
            Command::Bench(bench) => bench.execute(),
            Command::List(list) => list.execute(),
            Command::Show(show) => show.execute(),
            Command::Pull(pull) => pull.execute(),
        }
    }
}
