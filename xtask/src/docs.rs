//! Builds the documentation from `docs/` into `target/book`.

use std::path::Path;

use crate::cargo_tool::cargo_tool;
use crate::shell::command;

/// The version of mdBook.
const MDBOOK: &str = "0.5.4";

/// Builds the book.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let mdbook = cargo_tool(root, "mdbook", MDBOOK, &["--no-default-features"])?;
    command(mdbook, root).args(["build", "docs"]).run()?;
    println!("the book is in {}", root.join("target/book/index.html").display());
    Ok(())
}
