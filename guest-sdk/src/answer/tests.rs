use super::*;

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
