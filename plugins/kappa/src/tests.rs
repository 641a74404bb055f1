use proptest::prelude::*;
use understudy_sdk::native;

use super::*;

fn kappa(labels: &[&str]) -> Kappa {
    let labels = labels.iter().map(|label| label.to_string()).collect();
    Kappa::new(Config { labels }, &Assets::default()).unwrap()
}

fn value(labels: &[&str], model: &[Option<&str>], decisions: &[&str]) -> Option<f64> {
    native::value_of_rows(&kappa(labels), model, decisions).unwrap()
}

fn assert_close(value: Option<f64>, expected: f64) {
    assert!((value.unwrap() - expected).abs() < 1e-14, "{value:?} is not {expected}");
}

/// sklearn.metrics.cohen_kappa_score(list("abbcaacba"), list("abccbaaba"))
#[test]
fn equals_the_kappa_of_scikit_learn() {
    let model = ["a", "b", "b", "c", "a", "a", "c", "b", "a"].map(Some);
    let decisions = ["a", "b", "c", "c", "b", "a", "a", "b", "a"];
    assert_close(value(&["a", "b", "c"], &model, &decisions), 0.4807692307692307);
}

/// Reserved against assigned rooms of `examples/hotel`: 12,293 of 15,402 agree. The other sums are the counts
/// of rooms `a` to `i`. sklearn.metrics.cohen_kappa_score(reserved_room_type, room)
#[test]
fn equals_the_kappa_of_scikit_learn_on_the_hotel_data() {
    let reserved = [8571.0, 2.0, 403.0, 3058.0, 2046.0, 552.0, 549.0, 221.0, 0.0];
    let assigned = [6046.0, 83.0, 974.0, 4216.0, 2274.0, 794.0, 649.0, 271.0, 95.0];
    let sides = reserved.into_iter().zip(assigned).flat_map(|(reserved, assigned)| [reserved, assigned]);
    let sums: Vec<f64> = std::iter::once(12293.0).chain(sides).collect();
    assert_close(
        kappa(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]).reduce(15402, &sums),
        0.7125917142622241,
    );
}

/// Undeclared and unanswered rows are classes that the other rater never uses:
/// sklearn.metrics.cohen_kappa_score(["a", "b", "?", "x1", "a", "c", "b"], ["a", "b", "a", "x2", "c", "c",
/// "a"])
#[test]
fn undeclared_and_unanswered_rows_count_in_the_denominator() {
    let model = [Some("a"), Some("b"), None, Some("x1"), Some("a"), Some("c"), Some("b")];
    let decisions = ["a", "b", "a", "x2", "c", "c", "a"];
    assert_close(value(&["a", "b", "c"], &model, &decisions), 0.28205128205128216);
}

/// sklearn.metrics.cohen_kappa_score(["a", "xm", "a"], ["a", "xd", "b"])
#[test]
fn an_undeclared_label_does_not_agree_with_itself() {
    assert_close(value(&["a", "b"], &["a", "x", "a"].map(Some), &["a", "x", "b"]), 0.1428571428571428);
}

#[test]
fn undefined_if_chance_agreement_is_certain() {
    assert_eq!(value(&["a", "b"], &[Some("a"), Some("a")], &["a", "a"]), None);
    assert_eq!(value(&["a", "b"], &[], &[]), None);
}

#[test]
fn each_label_has_a_component_per_rater() {
    assert_eq!(
        kappa(&["x", "y"]).components(),
        ["agreements", "model x", "decision x", "model y", "decision y"]
    );
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config| native::metric::<Kappa>(config, vec![]).err().unwrap();
    assert_eq!(refused("{}"), "config: missing field `labels`");
    assert_eq!(refused(r#"{"labels": []}"#), "config: `labels` is empty; list the labels of the decisions");
    assert_eq!(refused(r#"{"labels": ["a", "a"]}"#), "config: `labels` repeats \"a\"");
    assert_eq!(
        refused(r#"{"labels": ["a"], "label": 1}"#),
        "config: unknown field `label`, expected `labels`"
    );
    assert_eq!(refused(r#"{"labels": [1]}"#), "config: invalid type: integer `1`, expected a string");
}

proptest! {
    /// Kappa is symmetric and within its range.
    #[test]
    fn kappa_is_symmetric(pairs in prop::collection::vec(("[abcx]", "[abcx]"), 0..40)) {
        let (model, decisions): (Vec<_>, Vec<_>) = pairs.iter().map(|(m, d)| (m.as_str(), d.as_str())).unzip();
        let some = |names: &[&'static str]| names.to_vec();
        let labels = some(&["a", "b", "c"]);
        let there = value(&labels, &model.iter().copied().map(Some).collect::<Vec<_>>(), &decisions);
        let back = value(&labels, &decisions.iter().copied().map(Some).collect::<Vec<_>>(), &model);
        prop_assert_eq!(there, back);
        prop_assert!(there.is_none_or(|value| (-1.0..=1.0).contains(&value)));
    }
}
