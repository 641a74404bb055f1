//! Renders the reviews of a model's disagreements as text.
//!
//! Invariants: every share is shown with its interval. Strata without judgements are listed as not covered.

use crate::format::{UNDEFINED, count, counted, significant};
use crate::model::reviews::ReviewSummary;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use crate::value_text::listed_value;

/// The reviews of one model as text.
pub fn render_reviews(summary: &ReviewSummary, style: Style) -> String {
    let mut page = Page::new(style);
    let total = counted(summary.disagreements, "disagreement", "disagreements");
    page.section(
        &format!("Who was right where {} and the substrate differ", summary.model),
        &format!("{} of {total} judged", count(summary.judged)),
    );
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Point, Align::Left]);
    let bounds = format!("interval, each bound at {}", summary.confidence);
    table.head(["", "judged", "estimated share", &bounds].map(|head| Span::new(Ink::Faint, head)));
    for (at, counted) in summary.judgements.iter().enumerate() {
        let share = summary.shares.get(at);
        let figure = share.map_or_else(|| UNDEFINED.to_owned(), |share| format!("{:.4}", share.share));
        let bounds = share.map_or_else(String::new, |share| {
            format!("{:.4} to {:.4}", share.interval.lower, share.interval.upper)
        });
        let name = format!("  {}", counted.judgement.text());
        table.row([name, count(counted.count), figure, bounds].map(Span::from));
    }
    table.print(&mut page);
    if let Some(effective) = summary.effective_sample_size {
        let text = format!(
            "Shares are weighted by the disagreements of each stratum. The effective sample size is {}.",
            significant(effective, 3)
        );
        page.paragraph(2, Ink::Faint, &text);
    }
    let modes = summary.failure_modes.iter().filter_map(|counted| {
        let mode = counted.mode?;
        Some(format!("{} {}", mode.text(), count(counted.count)))
    });
    let modes: Vec<String> = modes.collect();
    if !modes.is_empty() {
        page.paragraph(2, Ink::Plain, &format!("failure modes: {}", modes.join(", ")));
    }
    if summary.strata.len() > 1 {
        let mut table = TextTable::new([Align::Left, Align::Right, Align::Right]);
        table.head(["  stratum", "disagreements", "judged"].map(|head| Span::new(Ink::Faint, head)));
        for stratum in &summary.strata {
            let name = Span::value(Ink::Plain, &stratum.name).indented(2);
            table.row([name, count(stratum.disagreements).into(), count(stratum.judged).into()]);
        }
        table.print(&mut page);
    }
    if !summary.unjudged_strata.is_empty() {
        let strata: Vec<String> =
            summary.unjudged_strata.iter().map(|stratum| listed_value(stratum, &["; "])).collect();
        let text = format!("No judgements in {}; the shares do not cover it.", strata.join("; "));
        page.paragraph(2, Ink::Notice, &text);
    }
    if summary.superseded_judgements > 0 {
        let text = format!(
            "{} from earlier samples with other strata and not counted.",
            counted(summary.superseded_judgements, "judgement is", "judgements are")
        );
        page.paragraph(2, Ink::Faint, &text);
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reviews::{FailureModeCount, JudgementCount, JudgementShare, StratumSummary};
    use understudy_run_log::ledger::{FailureMode, Judgement};
    use understudy_statistics::scoring::Interval;

    #[test]
    fn shares_are_shown_with_the_strata_that_they_do_not_cover() {
        let judgements = |counts: [u64; 4]| {
            let all = Judgement::ALL.into_iter().zip(counts);
            all.map(|(judgement, count)| JudgementCount { judgement, count }).collect::<Vec<_>>()
        };
        let stratum = |name: &str, disagreements, judged, counts| StratumSummary {
            name: name.into(),
            disagreements,
            judged,
            judgements: judgements(counts),
        };
        let share = |judgement| JudgementShare {
            judgement,
            share: 0.25,
            interval: Interval { lower: 0.1, upper: 0.5 },
        };
        let summary = ReviewSummary {
            model: "forest".into(),
            disagreements: 3_115,
            judged: 8,
            strata: vec![
                stratum("segment groups", 60, 0, [0; 4]),
                stratum("elsewhere", 3_055, 8, [2, 2, 2, 2]),
            ],
            judgements: judgements([2, 2, 2, 2]),
            failure_modes: vec![
                FailureModeCount { mode: None, count: 6 },
                FailureModeCount { mode: Some(FailureMode::KnownGap), count: 2 },
            ],
            shares: Judgement::ALL.map(share).to_vec(),
            confidence: 0.95,
            effective_sample_size: Some(8.0),
            unjudged_strata: vec!["segment groups".into()],
            superseded_judgements: 1,
        };
        insta::assert_snapshot!(render_reviews(&summary, Style { width: 80, color: false }));
    }
}
