//! The threshold beside what was found, window by window; without a verdict, the searched metric by window.
//!
//! Always holds: nothing is ruled here; a figure that misses its bound does not look as if it met it; of more windows than
//! are shown it is said how many there are.

use crate::format::{UNDEFINED, count, counted, six_decimals};
use crate::metric_format::Measure;
use crate::model::bundle::{Asked, Dossier, Happened};
use crate::model::report::Report;
use crate::page::{Block, Cell, Chart, Column, Fact, Figure, Section, Series, SeriesPoint};
use crate::sections::helpers::{
    OFFLINE, at, axis, beginning, day, folded, latest, of_scope, rest_of, searched, short, text,
};
use understudy_statistics::scoring::Interval;
use understudy_statistics::verdict::{
    CountedWindow, Estimate, IntervalMethod, ModelVerdict, ScopeVerdict, Verdict, share, side,
};
use understudy_study::WHOLE;

/// The threshold beside what was found.
pub fn threshold(dossier: &Dossier, measures: &[Measure<'_>]) -> Section {
    let mut blocks = Vec::new();
    match (&dossier.verdict, &dossier.threshold) {
        (Some(verdict), Some(asked)) => {
            blocks.push(text(format!("Asked: {}.", asked.words)));
            let measure = measures.iter().find(|measure| measure.name() == verdict.metric);
            if let Some(measure) = measure {
                let shown = Shown { dossier, verdict, asked, measure };
                for ModelVerdict { model, scopes, .. } in &verdict.models {
                    for ruling in scopes {
                        blocks.push(Block::Heading(format!("{model}, {}", of_scope(ruling))));
                        blocks.push(Block::Figure(shown.by_window(measures, model, ruling)));
                        blocks.push(shown.facts(ruling));
                    }
                }
            }
        }
        (_, asked) => {
            if dossier.report.replay_of.is_some() {
                blocks.push(text(OFFLINE));
            } else if let Some(Asked { words, .. }) = asked {
                blocks.push(text(format!(
                    "Asked: {words}. Which windows count is settled by the verdict; here are all."
                )));
            }
            over_time(dossier, measures, &mut blocks);
        }
    }
    let title =
        if dossier.threshold.is_some() { "Threshold and what was found" } else { "Figures over time" };
    Section { id: "threshold", title: title.to_owned(), blocks }
}

/// A verdict, and what its figures are held against.
struct Shown<'d> {
    dossier: &'d Dossier,
    verdict: &'d Verdict,
    asked: &'d Asked,
    /// The threshold's metric.
    measure: &'d Measure<'d>,
}

impl Shown<'_> {
    fn facts(&self, ruling: &ScopeVerdict) -> Block {
        let mut facts = vec![
            Fact::new("Snapshots of these windows", count(ruling.snapshots)),
            Fact::new("Compared", counted(ruling.compared, "pair", "pairs")),
            Fact::new("Without an answer or a score", counted(ruling.unanswered, "pair", "pairs")),
            Fact::new("Together", self.finding(&ruling.together)),
        ];
        if let Some(chance) = ruling.chance {
            let kappa = chance.kappa.map_or_else(|| "not defined".to_owned(), six_decimals);
            facts.push(Fact::new("Beyond chance, Cohen's kappa", kappa));
            let commonest = six_decimals(chance.commonest);
            facts.push(Fact::new("Share of the substrate's commonest answer", commonest));
        }
        Block::Facts(facts)
    }

    fn by_window(&self, measures: &[Measure<'_>], model: &str, ruling: &ScopeVerdict) -> Figure {
        let Shown { dossier: Dossier { report, history, .. }, verdict, asked, measure } = self;
        let windows: Vec<(&CountedWindow, &Estimate)> = verdict.windows.iter().zip(&ruling.windows).collect();
        let windows = latest(&windows);
        let points = windows.iter().map(|(window, found)| SeriesPoint {
            label: window.label.clone(),
            x: at(report, window.start),
            value: found.value,
            band: found.interval.map(|bounds| (bounds.lower, bounds.upper)),
            tone: None,
        });
        let rows = windows.iter().map(|(window, found)| {
            let part = if window.complete { "" } else { " (part)" };
            self.cells(&format!("{}{part}", window.label), found)
        });
        let head = vec![
            Column::text("Window"),
            Column::number("Pairs"),
            Column::number("Figure"),
            Column::number("Bounds"),
        ];
        let rows: Vec<Vec<Cell>> = rows.chain([self.cells("together", &ruling.together)]).collect();
        let how = match ruling.together.method {
            Some(IntervalMethod::Sequence) => "Bounds of confidence sequences: they hold however often one looks",
            Some(IntervalMethod::Jackknife) => "Bounds of a jackknife over groups of ids",
            Some(IntervalMethod::Wilson) => "Wilson's bounds",
            None => "No bounds can be told",
        };
        // What lies outside of the windows that are shown has no place in their chart.
        let inside = |(x, _): &(f64, String)| {
            let ends = windows.first().zip(windows.last());
            ends.is_some_and(|((first, _), (last, _))| {
                (at(report, first.start)..at(report, last.end)).contains(x)
            })
        };
        let since = |happened: &Happened| Some((at(report, happened.since?), happened.what.clone()));
        let searched = searched(report, measures)
            .filter(|searched| searched.name() == verdict.metric && ruling.scope == WHOLE);
        let changes = searched.into_iter().flat_map(|searched| changed(report, searched, model));
        Figure {
            title: format!("{} by window", verdict.metric),
            description: format!(
                "{} of each window that counts, beside the bound that was declared. {how}, each at confidence {}.{}",
                verdict.metric,
                verdict.confidence,
                rest_of(verdict.windows.len())
            ),
            chart: Chart::Series {
                y_label: axis(measure),
                x_label: format!("window, {}", report.time_zone),
                series: vec![Series { name: ruling.scope.clone(), points: points.collect() }],
                bound: Some((format!("asked: {} {}", side(asked.direction), asked.bound), asked.bound)),
                marks: history.iter().filter_map(since).filter(inside).collect(),
                changes: changes.filter(inside).collect(),
            },
            table: folded("Data", head, rows),
        }
    }

    fn cells(&self, label: &str, found: &Estimate) -> Vec<Cell> {
        let pairs = match found.hits {
            Some(hits) => format!("{} of {}", count(hits), count(found.pairs)),
            None => count(found.pairs),
        };
        let shown = |bound| short(self.measure, bound, self.asked);
        let bounds = found.interval.map_or_else(
            || UNDEFINED.to_owned(),
            |Interval { lower, upper }| format!("{} to {}", shown(lower), shown(upper)),
        );
        let value = self.value(found).unwrap_or_else(|| UNDEFINED.to_owned());
        vec![label.into(), pairs.into(), value.into(), bounds.into()]
    }

    /// A figure; `None` where it is not defined.
    fn value(&self, found: &Estimate) -> Option<String> {
        match found.hits {
            Some(hits) => Some(share(hits, found.pairs)),
            None => Some(short(self.measure, found.value?, self.asked)),
        }
    }

    fn finding(&self, found: &Estimate) -> String {
        let Some(value) = self.value(found) else { return "not defined".to_owned() };
        match found.hits {
            Some(hits) => format!("{value} ({} of {})", count(hits), count(found.pairs)),
            None => format!("{value} ({})", counted(found.pairs, "pair", "pairs")),
        }
    }
}

