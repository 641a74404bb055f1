//! Renders a verdict as text.
//!
//! Invariants: nothing is decided or computed here. GO permits a canary and nothing more.

use crate::bounds_text::{bounds_text, missing_intervals};
use crate::ceiling_text::ceiling_share_text;
use crate::format::{counted, interval_text, number_text, p_value, verdict_meaning};
use crate::shared_level_text::level_sentence;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use crate::terminal::verdict_account::{guards, verdict_account};
use crate::value_text::value_text;
use crate::verdict_groups::{VerdictGroup, verdict_groups};
use understudy_statistics::verdict::{
    BaselineGain, BaselineGains, ChanceAgreement, ChanceMeasure, Contamination, Estimate, ModelVerdict,
    ScopeVerdict, TESTED_LATER, Verdict, VerdictKind, format_confidence, format_share, untestable_sentence,
};
use understudy_study::{ALL_SNAPSHOTS, short_digest};

/// The maximum number of windows shown, the latest ones.
const MAX_WINDOWS: usize = 60;

/// The verdict as text, for the given model and scope, or for all of them.
pub fn render_verdict(verdict: &Verdict, model: Option<&str>, scope: Option<&str>, style: Style) -> String {
    let mut page = Page::new(style);
    for group in verdict_groups(verdict, model, scope) {
        headline(&mut page, &group);
    }
    for note in &verdict.notes {
        page.paragraph(0, Ink::Notice, note);
    }
    page.line(
        0,
        &[Span::new(Ink::Title, &verdict.study), "  seal ".into(), short_digest(&verdict.seal).into()],
    );
    let when = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    page.paragraph(0, Ink::Plain, &format!("Declared on {when}: {}.", verdict.threshold));
    if verdict.first_snapshot.is_some_and(|first| first < verdict.sealed_at) {
        let past = "THE RECORDS START BEFORE THAT: their results may have been known when the threshold was declared.";
        page.paragraph(0, Ink::Notice, past);
    }
    if !verdict.closed {
        let early = "The run has not ended: this is an interim verdict.";
        page.paragraph(0, Ink::Notice, early);
    }
    for model_verdict in verdict.models.iter().filter(|found| model.is_none_or(|name| found.model == name)) {
        for found in model_verdict.scopes.iter().filter(|found| scope.is_none_or(|name| found.scope == name))
        {
            scope_verdict(&mut page, verdict, model_verdict, found, scope.is_some());
        }
        if let Some(contamination) = &model_verdict.contamination {
            contamination_test(&mut page, &model_verdict.model, contamination);
        } else {
            let untested = "No pairs were blinded, so contamination was not tested.";
            page.paragraph(2, Ink::Faint, untested);
        }
    }
    shared_inputs(&mut page, verdict);
    verdict_account(&mut page, verdict);
    guards(&mut page, verdict, model, scope);
    page.blank();
    let closing = "GO means \"safe to try on canary\". It does not mean that the model is better, but that it agrees with the decisions \
                   as closely as the threshold requires.";
    page.paragraph(0, Ink::Plain, closing);
    page.finish()
}

/// The verdicts of a group with their main reasons, in one sentence or one line for each.
fn headline(page: &mut Page, group: &VerdictGroup<'_>) {
    let ink = verdict_ink(group.kind);
    let head = format!("{}, {}", group.title(), verdict_meaning(group.kind));
    let more = |ruling: &ScopeVerdict| match ruling.reasons.len() {
        0 | 1 => String::new(),
        reasons => format!(" (1 of {reasons} reasons)"),
    };
    match (&group.members[..], group.common_reason()) {
        ([(_, ruling)], Some(reason)) => page.paragraph(0, ink, &format!("{head}: {reason}{}", more(ruling))),
        (_, Some(reason)) => page.paragraph(0, ink, &format!("{head}: {reason}")),
        (members, None) => {
            page.paragraph(0, ink, &format!("{head}:"));
            for (name, ruling) in members {
                page.paragraph(2, ink, &format!("{name}: {}{}", ruling.main_reason(), more(ruling)));
            }
        }
    }
}

fn verdict_ink(kind: VerdictKind) -> Ink {
    match kind {
        VerdictKind::Go => Ink::Title,
        VerdictKind::NoGo | VerdictKind::Void => Ink::Alarm,
        VerdictKind::Inconclusive => Ink::Notice,
    }
}

