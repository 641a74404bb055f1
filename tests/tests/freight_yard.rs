//! The three weeks of the freight yard. The feed is synthetic with the rates of
//! `examples/freight-yard/generator/src/quotas.rs`, and the report must reproduce them.
//!
//! A report has values per week and per condition, but not per combination. So each week is also run alone.

use std::fs;
use std::process::Command;

use serde_json::Value;
use understudy_tests::{TestWorkspace, account, built_program, overall, root};

/// The weeks: name, first instant in the yard's time zone, first instant after it.
const WEEKS: [(&str, &str, &str); 3] = [
    ("week ending 2026-04-19", "2026-04-13T00:00:00", "2026-04-20T00:00:00"),
    ("week ending 2026-04-26", "2026-04-20T00:00:00", "2026-04-27T00:00:00"),
    ("week ending 2026-05-03", "2026-04-27T00:00:00", "2026-05-04T00:00:00"),
];

/// The study and its feed, as in the demo.
fn yard() -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = fs::read_to_string(root().join("examples/freight-yard/study.toml")).expect("the study");
    workspace.write("study.toml", study.replace("../../target/plugins", "PLUGINS"));
    generate(&workspace, "2026");
    workspace
}

/// Writes the feed of a seed into the workspace.
fn generate(workspace: &TestWorkspace, seed: &str) {
    let output = Command::new(built_program("freight-yard"))
        .arg(workspace.path())
        .arg(seed)
        .output()
        .expect("it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn feed(workspace: &TestWorkspace) -> [Vec<u8>; 2] {
    ["snapshots.jsonl", "decisions.jsonl"]
        .map(|name| fs::read(workspace.path().join(name)).expect("it was written"))
}

/// Keeps only calls from `start` until `end`, and their decisions.
fn keep(workspace: &TestWorkspace, start: &str, end: &str) {
    let [snapshots, decisions] = feed(workspace).map(|lines| String::from_utf8(lines).expect("UTF-8"));
    let parsed = |lines: &str| -> Vec<(Value, String)> {
        let value = |line| serde_json::from_str(line).expect("a record is JSON");
        lines.lines().map(|line| (value(line), line.to_owned())).collect()
    };
    let mut snapshots = parsed(&snapshots);
    // All times have the same offset, so they sort as text.
    snapshots.retain(|(call, _)| (start..end).contains(&call["called_at"].as_str().expect("a time")));
    let mut decisions = parsed(&decisions);
    decisions.retain(|(decision, _)| snapshots.iter().any(|(call, _)| call["id"] == decision["id"]));
    for (name, records) in [("snapshots.jsonl", snapshots), ("decisions.jsonl", decisions)] {
        workspace.write_lines(name, records.into_iter().map(|(_, line)| line));
    }
}

/// Number of pairs in which the best bay was chosen, and number of pairs.
type Hits = (u64, u64);

fn hits(figure: &Value) -> Hits {
    let pairs = figure["pairs"].as_u64().expect("a count");
    let [sum, value] = [&figure["sums"][0], &figure["value"]].map(|n| n.as_f64().expect("a number"));
    assert_eq!(sum.fract(), 0.0, "hits are whole");
    // serde_json may differ in the last bit from the written value.
    assert!((value - sum / pairs as f64).abs() < 1e-15, "{value} is not {sum} of {pairs}");
    (sum as u64, pairs)
}

/// The values of `top-1` and `top-3` of the only model.
fn scores(report: &Value) -> [&Value; 2] {
    let names = [0, 1].map(|metric| report["metrics"][metric]["name"].as_str().expect("a name"));
    assert_eq!(names, ["top-1", "top-3"]);
    assert_eq!(report["metrics"][0]["primary"], true);
    [0, 1].map(|metric| &report["models"][0]["scores"][metric])
}

/// The values of `top-1` and `top-3` for one value of a condition.
fn of(report: &Value, condition: &str, value: &str) -> [Hits; 2] {
    let conditions = report["conditions"].as_array().expect("conditions");
    let at = conditions.iter().position(|c| c["name"] == condition).expect("a condition");
    let values = conditions[at]["values"].as_array().expect("values");
    let value = values.iter().position(|v| v == value).expect("a value");
    scores(report).map(|scores| hits(&scores["conditions"][at][value]))
}

fn all(report: &Value) -> [Hits; 2] {
    [0, 1].map(|metric| hits(overall(report, 0, metric)))
}

#[test]
fn the_feed_depends_only_on_its_seed() {
    let (one, other) = (TestWorkspace::new(), TestWorkspace::new());
    generate(&one, "2026");
    generate(&other, "2026");
    assert!(feed(&one) == feed(&other));
    generate(&other, "2027");
    assert!(feed(&one) != feed(&other));
    // The default seed.
    assert!(
        Command::new(built_program("freight-yard")).arg(other.path()).status().expect("it starts").success()
    );
    assert!(feed(&one) == feed(&other));
}

#[test]
fn the_report_reproduces_the_planted_rates() {
    let report = yard().run(&[]);
    for stream in ["snapshots", "decisions"] {
        assert_eq!(account(&report, stream), [("received", 3_016), ("paired", 3_016)], "{stream}");
    }
    // About a tenth of the calls is blinded: the model answers them after the dispatcher has assigned a bay.
    let [answered, blinded] =
        ["answered", "blinded"].map(|key| report["models"][0][key].as_u64().expect("a count"));
    assert_eq!(answered + blinded, 3_016);
    assert!((240..=360).contains(&blinded), "{blinded}");
    let labels: Vec<_> = report["windows"].as_array().unwrap().iter().map(|w| &w["label"]).collect();
    let [one, two, three] = WEEKS.map(|(label, ..)| label);
    assert_eq!(labels, ["week ending 2026-04-12", one, two, three, "week ending 2026-05-10"]);
    let windows = scores(&report)
        .map(|scores| scores["windows"].as_array().unwrap().iter().map(hits).collect::<Vec<_>>());
    // The first and the last window have the few calls that show that the weeks are complete.
    assert_eq!(windows[0], [(6, 8), (870, 1_000), (841, 1_000), (840, 1_000), (7, 8)]);
    assert_eq!(windows[1], [(8, 8), (964, 1_000), (956, 1_000), (955, 1_000), (8, 8)]);
    assert_eq!(all(&report), [(2_551 + 13, 3_016), (2_875 + 16, 3_016)]);
    assert_eq!(of(&report, "day", "weekday"), [(1_911 + 7, 2_108), (2_055 + 8, 2_108)]);
    assert_eq!(of(&report, "day", "weekend"), [(640 + 6, 908), (820 + 8, 908)]);
    assert_eq!(of(&report, "weekend-priority", "true"), [(62 + 58 + 57, 300), (86 + 85 + 84, 300)]);
}

#[test]
fn the_three_weeks_have_the_planted_rates() {
    let workspace = yard();
    keep(&workspace, WEEKS[0].1, WEEKS[2].2);
    let report = workspace.run(&[]);
    assert_eq!(all(&report), [(2_551, 3_000), (2_875, 3_000)]);
    assert_eq!(of(&report, "day", "weekday"), [(1_911, 2_100), (2_055, 2_100)]);
    assert_eq!(of(&report, "day", "weekend"), [(640, 900), (820, 900)]);
}

#[test]
fn each_week_has_the_planted_rates() {
    // All, weekdays, weekend, weekend with priority: best bay, and one of the best three.
    let expected = [
        [[870, 644, 226, 62], [964, 688, 276, 86]],
        [[841, 634, 207, 58], [956, 684, 272, 85]],
        [[840, 633, 207, 57], [955, 683, 272, 84]],
    ];
    for ((label, start, end), expected) in WEEKS.into_iter().zip(expected) {
        let workspace = yard();
        keep(&workspace, start, end);
        let report = workspace.run(&[]);
        let found = [
            all(&report),
            of(&report, "day", "weekday"),
            of(&report, "day", "weekend"),
            of(&report, "weekend-priority", "true"),
        ];
        for metric in [0, 1] {
            assert_eq!(found.map(|of| of[metric].0), expected[metric], "{label}");
            assert_eq!(found.map(|of| of[metric].1), [1_000, 700, 300, 100], "{label}");
        }
    }
}

/// Runs the edited study of the yard into `run`.
fn ran(edits: &[(&str, &str)]) -> TestWorkspace {
    let workspace = yard();
    let study = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let edited = edits.iter().fold(study, |study, (from, to)| {
        assert!(study.contains(from), "{from}");
        study.replace(from, to)
    });
    workspace.write("study.toml", edited);
    workspace.ok(&["run", "study.toml", "--run", "run"]);
    workspace
}

/// Runs `decide`. Returns the exit code and the verdicts of the only model by scope.
fn decide(workspace: &TestWorkspace, arguments: &[&str]) -> (i32, Value) {
    let output = workspace.understudy(&[&["decide", "run"], arguments].concat());
    let verdict = fs::read(workspace.path().join("run/verdict.json")).expect("a verdict");
    let verdict: Value = serde_json::from_slice(&verdict).expect("JSON");
    (output.code, verdict["models"][0]["scopes"].clone())
}

fn together(ruling: &Value) -> (u64, u64) {
    let finding = &ruling["pooled"];
    (finding["hits"].as_u64().expect("hits"), finding["pairs"].as_u64().expect("pairs"))
}

const POOLED: (&str, &str) = ("quantifier = \"every-window\"", "quantifier = \"pooled\"");
const SPLIT: (&str, &str) = ("on-exposure = \"void\"", "on-exposure = \"split\"");

#[test]
fn three_pooled_weeks_pass() {
    let (code, scopes) = decide(&ran(&[POOLED]), &[]);
    assert_eq!((code, &scopes[0]["verdict"]), (0, &Value::from("GO")), "{scopes}");
    assert_eq!(together(&scopes[0]), (2551, 3000));
}

#[test]
fn single_weeks_fail_but_weekdays_pass() {
    let workspace = ran(&[]);
    let (code, scopes) = decide(&workspace, &[]);
    assert_eq!((code, &scopes[0]["verdict"]), (1, &Value::from("NO-GO")));
    let reasons: Vec<_> = scopes[0]["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|reason| reason["text"].as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            Some("week ending 2026-04-26: 841 of 1000 (0.841000); at least 0.85 is required"),
            Some("week ending 2026-05-03: 840 of 1000 (0.840000); at least 0.85 is required"),
        ]
    );
    let (code, scopes) = decide(&workspace, &["--scope", "weekday"]);
    assert_eq!((code, &scopes[1]["verdict"]), (0, &Value::from("GO")));
    assert_eq!(together(&scopes[1]), (1911, 2100));
    let output = workspace.understudy(&["decide", "run", "--scope", "weekend"]);
    assert_eq!(output.code, 4);
    assert_eq!(
        output.stderr.trim(),
        "scope \"weekend\" was not declared before the run started, and a scope chosen afterwards allows no verdict; \
         declared scopes: weekday"
    );
    assert_eq!(workspace.understudy(&["decide", "run", "--skope"]).code, 4);
}

#[test]
fn visible_recommendations_void_the_study_or_split_it() {
    for (edits, code, word) in [(&[][..], 3, "VOID"), (&[SPLIT][..], 2, "INCONCLUSIVE")] {
        let workspace = ran(edits);
        let since =
            ["--since", "2026-04-22T06:00:00+02:00", "--text", "a screen in the office", "--who", "ana"];
        workspace.ok(&[&["disclose", "run", "exposure"][..], &since].concat());
        let (found, scopes) = decide(&workspace, &[]);
        assert_eq!((found, &scopes[0]["verdict"]), (code, &Value::from(word)), "{scopes}");
        workspace.ok(&["verify", "run"]);
    }
    // One week lies before the screen; a threshold over one week would have been met.
    let workspace = ran(&[SPLIT, ("first = 3", "first = 1")]);
    let since = ["--since", "2026-04-22T06:00:00+02:00", "--text", "a screen in the office"];
    workspace.ok(&[&["disclose", "run", "exposure"][..], &since].concat());
    let (code, scopes) = decide(&workspace, &[]);
    assert_eq!((code, together(&scopes[0])), (0, (870, 1000)));
}
