use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;
use crate::input::Json;

fn collect<A: Answer + Clone>(rows: &[Result<A, Reason>]) -> Answers {
    collect_answers(rows.len() as u32, |row| rows[row].clone())
}

fn abstained(reason: &str) -> Reason {
    Reason::Abstained(reason.to_owned())
}

#[test]
fn labels_are_numbered_by_first_occurrence() {
    let answers = collect(&[Ok("b"), Ok("a"), Err(abstained("too far ahead")), Ok("b")]);
    insta::assert_debug_snapshot!(answers, @r#"
    Answers {
        values: Values::Labels(
            Labels {
                names: Text {
                    offsets: [
                        0,
                        1,
                        2,
                    ],
                    bytes: [
                        98,
                        97,
                    ],
                },
                codes: [
                    0,
                    1,
                    0,
                    0,
                ],
            },
        ),
        confidence: None,
        probabilities: None,
        unanswered: [
            (
                2,
                Reason::Abstained(
                    "too far ahead",
                ),
            ),
        ],
    }
    "#);
}

#[test]
fn labels_can_be_owned_or_borrowed() {
    for answers in [collect(&[Ok("a")]), collect(&[Ok("a".to_owned())]), collect(&[Ok(Cow::Borrowed("a"))])] {
        let AnswerValues::Labels(labels) = answers.values else { panic!("{answers:?}") };
        assert_eq!((labels.names.bytes, labels.codes), (b"a".to_vec(), vec![0]));
    }
}

#[test]
fn a_number_that_is_not_finite_is_a_failed_row() {
    let answers = collect(&[Ok(1.5), Ok(f64::NAN), Ok(f64::NEG_INFINITY), Ok(-2.0)]);
    let AnswerValues::Numbers(numbers) = answers.values else { panic!("{answers:?}") };
    assert_eq!(numbers, [1.5, 0.0, 0.0, -2.0]);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Failed("the answer is NaN, expected a finite number")), (2, Reason::Failed("the answer is -inf, expected a finite number"))]"#);
}

#[test]
fn a_ranking_that_repeats_a_name_is_a_failed_row() {
    let answers = collect(&[Ok(vec!["b", "a"]), Ok(vec!["c", "a", "c"]), Ok(vec![]), Ok(vec!["c"])]);
    let AnswerValues::Rankings(rankings) = answers.values else { panic!("{answers:?}") };
    assert_eq!(rankings.names.bytes, b"bac");
    assert_eq!(rankings.offsets, [0, 2, 2, 2, 3]);
    assert_eq!(rankings.codes, [0, 1, 2]);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Failed("the ranking repeats `c`"))]"#);
}

#[test]
fn slices_and_arrays_are_rankings_too() {
    for answers in [collect(&[Ok(["a", "b"])]), collect(&[Ok(&["a", "b"][..])])] {
        let AnswerValues::Rankings(rankings) = answers.values else { panic!("{answers:?}") };
        assert_eq!((rankings.offsets, rankings.codes), (vec![0, 2], vec![0, 1]));
    }
}

#[test]
fn every_row_has_a_confidence() {
    let sure = |answer, confidence| Ok(WithConfidence { answer, confidence });
    let answers = collect(&[
        sure(1.0, 0.25),
        sure(f64::NAN, 0.5),
        sure(2.0, 1.01),
        sure(3.0, f64::NAN),
        sure(4.0, 1.0),
    ]);
    let AnswerValues::Numbers(numbers) = answers.values else { panic!("{answers:?}") };
    assert_eq!(numbers, [1.0, 0.0, 0.0, 0.0, 4.0]);
    assert_eq!(answers.confidence, Some(vec![0.25, 0.0, 0.0, 0.0, 1.0]));
    let [_, (2, Reason::Failed(over)), (3, Reason::Failed(nan))] = &answers.unanswered[..] else { panic!() };
    insta::assert_snapshot!(over, @"the confidence is 1.01, expected a value from 0 to 1");
    insta::assert_snapshot!(nan, @"the confidence is NaN, expected a value from 0 to 1");
}

