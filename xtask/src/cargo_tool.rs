//! Programs of crates.io below `target/tools`, in the versions that the tasks name.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell::cargo;

/// The program of a crate with the same name. Installs it with these options of `cargo install` if this version is missing.
pub fn cargo_tool(root: &Path, name: &str, version: &str, options: &[&str]) -> anyhow::Result<PathBuf> {
    let tools = root.join("target/tools").join(format!("{name}-{version}"));
    let program = tools.join("bin").join(name);
    if !program.is_file() {
        // Not optimised: compiling the program takes longer than running it.
        cargo(root)
            .args(["install", name, "--version", version, "--locked", "--debug"])
            .args(options)
            .arg("--root")
            .arg(&tools)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .run()
            .with_context(|| format!("cannot install {name}"))?;
    }
    Ok(program)
}
