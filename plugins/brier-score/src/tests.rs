use understudy_sdk::native;

use super::*;

const CLASSES: [&str; 3] = ["a", "b", "c"];

fn value(rows: &[Option<[f64; 3]>], decisions: &[&str]) -> Option<f64> {
    native::value_of_probabilities(&BrierScore, CLASSES, rows, decisions).unwrap()
}

/// tests/oracles/metrics.py: sklearn.metrics.brier_score_loss(..., scale_by_half=False)
#[test]
fn equals_the_brier_score_of_scikit_learn() {
    let rows = [
        [0.7, 0.2, 0.1],
        [0.25, 0.5, 0.25],
        [0.0, 0.0, 1.0],
        [0.1, 0.6, 0.3],
        [0.3, 0.3, 0.4],
        [0.05, 0.3, 0.65],
    ];
    let value = value(&rows.map(Some), &["a", "b", "c", "d", "c", "b"]);
    assert!((value.unwrap() - 0.5716666666666667).abs() < 1e-14, "{value:?}");
}

#[test]
fn a_sure_answer_scores_zero_or_two() {
    assert_eq!(value(&[Some([1.0, 0.0, 0.0])], &["a"]), Some(0.0));
    assert_eq!(value(&[Some([1.0, 0.0, 0.0])], &["b"]), Some(2.0));
    assert_eq!(value(&[Some([1.0, 0.0, 0.0])], &["another"]), Some(2.0));
}

#[test]
fn unanswered_pairs_are_excluded() {
    assert_eq!(value(&[Some([0.5, 0.5, 0.0]), None], &["a", "b"]), Some(0.5));
    assert_eq!(value(&[None], &["a"]), None);
    assert_eq!(value(&[], &[]), None);
}

#[test]
fn it_needs_probabilities() {
    assert!(BrierScore.needs_probabilities());
    // The host refuses such a study. Without probabilities there is no error.
    assert_eq!(native::value_of_rows(&BrierScore, &[Some("a")], &["a"]), Ok(None));
}
