use std::collections::BTreeSet;

use proptest::prelude::*;
use understudy_sdk::{collect_answers, native};

use super::*;

fn overlap(p: f64, model: &[&str], decision: &[&str]) -> f64 {
    let (model, decision) = (collect_answers(1, |_| Ok(model)), collect_answers(1, |_| Ok(decision)));
    native::score(&RankBiasedOverlap { p }, 1, &model, &decision).unwrap()[0][0]
}

/// The letters of a text as a ranking.
fn letters(text: &str) -> Vec<&str> {
    text.split("").filter(|letter| !letter.is_empty()).collect()
}

/// tests/oracles/metrics.py: rbo.RankingSimilarity(model, decision).rbo_ext(p), for p = 0.5, 0.9 and 0.98
#[test]
fn equals_the_package_rbo() {
    let expected = [
        ("abcdefg", "abcdefg", [1.0, 1.0, 1.0]),
        ("abcdefg", "gfedcba", [0.06302083333333333, 0.6382395000000001, 0.9166821053973333]),
        ("abcde", "bacxd", [0.47187500000000004, 0.7505550000000001, 0.7908204080000001]),
        ("abc", "bcadef", [0.375, 0.855, 0.9702]),
        ("bcadefgh", "abc", [0.375, 0.8550000000000001, 0.9702]),
        ("abcd", "efgh", [0.0, 0.0, 0.0]),
        ("xaybz", "abc", [0.23645833333333333, 0.464445, 0.5191129253333333]),
        ("a", "abcd", [1.0, 1.0, 1.0]),
        ("abcd", "c", [0.07291666666666666, 0.20925, 0.24170066666666665]),
        ("a", "b", [0.0, 0.0, 0.0]),
    ];
    for (model, decision, scores) in expected {
        for (p, expected) in [0.5, 0.9, 0.98].into_iter().zip(scores) {
            let score = overlap(p, &letters(model), &letters(decision));
            assert!((score - expected).abs() < 1e-12, "{model} {decision} {p}: {score} is not {expected}");
        }
    }
}

#[test]
fn an_empty_ranking_overlaps_only_with_an_empty_one() {
    assert_eq!(overlap(0.9, &[], &[]), 1.0);
    assert_eq!(overlap(0.9, &["a"], &[]), 0.0);
    assert_eq!(overlap(0.9, &[], &["a"]), 0.0);
}

#[test]
fn the_value_is_the_mean_over_all_pairs() {
    let metric = RankBiasedOverlap { p: 0.9 };
    let model = [Some(vec!["a", "b"]), None, Some(vec!["c"]), Some(vec![])];
    let decisions = [vec!["a", "b"], vec!["a"], vec!["d"], vec![]];
    assert_eq!(native::value_of_rows(&metric, &model, &decisions), Ok(Some(0.5)));
    assert_eq!(metric.reduce(0, &[0.0]), None);
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config| native::metric::<RankBiasedOverlap>(config, vec![]).err().unwrap();
    assert_eq!(refused("{}"), "config: missing field `p`");
    assert_eq!(refused(r#"{"p": 0}"#), "config: `p` is 0; it must be above 0 and below 1");
    assert_eq!(refused(r#"{"p": 1}"#), "config: `p` is 1; it must be above 0 and below 1");
    assert_eq!(refused(r#"{"p": 0.9, "k": 3}"#), "config: unknown field `k`, expected `p`");
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

/// Equation 32 as the paper writes it.
fn equation_32(p: f64, one: &[&str], other: &[&str]) -> f64 {
    let (s, l) = (one.len().min(other.len()), one.len().max(other.len()));
    let common = |d: usize| {
        let first: BTreeSet<_> = other.iter().take(d).collect();
        one.iter().take(d).filter(|item| first.contains(item)).count() as f64
    };
    let power = |d: usize| p.powi(d as i32);
    let seen: f64 = (1..=l).map(|d| common(d) / d as f64 * power(d)).sum();
    let unseen: f64 = (s + 1..=l).map(|d| common(s) * (d - s) as f64 / (s * d) as f64 * power(d)).sum();
    (1.0 - p) / p * (seen + unseen) + ((common(l) - common(s)) / l as f64 + common(s) / s as f64) * power(l)
}

proptest! {
    #[test]
    fn scores_follow_the_formula(model in ranking(), decision in ranking(), p in 0.01..0.99) {
        let score = overlap(p, &model, &decision);
        prop_assert!((0.0..=1.0).contains(&score));
        prop_assert_eq!(score, overlap(p, &decision, &model));
        if !model.is_empty() && !decision.is_empty() {
            prop_assert!((score - equation_32(p, &model, &decision)).abs() < 1e-12);
        }
    }
}
