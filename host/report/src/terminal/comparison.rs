//! Models side by side, in a terminal.
//!
//! Always holds: a difference is shown with its bounds; a model is said to be closer to the substrate, or further from it,
//! only where both bounds say so, and never to be better.

use crate::format::{UNDEFINED, count, counted, significant, six_decimals};
use crate::model::comparison::{Agreement, Beside, MetricPair, Part, SideBySide};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use understudy_sandbox::Better;

/// Models side by side, as text.
pub fn side_by_side(found: &SideBySide, style: Style) -> String {
    let mut page = Page::new(style);
    let runs: Vec<&str> = found.runs.iter().map(|run| run.run.as_str()).collect();
    page.line(0, &[Span::new(Ink::Title, runs.join(" and "))]);
    page.paragraph(
        0,
        Ink::Plain,
        &format!("Over the {} that all have.", counted(found.pairs, "pair", "pairs")),
        2,
    );
    for run in found.runs.iter().filter(|run| run.only_here > 0) {
        let only = counted(run.only_here, "pair is", "pairs are");
        page.paragraph(0, Ink::Notice, &format!("{only} only in {}, and in no figure here.", run.run), 3);
    }
    if !found.same_comparator {
        let text = "THE COMPARATORS DIFFER: each run's models are set beside the decisions as its own comparator takes them.";
        page.paragraph(0, Ink::Notice, text, 3);
    }
    for beside in &found.others {
        other(&mut page, found, beside);
    }
    page.blank();
    let closing = format!(
        "Differences are the other's figure less the reference's, over the same pairs; each bound at {}, by a jackknife over \
         groups of ids. What has fewer than five pairs is left out. Closer to the substrate is not \"better\": it says who would have done more of what was done.",
        found.confidence
    );
    page.paragraph(0, Ink::Plain, &closing, 5);
    page.finish()
}

fn other(page: &mut Page, found: &SideBySide, beside: &Beside) {
    let [reference, other] = [&found.reference, &beside.model].map(|model| match found.runs.len() {
        1 => model.plugin.name.clone(),
        _ => format!("{} of {}", model.plugin.name, model.run),
    });
    page.section(&format!("{other} beside {reference}"), "");
    let [whole, parts @ ..] = &beside.parts[..] else { return };
    let mut table = Table::new(COLUMNS);
    table.head(heads("  metric"));
    for metric in &whole.metrics {
        table.row(cells(format!("  {}", metric.metric), metric));
    }
    table.print(page);
    for metric in &whole.metrics {
        page.paragraph(2, Ink::Plain, &reading(metric, &other, &reference), 3);
    }
    if let Some(agreement) = whole.agreement {
        page.paragraph(2, Ink::Plain, &in_words(&agreement, &other, &reference), 3);
    }
    for (at, metric) in whole.metrics.iter().enumerate().filter(|_| !parts.is_empty()) {
        page.blank();
        by_condition(page, parts, at, &metric.metric);
    }
}

const COLUMNS: [Align; 7] =
    [Align::Left, Align::Right, Align::Point, Align::Point, Align::Point, Align::Left, Align::Right];

fn heads(first: &str) -> [Span; 7] {
    [first, "pairs", "reference", "other", "difference", "bounds", "p"]
        .map(|head| Span::new(Ink::Faint, head))
}

fn cells(name: String, metric: &MetricPair) -> [Span; 7] {
    let figure = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), shown);
    let bounds =
        metric.interval.map(|interval| format!("{} to {}", shown(interval.lower), shown(interval.upper)));
    let ink = if told(metric).is_some() { Ink::Title } else { Ink::Plain };
    [
        name.into(),
        count(metric.pairs).into(),
        figure(metric.reference).into(),
        figure(metric.other).into(),
        Span::new(ink, figure(metric.difference)),
        bounds.unwrap_or_else(|| UNDEFINED.to_owned()).into(),
        metric.p_value.map_or_else(|| UNDEFINED.to_owned(), probability).into(),
    ]
}

