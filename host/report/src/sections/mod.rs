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
use crate::verdict_groups::{VerdictGroup, verdict_groups};
use crate::warnings;
use understudy_statistics::verdict::ScopeVerdict;

/// The document of a report bundle.
pub fn document(bundle: &ReportBundle) -> Document {
    let report = &bundle.report;
    let formats = MetricFormat::all(report);
    let banners = banners(bundle);
    let mut study = StudyFlow::from_report(report, bundle.shed, &banners).section();
    // Before any figure: without records there is nothing to judge.
    let warnings = warnings::sentences(report).into_iter();
    study.blocks.splice(0..0, warnings.map(|text| Block::Note { tone: Tone::Bad, text }));
    Document {
        title: format!("Shadow study {}", report.study),
        lead: lead_facts(report),
        banners,
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

/// The verdicts on all of the input, and those on scopes that differ from them; or one banner that says why there is none.
fn banners(bundle: &ReportBundle) -> Vec<Banner> {
    let plain = |word: &str, text: &str| {
        let (word, text) = (word.to_owned(), text.to_owned());
        vec![Banner { tone: Tone::Plain, word, text, points: Vec::new() }]
    };
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
    let groups = verdict_groups(verdict, None, None);
    if groups.is_empty() {
        return plain("UNDECIDED", "The verdict covers no model.");
    }
    groups.iter().map(|group| banner(group, group.title())).collect()
}

/// The banner of equal verdicts: their meaning, and the main reason of each.
fn banner(group: &VerdictGroup<'_>, word: String) -> Banner {
    let meaning = verdict_meaning(group.kind);
    let (text, points) = match group.common_reason() {
        Some(reason) => (format!("{meaning}: {reason}"), Vec::new()),
        None => {
            let reason =
                |(name, ruling): &(String, &ScopeVerdict)| format!("{name}: {}", ruling.main_reason());
            (format!("{meaning}:"), group.members.iter().map(reason).collect())
        }
    };
    Banner { tone: helpers::tone(group.kind), word, text, points }
}

#[cfg(test)]
mod tests;
