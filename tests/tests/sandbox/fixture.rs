//! Sandboxes with a budget that is soon used up, the evil guest in them, and what became of a batch as text.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use understudy_host::batch::{Answers, Decisions};
use understudy_host::sandbox::{Budget, Decided, Decider, DeciderPlugin, File, Role, Sandbox, SandboxError};
use understudy_tests::plugin;

/// Enough for an honest batch, and soon used up by a dishonest one. The time is out of reach.
pub const BUDGET: Budget =
    Budget { fuel: 1_000_000, timeout: Duration::from_secs(600), memory: 64 << 20, returned: 1 << 20 };

/// A sandbox for two instances: the one under test, and one that is being loaded.
pub fn sandbox(budget: Budget) -> Sandbox {
    Sandbox::new(budget, 2).expect("the machine has address space")
}

/// Compiled plugins, kept between the tests.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox")
}

/// Loads the evil guest, which does `deed` where the text is "bad".
pub fn load_evil(sandbox: &Sandbox, deed: &str) -> Result<DeciderPlugin, SandboxError> {
    let file = File::read(&plugin("guests/evil")).expect("it was built");
    let config = format!(r#"{{"on": "bad", "do": "{deed}"}}"#);
    DeciderPlugin::load(sandbox, &file, Role::Model, config, [].into(), Some(&cache()))
}

/// An instance of the evil guest.
pub fn evil(budget: Budget, deed: &str) -> Decider {
    load_evil(&sandbox(budget), deed).expect("it is evil only when it is asked").instance()
}

/// A batch with the field `text`.
pub fn texts<'t>(rows: impl IntoIterator<Item = Option<&'t str>>) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from_iter(rows));
    RecordBatch::try_from_iter_with_nullable([("text", column, true)]).expect("one column")
}

/// A batch of so many rows of which some are "bad"; the others are their number.
pub fn some_bad(rows: usize, is_bad: impl Fn(usize) -> bool) -> RecordBatch {
    let rows: Vec<String> =
        (0..rows).map(|row| if is_bad(row) { "bad".into() } else { row.to_string() }).collect();
    texts(rows.iter().map(|text| Some(text.as_str())))
}

/// What is recorded of each row: its label, or why it has none, and whether the plugin broke on it.
pub fn recorded(decided: &Decided) -> Vec<String> {
    let rows = decided.answers.rows();
    assert_eq!(decided.nanos.len(), rows, "each row has its time");
    let mut told: Vec<String> = (0..rows).map(|row| answer(&decided.answers, row)).collect();
    for (row, why) in &decided.broken {
        let row = *row as usize;
        assert_eq!(
            told[row],
            format!("failed: {why}"),
            "a row that the plugin broke on has failed, for that reason"
        );
        told[row] = format!("broke: {why}");
    }
    assert!(decided.broken.is_sorted_by_key(|(row, _)| row));
    told
}

fn answer(answers: &Answers, row: usize) -> String {
    match (answers.reason(row), &answers.decisions) {
        (Some(reason), _) => reason.to_string(),
        (None, Decisions::Labels { names, codes }) => names.value(codes[row] as usize).to_owned(),
        (None, other) => panic!("{other:?} are no labels"),
    }
}

/// Decides a batch in parts of `size` rows.
pub fn decide_in(decider: &mut Decider, batch: &RecordBatch, size: usize) -> Vec<String> {
    let parts = (0..batch.num_rows()).step_by(size);
    let parts = parts.map(|start| batch.slice(start, size.min(batch.num_rows() - start)));
    parts.flat_map(|part| recorded(&decider.decide(&part))).collect()
}
