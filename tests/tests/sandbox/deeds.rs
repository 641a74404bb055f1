//! Every deed of the evil guest: the row that it happens on is the one row without an answer, with the reason.

use std::time::Duration;

use understudy_host::sandbox::Budget;

use crate::fixture::{BUDGET, decide_in, evil, load_evil, recorded, sandbox, some_bad};

/// The deeds that break a row, each with a budget that it breaks on.
const DEEDS: [&str; 13] = [
    "panic",
    "trap-unreachable",
    "loop",
    "allocate",
    "deep-recursion",
    "nan",
    "wrong-length",
    "code-out-of-range",
    "bad-offsets",
    "not-ascending-unanswered",
    "bad-utf8",
    "error",
    "bad-confidence",
];

#[test]
fn each_deed_is_told_at_its_row() {
    let mut told = String::new();
    for deed in DEEDS {
        let started = std::time::Instant::now();
        let batch = some_bad(5, |row| row == 3);
        let rows = recorded(&evil(BUDGET, deed).decide(&batch));
        eprintln!("{deed} {:?}", started.elapsed());
        told += &format!("{deed}: {rows:?}\n");
    }
    insta::assert_snapshot!(told, @"");
}
