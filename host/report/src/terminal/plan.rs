//! A plan in a terminal: what a study can tell, before it begins.
//!
//! Always holds: the figures are those of the [`StudyPlan`], none is computed here; what is not known is a dash, and what no
//! truth can bring about is `never`.

use crate::format::{UNDEFINED, count, significant};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use crate::terminal::windows::BARS;
use understudy_statistics::verdict::plan::{ShareOrigin, ScopePlan, StudyPlan};
use understudy_study::{Counted, Direction, Evidence, Quantifier, WHOLE};

/// Parts of a full block, from an eighth on.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// How many blocks a chance of 1 has.
const BLOCKS: usize = 24;
/// Before a number that is too small.
const FEW: &str = "! ";

/// The plan as text: lines that each end with a line feed.
pub fn plan(plan: &StudyPlan, style: Style) -> String {
    let mut page = Page::new(style);
    let title = Span::new(Ink::Title, &plan.study);
    page.line(0, &[title, "  what the study can tell, before it begins".into()]);
    page.paragraph(0, Ink::Plain, &format!("GO if {}", threshold(plan)), 3);
    comparisons(&mut page, plan);
    margins(&mut page, plan);
    chances(&mut page, plan);
    if !plan.warnings.is_empty() {
        page.section("Before you begin", "");
        for warning in &plan.warnings {
            page.paragraph(2, Ink::Notice, &format!("- {warning}"), 4);
        }
    }
    page.blank();
    let scores = match plan.spread {
        None => "Scores are taken as 0 or 1".to_owned(),
        Some(spread) => {
            format!("Figures are taken as normal, and one score to have a standard deviation of {spread}")
        }
    };
    let closing = format!(
        "{scores}; comparisons as independent of each other. Chances are of the figures alone: what else the threshold asks \
         for, such as coverage, can only lower them."
    );
    page.paragraph(0, Ink::Plain, &closing, 4);
    page.finish()
}

/// `agreement is at least 0.85 in each of the first 8 weeks, by its lower bound at 0.95`.
fn threshold(plan: &StudyPlan) -> String {
    let windows = windows(plan, plan.windows);
    let which = match (plan.quantifier, plan.counted) {
        (Quantifier::EveryWindow, Counted::First(_)) => format!("in each of the first {windows}"),
        (Quantifier::EveryWindow, Counted::Latest(_)) => format!("in each of the latest {windows}"),
        (Quantifier::Pooled, Counted::First(_)) => format!("over the first {windows} together"),
        (Quantifier::Pooled, Counted::Latest(_)) => format!("over the latest {windows} together"),
        (_, Counted::All) => format!("over all {windows} together"),
    };
    let (side, beside) = sides(plan);
    let by = match plan.evidence {
        Evidence::Point => "by the figure itself".to_owned(),
        Evidence::Bound(confidence) => format!("by its {beside} bound at {confidence}"),
    };
    format!("{} is {side} {} {which}, {by}", plan.metric, plan.bound)
}

/// On which side the figure has to lie, and which of its bounds.
fn sides(plan: &StudyPlan) -> (&'static str, &'static str) {
    match plan.direction {
        Direction::AtLeast => ("at least", "lower"),
        Direction::AtMost => ("at most", "upper"),
    }
}

/// `8 weeks`.
fn windows(plan: &StudyPlan, number: u64) -> String {
    let name = plan.every.name();
    super::counted(number, name, &format!("{name}s"))
}

/// What a column is of: `a week` and `8 weeks`.
fn spans(plan: &StudyPlan) -> [String; 2] {
    [format!("a {}", plan.every.name()).replace("a hour", "an hour"), windows(plan, plan.windows)]
}

