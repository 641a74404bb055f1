//! Turns a report bundle into a document, section by section.
//!
//! Invariants: the order of sections is fixed, the figure of the study and the verdict first. Every number is formatted
//! here, once, and all renderings show that text. Agreement is called "agreement", never "better".

mod ceiling;
mod conditions;
mod distributions;
mod events;
mod helpers;
mod latency;
pub mod live;
pub mod records;
mod revisions;
pub mod study_flow;
mod subgroups;
mod threshold;
mod verdict;
mod verdict_account;
mod window_breakdown;

use crate::format::{count, counted, verdict_meaning};
use crate::metric_format::MetricFormat;
use crate::model::bundle::ReportBundle;
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::page::{Banner, Block, Document, Fact, Tone};
use crate::sections::study_flow::StudyFlow;
use crate::warnings;
use understudy_statistics::verdict::ModelVerdict;
use understudy_study::ALL_SNAPSHOTS;

/// The document of a report bundle.
pub fn document(bundle: &ReportBundle) -> Document {
    let report = &bundle.report;
    let formats = MetricFormat::all(report);
    let banner = banner(bundle);
    let mut study = StudyFlow::from_report(report, bundle.shed, &banner).section();
    // Before any figure: without records there is nothing to judge.
    let warnings = warnings::sentences(report).into_iter();
    study.blocks.splice(0..0, warnings.map(|text| Block::Note { tone: Tone::Bad, text }));
    Document {
        title: format!("Shadow study {}", report.study),
        lead: lead_facts(report),
        banner: Some(banner),
        sections: [
            Some(study),
            Some(verdict::verdict(bundle)),
            Some(threshold::threshold(bundle, &formats)),
            Some(records::accounting(report)),
            Some(conditions::conditions(report, &formats)),
            window_breakdown::window_breakdown(bundle, &formats),
            ceiling::ceiling(report),
            revisions::revisions(report, &formats),
            Some(subgroups::subgroups(report, &formats)),
            Some(distributions::distributions(report)),
            Some(latency::latency(report)),
            Some(verdict::representativeness(bundle)),
            Some(events::events(bundle)),
            Some(events::reviews(bundle)),
            Some(events::provenance(bundle)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

fn lead_facts(report: &Report) -> Vec<Fact> {
    let instant = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let mut lead = vec![Fact::new("Study", &report.study)];
    if let (Some(first), Some(last)) = (report.windows.first(), report.windows.last()) {
        let windows = counted(report.windows.len() as u64, "window", "windows");
        lead.push(Fact::new(
            "Windows",
            format!("{windows}, {} to {}, {}", first.label, last.label, report.time_zone),
        ));
    }
    let status = match &report.end {
        RunEnd::Finished => "finished".to_owned(),
        RunEnd::Interrupted => {
            "interrupted; the figures cover the windows that were complete then".to_owned()
        }
        RunEnd::SourceFailed(messages) => format!("a source failed: {}", messages.join("; ")),
        RunEnd::Interim { window } => format!(
            "still running; figures cover all windows up to {window}; record counts and latencies are as of the time of this \
             report"
        ),
    };
    lead.push(Fact::new(
        "Run",
        format!("{} to {}, {status}", instant(report.started_at), instant(report.ended_at)),
    ));
    let models: Vec<&str> = report.models.iter().map(|model| model.plugin.name.as_str()).collect();
    lead.push(Fact::new(if models.len() == 1 { "Model" } else { "Models" }, models.join(", ")));
    lead.push(Fact::new("Compared pairs", count(report.comparison.compared)));
    lead
}

/// The most severe verdict over all of the input.
fn banner(bundle: &ReportBundle) -> Banner {
    let plain =
        |word: &str, text: &str| Banner { tone: Tone::Plain, word: word.to_owned(), text: text.to_owned() };
    if bundle.report.replay_of.is_some() {
        return plain(
            "OFFLINE",
            "Offline evaluation of another run's log. Its results do not permit any use of a model.",
        );
    }
    let Some(verdict) = &bundle.verdict else {
        return match &bundle.threshold {
            None => plain("NO THRESHOLD", "The study declares no threshold, so it has no verdict."),
            Some(_) => plain("UNDECIDED", "There is no verdict yet. `understudy decide` computes it."),
        };
    };
    if !bundle.events_since_verdict.is_empty() {
        return plain(
            "OUT OF DATE",
            "Events after the verdict could change it. `understudy decide` computes it again.",
        );
    }
    let Some((_, scope_verdict)) = verdict.gravest(None, ALL_SNAPSHOTS) else {
        return plain("UNDECIDED", "The verdict covers no model.");
    };
    let model_verdict =
        |model: &ModelVerdict| Some(format!("{} {}", model.model, model.scopes.first()?.verdict.name()));
    let text = match &verdict.models[..] {
        [_] => verdict_meaning(scope_verdict.verdict).to_owned(),
        several => several.iter().filter_map(model_verdict).collect::<Vec<_>>().join(", "),
    };
    Banner {
        tone: helpers::tone(scope_verdict.verdict),
        word: scope_verdict.verdict.name().to_owned(),
        text: format!("{text}: {}", scope_verdict.main_reason()),
    }
}

#[cfg(test)]
mod tests;
