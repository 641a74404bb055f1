//! Gains of simulated studies.

use super::super::test_support::{MONDAY, STUDY};
use super::super::window_selection::select_windows;
use super::super::{Facts, RunResults, SimulatedRun, VerdictKind, determine_verdict};
use super::*;
use crate::scoring::{
    AnswerStatus, AnswerValue, CellsShape, Conditions, EvidencePair, ModelScores, OpenAnswer, OpenPair,
    OpenPairs, PairComparison, PairScores, ScoreRange, WindowClock, cluster_hash,
};
use understudy_study::{AnswerForm, Micros, parse};

const PAIRS: u64 = 600;
const ITEMS: [&str; 5] = ["a", "b", "c", "d", "e"];
const MINUTE: i64 = 60_000_000;

fn delay(index: u64) -> f64 {
    ((7 * index * index + 13 * index) % 101) as f64 / 10.0 + (index % 24) as f64 / 4.0
}

fn strings(items: Vec<&str>) -> Vec<String> {
    items.into_iter().map(str::to_owned).collect()
}

/// A study of one model: its answers, and the scores of a metric.
struct Case {
    form: AnswerForm,
    decide: fn(u64) -> AnswerValue,
    answer: fn(u64) -> Option<AnswerValue>,
    /// The components of a score, the host's count of scored pairs last.
    score: fn(Option<&AnswerValue>, &AnswerValue) -> Vec<f64>,
    reduce: fn(u64, &[f64]) -> Option<f64>,
    range: MetricLimits,
    threshold: &'static str,
    /// The length of a window.
    every: &'static str,
    closed: bool,
    /// The number of jackknife groups that have pairs.
    groups: u64,
}

/// Mean absolute error up to an hour, which leaves unanswered pairs out.
fn numbers(threshold: &'static str) -> Case {
    Case {
        form: AnswerForm::Number,
        decide: |index| AnswerValue::Number(delay(index)),
        answer: |index| {
            let error = ((31 * index % 17) as f64 - 8.0) / 2.0;
            (index % 50 != 7).then(|| AnswerValue::Number(delay(index) + error))
        },
        score: |answer, decision| match (answer, decision) {
            (Some(AnswerValue::Number(answer)), AnswerValue::Number(decision)) => {
                vec![(answer - decision).abs(), 1.0, 1.0]
            }
            _ => vec![0.0, 0.0, 1.0],
        },
        reduce: |_, sums| (sums[1] > 0.0).then(|| sums[0] / sums[1]),
        range: (Some(0.0), Some(60.0)),
        threshold,
        every: "week",
        closed: true,
        groups: 16,
    }
}

/// The overlap of the first two items, where an unanswered pair scores 0.
fn rankings(threshold: &'static str) -> Case {
    Case {
        form: AnswerForm::Ranking,
        decide: |index| {
            let item = |rank| ITEMS[((index * index + rank) % 5) as usize];
            AnswerValue::Ranking(strings((0..1 + index % 3).map(item).collect()))
        },
        answer: |index| {
            let first = ITEMS[((index * index + u64::from(index % 4 == 0)) % 5) as usize];
            let others = ["b", "a"].into_iter().filter(|item| *item != first).take((1 + index % 2) as usize);
            let items = [first].into_iter().chain(others).collect();
            (index % 50 != 7).then(|| AnswerValue::Ranking(strings(items)))
        },
        score: |answer, decision| {
            let (Some(AnswerValue::Ranking(answer)), AnswerValue::Ranking(decision)) = (answer, decision)
            else {
                return vec![0.0, 1.0];
            };
            let (answer, decision) = (&answer[..answer.len().min(2)], &decision[..decision.len().min(2)]);
            let hits = decision.iter().filter(|item| answer.contains(item)).count();
            vec![hits as f64 / decision.len().max(1) as f64, 1.0]
        },
        reduce: |pairs, sums| (pairs > 0).then(|| sums[0] / pairs as f64),
        range: (Some(0.0), Some(1.0)),
        threshold,
        every: "week",
        closed: true,
        groups: 16,
    }
}

