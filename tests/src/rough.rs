//! Streams as they come in life: with records that are refused, models that break, snapshots without a decision; and what
//! must be so of the log of a run over them, however often that was cut off.

use std::fs;
use std::path::Path;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{SortColumn, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::UInt64Type;
use serde_json::Value;

use crate::synthetic;
use crate::tables::{column, sealed, texts};
use crate::{Bench, essence};

/// How many records each stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    /// Snapshots.
    pub snapshots: u64,
    /// Decisions.
    pub decisions: u64,
}

/// A bench with the synthetic study and some `rows` snapshots and decisions, made rough. There is a second model, which
/// breaks on some. Segments are small and sealed often.
pub fn bench(rows: u64) -> (Bench, Records) {
    let bench = synthetic::bench(rows);
    bench.change(&[
        ("zone = \"text\"\ncarrier", "zone = \"text\"\ntext = \"text\"\ncarrier"),
        ("horizon = \"15m\"", "horizon = \"6m\""),
        ("[comparator]", EVIL),
        ("[windows]", "[log]\nsegment-rows = 500\nseal-every = \"200ms\"\n\n[windows]"),
    ]);
    let read = |name: &str| fs::read_to_string(bench.path().join(name)).expect("it was written");
    let snapshots = rough(&read("snapshots.jsonl"), "snapshot");
    let decisions = rough(&read("decisions.jsonl"), "decision");
    let count = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
    let records = Records { snapshots: count(&snapshots), decisions: count(&decisions) };
    bench.write("snapshots.jsonl", format!("\u{feff}{snapshots}"));
    bench.write("decisions.jsonl", decisions);
    (bench, records)
}

const EVIL: &str = r#"[[models]]
name = "evil"
plugin = "PLUGINS/guests/evil.wasm"
grant = ["text"]
config = { on = "bad", do = "panic" }

[comparator]"#;

/// A stream with records of every class that is refused, blank lines, and without some of its records.
fn rough(text: &str, stream: &str) -> String {
    let mut rough = String::with_capacity(text.len() * 5 / 4);
    for (row, line) in text.lines().enumerate() {
        if stream == "decision" && row % 50 == 7 {
            continue;
        }
        let line = match (stream, row % 400) {
            ("snapshot", 3) => line.replace("\"carrier\"", "\"text\":\"bad\",\"carrier\""),
            ("snapshot", _) => line.replace("\"carrier\"", "\"text\":\"good\",\"carrier\""),
            // The comparator has nothing to say of it.
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
        // Further back than the horizon, which is the lateness too.
        if row % 107 == 23 && row > 8_000 {
            push(&format!(
                r#"{{"id":"late-{row}","at":"2026-01-01T00:00:00Z","zone":"gate","text":"good"}}"#
            ));
        }
        if row % 109 == 29 {
            push(" ");
        }
    }
    rough
}

/// Sees that the log in `run` holds every record once and every pair once, and says the same as that of `plain`, a run
/// that nobody disturbed.
pub fn agree(bench: &Bench, run: &str, plain: &str, records: Records) {
    assert_eq!(figures(bench, run), figures(bench, plain), "the figures");
    let [run, plain] = [run, plain].map(|name| bench.path().join(name));
    for (stream, count) in [("snapshots", records.snapshots), ("decisions", records.decisions)] {
        let [found, wanted] = [&run, &plain].map(|run| rows(run, stream, "sequence"));
        same(stream, &found, &wanted);
        let refused = [&run, &plain].map(|run| refused(run, stream));
        same(&format!("refused {stream}"), &refused[0], &refused[1]);
        let mut numbers = sequences(&found, "sequence");
        numbers.extend(sequences(&refused[0], "sequence"));
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..count), "each of {count} {stream} once: {}", gaps(&numbers));
    }
    let [found, wanted] = [&run, &plain].map(|run| rows(run, "pairs", "snapshot"));
    same("pairs", &found, &wanted);
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

/// Sees that a run is whole, as the program itself finds.
pub fn whole(bench: &Bench, run: &str) {
    let verified = bench.understudy(&["verify", run]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

/// What a report says that may not depend on whether the run was cut off. How many snapshots a model was asked again is
/// known up to the last group that was sealed.
fn figures(bench: &Bench, run: &str) -> Value {
    let mut figures = essence(&bench.report(run));
    for model in figures["models"].as_array_mut().expect("a report has models") {
        model.as_object_mut().expect("a model is an object").remove("again");
    }
    figures
}

/// Where numbers are missing or come twice, for a message.
fn gaps(numbers: &[u64]) -> String {
    let odd = numbers.windows(2).filter(|two| two[0] + 1 != two[1]);
    let odd: Vec<_> = odd.take(5).map(|two| format!("{} then {}", two[0], two[1])).collect();
    format!("{} from {:?} to {:?}, {}", numbers.len(), numbers.first(), numbers.last(), odd.join(", "))
}

fn sequences(batch: &RecordBatch, name: &str) -> Vec<u64> {
    column(batch, name).as_primitive::<UInt64Type>().values().to_vec()
}

/// The rows of a table, by a column.
fn rows(run: &Path, table: &str, by: &str) -> RecordBatch {
    let batch = sealed(run, table).unwrap_or_else(|| panic!("{table} have rows"));
    let order = SortColumn { values: column(&batch, by), options: None };
    let order = lexsort_to_indices(&[order], None).expect("numbers can be sorted");
    take_record_batch(&batch, &order).expect("they are rows of the batch")
}

/// The refused records of one stream.
fn refused(run: &Path, stream: &str) -> RecordBatch {
    let batch = rows(run, "excluded", "sequence");
    let own: BooleanArray = texts(&batch, "stream").iter().map(|name| Some(name == stream)).collect();
    filter_record_batch(&batch, &own).expect("the mask has a value a row")
}

/// Sees that two tables are the same, but for how long models took.
fn same(what: &str, found: &RecordBatch, wanted: &RecordBatch) {
    assert_eq!(found.schema(), wanted.schema(), "{what}");
    assert_eq!(found.num_rows(), wanted.num_rows(), "{what}");
    let fields = found.schema_ref().fields().iter().zip(found.columns()).zip(wanted.columns());
    for ((field, found), wanted) in fields.filter(|((field, _), _)| !field.name().ends_with(".nanos")) {
        assert!(plain(found) == plain(wanted), "{what}: the column {} differs", field.name());
    }
}

/// A column without its dictionary, which depends on how the rows were gathered.
fn plain(column: &ArrayRef) -> ArrayRef {
    match column.as_any_dictionary_opt() {
        Some(dictionary) => {
            arrow::compute::take(dictionary.values(), dictionary.keys(), None).expect("the keys are within")
        }
        None => column.clone(),
    }
}
