//! How the answers lie to the substrate's: which label for which, by how much numbers are off, how far down a ranking the
//! substrate's choice stands; by condition, and when it changed.
//!
//! Always holds: pairs without an answer are among those that differ; what is not drawn stands in the table.

use std::collections::BTreeMap;

use crate::format::{UNDEFINED, count, counted, significant};
use crate::model::divergence::{Place, Said, Spread, Step};
use crate::model::report::{Model, Report};
use crate::page::{Block, Cell, Chart, Column, Figure, Section};
use crate::sections::helpers::{folded, percent, table, text};

/// Labels that a matrix draws; the others are taken together.
const DRAWN: usize = 12;
/// What stands for a label that is none.
const NONE: &str = "(no answer)";
/// What stands for the labels that are not drawn.
const OTHERS: &str = "(others)";

/// The spreads of each model.
pub fn spreads(report: &Report) -> Section {
    let mut blocks = Vec::new();
    for model in &report.models {
        if report.models.len() > 1 {
            blocks.push(Block::Heading(model.plugin.name.clone()));
        }
        match &model.spreads.overall {
            Spread::Label { answers, others, not_told_apart, .. } => {
                blocks.push(Block::Figure(matrix(model, answers, [*others, *not_told_apart])))
            }
            Spread::Number { .. } => numbers(model, &mut blocks),
            Spread::Ranking { .. } => blocks.push(Block::Figure(places(model))),
        }
        blocks.push(Block::Table(by_condition(report, model)));
        blocks.push(Block::Table(by_window(report, model)));
        blocks.push(changes(report, &model.plugin.name));
    }
    Section { id: "disagreement", title: "How they differ".to_owned(), blocks }
}

fn matrix(model: &Model, answers: &[Said], [others, not_told_apart]: [u64; 2]) -> Figure {
    let mut weight: BTreeMap<&str, u64> = BTreeMap::new();
    for said in answers {
        *weight.entry(&said.substrate).or_default() += said.pairs;
        if let Some(label) = &said.model {
            *weight.entry(label).or_default() += said.pairs;
        }
    }
    let mut drawn: Vec<&str> = weight.keys().copied().collect();
    drawn.sort_by_key(|label| std::cmp::Reverse(weight[label]));
    drawn.truncate(DRAWN);
    drawn.sort_unstable();
    let place = |label: &str| drawn.iter().position(|known| *known == label).unwrap_or(drawn.len());
    let width = drawn.len() + 1;
    // A row for each label, one for the others, one for no answer.
    let mut counts = vec![vec![0u64; width]; width + 1];
    for said in answers {
        let row = said.model.as_deref().map_or(width, place);
        counts[row][place(&said.substrate)] += said.pairs;
    }
    // Drawn labels keep their places, so that row and column of one stand for the same.
    let names = drawn.iter().copied().chain([OTHERS]).map(str::to_owned);
    let keep: Vec<usize> =
        (0..width).filter(|at| *at < drawn.len() || counts.iter().any(|row| row[*at] > 0)).collect();
    let columns: Vec<String> =
        names.clone().enumerate().filter(|(at, _)| keep.contains(at)).map(|(_, name)| name).collect();
    let rows = names.chain([NONE.to_owned()]).zip(&counts).enumerate();
    let rows = rows.filter(|(at, (_, row))| *at < drawn.len() || row.iter().any(|count| *count > 0));
    let rows = rows.map(|(_, (name, row))| (name, keep.iter().map(|at| row[*at]).collect()));
    let listed = answers.iter().map(|said| -> Vec<Cell> {
        vec![
            said.model.as_deref().unwrap_or(NONE).into(),
            said.substrate.as_str().into(),
            count(said.pairs).into(),
        ]
    });
    let rest = match (others - not_told_apart, not_told_apart) {
        (0, 0) => String::new(),
        (more, 0) => format!(" {} of rarer answers are left out.", counted(more, "pair", "pairs")),
        _ => format!(
            " {} are left out, since there are more different answers than are told apart.",
            counted(others, "pair", "pairs")
        ),
    };
    Figure {
        title: format!("What {} said where the substrate did what", model.plugin.name),
        description: format!(
            "Rows are what the model said, columns what the substrate did; the framed diagonal is where they agree.{rest}"
        ),
        chart: Chart::Matrix {
            x_label: "the substrate did".to_owned(),
            y_label: "the model said".to_owned(),
            columns,
            rows: rows.collect(),
            diagonal: drawn.len(),
        },
        table: folded(
            "Data",
            vec![Column::text("Model said"), Column::text("Substrate did"), Column::number("Pairs")],
            listed.collect(),
        ),
    }
}