/// Without a verdict: the searched metric by window.
fn over_time(dossier: &Dossier, measures: &[Measure<'_>], blocks: &mut Vec<Block>) {
    let report = &dossier.report;
    let Some(measure) = searched(report, measures) else { return };
    let mut rows = Vec::new();
    let mut series = Vec::new();
    for model in &report.models {
        let Some(scores) = measure.scores(model) else { continue };
        let name = &model.plugin.name;
        let mut points = Vec::new();
        let windows: Vec<_> = report.windows.iter().zip(&scores.windows).collect();
        for (window, figure) in latest(&windows) {
            points.push(SeriesPoint {
                label: window.label.clone(),
                x: beginning(report, window),
                value: figure.value,
                band: figure.interval.map(|bounds| (bounds.lower, bounds.upper)),
                tone: None,
            });
            rows.push(vec![
                window.label.as_str().into(),
                name.as_str().into(),
                measure.counts(figure).into(),
                measure.show(figure.value).into(),
                measure.bounds(figure.interval).into(),
            ]);
        }
        series.push(Series { name: name.clone(), points });
    }
    let shown = latest(&report.windows);
    let ends = shown.first().zip(shown.last());
    // What lies outside of the windows that are shown has no place in their chart.
    let inside = |x: &f64| {
        ends.is_some_and(|(first, last)| (at(report, first.start)..at(report, last.end)).contains(x))
    };
    let since = |happened: &Happened| Some((at(report, happened.since?), happened.what.clone()));
    let changes = report.divergence.models.iter().flat_map(|parted| {
        changed(report, measure, &parted.model).map(|(at, what)| (at, format!("{}: {what}", parted.model)))
    });
    let columns = vec![
        Column::text("Window"),
        Column::text("Model"),
        Column::number("Pairs"),
        Column::number(measure.name()),
        Column::number("95 % interval"),
    ];
    blocks.push(Block::Figure(Figure {
        title: format!("{} by window", measure.name()),
        description: format!(
            "{} of each window with 95 % intervals, each for a look at that window alone.{}",
            measure.name(),
            rest_of(report.windows.len())
        ),
        chart: Chart::Series {
            y_label: axis(measure),
            x_label: format!("window, {}", report.time_zone),
            series,
            bound: None,
            marks: dossier.history.iter().filter_map(since).filter(|(x, _)| inside(x)).collect(),
            changes: changes.collect(),
        },
        table: folded("Data", columns, rows),
    }));
}

/// When the searched metric of a model changed, and how.
fn changed(report: &Report, measure: &Measure<'_>, model: &str) -> impl Iterator<Item = (f64, String)> {
    let of_model = report.divergence.models.iter().filter(move |parted| parted.model == model);
    of_model.flat_map(|parted| parted.changes.iter().flatten()).map(|change| {
        let (before, after) = (measure.show(Some(change.before)), measure.show(Some(change.after)));
        (at(report, change.at), format!("{}, from {before} to {after}", day(report, change.at)))
    })
}
