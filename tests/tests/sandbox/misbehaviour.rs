//! Each misbehaviour of the guest `evil` leaves only its own row unanswered, with a reason.

use std::time::Duration;

use understudy_sandbox::{AnsweredBatch, Budget};

use super::fixture::{BUDGET, DEEDS, evil, load_evil, place_hidden, recorded, sandbox, some_bad, texts};

/// The recorded answers to five rows, of which the fourth is bad.
fn fourth_is_bad(budget: Budget, deed: &str) -> String {
    let mut evil = evil(budget, deed);
    let rows = recorded(&evil.decide(&some_bad(5, |row| row == 3)));
    let [first, second, third, fourth, fifth] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!([first, second, third, fifth], ["0", "1", "2", "4"], "{deed}");
    assert_eq!(
        recorded(&evil.decide(&some_bad(3, |_| false))),
        ["0", "1", "2"],
        "{deed}: it goes on answering"
    );
    place_hidden(fourth)
}

#[test]
fn each_misbehaviour_fails_only_its_row_with_a_reason() {
    let messages: Vec<String> =
        DEEDS.iter().map(|(deed, budget)| format!("{deed}: {}", fourth_is_bad(*budget, deed))).collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    panic: broke: `decide` panicked at tests/guests/evil/src/deed.rs:LINE:COLUMN: evil panics on `bad`
    trap-unreachable: broke: `decide` trapped: wasm `unreachable` instruction executed in FUNCTION
    loop: broke: `decide` used up its fuel of 1000000
    allocate: broke: `decide` exceeded its memory limit of 8 MiB
    deep-recursion: broke: `decide` trapped: out of bounds memory access in FUNCTION, which recurses without end
    nan: broke: `decide` answered numbers, but declared the form `label`
    wrong-length: broke: `decide` returned 2 codes, expected 1
    code-out-of-range: broke: `decide` returned the code 4294967295, but only 1 names
    bad-offsets: broke: `decide` returned offsets that do not ascend from 0 to 3
    not-ascending-unanswered: broke: `decide` listed its unanswered rows out of order
    bad-utf8: broke: `decide` returned names that are not UTF-8
    error: broke: `decide` returned an error: evil fails the batch
    huge-answer: broke: `decide` returned more than the limit of 1 MiB
    bad-confidence: broke: `decide` returned the confidence 2; a confidence is from 0 to 1
    bad-probabilities: broke: `decide` returned class probabilities that add up to 0.5; their sum must be 1
    ");
}

#[test]
fn panics_are_reported_with_their_location() {
    let AnsweredBatch { broken, .. } = evil(BUDGET, "panic").decide(&texts([Some("bad")]));
    let [(0, why)] = &broken[..] else { panic!("{broken:?}") };
    let place = why.strip_prefix("`decide` panicked at ").expect("it panicked");
    let [file, line, column, output] = place.splitn(4, ':').collect::<Vec<_>>()[..] else {
        panic!("{place}")
    };
    assert!(file.ends_with("src/deed.rs"), "{file}");
    assert!(
        line.parse::<u32>().is_ok_and(|line| line > 0)
            && column.parse::<u32>().is_ok_and(|column| column > 0)
    );
    assert_eq!(output, " evil panics on `bad`");
}

#[test]
fn a_slow_row_times_out() {
    let patient = Budget { fuel: u64::MAX, timeout: Duration::from_secs(1), ..BUDGET };
    let mut evil = evil(patient, "loop");
    assert_eq!(recorded(&evil.decide(&texts([Some("bad")]))), ["broke: `decide` took longer than 1s"]);
    assert_eq!(recorded(&evil.decide(&texts([Some("good")]))), ["good"]);
}

#[test]
fn the_largest_budgets_are_accepted() {
    let endless = Budget { fuel: u64::MAX, timeout: Duration::MAX, ..BUDGET };
    assert_eq!(recorded(&evil(endless, "panic").decide(&texts([Some("good")]))), ["good"]);
}

#[test]
fn an_abstention_is_not_a_failure() {
    let decided = evil(BUDGET, "abstain").decide(&some_bad(5, |row| row == 3));
    assert_eq!(recorded(&decided), ["0", "1", "2", "abstained: evil abstains", "4"]);
    let decided = evil(BUDGET, "abstain").decide(&some_bad(2, |_| true));
    assert_eq!(recorded(&decided), ["abstained: evil abstains", "abstained: evil abstains"]);
}

#[test]
fn rows_without_a_required_field_are_withheld() {
    // The plugin would panic on the first row that it receives.
    let mut evil = evil(BUDGET, "panic");
    let decided = evil.decide(&texts([None, Some("good"), None, Some("bad"), None]));
    let rows: Vec<String> = recorded(&decided).iter().map(|row| place_hidden(row)).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    abstained: the field `text` is missing
    good
    abstained: the field `text` is missing
    broke: `decide` panicked at tests/guests/evil/src/deed.rs:LINE:COLUMN: evil panics on `bad`
    abstained: the field `text` is missing
    ");
    let nothing = evil.decide(&texts([None, None]));
    assert_eq!(recorded(&nothing), ["abstained: the field `text` is missing"; 2]);
    assert_eq!(evil.decide(&texts([])).answers.rows(), 0);
}

#[test]
fn a_plugin_can_reject_its_configuration() {
    let refused = load_evil(&sandbox(BUDGET), "refuse-config").err().expect("it is refused");
    insta::assert_snapshot!(refused, @"configuration rejected: evil refuses every configuration");
    let unknown = load_evil(&sandbox(BUDGET), "sing").err().expect("there is no such deed");
    assert!(
        unknown.to_string().starts_with("cannot configure it: `config.do` is \"sing\"; write \"panic\", "),
        "{unknown}"
    );
}
