//! Renders a study plan as text: sample sizes and power, before the study starts.
//!
//! Invariants: figures are those of the [`StudyPlan`]; none is computed here. An unknown figure is a dash. A difference
//! that the study cannot detect at any true value is `never`.

use crate::format::{UNDEFINED, count, counted, declared_number, significant};
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use crate::terminal::windows::BARS;
use understudy_statistics::verdict::format_confidence;
use understudy_statistics::verdict::plan::{ChancePlan, ScopePlan, ShareOrigin, StudyPlan};
use understudy_study::{ALL_SNAPSHOTS, Direction, Evidence, Quantifier, WindowChoice};

/// Partial blocks, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// The number of blocks of a bar for a probability of 1.
const BLOCKS: usize = 24;
/// The mark of a number that is too small.
const TOO_FEW: &str = "! ";

/// The plan as text: lines that each end with a line feed.
pub fn render_plan(plan: &StudyPlan, style: Style) -> String {
    let mut page = Page::new(style);
    let title = Span::new(Ink::Title, &plan.study);
    page.line(0, &[title, "  sample size and power of the study, before it starts".into()]);
    page.paragraph(0, Ink::Plain, &format!("GO if {}", threshold(plan)));
    if let Some(chance) = &plan.chance {
        let text = format!("and {}{}", chance.requirement, chance_numbers(chance));
        page.paragraph(0, Ink::Plain, &text);
    }
    for note in &plan.notes {
        page.paragraph(0, Ink::Notice, note);
    }
    if let Evidence::Bound(declared) = plan.evidence
        && declared != plan.confidence
    {
        let text = format!(
            "The figures below are those of a verdict that is the only GO: each bound has the confidence {}.",
            format_confidence(plan.confidence)
        );
        page.paragraph(0, Ink::Plain, &text);
    }
    comparisons(&mut page, plan);
    detectable_differences(&mut page, plan);
    go_probabilities(&mut page, plan);
    if !plan.warnings.is_empty() {
        page.section("Warnings", "");
        for warning in &plan.warnings {
            page.paragraph(2, Ink::Notice, &format!("- {warning}"));
        }
    }
    page.blank();
    let scores = match plan.standard_deviation {
        None => "Scores are assumed to be 0 or 1".to_owned(),
        Some(deviation) => {
            format!(
                "Values are assumed to be normally distributed, with a standard deviation of {} for one score",
                declared_number(deviation)
            )
        }
    };
    let measured = match plan.measured {
        Some(_) => " and how often the measured windows had enough pairs",
        None => " alone",
    };
    let closing = format!(
        "{scores}, and pairs to be independent of each other. Probabilities consider the metric values{measured}. Other \
         requirements of the threshold, such as coverage, can only lower them."
    );
    page.paragraph(0, Ink::Plain, &closing);
    page.finish()
}

/// `agreement is at least 0.85 in each of the first 8 weeks, by its lower bound at 0.95`.
fn threshold(plan: &StudyPlan) -> String {
    let windows = windows(plan, plan.windows);
    let which = match (plan.quantifier, plan.counted) {
        (Quantifier::EveryWindow, WindowChoice::First(_)) => format!("in each of the first {windows}"),
        (Quantifier::EveryWindow, WindowChoice::Latest(_)) => format!("in each of the latest {windows}"),
        (Quantifier::Pooled, WindowChoice::First(_)) => format!("over the first {windows} together"),
        (Quantifier::Pooled, WindowChoice::Latest(_)) => format!("over the latest {windows} together"),
        (_, WindowChoice::All) => format!("over all {windows} together"),
    };
    let (comparison, bound) = direction_words(plan);
    let by = match plan.evidence {
        Evidence::Point => "by its value".to_owned(),
        Evidence::Bound(confidence) => format!("by its {bound} bound at {confidence}"),
    };
    format!("{} is {comparison} {} {which}, {by}", plan.metric, declared_number(plan.bound))
}

/// What it takes to be better than a constant; empty if this is not known.
fn chance_numbers(chance: &ChancePlan) -> String {
    let Some((other, least)) = chance.other_decisions.zip(chance.least_right) else { return String::new() };
    format!(
        ". {} with another decision are expected; a model must have at least {} of them right, and more if it has pairs with \
         the commonest label wrong",
        counted(other, "pair", "pairs"),
        count(least)
    )
}

/// The words for the direction of the threshold, and the bound that decides.
fn direction_words(plan: &StudyPlan) -> (&'static str, &'static str) {
    match plan.direction {
        Direction::AtLeast => ("at least", "lower"),
        Direction::AtMost => ("at most", "upper"),
    }
}

/// `8 weeks`.
fn windows(plan: &StudyPlan, number: u64) -> String {
    let name = plan.every.name();
    counted(number, name, &format!("{name}s"))
}

/// The heads of the columns for one window and for all: `a week` and `8 weeks`.
fn span_names(plan: &StudyPlan) -> [String; 2] {
    [format!("a {}", plan.every.name()).replace("a hour", "an hour"), windows(plan, plan.windows)]
}

