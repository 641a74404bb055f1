//! Verdicts on the year of the hotel. They show why quantifier, cycle and number of windows are declared in
//! advance. Pandas computed the counts per week; see `hotel.rs`.

use serde_json::Value;
use understudy_tests::{TestWorkspace, root};

/// Runs the hotel study of rooms with a threshold and `understudy decide --model booked-room`. Returns the
/// exit code, the verdict on all input, and the output.
fn decide(threshold: &str) -> (i32, Value, String) {
    let workspace = TestWorkspace::new();
    let examples = root().join("examples/hotel");
    let study = std::fs::read_to_string(examples.join("rooms.toml")).expect("the example is there");
    let study = study
        .replace("../../target/plugins", "PLUGINS")
        .replace("\"hotel-", &format!("\"{}/hotel-", examples.display()))
        .replacen(&format!("study = \"{}/hotel-rooms\"", examples.display()), "study = \"hotel-rooms\"", 1);
    let evidence = if threshold.contains("confidence") { "bound\"\nfamily = \"each" } else { "point" };
    let month = "[[conditions]]\nname = \"month\"\ncalendar = \"month\"\n";
    let chance = if threshold.contains("chance") { "" } else { "\nchance = { gain = 0.0 }" };
    workspace.write(
        "study.toml",
        format!("{study}\n{month}[threshold]\nevidence = \"{evidence}\"\n{threshold}{chance}\n"),
    );
    workspace.ok(&["run", "study.toml", "--run", "run"]);
    let output = workspace.understudy(&["decide", "run", "--model", "booked-room"]);
    let verdict: Value =
        serde_json::from_slice(&std::fs::read(workspace.path().join("run/verdict.json")).expect("a verdict"))
            .expect("a verdict is JSON");
    let ruling = verdict["models"][0]["scopes"][0].clone();
    assert_eq!(ruling["scope"], "all", "{}{}", output.stdout, output.stderr);
    let verified = workspace.understudy(&["verify", "run"]);
    assert!(
        verified.stdout.contains("verdict.json follows from the sums and the declaration, byte for byte"),
        "{}",
        verified.stdout
    );
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    (output.code, ruling, output.stdout)
}

fn counts(finding: &Value) -> (u64, u64) {
    (finding["hits"].as_u64().expect("whole agreements"), finding["pairs"].as_u64().expect("pairs"))
}

fn reasons(ruling: &Value) -> Vec<&str> {
    let reasons = ruling["reasons"].as_array().expect("reasons");
    reasons.iter().map(|reason| reason["text"].as_str().expect("a text")).collect()
}

/// Exit code, verdict, pooled counts, and number of windows.
fn short(threshold: &str) -> (i32, String, (u64, u64), usize) {
    let (code, ruling, _) = decide(threshold);
    let windows = ruling["windows"].as_array().expect("windows").len();
    (code, ruling["verdict"].as_str().expect("a word").to_owned(), counts(&ruling["pooled"]), windows)
}

#[test]
fn every_window_of_the_first_weeks() {
    let first = |weeks: u32| {
        format!("at-least = 0.85\nquantifier = \"every-window\"\nwindows = {{ first = {weeks} }}")
    };
    assert_eq!(short(&first(3)), (0, "GO".into(), (585, 655), 3));
    assert_eq!(short(&first(8)), (0, "GO".into(), (1690, 1880), 8));
    let (code, ruling, out) = decide(&first(9));
    assert_eq!((code, &ruling["verdict"]), (1, &Value::from("NO-GO")));
    assert_eq!(counts(&ruling["windows"][8]), (191, 241));
    assert_eq!(
        reasons(&ruling),
        ["week ending 2016-09-04: 191 of 241 (0.792531); at least 0.85 is required"],
        "{out}"
    );
}

#[test]
fn pooled_over_the_first_weeks_and_the_whole_year() {
    let pooled =
        |windows: &str| format!("at-least = 0.85\nquantifier = \"pooled\"\nwindows = {{ {windows} }}");
    assert_eq!(short(&pooled("first = 12")), (0, "GO".into(), (2445, 2843), 12));
    let (code, word, together, _) = short(&pooled("all = true"));
    assert_eq!((code, word.as_str(), together), (1, "NO-GO", (12_293, 15_402)));
}

