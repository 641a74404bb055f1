//! The section of answer distributions: confusion matrices of labels, errors of numbers, ranks in rankings; overall, by
//! condition and by window, with change points.
//!
//! Invariants: pairs without an answer count as differing. Everything that is not drawn is in the table.

use std::collections::BTreeMap;

use crate::format::{UNDEFINED, count, counted, p_value, significant};
use crate::model::divergence::{AnswerDistribution, AnswerPair, HistogramBin, RankCount};
use crate::model::report::{ModelReport, Report};
use crate::page::{Block, Cell, Chart, Column, DataTable, Figure, Section};
use crate::sections::helpers::{folded, latest, local_date, percent, table, text};
use crate::value_text::{NO_ANSWER, OTHERS, listed_value, value_text};
use understudy_statistics::scoring::{LabelMetrics, MIN_INTERIM_PAIRS};
use understudy_statistics::verdict::DISPLAY_CONFIDENCE;

/// The maximum number of labels in a drawn matrix; all others are combined.
const MAX_DRAWN: usize = 12;

/// In place of a figure that is withheld before the end of a run.
const WITHHELD: &str = "withheld";

/// The answer distributions of each model.
pub fn distributions(report: &Report) -> Section {
    let mut blocks = Vec::new();
    for model in &report.models {
        if report.models.len() > 1 {
            blocks.push(Block::Heading(model.plugin.name.clone()));
        }
        match &model.answer_distributions.overall {
            AnswerDistribution::Label { answers, unlisted_pairs, untracked_pairs, metrics, .. } => {
                blocks.push(Block::Figure(matrix(model, answers, [*unlisted_pairs, *untracked_pairs])));
                if let Some(metrics) = metrics {
                    blocks.extend(label_metrics(model, metrics));
                }
            }
            AnswerDistribution::Number { .. } => numbers(model, &mut blocks),
            AnswerDistribution::Ranking { .. } => blocks.push(Block::Figure(ranks(model))),
        }
        if !model.reliability.is_empty() {
            blocks.extend(reliability(model));
        }
        blocks.push(Block::Table(by_condition(report, model)));
        blocks.push(Block::Table(by_window(report, model)));
        blocks.push(change_points(report, &model.plugin.name));
    }
    Section { id: "disagreement", title: "Distribution of answers".to_owned(), blocks }
}

fn matrix(model: &ModelReport, answers: &[AnswerPair], [unlisted, untracked]: [u64; 2]) -> Figure {
    let mut weight: BTreeMap<&str, u64> = BTreeMap::new();
    for pair in answers {
        *weight.entry(&pair.substrate).or_default() += pair.pairs;
        if let Some(label) = &pair.model {
            *weight.entry(label).or_default() += pair.pairs;
        }
    }
    let mut drawn: Vec<&str> = weight.keys().copied().collect();
    drawn.sort_by_key(|label| std::cmp::Reverse(weight[label]));
    drawn.truncate(MAX_DRAWN);
    drawn.sort_unstable();
    let place = |label: &str| drawn.iter().position(|known| *known == label).unwrap_or(drawn.len());
    let width = drawn.len() + 1;
    // A row for each label, one for the others, one for no answer.
    let mut counts = vec![vec![0u64; width]; width + 1];
    for pair in answers {
        let row = pair.model.as_deref().map_or(width, place);
        counts[row][place(&pair.substrate)] += pair.pairs;
    }
    // Drawn labels keep their indices, so that a row and a column with the same index have the same label.
    let names = drawn.iter().map(|label| value_text(label)).chain([OTHERS.to_owned()]);
    let keep: Vec<usize> =
        (0..width).filter(|at| *at < drawn.len() || counts.iter().any(|row| row[*at] > 0)).collect();
    let columns: Vec<String> =
        names.clone().enumerate().filter(|(at, _)| keep.contains(at)).map(|(_, name)| name).collect();
    let rows = names.chain([NO_ANSWER.to_owned()]).zip(&counts).enumerate();
    let rows = rows.filter(|(at, (_, row))| *at < drawn.len() || row.iter().any(|count| *count > 0));
    let rows = rows.map(|(_, (name, row))| (name, keep.iter().map(|at| row[*at]).collect()));
    let listed = answers.iter().map(|pair| -> Vec<Cell> {
        vec![
            pair.model.as_deref().map_or_else(|| NO_ANSWER.to_owned(), value_text).into(),
            value_text(&pair.substrate).into(),
            count(pair.pairs).into(),
        ]
    });
    let rest = match (unlisted - untracked, untracked) {
        (0, 0) => String::new(),
        (more, 0) => format!(" {} with rarer answers are omitted.", counted(more, "pair", "pairs")),
        _ => format!(
            " {} are omitted, because there are too many distinct answers to count individually.",
            counted(unlisted, "pair", "pairs")
        ),
    };
    Figure {
        title: format!("Confusion matrix of {} and the substrate", model.plugin.name),
        description: format!(
            "Rows are answers of the model, columns answers of the substrate. The framed diagonal shows agreement.{rest}"
        ),
        chart: Chart::Matrix {
            x_label: "answer of the substrate".to_owned(),
            y_label: "answer of the model".to_owned(),
            columns,
            rows: rows.collect(),
            diagonal: drawn.len(),
        },
        table: folded(
            "Data",
            vec![Column::text("Model"), Column::text("Substrate"), Column::number("Pairs")],
            listed.collect(),
        ),
    }
}

