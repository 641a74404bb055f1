//! The verdict in a terminal.
//!
//! Always holds: nothing is ruled or computed here; GO is said to permit a canary and nothing more.

use crate::format::counted;
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use understudy_statistics::verdict::{
    Contamination, Estimate, IntervalMethod, ModelVerdict, ScopeVerdict, TESTED_LATER, Verdict, VerdictKind,
};
use understudy_study::WHOLE;

/// Windows that are shown of many.
const SHOWN: usize = 60;

/// The verdict as text: of the model and the scope that are named, or of all.
pub fn ruling(verdict: &Verdict, model: Option<&str>, scope: Option<&str>, style: Style) -> String {
    let mut page = Page::new(style);
    page.line(
        0,
        &[
            Span::new(Ink::Title, &verdict.study),
            "  sealed as ".into(),
            verdict.seal[..12.min(verdict.seal.len())].into(),
        ],
    );
    let when = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    page.paragraph(0, Ink::Plain, &format!("Declared on {when}: {}.", verdict.threshold), 4);
    if verdict.first_snapshot.is_some_and(|first| first < verdict.sealed_at) {
        let past = "THE RECORDS BEGAN BEFORE THAT: what they would say could have been known when the threshold was declared.";
        page.paragraph(0, Ink::Notice, past, 2);
    }
    if !verdict.closed {
        let early = "The run has not ended: this is a look at it before its end.";
        page.paragraph(0, Ink::Notice, early, 2);
    }
    for of_model in verdict.models.iter().filter(|found| model.is_none_or(|name| found.model == name)) {
        for found in of_model.scopes.iter().filter(|found| scope.is_none_or(|name| found.scope == name)) {
            one(&mut page, verdict, of_model, found, scope.is_some());
        }
        if let Some(contamination) = &of_model.contamination {
            leak(&mut page, &of_model.model, contamination);
        } else {
            let untested = "No pair was blinded, so whether the answers leak was not tested.";
            page.paragraph(2, Ink::Faint, untested, 2);
        }
    }
    shared(&mut page, verdict);
    page.blank();
    let closing = "GO reads \"safe to try on canary\". It does not say that the model is better: it says that it did what was done as \
                   often as was asked.";
    page.paragraph(0, Ink::Plain, closing, 3);
    page.finish()
}

/// One model in one scope.
fn one(page: &mut Page, verdict: &Verdict, model: &ModelVerdict, ruling: &ScopeVerdict, in_full: bool) {
    let whole = ruling.scope == WHOLE;
    let scope = if whole { "all of the input".to_owned() } else { format!("scope {}", ruling.scope) };
    page.section(&format!("{}, {scope}", model.model), "");
    let (ink, meaning) = match ruling.verdict {
        VerdictKind::Go => (Ink::Title, ": safe to try on canary"),
        VerdictKind::NoGo => (Ink::Alarm, ": not to be tried"),
        VerdictKind::Inconclusive => (Ink::Notice, ": the study cannot say"),
        VerdictKind::Void => (Ink::Alarm, ": the study can say nothing"),
    };
    page.line(2, &[Span::new(ink, ruling.verdict.name()), meaning.into()]);
    for reason in &ruling.reasons {
        page.paragraph(2, Ink::Plain, &format!("- {}", reason.text), 4);
    }
    page.paragraph(
        2,
        Ink::Faint,
        &format!(
            "{} of the windows that count, {}, {} without an answer or a score",
            counted(ruling.snapshots, "snapshot", "snapshots"),
            counted(ruling.compared, "compared pair", "compared pairs"),
            counted(ruling.unanswered, "pair", "pairs")
        ),
        2,
    );
    if let Some(chance) = ruling.chance {
        let kappa = chance.kappa.map_or_else(|| "not defined".to_owned(), |kappa| format!("{kappa:.4}"));
        let text = format!(
            "beyond chance: kappa {kappa}; the commonest label alone would agree in {:.4}",
            chance.commonest
        );
        page.paragraph(2, Ink::Plain, &text, 2);
    }
    if (whole || in_full) && !ruling.windows.is_empty() {
        windows(page, verdict, ruling);
    }
}

