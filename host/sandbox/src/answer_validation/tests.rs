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
    wit::Answers {
        values: wit::Values::Labels(labels),
        confidence: None,
        probabilities: None,
        unanswered: vec![],
    }
}

fn numbers(values: &[f64]) -> wit::Answers {
    wit::Answers {
        values: wit::Values::Numbers(values.to_vec()),
        confidence: None,
        probabilities: None,
        unanswered: vec![],
    }
}

fn rankings(offsets: &[u32], codes: &[u32]) -> wit::Answers {
    let rankings =
        wit::Rankings { names: text(&["a", "b"]), offsets: offsets.to_vec(), codes: codes.to_vec() };
    wit::Answers {
        values: wit::Values::Rankings(rankings),
        confidence: None,
        probabilities: None,
        unanswered: vec![],
    }
}

fn abstained(row: u32) -> (u32, wit::Reason) {
    (row, wit::Reason::Abstained("no idea".into()))
}

#[test]
fn valid_answers_are_accepted() {
    let accepted =
        answers(labels(&["x", "y"], &[1, 0, 1]), AnswerForm::Label.into(), 3, LIMIT).expect("valid");
    assert_eq!(accepted.rows(), 3);
    assert!(answers(rankings(&[0, 2, 2], &[1, 0]), AnswerForm::Ranking.into(), 2, LIMIT).is_ok());
    let unanswered = wit::Answers { unanswered: vec![abstained(1)], ..numbers(&[1.0, f64::NAN]) };
    let accepted = answers(unanswered, AnswerForm::Number.into(), 2, LIMIT)
        .expect("the value of an unanswered row is not read");
    assert_eq!(accepted.decisions, AnswerColumn::Numbers(vec![1.0, 0.0]));
}

#[test]
fn placeholders_of_unanswered_rows_are_ignored() {
    let unanswered = wit::Answers { unanswered: vec![abstained(0)], ..labels(&["x", "y"], &[u32::MAX, 1]) };
    let accepted = answers(unanswered, AnswerForm::Label.into(), 2, LIMIT)
        .expect("the code of an unanswered row is not read");
    let AnswerColumn::Labels { names, codes } = accepted.decisions else { panic!("labels") };
    assert_eq!((names.len(), &codes[..]), (2, &[0, 1][..]));
    // A plugin that answers no row has no names either, and still each code has one.
    let unanswered = wit::Answers { unanswered: vec![abstained(0), abstained(1)], ..labels(&[], &[0, 7]) };
    let accepted = answers(unanswered, AnswerForm::Label.into(), 2, LIMIT).expect("no row is answered");
    assert_eq!(accepted, Answers::unanswered(AnswerForm::Label, 2, &Reason::Abstained("no idea".into())));
    let wrong = wit::Answers { unanswered: vec![abstained(0)], ..labels(&[], &[0, 0]) };
    assert!(answers(wrong, AnswerForm::Label.into(), 2, LIMIT).is_err(), "the answered row has no name");
}

#[test]
fn many_unused_names_are_dropped() {
    let unused: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let unused: Vec<&str> = unused.iter().map(String::as_str).collect();
    let accepted = answers(labels(&unused, &[7, 9_999]), AnswerForm::Label.into(), 2, LIMIT).expect("valid");
    let AnswerColumn::Labels { names, codes } = accepted.decisions else { panic!("labels") };
    assert_eq!((names, codes), (Names::from(vec!["7", "9999"]), vec![0, 1]));
    let accepted =
        answers(labels(&unused[..100], &[7, 99]), AnswerForm::Label.into(), 2, LIMIT).expect("valid");
    let AnswerColumn::Labels { names, .. } = accepted.decisions else { panic!("labels") };
    assert_eq!(names.len(), 100, "a few more than are used do not matter");
}

