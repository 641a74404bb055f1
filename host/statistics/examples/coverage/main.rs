//! Prints coverage tables as Markdown: how often intervals and tests hold on streams whose true values are known.
//!
//! Invariants:
//! - Every stream comes from a fixed seed, so a table is the same at every run.
//! - A table is a module with a function `table`, whose argument is the number of streams.
//!
//! `cargo run --release -p understudy-statistics --example coverage -- TABLE [STREAMS]`

use std::process::ExitCode;

mod ceiling;
mod clusters;
mod ends;
mod family;
mod gains;
mod hotel_weeks;
mod labels;
mod looks;
mod markdown;
mod metrics;
mod rare_events;
mod skewed_scores;
mod weighted_sequence;

/// Computes a table from a number of streams.
type Table = fn(usize) -> String;

/// The default number of streams.
const STREAMS: usize = 2000;

/// The tables by their names on the command line.
const TABLES: &[(&str, Table)] = &[
    ("ceiling", ceiling::table),
    ("clusters", clusters::table),
    ("ends", ends::table),
    ("family", family::table),
    ("gains", gains::table),
    ("labels", labels::table),
    ("looks", looks::table),
    ("metrics", metrics::table),
    ("rare-events", rare_events::table),
    ("skewed-scores", skewed_scores::table),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let streams = arguments.get(1).map_or(Ok(STREAMS), |streams| streams.parse());
    let (Some((_, table)), Ok(streams)) = (TABLES.iter().find(|(table, _)| *table == name), streams) else {
        let names: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: coverage TABLE [STREAMS]; TABLE is one of: {}", names.join(", "));
        return ExitCode::from(2);
    };
    print!("{}", table(streams));
    ExitCode::SUCCESS
}
