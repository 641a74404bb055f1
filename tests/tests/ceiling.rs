//! The substrate's own noise: agreement beside its ceiling in reports, and a threshold against the ceiling.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use understudy_tests::process::TestProcess;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, deterministic_part, hotel_rooms_study};

const CLASSES: u64 = 60;
const PAIRS: u64 = 1200;

/// The input class, the desk and the room of a decision. Desk `north` books another room in every fourth input class.
/// One decision in eleven has the other of the two rooms.
fn decision(pair: u64) -> (u64, &'static str, &'static str) {
    let class = pair * 7 % CLASSES;
    let round = pair / CLASSES;
    let desk = if round.is_multiple_of(3) { "south" } else { "north" };
    let is_other = (class.is_multiple_of(4) && desk == "north") != (pair * 13).is_multiple_of(11);
    (class, desk, if is_other { "b" } else { "a" })
}

/// A study of 20 days; the model always answers `a`. Nights in one bin of ten are in the same input class.
fn workspace(more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = StudyToml::small()
        .windows("week")
        .input("guest", "text")
        .decision("desk", "text")
        .section("log", "segment-rows = 200");
    workspace.write("study.toml", format!("{study}\n{more}"));
    let time = |pair: u64, hour: u64| {
        let minute = pair % 60;
        format!("2026-03-{:02}T{hour:02}:{minute:02}:00Z", 1 + pair / 60)
    };
    workspace.write_lines(
        "snapshots.jsonl",
        (0..PAIRS).map(|pair| {
            let (class, ..) = decision(pair);
            // The guest and the bin of the nights make the input class.
            let (guest, nights) = (class % 6, class / 6 * 10 + pair % 10);
            let at = time(pair, 10);
            format!(r#"{{"id":"s{pair}","at":"{at}","booked":"a","nights":{nights},"guest":"g{guest}"}}"#)
        }),
    );
    workspace.write_lines(
        "decisions.jsonl",
        (0..PAIRS).map(|pair| {
            let ((_, desk, room), at) = (decision(pair), time(pair, 11));
            format!(r#"{{"id":"s{pair}","at":"{at}","room":"{room}","desk":"{desk}"}}"#)
        }),
    );
    workspace
}

const CEILING: &str = "[ceiling]\nfields = [\"guest\", \"nights\"]\nrater = \"desk\"\n\
                       bins = { nights = [10, 20, 30, 40, 50, 60, 70, 80, 90] }\n";

/// The mean share of equal pairs among the first decisions, by its definition, and the number of input classes.
/// `compared` selects pairs of decisions by their desks.
fn self_agreement(first: u64, compared: fn(&str, &str) -> bool) -> (f64, u64) {
    self_agreement_in((0..first).map(decision), compared)
}

/// [`self_agreement`] of the given decisions.
fn self_agreement_in(
    decisions: impl Iterator<Item = (u64, &'static str, &'static str)>,
    compared: fn(&str, &str) -> bool,
) -> (f64, u64) {
    let mut classes: BTreeMap<u64, Vec<(&str, &str)>> = BTreeMap::new();
    for (class, desk, room) in decisions {
        classes.entry(class).or_default().push((desk, room));
    }
    let (mut sum, mut decisions, mut number) = (0.0, 0, 0);
    for class in classes.values() {
        let (mut equal, mut all) = (0, 0);
        for (at, one) in class.iter().enumerate() {
            for other in class[at + 1..].iter().filter(|other| compared(one.0, other.0)) {
                all += 1;
                equal += u32::from(one.1 == other.1);
            }
        }
        if all > 0 {
            sum += f64::from(equal) / f64::from(all) * class.len() as f64;
            decisions += class.len();
            number += 1;
        }
    }
    (sum / decisions as f64, number)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn agreement_is_beside_its_ceiling() {
    let workspace = workspace(CEILING);
    let report = workspace.run(&[]);
    let (ceiling, all) = (&report["ceiling"], &report["ceiling"]["scopes"][0]);
    let (expected, classes) = self_agreement(PAIRS, |_, _| true);
    assert_eq!(all["self-agreement"]["classes"], classes);
    assert!((number(&all["self-agreement"]["value"]) - expected).abs() < 1e-12, "{all}");
    assert!((number(&all["ceiling"]["value"]) - expected.sqrt()).abs() < 1e-12, "{all}");
    let equal = (0..PAIRS).filter(|pair| decision(*pair).2 == "a").count() as u64;
    assert_eq!((&all["pairs"], &all["models"][0]["equal"]), (&PAIRS.into(), &equal.into()));
    // Every input class is decided at least twice, so this is the agreement over all pairs.
    let agreement = equal as f64 / PAIRS as f64;
    assert!((number(&all["models"][0]["agreement"]["value"]) - agreement).abs() < 1e-12, "{all}");
    assert!((number(&all["models"][0]["of-ceiling"]) - agreement / expected.sqrt()).abs() < 1e-12, "{all}");
    let raters = &ceiling["raters"];
    let (same, _) = self_agreement(PAIRS, |one, other| one == other);
    let (different, _) = self_agreement(PAIRS, |one, other| one != other);
    assert!((number(&raters["same-rater"]["value"]) - same).abs() < 1e-12, "{raters}");
    assert!((number(&raters["different-raters"]["value"]) - different).abs() < 1e-12, "{raters}");
    assert!(same > different);
    let listed = raters["raters"].as_array().expect("raters");
    assert!(
        listed.iter().all(|rater| rater["rater"].as_str().is_some_and(|name| name.starts_with("rater ")))
    );
    let mut pairs: Vec<u64> = listed.iter().map(|rater| rater["pairs"].as_u64().expect("pairs")).collect();
    pairs.sort_unstable();
    let day = (0..PAIRS).filter(|pair| decision(*pair).1 == "north").count() as u64;
    assert_eq!(pairs, [PAIRS - day, day]);
    workspace.ok(&["verify", "run"]);
    for format in ["md", "text"] {
        let text = workspace.ok(&["report", "run", "--format", format]).stdout;
        assert!(text.contains("The substrate's own noise"), "{text}");
        assert!(!text.contains("south"), "no rater is named: {text}");
    }
}

#[test]
fn an_interim_report_has_the_ceiling_of_its_windows() {
    let workspace = workspace(&format!("{CEILING}[interim]\nevery = 1\n"));
    workspace.run(&[]);
    let text = fs::read(workspace.path().join("run/interim/week-ending-2026-03-15.json")).expect("a report");
    let bundle: Value = serde_json::from_slice(&text).expect("JSON");
    let (report, all) = (&bundle["report"], &bundle["report"]["ceiling"]["scopes"][0]);
    // 60 decisions a day, from the first of March on.
    let first = 15 * 60;
    assert_eq!((&all["pairs"], &report["comparison"]["compared"]), (&first.into(), &first.into()));
    let (expected, _) = self_agreement(first, |_, _| true);
    let own = &all["self-agreement"];
    assert!((number(&own["value"]) - expected).abs() < 1e-12, "{own}");
    assert_eq!(own["interval"], Value::Null, "an interval would hold at a single look");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn an_interim_report_withholds_figures_that_leave_pairs_out() {
    let threshold = "[threshold]\nat-least = 0.1\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\n\
                     confidence = 0.95\nfamily = \"each\"\nchance = \"not-asked\"\nof-ceiling = 0.5\n[blinding]\nshare = 0.2\n";
    let workspace = workspace(&format!("{threshold}{CEILING}[interim]\nevery = 1\n"));
    workspace.run(&[]);
    let text = fs::read(workspace.path().join("run/interim/week-ending-2026-03-15.json")).expect("a report");
    let bundle: Value = serde_json::from_slice(&text).expect("JSON");
    let raters = &bundle["report"]["ceiling"]["raters"];
    for agreement in [&raters["same-rater"], &raters["different-raters"]] {
        assert_eq!(
            (&agreement["value"], &agreement["interval"]),
            (&Value::Null, &Value::Null),
            "{agreement}"
        );
        assert!(number(&agreement["classes"]) > 30.0, "{agreement}");
    }
    let scope = &bundle["verdict"]["models"][0]["scopes"][0];
    assert_eq!(scope["ceiling"], Value::Null, "{scope}");
    let reasons = scope["reasons"].to_string();
    assert!(reasons.contains("the share of the ceiling is not shown to meet the threshold yet"), "{reasons}");
    assert!(!reasons.contains("decided at least twice"), "{reasons}");
    // The closed run shows them.
    let verdict: Value =
        serde_json::from_str(&workspace.understudy(&["decide", "run", "--format", "json"]).stdout)
            .expect("JSON");
    assert!(verdict["models"][0]["scopes"][0]["ceiling"]["share"].is_number(), "{verdict}");
}

#[test]
fn raters_are_named_if_the_study_declares_it() {
    let workspace = workspace(&format!("{CEILING}show-raters = true\n"));
    let report = workspace.run(&[]);
    let raters = report["ceiling"]["raters"]["raters"].as_array().expect("raters");
    let names: Vec<&str> = raters.iter().filter_map(|rater| rater["rater"].as_str()).collect();
    assert_eq!(names, ["north", "south"]);
}

#[test]
fn a_threshold_against_the_ceiling_decides() {
    let threshold = |least: &str| {
        format!(
            "[threshold]\nat-least = 0.5\nquantifier = \"pooled\"\nwindows = {{ all = true }}\nevidence = \"point\"\n\
             chance = \"not-asked\"\nof-ceiling = {least}\n[blinding]\nshare = 0.2\n{CEILING}"
        )
    };
    for (least, code) in [("0.5", 0), ("1.0", 1)] {
        let workspace = workspace(&threshold(least));
        workspace.run(&[]);
        let output = workspace.understudy(&["decide", "run"]);
        assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains("of the ceiling"), "{}", output.stdout);
        workspace.ok(&["verify", "run"]);
    }
}

#[test]
fn a_ceiling_needs_answers_that_can_be_equal() {
    let workspace = TestWorkspace::new();
    let number = |field: &str| format!("{{ field = \"{field}\", form = \"number\", kind = \"number\" }}");
    let study = StudyToml::new("numbers")
        .input("nights", "integer")
        .decision("nights", "integer")
        .plugin_model("echo", "PLUGINS/recorded.wasm", &["nights"], Some(&number("nights")))
        .plugin_comparator(
            "recorded",
            "PLUGINS/recorded.wasm",
            &["decision.nights"],
            Some(&number("decision.nights")),
        )
        .metric("mean-absolute-error");
    workspace.write("study.toml", format!("{study}\n[ceiling]\n"));
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(
        output.stderr.contains("counts equal decisions, but the answers are numbers"),
        "{}",
        output.stderr
    );
}

/// The first decision of a pair. If it differs from [`decision`], that one revises it an hour later. The north desk
/// revises every fifth decision.
fn first_decision(pair: u64) -> (u64, &'static str, &'static str) {
    let (class, desk, room) = decision(pair);
    match (desk, pair.is_multiple_of(5)) {
        ("north", true) => (class, desk, if room == "a" { "b" } else { "a" }),
        _ => (class, desk, room),
    }
}

/// The study with revised decisions. `counted` says which one counts: `first` or `last`.
fn revised_workspace(counted: &str) -> TestWorkspace {
    let workspace = workspace(CEILING);
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let horizon = text.lines().find(|line| line.starts_with("horizon")).expect("a horizon");
    workspace.edit_study(&[(horizon, &format!("{horizon}\nrevisions = \"{counted}\""))]);
    let mut decisions = Vec::new();
    for pair in 0..PAIRS {
        let mut push = |hour: u64, (_, desk, room): (u64, &str, &str)| {
            let at = format!("2026-03-{:02}T{hour:02}:{:02}:00Z", 1 + pair / 60, pair % 60);
            decisions.push((
                at.clone(),
                format!(r#"{{"id":"s{pair}","at":"{at}","room":"{room}","desk":"{desk}"}}"#),
            ));
        };
        push(11, first_decision(pair));
        if first_decision(pair) != decision(pair) {
            push(12, decision(pair));
        }
    }
    decisions.sort();
    workspace.write_lines("decisions.jsonl", decisions.into_iter().map(|(_, line)| line));
    workspace
}

#[test]
fn only_the_decision_that_counts_is_in_an_input_class() {
    let any = |_: &str, _: &str| true;
    for (counted, (expected, classes)) in [
        ("first", self_agreement_in((0..PAIRS).map(first_decision), any)),
        ("last", self_agreement(PAIRS, any)),
    ] {
        let workspace = revised_workspace(counted);
        let report = workspace.run(&[]);
        let all = &report["ceiling"]["scopes"][0];
        assert_eq!((&all["pairs"], &all["self-agreement"]["classes"]), (&PAIRS.into(), &classes.into()));
        assert!((number(&all["self-agreement"]["value"]) - expected).abs() < 1e-12, "{counted}: {all}");
        assert!(report["revisions"]["models"].is_array(), "{report}");
        workspace.ok(&["verify", "run"]);
    }
}

#[test]
fn a_killed_run_resumes_with_the_same_ceiling() {
    let workspace = revised_workspace("last");
    workspace.ok(&["run", "study.toml", "--run", "plain"]);
    let command = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];
    let mut kills = 0;
    // Bytes that the process may write before it is killed.
    for limit in (1..).map(|start| 40_000 + 20_000 * (start % 7)) {
        let mut running = TestProcess::start(workspace.command(&command));
        while running.bytes_written().is_some_and(|written| written < limit) {
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
        let alive = running.kill();
        running.wait_with_output();
        if !alive {
            break;
        }
        kills += 1;
        if kills == 12 {
            workspace.ok(&command);
            break;
        }
    }
    assert!(kills >= 3, "it was killed {kills} times only");
    let [run, plain] = ["run", "plain"].map(|run| workspace.report(run));
    assert_eq!(run["ceiling"], plain["ceiling"]);
    assert_eq!(deterministic_part(&run), deterministic_part(&plain));
    workspace.ok(&["verify", "run"]);
}

/// The expected numbers are those that `python3 tests/oracles/ceiling.py examples/hotel` prints.
#[test]
fn the_hotel_ceiling_matches_its_definition() {
    let workspace = TestWorkspace::new();
    let study = hotel_rooms_study();
    let folder = study.parent().expect("a folder").display().to_string();
    let text = fs::read_to_string(&study).expect("the study");
    let text = text
        .replace("hotel-", &format!("{folder}/hotel-"))
        .replace(&format!("study = \"{folder}/hotel-rooms\""), "study = \"hotel-rooms\"");
    let text = text.replace("../../target/plugins", "PLUGINS");
    let ceiling = "[ceiling]\nfields = [\"reserved_room_type\", \"market_segment\", \"lead_time\"]\n\
                   bins = { lead_time = [7, 30, 90, 180] }\n";
    workspace.write("study.toml", format!("{text}\n{ceiling}"));
    let report = workspace.run(&[]);
    let all = &report["ceiling"]["scopes"][0];
    assert_eq!(all["complete"], true);
    let own = &all["self-agreement"];
    assert_eq!((&own["classes"], &own["decisions"]), (&127.into(), &15_389.into()));
    for (found, expected) in [
        (&own["value"], 0.681_789_135_441_392_3),
        (&all["models"][0]["agreement"]["value"], 0.798_037_559_295_600_7),
        (&all["models"][0]["of-ceiling"], 0.966_492_066_747_704),
    ] {
        assert!((number(found) - expected).abs() < 1e-9, "{found} {expected}");
    }
}
