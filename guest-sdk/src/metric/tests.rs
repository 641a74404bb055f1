use std::collections::HashSet;

use super::*;
use crate::input::Json;
use crate::{NoConfig, Reason, WithConfidence, WithProbabilities, collect_answers, native};

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
fn a_prediction_has_what_the_plugin_reports() {
    let classes = [[("b", 0.75), ("a", 0.25)], [("a", 0.5), ("c", 0.5)]];
    let model = collect_answers(2, |row| {
        Ok(WithProbabilities { answer: ["a", "b"][row], probabilities: classes[row] })
    });
    let comparator = labels(&[Some("b"), Some("c")]);
    let [model, comparator] = DecodedAnswers::decode_pair(2, &model, &comparator).unwrap();
    let read = |side, row| Prediction::read(side, row).unwrap();
    let (first, second) = (read(&model, 0), read(&model, 1));
    let decisions = [0, 1].map(|row| Label::read(&comparator, row).unwrap());
    assert_eq!(first.probabilities().map(|(class, _)| class.name()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(decisions.map(|class| first.probability_of(class)), [Some(0.75), Some(0.0)]);
    assert_eq!([first, second].map(Prediction::confidence), [Some(0.25), Some(0.0)], "that of the label");
    let decision = read(&comparator, 0);
    assert_eq!((decision.confidence(), decision.probability_of(decision.label())), (None, None));
}

#[test]
fn a_confidence_that_is_reported_precedes_the_probability_of_the_label() {
    let mut sure = collect_answers(2, |_| {
        Ok(WithConfidence {
            answer: WithProbabilities { answer: "a", probabilities: [("a", 1.0)] },
            confidence: 0.5,
        })
    });
    sure.confidence.as_mut().unwrap()[1] = f64::NAN;
    let decisions = labels(&[Some("a"), Some("a")]);
    let [sure, _] = DecodedAnswers::decode_pair(2, &sure, &decisions).unwrap();
    let confidence = |row| Prediction::read(&sure, row).unwrap().confidence();
    assert_eq!([0, 1].map(confidence), [Some(0.5), Some(1.0)]);
}

#[test]
fn sets_have_common_labels_whatever_their_order() {
    let sets = |rows: [&[&'static str]; 4]| {
        collect_answers(4, |row| Ok(rows[row].iter().copied().collect::<HashSet<_>>()))
    };
    let model = sets([&["c", "a", "b"], &[], &["x"], &["b", "a"]]);
    let comparator = sets([&["d", "b", "c"], &["a"], &["y", "z"], &["a", "b"]]);
    let [model, comparator] = DecodedAnswers::decode_pair(4, &model, &comparator).unwrap();
    let read = |side, row| LabelSet::read(side, row).unwrap();
    let common = [0, 1, 2, 3].map(|row| read(&model, row).common_labels(read(&comparator, row)));
    assert_eq!(common, [2, 0, 0, 2]);
    assert_eq!([0, 1, 2, 3].map(|row| read(&model, row).len()), [3, 0, 1, 2]);
    assert!(read(&model, 1).is_empty());
    assert_eq!(read(&model, 3), read(&comparator, 3));
    assert_ne!(read(&model, 0), read(&comparator, 0));
    let mut names: Vec<_> = read(&model, 3).labels().map(Label::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn nominal_answers_are_labels_sets_or_json_values() {
    fn equal<A: crate::Answer + Clone>(model: &[A; 2], decisions: &[A; 2]) -> [bool; 2] {
        let [model, decisions] =
            [model, decisions].map(|rows| collect_answers(2, |row| Ok(rows[row].clone())));
        let [model, decisions] = DecodedAnswers::decode_pair(2, &model, &decisions).unwrap();
        [0, 1].map(|row| {
            NominalAnswer::read(&model, row).unwrap() == NominalAnswer::read(&decisions, row).unwrap()
        })
    }
    assert_eq!(equal(&["a", "b"], &["b", "b"]), [false, true]);
    let set = |labels: &[&'static str]| labels.iter().copied().collect::<HashSet<_>>();
    assert_eq!(equal(&[set(&["a", "b"]), set(&[])], &[set(&["b", "a"]), set(&["a"])]), [true, false]);
    assert_eq!(equal(&[Json("x"), Json("")], &[Json("x"), Json("y")]), [true, false]);
    let numbers = collect_answers(1, |_| Ok(1.0));
    let [numbers, _] = DecodedAnswers::decode_pair(1, &numbers, &numbers).unwrap();
    insta::assert_snapshot!(NominalAnswer::read(&numbers, 0).unwrap_err(), @"the metric scores labels or sets of labels or JSON values, not numbers");
}

#[test]
fn probabilities_that_cannot_be_read_fail_the_batch() {
    let answers =
        || collect_answers(1, |_| Ok(WithProbabilities { answer: "a", probabilities: [("a", 1.0)] }));
    let fault = |change: fn(&mut crate::Probabilities)| {
        let mut answers = answers();
        change(answers.probabilities.as_mut().unwrap());
        score(&Same, 1, &answers, &labels(&[Some("a")])).unwrap_err()
    };
    insta::assert_snapshot!(fault(|p| p.codes[0] = 1), @"the model's answers: a probability has a code without a name");
    insta::assert_snapshot!(fault(|p| p.values.clear()), @"the model's answers: found probabilities of 1 rows and 1 classes, expected 1 and 0");
}

#[test]
fn a_range_may_be_unbounded() {
    assert_eq!(bounds(&Same.range()), [Some(0.0), Some(1.0)]);
    assert_eq!(bounds(&FirstPosition.range()), [None, None]);
    assert_eq!(bounds(&(0.0..)), [Some(0.0), None]);
}
