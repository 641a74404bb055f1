//! CSV and Parquet as sources: the same figures as JSON Lines, bad cells, and a run that is killed.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::{excluded_rows, open_rows};
use understudy_tests::{TestWorkspace, account, deterministic_part};

/// The rows of each stream.
const ROWS: usize = 20_000;

/// Id, time, text and number of a row. Numbers have more digits than a float keeps.
fn row(at: usize) -> [String; 4] {
    let time = format!("2026-03-{:02}T{:02}:{:02}:00Z", 1 + at / 1440, at / 60 % 24, at % 60);
    let room = ["a", "b, the \"large\" one", "c"][at % 3].to_owned();
    [format!("s{at}"), time, room, (at * 7919 % 1000).to_string()]
}

const STREAMS: [(&str, [&str; 4]); 2] =
    [("snapshots", ["id", "at", "booked", "nights"]), ("decisions", ["id", "at", "room", "floor"])];

/// The small study over feeds of one format.
fn workspace(ending: &str) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    for (stream, keys) in STREAMS {
        let name = format!("{stream}.{ending}");
        if ending == "jsonl" {
            workspace.write_lines(
                &name,
                (0..ROWS).map(|at| {
                    let [id, time, room, number] = row(at);
                    format!(
                        "{{\"{}\":\"{id}\",\"{}\":\"{time}\",\"{}\":{room:?},\"{}\":{number}}}",
                        keys[0], keys[1], keys[2], keys[3]
                    )
                }),
            );
        } else if ending == "csv" {
            let rows = (0..ROWS).map(|at| {
                let [id, time, room, number] = row(at);
                format!("{id},{time},\"{}\",{number}", room.replace('"', "\"\""))
            });
            workspace.write_lines(&name, std::iter::once(keys.join(",")).chain(rows));
        } else {
            let texts = |column: usize| -> ArrayRef {
                Arc::new(StringArray::from_iter_values((0..ROWS).map(|at| row(at)[column].clone())))
            };
            let numbers = (0..ROWS).map(|at| row(at)[3].parse().expect("a number"));
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
            let columns = [(keys[0], texts(0)), (keys[1], texts(1)), (keys[2], texts(2)), (keys[3], numbers)];
            let batch = RecordBatch::try_from_iter(columns).expect("columns of equal length");
            let properties = WriterProperties::builder().set_max_row_group_row_count(Some(3000)).build();
            let file = File::create(workspace.path().join(&name)).expect("a file");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
            writer.write(&batch).expect("the disk has room");
            writer.close().expect("the disk has room");
        }
        if ending != "jsonl" {
            workspace.edit_study(&[(&format!("\"{stream}.jsonl\""), &format!("\"{name}\""))]);
        }
    }
    workspace
}

/// What a report says of the records, which must not depend on the format.
fn summary(report: &Value) -> Value {
    let mut summary = deterministic_part(report);
    summary.as_object_mut().expect("a report is an object").remove("declaration-digest");
    summary
}

#[test]
fn figures_do_not_depend_on_the_format_of_the_feeds() {
    let lines = summary(&workspace("jsonl").run(&[]));
    assert_eq!(account(&lines, "snapshots"), [("received", ROWS as u64), ("paired", ROWS as u64)]);
    for ending in ["csv", "parquet"] {
        let workspace = workspace(ending);
        workspace.ok(&["check", "study.toml"]);
        assert_eq!(summary(&workspace.run(&[])), lines, "{ending}");
        workspace.ok(&["verify", "run"]);
    }
}

#[test]
fn a_run_of_a_table_resumes_after_it_was_killed() {
    for ending in ["csv", "parquet"] {
        let workspace = workspace(ending);
        workspace.ok(&["run", "study.toml", "--run", "plain"]);
        let run = workspace.path().join("run");
        let mut kills = 0;
        while kills < 5 {
            let arguments = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];
            let before = open_rows(&run, "snapshots");
            let mut running = TestProcess::start(workspace.command(&arguments));
            wait_until("more rows are in the log", || open_rows(&run, "snapshots") > before + 100);
            running.kill();
            kills += 1;
        }
        let resumed = workspace.ok(&["run", "study.toml", "--run", "run"]);
        assert!(resumed.stderr.contains("it resumes after"), "{ending}: {}", resumed.stderr);
        assert_eq!(summary(&workspace.report("run")), summary(&workspace.report("plain")), "{ending}");
        workspace.ok(&["verify", "run"]);
    }
}

