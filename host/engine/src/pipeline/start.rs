//! How a run begins, or goes on.
//!
//! Always holds: nothing is read from a source before the seal and the ledger's first entries are on disk; a run goes on
//! only if what was promised has not changed, and from exactly what the log holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use jiff::Timestamp;

use crate::Options;
use crate::plugins::plugin_versions::Exchanged;
use crate::stats::aggregates::Judged;
use crate::stats::determinism::Again;
use crate::ingest::readers::Feeds;
use crate::pipeline::coordinator::{ReplayPositions, InitialState};
use crate::pipeline::restore::ReplayPlan;
use crate::plugins::load::Prepared;
use crate::plugins::stored_files::{asset_name, plugin_name};
use crate::recovery::recover_versions::{Unsaid, recast};
use crate::seal::manifest::{SEAL, Seal};
use crate::seal::seal_file::{promised, seal_path};
use crate::stats::checkpoint::Saved;
use crate::stats::counters::Counted;
use understudy_study::{PerStream, StreamKind};
use understudy_run_log::ledger::{DeterminismTotals, Entry, Event, Ledger, LedgerState};
use understudy_run_log::retention::{Retention, finish_interrupted};
use understudy_run_log::{
    CHECKPOINT, Found, Recovered, RunDirectory, Sealer, checkpoint, last_mark, present, recover,
};
use understudy_sandbox::sha256_hex;
use understudy_sources as source;

/// The declaration as a run keeps it.
const STUDY: &str = "study.toml";

/// All that a run begins with.
pub struct StartedRun {
    /// Its directory.
    pub directory: RunDirectory,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its seal.
    pub seal: Seal,
    /// Who seals its segments.
    pub sealer: Sealer,
    /// What its log holds.
    pub recovered: Recovered,
    /// From where it counts on.
    pub start: InitialState,
    /// What is to be read back, if it goes on.
    pub restoring: Option<ReplayPlan>,
    /// Its sources, behind what the log holds.
    pub feeds: Feeds,
    /// From where it goes on, in words.
    pub goes_on: Option<String>,
}

/// Whether a run whose sources are declared so can be made so.
///
/// # Errors
/// When records come over HTTP and nobody serves it, or the other way round.
pub fn check_served(prepared: &Prepared, served: bool, replayed: bool) -> anyhow::Result<()> {
    let study = &prepared.study;
    let shown = prepared.path.display();
    match (study.is_live(), served) {
        (true, false) if !replayed => bail!(
            "{shown} takes records over HTTP, as `[sources]` says; serve it with `understudy serve {shown}`"
        ),
        (false, true) => bail!(
            "{shown} takes nothing over HTTP, so there is nothing to serve; write snapshots = {{ http = true }} in \
             `[sources]`, or run it with `understudy run {shown}`"
        ),
        _ => Ok(()),
    }
}

/// Begins a run in an empty directory, or goes on with the one that is there.
///
/// # Errors
/// See [`crate::run`].
pub fn begin(prepared: &mut Prepared, options: Options<'_>) -> anyhow::Result<StartedRun> {
    // Whatever is wrong with the sources, or is not as it was sealed, is said before a directory is made.
    let mut sealed = None;
    if options.replayed.is_none() {
        for declared in [&prepared.study.snapshots_source, &prepared.study.decisions_source] {
            source::check(declared, &prepared.folder)?;
        }
        sealed = promised(prepared)?;
    }
    let held = held(prepared, options.directory);
    let name = held.as_ref().map(|seal| seal.study.as_str());
    match RunDirectory::open(options.directory, &prepared.study.name, name)? {
        Found::Fresh(directory) => anew(prepared, sealed, directory, options),
        Found::Run(directory) if options.replayed.is_some() => bail!(
            "{} already holds a run of this study; choose another directory with --run",
            directory.path().display()
        ),
        Found::Run(directory) => go_on(prepared, directory, options),
    }
}

/// The seal of the run in a directory, if it holds one. That beside the study is not that of a run.
fn held(prepared: &Prepared, directory: &Path) -> Option<Seal> {
    let path = fs::canonicalize(directory.join(SEAL)).ok()?;
    let beside = fs::canonicalize(seal_path(&prepared.path)).ok();
    if beside.as_ref() == Some(&path) {
        return None;
    }
    Seal::parse(&fs::read(path).ok()?).ok()
}

