//! What a swap costs those who feed: the longest pause in answering around each of fifty swaps, beside the pauses of the same
//! process while nothing is swapped.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use understudy_tests::serving::Serving;
use understudy_tests::synthetic::{self, Numbers};
use understudy_tests::{Bench, plugin, root};

use super::judge;
use super::wire::Wire;

const CONNECTIONS: usize = 32;
/// Records of one request.
const ROWS: u64 = 100;
/// Snapshots before the first swap, and while there are swaps.
const QUIET: u64 = 1_000_000;
const SWAPPED: u64 = 5_000_000;
const SWAPS: usize = 50;
/// The most that a swap may add to the longest pause, at the 99th percentile, in milliseconds.
const LIMIT: f64 = 1.0;

/// Fifty swaps during five million snapshots.
pub fn swap() -> bool {
    let bench = Bench::new();
    let study = synthetic::STUDY
        .replace("{ file = \"snapshots.jsonl\" }", "{ http = true }")
        .replace("{ file = \"decisions.jsonl\" }", "{ http = true }");
    bench.write("study.toml", study);
    bench.write("same.json", r#"{ "field": "decision.zone", "form": "label", "kind": "text" }"#);
    bench.write("echo.json", r#"{ "field": "zone", "form": "label", "kind": "text" }"#);
    let run = tempfile::tempdir_in(root().join("target")).expect("a folder");
    let at = run.path().join("run");
    let at = at.to_str().expect("a path in UTF-8");
    let serving =
        Serving::of(bench.command(&["serve", "study.toml", "--run", at, "--listen", "127.0.0.1:0"]));
    let address = serving.address;

    let quiet = feed(address, 0..QUIET, || Vec::new()).0;
    let began = Instant::now();
    let (gaps, swaps) = feed(address, QUIET..QUIET + SWAPPED, || {
        let component = plugin("recorded");
        let component = component.to_str().expect("a path in UTF-8");
        let mut swaps = Vec::new();
        for swap in 0..SWAPS {
            let part = ["comparator", "echo"][swap % 2];
            let config = ["same.json", "echo.json"][swap % 2];
            let new: &[&str] = if swap % 4 < 2 { &[component, "--config", config] } else { &["--undo"] };
            let arguments = [&["swap", at, part, "--reason", "bench", "--who", "bench"], new].concat();
            let asked = Instant::now();
            let said = bench.understudy(&arguments);
            assert_eq!(said.code, 0, "{}", said.err);
            swaps.push((asked, Instant::now()));
            thread::sleep(Duration::from_millis(100));
        }
        swaps
    });
    let seconds = began.elapsed().as_secs_f64();
    let said = bench.understudy(&["end", at, "--reason", "bench", "--who", "bench"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = serving.said();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let report = std::fs::read(run.path().join("run/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("a report is JSON");
    let snapshots = &report["accounting"]["snapshots"];
    let count = |name: &str| snapshots[name].as_u64().expect("a count");
    assert_eq!(count("received"), QUIET + SWAPPED, "{snapshots}");
    assert_eq!(
        report["models"][0]["answered"].as_u64(),
        Some(QUIET + SWAPPED),
        "none is lost, none answered twice"
    );
    let said = bench.understudy(&["verify", at]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    println!(
        "{} swaps during {SWAPPED} snapshots from {CONNECTIONS} connections in {seconds:.0} s: all answered once, and `verify` \
         finds every row in the generation that the ledger says",
        swaps.len()
    );

    let around: Vec<f64> = swaps.iter().map(|(from, to)| longest(&gaps, *from, *to)).collect();
    let spans: Vec<Duration> = swaps.iter().map(|(from, to)| to.duration_since(*from)).collect();
    let (first, last) = (quiet[0], quiet[quiet.len() - 1]);
    let mut numbers = Numbers(11);
    let elsewhere: Vec<f64> = (0..40)
        .flat_map(|_| spans.clone())
        .map(|span| {
            let room = last.duration_since(first).saturating_sub(span).as_micros() as u64;
            let from = first + Duration::from_micros(numbers.next(room.max(1)));
            longest(&quiet, from, from + span)
        })
        .collect();
    for (what, pauses) in [("around swaps", &around), ("unswapped, spans as long", &elsewhere)] {
        println!(
            "longest pause in answering, {what}: median {:.2} ms, 99th percentile {:.2} ms",
            quantile(pauses, 0.5),
            quantile(pauses, 0.99)
        );
    }
    let more = quantile(&around, 0.99) - quantile(&elsewhere, 0.99);
    judge("a swap adds to the longest pause, at the 99th percentile", more, LIMIT, "ms")
}

/// Feeds snapshots of these numbers, and a decision to each tenth, while `beside` does what it does. Gives when each request was
/// answered, in order, and what came of the other.
fn feed<T>(
    address: SocketAddr,
    numbers: std::ops::Range<u64>,
    beside: impl FnOnce() -> T,
) -> (Vec<Instant>, T) {
    let (next, end) = (AtomicU64::new(numbers.start), numbers.end);
    let (all, done) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let came = thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (next, all, done) = (&next, &all, &done);
            scope.spawn(move || {
                let mut wire = Wire::new(address);
                let mut answered = Vec::new();
                loop {
                    let first = next.fetch_add(ROWS, Ordering::Relaxed);
                    if first >= end {
                        break;
                    }
                    let body: String = (first..first + ROWS).map(synthetic::snapshot).collect();
                    post(&mut wire, "/v1/snapshots", &body);
                    answered.push(Instant::now());
                    let body: String = (first..first + ROWS).step_by(10).map(synthetic::decision).collect();
                    post(&mut wire, "/v1/decisions", &body);
                }
                all.lock().expect("no holder panics").extend(answered);
                done.store(true, Ordering::Relaxed);
            });
        }
        beside()
    });
    let mut answered = all.into_inner().expect("no holder panics");
    answered.sort();
    (answered, came)
}

fn post(wire: &mut Wire, path: &str, body: &str) {
    loop {
        match wire.post(path, body) {
            202 => return,
            429 => thread::sleep(Duration::from_millis(5)),
            other => panic!("{path} is answered {other}"),
        }
    }
}

/// The longest pause between two answers that touches a span of time, in milliseconds.
fn longest(answered: &[Instant], from: Instant, to: Instant) -> f64 {
    let first = answered.partition_point(|at| *at < from).saturating_sub(1);
    let last = (answered.partition_point(|at| *at <= to) + 1).min(answered.len());
    let gaps = answered[first..last].windows(2).map(|two| two[1].duration_since(two[0]).as_secs_f64());
    gaps.fold(0.0, f64::max) * 1000.0
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}
