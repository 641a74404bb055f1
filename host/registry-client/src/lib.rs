//! The program `understudy-pull`: downloads plugins from OCI registries.
//!
//! The program `understudy` has no client that could reach a network. `understudy plugin pull` starts this program.
//!
//! Invariants:
//! - A file is written only if it has the digest that the reference or the registry's manifest pins.
//! - A credential is sent only over TLS, or to this machine.

mod authentication;
mod client;
mod credential;
mod download;
mod references;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use client::RegistryClient;
use download::{Download, download};
use references::{Named, references};

/// Download plugins from OCI registries.
///
/// The components go to `plugins` in the folder of the study, where `check`, `run` and `seal` find them. They are found by the digest
/// of their manifest. User names and passwords are those of `docker login`.
#[derive(Parser)]
#[command(name = "understudy-pull", bin_name = "understudy plugin pull", version)]
struct Arguments {
    /// A study, all plugins of which are downloaded; or a reference: oci://HOST/REPOSITORY, followed by @sha256:DIGEST or :TAG.
    #[arg(value_name = "STUDY|REFERENCE", required = true)]
    plugins: Vec<String>,
    /// Folder of the study [default: that of STUDY; for a REFERENCE, the current folder].
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    match pull(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn pull(arguments: &Arguments) -> anyhow::Result<()> {
    for plugin in &arguments.plugins {
        let Named { folder, targets } = references(plugin)?;
        let folder = arguments.output.as_deref().unwrap_or(&folder);
        if targets.is_empty() {
            println!("{plugin} names no plugin of a registry");
        }
        for target in targets {
            let mut client = RegistryClient::new(target.repository())?;
            let Download { reference, bytes, is_new } =
                download(&mut client, &target, folder).with_context(|| format!("cannot pull {target}"))?;
            let path = folder.join(reference.component_path());
            let state = if is_new { "pulled" } else { "was there already" };
            println!("{reference}\n  {state}: {}, {bytes} bytes", shown(&path).display());
        }
    }
    Ok(())
}

/// A path without the `./` of the current folder.
fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}