fn windows(page: &mut Page, verdict: &Verdict, ruling: &ScopeVerdict) {
    let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    let bounds = format!("bounds, each at {}", verdict.confidence);
    table.head(["window", "pairs", &verdict.metric, &bounds].map(|head| Span::new(Ink::Faint, head)));
    let all = verdict.windows.iter().zip(&ruling.windows);
    let skipped = ruling.windows.len().saturating_sub(SHOWN);
    for (window, finding) in all.skip(skipped) {
        let part = if window.complete { "" } else { " (a part)" };
        table.row(cells(&format!("{}{part}", window.label), finding));
    }
    table.row(cells("together", &ruling.together));
    table.print(page);
    if skipped > 0 {
        page.paragraph(2, Ink::Faint, &format!("{skipped} windows before these are in verdict.json"), 2);
    }
    if let Some(IntervalMethod::Sequence) = ruling.together.method {
        let text = "The bounds are of confidence sequences: they hold however often one looks.";
        page.paragraph(2, Ink::Faint, text, 2);
    }
}

fn cells(label: &str, finding: &Estimate) -> [Span; 4] {
    let pairs = match finding.hits {
        Some(hits) => format!("{hits}/{}", finding.pairs),
        None => finding.pairs.to_string(),
    };
    let value = finding.value.map_or_else(|| "-".to_owned(), cut);
    let bounds = finding.interval.map_or_else(
        || "-".to_owned(),
        |interval| format!("{} to {}", cut(interval.lower), cut(interval.upper)),
    );
    [label.into(), pairs.as_str().into(), value.as_str().into(), bounds.as_str().into()]
}

/// To four places, cut off and not rounded: what misses a bound does not look as if it met it.
fn cut(value: f64) -> String {
    format!("{:.4}", (value * 1e4).trunc() / 1e4)
}

fn probability(p: f64) -> String {
    if p >= 0.0001 { format!("{p:.4}") } else { format!("{p:.1e}") }
}

fn leak(page: &mut Page, model: &str, found: &Contamination) {
    page.section(&format!("{model}: do its answers leak?"), "");
    let figure = |finding: &Estimate| match finding.value {
        Some(value) => format!("{} over {}", cut(value), counted(finding.pairs, "pair", "pairs")),
        None => "no figure".to_owned(),
    };
    let mut text = format!(
        "Where the answer existed before the decision: {}; where the model was asked only afterwards: {}.",
        figure(&found.shown),
        figure(&found.blinded)
    );
    match found.difference {
        Some(difference) => {
            let findable = difference.detectable.map_or_else(String::new, |least| {
                format!(" So many pairs would show a difference of {least:.4} four times in five.")
            });
            text.push_str(&format!(
                " Difference {:.4} ({:.4} to {:.4}); by chance as large with probability {}.{findable}",
                difference.difference,
                difference.interval.lower,
                difference.interval.upper,
                probability(difference.p_value)
            ));
        }
        None if !found.tested => {
            text.push(' ');
            text.push_str(TESTED_LATER);
        }
        None => text.push_str(" There are too few to tell."),
    }
    page.paragraph(2, Ink::Plain, &text, 6);
}

/// Whether something is as it was asked, as the rule has it.
fn mark(passes: bool, otherwise: &str) -> Span {
    if passes { Span::new(Ink::Faint, "✓") } else { Span::new(Ink::Notice, format!("✗ {otherwise}")) }
}

/// What is the same for every model and scope.
fn shared(page: &mut Page, verdict: &Verdict) {
    if !verdict.cycle.is_empty() {
        page.section("What has come round", "");
        let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
        table.head(["value", "occurrences", "asked", "pairs", ""].map(|head| Span::new(Ink::Faint, head)));
        for value in &verdict.cycle {
            let numbers = [value.occurrences, value.required, value.pairs].map(|number| number.to_string());
            let [occurrences, required, pairs] = &numbers;
            let cells: [Span; 4] =
                [&value.value, occurrences, required, pairs].map(|cell| cell.as_str().into());
            table.row(cells.into_iter().chain([mark(value.enough, "not covered")]));
        }
        table.print(page);
    }
    if !verdict.inputs.is_empty() {
        page.section("What the inputs looked like", "");
        let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
        table.head(["value", "snapshots", "share", "reference", ""].map(|head| Span::new(Ink::Faint, head)));
        for input in &verdict.inputs {
            let reference = format!("{} give or take {}", input.reference, input.tolerance);
            let cells = [
                format!("{} {}", input.condition, input.value),
                input.snapshots.to_string(),
                format!("{:.4}", input.share),
                reference,
            ];
            let cells: [Span; 4] = cells.each_ref().map(|cell| cell.as_str().into());
            table.row(cells.into_iter().chain([mark(input.within, "too far")]));
        }
        table.print(page);
    }
    if !verdict.interferences.is_empty() {
        page.section("What came between", "");
        for interfered in &verdict.interferences {
            page.paragraph(2, Ink::Plain, &format!("- from {} on: {}", interfered.since, interfered.what), 3);
        }
    }
}
