//! Streams with excluded records, failing models and snapshots without a decision, and the properties that
//! the log of a run over them must have, even if the run was interrupted.

use std::fs;
use std::path::Path;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{SortColumn, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::UInt64Type;
use serde_json::Value;

use crate::synthetic;
use crate::tables::{column, sealed, texts};
use crate::{TestWorkspace, deterministic_part};

/// Number of records per stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordCounts {
    /// Number of snapshots.
    pub snapshots: u64,
    /// Number of decisions.
    pub decisions: u64,
}

/// A workspace with the synthetic study and about `rows` messy snapshots and decisions. A second model panics
/// on some. Segments are small and sealed often.
pub fn workspace(rows: u64) -> (TestWorkspace, RecordCounts) {
    let workspace = synthetic::workspace(rows);
    workspace.edit_study(&[
        ("zone = \"text\"\ncarrier", "zone = \"text\"\ntext = \"text\"\ncarrier"),
        ("horizon = \"15m\"", "horizon = \"6m\""),
        ("[comparator]", EVIL),
        ("[windows]", "[log]\nsegment-rows = 500\nseal-every = \"200ms\"\n\n[windows]"),
    ]);
    let read = |name: &str| fs::read_to_string(workspace.path().join(name)).expect("it was written");
    let snapshots = make_messy(&read("snapshots.jsonl"), "snapshot");
    let decisions = make_messy(&read("decisions.jsonl"), "decision");
    let count = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
    let records = RecordCounts { snapshots: count(&snapshots), decisions: count(&decisions) };
    workspace.write("snapshots.jsonl", format!("\u{feff}{snapshots}"));
    workspace.write("decisions.jsonl", decisions);
    (workspace, records)
}

const EVIL: &str = r#"[[models]]
name = "evil"
plugin = "PLUGINS/guests/evil.wasm"
grant = ["text"]
config = { on = "bad", do = "panic" }

[comparator]"#;

/// Adds records that are excluded for each reason and blank lines, and drops some records.
fn make_messy(text: &str, stream: &str) -> String {
    let mut rough = String::with_capacity(text.len() * 5 / 4);
    for (row, line) in text.lines().enumerate() {
        if stream == "decision" && row % 50 == 7 {
            continue;
        }
        let line = match (stream, row % 400) {
            ("snapshot", 3) => line.replace("\"carrier\"", "\"text\":\"bad\",\"carrier\""),
            ("snapshot", _) => line.replace("\"carrier\"", "\"text\":\"good\",\"carrier\""),
            // The comparator abstains.
            (_, 9) => line.replace("\"zone\":", "\"area\":"),
            _ => line.to_owned(),
        };
        let mut push = |line: &str| {
            rough.push_str(line);
            rough.push('\n');
        };
        push(&line);
        if row % 97 == 13 {
            push(&line[..line.len() / 2]);
        }
        if row % 101 == 17 {
            push(&line);
        }
        if row % 103 == 19 {
            push(&line.replace("\"zone\":\"", "\"zone\":\"another-"));
        }
        // Ahead of its neighbours by months. A file has no late records: they would end the run.
        if row % 107 == 23 {
            push(&format!(
                r#"{{"id":"ahead-{row}","at":"2026-09-01T00:00:00Z","zone":"gate","text":"good"}}"#
            ));
        }
        if row % 109 == 29 {
            push(" ");
        }
    }
    rough
}

