//! A served run that is treated badly for long: plugins that trap and loop, clients that break off and say everything twice, and
//! a process that is killed again and again.
//!
//! Always holds: what was acknowledged is in the run in the end, once; the figures are those of the same rows out of files.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Client, connect};
use crate::process::until;
use crate::serving::Serving;
use crate::{Bench, essence};

/// Connections that feed.
const CONNECTIONS: u64 = 4;
/// Records of one request.
const ROWS: u64 = 50;

const STUDY: &str = r#"study = "soak"
time-zone = "UTC"
[inputs]
id = "id"
time = "at"
[inputs.fields]
text = "text"
[decisions]
id = "id"
time = "at"
horizon = "15m"
[decisions.fields]
text = "text"
[sources]
snapshots = { http = true }
decisions = { http = true }
[[models]]
name = "traps"
plugin = "PLUGINS/guests/evil.wasm"
grant = ["text"]
config = { on = "trap", do = "trap-unreachable" }
[[models]]
name = "loops"
plugin = "PLUGINS/guests/evil.wasm"
grant = ["text"]
config = { on = "loop", do = "loop" }
[comparator]
name = "recorded"
plugin = "PLUGINS/recorded.wasm"
grant = ["decision.text"]
config = { field = "decision.text", form = "label" }
[[metrics]]
name = "agreement"
plugin = "PLUGINS/agreement.wasm"
[[conditions]]
name = "text"
field = "text"
values = ["a", "b", "trap", "loop"]
[windows]
every = "day"
[limits]
fuel-per-row = 1000000
"#;

/// What came of it.
pub struct Soaked {
    /// Snapshots, each with its decision.
    pub rows: u64,
    /// Bytes of memory that the process had resident at the end of each of its lives.
    pub resident: Vec<u64>,
}

/// A row: one in a hundred is trapped on, one in a thousand is looped on, one in seven is decided otherwise.
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

/// Serves for so many lives. Each but the last is ended by SIGKILL once `over` says so, which is asked with the life's number, how
/// long it has lasted and how many rows were acknowledged in it.
/// After each request a client rests for `pause`.
pub fn soak(lives: usize, pause: Duration, over: impl Fn(usize, Duration, u64) -> bool) -> Soaked {
    let bench = Bench::new();
    bench.write("study.toml", STUDY);
    let acknowledged = AtomicU64::new(0);
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut serving = Serving::start(&bench, &[]);
    let address = serving.address;
    let mut resident = Vec::new();
    let serving = thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (next, done, acknowledged) = (&next, &done, &acknowledged);
            scope.spawn(move || feed(address, connection, pause, [next, acknowledged], done));
        }
        for life in 0..lives {
            let (began, before) = (Instant::now(), acknowledged.load(Ordering::Relaxed));
            while !over(life, began.elapsed(), acknowledged.load(Ordering::Relaxed) - before) {
                thread::sleep(Duration::from_millis(20));
            }
            resident.push(memory(serving.id()));
            if life + 1 < lives {
                serving.kill();
                serving = Serving::start(&bench, &["--listen", &address.to_string()]);
            }
        }
        done.store(true, Ordering::Relaxed);
        serving
    });
    let said = bench.understudy(&["end", "run", "--reason", "it has lasted", "--who", "soak"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = serving.said();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = bench.understudy(&["verify", "run"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let rows = next.load(Ordering::Relaxed);
    compare(&bench, rows);
    Soaked { rows, resident }
}

/// Holds the run against one over the same rows out of files.
fn compare(bench: &Bench, rows: u64) {
    let served = bench.report("run");
    let files = Bench::new();
    files.write(
        "study.toml",
        STUDY
            .replace("snapshots = { http = true }", "snapshots = { file = \"snapshots.jsonl\" }")
            .replace("decisions = { http = true }", "decisions = { file = \"decisions.jsonl\" }"),
    );
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
        let mut report = essence(report);
        // Which row of its kind came first differs from feed to feed.
        for incident in report["incidents"].as_array_mut().into_iter().flatten() {
            incident.as_object_mut().map(|incident| incident.remove("first-id"));
        }
        json!([report["models"], report["comparison"], report["incidents"], report["conditions"]])
    };
    assert_eq!(figures(&served), figures(&plain));
}

/// Sends rows, each request twice and one in five broken off before that, until `done`: whatever is not acknowledged is sent
/// again.
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
                broken_off(address, path, &body);
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
    until("the records are acknowledged", || {
        match client.try_send("POST", path, &ndjson, body.as_bytes()) {
            Ok(answer) if answer.status == 202 => true,
            Ok(answer) if matches!(answer.status, 429 | 503) => false,
            Ok(answer) => panic!("{path}: {answer:?}"),
            // The process has been killed, and is to be there again.
            Err(_) => false,
        }
    });
}

/// Half a request, after which the client is gone.
fn broken_off(address: SocketAddr, path: &str, body: &str) {
    let Ok(mut stream) = connect(address) else { return };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ =
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body.as_bytes()[..body.len() / 2]));
}

/// Bytes that a process has resident.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("the system tells it") << 10
}
