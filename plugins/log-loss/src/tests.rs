use understudy_sdk::native;

use super::*;

const CLASSES: [&str; 3] = ["a", "b", "c"];

fn value(rows: &[Option<[f64; 3]>], decisions: &[&str]) -> Option<f64> {
    native::value_of_probabilities(&LogLoss, CLASSES, rows, decisions).unwrap()
}

/// tests/oracles/metrics.py: sklearn.metrics.log_loss of probabilities that are clipped to 1e-15
#[test]
fn equals_the_log_loss_of_scikit_learn() {
    let rows = [
        [0.7, 0.2, 0.1],
        [0.25, 0.5, 0.25],
        [0.0, 0.0, 1.0],
        [0.1, 0.6, 0.3],
        [0.3, 0.3, 0.4],
        [0.05, 0.3, 0.65],
    ];
    let value = value(&rows.map(Some), &["a", "b", "c", "d", "c", "b"]);
    assert!((value.unwrap() - 6.284810342601577).abs() < 1e-14, "{value:?}");
}

#[test]
fn the_loss_is_finite_and_within_its_range() {
    let worst = -EPSILON.ln();
    assert_eq!(value(&[Some([1.0, 0.0, 0.0])], &["b"]), Some(worst));
    assert_eq!(value(&[Some([1.0, 0.0, 0.0])], &["another"]), Some(worst));
    assert!((worst - 34.538776394910684).abs() < 1e-12);
    let best = value(&[Some([1.0, 0.0, 0.0])], &["a"]).unwrap();
    assert!((0.0..2e-15).contains(&best), "{best}");
}

#[test]
fn unanswered_pairs_are_excluded() {
    assert_eq!(value(&[Some([0.5, 0.5, 0.0]), None], &["a", "b"]), Some(std::f64::consts::LN_2));
    assert_eq!(value(&[None], &["a"]), None);
    assert_eq!(value(&[], &[]), None);
}

#[test]
fn it_needs_probabilities() {
    assert!(LogLoss.needs_probabilities());
    // The host refuses such a study. Without probabilities there is no error.
    assert_eq!(native::value_of_rows(&LogLoss, &[Some("a")], &["a"]), Ok(None));
}
