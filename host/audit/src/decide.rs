//! The verdict on a run: its facts gathered, ruled on, written down.
//!
//! Always holds: a verdict is given over the threshold in the seal, and only of a run that is whole; it is in the ledger before
//! anybody reads it; the verdict on a closed run can be made again, to the byte. `verdict.json` is derived: whatever has become
//! of it, a verdict can be given again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::sealed;
use crate::verify::issue::{Finding, Findings};
use crate::verify::{files, run_check};
use understudy_engine::{Prepared, Saved, Seal, WhatIf, conditions, needed, rebuild};
use understudy_records::join::Accounting;
use understudy_report::counted;
use understudy_run_log::ledger::{Entry, Event, FileDigest, Ledger, is_closed};
use understudy_run_log::note::{Signer, Verifier};
use understudy_run_log::{CHECKPOINT, RunDirectory, VERDICT, checkpoint, write_file};
use understudy_sandbox::sha256_hex;
use understudy_statistics::scoring::{Cells, InputCounts, VerdictEvidence};
use understudy_statistics::verdict::{Facts, InterferenceEvent, Verdict, determine_verdict};
use understudy_study::{InterferenceKind, Micros, PerStream, Study, WHOLE};

/// How often a run that is going on is looked at, and the pause between.
const LOOKS: usize = 5;
const MOMENT: Duration = Duration::from_millis(300);

/// Whose verdict is asked for; of everything unless named.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// A model.
    pub model: Option<String>,
    /// A scope.
    pub scope: Option<String>,
}

impl Choice {
    /// Whether a study has what is asked for.
    fn check(&self, study: &Study) -> anyhow::Result<()> {
        let listed = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let models: Vec<&str> = study.models.iter().map(|model| model.name.as_str()).collect();
        if let Some(model) = self.model.as_deref().filter(|model| !models.contains(model)) {
            bail!("the study has no model \"{model}\"; it has {}", listed(models));
        }
        let scopes: Vec<&str> = study.scopes.iter().map(|scope| scope.name.as_str()).collect();
        if let Some(scope) = self.scope.as_deref().filter(|scope| *scope != WHOLE && !scopes.contains(scope))
        {
            bail!(
                "no scope \"{scope}\" was declared before the study began, and a part that is picked afterwards permits nothing; \
                 declared are: {}",
                listed(scopes)
            );
        }
        Ok(())
    }
}

/// What came of deciding.
pub enum Decided {
    /// The verdict.
    Verdict {
        /// What it is.
        verdict: Box<Verdict>,
        /// What was wrong with the file of the one before, which this one has taken the place of.
        replaced: Vec<String>,
    },
    /// The run is not whole: VOID, and there are no figures to go with it.
    Broken(Vec<String>),
}

/// Gives the verdict on a run, and writes it down. `keys` are who must have signed ledger and seal.
///
/// # Errors
/// When the run is none, or declares no threshold, or is an offline evaluation; or when the verdict cannot be written down.
pub fn decide(
    run: &Path,
    choice: &Choice,
    keys: &[Verifier],
    signer: Option<Signer>,
) -> anyhow::Result<Decided> {
    let findings = looked_at(run, keys)?;
    // What is wrong with the file of an earlier verdict says nothing of the run, and is put right by a new one.
    let (replaced, broken): (Vec<_>, Vec<_>) =
        findings.broken.iter().partition(|finding| finding.place == VERDICT);
    let told = |findings: Vec<&Finding>| findings.into_iter().map(ToString::to_string).collect();
    if !broken.is_empty() {
        return Ok(Decided::Broken(told(broken)));
    }
    // A key that is not the ledger's is refused before anything is changed.
    let (ledger, entries) = Ledger::open(run, signer)?;
    let (prepared, seal) = sealed(run, &WhatIf::default())?;
    let threshold = prepared.study.threshold.as_ref();
    threshold.with_context(|| {
        format!(
            "the study \"{}\" declares no threshold, so nothing was promised that could be met; declare [threshold] before a \
             study begins",
            prepared.study.name
        )
    })?;
    choice.check(&prepared.study)?;
    if prepared.replay_of.is_some() {
        bail!(
            "{} is an offline evaluation of another run's log: what the models did not see live permits nothing; decide on \
             the run itself",
            run.display()
        );
    }
    let closed = is_closed(&entries);
    let (verdict, position) = match closed {
        true => {
            let saved = saved(run)?;
            (closed_verdict(&prepared, &seal, &saved, &entries)?, saved.counted.position)
        }
        false => {
            let rebuilt = rebuild(&prepared, run, needed(&prepared), |_| Ok(()))?;
            let found = Found {
                closed,
                clocks: rebuilt.counted.clocks,
                accounting: rebuilt.accounting,
                inputs: &rebuilt.counted.inputs,
                cells: &rebuilt.judged.cells,
                evidence: &rebuilt.judged.evidence,
            };
            (ruled(&prepared, &seal, &entries, &found)?, rebuilt.counted.position)
        }
    };
    let json = verdict.to_json();
    let rulings = verdict.models.iter().flat_map(|model| {
        let ruling = |scope: &understudy_statistics::verdict::ScopeVerdict| {
            format!("{}/{}: {}", model.model, scope.scope, scope.verdict.name())
        };
        model.scopes.iter().map(ruling)
    });
    let file = FileDigest { file: VERDICT.to_owned(), sha256: sha256_hex(json.as_bytes()) };
    let event = Event::Verdict { file, closed, position, rulings: rulings.collect() };
    // The ledger comes first: where it cannot be written, the verdict before is left as it was. Where only the file cannot be,
    // it is given again.
    ledger.append(event)?;
    write_file(&run.join(VERDICT), json.as_bytes())?;
    Ok(Decided::Verdict { verdict: Box::new(verdict), replaced: told(replaced) })
}

