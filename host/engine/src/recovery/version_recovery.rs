//! Recovers the plugin versions of a run from its ledger.
//!
//! Invariants: versions follow the ledger; if the process ended before it recorded where a swap took effect,
//! the generation column of the log decides.

use std::path::Path;

use anyhow::{Context as _, bail};
use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};

use crate::log_schema::record_tables::GENERATION;
use crate::plugins::plugin_versions::SwapApplied;
use crate::plugins::plugin_versions::{PluginVersion, PluginVersions};
use crate::plugins::slot_kind::{ComparatorSlot, MetricSlot, ModelSlot, SlotKind, SlotRef};
use crate::plugins::stored_files::{asset_file_name, plugin_file_name};
use crate::plugins::trained_model::model_assets;
use crate::seal::sealed_study::SealedStudy;
use understudy_run_log::ledger::{LedgerState, RecordedSwap, SwapOutcome};
use understudy_run_log::{ScanOptions, Table, read_file};
use understudy_sandbox::{ComponentFile, sha256_hex};
use understudy_study::{Nanos, PerStream, StreamKind};

/// The outcome of the last swap, if the ledger does not record it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnrecordedSwap {
    /// The swap took effect.
    Made(SwapApplied),
    /// The swap did not take effect: no row has its generation.
    NotMade(u32),
}

/// Restores the plugin versions of a run from its ledger. `next` are the sequence numbers of the next
/// records, where they are known.
///
/// # Errors
/// If a component has changed, or the log cannot be read.
pub fn recover_versions(
    sealed_study: &mut SealedStudy,
    run: &Path,
    recorded: &LedgerState,
    next: PerStream<u64>,
) -> anyhow::Result<Option<UnrecordedSwap>> {
    let mut unrecorded = None;
    for swap in &recorded.swaps {
        let generation = swap.generation;
        let from = match swap.outcome {
            SwapOutcome::Applied { first_sequences, .. } => Some(first_sequences),
            SwapOutcome::Abandoned => None,
            SwapOutcome::Unrecorded => {
                let found = begins(run, generation, next)?;
                unrecorded = Some(found.map_or(UnrecordedSwap::NotMade(generation), |from| {
                    UnrecordedSwap::Made(SwapApplied {
                        generation,
                        from,
                        clock: None,
                        at: swap.at,
                        pause: Nanos::default(),
                    })
                }));
                found
            }
        };
        if let Some(mut from) = from {
            // Records that were not yet on disk when the process ended are read again, by the plugins that
            // run then.
            for position in swap.resumed_from.into_iter().chain([next]) {
                from = PerStream::from_fn(|kind| from[kind].min(position[kind]));
            }
            push_swap(&mut sealed_study.versions, run, swap, from)?;
        }
    }
    Ok(unrecorded)
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

/// Loads the plugin of a recorded swap, unless an earlier version of the slot is the same, and adds it to the
/// slot.
fn push_version<K: SlotKind>(
    versions: &mut PluginVersions,
    index: usize,
    run: &Path,
    swap: &RecordedSwap,
) -> anyhow::Result<()> {
    let RecordedSwap { generation, sha256, config, model, trigger, comparator_change, .. } = swap;
    let mut earlier = K::slot(versions, index).versions().iter();
    let is_same = |version: &&PluginVersion<K::Plugin>| {
        version.component == *sha256 && version.config == *config && version.model == *model
    };
    let plugin = match earlier.find(is_same) {
        Some(version) => version.plugin.clone(),
        None => {
            let file = ComponentFile::read(&run.join(plugin_file_name(sha256)))?;
            check_digest(&run.join(plugin_file_name(sha256)), &file.digest, sha256)?;
            let assets = match model {
                None => None,
                Some(model) => {
                    let path = run.join(asset_file_name(&model.lowered));
                    let lowered =
                        read_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
                    check_digest(&path, &sha256_hex(&lowered), &model.lowered)?;
                    Some(model_assets(lowered))
                }
            };
            K::load(versions, index, &file, config.clone(), assets, false)?
        }
    };
    let (sha256, config, model) = (sha256.clone(), config.clone(), model.clone());
    let version =
        PluginVersion::new(*generation, plugin, sha256, config, model, *trigger, *comparator_change);
    K::slot_mut(versions, index).push_version(version);
    Ok(())
}

/// Checks that a file of the run directory is the one that ran.
fn check_digest(path: &Path, found: &str, recorded: &str) -> anyhow::Result<()> {
    if found != recorded {
        bail!("{} was changed: it is not the file that ran; restore it from a copy", path.display());
    }
    Ok(())
}

/// The first sequence number of each stream in a generation, by the rows of the log: `next` for a stream
/// without such rows; `None` if no stream has any.
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