fn comparisons(page: &mut Page, plan: &StudyPlan) {
    let from = match plan.measured {
        None => "as specified".to_owned(),
        Some(measured) => format!("by the mean of {} measured", windows(plan, measured)),
    };
    page.section("Compared pairs", &from);
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right]);
    let number = |number: Option<u64>, few: bool| match (number, few) {
        (None, _) => UNDEFINED.into(),
        (Some(number), false) => Span::from(count(number)),
        (Some(number), true) => Span::new(Ink::Alarm, format!("{TOO_FEW}{}", count(number))),
    };
    let heads = ["".to_owned(), "share".to_owned()].into_iter().chain(span_names(plan));
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    let each = plan.counted != WindowChoice::All;
    for part in &plan.scopes {
        let name = if part.name == ALL_SNAPSHOTS {
            format!("  {ALL_SNAPSHOTS}")
        } else {
            format!("  scope {}", part.name)
        };
        let per_window = number(part.per_window, part.too_few && each);
        let together = number(part.pooled, part.too_few && !each);
        table.row([name.into(), percent(part.share).into(), per_window, together]);
    }
    for condition in &plan.conditions {
        let origin = match condition.origin {
            None => "  shares unknown",
            Some(ShareOrigin::Stated) => "  shares as specified",
            Some(ShareOrigin::Measured) => "  shares as measured",
            Some(ShareOrigin::Reference) => "  shares of the declared reference",
            Some(ShareOrigin::Calendar) => "  shares of time",
        };
        table.line(2, [condition.name.as_str().into(), Span::new(Ink::Faint, origin)]);
        for value in &condition.values {
            let name = format!("    {}", value.name);
            let (per_window, together) =
                (number(value.per_window, false), number(value.pooled, value.too_few));
            table.row([name.into(), percent(value.share).into(), per_window, together]);
        }
    }
    table.print(page);
    let short = plan.scopes.iter().any(|part| part.too_few)
        || plan.conditions.iter().flat_map(|condition| &condition.values).any(|value| value.too_few);
    if short {
        page.paragraph(2, Ink::Faint, "! fewer than the threshold requires");
    }
    if plan.conditions.iter().any(|condition| condition.origin.is_none()) {
        page.paragraph(
            2,
            Ink::Faint,
            "give unknown shares with --share CONDITION.VALUE=0.2 or --measured RUN",
        );
    }
    if plan.scopes.len() > 1 {
        page.paragraph(
            2,
            Ink::Faint,
            "shares of scopes with several conditions assume that the conditions are independent",
        );
    }
}

fn detectable_differences(page: &mut Page, plan: &StudyPlan) {
    let power = plan.power * 100.0;
    page.section("Detectable differences", "");
    let (beyond, bound) = match plan.direction {
        Direction::AtLeast => ("above", "lower"),
        Direction::AtMost => ("below", "upper"),
    };
    let text = format!(
        "The least distance of the true value {beyond} {} at which the {bound} bound with confidence {} meets the threshold with a \
         probability of {power:.0} %. In the last column, the study as declared is then GO with that probability.",
        declared_number(plan.bound),
        format_confidence(plan.confidence)
    );
    page.paragraph(2, Ink::Faint, &text);
    let mut table = TextTable::new([Align::Left, Align::Point, Align::Point, Align::Point]);
    let heads = ["".to_owned()].into_iter().chain(span_names(plan)).chain(["as declared".to_owned()]);
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for part in &plan.scopes {
        let margin = |margin: Option<f64>| match margin {
            Some(margin) => significant(margin, 3),
            None if part.per_window.is_none() => UNDEFINED.to_owned(),
            None => "never".to_owned(),
        };
        let margins = [part.margins.window, part.margins.pooled, part.margins.declared];
        let cells = margins.map(|excess| Span::from(margin(excess)));
        table.row([Span::from(format!("  {}", part.name))].into_iter().chain(cells));
    }
    table.print(page);
}

fn go_probabilities(page: &mut Page, plan: &StudyPlan) {
    page.section(&format!("Probability of GO, by the true {}", plan.metric), "");
    let Some((all, scopes)) = plan.scopes.split_first() else { return };
    let mut table = TextTable::new([Align::Point, Align::Right, Align::Right, Align::Left]);
    let [window, _] = span_names(plan);
    let heads = ["  true value".to_owned(), window, "GO".to_owned(), String::new()];
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for chance in &all.go_probabilities {
        let [window, study] = [chance.window, chance.study].map(|chance| percent(Some(chance)));
        table.row([
            format!("  {}", declared_number(chance.truth)).into(),
            window.into(),
            study.into(),
            probability_bar(chance.study).into(),
        ]);
    }
    table.print(page);
    if scopes.is_empty() {
        return;
    }
    let mut table = TextTable::new([Align::Left, Align::Left]);
    table.line(2, [Span::new(Ink::Faint, "probability of GO at the same true values, in order")]);
    for part in &plan.scopes {
        table.row([format!("    {}", part.name).into(), probability_bars(part).into()]);
    }
    table.print(page);
}

/// One block for each true value.
fn probability_bars(part: &ScopePlan) -> String {
    if part.go_probabilities.is_empty() {
        return UNDEFINED.to_owned();
    }
    part.go_probabilities.iter().map(|chance| BARS[((chance.study * 8.0) as usize).min(7)]).collect()
}

/// A probability as a line of blocks.
fn probability_bar(chance: f64) -> String {
    let eighths = (chance * (8 * BLOCKS) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn percent(share: Option<f64>) -> String {
    share.map_or(UNDEFINED.to_owned(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests;
