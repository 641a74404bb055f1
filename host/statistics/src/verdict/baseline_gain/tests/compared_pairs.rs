//! Tests which pairs are compared, and how the verdict counts the others.

use super::*;

#[test]
fn a_verdict_says_why_no_pair_is_compared() {
    // The metric has no score for any number but the decision itself, and the baselines are always wrong.
    let case = Case {
        decide: |index| AnswerValue::Number(index as f64),
        answer: |index| Some(AnswerValue::Number(index as f64)),
        score: |answer, decision| vec![0.0, 1.0, f64::from(answer == Some(decision))],
        ..numbers(NUMBERS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    assert_eq!((verdict, gains.pairs, gains.model), (VerdictKind::Inconclusive, 0, None), "{reasons}");
    assert_eq!(gains.left_out, LeftOutPairs { unanswered: 0, without_decision: 1, unscored: 599 });
    let text = "the gain over baselines cannot be computed, because no pair can be compared: 1 without an earlier decision, \
                599 without a score of the model or a baseline; a gain above 0 is required";
    assert!(reasons.ends_with(text), "{reasons}");
}

#[test]
fn pairs_that_are_left_out_are_counted_and_named_by_reason() {
    let left_out = LeftOutPairs { unanswered: 4, without_decision: 2, unscored: 1 };
    assert_eq!(left_out.total(), 7);
    let words = "4 unanswered, 2 without an earlier decision, 1 without a score of the model or a baseline"
        .to_owned();
    assert_eq!(left_out.text(), Some(words));
    let one = LeftOutPairs { unanswered: 0, unscored: 0, ..left_out };
    assert_eq!((one.total(), one.text()), (2, Some("2 without an earlier decision".to_owned())));
    assert_eq!(LeftOutPairs::default().text(), None);
}

#[test]
fn the_decisions_that_baselines_learn_from_are_named() {
    for (baseline, set, words) in [
        (Baseline::Mean, LearningSet::AllPairs, "the mean of the earlier decisions"),
        (
            Baseline::LastValue,
            LearningSet::AnsweredPairs,
            "the last of the earlier decisions of answered pairs",
        ),
        (
            Baseline::ConsensusRanking,
            LearningSet::OwnAnswers,
            "the consensus ranking of the model's own earlier answers",
        ),
    ] {
        assert_eq!(baseline.answer(set), words);
    }
}

#[test]
fn a_run_without_scored_pairs_has_no_gains() {
    let case = Case { score: |_, _| vec![0.0, 0.0], ..rankings(RANKINGS) };
    let (verdict, reasons, gains) = case.decide();
    assert_eq!((verdict, gains), (VerdictKind::Inconclusive, None), "{reasons}");
    assert!(!reasons.contains("baselines"), "{reasons}");
}
