//! The section that compares the metric with the threshold, window by window. Without a verdict it shows the metric of
//! the divergence search by window.
//!
//! Invariants: nothing is decided here. A value that misses its bound never looks equal to it. If some windows are not
//! shown, the text gives their total number.

use crate::bounds_text::{bounds_text, missing_intervals};
use crate::ceiling_text::ceiling_share_text;
use crate::format::{UNDEFINED, count, counted, declared_number, interval_text, number_text, six_decimals};
use crate::metric_format::MetricFormat;
use crate::model::bundle::{ReportBundle, RunEvent, ThresholdSummary};
use crate::model::report::Report;
use crate::page::{Block, Cell, Chart, Column, Fact, Figure, Section, Series, SeriesPoint};
use crate::sections::conditions::remark;
use crate::sections::helpers::{
    OFFLINE_NOTE, axis, bounded_value, chart_time, folded, latest, local_date, omitted_windows_note,
    scope_name, search_metric, text, window_start,
};
use crate::shared_level_text::level_sentence;
use understudy_statistics::verdict::{
    BaselineGains, ChanceMeasure, CountedWindow, Estimate, ModelVerdict, ScopeVerdict, Verdict,
    direction_words, format_share,
};
use understudy_study::ALL_SNAPSHOTS;

/// The threshold compared with the results.
pub fn threshold(bundle: &ReportBundle, formats: &[MetricFormat<'_>]) -> Section {
    let mut blocks = Vec::new();
    match (&bundle.verdict, &bundle.threshold) {
        (Some(verdict), Some(requirement)) => {
            blocks.push(text(format!("Requirement: {}.", requirement.text)));
            let format = formats.iter().find(|format| format.name() == verdict.metric);
            if let Some(format) = format {
                let view = VerdictView { bundle, verdict, requirement, format };
                for ModelVerdict { model, scopes, .. } in &verdict.models {
                    for scope_verdict in scopes {
                        blocks.push(Block::Heading(format!("{model}, {}", scope_name(scope_verdict))));
                        blocks.push(Block::Figure(view.by_window(formats, model, scope_verdict)));
                        blocks.push(view.facts(scope_verdict));
                        let known = bundle.report.models.iter().find(|known| known.plugin.name == *model);
                        blocks.extend(known.and_then(|known| remark(format, known)));
                    }
                }
            }
        }
        (_, requirement) => {
            if bundle.report.replay_of.is_some() {
                blocks.push(text(OFFLINE_NOTE));
            } else if let Some(ThresholdSummary { text: requirement, .. }) = requirement {
                blocks.push(text(format!(
                    "Requirement: {requirement}. The verdict selects the windows; this section shows all of them."
                )));
            }
            over_time(bundle, formats, &mut blocks);
        }
    }
    let title = if bundle.threshold.is_some() { "Threshold and results" } else { "Results over time" };
    Section { id: "threshold", title: title.to_owned(), blocks }
}

/// A verdict with the requirement that its values are compared with.
struct VerdictView<'d> {
    bundle: &'d ReportBundle,
    verdict: &'d Verdict,
    requirement: &'d ThresholdSummary,
    /// The metric of the threshold.
    format: &'d MetricFormat<'d>,
}