#[test]
fn a_changed_table_is_not_resumed() {
    let workspace = workspace("csv");
    let run = workspace.path().join("run");
    let arguments = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];
    let mut running = TestProcess::start(workspace.command(&arguments));
    wait_until("rows are in the log", || open_rows(&run, "snapshots") > 100);
    running.kill();
    let path = workspace.path().join("snapshots.csv");
    let text = fs::read_to_string(&path)
        .expect("the table")
        .replace(",\"c\",", ",\"d\",")
        .replace(",\"a\",", ",\"d\",");
    fs::write(&path, text.replace("large", "small")).expect("the table can be written");
    let output = workspace.understudy(&arguments);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("is not the record that was read before"), "{}", output.stderr);
}

#[test]
fn a_bad_cell_is_kept_with_its_row_and_column() {
    let workspace = TestWorkspace::small();
    let table = "id,at,booked,nights\n\
                 s1,2026-03-01T10:00:00Z,a,1\n\
                 s2,2026-03-02T10:00:00Z,b,two\n\
                 s3,2026-03-03T10:00:00Z,a\n\
                 s4,2026-03-04,c,4\n\
                 s5,2026-03-05T10:00:00Z,b,\n";
    workspace.write("snapshots.csv", table);
    workspace.edit_study(&[("\"snapshots.jsonl\"", "\"snapshots.csv\"")]);
    let report = workspace.run(&[]);
    assert_eq!(account(&report, "snapshots"), [("received", 5), ("rejected", 3), ("paired", 2)]);
    let excluded = excluded_rows(&workspace.path().join("run"));
    let shown: Vec<String> = excluded
        .iter()
        .map(|row| format!("{}: {} <- {}", row.line, row.detail, String::from_utf8_lossy(&row.raw)))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    3: column 4 `nights`: expected an integer, found "two" <- {"id":"s2","at":"2026-03-02T10:00:00Z","booked":"b","nights":"two"}
    4: the row has 3 cells, and the header 4; put quotes around a cell with a comma, a quote or a line break <- s3,2026-03-03T10:00:00Z,a
    5: field `at`: "2026-03-04" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z" <- {"id":"s4","at":"2026-03-04","booked":"c","nights":4}
    "#);
}

#[test]
fn a_table_without_the_columns_of_the_study_is_refused_before_the_run() {
    let workspace = TestWorkspace::small();
    workspace.write("snapshots.csv", "key,at\n1,2026-03-01T10:00:00Z\n");
    workspace.write("decisions.csv", "id;at;room\n");
    workspace.edit_study(&[
        ("\"snapshots.jsonl\"", "\"snapshots.csv\""),
        ("\"decisions.jsonl\"", "\"decisions.csv\""),
    ]);
    let refused = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_eq!(output.code, 1);
        output.stderr
    };
    insta::assert_snapshot!(refused(&["check", "study.toml"]), @r#"
    study.toml:21: cannot read snapshots.csv: it has no column "id", which the study declares as the key of the id; its columns are "key", "at"
    study.toml:22: cannot read decisions.csv: its columns are separated by semicolons; separate them by commas, and write numbers with a decimal point
    "#);
    let run = refused(&["run", "study.toml", "--run", "run"]);
    insta::assert_snapshot!(run, @r#"cannot read snapshots.csv: it has no column "id", which the study declares as the key of the id; its columns are "key", "at""#);
    assert!(!workspace.path().join("run").exists());
}

#[test]
fn a_table_out_of_order_is_sorted_into_json_lines() {
    let workspace = TestWorkspace::small();
    let table = "id,at,booked,nights\n\
                 s9,2026-06-01T10:00:00Z,\"a\nb\",1\n\
                 s8,2026-06-03T10:00:00Z,a,1\n\
                 s7,2026-06-03T11:00:00Z,a,1\n\
                 s1,2026-03-01T10:00:00Z,a,1\n\
                 s2,2026-03-02T10:00:00Z,b,2\n";
    workspace.write("snapshots.csv", table);
    workspace.edit_study(&[("\"snapshots.jsonl\"", "\"snapshots.csv\"")]);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    workspace.ok(&["sort", "study.toml", "--stream", "snapshots", "--output", "sorted.jsonl"]);
    let sorted = fs::read_to_string(workspace.path().join("sorted.jsonl")).expect("it was written");
    insta::assert_snapshot!(sorted, @r#"
    {"id":"s1","at":"2026-03-01T10:00:00Z","booked":"a","nights":1}
    {"id":"s2","at":"2026-03-02T10:00:00Z","booked":"b","nights":2}
    {"id":"s9","at":"2026-06-01T10:00:00Z","booked":"a\nb","nights":1}
    {"id":"s8","at":"2026-06-03T10:00:00Z","booked":"a","nights":1}
    {"id":"s7","at":"2026-06-03T11:00:00Z","booked":"a","nights":1}
    "#);
    let refused =
        workspace.understudy(&["sort", "study.toml", "--stream", "snapshots", "--output", "sorted.csv"]);
    insta::assert_snapshot!(refused.stderr, @"cannot write sorted.csv: sorted records are JSON Lines; end the name of --output in .jsonl");
}
