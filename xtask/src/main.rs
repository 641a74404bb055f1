//! The project's own commands. Each does all its own set-up, on a fresh machine too.

mod demo;
mod docs;
mod plugins;
mod shell;
mod test;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use shell::cargo;

const USAGE: &str = "\
cargo xtask COMMAND

  demo      build everything and run the hotel's studies; `demo freight-yard` that of a yard, over a synthetic feed
  test      build everything and run all the tests
  plugins   build the plugins as components into target/plugins
  docs      build the book of the documentation into target/book
  bench     measure the limits that are stated in ARCHITECTURE.md; prints both sides of each";

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => demo::hotel(root),
        ["demo", "freight-yard"] => demo::freight_yard(root),
        ["test", ref rest @ ..] => test::test(root, rest),
        ["plugins"] => plugins::build(root),
        ["docs"] => docs::build(root),
        ["bench", ref rest @ ..] => bench(root, rest),
        _ => anyhow::bail!("{USAGE}"),
    }
}

/// Builds the program and says where it is.
fn host(root: &Path) -> anyhow::Result<PathBuf> {
    // The whole workspace, and with a target that has dev-dependencies: so the features of all crates are those that the
    // tests are built with, and nothing large is compiled twice.
    cargo(root).args(["build", "--release", "--workspace", "--bins", "--bench", "limits"]).run()?;
    Ok(root.join("target/release/understudy"))
}

fn bench(root: &Path, rest: &[&str]) -> anyhow::Result<()> {
    host(root)?;
    plugins::build(root)?;
    cargo(root).args(["bench", "--package", "understudy-tests", "--bench", "limits", "--"]).args(rest).run()
}
