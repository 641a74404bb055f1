//! A plugin in JavaScript or TypeScript: an npm package that depends on the SDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::super::super::output::print_err;
use super::Package;
use understudy_run_log::read_file;

/// The manifest.
pub(super) const MANIFEST: &str = "package.json";
/// The program of the SDK that builds a component.
const BUILD: &str = "node_modules/@understudy/sdk/build.js";

/// The package in a folder.
pub(super) struct NpmPackage {
    folder: PathBuf,
    /// The name of the component, with underscores.
    module: String,
}

impl NpmPackage {
    /// Reads the name of a package.
    ///
    /// # Errors
    /// If its manifest cannot be read or has no name.
    pub fn read(folder: &Path) -> anyhow::Result<NpmPackage> {
        let manifest = folder.join(MANIFEST);
        let cannot_read = || format!("cannot read {}", manifest.display());
        let bytes = read_file(&manifest).with_context(cannot_read)?;
        let package: Value = serde_json::from_slice(&bytes).with_context(cannot_read)?;
        let name = package["name"].as_str().with_context(|| {
            format!("{} has no name; write one, such as \"booked-room\"", manifest.display())
        })?;
        let module = name.rsplit('/').next().unwrap_or(name).replace(['-', '.'], "_");
        Ok(NpmPackage { folder: folder.to_owned(), module })
    }
}

impl Package for NpmPackage {
    fn component(&self) -> PathBuf {
        self.folder.join(&self.module).with_extension("wasm")
    }

    fn build(&self, component: &Path) -> anyhow::Result<()> {
        let shown = self.folder.display();
        let folder = self.folder.canonicalize().with_context(|| format!("cannot read the folder {shown}"))?;
        // As node searches: in the folder, and in those above it.
        let program = folder.ancestors().map(|above| above.join(BUILD)).find(|path| path.is_file());
        let Some(program) = program else {
            bail!(
                "cannot build {shown}: @understudy/sdk is not installed in {}; run `npm install` there",
                self.folder.join("node_modules").display()
            );
        };
        let output =
            Command::new("node").arg(program).arg(&self.folder).arg("--output").arg(component).output();
        let output =
            output.context("cannot start `node`; install Node.js, 20 or newer, from https://nodejs.org")?;
        let printed = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("cannot build {shown}: {}", printed.trim());
        }
        print_err(printed.trim());
        Ok(())
    }
}
