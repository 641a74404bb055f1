//! `understudy plugin pull`: starts the program that downloads plugins.

use std::env;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::super::Exit;

/// The program that downloads plugins. This one has no client that could reach a network.
const PROGRAM: &str = "understudy-pull";

/// Download plugins from OCI registries.
///
/// The components go to `plugins` in the folder of the study, where `check`, `run` and `seal` find them. They are found by the digest
/// of their manifest. User names and passwords are those of `docker login`. Runs the program `understudy-pull`, which is installed beside this one.
#[derive(clap::Args)]
pub(super) struct Pull {
    /// A study, all plugins of which are downloaded; or a reference: oci://HOST/REPOSITORY, followed by @sha256:DIGEST or :TAG.
    #[arg(value_name = "STUDY|REFERENCE", required = true)]
    plugins: Vec<String>,
    /// Folder of the study [default: that of STUDY; for a REFERENCE, the current folder].
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Pull {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let this = env::current_exe().context("cannot find the folder of this program")?;
        let beside = this.with_file_name(PROGRAM);
        // As Git does with its commands: first beside this program, then on the search path.
        let program = if beside.is_file() { beside } else { PathBuf::from(PROGRAM) };
        let mut command = Command::new(&program);
        command.args(self.output.iter().flat_map(|output| ["--output".as_ref(), output.as_os_str()]));
        let error = command.arg("--").args(self.plugins).exec();
        if error.kind() == ErrorKind::NotFound {
            bail!(
                "cannot pull: there is no program {PROGRAM}, neither beside understudy nor on the search path; install it"
            );
        }
        Err(error).with_context(|| format!("cannot start {}", program.display()))
    }
}
