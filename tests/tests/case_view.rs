//! `understudy case` shows everything known about one decided row. The ledger records the viewer first.

use std::fs;

use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;
use understudy_tests::{TestWorkspace, hotel_rooms_study};

/// Replaces the parts of the output that depend on the bytes of plugins and on the machine.
const FILTERS: [(&str, &str); 2] = [(r"[0-9a-f]{12}\b", "SHA-256"), (r" +\d[\d.,]* (ns|µs|ms)\b", " TIME")];

fn exposures(workspace: &TestWorkspace) -> Vec<Value> {
    workspace.ledger_entries("run", Some("exposure"))
}

/// The small study over twenty snapshots. Every third decision differs, except the last.
fn twenty() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let day = |at: usize| format!("2026-03-{:02}", at + 1);
    let room = |at: usize| ["a", "b"][at % 2];
    let line = |at: usize| {
        format!(r#"{{"id":"s{at}","at":"{}T10:00:00Z","booked":"{}","nights":{at}}}"#, day(at), room(at))
    };
    workspace.write_lines("snapshots.jsonl", (0..20).map(line));
    let line = |at: usize| {
        let room = if at.is_multiple_of(3) { "c" } else { room(at) };
        format!(r#"{{"id":"s{at}","at":"{}T11:30:00Z","room":"{room}"}}"#, day(at))
    };
    workspace.write_lines("decisions.jsonl", (0..19).map(line));
    workspace
}

#[test]
fn a_case_shows_everything_known_about_its_row() {
    let workspace = twenty();
    workspace.run(&[]);
    let output = workspace.understudy(&["case", "run", "s6", "--raw", "--who", "Ana"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(output.stdout, @r#"
        s6  observed 2026-03-07 10:00:00 UTC, window 2026-03-07

        Snapshot
          booked  a
          nights  6
          as received:
            {"id":"s6","at":"2026-03-07T10:00:00Z","booked":"a","nights":6}

        Conditions
          room  a

        Decision  decided 2026-03-07 11:30:00 UTC, 1.50 h after the snapshot
          room  c
          as an answer: c, by comparator recorded (recorded 0.1.0, SHA-256)

        Model answers
          model  answer  confidence  agreement  latency
          echo   a                –          0 TIME
          echo: recorded 0.1.0, SHA-256

        Similar cases in which echo differs  same conditions, nearest in time first
          id   observed                 answer  substrate
          s0   2026-03-01 10:00:00 UTC  a       c
          s12  2026-03-13 10:00:00 UTC  a       c
          s18  2026-03-19 10:00:00 UTC  a       c
        "#);
    });
    let [entry] = &exposures(&workspace)[..] else { panic!("one exposure") };
    assert_eq!((&entry["who"], &entry["command"]), (&"Ana".into(), &"case".into()));
    // The row and its three similar cases.
    assert_eq!((entry["rows"].as_u64(), entry["withheld"].as_u64()), (Some(4), Some(1)));
    // printf 's6\ns0\ns12\ns18\n' | sha256sum
    assert_eq!(entry["ids"], "6108b85b66c9cba395e4a339959db77b4f4bbab767516f9f0a5769f3f3f81d57");
    assert_eq!(entry.get("since"), None, "the run was closed");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_case_without_disagreement_has_no_similar_cases() {
    let workspace = twenty();
    workspace.run(&[]);
    let output = workspace.ok(&["case", "run", "s7", "--who", "Ana"]);
    assert!(
        !output.stdout.contains("differs") && !output.stdout.contains("as received"),
        "{}",
        output.stdout
    );
    assert_eq!(exposures(&workspace)[0]["rows"], 1);
}

#[test]
fn hotel_cases_have_five_similar_cases_per_differing_model() {
    let workspace = TestWorkspace::hotel();
    let output = workspace.understudy(&["case", "run", "b07125", "--who", "Ana"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(output.stdout);
    });
}

#[test]
fn numbers_disagree_in_the_decile_with_the_largest_errors() {
    let workspace = TestWorkspace::new();
    let rates = hotel_rooms_study().with_file_name("rates.toml");
    workspace.ok(&["run", rates.to_str().expect("a path in UTF-8"), "--run", "run"]);
    let output = workspace.understudy(&["export", "run", "--output", "rows.csv"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let text = fs::read_to_string(workspace.path().join("rows.csv")).expect("the rows");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heads = lines.next().expect("a head");
    let column = |name: &str| heads.iter().position(|head| *head == name).expect("a column");
    let (answer, done) = (column("model.historical-rate.answer"), column("comparator.answer"));
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let mut apart: Vec<(f64, &str)> =
        lines.map(|line| ((number(line[answer]) - number(line[done])).abs(), line[0])).collect();
    apart.sort_by(|one, other| other.0.total_cmp(&one.0));
    let tenth = apart.len().div_ceil(10);
    assert!(apart[tenth - 1].0 > apart[tenth].0, "no two at the bound");
    for (at, differs) in [(0, true), (tenth - 1, true), (tenth, false), (apart.len() - 1, false)] {
        let output = workspace.understudy(&["case", "run", apart[at].1]);
        assert_eq!(
            (output.code, output.stdout.contains("Similar cases in which historical-rate differs")),
            (0, differs),
            "{}",
            output.stdout
        );
    }
}

#[test]
fn an_orphan_is_found_by_its_id() {
    let workspace = twenty();
    let orphans =
        ["s98", "s99", "s99"].map(|id| format!(r#"{{"id":"{id}","at":"2026-03-19T11:30:00Z","room":"a"}}"#));
    let decisions = fs::read_to_string(workspace.path().join("decisions.jsonl")).expect("decisions");
    let orphans =
        orphans.into_iter().enumerate().map(|(at, line)| line.replace("30:00", &format!("3{at}:00")));
    workspace.write_lines("decisions.jsonl", decisions.lines().map(str::to_owned).chain(orphans));
    workspace.edit_study(&[("horizon = \"1d\"", "horizon = \"1d\"\nrevisions = \"last\"")]);
    workspace.run(&[]);
    let refused = |id: &str| workspace.understudy(&["case", "run", id, "--who", "Ana"]).stderr;
    insta::assert_snapshot!(refused("s98"), @r#"no accepted snapshot has the id "s98", so its decision (line 20, decided at 2026-03-19T11:30:00Z) is compared with nothing; look for the snapshot in the source and in the table `excluded`"#);
    insta::assert_snapshot!(refused("s99"), @r#"no accepted snapshot has the id "s99", so its 2 decisions (the first: line 21, decided at 2026-03-19T11:31:00Z) are compared with nothing; look for the snapshot in the source and in the table `excluded`"#);
}

#[test]
fn undecided_rows_are_never_shown() {
    let workspace = twenty();
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let decisions = fs::read_to_string(workspace.path().join("decisions.jsonl")).expect("decisions");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    // Decisions of ten days except the second. The last clock minus horizon and lateness is the eighth day.
    let fed = decisions.lines().enumerate().filter(|(at, _)| *at < 10 && *at != 1);
    running.feed(fed.map(|(_, line)| line.to_owned() + "\n").collect::<String>());
    wait_until("all that can be is in the log", || {
        ["snapshots", "decisions", "pairs"].map(|table| open_rows(&workspace.path().join("run"), table))
            == [20, 9, 9]
    });
    let refused = |id: &str| {
        let output = workspace.understudy(&["case", "run", id, "--who", "Ana"]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{id}");
        output.stderr
    };
    insta::assert_snapshot!(refused("s1"), @r#""s1" is not decided yet: no decision has arrived within the horizon of 1d"#);
    insta::assert_snapshot!(refused("s9"), @r#""s9" is withheld: its horizon is not over, and answers may influence the decision; it can be shown once decisions more than 2d later than 2026-03-10T10:00:00Z have arrived"#);
    insta::assert_snapshot!(refused("s15"), @r#""s15" is withheld: its horizon is not over, and answers may influence the decision; it can be shown once decisions more than 2d later than 2026-03-16T10:00:00Z have arrived"#);
    insta::assert_snapshot!(refused("s99"), @r#"no accepted record has the id "s99"; excluded records are in the table `excluded`"#);
    assert_eq!(exposures(&workspace).len(), 0, "refused cases are no exposures");
    let output = workspace.ok(&["case", "run", "s3", "--who", "Ana"]);
    assert!(
        !output.stdout.contains("s9"),
        "of similar cases only those are shown that are decided: {}",
        output.stdout
    );
    assert_eq!(exposures(&workspace)[0]["since"], "2026-03-10T11:30:00Z");
    running.close_stdin();
    running.wait_with_output();
    insta::assert_snapshot!(refused("s15"), @r#""s15" has no decision: none arrived within the horizon of 1d"#);
}

#[test]
fn a_blinded_case_says_that_the_model_answered_later() {
    let workspace = twenty();
    workspace.edit_study(&[("every = \"day\"\n", "every = \"day\"\n\n[blinding]\nshare = 0.5\n")]);
    workspace.run(&[]);
    workspace.ok(&["export", "run", "--output", "rows.csv"]);
    let text = fs::read_to_string(workspace.path().join("rows.csv")).expect("the rows");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let blinded = rows[0].iter().position(|head| *head == "blinded").expect("a column");
    for row in &rows[1..] {
        let output = workspace.ok(&["case", "run", row[0]]);
        assert_eq!(
            output.stdout.contains("blinded: answered after the decision was known"),
            row[blinded] == "true",
            "{}",
            output.stdout
        );
        let answered =
            output.stdout.lines().find(|line| line.starts_with("  echo   ")).expect("the model's line");
        assert_eq!(
            answered.ends_with('–'),
            row[blinded] == "true",
            "what is not measured is not shown: {answered}"
        );
    }
}

#[test]
fn a_repeated_id_is_selected_by_its_time() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("horizon = \"1d\"", "horizon = \"1h\"")]);
    // A second snapshot in between advances the clock before the id is repeated.
    let line = |day: u32, hour: u32, key: &str| {
        let id = if day == 3 { 2 } else { 1 };
        format!(r#"{{"id":"s{id}","at":"2026-03-0{day}T{hour}:00:00Z","{key}":"a","nights":{day}}}"#)
    };
    workspace.write_lines("snapshots.jsonl", [1, 3, 5].map(|day| line(day, 10, "booked")));
    workspace.write_lines("decisions.jsonl", [1, 3, 5].map(|day| line(day, 11, "room")));
    workspace.run(&[]);
    let output_of =
        |more: &[&str]| workspace.understudy(&[&["case", "run", "s1", "--who", "Ana"], more].concat());
    insta::assert_snapshot!(output_of(&[]).stderr, @r#"the id "s1" was used 2 times; choose one event time with --at: 2026-03-01T10:00:00Z, 2026-03-05T10:00:00Z"#);
    let second = output_of(&["--at", "2026-03-05T11:00:00+01:00"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stdout.contains("nights  5"), "{}", second.stdout);
    insta::assert_snapshot!(output_of(&["--at", "2026-03-05T11:00:00Z"]).stderr, @r#"no snapshot with the id "s1" has this event time; its event times are 2026-03-01T10:00:00Z, 2026-03-05T10:00:00Z"#);
    insta::assert_snapshot!(output_of(&["--at", "noon"]).stderr, @r#"cannot parse --at "noon": expected a time with a zone, such as 2026-04-20T06:00:00+02:00"#);
}

#[test]
fn nothing_is_shown_if_the_exposure_cannot_be_recorded() {
    let workspace = twenty();
    workspace.run(&[]);
    for command in ["case run s6", "review run < /dev/null"] {
        let output = workspace.run_isolated(&format!(
            "export USER=Ana; mount --bind run run && mount -o remount,bind,ro run && $UNDERSTUDY {command}"
        ));
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{command}");
        assert!(
            output.stderr.contains("nothing is shown, because the exposure cannot be recorded"),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn unavailable_cases_are_explained() {
    let workspace = twenty();
    workspace.edit_study(&[("every = \"day\"\n", "every = \"day\"\n\n[log]\nkeep-raw = false\n")]);
    let error_of = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        output.stderr
    };
    insta::assert_snapshot!(error_of(&["case", "run", "s6"]), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    workspace.run(&[]);
    insta::assert_snapshot!(error_of(&["case", "run", "s6", "--raw"]), @"the study declares `log.keep-raw = false`, so that the run stores no text of snapshots; omit --raw");
    insta::assert_snapshot!(error_of(&["case", "run", "s6", "--who", ""]), @"--who is empty; write a name, which the ledger records");
    assert_eq!(exposures(&workspace).len(), 0);
}
