use understudy_sdk::{Answers, collect_answers, native};

use super::*;

/// The label, its probabilities of the classes a, b and c, and the decision.
const PAIRS: [(&str, [f64; 3], &str); 6] = [
    ("a", [0.7, 0.2, 0.1], "a"),
    ("b", [0.25, 0.5, 0.25], "b"),
    ("c", [0.0, 0.0, 1.0], "c"),
    ("b", [0.1, 0.6, 0.3], "d"),
    ("a", [0.3, 0.3, 0.4], "c"),
    ("c", [0.05, 0.3, 0.65], "b"),
];

fn error(bins: usize) -> ExpectedCalibrationError {
    ExpectedCalibrationError { bins }
}

fn confident(rows: &[Option<(&'static str, f64)>]) -> Answers {
    collect_answers(rows.len() as u32, |row| {
        let (answer, confidence) = rows[row].ok_or_else(|| Reason::Abstained("no answer".to_owned()))?;
        Ok(WithConfidence { answer, confidence })
    })
}

fn value(bins: usize, model: &Answers, decisions: &[&str]) -> Option<f64> {
    let rows = decisions.len() as u32;
    let decisions = collect_answers(rows, |row| Ok(decisions[row]));
    native::value(&error(bins), rows, model, &decisions).unwrap()
}

/// tests/oracles/metrics.py, with sklearn.calibration.calibration_curve
#[test]
fn equals_the_calibration_curve_of_scikit_learn() {
    let model = collect_answers(6, |row| {
        let (answer, values, _) = PAIRS[row];
        Ok(WithProbabilities { answer, probabilities: ["a", "b", "c"].into_iter().zip(values) })
    });
    let decisions = PAIRS.map(|(_, _, decision)| decision);
    for (bins, expected) in [(1, 0.125), (5, 0.125), (10, 0.2916666666666667)] {
        let value = value(bins, &model, &decisions);
        assert!((value.unwrap() - expected).abs() < 1e-14, "{bins}: {value:?}");
    }
}

#[test]
fn a_bin_has_its_upper_edge() {
    let metric = error(10);
    let bins = [0.0, 1e-300, 0.1, 0.100001, 0.3, 0.7, 0.95, 1.0].map(|confidence| metric.bin(confidence));
    assert_eq!(bins, [0, 0, 0, 1, 2, 6, 9, 9]);
}

#[test]
fn a_sure_model_that_is_right_has_no_error() {
    let model = confident(&[Some(("a", 1.0)), Some(("b", 1.0))]);
    assert_eq!(value(10, &model, &["a", "b"]), Some(0.0));
    assert_eq!(value(10, &model, &["b", "a"]), Some(1.0));
}

#[test]
fn pairs_without_a_confidence_are_excluded() {
    assert_eq!(value(2, &confident(&[Some(("a", 0.75)), None]), &["a", "a"]), Some(0.25));
    assert_eq!(value(2, &confident(&[None]), &["a"]), None);
    assert_eq!(native::value_of_rows(&error(2), &[Some("a")], &["a"]), Ok(None));
    let mut model = confident(&[Some(("a", 0.75)), Some(("a", 0.5))]);
    model.confidence.as_mut().unwrap()[1] = f64::NAN;
    assert_eq!(value(2, &model, &["a", "a"]), Some(0.25), "a confidence that is not reported is NaN");
}

#[test]
fn invalid_configurations_are_rejected() {
    assert_eq!(native::metric::<ExpectedCalibrationError>("{}", vec![]).unwrap().bins, 10);
    let refused = |config| native::metric::<ExpectedCalibrationError>(config, vec![]).err().unwrap();
    assert_eq!(refused(r#"{"bins": 0}"#), "config: `bins` is 0; it must be from 1 to 100");
    assert_eq!(refused(r#"{"bins": 101}"#), "config: `bins` is 101; it must be from 1 to 100");
    assert_eq!(refused(r#"{"bin": 5}"#), "config: unknown field `bin`, expected `bins`");
}