impl VerdictView<'_> {
    fn facts(&self, scope_verdict: &ScopeVerdict) -> Block {
        let mut facts = vec![
            Fact::new("Snapshots in these windows", count(scope_verdict.snapshots)),
            Fact::new("Compared", counted(scope_verdict.compared, "pair", "pairs")),
            Fact::new("Without an answer or a score", counted(scope_verdict.unanswered, "pair", "pairs")),
            Fact::new("Pooled value", self.estimate_text(&scope_verdict.pooled)),
        ];
        if let Some(chance) = &scope_verdict.chance {
            let commonest = six_decimals(chance.commonest_share);
            facts.push(Fact::new("Agreement of always giving the substrate's commonest label", commonest));
            facts.push(Fact::new("Gain over that", six_decimals(chance.gain)));
            let kappa = chance.kappa.map_or_else(|| UNDEFINED.to_owned(), six_decimals);
            facts.push(Fact::new("Cohen's kappa", kappa));
            let title = match chance.measure {
                ChanceMeasure::Gain => "Bounds of the gain",
                ChanceMeasure::Kappa => "Bounds of kappa",
            };
            let bounds = bounds_text(chance.interval, chance.method, chance.no_interval, six_decimals);
            facts.extend(bounds.map(|bounds| Fact::new(title, bounds)));
        }
        if let Some(ceiling) = &scope_verdict.ceiling {
            facts.push(Fact::new("Share of the ceiling", ceiling_share_text(ceiling)));
        }
        if let Some(baselines) = &scope_verdict.baselines {
            facts.extend(baseline_facts(baselines));
        }
        Block::Facts(facts)
    }

    fn by_window(&self, formats: &[MetricFormat<'_>], model: &str, scope_verdict: &ScopeVerdict) -> Figure {
        let VerdictView { bundle: ReportBundle { report, events, .. }, verdict, requirement, format } = self;
        let windows: Vec<(&CountedWindow, &Estimate)> =
            verdict.windows.iter().zip(&scope_verdict.windows).collect();
        let windows = latest(&windows);
        let points = windows.iter().map(|(window, estimate)| SeriesPoint {
            label: window.label.clone(),
            x: chart_time(report, window.start),
            value: estimate.value,
            band: estimate.interval.map(|bounds| (bounds.lower, bounds.upper)),
            tone: None,
        });
        let rows = windows.iter().map(|(window, estimate)| {
            let suffix = if window.complete { "" } else { " (incomplete)" };
            self.cells(&format!("{}{suffix}", window.label), estimate)
        });
        let head = vec![
            Column::text("Window"),
            Column::number("Pairs"),
            Column::number("Value"),
            Column::number("Interval"),
        ];
        let rows: Vec<Vec<Cell>> = rows.chain([self.cells("pooled", &scope_verdict.pooled)]).collect();
        let method = scope_verdict.pooled.method.map(|method| method.sentence().to_owned());
        let sentences: Vec<String> = method.into_iter().chain(missing_intervals(scope_verdict)).collect();
        let intervals = match &sentences[..] {
            [] => "There are no intervals.".to_owned(),
            sentences => sentences.join(" "),
        };
        // Events outside of the windows shown are left out of the chart.
        let inside = |(x, _): &(f64, String)| {
            let ends = windows.first().zip(windows.last());
            ends.is_some_and(|((first, _), (last, _))| {
                (chart_time(report, first.start)..chart_time(report, last.end)).contains(x)
            })
        };
        let event_mark =
            |event: &RunEvent| Some((chart_time(report, event.effective_from?), event.text.clone()));
        let search_metric = search_metric(report, formats).filter(|search_metric| {
            search_metric.name() == verdict.metric && scope_verdict.scope == ALL_SNAPSHOTS
        });
        let changes =
            search_metric.into_iter().flat_map(|search_metric| change_marks(report, search_metric, model));
        Figure {
            title: format!("{} of {model} by window, {}", verdict.metric, scope_name(scope_verdict)),
            description: format!(
                "{} for each window of the threshold, compared with the declared bound. {intervals} {}{}",
                verdict.metric,
                level_sentence(verdict, scope_verdict),
                omitted_windows_note(verdict.windows.len())
            ),
            chart: Chart::Series {
                y_label: axis(format),
                x_label: format!("window, {}", report.time_zone),
                series: vec![Series { name: scope_verdict.scope.clone(), points: points.collect() }],
                bound: Some((
                    format!(
                        "threshold: {} {}",
                        direction_words(requirement.direction),
                        declared_number(requirement.bound)
                    ),
                    requirement.bound,
                )),
                marks: events.iter().filter_map(event_mark).filter(inside).collect(),
                changes: changes.filter(inside).collect(),
            },
            table: folded("Data", head, rows),
        }
    }

    fn cells(&self, label: &str, estimate: &Estimate) -> Vec<Cell> {
        let pairs = match estimate.hits {
            Some(hits) => format!("{} of {}", count(hits), count(estimate.pairs)),
            None => count(estimate.pairs),
        };
        let view = |bound| bounded_value(self.format, bound, self.requirement);
        let bounds =
            estimate.interval.map_or_else(|| UNDEFINED.to_owned(), |interval| interval_text(interval, view));
        let value = self.value(estimate).unwrap_or_else(|| missing_value(estimate).to_owned());
        vec![label.into(), pairs.into(), value.into(), bounds.into()]
    }

    /// The value as text; `None` where it is undefined.
    fn value(&self, estimate: &Estimate) -> Option<String> {
        match estimate.hits {
            Some(hits) => Some(format_share(hits, estimate.pairs)),
            None => Some(bounded_value(self.format, estimate.value?, self.requirement)),
        }
    }

    fn estimate_text(&self, estimate: &Estimate) -> String {
        let Some(value) = self.value(estimate) else { return missing_value(estimate).to_owned() };
        match estimate.hits {
            Some(hits) => format!("{value} ({} of {})", count(hits), count(estimate.pairs)),
            None => format!("{value} ({})", counted(estimate.pairs, "pair", "pairs")),
        }
    }
}

