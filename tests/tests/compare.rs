//! `understudy compare` compares models over the same pairs. An independent computation gives the expected
//! values.

use std::fs;

use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::{TestWorkspace, plugin};

fn compare(workspace: &TestWorkspace, arguments: &[&str]) -> Value {
    let output = workspace.understudy(&[&["compare"], arguments, &["--format", "json"]].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
    serde_json::from_str(&output.stdout).expect("it is JSON")
}

/// The comparison of one value of a condition, or of all pairs.
fn part<'v>(found: &'v Value, name: &str) -> &'v Value {
    let parts = found["others"][0]["slices"].as_array().expect("parts");
    let is = |part: &&Value| match name.split_once(' ') {
        Some((condition, value)) => part["condition"] == condition && part["value"] == value,
        None => part["condition"].is_null(),
    };
    parts.iter().find(is).expect("the part is there")
}

#[test]
fn hotel_model_differences_match_numpy_and_scipy() {
    let workspace = TestWorkspace::hotel();
    let found = compare(&workspace, &["run"]);
    assert_eq!((&found["pairs"], &found["reference"]["name"]), (&15_402.into(), &"booked-room".into()));
    assert_eq!(found["others"][0]["model"]["name"], "room-rules");
    // `tests/oracles/compare.py` prints the rows: subset, metric, pairs, reference, other, difference, lower,
    // upper, p-value.
    #[rustfmt::skip]
    let wanted: [(&str, &str, u64, [f64; 6]); 10] = [
        ("all", "agreement", 15402, [0.7981430982989223, 0.4241656927671731, -0.3739774055317492, -0.3794002731475665, -0.36855453791593185, 5.777337382544181e-75]),
        ("all", "kappa", 15402, [0.712591714262224, 0.08647495613067654, -0.6261167581315474, -0.6344942601137286, -0.6177392561493663, 3.723566058012406e-77]),
        ("day weekday", "agreement", 10914, [0.7841304746197545, 0.42807403335165845, -0.35605644126809605, -0.3637959568295744, -0.3483169257066177, 5.7359439431640175e-64]),
        ("day weekday", "kappa", 10914, [0.6898148119665639, 0.08498191714355162, -0.6048328948230123, -0.6160967293416653, -0.5935690603043593, 3.6850464213642107e-68]),
        ("day weekend", "agreement", 4488, [0.8322192513368984, 0.4146613190730838, -0.41755793226381466, -0.4283206390683072, -0.4067952254593221, 2.3096090382083205e-59]),
        ("day weekend", "kappa", 4488, [0.7659471215621755, 0.0897040922323883, -0.6762430293297872, -0.6899717165475161, -0.6625143421120583, 8.08475301786398e-66]),
        ("segment corporate", "agreement", 900, [0.5188888888888888, 0.47333333333333333, -0.045555555555555516, -0.05638866172390979, -0.03472244938720124, 1.842894407448469e-09]),
        ("segment corporate", "kappa", 900, [0.10963770913917914, 0.0022079598824916833, -0.10742974925668745, -0.1317573709513533, -0.08310212756202162, 4.4789218993843706e-10]),
        ("segment groups", "agreement", 1789, [0.7602012297372834, 0.5181665735047513, -0.24203465623253217, -0.2622519605777943, -0.22181735188727003, 5.779029701390925e-29]),
        ("segment groups", "kappa", 1789, [0.5907689042786105, 0.04730727364159012, -0.5434616306370204, -0.5787121412026024, -0.5082111200714383, 3.894291785121706e-35]),
    ];
    for (name, metric, pairs, [reference, other, difference, lower, upper, p_value]) in wanted {
        let metrics = part(&found, name)["metrics"].as_array().expect("metrics");
        let figures = metrics.iter().find(|figures| figures["metric"] == metric).expect("a metric");
        let number = |value: &Value| value.as_f64().expect("a number");
        assert_eq!(figures["pairs"].as_u64(), Some(pairs), "{name}");
        for (key, wanted) in [("reference", reference), ("other", other), ("difference", difference)] {
            let found = number(&figures[key]);
            assert!((found - wanted).abs() <= 1e-9, "{key} of {metric}, {name}: {found} is not {wanted}");
        }
        for (key, wanted) in [("lower", lower), ("upper", upper)] {
            let found = number(&figures["interval"][key]);
            assert!((found - wanted).abs() <= 1e-9, "{key} of {metric}, {name}: {found} is not {wanted}");
        }
        let found = number(&figures["p-value"]);
        assert!((found - p_value).abs() <= 1e-9 * p_value, "p of {metric}, {name}: {found} is not {p_value}");
    }
    let agreement = &part(&found, "all")["agreement"];
    let counts = ["both", "only-reference", "only-other", "neither"].map(|key| agreement[key].as_u64());
    assert_eq!(counts, [Some(6464), Some(5829), Some(69), Some(3040)]);
    assert_eq!(workspace.ledger_entries("run", Some("exposure")).len(), 0, "no row was shown");

    let output = workspace.understudy(&["compare", "run"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout);

    let turned = compare(&workspace, &["run", "--reference", "room-rules"]);
    assert_eq!(turned["others"][0]["model"]["name"], "booked-room");
    let kappa = |found: &Value| part(found, "all")["metrics"][1].clone();
    let (one, other) = (kappa(&found), kappa(&turned));
    assert_eq!(one["difference"].as_f64(), other["difference"].as_f64().map(|difference| -difference));
    assert_eq!(one["p-value"], other["p-value"]);
}

#[test]
fn a_run_joins_fully_with_its_own_what_if_run() {
    let workspace = TestWorkspace::hotel();
    let rules = plugin("room_rules");
    let rules = format!("room-rules={}", rules.to_str().expect("a path in UTF-8"));
    workspace.ok(&["replay", "run", "--model", &rules, "--run", "again"]);
    let found = compare(&workspace, &["run", "again"]);
    assert_eq!(found["pairs"], 15_402);
    for (run, name) in [(0, "run"), (1, "again")] {
        assert_eq!(found["runs"][run]["run"], name);
        assert_eq!(
            (&found["runs"][run]["pairs"], &found["runs"][run]["unmatched-pairs"]),
            (&15_402.into(), &0.into())
        );
    }
    let others = found["others"].as_array().expect("the others");
    let named: Vec<_> =
        others.iter().map(|other| (&other["model"]["run"], &other["model"]["name"])).collect();
    let wanted = [("run", "room-rules"), ("again", "booked-room"), ("again", "room-rules")];
    assert_eq!(
        named,
        wanted.map(|(run, name)| (Value::from(run), Value::from(name))).each_ref().map(|(a, b)| (a, b))
    );
    // Scores that are equal in every pair have no difference and no variance.
    let same = &others[1]["slices"][0]["metrics"][1];
    assert_eq!(
        (&same["difference"], &same["interval"], &same["p-value"]),
        (&0.0.into(), &Value::Null, &Value::Null)
    );
    assert_eq!(others[0]["slices"], others[2]["slices"]);
    assert_eq!(others[0]["slices"], compare(&workspace, &["run"])["others"][0]["slices"]);
}

/// The small study in another directory, without the records of some ids.
fn copy_without(workspace: &TestWorkspace, run: &str, gone: &[&str]) {
    for name in ["snapshots.jsonl", "decisions.jsonl"] {
        let path = workspace.path().join(name);
        let text = fs::read_to_string(&path).expect("records");
        let kept = text.lines().filter(|line| gone.iter().all(|id| !line.contains(&format!("\"{id}\""))));
        workspace.write_lines(&format!("part-{name}"), kept);
    }
    workspace.edit_study(&[
        ("\"snapshots.jsonl\"", "\"part-snapshots.jsonl\""),
        ("\"decisions.jsonl\"", "\"part-decisions.jsonl\""),
    ]);
    workspace.ok(&["run", "study.toml", "--run", run]);
    workspace.edit_study(&[
        ("\"part-snapshots.jsonl\"", "\"snapshots.jsonl\""),
        ("\"part-decisions.jsonl\"", "\"decisions.jsonl\""),
    ]);
}

#[test]
fn metrics_cover_common_pairs_and_count_the_rest() {
    let workspace = TestWorkspace::small();
    copy_without(&workspace, "one", &["s1", "s3"]);
    copy_without(&workspace, "other", &["s5"]);
    let found = compare(&workspace, &["one", "other"]);
    assert_eq!(found["pairs"], 2);
    let only =
        |run: usize| (found["runs"][run]["pairs"].as_u64(), found["runs"][run]["unmatched-pairs"].as_u64());
    assert_eq!((only(0), only(1)), ((Some(3), Some(1)), (Some(4), Some(2))));
    // Of s2 and s4, the first has another decision.
    let agreement = &found["others"][0]["slices"][0]["agreement"];
    assert_eq!((&agreement["both"], &agreement["neither"]), (&1.into(), &1.into()));
    assert_eq!(found["others"][0]["slices"][0]["metrics"][0]["other"], 0.5);
    let output = workspace.understudy(&["compare", "one", "other"]);
    let lines: Vec<&str> = output.stdout.lines().take(4).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    one and other
    Computed over the 2 pairs that all models have.
    1 pair is only in one and excluded here.
    2 pairs are only in other and excluded here.
    ");
}

#[test]
fn incomparable_runs_are_explained() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let error_of = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        output.stderr
    };
    insta::assert_snapshot!(error_of(&["compare", "run"]), @"nothing to compare: run has one model; name a second run, such as one made by `understudy replay`");
    insta::assert_snapshot!(error_of(&["compare", "run", "none"]), @"none holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    insta::assert_snapshot!(error_of(&["compare", "run", "run", "--reference", "oracle"]), @r#"run has no model "oracle"; it has echo"#);
    copy_without(&workspace, "early", &["s3", "s4", "s5"]);
    copy_without(&workspace, "late", &["s1", "s2"]);
    insta::assert_snapshot!(error_of(&["compare", "early", "late"]), @"early and late have no evaluated pair in common: pairs are joined by id and event time, so both runs must read the same feed");
    workspace.edit_study(&[("[[metrics]]\nname = \"agreement\"", "[[metrics]]\nname = \"accord\"")]);
    copy_without(&workspace, "renamed", &[]);
    insta::assert_snapshot!(error_of(&["compare", "run", "renamed"]), @"the runs have no metric in common, that is, one with the same name, component, configuration and assets");
}

