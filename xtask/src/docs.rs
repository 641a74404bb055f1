//! Builds the documentation from `docs/` into `target/book`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell::{cargo, command};

/// The version of mdBook.
const MDBOOK: &str = "0.5.4";

/// Builds the book. Installs mdBook into `target/tools` if this version is missing.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let mdbook = mdbook(root)?;
    command(mdbook, root).args(["build", "docs"]).run()?;
    println!("the book is in {}", root.join("target/book/index.html").display());
    Ok(())
}

fn mdbook(root: &Path) -> anyhow::Result<PathBuf> {
    let tools = root.join("target/tools").join(format!("mdbook-{MDBOOK}"));
    let program = tools.join("bin/mdbook");
    if !program.is_file() {
        // Not optimised: compiling mdBook takes longer than building the book with it.
        cargo(root)
            .args(["install", "mdbook", "--version", MDBOOK, "--locked", "--no-default-features", "--debug"])
            .arg("--root")
            .arg(&tools)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .run()
            .context("cannot install mdBook")?;
    }
    Ok(program)
}