/// The Jaccard index of sets of labels, where an unanswered pair scores 0.
fn label_sets(threshold: &'static str) -> Case {
    Case {
        form: AnswerForm::LabelSet,
        decide: |index| AnswerValue::LabelSet(labels_of(index)),
        answer: |index| {
            let labels = if index % 6 == 1 { strings(vec!["e"]) } else { labels_of(index) };
            (index % 50 != 7).then_some(AnswerValue::LabelSet(labels))
        },
        score: |answer, decision| {
            let (Some(AnswerValue::LabelSet(answer)), AnswerValue::LabelSet(decision)) = (answer, decision)
            else {
                return vec![0.0, 1.0];
            };
            let common = decision.iter().filter(|label| answer.contains(label)).count();
            let all = answer.len() + decision.len() - common;
            vec![if all == 0 { 1.0 } else { common as f64 / all as f64 }, 1.0]
        },
        ..rankings(threshold)
    }
}

/// `a` and `b` for most pairs, and other sets for the others.
fn labels_of(index: u64) -> Vec<String> {
    match index * 7919 % 10 {
        0 => Vec::new(),
        1..4 => strings(vec!["a"]),
        4..9 => strings(vec!["a", "b"]),
        _ => strings(vec!["b", "c", "d"]),
    }
}

/// Equality of JSON values, where an unanswered pair is not equal.
fn json_values(threshold: &'static str) -> Case {
    fn value(index: u64) -> AnswerValue {
        AnswerValue::Json(format!("{{\"n\":{}}}", index * 7919 % 10 / 4))
    }
    Case {
        form: AnswerForm::Json,
        decide: value,
        answer: |index| (index % 50 != 7).then(|| value(index + u64::from(index.is_multiple_of(6)))),
        score: |answer, decision| vec![f64::from(answer == Some(decision)), 1.0],
        ..rankings(threshold)
    }
}

const NUMBERS: &str = "at-most = 5.0\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
                       family = \"each\"\nchance = { gain = 0.0 }";
const RANKINGS: &str = "at-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
                        family = \"each\"\nchance = { gain = 0.0 }";

const CLUSTERED_RANKINGS: &str = "at-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
     family = \"each\"\nchance = { gain = 0.0 }\ncluster = \"kind\"";
const CLUSTERED_NUMBERS: &str = "at-most = 5.0\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
     family = \"each\"\nchance = { gain = 0.0 }\ncluster = \"kind\"";
const MISSES: &str = "at-most = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
                      family = \"each\"\nchance = { gain = 0.0 }";
const COUNTS: &str = "at-least = 5.0\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\n\
                      family = \"each\"\nchance = { gain = 0.0 }";

