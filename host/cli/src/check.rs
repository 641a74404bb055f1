//! `understudy check`: everything that is wrong with a study, at once.

use std::path::{Path, PathBuf};

use super::{Exit, found};
use understudy_engine::{Prepared, prepare};

/// Load a study and its plugins and say everything that is wrong, each with its line.
#[derive(clap::Args)]
pub(super) struct Check {
    /// The study's declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let prepared = checked(&self.study)?;
        let study = &prepared.study;
        found(format_args!("{} is sound: study \"{}\"", self.study.display(), study.name))?;
        for model in &prepared.models {
            found(format_args!("  model       {:<24} {}", model.name, model.plugin.title))?;
        }
        found(format_args!(
            "  comparator  {:<24} {}",
            prepared.comparator.name, prepared.comparator.plugin.title
        ))?;
        for (index, metric) in prepared.metrics.iter().enumerate() {
            let primary = if index == study.primary { ", primary" } else { "" };
            found(format_args!("  metric      {:<24} {}{primary}", metric.name, metric.plugin.title))?;
        }
        Ok(Exit::Done)
    }
}

/// A study that is sound, with sources that can be read.
///
/// # Errors
/// Everything that is wrong, at once.
pub(super) fn checked(study: &Path) -> anyhow::Result<Prepared> {
    let prepared = prepare(study, |_| ())?;
    let sources = [&prepared.study.snapshots_source, &prepared.study.decisions_source];
    let unreadable: Vec<String> = sources
        .into_iter()
        .filter_map(|source| understudy_sources::check(source, &prepared.folder).err())
        .map(|error| error.to_string())
        .collect();
    anyhow::ensure!(unreadable.is_empty(), "{}", unreadable.join("\n"));
    Ok(prepared)
}
