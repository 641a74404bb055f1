use proptest::prelude::*;
use understudy_sdk::{answers, native};

use super::*;

fn kappa(labels: &[&str]) -> Kappa {
    let labels = labels.iter().map(|label| label.to_string()).collect();
    Kappa::new(Config { labels }, &Assets::default()).unwrap()
}

fn figure(labels: &[&str], model: &[Option<&str>], decisions: &[&str]) -> Option<f64> {
    let kappa = kappa(labels);
    let open = || Reason::Abstained("no opinion".to_owned());
    let rows = decisions.len() as u32;
    let model = answers(rows, |row| model[row].ok_or_else(open));
    let decisions = answers(rows, |row| Ok(decisions[row]));
    let scores = native::score(&kappa, rows, &model, &decisions).unwrap();
    assert_eq!(scores.len(), kappa.components().len());
    let sums: Vec<f64> = scores.iter().map(|component| component.iter().sum()).collect();
    kappa.reduce(rows.into(), &sums)
}

fn close(figure: Option<f64>, expected: f64) {
    assert!((figure.unwrap() - expected).abs() < 1e-14, "{figure:?} is not {expected}");
}

/// sklearn.metrics.cohen_kappa_score(list("abbcaacba"), list("abccbaaba"))
#[test]
fn it_is_that_of_scikit_learn() {
    let model = ["a", "b", "b", "c", "a", "a", "c", "b", "a"].map(Some);
    let decisions = ["a", "b", "c", "c", "b", "a", "a", "b", "a"];
    close(figure(&["a", "b", "c"], &model, &decisions), 0.4807692307692307);
}

/// The hotel's reserved rooms against the rooms assigned, `examples/hotel`: 12,293 of 15,402 agree; the other sums are the
/// counts of rooms `a` to `i`. sklearn.metrics.cohen_kappa_score(reserved_room_type, room)
#[test]
fn over_the_hotel_it_is_that_of_scikit_learn() {
    let reserved = [8571.0, 2.0, 403.0, 3058.0, 2046.0, 552.0, 549.0, 221.0, 0.0];
    let assigned = [6046.0, 83.0, 974.0, 4216.0, 2274.0, 794.0, 649.0, 271.0, 95.0];
    let sides = reserved.into_iter().zip(assigned).flat_map(|(reserved, assigned)| [reserved, assigned]);
    let sums: Vec<f64> = std::iter::once(12293.0).chain(sides).collect();
    close(kappa(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]).reduce(15402, &sums), 0.7125917142622241);
}

/// With the undeclared and the unanswered as classes that the other side never uses:
/// sklearn.metrics.cohen_kappa_score(["a", "b", "?", "x1", "a", "c", "b"], ["a", "b", "a", "x2", "c", "c", "a"])
#[test]
fn the_undeclared_and_the_unanswered_stay_in_the_denominator() {
    let model = [Some("a"), Some("b"), None, Some("x1"), Some("a"), Some("c"), Some("b")];
    let decisions = ["a", "b", "a", "x2", "c", "c", "a"];
    close(figure(&["a", "b", "c"], &model, &decisions), 0.28205128205128216);
}

/// sklearn.metrics.cohen_kappa_score(["a", "xm", "a"], ["a", "xd", "b"])
#[test]
fn an_undeclared_label_does_not_agree_with_itself() {
    close(figure(&["a", "b"], &["a", "x", "a"].map(Some), &["a", "x", "b"]), 0.1428571428571428);
}

#[test]
fn where_chance_is_certain_to_agree_it_is_not_defined() {
    assert_eq!(figure(&["a", "b"], &[Some("a"), Some("a")], &["a", "a"]), None);
    assert_eq!(figure(&["a", "b"], &[], &[]), None);
}

#[test]
fn each_label_has_a_component_a_side() {
    assert_eq!(
        kappa(&["x", "y"]).components(),
        ["agreements", "model x", "decision x", "model y", "decision y"]
    );
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let refused = |config| native::metric::<Kappa>(config, vec![]).err().unwrap();
    assert_eq!(refused("{}"), "config: missing field `labels`");
    assert_eq!(
        refused(r#"{"labels": []}"#),
        "config: `labels` is empty: list the labels that the decisions have"
    );
    assert_eq!(refused(r#"{"labels": ["a", "a"]}"#), "config: `labels` has \"a\" twice");
    assert_eq!(
        refused(r#"{"labels": ["a"], "label": 1}"#),
        "config: unknown field `label`, expected `labels`"
    );
    assert_eq!(refused(r#"{"labels": [1]}"#), "config: invalid type: integer `1`, expected a string");
}

proptest! {
    /// Both raters are equal, and no figure leaves the range.
    #[test]
    fn it_does_not_matter_who_is_the_model(pairs in prop::collection::vec(("[abcx]", "[abcx]"), 0..40)) {
        let (model, decisions): (Vec<_>, Vec<_>) = pairs.iter().map(|(m, d)| (m.as_str(), d.as_str())).unzip();
        let some = |names: &[&'static str]| names.to_vec();
        let labels = some(&["a", "b", "c"]);
        let there = figure(&labels, &model.iter().copied().map(Some).collect::<Vec<_>>(), &decisions);
        let back = figure(&labels, &decisions.iter().copied().map(Some).collect::<Vec<_>>(), &model);
        prop_assert_eq!(there, back);
        prop_assert!(there.is_none_or(|figure| (-1.0..=1.0).contains(&figure)));
    }
}
