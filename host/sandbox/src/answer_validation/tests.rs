//! Each way in which returned answers can be invalid has its own message.

use super::*;

const LIMIT: usize = 16 << 10;

fn text(names: &[&str]) -> TextResult {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend(name.as_bytes());
        offsets.push(bytes.len() as u32);
    }
    TextResult { offsets, bytes }
}

fn labels(names: &[&str], codes: &[u32]) -> wit::Answers {
    let labels = wit::Labels { names: text(names), codes: codes.to_vec() };
    wit::Answers { values: wit::Values::Labels(labels), confidence: None, unanswered: vec![] }
}

fn numbers(values: &[f64]) -> wit::Answers {
    wit::Answers { values: wit::Values::Numbers(values.to_vec()), confidence: None, unanswered: vec![] }
}

fn rankings(offsets: &[u32], codes: &[u32]) -> wit::Answers {
    let rankings =
        wit::Rankings { names: text(&["a", "b"]), offsets: offsets.to_vec(), codes: codes.to_vec() };
    wit::Answers { values: wit::Values::Rankings(rankings), confidence: None, unanswered: vec![] }
}

fn abstained(row: u32) -> (u32, wit::Reason) {
    (row, wit::Reason::Abstained("no idea".into()))
}

#[test]
fn valid_answers_are_accepted() {
    let accepted = answers(labels(&["x", "y"], &[1, 0, 1]), AnswerForm::Label, 3, LIMIT).expect("valid");
    assert_eq!(accepted.rows(), 3);
    assert!(answers(rankings(&[0, 2, 2], &[1, 0]), AnswerForm::Ranking, 2, LIMIT).is_ok());
    let unanswered = wit::Answers { unanswered: vec![abstained(1)], ..numbers(&[1.0, f64::NAN]) };
    let accepted = answers(unanswered, AnswerForm::Number, 2, LIMIT)
        .expect("the value of an unanswered row is not read");
    assert_eq!(accepted.decisions, AnswerColumn::Numbers(vec![1.0, 0.0]));
}

#[test]
fn placeholders_of_unanswered_rows_are_ignored() {
    let unanswered = wit::Answers { unanswered: vec![abstained(0)], ..labels(&["x", "y"], &[u32::MAX, 1]) };
    let accepted =
        answers(unanswered, AnswerForm::Label, 2, LIMIT).expect("the code of an unanswered row is not read");
    let AnswerColumn::Labels { names, codes } = accepted.decisions else { panic!("labels") };
    assert_eq!((names.len(), &codes[..]), (2, &[0, 1][..]));
    // A plugin that answers no row has no names either, and still each code has one.
    let unanswered = wit::Answers { unanswered: vec![abstained(0), abstained(1)], ..labels(&[], &[0, 7]) };
    let accepted = answers(unanswered, AnswerForm::Label, 2, LIMIT).expect("no row is answered");
    assert_eq!(accepted, Answers::unanswered(AnswerForm::Label, 2, &Reason::Abstained("no idea".into())));
    let wrong = wit::Answers { unanswered: vec![abstained(0)], ..labels(&[], &[0, 0]) };
    assert!(answers(wrong, AnswerForm::Label, 2, LIMIT).is_err(), "the answered row has no name");
}

#[test]
fn many_unused_names_are_dropped() {
    let unused: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let unused: Vec<&str> = unused.iter().map(String::as_str).collect();
    let accepted = answers(labels(&unused, &[7, 9_999]), AnswerForm::Label, 2, LIMIT).expect("valid");
    let AnswerColumn::Labels { names, codes } = accepted.decisions else { panic!("labels") };
    assert_eq!((names, codes), (Names::from(vec!["7", "9999"]), vec![0, 1]));
    let accepted = answers(labels(&unused[..100], &[7, 99]), AnswerForm::Label, 2, LIMIT).expect("valid");
    let AnswerColumn::Labels { names, .. } = accepted.decisions else { panic!("labels") };
    assert_eq!(names.len(), 100, "a few more than are used do not matter");
}

