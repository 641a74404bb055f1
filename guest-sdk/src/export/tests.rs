use super::*;
use crate::prelude::*;
use crate::{Decisions, Form, answers};

#[derive(Input)]
struct Row<'a> {
    text: &'a str,
}

/// Answers the text.
struct Echo;

impl Model for Echo {
    type Config = NoConfig;
    type Input<'a> = Row<'a>;
    type Answer<'a> = &'a str;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide<'a>(&'a self, row: Row<'a>) -> &'a str {
        row.text
    }
}

/// The mean of what the model says.
struct Mean;

impl Metric for Mean {
    type Config = NoConfig;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["sum".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::Less
    }

    fn score(&self, model: Option<f64>, _: f64, components: &mut Components<'_>) {
        components[0] = model.unwrap_or(0.0);
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

// Two plugins in one native program: neither may export anything.
export_model!(Echo);
export_metric!(Mean);

#[test]
fn a_decider_answers_once_it_is_configured() {
    let plugin = Instance::<Echo>::new();
    let columns = [crate::Column::text(["a", "b"])];
    insta::assert_snapshot!(plugin.decide(2, &columns).unwrap_err(), @"the plugin is not configured: call `configure` first");
    insta::assert_snapshot!(plugin.configure_decider(r#"{"a": 1}"#, vec![]).unwrap_err(), @"config: unknown field `a`, there are no fields");
    plugin.configure_decider("{}", vec![]).unwrap();
    insta::assert_snapshot!(plugin.configure_decider("{}", vec![]).unwrap_err(), @"the plugin is configured already");

    let said = plugin.describe_decider("echo", "1.2.3");
    assert_eq!((&said.name[..], &said.version[..], said.answers), ("echo", "1.2.3", Form::Label));
    assert_eq!(said.reads.len(), 1);
    let Decisions::Labels(labels) = plugin.decide(2, &columns).unwrap().decisions else { panic!() };
    assert_eq!(labels.codes, [0, 1]);
}

#[test]
#[should_panic(expected = "call `configure` first")]
fn a_description_before_the_configuration_is_a_panic() {
    Instance::<Echo>::new().describe_decider("echo", "1.2.3");
}

#[test]
fn a_scorer_scores_once_it_is_configured() {
    let plugin = Instance::<Mean>::new();
    let numbers = answers(2, |row| Ok(row as f64));
    assert!(plugin.score(2, &numbers, &numbers).is_err());
    plugin.configure_scorer("{}", vec![]).unwrap();

    let said = plugin.describe_scorer("mean", "1.2.3");
    assert_eq!((said.accepts, said.least, said.greatest), (vec![Form::Number], None, None));
    assert_eq!((said.components, said.better), (vec!["sum".to_owned()], Direction::Less));
    assert_eq!(plugin.score(2, &numbers, &numbers), Ok(vec![vec![0.0, 1.0]]));
    assert_eq!(plugin.reduce(2, &[1.0]), Some(0.5));
}
