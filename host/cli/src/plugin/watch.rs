//! `understudy plugin watch`: builds and tests a plugin whenever its source changes.
//!
//! Invariants:
//! - A build is swapped into a run only if its tests pass, and only once.
//! - An error of a build, a test or a swap is printed, and the watch goes on.
//!
//! The times and sizes of the files are compared. Unlike notifications of the system, that works the same in containers and on
//! network file systems, and it needs no limit of the system to be raised. A folder of source is small.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::super::Exit;
use super::super::output::print_err;
use super::super::run::first_signal;
use super::package::read_package;
use super::source_files::SourceFiles;
use super::test::Test;
use crate::execute_line;
use understudy_run_log::read_file;
use understudy_sandbox::sha256_hex;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(250);
/// Looks without a further change before a build starts, so that files which are saved together are built together.
const SETTLED_LOOKS: u32 = 2;
/// Changed files that are named.
const NAMED_FILES: usize = 3;

/// Build and test a plugin whenever its source changes.
///
/// It builds the folder and compares the answers with the expected ones, as `understudy plugin test` does, now and after each change.
/// With --run, each build whose tests pass is swapped into a served run on this machine. Ctrl-C ends it.
#[derive(clap::Args)]
pub(super) struct Watch {
    #[command(flatten)]
    test: Test,
    /// Run directory of a served run, into which each build is swapped whose tests pass.
    #[arg(long, value_name = "RUN", requires = "slot")]
    run: Option<PathBuf>,
    /// Plugin of the study that is swapped: its name, or `comparator`.
    #[arg(long, value_name = "PLUGIN", requires = "run")]
    slot: Option<String>,
    /// Swap even if the answers are not equivalent. Later results count as a comparator change.
    #[arg(long, requires = "run")]
    force: bool,
}

impl Watch {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let folder = Path::new(&self.test.plugin);
        ensure!(
            folder.is_dir(),
            "cannot watch {}: it is not a folder; name the folder of a plugin",
            folder.display()
        );
        let mut files = SourceFiles::new(folder, &read_package(folder)?.component());
        let mut signalled = first_signal().context("cannot listen for signals")?;
        let mut swapped = None;
        files.look()?;
        loop {
            self.cycle(&mut swapped);
            files.note_products()?;
            print_err(format_args!("watching {}; Ctrl-C ends", folder.display()));
            let (mut changed, mut settled_looks) = (BTreeSet::new(), 0);
            while changed.is_empty() || settled_looks < SETTLED_LOOKS {
                if signalled.try_recv().is_ok() {
                    return Ok(Exit::Interrupted);
                }
                std::thread::sleep(INTERVAL);
                let more = files.look()?;
                settled_looks = if more.is_empty() { settled_looks + 1 } else { 0 };
                changed.extend(more);
            }
            let mut names: Vec<String> =
                changed.iter().take(NAMED_FILES).map(|path| path.display().to_string()).collect();
            if changed.len() > NAMED_FILES {
                names.push(format!("{} more", changed.len() - NAMED_FILES));
            }
            print_err(format_args!("\nchanged: {}", names.join(", ")));
        }
    }

    /// Builds, tests and swaps once. `swapped` is the SHA-256 of the latest component that was sent to the run.
    fn cycle(&self, swapped: &mut Option<String>) {
        // A removed file is no newer source, so the test alone would not build again.
        let built = read_package(Path::new(&self.test.plugin))
            .and_then(|package| package.build(&package.component()));
        match built.and_then(|()| self.test.execute()) {
            Ok(Exit::Done) => {
                if let Err(error) = self.swap(swapped) {
                    print_err(format_args!("{error:#}"));
                }
            }
            Ok(_) => {}
            Err(error) => print_err(format_args!("{error:#}")),
        }
    }

    fn swap(&self, swapped: &mut Option<String>) -> anyhow::Result<()> {
        let (Some(run), Some(slot)) = (&self.run, &self.slot) else { return Ok(()) };
        let component = read_package(Path::new(&self.test.plugin))?.component();
        let shown = component.display().to_string();
        let bytes = read_file(&component).with_context(|| format!("cannot read {shown}"))?;
        let digest = sha256_hex(&bytes);
        if swapped.as_ref() == Some(&digest) {
            return Ok(());
        }
        let run = run.display().to_string();
        let mut line = vec!["swap", &run, slot, &shown, "--reason", "rebuilt by `understudy plugin watch`"];
        line.extend(self.force.then_some("--force"));
        execute_line(&line)?;
        *swapped = Some(digest);
        Ok(())
    }
}