/// The small study with a second model and decisions from standard input.
fn open_study() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let model = text.find("[[models]]").expect("a model");
    let end = text.find("[comparator]").expect("a comparator");
    let second = text[model..end].replace("\"echo\"", "\"second\"");
    workspace.write("study.toml", format!("{}{second}{}", &text[..end], &text[end..]));
    workspace.edit_study(&[
        ("file = \"decisions.jsonl\"", "stdin = true"),
        ("horizon = \"1d\"", "horizon = \"1h\""),
    ]);
    // 30 snapshots, one per hour; every tenth is a `b`.
    let room = |at: usize| if at % 10 == 3 { "b" } else { "a" };
    let snapshot =
        |at: usize| format!(r#"{{"id":"s{at}","at":"{}","booked":"{}","nights":1}}"#, time(at, 0), room(at));
    workspace.write_lines("snapshots.jsonl", (0..30).map(snapshot));
    workspace
}

fn time(at: usize, minute: u64) -> String {
    format!("2026-03-{:02}T{:02}:{minute:02}:00Z", at / 24 + 1, at % 24)
}

#[test]
fn an_open_run_is_not_compared() {
    let workspace = open_study();
    let decisions: String = (0..30)
        .map(|at| format!("{{\"id\":\"s{at}\",\"at\":\"{}\",\"room\":\"a\"}}\n", time(at, 30)))
        .collect();
    let start = |run: &str| TestProcess::start(workspace.command(&["run", "study.toml", "--run", run]));
    let (mut running, mut stopped, mut closed) = (start("run"), start("stopped"), start("closed"));
    for process in [&mut running, &mut stopped, &mut closed] {
        process.feed(&decisions);
    }
    closed.close_stdin();
    assert_eq!(closed.wait_with_output().code, 0);
    for run in ["run", "stopped"] {
        wait_until("pairs are shown", || workspace.understudy(&["log", run]).stdout.contains("s27"));
    }
    drop(stopped);
    let error_of = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{arguments:?}");
        output.stderr
    };
    insta::assert_snapshot!(error_of(&["compare", "run"]), @"cannot compare the models of run: the run is not closed, and the difference of two comparisons would tell the outcome of single pairs; end the run, or read its interim reports");
    let of_stopped = error_of(&["compare", "stopped", "--format", "json"]);
    assert_eq!(of_stopped, error_of(&["compare", "run"]).replace("of run", "of stopped"));
    assert_eq!(error_of(&["compare", "closed", "run"]), error_of(&["compare", "run"]));
    assert_eq!(error_of(&["compare", "run", "closed"]), error_of(&["compare", "run"]));

    // The end makes it comparable.
    let parts = |found: &Value| -> Vec<(String, u64)> {
        let part = |part: &Value| {
            (part["value"].as_str().unwrap_or("all").to_owned(), part["pairs"].as_u64().expect("pairs"))
        };
        found["others"][0]["slices"].as_array().expect("parts").iter().map(part).collect()
    };
    running.close_stdin();
    assert_eq!(running.wait_with_output().code, 0);
    assert_eq!(parts(&compare(&workspace, &["run"])), [("all".to_owned(), 30), ("a".to_owned(), 27)]);
    assert_eq!(compare(&workspace, &["closed", "run"])["pairs"], 30);
}

