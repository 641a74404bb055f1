//! Plugins are swapped during a run: no record is lost, none is answered twice, and every row has its
//! generation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};
use insta::assert_snapshot;
use serde_json::{Value, json};
use understudy_tests::http::Client;
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed, texts};
use understudy_tests::{TestWorkspace, account, deterministic_part, plugin};

/// Every fourth decision differs from its snapshot. Model and comparator may both read the snapshot's text,
/// so that `evil`, which answers the text except on its trigger, can replace either.
fn study() -> StudyToml {
    let config = r#"{ field = "text", form = "label" }"#;
    StudyToml::new("swap")
        .input("text", "text")
        .decision("text", "text")
        .http()
        .model("echo", "text")
        .plugin_comparator("rules", "PLUGINS/recorded.wasm", &["text", "decision.text"], Some(config))
        .metric("agreement")
        .section("swaps", "last = 100\nfailed-rows = 20")
}

const CAREFUL: &str = r#"{ "on": "cue", "do": "trap-unreachable" }"#;

fn workspace(more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", format!("{}{more}", study()));
    workspace.write("careful.json", CAREFUL);
    workspace.write("by-decision.json", r#"{ "field": "decision.text", "form": "label" }"#);
    workspace
}

fn snapshot(number: u64, text: &str) -> String {
    let at = format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    format!("{{\"id\":\"s{number}\",\"at\":\"{at}\",\"text\":\"{text}\"}}\n")
}

fn text(number: u64) -> &'static str {
    ["a", "b", "c"][number as usize % 3]
}

fn decided(number: u64) -> &'static str {
    if number.is_multiple_of(4) { "d" } else { text(number) }
}

/// Sends lines and returns the receipt.
fn send(client: &mut Client, path: &str, lines: &str) -> Value {
    let answer = client.send("POST", path, &[("content-type", "application/x-ndjson")], lines.as_bytes());
    assert!(answer.status == 202 || answer.status == 422, "{answer:?}");
    answer.json()
}

/// Sends snapshots and decisions with these numbers.
fn feed(serving: &ServedRun, numbers: std::ops::Range<u64>) {
    let mut client = serving.client();
    let lines: String = numbers.clone().map(|number| snapshot(number, text(number))).collect();
    assert_eq!(send(&mut client, "/v1/snapshots", &lines)["excluded"], json!([]));
    let lines: String = numbers.map(|number| snapshot(number, decided(number))).collect();
    assert_eq!(send(&mut client, "/v1/decisions", &lines)["excluded"], json!([]));
}

/// Waits until this many pairs are compared, so that shadow comparisons have data.
fn wait_for_pairs(serving: &ServedRun, pairs: u64) {
    understudy_tests::process::wait_until("the pairs are counted", || {
        let status = serving.client().get("/v1/status").json();
        status["run-status"]["accounting"]["snapshots"]["paired"].as_u64() >= Some(pairs)
    });
}

/// Serves a study with sixty pairs for shadow comparisons.
fn served(workspace: &TestWorkspace) -> ServedRun {
    let serving = ServedRun::start(workspace, &[]);
    feed(&serving, 0..60);
    wait_for_pairs(&serving, 60);
    serving
}

/// Ends a run and returns its report.
fn end(workspace: &TestWorkspace, serving: ServedRun) -> Value {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.report("run")
}

