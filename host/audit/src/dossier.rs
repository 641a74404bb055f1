//! All that there is to say of a run, gathered from its directory.
//!
//! Always holds: figures come from the run's own sums and plugins, the verdict from the one that the ledger has, everything
//! else from ledger and seal; nothing is written.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use super::decide::overtaken_by;
use understudy_engine::{Outcome, Prepared, SEAL, Saved, Seal, WhatIf, recall};
use understudy_report::model::bundle::{Asked, Dossier, FORMAT, Happened, Kind, Provenance, ReviewNote};
use understudy_report::Report;
use understudy_report::build;
use understudy_report::counted;
use understudy_report::judged;
use understudy_run_log::ledger::{self, Entry, Event, LEDGER, SwapTrigger};
use understudy_run_log::{CHECKPOINT, REPORT, VERDICT, checkpoint, file_digest};
use understudy_statistics::verdict::{Verdict, describe_threshold};

/// What there is to say of an ended run.
///
/// # Errors
/// When it has not ended, or what it left behind is damaged.
pub fn dossier(run: &Path) -> anyhow::Result<Dossier> {
    let (outcome, seal) = ended(run)?;
    let prepared = recall(run, &seal, &WhatIf::default())?;
    let report = build(&outcome, &prepared);
    let entries = super::entries(run)?;
    let verdict = verdict(run, &entries)?;
    let overtaken_by =
        verdict.as_ref().map(|verdict| overtaken_by(verdict.closed, &entries)).unwrap_or_default();
    Ok(Dossier { overtaken_by, ..gathered(report, verdict, &prepared, &seal, &entries) })
}

/// A report with all that ledger and seal say beside it.
pub fn gathered(
    report: Report,
    verdict: Option<Verdict>,
    prepared: &Prepared,
    seal: &Seal,
    entries: &[Entry],
) -> Dossier {
    let study = &prepared.study;
    Dossier {
        format: FORMAT,
        threshold: study.threshold.as_ref().map(|threshold| Asked {
            words: describe_threshold(study, threshold),
            direction: threshold.direction,
            bound: threshold.bound,
        }),
        overtaken_by: Vec::new(),
        history: history(entries),
        reviews: judged(entries),
        notes: notes(entries),
        provenance: provenance(&report, seal, entries),
        report,
        verdict,
    }
}

/// What an ended run left behind, and its seal.
fn ended(run: &Path) -> anyhow::Result<(Outcome, Seal)> {
    let path = run.join(CHECKPOINT);
    let shown = path.display();
    let closed = is_closed(run);
    let unended = || match closed {
        true => anyhow!(
            "{shown} is gone, so the report cannot be made again; {}/{REPORT} holds the figures as they were",
            run.display()
        ),
        false => anyhow!(
            "{} holds a run that has not ended; run the study again to go on, and see its report at the end",
            run.display()
        ),
    };
    let bytes = std::fs::read(&path).map_err(|error| match run.join(SEAL).is_file() {
        true => unended(),
        false => anyhow!("cannot read {shown}: {error}; name a run directory whose run has ended"),
    })?;
    let saved: Saved = checkpoint::decode(&bytes).map_err(|error| match closed {
        true => {
            anyhow!("cannot use {shown}: {error}; {}/{REPORT} holds the figures as they were", run.display())
        }
        false => anyhow!(
            "cannot use {shown}: {error}; run the study again to go on, which makes it anew from the log"
        ),
    })?;
    let seal = read_seal(run)?;
    Ok((saved.outcome(&seal).ok_or_else(unended)?, seal))
}

/// The seal of a run.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub fn read_seal(run: &Path) -> anyhow::Result<Seal> {
    let path = run.join(SEAL);
    let shown = path.display();
    let seal = std::fs::read(&path).map_err(|error| anyhow!("cannot read {shown}: {error}"))?;
    Seal::parse(&seal)
        .map_err(|what| anyhow!("{shown} is damaged: {what}; run `understudy verify` to see what else is"))
}

/// Whether a run has been closed, and so cannot go on.
fn is_closed(run: &Path) -> bool {
    let (entries, _) = ledger::check(&std::fs::read(run.join(LEDGER)).unwrap_or_default());
    ledger::is_closed(&entries)
}

/// The verdict that was given last.
///
/// # Errors
/// When the file is not the one that the ledger has.
fn verdict(run: &Path, entries: &[Entry]) -> anyhow::Result<Option<Verdict>> {
    let given = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Verdict { file, .. } => Some(file),
        _ => None,
    });
    let Some(file) = given else { return Ok(None) };
    let path = run.join(VERDICT);
    let shown = path.display();
    let (sha256, _) = file_digest(&path).map_err(|error| {
        anyhow!("cannot read {shown}: {error}; `understudy decide` gives the verdict again")
    })?;
    if sha256 != file.sha256 {
        bail!(
            "{shown} is not the verdict that was given: its SHA-256 is not the one in the ledger; `understudy decide` gives the \
             verdict again"
        );
    }
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {shown}"))?;
    let verdict = serde_json::from_slice(&bytes);
    Ok(Some(verdict.with_context(|| format!("{shown} is no verdict of this version; give it again"))?))
}

