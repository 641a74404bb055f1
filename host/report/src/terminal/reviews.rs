//! What was judged of a model's disagreements, in a terminal.
//!
//! Always holds: a share is shown with its bounds; of strata that nobody judged it is said that nothing is known.

use crate::format::{UNDEFINED, count, counted, significant};
use crate::model::reviews::ReviewSummary;
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};

/// What was judged, as text.
pub fn reviewed(summary: &ReviewSummary, style: Style) -> String {
    let mut page = Page::new(style);
    let of = counted(summary.disagreements, "disagreement", "disagreements");
    page.section(
        &format!("Who was right where {} and the substrate differ", summary.model),
        &format!("{} judged of {of}", count(summary.judged)),
    );
    let mut table = Table::new([Align::Left, Align::Right, Align::Point, Align::Left]);
    let bounds = format!("bounds, each at {}", summary.confidence);
    table.head(["", "judged", "share of all", &bounds].map(|head| Span::new(Ink::Faint, head)));
    for (at, counted) in summary.judgements.iter().enumerate() {
        let share = summary.shares.get(at);
        let figure = share.map_or_else(|| UNDEFINED.to_owned(), |share| format!("{:.4}", share.share));
        let bounds = share.map_or_else(String::new, |share| {
            format!("{:.4} to {:.4}", share.interval.lower, share.interval.upper)
        });
        let name = format!("  {}", counted.judgement.words());
        table.row([name, count(counted.count), figure, bounds].map(Span::from));
    }
    table.print(&mut page);
    if let Some(effective) = summary.effective {
        let text = format!(
            "Shares are weighted by the strata's disagreements; their bounds are those of {} judgements drawn evenly.",
            significant(effective, 3)
        );
        page.paragraph(2, Ink::Faint, &text, 3);
    }
    let modes = summary.modes.iter().filter_map(|counted| {
        let mode = counted.mode?;
        Some(format!("{} {}", mode.words(), count(counted.count)))
    });
    let modes: Vec<String> = modes.collect();
    if !modes.is_empty() {
        page.paragraph(2, Ink::Plain, &format!("failure modes: {}", modes.join(", ")), 3);
    }
    if summary.strata.len() > 1 {
        let mut table = Table::new([Align::Left, Align::Right, Align::Right]);
        table.head(["  stratum", "disagreements", "judged"].map(|head| Span::new(Ink::Faint, head)));
        for stratum in &summary.strata {
            let name = format!("  {}", stratum.name);
            table.row([name, count(stratum.disagreements), count(stratum.judged)].map(Span::from));
        }
        table.print(&mut page);
    }
    if !summary.unjudged.is_empty() {
        let text =
            format!("Nothing was judged of {}, so the shares leave it out.", summary.unjudged.join("; "));
        page.paragraph(2, Ink::Notice, &text, 4);
    }
    if summary.elsewise > 0 {
        let text = format!(
            "{} of earlier draws from other strata: not counted here.",
            counted(summary.elsewise, "judgement is", "judgements are")
        );
        page.paragraph(2, Ink::Faint, &text, 2);
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reviews::{JudgementCount, JudgementShare, ModeCount, StratumReviewed};
    use understudy_run_log::ledger::{FailureMode, Judgement};
    use understudy_statistics::scoring::Interval;

    #[test]
    fn shares_are_shown_with_what_they_leave_out() {
        let judgements = |counts: [u64; 4]| {
            let all = Judgement::ALL.into_iter().zip(counts);
            all.map(|(judgement, count)| JudgementCount { judgement, count }).collect::<Vec<_>>()
        };
        let stratum = |name: &str, disagreements, judged, counts| StratumReviewed {
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
            modes: vec![
                ModeCount { mode: None, count: 6 },
                ModeCount { mode: Some(FailureMode::KnownGap), count: 2 },
            ],
            shares: Judgement::ALL.map(share).to_vec(),
            confidence: 0.95,
            effective: Some(8.0),
            unjudged: vec!["segment groups".into()],
            elsewise: 1,
        };
        insta::assert_snapshot!(reviewed(&summary, Style { width: 80, color: false }));
    }
}
