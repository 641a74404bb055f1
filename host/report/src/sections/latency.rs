//! How long models and substrate took.
//!
//! Always holds: both sides stand on one axis; what is measured of each is said, since it is not the same thing.

use crate::format::{UNDEFINED, count, counted, duration};
use crate::model::report::{Latency, Report, Time};
use crate::page::{Block, Cell, Chart, Column, Figure, Section, Tone};
use crate::sections::helpers::{folded, table, text};

/// The latencies.
pub fn latency(report: &Report) -> Section {
    let models = report.models.iter().map(|model| (model.plugin.name.as_str(), &model.latency, &model.times));
    let substrate = ("substrate", &report.substrate_latency.after, &report.substrate_times);
    let sides: Vec<(&str, &Latency, &Vec<Time>)> = models.chain([substrate]).collect();
    let rows = sides.iter().map(|(name, latency, _)| row(name, latency)).collect();
    let mut columns = vec![Column::text("Side")];
    columns.extend(["Median", "90 %", "99 %", "Longest", "Times"].map(Column::number));
    let mut data = Vec::new();
    for (name, _, times) in &sides {
        for time in *times {
            let share = format!("{} %", (1e4 * time.share).round() / 100.0);
            data.push(vec![Cell::from(*name), share.into(), duration(time.nanos).into()]);
        }
    }
    let series = sides.iter().filter(|(_, _, times)| !times.is_empty()).map(|(name, _, times)| {
        // What took no time at all has no place on a logarithmic axis; a nanosecond stands for it.
        ((*name).to_owned(), times.iter().map(|time| (time.nanos.max(1) as f64, time.share)).collect())
    });
    let mut blocks = vec![
        text(
            "Of a model: the time until the batch of a snapshot was answered, which its rows share. Of the substrate: from the \
             snapshot's time to the decision's, as the records carry them.",
        ),
        Block::Table(table("How long it took", columns, rows)),
        Block::Figure(Figure {
            title: "Latency of both sides".to_owned(),
            description:
                "The share of the answers that took at most so long, over a logarithmic axis of time."
                    .to_owned(),
            chart: Chart::Distribution { x_label: "time to answer".to_owned(), series: series.collect() },
            table: folded(
                "Data",
                vec![Column::text("Side"), Column::number("Share"), Column::number("Took at most")],
                data,
            ),
        }),
    ];
    let before = report.substrate_latency.before;
    if before > 0 {
        let dated = counted(
            before,
            "decision is dated before its snapshot",
            "decisions are dated before their snapshots",
        );
        blocks.push(Block::Note {
            tone: Tone::Unsure,
            text: format!("{dated}: no latency can be told of them."),
        });
    }
    Section { id: "latency", title: "Latency".to_owned(), blocks }
}

fn row(name: &str, latency: &Latency) -> Vec<Cell> {
    let time = |nanos| if latency.count == 0 { UNDEFINED.to_owned() } else { duration(nanos) };
    let Latency { count: number, p50, p90, p99, max } = *latency;
    vec![
        name.into(),
        time(p50).into(),
        time(p90).into(),
        time(p99).into(),
        time(max).into(),
        count(number).into(),
    ]
}
