//! Where a served run stands, as text for a terminal.
//!
//! Always holds: it is a function of the status alone; what stands in a column fits a terminal of 80, and most of it one of 40.

use console::{Alignment, measure_text_width, pad_str};
use jiff::Timestamp;

use understudy_records::join::Account;
use understudy_report::bytes;
use understudy_report::count;
use understudy_report::counted;
use understudy_report::duration;
use understudy_service::Status;

/// The status in lines, without line feeds.
pub(super) fn lines(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", status.study, status.phase.name())];
    let mut say = |label: &str, value: String| lines.push(format!("{label:<11}{value}"));
    say("run", status.run.clone().unwrap_or_else(|| "not begun yet".to_owned()));
    say("version", format!("understudy {}", status.version));
    if let Some(threshold) = &status.threshold {
        say("threshold", threshold.clone());
    }
    let Some(standing) = &status.standing else { return lines };
    say("began", time(standing.began));
    say("swaps", count(u64::from(status.swaps)));
    lines.push(String::new());
    lines.extend(records(status));
    if standing.incidents > 0 {
        lines.push(format!("models have broken on {}", counted(standing.incidents, "call", "calls")));
    }
    lines.push(String::new());
    lines.extend(models(status));
    lines.push(String::new());
    lines.extend(plugins(status));
    lines.push(String::new());
    lines.extend(room(status));
    lines
}

/// A count of an account.
type Count = fn(&Account) -> u64;

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn records(status: &Status) -> Vec<String> {
    let Some(standing) = &status.standing else { return Vec::new() };
    let accounts = [&standing.accounting.snapshots, &standing.accounting.decisions];
    let fates: [(&str, Count); 8] = [
        ("  received", |account| account.received),
        ("= rejected", |account| account.rejected),
        ("+ duplicate", |account| account.duplicate),
        ("+ conflict", |account| account.conflict),
        ("+ late", |account| account.late),
        ("+ paired", |account| account.paired),
        ("+ waiting", |account| account.waiting),
        ("+ expired", |account| account.expired),
    ];
    let mut rows = vec![["records", "snapshots", "decisions"].map(str::to_owned).to_vec()];
    for (name, fate) in fates {
        rows.push(std::iter::once(name.to_owned()).chain(accounts.map(|of| count(fate(of)))).collect());
    }
    let balance = |account: &Account| if account.balances() { "balances" } else { "DO NOT BALANCE" };
    rows.push(std::iter::once(String::new()).chain(accounts.map(|of| balance(of).to_owned())).collect());
    rows.push(std::iter::once("up to".to_owned()).chain(standing.clocks.map(time).into_array()).collect());
    table(&rows)
}

