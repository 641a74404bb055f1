//! Records during swaps: none is lost, none is answered twice, and each has the generation of the ledger.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};
use serde_json::json;
use understudy_study::{PerStream, StreamKind};
use understudy_tests::account;
use understudy_tests::http::Client;
use understudy_tests::served_run::ServedRun;
use understudy_tests::tables::{column, sealed, texts};

use super::fixture::{
    decided, end, evil, feed, first_sequences, generation, generations, send, served, snapshot, text,
    verified, wait_for_pairs, workspace,
};

/// Swaps a model and the comparator back and forth while several clients send records. Each row is accepted
/// once and answered by the generation in the ledger.
#[test]
fn swaps_under_load_lose_and_repeat_no_answer() {
    const CLIENTS: u64 = 8;
    const EACH: u64 = 1_500;
    const SWAPS: usize = 24;
    let workspace = workspace("");
    let serving = served(&workspace);
    let evil = &evil();
    let (fed, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (serving, fed, done) = (&serving, &fed, &done);
            scope.spawn(move || {
                let mut http = serving.client();
                let numbers = 60 + client * EACH..60 + (client + 1) * EACH;
                // The clients send until the last swap.
                for (at, number) in numbers.enumerate() {
                    let (snapshots, decisions) =
                        (snapshot(number, text(number)), snapshot(number, decided(number)));
                    send(&mut http, "/v1/snapshots", &snapshots);
                    send(&mut http, "/v1/decisions", &decisions);
                    fed.fetch_add(1, Ordering::Relaxed);
                    if at as u64 % 100 == 99 && !done.load(Ordering::Relaxed) {
                        thread::sleep(std::time::Duration::from_millis(5));
                    }
                }
            });
        }
        for swap in 0..SWAPS {
            let part = ["echo", "rules"][swap % 2];
            let new: &[&str] = match swap % 4 {
                0 | 1 => &[evil, "--config", "careful.json"],
                _ => &["--undo"],
            };
            let arguments = [&["swap", "run", part, "--reason", "again", "--who", "test"], new].concat();
            workspace.ok(&arguments);
        }
        done.store(true, Ordering::Relaxed);
    });
    let report = end(&workspace, serving);
    let all = 60 + CLIENTS * EACH;
    assert_eq!(account(&report, "snapshots"), [("received", all), ("paired", all)]);
    assert_eq!(report["models"][0]["answered"], json!(all));
    verified(&workspace);

    let first_sequences = first_sequences(&workspace);
    assert_eq!(first_sequences.len(), SWAPS);
    assert!(first_sequences.is_sorted_by_key(|first| (first.snapshots, first.decisions)));
    let run = workspace.path().join("run");
    for kind in StreamKind::ALL {
        let table = kind.name();
        let rows = generations(&run, table, "sequence");
        assert_eq!(rows.len() as u64, all);
        for (sequence, logged) in rows {
            assert_eq!(logged, generation(&first_sequences, kind, sequence), "{table} {sequence}");
        }
        let ids = texts(&sealed(&run, table).expect("rows"), "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len() as u64, all);
    }
    let pairs = sealed(&run, "pairs").expect("rows");
    let numbers = |name: &str| column(&pairs, name).as_primitive::<UInt64Type>().values().to_vec();
    let logged = column(&pairs, "generation").as_primitive::<UInt32Type>().values().to_vec();
    for ((snapshot, decision), logged) in numbers("snapshot").into_iter().zip(numbers("decision")).zip(logged)
    {
        let expected = generation(&first_sequences, StreamKind::Snapshots, snapshot).max(generation(
            &first_sequences,
            StreamKind::Decisions,
            decision,
        ));
        assert_eq!(logged, expected, "pair of {snapshot} and {decision}");
    }
}

