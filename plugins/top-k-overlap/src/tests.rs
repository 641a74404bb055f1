use std::collections::BTreeSet;

use proptest::prelude::*;
use understudy_sdk::{collect_answers, native};

use super::*;

fn overlap(k: usize, model: &[&str], decision: &[&str]) -> f64 {
    let (model, decision) = (collect_answers(1, |_| Ok(model)), collect_answers(1, |_| Ok(decision)));
    native::score(&TopKOverlap { k }, 1, &model, &decision).unwrap()[0][0]
}

#[test]
fn long_rankings_score_the_share_of_the_first_k() {
    let (model, decision) = (["a", "b", "c", "d", "e"], ["c", "a", "x", "b", "e"]);
    assert_eq!([1, 2, 3, 4].map(|k| overlap(k, &model, &decision)), [0.0, 0.5, 2.0 / 3.0, 0.75]);
}

#[test]
fn single_choices_score_the_hit_rate() {
    let model = ["a", "b", "c", "d"];
    assert_eq!([1, 2, 3, 9].map(|k| overlap(k, &model, &["c"])), [0.0, 0.0, 1.0, 1.0]);
    assert_eq!(overlap(3, &model, &["d"]), 0.0);
}

#[test]
fn short_decisions_can_score_one_but_short_rankings_cannot() {
    assert_eq!(overlap(4, &["a", "b", "c", "d"], &["d", "b"]), 1.0);
    assert_eq!(overlap(4, &["a", "b"], &["a", "b", "c", "d"]), 0.5);
    assert_eq!(overlap(4, &[], &["a"]), 0.0);
}

#[test]
fn an_empty_decision_matches_only_an_empty_ranking() {
    assert_eq!(overlap(2, &[], &[]), 1.0);
    assert_eq!(overlap(2, &["a"], &[]), 0.0);
}

#[test]
fn the_value_is_the_mean_over_all_pairs() {
    let metric = TopKOverlap { k: 2 };
    let abstained = || Reason::Abstained("no opinion".to_owned());
    let model = [Some(["a", "b"]), None, Some(["a", "b"])];
    let model = collect_answers(3, |row| model[row].ok_or_else(abstained));
    let decisions = collect_answers(3, |row| Ok([["a", "b"], ["a", "b"], ["b", "c"]][row]));
    let scores = native::score(&metric, 3, &model, &decisions).unwrap();
    assert_eq!(scores, [[1.0, 0.0, 0.5]]);
    assert_eq!(metric.reduce(3, &[1.5]), Some(0.5));
    assert_eq!(metric.reduce(0, &[0.0]), None);
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config| native::metric::<TopKOverlap>(config, vec![]).err().unwrap();
    assert_eq!(refused("{}"), "config: missing field `k`");
    assert_eq!(refused(r#"{"k": 0}"#), "config: `k` is 0; it must be from 1 to 1000");
    assert_eq!(refused(r#"{"k": 1001}"#), "config: `k` is 1001; it must be from 1 to 1000");
    assert_eq!(refused(r#"{"k": -1}"#), "config: invalid value: integer `-1`, expected usize");
    assert_eq!(refused(r#"{"k": 3, "K": 3}"#), "config: unknown field `K`, expected `k`");
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

proptest! {
    #[test]
    fn scores_follow_the_formula(model in ranking(), decision in ranking(), k in 1usize..10) {
        let first = |ranking: &[&'static str]| ranking.iter().copied().take(k).collect::<BTreeSet<_>>();
        let (m, d) = (first(&model), first(&decision));
        let expected = if d.is_empty() {
            f64::from(m.is_empty())
        } else {
            m.intersection(&d).count() as f64 / d.len() as f64
        };
        prop_assert_eq!(overlap(k, &model, &decision), expected);
    }
}
