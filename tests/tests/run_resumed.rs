//! A run that was stopped goes on where its log ends: after a full disk was cleared, and with sources that have grown
//! since. A source that is another one is refused.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use understudy_tests::process::{Running, until};
use understudy_tests::rough::{agree, bench, whole};
use understudy_tests::tables::open_rows;
use understudy_tests::{Bench, Said, account, essence};

const COMMAND: [&str; 4] = ["run", "study.toml", "--run", "run"];

#[test]
fn a_disk_that_was_full_again_and_again() {
    let (bench, records) = bench(20_000);
    let said = bench.understudy(&["run", "study.toml", "--run", "plain"]);
    assert_eq!(said.code, 0, "{}", said.err);
    // What is on the small disk goes with it, so it is copied.
    let said = bench.isolated(
        "mkdir disk && mount -t tmpfs -o size=100k none disk
        for size in 100 300 500 700 900 1100 1300 1500 1700 1900 2100 2300 2500 2700 2900 3200 3500 65536; do
            mount -o remount,size=${size}k disk
            $UNDERSTUDY run study.toml --run disk/run >/dev/null; code=$?
            test $code = 0 && break
        done
        cp -R disk/run run; exit $code",
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let full: Vec<&str> = said.err.lines().filter(|line| line.contains("No space left on device")).collect();
    assert!(full.len() > 8, "it was full in many places: {}", said.err);
    for line in full {
        assert!(line.contains("; free some space, or choose another directory with --run"), "{line}");
    }
    assert!(said.err.contains("disk/run holds a run that was cut off: it goes on after"), "{}", said.err);
    agree(&bench, "run", "plain", records);
    whole(&bench, "run");
}

/// Lines of a file, from one to another, counted from 1.
fn lines(text: &str, from: usize, to: usize) -> String {
    text.split_inclusive('\n').skip(from - 1).take(to + 1 - from).collect()
}

/// The small study, whose snapshots come through standard input; they and the decisions.
fn piped() -> (Bench, [String; 2]) {
    let bench = Bench::small();
    let read = |name: &str| fs::read_to_string(bench.path().join(name)).expect("the small study has both");
    let texts = [read("snapshots.jsonl"), read("decisions.jsonl")];
    bench.change(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    (bench, texts)
}

/// Runs with these snapshots on standard input, until so many snapshots and decisions are in the log; then stops it.
fn stop_after(bench: &Bench, snapshots: &str, rows: [usize; 2]) -> Said {
    let mut running = Running::start(bench.command(&COMMAND));
    running.feed(snapshots);
    let run = bench.path().join("run");
    until("all that can be is in the log", || {
        ["snapshots", "decisions"].map(|table| open_rows(&run, table)) == rows
    });
    running.signal("INT");
    let said = bench.nameless(running.said());
    assert_eq!(said.code, 130, "{}", said.err);
    said
}

/// Runs with these snapshots on standard input to its end.
fn to_the_end(bench: &Bench, snapshots: &str) -> Said {
    let mut running = Running::start(bench.command(&COMMAND));
    running.feed(snapshots);
    running.hang_up();
    bench.nameless(running.said())
}

#[test]
fn a_file_that_has_grown_is_read_on() {
    let (undisturbed, [snapshots, decisions]) = piped();
    assert_eq!(to_the_end(&undisturbed, &snapshots).code, 0);

    let (bench, _) = piped();
    bench.write("decisions.jsonl", lines(&decisions, 1, 2));
    stop_after(&bench, &lines(&snapshots, 1, 3), [3, 2]);
    assert_eq!(account(&bench.report("run"), "decisions"), [("received", 2), ("paired", 2)]);
    bench.write("decisions.jsonl", lines(&decisions, 1, 4));
    let said = stop_after(&bench, &lines(&snapshots, 4, 4), [1, 2]);
    insta::assert_snapshot!(said.err, @"
    run holds a run that was stopped: it goes on after 3 snapshots and 2 decisions
    written to run
    ");
    bench.write("decisions.jsonl", &decisions);
    let said = to_the_end(&bench, &lines(&snapshots, 5, 5));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(essence(&bench.report("run")), essence(&undisturbed.report("run")));
}

#[test]
fn a_line_that_was_read_before_it_was_written_to_its_end_is_read_anew() {
    let (bench, [snapshots, decisions]) = piped();
    for written in [lines(&decisions, 1, 2).len() + 1, lines(&decisions, 1, 3).len() - 2] {
        let (bench, _) = piped();
        bench.write("decisions.jsonl", &decisions[..written]);
        stop_after(&bench, &lines(&snapshots, 1, 3), [3, 2]);
        bench.write("decisions.jsonl", &decisions);
        let said = to_the_end(&bench, &lines(&snapshots, 4, 5));
        assert_eq!(said.code, 0, "{}", said.err);
        let report = bench.report("run");
        assert_eq!(account(&report, "snapshots"), [("received", 5), ("paired", 5)]);
        assert_eq!(account(&report, "decisions"), [("received", 6), ("rejected", 1), ("paired", 5)]);
    }
    // Without its line feed it was whole.
    bench.write("decisions.jsonl", lines(&decisions, 1, 3).trim_end());
    stop_after(&bench, &lines(&snapshots, 1, 3), [3, 3]);
    bench.write("decisions.jsonl", &decisions);
    assert_eq!(to_the_end(&bench, &lines(&snapshots, 4, 5)).code, 0);
    assert_eq!(account(&bench.report("run"), "decisions"), [("received", 5), ("paired", 5)]);
}

#[test]
fn a_compressed_file_that_was_still_being_written() {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(text.as_bytes()).expect("a vector takes all");
        encoder.finish().expect("a vector takes all")
    };
    let undisturbed = Bench::small();
    let plain = essence(&undisturbed.run(&[]));
    let bench = Bench::small();
    let whole = gzip(&fs::read_to_string(bench.path().join("snapshots.jsonl")).expect("it has snapshots"));
    for part in [whole.len() / 3, whole.len() / 2, whole.len() - 4] {
        bench.write("snapshots.jsonl", &whole[..part]);
        let said = bench.understudy(&COMMAND);
        assert_eq!(said.code, 3, "{}", said.err);
    }
    bench.write("snapshots.jsonl", &whole);
    let said = bench.understudy(&COMMAND);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(essence(&bench.report("run")), plain);
}

#[test]
fn a_file_that_was_replaced_is_refused() {
    let (bench, [snapshots, decisions]) = piped();
    bench.write("decisions.jsonl", lines(&decisions, 1, 3));
    stop_after(&bench, &lines(&snapshots, 1, 3), [3, 3]);
    let report = bench.report("run");
    let refused = |text: String| {
        bench.write("decisions.jsonl", text);
        let said = to_the_end(&bench, "");
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
        assert_eq!(bench.report("run"), report, "what was written stays");
        said.err
    };
    let others = [
        // Another record in its place, the same lines elsewhere, and less than was read.
        decisions.replace("\"s3\"", "\"x3\""),
        format!("\n{decisions}"),
        lines(&decisions, 1, 2),
        String::new(),
    ];
    for other in others {
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused(other), @"cannot resume decisions.jsonl: line 3 is not the record that was read before; restore that file, to which lines may have been appended, or start a new run with --run");
        }
    }
    bench.write("decisions.jsonl", &decisions);
    let said = to_the_end(&bench, &lines(&snapshots, 4, 5));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(account(&bench.report("run"), "decisions"), [("received", 5), ("paired", 5)]);
}
