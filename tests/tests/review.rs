//! `understudy review`: people judge a sample of disagreements. The ledger records every judgement, and the
//! results follow from it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use understudy_tests::process::TestProcess;
use understudy_tests::{CommandOutput, TestWorkspace};

/// The small study over forty snapshots, of which thirteen have another decision.
fn forty() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let time = |at: usize| format!("2026-03-{:02}T{:02}:00:00Z", at / 20 + 1, at % 20);
    let room = |at: usize| ["a", "b", "b", "b"][at % 4];
    let line =
        |at: usize| format!(r#"{{"id":"s{at}","at":"{}","booked":"{}","nights":1}}"#, time(at), room(at));
    workspace.write_lines("snapshots.jsonl", (0..40).map(line));
    let line = |at: usize| {
        let room = if at % 3 == 1 { "c" } else { room(at) };
        format!(r#"{{"id":"s{at}","at":"{}","room":"{room}"}}"#, time(at))
    };
    workspace.write_lines("decisions.jsonl", (0..40).map(line));
    workspace.run(&[]);
    workspace
}

fn review(workspace: &TestWorkspace, arguments: &[&str], answers: &str) -> CommandOutput {
    let arguments = [&["review", "run", "--who", "Ana"], arguments].concat();
    let mut running = TestProcess::start(workspace.command(&arguments));
    running.feed(answers);
    running.close_stdin();
    workspace.redacted(running.wait_with_output())
}

/// The ids of the shown cases, in order.
fn shown_ids(output: &CommandOutput) -> Vec<String> {
    let heads = output.stdout.lines().filter(|line| line.contains("  observed 2026"));
    heads.map(|line| line.split(' ').next().expect("an id").to_owned()).collect()
}

fn reviews(workspace: &TestWorkspace) -> String {
    fs::read_to_string(workspace.path().join("run/reviews.jsonl")).expect("judgements")
}

/// Adds divergent subgroups to the report.
fn with_classes(workspace: &TestWorkspace, classes: &Value) {
    let path = workspace.path().join("run/report.json");
    let mut report = workspace.report("run");
    report["divergence"] = json!({ "models": [{ "model": "echo", "subgroups": classes }] });
    fs::write(path, report.to_string()).expect("written");
}

const FILTERS: [(&str, &str); 3] = [
    (r"[0-9a-f]{12}\b", "SHA-256"),
    (r" +\d[\d.,]* (ns|µs|ms)\b", " TIME"),
    (r#""at":"[^"]+""#, r#""at":"NOW""#),
];

#[test]
fn cases_are_shown_and_judged_one_by_one() {
    let workspace = forty();
    let answers = "model\nnovel\nno such room\nwhat\nl\ns\n\n\nsub\nquit\n";
    let output = review(&workspace, &["--sample", "5", "--seed", "seed"], answers);
    assert_eq!(output.code, 0, "{}", output.stderr);
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(output.stdout);
        insta::assert_snapshot!(output.stderr, @r#"
        echo and the substrate disagree on 13 decided rows; 5 rows sampled, 5 to judge
        who was right? [model, substrate, both, unclear, later, quit]
        how did the other fail? [gap, boundary, novel, data, none, quit]
        note? [one line, or empty]
        who was right? [model, substrate, both, unclear, later, quit]
        "what" is not one of these
        who was right? [model, substrate, both, unclear, later, quit]
        who was right? [model, substrate, both, unclear, later, quit]
        how did the other fail? [gap, boundary, novel, data, none, quit]
        note? [one line, or empty]
        who was right? [model, substrate, both, unclear, later, quit]
        how did the other fail? [gap, boundary, novel, data, none, quit]
        this case has no judgement
        "#);
        insta::assert_snapshot!(reviews(&workspace), @r#"
        {"entry":8,"at":"NOW","who":"Ana","model":"echo","id":"s31","observed-at":"2026-03-02T11:00:00Z","stratum":"elsewhere","judgement":"model-right","failure-mode":"novel","note":"no such room"}
        {"entry":9,"at":"NOW","who":"Ana","model":"echo","id":"s1","observed-at":"2026-03-01T01:00:00Z","stratum":"elsewhere","judgement":"substrate-right","failure-mode":null,"note":""}
        "#);
    });
    let kinds: Vec<_> =
        workspace.ledger_entries("run", None).iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds[kinds.len() - 4..], ["exposure", "review-sample", "review", "review"]);
    let exposure = &workspace.ledger_entries("run", Some("exposure"))[0];
    assert_eq!((&exposure["command"], &exposure["rows"]), (&"review".into(), &5.into()), "the whole sample");
    let sampled = &workspace.ledger_entries("run", Some("review-sample"))[0];
    assert_eq!((&sampled["model"], &sampled["seed"]), (&"echo".into(), &"seed".into()));
    assert_eq!(sampled["strata"], json!([{ "name": "elsewhere", "disagreements": 13, "drawn": 5 }]));
    let output = workspace.ok(&["verify", "run"]);
    assert!(output.stdout.contains("reviews    2 judgements match the ledger\n"), "{}", output.stdout);
}

#[test]
fn judged_cases_are_not_repeated_and_larger_samples_contain_smaller_ones() {
    let workspace = forty();
    let first = review(&workspace, &["--sample", "4"], "model\n\n\nboth\n\n\n");
    let first = shown_ids(&first);
    assert_eq!(first.len(), 3, "the third was shown and not judged, since no answer came: {first:?}");
    let second = review(&workspace, &["--sample", "4"], &"unclear\n\n\n".repeat(4));
    assert_eq!(shown_ids(&second).len(), 2);
    assert_eq!(shown_ids(&second)[0], first[2]);
    let third = review(&workspace, &["--sample", "100"], &"substrate\ngap\n\n".repeat(20));
    assert_eq!(shown_ids(&third).len(), 9);
    let all: BTreeSet<String> =
        [&first[..2], &shown_ids(&second), &shown_ids(&third)].concat().into_iter().collect();
    assert_eq!(all, (0..40).filter(|at| at % 3 == 1).map(|at| format!("s{at}")).collect());
    let none = review(&workspace, &["--sample", "100"], "");
    assert_eq!(
        (shown_ids(&none).len(), workspace.ledger_entries("run", Some("exposure")).len()),
        (0, 3),
        "nobody was shown anything"
    );
    insta::assert_snapshot!(none.stderr, @"echo and the substrate disagree on 13 decided rows; 13 rows sampled, 0 to judge");
    insta::assert_snapshot!(none.stdout, @"
    Who was right where echo and the substrate differ  13 of 13 disagreements judged
                       judged  estimated share  interval, each bound at 0.95
      model right           1           0.0769  0.0174 to 0.2823
      substrate right       9           0.6923  0.4648 to 0.8536
      both fine             1           0.0769  0.0174 to 0.2823
      unclear               2           0.1538  0.0523 to 0.3747
      Shares are weighted by the disagreements of each stratum. The effective sample size is 13.0.
      failure modes: known gap 9
    ");
    let sampled = workspace.ledger_entries("run", Some("review-sample"));
    assert_eq!(
        sampled.iter().map(|entry| entry["strata"][0]["drawn"].as_u64()).collect::<Vec<_>>(),
        [Some(4), Some(13)]
    );
    assert_eq!(reviews(&workspace).lines().count(), 13);
}

#[test]
fn the_sample_depends_only_on_the_seed() {
    let workspace = forty();
    let drawn = |arguments: &[&str]| shown_ids(&review(&workspace, arguments, &"later\n".repeat(13)));
    let one = drawn(&["--sample", "6", "--seed", "one"]);
    assert_eq!(one.len(), 6);
    assert_eq!(one, drawn(&["--sample", "6", "--seed", "one", "--model", "echo"]));
    assert_ne!(one, drawn(&["--sample", "6", "--seed", "other"]));
    assert!(workspace.ledger_entries("run", Some("review")).is_empty(), "what was skipped is not judged");
    assert!(!workspace.path().join("run/reviews.jsonl").exists());
}

#[test]
fn the_subgroups_of_the_report_are_the_strata() {
    let workspace = forty();
    let term = |condition: &str, value: &str| json!({ "condition": condition, "value": value });
    // Subgroups of another study and subgroups without a term are ignored.
    with_classes(
        &workspace,
        &json!([
            { "terms": [term("room", "a")], "pairs": 4 },
            { "terms": [term("floor", "a")] },
            { "terms": [term("room", "z")] },
            { "terms": [] },
        ]),
    );
    let output = review(&workspace, &["--sample", "4"], &"model\n\n\n".repeat(4));
    assert_eq!(output.code, 0, "{}", output.stderr);
    let from: Vec<_> =
        output.stdout.lines().filter_map(|line| line.split_once(", from ")).map(|(_, name)| name).collect();
    assert_eq!(from, ["room a", "elsewhere", "room a", "elsewhere"]);
    assert!(
        output.stdout.contains("  room  a\n") && output.stdout.contains("  room  b\n"),
        "{}",
        output.stdout
    );
    let strata = &workspace.ledger_entries("run", Some("review-sample"))[0]["strata"];
    let expected = [("room a", 3, 2), ("elsewhere", 10, 2)];
    let expected =
        expected.map(|(name, all, drawn)| json!({ "name": name, "disagreements": all, "drawn": drawn }));
    assert_eq!(*strata, json!(expected));
    let told = output.stdout.rsplit("Who was right").next().expect("the summary");
    insta::assert_snapshot!(told, @"
    where echo and the substrate differ  4 of 13 disagreements judged
                      judged  estimated share  interval, each bound at 0.95
     model right           4           1.0000  0.5340 to 1.0000
     substrate right       0           0.0000  0.0000 to 0.4660
     both fine             0           0.0000  0.0000 to 0.4660
     unclear               0           0.0000  0.0000 to 0.4660
     Shares are weighted by the disagreements of each stratum. The effective sample size is 3.10.
     stratum    disagreements  judged
     room a                 3       2
     elsewhere             10       2
    ");
}

#[test]
fn cases_judged_under_other_strata_are_repeated() {
    let workspace = forty();
    let first = review(&workspace, &["--sample", "20"], &"model\n\n\n".repeat(13));
    assert_eq!(shown_ids(&first).len(), 13);
    with_classes(&workspace, &json!([{ "terms": [{ "condition": "room", "value": "a" }] }]));
    let again = review(&workspace, &["--sample", "20"], &"substrate\n\n\n".repeat(13));
    assert_eq!(
        shown_ids(&again).into_iter().collect::<BTreeSet<_>>(),
        shown_ids(&first).into_iter().collect()
    );
    assert!(again.stdout.contains("13 of 13 disagreements judged"), "{}", again.stdout);
    // With the same strata no case is repeated.
    assert!(shown_ids(&review(&workspace, &["--sample", "20"], "")).is_empty());
}

#[test]
fn incomplete_reviews_are_reported_and_not_counted() {
    let workspace = forty();
    let output = review(&workspace, &["--sample", "4"], "model\n\n\nboth\n");
    assert_eq!(output.code, 0);
    assert!(
        output.stderr.contains("the input ended within a case, which therefore has no judgement"),
        "{}",
        output.stderr
    );
    assert_eq!(workspace.ledger_entries("run", Some("review")).len(), 1);
    let output = review(&workspace, &["--sample", "4"], &"x".repeat(20_000));
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("an answer is longer than 16 KiB"), "{}", output.stderr);
    let output = workspace.understudy(&["review", "run", "--who", "an\na"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("--who contains a control character; write a name on one line"),
        "{}",
        output.stderr
    );
}

#[test]
fn reviews_match_the_ledger_or_are_absent() {
    let workspace = forty();
    assert_eq!(review(&workspace, &[], "model\n\n\nboth\n\n\n").code, 0);
    let path = workspace.path().join("run/reviews.jsonl");
    let whole = fs::read(&path).expect("judgements");
    let broken = || {
        let output = workspace.understudy(&["verify", "run"]);
        let broken: Vec<String> =
            output.stdout.lines().filter(|line| line.starts_with("BROKEN")).map(str::to_owned).collect();
        assert_eq!(output.code, i32::from(!broken.is_empty()), "{}", output.stdout);
        broken.join("\n")
    };
    assert_eq!(broken(), "");
    let cut = whole.split_inclusive(|byte| *byte == b'\n').next().expect("a line").to_vec();
    for other in [cut, Vec::new(), [&whole[..], b"{}\n"].concat(), whole.to_ascii_uppercase()] {
        fs::write(&path, other).expect("written");
        insta::allow_duplicates! {
            insta::assert_snapshot!(broken(), @"BROKEN     reviews.jsonl: it does not match the judgements in the ledger; remove the file, and the next review writes it again");
        }
    }
    fs::remove_file(&path).expect("removed");
    assert_eq!(broken(), "");
    assert_eq!(review(&workspace, &[], "unclear\n\n\n").code, 0);
    assert!(fs::read(&path).expect("made again").starts_with(&whole));
    assert_eq!(broken(), "");
}

#[test]
fn impossible_reviews_are_explained() {
    let workspace = TestWorkspace::small();
    let refused = |workspace: &TestWorkspace, arguments: &[&str]| {
        let output = review(workspace, arguments, "");
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        output.stderr
    };
    insta::assert_snapshot!(refused(&workspace, &[]), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    workspace.run(&[]);
    insta::assert_snapshot!(refused(&workspace, &["--model", "oracle"]), @r#"the study has no model "oracle"; it has echo"#);
    let same = fs::read_to_string(workspace.path().join("snapshots.jsonl"))
        .expect("snapshots")
        .replace("booked", "room");
    fs::remove_dir_all(workspace.path().join("run")).expect("the run");
    workspace.write("decisions.jsonl", same);
    workspace.run(&[]);
    insta::assert_snapshot!(refused(&workspace, &[]), @"nothing to review: echo and the substrate agree on all decided rows; a row is shown once its decision has arrived and its horizon is over");
    assert!(workspace.ledger_entries("run", Some("exposure")).is_empty());
}
