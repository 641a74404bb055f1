//! The example studies, run into `target/demo`.
//!
//! Always holds: a run begins anew, whatever an earlier one left, and the command that is shown can be given by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::{host, plugins, shell};

/// Where the plugins stand as the examples see them, and as `target/demo/NAME` does.
const PLUGINS: [&str; 2] = ["../../target/plugins/", "../../plugins/"];

/// Runs the studies of the hotel.
pub fn hotel(root: &Path) -> anyhow::Result<()> {
    let understudy = host(root)?;
    plugins::build(root)?;
    for study in ["rooms", "rates"] {
        run(root, &understudy, &format!("examples/hotel/{study}.toml"), &format!("target/demo/{study}"))?;
    }
    Ok(())
}

/// Writes the feed of the freight yard beside a copy of its study, and runs that.
pub fn freight_yard(root: &Path) -> anyhow::Result<()> {
    let understudy = host(root)?;
    plugins::build(root)?;
    let folder = "target/demo/freight-yard";
    println!("\n$ freight-yard {folder}");
    shell::command(root.join("target/release/freight-yard"), root).arg(folder).run()?;

    let study = root.join("examples/freight-yard/study.toml");
    let text = fs::read_to_string(&study).with_context(|| format!("cannot read {}", study.display()))?;
    ensure!(text.contains(PLUGINS[0]), "{} has no plugin in {}", study.display(), PLUGINS[0]);
    let copy = root.join(folder).join("study.toml");
    fs::write(&copy, text.replace(PLUGINS[0], PLUGINS[1]))
        .with_context(|| format!("cannot write {}", copy.display()))?;
    run(root, &understudy, &format!("{folder}/study.toml"), &format!("{folder}/run"))
}

/// Runs a study into a folder, both as the workspace sees them.
fn run(root: &Path, understudy: &Path, study: &str, folder: &str) -> anyhow::Result<()> {
    let there = root.join(folder);
    if there.exists() {
        fs::remove_dir_all(&there).with_context(|| format!("cannot remove {}", there.display()))?;
    }
    println!("\n$ understudy run {study} --run {folder}\n");
    shell::command(understudy, root).args(["run", study, "--run", folder]).run()
}