/// The metrics of all labels and of each label.
fn label_metrics(model: &ModelReport, metrics: &LabelMetrics) -> [Block; 2] {
    let LabelMetrics {
        accuracy,
        balanced_accuracy,
        macro_f1,
        weighted_f1,
        kappa,
        matthews_correlation,
        labels,
    } = metrics;
    let share = |value: f64| format!("{value:.4}");
    let all = [
        ("accuracy", Some(*accuracy)),
        ("balanced accuracy", Some(*balanced_accuracy)),
        ("macro F1", Some(*macro_f1)),
        ("weighted F1", Some(*weighted_f1)),
        ("Cohen's kappa", *kappa),
        ("Matthews correlation", Some(*matthews_correlation)),
    ];
    let all =
        all.map(|(name, value)| format!("{name} {}", value.map_or_else(|| UNDEFINED.to_owned(), share)));
    let name = &model.plugin.name;
    let rows = labels.iter().map(|label| -> Vec<Cell> {
        vec![
            value_text(&label.label).into(),
            count(label.substrate_pairs).into(),
            count(label.model_pairs).into(),
            share(label.precision).into(),
            share(label.recall).into(),
            share(label.f1).into(),
        ]
    });
    let columns = vec![
        Column::text("Label"),
        Column::number("Substrate"),
        Column::number(name.as_str()),
        Column::number("Precision"),
        Column::number("Recall"),
        Column::number("F1"),
    ];
    [
        text(format!(
            "With the substrate's labels as the true ones, {name} has: {}. These figures are of all compared pairs and have no \
             intervals; agreement with the substrate is not correctness.",
            all.join(", ")
        )),
        Block::Table(folded(&format!("Precision and recall of {name} by label"), columns, rows.collect())),
    ]
}

/// The agreement of a model by its confidence.
fn reliability(model: &ModelReport) -> [Block; 2] {
    let name = &model.plugin.name;
    let share = |value: f64| format!("{value:.4}");
    let rows = model.reliability.iter().map(|bin| -> Vec<Cell> {
        vec![
            format!("{} to {}", bin.from, bin.to).into(),
            count(bin.pairs).into(),
            share(bin.mean_confidence).into(),
            share(bin.agreement).into(),
            format!("{} to {}", share(bin.lower), share(bin.upper)).into(),
        ]
    });
    let columns = vec![
        Column::text("Confidence"),
        Column::number("Pairs"),
        Column::number("Mean confidence"),
        Column::number("Agreement"),
        Column::text("Interval"),
    ];
    [
        text(format!(
            "If {name} were calibrated, its agreement would be its mean confidence in each bin. The confidence is the one \
             that it reports, or else the class probability of its label. A bin has its upper edge. Each bound of an interval \
             has a confidence of {DISPLAY_CONFIDENCE}."
        )),
        Block::Table(table(&format!("Reliability of {name}"), columns, rows.collect())),
    ]
}

fn numbers(model: &ModelReport, blocks: &mut Vec<Block>) {
    let AnswerDistribution::Number {
        answered,
        unanswered,
        mean_error,
        standard_deviation,
        quantiles,
        histogram,
        unlisted_pairs,
    } = &model.answer_distributions.overall
    else {
        return;
    };
    let number =
        |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), |value| significant(value, 6));
    let quantiles = quantiles.map(|at| at.map(|error| significant(error, 3)).join(", "));
    blocks.push(text(format!(
        "Over {}, the error (model minus substrate) has a mean of {} and a standard deviation of {}. Its 5, 25, 50, 75 and \
         95 % quantiles are {} (with a precision of 3 %). {} had no answer.",
        counted(*answered, "pair", "pairs"),
        number(*mean_error),
        number(*standard_deviation),
        quantiles.unwrap_or_else(|| UNDEFINED.to_owned()),
        counted(*unanswered, "pair", "pairs"),
    )));
    let name = |bin: &HistogramBin| match (bin.from, bin.to) {
        (None, Some(to)) => format!("< {}", significant(to, 3)),
        (Some(from), None) => format!(">= {}", significant(from, 3)),
        (Some(from), Some(to)) if from == to => significant(from, 3),
        (Some(from), Some(to)) => format!("{} to {}", significant(from, 3), significant(to, 3)),
        (None, None) => "any".to_owned(),
    };
    let bars = histogram.iter().map(|bin| (name(bin), bin.pairs as f64)).collect();
    let rows = histogram.iter().map(|bin| vec![name(bin).into(), count(bin.pairs).into()]).collect();
    blocks.push(Block::Figure(Figure {
        title: format!("Distribution of the error of {}", model.plugin.name),
        description: format!(
            "The number of pairs by error (model minus substrate), in the unit of the decision. Left of 0, the model's number is \
             below the substrate's.{}",
            withheld_text(*unlisted_pairs)
        ),
        chart: Chart::Bars {
            x_label: "model minus substrate, in the unit of the decision".to_owned(),
            y_label: "pairs".to_owned(),
            bars,
        },
        table: folded("Data", vec![Column::text("Error"), Column::number("Pairs")], rows),
    }));
}

