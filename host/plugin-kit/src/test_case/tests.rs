//! Tests of the reader of tests and of their comparison with results.

use serde_json::json;
use understudy_study::FieldKind;

use super::*;

fn fields() -> [InputField; 1] {
    [InputField { name: "nights".to_owned(), kind: FieldKind::Integer, required: false }]
}

fn row_tests(text: &str) -> Result<Vec<RowTest>, LineError> {
    read_row_tests(&fields(), text)
}

#[test]
fn rows_are_compared_with_their_expected_answers() {
    let tests = row_tests(
        r#"{"input": {"nights": 3}, "expected": 3}

{"input": {}, "unanswered": "abstained: no nights"}
{"input": {"nights": 1}, "expected": "a", "confidence": 0.5}"#,
    )
    .expect("they are tests");
    assert_eq!(tests.iter().map(|test| test.line).collect::<Vec<_>>(), [1, 3, 4]);
    let unanswered = |why: &str| RowResult::Unanswered(why.to_owned());
    let confident =
        |confidence| RowResult::Answer { value: json!("a"), confidence, probabilities: BTreeMap::new() };
    assert_eq!(tests[0].difference(&RowResult::value(json!(3.0))), None);
    assert_eq!(tests[1].difference(&unanswered("abstained: no nights")), None);
    assert_eq!(tests[2].difference(&confident(Some(0.5))), None);
    let differences = [
        tests[0].difference(&RowResult::value(json!(4.0))),
        tests[0].difference(&RowResult::Broken("`decide` trapped".to_owned())),
        tests[1].difference(&unanswered("failed: no nights")),
        tests[1].difference(&RowResult::value(json!(1))),
        tests[2].difference(&confident(None)),
    ];
    let texts: Vec<String> = differences
        .into_iter()
        .map(|difference| {
            let Difference { line, expected, found } = difference.expect("it differs");
            format!("line {line}: expected {expected}, found {found}")
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    line 1: expected 3, found 4.0
    line 1: expected 3, found a failure (`decide` trapped)
    line 3: expected no answer (abstained: no nights), found no answer (failed: no nights)
    line 3: expected no answer (abstained: no nights), found 1
    line 4: expected "a" with the confidence 0.5, found "a"
    "#);
}

#[test]
fn lines_that_are_no_tests_are_named() {
    let errors = [
        row_tests("{}"),
        row_tests("\n{\"input\": 3, \"expected\": 1}"),
        row_tests(r#"{"input": {"nigths": 3}, "expected": 1}"#),
        row_tests(r#"{"input": {"nights": 3}}"#),
        row_tests(r#"{"input": {"nights": "3"}, "expected": 1}"#),
        row_tests(r#"{"input": {}, "output": 1}"#),
        row_tests("no JSON"),
    ];
    let errors: Vec<String> =
        errors.into_iter().map(|result| result.expect_err("no test").to_string()).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 1: it has no `input`; write the row there
    line 2: `input` is no JSON object; write the fields of the row
    line 1: the plugin does not read the field `nigths`; it reads nights
    line 1: write either `expected`, the answer, or `unanswered`, the reason such as "abstained: why"
    line 1: field `nights`: expected an integer, found "3"
    line 1: unknown field `output`, expected one of `input`, `expected`, `unanswered`, `confidence`, `probabilities`, `value` at column 22; write a line such as {"input": {"nights": 3}, "expected": "a"}
    line 1: expected ident at column 2; write a line such as {"input": {"nights": 3}, "expected": "a"}
    "#);
}

#[test]
fn pairs_have_the_first_form_that_fits() {
    let forms = [AnswerForm::Label, AnswerForm::LabelSet, AnswerForm::Json];
    let text = r#"{"input": {"model": ["a"], "comparator": ["a", "b"]}, "expected": {"hits": 1}}
{"value": 0.5}
{"input": {"comparator": []}, "expected": {"hits": 0}}
{"value": null}"#;
    let (form, tests) = read_pair_tests(&forms, text).expect("they are tests");
    assert_eq!(form, AnswerForm::LabelSet);
    assert!(matches!(
        &tests[..],
        [
            PairTest::Components { line: 1, .. },
            PairTest::Value { line: 2, expected: Some(0.5) },
            PairTest::Components { line: 3, pair: Pair { model: None, .. }, .. },
            PairTest::Value { line: 4, expected: None },
        ]
    ));
    let null = r#"{"input": {"model": null, "comparator": 1}, "expected": {}}"#;
    let (form, _) = read_pair_tests(&forms, null).expect("null is a JSON value");
    assert_eq!(form, AnswerForm::Json);
}

#[test]
fn pairs_that_are_no_tests_are_named() {
    let error = |text| read_pair_tests(&[AnswerForm::Number], text).expect_err("no test").to_string();
    let errors = [
        error(r#"{"input": {"model": "a", "comparator": 1}, "expected": {}}"#),
        error(r#"{"input": {"model": null, "comparator": 1}, "expected": {}}"#),
        error(r#"{"input": {"model": 1}, "expected": {}}"#),
        error(r#"{"input": {"comparator": 1}, "expected": 3}"#),
        error(r#"{"input": {"comparator": 1}, "value": 3}"#),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 1: `model` is "a", expected a number
    line 1: `model` is null, expected a number; leave the key out if there is no answer
    line 1: the pair: missing field `comparator` at column 12; write {"model": "a", "comparator": "b"}
    line 1: `expected`: invalid type: integer `3`, expected a map at column 1; write each component with its number
    line 1: write either `input` and `expected`, or only `value`
    "#);
}