/// Checks that the log of `run` has every record and every pair once, and equals the log of `plain`, an
/// undisturbed run.
pub fn assert_same_log(workspace: &TestWorkspace, run: &str, plain: &str, records: RecordCounts) {
    assert_eq!(figures(workspace, run), figures(workspace, plain), "the metrics");
    let [run, plain] = [run, plain].map(|name| workspace.path().join(name));
    for (stream, count) in [("snapshots", records.snapshots), ("decisions", records.decisions)] {
        let [found, wanted] = [&run, &plain].map(|run| rows(run, stream, "sequence"));
        assert_equal_tables(stream, &found, &wanted);
        let excluded = [&run, &plain].map(|run| excluded(run, stream));
        assert_equal_tables(&format!("excluded {stream}"), &excluded[0], &excluded[1]);
        let mut numbers = sequences(&found, "sequence");
        numbers.extend(sequences(&excluded[0], "sequence"));
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..count), "each of {count} {stream} once: {}", gaps(&numbers));
    }
    let [found, wanted] = [&run, &plain].map(|run| rows(run, "pairs", "snapshot"));
    assert_equal_tables("pairs", &found, &wanted);
    for side in ["snapshot", "decision"] {
        let mut numbers = sequences(&found, side);
        numbers.sort_unstable();
        assert!(
            numbers.windows(2).all(|two| two[0] < two[1]),
            "no {side} is in two pairs: {}",
            gaps(&numbers)
        );
    }
}

/// Checks that `understudy verify` finds no issue in a run.
pub fn assert_verifies(workspace: &TestWorkspace, run: &str) {
    workspace.ok(&["verify", run]);
}

/// The part of a report that does not depend on interruptions of the run.
fn figures(workspace: &TestWorkspace, run: &str) -> Value {
    let mut figures = deterministic_part(&workspace.report(run));
    for model in figures["models"].as_array_mut().expect("a report has models") {
        model.as_object_mut().expect("a model is an object").remove("determinism-check");
    }
    figures
}

/// Describes gaps and repetitions in sorted numbers.
fn gaps(numbers: &[u64]) -> String {
    let odd = numbers.windows(2).filter(|two| two[0] + 1 != two[1]);
    let odd: Vec<_> = odd.take(5).map(|two| format!("{} then {}", two[0], two[1])).collect();
    format!("{} from {:?} to {:?}, {}", numbers.len(), numbers.first(), numbers.last(), odd.join(", "))
}

fn sequences(batch: &RecordBatch, name: &str) -> Vec<u64> {
    column(batch, name).as_primitive::<UInt64Type>().values().to_vec()
}

/// The rows of a table, sorted by a column.
fn rows(run: &Path, table: &str, by: &str) -> RecordBatch {
    let batch = sealed(run, table).unwrap_or_else(|| panic!("{table} have rows"));
    let order = SortColumn { values: column(&batch, by), options: None };
    let order = lexsort_to_indices(&[order], None).expect("numbers can be sorted");
    take_record_batch(&batch, &order).expect("they are rows of the batch")
}

/// The excluded records of one stream.
fn excluded(run: &Path, stream: &str) -> RecordBatch {
    let batch = rows(run, "excluded", "sequence");
    let own: BooleanArray = texts(&batch, "stream").iter().map(|name| Some(name == stream)).collect();
    filter_record_batch(&batch, &own).expect("the mask has a value per row")
}

/// Checks that two tables are equal, except for latencies.
fn assert_equal_tables(what: &str, found: &RecordBatch, wanted: &RecordBatch) {
    assert_eq!(found.schema(), wanted.schema(), "{what}");
    assert_eq!(found.num_rows(), wanted.num_rows(), "{what}");
    let fields = found.schema_ref().fields().iter().zip(found.columns()).zip(wanted.columns());
    for ((field, found), wanted) in fields.filter(|((field, _), _)| !field.name().ends_with(".nanos")) {
        assert!(plain(found) == plain(wanted), "{what}: the column {} differs", field.name());
    }
}

/// Expands a dictionary column. The dictionary depends on how rows were batched.
fn plain(column: &ArrayRef) -> ArrayRef {
    match column.as_any_dictionary_opt() {
        Some(dictionary) => {
            arrow::compute::take(dictionary.values(), dictionary.keys(), None).expect("the keys are within")
        }
        None => column.clone(),
    }
}
