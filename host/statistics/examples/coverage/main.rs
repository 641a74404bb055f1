//! Prints the coverage tables of `docs/src/statistics.md`, as Markdown: how often intervals and tests hold on streams whose
//! true values are known.
//!
//! Invariants:
//! - Every stream comes from a fixed seed, so a table is the same at every run.
//! - A table is a module with a function `table`, whose argument is the number of streams.
//!
//! `cargo run --release -p understudy-statistics --example coverage -- TABLE [STREAMS]`

mod markdown;
mod rare_events;

/// The number of streams of a table in the documentation.
const STREAMS: usize = 2000;

/// The tables: the name on the command line, and the function that computes the table from a number of streams.
const TABLES: &[(&str, fn(usize) -> String)] = &[("rare-events", rare_events::table)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let streams = arguments.get(1).map_or(Ok(STREAMS), |streams| streams.parse());
    let (Some((_, table)), Ok(streams)) = (TABLES.iter().find(|(table, _)| *table == name), streams) else {
        let names: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: coverage TABLE [STREAMS]; TABLE is one of: {}", names.join(", "));
        std::process::exit(2);
    };
    print!("{}", table(streams));
}
