//! Tests which gains have bounds, at the end of a run and before it.

use super::*;

#[test]
fn a_gain_that_differs_between_groups_by_rounding_only_has_no_bounds() {
    // The model is better by 1e-7 in every pair, and the errors are near 2.
    let case = Case {
        answer: |index| Some(AnswerValue::Number(f64::from(index as u32))),
        score: |answer, decision| match (answer, decision) {
            // The answers of the model are whole numbers, and those of baselines are not. The error depends on the
            // pair alone.
            (Some(AnswerValue::Number(answer)), AnswerValue::Number(decision)) => {
                let is_model = answer.fract() == 0.0 && *answer > 0.0 && *answer != *decision;
                vec![2.0 + decision / 1e3 - if is_model { 1e-7 } else { 0.0 }, 1.0, 1.0]
            }
            _ => vec![0.0, 0.0, 1.0],
        },
        decide: |index| AnswerValue::Number(0.037 + delay(index)),
        ..numbers(NUMBERS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap().gains;
    let of_decisions = gains.iter().filter(|found| found.learned_from != LearningSet::OwnAnswers);
    for found in of_decisions.filter(|found| found.gain.unwrap() > 0.0) {
        assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::NoSpread)), "{found:?}");
    }
    assert_eq!(verdict, VerdictKind::Inconclusive, "{reasons}");
}

#[test]
fn a_count_has_bounds_from_the_sizes_of_the_groups() {
    // The number of equal answers, not their share. The model is always right, and no baseline ever is.
    let case = Case {
        decide: |index| AnswerValue::Number(index as f64),
        answer: |index| Some(AnswerValue::Number(index as f64)),
        score: |answer, decision| vec![f64::from(answer == Some(decision)), 1.0],
        reduce: |_, sums| Some(sums[0]),
        range: (Some(0.0), None),
        threshold: COUNTS,
        ..numbers(NUMBERS)
    };
    let (verdict, reasons, gains) = case.decide();
    let gains = gains.unwrap();
    assert_eq!(verdict, VerdictKind::Go, "{reasons}");
    for found in &gains.gains {
        let bounds = found.interval.unwrap();
        assert_eq!(found.gain, Some(599.0));
        // A group has 37 or 38 pairs.
        assert!(bounds.lower < 598.0 && bounds.upper > 600.0, "{bounds:?}");
    }
}

#[test]
fn scores_that_differ_beyond_their_first_component_are_not_equal() {
    // Components: a constant, and the hits.
    let case = Case {
        score: |answer, decision| {
            let hits = (rankings(RANKINGS).score)(answer, decision)[0];
            vec![1.0, hits, 1.0]
        },
        reduce: |pairs, sums| (pairs > 0).then(|| sums[1] / pairs as f64),
        ..rankings(RANKINGS)
    };
    let (_, reasons, gains) = case.decide();
    for found in gains.unwrap().gains {
        assert!(
            !found.is_equal && found.interval.is_some_and(|bounds| bounds.lower < bounds.upper),
            "{reasons}"
        );
    }
}

#[test]
fn bounds_need_two_groups_of_pairs() {
    // Scores in a known range have bounds without groups.
    let gains = |groups: u64, range| Case { groups, range, ..rankings(RANKINGS) }.decide().2.unwrap().gains;
    for found in gains(1, (Some(0.0), Some(1.0))) {
        assert_eq!((found.method, found.no_interval), (Some(IntervalMethod::BoundedMean), None));
    }
    for found in gains(1, (Some(0.0), None)) {
        assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::FewGroups)));
    }
    for found in gains(2, (Some(0.0), None)) {
        assert_eq!((found.method, found.no_interval), (Some(IntervalMethod::Jackknife), None));
    }
}

#[test]
fn bounds_before_the_end_need_scores_in_a_known_range() {
    let early = |case: Case| Case { closed: false, ..case }.decide();
    let (_, reasons, gains) = early(numbers(NUMBERS));
    let gains = gains.unwrap();
    let reason = Some(MissingInterval::NoSequence);
    assert!(
        gains.gains.iter().all(|gain| gain.interval.is_none() && gain.no_interval == reason),
        "{reasons}"
    );
    assert_eq!(
        reasons.lines().last(),
        Some(
            "the gain over baselines is not shown to meet the threshold yet; its numbers are withheld until the run is \
             closed, because beside the figure of all pairs they would reveal single pairs"
        )
    );
    let (_, _, gains) = early(rankings(RANKINGS));
    let gain = &gains.unwrap().gains[0];
    assert_eq!(gain.method, Some(IntervalMethod::Sequence));
    assert!(
        gain.interval.is_some_and(|interval| interval.lower < gain.gain.unwrap() && interval.upper < 1.0)
    );
}

