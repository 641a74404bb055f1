//! The verdict with its reasons, the threshold beside what was found, and what the inputs looked like.
//!
//! Always holds: nothing is ruled here; figures that miss a bound are cut off and never rounded up to it.

use super::words::{at, beginning, folded, meaning, probability, searched, table, text, tone};
use crate::report::Report;
use crate::report::dossier::{Asked, Dossier, Happened};
use crate::report::measure::Measure;
use crate::report::number::{UNDEFINED, count, counted};
use crate::report::page::{Block, Cell, Chart, Column, Fact, Figure, Section, Series, SeriesPoint, Tone};
use crate::study::WHOLE;
use crate::verdict::{Contamination, Finding, Method, ModelVerdict, Ruling, Verdict, side};

/// The verdict and its reasons.
pub fn verdict(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    match (&dossier.verdict, &dossier.threshold) {
        (Some(verdict), _) => rulings(verdict, &dossier.overtaken_by, &mut blocks),
        (None, Some(_)) => blocks.push(text(
            "No verdict has been given. `understudy decide` reads it out of the threshold that was declared; then this \
             report shows it.",
        )),
        (None, None) => blocks.push(text(
            "The study declares no threshold. It measures, and permits nothing: a threshold has to be declared before the \
             first snapshot.",
        )),
    }
    blocks.push(text(
        "Agreement is not \"better\": it says how often, or how closely, a model would have done what was done.",
    ));
    Section { id: "verdict", title: "Verdict".to_owned(), blocks }
}

fn rulings(verdict: &Verdict, overtaken_by: &[String], blocks: &mut Vec<Block>) {
    let declared = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    blocks.push(text(format!("Declared on {declared}: {}.", verdict.threshold)));
    if verdict.first_snapshot.is_some_and(|first| first < verdict.sealed_at) {
        let what = "The records began before that: what they would say could have been known when the threshold was declared.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: what.to_owned() });
    }
    if !verdict.closed {
        let what = "The run had not ended: this is a look at it before its end.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: what.to_owned() });
    }
    if !overtaken_by.is_empty() {
        let what = format!(
            "The verdict below does not know of what came after it: {}. `understudy decide` gives it again.",
            overtaken_by.join("; ")
        );
        blocks.push(Block::Note { tone: Tone::Bad, text: what });
    }
    for ModelVerdict { model, scopes, .. } in &verdict.models {
        for ruling in scopes {
            blocks.push(Block::Heading(format!("{model}, {}", of_scope(ruling))));
            let word = format!("{}: {}", ruling.verdict.name(), meaning(ruling.verdict));
            blocks.push(Block::Note { tone: tone(ruling.verdict), text: word });
            blocks.push(Block::List(ruling.reasons.iter().map(|reason| reason.text.clone()).collect()));
        }
    }
}

fn of_scope(ruling: &Ruling) -> String {
    if ruling.scope == WHOLE { "all of the input".to_owned() } else { format!("scope {}", ruling.scope) }
}

