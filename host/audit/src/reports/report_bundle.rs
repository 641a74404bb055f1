//! The report bundle: the report of a run with its verdict, its history, its reviews and its provenance.
//!
//! Invariants: figures come from the run's own sums and plugins, the verdict from the file that the ledger
//! names, everything else from ledger and seal. Nothing is written.

use std::path::Path;

use anyhow::anyhow;

use crate::run_files::{read_entries, read_seal, read_verdict};
use crate::verdict::interferences::events_since_verdict;
use understudy_engine::{
    Checkpoint, CompileCache, PluginOverrides, RunResult, SEAL, Seal, SealedStudy, load_run_study,
};
use understudy_report::model::bundle::{
    FORMAT, PluginProvenance, Provenance, ReportBundle, ReviewNote, RunEvent, RunEventKind, ThresholdSummary,
};
use understudy_report::model::report::{MetricInfo, ModelReport};
use understudy_report::{Report, build, counted, review_summaries};
use understudy_run_log::ledger::{
    self, Entry, Event, LEDGER, LedgerState, StopReason, SwapOutcome, SwapTrigger,
};
use understudy_run_log::{CHECKPOINT, REPORT, RunDirectory, checkpoint, read_file};
use understudy_statistics::verdict::{Verdict, describe_threshold};
use understudy_study::InterferenceKind;

/// The report bundle of an ended run.
///
/// # Errors
/// If the directory holds no run, the run has not ended, or its files are damaged.
pub fn report_bundle(run: &Path) -> anyhow::Result<ReportBundle> {
    RunDirectory::ensure_run(run)?;
    let (outcome, seal) = load_results(run)?;
    let sealed_study = load_run_study(run, &seal, &PluginOverrides::default(), CompileCache::Used)?;
    let report = build(&outcome, &sealed_study);
    let entries = read_entries(run)?;
    let recorded = LedgerState::from_entries(&entries);
    let verdict = recorded.verdict.as_ref().map(|entry| read_verdict(run, entry)).transpose()?;
    let since = verdict.as_ref().map(|verdict| events_since_verdict(verdict.closed, &recorded));
    let events_since_verdict = since.unwrap_or_default();
    Ok(ReportBundle { events_since_verdict, ..bundle(report, verdict, &sealed_study, &seal, &entries) })
}

/// Combines a report with the content of ledger and seal.
pub(crate) fn bundle(
    report: Report,
    verdict: Option<Verdict>,
    sealed_study: &SealedStudy,
    seal: &Seal,
    entries: &[Entry],
) -> ReportBundle {
    let study = &sealed_study.study;
    let recorded = LedgerState::from_entries(entries);
    ReportBundle {
        format: FORMAT,
        threshold: study.threshold.as_ref().map(|threshold| ThresholdSummary {
            text: describe_threshold(study, threshold),
            direction: threshold.direction,
            bound: threshold.bound,
        }),
        events_since_verdict: Vec::new(),
        shed: recorded.shed.total(),
        events: events(entries, &recorded),
        reviews: review_summaries(entries),
        review_notes: review_notes(entries),
        provenance: provenance(&report, seal, entries, &recorded),
        report,
        verdict,
    }
}

/// The results of an ended run, and its seal.
fn load_results(run: &Path) -> anyhow::Result<(RunResult, Seal)> {
    let path = run.join(CHECKPOINT);
    let shown = path.display();
    let (entries, _) = ledger::check(&read_file(&run.join(LEDGER)).unwrap_or_default());
    let closed = ledger::is_closed(&entries);
    let not_ended = || match closed {
        true => anyhow!(
            "cannot compute the report: {shown} is missing; {}/{REPORT} holds the original figures",
            run.display()
        ),
        false => anyhow!(
            "{} holds a run that has not ended; resume it with `understudy run` and ask for the report after its end",
            run.display()
        ),
    };
    let bytes = read_file(&path).map_err(|error| match run.join(SEAL).is_file() {
        true => not_ended(),
        false => {
            anyhow!("cannot read {shown}: {error}; the run is damaged, run `understudy verify` for details")
        }
    })?;
    let saved: Checkpoint = checkpoint::decode(&bytes).map_err(|error| match closed {
        true => {
            anyhow!("cannot use {shown}: {error}; {}/{REPORT} holds the original figures", run.display())
        }
        false => anyhow!(
            "cannot use {shown}: {error}; resume the run with `understudy run`, which computes it again from the log"
        ),
    })?;
    let seal = read_seal(run)?;
    Ok((saved.result(&seal).ok_or_else(not_ended)?, seal))
}

/// The events of a run, in the order of the ledger. No row is named before the run is closed.
fn events(entries: &[Entry], recorded: &LedgerState) -> Vec<RunEvent> {
    entries.iter().filter_map(|entry| run_event(entry, recorded)).collect()
}

