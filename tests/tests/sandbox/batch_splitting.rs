//! The recorded answer to a row does not depend on batch boundaries.

use std::iter::repeat;

use proptest::prelude::*;
use understudy_sandbox::Budget;

use super::fixture::{BUDGET, DEEDS, decide_in, evil, load_evil, recorded, sandbox, some_bad};

const ROWS: usize = 64;

/// The recorded answers to 64 rows. Checks that batches of 1, 7 and 64 rows give the same.
fn however_cut(deed: &str, is_bad: impl Fn(usize) -> bool) {
    let budget = DEEDS.iter().find(|(name, _)| *name == deed).expect("a deed").1;
    let mut evil = evil(budget, deed);
    let batch = some_bad(ROWS, &is_bad);
    let alone = decide_in(&mut evil, &batch, repeat(1));
    for (row, recorded_answers) in alone.iter().enumerate() {
        assert_eq!(
            is_bad(row),
            recorded_answers.starts_with("broke: "),
            "{deed}, row {row}: {recorded_answers}"
        );
        assert!(is_bad(row) || *recorded_answers == row.to_string(), "{deed}, row {row}: {recorded_answers}");
    }
    for size in [7, ROWS] {
        assert_eq!(decide_in(&mut evil, &batch, repeat(size)), alone, "{deed}, batches of {size}");
    }
}

#[test]
fn one_bad_row_is_isolated() {
    for (deed, _) in DEEDS {
        however_cut(deed, |row| row == 40);
    }
}

#[test]
fn the_first_and_the_last_row_are_isolated() {
    for (deed, _) in DEEDS {
        however_cut(deed, |row| row == 0);
        however_cut(deed, |row| row == ROWS - 1);
    }
}

#[test]
fn several_bad_rows_are_isolated() {
    for (deed, _) in DEEDS {
        however_cut(deed, |row| [3, 4, 30, 62, 63].contains(&row));
    }
}

#[test]
fn every_row_can_be_bad() {
    for (deed, _) in DEEDS {
        however_cut(deed, |_| true);
    }
}

#[test]
fn a_row_that_fails_only_after_others_is_answered_in_a_new_instance() {
    for size in [1, 7, ROWS] {
        let answers = decide_in(&mut evil(BUDGET, "garbage"), &some_bad(ROWS, |_| true), repeat(size));
        assert_eq!(answers, vec!["bad"; ROWS], "batches of {size}");
    }
}

#[test]
fn a_batch_that_exceeds_its_fuel_is_split() {
    let answered = |fuel: u64, rows: usize| {
        let plugin = load_evil(&sandbox(Budget { fuel, ..BUDGET }), "error").ok()?;
        Some(recorded(&plugin.instance().decide(&some_bad(rows, |_| false))))
    };
    let suffices = |fuel: &u64| answered(*fuel, 1).is_some_and(|rows| rows == ["0"]);
    let least = (1..).map(|step| step * 500).find(suffices).expect("a row needs some fuel");
    assert!(least > 500, "a row can run out of fuel");
    let numbers: Vec<String> = (0..1000).map(|row| row.to_string()).collect();
    // A number of three digits can need slightly more fuel than 0.
    assert_eq!(answered(least + 500, 1000).expect("it loads"), numbers);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_give_the_results_of_single_rows(
        deed in prop::sample::select(vec!["panic", "error", "code-out-of-range", "bad-utf8", "not-ascending-unanswered"]),
        bad in prop::collection::vec(prop::bool::weighted(0.2), 1..80),
        sizes in prop::collection::vec(1usize..40, 1..20),
    ) {
        let plugin = load_evil(&sandbox(BUDGET), deed).expect("it loads");
        let batch = some_bad(bad.len(), |row| bad[row]);
        let alone = decide_in(&mut plugin.instance(), &batch, repeat(1));
        let cut = decide_in(&mut plugin.instance(), &batch, sizes.into_iter().cycle());
        prop_assert_eq!(cut, alone);
    }
}