/// The values of the conditions, by one metric.
fn by_condition(page: &mut Page, parts: &[Part], at: usize, metric: &str) {
    let mut table = Table::new(COLUMNS);
    table.head(heads(&format!("  {metric} by")));
    let mut last = None;
    for part in parts.iter().filter(|part| part.pairs > 0) {
        let (Some(condition), Some(value)) = (&part.condition, &part.value) else { continue };
        if last != Some(condition) {
            table.line(2, [condition.as_str().into()]);
            last = Some(condition);
        }
        table.row(cells(format!("    {value}"), &part.metrics[at]));
    }
    table.print(page);
}

/// Whether the other is closer to the substrate (`true`) or further from it; `None` where the bounds do not say.
fn told(metric: &MetricPair) -> Option<bool> {
    let interval = metric.interval?;
    let more = match (interval.lower > 0.0, interval.upper < 0.0) {
        (true, _) => true,
        (_, true) => false,
        _ => return None,
    };
    Some(more == (metric.better == Better::Higher))
}

fn reading(metric: &MetricPair, other: &str, reference: &str) -> String {
    let name = &metric.metric;
    match told(metric) {
        Some(true) => format!("By {name}, {other} is closer to the substrate than {reference}."),
        Some(false) => format!("By {name}, {other} is further from the substrate than {reference}."),
        None => format!("By {name}, these pairs do not tell which of the two is closer to the substrate."),
    }
}

fn in_words(agreement: &Agreement, other: &str, reference: &str) -> String {
    let Agreement { both, only_reference, only_other, neither } = agreement;
    format!(
        "With the substrate agree both in {}, only {reference} in {}, only {other} in {}, neither in {}.",
        count(*both),
        count(*only_reference),
        count(*only_other),
        count(*neither)
    )
}

fn shown(value: f64) -> String {
    if value.abs() <= 1.0 { six_decimals(value) } else { significant(value, 6) }
}

fn probability(p: f64) -> String {
    if p >= 0.0001 { format!("{p:.4}") } else { format!("{p:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::comparison::{Compared, ModelOf};
    use crate::model::report::Plugin;
    use understudy_statistics::scoring::Interval;

    fn metric(name: &str, better: Better, bounds: Option<(f64, f64)>) -> MetricPair {
        MetricPair {
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

    fn found(runs: &[&str]) -> SideBySide {
        let model = |run: &str, name: &str| ModelOf {
            run: run.into(),
            plugin: Plugin { name: name.into(), title: format!("{name} 0.1.0"), digest: "3f".repeat(32) },
        };
        let agreement = Agreement { both: 6_000, only_reference: 6_293, only_other: 400, neither: 2_709 };
        let metrics = vec![
            metric("agreement", Better::Higher, Some((-0.4, -0.36))),
            metric("error", Better::Lower, Some((-3.5, -2.5))),
            metric("kappa", Better::Higher, Some((-0.01, 0.02))),
            metric("undefined", Better::Higher, None),
        ];
        let whole = Part { condition: None, value: None, pairs: 15_402, agreement: Some(agreement), metrics };
        let part = |value: &str, pairs: u64| Part {
            condition: Some("day".into()),
            value: Some(value.into()),
            pairs,
            ..whole.clone()
        };
        let parts = vec![whole.clone(), part("weekday", 11_002), part("weekend", 4_400), part("missing", 0)];
        let compared = |run: &&str| Compared {
            run: (*run).to_owned(),
            study: "hotel-rooms".into(),
            pairs: 15_402,
            only_here: runs.len() as u64 - 1,
        };
        SideBySide {
            format: 1,
            confidence: 0.95,
            runs: runs.iter().map(compared).collect(),
            pairs: 15_402,
            same_comparator: runs.len() == 1,
            reference: model(runs[0], "booked-room"),
            others: vec![Beside { model: model(runs[runs.len() - 1], "room-rules"), parts }],
        }
    }

    #[test]
    fn two_models_of_a_run() {
        insta::assert_snapshot!(side_by_side(&found(&["runs/hotel"]), Style { width: 100, color: false }));
    }

    #[test]
    fn two_runs_say_what_they_have_not_in_common() {
        let text = side_by_side(&found(&["runs/hotel", "runs/what-if"]), Style { width: 100, color: false });
        let head: Vec<&str> = text.lines().take(7).collect();
        insta::assert_snapshot!(head.join("\n"));
    }
}