/// Whether the run is whole. While it is going on a segment may have its name before its entry, for a moment: so what is broken
/// of such a run is looked at again.
fn looked_at(run: &Path, keys: &[Verifier]) -> anyhow::Result<Findings> {
    for _ in 0..LOOKS {
        let findings = verify(run, keys)?;
        if findings.broken.is_empty() || !RunDirectory::is_being_written(run)? {
            return Ok(findings);
        }
        std::thread::sleep(MOMENT);
    }
    Ok(verify(run, keys)?)
}

/// The checkpoint of a closed run.
fn saved(run: &Path) -> anyhow::Result<Saved> {
    let path = run.join(CHECKPOINT);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    checkpoint::decode(&bytes).map_err(|error| anyhow!("cannot use {}: {error}", path.display()))
}

/// The verdict on a closed run, from what it left behind and what its ledger had told by then.
///
/// # Errors
/// When the run left no sums, or the study declares no threshold.
fn closed_verdict(
    prepared: &Prepared,
    seal: &str,
    saved: &Saved,
    entries: &[Entry],
) -> anyhow::Result<Verdict> {
    let (Some(judged), Some(ended)) = (&saved.judged, &saved.ended) else {
        bail!("{CHECKPOINT} is not that of an ended run; `understudy verify` says what is wrong")
    };
    let found = Found {
        closed: true,
        clocks: saved.counted.clocks,
        accounting: ended.accounting,
        inputs: &saved.counted.inputs,
        cells: &judged.cells,
        evidence: &judged.evidence,
    };
    ruled(prepared, seal, entries, &found)
}

/// What the threshold says of a run that is looked at before its end. `saved` is cut to the windows that are covered.
///
/// # Errors
/// When the study declares no threshold, or its metric breaks.
pub fn looked(prepared: &Prepared, seal: &Seal, saved: &Saved, entries: &[Entry]) -> anyhow::Result<Verdict> {
    let (Some(judged), Some(ended)) = (&saved.judged, &saved.ended) else { bail!("a look has sums") };
    let found = Found {
        closed: false,
        clocks: saved.counted.clocks,
        accounting: ended.accounting,
        inputs: &saved.counted.inputs,
        cells: &judged.cells,
        evidence: &judged.evidence,
    };
    ruled(prepared, &sha256_hex(seal.to_json().as_bytes()), entries, &found)
}

/// What a verdict is made again from.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    /// The study, with the plugins that the run kept.
    pub prepared: &'a Prepared,
    /// What the run left behind.
    pub saved: &'a Saved,
    /// SHA-256 of its seal, in hexadecimal.
    pub seal: &'a str,
}

/// Holds the last verdict of a run against its entry in the ledger and, where `again` is there, against one that is made now.
pub fn check(run: &Path, entries: &[Entry], again: Option<Again<'_>>, findings: &mut Findings) {
    let verdict = |entry: &Entry| match &entry.event {
        Event::Verdict { file, closed, .. } => Some((file.clone(), *closed)),
        _ => None,
    };
    let Some(at) = entries.iter().rposition(|entry| verdict(entry).is_some()) else { return };
    let Some((file, closed)) = verdict(&entries[at]) else { return };
    let late = overtaken_by(closed, entries);
    let late = match late.is_empty() {
        true => String::new(),
        false => format!(
            "; it does not know of what came after it ({}), so `understudy decide` has to give it again",
            late.join("; ")
        ),
    };
    findings.look("verdict", |findings| {
        let before = findings.broken.len();
        files::check(run, &file.file, &file.sha256, "the ledger", findings);
        let Some(Again { prepared, saved, seal }) =
            again.filter(|_| closed && findings.broken.len() == before)
        else {
            return format!(
                "{VERDICT} is as the ledger has it; it was given before the end, and is not made again{late}"
            );
        };
        let made = closed_verdict(prepared, seal, saved, &entries[..at]);
        match (made, std::fs::read(run.join(VERDICT))) {
            (Ok(made), Ok(there)) if made.to_json().as_bytes() == there => {}
            (Ok(_), _) => {
                findings.fault(VERDICT, "it is not the verdict that the sums and the declaration give")
            }
            (Err(error), _) => findings.fault(VERDICT, format_args!("{error:#}")),
        }
        format!("{VERDICT} comes out of the sums and the declaration again, to the byte{late}")
    });
}

