//! Records that leave the study reach the verdict, and an interval that rests on nothing decides nothing.

use std::fs;

use arrow::array::AsArray as _;
use serde_json::Value;
use understudy_tests::TestWorkspace;
use understudy_tests::process::TestProcess;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed, texts};

/// A threshold over everything, for a study in which every id is compared as it arrives.
const ALL: &str = "at-least = 0.85\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\n\
                   chance = \"not-asked\"\n[blinding]\nshare = 0";

fn snapshot(day: u32, minute: u32, booked: &str) -> String {
    let (hour, minute) = (8 + minute / 60, minute % 60);
    format!(
        r#"{{"id":"{day}-{hour}-{minute}","at":"2026-03-{day:02}T{hour:02}:{minute:02}:00Z","booked":"{booked}","nights":1}}"#
    )
}

fn decision(day: u32, minute: u32, room: &str) -> String {
    let (hour, minute) = (8 + minute / 60, minute % 60);
    format!(
        r#"{{"id":"{day}-{hour}-{minute}","at":"2026-03-{day:02}T{hour:02}:{minute:02}:30Z","room":"{room}"}}"#
    )
}

/// The small study with a threshold and these records.
fn study(threshold: &str, snapshots: Vec<String>, decisions: Vec<String>) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", StudyToml::small().horizon("1h").threshold(threshold).to_string());
    workspace.write_lines("snapshots.jsonl", snapshots);
    workspace.write_lines("decisions.jsonl", decisions);
    workspace
}

/// Runs `decide`. Returns the exit code, the output in one line, and the verdict, which `verify` computes again.
fn decide(workspace: &TestWorkspace) -> (i32, String, Value) {
    let output = workspace.understudy(&["decide", "run"]);
    let verified = workspace.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let text = fs::read(workspace.path().join("run/verdict.json"))
        .unwrap_or_else(|error| panic!("{error}: {}{}", output.stdout, output.stderr));
    let line = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    (output.code, line, serde_json::from_slice(&text).expect("a verdict is JSON"))
}

fn lines(count: u32, line: impl Fn(u32) -> String) -> Vec<String> {
    (0..count).map(line).collect()
}

#[test]
fn late_records_void_the_study() {
    // Behind 120 pairs that agree are 120 pairs of an earlier day that do not. Standard input has no order that
    // could be checked in advance.
    let snapshots: Vec<String> = lines(240, |minute| match minute {
        0..120 => snapshot(5, minute, "a"),
        _ => snapshot(2, minute, "a"),
    });
    let decisions = lines(120, |minute| decision(5, minute, "a"));
    let late = lines(120, |minute| decision(2, minute + 120, "b"));
    let workspace = study(ALL, lines(120, |minute| snapshot(5, minute, "a")), Vec::new());
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed([decisions, late].concat().join("\n") + "\n");
    running.close_stdin();
    let output = running.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let (code, text, verdict) = decide(&workspace);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.starts_with(
            "VOID, the study is not valid: 120 of 240 decisions (0.500000) are late; at most 0.01 is"
        ),
        "{text}"
    );
    assert_eq!(verdict["accounting"]["decisions"]["late"], 120);
    let guards = verdict["guards"].as_array().expect("guards");
    let guard = guards.iter().find(|guard| guard["within-limit"] == false).expect("one is exceeded");
    assert_eq!(
        (&guard["guard"], &guard["count"], &guard["whole"]),
        (&"most-late".into(), &120.into(), &240.into())
    );
    // A file out of order of time is refused instead, and the run is not whole.
    assert_eq!(snapshots.len(), 240);
    let workspace = study(ALL, snapshots, lines(120, |minute| decision(5, minute, "a")));
    assert_ne!(workspace.understudy(&["run", "study.toml", "--run", "run"]).code, 0);
}

#[test]
fn excluded_snapshots_name_the_scopes_to_which_they_belong() {
    let snapshots = vec![
        snapshot(5, 0, "a"),
        snapshot(5, 1, "b"),
        // In conflict with the first, in the scope; and with the second, outside of it.
        snapshot(5, 0, "a").replace("\"nights\":1", "\"nights\":2"),
        snapshot(5, 1, "b").replace("\"nights\":1", "\"nights\":2"),
        "not JSON".to_owned(),
        snapshot(5, 2, "a"),
    ];
    let workspace =
        study(ALL, snapshots, vec![decision(5, 0, "a"), decision(5, 1, "b"), decision(5, 2, "a")]);
    workspace
        .edit_study(&[("[windows]", "[[scopes]]\nname = \"room-a\"\nwhere = { room = \"a\" }\n\n[windows]")]);
    workspace.run(&[]);
    let excluded = sealed(&workspace.path().join("run"), "excluded").expect("three records are excluded");
    let (reasons, scopes) = (texts(&excluded, "reason"), column(&excluded, "scopes").clone());
    let scopes: Vec<Option<&str>> = scopes.as_string::<i32>().iter().collect();
    assert_eq!(reasons, ["conflict", "conflict", "rejected"]);
    assert_eq!(scopes, [Some("all room-a"), Some("all"), None]);
}

