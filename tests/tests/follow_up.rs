//! `understudy follow-up`: the weekend of the freight yard, from the verdict that leaves it open to a verdict of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;
use understudy_sandbox::sha256_hex;
use understudy_tests::{TestWorkspace, built_program, root};

/// Writes the feed of a seed into the workspace.
fn generate(workspace: &TestWorkspace, seed: &str) {
    let output = Command::new(built_program("freight-yard")).arg(workspace.path()).arg(seed).output();
    assert!(output.expect("it can be started").status.success());
}

/// A run of the yard's study with these edits.
fn ran(edits: &[(&str, &str)]) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = fs::read_to_string(root().join("examples/freight-yard/study.toml")).expect("the study");
    let edits = [&[("../../target/plugins", "PLUGINS")], edits].concat();
    let edited = edits.iter().fold(study, |study, (from, to)| {
        assert!(study.contains(from), "{from}");
        study.replace(from, to)
    });
    workspace.write("study.toml", edited);
    generate(&workspace, "2026");
    workspace.ok(&["run", "study.toml", "--run", "run"]);
    workspace
}

fn json(workspace: &TestWorkspace, name: &str) -> Value {
    let bytes = fs::read(workspace.path().join(name)).expect("the file is there");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = workspace.understudy(&[&["follow-up"], arguments].concat());
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

/// The name and SHA-256 of each plugin in a seal.
fn plugins(seal: &Value) -> Vec<(Value, Value, Value)> {
    let plugins = seal["plugins"].as_array().expect("plugins").iter();
    plugins
        .map(|plugin| (plugin["name"].clone(), plugin["sha256"].clone(), plugin["config"].clone()))
        .collect()
}

#[test]
fn the_weekend_of_the_yard_is_followed_up_to_a_verdict() {
    let metadata =
        "[metadata]\nowners = [\"yard team\"]\nprotocol = \"https://wiki.example.org/yard\"\n\n[inputs]\n";
    let workspace = ran(&[("[inputs]\n", metadata)]);
    // The weekdays are GO, and all of the input is NO-GO because of the weekend.
    assert_eq!(workspace.understudy(&["decide", "run", "--scope", "weekday"]).code, 0);
    let output = workspace.ok(&["follow-up", "run", "--scope", "weekend", "--output", "weekend.toml"]);
    assert_eq!(output.stdout, "");
    insta::assert_snapshot!(output.stderr, @"written to weekend.toml; answer its question, then `understudy check weekend.toml`");
    let printed = workspace.ok(&["follow-up", "run", "--scope", "day.weekend"]).stdout;
    assert!(printed.contains("name = \"day-weekend\"\nwhere = { day = \"weekend\" }\n"), "{printed}");

    let checked = workspace.understudy(&["check", "weekend.toml"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (1, ""));
    let told: Vec<&str> = checked.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`threshold` has neither `at-least` nor `at-most`"), "{told:?}");
    assert!(told[1].starts_with("not checked yet"), "{told:?}");

    let text = fs::read_to_string(workspace.path().join("weekend.toml")).expect("it was written");
    assert!(text.contains("weekend had 300 comparisons a week on average"), "{text}");
    assert!(text.contains("windows = { first = 3 }"), "{text}");
    let open = "\n[threshold]\n";
    assert_eq!(text.matches(open).count(), 1, "{text}");
    let answered = text.replace(open, &format!("{open}at-least = 0.65\n"));
    workspace.write("weekend.toml", answered);
    // A later period: the same rates, other calls.
    generate(&workspace, "2027");
    let checked = workspace.ok(&["check", "weekend.toml"]);
    assert_eq!(checked.stderr, "", "check is clean");
    workspace.ok(&["plan", "weekend.toml", "--measured", "run"]);
    workspace.ok(&["run", "weekend.toml", "--run", "weekend"]);
    let decided = workspace.understudy(&["decide", "weekend", "--scope", "weekend"]);
    let verdict = json(&workspace, "weekend/verdict.json");
    let scopes = verdict["models"][0]["scopes"].as_array().expect("scopes");
    let found: Vec<_> = scopes.iter().map(|scope| (&scope["scope"], &scope["verdict"])).collect();
    assert_eq!(
        found,
        [(&"all".into(), &"GO".into()), (&"weekend".into(), &"GO".into())],
        "{}",
        decided.stdout
    );
    assert_eq!(decided.code, 0, "{}{}", decided.stdout, decided.stderr);
    assert_eq!(scopes[1]["compared"], 900);

    // The plugins are the same, and the reference is sealed and shown.
    let (first, second) = (json(&workspace, "run/seal.json"), json(&workspace, "weekend/seal.json"));
    assert_eq!(plugins(&first), plugins(&second));
    let digest = |name: &str| sha256_hex(&fs::read(workspace.path().join(name)).expect("the file is there"));
    let reference = &second["declared"]["follow-up"];
    assert_eq!(reference["verdict"], digest("run/verdict.json"));
    assert_eq!(reference["seal"], digest("run/seal.json"));
    let entries = workspace.ledger_entries("run", None);
    assert_eq!(reference["run"], entries[0]["hash"]);
    let report = workspace.report("weekend");
    assert_eq!(report["follow-up"], *reference);
    assert_eq!(report["metadata"]["owners"][0], "yard team");
    let verdict = reference["verdict"].as_str().expect("a digest");
    for format in ["text", "md", "json"] {
        let shown = workspace.ok(&["report", "weekend", "--format", format]).stdout;
        for text in [verdict, "yard team", "https://wiki.example.org/yard"] {
            assert!(shown.contains(text), "{format}: {text}\n{shown}");
        }
    }
    workspace.ok(&["report", "weekend"]);
    let page = fs::read_to_string(workspace.path().join("weekend/report.html")).expect("the page");
    assert!(page.contains("<dt>Follow-up for</dt><dd>weekend</dd>") && page.contains(verdict), "{page}");

    // Nobody can claim another verdict, or other owners, once the study is sealed.
    workspace.ok(&["seal", "weekend.toml"]);
    let text = fs::read_to_string(workspace.path().join("weekend.toml")).expect("the declaration");
    let changed = text.replace(verdict, &"0".repeat(64)).replace("yard team", "gate team");
    workspace.write("weekend.toml", changed);
    let output = workspace.understudy(&["run", "weekend.toml", "--run", "another"]);
    assert_eq!(output.code, 1);
    for change in ["`follow-up.verdict` was", "`metadata.owners[0]` was \"yard team\" and is \"gate team\""] {
        assert!(output.stderr.contains(change), "{change}: {}", output.stderr);
    }
}

#[test]
fn a_scope_that_was_inconclusive_gets_longer_windows() {
    let scope = "[[scopes]]\nname = \"weekday\"\nwhere = { day = \"weekday\" }\n\n[[scopes]]\nname = \"off-hours\"\nwhere = { day = \"weekend\" }\n";
    let workspace = ran(&[
        ("[[scopes]]\nname = \"weekday\"\nwhere = { day = \"weekday\" }\n", scope),
        ("at-least = 0.85\n", "at-least = 0.6\nleast-per-window = 400\n"),
    ]);
    assert_eq!(workspace.understudy(&["decide", "run", "--scope", "off-hours"]).code, 2);
    // The value of the condition is the declared scope.
    for scope in ["off-hours", "weekend"] {
        let text = workspace.ok(&["follow-up", "run", "--scope", scope]).stdout;
        assert!(text.contains("[windows]\nevery = \"month\"\n\n"), "{text}");
        assert!(text.contains("name = \"off-hours\"\nwhere = { day = \"weekend\" }\n"), "{text}");
        assert!(text.contains("the verdict on allocator was INCONCLUSIVE: "), "{text}");
        assert!(!text.contains("week-ends"), "{text}");
    }
}

#[test]
fn what_is_not_deferred_is_refused() {
    let workspace = ran(&[]);
    let weekend = ["run", "--scope", "weekend"];
    let mut errors =
        vec![refused(&workspace, &["absent", "--scope", "weekend"]), refused(&workspace, &weekend)];
    workspace.understudy(&["decide", "run"]);
    errors.push(refused(&workspace, &["run", "--scope", "weekends"]));
    errors.push(refused(&workspace, &["run", "--scope", "true"]));
    errors.push(refused(&workspace, &["run", "--scope", "weekday"]));
    errors.push(refused(&workspace, &["run", "--scope", "day.weekday"]));
    errors.push(refused(&workspace, &["run", "--scope", "all"]));
    errors.push(refused(&workspace, &["run", "--scope", "weekend", "--output", "study.toml"]));
    // A file of the run is gone.
    let seal = json(&workspace, "run/seal.json");
    let component = format!("run/plugins/{}.wasm", seal["plugins"][0]["sha256"].as_str().expect("a digest"));
    let bytes = fs::read(workspace.path().join(&component)).expect("it is stored");
    fs::remove_file(workspace.path().join(&component)).expect("it can be removed");
    errors.push(refused(&workspace, &weekend));
    workspace.write(&component, [&bytes[..], b"x"].concat());
    errors.push(refused(&workspace, &weekend));
    workspace.write(&component, bytes);
    // What is told afterwards makes the verdict obsolete.
    workspace.ok(&["follow-up", "run", "--scope", "weekend"]);
    workspace.ok(&[
        "disclose",
        "run",
        "exposure",
        "--since",
        "2026-04-21T00:00:00Z",
        "--text",
        "on a screen",
        "--who",
        "ann",
    ]);
    errors.push(refused(&workspace, &weekend));
    workspace.understudy(&["decide", "run"]);
    errors.push(refused(&workspace, &weekend));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9a-f]{64}", "SHA-256");
    settings.bind(|| insta::assert_snapshot!(errors.concat()));
}
