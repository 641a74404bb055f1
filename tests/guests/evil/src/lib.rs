//! A model that misbehaves as configured, for tests of the host.
//!
//! Configuration: `{ "on": "<text>", "do": "<deed>" }`. The model reads the required field `text` and answers
//! it as a label. If a text equals `on`, or always if `on` is `always`, it performs the deed; `Deed` lists
//! the deeds. `placeholder`, `key-order` and `read-decision` need no trigger.

mod deed;
mod dependence;

use serde::Deserialize;
use understudy_sdk::prelude::*;
use understudy_sdk::{Answers, Column, ColumnarModel, Field, Form, Reader, collect_answers};

use deed::Deed;
use dependence::Keys;

/// The trigger and the deed.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The text of a trigger, or `always`.
    on: String,
    /// What happens then.
    r#do: Deed,
}

/// A model that performs a deed on its trigger.
pub struct Evil {
    on: String,
    deed: Deed,
}

impl Evil {
    fn is_trigger(&self, text: &str) -> bool {
        self.on == "always" || self.on == text
    }
}

impl ColumnarModel for Evil {
    type Config = Config;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        match config.r#do {
            Deed::RefuseConfig => Err("evil refuses every configuration".to_owned()),
            deed => Ok(Self { on: config.on, deed }),
        }
    }

    fn reads(&self) -> Vec<Field> {
        vec![match self.deed {
            Deed::Placeholder => Reader::<Option<&str>>::field("text"),
            Deed::KeyOrder => Reader::<Json<Keys>>::field("text"),
            Deed::ReadDecision => Reader::<&str>::field("decision.text"),
            _ => Reader::<&str>::field("text"),
        }]
    }

    fn form(&self) -> Form {
        match self.deed {
            Deed::NanAnswer => Form::Number,
            _ => Form::Label,
        }
    }

    fn has_probabilities(&self) -> bool {
        matches!(self.deed, Deed::BadProbabilities)
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        let [column] = columns else {
            return Err(format!("expected 1 column, found {}", columns.len()));
        };
        match self.deed {
            Deed::Placeholder => return dependence::placeholders(rows, column),
            Deed::KeyOrder => return dependence::first_keys(rows, column),
            Deed::NanAnswer => return dependence::nan_answers(rows, column, |text| self.is_trigger(text)),
            _ => {}
        }
        let texts = Reader::<&str>::bind("text", rows as usize, column)?;
        let mut triggered = Vec::new();
        let answers = collect_answers(rows, |row| {
            let text = texts.read(row).map_err(Reason::Failed)?;
            if !self.is_trigger(text) {
                return Ok(text.to_owned());
            }
            triggered.push(row);
            self.deed.at_row(text)
        });
        match triggered.first() {
            Some(first) => self.deed.at_batch(answers, *first),
            // No row is wrong.
            None if self.has_probabilities() => self.deed.at_batch(answers, usize::MAX),
            None => Ok(answers),
        }
    }
}

export_model!(Evil);

#[cfg(test)]
mod tests {
    use understudy_sdk::{AnswerValues, native};

    use super::*;

    fn evil(on: &str, deed: &str) -> Evil {
        native::model(&format!(r#"{{"on": "{on}", "do": "{deed}"}}"#), vec![]).unwrap()
    }

    fn decide(evil: &Evil) -> Result<Answers, String> {
        evil.decide(3, &[Column::text(["good", "bad", "fine"])])
    }

    #[test]
    fn without_its_trigger_it_answers_normally() {
        let answers = decide(&evil("worse", "panic")).unwrap();
        let AnswerValues::Labels(labels) = answers.values else { panic!() };
        assert_eq!((&labels.names.bytes[..], &labels.codes[..]), (&b"goodbadfine"[..], &[0, 1, 2][..]));
        assert!(answers.unanswered.is_empty());
    }

    #[test]
    fn abstains_on_its_trigger() {
        let answers = decide(&evil("bad", "abstain")).unwrap();
        assert!(
            matches!(&answers.unanswered[..], [(1, Reason::Abstained(reason))] if reason == "evil abstains")
        );
    }

    #[test]
    #[should_panic(expected = "evil panics on `bad`")]
    fn panics_on_its_trigger() {
        let _ = decide(&evil("bad", "panic"));
    }

    #[test]
    fn returns_answers_that_violate_the_contract() {
        let labels = |deed| match decide(&evil("bad", deed)).unwrap().values {
            AnswerValues::Labels(labels) => labels,
            other => panic!("{other:?}"),
        };
        assert!(
            matches!(decide(&evil("bad", "nan")).unwrap().values, AnswerValues::Numbers(n) if n[1].is_nan())
        );
        assert_eq!(labels("wrong-length").codes.len(), 4);
        assert_eq!(labels("code-out-of-range").codes, [0, u32::MAX, 2]);
        assert!(!labels("bad-offsets").names.offsets.is_sorted());
        assert!(std::str::from_utf8(&labels("bad-utf8").names.bytes).is_err());
        let rows: Vec<u32> = decide(&evil("bad", "not-ascending-unanswered"))
            .unwrap()
            .unanswered
            .iter()
            .map(|(row, _)| *row)
            .collect();
        assert!(!rows.is_sorted());
        assert_eq!(decide(&evil("bad", "bad-confidence")).unwrap().confidence, Some(vec![1.0, 2.0, 1.0]));
        let evil_classes = evil("bad", "bad-probabilities");
        assert!(evil_classes.has_probabilities());
        let probabilities = decide(&evil_classes).unwrap().probabilities.unwrap();
        assert_eq!(probabilities.values, [1.0, 0.5, 1.0]);
        assert_eq!(decide(&evil("bad", "error")).unwrap_err(), "evil fails the batch");
        assert!(labels("huge-answer").names.bytes.len() > 16 << 20);
    }

    #[test]
    fn keeps_state_between_calls() {
        let evil = evil("bad", "stateful");
        let names = || match decide(&evil).unwrap().values {
            AnswerValues::Labels(labels) => String::from_utf8(labels.names.bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_ne!(names(), names());
    }

    #[test]
    fn answers_depend_on_more_than_the_row() {
        let names = |answers: Answers| match answers.values {
            AnswerValues::Labels(labels) => String::from_utf8(labels.names.bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(names(decide(&evil("bad", "batch-rows")).unwrap()), "goodbadfinea batch of 3");
        let column = Column::text(["hidden"]).with_missing([0]);
        assert_eq!(names(evil("", "placeholder").decide(1, &[column]).unwrap()), "hidden");
        let column = Column::json([r#"{"b": 1, "a": 2}"#]);
        assert_eq!(names(evil("", "key-order").decide(1, &[column]).unwrap()), "b");
        let numbers = decide(&evil("bad", "nan-answer")).unwrap().values;
        assert!(
            matches!(numbers, AnswerValues::Numbers(numbers) if numbers[1].is_nan() && numbers[0] == 4.0)
        );
    }

    #[test]
    fn rejects_its_configuration() {
        let refused = native::model::<Evil>(r#"{"on": "always", "do": "refuse-config"}"#, vec![]).err();
        assert_eq!(refused.as_deref(), Some("evil refuses every configuration"));
    }
}