#[test]
fn an_unfinished_replay_is_not_compared() {
    let workspace = TestWorkspace::hotel();
    let rules = plugin("room_rules");
    let rules = format!("room-rules={}", rules.to_str().expect("a path in UTF-8"));
    workspace.ok(&["replay", "run", "--model", &rules, "--run", "again"]);
    // As if the process had been killed before it wrote the last entry.
    let path = workspace.path().join("again/ledger.jsonl");
    let text = fs::read_to_string(&path).expect("a run has a ledger");
    let kept = text.lines().take_while(|line| !line.contains(r#""kind":"run-closed""#)).count();
    assert!(kept < text.lines().count(), "{text}");
    workspace.write_lines("again/ledger.jsonl", text.lines().take(kept));
    for arguments in [&["compare", "again"][..], &["compare", "run", "again"]] {
        let output = workspace.understudy(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        insta::allow_duplicates! {
            insta::assert_snapshot!(output.stderr, @"cannot compare the models of again: the run is not closed, and the difference of two comparisons would tell the outcome of single pairs; repeat the replay into another directory");
        }
    }
}

#[test]
fn metrics_with_different_assets_are_not_comparable() {
    let workspace = TestWorkspace::small();
    workspace
        .edit_study(&[("agreement.wasm\"\n", "agreement.wasm\"\nassets = { costs = \"costs.json\" }\n")]);
    for (run, costs) in [("one", "{}"), ("other", "[]")] {
        workspace.write("costs.json", costs);
        workspace.ok(&["run", "study.toml", "--run", run]);
    }
    let output = workspace.understudy(&["compare", "one", "other"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    assert!(output.stderr.contains("the runs have no metric in common"), "{}", output.stderr);
}
