use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::prelude::*;
use understudy_sdk::{collect_answers, native};

use super::*;

fn score(model: &[&str], decision: &[&str]) -> f64 {
    let (model, decision) = (collect_answers(1, |_| Ok(model)), collect_answers(1, |_| Ok(decision)));
    native::score(&KendallTau, 1, &model, &decision).unwrap()[0][0]
}

/// The letters of a text as a ranking.
fn letters(text: &str) -> Vec<&str> {
    text.split("").filter(|letter| !letter.is_empty()).collect()
}

/// tests/oracles/metrics.py: scipy.stats.kendalltau(ranks of the model, ranks of the decision, variant="b")
#[test]
fn equals_the_kendalltau_of_scipy() {
    let expected = [
        ("abcdefg", "abcdefg", 1.0),
        ("abcdefg", "gfedcba", -1.0),
        ("abcde", "bacxd", 0.6),
        ("abc", "bcadef", 0.5962847939999439),
        ("bcadefgh", "abc", 0.6236095644623235),
        ("abcd", "efgh", -0.7272727272727272),
        ("xaybz", "abc", 0.0),
        ("a", "abcd", 0.7071067811865477),
        ("abcd", "c", -0.2357022603955159),
        ("a", "b", -1.0),
    ];
    for (model, decision, expected) in expected {
        let score = score(&letters(model), &letters(decision));
        assert!((score - expected).abs() < 1e-12, "{model} {decision}: {score} is not {expected}");
    }
}

#[test]
fn equal_rankings_score_one_even_where_tau_is_undefined() {
    assert_eq!(score(&[], &[]), 1.0);
    assert_eq!(score(&["a"], &["a"]), 1.0);
    assert_eq!(score(&["b", "a"], &["b", "a"]), 1.0);
}

#[test]
fn an_empty_ranking_has_no_order_to_agree_with() {
    assert_eq!(score(&[], &["a"]), -1.0);
    assert_eq!(score(&[], &["a", "b"]), -1.0);
    assert_eq!(score(&["a", "b"], &[]), -1.0);
}

#[test]
fn the_value_is_the_mean_over_all_pairs() {
    let model = [Some(vec!["a", "b"]), None, Some(vec!["b", "a"]), Some(vec![])];
    let decisions = [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec![]];
    assert_eq!(native::value_of_rows(&KendallTau, &model, &decisions), Ok(Some(0.0)));
    assert_eq!(KendallTau.reduce(0, &[0.0]), None);
}

#[test]
fn a_configuration_is_rejected() {
    let refused = native::metric::<KendallTau>(r#"{"k": 3}"#, vec![]).err().unwrap();
    assert_eq!(refused, "config: unknown field `k`, there are no fields");
}

/// A ranking of a subset of eight letters.
fn ranking() -> impl Strategy<Value = Vec<&'static str>> {
    let letters = vec!["a", "b", "c", "d", "e", "f", "g", "h"];
    let length = letters.len();
    (Just(letters).prop_shuffle(), 0..=length).prop_map(|(mut letters, length)| {
        letters.truncate(length);
        letters
    })
}

/// τ_b by its definition, over all pairs of items; `None` if it is undefined.
fn definition(model: &[&str], decision: &[&str]) -> Option<f64> {
    let rank = |ranking: &[&str], item: &str| {
        ranking.iter().position(|other| *other == item).unwrap_or(ranking.len())
    };
    let items: Vec<_> = model.iter().chain(decision).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let (mut difference, mut ordered) = (0.0, [0.0, 0.0]);
    for (at, one) in items.iter().enumerate() {
        for other in &items[..at] {
            let signs =
                [model, decision].map(|ranking| match rank(ranking, one).cmp(&rank(ranking, other)) {
                    Ordering::Less => -1.0,
                    Ordering::Equal => 0.0,
                    Ordering::Greater => 1.0_f64,
                });
            difference += signs[0] * signs[1];
            ordered[0] += signs[0].abs();
            ordered[1] += signs[1].abs();
        }
    }
    let root = f64::sqrt(ordered[0] * ordered[1]);
    (root > 0.0).then(|| difference / root)
}

proptest! {
    #[test]
    fn scores_follow_the_definition(model in ranking(), decision in ranking()) {
        let score = score(&model, &decision);
        let undefined = if model == decision { 1.0 } else { -1.0 };
        prop_assert!((score - definition(&model, &decision).unwrap_or(undefined)).abs() < 1e-12);
        prop_assert!((-1.0..=1.0).contains(&score));
    }
}
