//! Models that know nothing of the snapshots, and a perfect one.

use super::*;

#[test]
fn a_model_without_gain_is_no_go() {
    // The model answers one number, or the delay with a large error.
    let constant = Case { answer: |_| Some(AnswerValue::Number(6.0)), ..numbers(NUMBERS) };
    let poor = |index: u64| Some(AnswerValue::Number(delay(index) + 4.0 + (index % 3) as f64 / 2.0));
    let (verdict, reasons, _) = constant.decide();
    assert_eq!(verdict, VerdictKind::NoGo, "{reasons}");
    assert_eq!(
        reasons,
        "every answer has the score of one constant answer, and a constant is no better than chance; a gain above 0 is required"
    );
    let (verdict, reasons, _) = Case { answer: poor, ..numbers(NUMBERS) }.decide();
    assert_eq!(verdict, VerdictKind::NoGo, "{reasons}");
    let [mean, _, last, ..] = &reasons.lines().collect::<Vec<_>>()[..] else { panic!("{reasons}") };
    assert!(mean.contains("over 599 of 600 pairs the metric is 4.5"), "{mean}");
    assert!(mean.contains("and always giving the mean of the earlier decisions would reach 2.7"), "{mean}");
    assert!(mean.contains("misses 0; a gain above 0 is required"), "{mean}");
    assert!(last.contains("and always giving the last of the earlier decisions would reach 3.4"), "{last}");
    let point = "at-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\nchance = { gain = 0.2 }";
    let (verdict, reasons, gains) = rankings(point).decide();
    assert_eq!((verdict, gains.unwrap().gains[0].interval), (VerdictKind::NoGo, None));
    assert!(reasons.contains("the gain is 0.121035; a gain of at least 0.2 is required"), "{reasons}");
}

/// Whole minutes: 0 in 95 of 100 decisions, in an irregular order, otherwise 1 to 60.
fn rare_delay(index: u64) -> f64 {
    if (index * 7919) % 100 < 95 { 0.0 } else { 1.0 + (index * 31 % 60) as f64 }
}

