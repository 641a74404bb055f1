//! The sections of the live view of a running study.
//!
//! Invariants: the live view never states that anything is decided. It covers complete windows that no further pair can
//! join, so the final report has the same figures for them.

use crate::format::{counted, verdict_meaning};
use crate::metric_format::MetricFormat;
use crate::model::bundle::ReportBundle;
use crate::model::run_summary::RunEnd;
use crate::page::{Banner, Block, Section, Tone};
use crate::sections::helpers::{scope_name, text, tone};
use crate::sections::{banner, conditions, events, latency, threshold, verdict, window_breakdown};
use crate::verdict_groups::{VerdictGroup, verdict_groups};
use understudy_statistics::verdict::{ModelVerdict, VerdictKind};

/// The banners and sections of the live view: interim verdict, metrics over time, by condition and by both, latency,
/// representativeness, and events.
pub fn live_sections(bundle: &ReportBundle) -> (Vec<Banner>, Vec<Section>) {
    let report = &bundle.report;
    let formats = MetricFormat::all(report);
    let sections = [
        Some(interim_verdict(bundle)),
        Some(threshold::threshold(bundle, &formats)),
        Some(conditions::conditions(report, &formats)),
        window_breakdown::window_breakdown(bundle, &formats),
        Some(latency::latency(report)),
        Some(verdict::representativeness(bundle)),
        Some(events::events(bundle)),
    ];
    (live_banners(bundle), sections.into_iter().flatten().collect())
}

fn live_banners(bundle: &ReportBundle) -> Vec<Banner> {
    let window = match &bundle.report.end {
        RunEnd::Interim { window } => format!("Up to {window}: "),
        _ => String::new(),
    };
    let groups = bundle.verdict.as_ref().map(|verdict| verdict_groups(verdict, None, None));
    let groups = groups.filter(|groups| !groups.is_empty());
    let Some(groups) = groups else {
        return vec![Banner {
            tone: Tone::Plain,
            word: "MEASURING".to_owned(),
            text: format!("{window}the study declares no threshold, so it has no verdict."),
            points: Vec::new(),
        }];
    };
    let so_far = |group: &VerdictGroup<'_>| {
        let word = format!("{} SO FAR {}", group.kind.name(), group.subject);
        let found = banner(group, word.trim_end().to_owned());
        Banner { text: format!("This is not a decision. {window}{}", found.text), ..found }
    };
    groups.iter().map(so_far).collect()
}

fn interim_verdict(bundle: &ReportBundle) -> Section {
    let mut blocks = Vec::new();
    match &bundle.verdict {
        Some(verdict) => {
            let declared = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
            let notes = verdict.notes.iter();
            blocks.extend(notes.map(|note| Block::Note { tone: Tone::Unsure, text: note.clone() }));
            blocks.push(text(format!("Declared on {declared}: {}.", verdict.threshold)));
            let windows = counted(verdict.windows.len() as u64, "window counts", "windows count");
            blocks.push(text(format!(
                "{windows} for the verdict so far. `understudy decide` verifies the run and computes the verdict. This is what it would compute \
                 from these windows."
            )));
            for ModelVerdict { model, scopes, .. } in &verdict.models {
                for scope_verdict in scopes {
                    blocks.push(Block::Heading(format!("{model}, {}", scope_name(scope_verdict))));
                    let word = format!("{} so far: {}", scope_verdict.verdict.name(), verdict_meaning(scope_verdict.verdict));
                    blocks.push(Block::Note { tone: tone(scope_verdict.verdict), text: word });
                    let missing = scope_verdict.reasons.iter().filter(|reason| reason.verdict == VerdictKind::Inconclusive);
                    let missing: Vec<String> = missing.map(|reason| reason.text.clone()).collect();
                    let others = scope_verdict.reasons.iter().filter(|reason| reason.verdict != VerdictKind::Inconclusive);
                    let others: Vec<String> = others.map(|reason| reason.text.clone()).collect();
                    if !missing.is_empty() {
                        blocks.push(text("Missing for a verdict:"));
                        blocks.push(Block::List(missing));
                    }
                    if !others.is_empty() {
                        blocks.push(text("Findings:"));
                        blocks.push(Block::List(others));
                    }
                }
            }
        }
        None => blocks.push(text(
            "The study declares no threshold, so it has no verdict. A threshold has to be declared before the first \
             snapshot.",
        )),
    }
    blocks.push(text(
        "Agreement does not mean \"better\". It shows how often, or how closely, a model would have made the same decisions.",
    ));
    Section { id: "verdict", title: "Verdict so far".to_owned(), blocks }
}
