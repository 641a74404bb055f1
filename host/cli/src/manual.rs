//! `understudy manual`: the manual pages of all commands.

use std::path::PathBuf;

use anyhow::Context as _;

use super::output::print_out;
use super::{Exit, command_line};

/// Write the manual pages of the program and its commands.
///
/// Packages install them; otherwise, write them where `man` looks, such as `~/.local/share/man/man1`.
#[derive(clap::Args)]
pub(super) struct Manual {
    /// Directory for the pages, such as understudy.1. Created if it does not exist.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Manual {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.directory.display();
        let what = || format!("cannot write manual pages to {shown}; name a directory that can be written");
        std::fs::create_dir_all(&self.directory).with_context(what)?;
        clap_mangen::generate_to(command_line(), &self.directory).with_context(what)?;
        print_out(format_args!("manual pages are in {shown}"))?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        Manual { directory: folder.path().join("man1") }.execute().expect("the pages are written");
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name)).expect(name);
        assert!(
            page("understudy.1").contains("GO, 1 NO\\-GO"),
            "the exit codes are in the page of the program"
        );
        for command in command_line().get_subcommands() {
            let about = command.get_about().expect("every command has a description").to_string();
            let first = about.split_whitespace().next().expect("it has a word");
            assert!(page(&format!("understudy-{}.1", command.get_name())).contains(first));
        }
    }
}