/// The threshold beside what was found, window by window.
pub fn threshold(dossier: &Dossier, measures: &[Measure<'_>]) -> Section {
    let mut blocks = Vec::new();
    match (&dossier.verdict, &dossier.threshold) {
        (Some(verdict), _) => {
            blocks.push(text(format!("Asked: {}.", verdict.threshold)));
            for ModelVerdict { model, scopes, contamination } in &verdict.models {
                for ruling in scopes {
                    blocks.push(Block::Heading(format!("{model}, {}", of_scope(ruling))));
                    blocks.push(Block::Figure(by_window(dossier, measures, verdict, (model, ruling))));
                    facts(ruling, &mut blocks);
                }
                blocks.push(leak(model, contamination.as_ref()));
            }
        }
        (None, asked) => {
            if let Some(Asked { words, .. }) = asked {
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

fn facts(ruling: &Ruling, blocks: &mut Vec<Block>) {
    let mut facts = vec![
        Fact::new("Snapshots of these windows", count(ruling.snapshots)),
        Fact::new("Compared", counted(ruling.compared, "pair", "pairs")),
        Fact::new("Without an answer or a score", counted(ruling.unanswered, "pair", "pairs")),
        Fact::new("Together", finding(&ruling.together)),
    ];
    if let Some(chance) = ruling.chance {
        let kappa = chance.kappa.map_or_else(|| "not defined".to_owned(), cut);
        facts.push(Fact::new("Beyond chance, Cohen's kappa", kappa));
        facts.push(Fact::new("Share of the substrate's commonest answer", cut(chance.commonest)));
    }
    blocks.push(Block::Facts(facts));
}

fn by_window(
    dossier: &Dossier,
    measures: &[Measure<'_>],
    verdict: &Verdict,
    (model, ruling): (&str, &Ruling),
) -> Figure {
    let report = &dossier.report;
    let passes = |found: &Finding| found.value.map(|value| (value, found.interval));
    let points = verdict.windows.iter().zip(&ruling.windows).map(|(window, found)| SeriesPoint {
        label: window.label.clone(),
        x: at(report, window.start),
        value: passes(found).map(|(value, _)| value),
        band: found.interval.map(|bounds| (bounds.lower, bounds.upper)),
        tone: None,
    });
    let rows = verdict.windows.iter().zip(&ruling.windows).map(|(window, found)| {
        let part = if window.complete { "" } else { " (part)" };
        cells(&format!("{}{part}", window.label), found)
    });
    let head = vec![
        Column::text("Window"),
        Column::number("Pairs"),
        Column::number("Figure"),
        Column::number("Bounds"),
    ];
    let rows: Vec<Vec<Cell>> = rows.chain([cells("together", &ruling.together)]).collect();
    let how = match ruling.together.method {
        Some(Method::Sequence) => "Bounds of confidence sequences: they hold however often one looks",
        Some(Method::Jackknife) => "Bounds of a jackknife over groups of ids",
        Some(Method::Wilson) => "Wilson's bounds",
        None => "No bounds can be told",
    };
    let asked =
        |Asked { direction, bound, .. }: &Asked| (format!("asked: {} {bound}", side(*direction)), *bound);
    // What lies outside of the windows that count has no place in their chart.
    let shown = |(x, _): &(f64, String)| {
        let first = verdict.windows.first().map(|window| at(report, window.start));
        let last = verdict.windows.last().map(|window| at(report, window.end));
        first.zip(last).is_some_and(|(first, last)| (first..last).contains(x))
    };
    let since = |happened: &Happened| Some((at(report, happened.since?), happened.what.clone()));
    let marks = dossier.history.iter().filter_map(since).filter(shown);
    let measure = searched(report, measures)
        .filter(|measure| measure.name() == verdict.metric && ruling.scope == WHOLE);
    let changes = measure.into_iter().flat_map(|measure| changed(report, measure, model)).filter(shown);
    Figure {
        title: format!("{} by window", verdict.metric),
        description: format!(
            "{} of each window that counts, beside the bound that was declared. {how}, each at confidence {}.",
            verdict.metric, verdict.confidence
        ),
        chart: Chart::Series {
            y_label: verdict.metric.clone(),
            x_label: format!("window, {}", report.time_zone),
            series: vec![Series { name: ruling.scope.clone(), points: points.collect() }],
            bound: dossier.threshold.as_ref().map(asked),
            marks: marks.collect(),
            changes: changes.collect(),
        },
        table: folded("Data", head, rows),
    }
}

fn cells(label: &str, found: &Finding) -> Vec<Cell> {
    let pairs = match found.hits {
        Some(hits) => format!("{} of {}", count(hits), count(found.pairs)),
        None => count(found.pairs),
    };
    let bounds = found.interval.map_or_else(
        || UNDEFINED.to_owned(),
        |bounds| format!("{} to {}", cut(bounds.lower), cut(bounds.upper)),
    );
    let value = found.value.map_or_else(|| UNDEFINED.to_owned(), cut);
    vec![label.into(), pairs.into(), value.into(), bounds.into()]
}

fn finding(found: &Finding) -> String {
    match (found.value, found.hits) {
        (Some(value), Some(hits)) => format!("{} ({} of {})", cut(value), count(hits), count(found.pairs)),
        (Some(value), None) => format!("{} ({})", cut(value), counted(found.pairs, "pair", "pairs")),
        (None, _) => "not defined".to_owned(),
    }
}

/// To six places, cut off and not rounded: what misses a bound does not look as if it met it.
fn cut(value: f64) -> String {
    format!("{:.6}", (value * 1e6).trunc() / 1e6)
}

/// Whether a model's answers leak.
fn leak(model: &str, contamination: Option<&Contamination>) -> Block {
    let Some(Contamination { shown, blinded, difference }) = contamination else {
        return text(format!("{model}: no pair was blinded, so whether its answers leak was not tested."));
    };
    let figure = |found: &Finding| match found.value {
        Some(value) => format!("{} over {}", cut(value), counted(found.pairs, "pair", "pairs")),
        None => "no figure".to_owned(),
    };
    let told = match difference {
        None => "There are too few to tell.".to_owned(),
        Some(found) => format!(
            "The difference is {:+.4} ({:+.4} to {:+.4}); by chance it is as large with probability {}.",
            found.difference,
            found.interval.lower,
            found.interval.upper,
            probability(found.p_value)
        ),
    };
    text(format!(
        "Contamination, {model}: where the answer existed before the decision {}; where the model was asked only afterwards \
         {}. {told}",
        figure(shown),
        figure(blinded)
    ))
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
        for (window, figure) in report.windows.iter().zip(&scores.windows) {
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
            "{} of each window with 95 % intervals, each for a look at that window alone.",
            measure.name()
        ),
        chart: Chart::Series {
            y_label: measure.name().to_owned(),
            x_label: format!("window, {}", report.time_zone),
            series,
            bound: None,
            marks: Vec::new(),
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
        (at(report, change.at), format!("from {before} to {after}"))
    })
}

/// What the inputs looked like, beside what they were to look like.
pub fn representativeness(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    let verdict = dossier.verdict.as_ref();
    let inputs = verdict.map(|verdict| verdict.inputs.as_slice()).unwrap_or_default();
    let cycle = verdict.map(|verdict| verdict.cycle.as_slice()).unwrap_or_default();
    if inputs.is_empty() && cycle.is_empty() {
        blocks.push(text(match (&dossier.threshold, verdict) {
            (Some(_), None) => "It is told with the verdict, which has not been given.",
            _ => {
                "The study declares nothing that the inputs have to look like (`threshold.reference`, `threshold.cycle`), so \
                 it cannot be told whether they stand for what is to come."
            }
        }));
    }
    if !inputs.is_empty() {
        let rows = inputs.iter().map(|input| {
            let is_far = (input.share - input.reference).abs() > input.tolerance;
            let tone = if is_far { Tone::Bad } else { Tone::Good };
            vec![
                format!("{} = {}", input.condition, input.value).into(),
                count(input.snapshots).into(),
                Cell::from(format!("{:.4}", input.share)).toned(tone),
                format!("{:.4}", input.reference).into(),
                format!("{:.4}", input.tolerance).into(),
            ]
        });
        let columns = vec![
            Column::text("Inputs"),
            Column::number("Snapshots"),
            Column::number("Share"),
            Column::number("Reference"),
            Column::number("Tolerance"),
        ];
        blocks.push(Block::Table(table(
            "Shares of the snapshots of the windows that count",
            columns,
            rows.collect(),
        )));
    }
    if !cycle.is_empty() {
        let rows = cycle.iter().map(|value| {
            let tone = if value.occurrences < value.required { Tone::Unsure } else { Tone::Good };
            vec![
                value.value.as_str().into(),
                Cell::from(count(value.occurrences)).toned(tone),
                count(value.required).into(),
                count(value.pairs).into(),
            ]
        });
        let columns = vec![
            Column::text("Cycle"),
            Column::number("Came round"),
            Column::number("Asked"),
            Column::number("Compared pairs"),
        ];
        blocks.push(Block::Table(table(
            "What has come round in the windows that count",
            columns,
            rows.collect(),
        )));
    }
    Section { id: "representativeness", title: "Representativeness".to_owned(), blocks }
}
