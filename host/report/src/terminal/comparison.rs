//! Renders a comparison of models as text.
//!
//! Invariants: every difference is shown with its interval. A model is called closer to the substrate, or farther
//! from it, only if the interval excludes zero. No model is called better.

use crate::format::{UNDEFINED, count, counted, interval_text, number_text, p_value};
use crate::model::comparison::{
    AgreementCounts, ComparedModel, ComparisonSlice, MetricDifference, ModelComparison,
};
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use understudy_sandbox::Better;

/// A comparison of models as text.
pub fn render_comparison(found: &ModelComparison, style: Style) -> String {
    let mut page = Page::new(style);
    let runs: Vec<&str> = found.runs.iter().map(|run| run.run.as_str()).collect();
    page.line(0, &[Span::new(Ink::Title, runs.join(" and "))]);
    page.paragraph(
        0,
        Ink::Plain,
        &format!("Computed over the {} that all models have.", counted(found.pairs, "pair", "pairs")),
    );
    for run in found.runs.iter().filter(|run| run.unmatched_pairs > 0) {
        let only = counted(run.unmatched_pairs, "pair is", "pairs are");
        page.paragraph(0, Ink::Notice, &format!("{only} only in {} and excluded here.", run.run));
    }
    if !found.same_comparator {
        let text = "THE COMPARATORS DIFFER: the models of each run are compared with the decisions as its own comparator reads them.";
        page.paragraph(0, Ink::Notice, text);
    }
    for model in &found.others {
        compared_model(&mut page, found, model);
    }
    page.blank();
    let closing = format!(
        "A difference is the other model's value minus the reference model's, over the same pairs. The confidence of each \
         bound is {}, by a jackknife over groups of ids. Condition values with fewer than five pairs are omitted. Closer to \
         the substrate does not mean \"better\": it means that more of the same decisions would have been made.",
        found.confidence
    );
    page.paragraph(0, Ink::Plain, &closing);
    page.finish()
}

fn compared_model(page: &mut Page, found: &ModelComparison, model: &ComparedModel) {
    let [reference, other] = [&found.reference, &model.model].map(|model| match found.runs.len() {
        1 => model.plugin.name.clone(),
        _ => format!("{} of {}", model.plugin.name, model.run),
    });
    page.section(&format!("{other} compared with {reference}"), "");
    let [whole, slices @ ..] = &model.slices[..] else { return };
    let mut table = TextTable::new(COLUMNS);
    table.head(heads("  metric"));
    for metric in &whole.metrics {
        table.row(cells(format!("  {}", metric.metric).into(), metric));
    }
    table.print(page);
    for metric in &whole.metrics {
        page.paragraph(2, Ink::Plain, &conclusion(metric, &other, &reference));
    }
    if let Some(agreement) = whole.agreement {
        page.paragraph(2, Ink::Plain, &agreement_text(&agreement, &other, &reference));
    }
    for (at, metric) in whole.metrics.iter().enumerate().filter(|_| !slices.is_empty()) {
        page.blank();
        by_condition(page, slices, at, &metric.metric);
    }
}

const COLUMNS: [Align; 7] =
    [Align::Left, Align::Right, Align::Point, Align::Point, Align::Point, Align::Left, Align::Right];

fn heads(first: &str) -> [Span; 7] {
    [first, "pairs", "reference", "other", "difference", "interval", "p-value"]
        .map(|head| Span::new(Ink::Faint, head))
}

fn cells(name: Span, metric: &MetricDifference) -> [Span; 7] {
    let figure = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), number_text);
    let bounds = metric.interval.map(|interval| interval_text(interval, number_text));
    let ink = if is_closer(metric).is_some() { Ink::Title } else { Ink::Plain };
    [
        name,
        count(metric.pairs).into(),
        figure(metric.reference).into(),
        figure(metric.other).into(),
        Span::new(ink, figure(metric.difference)),
        bounds.unwrap_or_else(|| UNDEFINED.to_owned()).into(),
        metric.p_value.map_or_else(|| UNDEFINED.to_owned(), p_value).into(),
    ]
}

/// One metric for each value of each condition.
fn by_condition(page: &mut Page, slices: &[ComparisonSlice], at: usize, metric: &str) {
    let mut table = TextTable::new(COLUMNS);
    table.head(heads(&format!("  {metric} by")));
    let mut last = None;
    for slice in slices.iter().filter(|slice| slice.pairs > 0) {
        let (Some(condition), Some(value)) = (&slice.condition, &slice.value) else { continue };
        if last != Some(condition) {
            table.line(2, [condition.as_str().into()]);
            last = Some(condition);
        }
        table.row(cells(Span::value(Ink::Plain, value).indented(4), &slice.metrics[at]));
    }
    table.print(page);
}

