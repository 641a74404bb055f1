//! What a run shows before its end: no shown value tells which pair of few failed.
//!
//! Days with few pairs are shown together with other days, in blocks of at least five pairs. Two runs of one seal get the same
//! snapshots. The decisions differ in pairs of the same block that have the same conditions, so each block has the same sums.
//! Whatever the runs show is equal, except times and digests. These are listed here, so a new value is compared. The difference
//! of two reports of one run covers no few pairs either.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::open_rows;
use understudy_tests::{TestWorkspace, files};

/// The pairs of each day of March 2026. The blocks are the days 1, 2 and 3, 4 and 5, 6, 7 to 9, 10, 11, 12 to 16, 17, 18
/// and 19, and 20. Day 13 has no pair.
const DAYS: [usize; 20] = [6, 1, 4, 3, 2, 7, 2, 2, 1, 8, 5, 1, 0, 1, 1, 2, 6, 3, 3, 5];
/// Days of one block. In one run the first pair of the first day agrees and that of the second fails. In the other run it is
/// the other way round.
const SWAPPED: [(usize, usize); 4] = [(2, 3), (4, 5), (7, 8), (12, 14)];
/// The reports that are written before the end of the feed: one for each day with pairs whose horizon and lateness have passed.
const REPORTS: usize = 16;
/// Values of time and of the records themselves.
const OTHER_VALUES: [&str; 3] = ["report.started-at", "report.ended-at", "provenance.ledger-head"];

const THRESHOLD: &str = "at-least = 0.6\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\n\
                         confidence = 0.95\nfamily = \"each\"\nleast-per-window = 1\nchance = \"not-asked\"";

/// A pair: its day and number on that day, and what the model answers.
type Pair = (usize, usize, &'static str);

fn pairs() -> impl Iterator<Item = Pair> {
    let of_day = |(day, pairs): (usize, usize)| {
        (0..pairs).map(move |number| (day, number, if pairs > 5 && number == 1 { "b" } else { "a" }))
    };
    (1..).zip(DAYS).flat_map(of_day)
}

fn snapshot((day, number, booked): Pair) -> String {
    let kind = if DAYS[day - 1] > 4 && number % 2 == 1 { "y" } else { "x" };
    format!(
        r#"{{"id":"s{day}-{number}","at":"2026-03-{day:02}T10:{number:02}:00Z","booked":"{booked}","nights":1,"kind":"{kind}"}}"#
    )
}

/// The decision on a pair. `first_agrees` says which of [`SWAPPED`] agree.
fn decision((day, number, booked): Pair, first_agrees: bool) -> String {
    let agrees = match number {
        0 if SWAPPED.iter().any(|(first, _)| *first == day) => first_agrees,
        0 if SWAPPED.iter().any(|(_, second)| *second == day) => !first_agrees,
        _ => number % 3 != 2,
    };
    let room = match (agrees, booked) {
        (true, booked) => booked,
        (false, "a") => "b",
        (false, _) => "a",
    };
    format!(r#"{{"id":"s{day}-{number}","at":"2026-03-{day:02}T12:{number:02}:00Z","room":"{room}"}}"#)
}

/// A sealed study with a report for each day, and its snapshots.
fn workspace(more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = StudyToml::small()
        .input("kind", "text")
        .condition("kind", "kind", &["x", "y"])
        .section("[scopes]", "name = \"x\"\nwhere = { kind = \"x\" }")
        .section("interim", "every = 1")
        .section("blinding", "share = 0")
        .section("threshold", &format!("{THRESHOLD}\n{more}"));
    let study = study.to_string().replace("file = \"decisions.jsonl\"", "stdin = true");
    workspace.write("study.toml", study);
    workspace.write_lines("snapshots.jsonl", pairs().map(snapshot));
    workspace.ok(&["seal", "study.toml"]);
    workspace
}

/// Whatever an open run shows, by its place: its reports, and those of commands.
fn shown(workspace: &TestWorkspace, run: &str, first_agrees: bool) -> BTreeMap<String, Value> {
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", run]));
    running.feed(pairs().map(|pair| decision(pair, first_agrees) + "\n").collect::<String>());
    let interim = workspace.path().join(run).join("interim");
    let reports = || {
        let all = if interim.exists() { files(&interim) } else { Vec::new() };
        all.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"))
    };
    wait_until("all reports are written", || {
        workspace.path().join(run).join("ledger.jsonl").exists()
            && workspace.ledger_entries(run, Some("interim-report")).len() == REPORTS
    });
    running.signal("INT");
    running.wait_with_output();
    let mut shown = BTreeMap::new();
    for path in reports() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let bundle: Value =
            serde_json::from_slice(&fs::read(&path).expect("a report")).expect("a report is JSON");
        flatten(&name, "", &bundle, &mut shown);
    }
    let verdict = workspace.understudy(&["decide", run, "--format", "json"]);
    flatten("decide", "", &serde_json::from_str(&verdict.stdout).expect("a verdict"), &mut shown);
    shown
}

/// The values of a document by their path.
fn flatten(place: &str, path: &str, value: &Value, shown: &mut BTreeMap<String, Value>) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(place, &inner(key), value, shown)),
        Value::Array(values) => {
            let numbered = values.iter().enumerate();
            numbered.for_each(|(at, value)| flatten(place, &inner(&at.to_string()), value, shown));
        }
        _ if OTHER_VALUES.contains(&path) || path.contains("latency") => {}
        _ if path.starts_with("events.") && path.ends_with(".at") => {}
        _ => drop(shown.insert(format!("{place} {path}"), value.clone())),
    }
}

