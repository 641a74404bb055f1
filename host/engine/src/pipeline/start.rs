//! Starts a new run in an empty directory, or hands an interrupted one on to be resumed.
//!
//! Invariants: nothing is read from a source before the seal and the first ledger entries are on disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;

use crate::ingest::readers::Readers;
use crate::pipeline::initial_state::InitialState;
use crate::pipeline::resume::resume_run;
use crate::pipeline::run_options::{ReplayedRun, RunOptions};
use crate::pipeline::started_run::{STUDY, StartedRun, start_sealer, store_plugins};
use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::{SEAL, Seal};
use crate::seal::seal_file::{load_and_verify, seal_path};
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use understudy_run_log::ledger::{Event, Ledger};
use understudy_run_log::{DirectoryContent, RunDirectory, recover};
use understudy_sandbox::sha256_hex;
use understudy_sources as source;
use understudy_study::PerStream;

/// Starts a run in an empty directory, or resumes the one that is there.
///
/// # Errors
/// See [`run`](crate::pipeline::run::run).
pub fn start_or_resume(
    loaded_study: LoadedStudy,
    options: RunOptions<'_>,
    replayed: Option<ReplayedRun<'_>>,
) -> anyhow::Result<StartedRun> {
    // Wrong sources and a broken seal are reported before a directory is created.
    let mut sealed = None;
    if replayed.is_none() {
        for declared in [&loaded_study.study.snapshots_source, &loaded_study.study.decisions_source] {
            source::check(declared, &loaded_study.folder)?;
        }
        sealed = load_and_verify(&loaded_study)?;
    }
    let existing = existing_seal(&loaded_study, options.directory);
    let name = existing.as_ref().map(|seal| seal.study.as_str());
    match RunDirectory::open(options.directory, &loaded_study.study.name, name)? {
        DirectoryContent::Empty(directory) => start_run(loaded_study, sealed, directory, options, replayed),
        DirectoryContent::Run(directory) if replayed.is_some() => bail!(
            "{} already contains a run of this study; choose another directory with --run",
            directory.path().display()
        ),
        DirectoryContent::Run(directory) => resume_run(loaded_study, directory, options),
    }
}

/// The seal of the run in a directory; `None` if there is no run. The seal beside the study
/// file belongs to no run and does not count.
fn existing_seal(loaded_study: &LoadedStudy, directory: &Path) -> Option<Seal> {
    let path = fs::canonicalize(directory.join(SEAL)).ok()?;
    let beside = fs::canonicalize(seal_path(&loaded_study.path)).ok();
    if beside.as_ref() == Some(&path) {
        return None;
    }
    Seal::parse(&fs::read(path).ok()?).ok()
}

/// Starts a run in an empty directory. `sealed` is the seal beside the study file, if there is one.
fn start_run(
    loaded_study: LoadedStudy,
    sealed: Option<Seal>,
    directory: RunDirectory,
    options: RunOptions<'_>,
    replayed: Option<ReplayedRun<'_>>,
) -> anyhow::Result<StartedRun> {
    let started_at = Timestamp::now();
    let seal = match replayed {
        Some(replayed) => {
            Seal::from_study(&loaded_study, started_at).what_if(replayed.overrides, replayed.seal)
        }
        None => sealed.unwrap_or_else(|| Seal::from_study(&loaded_study, started_at)),
    };
    directory.begin()?;
    store_plugins(&loaded_study, &directory)?;
    let study_toml = sha256_hex(loaded_study.text.as_bytes());
    directory.write(STUDY, loaded_study.text.as_bytes())?;
    let sealed = seal.to_json();
    directory.write(SEAL, sealed.as_bytes())?;
    let seal_digest = sha256_hex(sealed.as_bytes());
    let ledger = Ledger::create(directory.path(), options.signer)?;
    ledger.append(Event::RunStarted {
        study: loaded_study.study.name.clone(),
        seal: seal_digest.clone(),
        study_toml,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        key: ledger.key(),
    })?;
    for plugin in &seal.plugins {
        ledger.append(Event::PluginLoaded {
            role: plugin.role.clone(),
            name: plugin.name.clone(),
            sha256: plugin.sha256.clone(),
            assets: plugin.assets.clone(),
        })?;
    }
    directory.begun()?;
    let recovered = recover(directory.path(), 0, PerStream::default())?;
    let initial = InitialState {
        seal: seal_digest,
        started_at,
        groups: 0,
        rows: [0; 3],
        counters: RunCounters::new(loaded_study.models.len()),
        aggregates: Aggregates::new(&loaded_study),
        determinism: vec![DeterminismStats::default(); loaded_study.models.len()],
        interim_reports: BTreeSet::new(),
    };
    let readers = match replayed {
        Some(replayed) => Readers::logged(&loaded_study, options.order, replayed.run)?,
        None => Readers::open(&loaded_study, options.order, PerStream::default())?,
    };
    let sealer = start_sealer(&loaded_study, &directory, &ledger, PerStream::default(), &[]);
    Ok(StartedRun {
        study: SealedStudy::new(loaded_study, &seal),
        directory,
        ledger,
        seal,
        sealer,
        recovered,
        initial,
        replay: None,
        readers,
    })
}
