//! A comparator: the decision as it was recorded, put into the form of the model's answers.
//!
//! Configuration: `field`, the field that holds the decision; `form`, the form of the answers; and `kind`, the field's own
//! kind where it is not the first of these:
//!
//! | form | kinds |
//! | --- | --- |
//! | `label` | `text`; `integer`, in decimal; `boolean`, as `true` or `false` |
//! | `number` | `number`, which an integer field is too |
//! | `ranking` | `json`, an array of strings, best first, or a single string; `text`. A single string is the one item that was chosen |
//!
//! A decision without the field is abstained from, with a reason that names the field.

use serde::Deserialize;
use understudy_sdk::input::{Json, Value};
use understudy_sdk::prelude::*;
use understudy_sdk::{Answer, Answers, Column, Decider, Field, Form, Kind, Reader, answers};

/// Where the decision stands, and what it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    field: String,
    form: FormName,
    kind: Option<KindName>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormName {
    Label,
    Number,
    Ranking,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Boolean,
    Integer,
    Number,
    Text,
    Json,
}

/// The comparator.
pub struct Recorded {
    field: String,
    adapt: Adapt,
}

/// How a decision becomes an answer.
#[derive(Clone, Copy)]
enum Adapt {
    TextToLabel,
    IntegerToLabel,
    BooleanToLabel,
    NumberToNumber,
    JsonToRanking,
    TextToRanking,
}

/// A ranking, or the one item that was chosen.
#[derive(Deserialize)]
#[serde(untagged, expecting = "the decision is neither a string nor an array of strings")]
enum Ranked {
    One(String),
    Many(Vec<String>),
}

impl Recorded {
    /// Reads the field as `V`, and answers what `adapt` makes of it.
    fn answer<'a, V: Value<'a>, A: Answer>(
        &'a self,
        rows: u32,
        columns: &'a [Column],
        adapt: impl Fn(V) -> A,
    ) -> Result<Answers, String> {
        let [column] = columns else {
            return Err(format!("1 column was to come, but {} did", columns.len()));
        };
        let decisions = Reader::<Option<V>>::bind(&self.field, rows as usize, column)?;
        Ok(answers(rows, |row| match decisions.read(row).map_err(Reason::Failed)? {
            Some(decision) => Ok(adapt(decision)),
            None => Err(Reason::Abstained(format!("the decision has no `{}`", self.field))),
        }))
    }
}

impl Decider for Recorded {
    type Config = Config;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        let adapt = match (config.form, config.kind) {
            (FormName::Label, None | Some(KindName::Text)) => Adapt::TextToLabel,
            (FormName::Label, Some(KindName::Integer)) => Adapt::IntegerToLabel,
            (FormName::Label, Some(KindName::Boolean)) => Adapt::BooleanToLabel,
            (FormName::Number, None | Some(KindName::Number)) => Adapt::NumberToNumber,
            (FormName::Ranking, None | Some(KindName::Json)) => Adapt::JsonToRanking,
            (FormName::Ranking, Some(KindName::Text)) => Adapt::TextToRanking,
            (FormName::Label, _) => {
                return Err("config: a label is made of the kind text, integer or boolean".to_owned());
            }
            (FormName::Number, _) => {
                return Err(
                    "config: a number is made of the kind number, which an integer field is too".to_owned()
                );
            }
            (FormName::Ranking, _) => {
                return Err("config: a ranking is made of the kind json or text".to_owned());
            }
        };
        Ok(Self { field: config.field, adapt })
    }

    fn reads(&self) -> Vec<Field> {
        let kind = match self.adapt {
            Adapt::TextToLabel | Adapt::TextToRanking => Kind::Text,
            Adapt::IntegerToLabel => Kind::Integer,
            Adapt::BooleanToLabel => Kind::Boolean,
            Adapt::NumberToNumber => Kind::Number,
            Adapt::JsonToRanking => Kind::Json,
        };
        vec![Field { name: self.field.clone(), kind, required: false }]
    }

    fn form(&self) -> Form {
        match self.adapt {
            Adapt::TextToLabel | Adapt::IntegerToLabel | Adapt::BooleanToLabel => Form::Label,
            Adapt::NumberToNumber => Form::Number,
            Adapt::JsonToRanking | Adapt::TextToRanking => Form::Ranking,
        }
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        match self.adapt {
            Adapt::TextToLabel => self.answer(rows, columns, |text: &str| text),
            Adapt::IntegerToLabel => self.answer(rows, columns, |integer: i64| integer.to_string()),
            Adapt::BooleanToLabel => {
                self.answer(rows, columns, |boolean: bool| if boolean { "true" } else { "false" })
            }
            Adapt::NumberToNumber => self.answer(rows, columns, |number: f64| number),
            Adapt::JsonToRanking => self.answer(rows, columns, |Json(ranked)| match ranked {
                Ranked::One(chosen) => vec![chosen],
                Ranked::Many(names) => names,
            }),
            Adapt::TextToRanking => self.answer(rows, columns, |chosen: &str| [chosen]),
        }
    }
}

export_comparator!(Recorded);

#[cfg(test)]
mod tests;