#[test]
fn no_value_before_the_end_tells_which_pair_of_few_failed() {
    // With a cluster, intervals are over whole windows instead of pairs.
    for more in ["", "cluster = \"kind\""] {
        let workspace = workspace(more);
        let [one, other] =
            [("one", true), ("other", false)].map(|(run, agrees)| shown(&workspace, run, agrees));
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (place, value) in &one {
            assert_eq!(value, &other[place], "{place}, {more}");
        }
        assert!(one.len() > 10_000, "{}", one.len());
        // Figures and bounds are shown, so the comparison has power.
        let last = "2026-03-17";
        for figure in [
            "report.models.0.scores.0.overall.value",
            "report.models.0.scores.0.overall.interval.lower",
            "report.models.0.scores.0.windows.5.value",
            "verdict.models.0.scopes.0.pooled.interval.lower",
        ] {
            assert!(one[&format!("{last} {figure}")].is_number(), "{figure}");
        }
    }
}

/// Runs that are stopped one pair apart show the same figures, because these cover complete windows only.
#[test]
fn a_stopped_run_shows_nothing_of_its_latest_pair() {
    let workspace = workspace("");
    let shown = |decisions: usize| {
        let name = format!("run-{decisions}");
        let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", &name]));
        running.feed(pairs().take(decisions).map(|pair| decision(pair, true) + "\n").collect::<String>());
        let run = workspace.path().join(&name);
        wait_until("the pairs are in the log", || open_rows(&run, "pairs") == decisions);
        running.signal("INT");
        let output = running.wait_with_output();
        assert!(output.stdout.contains("windows that were complete"), "{}", output.stdout);
        let report = workspace.report(&name);
        assert_eq!(
            (&report["end"], &report["comparison"]["compared"]),
            (&"interrupted".into(), &decisions.into())
        );
        ["scores", "answer-distributions"].map(|part| report["models"][0][part].clone())
    };
    let runs = [30, 31, 32].map(shown);
    // The sixth day is over, and nothing of it can arrive any more.
    assert_eq!(
        (&runs[0][0][0]["overall"]["pairs"], &runs[0][0][0]["windows"][5]["pairs"]),
        (&23.into(), &7.into())
    );
    assert!(runs[0][0][0]["overall"]["value"].is_number(), "{}", runs[0][0]);
    for run in &runs[1..] {
        assert_eq!(run, &runs[0]);
    }
}

