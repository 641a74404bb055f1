//! Numbers and rankings: a model that is no better than a baseline is not GO.

use serde_json::Value;
use understudy_tests::TestWorkspace;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::open_rows;

use super::{DAYS, FLIGHTS, decide};

/// The value of a day and a flight.
type ValueOf = fn(usize, usize) -> Value;

/// A study whose models give the values of JSON fields of the snapshot. A form is `number` or `ranking`.
struct ValueStudy {
    form: &'static str,
    /// The type of the fields.
    kind: &'static str,
    bound: &'static str,
    decision: ValueOf,
    models: [(&'static str, ValueOf); 4],
}

impl ValueStudy {
    /// The study with this requirement, and its records.
    fn workspace(&self, chance: &str) -> TestWorkspace {
        let workspace = TestWorkspace::new();
        let threshold = format!(
            "{}\nquantifier = \"pooled\"\nwindows = {{ first = 20 }}\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\n\
             least-per-window = 10\n{chance}\n[blinding]\nshare = 0",
            self.bound
        );
        let config = |field: &str| format!("{{ field = \"{field}\", form = \"{}\" }}", self.form);
        let study = self.models.iter().fold(StudyToml::new("values"), |study, (model, _)| {
            let study = study.input(model, self.kind);
            study.plugin_model(model, "PLUGINS/recorded.wasm", &[model], Some(&config(model)))
        });
        let study = study.decision("outcome", self.kind).plugin_comparator(
            "recorded",
            "PLUGINS/recorded.wasm",
            &["decision.outcome"],
            Some(&config("decision.outcome")),
        );
        let study = match self.form {
            "number" => {
                study.configured_metric("mean-absolute-error", "mean-absolute-error", "{ greatest = 60 }")
            }
            _ => study.top_k_overlap(3),
        };
        workspace.write("study.toml", study.threshold(&threshold).to_string());
        workspace.write_lines("snapshots.jsonl", self.snapshots());
        workspace.write_lines("decisions.jsonl", self.decisions());
        workspace
    }

    fn snapshots(&self) -> Vec<String> {
        let line = |(day, flight): (usize, usize)| {
            let answers =
                self.models.iter().map(|(model, answer)| format!("\"{model}\":{}", answer(day, flight)));
            let answers: Vec<String> = answers.collect();
            let day = day + 1;
            format!(
                r#"{{"id":"{day}-{flight}","at":"2026-03-{day:02}T10:{flight:02}:00Z",{}}}"#,
                answers.join(",")
            )
        };
        flights().map(line).collect()
    }

    fn decisions(&self) -> Vec<String> {
        let line = |(day, flight): (usize, usize)| {
            let (outcome, day) = ((self.decision)(day, flight), day + 1);
            format!(
                r#"{{"id":"{day}-{flight}","at":"2026-03-{day:02}T11:{flight:02}:00Z","outcome":{outcome}}}"#
            )
        };
        flights().map(line).collect()
    }
}

fn flights() -> impl Iterator<Item = (usize, usize)> {
    (0..DAYS).flat_map(|day| (0..FLIGHTS).map(move |flight| (day, flight)))
}

fn delay(day: usize, flight: usize) -> f64 {
    20.0 + ((7 * day + 13 * flight) % 11) as f64 - 5.0
}

/// A small number that alternates.
fn jitter(flight: usize) -> f64 {
    if flight.is_multiple_of(2) { 0.05 } else { -0.05 }
}

/// Delays between 15 and 25 minutes, and four models:
/// - a constant;
/// - the mean and the last delay of the days before, each with a small error;
/// - a forecast that is wrong by half a minute or by one and a half.
fn delays() -> ValueStudy {
    ValueStudy {
        form: "number",
        kind: "number",
        bound: "at-most = 8",
        decision: |day, flight| delay(day, flight).into(),
        models: [
            ("constant", |_, _| 20.0.into()),
            ("average", |day, flight| {
                let earlier = (0..day).flat_map(|day| (0..FLIGHTS).map(move |flight| delay(day, flight)));
                let mean = earlier.sum::<f64>() / (day * FLIGHTS).max(1) as f64;
                (mean + jitter(flight)).into()
            }),
            ("persistence", |day, flight| {
                (delay(day.saturating_sub(1), FLIGHTS - 1) + jitter(flight)).into()
            }),
            ("forecast", |day, flight| (delay(day, flight) + 1.0 + 10.0 * jitter(flight)).into()),
        ],
    }
}

/// Three of five items, mostly `a`, `b` and `c`. The models are:
/// - a constant list;
/// - the same items in another order;
/// - two of these items and another one;
/// - a forecast with one wrong item in every third list.
fn items() -> ValueStudy {
    fn item(name: usize) -> String {
        char::from(b'a' + (name % 5) as u8).to_string()
    }
    fn list(names: [usize; 3]) -> Value {
        names.map(item).to_vec().into()
    }
    fn decided(day: usize, flight: usize) -> [usize; 3] {
        match (day + flight) % 4 {
            0 => [0, 3, 4],
            1 => [1, 2, 3],
            _ => [0, 1, 2],
        }
    }
    ValueStudy {
        form: "ranking",
        kind: "json",
        bound: "at-least = 0.4",
        decision: |day, flight| list(decided(day, flight)),
        models: [
            ("constant", |_, _| list([0, 1, 2])),
            ("shuffled", |_, flight| list([[0, 1, 2], [2, 0, 1]][flight % 2])),
            ("mixed", |_, flight| list([[0, 1, 4], [1, 0, 3]][flight % 2])),
            ("forecast", |day, flight| {
                let [first, second, third] = decided(day, flight);
                list([first, second, if flight % 3 == 0 { (third + 2) % 5 } else { third }])
            }),
        ],
    }
}

/// For each model the verdict on all of the input, its reasons, and its gains over baselines.
fn gains(workspace: &TestWorkspace) -> Vec<(String, String, Value)> {
    let path = workspace.path().join("run/verdict.json");
    let verdict: Value = serde_json::from_slice(&std::fs::read(path).expect("a verdict")).expect("JSON");
    let models = verdict["models"].as_array().expect("a list");
    let scope = |model: &Value| {
        let scope = &model["scopes"][0];
        let reasons = scope["reasons"].as_array().expect("a list");
        let reasons = reasons.iter().map(|reason| reason["text"].as_str().expect("text")).collect::<Vec<_>>();
        let verdict = scope["verdict"].as_str().expect("a word").to_owned();
        (verdict, reasons.join("; "), scope["baselines"].clone())
    };
    models.iter().map(scope).collect()
}

#[test]
fn numbers_no_better_than_a_baseline_are_not_go() {
    let workspace = delays().workspace("chance = { gain = 0.0 }");
    workspace.run(&[]);
    assert_eq!(decide(&workspace, "forecast").code, 0);
    let found = gains(&workspace);
    let verdicts: Vec<&str> = found.iter().map(|found| found.0.as_str()).collect();
    assert_eq!((verdicts[0], verdicts[3]), ("NO-GO", "GO"), "{found:?}");
    assert!(verdicts[1..3].iter().all(|verdict| *verdict != "GO"), "{found:?}");
    assert!(
        found[0].1.contains(
            "every answer has the score of one constant answer, and a constant is no better than chance"
        ),
        "{}",
        found[0].1
    );
    assert!(
        found[1].1.contains("always giving the mean of the earlier decisions would reach"),
        "{}",
        found[1].1
    );
    let gain = |model: usize, baseline: usize, key: &str| found[model].2["gains"][baseline][key].clone();
    let baselines = [0, 1, 2].map(|baseline| gain(3, baseline, "baseline"));
    assert_eq!(baselines, ["mean", "median", "last-value"]);
    // The first counted day follows 50 decisions, so every counted pair has an earlier decision.
    assert_eq!(found[3].2["pairs"], 20 * FLIGHTS);
    assert_eq!(found[3].2["model"], 1.0);
    // By definition: decisions of the same day come after its snapshots.
    let counted = || (1..=20usize).flat_map(|day| (0..FLIGHTS).map(move |flight| (day, flight)));
    let last = counted().map(|(day, flight)| (delay(day - 1, FLIGHTS - 1) - delay(day, flight)).abs());
    let expected = last.sum::<f64>() / (20 * FLIGHTS) as f64;
    let value = gain(3, 2, "value").as_f64().expect("a value");
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    workspace.ok(&["verify", "run"]);
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains("Value of always giving the last of the earlier decisions"), "{page}");
}

#[test]
fn rankings_no_better_than_the_commonest_items_are_not_go() {
    let workspace = items().workspace("chance = { gain = 0.0 }");
    workspace.run(&[]);
    assert_eq!(decide(&workspace, "forecast").code, 0);
    let found = gains(&workspace);
    let verdicts: Vec<&str> = found.iter().map(|found| found.0.as_str()).collect();
    assert_eq!(verdicts, ["NO-GO", "NO-GO", "NO-GO", "GO"], "{found:?}");
    // The metric does not score the order of the items.
    assert!(found[1].1.contains("every answer has the score of one constant answer"), "{}", found[1].1);
    assert!(
        found[2].1.contains("always giving the commonest items of the earlier decisions would reach"),
        "{}",
        found[2].1
    );
    assert_eq!(found[3].2["gains"][0]["baseline"], "commonest-items");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_study_of_numbers_or_rankings_says_what_chance_is() {
    for (study, baselines) in [
        (
            delays(),
            "the mean, the median or the last of the earlier decisions, or an earlier answer of the model",
        ),
        (
            items(),
            "the commonest or the highest-ranked items of the earlier decisions, a list of their commonest length, or an earlier answer of the model",
        ),
    ] {
        let undeclared = study.workspace("").understudy(&["check", "study.toml"]);
        assert_eq!(undeclared.code, 1, "{}", undeclared.stdout);
        assert!(
            undeclared.stderr.contains("the threshold does not declare `chance`"),
            "{}",
            undeclared.stderr
        );
        let kappa = study.workspace("chance = { kappa = 0.4 }").understudy(&["check", "study.toml"]);
        assert!(
            kappa.stderr.contains("requires Cohen's kappa, which is defined for labels"),
            "{}",
            kappa.stderr
        );
        let words = |chance: &str, command: &[&str]| {
            let text = study.workspace(chance).ok(command).stdout;
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let plan = ["plan", "study.toml", "--per-window", "50", "--std-dev", "3"];
        for command in [&["check", "study.toml"][..], &plan] {
            let text = words("chance = { gain = 0.5 }", command);
            assert!(
                text.contains(&format!("better than always giving {baselines} by at least 0.5")),
                "{text}"
            );
            let text = words("chance = \"not-asked\"", command);
            let note = format!("a model that is no better than always giving {baselines} may be GO");
            assert!(text.contains(&note), "{text}");
        }
    }
}

/// Stops with open pairs are resumed from their checkpoints. The scores of items count all pairs, those of delays the answered
/// ones.
#[test]
fn gains_over_baselines_are_identical_after_a_restart() {
    for study in [delays(), items()] {
        assert_identical_after_a_restart(&study);
    }
}

fn assert_identical_after_a_restart(study: &ValueStudy) {
    let undisturbed = study.workspace("chance = { gain = 0.0 }");
    undisturbed.run(&[]);
    decide(&undisturbed, "forecast");
    let workspace = study.workspace("chance = { gain = 0.0 }");
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let (snapshots, decisions) = (study.snapshots(), study.decisions());
    let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let command = ["run", "study.toml", "--run", "run"];
    let run = workspace.path().join("run");
    let mut done = [0, 0];
    for rows in [[120, 90], [460, 450], [470, 460]] {
        workspace.write("decisions.jsonl", text(&decisions[..rows[1]]));
        let mut running = TestProcess::start(workspace.command(&command));
        running.feed(text(&snapshots[done[0]..rows[0]]));
        wait_until("all that can be is in the log", || {
            ["snapshots", "decisions"].map(|table| open_rows(&run, table))
                == [rows[0] - done[0], rows[1] - done[1]]
        });
        running.signal("INT");
        let output = running.wait_with_output();
        assert_eq!(output.code, 130, "{}", output.stderr);
        done = rows;
    }
    workspace.ok(&["verify", "run"]);
    workspace.write("decisions.jsonl", text(&decisions));
    let mut running = TestProcess::start(workspace.command(&command));
    running.feed(text(&snapshots[done[0]..]));
    running.close_stdin();
    let output = running.wait_with_output();
    assert_eq!(output.code, 0, "{}", output.stderr);
    decide(&workspace, "forecast");
    assert_eq!(gains(&workspace), gains(&undisturbed));
    workspace.ok(&["verify", "run"]);
}