#[test]
fn a_nearly_constant_model_is_compared_with_the_median() {
    // The median answer, and once in a while a tiny number that is never right.
    let case = Case {
        decide: |index| AnswerValue::Number(rare_delay(index)),
        answer: |index| Some(AnswerValue::Number(if index % 97 == 3 { 0.01 } else { 0.0 })),
        ..numbers(NUMBERS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    let better: Vec<bool> = gains.gains.iter().map(|found| found.gain.unwrap() > 0.5).collect();
    // It is clearly better than the mean and the last value, which are wrong wherever the median is right.
    assert_eq!((better, gains.is_constant), (vec![true, false, true, false, false], false), "{reasons}");
    assert_ne!(verdict, VerdictKind::Go, "{reasons}");
    assert!(reasons.contains("always giving the median of the earlier decisions would reach"), "{reasons}");
}

/// The score of a quantile loss at 0.9 or of a tolerance of 1, both of which have another best constant than the mean.
fn loss(answer: Option<&AnswerValue>, decision: &AnswerValue, is_tolerance: bool) -> Vec<f64> {
    let (Some(AnswerValue::Number(answer)), AnswerValue::Number(decision)) = (answer, decision) else {
        return vec![0.0, 0.0, 1.0];
    };
    let error = decision - answer;
    let loss =
        if is_tolerance { f64::from(u8::from(error.abs() > 1.0)) } else { (0.9 * error).max(-0.1 * error) };
    vec![loss, 1.0, 1.0]
}

#[test]
fn a_nearly_constant_model_has_no_gain_under_any_metric() {
    // The best constant of each metric, and rarely or often another number, which does not depend on the snapshot.
    let quantile = |answer: Option<&AnswerValue>, decision: &AnswerValue| loss(answer, decision, false);
    let tolerance = |answer: Option<&AnswerValue>, decision: &AnswerValue| loss(answer, decision, true);
    // Four of ten decisions are 3, and the others are greater.
    let decide = |index: u64| {
        AnswerValue::Number(match index * 7919 % 10 {
            0..=3 => 3.0,
            other => (4.0 + delay(index)) * if other == 9 { 3.0 } else { 1.0 },
        })
    };
    type Answer = fn(u64) -> Option<AnswerValue>;
    let rare: Answer = |index| Some(AnswerValue::Number(if index % 41 == 7 { 15.9 } else { 16.0 }));
    let often: Answer = |index| Some(AnswerValue::Number(if index * 31 % 17 < 8 { 15.0 } else { 16.0 }));
    let near: Answer = |index| Some(AnswerValue::Number(if index % 41 == 7 { 4.5 } else { 3.0 }));
    type Score = fn(Option<&AnswerValue>, &AnswerValue) -> Vec<f64>;
    let cases: [(Score, Answer); 3] = [(quantile, rare), (quantile, often), (tolerance, near)];
    for (score, answer) in cases {
        let case = Case { decide, answer, score, ..numbers(NUMBERS) };
        let (verdict, reasons, gains) = case.decide();
        let gains = gains.unwrap().gains;
        let (own, others): (Vec<_>, Vec<_>) =
            gains.iter().partition(|found| found.learned_from == LearningSet::OwnAnswers);
        // It is better than all baselines from the decisions.
        assert!(others.iter().all(|found| found.gain.unwrap() > 0.0), "{others:?}");
        assert!(own.iter().any(|found| found.interval.is_none_or(|bounds| bounds.lower <= 0.0)), "{own:?}");
        assert_ne!(verdict, VerdictKind::Go, "{reasons}");
        assert!(reasons.contains("of the model's own earlier answers would reach"), "{reasons}");
    }
}

#[test]
fn abstaining_on_outliers_does_not_make_a_gain() {
    // One decision in 20 is an outlier, and the model abstains there. Otherwise it knows nothing: 9, 10 or 11.
    fn is_outlier(index: u64) -> bool {
        (index * 7919).is_multiple_of(20)
    }
    let case = Case {
        decide: |index| {
            AnswerValue::Number(if is_outlier(index) { 900.0 } else { 9.0 + (index * index % 7 % 3) as f64 })
        },
        answer: |index| (!is_outlier(index)).then(|| AnswerValue::Number(9.0 + (index * 5 % 3) as f64)),
        ..numbers(NUMBERS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    // The first pair is unanswered, and the next two come before the first decision of an answered pair.
    assert_eq!(gains.left_out, LeftOutPairs { unanswered: 29, without_decision: 3, unscored: 0 });
    let of_answered = gains.gains.iter().filter(|found| found.learned_from == LearningSet::AnsweredPairs);
    assert!(
        of_answered.clone().count() == 3 && of_answered.clone().all(|found| found.gain.unwrap() < 0.1),
        "{gains:?}"
    );
    assert_ne!(verdict, VerdictKind::Go, "{reasons}");
}

/// In the first two days, which do not count, the model answers outliers only. Then it answers one number or a similar one.
#[test]
fn answers_in_windows_that_do_not_count_do_not_make_a_gain() {
    let delay = |index: u64| {
        let is_outlier = index < 288 && index.is_multiple_of(10);
        AnswerValue::Number(if is_outlier { 900.0 } else { 9.0 + (index * index % 7 % 3) as f64 })
    };
    fn answer(index: u64) -> Option<AnswerValue> {
        let is_answered = if index < 288 { index.is_multiple_of(10) } else { index % 100 != 7 };
        is_answered.then(|| AnswerValue::Number(10.0 + (index % 2) as f64 / 1000.0))
    }
    const LATEST: &str = "at-most = 5.0\nquantifier = \"pooled\"\nwindows = { latest = 28 }\nevidence = \"bound\"\n\
                          confidence = 0.95\nfamily = \"each\"\nchance = { gain = 0.0 }";
    let case = Case { decide: delay, answer, every: "day", ..numbers(LATEST) };
    // The clock is at the thirtieth day.
    let (_, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    let least = |set| {
        let gains =
            gains.gains.iter().filter(|found| found.learned_from == set).map(|found| found.gain.unwrap());
        gains.fold(f64::INFINITY, f64::min)
    };
    assert!(least(LearningSet::AnsweredPairs) > 0.5, "{gains:?}");
    assert!(least(LearningSet::AllPairs) < 0.1, "{gains:?}");
    assert!(reasons.contains("always giving the median of the earlier decisions would reach"), "{reasons}");
}

#[test]
fn a_constant_list_in_another_order_or_with_more_items_is_a_constant() {
    // The metric scores the first two items in any order.
    let case = Case {
        answer: |index| {
            let lists = [vec!["a", "b"], vec!["b", "a"], vec!["b", "a", "e"], vec!["a", "b", "c", "d"]];
            Some(AnswerValue::Ranking(strings(lists[(index % 4) as usize].clone())))
        },
        ..rankings(RANKINGS)
    };
    let (verdict, reasons, gains) = case.decide();
    assert_eq!((verdict, gains.unwrap().is_constant), (VerdictKind::NoGo, true), "{reasons}");
    assert!(reasons.contains("every answer has the score of one constant answer"), "{reasons}");
}

#[test]
fn a_model_that_scores_like_a_baseline_is_no_go() {
    // It copies the list that is the commonest so far, which changes from `a` to `b` in the middle.
    let case = Case {
        decide: |index| AnswerValue::Ranking(strings(vec![if index < 200 { "a" } else { "b" }])),
        answer: |index| Some(AnswerValue::Ranking(strings(vec![if index < 404 { "a" } else { "b" }]))),
        ..rankings(RANKINGS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    assert_eq!(verdict, VerdictKind::NoGo, "{reasons}");
    assert!(reasons.contains("the scores are equal in every pair"), "{reasons}");
    assert!(gains.gains.iter().any(|found| found.is_equal) && !gains.is_constant, "{gains:?}");
}

#[test]
fn a_perfect_model_of_lists_that_can_be_empty_is_go() {
    fn decide(index: u64) -> AnswerValue {
        let items = if index.is_multiple_of(3) { vec![] } else { vec![ITEMS[(index * index % 5) as usize]] };
        AnswerValue::Ranking(strings(items))
    }
    let score = |answer: Option<&AnswerValue>, decision: &AnswerValue| match (answer, decision) {
        (Some(AnswerValue::Ranking(answer)), AnswerValue::Ranking(decision)) if decision.is_empty() => {
            vec![f64::from(answer.is_empty()), 1.0]
        }
        _ => (rankings(RANKINGS).score)(answer, decision),
    };
    // The baseline must not know that the decision is empty.
    let case = Case { decide, answer: |index| Some(decide(index)), score, ..rankings(RANKINGS) };
    let (verdict, reasons, _) = case.decide();
    assert_eq!(verdict, VerdictKind::Go, "{reasons}");
    // A model that nearly always gives the empty list is compared with that list.
    let nearly = Case {
        decide: |index| {
            AnswerValue::Ranking(strings(if index * 7919 % 100 < 95 { vec![] } else { vec!["a"] }))
        },
        answer: |index| Some(AnswerValue::Ranking(strings(if index % 97 == 3 { vec!["b"] } else { vec![] }))),
        ..case
    };
    let (verdict, reasons, gains) = nearly.decide();
    let gains = gains.unwrap();
    assert!(gains.gains[0].gain.unwrap() > 0.5 && gains.gains[2].gain.unwrap() < 0.0, "{gains:?}");
    assert_eq!(verdict, VerdictKind::NoGo, "{reasons}");
}

#[test]
fn sets_and_json_values_have_to_be_better_than_the_commonest_one() {
    let of = |gains: Option<BaselineGains>| {
        let gains = gains.unwrap().gains;
        gains.iter().map(|found| (found.learned_from, found.baseline)).collect::<Vec<_>>()
    };
    let (verdict, reasons, gains) = label_sets(RANKINGS).decide();
    assert_eq!(verdict, VerdictKind::Go, "{reasons}");
    let expected = [
        (LearningSet::AllPairs, Baseline::CommonestAnswer),
        (LearningSet::AllPairs, Baseline::LastValue),
        (LearningSet::AllPairs, Baseline::FrequentLabels),
        (LearningSet::OwnAnswers, Baseline::CommonestAnswer),
        (LearningSet::OwnAnswers, Baseline::EarlierAnswer),
    ];
    assert_eq!(of(gains), expected);
    let commonest = |_| Some(AnswerValue::LabelSet(strings(vec!["a", "b"])));
    let (verdict, reasons, _) = Case { answer: commonest, ..label_sets(RANKINGS) }.decide();
    assert_eq!(verdict, VerdictKind::NoGo, "{reasons}");

    let (verdict, reasons, gains) = json_values(RANKINGS).decide();
    assert_eq!(verdict, VerdictKind::Go, "{reasons}");
    let expected = [expected[0], expected[1], expected[3], expected[4]];
    assert_eq!(of(gains), expected);
    // The commonest value and another one, whatever the snapshot.
    let chance = |index: u64| Some(AnswerValue::Json(format!("{{\"n\":{}}}", u64::from(index % 29 == 3))));
    let (verdict, reasons, _) = Case { answer: chance, ..json_values(RANKINGS) }.decide();
    assert_ne!(verdict, VerdictKind::Go, "{reasons}");
}
