use understudy_sdk::{collect_answers, native};

use super::*;

fn ndcg(k: usize) -> Ndcg {
    Ndcg::new(Config { k }, &Assets::default()).unwrap()
}

fn score(k: usize, model: &[&str], decision: &[&str]) -> f64 {
    let (model, decision) = (collect_answers(1, |_| Ok(model)), collect_answers(1, |_| Ok(decision)));
    native::score(&ndcg(k), 1, &model, &decision).unwrap()[0][0]
}

/// The letters of a text as a ranking.
fn letters(text: &str) -> Vec<&str> {
    text.split("").filter(|letter| !letter.is_empty()).collect()
}

/// tests/oracles/metrics.py: sklearn.metrics.ndcg_score(gains, scores, k=k, ignore_ties=True), for k = 1, 3 and 10
#[test]
fn equals_the_ndcg_score_of_scikit_learn() {
    let expected = [
        ("abcdefg", "abcdefg", [1.0, 1.0, 1.0]),
        ("abcdefg", "gfedcba", [0.0, 0.0, 0.6906586576709705]),
        ("abcde", "bacxd", [0.0, 0.9224945116765986, 0.8844812808760687]),
        ("abc", "bcadef", [0.0, 0.8174935137996165, 0.7575965378081202]),
        ("bcadefgh", "abc", [0.0, 0.8675034925694372, 0.8675034925694372]),
        ("abcd", "efgh", [0.0, 0.0, 0.0]),
        ("xaybz", "abc", [0.0, 0.3974895222916885, 0.5783753957314095]),
        ("a", "abcd", [1.0, 0.6300059872618923, 0.5461894817257589]),
        ("abcd", "c", [0.0, 0.5, 0.5]),
        ("a", "b", [0.0, 0.0, 0.0]),
    ];
    for (model, decision, scores) in expected {
        for (k, expected) in [1, 3, 10].into_iter().zip(scores) {
            let score = score(k, &letters(model), &letters(decision));
            assert!((score - expected).abs() < 1e-12, "{model} {decision} {k}: {score} is not {expected}");
        }
    }
}

#[test]
fn the_first_items_in_the_same_order_score_exactly_one() {
    for k in 1..=7 {
        assert_eq!(score(k, &letters("abcdefg"), &letters("abcdefg")), 1.0);
        assert_eq!(score(k, &letters("abcdxyz"), &letters("abcd")), 1.0);
    }
}

#[test]
fn an_empty_decision_matches_only_an_empty_ranking() {
    assert_eq!(score(3, &[], &[]), 1.0);
    assert_eq!(score(3, &["a"], &[]), 0.0);
    assert_eq!(score(3, &[], &["a"]), 0.0);
}

#[test]
fn the_value_is_the_mean_over_all_pairs() {
    let metric = ndcg(3);
    let model = [Some(vec!["a", "b"]), None, Some(vec!["b", "a"]), Some(vec!["c"])];
    let decisions = [vec!["a", "b"], vec!["a"], vec!["a"], vec![]];
    let expected = (1.0 + 1.0 / 3.0_f64.log2()) / 4.0;
    let value = native::value_of_rows(&metric, &model, &decisions).unwrap();
    assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?}");
    assert_eq!(metric.reduce(0, &[0.0]), None);
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config| native::metric::<Ndcg>(config, vec![]).err().unwrap();
    assert_eq!(refused("{}"), "config: missing field `k`");
    assert_eq!(refused(r#"{"k": 0}"#), "config: `k` is 0; it must be from 1 to 1000");
    assert_eq!(refused(r#"{"k": 1001}"#), "config: `k` is 1001; it must be from 1 to 1000");
    assert_eq!(refused(r#"{"k": 3, "p": 0.9}"#), "config: unknown field `p`, expected `k`");
}
