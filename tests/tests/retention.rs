//! What a study keeps for a time only: the snapshots' own text and fields go, all else stays and stays verified.

use std::fs;
use std::path::Path;

use serde_json::Value;
use understudy_tests::process::until;
use understudy_tests::tables::{sealed, segments};
use understudy_tests::{Bench, essence, synthetic};

/// The names of the columns of the snapshots.
fn columns(run: &Path) -> Vec<String> {
    let rows = sealed(run, "snapshots").expect("rows");
    rows.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// The small study, which keeps its snapshots for a second.
fn brief() -> Bench {
    let bench = Bench::small();
    bench.change(&[("every = \"day\"\n", "every = \"day\"\n\n[log]\nretain = \"1s\"\n")]);
    bench
}

/// Drops what is due, once something is.
fn retain(bench: &Bench) -> String {
    let mut said = String::new();
    until("something is due", || {
        let now = bench.understudy(&["retain", "run"]);
        assert_eq!((now.code, now.err.as_str()), (0, ""));
        said = now.out;
        said != "nothing is due\n"
    });
    said
}

#[test]
fn fields_go_and_answers_and_scores_stay() {
    let bench = brief();
    let before = bench.run(&[]);
    let run = bench.path().join("run");
    let whole = columns(&run);
    insta::assert_snapshot!(retain(&bench), @"1 segment has lost its snapshots' own text and fields; the ledger says so");
    let left = columns(&run);
    insta::assert_snapshot!(left.join(" "), @"sequence generation line offset id observed_at digest model.echo.answer model.echo.unanswered model.echo.confidence model.echo.nanos");
    let [entry] = &bench.ledger("run", Some("reduced"))[..] else { panic!("one segment was reduced") };
    let dropped: Vec<_> =
        entry["dropped"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(dropped, ["input.booked", "input.nights", "raw"]);
    assert_eq!(whole.len(), left.len() + dropped.len());
    assert_eq!(bench.understudy(&["retain", "run"]).out, "nothing is due\n");

    let verified = bench.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    let figures =
        verified.out.lines().find(|line| line.starts_with("figures")).expect("the figures are checked");
    insta::assert_snapshot!(figures, @"figures    the sums of 5 windows come out of the scores of 5 pairs again, bit for bit; report.json too. The pairs are not made again: the fields of 1 segment were dropped, as the study declares");
    let json = bench.understudy(&["report", "run", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.out).expect("JSON")["report"], before);
    let replayed = bench.understudy(&["replay", "run"]);
    assert_eq!(replayed.code, 0);
    insta::assert_snapshot!(format!("{}{}", replayed.out, replayed.err), @"
    echo: of 0 rows 0 differ
    5 snapshots were not replayed: their fields were dropped, as the study declares
    ");
    insta::assert_snapshot!(bench.understudy(&["export", "run", "--output", "rows.csv"]).err, @"run has lost the fields of its snapshots in 1 of its segments, as its study declares with `log.retain`, so they can neither be shown nor be handed to other plugins");
}

#[test]
fn an_interrupted_exchange_is_brought_to_its_end_or_undone() {
    let bench = brief();
    bench.run(&[]);
    let path = bench.path().join("run/snapshots/000000.parquet");
    let beside = path.with_extension("parquet.reduced");
    let whole = fs::read(&path).expect("a sealed segment");
    // Cut off before the ledger told of it.
    fs::write(&beside, "half of it").expect("written");
    retain(&bench);
    assert!(!beside.exists());
    let reduced = fs::read(&path).expect("a sealed segment");
    assert_ne!(reduced, whole);
    // Cut off after that.
    fs::write(&beside, &reduced).expect("written");
    fs::write(&path, &whole).expect("written");
    assert_eq!(bench.understudy(&["verify", "run"]).code, 1);
    assert_eq!(bench.understudy(&["retain", "run"]).out, "nothing is due\n");
    assert_eq!((fs::read(&path).expect("a sealed segment"), beside.exists()), (reduced, false));
    assert_eq!(bench.understudy(&["verify", "run"]).code, 0);
}

#[test]
fn a_changed_score_shows_though_fields_are_gone() {
    let bench = brief();
    bench.run(&[]);
    retain(&bench);
    let run = bench.path().join("run");
    // Whoever changes the checkpoint and makes its digest and the ledger anew is found by the scores: here the sums are
    // those of another run of the same study.
    let other = brief();
    let decisions = fs::read_to_string(other.path().join("decisions.jsonl")).expect("decisions");
    other.write("decisions.jsonl", decisions.replace("\"room\":\"c\"", "\"room\":\"a\""));
    other.run(&[]);
    for file in segments(&other.path().join("run"), "pairs", "parquet") {
        let name = file.file_name().expect("a name");
        fs::copy(&file, run.join("pairs").join(name)).expect("copied");
    }
    let found = bench.understudy(&["verify", "run"]);
    assert_eq!(found.code, 1);
    assert!(found.out.contains("pairs/000000.parquet"), "{}", found.out);
}

#[test]
fn a_run_drops_by_itself_what_is_due_and_can_matter_no_more() {
    let figures = |retain: &str| {
        let bench = synthetic::bench(60_000);
        let log = format!("every = \"day\"\n\n[log]\nsegment-rows = 4096\n{retain}");
        bench.change(&[("every = \"day\"\n", &log)]);
        let report = bench.run(&["--batch-rows", "64"]);
        (bench, report)
    };
    let (_, whole) = figures("");
    let (bench, report) = figures("retain = \"1s\"\n");
    let without = |report: &Value| {
        let mut report = essence(report);
        report.as_object_mut().expect("a report is an object").remove("declaration");
        report
    };
    assert_eq!(without(&report), without(&whole));
    let verified = bench.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
}

#[test]
fn what_is_kept_for_ever_is_said_to_be() {
    let bench = Bench::small();
    bench.run(&[]);
    let said = bench.understudy(&["retain", "run"]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @"the study of run keeps its snapshots for ever: it declares no `log.retain`");
}
