use std::collections::HashSet;

use super::*;
use crate::{NoConfig, Reason, collect_answers, native};

/// Counts agreements and rows that the model left unanswered.
struct Same;

impl Metric for Same {
    type Config = NoConfig;
    type Answer<'a> = Label<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["same".to_owned(), "unanswered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<Label<'_>>, comparator: Label<'_>, components: &mut Components<'_>) {
        match model {
            Some(model) => components[0] = f64::from(model == comparator),
            None => components[1] += 1.0,
        }
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

/// Position of the comparator's first name in the model's ranking; -1 if absent.
struct FirstPosition;

impl Metric for FirstPosition {
    type Config = NoConfig;
    type Answer<'a> = &'a [Label<'a>];

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["position".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn score(&self, model: Option<&[Label<'_>]>, comparator: &[Label<'_>], components: &mut Components<'_>) {
        let position = model.and_then(|model| model.iter().position(|name| name == &comparator[0]));
        components[0] = position.map_or(-1.0, |position| position as f64);
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        sums.first().copied()
    }
}

fn labels(rows: &[Option<&str>]) -> Answers {
    let abstained = || Reason::Abstained("no idea".to_owned());
    collect_answers(rows.len() as u32, |row| rows[row].ok_or_else(abstained))
}

fn rankings(rows: &[&[&str]]) -> Answers {
    collect_answers(rows.len() as u32, |row| Ok(rows[row]))
}

#[test]
fn equal_names_of_both_dictionaries_are_equal_labels() {
    let model = labels(&[Some("a"), Some("b"), None, Some("c"), Some("a")]);
    let comparator = labels(&[Some("b"), Some("b"), Some("a"), Some("c"), Some("a")]);
    let metric: Same = native::metric("{}", vec![]).unwrap();
    let scores = score(&metric, 5, &model, &comparator).unwrap();
    assert_eq!(scores, [[0.0, 1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0]]);
    let sums: Vec<f64> = scores.iter().map(|component| component.iter().sum()).collect();
    assert_eq!(metric.reduce(5, &sums), Some(0.6));
}

#[test]
fn a_ranking_keeps_its_order() {
    let model = rankings(&[&["a", "b", "c"], &[], &["c"]]);
    let comparator = rankings(&[&["c"], &["a"], &["c", "a"]]);
    assert_eq!(score(&FirstPosition, 3, &model, &comparator), Ok(vec![vec![2.0, -1.0, 0.0]]));
}

#[test]
fn equal_names_of_both_dictionaries_are_equal_keys() {
    let (model, comparator) = (rankings(&[&["a", "b", "c"]]), rankings(&[&["c", "x", "a"]]));
    let [model, comparator] = DecodedAnswers::decode_pair(1, &model, &comparator).unwrap();
    let names = <&[Label<'_>]>::read(&model, 0).unwrap().iter().copied().collect::<HashSet<_>>();
    let decision = <&[Label<'_>]>::read(&comparator, 0).unwrap();
    assert_eq!(names.len(), 3);
    assert_eq!([0, 1, 2].map(|item| names.contains(&decision[item])), [true, false, true]);
}

#[test]
fn a_label_has_the_name_of_the_answer() {
    let (model, comparator) = (labels(&[Some("é")]), labels(&[Some("b")]));
    let [answers, _] = DecodedAnswers::decode_pair(1, &model, &comparator).unwrap();
    assert_eq!(Label::read(&answers, 0).map(Label::name), Ok("é"));
}

#[test]
fn answers_that_cannot_be_scored_fail_the_batch() {
    let good = || labels(&[Some("a")]);
    let fault = |model: Answers, comparator: Answers| score(&Same, 1, &model, &comparator).unwrap_err();
    let numbers = collect_answers(1, |_| Ok(1.0));
    insta::assert_snapshot!(fault(good(), numbers), @"the metric scores labels, not numbers");
    insta::assert_snapshot!(fault(labels(&[]), good()), @"the model's answers: found 0 answers, expected 1");
    let mut invalid = good();
    if let crate::AnswerValues::Labels(labels) = &mut invalid.values {
        labels.codes[0] = 7;
    }
    insta::assert_snapshot!(fault(good(), invalid), @"the answer to row 0 has an invalid code");
    let mut invalid = rankings(&[&["a"]]);
    if let crate::AnswerValues::Rankings(rankings) = &mut invalid.values {
        rankings.codes[0] = 7;
    }
    insta::assert_snapshot!(fault(good(), invalid), @"the comparator's answers: a ranking has a code without a name");
}

#[test]
fn a_range_may_be_unbounded() {
    assert_eq!(bounds(&Same.range()), [Some(0.0), Some(1.0)]);
    assert_eq!(bounds(&FirstPosition.range()), [None, None]);
    assert_eq!(bounds(&(0.0..)), [Some(0.0), None]);
}
