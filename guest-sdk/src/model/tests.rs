use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{AnswerValues, Input, WithConfidence, native};

#[derive(Input)]
struct Guests<'a> {
    adults: u8,
    agent: Option<&'a str>,
}

#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    most: u8,
}

/// Prices by number of guests. Abstains for large groups. More confident if the agent is known.
struct Price {
    most: u8,
    each: f64,
}

impl Model for Price {
    type Config = Config;
    type Input<'a> = Guests<'a>;
    type Answer<'a> = Result<WithConfidence<f64>, Reason>;

    fn new(config: Config, assets: &Assets) -> Result<Self, String> {
        let each = assets.get("each").ok_or("give the price of each guest as the asset `each`")?;
        Ok(Self { most: config.most, each: f64::from(each.len() as u32) })
    }

    fn decide<'a>(&'a self, guests: Guests<'a>) -> Result<WithConfidence<f64>, Reason> {
        if guests.adults > self.most {
            return Err(Reason::Abstained(format!("{} are a group", guests.adults)));
        }
        let confidence = if guests.agent.is_some() { 1.0 } else { 0.5 };
        Ok(WithConfidence { answer: f64::from(guests.adults) * self.each, confidence })
    }
}

fn price() -> Price {
    let each = crate::Asset { name: "each".to_owned(), bytes: vec![0; 10] };
    native::model(r#"{"most": 4}"#, vec![each]).unwrap()
}

#[test]
fn a_model_answers_columns() {
    let price = price();
    assert_eq!(price.form(), Form::Number);
    let reads: Vec<_> = price.reads().into_iter().map(|field| field.name).collect();
    assert_eq!(reads, ["adults", "agent"]);

    let columns = [Column::integers([2, 5, 1, 999]), Column::text(["a", "b", "", "d"]).with_missing([2])];
    let answers = native::decide(&price, 4, &columns).unwrap();
    let AnswerValues::Numbers(numbers) = &answers.values else { panic!("{answers:?}") };
    assert_eq!(numbers, &[20.0, 0.0, 10.0, 0.0]);
    assert_eq!(answers.confidence, Some(vec![1.0, 0.0, 0.5, 0.0]));
    insta::assert_compact_debug_snapshot!(answers.unanswered, @r#"[(1, Reason::Abstained("5 are a group")), (3, Reason::Failed("field `adults`: 999 does not fit u8"))]"#);
}

#[test]
fn an_invalid_configuration_is_rejected() {
    let fault = |config| native::model::<Price>(config, vec![]).err().unwrap();
    insta::assert_snapshot!(fault(r#"{"most": 300}"#), @"config: invalid value: integer `300`, expected u8");
    insta::assert_snapshot!(fault(r#"{"most": 3, "least": 1}"#), @"config: unknown field `least`, expected `most`");
    insta::assert_snapshot!(fault(r#"{"most": 3}"#), @"give the price of each guest as the asset `each`");
}

proptest! {
    /// The answer to a row does not depend on the batch that contains it.
    #[test]
    fn answers_do_not_depend_on_the_batch(adults in prop::collection::vec(0i64..7, 1..40)) {
        let price = price();
        let agents = |rows: usize| Column::text(vec![""; rows]).with_missing(0..rows as u32);
        let together = [Column::integers(adults.iter().copied()), agents(adults.len())];
        let together = native::decide(&price, adults.len() as u32, &together).unwrap();
        let AnswerValues::Numbers(together) = together.values else { unreachable!() };
        for (row, one) in adults.into_iter().enumerate() {
            let alone = native::decide(&price, 1, &[Column::integers([one]), agents(1)]).unwrap();
            let AnswerValues::Numbers(alone) = alone.values else { unreachable!() };
            prop_assert_eq!(alone[0], together[row]);
        }
    }
}
