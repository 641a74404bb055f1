//! A model that misbehaves as it is told, for the host's tests.
//!
//! Configuration: `{ "on": "<text>", "do": "<deed>" }`. It reads the field `text`, which is required, and answers it as a label.
//! Where a text equals `on`, or everywhere if `on` is `always`, it does the deed; the variants of `Deed` say which there
//! are.

mod deed;

use serde::Deserialize;
use understudy_sdk::prelude::*;
use understudy_sdk::{Answers, Column, Decider, Field, Form, Reader, answers};

use deed::Deed;

/// When to do what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    on: String,
    r#do: Deed,
}

/// The model.
pub struct Evil {
    on: String,
    deed: Deed,
}

impl Evil {
    fn is_cue(&self, text: &str) -> bool {
        self.on == "always" || self.on == text
    }
}

impl Decider for Evil {
    type Config = Config;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        match config.r#do {
            Deed::RefuseConfig => Err("evil refuses every configuration".to_owned()),
            deed => Ok(Self { on: config.on, deed }),
        }
    }

    fn reads(&self) -> Vec<Field> {
        vec![Reader::<&str>::field("text")]
    }

    fn form(&self) -> Form {
        Form::Label
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        let [column] = columns else {
            return Err(format!("1 column was to come, but {} did", columns.len()));
        };
        let texts = Reader::<&str>::bind("text", rows as usize, column)?;
        let mut cues = Vec::new();
        let answers = answers(rows, |row| {
            let text = texts.read(row).map_err(Reason::Failed)?;
            if !self.is_cue(text) {
                return Ok(text.to_owned());
            }
            cues.push(row);
            self.deed.at_row(text)
        });
        match cues.first() {
            Some(first) => self.deed.at_batch(answers, *first),
            None => Ok(answers),
        }
    }
}

export_model!(Evil);

#[cfg(test)]
mod tests {
    use understudy_sdk::{Decisions, native};

    use super::*;

    fn evil(on: &str, deed: &str) -> Evil {
        native::decider(&format!(r#"{{"on": "{on}", "do": "{deed}"}}"#), vec![]).unwrap()
    }

    fn decide(evil: &Evil) -> Result<Answers, String> {
        evil.decide(3, &[Column::text(["good", "bad", "fine"])])
    }

    #[test]
    fn without_its_cue_it_is_a_model_like_any_other() {
        let answers = decide(&evil("worse", "panic")).unwrap();
        let Decisions::Labels(labels) = answers.decisions else { panic!() };
        assert_eq!((&labels.names.bytes[..], &labels.codes[..]), (&b"goodbadfine"[..], &[0, 1, 2][..]));
        assert!(answers.unanswered.is_empty());
    }

    #[test]
    fn on_its_cue_it_declines_that_row() {
        let answers = decide(&evil("bad", "abstain")).unwrap();
        assert!(
            matches!(&answers.unanswered[..], [(1, Reason::Abstained(reason))] if reason == "evil abstains")
        );
    }

    #[test]
    #[should_panic(expected = "evil panics on `bad`")]
    fn it_panics() {
        let _ = decide(&evil("bad", "panic"));
    }

    #[test]
    fn it_breaks_the_contract_in_what_it_answers() {
        let labels = |deed| match decide(&evil("bad", deed)).unwrap().decisions {
            Decisions::Labels(labels) => labels,
            other => panic!("{other:?}"),
        };
        assert!(
            matches!(decide(&evil("bad", "nan")).unwrap().decisions, Decisions::Numbers(n) if n[1].is_nan())
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
        assert_eq!(decide(&evil("bad", "error")).unwrap_err(), "evil fails the batch");
        assert!(labels("huge-answer").names.bytes.len() > 16 << 20);
    }

    #[test]
    fn it_counts_what_it_must_not() {
        let evil = evil("bad", "stateful");
        let said = || match decide(&evil).unwrap().decisions {
            Decisions::Labels(labels) => String::from_utf8(labels.names.bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_ne!(said(), said());
    }

    #[test]
    fn it_refuses_its_configuration() {
        let refused = native::decider::<Evil>(r#"{"on": "always", "do": "refuse-config"}"#, vec![]).err();
        assert_eq!(refused.as_deref(), Some("evil refuses every configuration"));
    }
}