fn numbers(model: &Model, blocks: &mut Vec<Block>) {
    let Spread::Number { answered, unanswered, bias, deviation, quantiles, steps } = &model.spreads.overall
    else {
        return;
    };
    let number =
        |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), |value| significant(value, 6));
    let quantiles = quantiles.map(|at| at.map(|error| significant(error, 3)).join(", "));
    blocks.push(text(format!(
        "Over {} the model's number less the substrate's is {} in the mean (the bias), with a standard deviation of {}; 5, 25, 50, \
         75 and 95 % lie at or below {} (to 3 %). {} had no answer.",
        counted(*answered, "pair", "pairs"),
        number(*bias),
        number(*deviation),
        quantiles.unwrap_or_else(|| UNDEFINED.to_owned()),
        counted(*unanswered, "pair", "pairs"),
    )));
    let name = |step: &Step| match (step.from, step.to) {
        (None, Some(to)) => format!("< {}", significant(to, 3)),
        (Some(from), None) => format!(">= {}", significant(from, 3)),
        (Some(from), Some(to)) if from == to => significant(from, 3),
        (Some(from), Some(to)) => format!("{} to {}", significant(from, 3), significant(to, 3)),
        (None, None) => "any".to_owned(),
    };
    let bars = steps.iter().map(|step| (name(step), step.pairs as f64)).collect();
    let rows = steps.iter().map(|step| vec![name(step).into(), count(step.pairs).into()]).collect();
    blocks.push(Block::Figure(Figure {
        title: format!("Errors of {}", model.plugin.name),
        description: "How many pairs have which error, the model's number less the substrate's, in the unit of the decision. \
                      Left of 0 the model says less than the substrate did."
            .to_owned(),
        chart: Chart::Bars {
            x_label: "model less substrate, in the unit of the decision".to_owned(),
            y_label: "pairs".to_owned(),
            bars,
        },
        table: folded("Data", vec![Column::text("Error"), Column::number("Pairs")], rows),
    }));
}

fn places(model: &Model) -> Figure {
    let mut listed: Vec<(String, u64)> = Vec::new();
    if let Spread::Ranking { unanswered, absent, unranked, places } = &model.spreads.overall {
        listed.extend(places.iter().map(|Place { place, pairs }| (place.to_string(), *pairs)));
        listed.extend([("not in it".to_owned(), *absent), (NONE.to_owned(), *unanswered)]);
        if *unranked > 0 {
            listed.push(("the substrate chose none".to_owned(), *unranked));
        }
    }
    let rows =
        listed.iter().map(|(place, pairs)| vec![place.as_str().into(), count(*pairs).into()]).collect();
    Figure {
        title: format!("Where the substrate's first choice stands in the ranking of {}", model.plugin.name),
        description: "How many pairs have the substrate's first choice at which place of the model's ranking; 1 is its best."
            .to_owned(),
        chart: Chart::Bars {
            x_label: "place in the model's ranking".to_owned(),
            y_label: "pairs".to_owned(),
            bars: listed.iter().map(|(place, pairs)| (place.clone(), *pairs as f64)).collect(),
        },
        table: folded("Data", vec![Column::text("Place"), Column::number("Pairs")], rows),
    }
}

