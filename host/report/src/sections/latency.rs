//! The latency section.
//!
//! Invariants: models and substrate share one axis. The text says what is measured for each, because it is not the same.

use crate::format::{UNDEFINED, count, counted, duration};
use crate::model::report::{LatencyQuantile, Report};
use crate::model::run_summary::LatencySummary;
use crate::page::{Block, Cell, Chart, Column, Figure, Section, Tone};
use crate::sections::helpers::{folded, table, text};

/// The latencies of models and substrate.
pub fn latency(report: &Report) -> Section {
    let models = report
        .models
        .iter()
        .map(|model| (model.plugin.name.as_str(), &model.latency, &model.latency_quantiles));
    let substrate = ("substrate", &report.substrate_latency.latency, &report.substrate_latency_quantiles);
    let rows_by_source: Vec<(&str, &LatencySummary, &Vec<LatencyQuantile>)> =
        models.chain([substrate]).collect();
    let rows = rows_by_source.iter().map(|(name, latency, _)| row(name, latency)).collect();
    let mut columns = vec![Column::text("Source")];
    columns.extend(["Median", "90th percentile", "99th percentile", "Maximum", "Count"].map(Column::number));
    let mut data = Vec::new();
    for (name, _, times) in &rows_by_source {
        for time in *times {
            let share = format!("{} %", (1e4 * time.share).round() / 100.0);
            data.push(vec![Cell::from(*name), share.into(), duration(time.nanos).into()]);
        }
    }
    let series = rows_by_source.iter().filter(|(_, _, times)| !times.is_empty()).map(|(name, _, times)| {
        // Zero has no place on a logarithmic axis; it is drawn as one nanosecond.
        ((*name).to_owned(), times.iter().map(|time| (time.nanos.max(1) as f64, time.share)).collect())
    });
    let mut blocks = vec![
        text(
            "For a model, the latency is the time to answer a batch of snapshots, counted for each of its rows. For the \
             substrate, it is the time from the snapshot to the decision, as in the records.",
        ),
        Block::Table(table("Latency of models and substrate", columns, rows)),
        Block::Figure(Figure {
            title: "Distribution of latencies".to_owned(),
            description: "The share of answers with at most a given latency, on a logarithmic time axis."
                .to_owned(),
            chart: Chart::Distribution { x_label: "latency".to_owned(), series: series.collect() },
            table: folded(
                "Data",
                vec![Column::text("Source"), Column::number("Share"), Column::number("Latency at most")],
                data,
            ),
        }),
    ];
    let before = report.substrate_latency.dated_before_snapshot;
    if before > 0 {
        let dated = counted(
            before,
            "decision is dated before its snapshot",
            "decisions are dated before their snapshots",
        );
        blocks.push(Block::Note {
            tone: Tone::Unsure,
            text: format!("{dated}: not included in the latencies."),
        });
    }
    Section { id: "latency", title: "Latency".to_owned(), blocks }
}

fn row(name: &str, latency: &LatencySummary) -> Vec<Cell> {
    let time = |nanos| if latency.count == 0 { UNDEFINED.to_owned() } else { duration(nanos) };
    let LatencySummary { count: number, p50, p90, p99, max } = *latency;
    vec![
        name.into(),
        time(p50).into(),
        time(p90).into(),
        time(p99).into(),
        time(max).into(),
        count(number).into(),
    ]
}
