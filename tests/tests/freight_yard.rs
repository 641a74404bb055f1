//! The three weeks of the freight yard. The feed is synthetic with the rates of
//! `examples/freight-yard/generator/src/quotas.rs`, and the report must reproduce them.
//!
//! One run has the paper trail: each week, each condition, and each week by condition.

use std::fs;
use std::process::Command;

use serde_json::Value;
use understudy_tests::{TestWorkspace, account, built_program, overall, root};

/// The three weeks.
const WEEKS: [&str; 3] = ["week ending 2026-04-19", "week ending 2026-04-26", "week ending 2026-05-03"];

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

/// The indices of a condition and of one of its values.
fn place(report: &Value, condition: &str, value: &str) -> (usize, usize) {
    let conditions = report["conditions"].as_array().expect("conditions");
    let at = conditions.iter().position(|c| c["name"] == condition).expect("a condition");
    let values = conditions[at]["values"].as_array().expect("values");
    (at, values.iter().position(|v| v == value).expect("a value"))
}

/// The values of `top-1` and `top-3` for one value of a condition.
fn hits_of_value(report: &Value, condition: &str, value: &str) -> [Hits; 2] {
    let (at, value) = place(report, condition, value);
    scores(report).map(|scores| hits(&scores["conditions"][at][value]))
}

/// The values in the three weeks, which are the windows 1 to 3.
fn weeks(values: &Value) -> [&Value; 3] {
    [1, 2, 3].map(|week| {
        let mut values = values.as_array().expect("values by window").iter();
        values.find(|value| value["window"] == week).expect("a value of the week")
    })
}

/// The values of `top-1` and `top-3` in each of the three weeks for one value of a condition.
fn weekly(report: &Value, condition: &str, value: &str) -> [[Hits; 3]; 2] {
    let (at, value) = place(report, condition, value);
    scores(report).map(|scores| weeks(&scores["conditions-by-window"][at][value]).map(hits))
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
    let workspace = yard();
    let report = workspace.run(&[]);
    for stream in ["snapshots", "decisions"] {
        assert_eq!(account(&report, stream), [("received", 3_016), ("paired", 3_016)], "{stream}");
    }
    // About a tenth of the calls is blinded: the model answers them after the dispatcher has assigned a bay.
    let [answered, blinded] =
        ["answered", "blinded"].map(|key| report["models"][0][key].as_u64().expect("a count"));
    assert_eq!(answered + blinded, 3_016);
    assert!((240..=360).contains(&blinded), "{blinded}");
    let labels: Vec<_> = report["windows"].as_array().unwrap().iter().map(|w| &w["label"]).collect();
    let [one, two, three] = WEEKS;
    assert_eq!(labels, ["week ending 2026-04-12", one, two, three, "week ending 2026-05-10"]);
    let windows = scores(&report)
        .map(|scores| scores["windows"].as_array().unwrap().iter().map(hits).collect::<Vec<_>>());
    // The first and the last window have the few calls that show that the weeks are complete.
    assert_eq!(windows[0], [(6, 8), (870, 1_000), (841, 1_000), (840, 1_000), (7, 8)]);
    assert_eq!(windows[1], [(8, 8), (964, 1_000), (956, 1_000), (955, 1_000), (8, 8)]);
    assert_eq!(all(&report), [(2_551 + 13, 3_016), (2_875 + 16, 3_016)]);
    assert_eq!(hits_of_value(&report, "day", "weekday"), [(1_911 + 7, 2_108), (2_055 + 8, 2_108)]);
    assert_eq!(hits_of_value(&report, "day", "weekend"), [(640 + 6, 908), (820 + 8, 908)]);
    assert_eq!(
        hits_of_value(&report, "weekend-priority", "true"),
        [(62 + 58 + 57, 300), (86 + 85 + 84, 300)]
    );
    // Each week by condition: best bay, and one of the best three.
    let expected = [
        ("day", "weekday", 700, [[644, 634, 633], [688, 684, 683]]),
        ("day", "weekend", 300, [[226, 207, 207], [276, 272, 272]]),
        ("weekend-priority", "true", 100, [[62, 58, 57], [86, 85, 84]]),
    ];
    for (condition, value, pairs, expected) in expected {
        let expected = expected.map(|metric: [u64; 3]| metric.map(|hits| (hits, pairs)));
        assert_eq!(weekly(&report, condition, value), expected, "{condition} = {value}");
    }
    // Over the three weeks: 91 % on weekdays, 71 % at weekends.
    let three_weeks = |value: &str| {
        let [best, _] = weekly(&report, "day", value);
        best.into_iter().fold((0, 0), |(hits, pairs), (more, others)| (hits + more, pairs + others))
    };
    assert_eq!([three_weeks("weekday"), three_weeks("weekend")], [(1_911, 2_100), (640, 900)]);
    weekly_values_are_everywhere(&workspace, &report);
}

/// The scope, the intervals, the terminal and the page of the values by week and condition.
fn weekly_values_are_everywhere(workspace: &TestWorkspace, report: &Value) {
    assert_eq!(report["window-breakdown"]["threshold-metric"], "top-1");
    assert_eq!(report["window-breakdown"]["scopes"][0]["name"], "weekday");
    let [best, best_three] = scores(report);
    let scope = weeks(&best["scopes-by-window"][0]);
    assert_eq!(scope.map(hits), weekly(report, "day", "weekday")[0]);
    assert_eq!(best_three["scopes-by-window"], Value::Array(Vec::new()));
    // statsmodels 0.15: proportion_confint(62, 100, alpha=0.05, method="wilson"), and the same of 644 in 700.
    let (at, value) = place(report, "weekend-priority", "true");
    let [week, ..] = weeks(&best["conditions-by-window"][at][value]);
    for (value, bounds) in [
        (week, [0.522_097_552_955_110_7, 0.709_024_007_475_212_7]),
        (scope[0], [0.897_534_649_555_148_4, 0.937_880_759_172_280_6]),
    ] {
        let found = ["lower", "upper"].map(|bound| value["interval"][bound].as_f64().expect("a bound"));
        assert!(found.iter().zip(bounds).all(|(found, bound)| (found - bound).abs() < 1e-9), "{found:?}");
    }
    let text = workspace.ok(&["report", "run", "--format", "text"]).stdout;
    let line = |word: &str, cells: &str| text.lines().any(|line| line.contains(word) && line.contains(cells));
    assert!(line(WEEKS[0], "0.620000 (100)") && line(WEEKS[2], "0.570000 (100)"), "{text}");
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    for row in
        ["| weekend | week ending 2026-04-19 | 226 of 300 |", "| true | week ending 2026-04-19 | 62 of 100 |"]
    {
        assert!(page.contains(row), "{row}\n{page}");
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
            Some("week ending 2026-04-26: 841 of 1,000 (0.841000); at least 0.85 is required"),
            Some("week ending 2026-05-03: 840 of 1,000 (0.840000); at least 0.85 is required"),
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
