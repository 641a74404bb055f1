//! Swap requests: which are carried out, which need force, which are rejected, and when a swap is undone.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};
use understudy_study::{PerStream, StreamKind};
use understudy_tests::served_run::ServedRun;
use understudy_tests::{deterministic_part, plugin};

use super::fixture::{
    self, decided, end, evil, feed, first_sequences, generation, generations, recorded, send, served,
    snapshot, text, verified, wait_for_pairs, workspace,
};

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

    let first_sequences = first_sequences(&workspace);
    assert_eq!(first_sequences, [[60, 60], [60, 60], [120, 120]].map(PerStream::from));
    let run = workspace.path().join("run");
    for kind in StreamKind::ALL {
        let table = kind.name();
        for (sequence, logged) in generations(&run, table, "sequence") {
            assert_eq!(logged, generation(&first_sequences, kind, sequence), "{table} {sequence}");
        }
    }
    for (sequence, logged) in generations(&run, "pairs", "snapshot") {
        let expected = generation(&first_sequences, StreamKind::Snapshots, sequence);
        assert_eq!(logged, expected, "pair of snapshot {sequence}");
    }
    let history = workspace.ledger_entries("run", Some("swap"));
    assert!(history.iter().all(|entry| entry["comparator-change"] == json!(false)), "{history:?}");

    // The same rows from files, with the sealed plugins.
    let plain = fixture::workspace("");
    plain.edit_study(&[
        ("snapshots = { http = true }", "snapshots = { file = \"snapshots.jsonl\" }"),
        ("decisions = { http = true }", "decisions = { file = \"decisions.jsonl\" }"),
    ]);
    plain.write("snapshots.jsonl", (0..180).map(|n| snapshot(n, text(n))).collect::<String>());
    plain.write("decisions.jsonl", (0..180).map(|n| snapshot(n, decided(n))).collect::<String>());
    let file_report = plain.run(&[]);
    let figures = |report: &Value| {
        let report = deterministic_part(report);
        [report["accounting"].clone(), report["comparison"].clone(), report["models"][0]["scores"].clone()]
    };
    assert_eq!(figures(&report), figures(&file_report));
}

fn sha256_hex(path: &str) -> String {
    understudy_sandbox::sha256_hex(&fs::read(path).expect("a component"))
}

#[test]
fn a_component_may_exceed_the_limit_of_a_body_of_records() {
    let workspace = workspace("");
    let serving = served(&workspace);
    let mut component = fs::read(evil()).expect("a component");
    // A custom section of 9 MiB: the limit is 8. The length is in LEB128, which has seven bits in each byte.
    let padding = vec![0; 9 << 20];
    let name = b"\x07padding";
    component.push(0);
    let mut length = name.len() + padding.len();
    while length > 0x7f {
        component.push(length as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(name.iter().chain(&padding));
    workspace.write("large.wasm", component);
    workspace.ok(&[
        "swap",
        "run",
        "comparator",
        "large.wasm",
        "--config",
        "careful.json",
        "--reason",
        "larger",
        "--who",
        "test",
    ]);
    end(&workspace, serving);
    verified(&workspace);
}

#[test]
fn a_plugin_that_answers_differently_needs_force_and_marks_a_comparator_change() {
    let threshold = "[threshold]\nat-least = 0.5\nquantifier = \"every-window\"\nwindows = { first = 1 }\n\
                     evidence = \"point\"\nleast-per-window = 10\nchance = \"not-asked\"\n[blinding]\nshare = 0\n";
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
    let rejected = swap(&[]);
    assert_eq!(rejected.code, 1);
    assert_snapshot!(rejected.stderr, @"swap rejected: on the latest 60 pairs the new plugin agrees with the current one on 45, a share of 0.750000; `swaps.equivalent` asks for 1. To swap anyway, use --force; results after a forced swap count as a comparator change, which `threshold.on-comparator-change` handles");
    let forced = swap(&["--force"]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
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
    let triggers: Vec<_> = swaps.iter().map(|swap| swap["trigger"].as_str().expect("a text")).collect();
    assert_eq!(triggers, ["operator", "operator", "fallback", "fallback"]);
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
    let requests: [&[&str]; 9] = [
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
    for request in requests {
        let arguments = [&["swap", "run"], request, &["--reason", "to see", "--who", "test"]].concat();
        let rejected = workspace.understudy(&arguments);
        assert_eq!(rejected.code, 1, "{arguments:?}");
        output.push_str(&rejected.stderr);
    }
    let rejected = workspace.understudy(&["swap", "run", "rules", &recorded, "--reason", " "]);
    output.push_str(&rejected.stderr);
    end(&workspace, serving);
    let rejected = workspace.understudy(&["swap", "run", "rules", "--undo", "--reason", "to see"]);
    output.push_str(&rejected.stderr);
    assert_snapshot!(output, @r#"
swap rejected: the study has no plugin "nobody"; use one of "echo", "rules", "agreement"
the swap changes nothing; name a new component, --file FILE, --config FILE, or --undo
swap rejected: "rules" has no previous version, since it has not been swapped
swap rejected: "rules" already runs this plugin with this configuration
swap rejected: text.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file
swap rejected: WORKSPACE/target/plugins/kappa.wasm is a metric, so it cannot be a comparator; name a component that exports `understudy:shadow/decider@0.1.0`
swap rejected: it reads `reserved_room_type`, which the study does not have
swap rejected: cannot configure it: unknown key `config.x`; keys allowed here: field, form, kind, probabilities
swap rejected: WORKSPACE/target/plugins/recorded.wasm is a model or a comparator, so it cannot be a metric; name a component that exports `understudy:shadow/scorer@0.1.0`
swap rejected: the reason is empty; give one for the ledger and the report
no process serves run: the run has ended; see `understudy report run`
"#);
    assert_eq!(workspace.ledger_entries("run", Some("swap")), [] as [Value; 0]);
    verified(&workspace);
}
