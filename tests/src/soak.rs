//! A soak test of a served run: plugins that trap and loop, clients that abort and repeat requests, and
//! repeated kills.
//!
//! Invariants:
//! - At the end, every acknowledged record is in the run exactly once.
//! - The metrics equal those of a run over the same rows from files.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Client, connect};
use crate::process::wait_until;
use crate::served_run::ServedRun;
use crate::study_toml::StudyToml;
use crate::{TestWorkspace, deterministic_part};

/// Number of clients.
const CONNECTIONS: u64 = 4;
/// Records per request.
const ROWS: u64 = 50;

/// The declaration: one model traps on some rows, the other loops.
fn study() -> StudyToml {
    StudyToml::new("soak")
        .input("text", "text")
        .decision("text", "text")
        .horizon("15m")
        .evil_model("traps", "trap", "trap-unreachable")
        .evil_model("loops", "loop", "loop")
        .comparator("recorded", "decision.text")
        .metric("agreement")
        .condition("text", "text", &["a", "b", "trap", "loop"])
        .section("limits", "fuel-per-row = 1000000")
}

/// Result of a soak test.
pub struct SoakResult {
    /// Number of snapshots; each has a decision.
    pub rows: u64,
    /// Resident memory in bytes at the end of each process.
    pub resident: Vec<u64>,
    /// Number of times that the run was resumed, according to the ledger.
    pub resumptions: usize,
    /// Number of duplicate records per stream: snapshots and decisions.
    pub duplicates: [u64; 2],
}

/// A record. One in a hundred traps, one in a thousand loops, and one in seven has another decision.
fn row(number: u64, decision: bool) -> String {
    let text = match number {
        n if n % 1_000 == 7 => "loop",
        n if n % 100 == 3 => "trap",
        n if decision && n % 7 == 0 => "b",
        n if n % 5 == 0 => "b",
        _ => "a",
    };
    let tenths = number + if decision { 50 } else { 0 };
    let (day, second) = (tenths / 864_000, tenths / 10 % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let (month, day, tenth) = (1 + day / 28, 1 + day % 28, tenths % 10);
    let at = format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{tenth}Z");
    format!("{{\"id\":\"n{number:08}\",\"at\":\"{at}\",\"text\":\"{text}\"}}\n")
}

/// Serves a run with `lives` processes in turn. Each but the last is ended by SIGKILL when `is_over` returns
/// true for the number of the process, its age and the rows acknowledged during it. Clients wait for `pause`
/// after each request.
pub fn soak(lives: usize, pause: Duration, is_over: impl Fn(usize, Duration, u64) -> bool) -> SoakResult {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study().http().to_string());
    let acknowledged = AtomicU64::new(0);
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut serving = ServedRun::start(&workspace, &[]);
    let address = serving.address;
    let mut resident = Vec::new();
    let serving = thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (next, done, acknowledged) = (&next, &done, &acknowledged);
            scope.spawn(move || feed(address, connection, pause, [next, acknowledged], done));
        }
        for life in 0..lives {
            let (began, before) = (Instant::now(), acknowledged.load(Ordering::Relaxed));
            while !is_over(life, began.elapsed(), acknowledged.load(Ordering::Relaxed) - before) {
                thread::sleep(Duration::from_millis(20));
            }
            resident.push(memory(serving.id()));
            if life + 1 < lives {
                serving.kill();
                serving = ServedRun::start(&workspace, &["--listen", &address.to_string()]);
            }
        }
        done.store(true, Ordering::Relaxed);
        serving
    });
    workspace.ok(&["end", "run", "--reason", "soak test done", "--who", "soak"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.ok(&["verify", "run"]);
    let rows = next.load(Ordering::Relaxed);
    compare(&workspace, rows);
    let resumptions = workspace.ledger_entries("run", Some("run-resumed")).len();
    let accounting = workspace.report("run")["accounting"].clone();
    let duplicates = ["snapshots", "decisions"]
        .map(|stream| accounting[stream]["duplicate"].as_u64().expect("the report counts duplicates"));
    SoakResult { rows, resident, resumptions, duplicates }
}

/// Compares the run with one over the same rows from files.
fn compare(workspace: &TestWorkspace, rows: u64) {
    let served = workspace.report("run");
    let files = TestWorkspace::new();
    files.write("study.toml", study().to_string());
    for (name, decision) in [("snapshots.jsonl", false), ("decisions.jsonl", true)] {
        let mut file = std::io::BufWriter::new(fs::File::create(files.path().join(name)).expect("a file"));
        for number in 0..rows {
            file.write_all(row(number, decision).as_bytes()).expect("the disk has room");
        }
        file.flush().expect("the disk has room");
    }
    let plain = files.run(&[]);
    for stream in ["snapshots", "decisions"] {
        let account = &served["accounting"][stream];
        let count = |name: &str| account[name].as_u64().expect("a count");
        assert_eq!(count("received") - count("duplicate"), rows, "{account}");
        assert_eq!([count("rejected"), count("conflict"), count("late")], [0; 3], "{account}");
        assert_eq!(account["paired"], plain["accounting"][stream]["paired"]);
    }
    let figures = |report: &Value| {
        let mut report = deterministic_part(report);
        // The first row of a failure depends on the order of requests.
        for failure in report["failures"].as_array_mut().expect("a list of failures") {
            let failure = failure.as_object_mut().expect("a failure");
            for key in ["first-id", "first-sequence", "example"] {
                failure.remove(key);
            }
        }
        json!([report["models"], report["comparison"], report["failures"], report["conditions"]])
    };
    assert_eq!(figures(&served), figures(&plain));
}

/// Sends rows until `done`. Each request is sent twice, and every fifth is aborted first. Unacknowledged
/// requests are repeated.
fn feed(
    address: SocketAddr,
    connection: u64,
    pause: Duration,
    [next, acknowledged]: [&AtomicU64; 2],
    done: &AtomicBool,
) {
    let mut client = Client::new(address);
    let mut requests = connection;
    while !done.load(Ordering::Relaxed) {
        let first = next.fetch_add(ROWS, Ordering::Relaxed);
        for (path, decision) in [("/v1/snapshots", false), ("/v1/decisions", true)] {
            let body: String = (first..first + ROWS).map(|number| row(number, decision)).collect();
            requests += 1;
            if requests.is_multiple_of(5) {
                abort_request(address, path, &body);
            }
            for _ in 0..2 {
                post(&mut client, path, &body);
                thread::sleep(pause);
            }
        }
        acknowledged.fetch_add(ROWS, Ordering::Relaxed);
    }
}

fn post(client: &mut Client, path: &str, body: &str) {
    let ndjson = [("content-type", "application/x-ndjson")];
    wait_until("the records are acknowledged", || {
        match client.try_send("POST", path, &ndjson, body.as_bytes()) {
            Ok(answer) if answer.status == 202 => true,
            Ok(answer) if matches!(answer.status, 429 | 503) => false,
            Ok(answer) => panic!("{path}: {answer:?}"),
            // The process was killed and will be restarted.
            Err(_) => false,
        }
    });
}

/// Sends half a request and closes the connection.
fn abort_request(address: SocketAddr, path: &str, body: &str) {
    let Ok(mut stream) = connect(address) else { return };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ =
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body.as_bytes()[..body.len() / 2]));
}

/// Resident memory of a process in bytes.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process exists");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("the system reports it") << 10
}