/// The labels of the substrate on each day of the test below, with the number of pairs. On the fourth day, one pair has `b`.
const LABELS: [(&str, usize); 3] = [("a", 12), ("b", 10), ("c", 14)];

/// A reader knows the decisions. If a report adds few pairs of a label, the counts of label pairs before and after would tell
/// what the model answered there.
#[test]
fn the_difference_of_two_reports_covers_no_few_pairs_of_a_label() {
    let workspace = TestWorkspace::new();
    let study = StudyToml::small()
        .section("interim", "every = 1")
        .section("blinding", "share = 0")
        .section("threshold", THRESHOLD);
    workspace.write("study.toml", study.to_string());
    let of_day = |day: usize| {
        let labels = LABELS.map(|(label, pairs)| (label, if day == 4 && label == "b" { 1 } else { pairs }));
        let rows =
            labels.into_iter().flat_map(|(label, pairs)| (0..pairs).map(move |number| (label, number)));
        rows.enumerate().map(move |(minute, (label, number))| {
            // Half of the model's answers on `c` are `a`, and others agree.
            let booked = if label == "c" && number % 2 == 0 { "a" } else { label };
            (day, minute, label, booked)
        })
    };
    let pairs: Vec<_> = (1..=9).flat_map(of_day).collect();
    let snapshot = |(day, minute, _, booked): &(usize, usize, &str, &str)| {
        let at = format!("2026-03-{day:02}T10:{minute:02}:00Z");
        format!(r#"{{"id":"s{day}-{minute}","at":"{at}","booked":"{booked}","nights":1}}"#)
    };
    let decision = |(day, minute, label, _): &(usize, usize, &str, &str)| {
        let at = format!("2026-03-{day:02}T12:{minute:02}:00Z");
        format!(r#"{{"id":"s{day}-{minute}","at":"{at}","room":"{label}"}}"#)
    };
    workspace.write_lines("snapshots.jsonl", pairs.iter().map(snapshot));
    workspace.write_lines("decisions.jsonl", pairs.iter().map(decision));
    workspace.run(&[]);
    let reports = files(&workspace.path().join("run/interim"));
    let reports = reports.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let cells = |path: std::path::PathBuf| {
        let bundle: Value = serde_json::from_slice(&fs::read(path).expect("a report")).expect("JSON");
        let answers = &bundle["report"]["models"][0]["answer-distributions"]["overall"]["answers"];
        let cell = |cell: &Value| {
            let labels = (cell["model"].to_string(), cell["substrate"].to_string());
            (labels, cell["pairs"].as_u64().expect("pairs"))
        };
        answers.as_array().expect("a list").iter().map(cell).collect::<BTreeMap<_, _>>()
    };
    let reports: Vec<BTreeMap<(String, String), u64>> = reports.map(cells).collect();
    assert!(reports.len() > 5, "{reports:?}");
    let is_b = |((_, substrate), _): (&(String, String), &u64)| substrate.contains('b');
    let listed: Vec<bool> = reports.iter().map(|cells| cells.iter().any(is_b)).collect();
    // The first three days have many pairs of each label, and the fourth has one of `b`.
    assert!(listed[..3].iter().all(|listed| *listed), "{reports:?}");
    assert!(listed[3..].iter().all(|listed| !*listed), "{reports:?}");
    for (at, later) in reports.iter().enumerate() {
        for earlier in &reports[..at] {
            for (labels, pairs) in later {
                let added = earlier.get(labels).map(|before| pairs - before);
                assert!(added.is_none_or(|added| added == 0 || added >= 5), "{labels:?}: {added:?}");
            }
        }
    }
}
