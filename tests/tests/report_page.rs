//! `understudy report` on the year of the hotel: page, Markdown and JSON agree, and the divergent subgroups
//! are right.

use std::fs;

use serde_json::Value;
use understudy_tests::browser::{Options, check_page};
use understudy_tests::external_programs::Requirement;
use understudy_tests::{CommandOutput, TestWorkspace, hotel_rooms_study, root};

/// The hotel study of rooms with one model and a threshold over the whole year, after `run` and `decide`.
fn decided_workspace() -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = fs::read_to_string(hotel_rooms_study()).expect("the study");
    let plugins = root().join("target/plugins");
    let folder = root().join("examples/hotel");
    let study = study
        .replace("../../target/plugins", plugins.to_str().expect("UTF-8"))
        .replace("\"hotel-bookings", &format!("\"{}/hotel-bookings", folder.display()))
        .replace("\"hotel-assignments", &format!("\"{}/hotel-assignments", folder.display()));
    let declared = "[threshold]\nat-least = 0.85\nquantifier = \"pooled\"\nwindows = { all = true }\n\
                    evidence = \"point\"\nchance = { gain = 0.0 }\n[[divergence.suspected]]\nwhere = { segment = \"corporate\" }\n\
                    [[divergence.suspected]]\nwhere = { day = \"weekend\", segment = \"groups\" }\n";
    workspace.write("study.toml", format!("{study}\n{declared}"));
    workspace.run(&[]);
    assert_eq!(workspace.understudy(&["decide", "run"]).code, 1);
    workspace
}

fn make_report(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    workspace.ok(&[&["report", "run"], arguments].concat())
}

/// The subgroups of a model by name, with their entries in the report.
fn classes(report: &Value, model: usize) -> Vec<(String, &Value)> {
    let classes = report["divergence"]["models"][model]["subgroups"].as_array().expect("classes");
    let name = |class: &Value| {
        let terms = class["terms"].as_array().expect("terms").iter();
        let terms: Vec<String> = terms
            .map(|term| {
                format!(
                    "{} = {}",
                    term["condition"].as_str().expect("a name"),
                    term["value"].as_str().expect("a name")
                )
            })
            .collect();
        terms.join(", ")
    };
    classes.iter().map(|class| (name(class), class)).collect()
}

#[test]
fn page_markdown_and_json_agree() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let workspace = decided_workspace();
    let output = make_report(&workspace, &[]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", "written to run/report.html\n"));
    let path = workspace.path().join("run/report.html");
    let size = fs::metadata(&path).expect("a page").len();
    assert!((50_000..2_000_000).contains(&size), "{size} bytes");

    let dossier: Value =
        serde_json::from_str(&make_report(&workspace, &["--format", "json"]).stdout).expect("JSON");
    let report = &dossier["report"];
    assert_eq!(report, &workspace.report("run"));
    assert_eq!(dossier["verdict"]["models"][0]["scopes"][0]["verdict"], "NO-GO");
    let markdown = make_report(&workspace, &["--format", "md"]).stdout.replace('\\', "");

    // Three values from the JSON, rounded once: all pairs, corporate bookings, weekdays.
    let figure = |value: &Value| format!("{:.6}", value.as_f64().expect("a figure"));
    let scores = &report["models"][0]["scores"][0];
    let overall = figure(&scores["overall"]["value"]);
    let corporate = figure(&scores["conditions"][1][0]["value"]);
    let weekday = figure(&scores["conditions"][0][0]["value"]);
    assert_eq!([&overall, &corporate, &weekday], ["0.798143", "0.518889", "0.784130"]);
    for output in [overall.as_str(), corporate.as_str(), weekday.as_str(), "467 of 900", "12,293 of 15,402"] {
        assert!(markdown.contains(output), "the Markdown lacks {output}");
    }

    let pictures = std::env::var_os("UNDERSTUDY_PICTURES")
        .map(|folder| fs::canonicalize(folder).expect("a folder for pictures").join("hotel"));
    let options = Options {
        texts: &["main h2", ".banner p", "tbody td", "h1"],
        folder: pictures,
        ..Options::default()
    };
    let seen = check_page(&path, &options);
    assert_eq!(seen.requests, [""; 0]);
    assert_eq!(seen.errors, [""; 0]);
    for view in &seen.views {
        assert_eq!(view.crowded, [""; 0], "{}, {}", view.scheme, view.width);
        assert!(view.violations.is_empty(), "{}, {}: {:#?}", view.scheme, view.width, view.violations);
        for [page, window] in [view.closed, view.open] {
            assert!(page <= window, "{}, {}: the page is {page} wide", view.scheme, view.width);
        }
    }
    assert_eq!(seen.texts[".banner p"][0], "✗ NO-GO for all 2 models");
    let cells = &seen.texts["tbody td"];
    for figure in [&overall, &corporate, &weekday] {
        assert!(cells.contains(figure), "the page lacks {figure}");
        assert!(seen.printed.contains(figure.as_str()), "what is printed lacks {figure}");
    }
    let order = [
        "The study as a figure",
        "Verdict",
        "Threshold and results",
        "Accounting",
        "Agreement by condition",
        "Each window by condition",
        "Where they differ",
        "Distribution of answers",
        "Latency",
        "Representativeness",
        "Exposures, swaps and contamination",
        "Reviewed cases",
        "Provenance",
    ];
    assert_eq!(seen.texts["main h2"], order);
    let heads: Vec<&str> = markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(heads, order);
}