/// The verdict for one model and one scope.
fn scope_verdict(
    page: &mut Page,
    verdict: &Verdict,
    model: &ModelVerdict,
    ruling: &ScopeVerdict,
    in_full: bool,
) {
    let whole = ruling.scope == ALL_SNAPSHOTS;
    let scope = if whole { "all of the input".to_owned() } else { format!("scope {}", ruling.scope) };
    page.section(&format!("{}, {scope}", model.model), "");
    page.line(
        2,
        &[
            Span::new(verdict_ink(ruling.verdict), ruling.verdict.name()),
            format!(": {}", verdict_meaning(ruling.verdict)).into(),
        ],
    );
    for reason in &ruling.reasons {
        page.paragraph(2, Ink::Plain, &format!("- {}", reason.text));
    }
    page.paragraph(
        2,
        Ink::Faint,
        &format!(
            "{} in the windows of the threshold, {}, {} without an answer or a score",
            counted(ruling.snapshots, "snapshot", "snapshots"),
            counted(ruling.compared, "compared pair", "compared pairs"),
            counted(ruling.unanswered, "pair", "pairs")
        ),
    );
    if let Some(chance) = &ruling.chance {
        page.paragraph(2, Ink::Plain, &chance_agreement(chance, verdict.closed));
    }
    if let Some(baselines) = &ruling.baselines {
        page.paragraph(2, Ink::Plain, &compared_pairs(baselines));
        for gain in &baselines.gains {
            page.paragraph(2, Ink::Plain, &baseline_gain(baselines, gain));
        }
    }
    if let Some(ceiling) = &ruling.ceiling {
        page.paragraph(2, Ink::Plain, &ceiling_share_text(ceiling));
    }
    if let Some(remark) = &model.remark {
        page.paragraph(2, Ink::Notice, &format!("{}: {remark}", verdict.metric));
    }
    match ruling.windows.is_empty() {
        true => {}
        false if whole || in_full => windows(page, verdict, ruling),
        false => {
            let table = format!(
                "The table of windows of this scope: `understudy decide RUN --scope {}`",
                ruling.scope
            );
            page.paragraph(2, Ink::Faint, &table);
        }
    }
}

/// The agreement beyond chance, in one sentence.
fn chance_agreement(chance: &ChanceAgreement, is_closed: bool) -> String {
    let absent = if is_closed { "not defined" } else { "withheld until the run is closed" };
    let kappa = chance.kappa.map_or_else(|| absent.to_owned(), number_text);
    let measure = match chance.measure {
        ChanceMeasure::Gain => "the gain",
        ChanceMeasure::Kappa => "kappa",
    };
    let bounds = bounds_text(chance.interval, chance.method, chance.no_interval, number_text)
        .map_or_else(String::new, |bounds| format!("; bounds of {measure} {bounds}"));
    format!(
        "agreement beyond chance: always giving the commonest label would reach {}, so the gain is {}; kappa {kappa}{bounds}",
        number_text(chance.commonest_share),
        number_text(chance.gain)
    )
}

/// The pairs over which model and baselines are compared, in one sentence.
fn compared_pairs(baselines: &BaselineGains) -> String {
    let left_out = baselines.left_out.text().map_or_else(String::new, |text| format!("; left out: {text}"));
    format!("compared with baselines over {}{left_out}", counted(baselines.pairs, "pair", "pairs"))
}

/// The gain over one baseline, in one sentence.
fn baseline_gain(baselines: &BaselineGains, found: &BaselineGain) -> String {
    let value = |value: Option<f64>| value.map_or_else(|| "not defined".to_owned(), number_text);
    let bounds = bounds_text(found.interval, found.method, found.no_interval, number_text)
        .map_or_else(String::new, |bounds| format!("; bounds of the gain {bounds}"));
    format!(
        "{}; always giving {} would reach {}, so the gain is {}{bounds}",
        value(baselines.model),
        found.answer(),
        value(found.value),
        value(found.gain)
    )
}

fn windows(page: &mut Page, verdict: &Verdict, ruling: &ScopeVerdict) {
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    let bounds = format!("interval, each bound at {}", format_confidence(ruling.confidence));
    table.head(["window", "pairs", &verdict.metric, &bounds].map(|head| Span::new(Ink::Faint, head)));
    let all = verdict.windows.iter().zip(&ruling.windows);
    let skipped = ruling.windows.len().saturating_sub(MAX_WINDOWS);
    for (window, estimate) in all.skip(skipped) {
        let part = if window.complete { "" } else { " (incomplete)" };
        table.row(cells(&format!("{}{part}", window.label), estimate));
    }
    table.row(cells("pooled", &ruling.pooled));
    table.print(page);
    if skipped > 0 {
        page.paragraph(2, Ink::Faint, &format!("{skipped} earlier windows are in verdict.json"));
    }
    if let Some(method) = ruling.pooled.method {
        page.paragraph(2, Ink::Faint, &format!("{} {}", level_sentence(verdict, ruling), method.sentence()));
    }
    for sentence in missing_intervals(ruling) {
        page.paragraph(2, Ink::Faint, &sentence);
    }
}

