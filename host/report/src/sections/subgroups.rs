//! The section of divergent subgroups.
//!
//! Invariants: the method is stated with the results: the conditions searched, the number of pairs and the false
//! discovery rate.

use crate::format::{UNDEFINED, count, counted, p_value, significant};
use crate::metric_format::MetricFormat;
use crate::model::divergence::{
    DivergenceDirection, DivergentSubgroup, ModelDivergence, Onset, SearchSkipped,
};
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::page::{Block, Cell, Chart, Column, DotRow, Figure, Section, Tone};
use crate::sections::helpers::{folded, search_metric, signed, signed_interval, table, text};
use crate::value_text::{EMPTY_RANKING, NO_ANSWER, listed_value, value_list};
use understudy_statistics::scoring::MAX_PRODUCT_COMPONENTS;
use understudy_study::AnswerForm;

/// The maximum number of subgroups in a chart.
const MAX_DRAWN: usize = 30;

/// The divergent subgroups of each model.
pub fn subgroups(report: &Report, formats: &[MetricFormat<'_>]) -> Section {
    let mut blocks = vec![text(method(report))];
    if let RunEnd::Interim { .. } = report.end {
        let note = "Subgroups and change points are tested as if this were the only report. A reader of every interim report has to \
                    expect more false discoveries than in the final report.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: note.to_owned() });
    }
    if let Some(format) =
        search_metric(report, formats).filter(|_| report.divergence.search_skipped.is_none())
    {
        for divergence in &report.divergence.models {
            blocks.push(Block::Heading(divergence.model.clone()));
            let model = report.models.iter().find(|model| model.plugin.name == divergence.model);
            let form = model.map_or(AnswerForm::Label, |model| model.form);
            model_blocks(divergence, form, format, &mut blocks);
        }
    }
    Section { id: "subgroups", title: "Where they differ".to_owned(), blocks }
}

/// The method of the search, or why it was skipped.
fn method(report: &Report) -> String {
    let found = &report.divergence;
    let omitted = match found.omitted_conditions.is_empty() {
        true => String::new(),
        false => format!(
            " Not combined, because there would be too many profiles: {}.",
            found.omitted_conditions.join(", ")
        ),
    };
    match found.search_skipped {
        None => {}
        Some(SearchSkipped::NoConditions) if report.conditions.is_empty() => {
            return "No conditions are declared, so there are no subgroups to search for.".to_owned();
        }
        Some(SearchSkipped::NoConditions) => {
            return format!("No conditions are combined, so there are no subgroups to search for.{omitted}");
        }
        Some(SearchSkipped::TooManyComponents) => {
            return format!(
                "The search for subgroups was skipped, and there are no intervals: {} has more than {MAX_PRODUCT_COMPONENTS} \
                 components, too many to estimate the variance of its values.",
                found.metric
            );
        }
        Some(SearchSkipped::TooManyWindows) => {
            return "The search for subgroups was skipped, and values by condition have no intervals: there are too many windows and \
                    profiles to keep sums for every combination. The final report has both."
                .to_owned();
        }
    }
    format!(
        "Candidates are all combinations of up to {} values of {} with at least {} ({} % of the compared pairs). One half of \
         the ids, chosen by a keyed hash, suggests subgroups in which {} differs from its value elsewhere; the other half \
         tests them, with a false discovery rate of {} %. A narrower subgroup is listed only if it also differs from every \
         broader one.{omitted}",
        found.max_terms,
        found.conditions.join(", "),
        counted(found.min_pairs, "pair", "pairs"),
        significant(100.0 * found.min_support, 3),
        found.metric,
        significant(100.0 * found.false_discovery_rate, 3),
    )
}

/// Since when a subgroup has differed.
fn onset_text(onset: &Onset) -> String {
    match onset {
        Onset::Unknown => "unknown".to_owned(),
        Onset::Start => "start of the run".to_owned(),
        Onset::ChangePoint(change) => change.window.clone(),
    }
}

/// The most common pair of differing answers, or of first items of rankings.
fn most_common_text(subgroup: &DivergentSubgroup, form: AnswerForm) -> String {
    let Some(pair) = &subgroup.most_common else { return UNDEFINED.to_owned() };
    let answer = |answer: &str, separator: &str| match form {
        AnswerForm::Ranking if answer.is_empty() => EMPTY_RANKING.to_owned(),
        _ => listed_value(answer, &[separator]),
    };
    let model = pair.model.as_deref().map_or_else(|| NO_ANSWER.to_owned(), |label| answer(label, ", "));
    let substrate = answer(&pair.substrate, ": ");
    let rest = match subgroup.untracked_pairs {
        0 => String::new(),
        more => format!(" (of the answers counted; {} pairs are not counted individually)", count(more)),
    };
    format!("model {model}, substrate {substrate}: {}{rest}", count(pair.pairs))
}

fn model_blocks(
    divergence: &ModelDivergence,
    form: AnswerForm,
    format: &MetricFormat<'_>,
    blocks: &mut Vec<Block>,
) {
    blocks.push(text(format!(
        "{} had enough pairs, {} were tested, {} confirmed.",
        counted(divergence.candidates, "combination", "combinations"),
        count(divergence.tested),
        count(divergence.subgroups.len() as u64)
    )));
    if !divergence.unconfirmed.is_empty() {
        let note = divergence.unconfirmed.join("; ");
        blocks.push(text(format!("Suspected in advance but not confirmed: {note}.")));
    }
    if divergence.subgroups.is_empty() {
        blocks.push(text("No divergent subgroup was found."));
        return;
    }
    let with_bias = divergence.subgroups.iter().any(|subgroup| subgroup.mean_errors.is_some());
    let with_answers = divergence.subgroups.iter().any(|subgroup| subgroup.most_common.is_some());
    let with_ids = divergence.subgroups.iter().any(|subgroup| !subgroup.examples.is_empty());
    let mut columns = vec![
        Column::text("Subgroup"),
        Column::number("Pairs"),
        Column::number(format.name()),
        Column::number("Elsewhere"),
        Column::number("Difference, 95 % interval"),
        Column::number("q-value"),
        Column::text("Direction"),
    ];
    if with_bias {
        columns.push(Column::number("Mean error here, elsewhere"));
    }
    if with_answers {
        columns.push(Column::text("Most common difference"));
    }
    columns.push(Column::text("Since"));
    if with_ids {
        columns.push(Column::text("Examples"));
    }
    let row = |subgroup: &DivergentSubgroup| {
        let suspected = if subgroup.suspected { " (suspected in advance)" } else { "" };
        let direction = match subgroup.direction {
            DivergenceDirection::LessAgreement => Cell::from("less agreement").toned(Tone::Bad),
            DivergenceDirection::MoreAgreement => Cell::from("more agreement").toned(Tone::Good),
        };
        let mut row: Vec<Cell> = vec![
            format!("{}{suspected}", subgroup.name()).into(),
            format!("{} ({:.1} %)", count(subgroup.pairs), 100.0 * subgroup.support).into(),
            format.value(subgroup.value).into(),
            format.value(subgroup.complement).into(),
            format!("{} ({})", signed(subgroup.difference), signed_interval(subgroup.interval)).into(),
            p_value(subgroup.q_value).into(),
            direction,
        ];
        if with_bias {
            let bias = subgroup
                .mean_errors
                .map(|[here, elsewhere]| format!("{}, {}", signed(here), signed(elsewhere)));
            row.push(bias.unwrap_or_else(|| UNDEFINED.to_owned()).into());
        }
        if with_answers {
            row.push(most_common_text(subgroup, form).into());
        }
        row.push(onset_text(&subgroup.onset).into());
        if with_ids {
            row.push(value_list(subgroup.examples.iter().map(String::as_str)).into());
        }
        row
    };
    let difference = |subgroup: &DivergentSubgroup| -> Vec<Cell> {
        vec![
            subgroup.name().into(),
            signed(subgroup.difference).into(),
            signed_interval(subgroup.interval).into(),
        ]
    };
    let dots = divergence.subgroups.iter().take(MAX_DRAWN).map(|subgroup| DotRow {
        group: None,
        label: subgroup.name(),
        value: Some(subgroup.difference),
        interval: Some((subgroup.interval.lower, subgroup.interval.upper)),
    });
    let rest = divergence.subgroups.len().saturating_sub(MAX_DRAWN);
    let rest = if rest > 0 { format!(" The chart shows the first {MAX_DRAWN}.") } else { String::new() };
    blocks.push(Block::Figure(Figure {
        title: format!("Difference of {} by subgroup, {}", format.name(), divergence.model),
        description: format!(
            "For each subgroup the difference of {} from its value elsewhere, in the half of the ids used for the test, with the \
             95 % interval. The subgroup with the largest certain difference comes first.{rest}",
            format.name()
        ),
        chart: Chart::Dots {
            x_label: format!("{}, subgroup minus elsewhere", format.name()),
            rows: dots.collect(),
            reference: Some(("no difference".to_owned(), 0.0)),
        },
        table: folded(
            "Data",
            vec![Column::text("Subgroup"), Column::number("Difference"), Column::number("95 % interval")],
            divergence.subgroups.iter().map(difference).collect(),
        ),
    }));
    let rows = divergence.subgroups.iter().map(row).collect();
    blocks.push(Block::Table(table(&format!("Divergent subgroups of {}", divergence.model), columns, rows)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::divergence::AnswerPair;
    use crate::terminal::fixture::hotel;

    #[test]
    fn the_method_says_what_was_skipped_and_why() {
        let mut report = hotel();
        report.divergence.conditions.pop();
        assert!(!method(&report).contains("Not combined"));
        report.divergence.omitted_conditions = vec!["lead-time".to_owned()];
        assert!(
            method(&report).ends_with(" Not combined, because there would be too many profiles: lead-time.")
        );
        let skipped = |report: &mut Report, why| {
            report.divergence.search_skipped = Some(why);
            method(report)
        };
        assert!(
            skipped(&mut report, SearchSkipped::TooManyComponents).contains("has more than 64 components")
        );
        assert!(skipped(&mut report, SearchSkipped::TooManyWindows).contains("The final report has both"));
        assert!(skipped(&mut report, SearchSkipped::NoConditions).ends_with("too many profiles: lead-time."));
        report.conditions.clear();
        assert_eq!(
            skipped(&mut report, SearchSkipped::NoConditions),
            "No conditions are declared, so there are no subgroups to search for."
        );
    }

    #[test]
    fn onset_and_most_common_difference_are_shown() {
        let report = hotel();
        let [subgroup, late, ..] = &report.divergence.models[0].subgroups[..] else {
            panic!("two subgroups")
        };
        assert_eq!(onset_text(&subgroup.onset), "start of the run");
        assert_eq!(onset_text(&late.onset), "week ending 2016-09-04");
        assert_eq!(onset_text(&Onset::Unknown), "unknown");
        let mut subgroup = subgroup.clone();
        let text = |subgroup: &DivergentSubgroup| most_common_text(subgroup, AnswerForm::Label);
        assert_eq!(text(&subgroup), "model a, substrate d: 281");
        subgroup.untracked_pairs = 1200;
        assert_eq!(
            text(&subgroup),
            "model a, substrate d: 281 (of the answers counted; 1,200 pairs are not counted individually)"
        );
        subgroup.most_common =
            Some(AnswerPair { model: Some("a".to_owned()), substrate: String::new(), pairs: 3 });
        subgroup.untracked_pairs = 0;
        assert_eq!(text(&subgroup), "model a, substrate \"\": 3");
        assert_eq!(most_common_text(&subgroup, AnswerForm::Ranking), "model a, substrate (empty ranking): 3");
        subgroup.most_common =
            Some(AnswerPair { model: Some("a, b".to_owned()), substrate: "a ".to_owned(), pairs: 3 });
        assert_eq!(text(&subgroup), "model \"a, b\", substrate a\\u{20}: 3");
    }
}