#[test]
fn conflicting_records_void_the_study_up_to_a_declared_share() {
    let snapshots = || lines(120, |minute| snapshot(5, minute, "a"));
    let decisions = || lines(120, |minute| decision(5, minute, "a"));
    let twice = |first: Vec<String>, second: Vec<String>| {
        first.into_iter().zip(second).flat_map(|(first, second)| [first, second]).collect::<Vec<_>>()
    };
    // Each decision is followed by a revision; or each snapshot changes after the fact.
    let revised = twice(decisions(), lines(120, |minute| decision(5, minute, "b")));
    let changed = twice(snapshots(), lines(120, |minute| snapshot(5, minute, "b")));
    for (stream, snapshots, decisions) in
        [("decisions", snapshots(), revised), ("snapshots", changed, decisions())]
    {
        let workspace = study(ALL, snapshots.clone(), decisions.clone());
        workspace.run(&[]);
        let (code, text, _) = decide(&workspace);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(&format!("120 of 240 {stream} (0.500000) are in conflict")), "{text}");
        let declared = format!("most-conflict = 0.5\n{ALL}");
        let workspace = study(&declared, snapshots, decisions);
        workspace.run(&[]);
        let (code, text, verdict) = decide(&workspace);
        assert_eq!(code, 0, "{text}");
        assert_eq!(verdict["accounting"][stream]["conflict"], 120);
    }
}

#[test]
fn decisions_without_snapshots_void_the_study() {
    let decisions = lines(127, |minute| decision(5, minute, "a"));
    let workspace = study(ALL, lines(120, |minute| snapshot(5, minute, "a")), decisions);
    workspace.run(&[]);
    let (code, text, _) = decide(&workspace);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains(
            "7 of 127 decisions (0.055118) have no snapshot within the horizon; at most 0.05 is allowed"
        ),
        "{text}"
    );
}

#[test]
fn a_long_run_does_not_dilute_the_days_that_count() {
    // On the first of eight days, 2 of 102 decisions are in conflict: of all 802 that is less than one percent.
    let mut decisions = Vec::new();
    let mut snapshots = vec![snapshot(1, 0, "a")];
    for day in 2..10 {
        for minute in 0..100 {
            snapshots.push(snapshot(day, minute, "a"));
            decisions.push(decision(day, minute, "a"));
            if day == 2 && minute < 2 {
                decisions.push(decision(day, minute, "b"));
            }
        }
    }
    snapshots.push(snapshot(10, 0, "a"));
    let first = "at-least = 0.85\nquantifier = \"every-window\"\nwindows = { WHICH = 1 }\nevidence = \"point\"\n\
                 chance = \"not-asked\"\n[blinding]\nshare = 0";
    for (which, code) in [("first", 3), ("latest", 0)] {
        let workspace = study(&first.replace("WHICH", which), snapshots.clone(), decisions.clone());
        workspace.run(&[]);
        let (found, text, _) = decide(&workspace);
        assert_eq!(found, code, "{text}");
        let reason = "2 of 102 decisions in the windows that count (0.019608) are in conflict";
        assert_eq!(text.contains(reason), code == 3, "{text}");
    }
}

#[test]
fn a_bound_that_hangs_on_one_pair_is_inconclusive() {
    let label = |minute: u32| if minute == 77 { "b" } else { "a" };
    let by_bound = "metric = \"kappa\"\nat-least = 0.6\nquantifier = \"pooled\"\nwindows = { all = true }\n\
                    evidence = \"bound\"\nconfidence = 0.95\nchance = { gain = 0.0 }\n[blinding]\nshare = 0";
    let workspace = study(
        by_bound,
        lines(200, |minute| snapshot(5, minute, label(minute))),
        lines(200, |minute| decision(5, minute, label(minute))),
    );
    let kappa = "[[metrics]]\nname = \"kappa\"\nplugin = \"PLUGINS/kappa.wasm\"\nconfig = { labels = [\"a\", \"b\"] }\n\n[[conditions]]";
    workspace.edit_study(&[
        ("plugin = \"PLUGINS/agreement.wasm\"", "plugin = \"PLUGINS/agreement.wasm\"\nprimary = true"),
        ("[[conditions]]", kappa),
    ]);
    workspace.run(&[]);
    let (code, text, verdict) = decide(&workspace);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no interval can be computed: the metric is not defined without some"), "{text}");
    let pooled = &verdict["models"][0]["scopes"][0]["pooled"];
    assert_eq!((&pooled["interval"], &pooled["no-interval"]), (&Value::Null, &"undefined-replicate".into()));
}

#[test]
fn a_plan_measured_on_a_shop_with_days_off_says_so() {
    // 2026-03-08 and 2026-03-15 are Sundays.
    let days = (2..23).filter(|day| ![8, 15].contains(day));
    let days: Vec<u32> = days.collect();
    let records = |line: fn(u32, u32, &str) -> String| {
        days.iter().flat_map(|day| lines(120, |minute| line(*day, minute, "a"))).collect::<Vec<_>>()
    };
    let threshold = "at-least = 0.85\nquantifier = \"every-window\"\nwindows = { first = 14 }\nevidence = \"point\"\n\
                     chance = \"not-asked\"\n[blinding]\nshare = 0";
    let workspace = study(threshold, records(snapshot), records(decision));
    workspace.run(&[]);
    let (code, text, _) = decide(&workspace);
    assert_eq!(code, 2, "{text}");
    let plan = workspace.ok(&["plan", "study.toml", "--measured", "run", "--format", "json"]).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("a plan is JSON");
    assert_eq!((&plan["measured"], &plan["enough-comparisons"]), (&21.into(), &0.0.into()));
    assert_eq!(plan["scopes"][0]["per-window"], 109);
    let text = workspace.ok(&["plan", "study.toml", "--measured", "run"]).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("2 of them none"), "{text}");
}
