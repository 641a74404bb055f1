//! Development commands of the project. Each sets up everything it needs, even on a fresh machine.

mod cargo_tool;
mod demo;
mod docs;
mod model_exports;
mod package;
mod plugins;
mod python;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use understudy_component_build::shell;

use shell::cargo;

const USAGE: &str = "\
cargo xtask COMMAND

  demo      build everything and run the hotel studies, with all output with `--verbose`; `demo freight-yard` runs the
            synthetic freight-yard study
  test      build everything and run all tests
  plugins   build the plugins as components into target/plugins
  docs      build the documentation into target/book
  models    train and export typical models, and write how they compare with ONNX Runtime
  package   build a package of the program and try it: `package deb`, `package wheel`, or `package npm`,
            the SDK for plugins in JavaScript
  bench     measure the limits stated in ARCHITECTURE.md";

fn main() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is in the workspace")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => demo::hotel(root, false)?,
        ["demo", "--verbose"] => demo::hotel(root, true)?,
        ["demo", "freight-yard"] => demo::freight_yard(root)?,
        ["test", ref rest @ ..] => test::test(root, rest)?,
        ["plugins"] => plugins::build(root)?,
        ["docs"] => docs::build(root)?,
        ["package", "deb"] => package::deb(root)?,
        ["package", "npm"] => package::npm(root)?,
        ["package", "wheel"] => package::wheel(root)?,
        ["models"] => model_exports::compare(root)?,
        ["bench", ref rest @ ..] => bench(root, rest)?,
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the program and returns its path.
fn host(root: &Path) -> anyhow::Result<PathBuf> {
    // The whole workspace and a target with dev-dependencies: this gives all crates the same features as in
    // the tests, so nothing large is compiled twice.
    println!("building the program; the first build takes ten to twenty minutes on two cores");
    cargo(root).args(["build", "--release", "--workspace", "--bins", "--bench", "limits"]).run()?;
    Ok(root.join("target/release/understudy"))
}

fn bench(root: &Path, rest: &[&str]) -> anyhow::Result<()> {
    host(root)?;
    plugins::build(root)?;
    if rest.is_empty() || rest.contains(&"models") {
        model_exports::export(root)?;
    }
    // With the features of `host`, so that nothing is compiled again.
    cargo(root).args(["bench", "--workspace", "--bench", "limits", "--"]).args(rest).run()
}