#[test]
fn a_few_differences_have_no_bounds_by_the_jackknife() {
    // The model is the median, and now and then a number that is nearer to the decision.
    let gains = |every: u64| {
        let decide = |index: u64| {
            AnswerValue::Number(if index.is_multiple_of(2) { 0.0 } else { 10.0 * (index % 3) as f64 })
        };
        let answer: fn(u64) -> Option<AnswerValue> = match every {
            25 => |index| Some(AnswerValue::Number(if index % 25 == 1 { 2.0 } else { 0.0 })),
            _ => |index| Some(AnswerValue::Number(if index % 15 == 1 { 2.0 } else { 0.0 })),
        };
        Case { decide, answer, ..numbers(NUMBERS) }.decide().2.unwrap().gains
    };
    let own_median = |gains: &[BaselineGain]| {
        let found = gains.iter().find(|found| found.learned_from == LearningSet::OwnAnswers).unwrap();
        (found.baseline, found.interval.is_some(), found.no_interval)
    };
    assert_eq!(own_median(&gains(25)), (Baseline::Median, false, Some(MissingInterval::FewDifferences)));
    assert_eq!(own_median(&gains(15)), (Baseline::Median, true, None));
}

/// The gains of rankings before the end of the run.
fn early_gains(case: Case) -> Vec<BaselineGain> {
    Case { closed: false, ..case }.decide().2.unwrap().gains
}

#[test]
fn bounds_before_the_end_have_the_gain_in_their_middle() {
    // The second case has scores from -1 to 1, so the gain is twice as large.
    let doubled = Case {
        score: |answer, decision| vec![2.0 * (rankings(RANKINGS).score)(answer, decision)[0] - 1.0, 1.0],
        range: (Some(-1.0), Some(1.0)),
        ..rankings(RANKINGS)
    };
    for (case, factor) in [(rankings(RANKINGS), 1.0), (doubled, 2.0)] {
        for (found, gain) in
            early_gains(case).iter().zip([0.12103505843071787, 0.12103505843071787, 0.2996661101836394])
        {
            let Interval { lower, upper } = found.interval.expect("a mean of scores in a known range");
            assert_close((lower + upper) / 2.0, factor * gain);
            assert!(-factor < lower && upper < factor, "{lower} to {upper} is not cut off at the range");
        }
    }
}

#[test]
fn bounds_before_the_end_need_two_means_and_a_range_with_a_width() {
    // A mean for the model, whose value is 0.72, and none for baselines, whose values are below 0.65.
    let mixed = Case {
        reduce: |pairs, sums| {
            let mean = sums[0] / pairs as f64;
            Some(if mean > 0.65 { mean } else { mean / 2.0 })
        },
        ..rankings(RANKINGS)
    };
    let neither = Case { reduce: |pairs, sums| Some((sums[0] / pairs as f64).sqrt()), ..rankings(RANKINGS) };
    let without_width =
        Case { score: |_, _| vec![0.0, 1.0], range: (Some(0.0), Some(0.0)), ..rankings(RANKINGS) };
    for case in [mixed, neither, without_width] {
        for found in early_gains(case) {
            assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::NoSequence)));
        }
    }
}

#[test]
fn a_gain_of_equal_values_is_no_negative_zero() {
    let case = Case {
        decide: |_| AnswerValue::Number(5.0),
        answer: |_| Some(AnswerValue::Number(5.0)),
        ..numbers(NUMBERS)
    };
    let gains = case.decide().2.unwrap().gains;
    let is_zero =
        |found: &BaselineGain| found.gain.is_some_and(|gain| gain == 0.0 && gain.is_sign_positive());
    assert!(!gains.is_empty() && gains.iter().all(is_zero), "{gains:?}");
}

#[test]
fn a_gain_of_misses_has_the_bounds_of_the_gain_of_hits() {
    let misses = Case {
        score: |answer, decision| vec![1.0 - (rankings(RANKINGS).score)(answer, decision)[0], 1.0],
        ..rankings(MISSES)
    };
    let gains = [rankings(RANKINGS), misses].map(|case| case.decide().2.unwrap().gains);
    for (hits, misses) in gains[0].iter().zip(&gains[1]) {
        assert_eq!(misses.method, Some(IntervalMethod::BoundedMean));
        let [hits, misses] = [hits, misses].map(|found| found.interval.unwrap());
        assert!((hits.lower - misses.lower).abs() < 1e-9, "{hits:?} {misses:?}");
        assert!((hits.upper - misses.upper).abs() < 1e-9, "{hits:?} {misses:?}");
    }
}

#[test]
fn a_gain_of_clusters_is_between_its_bounds() {
    let gains = rankings(CLUSTERED_RANKINGS).decide().2.unwrap().gains;
    assert!(!gains.is_empty());
    for found in gains {
        let (gain, Interval { lower, upper }) = (found.gain.unwrap(), found.interval.unwrap());
        assert_eq!(found.method, Some(IntervalMethod::ClusterJackknife));
        assert!(-1.0 < lower && lower < gain && gain < upper && upper < 1.0, "{lower} < {gain} < {upper}");
    }
}

#[test]
fn a_gain_of_clusters_needs_scores_in_a_known_range() {
    let case = Case { range: (Some(0.0), None), ..rankings(CLUSTERED_RANKINGS) };
    let gains = case.decide().2.unwrap().gains;
    assert!(!gains.is_empty());
    for found in gains {
        assert_eq!((found.interval, found.no_interval), (None, Some(MissingInterval::Clusters)));
    }
}