#[test]
fn the_first_weeks_are_inconclusive_if_the_scope_is_a_year() {
    let (code, ruling, out) = decide(
        "at-least = 0.85\nquantifier = \"every-window\"\nwindows = { first = 8 }\ncycle = { condition = \"month\" }",
    );
    assert_eq!((code, &ruling["verdict"]), (2, &Value::from("INCONCLUSIVE")));
    assert_eq!(counts(&ruling["pooled"]), (1690, 1880));
    let missing = reasons(&ruling);
    assert_eq!(missing.len(), 1, "{missing:?}");
    let january = "10 cycle values, the worst of them january: occurred 0 times; 1 required";
    assert!(missing[0].starts_with(january), "{missing:?}");
    assert!(out.contains("INCONCLUSIVE: the evidence is not sufficient"), "{out}");
}

#[test]
fn the_latest_weeks_are_evaluated() {
    let latest = |weeks: u32| {
        format!("at-least = 0.80\nquantifier = \"every-window\"\nwindows = {{ latest = {weeks} }}")
    };
    let (code, word, _, windows) = short(&latest(17));
    assert_eq!((code, word.as_str(), windows), (0, "GO", 17));
    let (code, ruling, _) = decide(&latest(18));
    assert_eq!((code, &ruling["verdict"]), (1, &Value::from("NO-GO")));
    assert_eq!(reasons(&ruling).len(), 1, "{ruling}");
}

#[test]
fn partial_weeks_never_count() {
    // 62 weeks have pairs. The first, with 56 pairs, and the last are incomplete.
    let (code, ruling, _) = decide(
        "at-least = 0.5\nquantifier = \"every-window\"\nwindows = { first = 62 }\nleast-per-window = 1",
    );
    assert_eq!((code, &ruling["verdict"]), (2, &Value::from("INCONCLUSIVE")));
    let windows = ruling["windows"].as_array().expect("windows");
    assert_eq!(windows.len(), 60);
    assert_eq!(counts(&windows[0]), (179, 201));
    assert_eq!(
        reasons(&ruling),
        [
            "60 complete windows; 62 required. A window is complete if the snapshots begin by its start and go on to its end"
        ]
    );
}

#[test]
fn a_confidence_bound_is_stricter_than_a_point_estimate() {
    let pooled =
        |least: &str| format!("at-least = {least}\nquantifier = \"pooled\"\nwindows = {{ first = 12 }}");
    // For 2,445 of 2,843 the exact bounds at 0.95 are 0.8489 and 0.8706:
    // scipy.stats.binomtest(2445, 2843, alternative="greater").proportion_ci(0.95, "exact")
    let bound = |least: &str| decide(&pooled(least).replace("at-least", "confidence = 0.95\nat-least")).1;
    let ruling = bound("0.84");
    assert_eq!(ruling["verdict"], "GO", "{ruling}");
    assert_eq!(bound("0.85")["verdict"], "INCONCLUSIVE");
    assert_eq!(bound("0.88")["verdict"], "NO-GO");
    assert_eq!(ruling["pooled"]["method"], "exact");
}

#[test]
fn kappa_thresholds_require_more_than_chance_agreement() {
    let all = |floor: &str| {
        decide(&format!("at-least = 0.5\nquantifier = \"pooled\"\nwindows = {{ all = true }}\n{floor}")).1
    };
    let ruling = all("chance = { kappa = 0.7 }");
    assert_eq!(ruling["verdict"], "GO", "{ruling}");
    // sklearn.metrics.cohen_kappa_score(m.reserved_room_type, m.room)
    let kappa = ruling["chance"]["kappa"].as_f64().expect("a kappa");
    assert!((kappa - 0.7125917142622241).abs() < 1e-12, "{kappa}");
    assert_eq!(all("chance = { kappa = 0.72 }")["verdict"], "NO-GO");
    let gain = all("chance = { gain = 0.5 }");
    assert_eq!(gain["verdict"], "NO-GO");
    let commonest = gain["chance"]["commonest-share"].as_f64().expect("a share");
    assert!(commonest > 0.3 && commonest < 0.7, "{commonest}");
}