fn models(status: &Status) -> Vec<String> {
    let Some(standing) = &status.standing else { return Vec::new() };
    let heads = ["model", "answered", "abstained", "failed", "blinded", "p50", "p99"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (name, counts) in status.models.iter().zip(&standing.models) {
        let took = |nanos| if counts.latency.count == 0 { "–".to_owned() } else { duration(nanos) };
        let numbers = [counts.answered, counts.abstained, counts.failed, counts.blinded].map(count);
        let times = [counts.latency.p50, counts.latency.p99].map(took);
        rows.push(std::iter::once(name.clone()).chain(numbers).chain(times).collect());
    }
    table(&rows)
}

fn plugins(status: &Status) -> Vec<String> {
    let Some(standing) = &status.standing else { return Vec::new() };
    let heads = ["plugin", "role", "gen", "calls", "fuel", "memory", "traps"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for plugin in &standing.plugins {
        let usage = plugin.usage;
        rows.push(vec![
            plugin.name.clone(),
            plugin.role.clone(),
            count(u64::from(plugin.generation)),
            count(usage.calls),
            count(usage.fuel),
            bytes(usage.memory_bytes),
            count(usage.traps),
        ]);
    }
    table(&rows)
}

fn room(status: &Status) -> Vec<String> {
    let queue = &status.queue;
    let oldest = match queue.deliveries {
        0 => String::new(),
        _ => format!(", the oldest for {}", duration((queue.oldest_seconds * 1e9) as u64)),
    };
    let mut lines = Vec::new();
    let mut say = |label: &str, value: String| lines.push(format!("{label:<11}{value}"));
    say("waiting", format!("{}{oldest}", counted(queue.deliveries as u64, "delivery", "deliveries")));
    let [free, all] = [queue.room_free_bytes, queue.room_bytes].map(|size| bytes(size as u64));
    say("room", format!("{free} of {all} free"));
    if let Some(disk) = status.disk {
        say("disk", format!("{} free, the run takes {}", bytes(disk.free_bytes), bytes(disk.run_bytes)));
    }
    if let Some(resident) = status.resident_bytes {
        say("memory", bytes(resident));
    }
    lines
}

/// Rows under each other, the first column at the left, the others at the right.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            let side = if at == 0 { Alignment::Left } else { Alignment::Right };
            pad_str(cell, *width, side, None).into_owned()
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_engine::{Latency, ModelCounts, PluginStatus, RunStatus};
    use understudy_records::join::Accounting;
    use understudy_sandbox::Usage;
    use understudy_service::{Disk, Phase, Queue};

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
        let latency = Latency { count: 15_402, p50: 1_920, p90: 3_000, p99: 740_000, max: 2_000_000 };
        let usage = Usage { calls: 1_205, fuel: 9_876_543_210, traps: 3, memory_bytes: 1_114_112 };
        let plugin = |role: &str, name: &str, generation, usage| PluginStatus {
            role: role.to_owned(),
            name: name.to_owned(),
            generation,
            usage,
            ..PluginStatus::default()
        };
        Status {
            version: "0.1.0".to_owned(),
            at: at("2026-03-06T12:00:00Z"),
            study: "yard".to_owned(),
            run: Some("/var/lib/understudy/yard".to_owned()),
            phase: Phase::Serving,
            threshold: Some("agreement at least 0.85".to_owned()),
            models: vec!["allocator".to_owned()],
            standing: Some(RunStatus {
                began: Some(at("2026-03-01T10:00:00Z")),
                accounting: Accounting { snapshots, decisions },
                clocks: PerStream { snapshots: Some(at("2026-03-06T11:59:58Z")), decisions: None },
                models: vec![ModelCounts { answered: 15_396, failed: 3, latency, ..ModelCounts::default() }],
                incidents: 3,
                generation: 1,
                plugins: vec![
                    plugin("model", "allocator", 0, usage),
                    plugin("comparator", "dispatcher", 1, Usage::default()),
                ],
                ..RunStatus::default()
            }),
            swaps: 1,
            queue: Queue {
                deliveries: 2,
                oldest_seconds: 0.25,
                behind_seconds: 5.0,
                room_free_bytes: 100 << 20,
                room_bytes: 128 << 20,
            },
            disk: Some(Disk { free_bytes: 12 << 30, run_bytes: 3 << 20 }),
            resident_bytes: Some(90 << 20),
        }
    }

    #[test]
    fn a_run_that_is_served() {
        insta::assert_snapshot!(lines(&status()).join("\n"), @r"
        yard: serving
        run        /var/lib/understudy/yard
        version    understudy 0.1.0
        threshold  agreement at least 0.85
        began      2026-03-01 10:00:00Z
        swaps      1

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
        models have broken on 3 calls

        model      answered  abstained  failed  blinded      p50     p99
        allocator    15,396          0       3        0  1.92 µs  740 µs

        plugin            role  gen  calls           fuel    memory  traps
        allocator        model    0  1,205  9,876,543,210  1.06 MiB      3
        dispatcher  comparator    1      0              0       0 B      0

        waiting    2 deliveries, the oldest for 250 ms
        room       100 MiB of 128 MiB free
        disk       12.0 GiB free, the run takes 3.00 MiB
        memory     90.0 MiB
        ");
    }

    #[test]
    fn a_run_that_has_not_begun() {
        let status = Status { run: None, standing: None, phase: Phase::Starting, ..status() };
        insta::assert_snapshot!(lines(&status).join("\n"), @r"
        yard: starting
        run        not begun yet
        version    understudy 0.1.0
        threshold  agreement at least 0.85
        ");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for line in lines(&status()) {
            assert!(measure_text_width(&line) <= 80, "{line}");
        }
    }

    #[test]
    fn what_was_sent_is_what_is_read() {
        let text = serde_json::to_string(&status()).expect("plain data");
        let read: Status = serde_json::from_str(&text).expect("the same");
        assert_eq!(serde_json::to_string(&read).expect("plain data"), text);
    }
}