fn verified(workspace: &TestWorkspace) {
    workspace.ok(&["verify", "run"]);
    let output = workspace.understudy(&["replay", "run"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

/// Sequence number and generation of each row of a table.
fn generations(run: &Path, table: &str, sequence: &str) -> Vec<(u64, u32)> {
    let Some(rows) = sealed(run, table) else { return Vec::new() };
    let sequences = column(&rows, sequence);
    let generations = column(&rows, "generation");
    let sequences = sequences.as_primitive::<UInt64Type>().values().to_vec();
    sequences.into_iter().zip(generations.as_primitive::<UInt32Type>().values().iter().copied()).collect()
}

/// The first sequence number of each generation, according to the ledger.
fn begins(workspace: &TestWorkspace) -> Vec<[u64; 2]> {
    let first =
        |entry: &Value, stream: &str| entry["first-sequences"][stream].as_u64().expect("a sequence number");
    workspace
        .ledger_entries("run", Some("swap-applied"))
        .iter()
        .map(|entry| [first(entry, "snapshots"), first(entry, "decisions")])
        .collect()
}

fn generation(begins: &[[u64; 2]], side: usize, sequence: u64) -> u32 {
    begins.iter().filter(|from| from[side] <= sequence).count() as u32
}

#[test]
fn swapping_in_an_equivalent_plugin_keeps_the_metrics() {
    let workspace = workspace("");
    let serving = served(&workspace);
    let evil = &evil();
    let swap = |part: &str, arguments: &[&str]| {
        let common = ["swap", "run", part, "--reason", "faster", "--who", "test"];
        let output = workspace.ok(&[&common[..], arguments].concat());
        output
            .stdout
            .replace(&sha256_hex(evil)[..12], "EVIL")
            .replace(&sha256_hex(&recorded())[..12], "RECORDED")
    };
    let output = [
        swap("comparator", &[evil, "--config", "careful.json"]),
        swap("echo", &[evil, "--config", "careful.json"]),
    ];
    feed(&serving, 60..120);
    wait_for_pairs(&serving, 120);
    let undone = swap("rules", &["--undo"]);
    feed(&serving, 120..180);
    let report = end(&workspace, serving);
    assert_snapshot!(format!("{}{}{undone}", output[0], output[1]), @r#"
    generation 1: "rules" is EVIL from snapshot 60 and decision 60; agrees with the previous version on 60 of 60 recent pairs
    generation 2: "echo" is EVIL from snapshot 60 and decision 60; agrees with the previous version on 60 of 60 recent pairs
    generation 3: "rules" is RECORDED from snapshot 120 and decision 120; agrees with the previous version on 100 of 100 recent pairs
"#);
    verified(&workspace);

    let begins = begins(&workspace);
    assert_eq!(begins, [[60, 60], [60, 60], [120, 120]]);
    let run = workspace.path().join("run");
    for (side, table) in ["snapshots", "decisions"].into_iter().enumerate() {
        for (sequence, of) in generations(&run, table, "sequence") {
            assert_eq!(of, generation(&begins, side, sequence), "{table} {sequence}");
        }
    }
    for (sequence, of) in generations(&run, "pairs", "snapshot") {
        assert_eq!(of, generation(&begins, 0, sequence), "pair of snapshot {sequence}");
    }
    let history = workspace.ledger_entries("run", Some("swap"));
    assert!(history.iter().all(|entry| entry["comparator-change"] == json!(false)), "{history:?}");

    // The same rows from files, with the sealed plugins.
    let plain = self::workspace("");
    plain.edit_study(&[
        ("snapshots = { http = true }", "snapshots = { file = \"snapshots.jsonl\" }"),
        ("decisions = { http = true }", "decisions = { file = \"decisions.jsonl\" }"),
    ]);
    plain.write("snapshots.jsonl", (0..180).map(|n| snapshot(n, text(n))).collect::<String>());
    plain.write("decisions.jsonl", (0..180).map(|n| snapshot(n, decided(n))).collect::<String>());
    let of_files = plain.run(&[]);
    let figures = |report: &Value| {
        let report = deterministic_part(report);
        [report["accounting"].clone(), report["comparison"].clone(), report["models"][0]["scores"].clone()]
    };
    assert_eq!(figures(&report), figures(&of_files));
}

fn recorded() -> String {
    plugin("recorded").display().to_string()
}

fn evil() -> String {
    plugin("guests/evil").display().to_string()
}

fn sha256_hex(path: &str) -> String {
    understudy_sandbox::sha256_hex(&fs::read(path).expect("a component"))
}

#[test]
fn a_plugin_that_answers_differently_needs_force_and_marks_a_comparator_change() {
    let threshold = "[threshold]\nat-least = 0.5\nquantifier = \"every-window\"\nwindows = { first = 1 }\n\
                     evidence = \"point\"\nleast-per-window = 10\n[blinding]\nshare = 0\n";
    let workspace = workspace(threshold);
    let serving = ServedRun::start(&workspace, &[]);
    let swap = |arguments: &[&str]| {
        let common = ["swap", "run", "comparator", "--config", "by-decision.json"];
        workspace.understudy(
            &[&common[..], &["--reason", "the rules changed", "--who", "test"], arguments].concat(),
        )
    };
    assert_snapshot!(swap(&[]).stderr, @"swap rejected: no recent pairs to test the new plugin on. Wait for pairs, or use --force; results after a forced swap count as a comparator change");
    feed(&serving, 0..60);
    wait_for_pairs(&serving, 60);
    let refused = swap(&[]);
    assert_eq!(refused.code, 1);
    assert_snapshot!(refused.stderr, @"swap rejected: on the latest 60 pairs the new plugin agrees with the current one on 45, a share of 0.750000; `swaps.equivalent` asks for 1. To swap anyway, use --force; results after a forced swap count as a comparator change, which `threshold.on-comparator-change` handles");
    let done = swap(&["--force"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    // The latest pairs have answers of the previous version, so the active version answers them again.
    workspace.write("by-text.json", r#"{ "field": "text", "form": "label" }"#);
    let back = ["swap", "run", "comparator", "--config", "by-text.json", "--reason", "back", "--who", "test"];
    let back = workspace.understudy(&back);
    assert_eq!(back.code, 1);
    assert!(back.stderr.contains("on 45, a share of 0.750000"), "{}", back.stderr);
    feed(&serving, 60..120);
    end(&workspace, serving);
    verified(&workspace);
    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("comparator rules was swapped"), "{}", output.stdout);
    let output = workspace.understudy(&["report", "run", "--format", "md"]);
    assert!(output.stdout.contains("comparator change"), "{}", output.stdout);
}

#[test]
fn a_failing_plugin_is_rolled_back_automatically() {
    let workspace = workspace("");
    let serving = served(&workspace);
    let evil = &evil();
    for part in ["echo", "rules"] {
        let arguments =
            ["swap", "run", part, evil, "--config", "careful.json", "--reason", "new", "--who", "test"];
        workspace.ok(&arguments);
    }
    // The model traps on every row.
    let mut client = serving.client();
    let lines: String = (60..100).map(|number| snapshot(number, "cue")).collect();
    send(&mut client, "/v1/snapshots", &lines);
    send(&mut client, "/v1/decisions", &lines);
    understudy_tests::process::wait_until("both have fallen back", || {
        workspace.ledger_entries("run", Some("swap-applied")).len() == 4
    });
    feed(&serving, 100..160);
    let report = end(&workspace, serving);
    verified(&workspace);
    let swaps = workspace.ledger_entries("run", Some("swap"));
    let how: Vec<_> = swaps.iter().map(|swap| swap["trigger"].as_str().expect("a text")).collect();
    assert_eq!(how, ["operator", "operator", "fallback", "fallback"]);
    assert_eq!(swaps[2]["who"], json!("understudy"));
    assert_eq!(
        swaps[2]["reason"],
        json!("it failed on 40 of 40 rows; `swaps.failed` allows a share of 0.05")
    );
    let model = &report["models"][0];
    assert_eq!([&model["answered"], &model["failed"]], [&json!(120), &json!(40)]);
    assert_eq!(report["comparison"], json!({ "compared": 120, "incomparable": 40 }));
}

#[test]
fn impossible_swaps_are_explained_and_change_nothing() {
    let workspace = workspace("");
    let serving = served(&workspace);
    workspace.write("text.wasm", "this is no component");
    workspace.write("empty.json", "{}");
    workspace.write("unknown.json", r#"{ "field": "decision.text", "form": "label", "x": 1 }"#);
    let booked = plugin("booked_room").display().to_string();
    let kappa = plugin("kappa").display().to_string();
    let recorded = recorded();
    let wishes: [&[&str]; 9] = [
        &["nobody", &recorded],
        &["rules"],
        &["rules", "--undo"],
        &["rules", &recorded],
        &["rules", "text.wasm"],
        &["rules", &kappa],
        &["echo", &booked, "--config", "empty.json"],
        &["rules", "--config", "unknown.json"],
        &["agreement", &recorded],
    ];
    let mut output = String::new();
    for wish in wishes {
        let arguments = [&["swap", "run"], wish, &["--reason", "to see", "--who", "test"]].concat();
        let refused = workspace.understudy(&arguments);
        assert_eq!(refused.code, 1, "{arguments:?}");
        output.push_str(&refused.stderr);
    }
    let refused = workspace.understudy(&["swap", "run", "rules", &recorded, "--reason", " "]);
    output.push_str(&refused.stderr);
    end(&workspace, serving);
    let refused = workspace.understudy(&["swap", "run", "rules", "--undo", "--reason", "to see"]);
    output.push_str(&refused.stderr);
    assert_snapshot!(output, @r#"
swap rejected: the study has no plugin "nobody"; use one of "echo", "rules", "agreement"
the swap changes nothing; name a new component, --config FILE, or --undo
swap rejected: "rules" has no previous version, since it has not been swapped
swap rejected: "rules" already runs this component with this configuration
swap rejected: text.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file
swap rejected: WORKSPACE/target/plugins/kappa.wasm is a metric, so it cannot be a comparator; name a component that exports `understudy:shadow/decider@0.1.0`
swap rejected: it reads `reserved_room_type`, which the study does not have
swap rejected: configuration rejected: config: unknown field `x`, expected one of `field`, `form`, `kind`
swap rejected: WORKSPACE/target/plugins/recorded.wasm is a model or a comparator, so it cannot be a metric; name a component that exports `understudy:shadow/scorer@0.1.0`
swap rejected: the reason is empty; give one for the ledger and the report
no process serves run; start one with `understudy serve`
"#);
    assert_eq!(workspace.ledger_entries("run", Some("swap")), [] as [Value; 0]);
    verified(&workspace);
}

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

    let begins = begins(&workspace);
    assert_eq!(begins.len(), SWAPS);
    assert!(begins.is_sorted());
    let run = workspace.path().join("run");
    for (side, table) in ["snapshots", "decisions"].into_iter().enumerate() {
        let rows = generations(&run, table, "sequence");
        assert_eq!(rows.len() as u64, all);
        for (sequence, of) in rows {
            assert_eq!(of, generation(&begins, side, sequence), "{table} {sequence}");
        }
        let ids = texts(&sealed(&run, table).expect("rows"), "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len() as u64, all);
    }
    let pairs = sealed(&run, "pairs").expect("rows");
    let numbers = |name: &str| column(&pairs, name).as_primitive::<UInt64Type>().values().to_vec();
    let of = column(&pairs, "generation").as_primitive::<UInt32Type>().values().to_vec();
    for ((snapshot, decision), of) in numbers("snapshot").into_iter().zip(numbers("decision")).zip(of) {
        let expected = generation(&begins, 0, snapshot).max(generation(&begins, 1, decision));
        assert_eq!(of, expected, "pair of {snapshot} and {decision}");
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
                    let taken = client.try_send("POST", "/v1/snapshots", &ndjson, s.as_bytes());
                    let taken =
                        taken.and_then(|_| client.try_send("POST", "/v1/decisions", &ndjson, d.as_bytes()));
                    if taken.is_err() {
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
    understudy_tests::process::wait_until("the model is at it", || {
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
    assert_eq!(begins(&workspace), [[2, 1]]);
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
