//! Exports of rows: only decided rows are exported, and the ledger records who saw them.

use std::fs::{self, File};
use std::process::Command;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Float64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use understudy_tests::TestWorkspace;
use understudy_tests::external_programs::Requirement;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::{column, open_rows, texts};

/// The exposures in the ledger of a run.
fn exposures(workspace: &TestWorkspace) -> Vec<Value> {
    workspace.ledger_entries("run", Some("exposure"))
}

fn parquet(workspace: &TestWorkspace, name: &str) -> RecordBatch {
    let file = File::open(workspace.path().join(name)).expect("the file was written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let batches: Vec<_> = reader.expect("Parquet").map(|batch| batch.expect("whole")).collect();
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

#[test]
fn a_csv_export_has_everything_known_about_a_row() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let output = workspace.understudy(&["export", "run", "--output", "rows.csv", "--who", "Ana"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(output.stderr, @"5 rows written to rows.csv and recorded in the ledger");
    insta::assert_snapshot!(fs::read_to_string(workspace.path().join("rows.csv")).expect("the file was written"), @r"
id,generation,observed_at,decided_at,window,condition.room,comparator.answer,comparator.unanswered,comparator.confidence,input.booked,input.nights,decision.room,model.echo.answer,model.echo.unanswered,model.echo.confidence,model.echo.agreement,model.echo.agreement.unscored
s1,0,2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,2026-03-01,a,a,,,a,1,a,a,,,1.0,
s2,0,2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,2026-03-02,b,a,,,b,2,a,b,,,0.0,
s3,0,2026-03-03T10:00:00Z,2026-03-03T11:00:00Z,2026-03-03,a,a,,,a,3,a,a,,,1.0,
s4,0,2026-03-04T10:00:00Z,2026-03-04T11:00:00Z,2026-03-04,other,c,,,c,4,c,c,,,1.0,
s5,0,2026-03-05T10:00:00Z,2026-03-05T11:00:00Z,2026-03-05,b,b,,,b,5,b,b,,,1.0,
");
    let [entry] = &exposures(&workspace)[..] else { panic!("one exposure") };
    assert_eq!(entry["who"], "Ana");
    assert_eq!(entry["command"], "export to rows.csv");
    assert_eq!((entry["rows"].as_u64(), entry["withheld"].as_u64()), (Some(5), Some(0)));
    // printf 's1\ns2\ns3\ns4\ns5\n' | sha256sum
    assert_eq!(entry["ids"], "f5dcb63e44f8439a22593c2663d784eca1774cfd2636a0908379b3159a227dea");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn the_hotel_parquet_export_reproduces_the_report() {
    let workspace = TestWorkspace::hotel();
    workspace.ok(&["export", "run", "--output", "rows.parquet"]);
    let rows = parquet(&workspace, "rows.parquet");
    assert_eq!(rows.num_rows(), 15_402);
    let scores = column(&rows, "model.booked-room.agreement");
    let scores = scores.as_primitive::<Float64Type>();
    assert_eq!(scores.values().iter().sum::<f64>(), 12_293.0);
    let days = arrow::compute::cast(&column(&rows, "condition.day"), &arrow::datatypes::DataType::Utf8)
        .expect("text");
    let weekend =
        days.as_string::<i32>().iter().zip(scores.values()).filter(|(day, _)| *day == Some("weekend"));
    assert_eq!(weekend.map(|(_, score)| score).sum::<f64>(), 3_735.0);
    let (booked, answered) =
        (texts(&rows, "input.reserved_room_type"), texts(&rows, "model.booked-room.answer"));
    assert_eq!(booked, answered);
}

#[test]
fn rankings_are_json_in_csv_exports() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("booked = \"text\"", "booked = \"json\""),
        (
            "config = { field = \"booked\", form = \"label\" }",
            "config = { field = \"booked\", form = \"ranking\" }",
        ),
        ("room = \"text\"", "room = \"json\""),
        ("form = \"label\" }", "form = \"ranking\" }"),
        ("agreement.wasm", "top_k_overlap.wasm"),
        ("name = \"agreement\"", "name = \"overlap\"\nconfig = { k = 2 }"),
        ("[[conditions]]\nname = \"room\"\nfield = \"booked\"\nvalues = [\"a\", \"b\"]\n", ""),
    ]);
    workspace.write_lines(
        "snapshots.jsonl",
        [r#"{"id":"s1","at":"2026-03-01T10:00:00Z","booked":["a","b \"x\""],"nights":1}"#],
    );
    workspace.write_lines("decisions.jsonl", [r#"{"id":"s1","at":"2026-03-01T11:00:00Z","room":["a","c"]}"#]);
    workspace.run(&[]);
    workspace.ok(&["export", "run", "--output", "rows.csv"]);
    insta::assert_snapshot!(fs::read_to_string(workspace.path().join("rows.csv")).expect("the file was written"), @r#"
id,generation,observed_at,decided_at,window,comparator.answer,comparator.unanswered,comparator.confidence,input.booked,input.nights,decision.room,model.echo.answer,model.echo.unanswered,model.echo.confidence,model.echo.overlap,model.echo.overlap.unscored
s1,0,2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,2026-03-01,"[""a"",""c""]",,,"[""a"",""b \""x\""""]",1,"[""a"",""c""]","[""a"",""b \""x\""""]",,,0.5,
"#);
}

#[test]
fn rows_printed_to_the_terminal_are_recorded_as_exposure() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let output = workspace.understudy(&["log", "run", "--rows", "3", "--who", "Ben"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @"
    id  observed at          decided  echo  agreement
    s3  2026-03-03 10:00:00  a        a     1.0
    s4  2026-03-04 10:00:00  c        c     1.0
    s5  2026-03-05 10:00:00  b        b     1.0
    ");
    let output = workspace.understudy(&["log", "run", "--id", "s2", "--who", "Ben"]);
    insta::assert_snapshot!(output.stdout, @"
    id  observed at          decided  echo  agreement
    s2  2026-03-02 10:00:00  a        b     0.0
    ");
    let shown: Vec<_> =
        exposures(&workspace).iter().map(|entry| (entry["command"].clone(), entry["rows"].clone())).collect();
    assert_eq!(shown, [("log".into(), 3.into()), ("log".into(), 1.into())]);
    let output = workspace.understudy(&["log", "run", "--id", "nobody"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(output.stderr, @"no decided row has such an id; a row is shown after its decision has arrived and its horizon has passed");
    assert_eq!(exposures(&workspace).len(), 2, "who was shown nothing was shown nothing");
}

#[test]
fn undecided_rows_are_never_exported() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let decisions = fs::read_to_string(workspace.path().join("decisions.jsonl")).expect("decisions");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    // Decisions of days one to four. The clock of the fourth day minus horizon and lateness is the second
    // day, so only s1 is past its horizon, although s4 has its decision.
    running.feed(decisions.lines().take(4).map(|line| line.to_owned() + "\n").collect::<String>());
    wait_until("all that can be is in the log", || {
        ["snapshots", "decisions", "pairs"].map(|table| open_rows(&workspace.path().join("run"), table))
            == [5, 4, 4]
    });
    let live = workspace.ok(&["export", "run", "--output", "live.csv", "--who", "Ana"]);
    insta::assert_snapshot!(live.stderr, @"
    2 rows written to live.csv and recorded in the ledger
    3 snapshots omitted: no decision yet, or the horizon has not passed
    ");
    let ids = |name: &str| {
        let text = fs::read_to_string(workspace.path().join(name)).expect("the file was written");
        text.lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("live.csv"), ["s1", "s2"]);
    running.signal("TERM");
    running.wait_with_output();
    let stopped = workspace.understudy(&["log", "run", "--who", "Ana"]);
    assert_eq!(stopped.stdout.lines().count(), 3, "a stopped run can go on: {}", stopped.stdout);
    let recorded = exposures(&workspace);
    assert_eq!(
        recorded.iter().map(|entry| entry["withheld"].as_u64()).collect::<Vec<_>>(),
        [Some(3), Some(3)]
    );
}

#[test]
fn nothing_is_exported_if_the_exposure_cannot_be_recorded() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let output = workspace.run_isolated(
        "mount --bind run run && mount -o remount,bind,ro run && $UNDERSTUDY export run --output rows.csv --who Ana",
    );
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"nothing is shown, because the exposure cannot be recorded: cannot open run/ledger.jsonl: Read-only file system (os error 30)");
    let output = workspace.run_isolated(
        "mount --bind run run && mount -o remount,bind,ro run && $UNDERSTUDY log run --who Ana",
    );
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    let left: Vec<_> = fs::read_dir(workspace.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("rows"))
        .collect();
    assert_eq!(left, [] as [String; 0]);
}

#[test]
fn impossible_exports_are_explained() {
    let workspace = TestWorkspace::small();
    let error_of = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        output.stderr
    };
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "rows.csv"]), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    workspace.run(&[]);
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "rows.xlsx"]), @"cannot export to rows.xlsx: unknown file extension; use .parquet or .csv");
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "study.toml"]), @"cannot export to study.toml: unknown file extension; use .parquet or .csv");
    workspace.write("rows.csv", "mine");
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "rows.csv"]), @"rows.csv exists already; choose another file");
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "none/rows.csv"]), @"cannot write none/rows.csv: No such file or directory (os error 2)");
    insta::assert_snapshot!(error_of(&["export", "run", "--output", "new.csv", "--who", " "]), @"--who is empty; write a name, which the ledger records");
    insta::assert_snapshot!(error_of(&["note", "run", " "]), @"the note is empty, and notes cannot be removed; write its text");
    insta::assert_snapshot!(error_of(&["note", "nowhere", "x"]), @"nowhere holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    assert_eq!(exposures(&workspace).len(), 0);
}

