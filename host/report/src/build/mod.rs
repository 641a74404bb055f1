//! Builds the report of a run from its sums.
//!
//! Invariants: every figure is the metric's own `reduce` of exact sums; no figure is an average of averages. An interim
//! report reveals nothing about a single row.

mod answer_distribution;
mod ceiling;
mod divergence;
mod reducer;
pub mod reviews;
mod revisions;
mod row_redaction;
mod run_summary;
mod timestamp_conversion;
mod window_breakdown;

use crate::build::answer_distribution::{answer_distributions, reliability};
use crate::build::divergence::DivergenceSearch;
use crate::build::reducer::Reducer;
use crate::build::row_redaction::{without_reasons, without_row_details};
use crate::build::run_summary::{
    determinism_summary, excluded_example, latency_summary, missing_answers, missing_values, plugin_failure,
    run_end, substrate_latency,
};
use crate::build::timestamp_conversion::{timestamp, zone_name};
use crate::build::window_breakdown::WindowBreakdownBuilder;
use crate::model::report::{
    ConditionInfo, FORMAT, LatencyQuantile, MetricInfo, MetricScores, MetricValue, ModelReport, PluginInfo,
    Report, WindowInfo,
};
use crate::model::run_summary::{MissingAnswers, PluginFailure};
use understudy_engine::{
    EndReason, LatencyHistogram, LoadedPlugin, RunResult, SealedStudy, conditions, ranking_order_remark,
};
use understudy_sandbox::{ComponentFile, DeciderPlugin};
use understudy_statistics::scoring::{
    AnswerHistogram, InterimFigures, InterimRules, Slice, Totals, WindowClock, may_show_interim,
};

/// The report of a run, with the plugins that ran at its end.
pub fn build(outcome: &RunResult, sealed_study: &SealedStudy) -> Report {
    let study = &sealed_study.study;
    let is_stopped = !outcome.end.is_final() && !matches!(outcome.end, EndReason::Interim { .. });
    let complete = is_stopped.then(|| outcome.through_complete_windows(study));
    let outcome = complete.as_ref().unwrap_or(outcome);
    let clock = WindowClock::new(study.windows, study.time_zone.clone());
    let conditions = conditions(study);
    let conditions: Vec<ConditionInfo> = study
        .conditions
        .iter()
        .enumerate()
        .map(|(index, c)| ConditionInfo { name: c.name.clone(), values: conditions.values(index).to_vec() })
        .collect();
    let windows = outcome.cells.iter().map(|(window, _)| {
        let bounds = clock.bounds(window);
        WindowInfo { label: clock.label(window), start: timestamp(bounds.start), end: timestamp(bounds.end) }
    });
    let mut reducer = Reducer {
        scorers: sealed_study
            .versions
            .metrics
            .iter()
            .map(|part| (part.name.clone(), part.current().plugin.instance()))
            .collect(),
        failures: outcome.failures.iter().map(plugin_failure).collect(),
    };
    let interim = (!outcome.end.is_final())
        .then(|| InterimRules::new(&outcome.cells, &outcome.evidence, study.scopes.len()));
    let interim = interim.as_ref();
    let search = DivergenceSearch::new(outcome, sealed_study, interim, &mut reducer);
    let broken_down = WindowBreakdownBuilder::new(outcome, sealed_study, &search, interim, &mut reducer);
    let overall = outcome.cells.fold(outcome.cells.iter().map(|(window, _)| window));
    let models = sealed_study.models.iter().enumerate().map(|(model, member)| ModelReport {
        plugin: decider(member),
        training_period: study.models[model].training_period,
        form: member.plugin.form,
        answered: outcome.models[model].answered,
        abstained: outcome.models[model].abstained,
        failed: outcome.models[model].failed,
        blinded: outcome.models[model].blinded,
        latency: latency_summary(outcome.models[model].latency),
        latency_quantiles: latency_quantiles(&outcome.times[model]),
        determinism_check: determinism_summary(&outcome.determinism[model], outcome.end.is_final()),
        scores: (0..sealed_study.metrics.len())
            .map(|metric| {
                let search = (metric == study.divergence.metric).then_some(&search);
                let interim = interim.map(|interim| interim.model(model));
                let scores =
                    scores((outcome, sealed_study), &overall, model, metric, (search, interim), &mut reducer);
                MetricScores {
                    conditions_by_window: broken_down.conditions(model, metric, &mut reducer),
                    scopes_by_window: broken_down.scopes(model, metric, &mut reducer),
                    remark: remark(outcome, sealed_study, model, metric),
                    ..scores
                }
            })
            .collect(),
        answer_distributions: answer_distributions(
            outcome,
            model,
            interim.map(|interim| interim.model(model)),
        ),
        reliability: if interim.is_none() { reliability(outcome, model) } else { Vec::new() },
    });
    let models = models.collect();
    let window_breakdown = broken_down.summary();
    let revisions = revisions::revisions(outcome, sealed_study, interim, &mut reducer);
    let divergence = search.report(&mut reducer);
    let metrics = sealed_study.metrics.iter().enumerate().map(|(index, member)| MetricInfo {
        plugin: plugin(&member.name, &member.plugin.title, &member.file),
        primary: index == study.primary,
        better: member.plugin.better,
        minimum: member.plugin.range.0,
        maximum: member.plugin.range.1,
        components: member.plugin.components.clone(),
    });
    Report {
        format: FORMAT,
        study: study.name.clone(),
        metadata: study.metadata.clone(),
        follow_up: study.follow_up.clone(),
        declaration_digest: outcome.declaration.clone(),
        time_zone: zone_name(&study.time_zone),
        started_at: outcome.began,
        ended_at: outcome.ended,
        end: run_end(&outcome.end),
        accounting: outcome.accounting,
        input_diagnosis: outcome.diagnosis.clone(),
        comparison: outcome.comparison,
        revisions,
        ceiling: ceiling::ceiling(outcome, sealed_study, interim),
        models,
        comparator: decider(&sealed_study.comparator),
        metrics: metrics.collect(),
        conditions,
        windows: windows.collect(),
        window_breakdown,
        substrate_latency: substrate_latency(outcome.substrate_latency),
        substrate_latency_quantiles: latency_quantiles(&outcome.substrate_times),
        divergence,
        replay_of: outcome.replay_of.clone(),
        missing_answers: {
            let groups = in_declared_order(outcome, sealed_study);
            if outcome.end.is_final() { groups } else { without_reasons(groups) }
        },
        failures: match outcome.end.is_final() {
            true => sorted(reducer.failures),
            false => sorted(without_row_details(reducer.failures)),
        },
        missing_values: missing_values(outcome, study),
        excluded: outcome.exclusions.iter().map(|record| excluded_example(record, study)).collect(),
    }
}

