use std::collections::BTreeSet;

use proptest::prelude::*;
use understudy_sdk::native;

use super::*;

type Set = BTreeSet<&'static str>;

fn set(labels: &[&'static str]) -> Set {
    labels.iter().copied().collect()
}

fn value(model: &[Option<Set>], decisions: &[Set]) -> Option<f64> {
    native::value_of_rows(&Jaccard, model, decisions).unwrap()
}

/// tests/oracles/metrics.py: sklearn.metrics.jaccard_score(..., average="samples", zero_division=1.0)
#[test]
fn equals_the_jaccard_score_of_scikit_learn() {
    let model = [&["a", "b"][..], &["a"], &[], &["a", "b", "c"], &["d"], &[]].map(|labels| Some(set(labels)));
    let decisions = [&["b", "c"][..], &["a"], &[], &["a", "c", "d"], &[], &["b"]].map(set);
    let value = value(&model, &decisions);
    assert!((value.unwrap() - 0.4722222222222222).abs() < 1e-14, "{value:?}");
}

#[test]
fn empty_sets_are_equal_and_unanswered_pairs_score_zero() {
    assert_eq!(value(&[Some(set(&[]))], &[set(&[])]), Some(1.0));
    assert_eq!(value(&[Some(set(&["a"]))], &[set(&[])]), Some(0.0));
    assert_eq!(value(&[None, Some(set(&["a"]))], &[set(&[]), set(&["a"])]), Some(0.5));
    assert_eq!(value(&[], &[]), None);
}

proptest! {
    #[test]
    fn scores_follow_the_formula(
        model in prop::collection::btree_set(0usize..8, 0..8),
        decision in prop::collection::btree_set(0usize..8, 0..8),
    ) {
        const LETTERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let named = |set: &BTreeSet<usize>| set.iter().map(|label| LETTERS[*label]).collect::<Set>();
        let expected = match model.union(&decision).count() {
            0 => 1.0,
            all => model.intersection(&decision).count() as f64 / all as f64,
        };
        prop_assert_eq!(value(&[Some(named(&model))], &[named(&decision)]), Some(expected));
    }
}