#[test]
fn the_default_viewer_is_the_login_name() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let log = |set: &dyn Fn(&mut Command)| {
        let mut command = workspace.command(&["log", "run"]);
        command.env_remove("USER").env_remove("LOGNAME");
        set(&mut command);
        assert!(command.output().expect("it can be started").status.success());
    };
    log(&|command| {
        command.env("USER", "carla");
    });
    log(&|command| {
        command.env("LOGNAME", "dario");
    });
    log(&|_| ());
    let recorded = exposures(&workspace);
    let who: Vec<_> = recorded.iter().map(|entry| entry["who"].as_str().expect("a name")).collect();
    assert_eq!(who[..2], ["carla", "dario"]);
    assert!(who[2].starts_with("user "), "{}", who[2]);
}

/// Texts that a spreadsheet would read as formulas, and others that a CSV has to quote.
const TEXTS: [&str; 12] =
    ["=1+1", "+49", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'a", "-5", "a,b", "a \"b\"\nc", "", "plain"];

#[test]
fn python_reads_a_csv_export_back_with_and_without_the_spreadsheet_form() {
    if !Requirement::Python.is_available() {
        return;
    }
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect("checked above");
    let workspace = TestWorkspace::small();
    let line = |(at, text): (usize, &&str)| {
        let text = serde_json::to_string(text).expect("text can be JSON");
        format!(
            r#"{{"id":"s{at:02}","at":"2026-03-01T10:{at:02}:00Z","booked":{text},"nights":{}}}"#,
            -(at as i64)
        )
    };
    workspace.write_lines("snapshots.jsonl", TEXTS.iter().enumerate().map(line));
    let line = |at: usize| format!(r#"{{"id":"s{at:02}","at":"2026-03-01T11:{at:02}:00Z","room":"a"}}"#);
    workspace.write_lines("decisions.jsonl", (0..TEXTS.len()).map(line));
    workspace.run(&[]);
    let script = "import csv, json, sys\n\
                  rows = list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))\n\
                  print(json.dumps([[row['input.booked'], row['input.nights']] for row in rows]))";
    let cells = |name: &str, options: &[&str]| -> Vec<[String; 2]> {
        workspace.ok(&[&["export", "run", "--output", name], options].concat());
        let path = workspace.path().join(name);
        let output = Command::new(&python).args(["-c", script]).arg(path).output().expect("Python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("it prints JSON")
    };
    let exact = cells("exact.csv", &[]);
    assert_eq!(exact.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), TEXTS);
    let safe = cells("safe.csv", &["--spreadsheet"]);
    for ([text, nights], (at, expected)) in safe.iter().zip(TEXTS.iter().enumerate()) {
        assert!(!text.starts_with(['=', '+', '@', '\t', '\r']) && !text.starts_with("-2+"), "{text:?}");
        assert_eq!(text.strip_prefix('\'').unwrap_or(text), *expected);
        assert_eq!(*nights, format!("{}", -(at as i64)));
    }
    // A null and an empty text.
    let text = fs::read_to_string(workspace.path().join("exact.csv")).expect("the file was written");
    assert!(text.contains(",\"\",-10,a,\"\",,,0.0,\n"), "{text}");
    let output = workspace.understudy(&["export", "run", "--output", "rows.parquet", "--spreadsheet"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!(output.stderr, @"cannot export to rows.parquet for a spreadsheet: --spreadsheet needs a .csv file");
}
