//! Metrics that trap or return invalid results: the failing pairs are listed, and the value covers the
//! others.

use understudy_records::batch::Answers;
use understudy_sandbox::{Better, Scorer};
use understudy_study::AnswerForm;

use super::fixture::{BUDGET, sandbox};
use super::handmade_component::{Handmade, metric};

fn answers(numbers: Vec<f64>) -> Answers {
    Answers::from_numbers(numbers)
}

fn scorer(metric: &Handmade) -> Scorer {
    metric.load_metric(&sandbox(BUDGET)).expect("it can be loaded").instance()
}

/// The error of loading the metric.
fn refused(metric: &Handmade) -> String {
    metric.load_metric(&sandbox(BUDGET)).err().expect("it cannot be loaded").to_string()
}

/// The only component of each pair, and the pairs on which the metric failed.
fn score(scorer: &mut Scorer, numbers: &[f64]) -> (Vec<f64>, Vec<(u32, String)>) {
    let pairs = answers(numbers.to_vec());
    let mut scored = scorer.score(&pairs, &pairs);
    assert_eq!(scored.components.len(), 1);
    (scored.components.remove(0), scored.broken)
}

/// The failures for two failing pairs.
fn broken(metric: &Handmade) -> String {
    let (components, broken) = score(&mut scorer(metric), &[1.0, 2.0]);
    assert_eq!(components, [0.0, 0.0]);
    let [(0, first), (1, second)] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(first, second);
    first.clone()
}

#[test]
fn a_handmade_metric_scores() {
    let loaded = metric().load_metric(&sandbox(BUDGET)).expect("it can be loaded");
    assert_eq!(
        (loaded.accepts.as_slice(), loaded.components.as_slice()),
        (&[AnswerForm::Number][..], &["c".to_owned()][..])
    );
    assert_eq!((loaded.better, loaded.range), (Better::Higher, (None, None)));
    let mut scorer = loaded.instance();
    assert_eq!(score(&mut scorer, &[1.0, 2.5]), (vec![1.0, 2.5], vec![]));
    assert_eq!(score(&mut scorer, &[]), (vec![], vec![]));
    assert_eq!(scorer.reduce(2, &[3.5]), Ok(Some(3.5)));
}

#[test]
fn all_pairs_on_which_a_metric_fails_are_listed() {
    let mut scorer = scorer(&metric());
    let bad: [&[usize]; 5] = [&[0], &[99], &[50], &[3, 4, 77], &(0..100).collect::<Vec<_>>()];
    for bad in bad {
        let number = |pair: usize| if bad.contains(&pair) { -1.0 } else { pair as f64 };
        let (components, broken) = score(&mut scorer, &(0..100).map(number).collect::<Vec<_>>());
        assert_eq!(components, (0..100).map(|pair| number(pair).max(0.0)).collect::<Vec<_>>());
        assert_eq!(broken.iter().map(|(pair, _)| *pair as usize).collect::<Vec<_>>(), bad);
        assert!(broken.iter().all(|(_, why)| why.starts_with("`score` trapped: ")), "{broken:?}");
    }
    assert_eq!(score(&mut scorer, &[1.0]), (vec![1.0], vec![]));
}

