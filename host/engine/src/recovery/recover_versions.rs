//! The exchanges of a run, read back from its ledger.
//!
//! Always holds: the parts are given as the ledger says; where it does not say from where on an exchange holds, since the
//! process was gone before, the rows of the log say it, each of which has its generation.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};

use crate::control::messages::Exchanged;
use crate::log_schema::schema::GENERATION;
use crate::plugins::load::{Prepared, plugin_name};
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use understudy_run_log::ledger::{Entry, Event};
use understudy_run_log::{Reading, Table};
use understudy_sandbox::{DeciderPlugin, File, Role, ScorerPlugin};

/// What became of the last exchange, if the ledger does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// It was made.
    Made(Exchanged),
    /// It was not: no row is of this generation.
    NotMade(u32),
}

/// Gives the parts of a study as they were given in a run, up to the last of these entries of its ledger. `next` are the
/// sequence numbers that come next, where they are known.
///
/// # Errors
/// When a component is not there as it was, or the log cannot be read.
pub fn recast(
    prepared: &mut Prepared,
    run: &Path,
    entries: &[Entry],
    next: [u64; 2],
) -> anyhow::Result<Option<Unsaid>> {
    let mut unsaid = None;
    let mut loaded = Loaded::default();
    for (at, entry) in entries.iter().enumerate() {
        let Event::Swap { generation, .. } = &entry.event else { continue };
        // What follows until the next exchange is said of this one.
        let until = |entry: &&Entry| !matches!(entry.event, Event::Swap { .. });
        let said = entries[at + 1..].iter().take_while(until).find_map(|entry| match &entry.event {
            Event::Exchanged { generation: of, from, .. } if of == generation => Some(Some(*from)),
            Event::NotExchanged { generation: of } if of == generation => Some(None),
            _ => None,
        });
        let from = match said {
            Some(said) => said,
            None => {
                let found = begins(run, *generation, next)?;
                unsaid = Some(found.map_or(Unsaid::NotMade(*generation), |from| {
                    let at = entry.at;
                    Unsaid::Made(Exchanged { generation: *generation, from, clock: None, at, nanos: 0 })
                }));
                found
            }
        };
        if let Some(mut from) = from {
            // What was taken and not yet on disk when the process was gone is taken again, by who runs then.
            let resumed = entries[at + 1..].iter().filter_map(|entry| match &entry.event {
                Event::Resumed { position, .. } => Some(*position),
                _ => None,
            });
            for position in resumed.chain([next]) {
                from = [from[0].min(position[0]), from[1].min(position[1])];
            }
            loaded.give(&mut prepared.cast, run, &entry.event, from)?;
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
    fn give(&mut self, cast: &mut PluginVersions, run: &Path, swap: &Event, from: [u64; 2]) -> anyhow::Result<()> {
        let Event::Swap { generation, role, name, sha256, config, how, new_yardstick, .. } = swap else {
            return Ok(());
        };
        if *generation != cast.generation() + 1 {
            bail!(
                "the ledger tells of generation {generation} after {}; `understudy verify` says what is wrong",
                cast.generation()
            );
        }
        let key = (sha256.clone(), config.clone());
        let read = || -> anyhow::Result<File> {
            let path = run.join(plugin_name(sha256));
            let file = File::read(&path)?;
            if file.digest != *sha256 {
                bail!("{} is not the component that ran; put a copy of it back", path.display());
            }
            Ok(file)
        };
        let no_part = || format!("the ledger tells of {role} \"{name}\", which the study does not have");
        if role == Role::Metric.name() {
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
            let (role, part): (Role, &mut Part<DeciderPlugin>) = match cast.comparator.name == *name {
                true => (Role::Comparator, &mut cast.comparator),
                false => {
                    let part =
                        cast.models.iter_mut().find(|part| part.name == *name).with_context(no_part)?;
                    (Role::Model, part)
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
fn begins(run: &Path, generation: u32, next: [u64; 2]) -> anyhow::Result<Option<[u64; 2]>> {
    let mut from = [None; 2];
    for (from, table) in from.iter_mut().zip([Table::Snapshots, Table::Decisions]) {
        let columns = vec!["sequence".to_owned(), GENERATION.to_owned()];
        for batch in (Reading { table, columns, from_group: 0, from: None }).open(run)? {
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
