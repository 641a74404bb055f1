//! Shared by starting and resuming a run: the started run, and the files that its directory stores.

use crate::ingest::readers::Readers;
use crate::pipeline::initial_state::{InitialState, ReplayPositions};
use crate::plugins::load::LoadedStudy;
use crate::plugins::stored_files::{asset_file_name, plugin_file_name};
use crate::seal::manifest::Seal;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::join::ExclusionCounts;
use understudy_run_log::ledger::{Entry, Ledger};
use understudy_run_log::retention::Retention;
use understudy_run_log::{Recovered, RunDirectory, Sealer, read_file};
use understudy_sandbox::sha256_hex;
use understudy_study::PerStream;

/// The declaration in the run directory.
pub(super) const STUDY: &str = "study.toml";

/// A run that is ready for its coordinator.
pub struct StartedRun {
    /// The study under the seal of the run.
    pub study: SealedStudy,
    /// The run directory.
    pub directory: RunDirectory,
    /// The ledger, with the entries of the start.
    pub ledger: Ledger,
    /// The seal of the run.
    pub seal: Seal,
    /// Seals the segment groups.
    pub sealer: Sealer,
    /// What recovery found in the log.
    pub recovered: Recovered,
    /// The state that the coordinator begins with.
    pub initial: InitialState,
    /// The log rows to replay; `None` for a new run.
    pub replay: Option<ReplayPlan>,
    /// The readers of the sources, positioned behind the records that the log has.
    pub readers: Readers,
}

/// How to replay the log of a resumed run.
pub struct ReplayPlan {
    /// The first sequence number of each stream that the log does not have.
    pub next_sequences: PerStream<u64>,
    /// The number of segment groups that the checkpoint covers; 0 without a checkpoint.
    pub checkpoint_groups: u32,
    /// Which pairs are already evaluated or logged.
    pub positions: ReplayPositions,
    /// With revisions: whether the sources have ended, so that no record is read any more.
    pub ended: bool,
    /// For the user: where the run continues.
    pub notice: String,
}

/// Seals the segment groups of a run, under the study's retention policy. `excluded` are the exclusions that
/// the ledger has already, and `entries` its entries.
pub(super) fn start_sealer(
    loaded_study: &LoadedStudy,
    directory: &RunDirectory,
    ledger: &Ledger,
    excluded: PerStream<ExclusionCounts>,
    entries: &[Entry],
) -> Sealer {
    let retain = loaded_study.study.log.retain;
    Sealer::new(directory.clone(), ledger.clone(), excluded)
        .retaining(retain.map(|retain| Retention::from_entries(entries, retain)))
}

/// Stores the plugins and their assets in the run directory, unless they are already there unchanged.
pub(super) fn store_plugins(loaded_study: &LoadedStudy, directory: &RunDirectory) -> anyhow::Result<()> {
    let store = |name: &str, bytes: &[u8]| match read_file(&directory.path().join(name)) {
        Ok(stored) if stored == bytes => Ok(()),
        _ => directory.write(name, bytes),
    };
    let models = loaded_study.models.iter().map(|model| (&model.file, &model.assets));
    let metrics = loaded_study.metrics.iter().map(|metric| (&metric.file, &metric.assets));
    let comparator = (&loaded_study.comparator.file, &loaded_study.comparator.assets);
    for (file, assets) in models.chain([comparator]).chain(metrics) {
        store(&plugin_file_name(&file.digest), &file.bytes)?;
        for (_, bytes) in assets.iter() {
            store(&asset_file_name(&sha256_hex(bytes)), bytes)?;
        }
    }
    for (_, bytes) in &loaded_study.files {
        store(&asset_file_name(&sha256_hex(bytes)), bytes)?;
    }
    Ok(())
}