/// The event that an entry records, if a reader of the report needs it.
fn run_event(entry: &Entry, recorded: &LedgerState) -> Option<RunEvent> {
    let (kind, effective_from, text) = match &entry.event {
        Event::Exposure { who, command, rows, since, .. } if *rows > 0 => {
            let closed = if since.is_none() { ", after the run was closed" } else { "" };
            let rows = counted(*rows, "row", "rows");
            (RunEventKind::Exposure, *since, format!("{who} was shown {rows} by {command}{closed}"))
        }
        Event::Disclosure { interference, who, text, since } => {
            let kind = match interference {
                InterferenceKind::Exposure => RunEventKind::Exposure,
                InterferenceKind::ComparatorChange => RunEventKind::ComparatorChange,
            };
            (kind, Some(*since), format!("{text} (disclosed by {who})"))
        }
        Event::Swap { generation, role, name, trigger, reason, who, shadow, comparator_change, .. } => {
            let action = match trigger {
                SwapTrigger::Operator => "was swapped",
                SwapTrigger::Undo => "was swapped back",
                SwapTrigger::Fallback => "fell back to the previous version",
            };
            let shadow = shadow.map_or_else(String::new, |shadow| {
                let pairs = counted(shadow.pairs, "pair", "pairs");
                format!("; both agreed on {} of {pairs}", shadow.agreeing)
            });
            let change = if *comparator_change { "; comparator change" } else { "" };
            let text =
                format!("generation {generation}: {role} {name} {action}: {reason} ({who}){shadow}{change}");
            let kind = if *comparator_change { RunEventKind::ForcedSwap } else { RunEventKind::Swap };
            // Event time, as charts and windows use it.
            let clock = match recorded.swap(*generation).map(|swap| swap.outcome) {
                Some(SwapOutcome::Applied { snapshot_clock, .. }) => snapshot_clock,
                _ => None,
            };
            (kind, Some(clock.unwrap_or(entry.at)), text)
        }
        Event::SwapAbandoned { generation } => {
            let text = format!("generation {generation} did not begin: the process ended first");
            (RunEventKind::Interruption, None, text)
        }
        Event::RunResumed { interruption, damaged, .. } => {
            let damaged =
                if damaged.is_empty() { String::new() } else { format!("; {}", damaged.join("; ")) };
            let text = format!("the run {interruption} and was resumed{damaged}");
            (RunEventKind::Interruption, None, text)
        }
        Event::RunStopped { reason, .. } => {
            let text = match reason {
                StopReason::Interrupted => "the run was interrupted".to_owned(),
                StopReason::SourceFailed(error) => format!("a source failed: {error}"),
            };
            (RunEventKind::Interruption, None, text)
        }
        Event::SourceGap { stream, reason } => {
            (RunEventKind::Interruption, None, format!("{stream}: {reason}"))
        }
        Event::RequestsShed { refused, lost } => {
            let text = format!(
                "{} mirrored requests never became a record: {refused} refused, {lost} answered but not written",
                refused + lost
            );
            (RunEventKind::Interruption, None, text)
        }
        Event::DeterminismChecked { model, rows, mismatches, first_id, .. } if *mismatches > 0 => {
            let first = if recorded.closed { format!(", first id {first_id}") } else { String::new() };
            let text = format!(
                "{model} gave a different answer in {mismatches} of {rows} determinism checks{first}"
            );
            (RunEventKind::DeterminismMismatch, None, text)
        }
        Event::SegmentReduced { before, .. } => {
            (RunEventKind::Retention, None, format!("fields of {} were dropped, as declared", before.file))
        }
        Event::InterimReport { window, .. } => {
            let text = format!("interim report up to the window {window}, as declared");
            (RunEventKind::InterimReport, None, text)
        }
        Event::Verdict { closed: false, rulings, .. } => {
            let text = format!("verdict before the end of the run: {}", rulings.join(", "));
            (RunEventKind::InterimReport, None, text)
        }
        Event::Note { who, text } => (RunEventKind::Note, None, format!("{text} ({who})")),
        _ => return None,
    };
    Some(RunEvent { at: entry.at, kind, effective_from, text })
}

/// The notes of reviewers, in the order of the ledger.
fn review_notes(entries: &[Entry]) -> Vec<ReviewNote> {
    let note = |entry: &Entry| match &entry.event {
        Event::Review { who, model, stratum, judgement, note, .. } if !note.is_empty() => Some(ReviewNote {
            reviewer: who.clone(),
            model: model.clone(),
            stratum: stratum.clone(),
            judgement: *judgement,
            note: note.clone(),
        }),
        _ => None,
    };
    entries.iter().filter_map(note).collect()
}

fn provenance(report: &Report, seal: &Seal, entries: &[Entry], recorded: &LedgerState) -> Provenance {
    let model = |model: &ModelReport| ("model", model.plugin.clone());
    let metric = |metric: &MetricInfo| ("metric", metric.plugin.clone());
    let plugins = report
        .models
        .iter()
        .map(model)
        .chain([("comparator", report.comparator.clone())])
        .chain(report.metrics.iter().map(metric))
        .map(|(role, plugin)| PluginProvenance {
            role: role.to_owned(),
            name: plugin.name,
            title: plugin.title,
            digest: plugin.digest,
        });
    let start = recorded.start.as_ref();
    Provenance {
        run_version: start.map(|start| start.version.clone()).unwrap_or_default(),
        report_version: env!("CARGO_PKG_VERSION").to_owned(),
        seal: understudy_sandbox::sha256_hex(seal.to_json().as_bytes()),
        sealed_at: Some(seal.sealed_at),
        key: start.and_then(|start| start.key.clone()),
        ledger_entries: entries.len() as u64,
        ledger_head: ledger::head(entries),
        closed: recorded.closed,
        segments: recorded.segments.len() as u64,
        segment_rows: recorded.segments.values().map(|segment| segment.rows).sum(),
        plugins: plugins.collect(),
    }
}
