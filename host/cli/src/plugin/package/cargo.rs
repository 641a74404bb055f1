//! A plugin in Rust: a cargo package.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::super::super::pack::pack_module;
use super::Package;

/// The file that says that a folder has a plugin in Rust.
pub const MANIFEST: &str = "Cargo.toml";
const TARGET: &str = "wasm32-unknown-unknown";

/// The package in a folder.
pub struct CargoPackage {
    folder: PathBuf,
    /// The name of its library, with underscores.
    library: String,
    /// Where cargo puts what it builds.
    target_folder: PathBuf,
}

impl CargoPackage {
    /// Asks cargo for the package in a folder.
    ///
    /// # Errors
    /// If its manifest cannot be read, or it has no library of the type `cdylib`.
    pub fn read(folder: &Path) -> anyhow::Result<CargoPackage> {
        let manifest = folder.join(MANIFEST);
        let output = cargo(folder).args(["metadata", "--no-deps", "--format-version", "1"]).output();
        let output = output.context("cannot start `cargo`; install Rust from https://rustup.rs")?;
        ensure!(
            output.status.success(),
            "cannot read {}: {}",
            manifest.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let metadata: Value =
            serde_json::from_slice(&output.stdout).context("cargo's metadata is no JSON")?;
        let own = manifest.canonicalize().with_context(|| format!("cannot read {}", manifest.display()))?;
        let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let package =
            packages.iter().find(|package| package["manifest_path"].as_str().map(Path::new) == Some(&own));
        let package = package.with_context(|| {
            format!("{} has no [package]; name the Cargo.toml of a plugin", manifest.display())
        })?;
        let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_module = |target: &&Value| {
            target["crate_types"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
        };
        let library =
            targets.iter().find(is_module).and_then(|target| target["name"].as_str()).with_context(|| {
                format!(
                    "{} has no cdylib; write crate-type = [\"cdylib\", \"rlib\"] under [lib]",
                    manifest.display()
                )
            })?;
        let target_folder =
            metadata["target_directory"].as_str().context("cargo names no target directory")?;
        Ok(CargoPackage {
            folder: folder.to_owned(),
            library: library.replace('-', "_"),
            target_folder: target_folder.into(),
        })
    }
}

impl Package for CargoPackage {
    /// In the folder, with the name of the library.
    fn component(&self) -> PathBuf {
        self.folder.join(&self.library).with_extension("wasm")
    }

    fn build(&self, component: &Path) -> anyhow::Result<()> {
        let build = ["build", "--release", "--lib", "--target", TARGET];
        let status = cargo(&self.folder).args(build).stdout(Stdio::null()).status();
        let status = status.context("cannot start `cargo`; install Rust from https://rustup.rs")?;
        if !status.success() {
            let hint = match has_target(&self.folder) {
                false => format!("run `rustup target add {TARGET}`"),
                true => "correct the errors above".to_owned(),
            };
            bail!("cannot build {}: `cargo {}` failed; {hint}", self.folder.display(), build.join(" "));
        }
        let module =
            self.target_folder.join(TARGET).join("release").join(&self.library).with_extension("wasm");
        pack_module(&module, component, None)
    }

    fn is_incremental(&self) -> bool {
        true
    }
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(folder);
    command
}

/// Whether the compiler has the standard library of the Wasm target.
fn has_target(folder: &Path) -> bool {
    let output = Command::new("rustc")
        .current_dir(folder)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim_end()).is_dir())
}
