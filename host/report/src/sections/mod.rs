//! What a report says, section by section: a dossier becomes a document.
//!
//! Always holds: sections come in one order, the verdict first; a figure is put into words here, once, and every rendering
//! shows those words; agreement is called agreement, never better.

mod conditions;
mod distributions;
mod events;
mod helpers;
mod latency;
pub mod live;
pub mod records;
mod subgroups;
mod threshold;
mod verdict;

use crate::metric_format::Measure;
use crate::model::bundle::Dossier;
use crate::model::report::{End, Report};
use crate::page::{Banner, Document, Fact, Tone};
use understudy_statistics::verdict::ModelVerdict;

/// The document that a dossier becomes.
pub fn document(dossier: &Dossier) -> Document {
    let report = &dossier.report;
    let measures = Measure::all(report);
    Document {
        title: format!("Shadow study {}", report.study),
        lead: lead(report),
        banner: Some(banner(dossier)),
        sections: vec![
            verdict::verdict(dossier),
            threshold::threshold(dossier, &measures),
            records::accounting(report),
            conditions::conditions(report, &measures),
            classes::classes(report, &measures),
            spreads::spreads(report),
            times::latency(report),
            verdict::representativeness(dossier),
            history::history(dossier),
            history::reviews(dossier),
            history::provenance(dossier),
        ],
    }
}

fn lead(report: &Report) -> Vec<Fact> {
    let instant = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let mut lead = vec![Fact::new("Study", &report.study)];
    if let (Some(first), Some(last)) = (report.windows.first(), report.windows.last()) {
        let windows = super::counted(report.windows.len() as u64, "window", "windows");
        lead.push(Fact::new(
            "Windows",
            format!("{windows}, {} to {}, {}", first.label, last.label, report.time_zone),
        ));
    }
    let ended = match &report.end {
        End::Finished => "finished".to_owned(),
        End::Interrupted => "interrupted; the figures cover what had come until then".to_owned(),
        End::SourceBroke(why) => format!("broke off: {}", why.join("; ")),
        End::Interim { window } => format!(
            "still running; figures cover everything up to the window {window}; counts of records and times are those of the \
             moment"
        ),
    };
    lead.push(Fact::new("Run", format!("{} to {}, {ended}", instant(report.began), instant(report.ended))));
    let models: Vec<&str> = report.models.iter().map(|model| model.plugin.name.as_str()).collect();
    lead.push(Fact::new(if models.len() == 1 { "Model" } else { "Models" }, models.join(", ")));
    lead.push(Fact::new("Compared", super::counted(report.comparison.compared, "pair", "pairs")));
    lead
}

/// The gravest of the rulings over all of the input.
fn banner(dossier: &Dossier) -> Banner {
    let plain =
        |word: &str, text: &str| Banner { tone: Tone::Plain, word: word.to_owned(), text: text.to_owned() };
    if dossier.report.replay_of.is_some() {
        return plain(
            "OFFLINE",
            "An offline evaluation of another run's log: what the models did not see live permits nothing.",
        );
    }
    let Some(verdict) = &dossier.verdict else {
        return match &dossier.threshold {
            None => plain(
                "NO THRESHOLD",
                "The study declares no threshold, so there is nothing that it could permit.",
            ),
            Some(_) => plain("UNDECIDED", "No verdict has been given yet; `understudy decide` reads it out."),
        };
    };
    if !dossier.overtaken_by.is_empty() {
        return plain(
            "OUT OF DATE",
            "The verdict that was given does not know of what came after it; `understudy decide` gives it again.",
        );
    }
    let rulings = verdict.models.iter().filter_map(|model| model.scopes.first());
    let Some(ruling) = rulings.max_by_key(|ruling| ruling.verdict) else {
        return plain("UNDECIDED", "The verdict rules on no model.");
    };
    let said =
        |model: &ModelVerdict| Some(format!("{} {}", model.model, model.scopes.first()?.verdict.name()));
    let text = match &verdict.models[..] {
        [_] => words::meaning(ruling.verdict).to_owned(),
        several => several.iter().filter_map(said).collect::<Vec<_>>().join(", "),
    };
    Banner { tone: words::tone(ruling.verdict), word: ruling.verdict.name().to_owned(), text }
}

#[cfg(test)]
mod tests;
