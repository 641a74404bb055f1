//! What a run leaves can be read: by the program again, and by what analysts have.

use std::process::Command;

use serde_json::{Value, json};
use understudy_tests::{Bench, root};

/// Runs the hotel's rooms study. What it said on standard output.
fn rooms(bench: &Bench) -> String {
    let study = root().join("examples/hotel/rooms.toml");
    let said = bench.understudy(&["run", study.to_str().expect("a path in UTF-8"), "--run", "run"]);
    assert_eq!(said.code, 0, "{}", said.err);
    said.out
}

#[test]
fn the_report_is_printed_again_as_it_was() {
    let bench = Bench::new();
    let first = rooms(&bench);
    let again = bench.understudy(&["report", "run"]);
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (0, first.as_str(), ""));
    let json = bench.understudy(&["report", "run", "--format", "json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(printed, bench.report("run"));
}

#[test]
fn the_report_needs_neither_the_study_nor_its_plugins() {
    let bench = Bench::small();
    bench.write(
        "echo.wasm",
        std::fs::read(understudy_tests::plugin("recorded")).expect("the plugin is there"),
    );
    bench.change(&[("PLUGINS/recorded.wasm", "echo.wasm")]);
    bench.run(&[]);
    let elsewhere = Bench::new();
    std::fs::rename(bench.path().join("run"), elsewhere.path().join("moved")).expect("it can be moved");
    let before = elsewhere.report("moved");
    drop(bench);
    let json = elsewhere.understudy(&["report", "moved", "--format", "json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&json.out).expect("it is JSON"), before);
}

#[test]
fn a_report_of_what_is_no_run() {
    let bench = Bench::small();
    let refused = |run: &str| {
        let said = bench.understudy(&["report", run]);
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        said.err
    };
    insta::assert_snapshot!(refused("run"), @"cannot read run/checkpoint.bin; name a run directory whose run has ended: No such file or directory (os error 2)");
    insta::assert_snapshot!(refused("."), @"cannot read ./checkpoint.bin; name a run directory whose run has ended: No such file or directory (os error 2)");
    bench.run(&[]);
    let checkpoint = bench.path().join("run/checkpoint.bin");
    let mut bytes = std::fs::read(&checkpoint).expect("a run leaves it");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    std::fs::write(&checkpoint, &bytes).expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is damaged: its digest does not match");
    std::fs::write(&checkpoint, "something else").expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is not a checkpoint of this version of understudy");
}

#[test]
fn pyarrow_pandas_and_duckdb_read_the_log_as_it_stands() {
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect(
        "UNDERSTUDY_PYTHON names a Python with tests/requirements.txt: run the tests with `cargo xtask test`, which sets it",
    );
    let bench = Bench::new();
    rooms(&bench);
    let script = root().join("tests/readers.py");
    let output =
        Command::new(python).arg(script).arg(bench.path().join("run")).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(found["rows"], json!({ "snapshots": 15_402, "decisions": 15_402, "pairs": 15_402 }));
    assert_eq!(found["sql"], json!([12_293, 12_293, 15_402]));
    assert_eq!(found["pandas"], json!([12_293, 3_735, 15_402]));
    assert_eq!(found["joined"], Value::from(vec![15_402; 8]));
    assert_eq!(found["raw"], json!([15_402]));
}
