//! Where models and substrate part, as runs find it, for tests.

use jiff::Timestamp;

use crate::model::divergence::{
    Began, Change, Class, Direction, Divergence, Parted, Place, Said, Spread, Spreads, Step, Term,
};
use crate::model::report::Time;
use understudy_statistics::scoring::Interval;
use understudy_study::Form;

/// A distribution of times around a median.
pub(crate) fn times(median: u64) -> Vec<Time> {
    [0.0, 0.25, 0.5, 0.9, 1.0]
        .map(|share| Time { share, nanos: (median as f64 * (0.5 + share)) as u64 })
        .to_vec()
}

/// The spreads of a model, of so many values of each condition and so many windows.
pub(crate) fn spreads(form: Form, conditions: &[usize], windows: usize) -> Spreads {
    Spreads {
        overall: spread(form, true),
        conditions: conditions.iter().map(|values| vec![spread(form, false); *values]).collect(),
        windows: vec![spread(form, false); windows],
    }
}

fn spread(form: Form, steps: bool) -> Spread {
    let said = |model: Option<&str>, substrate: &str, pairs| Said {
        model: model.map(str::to_owned),
        substrate: substrate.to_owned(),
        pairs,
    };
    match form {
        Form::Label => Spread::Label {
            same: 812,
            differing: 88,
            answers: vec![said(Some("a"), "a", 812), said(Some("a"), "d", 61), said(None, "b", 20)],
            others: 7,
            not_told_apart: 0,
        },
        Form::Number => Spread::Number {
            answered: 990,
            unanswered: 10,
            bias: Some(-3.25),
            deviation: Some(41.5),
            quantiles: Some([-60.0, -20.0, -1.5, 18.0, 71.0]),
            steps: match steps {
                true => vec![
                    Step { from: None, to: Some(-50.0), pairs: 80 },
                    Step { from: Some(-50.0), to: Some(0.0), pairs: 500 },
                    Step { from: Some(0.0), to: None, pairs: 410 },
                ],
                false => Vec::new(),
            },
        },
        Form::Ranking => Spread::Ranking {
            unanswered: 3,
            absent: 11,
            unranked: 0,
            places: vec![Place { place: 1, pairs: 700 }, Place { place: 2, pairs: 120 }],
        },
    }
}

/// What a search found of each of these models.
pub(crate) fn divergence(metric: &str, conditions: &[&str], models: &[&str]) -> Divergence {
    let change = Change {
        window: "week ending 2016-09-04".to_owned(),
        at: Timestamp::from_second(1_472_428_800).unwrap(),
        before: 0.895661,
        after: 0.749115,
        p_value: 0.0008,
    };
    let class = |terms: &[(&str, &str)], suspected, began, bias| Class {
        terms: terms
            .iter()
            .map(|(condition, value)| Term { condition: (*condition).to_owned(), value: (*value).to_owned() })
            .collect(),
        suspected,
        pairs: 900,
        support: 0.058434,
        figure: Some(0.518889),
        elsewhere: Some(0.815474),
        direction: Direction::Apart,
        difference: -0.3,
        interval: Interval { lower: -0.3464, upper: -0.2538 },
        p_value: 1.2e-45,
        q_value: 4.4e-44,
        bias,
        commonest: Some(Said { model: Some("a".to_owned()), substrate: "d".to_owned(), pairs: 281 }),
        not_told_apart: 0,
        began,
        examples: vec!["b07223".to_owned(), "b04512".to_owned()],
    };
    let parted = |model: &&str| Parted {
        model: (*model).to_owned(),
        patterns: 83,
        tested: 19,
        classes: vec![
            class(&[("segment", "corporate")], true, Began::Start, None),
            class(
                &[("day", "weekend"), ("segment", "groups")],
                false,
                Began::Change(change.clone()),
                Some([4.5, -0.5]),
            ),
        ],
        unconfirmed: vec!["segment = direct or groups".to_owned()],
        changes: Some(vec![change.clone()]),
    };
    Divergence {
        metric: metric.to_owned(),
        conditions: conditions.iter().map(|name| (*name).to_owned()).collect(),
        passed_over: Vec::new(),
        depth: 3,
        support: 0.01,
        least_pairs: 155,
        level: 0.05,
        confidence: 0.95,
        least_windows: 10,
        not_searched: None,
        models: models.iter().map(parted).collect(),
    }
}
