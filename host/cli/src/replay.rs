//! `understudy replay`: the logged snapshots again, with the same plugins or with others.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail, ensure};

use super::Exit;
use super::output::{print_err, print_out};
use super::run::complete_run;
use understudy_audit::{self as audit, ReplayResult};
use understudy_engine::{PluginOverrides, ReadOrder, ReplayedRun, RunMode, RunOptions, SealedStudy};
use understudy_report::{counted, value_text};

/// Replay logged snapshots and compare the answers.
///
/// Runs every logged snapshot through the plugins that answered it, and compares the answers bit for bit.
/// Exit codes: 0 all answers match, 1 some rows differ.
///
/// With another --model, --comparator or --metric it evaluates the whole log with these plugins into a
/// directory of its own (a what-if). The result is marked as an offline evaluation and permits no verdict.
#[derive(clap::Args)]
pub(super) struct Replay {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Rows per batch.
    #[arg(long, value_name = "ROWS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_rows: u32,
    /// Maximum number of differing rows to list per model.
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    max_differences: usize,
    /// Replace a model by another component. Repeatable.
    #[arg(long, value_name = "NAME=COMPONENT.WASM", value_parser = parse_named)]
    model: Vec<(String, PathBuf)>,
    /// Replace the comparator by another component.
    #[arg(long, value_name = "COMPONENT.WASM")]
    comparator: Option<PathBuf>,
    /// Replace a metric by another component. Repeatable.
    #[arg(long, value_name = "NAME=COMPONENT.WASM", value_parser = parse_named)]
    metric: Vec<(String, PathBuf)>,
    /// Additional field that the replacement models and comparator may read. Repeatable.
    #[arg(long, value_name = "FIELD")]
    grant: Vec<String>,
    /// Directory of the what-if [default: RUN-what-if].
    #[arg(long = "run", value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

fn parse_named(text: &str) -> Result<(String, PathBuf), String> {
    let parts = text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty());
    let (name, path) = parts.ok_or("expected NAME=COMPONENT, such as rules=rules.wasm")?;
    Ok((name.to_owned(), path.into()))
}

impl Replay {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let (sealed_study, _) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        audit::ensure_not_being_written(&self.run)?;
        let what_if = !self.model.is_empty() || self.comparator.is_some() || !self.metric.is_empty();
        if what_if {
            return self.what_if(&sealed_study);
        }
        if !self.grant.is_empty() {
            bail!("--grant applies only to a what-if; add --model or --comparator");
        }
        if let Some(output) = &self.output {
            bail!(
                "--run {} applies only to a what-if; add --model, --comparator or --metric",
                output.display()
            );
        }
        let replayed =
            audit::replay(&sealed_study, &self.run, self.batch_rows as usize, self.max_differences)?;
        print_result(&replayed)
    }

    fn what_if(self, declared: &SealedStudy) -> anyhow::Result<Exit> {
        let models: Vec<_> = declared.models.iter().map(|member| member.name.as_str()).collect();
        let metrics: Vec<_> = declared.metrics.iter().map(|member| member.name.as_str()).collect();
        for (kind, names, overrides) in [("model", models, &self.model), ("metric", metrics, &self.metric)] {
            for (name, _) in overrides {
                let listed = names.join(", ");
                ensure!(names.contains(&name.as_str()), "unknown {kind} \"{name}\"; the study has {listed}");
            }
        }
        let comparator = self.comparator.map(|path| (declared.comparator.name.clone(), path));
        let instead = self.model.into_iter().chain(comparator).chain(self.metric).collect();
        let what_if = PluginOverrides { instead, grant: self.grant };
        let (mut sealed_study, seal) = audit::load_sealed_study(&self.run, &what_if).map_err(|error| {
            match error.to_string().contains("is not granted") {
                true => {
                    anyhow!(
                        "{error:#}. The sealed declaration cannot change; grant further fields with --grant"
                    )
                }
                false => error,
            }
        })?;
        audit::ensure_all_fields(&self.run)?;
        audit::ensure_closed(&self.run)?;
        sealed_study.loaded.study.limits.batch_rows = self.batch_rows as usize;
        let directory = self.output.unwrap_or_else(|| default_directory(&self.run));
        let mode = RunMode::WhatIf(ReplayedRun { run: &self.run, seal: &seal, overrides: &what_if });
        let options = RunOptions { directory: &directory, order: ReadOrder::default(), signer: None };
        complete_run(sealed_study.loaded, options, mode, print_err, || {})
    }
}

/// The directory RUN-what-if.
fn default_directory(run: &Path) -> PathBuf {
    let mut name = run.components().as_path().as_os_str().to_owned();
    name.push("-what-if");
    name.into()
}

fn print_result(replayed: &ReplayResult) -> anyhow::Result<Exit> {
    let ReplayResult { rows, dropped, blinded, models } = replayed;
    for model in models {
        let (rows, differ) = (counted(*rows, "row", "rows"), counted(model.differ, "differs", "differ"));
        print_out(format_args!("{}: {rows}, {differ}", model.name))?;
        for (sequence, id) in &model.first {
            print_out(format_args!("  sequence {sequence}, id {}", value_text(id)))?;
        }
        match model.differ - model.first.len() as u64 {
            0 => {}
            more => print_out(format_args!("  and {more} more; list more with --max-differences"))?,
        }
        if model.timed_out > 0 {
            print_out(format_args!(
                "  {} undetermined: a call timed out, originally or in the replay",
                counted(model.timed_out, "row", "rows")
            ))?;
        }
    }
    if *dropped > 0 {
        print_err(format_args!(
            "{dropped} snapshots not replayed: the study declares that their fields are dropped"
        ));
    }
    if *blinded > 0 {
        print_err(format_args!(
            "{} not replayed: blinded; their answers are in the pairs, which `understudy verify` recomputes",
            counted(*blinded, "snapshot", "snapshots")
        ));
    }
    let differ = models.iter().any(|model| model.differ > 0);
    Ok(if differ { Exit::Failed } else { Exit::Done })
}