/// The process is killed repeatedly during swaps and intake. Clients repeat unacknowledged requests.
#[test]
fn a_process_killed_during_swaps_resumes_with_its_plugin_versions() {
    let workspace = workspace("");
    let evil = evil();
    let mut next = 0;
    for round in 0..6_u64 {
        let serving = ServedRun::start(&workspace, &[]);
        feed(&serving, next..next + 40);
        next += 40;
        wait_for_pairs(&serving, 40.min(next));
        let address = serving.address;
        let stop = AtomicBool::new(false);
        let stop = &stop;
        thread::scope(|scope| {
            let (workspace, evil) = (&workspace, &evil);
            let swapping = scope.spawn(move || {
                let mut made = 0;
                for swap in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let new: &[&str] = match (round + swap) % 2 {
                        0 => &[evil, "--config", "careful.json", "--force"],
                        _ => &["--undo"],
                    };
                    let part = ["echo", "rules"][(swap / 2 % 2) as usize];
                    let common = ["swap", "run", part, "--reason", "again", "--who", "test"];
                    made += usize::from(workspace.understudy(&[&common[..], new].concat()).code == 0);
                }
                made
            });
            let feeding = scope.spawn(move || {
                let mut client = Client::new(address);
                let mut sent = next;
                while !stop.load(Ordering::Relaxed) {
                    let ndjson = [("content-type", "application/x-ndjson")];
                    let (s, d) = (snapshot(sent, text(sent)), snapshot(sent, decided(sent)));
                    let sent_pair = client
                        .try_send("POST", "/v1/snapshots", &ndjson, s.as_bytes())
                        .and_then(|_| client.try_send("POST", "/v1/decisions", &ndjson, d.as_bytes()));
                    if sent_pair.is_err() {
                        break;
                    }
                    sent += 1;
                }
                sent
            });
            // The progress per round varies; the assertions do not.
            understudy_tests::process::wait_until("some swaps are under way", || {
                workspace.ledger_entries("run", Some("swap")).len() as u64 > 4 * round + 2
            });
            serving.kill();
            stop.store(true, Ordering::Relaxed);
            next = feeding.join().expect("the feeding ends");
            swapping.join().expect("the swapping ends");
        });
    }
    let serving = ServedRun::start(&workspace, &[]);
    // Unacknowledged records are sent again, and some acknowledged ones, too.
    feed_again(&serving, 0..next + 40);
    let report = end(&workspace, serving);
    verified(&workspace);
    let all = next + 40;
    let snapshots = &report["accounting"]["snapshots"];
    let received = snapshots["received"].as_u64().expect("a count");
    let duplicate = snapshots["duplicate"].as_u64().expect("a count");
    assert_eq!((received - duplicate, &snapshots["paired"]), (all, &json!(all)));
    assert_eq!(report["models"][0]["answered"], json!(all));
    assert_eq!(report["models"][0]["scores"][0]["overall"]["value"], json!(1.0));
}

/// A snapshot that is in inference during a swap and lost with the process belongs to the new generation when
/// it is sent again, because its new sequence number says so.
#[test]
fn records_lost_after_a_swap_are_answered_by_the_active_version() {
    let workspace = workspace(
        "[limits]\ncall-timeout = \"10m\"\nfuel-per-row = 100000000000000\nworkers = 1\nbatch-rows = 1\n",
    );
    workspace.edit_study(&[(
        "plugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"text\"]\nconfig = { field = \"text\", form = \"label\" }",
        "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\nconfig = { on = \"cue\", do = \"loop\" }",
    )]);
    let serving = ServedRun::start(&workspace, &[]);
    feed(&serving, 0..1);
    let address = serving.address;
    let stuck = thread::spawn(move || {
        let ndjson = [("content-type", "application/x-ndjson")];
        let line = snapshot(1, "cue");
        Client::new(address)
            .try_send("POST", "/v1/snapshots", &ndjson, line.as_bytes())
            .map(|answer| answer.status)
    });
    understudy_tests::process::wait_until("the model is called", || {
        serving.client().get("/v1/status").json()["run-status"]["in-flight"].as_u64() > Some(0)
    });
    let arguments = [
        "swap",
        "run",
        "rules",
        "--config",
        "by-decision.json",
        "--force",
        "--reason",
        "new",
        "--who",
        "test",
    ];
    workspace.ok(&arguments);
    assert_eq!(first_sequences(&workspace), [PerStream::from([2, 1])]);
    serving.kill();
    assert_ne!(stuck.join().expect("the client does not panic").ok(), Some(202));
    for numbers in [1..3, 3..5] {
        let serving = ServedRun::start(&workspace, &[]);
        feed(&serving, numbers);
        serving.kill();
    }
    let serving = ServedRun::start(&workspace, &[]);
    end(&workspace, serving);
    verified(&workspace);
    let rows = generations(&workspace.path().join("run"), "snapshots", "sequence");
    assert_eq!(rows, [(0, 0), (1, 1), (2, 1), (3, 1), (4, 1)]);
}

fn feed_again(serving: &ServedRun, numbers: std::ops::Range<u64>) {
    let mut client = serving.client();
    for number in numbers {
        send(&mut client, "/v1/snapshots", &snapshot(number, text(number)));
        send(&mut client, "/v1/decisions", &snapshot(number, decided(number)));
    }
}
