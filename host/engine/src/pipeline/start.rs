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
use crate::control::messages::Exchanged;
use crate::evaluation::evaluator::Judged;
use crate::inference::determinism_check::Again;
use crate::ingest::readers::Feeds;
use crate::pipeline::coordinator::{Known, Start};
use crate::pipeline::restore::Restoring;
use crate::plugins::load::{Prepared, asset_name, plugin_name};
use crate::recovery::ledger_state::Past;
use crate::recovery::recover_versions::{Unsaid, recast};
use crate::seal::manifest::{SEAL, Seal};
use crate::seal::seal_file::{promised, seal_path};
use crate::stats::checkpoint::Saved;
use crate::stats::counters::Counted;
use understudy_records::batch::Side;
use understudy_run_log::ledger::{Entry, Event, Ledger};
use understudy_run_log::retention::{Retention, finish_interrupted};
use understudy_run_log::{
    CHECKPOINT, Found, Recovered, RunDirectory, Sealer, checkpoint, last_mark, present, recover,
};
use understudy_sandbox::digest;
use understudy_sources as source;

/// The declaration as a run keeps it.
const STUDY: &str = "study.toml";

/// All that a run begins with.
pub struct Begun {
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
    pub start: Start,
    /// What is to be read back, if it goes on.
    pub restoring: Option<Restoring>,
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
pub fn begin(prepared: &mut Prepared, options: Options<'_>) -> anyhow::Result<Begun> {
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
) -> anyhow::Result<Begun> {
    let began = Timestamp::now();
    let seal = match options.replayed {
        Some(replayed) => Seal::of(prepared, began).what_if(replayed.what_if, replayed.seal),
        None => sealed.unwrap_or_else(|| Seal::of(prepared, began)),
    };
    directory.begin()?;
    keep(prepared, &directory)?;
    let study_toml = digest(prepared.text.as_bytes());
    directory.write(STUDY, prepared.text.as_bytes())?;
    let sealed = seal.to_json();
    directory.write(SEAL, sealed.as_bytes())?;
    let seal_digest = digest(sealed.as_bytes());
    let ledger = Ledger::create(directory.path(), options.signer)?;
    ledger.append(Event::Opened {
        study: prepared.study.name.clone(),
        seal: seal_digest.clone(),
        study_toml,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        key: ledger.key(),
    })?;
    for plugin in &seal.plugins {
        ledger.append(Event::Plugin {
            role: plugin.role.clone(),
            name: plugin.name.clone(),
            sha256: plugin.sha256.clone(),
            assets: plugin.assets.clone(),
        })?;
    }
    directory.begun()?;
    let recovered = recover(directory.path(), 0, [0; 2])?;
    let start = Start {
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
        None => Feeds::open(prepared, options.order, [None, None])?,
    };
    let sealer =
        Sealer::new(directory.clone(), ledger.clone(), [[0; 4]; 2]).retaining(retention(prepared, &[]));
    Ok(Begun { directory, ledger, seal, sealer, recovered, start, restoring: None, feeds, goes_on: None })
}

fn go_on(prepared: &mut Prepared, directory: RunDirectory, options: Options<'_>) -> anyhow::Result<Begun> {
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
    let seal_digest = digest(&sealed);
    let (ledger, entries) = Ledger::open(run, options.signer)?;
    let past = Past::of(&entries);
    if past.seal.as_ref() != Some(&seal_digest) {
        bail!(
            "{shown}/{SEAL} is not the one that the run was opened with; put a copy of that back to go on, or choose \
             another directory with --run"
        );
    }
    if past.closed {
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
    keep_text(prepared, &directory, past.study_toml.as_deref())?;
    let recovered = recover(run, past.groups, past.covers)?;
    let unsaid = recast(prepared, run, &entries, recovered.next)?;
    let saved = saved(run, &seal_digest, &past);
    if saved.is_none() && past.reduced {
        bail!(
            "{shown}/{CHECKPOINT} is missing or damaged, and it is what holds the sums of the snapshots whose fields were dropped, \
             as the study declares with `log.retain`; put a copy of it back to go on"
        );
    }
    let mut marks = [None, None];
    for side in Side::BOTH {
        let mark = match recovered.marks[side as usize] {
            Some(mark) => Some(mark),
            None => last_mark(run, side)?,
        };
        marks[side as usize] = mark.map(|(_, mark)| mark);
    }
    let feeds = Feeds::open(prepared, options.order, marks)?;
    ledger.append(Event::Resumed {
        position: recovered.next,
        after: past.ended.clone(),
        cut: recovered.cut,
        torn: torn(run, &recovered),
    })?;
    match unsaid {
        Some(Unsaid::Made(Exchanged { generation, from, clock, .. })) => {
            ledger.append(Event::Exchanged { generation, from, clock })?;
        }
        Some(Unsaid::NotMade(generation)) => {
            ledger.append(Event::NotExchanged { generation })?;
        }
        None => {}
    }
    for side in Side::BOTH {
        let declared = [&prepared.study.snapshots_source, &prepared.study.decisions_source][side as usize];
        if !source::can_be_wound_back(declared, &prepared.folder) {
            let what =
                "it cannot be wound back: what came while nobody listened is not in the log".to_owned();
            ledger.append(Event::Gap { stream: side.plural().to_owned(), what })?;
        }
    }
    let (groups, judged_to) =
        saved.as_ref().map_or((0, [0; 2]), |saved| (saved.groups, saved.counted.position));
    let restoring =
        Restoring { next: recovered.next, groups, known: Known { judged: judged_to, logged: past.covers } };
    let rows = [recovered.rows[0] as usize, recovered.rows[1] as usize, recovered.rows[2] as usize];
    let fresh = || Judged::new(prepared);
    let (began, counted, judged) = match saved {
        Some(Saved { began, counted, judged, .. }) => (began, counted, judged.unwrap_or_else(fresh)),
        None => (past.began.unwrap_or(seal.sealed_at), Counted::new(prepared.models.len()), fresh()),
    };
    let again = prepared.models.iter().map(|model| past.again.get(&model.name).cloned().unwrap_or_default());
    let again = again.collect();
    let [snapshots, decisions] = recovered.next;
    let mut goes_on = format!(
        "{shown} holds a run that {}: it goes on after {snapshots} snapshots and {decisions} decisions",
        past.ended
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
    let (groups, looks) = (past.groups, past.looks);
    let start = Start { seal: seal_digest, began, groups, rows, counted, judged, again, looks };
    let retention = retention(prepared, &entries);
    let sealer = Sealer::new(directory.clone(), ledger.clone(), past.refused).retaining(retention);
    let restoring = Some(restoring);
    let goes_on = Some(goes_on);
    Ok(Begun { directory, ledger, seal, sealer, recovered, start, restoring, feeds, goes_on })
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
fn saved(run: &Path, seal: &str, past: &Past) -> Option<Saved> {
    let saved: Saved = checkpoint::decode(&fs::read(run.join(CHECKPOINT)).ok()?).ok()?;
    let fits = saved.seal == seal && saved.groups <= past.groups && saved.judged.is_some();
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
            keep(&asset_name(&digest(bytes)), bytes)?;
        }
    }
    for (_, bytes) in &prepared.files {
        keep(&asset_name(&digest(bytes)), bytes)?;
    }
    Ok(())
}

/// Sees that the run has its `study.toml` as it was at the beginning. Comments and layout may have changed since, so that
/// of now can take its place only if it is the same to the byte.
fn keep_text(prepared: &Prepared, directory: &RunDirectory, opened: Option<&str>) -> anyhow::Result<()> {
    let path = directory.path().join(STUDY);
    let is_that = |bytes: &[u8]| opened == Some(&digest(bytes));
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
