use super::*;
use crate::prelude::*;
use crate::{AnswerValues, Form, collect_answers};

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

/// The mean of the model's answers.
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

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn score(&self, model: Option<f64>, _: f64, components: &mut Components<'_>) {
        components[0] = model.unwrap_or(0.0);
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

// Two plugins in one native program: neither exports anything.
export_model!(Echo);
export_metric!(Mean);

#[test]
fn a_model_answers_after_it_is_configured() {
    let plugin = Instance::<Echo>::new();
    let columns = [crate::Column::text(["a", "b"])];
    insta::assert_snapshot!(plugin.decide(2, &columns).unwrap_err(), @"the plugin is not configured: call `configure` first");
    insta::assert_snapshot!(plugin.configure_model(r#"{"a": 1}"#, vec![]).unwrap_err(), @"config: unknown field `a`, there are no fields");
    plugin.configure_model("{}", vec![]).unwrap();
    insta::assert_snapshot!(plugin.configure_model("{}", vec![]).unwrap_err(), @"the plugin is already configured");

    let description = plugin.describe_model("echo", "1.2.3");
    assert_eq!(
        (&description.name[..], &description.version[..], description.answers),
        ("echo", "1.2.3", Form::Label)
    );
    assert_eq!(description.reads.len(), 1);
    let AnswerValues::Labels(labels) = plugin.decide(2, &columns).unwrap().values else { panic!() };
    assert_eq!(labels.codes, [0, 1]);
}

#[test]
#[should_panic(expected = "call `configure` first")]
fn a_description_before_the_configuration_is_a_panic() {
    Instance::<Echo>::new().describe_model("echo", "1.2.3");
}

#[test]
fn a_metric_scores_after_it_is_configured() {
    let plugin = Instance::<Mean>::new();
    let numbers = collect_answers(2, |row| Ok(row as f64));
    assert!(plugin.score(2, &numbers, &numbers).is_err());
    plugin.configure_metric("{}", vec![]).unwrap();

    let description = plugin.describe_metric("mean", "1.2.3");
    assert_eq!(
        (description.accepts, description.minimum, description.maximum),
        (vec![Form::Number], None, None)
    );
    assert_eq!(
        (description.components, description.direction),
        (vec!["sum".to_owned()], Direction::LowerIsBetter)
    );
    assert_eq!(plugin.score(2, &numbers, &numbers), Ok(vec![vec![0.0, 1.0]]));
    assert_eq!(plugin.reduce(2, &[1.0]), Some(0.5));
}