impl Case {
    /// The verdict on all of the input, its reasons, and the gains.
    fn decide(&self) -> (VerdictKind, String, Option<BaselineGains>) {
        let mut study = parse(&format!(
            "{}{}\n",
            STUDY.replace("every = \"week\"", &format!("every = \"{}\"", self.every)),
            self.threshold
        ))
        .unwrap();
        study.threshold.as_mut().unwrap().form = self.form;
        let threshold = study.threshold.as_ref().unwrap();
        let conditions = Conditions::new(&study.conditions, study.time_zone.clone()).unwrap();
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let components = (self.score)(None, &(self.decide)(0)).len();
        let shape = CellsShape { conditions: conditions.sizes(), models: 1, components: vec![components] };
        let range = ScoreRange::new(self.range);
        let (mut run, mut open) = (SimulatedRun::new(shape), OpenPairs::default());
        for index in 0..PAIRS {
            let observed_at = *MONDAY + index as i64 * 10 * MINUTE;
            let (window, answer, decision) =
                (clock.window(observed_at), (self.answer)(index), (self.decide)(index));
            run.inputs.add(window, observed_at, &[0], [0, 0]);
            let components = (self.score)(answer.as_ref(), &decision);
            let status = if answer.is_some() { AnswerStatus::Answered } else { AnswerStatus::Abstained };
            let scores = vec![components.iter().map(|component| vec![*component]).collect()];
            let models = [ModelScores { statuses: vec![status], scores }];
            let group = ((7 * index + index / 50) % self.groups) as u8;
            let pair = EvidencePair {
                window,
                scopes: &[0],
                values: &[],
                group,
                cluster: threshold.cluster.is_some().then(|| cluster_hash(&index.to_string())),
                blinded: false,
                range,
                occurrence: None,
                labels: None,
            };
            run.evidence.add(&pair, &models, 0, 0);
            run.cells
                .add(crate::scoring::ScoredPairs {
                    windows: &[window],
                    conditions: &[vec![0], vec![0]],
                    models: &models,
                })
                .unwrap();
            let hash = answer.as_ref().map(|answer| match answer {
                AnswerValue::Number(number) => number.to_bits(),
                AnswerValue::Ranking(items) | AnswerValue::LabelSet(items) => {
                    items.iter().fold(1, |hash, item| 7 * hash + u64::from(item.as_bytes()[0]))
                }
                AnswerValue::Json(text) => text.bytes().fold(1, |hash, byte| 7 * hash + u64::from(byte)),
            });
            open.add(OpenPair {
                observed_at,
                decided_at: observed_at + (7 * index % 13) as i64 * 5 * MINUTE,
                id: index.to_string(),
                window,
                scopes: vec![0],
                group,
                generation: 0,
                decision,
                models: vec![OpenAnswer {
                    hash,
                    items: answer.as_ref().map_or(0, |answer| answer.items() as u32),
                    value: answer,
                    components,
                }],
            });
        }
        for settled in open.settle_all() {
            let pair = settled.pair;
            let score = |answer: &AnswerValue| (self.score)(Some(answer), &pair.decision);
            let scores = settled.baselines.map(|models| {
                let baselines = models[0].all.iter().chain(models[0].from_answered()).chain(&models[0].own);
                let baselines: Vec<Vec<f64>> = baselines.map(score).collect();
                let firsts = [&models[0].first, &models[0].first_in_earlier_window]
                    .map(|first| first.as_ref().map(score));
                (firsts, models[0].has_answered, baselines)
            });
            let (model, hash) = (&pair.models[0].components, pair.models[0].hash);
            let is_scored = |scores: &[f64]| scores.last() == Some(&1.0);
            let gain = match &scores {
                None => PairComparison::WithoutDecision,
                Some((_, _, baselines)) if !baselines.iter().all(|scores| is_scored(scores)) => {
                    PairComparison::Unscored
                }
                &Some(([ref first, ref before], has_answered, ref baselines)) => {
                    PairComparison::Scored(PairScores {
                        hash,
                        equals_first_score: first.as_ref() == Some(model),
                        equals_earlier_first_score: before.as_ref().map(|before| before == model),
                        has_answered,
                        model,
                        baselines: baselines.iter().map(Vec::as_slice).collect(),
                    })
                }
            };
            run.evidence.add_comparisons((pair.window, &pair.scopes, pair.group), &[gain], range);
        }
        let results = run.results(PAIRS, Micros(*MONDAY + 30 * 24 * 60 * MINUTE));
        let results = RunResults { closed: self.closed, ..results };
        let facts =
            Facts { range: self.range, ..Facts::undisturbed(&study, threshold, &conditions, results) };
        let verdict = determine_verdict(&facts, &mut |pairs, sums| (self.reduce)(pairs, sums));
        let scope = &verdict.models[0].scopes[0];
        let reasons: Vec<&str> = scope.reasons.iter().map(|reason| reason.text.as_str()).collect();
        if self.closed {
            return (scope.verdict, reasons.join("\n"), scope.baselines.clone());
        }
        // The verdict withholds the gains, so they are those of the estimator.
        assert_eq!(scope.baselines, None);
        let selection = select_windows(&facts);
        let mut reduce = |pairs: u64, sums: &[f64]| (self.reduce)(pairs, sums);
        let gains =
            Estimator::new(&facts, &selection, None, &mut reduce).baseline_gains(&selection.windows, 0, 0);
        (scope.verdict, reasons.join("\n"), Some(gains))
    }
}

#[track_caller]
fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs(), "{actual} is not {expected}");
}

#[track_caller]
fn assert_gain(found: &BaselineGain, method: IntervalMethod, expected: [f64; 4]) {
    let interval = found.interval.expect("bounds");
    let actual = [found.value.unwrap(), found.gain.unwrap(), interval.lower, interval.upper];
    actual.into_iter().zip(expected).for_each(|(actual, expected)| assert_close(actual, expected));
    assert_eq!(found.method, Some(method));
}

mod bounds;
mod compared_pairs;
mod models_without_gain;
mod reference_values;