/// What happened, by the ledger.
fn history(entries: &[Entry]) -> Vec<Happened> {
    // No row is named before the run has ended.
    let closed = ledger::is_closed(entries);
    let happened = |entry: &Entry| {
        let (kind, since, what) = match &entry.event {
            Event::Exposure { who, command: how, rows, since, .. } if *rows > 0 => {
                let until = if since.is_none() { ", after the run was closed" } else { "" };
                (
                    Kind::Exposure,
                    *since,
                    format!("{who} was shown {} by {how}{until}", counted(*rows, "row", "rows")),
                )
            }
            Event::Disclosure { interference: what, who, text, since } => {
                let kind = match what {
                    understudy_study::InterferenceKind::Exposure => Kind::Exposure,
                    understudy_study::InterferenceKind::ComparatorChange => Kind::ComparatorChange,
                };
                (kind, Some(*since), format!("{text} (told by {who})"))
            }
            Event::Swap { generation, role, name, trigger: how, reason, who, shadow: tried, comparator_change: new_yardstick, .. } => {
                let how = match how {
                    SwapTrigger::Operator => "was exchanged",
                    SwapTrigger::Undo => "was exchanged back",
                    SwapTrigger::Fallback => "fell back to the one before",
                };
                let tried = tried.map_or_else(String::new, |tried| {
                    format!(
                        "; both came to the same in {} of {}",
                        tried.agreeing,
                        counted(tried.pairs, "pair", "pairs")
                    )
                });
                let yardstick = if *new_yardstick { "; a new yardstick from here on" } else { "" };
                let what = format!(
                    "generation {generation}: {role} {name} {how}: {reason} ({who}){tried}{yardstick}"
                );
                let kind = if *new_yardstick { Kind::NewYardstick } else { Kind::Swap };
                // In the records' own time, which is what charts and windows go by.
                let mut after = entries.iter().skip_while(|before| before.entry <= entry.entry);
                let clock = after.find_map(|after| match &after.event {
                    Event::SwapApplied { generation: of, snapshot_clock: clock, .. } if of == generation => *clock,
                    _ => None,
                });
                (kind, Some(clock.unwrap_or(entry.at)), what)
            }
            Event::SwapAbandoned { generation } => {
                let what = format!("generation {generation} did not come about: the process was gone before");
                (Kind::Interruption, None, what)
            }
            Event::RunResumed { interruption: after, damaged: torn, .. } => {
                let torn = if torn.is_empty() { String::new() } else { format!("; {}", torn.join("; ")) };
                (Kind::Interruption, None, format!("the run went on after: {after}{torn}"))
            }
            Event::RunStopped { reason: how, .. } => (Kind::Interruption, None, format!("the run was stopped: {how}")),
            Event::SourceGap { stream, reason: what } => (Kind::Interruption, None, format!("{stream}: {what}")),
            Event::DeterminismChecked { model, rows: asked, mismatches: otherwise, first_id, .. } if *otherwise > 0 => {
                let first = if closed { format!(", first id {first_id}") } else { String::new() };
                let what =
                    format!("{model} answered {otherwise} of {asked} otherwise when asked again{first}");
                (Kind::Instability, None, what)
            }
            Event::SegmentReduced { before, .. } => {
                (Kind::Retention, None, format!("fields of {} were dropped, as declared", before.file))
            }
            Event::InterimReport { window, .. } => {
                (Kind::Look, None, format!("reported on up to the window {window}, as declared"))
            }
            Event::Verdict { closed: false, rulings, .. } => {
                (Kind::Look, None, format!("decided before its end: {}", rulings.join(", ")))
            }
            Event::Note { who, text } => (Kind::Note, None, format!("{text} ({who})")),
            _ => return None,
        };
        Some(Happened { at: entry.at, kind, since, what })
    };
    entries.iter().filter_map(happened).collect()
}

/// What reviewers noted, in order of time.
fn notes(entries: &[Entry]) -> Vec<ReviewNote> {
    let noted = |entry: &Entry| match &entry.event {
        Event::Review { who, model, stratum, judgement, note, .. } if !note.is_empty() => {
            Some(ReviewNote {
                who: who.clone(),
                model: model.clone(),
                stratum: stratum.clone(),
                judgement: *judgement,
                note: note.clone(),
            })
        }
        _ => None,
    };
    entries.iter().filter_map(noted).collect()
}

fn provenance(report: &Report, seal: &Seal, entries: &[Entry]) -> Provenance {
    let (mut opened_by, mut key) = (String::new(), None);
    let mut segments = [0, 0];
    for Entry { event, .. } in entries {
        match event {
            Event::RunStarted { version, key: named, .. } => (opened_by, key) = (version.clone(), named.clone()),
            Event::GroupSealed { segments: sealed, .. } => {
                segments[0] += sealed.len() as u64;
                segments[1] += sealed.iter().map(|segment| segment.rows).sum::<u64>();
            }
            _ => {}
        }
    }
    let model = |model: &understudy_report::model::report::Model| ("model", model.plugin.clone());
    let metric = |metric: &understudy_report::model::report::Metric| ("metric", metric.plugin.clone());
    let plugins = report
        .models
        .iter()
        .map(model)
        .chain([("comparator", report.comparator.clone())])
        .chain(report.metrics.iter().map(metric))
        .map(|(role, plugin)| [role.to_owned(), plugin.name, plugin.title, plugin.digest]);
    Provenance {
        opened_by,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        seal: understudy_sandbox::sha256_hex(seal.to_json().as_bytes()),
        sealed_at: Some(seal.sealed_at),
        key,
        entries: entries.len() as u64,
        head: ledger::head(entries),
        closed: ledger::is_closed(entries),
        segments,
        plugins: plugins.collect(),
    }
}