/// The figures of a model for a metric. `search` is given for the metric of the divergence search, which has intervals.
/// `interim` says which figures may be shown before the end of a run.
fn scores(
    (outcome, sealed_study): (&RunResult, &SealedStudy),
    overall: &Totals,
    model: usize,
    metric: usize,
    (search, interim): (Option<&DivergenceSearch<'_>>, Option<&InterimFigures>),
    reducer: &mut Reducer,
) -> MetricScores {
    let mut metric_value = |totals: &Totals, value: Option<(usize, usize)>| {
        let slice = value.map_or(Slice::All, |(condition, value)| Slice::Value { condition, value });
        let value_only = reducer.metric_value(totals, slice, model, metric);
        let interval = search.and_then(|search| search.interval(model, value, reducer));
        MetricValue { interval, ..value_only }
    };
    let is_metric_shown = interim.is_none() || is_shown_early(sealed_study, metric);
    let shown = |is_shown: bool, value: MetricValue| match is_shown && is_metric_shown {
        true => value,
        false => withheld(&value),
    };
    let total = metric_value(overall, None);
    let total = shown(interim.is_none_or(InterimFigures::shows_all), total);
    let sizes = outcome.cells.shape().conditions.iter().enumerate();
    let conditions = sizes
        .map(|(condition, values)| {
            let value = |value| {
                let is_shown = interim.is_none_or(|interim| interim.shows_value(condition, value));
                shown(is_shown, metric_value(overall, Some((condition, value))))
            };
            (0..*values).map(value).collect()
        })
        .collect();
    let bounds = search.map(|search| search.window_intervals(model, reducer)).unwrap_or_default();
    let windows = outcome.cells.iter().enumerate().map(|(at, (window, totals))| {
        let interval = bounds.get(at).copied().flatten();
        let value = reducer.metric_value(totals, Slice::All, model, metric);
        shown(interim.is_none_or(|interim| interim.shows_window(window)), MetricValue { interval, ..value })
    });
    MetricScores {
        overall: total,
        conditions,
        windows: windows.collect(),
        conditions_by_window: Vec::new(),
        scopes_by_window: Vec::new(),
        remark: None,
    }
}

/// Whether the figures of a metric of the study may be shown before the end of a run.
fn is_shown_early(sealed_study: &SealedStudy, metric: usize) -> bool {
    let components = sealed_study.metrics[metric].plugin.components.len();
    may_show_interim(sealed_study.comparator.plugin.form, components)
}

/// A figure of which only the pairs and the missing answers are shown.
fn withheld(value: &MetricValue) -> MetricValue {
    let MetricValue { pairs, abstained, failed, .. } = *value;
    MetricValue { pairs, abstained, failed, ..MetricValue::default() }
}

/// A remark on figures of rankings that are too short for the metric to see their order.
fn remark(outcome: &RunResult, sealed_study: &SealedStudy, model: usize, metric: usize) -> Option<String> {
    let AnswerHistogram::Rankings(positions) = outcome.answer_distributions.fold(model, |_| true) else {
        return None;
    };
    let config = &sealed_study.study.metrics[metric].config;
    ranking_order_remark(&sealed_study.versions.metrics[metric].current().plugin, config, positions.longest)
}

/// Shares at which a latency distribution is reported: dense in the middle and at the upper tail.
const SHARES: [f64; 27] = [
    0.0, 0.001, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
    0.85, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 1.0,
];

/// The latency distribution at [`SHARES`]; empty if nothing was measured.
fn latency_quantiles(times: &LatencyHistogram) -> Vec<LatencyQuantile> {
    let histogram = times.histogram();
    let point = |share: f64| LatencyQuantile { share, nanos: histogram.value_at_quantile(share) };
    if histogram.is_empty() { Vec::new() } else { SHARES.map(point).to_vec() }
}

/// Missing answers of the comparator, then of each model.
fn in_declared_order(outcome: &RunResult, sealed_study: &SealedStudy) -> Vec<MissingAnswers> {
    let models = sealed_study.models.iter().map(|model| &model.name);
    let plugins = std::iter::once(&sealed_study.comparator.name).chain(models);
    plugins
        .flat_map(|plugin| outcome.unanswered.iter().filter(move |group| group.plugin == *plugin))
        .map(missing_answers)
        .collect()
}

/// Failures, the most frequent first.
fn sorted(mut failures: Vec<PluginFailure>) -> Vec<PluginFailure> {
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}

fn decider(member: &LoadedPlugin<DeciderPlugin>) -> PluginInfo {
    plugin(&member.name, &member.plugin.title, &member.file)
}

fn plugin(name: &str, title: &str, file: &ComponentFile) -> PluginInfo {
    PluginInfo { name: name.to_owned(), title: title.to_owned(), digest: file.digest.clone() }
}