fn anew(
    prepared: &Prepared,
    sealed: Option<Seal>,
    directory: RunDirectory,
    options: Options<'_>,
) -> anyhow::Result<StartedRun> {
    let began = Timestamp::now();
    let seal = match options.replayed {
        Some(replayed) => Seal::of(prepared, began).what_if(replayed.what_if, replayed.seal),
        None => sealed.unwrap_or_else(|| Seal::of(prepared, began)),
    };
    directory.begin()?;
    keep(prepared, &directory)?;
    let study_toml = sha256_hex(prepared.text.as_bytes());
    directory.write(STUDY, prepared.text.as_bytes())?;
    let sealed = seal.to_json();
    directory.write(SEAL, sealed.as_bytes())?;
    let seal_digest = sha256_hex(sealed.as_bytes());
    let ledger = Ledger::create(directory.path(), options.signer)?;
    ledger.append(Event::RunStarted {
        study: prepared.study.name.clone(),
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
    let start = InitialState {
        seal: seal_digest,
        began,
        groups: 0,
        rows: [0; 3],
        counted: Counted::new(prepared.models.len()),
        judged: Judged::new(prepared),
        again: vec![Again::default(); prepared.models.len()],
        looks: BTreeSet::new(),
    };
    let feeds = match options.replayed {
        Some(replayed) => Feeds::logged(prepared, options.order, replayed.run)?,
        None => Feeds::open(prepared, options.order, PerStream::default())?,
    };
    let sealer =
        Sealer::new(directory.clone(), ledger.clone(), PerStream::default()).retaining(retention(prepared, &[]));
    Ok(StartedRun { directory, ledger, seal, sealer, recovered, start, restoring: None, feeds, goes_on: None })
}

fn go_on(prepared: &mut Prepared, directory: RunDirectory, options: Options<'_>) -> anyhow::Result<StartedRun> {
    let run = directory.path();
    let shown = run.display();
    let sealed = fs::read(run.join(SEAL)).map_err(|error| {
        anyhow!(
            "cannot read {shown}/{SEAL}: {error}; put a copy of it back to go on, or choose another directory with --run"
        )
    })?;
    let seal = Seal::parse(&sealed).map_err(|what| {
        anyhow!(
            "{shown}/{SEAL} is damaged: {what}; put a copy of it back to go on, or choose another directory with --run"
        )
    })?;
    if seal.replay_of.is_some() {
        bail!(
            "{shown} holds a replay of another run's log, which cannot go on from the sources; choose another directory with \
             --run"
        );
    }
    let seal_digest = sha256_hex(&sealed);
    let (ledger, entries) = Ledger::open(run, options.signer)?;
    let recorded = LedgerState::from_entries(&entries);
    if recorded.start.as_ref().map(|start| &start.seal) != Some(&seal_digest) {
        bail!(
            "{shown}/{SEAL} is not the one that the run was opened with; put a copy of that back to go on, or choose \
             another directory with --run"
        );
    }
    if recorded.closed {
        bail!(
            "{shown} already holds a run of this study, which has ended; choose another directory with --run"
        );
    }
    let changes = seal.changes(&Seal::of(prepared, seal.sealed_at));
    if !changes.is_empty() {
        bail!(
            "{shown} holds a run of this study that has not ended, and what was promised has changed since: {}; put it back \
             to go on, or choose another directory with --run",
            changes.join(", ")
        );
    }
    finish_interrupted(run, &entries)?;
    present(run, &entries)?;
    keep(prepared, &directory)?;
    keep_text(prepared, &directory, recorded.start.as_ref().map(|start| start.study_toml.as_str()))?;
    let recovered = recover(run, recorded.groups, recorded.position)?;
    let unsaid = recast(prepared, run, &recorded, recovered.next)?;
    let saved = saved(run, &seal_digest, &recorded);
    if saved.is_none() && !recorded.reduced.is_empty() {
        bail!(
            "{shown}/{CHECKPOINT} is missing or damaged, and it is what holds the sums of the snapshots whose fields were dropped, \
             as the study declares with `log.retain`; put a copy of it back to go on"
        );
    }
    let mut marks = PerStream::default();
    for side in StreamKind::ALL {
        let mark = match recovered.marks[side] {
            Some(mark) => Some(mark),
            None => last_mark(run, side)?,
        };
        marks[side] = mark.map(|(_, mark)| source::SourcePosition::from_record(prepared.study.source(side), mark));
    }
    let feeds = Feeds::open(prepared, options.order, marks)?;
    ledger.append(Event::RunResumed {
        position: recovered.next,
        interruption: recorded.interruption().to_owned(),
        truncated: recovered.cut,
        damaged: torn(run, &recovered),
    })?;
    match unsaid {
        Some(Unsaid::Made(Exchanged { generation, from, clock, .. })) => {
            ledger.append(Event::SwapApplied { generation, first_sequences: from, snapshot_clock: clock })?;
        }
        Some(Unsaid::NotMade(generation)) => {
            ledger.append(Event::SwapAbandoned { generation })?;
        }
        None => {}
    }
    for side in StreamKind::ALL {
        let declared = prepared.study.source(side);
        if !source::is_replayable(declared, &prepared.folder) {
            let what =
                "it cannot be wound back: what came while nobody listened is not in the log".to_owned();
            ledger.append(Event::SourceGap { stream: side.name().to_owned(), reason: what })?;
        }
    }
    let (groups, judged_to) =
        saved.as_ref().map_or((0, PerStream::default()), |saved| (saved.groups, saved.counted.position));
    let restoring =
        ReplayPlan { next: recovered.next, groups, known: ReplayPositions { judged: judged_to, logged: recorded.position } };
    let rows = [recovered.rows[0] as usize, recovered.rows[1] as usize, recovered.rows[2] as usize];
    let fresh = || Judged::new(prepared);
    let (began, counted, judged) = match saved {
        Some(Saved { began, counted, judged, .. }) => (began, counted, judged.unwrap_or_else(fresh)),
        None => (recorded.start.as_ref().map_or(seal.sealed_at, |start| start.at), Counted::new(prepared.models.len()), fresh()),
    };
    let again = prepared.models.iter().map(|model| {
        let totals = recorded.determinism.get(&model.name).cloned().unwrap_or_default();
        let DeterminismTotals { rows, mismatches, first_id } = totals;
        Again { asked: rows, otherwise: mismatches, first_id, sequences: Vec::new() }
    });
    let again = again.collect();
    let PerStream { snapshots, decisions } = recovered.next;
    let mut goes_on = format!(
        "{shown} holds a run that {}: it goes on after {snapshots} snapshots and {decisions} decisions",
        recorded.interruption()
    );
    let lost = recovered.cut.iter().sum::<u64>();
    if lost > 0 {
        goes_on.push_str(&format!(
            ". {lost} records of its log stood behind a place that is damaged or missing, and were cut off: a file is read \
             again from there, standard input is not ({})",
            match &torn(run, &recovered)[..] {
                [] => "no segment says where".to_owned(),
                torn => torn.join("; "),
            }
        ));
    }
    let (groups, looks) = (recorded.groups, recorded.interim_windows);
    let start = InitialState { seal: seal_digest, began, groups, rows, counted, judged, again, looks };
    let retention = retention(prepared, &entries);
    let sealer = Sealer::new(directory.clone(), ledger.clone(), recorded.excluded.map(|counts| counts.by_class())).retaining(retention);
    let restoring = Some(restoring);
    let goes_on = Some(goes_on);
    Ok(StartedRun { directory, ledger, seal, sealer, recovered, start, restoring, feeds, goes_on })
}

/// Segments that did not end as they should, from the run directory.
fn torn(run: &Path, recovered: &Recovered) -> Vec<String> {
    let shown = |(path, what): &(PathBuf, String)| {
        format!("{}: {what}", path.strip_prefix(run).unwrap_or(path).display())
    };
    recovered.torn.iter().map(shown).collect()
}

/// What is to be dropped in time.
fn retention(prepared: &Prepared, entries: &[Entry]) -> Option<Retention> {
    Some(Retention::of(entries, prepared.study.log.retain?))
}

/// The checkpoint, if it is this run's, whole, and of a group that is sealed.
fn saved(run: &Path, seal: &str, recorded: &LedgerState) -> Option<Saved> {
    let saved: Saved = checkpoint::decode(&fs::read(run.join(CHECKPOINT)).ok()?).ok()?;
    let fits = saved.seal == seal && saved.groups <= recorded.groups && saved.judged.is_some();
    fits.then_some(saved)
}

/// Puts the plugins and their assets into the run directory, where they are not there as they should be.
fn keep(prepared: &Prepared, directory: &RunDirectory) -> anyhow::Result<()> {
    let keep = |name: &str, bytes: &[u8]| match fs::read(directory.path().join(name)) {
        Ok(held) if held == bytes => Ok(()),
        _ => directory.write(name, bytes),
    };
    let models = prepared.models.iter().map(|m| (&m.file, &m.assets));
    let metrics = prepared.metrics.iter().map(|m| (&m.file, &m.assets));
    let comparator = (&prepared.comparator.file, &prepared.comparator.assets);
    for (file, assets) in models.chain([comparator]).chain(metrics) {
        keep(&plugin_name(&file.digest), &file.bytes)?;
        for (_, bytes) in assets.iter() {
            keep(&asset_name(&sha256_hex(bytes)), bytes)?;
        }
    }
    for (_, bytes) in &prepared.files {
        keep(&asset_name(&sha256_hex(bytes)), bytes)?;
    }
    Ok(())
}

/// Sees that the run has its `study.toml` as it was at the beginning. Comments and layout may have changed since, so that
/// of now can take its place only if it is the same to the byte.
fn keep_text(prepared: &Prepared, directory: &RunDirectory, opened: Option<&str>) -> anyhow::Result<()> {
    let path = directory.path().join(STUDY);
    let is_that = |bytes: &[u8]| opened == Some(&sha256_hex(bytes));
    if fs::read(&path).is_ok_and(|held| is_that(&held)) {
        return Ok(());
    }
    if !is_that(prepared.text.as_bytes()) {
        bail!(
            "{} is not the one that the run was opened with, and {} has other comments or another layout than that; put a \
             copy of it back to go on",
            path.display(),
            prepared.path.display()
        );
    }
    Ok(directory.write(STUDY, prepared.text.as_bytes())?)
}