/// The text of an estimate without a value.
fn missing_value(estimate: &Estimate) -> &'static str {
    if estimate.withheld { "withheld" } else { UNDEFINED }
}

/// The gains over baselines.
fn baseline_facts(baselines: &BaselineGains) -> Vec<Fact> {
    let text = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), number_text);
    let mut facts = vec![Fact::new("Compared with baselines", counted(baselines.pairs, "pair", "pairs"))];
    if let Some(left_out) = baselines.left_out.text() {
        facts.push(Fact::new("Pairs left out of the comparison", left_out));
    }
    facts.push(Fact::new("Value over these pairs", text(baselines.model)));
    for found in &baselines.gains {
        let title = format!("Value of always giving {}", found.answer());
        facts.push(Fact::new(title, text(found.value)));
        facts.push(Fact::new("Gain over that", text(found.gain)));
        let bounds = bounds_text(found.interval, found.method, found.no_interval, number_text);
        facts.extend(bounds.map(|bounds| Fact::new("Bounds of that gain", bounds)));
    }
    facts
}

/// The metric of the divergence search by window, in place of a verdict.
fn over_time(bundle: &ReportBundle, formats: &[MetricFormat<'_>], blocks: &mut Vec<Block>) {
    let report = &bundle.report;
    let Some(format) = search_metric(report, formats) else { return };
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for model in &report.models {
        let Some(scores) = format.scores(model) else { continue };
        let name = &model.plugin.name;
        let mut points = Vec::new();
        let windows: Vec<_> = report.windows.iter().zip(&scores.windows).collect();
        for (window, value) in latest(&windows) {
            points.push(SeriesPoint {
                label: window.label.clone(),
                x: window_start(report, window),
                value: value.value,
                band: value.interval.map(|bounds| (bounds.lower, bounds.upper)),
                tone: None,
            });
            rows.push(vec![
                window.label.as_str().into(),
                name.as_str().into(),
                format.counts(value).into(),
                format.value(value.value).into(),
                format.interval(value.interval).into(),
            ]);
        }
        series.push(Series { name: name.clone(), points });
    }
    let view = latest(&report.windows);
    let ends = view.first().zip(view.last());
    // Events outside of the windows shown are left out of the chart.
    let inside = |x: &f64| {
        ends.is_some_and(|(first, last)| {
            (chart_time(report, first.start)..chart_time(report, last.end)).contains(x)
        })
    };
    let event_mark = |event: &RunEvent| Some((chart_time(report, event.effective_from?), event.text.clone()));
    let changes = report.divergence.models.iter().flat_map(|divergence| {
        change_marks(report, format, &divergence.model)
            .map(|(chart_time, text)| (chart_time, format!("{}: {text}", divergence.model)))
    });
    let columns = vec![
        Column::text("Window"),
        Column::text("Model"),
        Column::number("Pairs"),
        Column::number(format.name()),
        Column::number("95 % interval"),
    ];
    blocks.push(Block::Figure(Figure {
        title: format!("{} by window", format.name()),
        description: format!(
            "{} for each window, with 95 % intervals that are each valid for that window alone.{}",
            format.name(),
            omitted_windows_note(report.windows.len())
        ),
        chart: Chart::Series {
            y_label: axis(format),
            x_label: format!("window, {}", report.time_zone),
            series,
            bound: None,
            marks: bundle.events.iter().filter_map(event_mark).filter(|(x, _)| inside(x)).collect(),
            changes: changes.collect(),
        },
        table: folded("Data", columns, rows),
    }));
}

/// The change points of the metric of the divergence search for a model, as marks of a chart.
fn change_marks(
    report: &Report,
    format: &MetricFormat<'_>,
    model: &str,
) -> impl Iterator<Item = (f64, String)> {
    let model_divergence =
        report.divergence.models.iter().filter(move |divergence| divergence.model == model);
    model_divergence.flat_map(|divergence| divergence.change_points.iter().flatten()).map(|change| {
        let (before, after) = (format.value(Some(change.before)), format.value(Some(change.after)));
        (
            chart_time(report, change.at),
            format!("{}, from {before} to {after}", local_date(report, change.at)),
        )
    })
}