#[test]
fn corporate_bookings_are_the_top_single_condition() {
    let workspace = TestWorkspace::hotel();
    let report = workspace.report("run");
    let found = classes(&report, 0);
    let single: Vec<&(String, &Value)> = found.iter().filter(|(name, _)| !name.contains(',')).collect();
    let (name, class) = single[0];
    assert_eq!(name, "segment = corporate");
    assert_eq!((class["pairs"].as_u64(), class["value"].as_f64()), (Some(900), Some(467.0 / 900.0)));
    let elsewhere = class["complement"].as_f64().expect("a figure");
    assert!((elsewhere - 0.815473727761688).abs() < 1e-12, "{elsewhere}");
    assert_eq!(
        (class["direction"].as_str(), class["suspected"].as_bool()),
        (Some("less-agreement"), Some(false))
    );
    assert_eq!(class["examples"].as_array().map(Vec::len), Some(3));
    // The entry above it is narrower: corporate bookings at short notice.
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    insta::assert_json_snapshot!(names);
    let first = found[0].1;
    assert_eq!((first["pairs"].as_u64(), first["value"].as_f64()), (Some(517), Some(223.0 / 517.0)));
}

#[test]
fn a_suspected_subgroup_is_marked() {
    let workspace = decided_workspace();
    let report = workspace.report("run");
    let suspected: Vec<String> = classes(&report, 0)
        .into_iter()
        .filter(|(_, class)| class["suspected"] == true)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(suspected, ["segment = corporate"]);
    assert_eq!(
        report["divergence"]["models"][0]["unconfirmed"],
        serde_json::json!(["day = weekend, segment = groups"])
    );
    let markdown = make_report(&workspace, &["--format", "md"]).stdout;
    let markdown = markdown.replace('\\', "");
    assert!(
        markdown.contains("Suspected in advance but not confirmed: day = weekend, segment = groups."),
        "{markdown}"
    );
}

#[test]
fn a_report_is_written_to_the_given_path() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let told = |output: &str| {
        let output = workspace.understudy(&["report", "run", "--format", "md", "--output", output]);
        (output.code, output.stderr)
    };
    let text = |name: &str| fs::read_to_string(workspace.path().join(name)).expect("a report");
    assert_eq!(told("bare.md"), (0, "written to bare.md\n".to_owned()));
    assert!(text("bare.md").starts_with("# Shadow study"));
    // A symbolic link stays a link, and a pipe stays a pipe.
    workspace.write("target.md", "before");
    std::os::unix::fs::symlink("target.md", workspace.path().join("link.md")).expect("a link");
    assert_eq!(told("link.md").0, 0);
    assert_eq!(text("target.md"), text("bare.md"));
    assert!(workspace.path().join("link.md").is_symlink());
    assert_eq!(told("/dev/null").0, 0);
    let (code, output) = told("nowhere/report.md");
    assert_eq!(code, 1);
    assert!(output.contains("cannot write nowhere/report.md: No such file or directory (os error 2); choose another file with --output"), "{output}");
}

/// Against pandas: `tests/oracles/answer_distribution.py`.
#[test]
fn answer_distributions_match_pandas() {
    let workspace = TestWorkspace::hotel();
    let report = workspace.report("run");
    let spread = &report["models"][0]["answer-distributions"]["overall"];
    assert_eq!(
        (spread["agreeing"].as_u64(), spread["differing"].as_u64()),
        (Some(12_293), Some(15_402 - 12_293))
    );
    let answers = spread["answers"].as_array().expect("answers");
    let differing = answers.iter().filter(|answer| answer["model"] != answer["substrate"]).take(5);
    let differing: Vec<(&str, &str, u64)> = differing
        .map(|answer| {
            (
                answer["model"].as_str().unwrap(),
                answer["substrate"].as_str().unwrap(),
                answer["pairs"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        differing,
        [("a", "d", 1416), ("a", "c", 563), ("a", "e", 271), ("d", "e", 160), ("e", "f", 156)]
    );

    let rates = root().join("examples/hotel/rates.toml");
    workspace.ok(&["run", rates.to_str().expect("UTF-8"), "--run", "rates"]);
    let report = workspace.report("rates");
    let spread = &report["models"][0]["answer-distributions"]["overall"];
    let close = |value: &Value, expected: f64, within: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value - expected).abs() <= within * expected.abs(), "{value} for {expected}");
    };
    close(&spread["mean-error"], -18.563603393931132, 1e-9);
    close(&spread["standard-deviation"], 41.08317758922994, 1e-9);
    let quantiles =
        [-97.8179675178944, -38.026396344758524, -9.803635403673418, 9.562505928585878, 29.772031585612325];
    for (found, expected) in spread["quantiles"].as_array().expect("quantiles").iter().zip(quantiles) {
        close(found, expected, 0.032);
    }
    let steps = spread["histogram"].as_array().expect("steps").iter();
    assert_eq!(steps.map(|step| step["pairs"].as_u64().unwrap()).sum::<u64>(), 15_402);
    close(
        &report["models"][0]["answer-distributions"]["conditions"][1][0]["mean-error"],
        11.495052256724504,
        1e-9,
    );
    close(
        &report["models"][0]["answer-distributions"]["conditions"][1][1]["mean-error"],
        -36.49968263220611,
        1e-9,
    );
}
