//! Starts a new run in an empty directory, or hands an interrupted one on to be resumed.
//!
//! Invariant: nothing is read from a source before the seal and the first ledger entries are on disk. If the study
//! names a register, the entries of seal and run are on disk before that, too.

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
use crate::seal::registration::{SealSigners, open_register, path_from_run, register_seal};
use crate::seal::seal_error::seal_path;
use crate::seal::seal_file::load_and_verify;
use crate::seal::sealed_study::SealedStudy;
use crate::seal::study_identity::check_registered;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use understudy_run_log::ledger::{self, Event, LEDGER, Ledger, RunRegistration};
use understudy_run_log::register::{Register, RegisterEvent};
use understudy_run_log::{DirectoryContent, RunDirectory, read_file, recover};
use understudy_sandbox::sha256_hex;
use understudy_sources as source;
use understudy_study::{PerStream, hexadecimal};

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
        let study = &loaded_study.study;
        let errors = source::check(study, &loaded_study.folder);
        if let Some((_, error)) = errors.into_iter().next() {
            return Err(error.into());
        }
        sealed = load_and_verify(&loaded_study)?;
    }
    let stored_seal = existing_seal(&loaded_study, options.directory);
    // A register that cannot be written is reported before a directory is created, too.
    if stored_seal.is_none() && replayed.is_none() {
        open_register(&loaded_study, sealed.as_ref(), options.signer.as_ref())?;
    }
    let name = stored_seal.as_ref().map(|seal| seal.study.as_str());
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
    Seal::parse(&read_file(&path).ok()?).ok()
}

/// What the register already has if an earlier start of this run was interrupted before the first record.
#[derive(Default)]
struct InterruptedStart {
    /// The seal in the run directory, if it is that of this study and is in the register.
    seal: Option<Seal>,
    /// The digest of the seal and the id of the run, if the start of the run is in the register.
    run: Option<(String, String)>,
}

impl InterruptedStart {
    /// Reads the files of an interrupted start, as far as they belong to this study and are in the register.
    fn read(loaded_study: &LoadedStudy, directory: &RunDirectory, register: &Register) -> InterruptedStart {
        let read = |name| read_file(&directory.path().join(name)).ok();
        let seal = read(SEAL).and_then(|bytes| Seal::parse(&bytes).ok()).filter(|seal| {
            seal.changes(&Seal::from_study(loaded_study, seal.sealed_at)).is_empty()
                && check_registered(register.content(), seal, &loaded_study.study).is_ok()
        });
        let entries = read(LEDGER).map(|bytes| ledger::check(&bytes).0).unwrap_or_default();
        let run = entries.into_iter().next().and_then(|entry| match entry.event {
            Event::RunStarted { seal, register: Some(registration), .. } => {
                register.content().check_run(&seal, &registration.run).ok()?;
                Some((seal, registration.run))
            }
            _ => None,
        });
        InterruptedStart { seal, run }
    }
}

/// A new run id: 128 random bits in hexadecimal.
fn run_id() -> anyhow::Result<String> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    Ok(hexadecimal(&id))
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
    let signer = options.signer;
    let mut register = match replayed {
        Some(_) => None,
        None => open_register(&loaded_study, sealed.as_ref(), signer.as_ref())?,
    };
    let interrupted_start = register.as_ref().map_or_else(InterruptedStart::default, |register| {
        InterruptedStart::read(&loaded_study, &directory, register)
    });
    directory.begin()?;
    store_plugins(&loaded_study, &directory)?;
    let study_toml = sha256_hex(loaded_study.text.as_bytes());
    directory.write(STUDY, loaded_study.text.as_bytes())?;
    let signers = SealSigners { seal: None, entry: signer.as_ref() };
    let store = |seal: &Seal| anyhow::Ok(directory.write(SEAL, seal.to_json().as_bytes())?);
    let new = || Seal::from_study(&loaded_study, started_at);
    let known_seal = match (replayed, sealed.or(interrupted_start.seal)) {
        (Some(replayed), _) => Some(new().what_if(replayed.overrides, replayed.seal)),
        (None, sealed) => sealed,
    };
    let seal = match known_seal {
        Some(seal) => {
            store(&seal)?;
            seal
        }
        None => register_seal(&loaded_study, register.as_mut(), new(), signers, store)?,
    };
    let seal_digest = sha256_hex(seal.to_json().as_bytes());
    // The id of the run in the register, and whether it has to be appended.
    let run = match (&register, interrupted_start.run) {
        (Some(_), Some((seal, run))) if seal == seal_digest => Some((run, false)),
        (Some(_), _) => Some((run_id()?, true)),
        (None, _) => None,
    };
    let ledger = Ledger::create(directory.path(), signer.clone())?;
    ledger.append(Event::RunStarted {
        study: loaded_study.study.name.clone(),
        seal: seal_digest.clone(),
        study_toml,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        key: ledger.key(),
        register: register.as_ref().zip(run.as_ref()).map(|(register, (run, _))| RunRegistration {
            path: path_from_run(register.path(), directory.path()).to_string_lossy().into_owned(),
            run: run.clone(),
        }),
    })?;
    for plugin in &seal.plugins {
        ledger.append(Event::PluginLoaded {
            role: plugin.role.clone(),
            name: plugin.name.clone(),
            sha256: plugin.sha256.clone(),
            assets: plugin.assets.clone(),
        })?;
    }
    if let (Some(mut register), Some((run, true))) = (register, run) {
        register.append(RegisterEvent::RunStarted { seal: seal_digest.clone(), run }, signer.as_ref())?;
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