/// A sentence about pairs that a chart leaves out before the end of a run, with a space before it; empty without such pairs.
fn withheld_text(pairs: u64) -> String {
    match pairs {
        0 => String::new(),
        _ => format!(
            " {} are withheld until the run has ended, because their bars would cover fewer than {MIN_INTERIM_PAIRS} pairs, or \
             reveal such a bar.",
            counted(pairs, "pair", "pairs")
        ),
    }
}

fn ranks(model: &ModelReport) -> Figure {
    let mut listed: Vec<(String, u64)> = Vec::new();
    let mut withheld = 0;
    if let AnswerDistribution::Ranking { unanswered, absent, unranked, ranks, unlisted_pairs, .. } =
        &model.answer_distributions.overall
    {
        withheld = *unlisted_pairs;
        listed.extend(ranks.iter().map(|RankCount { rank, pairs }| (rank.to_string(), *pairs)));
        listed.extend(absent.map(|absent| ("absent".to_owned(), absent)));
        listed.push((NO_ANSWER.to_owned(), *unanswered));
        if *unranked > 0 {
            listed.push(("substrate ranking empty".to_owned(), *unranked));
        }
    }
    let rows = listed.iter().map(|(rank, pairs)| vec![rank.as_str().into(), count(*pairs).into()]).collect();
    Figure {
        title: format!("Rank of the substrate's first item in the ranking of {}", model.plugin.name),
        description: format!(
            "The number of pairs by the rank of the substrate's first item in the model's ranking. Rank 1 is the best.{}",
            withheld_text(withheld)
        ),
        chart: Chart::Bars {
            x_label: "rank in the model's ranking".to_owned(),
            y_label: "pairs".to_owned(),
            bars: listed.iter().map(|(rank, pairs)| (rank.clone(), *pairs as f64)).collect(),
        },
        table: folded("Data", vec![Column::text("Rank"), Column::number("Pairs")], rows),
    }
}

