//! Sandboxes with small budgets, the guest `evil`, and text renderings of recorded answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use understudy_records::batch::{AnswerColumn, Answers};
use understudy_sandbox::{
    AnsweredBatch, Budget, ComponentFile, Decider, DeciderPlugin, PluginRole, Sandbox, SandboxError,
};
use understudy_tests::plugin;

/// Fuel for normal rows that misbehaving rows soon exceed. The timeout is out of reach.
pub const BUDGET: Budget = Budget {
    fuel: 1_000_000,
    timeout: Duration::from_secs(600),
    memory: 64 << 20,
    returned: 1 << 20,
    answer: 16 << 10,
};

/// A budget with fuel out of reach.
const FUELLED: Budget = Budget { fuel: 1 << 40, ..BUDGET };

/// The misbehaviours that fail a row, each with a budget that ends it.
pub const DEEDS: [(&str, Budget); 15] = [
    ("panic", BUDGET),
    ("trap-unreachable", BUDGET),
    ("loop", BUDGET),
    ("allocate", Budget { memory: 8 << 20, ..FUELLED }),
    ("deep-recursion", BUDGET),
    ("nan", BUDGET),
    ("wrong-length", BUDGET),
    ("code-out-of-range", BUDGET),
    ("bad-offsets", BUDGET),
    ("not-ascending-unanswered", BUDGET),
    ("bad-utf8", BUDGET),
    ("error", BUDGET),
    ("huge-answer", FUELLED),
    ("bad-confidence", BUDGET),
    ("bad-probabilities", BUDGET),
];

/// A sandbox for two instances: the one under test and one that is being loaded.
pub fn sandbox(budget: Budget) -> Sandbox {
    Sandbox::new(budget, 2).expect("the machine has address space")
}

/// The compile cache that all tests share.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox")
}

/// Loads the guest `evil`, which performs `deed` on the text "bad".
pub fn load_evil(sandbox: &Sandbox, deed: &str) -> Result<DeciderPlugin, SandboxError> {
    let file = ComponentFile::read(&plugin("guests/evil")).expect("it was built");
    let config = format!(r#"{{"on": "bad", "do": "{deed}"}}"#);
    DeciderPlugin::load(sandbox, &file, PluginRole::Model, config, [].into(), Some(&cache()))
}

/// An instance of the guest `evil`.
pub fn evil(budget: Budget, deed: &str) -> Decider {
    load_evil(&sandbox(budget), deed).expect("it is evil only when it is asked").instance()
}

/// A batch with the field `text`.
pub fn texts<'t>(rows: impl IntoIterator<Item = Option<&'t str>>) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from_iter(rows));
    RecordBatch::try_from_iter_with_nullable([("text", column, true)]).expect("one column")
}

/// A batch of rows of which some are "bad"; the others are their row number.
pub fn some_bad(rows: usize, is_bad: impl Fn(usize) -> bool) -> RecordBatch {
    let rows: Vec<String> =
        (0..rows).map(|row| if is_bad(row) { "bad".into() } else { row.to_string() }).collect();
    texts(rows.iter().map(|text| Some(text.as_str())))
}

/// The recorded answer to each row, or why there is none, and whether the plugin failed on it.
pub fn recorded(decided: &AnsweredBatch) -> Vec<String> {
    let rows = decided.answers.rows();
    let told: Vec<String> = (0..rows).map(|row| answer(&decided.answers, row)).collect();
    let broke = |row: &usize| told[*row].starts_with("broke: ");
    let broken: Vec<usize> = decided.broken.iter().map(|(row, _)| *row as usize).collect();
    assert_eq!(broken, (0..rows).filter(broke).collect::<Vec<_>>(), "a row that the plugin broke on says so");
    for (row, why) in &decided.broken {
        assert_eq!(told[*row as usize], format!("broke: {why}"), "for that reason");
    }
    assert!(decided.broken.is_sorted_by(|(one, _), (other, _)| one < other), "a row breaks once");
    told
}

fn answer(answers: &Answers, row: usize) -> String {
    match (answers.reason(row), &answers.decisions) {
        (Some(reason), _) => reason.to_string(),
        (None, AnswerColumn::Labels { names, codes }) => names.value(codes[row] as usize).to_owned(),
        (None, AnswerColumn::Numbers(numbers)) => numbers[row].to_string(),
        (None, other) => panic!("no guest of these tests answers {other:?}"),
    }
}

/// Answers a batch in parts with the given sizes.
pub fn decide_in(
    decider: &mut Decider,
    batch: &RecordBatch,
    sizes: impl IntoIterator<Item = usize>,
) -> Vec<String> {
    let (mut told, mut start) = (Vec::new(), 0);
    for size in sizes {
        let part = batch.slice(start, size.min(batch.num_rows() - start));
        told.extend(recorded(&decider.decide(&part)));
        start += part.num_rows();
        if start == batch.num_rows() {
            return told;
        }
    }
    panic!("the sizes do not reach the end of the batch")
}

/// Removes source positions and compiler-dependent parts from a message. A function name stays only in the
/// form `evil::...`.
pub fn place_hidden(message: &str) -> String {
    let placed = |word: &str| match word.split_once(".rs:") {
        Some((file, _)) => format!("{file}.rs:LINE:COLUMN:"),
        None => word.to_owned(),
    };
    let message = message.split(' ').map(placed).collect::<Vec<_>>().join(" ");
    match message.split_once(" in ") {
        Some((what, place)) if what.contains("trapped:") && place.contains("evil::") => {
            let rest = place.find(", which").map_or("", |at| &place[at..]);
            format!("{what} in FUNCTION{rest}")
        }
        _ => message,
    }
}
