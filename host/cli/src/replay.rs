//! `understudy replay`: the log of a run past its own plugins, or past others.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use super::run::conduct;
use super::{Exit, found, tell};
use understudy_audit::{self as audit, Replayed};
use understudy_engine::{Options, Order, Prepared, Replaying, WhatIf};
use understudy_report::counted;

/// Run every logged snapshot through the very plugins that answered it, and compare bit for bit. Exit code 0: all answer the
/// same; 1: some rows differ, and which.
///
/// With another --model, --comparator or --metric it is a what-if: the whole log is run past them into a directory of its
/// own. That is an offline evaluation, marked as such, which permits nothing.
#[derive(clap::Args)]
pub(super) struct Replay {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Rows that are handed over at a time.
    #[arg(long, value_name = "ROWS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch_rows: u32,
    /// How many of the rows that differ are named, of each model.
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    most: usize,
    /// What if this model were another component.
    #[arg(long, value_name = "NAME=COMPONENT.WASM", value_parser = named)]
    model: Vec<(String, PathBuf)>,
    /// What if the comparator were another component.
    #[arg(long, value_name = "COMPONENT.WASM")]
    comparator: Option<PathBuf>,
    /// What if this metric were another component.
    #[arg(long, value_name = "NAME=COMPONENT.WASM", value_parser = named)]
    metric: Vec<(String, PathBuf)>,
    /// A field that the other models and the other comparator may read, besides those that they were granted.
    #[arg(long, value_name = "FIELD")]
    grant: Vec<String>,
    /// The directory of the what-if [default: RUN-what-if]
    #[arg(long = "run", value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    let parts = text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty());
    let (name, path) =
        parts.ok_or("write the name in the study, =, and the component, such as rules=rules.wasm")?;
    Ok((name.to_owned(), path.into()))
}

impl Replay {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let (prepared, _) = audit::sealed(&self.run, &WhatIf::default())?;
        audit::at_rest(&self.run)?;
        let what_if = !self.model.is_empty() || self.comparator.is_some() || !self.metric.is_empty();
        if what_if {
            return self.what_if(&prepared);
        }
        if !self.grant.is_empty() {
            bail!("--grant is for a what-if; name another --model or --comparator too");
        }
        if let Some(output) = &self.output {
            bail!(
                "--run {} is the directory of a what-if; name another --model, --comparator or --metric too",
                output.display()
            );
        }
        let replayed = audit::replay(&prepared, &self.run, self.batch_rows as usize, self.most)?;
        tell_replayed(&replayed)
    }

    fn what_if(self, declared: &Prepared) -> anyhow::Result<Exit> {
        let models: Vec<_> = declared.models.iter().map(|member| member.name.as_str()).collect();
        let metrics: Vec<_> = declared.metrics.iter().map(|member| member.name.as_str()).collect();
        for (sort, names, given) in [("model", models, &self.model), ("metric", metrics, &self.metric)] {
            for (name, _) in given {
                let listed = names.join(", ");
                ensure!(
                    names.contains(&name.as_str()),
                    "the study has no {sort} \"{name}\"; it has {listed}"
                );
            }
        }
        let comparator = self.comparator.map(|path| (declared.comparator.name.clone(), path));
        let instead = self.model.into_iter().chain(comparator).chain(self.metric).collect();
        let what_if = WhatIf { instead, grant: self.grant };
        let (mut prepared, seal) = audit::sealed(&self.run, &what_if).map_err(|error| {
            match error.to_string().contains("is not granted") {
                true => error.context(
                    "the declaration stays as it was sealed; grant a what-if more fields with --grant",
                ),
                false => error,
            }
        })?;
        audit::has_its_fields(&self.run)?;
        audit::is_closed(&self.run)?;
        prepared.study.limits.batch_rows = self.batch_rows as usize;
        let directory = self.output.unwrap_or_else(|| beside(&self.run));
        let replayed = Some(Replaying { run: &self.run, seal: &seal, what_if: &what_if });
        let options = Options {
            directory: &directory,
            order: Order::default(),
            signer: None,
            replayed,
            look: None,
            served: None,
        };
        conduct(&mut prepared, options, tell, || {})
    }
}

/// RUN-what-if.
fn beside(run: &Path) -> PathBuf {
    let mut name = run.components().as_path().as_os_str().to_owned();
    name.push("-what-if");
    name.into()
}

fn tell_replayed(replayed: &Replayed) -> anyhow::Result<Exit> {
    let Replayed { rows, dropped, blinded, models } = replayed;
    for model in models {
        let (rows, differ) = (counted(*rows, "row", "rows"), counted(model.differ, "differs", "differ"));
        found(format_args!("{}: of {rows} {differ}", model.name))?;
        for (sequence, id) in &model.which {
            found(format_args!("  sequence {sequence}, id {id}"))?;
        }
        match model.differ - model.which.len() as u64 {
            0 => {}
            more => found(format_args!("  and {more} more; --most names more of them"))?,
        }
        if model.by_the_clock > 0 {
            found(format_args!(
                "  besides, of {} it cannot be told: the clock ended the call, then or now",
                counted(model.by_the_clock, "row", "rows")
            ))?;
        }
    }
    if *dropped > 0 {
        tell(format_args!(
            "{dropped} snapshots were not replayed: their fields were dropped, as the study declares"
        ));
    }
    if *blinded > 0 {
        tell(format_args!(
            "{} not replayed: blinded, so what the models answered stands in the pairs, which `understudy verify` makes again",
            counted(*blinded, "snapshot was", "snapshots were")
        ));
    }
    let differ = models.iter().any(|model| model.differ > 0);
    Ok(if differ { Exit::Failed } else { Exit::Done })
}
