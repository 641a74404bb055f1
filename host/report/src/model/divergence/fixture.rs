//! Sample divergence results for tests.

use jiff::Timestamp;

use crate::model::divergence::{
    AnswerDistribution, AnswerDistributions, AnswerPair, ChangePoint, DivergenceDirection, DivergenceReport,
    DivergentSubgroup, HistogramBin, ModelDivergence, Onset, RankCount, ReliabilityBin, SubgroupTerm,
};
use crate::model::report::LatencyQuantile;
use understudy_statistics::scoring::{Interval, LabelMetric, LabelMetrics};
use understudy_study::AnswerForm;

/// A distribution of times around a median.
pub(crate) fn latency_quantiles(median: u64) -> Vec<LatencyQuantile> {
    [0.0, 0.25, 0.5, 0.9, 1.0]
        .map(|share| LatencyQuantile { share, nanos: (median as f64 * (0.5 + share)) as u64 })
        .to_vec()
}

/// Answer distributions for the given number of values of each condition, and of windows.
pub(crate) fn answer_distributions(
    form: AnswerForm,
    conditions: &[usize],
    windows: usize,
) -> AnswerDistributions {
    AnswerDistributions {
        overall: distribution(form, true),
        conditions: conditions.iter().map(|values| vec![distribution(form, false); *values]).collect(),
        windows: vec![distribution(form, false); windows],
    }
}

fn distribution(form: AnswerForm, with_histogram: bool) -> AnswerDistribution {
    let pair = |model: Option<&str>, substrate: &str, pairs| AnswerPair {
        model: model.map(str::to_owned),
        substrate: substrate.to_owned(),
        pairs,
    };
    match form {
        AnswerForm::Label | AnswerForm::LabelSet | AnswerForm::Json => AnswerDistribution::Label {
            agreeing: 812,
            differing: 88,
            answers: vec![pair(Some("a"), "a", 812), pair(Some("a"), "d", 61), pair(None, "b", 20)],
            unlisted_pairs: 7,
            untracked_pairs: 0,
            metrics: Some(LabelMetrics {
                accuracy: 0.9022,
                balanced_accuracy: 0.3333,
                macro_f1: 0.2371,
                weighted_f1: 0.8558,
                kappa: None,
                matthews_correlation: 0.0,
                labels: vec![LabelMetric {
                    label: "a".to_owned(),
                    substrate_pairs: 812,
                    model_pairs: 873,
                    precision: 0.9301,
                    recall: 1.0,
                    f1: 0.9638,
                }],
            }),
        },
        AnswerForm::Number => AnswerDistribution::Number {
            answered: 990,
            unanswered: 10,
            mean_error: Some(-3.25),
            standard_deviation: Some(41.5),
            quantiles: Some([-60.0, -20.0, -1.5, 18.0, 71.0]),
            histogram: match with_histogram {
                true => vec![
                    HistogramBin { from: None, to: Some(-50.0), pairs: 80 },
                    HistogramBin { from: Some(-50.0), to: Some(0.0), pairs: 500 },
                    HistogramBin { from: Some(0.0), to: None, pairs: 410 },
                ],
                false => Vec::new(),
            },
            unlisted_pairs: 0,
        },
        AnswerForm::Ranking => AnswerDistribution::Ranking {
            unanswered: 3,
            absent: Some(11),
            unranked: 0,
            unlisted_pairs: 0,
            ranks: vec![RankCount { rank: 1, pairs: 700 }, RankCount { rank: 2, pairs: 120 }],
            longest: 12,
        },
    }
}

/// Results of a search for each of these models.
pub(crate) fn divergence(metric: &str, conditions: &[&str], models: &[&str]) -> DivergenceReport {
    let change = ChangePoint {
        window: "week ending 2016-09-04".to_owned(),
        at: Timestamp::from_second(1_472_428_800).unwrap(),
        before: 0.895661,
        after: 0.749115,
        p_value: 0.0008,
    };
    let subgroup = |terms: &[(&str, &str)], suspected, onset, mean_errors| DivergentSubgroup {
        terms: terms
            .iter()
            .map(|(condition, value)| SubgroupTerm {
                condition: (*condition).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        suspected,
        pairs: 900,
        support: 0.058434,
        value: Some(0.518889),
        complement: Some(0.815474),
        direction: DivergenceDirection::LessAgreement,
        difference: -0.3,
        interval: Interval { lower: -0.3464, upper: -0.2538 },
        p_value: 1.2e-45,
        q_value: 4.4e-44,
        mean_errors,
        most_common: Some(AnswerPair { model: Some("a".to_owned()), substrate: "d".to_owned(), pairs: 281 }),
        untracked_pairs: 0,
        onset,
        examples: vec!["b07223".to_owned(), "b04512".to_owned()],
    };
    let model_divergence = |model: &&str| ModelDivergence {
        model: (*model).to_owned(),
        candidates: 83,
        tested: 19,
        subgroups: vec![
            subgroup(&[("segment", "corporate")], true, Onset::Start, None),
            subgroup(
                &[("day", "weekend"), ("segment", "groups")],
                false,
                Onset::ChangePoint(change.clone()),
                Some([4.5, -0.5]),
            ),
        ],
        unconfirmed: vec!["segment = direct or groups".to_owned()],
        change_points: Some(vec![change.clone()]),
    };
    DivergenceReport {
        metric: metric.to_owned(),
        conditions: conditions.iter().map(|name| (*name).to_owned()).collect(),
        omitted_conditions: Vec::new(),
        max_terms: 3,
        min_support: 0.01,
        min_pairs: 155,
        false_discovery_rate: 0.05,
        confidence: 0.95,
        min_windows: 10,
        search_skipped: None,
        models: models.iter().map(model_divergence).collect(),
    }
}

/// Agreement by confidence in two bins.
pub(crate) fn reliability() -> Vec<ReliabilityBin> {
    let bin = |from: f64, pairs, mean_confidence, agreement| ReliabilityBin {
        from,
        to: from + 0.5,
        pairs,
        mean_confidence,
        agreement,
        lower: agreement - 0.01,
        upper: agreement + 0.01,
    };
    vec![bin(0.0, 6_200, 0.41, 0.62), bin(0.5, 9_100, 0.875, 0.9)]
}
