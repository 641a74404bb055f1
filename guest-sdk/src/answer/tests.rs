use super::*;

fn of<A: Answer + Clone>(rows: &[Result<A, Reason>]) -> Answers {
    answers(rows.len() as u32, |row| rows[row].clone())
}

fn no(reason: &str) -> Reason {
    Reason::Abstained(reason.to_owned())
}

#[test]
fn labels_are_coded_in_the_order_in_which_they_come() {
    let answers = of(&[Ok("b"), Ok("a"), Err(no("too far ahead")), Ok("b")]);
    insta::assert_debug_snapshot!(answers, @r#"
    Answers {
        decisions: Decisions::Labels(
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
fn a_label_may_be_owned_or_borrowed() {
    for answers in [of(&[Ok("a")]), of(&[Ok("a".to_owned())]), of(&[Ok(Cow::Borrowed("a"))])] {
        let Decisions::Labels(labels) = answers.decisions else { panic!("{answers:?}") };
        assert_eq!((labels.names.bytes, labels.codes), (b"a".to_vec(), vec![0]));
    }
}

#[test]
fn a_number_that_is_not_finite_is_a_failed_row() {
    let answers = of(&[Ok(1.5), Ok(f64::NAN), Ok(f64::NEG_INFINITY), Ok(-2.0)]);
    let Decisions::Numbers(numbers) = answers.decisions else { panic!("{answers:?}") };
    assert_eq!(numbers, [1.5, 0.0, 0.0, -2.0]);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Failed("the answer is NaN, which is no finite number")), (2, Reason::Failed("the answer is -inf, which is no finite number"))]"#);
}

#[test]
fn a_ranking_names_nothing_twice() {
    let answers = of(&[Ok(vec!["b", "a"]), Ok(vec!["c", "a", "c"]), Ok(vec![]), Ok(vec!["c"])]);
    let Decisions::Rankings(rankings) = answers.decisions else { panic!("{answers:?}") };
    assert_eq!(rankings.names.bytes, b"bac");
    assert_eq!(rankings.offsets, [0, 2, 2, 2, 3]);
    assert_eq!(rankings.codes, [0, 1, 2]);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Failed("the ranking has `c` twice"))]"#);
}

#[test]
fn slices_and_arrays_are_rankings_too() {
    for answers in [of(&[Ok(["a", "b"])]), of(&[Ok(&["a", "b"][..])])] {
        let Decisions::Rankings(rankings) = answers.decisions else { panic!("{answers:?}") };
        assert_eq!((rankings.offsets, rankings.codes), (vec![0, 2], vec![0, 1]));
    }
}

#[test]
fn confidence_stands_beside_the_answers() {
    let sure = |answer, confidence| Ok(Sure { answer, confidence });
    let answers =
        of(&[sure(1.0, 0.25), sure(f64::NAN, 0.5), sure(2.0, 1.01), sure(3.0, f64::NAN), sure(4.0, 1.0)]);
    let Decisions::Numbers(numbers) = answers.decisions else { panic!("{answers:?}") };
    assert_eq!(numbers, [1.0, 0.0, 0.0, 0.0, 4.0]);
    assert_eq!(answers.confidence, Some(vec![0.25, 0.0, 0.0, 0.0, 1.0]));
    let [_, (2, Reason::Failed(over)), (3, Reason::Failed(nan))] = &answers.unanswered[..] else { panic!() };
    insta::assert_snapshot!(over, @"the confidence is 1.01, which is not from 0 to 1");
    insta::assert_snapshot!(nan, @"the confidence is NaN, which is not from 0 to 1");
}

#[test]
fn an_answer_may_be_left_open_inside() {
    let answers = of(&[Ok(Ok("a")), Ok(Err(no("no room")))]);
    assert_eq!(<Result<&str, Reason> as Answer>::Batch::FORM, Form::Label);
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Abstained("no room"))]"#);
}
