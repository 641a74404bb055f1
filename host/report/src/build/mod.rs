//! From sums to figures.
//!
//! Always holds: every figure is the metric's own `reduce` of exact sums; nothing is averaged over averages. Before a run has
//! ended, its report tells of no single row.

mod answer_distribution;
mod disclosure;
mod divergence;
mod reducer;
pub mod reviews;
mod time;

use crate::build::disclosure::{LEAST, of_no_row};
use crate::build::divergence::Searcher;
use crate::build::reducer::Reducer;
use crate::build::time::{instant, zone};
use crate::model::report::{Condition, FORMAT, Figure, Metric, Model, Plugin, Report, Scores, Time, Window};
use understudy_engine::{Again, Incident, Member, Outcome, Prepared, Times, conditions};
use understudy_sandbox::{DeciderPlugin, File};
use understudy_statistics::scoring::{Slice, Totals, WindowClock};

/// The report of what a run left behind, with the plugins that ran.
pub fn build(outcome: &Outcome, prepared: &Prepared) -> Report {
    let study = &prepared.study;
    let clock = WindowClock::new(study.windows, study.time_zone.clone());
    let conditions = conditions(study);
    let conditions: Vec<Condition> = study
        .conditions
        .iter()
        .enumerate()
        .map(|(index, c)| Condition { name: c.name.clone(), values: conditions.values(index).to_vec() })
        .collect();
    let windows = outcome.cells.iter().map(|(window, _)| {
        let bounds = clock.bounds(window);
        Window { label: clock.label(window), start: instant(bounds.start), end: instant(bounds.end) }
    });
    let mut reducer = Reducer {
        scorers: prepared
            .cast
            .metrics
            .iter()
            .map(|part| (part.name.clone(), part.now().plugin.instance()))
            .collect(),
        incidents: outcome.incidents.clone(),
    };
    let searcher = Searcher::new(outcome, prepared, &mut reducer);
    let overall = outcome.cells.fold(outcome.cells.iter().map(|(window, _)| window));
    let models = prepared.models.iter().enumerate().map(|(model, member)| Model {
        plugin: decider(member),
        form: member.plugin.form,
        answered: outcome.models[model].answered,
        abstained: outcome.models[model].abstained,
        failed: outcome.models[model].failed,
        blinded: outcome.models[model].blinded,
        latency: outcome.models[model].latency,
        times: distribution(&outcome.times[model]),
        again: match outcome.end.is_final() {
            true => outcome.again[model].clone(),
            false => Again { first_id: String::new(), ..outcome.again[model].clone() },
        },
        scores: (0..prepared.metrics.len())
            .map(|metric| {
                let searched = (metric == study.divergence.metric).then_some(&searcher);
                scores(outcome, &overall, model, metric, searched, &mut reducer)
            })
            .collect(),
        spreads: spread::spreads(outcome, model),
    });
    let models = models.collect();
    let divergence = searcher.divergence(&mut reducer);
    let metrics = prepared.metrics.iter().enumerate().map(|(index, member)| Metric {
        plugin: plugin(&member.name, &member.plugin.title, &member.file),
        primary: index == study.primary,
        better: member.plugin.better,
        least: member.plugin.range.0,
        greatest: member.plugin.range.1,
        components: member.plugin.components.clone(),
    });
    Report {
        format: FORMAT,
        study: study.name.clone(),
        declaration: outcome.declaration.clone(),
        time_zone: zone(&study.time_zone),
        began: outcome.began,
        ended: outcome.ended,
        end: outcome.end.clone(),
        accounting: outcome.accounting,
        comparison: outcome.comparison,
        models,
        comparator: decider(&prepared.comparator),
        metrics: metrics.collect(),
        conditions,
        windows: windows.collect(),
        substrate_latency: outcome.substrate_latency,
        substrate_times: distribution(&outcome.substrate_times),
        divergence,
        replay_of: outcome.replay_of.clone(),
        incidents: match outcome.end.is_final() {
            true => sorted(reducer.incidents),
            false => sorted(of_no_row(reducer.incidents)),
        },
        refused: outcome.refused.clone(),
    }
}

/// The figures of a model by a metric; with intervals where it is the one that is searched.
fn scores(
    outcome: &Outcome,
    overall: &Totals,
    model: usize,
    metric: usize,
    searched: Option<&Searcher<'_>>,
    reducer: &mut Reducer,
) -> Scores {
    let mut figure = |totals: &Totals, value: Option<(usize, usize)>| {
        let slice = value.map_or(Slice::All, |(condition, value)| Slice::Value { condition, value });
        let figure = reducer.figure(totals, slice, model, metric);
        let interval = searched.and_then(|searcher| searcher.interval(model, value, reducer));
        Figure { interval, ..figure }
    };
    let told = |figure: Figure| match outcome.end.is_final() || figure.pairs >= LEAST {
        true => figure,
        false => Figure { pairs: figure.pairs, ..Figure::default() },
    };
    let of_all = figure(overall, None);
    let sizes = outcome.cells.shape().conditions.iter().enumerate();
    let conditions = sizes
        .map(|(condition, values)| {
            (0..*values).map(|value| told(figure(overall, Some((condition, value))))).collect()
        })
        .collect();
    let bounds = searched.map(|searcher| searcher.windows(model, reducer)).unwrap_or_default();
    let windows = outcome.cells.iter().enumerate().map(|(at, (_, totals))| {
        told(Figure {
            interval: bounds.get(at).copied().flatten(),
            ..reducer.figure(totals, Slice::All, model, metric)
        })
    });
    Scores { overall: of_all, conditions, windows: windows.collect() }
}

/// Shares at which a distribution is told.
const SHARES: [f64; 27] = [
    0.0, 0.001, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
    0.85, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 1.0,
];

fn distribution(times: &Times) -> Vec<Time> {
    let histogram = times.histogram();
    let point = |share: f64| Time { share, nanos: histogram.value_at_quantile(share) };
    if histogram.is_empty() { Vec::new() } else { SHARES.map(point).to_vec() }
}

/// The most frequent first.
fn sorted(mut incidents: Vec<Incident>) -> Vec<Incident> {
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.count));
    incidents
}

fn decider(member: &Member<DeciderPlugin>) -> Plugin {
    plugin(&member.name, &member.plugin.title, &member.file)
}

fn plugin(name: &str, title: &str, file: &ComponentFile) -> Plugin {
    Plugin { name: name.to_owned(), title: title.to_owned(), digest: file.digest.clone() }
}
