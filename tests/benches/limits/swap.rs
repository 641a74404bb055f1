//! Measures the cost of a swap for clients: the pause between responses during each of fifty swaps, compared
//! with the pauses of a run over the same rows without swaps.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use understudy_tests::served_run::ServedRun;
use understudy_tests::synthetic::{self, Numbers};
use understudy_tests::{TestWorkspace, plugin, root};

use super::judge;
use super::wire::Wire;

const CONNECTIONS: usize = 32;
/// Records per request.
const ROWS: u64 = 100;
const SNAPSHOTS: u64 = 5_000_000;
const SWAPS: usize = 50;
/// Maximum increase of a pause by a swap, at the 99th percentile, in milliseconds.
const LIMIT: f64 = 1.0;
/// Number of random samples from the run without swaps. Each has as many moments as there are swaps.
const SETS: usize = 400;

/// Measures fifty swaps during five million snapshots.
pub fn swap() -> bool {
    let quiet = serve(|_| Vec::new());
    let swapped = serve(swaps);
    println!(
        "{} swaps during {SNAPSHOTS} snapshots from {CONNECTIONS} connections in {:.0} s, unswapped in {:.0} s: all answered \
         once, and `verify` finds every row in the generation that the ledger says",
        swapped.swaps.len(),
        swapped.seconds(),
        quiet.seconds()
    );
    let held: Vec<f64> = swapped.swaps.iter().map(|swap| swap.held * 1000.0).collect();
    println!(
        "a swap blocked the coordinator thread for {:.3} ms at the median, {:.3} ms at most",
        quantile(&held, 0.5),
        quantile(&held, 1.0)
    );
    let around: Vec<f64> = swapped.swaps.iter().map(|swap| swapped.pause(swap.at)).collect();
    // Random moments of the run without swaps show how the same values vary by chance.
    let mut numbers = Numbers(11);
    let (first, span) = (quiet.answered[0], (quiet.seconds() * 1e6) as u64);
    let mut set = || -> Vec<f64> {
        let moment = |_| quiet.pause(first + Duration::from_micros(numbers.next(span)));
        (0..SWAPS).map(moment).collect()
    };
    let sets: Vec<Vec<f64>> = (0..SETS).map(|_| set()).collect();
    let of = |share: f64| sets.iter().map(|set| quantile(set, share)).collect::<Vec<f64>>();
    let (median, tail) = (of(0.5), of(0.99));
    println!(
        "pause in answering at a swap: median {:.2} ms, 99th percentile {:.2} ms; at any moment without swaps: median {:.2} ms, \
         99th percentile {:.2} ms (of as many moments: from {:.2} to {:.2} ms in 90 of 100 draws)",
        quantile(&around, 0.5),
        quantile(&around, 0.99),
        quantile(&median, 0.5),
        quantile(&tail, 0.5),
        quantile(&tail, 0.05),
        quantile(&tail, 0.95)
    );
    let more = quantile(&around, 0.99) - quantile(&tail, 0.5);
    judge("a swap adds to the pause, at the 99th percentile", more, LIMIT, "ms")
}

/// A completed swap.
struct Swap {
    at: Instant,
    /// Seconds for which the coordinator thread was blocked.
    held: f64,
}

/// Measurements of a run.
struct Fed {
    /// Time of each response, in order.
    answered: Vec<Instant>,
    swaps: Vec<Swap>,
}

impl Fed {
    fn seconds(&self) -> f64 {
        self.answered[self.answered.len() - 1].duration_since(self.answered[0]).as_secs_f64()
    }

    /// The pause between two responses that contains a moment, in milliseconds.
    fn pause(&self, at: Instant) -> f64 {
        let after =
            self.answered.partition_point(|answered| *answered <= at).clamp(1, self.answered.len() - 1);
        self.answered[after].duration_since(self.answered[after - 1]).as_secs_f64() * 1000.0
    }
}

/// Serves the synthetic study and feeds it while `beside` runs. Then ends and verifies the run.
fn serve(beside: impl FnOnce(SocketAddr) -> Vec<Swap>) -> Fed {
    let workspace = TestWorkspace::new();
    let study = synthetic::study()
        .to_string()
        .replace("{ file = \"snapshots.jsonl\" }", "{ http = true }")
        .replace("{ file = \"decisions.jsonl\" }", "{ http = true }");
    workspace.write("study.toml", study);
    let run = tempfile::tempdir_in(root().join("target")).expect("a folder");
    let at = run.path().join("run");
    let at = at.to_str().expect("a path in UTF-8");
    let serving = ServedRun::from_command(workspace.command(&[
        "serve",
        "study.toml",
        "--run",
        at,
        "--listen",
        "127.0.0.1:0",
    ]));
    let address = serving.address;
    let fed = feed(address, || beside(address));
    workspace.ok(&["end", at, "--reason", "bench", "--who", "bench"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let report = std::fs::read(run.path().join("run/report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("a report is JSON");
    let received = report["accounting"]["snapshots"]["received"].as_u64();
    let answered = report["models"][0]["answered"].as_u64();
    assert_eq!([received, answered], [Some(SNAPSHOTS); 2], "none is lost, none answered twice");
    workspace.ok(&["verify", at]);
    fed
}

/// Swaps the comparator and the model back and forth.
fn swaps(address: SocketAddr) -> Vec<Swap> {
    let component = STANDARD.encode(std::fs::read(plugin("recorded")).expect("a component"));
    let mut wire = Wire::new(address);
    let (now, clock) = (Instant::now(), SystemTime::now());
    let mut swaps = Vec::new();
    for swap in 0..SWAPS {
        let (part, field) = [("comparator", "decision.zone"), ("echo", "zone")][swap % 2];
        let wish = match swap % 4 {
            0 | 1 => json!({
                "plugin": part, "reason": "bench", "component": component,
                "config": { "field": field, "form": "label", "kind": "text" },
            }),
            _ => json!({ "plugin": part, "reason": "bench", "undo": true }),
        };
        let (status, answer) = wire.post_json("/v1/swaps", &wish.to_string());
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        let at: Timestamp = answer["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let since = SystemTime::from(at).duration_since(clock).expect("the clock goes forward");
        let held = answer["pause-nanos"].as_u64().expect("a count") as f64 / 1e9;
        swaps.push(Swap { at: now + since, held });
        thread::sleep(Duration::from_millis(50));
    }
    swaps
}

/// Feeds snapshots, and a decision for each tenth, while `beside` runs.
fn feed(address: SocketAddr, beside: impl FnOnce() -> Vec<Swap>) -> Fed {
    let (next, all) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let swaps = thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (next, all) = (&next, &all);
            scope.spawn(move || {
                let mut wire = Wire::new(address);
                let mut answered = Vec::new();
                loop {
                    let first = next.fetch_add(ROWS, Ordering::Relaxed);
                    if first >= SNAPSHOTS {
                        break;
                    }
                    let body: String = (first..first + ROWS).map(synthetic::snapshot).collect();
                    post(&mut wire, "/v1/snapshots", &body);
                    answered.push(Instant::now());
                    let body: String = (first..first + ROWS).step_by(10).map(synthetic::decision).collect();
                    post(&mut wire, "/v1/decisions", &body);
                }
                all.lock().expect("no holder panics").extend(answered);
            });
        }
        beside()
    });
    let mut answered = all.into_inner().expect("no holder panics");
    answered.sort();
    Fed { answered, swaps }
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

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}