#[test]
fn invalid_answers_are_rejected_with_the_reason() {
    let (fits, long) = ("x".repeat(LIMIT), "x".repeat(LIMIT / 2 + 1));
    assert!(answers(labels(&[&fits], &[0]), AnswerForm::Label.into(), 1, LIMIT).is_ok());
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
        .map(|(returned, form, rows)| answers(returned, form.into(), rows, LIMIT).expect_err("invalid"))
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    returned 2 codes, expected 3
    returned the code 1, but only 1 names
    returned the name "x" twice
    returned names that are not UTF-8
    returned offsets that do not ascend from 0 to 2
    answered numbers, but declared the form `label`
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

fn classified(offsets: &[u32], codes: &[u32], values: &[f64]) -> wit::Answers {
    let probabilities = wit::Probabilities {
        names: text(&["a", "b"]),
        offsets: offsets.to_vec(),
        codes: codes.to_vec(),
        values: values.to_vec(),
    };
    let rows = offsets.len() - 1;
    wit::Answers { probabilities: Some(probabilities), ..labels(&["a"], &vec![0; rows]) }
}

const CLASSIFIED: AnswerSchema = AnswerSchema { form: AnswerForm::Label, probabilities: true };

#[test]
fn class_probabilities_are_accepted() {
    let returned = classified(&[0, 2, 2, 3], &[1, 0, 1], &[0.25, 0.75 + 9e-7, 1.0]);
    let returned = wit::Answers { unanswered: vec![abstained(1)], ..returned };
    let accepted = answers(returned, CLASSIFIED, 3, LIMIT).expect("valid");
    let found = accepted.probabilities.expect("probabilities");
    assert_eq!(found.row(0).collect::<Vec<_>>(), [("b", 0.25), ("a", 0.75 + 9e-7)]);
    assert_eq!((found.row(1).len(), found.row(2).len()), (0, 1));
    let none = wit::Answers { unanswered: vec![abstained(0)], ..classified(&[0, 0], &[], &[]) };
    assert_eq!(
        answers(none, CLASSIFIED, 1, LIMIT),
        Ok(Answers::unanswered(CLASSIFIED, 1, &Reason::Abstained("no idea".into())))
            .map(|none| Answers { decisions: answers_of_a(), ..none })
            .map(|none| Answers {
                probabilities: Some(Probabilities {
                    names: Names::from(vec!["a", "b"]),
                    ..Probabilities::none(1)
                }),
                ..none
            })
    );
}

fn answers_of_a() -> AnswerColumn {
    AnswerColumn::Labels { names: Names::from(vec!["a"]), codes: vec![0] }
}

#[test]
fn invalid_class_probabilities_are_rejected_with_the_reason() {
    let mut short_names = classified(&[0, 1], &[0], &[1.0]);
    short_names.probabilities.as_mut().expect("probabilities").names.offsets = vec![0, 9];
    let long = "x".repeat(LIMIT / 2 + 1);
    let mut too_long = classified(&[0, 2], &[0, 1], &[0.5, 0.5]);
    too_long.probabilities.as_mut().expect("probabilities").names = text(&[&long, &format!("{long}y")]);
    let cases = [
        labels(&["a"], &[0]),
        classified(&[0, 2, 2], &[0, 1], &[0.5, 0.5]),
        classified(&[0, 1], &[0, 1], &[0.5, 0.5]),
        classified(&[0, 2], &[0, 1], &[1.0]),
        classified(&[0, 1], &[2], &[1.0]),
        classified(&[0, 2], &[1, 1], &[0.5, 0.5]),
        classified(&[0, 2], &[0, 1], &[1.5, -0.5]),
        classified(&[0, 2], &[0, 1], &[f64::NAN, 1.0]),
        classified(&[0, 2], &[0, 1], &[0.5, 0.4]),
        classified(&[0, 0], &[], &[]),
        wit::Answers { unanswered: vec![abstained(0)], ..classified(&[0, 1], &[0], &[1.0]) },
        short_names,
        too_long,
    ];
    let mut errors: Vec<String> = cases
        .into_iter()
        .map(|returned| answers(returned, CLASSIFIED, 1, LIMIT).map(|_| ()).expect_err("invalid"))
        .collect();
    errors.push(
        answers(classified(&[0, 1], &[0], &[1.0]), AnswerForm::Label.into(), 1, LIMIT).expect_err("none"),
    );
    insta::assert_snapshot!(errors.join("\n"), @r#"
    returned no class probabilities, but declared them
    returned 2 codes, expected 1
    returned offsets that do not ascend from 0 to 2
    returned 1 probabilities, expected 2
    returned the code 2, but only 2 names
    returned two probabilities of the class "b" in one answer
    returned the class probability 1.5; a probability is from 0 to 1
    returned the class probability NaN; a probability is from 0 to 1
    returned class probabilities that add up to 0.9; their sum must be 1
    returned no class probabilities of row 0, which it answered
    returned class probabilities of row 0, which it left unanswered
    returned offsets that do not ascend from 0 to 2
    returned an answer of 16387 bytes; `limits.answer-kib` allows 16384
    returned class probabilities, but declared none
    "#);
}

fn label_sets(offsets: &[u32], codes: &[u32]) -> wit::Answers {
    let sets =
        wit::LabelSets { names: text(&["b", "a", "é"]), offsets: offsets.to_vec(), codes: codes.to_vec() };
    wit::Answers { values: wit::Values::LabelSets(sets), ..numbers(&[]) }
}

fn json_texts(texts: &[&str], codes: &[u32]) -> wit::Answers {
    let labels = wit::Labels { names: text(texts), codes: codes.to_vec() };
    wit::Answers { values: wit::Values::Json(labels), ..numbers(&[]) }
}

#[test]
fn the_labels_of_a_set_are_sorted() {
    let form = AnswerForm::LabelSet.into();
    let accepted = answers(label_sets(&[0, 3, 3, 4], &[2, 0, 1, 2]), form, 3, LIMIT).expect("valid");
    let AnswerColumn::LabelSets { names, offsets, codes } = &accepted.decisions else { panic!("sets") };
    let labels: Vec<&str> = codes.iter().map(|code| names.value(*code as usize)).collect();
    assert_eq!((&offsets[..], &labels[..]), (&[0, 3, 3, 4][..], &["a", "b", "é", "é"][..]));
    let other = answers(label_sets(&[0, 3, 3, 4], &[1, 2, 0, 2]), form, 3, LIMIT).expect("valid");
    assert!(accepted.differing(&other).is_empty());
    let error = |offsets: &[u32], codes: &[u32]| {
        answers(label_sets(offsets, codes), form, 1, LIMIT).expect_err("invalid")
    };
    assert_eq!(error(&[0, 2], &[1, 1]), "gave the label \"a\" twice in one set");
    assert_eq!(error(&[0, 1], &[3]), "returned the code 3, but only 3 names");
    assert_eq!(error(&[0], &[]), "returned 1 offsets, expected 2");
    let declared = answers(label_sets(&[0, 1], &[0]), AnswerForm::Ranking.into(), 1, LIMIT);
    assert_eq!(declared.expect_err("invalid"), "answered sets of labels, but declared the form `ranking`");
}

#[test]
fn json_values_get_their_canonical_form() {
    let form = AnswerForm::Json.into();
    let returned = json_texts(&[r#"{"b": 1, "a": 2}"#, r#"{"a":2,"b":1}"#, "nothing"], &[0, 1, 2]);
    let returned = wit::Answers { unanswered: vec![abstained(2)], ..returned };
    let accepted = answers(returned, form, 3, LIMIT).expect("the text of an unanswered row is not read");
    let AnswerColumn::Json { texts, codes } = &accepted.decisions else { panic!("JSON") };
    assert_eq!((texts.value(0), &codes[..]), (r#"{"a":2,"b":1}"#, &[0, 0, 1][..]));

    let error = |text: &str| answers(json_texts(&[text], &[0]), form, 1, LIMIT).expect_err("invalid");
    insta::assert_snapshot!(error("{a: 1}"), @r#"answered "{a: 1}", which is not a JSON value: key must be a string at line 1 column 2"#);
    insta::assert_snapshot!(error("[1e999]"), @r#"answered "[1e999]", which is not a JSON value: number out of range at line 1 column 6"#);
    // In its canonical form `1e300` is `1e+300`.
    let long = format!("[{}]", vec!["1e300"; LIMIT / 6].join(","));
    assert!(long.len() <= LIMIT);
    insta::assert_snapshot!(error(&long), @"returned an answer of 19111 bytes; `limits.answer-kib` allows 16384");
    let wrong = answers(json_texts(&["1"], &[1]), form, 1, LIMIT).expect_err("invalid");
    insta::assert_snapshot!(wrong, @"returned the code 1, but only 1 names");
    let none = wit::Answers { unanswered: vec![abstained(0)], ..json_texts(&[], &[9]) };
    let none = answers(none, form, 1, LIMIT).expect("no row is answered");
    assert_eq!(none, Answers::unanswered(form, 1, &Reason::Abstained("no idea".into())));
}

#[test]
fn uniform_class_probabilities_are_accepted_only_if_each_row_is_valid() {
    const ROWS: usize = 5;
    let names = Names::from(vec!["a", "b", "cc"]);
    let valid = || {
        let bounds: Vec<u32> = (0..=ROWS as u32).map(|row| row * 2).collect();
        let values: Vec<f64> = (0..ROWS).flat_map(|row| [row as f64 / 8.0, 1.0 - row as f64 / 8.0]).collect();
        (bounds, [2, 0].repeat(ROWS), values)
    };
    let (bounds, classes, values) = valid();
    assert!(are_uniform_probabilities::<2>(&bounds, &classes, &values, &names, LIMIT));
    assert!(
        !are_uniform_probabilities::<2>(&bounds, &classes, &values, &names, 2),
        "both names have 3 bytes"
    );
    for row in 0..ROWS {
        for cell in [2 * row, 2 * row + 1] {
            for bad in [f64::NAN, -1e-9, 1.5, 0.7] {
                let mut values = values.clone();
                values[cell] = bad;
                assert!(!are_uniform_probabilities::<2>(&bounds, &classes, &values, &names, LIMIT));
                each_row_of_probabilities(&bounds, &classes, &values, &names, &[], LIMIT).unwrap_err();
            }
            let mut classes = classes.clone();
            classes[cell] = 1;
            assert!(!are_uniform_probabilities::<2>(&bounds, &classes, &values, &names, LIMIT));
            each_row_of_probabilities(&bounds, &classes, &values, &names, &[], LIMIT).unwrap();
        }
    }
    let twice = [1, 1].repeat(ROWS);
    assert!(!are_uniform_probabilities::<2>(&bounds, &twice, &values, &names, LIMIT));
    let uneven = [0, 2, 3, 6, 8, 10];
    assert!(!are_uniform_probabilities::<2>(&uneven, &classes, &values, &names, LIMIT));
}
