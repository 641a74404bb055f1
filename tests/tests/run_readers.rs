//! Common analysis tools read the files of a run directly.

use std::process::Command;

use serde_json::{Value, json};
use understudy_tests::external_programs::Requirement;
use understudy_tests::{TestWorkspace, root};

#[test]
fn duckdb_pandas_and_pyarrow_read_a_run() {
    if !Requirement::Python.is_available() {
        return;
    }
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect("checked above");
    let workspace = TestWorkspace::hotel();
    let script = root().join("tests/readers.py");
    let output =
        Command::new(python).arg(script).arg(workspace.path().join("run")).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(found["rows"], json!({ "snapshots": 15_402, "decisions": 15_402, "pairs": 15_402 }));
    assert_eq!(found["sql"], json!([12_293, 12_293, 15_402]));
    assert_eq!(found["pandas"], json!([12_293, 3_735, 15_402]));
    assert_eq!(found["joined"], Value::from(vec![15_402; 8]));
    assert_eq!(found["raw"], json!([15_402]));
}
