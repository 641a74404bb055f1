//! Where models and substrate part, as runs find it, for tests.

use jiff::Timestamp;

use crate::model::divergence::{
    AnswerDistribution, AnswerDistributions, AnswerPair, ChangePoint, DivergenceDirection, DivergenceReport,
    DivergentSubgroup, HistogramBin, ModelDivergence, Onset, RankCount, SubgroupTerm,
};
use crate::model::report::LatencyQuantile;
use understudy_statistics::scoring::Interval;
use understudy_study::AnswerForm;

/// A distribution of times around a median.
pub(crate) fn times(median: u64) -> Vec<LatencyQuantile> {
    [0.0, 0.25, 0.5, 0.9, 1.0]
        .map(|share| LatencyQuantile { share, nanos: (median as f64 * (0.5 + share)) as u64 })
        .to_vec()
}

/// The spreads of a model, of so many values of each condition and so many windows.
pub(crate) fn spreads(form: AnswerForm, conditions: &[usize], windows: usize) -> AnswerDistributions {
    AnswerDistributions {
        overall: spread(form, true),
        conditions: conditions.iter().map(|values| vec![spread(form, false); *values]).collect(),
        windows: vec![spread(form, false); windows],
    }
}

fn spread(form: AnswerForm, histogram: bool) -> AnswerDistribution {
    let said = |model: Option<&str>, substrate: &str, pairs| AnswerPair {
        model: model.map(str::to_owned),
        substrate: substrate.to_owned(),
        pairs,
    };
    match form {
        AnswerForm::Label => AnswerDistribution::Label {
            agreeing: 812,
            differing: 88,
            answers: vec![said(Some("a"), "a", 812), said(Some("a"), "d", 61), said(None, "b", 20)],
            unlisted_pairs: 7,
            untracked_pairs: 0,
        },
        AnswerForm::Number => AnswerDistribution::Number {
            answered: 990,
            unanswered: 10,
            mean_errors: Some(-3.25),
            standard_deviation: Some(41.5),
            quantiles: Some([-60.0, -20.0, -1.5, 18.0, 71.0]),
            histogram: match steps {
                true => vec![
                    HistogramBin { from: None, to: Some(-50.0), pairs: 80 },
                    HistogramBin { from: Some(-50.0), to: Some(0.0), pairs: 500 },
                    HistogramBin { from: Some(0.0), to: None, pairs: 410 },
                ],
                false => Vec::new(),
            },
        },
        AnswerForm::Ranking => AnswerDistribution::Ranking {
            unanswered: 3,
            absent: 11,
            unranked: 0,
            ranks: vec![RankCount { rank: 1, pairs: 700 }, RankCount { rank: 2, pairs: 120 }],
        },
    }
}

/// What a search found of each of these models.
pub(crate) fn divergence(metric: &str, conditions: &[&str], models: &[&str]) -> DivergenceReport {
    let change = ChangePoint {
        window: "week ending 2016-09-04".to_owned(),
        at: Timestamp::from_second(1_472_428_800).unwrap(),
        before: 0.895661,
        after: 0.749115,
        p_value: 0.0008,
    };
    let class = |terms: &[(&str, &str)], suspected, began, bias| DivergentSubgroup {
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
        bias,
        most_common: Some(AnswerPair { model: Some("a".to_owned()), substrate: "d".to_owned(), pairs: 281 }),
        untracked_pairs: 0,
        began,
        examples: vec!["b07223".to_owned(), "b04512".to_owned()],
    };
    let parted = |model: &&str| ModelDivergence {
        model: (*model).to_owned(),
        candidates: 83,
        tested: 19,
        subgroups: vec![
            class(&[("segment", "corporate")], true, Onset::Start, None),
            class(
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
        support: 0.01,
        min_pairs: 155,
        false_discovery_rate: 0.05,
        confidence: 0.95,
        min_windows: 10,
        search_skipped: None,
        models: models.iter().map(parted).collect(),
    }
}