#[test]
fn invalid_scores_are_rejected() {
    let back = |components: &str, rows: &str| {
        format!(
            "(i32.store (i32.const 2052) (i32.const 2064)) (i32.store (i32.const 2056) {components})
             (i32.store (i32.const 2064) (i32.const 8192)) (i32.store (i32.const 2068) {rows})
             (i32.store (i32.const 2072) (i32.const 8192)) (i32.store (i32.const 2076) {rows}) i32.const 2048"
        )
    };
    let rows = "(i32.load (local.get $given))";
    let nan = "(f64.store (i32.const 8192) (f64.const nan)) (f64.store (i32.const 8200) (f64.const nan))";
    let infinite =
        "(f64.store (i32.const 8192) (f64.const inf)) (f64.store (i32.const 8200) (f64.const inf))";
    let one = "(i32.const 1)";
    let bodies = [
        format!("{nan} {}", back(one, rows)),
        format!("{infinite} {}", back(one, rows)),
        back("(i32.const 0)", rows),
        back("(i32.const 2)", rows),
        back(one, &format!("(i32.sub {rows} {one})")),
        back(one, &format!("(i32.add {rows} {one})")),
        "(loop br 0) unreachable".to_owned(),
        "(i32.store8 (i32.const 2048) (i32.const 1)) (i32.store (i32.const 2052) (i32.const 4096))
         (i32.store (i32.const 2056) (i32.const 8)) i32.const 2048"
            .to_owned(),
    ];
    let messages: Vec<String> = bodies.iter().map(|body| broken(&metric().with("score", body))).collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    `score` returned the component NaN; components must be finite
    `score` returned the component inf; components must be finite
    `score` did not return 1 components of 1 rows
    `score` did not return 1 components of 1 rows
    `score` did not return 1 components of 1 rows
    `score` did not return 1 components of 1 rows
    `score` used up its fuel of 1000000
    `score` returned an error: handmade
    ");
}

#[test]
fn invalid_values_are_rejected() {
    let reduce = |body: &str| {
        let mut scorer = scorer(&metric().with("reduce", body));
        let messages = scorer.reduce(2, &[3.5]).expect_err("it is no figure");
        assert_eq!(score(&mut scorer, &[1.0]), (vec![1.0], vec![]), "it goes on scoring");
        messages
    };
    let figure = |value: &str| {
        format!(
            "(i32.store8 (i32.const 2048) (i32.const 1)) (f64.store (i32.const 2056) (f64.const {value})) i32.const 2048"
        )
    };
    let messages = [
        reduce(&figure("nan")),
        reduce(&figure("-inf")),
        reduce("unreachable"),
        reduce("(loop br 0) unreachable"),
    ];
    insta::assert_snapshot!(messages.join("\n"), @"
    `reduce` returned NaN
    `reduce` returned -inf
    `reduce` trapped: wasm `unreachable` instruction executed
    `reduce` used up its fuel of 1000000
    ");
    let none = scorer(&metric().with("reduce", "(i32.store8 (i32.const 2048) (i32.const 0)) i32.const 2048"))
        .reduce(0, &[0.0]);
    assert_eq!(none, Ok(None));
}

#[test]
fn invalid_descriptions_are_rejected() {
    let with = |at: u32, bytes: &[u8]| {
        let mut metric = metric();
        metric.bytes(at, bytes);
        metric
    };
    let no_components = with(1024 + 32, &[0; 4]);
    let mut twice = with(3084, &[8, 16, 0, 0, 1, 0, 0, 0]);
    twice.words(1024 + 32, &[2]);
    let least = |value: f64| with(1024 + 40, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], &value.to_le_bytes()].concat());
    let mut crossed = least(1.0);
    crossed.bytes(1024 + 56, &[1]);
    let messages = [refused(&no_components), refused(&twice), refused(&least(f64::NAN)), refused(&crossed)];
    insta::assert_snapshot!(messages.join("\n"), @"
    invalid description: a metric needs at least one component
    invalid description: duplicate name `c` among its components
    invalid description: a bound of its range is NaN; omit bounds that are not finite
    invalid description: its minimum 1 is above its maximum 0
    ");
    assert_eq!(least(0.5).load_metric(&sandbox(BUDGET)).expect("it is sound").range, (Some(0.5), None));
    // Repeated forms count once.
    let mut forms = with(16_384, &[1; 5000]);
    forms.words(1024 + 16, &[16_384, 5000]);
    assert_eq!(forms.load_metric(&sandbox(BUDGET)).expect("it is sound").accepts, [AnswerForm::Number]);
}
