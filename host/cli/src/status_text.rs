//! The status of a served run as text, for `understudy status` and `understudy top`.
//!
//! Invariants:
//! - The text depends on the status alone.
//! - Lines fit a terminal of 80 columns.

use console::{Alignment, measure_text_width, pad_str, truncate_str};
use jiff::Timestamp;

use understudy_records::diagnosis::is_hardly_read;
use understudy_records::join::Account;
use understudy_report::bytes;
use understudy_report::count;
use understudy_report::counted;
use understudy_report::duration;
use understudy_report::value_text;
use understudy_service::{Status, plugin_rows};

/// The width of the text.
const COLUMNS: usize = 80;
/// The width of a label.
const LABEL: usize = 11;

/// The lines of the text, without line breaks.
pub(super) fn status_lines(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", status.study, status.phase.name())];
    let mut add = |label: &str, value: String| lines.push(format!("{label:<LABEL$}{value}"));
    add("run", status.directory.clone().unwrap_or_else(|| "not started".to_owned()));
    add("version", format!("understudy {}", status.version));
    if !status.owners.is_empty() {
        let label = if status.owners.len() == 1 { "owner" } else { "owners" };
        // A name may have characters that reorder a line, and a list may be long.
        add(label, truncate_str(&value_text(&status.owners.join(", ")), COLUMNS - LABEL, "…").into_owned());
    }
    if let Some(threshold) = &status.threshold {
        add("threshold", threshold.clone());
    }
    let Some(run) = &status.run_status else { return lines };
    add("started", time(run.began));
    add("swaps", count(u64::from(status.swaps)));
    lines.push(String::new());
    let accounts = [("snapshots", &run.accounting.snapshots), ("decisions", &run.accounting.decisions)];
    for (stream, account) in accounts {
        if account.received > 0 && is_hardly_read(account) {
            let decoded = count(account.received - account.rejected);
            let received = counted(account.received, "record", "records");
            let any = if account.rejected == account.received { "NO" } else { "HARDLY ANY" };
            lines.push(format!("{any} {} CAN BE READ: {decoded} of {received}", stream.to_uppercase()));
        }
    }
    lines.extend(run.absent_fields.iter().map(|absent| {
        let records = counted(absent.records, absent.stream.trim_end_matches('s'), &absent.stream);
        let line = format!(
            "NO VALUE of `{}` in {records}; compare its name in the records",
            value_text(&absent.field)
        );
        truncate_str(&line, COLUMNS, "…").into_owned()
    }));
    lines.extend(records(status));
    if run.failures > 0 {
        lines.push(format!("{} failed", counted(run.failures, "model call", "model calls")));
    }
    lines.push(String::new());
    lines.extend(models(status));
    lines.push(String::new());
    lines.extend(plugins(status));
    lines.push(String::new());
    lines.extend(resources(status));
    lines
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn records(status: &Status) -> Vec<String> {
    let Some(run) = &status.run_status else { return Vec::new() };
    let accounts = [&run.accounting.snapshots, &run.accounting.decisions];
    let mut rows = vec![["records", "snapshots", "decisions"].map(str::to_owned).to_vec()];
    for (name, term, records) in run.accounting.equation() {
        let name = if term.is_none() { format!("  {name}") } else { name };
        rows.push(vec![name, count(records.snapshots), count(records.decisions)]);
    }
    let balance = |account: &Account| if account.balances() { "balances" } else { "DO NOT BALANCE" };
    rows.push(std::iter::once(String::new()).chain(accounts.map(|of| balance(of).to_owned())).collect());
    rows.push(std::iter::once("up to".to_owned()).chain(run.clocks.map(time).into_array()).collect());
    table(&rows)
}

fn models(status: &Status) -> Vec<String> {
    let Some(run) = &status.run_status else { return Vec::new() };
    let heads = ["model", "answered", "abstained", "failed", "blinded", "p50", "p99"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (name, counts) in status.models.iter().zip(&run.models) {
        let took = |nanos| if counts.latency.count == 0 { "–".to_owned() } else { duration(nanos) };
        let numbers = [counts.answered, counts.abstained, counts.failed, counts.blinded].map(count);
        let times = [counts.latency.p50, counts.latency.p99].map(took);
        rows.push(std::iter::once(name.clone()).chain(numbers).chain(times).collect());
    }
    table(&rows)
}

fn plugins(status: &Status) -> Vec<String> {
    let Some(run) = &status.run_status else { return Vec::new() };
    let heads = ["plugin", "role", "gen", "rows", "fuel", "memory", "traps"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for plugin in &run.plugins {
        let usage = plugin.usage;
        rows.push(vec![
            plugin.name.clone(),
            plugin.role.clone(),
            count(u64::from(plugin.generation)),
            plugin_rows(plugin),
            count(usage.fuel),
            bytes(usage.memory_bytes),
            count(usage.traps),
        ]);
    }
    let mut lines = table(&rows);
    lines.push("latency, rows, fuel and memory are updated after each 1,000 rows or more".to_owned());
    lines
}

fn resources(status: &Status) -> Vec<String> {
    let queue = &status.queue;
    let oldest = match queue.deliveries {
        0 => String::new(),
        _ => format!(", oldest {}", duration((queue.oldest_seconds * 1e9) as u64)),
    };
    let mut lines = Vec::new();
    let mut add = |label: &str, value: String| lines.push(format!("{label:<11}{value}"));
    add("queued", format!("{}{oldest}", counted(queue.deliveries as u64, "delivery", "deliveries")));
    let [free, total] =
        [queue.body_memory_free_bytes, queue.body_memory_bytes].map(|size| bytes(size as u64));
    add("bodies", format!("{free} of {total} free"));
    if let Some(disk) = status.disk {
        let size = disk.run_bytes.map_or_else(|| "shown after 1,000 snapshots".to_owned(), bytes);
        add("disk", format!("{} free, run directory {size}", bytes(disk.free_bytes)));
    }
    if let Some(resident) = status.resident_bytes {
        add("memory", bytes(resident));
    }
    lines
}

/// Aligns rows in columns, the first to the left and the others to the right.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let alignment = if column == 0 { Alignment::Left } else { Alignment::Right };
            pad_str(cell, *width, alignment, None).into_owned()
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_engine::{AbsentField, LatencyPercentiles, ModelCounts, PluginStatus, RunStatus};
    use understudy_records::join::Accounting;
    use understudy_sandbox::Usage;
    use understudy_service::{DiskUsage, Phase, QueueStatus};
    use understudy_study::PerStream;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn status() -> Status {
        let snapshots = Account {
            received: 15_402,
            rejected: 1,
            duplicate: 2,
            paired: 15_000,
            waiting: 399,
            ..Account::default()
        };
        let decisions = Account { received: 15_001, conflict: 1, paired: 15_000, ..Account::default() };
        let latency =
            LatencyPercentiles { count: 15_402, p50: 1_920, p90: 3_000, p99: 740_000, max: 2_000_000 };
        let usage =
            Usage { rows: 15_000, calls: 1_205, fuel: 9_876_543_210, traps: 3, memory_bytes: 1_114_112 };
        let plugin = |role: &str, name: &str, generation, usage| PluginStatus {
            role: role.to_owned(),
            name: name.to_owned(),
            generation,
            usage,
            rows_below: usage.rows + 1_000,
            ..PluginStatus::default()
        };
        Status {
            version: "0.1.0".to_owned(),
            at: at("2026-03-06T12:00:00Z"),
            study: "yard".to_owned(),
            directory: Some("/var/lib/understudy/yard".to_owned()),
            phase: Phase::Serving,
            owners: vec!["yard team".to_owned(), "ann \u{202e}".to_owned()],
            threshold: Some("agreement at least 0.85".to_owned()),
            models: vec!["allocator".to_owned()],
            run_status: Some(RunStatus {
                began: Some(at("2026-03-01T10:00:00Z")),
                accounting: Accounting { snapshots, decisions },
                clocks: PerStream { snapshots: Some(at("2026-03-06T11:59:58Z")), decisions: None },
                models: vec![ModelCounts { answered: 15_396, failed: 3, latency, ..ModelCounts::default() }],
                failures: 3,
                generation: 1,
                plugins: vec![
                    plugin("model", "allocator", 0, usage),
                    plugin("comparator", "dispatcher", 1, Usage::default()),
                ],
                absent_fields: vec![AbsentField {
                    stream: "decisions".to_owned(),
                    field: "nights".to_owned(),
                    records: 15_001,
                }],
                ..RunStatus::default()
            }),
            swaps: 1,
            queue: QueueStatus {
                deliveries: 2,
                oldest_seconds: 0.25,
                max_lag_seconds: 5.0,
                body_memory_free_bytes: 100 << 20,
                body_memory_bytes: 128 << 20,
            },
            disk: Some(DiskUsage { free_bytes: 12 << 30, run_bytes: Some(3 << 20) }),
            resident_bytes: Some(90 << 20),
        }
    }

    #[test]
    fn text_of_a_serving_run() {
        insta::assert_snapshot!(status_lines(&status()).join("\n"), @r"
        yard: serving
        run        /var/lib/understudy/yard
        version    understudy 0.1.0
        owners     yard team, ann \u{202e}
        threshold  agreement at least 0.85
        started    2026-03-01 10:00:00Z
        swaps      1

        NO VALUE of `nights` in 15,001 decisions; compare its name in the records
        records                 snapshots  decisions
          received                 15,402     15,001
        = rejected                      1          0
        + duplicate                     2          0
        + conflict                      0          1
        + late                          0          0
        + paired                   15,000     15,000
        + waiting                     399          0
        + expired                       0          0
                                 balances   balances
        up to        2026-03-06 11:59:58Z          –
        3 model calls failed

        model      answered  abstained  failed  blinded      p50     p99
        allocator    15,396          0       3        0  1.92 µs  740 µs

        plugin            role  gen     rows           fuel    memory  traps
        allocator        model    0   15,000  9,876,543,210  1.06 MiB      3
        dispatcher  comparator    1  < 1,000              0       0 B      0
        latency, rows, fuel and memory are updated after each 1,000 rows or more

        queued     2 deliveries, oldest 250 ms
        bodies     100 MiB of 128 MiB free
        disk       12.0 GiB free, run directory 3.00 MiB
        memory     90.0 MiB
        ");
    }

    #[test]
    fn text_of_a_starting_run() {
        let status = Status { directory: None, run_status: None, phase: Phase::Starting, ..status() };
        insta::assert_snapshot!(status_lines(&status).join("\n"), @r"
        yard: starting
        run        not started
        version    understudy 0.1.0
        owners     yard team, ann \u{202e}
        threshold  agreement at least 0.85
        ");
    }

    #[test]
    fn a_stream_that_cannot_be_read_is_named_before_the_records() {
        let mut status = status();
        let run = status.run_status.as_mut().expect("the run has begun");
        run.accounting.snapshots =
            Account { received: 2_400, rejected: 2_397, waiting: 3, ..Account::default() };
        run.accounting.decisions = Account { received: 1, rejected: 1, ..Account::default() };
        let lines = status_lines(&status);
        let first = lines.iter().position(|line| line.contains("READ")).expect("it is named");
        assert_eq!(
            lines[first..first + 2],
            [
                "HARDLY ANY SNAPSHOTS CAN BE READ: 3 of 2,400 records".to_owned(),
                "NO DECISIONS CAN BE READ: 0 of 1 record".to_owned()
            ]
        );
        assert!(lines[first + 2].starts_with("NO VALUE of `nights`"), "{lines:?}");
        assert!(lines[first + 3].starts_with("records"), "{lines:?}");
    }

    #[test]
    fn no_line_exceeds_80_columns() {
        let owners = vec!["the night shift of the yard".to_owned(); 20];
        let long = Status { owners, ..status() };
        for line in status_lines(&status()).into_iter().chain(status_lines(&long)) {
            assert!(measure_text_width(&line) <= 80, "{line}");
        }
    }

    #[test]
    fn the_status_survives_json() {
        let text = serde_json::to_string(&status()).expect("plain data");
        let read: Status = serde_json::from_str(&text).expect("the same");
        assert_eq!(serde_json::to_string(&read).expect("plain data"), text);
    }
}
