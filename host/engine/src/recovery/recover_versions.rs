//! The exchanges of a run, read back from its ledger.
//!
//! Always holds: the parts are given as the ledger says; where it does not say from where on an exchange holds, since the
//! process was gone before, the rows of the log say it, each of which has its generation.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};

use crate::plugins::plugin_versions::Exchanged;
use crate::log_schema::schema::GENERATION;
use crate::plugins::load::Prepared;
use crate::plugins::stored_files::plugin_name;
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use understudy_run_log::ledger::{LedgerState, RecordedSwap, SwapOutcome};
use understudy_run_log::{ScanOptions, Table};
use understudy_sandbox::{DeciderPlugin, ComponentFile, PluginRole, ScorerPlugin};
use understudy_study::PerStream;

/// What became of the last exchange, if the ledger does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// It was made.
    Made(Exchanged),
    /// It was not: no row is of this generation.
    NotMade(u32),
}

/// Gives the parts of a study as they were given in a run, as its ledger records them. `next` are the
/// sequence numbers that come next, where they are known.
///
/// # Errors
/// When a component is not there as it was, or the log cannot be read.
pub fn recast(
    prepared: &mut Prepared,
    run: &Path,
    recorded: &LedgerState,
    next: PerStream<u64>,
) -> anyhow::Result<Option<Unsaid>> {
    let mut unsaid = None;
    let mut loaded = Loaded::default();
    for swap in &recorded.swaps {
        let generation = swap.generation;
        let from = match swap.outcome {
            SwapOutcome::Applied { first_sequences, .. } => Some(first_sequences),
            SwapOutcome::Abandoned => None,
            SwapOutcome::Unrecorded => {
                let found = begins(run, generation, next)?;
                unsaid = Some(found.map_or(Unsaid::NotMade(generation), |from| {
                    Unsaid::Made(Exchanged { generation, from, clock: None, at: swap.at, nanos: 0 })
                }));
                found
            }
        };
        if let Some(mut from) = from {
            // Records that were not yet on disk when the process ended are read again, by the plugins that run then.
            for position in swap.resumed_from.into_iter().chain([next]) {
                from = PerStream::from_fn(|kind| from[kind].min(position[kind]));
            }
            loaded.give(&mut prepared.cast, run, swap, from)?;
        }
    }
    Ok(unsaid)
}

/// Plugins that were loaded, by component and configuration: the same one often comes again.
#[derive(Default)]
struct Loaded {
    deciders: HashMap<(String, String), DeciderPlugin>,
    metrics: HashMap<(String, String), ScorerPlugin>,
}

impl Loaded {
    fn give(&mut self, cast: &mut PluginVersions, run: &Path, swap: &RecordedSwap, from: PerStream<u64>) -> anyhow::Result<()> {
        let RecordedSwap { generation, role, name, sha256, config, trigger: how, comparator_change: new_yardstick, .. } =
            swap;
        if *generation != cast.generation() + 1 {
            bail!(
                "the ledger tells of generation {generation} after {}; `understudy verify` says what is wrong",
                cast.generation()
            );
        }
        let key = (sha256.clone(), config.clone());
        let read = || -> anyhow::Result<ComponentFile> {
            let path = run.join(plugin_name(sha256));
            let file = ComponentFile::read(&path)?;
            if file.digest != *sha256 {
                bail!("{} is not the component that ran; put a copy of it back", path.display());
            }
            Ok(file)
        };
        let no_part = || format!("the ledger tells of {role} \"{name}\", which the study does not have");
        if role == PluginRole::Metric.name() {
            let sandbox = cast.comparator.now().plugin.sandbox().clone();
            let part = cast.metrics.iter_mut().find(|part| part.name == *name).with_context(no_part)?;
            let plugin = match self.metrics.get(&key) {
                Some(plugin) => plugin.clone(),
                None => {
                    ScorerPlugin::load(&sandbox, &read()?, config.clone(), part.now().plugin.assets(), None)?
                }
            };
            self.metrics.insert(key, plugin.clone());
            part.give(Turn::new(*generation, plugin, sha256.clone(), config.clone(), *how, *new_yardstick));
        } else {
            let (role, part): (PluginRole, &mut Part<DeciderPlugin>) = match cast.comparator.name == *name {
                true => (PluginRole::Comparator, &mut cast.comparator),
                false => {
                    let part =
                        cast.models.iter_mut().find(|part| part.name == *name).with_context(no_part)?;
                    (PluginRole::Model, part)
                }
            };
            let now = &part.now().plugin;
            let plugin = match self.deciders.get(&key) {
                Some(plugin) => plugin.clone(),
                None => {
                    DeciderPlugin::load(now.sandbox(), &read()?, role, config.clone(), now.assets(), None)?
                }
            };
            self.deciders.insert(key, plugin.clone());
            part.give(Turn::new(*generation, plugin, sha256.clone(), config.clone(), *how, *new_yardstick));
        }
        cast.begin(from);
        Ok(())
    }
}

/// The first sequence number of each stream that is of a generation, by the rows; `next` where there is none of it on that
/// side, and `None` if there is none at all.
fn begins(run: &Path, generation: u32, next: PerStream<u64>) -> anyhow::Result<Option<PerStream<u64>>> {
    let mut from = [None; 2];
    for (from, table) in from.iter_mut().zip([Table::Snapshots, Table::Decisions]) {
        let columns = vec!["sequence".to_owned(), GENERATION.to_owned()];
        for batch in ScanOptions::new(table, columns).open(run)? {
            let batch = batch?;
            let no_column = || format!("the log's {} have no generations", table.folder());
            let of = batch.column_by_name(GENERATION).and_then(|c| c.as_primitive_opt::<UInt32Type>());
            let of = of.with_context(no_column)?;
            let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
            let sequences = sequences.with_context(no_column)?;
            if let Some(row) = of.values().iter().position(|of| *of >= generation) {
                *from = Some(sequences.value(row));
                break;
            }
        }
    }
    Ok(from.iter().any(Option::is_some).then(|| [from[0].unwrap_or(next[0]), from[1].unwrap_or(next[1])]))
}