/// The columns of the summary of a distribution, and its cells.
fn summary(distribution: &AnswerDistribution) -> (Vec<Column>, Vec<Cell>) {
    match distribution {
        AnswerDistribution::Label { agreeing, differing, answers, untracked_pairs, .. } => {
            let differ = answers.iter().filter(|pair| pair.model.as_ref() != Some(&pair.substrate));
            let most_common: Vec<String> = differ
                .take(3)
                .map(|pair| {
                    let listed = |label: &str| listed_value(label, &[" for ", ": ", "; "]);
                    let model = pair.model.as_deref().map_or_else(|| NO_ANSWER.to_owned(), listed);
                    format!("{model} for {}: {}", listed(&pair.substrate), count(pair.pairs))
                })
                .collect();
            (
                vec![
                    Column::number("Agreeing"),
                    Column::number("Differing"),
                    Column::number("Share differing"),
                    Column::text("Most common: model for substrate"),
                ],
                vec![
                    count(*agreeing).into(),
                    count(*differing).into(),
                    percent(*differing, agreeing + differing).into(),
                    match untracked_pairs {
                        0 => most_common.join("; ").into(),
                        more => format!(
                            "{} (of the answers counted; {} pairs are not counted individually)",
                            most_common.join("; "),
                            count(*more)
                        )
                        .into(),
                    },
                ],
            )
        }
        AnswerDistribution::Number { answered, mean_error, standard_deviation, quantiles, .. } => {
            let number = |value: Option<f64>| {
                value.map_or_else(|| UNDEFINED.to_owned(), |value| significant(value, 6))
            };
            let quantiles = quantiles.map(|at| at.map(|error| significant(error, 3)).join(", "));
            (
                vec![
                    Column::number("Answered"),
                    Column::number("Mean error"),
                    Column::number("Standard deviation"),
                    Column::number("5, 25, 50, 75, 95 % quantiles"),
                ],
                vec![
                    count(*answered).into(),
                    number(*mean_error).into(),
                    number(*standard_deviation).into(),
                    quantiles.unwrap_or_else(|| UNDEFINED.to_owned()).into(),
                ],
            )
        }
        AnswerDistribution::Ranking { unanswered, absent, unranked, unlisted_pairs, ranks, .. } => {
            let ranked = ranks.iter().map(|rank| rank.pairs).sum::<u64>();
            let all = ranked + absent.unwrap_or(0) + unlisted_pairs + unanswered + unranked;
            let first = ranks.iter().find(|rank| rank.rank == 1).map(|rank| rank.pairs);
            let first = match (first, unlisted_pairs) {
                (None, 1..) => WITHHELD.to_owned(),
                (first, _) => percent(first.unwrap_or(0), all),
            };
            let sum: u64 = ranks.iter().map(|rank| u64::from(rank.rank) * rank.pairs).sum();
            let mean = match (ranked, unlisted_pairs) {
                (_, 1..) => WITHHELD.to_owned(),
                (0, 0) => UNDEFINED.to_owned(),
                (_, 0) => significant(sum as f64 / ranked as f64, 4),
            };
            let absent = absent.map_or_else(|| WITHHELD.to_owned(), count);
            (
                vec![
                    Column::number("Pairs"),
                    Column::number("Rank 1"),
                    Column::number("Mean rank"),
                    Column::number("Absent"),
                ],
                vec![count(all).into(), first.into(), mean.into(), absent.into()],
            )
        }
    }
}

fn by_condition(report: &Report, model: &ModelReport) -> DataTable {
    let (mut columns, _) = summary(&model.answer_distributions.overall);
    columns.splice(0..0, [Column::text("Condition"), Column::text("Value")]);
    let mut rows = Vec::new();
    for (condition, distributions) in report.conditions.iter().zip(&model.answer_distributions.conditions) {
        for (value, distribution) in
            condition.values.iter().zip(distributions).filter(|(_, distribution)| !is_empty(distribution))
        {
            let (_, cells) = summary(distribution);
            rows.push(
                [condition.name.as_str().into(), value_text(value).into()].into_iter().chain(cells).collect(),
            );
        }
    }
    folded(&format!("Answers of {} by condition", model.plugin.name), columns, rows)
}

fn by_window(report: &Report, model: &ModelReport) -> DataTable {
    let (mut columns, _) = summary(&model.answer_distributions.overall);
    columns.insert(0, Column::text("Window"));
    let windows: Vec<_> = report.windows.iter().zip(&model.answer_distributions.windows).collect();
    let rows = latest(&windows).iter().map(|(window, distribution)| {
        let (_, cells) = summary(distribution);
        std::iter::once(window.label.as_str().into()).chain(cells).collect()
    });
    folded(&format!("Answers of {} by window", model.plugin.name), columns, rows.collect())
}

fn is_empty(distribution: &AnswerDistribution) -> bool {
    match distribution {
        AnswerDistribution::Label { agreeing, differing, .. } => agreeing + differing == 0,
        AnswerDistribution::Number { answered, unanswered, .. } => answered + unanswered == 0,
        AnswerDistribution::Ranking { unanswered, absent, unranked, unlisted_pairs, ranks, .. } => {
            unanswered + absent.unwrap_or(0) + unranked + unlisted_pairs == 0 && ranks.is_empty()
        }
    }
}

/// The change points of the metric.
fn change_points(report: &Report, model: &str) -> Block {
    let metric = &report.divergence.metric;
    let divergence = report.divergence.models.iter().find(|divergence| divergence.model == model);
    let Some(found) = divergence.and_then(|divergence| divergence.change_points.as_ref()) else {
        return text(format!(
            "Too few windows to detect changes of {metric}: at least {} windows with pairs are needed.",
            report.divergence.min_windows
        ));
    };
    if found.is_empty() {
        return text(format!("No significant change of {metric} over the windows was found."));
    }
    let rows = found.iter().map(|change| -> Vec<Cell> {
        vec![
            local_date(report, change.at).into(),
            change.window.as_str().into(),
            significant(change.before, 6).into(),
            significant(change.after, 6).into(),
            p_value(change.p_value).into(),
        ]
    });
    let columns = vec![
        Column::text("Date of change"),
        Column::text("First window after it"),
        Column::number("Mean before"),
        Column::number("Mean after"),
        Column::number("p-value"),
    ];
    Block::Table(table(&format!("Change points of {metric}, {model}"), columns, rows.collect()))
}