#[test]
fn invalid_answers_are_rejected_with_the_reason() {
    let (fits, long) = ("x".repeat(LIMIT), "x".repeat(LIMIT / 2 + 1));
    assert!(answers(labels(&[&fits], &[0]), AnswerForm::Label, 1, LIMIT).is_ok());
    let mut long_ranking = rankings(&[0, 2], &[0, 1]);
    let wit::Values::Rankings(ranking) = &mut long_ranking.values else { panic!("rankings") };
    ranking.names = text(&[&long, &fits[..LIMIT / 2]]);

    let mut bad_text = labels(&["ab"], &[0]);
    let wit::Values::Labels(bad) = &mut bad_text.values else { panic!("labels") };
    bad.names.bytes = vec![0xff, 0xfe];
    let mut bad_names = labels(&["ab"], &[0]);
    let wit::Values::Labels(bad) = &mut bad_names.values else { panic!("labels") };
    bad.names.offsets = vec![0, 9];
    let cases = [
        (labels(&["x"], &[0, 0]), AnswerForm::Label, 3),
        (labels(&["x"], &[1]), AnswerForm::Label, 1),
        (labels(&["x", "x"], &[0]), AnswerForm::Label, 1),
        (bad_text, AnswerForm::Label, 1),
        (bad_names, AnswerForm::Label, 1),
        (numbers(&[1.0]), AnswerForm::Label, 1),
        (numbers(&[f64::NAN]), AnswerForm::Number, 1),
        (numbers(&[f64::INFINITY]), AnswerForm::Number, 1),
        (numbers(&[1.0, 2.0]), AnswerForm::Number, 1),
        (rankings(&[0, 2], &[0, 0]), AnswerForm::Ranking, 1),
        (rankings(&[1, 2], &[0, 1]), AnswerForm::Ranking, 1),
        (rankings(&[0, 2, 1], &[0, 1]), AnswerForm::Ranking, 2),
        (rankings(&[0], &[]), AnswerForm::Ranking, 1),
        (labels(&[&format!("{fits}x")], &[0]), AnswerForm::Label, 1),
        (long_ranking, AnswerForm::Ranking, 1),
        (wit::Answers { confidence: Some(vec![1.5]), ..numbers(&[1.0]) }, AnswerForm::Number, 1),
        (wit::Answers { confidence: Some(vec![f64::NAN]), ..numbers(&[1.0]) }, AnswerForm::Number, 1),
        (wit::Answers { confidence: Some(vec![]), ..numbers(&[1.0]) }, AnswerForm::Number, 1),
        (
            wit::Answers { unanswered: vec![abstained(1), abstained(0)], ..numbers(&[1.0; 2]) },
            AnswerForm::Number,
            2,
        ),
        (
            wit::Answers { unanswered: vec![abstained(0), abstained(0)], ..numbers(&[1.0]) },
            AnswerForm::Number,
            1,
        ),
        (wit::Answers { unanswered: vec![abstained(7)], ..numbers(&[1.0]) }, AnswerForm::Number, 1),
    ];
    let errors: Vec<String> = cases
        .into_iter()
        .map(|(returned, form, rows)| answers(returned, form, rows, LIMIT).expect_err("invalid"))
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    returned 2 codes, expected 3
    returned the code 1, but only 1 names
    returned the name "x" twice
    returned names that are not UTF-8
    returned offsets that do not ascend from 0 to 2
    answered numbers, but declared the form Label
    answered NaN; a number must be finite
    answered inf; a number must be finite
    returned 2 numbers, expected 1
    ranked "a" twice in one answer
    returned offsets that do not ascend from 0 to 2
    returned offsets that do not ascend from 0 to 2
    returned 1 offsets, expected 2
    returned an answer of 16385 bytes; `limits.answer-kib` allows 16384
    returned an answer of 16385 bytes; `limits.answer-kib` allows 16384
    returned the confidence 1.5; a confidence is from 0 to 1
    returned the confidence NaN; a confidence is from 0 to 1
    returned 0 confidences, expected 1
    listed its unanswered rows out of order
    listed its unanswered rows out of order
    left row 7 unanswered, in a batch of 1
    "#);
}
