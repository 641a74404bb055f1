//! What is said of a run while it goes on: the sections of the report that say something by then.
//!
//! Always holds: it is never said that anything is decided by looking; what stands here covers whole windows that no pair can
//! join any more, so the end will say the same of them.

use crate::format::counted;
use crate::metric_format::Measure;
use crate::model::bundle::Dossier;
use crate::model::report::End;
use crate::page::{Banner, Block, Section, Tone};
use crate::sections::helpers::{meaning, of_scope, text, tone};
use crate::sections::{conditions, events, latency, threshold, verdict};
use understudy_statistics::verdict::{ModelVerdict, VerdictKind};

/// The banner of a look, and its sections: the verdict so far, the figures over time, by condition, latency,
/// representativeness, and what happened.
pub fn live(dossier: &Dossier) -> (Banner, Vec<Section>) {
    let report = &dossier.report;
    let measures = Measure::all(report);
    let sections = vec![
        so_far(dossier),
        threshold::threshold(dossier, &measures),
        conditions::conditions(report, &measures),
        times::latency(report),
        verdict::representativeness(dossier),
        history::history(dossier),
    ];
    (banner(dossier), sections)
}

fn banner(dossier: &Dossier) -> Banner {
    let window = match &dossier.report.end {
        End::Interim { window } => format!("Up to {window}: "),
        _ => String::new(),
    };
    let rulings = dossier.verdict.iter().flat_map(|verdict| &verdict.models);
    let gravest =
        rulings.filter_map(|model| Some((model, model.scopes.first()?))).max_by_key(|(_, r)| r.verdict);
    let Some((model, ruling)) = gravest else {
        return Banner {
            tone: Tone::Plain,
            word: "MEASURING".to_owned(),
            text: format!(
                "{window}the study declares no threshold, so there is nothing that it could permit."
            ),
        };
    };
    let several = dossier.verdict.as_ref().is_some_and(|verdict| verdict.models.len() > 1);
    let whose = if several { format!("{}: ", model.model) } else { String::new() };
    Banner {
        tone: tone(ruling.verdict),
        word: format!("{} SO FAR", ruling.verdict.name()),
        text: format!("{window}{whose}{}. Nothing is decided by looking.", meaning(ruling.verdict)),
    }
}

fn so_far(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    match &dossier.verdict {
        Some(verdict) => {
            let declared = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
            blocks.push(text(format!("Declared on {declared}: {}.", verdict.threshold)));
            let windows = counted(verdict.windows.len() as u64, "window counts", "windows count");
            blocks.push(text(format!(
                "{windows} by now. `understudy decide` verifies the run and gives the verdict; here stands what it would read \
                 out of the windows that are over."
            )));
            for ModelVerdict { model, scopes, .. } in &verdict.models {
                for ruling in scopes {
                    blocks.push(Block::Heading(format!("{model}, {}", of_scope(ruling))));
                    let word = format!("{} so far: {}", ruling.verdict.name(), meaning(ruling.verdict));
                    blocks.push(Block::Note { tone: tone(ruling.verdict), text: word });
                    let missing = ruling.reasons.iter().filter(|reason| reason.verdict == VerdictKind::Inconclusive);
                    let missing: Vec<String> = missing.map(|reason| reason.text.clone()).collect();
                    let others = ruling.reasons.iter().filter(|reason| reason.verdict != VerdictKind::Inconclusive);
                    let others: Vec<String> = others.map(|reason| reason.text.clone()).collect();
                    if !missing.is_empty() {
                        blocks.push(text("Still missing for a verdict:"));
                        blocks.push(Block::List(missing));
                    }
                    if !others.is_empty() {
                        blocks.push(text("Found:"));
                        blocks.push(Block::List(others));
                    }
                }
            }
        }
        None => blocks.push(text(
            "The study declares no threshold. It measures, and permits nothing: a threshold has to be declared before the \
             first snapshot.",
        )),
    }
    blocks.push(text(
        "Agreement is not \"better\": it says how often, or how closely, a model would have done what was done.",
    ));
    Section { id: "verdict", title: "Verdict so far".to_owned(), blocks }
}