fn cells(label: &str, estimate: &Estimate) -> [Span; 4] {
    let pairs = match estimate.hits {
        Some(hits) => format!("{hits}/{}", estimate.pairs),
        None => estimate.pairs.to_string(),
    };
    let missing = if estimate.withheld { "withheld" } else { "-" };
    let value = match (estimate.hits, estimate.value) {
        (Some(hits), _) => format_share(hits, estimate.pairs),
        (None, value) => value.map_or_else(|| missing.to_owned(), number_text),
    };
    let bounds =
        estimate.interval.map_or_else(|| "-".to_owned(), |interval| interval_text(interval, number_text));
    [label.into(), pairs.as_str().into(), value.as_str().into(), bounds.as_str().into()]
}

fn contamination_test(page: &mut Page, model: &str, found: &Contamination) {
    page.section(&format!("Contamination test of {model}"), "");
    let figure = |estimate: &Estimate| match estimate.value {
        Some(value) => format!("{} over {}", number_text(value), counted(estimate.pairs, "pair", "pairs")),
        None if estimate.withheld => {
            format!("withheld over {}", counted(estimate.pairs, "pair", "pairs"))
        }
        None => "undefined".to_owned(),
    };
    let mut text = format!(
        "Unblinded pairs (answered before the decision): {}. Blinded pairs (answered after it): {}.",
        figure(&found.unblinded),
        figure(&found.blinded)
    );
    match found.difference {
        Some(difference) => {
            let detectable = difference.detectable.map_or_else(String::new, |minimum| {
                let minimum = number_text(minimum);
                format!(" This many pairs detect a difference of {minimum} with a power of 80 %.")
            });
            text.push_str(&format!(
                " Difference {} ({}), p-value {}.{detectable}",
                number_text(difference.difference),
                interval_text(difference.interval, number_text),
                p_value(difference.p_value)
            ));
        }
        None if !found.tested => {
            text.push(' ');
            text.push_str(TESTED_LATER);
        }
        None => {
            text.push(' ');
            text.push_str(&untestable_sentence());
        }
    }
    page.paragraph(2, Ink::Plain, &text);
}

/// A check mark, or a cross with the reason.
fn mark(passes: bool, failure: &str) -> Span {
    if passes { Span::new(Ink::Faint, "✓") } else { Span::new(Ink::Notice, format!("✗ {failure}")) }
}

/// Cycle coverage, input shares and interferences, which are the same for every model and scope.
fn shared_inputs(page: &mut Page, verdict: &Verdict) {
    if !verdict.cycle.is_empty() {
        page.section("Cycle coverage", "");
        let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
        table.head(["value", "occurrences", "required", "pairs", ""].map(|head| Span::new(Ink::Faint, head)));
        for value in &verdict.cycle {
            let numbers = [value.occurrences, value.required, value.pairs].map(|number| number.to_string());
            let [occurrences, required, pairs] = &numbers;
            let cells: [Span; 4] =
                [&value_text(&value.value), occurrences, required, pairs].map(|cell| cell.as_str().into());
            table.row(cells.into_iter().chain([mark(value.covered, "not covered")]));
        }
        table.print(page);
    }
    if !verdict.inputs.is_empty() {
        page.section("Input distribution", "");
        let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
        table.head(["value", "snapshots", "share", "reference", ""].map(|head| Span::new(Ink::Faint, head)));
        for input in &verdict.inputs {
            let reference = format!("{} ± {}", input.reference, input.tolerance);
            let cells = [
                format!("{} {}", input.condition, value_text(&input.value)),
                input.snapshots.to_string(),
                format!("{:.4}", input.share),
                reference,
            ];
            let cells: [Span; 4] = cells.each_ref().map(|cell| cell.as_str().into());
            table.row(cells.into_iter().chain([mark(input.within_tolerance, "outside the tolerance")]));
        }
        table.print(page);
    }
    if !verdict.interferences.is_empty() {
        page.section("Interferences", "");
        for interfered in &verdict.interferences {
            page.paragraph(
                2,
                Ink::Plain,
                &format!("- since {}: {}", interfered.since, interfered.description),
            );
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