/// Whether the other model is closer to the substrate (`true`) or farther from it; `None` if the interval includes 0.
fn is_closer(metric: &MetricDifference) -> Option<bool> {
    let interval = metric.interval?;
    let more = match (interval.lower > 0.0, interval.upper < 0.0) {
        (true, _) => true,
        (_, true) => false,
        _ => return None,
    };
    Some(more == (metric.better == Better::Higher))
}

fn conclusion(metric: &MetricDifference, other: &str, reference: &str) -> String {
    let name = &metric.metric;
    match is_closer(metric) {
        Some(true) => format!("By {name}, {other} is closer to the substrate than {reference}."),
        Some(false) => format!("By {name}, {other} is farther from the substrate than {reference}."),
        None => format!("By {name}, these pairs do not show which of the two is closer to the substrate."),
    }
}

fn agreement_text(agreement: &AgreementCounts, other: &str, reference: &str) -> String {
    let AgreementCounts { both, only_reference, only_other, neither } = agreement;
    format!(
        "Pairs that agree with the substrate: both models {}, only {reference} {}, only {other} {}, neither {}.",
        count(*both),
        count(*only_reference),
        count(*only_other),
        count(*neither)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::comparison::{ComparedRun, RunModel};
    use crate::model::report::PluginInfo;
    use understudy_statistics::scoring::Interval;

    fn metric(name: &str, better: Better, bounds: Option<(f64, f64)>) -> MetricDifference {
        MetricDifference {
            metric: name.into(),
            better,
            pairs: 15_402,
            reference: Some(0.75),
            other: bounds.map(|(lower, upper)| 0.75 + (lower + upper) / 2.0),
            difference: bounds.map(|(lower, upper)| (lower + upper) / 2.0),
            interval: bounds.map(|(lower, upper)| Interval { lower, upper }),
            p_value: bounds.map(|_| 3e-7),
        }
    }

    fn found(runs: &[&str]) -> ModelComparison {
        let model = |run: &str, name: &str| RunModel {
            run: run.into(),
            plugin: PluginInfo { name: name.into(), title: format!("{name} 0.1.0"), digest: "3f".repeat(32) },
        };
        let agreement =
            AgreementCounts { both: 6_000, only_reference: 6_293, only_other: 400, neither: 2_709 };
        let metrics = vec![
            metric("agreement", Better::Higher, Some((-0.4, -0.36))),
            metric("error", Better::Lower, Some((-3.5, -2.5))),
            metric("kappa", Better::Higher, Some((-0.01, 0.02))),
            metric("undefined", Better::Higher, None),
        ];
        let whole = ComparisonSlice {
            condition: None,
            value: None,
            pairs: 15_402,
            agreement: Some(agreement),
            metrics,
        };
        let slice = |value: &str, pairs: u64| ComparisonSlice {
            condition: Some("day".into()),
            value: Some(value.into()),
            pairs,
            ..whole.clone()
        };
        let slices =
            vec![whole.clone(), slice("weekday", 11_002), slice("weekend", 4_400), slice("missing", 0)];
        let compared = |run: &&str| ComparedRun {
            run: (*run).to_owned(),
            study: "hotel-rooms".into(),
            pairs: 15_402,
            unmatched_pairs: runs.len() as u64 - 1,
        };
        ModelComparison {
            format: 2,
            confidence: 0.95,
            runs: runs.iter().map(compared).collect(),
            pairs: 15_402,
            same_comparator: runs.len() == 1,
            reference: model(runs[0], "booked-room"),
            others: vec![ComparedModel { model: model(runs[runs.len() - 1], "room-rules"), slices }],
        }
    }

    #[test]
    fn two_models_of_a_run() {
        insta::assert_snapshot!(render_comparison(
            &found(&["runs/hotel"]),
            Style { width: 100, color: false }
        ));
    }

    #[test]
    fn two_runs_list_their_unmatched_pairs() {
        let text =
            render_comparison(&found(&["runs/hotel", "runs/what-if"]), Style { width: 100, color: false });
        let head: Vec<&str> = text.lines().take(7).collect();
        insta::assert_snapshot!(head.join("\n"));
    }
}
