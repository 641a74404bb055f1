//! The exchanges of a run, read back from its ledger.
//!
//! Always holds: the parts are given as the ledger says; where it does not say from where on an exchange holds, since the
//! process was gone before, the rows of the log say it, each of which has its generation.

use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};

use crate::log_schema::schema::GENERATION;
use crate::seal::sealed_study::SealedStudy;
use crate::plugins::plugin_versions::SwapApplied;
use crate::plugins::plugin_versions::{PluginVersion, PluginVersions};
use crate::plugins::slot_kind::{ComparatorSlot, MetricSlot, ModelSlot, SlotKind, SlotRef};
use crate::plugins::stored_files::plugin_name;
use understudy_run_log::ledger::{LedgerState, RecordedSwap, SwapOutcome};
use understudy_run_log::{ScanOptions, Table};
use understudy_sandbox::ComponentFile;
use understudy_study::{Nanos, PerStream, StreamKind};

/// What became of the last exchange, if the ledger does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnrecordedSwap {
    /// It was made.
    Made(SwapApplied),
    /// It was not: no row is of this generation.
    NotMade(u32),
}

/// Gives the parts of a study as they were given in a run, as its ledger records them. `next` are the
/// sequence numbers that come next, where they are known.
///
/// # Errors
/// When a component is not there as it was, or the log cannot be read.
pub fn recast(
    prepared: &mut SealedStudy,
    run: &Path,
    recorded: &LedgerState,
    next: PerStream<u64>,
) -> anyhow::Result<Option<UnrecordedSwap>> {
    let mut unsaid = None;
    for swap in &recorded.swaps {
        let generation = swap.generation;
        let from = match swap.outcome {
            SwapOutcome::Applied { first_sequences, .. } => Some(first_sequences),
            SwapOutcome::Abandoned => None,
            SwapOutcome::Unrecorded => {
                let found = begins(run, generation, next)?;
                unsaid = Some(found.map_or(UnrecordedSwap::NotMade(generation), |from| {
                    UnrecordedSwap::Made(SwapApplied { generation, from, clock: None, at: swap.at, pause: Nanos::default() })
                }));
                found
            }
        };
        if let Some(mut from) = from {
            // Records that were not yet on disk when the process ended are read again, by the plugins that run then.
            for position in swap.resumed_from.into_iter().chain([next]) {
                from = PerStream::from_fn(|kind| from[kind].min(position[kind]));
            }
            push_swap(&mut prepared.versions, run, swap, from)?;
        }
    }
    Ok(unsaid)
}

/// Makes the plugin of a recorded swap the current version of its slot, from the sequence numbers `from` on.
fn push_swap(
    versions: &mut PluginVersions,
    run: &Path,
    swap: &RecordedSwap,
    from: PerStream<u64>,
) -> anyhow::Result<()> {
    if swap.generation != versions.generation() + 1 {
        bail!(
            "the ledger has generation {} after {}; run `understudy verify` to see what is wrong",
            swap.generation,
            versions.generation()
        );
    }
    let slot = SlotRef::find_by_role(versions, &swap.role, &swap.name);
    match slot.with_context(|| {
        format!("the ledger has a swap of {} \"{}\", which the study does not have", swap.role, swap.name)
    })? {
        SlotRef::Model(index) => push_version::<ModelSlot>(versions, index, run, swap)?,
        SlotRef::Comparator => push_version::<ComparatorSlot>(versions, 0, run, swap)?,
        SlotRef::Metric(index) => push_version::<MetricSlot>(versions, index, run, swap)?,
    }
    versions.begin(from);
    Ok(())
}

/// Loads the plugin of a recorded swap, unless an earlier version of the slot is the same, and adds it to the slot.
fn push_version<K: SlotKind>(
    versions: &mut PluginVersions,
    index: usize,
    run: &Path,
    swap: &RecordedSwap,
) -> anyhow::Result<()> {
    let RecordedSwap { generation, sha256, config, trigger, comparator_change, .. } = swap;
    let mut earlier = K::slot(versions, index).versions().iter();
    let plugin = match earlier.find(|version| version.component == *sha256 && version.config == *config) {
        Some(version) => version.plugin.clone(),
        None => {
            let path = run.join(plugin_name(sha256));
            let file = ComponentFile::read(&path)?;
            if file.digest != *sha256 {
                bail!("{} is not the component that ran; put a copy of it back", path.display());
            }
            K::load(versions, index, &file, config.clone(), false)?
        }
    };
    let (sha256, config) = (sha256.clone(), config.clone());
    let version = PluginVersion::new(*generation, plugin, sha256, config, *trigger, *comparator_change);
    K::slot_mut(versions, index).push_version(version);
    Ok(())
}

/// The first sequence number of each stream that is of a generation, by the rows; `next` where there is none of it on that
/// side, and `None` if there is none at all.
fn begins(run: &Path, generation: u32, next: PerStream<u64>) -> anyhow::Result<Option<PerStream<u64>>> {
    let mut from: PerStream<Option<u64>> = PerStream::default();
    for (kind, table) in StreamKind::ALL.into_iter().zip([Table::Snapshots, Table::Decisions]) {
        let columns = vec!["sequence".to_owned(), GENERATION.to_owned()];
        for batch in ScanOptions::new(table, columns).open(run)? {
            let batch = batch?;
            let no_column = || format!("the log's {} have no generations", table.folder());
            let of = batch.column_by_name(GENERATION).and_then(|c| c.as_primitive_opt::<UInt32Type>());
            let of = of.with_context(no_column)?;
            let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
            let sequences = sequences.with_context(no_column)?;
            if let Some(row) = of.values().iter().position(|of| *of >= generation) {
                from[kind] = Some(sequences.value(row));
                break;
            }
        }
    }
    let is_used = from.iter().any(Option::is_some);
    Ok(is_used.then(|| PerStream::from_fn(|kind| from[kind].unwrap_or(next[kind]))))
}
