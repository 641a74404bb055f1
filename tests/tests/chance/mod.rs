//! A fleet that cancels 3 % of its flights: a model that never cancels agrees in 97 % of the pairs. The requirement beyond
//! chance decides whether it may be GO.

use serde_json::Value;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{CommandOutput, TestWorkspace};

mod baselines;

/// Flights of each day. On two days of four, three of them are cancelled.
const FLIGHTS: usize = 50;
/// The first and the last day are not complete windows.
const DAYS: usize = 22;
/// The answers are fields of the snapshot: of a model that never cancels, of a rule that cancels all flights of some hours in
/// a storm, and of a model that knows two of three cancellations.
const MODELS: [&str; 3] = ["constant", "weather", "forecast"];

fn is_cancelled(day: usize, flight: usize) -> bool {
    day % 4 < 2 && flight % 17 == 5
}

fn label(cancels: bool) -> &'static str {
    if cancels { "cancel" } else { "operate" }
}

fn answer(model: &str, day: usize, flight: usize) -> &'static str {
    label(match model {
        "constant" => false,
        "weather" => day % 4 == 1 && (20..25).contains(&flight),
        _ => is_cancelled(day, flight) && flight < 30,
    })
}

/// The study with a requirement beyond chance, and its records.
fn fleet(chance: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let threshold = format!(
        "at-least = 0.9\nquantifier = \"pooled\"\nwindows = {{ first = 20 }}\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"holm\"\n\
         least-per-window = 10\n{chance}\n[blinding]\nshare = 0"
    );
    let study = MODELS
        .into_iter()
        .fold(StudyToml::new("fleet"), |study, model| study.input(model, "text").model(model, model));
    let study = study
        .decision("outcome", "text")
        .comparator("recorded", "decision.outcome")
        .metric("agreement")
        .threshold(&threshold);
    workspace.write("study.toml", study.to_string());
    let flights = || (0..DAYS).flat_map(|day| (0..FLIGHTS).map(move |flight| (day, flight)));
    workspace.write_lines(
        "snapshots.jsonl",
        flights().map(|(day, flight)| {
            let answers = MODELS.map(|model| format!(r#""{model}":"{}""#, answer(model, day, flight)));
            let day = day + 1;
            format!(
                r#"{{"id":"{day}-{flight}","at":"2026-03-{day:02}T10:{flight:02}:00Z",{}}}"#,
                answers.join(",")
            )
        }),
    );
    workspace.write_lines(
        "decisions.jsonl",
        flights().map(|(day, flight)| {
            let (outcome, day) = (label(is_cancelled(day, flight)), day + 1);
            format!(
                r#"{{"id":"{day}-{flight}","at":"2026-03-{day:02}T11:{flight:02}:00Z","outcome":"{outcome}"}}"#
            )
        }),
    );
    workspace
}

fn decide(workspace: &TestWorkspace, model: &str) -> CommandOutput {
    workspace.understudy(&["decide", "run", "--model", model])
}

/// The verdict on all of the input for each model, and its gain with bounds.
fn verdicts(workspace: &TestWorkspace) -> Vec<(String, Value)> {
    let path = workspace.path().join("run/verdict.json");
    let verdict: Value = serde_json::from_slice(&std::fs::read(path).expect("a verdict")).expect("JSON");
    let models = verdict["models"].as_array().expect("a list");
    let scopes = models.iter().map(|model| &model["scopes"][0]);
    scopes
        .map(|scope| (scope["verdict"].as_str().expect("a word").to_owned(), scope["chance"].clone()))
        .collect()
}

#[test]
fn a_constant_and_a_rule_without_gain_are_no_go() {
    let workspace = fleet("chance = { gain = 0.0 }");
    workspace.run(&[]);
    let outputs = MODELS.map(|model| decide(&workspace, model));
    assert_eq!(outputs.each_ref().map(|output| output.code), [1, 1, 0], "{}", outputs[0].stdout);
    let lines = outputs[0].stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        lines.contains(
            "agreement is 0.970000, and always giving the commonest label would reach 0.970000: all answers are the same \
             label, and a constant is no better than chance; a gain above 0 is required"
        ),
        "{lines}"
    );
    assert!(!outputs[2].stdout.contains("not asked"), "{}", outputs[2].stdout);
    let [constant, weather, forecast] = <[_; 3]>::try_from(verdicts(&workspace)).expect("three models");
    assert_eq!([&constant.0, &weather.0, &forecast.0], ["NO-GO", "NO-GO", "GO"]);
    assert_eq!((&constant.1["gain"], &constant.1["is-constant"]), (&0.0.into(), &true.into()));
    // Five gains and 20 losses in 1,000 pairs; 20 gains and no loss.
    assert_eq!((&weather.1["gain"], &forecast.1["gain"]), (&(-0.015).into(), &0.02.into()));
    let lower = |found: &Value| found["interval"]["lower"].as_f64().expect("a bound");
    assert!(lower(&weather.1) < 0.0 && lower(&forecast.1) > 0.0, "{weather:?} {forecast:?}");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn chance_that_was_not_asked_is_in_the_first_lines() {
    let workspace = fleet("chance = \"not-asked\"");
    workspace.run(&[]);
    for model in ["constant", "weather"] {
        let output = decide(&workspace, model);
        assert_eq!(output.code, 0, "{}", output.stdout);
        let first: Vec<&str> = output.stdout.lines().take(5).collect();
        let first = first.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            first.contains(
                "Chance was not asked (`chance = \"not-asked\"`): a model that always gives the substrate's commonest \
                 label may be GO."
            ),
            "{first}"
        );
    }
    let markdown = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    let section = markdown.split("## Verdict").nth(1).expect("a section on the verdict");
    let at = section.find("Chance was not asked").expect("a note");
    assert!(section.find("Declared on").is_some_and(|declared| at < declared), "{section}");
}

#[test]
fn a_study_of_labels_says_what_chance_is() {
    let undeclared = fleet("");
    for command in
        [&["check", "study.toml"][..], &["run", "study.toml"], &["plan", "study.toml", "--per-window", "50"]]
    {
        let output = undeclared.understudy(command);
        assert_eq!(output.code, 1, "{}", output.stdout);
        assert!(output.stderr.contains("the threshold does not declare `chance`"), "{}", output.stderr);
        assert!(
            output.stderr.contains("write chance = { gain = 0.0 } if agreement must exceed"),
            "{}",
            output.stderr
        );
    }
    let declared = fleet("chance = { gain = 0.0 }");
    let text = declared.ok(&["check", "study.toml"]).stdout;
    assert!(
        text.contains("chance      agreement better than always giving the substrate's commonest label"),
        "{text}"
    );
    let plan = |workspace: &TestWorkspace| {
        let arguments = ["plan", "study.toml", "--per-window", "50", "--commonest-share", "0.97"];
        workspace.ok(&arguments).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(
        plan(&declared).contains(
            "30 pairs with another decision are expected; a model must have at least 7 of them right"
        ),
        "{}",
        plan(&declared)
    );
    let not_asked = plan(&fleet("chance = \"not-asked\""));
    assert!(not_asked.contains("Chance was not asked"), "{not_asked}");
    assert!(not_asked.contains("would reach 0.97 and meet the bound of 0.9"), "{not_asked}");
}