#[test]
fn an_answer_can_be_a_result() {
    let answers = collect(&[Ok(Ok("a")), Ok(Err(abstained("no room")))]);
    assert_eq!(<Result<&str, Reason> as Answer>::Builder::FORM, Form::Label);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Abstained("no room"))]"#);
}

#[test]
fn probabilities_are_a_distribution_or_the_row_fails() {
    let of = |answer, probabilities: &[(&'static str, f64)]| {
        Ok(WithProbabilities { answer, probabilities: probabilities.to_vec() })
    };
    let answers = collect(&[
        of("a", &[("a", 0.75), ("b", 0.25)]),
        of("a", &[("c", 0.5), ("a", 0.4)]),
        of("c", &[("c", 1.0)]),
        of("a", &[("a", 0.5), ("a", 0.5)]),
        of("b", &[("a", 1.5), ("b", -0.5)]),
        of("b", &[]),
        Err(abstained("no room")),
        of("d", &[("a", 0.5), ("b", 0.5 + 9e-7)]),
    ]);
    let found = answers.probabilities.expect("probabilities");
    assert_eq!((&found.names.bytes[..], &found.offsets[..]), (&b"abc"[..], &[0, 2, 2, 3, 3, 3, 3, 3, 5][..]));
    assert_eq!((&found.codes[..], found.values.len()), (&[0, 1, 2, 0, 1][..], 5));
    let reasons: Vec<_> =
        answers.unanswered.iter().map(|(row, reason)| format!("{row} {reason:?}")).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    1 Reason::Failed("the sum of the probabilities is 0.9, expected 1")
    3 Reason::Failed("the probabilities repeat the class `a`")
    4 Reason::Failed("the probability of `a` is 1.5, expected a value from 0 to 1")
    5 Reason::Failed("the sum of the probabilities is 0, expected 1")
    6 Reason::Abstained("no room")
    "#);
}

#[test]
fn a_label_can_have_a_confidence_and_probabilities() {
    let answer = WithProbabilities { answer: "a", probabilities: [("a", 0.25), ("b", 0.75)] };
    type Both = WithConfidence<WithProbabilities<&'static str, [(&'static str, f64); 2]>>;
    const { assert!(<Both as Answer>::Builder::HAS_PROBABILITIES) };
    const { assert!(!<WithConfidence<&str> as Answer>::Builder::HAS_PROBABILITIES) };
    let answers = collect(&[Ok(WithConfidence { answer, confidence: 0.5 })]);
    assert_eq!(answers.confidence, Some(vec![0.5]));
    assert_eq!(answers.probabilities.expect("probabilities").values, [0.25, 0.75]);
}

#[test]
fn sets_of_labels_have_no_order() {
    let sets = [Ok(["b", "a", "c"].into_iter().collect()), Err(abstained("no tag")), Ok(BTreeSet::new())];
    let answers = collect::<BTreeSet<&str>>(&sets);
    let AnswerValues::LabelSets(sets) = answers.values else { panic!("{answers:?}") };
    assert_eq!(
        (&sets.names.bytes[..], &sets.offsets[..], &sets.codes[..]),
        (&b"abc"[..], &[0, 3, 3, 3][..], &[0, 1, 2][..])
    );
    let hashed = collect(&[Ok(["b", "a", "c"].into_iter().collect::<HashSet<_>>())]);
    let AnswerValues::LabelSets(sets) = hashed.values else { panic!("{hashed:?}") };
    assert_eq!(&sets.names.bytes[..], b"abc");
}

#[test]
fn what_serde_can_serialise_is_a_json_answer() {
    let action = |amount: f64| BTreeMap::from([("amount", amount)]);
    let answers = collect(&[Ok(Json(action(1.5))), Ok(Json(action(1.5))), Err(abstained("no action"))]);
    let AnswerValues::Json(json) = answers.values else { panic!("{answers:?}") };
    assert_eq!((&json.names.bytes[..], &json.codes[..]), (&br#"{"amount":1.5}"#[..], &[0, 0, 0][..]));
    // A key that is no text cannot be written.
    let answers = collect(&[Ok(Json(BTreeMap::from([(vec![1], 2)])))]);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(0, Reason::Failed("the answer cannot be written as JSON: key must be a string"))]"#);
}
