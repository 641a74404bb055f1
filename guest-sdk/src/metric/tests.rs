use super::*;
use crate::{NoConfig, Reason, answers, native};

/// Counts agreements, and what the model left open.
struct Same;

impl Metric for Same {
    type Config = NoConfig;
    type Answer<'a> = Label<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["same".to_owned(), "open".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::More
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

/// The place of the comparator's first in the model's ranking.
struct Place;

impl Metric for Place {
    type Config = NoConfig;
    type Answer<'a> = &'a [Label<'a>];

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["place".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::Less
    }

    fn score(&self, model: Option<&[Label<'_>]>, comparator: &[Label<'_>], components: &mut Components<'_>) {
        let place = model.and_then(|model| model.iter().position(|name| name == &comparator[0]));
        components[0] = place.map_or(-1.0, |place| place as f64);
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        sums.first().copied()
    }
}

fn labels(rows: &[Option<&str>]) -> Answers {
    let open = || Reason::Abstained("open".to_owned());
    answers(rows.len() as u32, |row| rows[row].ok_or_else(open))
}

fn rankings(rows: &[&[&str]]) -> Answers {
    answers(rows.len() as u32, |row| Ok(rows[row]))
}

#[test]
fn one_name_is_one_label_in_both_dictionaries() {
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
    assert_eq!(score(&Place, 3, &model, &comparator), Ok(vec![vec![2.0, -1.0, 0.0]]));
}

#[test]
fn a_label_knows_its_name() {
    let (model, comparator) = (labels(&[Some("é")]), labels(&[Some("b")]));
    let [side, _] = Side::of_both(1, &model, &comparator).unwrap();
    assert_eq!(Label::read(&side, 0).map(Label::name), Ok("é"));
}

#[test]
fn answers_that_cannot_be_scored_fail_the_batch() {
    let good = || labels(&[Some("a")]);
    let fault = |model: Answers, comparator: Answers| score(&Same, 1, &model, &comparator).unwrap_err();
    let numbers = answers(1, |_| Ok(1.0));
    insta::assert_snapshot!(fault(good(), numbers), @"the metric scores labels, not numbers");
    insta::assert_snapshot!(fault(labels(&[]), good()), @"the model's answers: there are 0, not 1");
    let mut wild = good();
    if let crate::Decisions::Labels(labels) = &mut wild.decisions {
        labels.codes[0] = 7;
    }
    insta::assert_snapshot!(fault(good(), wild), @"the answer to row 0 stands for nothing");
    let mut wild = rankings(&[&["a"]]);
    if let crate::Decisions::Rankings(rankings) = &mut wild.decisions {
        rankings.codes[0] = 7;
    }
    insta::assert_snapshot!(fault(good(), wild), @"the comparator's answers: a ranking has a code that stands for no name");
}

#[test]
fn a_range_may_be_open() {
    assert_eq!(bounds(&Same.range()), [Some(0.0), Some(1.0)]);
    assert_eq!(bounds(&Place.range()), [None, None]);
    assert_eq!(bounds(&(0.0..)), [Some(0.0), None]);
}