/// What is known of the records of a run.
struct Found<'f> {
    closed: bool,
    clocks: PerStream<Option<Micros>>,
    accounting: Accounting,
    inputs: &'f InputCounts,
    cells: &'f Cells,
    evidence: &'f VerdictEvidence,
}

fn ruled(prepared: &Prepared, seal: &str, entries: &[Entry], found: &Found<'_>) -> anyhow::Result<Verdict> {
    let threshold = prepared.study.threshold.as_ref().context("the study declares no threshold")?;
    let metric = &prepared.metrics[threshold.metric];
    let mut scorer = prepared.cast.metrics[threshold.metric].now().plugin.instance();
    let mut wrong = None;
    let mut reduce = |pairs, sums: &[f64]| match scorer.reduce(pairs, sums) {
        Ok(figure) => figure,
        Err(what) => {
            wrong.get_or_insert(what);
            None
        }
    };
    let interferences = interferences(entries);
    let facts = Facts {
        study: &prepared.study,
        threshold,
        conditions: &conditions(&prepared.study),
        seal,
        sealed_at: prepared.sealed_at.context("a study that is not sealed has no verdict")?,
        closed: found.closed,
        clocks: found.clocks,
        accounting: found.accounting,
        inputs: found.inputs,
        cells: found.cells,
        evidence: found.evidence,
        range: metric.plugin.range,
        references: &prepared.references,
        interferences: &interferences,
    };
    let verdict = determine_verdict(&facts, &mut reduce);
    match wrong {
        Some(what) => bail!("metric \"{}\": {what}", metric.name),
        None => Ok(verdict),
    }
}

/// What came after the verdict that was given last and could change it.
pub(super) fn overtaken_by(closed: bool, entries: &[Entry]) -> Vec<String> {
    let given = entries.iter().rposition(|entry| matches!(entry.event, Event::Verdict { .. }));
    let after = &entries[given.map_or(entries.len(), |given| given + 1)..];
    let went_on = after.iter().any(|entry| matches!(entry.event, Event::RunResumed { .. }));
    let ended = !closed && is_closed(entries);
    let went_on = (went_on || ended).then(|| "the run went on".to_owned());
    let later = interferences(after).into_iter().map(|later| later.description);
    went_on.into_iter().chain(later).collect()
}

/// What came between, by the ledger, in order of time.
fn interferences(entries: &[Entry]) -> Vec<InterferenceEvent> {
    let mut found = Vec::new();
    let mut new_yardstick = None;
    for Entry { event, at, .. } in entries {
        match event {
            Event::Swap { comparator_change: false, .. } | Event::SwapAbandoned { .. } => {
                new_yardstick = None
            }
            Event::Swap { generation, role, name, shadow: tried, .. } => {
                let otherwise = match tried {
                    Some(tried) => format!(
                        "which came to the same in {} of {}",
                        tried.agreeing,
                        counted(tried.pairs, "pair", "pairs")
                    ),
                    None => "untried".to_owned(),
                };
                let what = format!("{role} {name} was exchanged for another, {otherwise}");
                new_yardstick = Some((*generation, what));
            }
            Event::SwapApplied { generation, snapshot_clock: clock, .. } => {
                if let Some((_, what)) = new_yardstick.take_if(|(of, _)| of == generation) {
                    let (kind, since) = (InterferenceKind::ComparatorChange, clock.unwrap_or(*at));
                    found.push(InterferenceEvent { kind, since, what });
                }
            }
            Event::Exposure { who, command: how, rows, since: Some(since), .. } if *rows > 0 => {
                found.push(InterferenceEvent {
                    kind: InterferenceKind::Exposure,
                    since: *since,
                    what: format!("{who} was shown {} by {how}", counted(*rows, "row", "rows")),
                })
            }
            Event::Disclosure { interference: what, who, text, since } => {
                found.push(InterferenceEvent {
                    kind: *what,
                    since: *since,
                    what: format!("{text} (told by {who})"),
                });
            }
            _ => {}
        }
    }
    found.sort_by_key(|interfered| interfered.since);
    found
}
