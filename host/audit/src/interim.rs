//! Reports before the end, as a study declares them, each kept.
//!
//! Always holds: each window is reported on once, and the ledger has the digests of what was said; no report tells of a single
//! row; what cannot be written now is told and does not stop the run. One look waits at most while one is written:
//! whoever compares waits with the next, so that no more copies of the sums are held.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;

use super::decide::looked;
use super::dossier::{gathered, read_seal};
use understudy_engine::{Look, Looked, Prepared, Seal, WhatIf, recall};
use understudy_report::model::bundle::Dossier;
use understudy_report::build;
use understudy_report::html;
use understudy_run_log::ledger::{Entry, Event, FileDigest, Ledger};
use understudy_run_log::note::Signer;
use understudy_run_log::{INTERIM, write_file};
use understudy_sandbox::sha256_hex;

/// The thread that writes them.
pub struct Interims {
    looks: SyncSender<Looked>,
    writing: JoinHandle<()>,
    tell: fn(String),
}

impl Interims {
    /// For the run in a directory, whose ledger `signer` signs, if it is signed. `tell` is told what could not be written.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(run: &Path, signer: Option<Signer>, tell: fn(String)) -> anyhow::Result<Interims> {
        let (looks, waiting) = sync_channel(1);
        let run = run.to_owned();
        let writing = std::thread::Builder::new()
            .name("interim".into())
            .spawn(move || write(&run, signer, &waiting, tell));
        Ok(Interims { looks, writing: writing.context("no thread for the interim reports")?, tell })
    }

    /// What is told of each look.
    pub fn look(&self) -> Look {
        let looks = self.looks.clone();
        // That the thread has stopped is told at the end.
        Box::new(move |looked| drop(looks.send(looked)))
    }

    /// Waits until all are written. Whoever was given [`Interims::look`] has to be gone.
    pub fn finish(self) {
        drop(self.looks);
        if self.writing.join().is_err() {
            let what = "the thread that writes the interim reports has stopped, so some may be missing; this is a fault in \
                        understudy";
            (self.tell)(what.to_owned());
        }
    }
}

/// Writes reports as long as looks come.
fn write(run: &Path, signer: Option<Signer>, looks: &Receiver<Looked>, tell: fn(String)) {
    let mut known: Option<(Prepared, Seal)> = None;
    for look in looks {
        let label = look.label.clone();
        let written = recalled(run, &mut known)
            .and_then(|(prepared, seal)| one(run, signer.clone(), prepared, seal, look));
        if let Err(error) = written {
            tell(format!("the interim report up to the window {label} cannot be written: {error:#}"));
        }
    }
}

/// The study with plugins of its own, as the run keeps them.
fn recalled<'k>(
    run: &Path,
    known: &'k mut Option<(Prepared, Seal)>,
) -> anyhow::Result<(&'k Prepared, &'k Seal)> {
    if known.is_none() {
        let seal = read_seal(run)?;
        *known = Some((recall(run, &seal, &WhatIf::default())?, seal));
    }
    let (prepared, seal) = known.as_ref().context("the study was just read")?;
    Ok((prepared, seal))
}

/// Writes one report, unless there is one up to that window.
fn one(
    run: &Path,
    signer: Option<Signer>,
    prepared: &Prepared,
    seal: &Seal,
    mut look: Looked,
) -> anyhow::Result<()> {
    let label = look.label.clone();
    let (ledger, entries) = Ledger::open(run, signer)?;
    if entries.iter().any(|entry| matches!(&entry.event, Event::InterimReport { window, .. } if *window == label)) {
        return Ok(());
    }
    look.cut(&prepared.study);
    let dossier = moment(prepared, seal, &look, &entries)?;
    let folder = run.join(INTERIM);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut files = Vec::new();
    for (ending, content) in [("json", dossier.to_json()), ("html", html(&dossier))] {
        let file = format!("{INTERIM}/{}.{ending}", name(&label));
        write_file(&PathBuf::from(run).join(&file), content.as_bytes())?;
        files.push(FileDigest { file, sha256: sha256_hex(content.as_bytes()) });
    }
    // The files come first, since nobody is shown an answer by them: they hold sums alone. So the ledger names no file that is
    // not there; one that it does not name yet is written over when the run goes on, and `verify` finds it in an ended run.
    ledger.append(Event::InterimReport { window: label, files })?;
    Ok(())
}

/// What there is to say of a run at a look, which is cut to the windows that are covered. Nothing is written.
///
/// # Errors
/// When the look has no sums, or the threshold's metric breaks.
pub fn moment(prepared: &Prepared, seal: &Seal, look: &Looked, entries: &[Entry]) -> anyhow::Result<Dossier> {
    let outcome = look.outcome(seal).context("a look has sums")?;
    let verdict = match prepared.study.threshold {
        Some(_) => Some(looked(prepared, seal, &look.saved, entries)?),
        None => None,
    };
    Ok(gathered(build(&outcome, prepared), verdict, prepared, seal, entries))
}

/// A window's label as the name of a file: `week ending 2016-07-03` is `week-ending-2016-07-03`.
fn name(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