fn comparisons(page: &mut Page, plan: &StudyPlan) {
    let from = match plan.measured {
        None => "as stated".to_owned(),
        Some(measured) => format!("by the mean of {} that were measured", windows(plan, measured)),
    };
    page.section("Comparisons", &from);
    let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Right]);
    let number = |number: Option<u64>, few: bool| match (number, few) {
        (None, _) => UNDEFINED.into(),
        (Some(number), false) => Span::from(count(number)),
        (Some(number), true) => Span::new(Ink::Alarm, format!("{FEW}{}", count(number))),
    };
    let heads = ["".to_owned(), "share".to_owned()].into_iter().chain(spans(plan));
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    let each = plan.quantifier == Quantifier::EveryWindow;
    for part in &plan.parts {
        let name = if part.name == WHOLE { format!("  {WHOLE}") } else { format!("  scope {}", part.name) };
        let per_window = number(part.per_window, part.short && each);
        let together = number(part.together, part.short && !each);
        table.row([name.into(), percent(part.share).into(), per_window, together]);
    }
    for condition in &plan.conditions {
        let origin = match condition.origin {
            None => "  shares not known; say --share CONDITION.VALUE=0.2 or --measured RUN",
            Some(ShareOrigin::Stated) => "  shares as stated",
            Some(ShareOrigin::Measured) => "  shares as measured",
            Some(ShareOrigin::Reference) => "  shares of the declared reference",
            Some(ShareOrigin::Calendar) => "  shares of time",
        };
        table.line(2, [condition.name.as_str().into(), Span::new(Ink::Faint, origin)]);
        for value in &condition.values {
            let name = format!("    {}", value.name);
            let (per_window, together) =
                (number(value.per_window, false), number(value.together, value.short));
            table.row([name.into(), percent(value.share).into(), per_window, together]);
        }
    }
    table.print(page);
    let short = plan.parts.iter().any(|part| part.short)
        || plan.conditions.iter().flat_map(|condition| &condition.values).any(|value| value.short);
    if short {
        page.paragraph(2, Ink::Faint, "! fewer than the threshold asks for", 2);
    }
    if plan.parts.len() > 1 {
        page.paragraph(
            2,
            Ink::Faint,
            "the share of a scope of several conditions: as if they were independent",
            2,
        );
    }
}

fn margins(page: &mut Page, plan: &StudyPlan) {
    let power = plan.power * 100.0;
    page.section("What can be told apart", "");
    let (beyond, bound) = match plan.direction {
        Direction::AtLeast => ("above", "lower"),
        Direction::AtMost => ("below", "upper"),
    };
    let what = format!(
        "How far {beyond} {} the truth has to lie to be found there with a chance of {power:.0} %, by the {bound} bound at {}, \
         and for the study as declared to say GO with that chance.",
        plan.bound, plan.confidence
    );
    page.paragraph(2, Ink::Faint, &what, 3);
    let mut table = Table::new([Align::Left, Align::Point, Align::Point, Align::Point]);
    let heads = ["".to_owned()].into_iter().chain(spans(plan)).chain(["as declared".to_owned()]);
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for part in &plan.parts {
        let margin = |margin: Option<f64>| match margin {
            Some(margin) => significant(margin, 3),
            None if part.per_window.is_none() => UNDEFINED.to_owned(),
            None => "never".to_owned(),
        };
        let margins = [part.margins.window, part.margins.together, part.margins.declared];
        let cells = margins.map(|excess| Span::from(margin(excess)));
        table.row([Span::from(format!("  {}", part.name))].into_iter().chain(cells));
    }
    table.print(page);
}

fn chances(page: &mut Page, plan: &StudyPlan) {
    page.section(&format!("The chance of GO, by the true {}", plan.metric), "");
    let Some((all, scopes)) = plan.parts.split_first() else { return };
    let mut table = Table::new([Align::Point, Align::Right, Align::Right, Align::Left]);
    let [window, _] = spans(plan);
    let heads = ["  truth".to_owned(), window, "GO".to_owned(), String::new()];
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for chance in &all.chances {
        let [window, study] = [chance.window, chance.study].map(|chance| percent(Some(chance)));
        table.row([
            format!("  {}", chance.truth).into(),
            window.into(),
            study.into(),
            bar(chance.study).into(),
        ]);
    }
    table.print(page);
    if scopes.is_empty() {
        return;
    }
    let mut table = Table::new([Align::Left, Align::Left]);
    table.line(2, [Span::new(Ink::Faint, "GO at the same truths, from the first to the last")]);
    for part in &plan.parts {
        table.row([format!("    {}", part.name).into(), curve(part).into()]);
    }
    table.print(page);
}

/// One block for each truth.
fn curve(part: &ScopePlan) -> String {
    if part.chances.is_empty() {
        return UNDEFINED.to_owned();
    }
    part.chances.iter().map(|chance| BARS[((chance.study * 8.0) as usize).min(7)]).collect()
}

/// A chance as a line of blocks.
fn bar(chance: f64) -> String {
    let eighths = (chance * (8 * BLOCKS) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn percent(share: Option<f64>) -> String {
    share.map_or(UNDEFINED.to_owned(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests;
