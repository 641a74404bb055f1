//! Compares the durable snapshots per second of a served run with two floors: the same server without a log,
//! and the log without a server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use understudy_tests::served_run::ServedRun;
use understudy_tests::{TestWorkspace, root, synthetic};

use super::log;
use super::wire::Wire;

const CONNECTIONS: usize = 64;
/// Duration of each measurement.
const SPAN: Duration = Duration::from_secs(8);

/// Measures batches of 1 and of 100 snapshots, and their floors.
pub fn intake() -> bool {
    // On the disk of the project, because a temporary folder can be in memory.
    let folder = tempfile::tempdir_in(root().join("target")).expect("a folder");
    let batches = log::batches();
    for rows in [1, 100] {
        let durable = serve("snapshots", |workspace| rate(workspace, rows, 202));
        let http = serve("decisions", |workspace| rate(workspace, rows, 404));
        let disk =
            log::committed(&folder.path().join(rows.to_string()), &batches[0], CONNECTIONS, rows, SPAN);
        let floor = http.min(disk);
        let lower = if http < disk { "HTTP" } else { "the disk" };
        // A result far below both floors is bound by the stages between them: decoding, joining, models, and
        // the clients.
        let binds = if durable > floor / 2.0 { lower } else { "the work between them" };
        println!(
            "{CONNECTIONS} connections, batches of {rows}: {durable:.0} durable snapshots a second; the same server without a \
             log {http:.0}, the log alone {disk:.0}. {:.0} % of the lower floor, {lower}, is reached: {binds} binds",
            durable * 100.0 / floor
        );
    }
    true
}

/// Serves the synthetic study with one stream over HTTP, and measures it.
fn serve(side: &str, measure: impl Fn(SocketAddr) -> f64) -> f64 {
    let workspace = TestWorkspace::new();
    let (from, to) =
        (format!("{side} = {{ file = \"{side}.jsonl\" }}"), format!("{side} = {{ http = true }}"));
    workspace.write("study.toml", synthetic::study().to_string().replace(&from, &to));
    workspace.write("snapshots.jsonl", "");
    workspace.write("decisions.jsonl", "");
    let run = tempfile::tempdir_in(root().join("target")).expect("a folder");
    let at = run.path().join("run");
    let serving = ServedRun::from_command(workspace.command(&[
        "serve",
        "study.toml",
        "--run",
        at.to_str().expect("a path in UTF-8"),
        "--listen",
        "127.0.0.1:0",
    ]));
    let measured = measure(serving.address);
    serving.stop();
    measured
}

/// Requests per second that get this status, times the rows per request.
fn rate(address: SocketAddr, rows: u64, wanted: u16) -> f64 {
    let (next, began) = (AtomicU64::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let next = &next;
            scope.spawn(move || {
                let mut wire = Wire::new(address);
                while began.elapsed() < SPAN {
                    let first = next.fetch_add(rows, Ordering::Relaxed);
                    let body: String = (first..first + rows).map(synthetic::snapshot).collect();
                    let mut status = wire.post("/v1/snapshots", &body);
                    while status == 429 {
                        thread::sleep(Duration::from_millis(5));
                        status = wire.post("/v1/snapshots", &body);
                    }
                    assert_eq!(status, wanted);
                }
            });
        }
    });
    next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}