/// The columns of what is said of one spread, and its cells.
fn summary(spread: &Spread) -> (Vec<Column>, Vec<Cell>) {
    match spread {
        Spread::Label { same, differing, answers, not_told_apart, .. } => {
            let differ = answers.iter().filter(|said| said.model.as_ref() != Some(&said.substrate));
            let told: Vec<String> = differ
                .take(3)
                .map(|said| {
                    format!(
                        "{} for {}: {}",
                        said.model.as_deref().unwrap_or(NONE),
                        said.substrate,
                        count(said.pairs)
                    )
                })
                .collect();
            (
                vec![
                    Column::number("Same"),
                    Column::number("Differ"),
                    Column::number("Share that differ"),
                    Column::text("Commonest: model's for the substrate's"),
                ],
                vec![
                    count(*same).into(),
                    count(*differing).into(),
                    percent(*differing, same + differing).into(),
                    match not_told_apart {
                        0 => told.join("; ").into(),
                        more => {
                            format!("{} (of those told apart; {} are not)", told.join("; "), count(*more))
                                .into()
                        }
                    },
                ],
            )
        }
        Spread::Number { answered, bias, deviation, quantiles, .. } => {
            let number = |value: Option<f64>| {
                value.map_or_else(|| UNDEFINED.to_owned(), |value| significant(value, 6))
            };
            let quantiles = quantiles.map(|at| at.map(|error| significant(error, 3)).join(", "));
            (
                vec![
                    Column::number("Answered"),
                    Column::number("Bias"),
                    Column::number("Standard deviation"),
                    Column::number("5, 25, 50, 75, 95 % lie at or below"),
                ],
                vec![
                    count(*answered).into(),
                    number(*bias).into(),
                    number(*deviation).into(),
                    quantiles.unwrap_or_else(|| UNDEFINED.to_owned()).into(),
                ],
            )
        }
        Spread::Ranking { unanswered, absent, unranked, places } => {
            let all = places.iter().map(|place| place.pairs).sum::<u64>() + absent + unanswered + unranked;
            let first = places.iter().filter(|place| place.place == 1).map(|place| place.pairs).sum::<u64>();
            let ranked = places.iter().map(|place| place.pairs).sum::<u64>();
            let sum: u64 = places.iter().map(|place| u64::from(place.place) * place.pairs).sum();
            let mean =
                if ranked == 0 { UNDEFINED.to_owned() } else { significant(sum as f64 / ranked as f64, 4) };
            (
                vec![
                    Column::number("Pairs"),
                    Column::number("First"),
                    Column::number("Mean place"),
                    Column::number("Not in it"),
                ],
                vec![count(all).into(), percent(first, all).into(), mean.into(), count(*absent).into()],
            )
        }
    }
}

fn by_condition(report: &Report, model: &Model) -> crate::page::Table {
    let (mut columns, _) = summary(&model.spreads.overall);
    columns.splice(0..0, [Column::text("Condition"), Column::text("Value")]);
    let mut rows = Vec::new();
    for (condition, spreads) in report.conditions.iter().zip(&model.spreads.conditions) {
        for (value, spread) in condition.values.iter().zip(spreads).filter(|(_, spread)| !is_empty(spread)) {
            let (_, cells) = summary(spread);
            rows.push(
                [condition.name.as_str().into(), value.as_str().into()].into_iter().chain(cells).collect(),
            );
        }
    }
    folded(&format!("How {} differs, by condition", model.plugin.name), columns, rows)
}

fn by_window(report: &Report, model: &Model) -> crate::page::Table {
    let (mut columns, _) = summary(&model.spreads.overall);
    columns.insert(0, Column::text("Window"));
    let windows: Vec<_> = report.windows.iter().zip(&model.spreads.windows).collect();
    let rows = super::helpers::latest(&windows).iter().map(|(window, spread)| {
        let (_, cells) = summary(spread);
        std::iter::once(window.label.as_str().into()).chain(cells).collect()
    });
    folded(&format!("How {} differs, by window", model.plugin.name), columns, rows.collect())
}

fn is_empty(spread: &Spread) -> bool {
    match spread {
        Spread::Label { same, differing, .. } => same + differing == 0,
        Spread::Number { answered, unanswered, .. } => answered + unanswered == 0,
        Spread::Ranking { unanswered, absent, unranked, places } => {
            unanswered + absent + unranked == 0 && places.is_empty()
        }
    }
}

/// When the figure changed.
fn changes(report: &Report, model: &str) -> Block {
    let metric = &report.divergence.metric;
    let parted = report.divergence.models.iter().find(|parted| parted.model == model);
    let Some(found) = parted.and_then(|parted| parted.changes.as_ref()) else {
        return text(format!(
            "Whether {metric} changed over the windows cannot be told: that takes at least {} windows with pairs.",
            report.divergence.least_windows
        ));
    };
    if found.is_empty() {
        return text(format!(
            "No change of {metric} over the windows was found that their order by chance would not explain."
        ));
    }
    let rows = found.iter().map(|change| -> Vec<Cell> {
        vec![
            super::helpers::day(report, change.at).into(),
            change.window.as_str().into(),
            significant(change.before, 6).into(),
            significant(change.after, 6).into(),
            super::helpers::probability(change.p_value).into(),
        ]
    });
    let columns = vec![
        Column::text("Changed on"),
        Column::text("First window after it"),
        Column::number("Mean before"),
        Column::number("Mean after"),
        Column::number("p"),
    ];
    Block::Table(table(&format!("Changes of {metric} over time, {model}"), columns, rows.collect()))
}
