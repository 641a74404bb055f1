//! `understudy check`: all errors of a study at once.

use std::path::{Path, PathBuf};

use super::Exit;
use super::output::print_out;
use understudy_engine::{LoadedStudy, load_study};

/// Report all errors of a study, with their lines.
///
/// Loads the declaration, its plugins and its sources, and runs nothing.
#[derive(clap::Args)]
pub(super) struct Check {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let prepared = checked_study(&self.study)?;
        let study = &prepared.study;
        print_out(format_args!("{} is valid: study \"{}\"", self.study.display(), study.name))?;
        for model in &prepared.models {
            print_out(format_args!("  model       {:<24} {}", model.name, model.plugin.title))?;
        }
        print_out(format_args!(
            "  comparator  {:<24} {}",
            prepared.comparator.name, prepared.comparator.plugin.title
        ))?;
        for (index, metric) in prepared.metrics.iter().enumerate() {
            let primary = if index == study.primary { ", primary" } else { "" };
            print_out(format_args!("  metric      {:<24} {}{primary}", metric.name, metric.plugin.title))?;
        }
        Ok(Exit::Done)
    }
}

/// A valid study whose sources can be read.
///
/// # Errors
/// All errors of the study, one per line.
pub(super) fn checked_study(study: &Path) -> anyhow::Result<LoadedStudy> {
    let prepared = load_study(study, |_| ())?;
    let sources = [&prepared.study.snapshots_source, &prepared.study.decisions_source];
    let unreadable: Vec<String> = sources
        .into_iter()
        .filter_map(|source| understudy_sources::check(source, &prepared.folder).err())
        .map(|error| error.to_string())
        .collect();
    anyhow::ensure!(unreadable.is_empty(), "{}", unreadable.join("\n"));
    Ok(prepared)
}
