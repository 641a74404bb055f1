//! `understudy plan`: the power of a declared study, from stated or measured values.

use std::fs;

use serde_json::Value;
use understudy_tests::{CommandOutput, TestWorkspace, hotel_rooms_study, plugin};

const THRESHOLD: &str = "\n[threshold]\nat-least = 0.85\nquantifier = \"every-window\"\nwindows = { first = 8 }\n\
                         evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\nchance = { gain = 0.0 }\n";

/// The study with additional text at its end.
fn declare(workspace: &TestWorkspace, more: &str) {
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study was written");
    workspace.write("study.toml", text + more);
}

fn planned(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    workspace.understudy(&[&["plan", "study.toml"], arguments].concat())
}

fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = planned(workspace, arguments);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

#[test]
fn the_hotel_plan_uses_its_own_year() {
    let workspace = TestWorkspace::hotel();
    let declared = fs::read_to_string(hotel_rooms_study()).expect("the hotel's study");
    let scopes = "[[scopes]]\nname = \"weekdays\"\nwhere = { day = \"weekday\" }\n\
                  [[scopes]]\nname = \"direct-on-weekdays\"\nwhere = { day = \"weekday\", segment = \"direct\" }\n";
    workspace.write("study.toml", declared.replace("../../target/plugins", "PLUGINS") + scopes + THRESHOLD);
    let output = planned(&workspace, &["--measured", "run"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout);

    // The same numbers as JSON; they equal those of the run.
    let json = planned(&workspace, &["--measured", "run", "--format", "json"]);
    let plan: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    let report = workspace.report("run");
    let figures = &report["models"][0]["scores"][0];
    let pairs = figures["overall"]["pairs"].as_f64().expect("a count");
    let windows = report["windows"].as_array().expect("windows").len() as f64;
    assert_eq!(plan["scopes"][0]["per-window"], (pairs / windows).round() as u64);
    assert_eq!(plan["scopes"][0]["pooled"], (pairs / windows * 8.0).round() as u64);
    let weekday = figures["conditions"][0][0]["pairs"].as_f64().expect("a count") / pairs;
    assert_eq!(plan["conditions"][0]["values"][0]["share"], weekday);
    assert_eq!(plan["scopes"][1]["share"], weekday);
    assert_eq!(plan["scopes"].as_array().map(Vec::len), Some(3));
    assert_eq!((&plan["evidence"]["bound"], &plan["counted"]["first"]), (&0.95.into(), &8.into()));
}

#[test]
fn arguments_override_the_declaration() {
    let workspace = TestWorkspace::small();
    let reference =
        "[[threshold.reference]]\ncondition = \"room\"\nfile = \"reference.json\"\ntolerance = 0.1\n";
    declare(&workspace, &format!("{THRESHOLD}{reference}"));
    workspace.write("reference.json", r#"{"a": 30, "b": 10}"#);
    let room = |arguments: &[&str]| {
        let output = planned(&workspace, &[&["--per-window", "200", "--format", "json"], arguments].concat());
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        let plan: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
        let shares = plan["conditions"][0]["values"].as_array().expect("values");
        let shares: Vec<Value> = shares.iter().map(|value| value["share"].clone()).collect();
        (plan["conditions"][0]["origin"].clone(), Value::from(shares).to_string())
    };
    assert_eq!(room(&[]), ("reference".into(), "[0.75,0.25,0.0,0.0]".to_owned()));
    assert_eq!(room(&["--share", "room.a=0.5"]), ("stated".into(), "[0.5,null,null,null]".to_owned()));
    let both = ["--share", "room.a=0.5", "--share", "room.other=0.5"];
    assert_eq!(room(&both), ("stated".into(), "[0.5,0.0,0.5,0.0]".to_owned()));

    let stated = |shares: &[&str]| {
        let shares = shares.iter().flat_map(|share| ["--share", share]);
        refused(&workspace, &["--per-window", "200"].into_iter().chain(shares).collect::<Vec<_>>())
    };
    insta::assert_snapshot!(stated(&["day.weekend=0.2"]), @"unknown condition `day` in --share; the study has room");
    insta::assert_snapshot!(stated(&["room.d=0.2"]), @"unknown value `d` in --share; condition `room` has a, b, other, missing");
    insta::assert_snapshot!(stated(&["room.a=0.7", "room.b=0.6"]), @"the shares of condition `room` add up to 1.300; they must not exceed 1");
}

#[test]
fn impossible_plans_are_explained() {
    let workspace = TestWorkspace::small();
    insta::assert_snapshot!(refused(&workspace, &["--per-window", "200"]), @"cannot plan study.toml: it declares no [threshold]; declare one");
    declare(&workspace, THRESHOLD);
    insta::assert_snapshot!(refused(&workspace, &[]), @"unknown number of comparisons per day; give --per-window N, or --measured RUN with a comparable run");
    insta::assert_snapshot!(refused(&workspace, &["--measured", "run"]), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    insta::assert_snapshot!(refused(&workspace, &["--per-window", "200", "--windows", "3"]), @"--windows 3 applies only to a threshold that counts all windows, but this one declares 8; omit it");
    insta::assert_snapshot!(refused(&workspace, &["--per-window", "200", "--std-dev", "1", "--commonest-share", "0.5"]), @"--commonest-share applies to scores that are 0 or 1, --std-dev to others; omit one of them");
    let share = ["--per-window", "200", "--commonest-share", "0.5"];
    let kappa = TestWorkspace::small();
    declare(&kappa, &THRESHOLD.replace("gain = 0.0", "kappa = 0.4"));
    insta::assert_snapshot!(refused(&kappa, &share), @"--commonest-share has no effect: the threshold requires Cohen's kappa, and no figure of the plan depends on it; omit it");
    workspace.write("run/ledger.jsonl", "");
    insta::assert_snapshot!(refused(&workspace, &["--measured", "run"]), @"cannot measure the volume: run holds a run that has not ended, so it has no report.json; resume it with `understudy run`, or give --per-window N");
    workspace.write("run/report.json", "{}");
    insta::assert_snapshot!(refused(&workspace, &["--measured", "run"]), @"cannot read run/report.json: it is not a report of this version of understudy: missing field `format` at line 1 column 2; name a run of this version, or give --per-window N");
    for arguments in
        [["--share", "room.a"], ["--share", "room.a=2"], ["--std-dev", "0"], ["--commonest-share", "80"]]
    {
        let output = planned(&workspace, &[&["--per-window", "200"], &arguments[..]].concat());
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{arguments:?}: {}", output.stderr);
    }
}

#[test]
fn windows_of_another_length_give_no_measurement() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    declare(&workspace, THRESHOLD);
    assert_eq!(planned(&workspace, &["--measured", "run"]).code, 0);
    workspace.edit_study(&[("every = \"day\"", "every = \"week\"")]);
    insta::assert_snapshot!(refused(&workspace, &["--measured", "run"]), @"cannot measure the volume: run/report.json has day windows, the study week windows; give --per-window N");
}

#[test]
fn a_metric_without_counts_needs_a_standard_deviation() {
    let workspace = TestWorkspace::small();
    let kappa = plugin("kappa");
    let metric = format!(
        "[[metrics]]\nname = \"kappa\"\nplugin = \"{}\"\nconfig = {{ labels = [\"a\", \"b\", \"c\"] }}\n\n[[conditions]]",
        kappa.display()
    );
    workspace.edit_study(&[(
        "plugin = \"PLUGINS/agreement.wasm\"",
        "plugin = \"PLUGINS/agreement.wasm\"\nprimary = true",
    )]);
    workspace.edit_study(&[("[[conditions]]", &metric)]);
    let all = "metric = \"kappa\"\nat-least = 0.4\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\nchance = { gain = 0.0 }\n";
    declare(&workspace, &format!("\n[threshold]\n{all}"));
    insta::assert_snapshot!(refused(&workspace, &["--per-window", "200"]), @"cannot plan metric `kappa`: its scores are not 0 or 1; give --std-dev S, the standard deviation of one pair's score");
    let output = planned(
        &workspace,
        &["--per-window", "200", "--std-dev", "0.8", "--windows", "12", "--format", "json"],
    );
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let plan: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(
        (&plan["windows"], &plan["standard-deviation"], &plan["scopes"][0]["pooled"]),
        (&12.into(), &0.8.into(), &2400.into())
    );
    let output = planned(&workspace, &["--per-window", "200", "--std-dev", "0.8"]);
    assert!(output.stdout.contains("give --windows N"), "{}", output.stdout);
}
