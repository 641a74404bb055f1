//! A comparator: the recorded decision, converted to the form of the model's answers.
//!
//! Configuration: `field`, the field that holds the decision; `form`, the form of the answers; `kind`, the
//! kind of the field. `kind` defaults to the first kind of the form:
//!
//! | form | kinds |
//! | --- | --- |
//! | `label` | `text`; `integer`, written in decimal; `boolean`, written as `true` or `false` |
//! | `number` | `number`, also for integer fields |
//! | `ranking` | `json`: an array of items, best first, or a single item; `text`; `integer`. A single item is a ranking of one: the chosen one |
//!
//! An item of a ranking is a string or an integer. As in a label, an integer is written in decimal: 7 and `"7"` are the
//! same item. Other numbers, such as 7.0, are not items, because their spelling would decide whether two are equal.
//!
//! As a model, the plugin answers with a field of the snapshot.
//!
//! The comparator abstains from a decision without the field. The reason names the field. It fails on a decision that
//! does not have the form, and on a ranking that repeats an item. The reason shows what was found.

use serde::Deserialize;
use understudy_sdk::input::{Json, Value};
use understudy_sdk::prelude::*;
use understudy_sdk::{Answer, Answers, Column, ColumnarModel, Field, Form, Kind, Reader, collect_answers};

/// The field of the decision and the form of the answers.
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

/// A comparator that answers the recorded decision.
pub struct Recorded {
    field: String,
    conversion: Conversion,
}

/// How to convert the field to an answer.
#[derive(Clone, Copy)]
enum Conversion {
    TextToLabel,
    IntegerToLabel,
    BooleanToLabel,
    NumberToNumber,
    JsonToRanking,
    TextToRanking,
    IntegerToRanking,
}

/// A ranking, or the one chosen item.
#[derive(Deserialize)]
#[serde(untagged, expecting = "the decision is neither a string or an integer nor an array of these")]
enum Ranked {
    One(Item),
    Many(Vec<Item>),
}

/// An item of a ranking.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Name(String),
    Integer(i64),
}

impl Item {
    fn into_name(self) -> String {
        match self {
            Item::Name(name) => name,
            Item::Integer(integer) => integer.to_string(),
        }
    }
}

impl Recorded {
    /// Reads the field as `V` and converts it with `convert`.
    /// The record that has the field.
    fn record(&self) -> &'static str {
        if self.field.starts_with("decision.") { "decision" } else { "snapshot" }
    }

    fn answer<'a, V: Value<'a>, A: Answer>(
        &'a self,
        rows: u32,
        columns: &'a [Column],
        convert: impl Fn(V) -> A,
    ) -> Result<Answers, String> {
        let [column] = columns else {
            return Err(format!("expected 1 column, found {}", columns.len()));
        };
        let decisions = Reader::<Option<V>>::bind(&self.field, rows as usize, column)?;
        Ok(collect_answers(rows, |row| match decisions.read(row).map_err(Reason::Failed)? {
            Some(decision) => Ok(convert(decision)),
            None => Err(Reason::Abstained(format!("the {} has no `{}`", self.record(), self.field))),
        }))
    }
}

impl ColumnarModel for Recorded {
    type Config = Config;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        let conversion = match (config.form, config.kind) {
            (FormName::Label, None | Some(KindName::Text)) => Conversion::TextToLabel,
            (FormName::Label, Some(KindName::Integer)) => Conversion::IntegerToLabel,
            (FormName::Label, Some(KindName::Boolean)) => Conversion::BooleanToLabel,
            (FormName::Number, None | Some(KindName::Number)) => Conversion::NumberToNumber,
            (FormName::Ranking, None | Some(KindName::Json)) => Conversion::JsonToRanking,
            (FormName::Ranking, Some(KindName::Text)) => Conversion::TextToRanking,
            (FormName::Ranking, Some(KindName::Integer)) => Conversion::IntegerToRanking,
            (FormName::Label, _) => {
                return Err("config: form `label` needs kind text, integer or boolean".to_owned());
            }
            (FormName::Number, _) => {
                return Err("config: form `number` needs kind number, also for integer fields".to_owned());
            }
            (FormName::Ranking, _) => {
                return Err("config: form `ranking` needs kind json, text or integer".to_owned());
            }
        };
        Ok(Self { field: config.field, conversion })
    }

    fn reads(&self) -> Vec<Field> {
        let kind = match self.conversion {
            Conversion::TextToLabel | Conversion::TextToRanking => Kind::Text,
            Conversion::IntegerToLabel | Conversion::IntegerToRanking => Kind::Integer,
            Conversion::BooleanToLabel => Kind::Boolean,
            Conversion::NumberToNumber => Kind::Number,
            Conversion::JsonToRanking => Kind::Json,
        };
        vec![Field { name: self.field.clone(), kind, required: false }]
    }

    fn form(&self) -> Form {
        match self.conversion {
            Conversion::TextToLabel | Conversion::IntegerToLabel | Conversion::BooleanToLabel => Form::Label,
            Conversion::NumberToNumber => Form::Number,
            Conversion::JsonToRanking | Conversion::TextToRanking | Conversion::IntegerToRanking => {
                Form::Ranking
            }
        }
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        match self.conversion {
            Conversion::TextToLabel => self.answer(rows, columns, |text: &str| text),
            Conversion::IntegerToLabel => self.answer(rows, columns, |integer: i64| integer.to_string()),
            Conversion::BooleanToLabel => {
                self.answer(rows, columns, |boolean: bool| if boolean { "true" } else { "false" })
            }
            Conversion::NumberToNumber => self.answer(rows, columns, |number: f64| number),
            Conversion::JsonToRanking => self.answer(rows, columns, |Json(ranked)| match ranked {
                Ranked::One(chosen) => vec![chosen.into_name()],
                Ranked::Many(items) => items.into_iter().map(Item::into_name).collect(),
            }),
            Conversion::TextToRanking => self.answer(rows, columns, |chosen: &str| vec![chosen]),
            Conversion::IntegerToRanking => {
                self.answer(rows, columns, |chosen: i64| vec![chosen.to_string()])
            }
        }
    }
}

export_comparator!(Recorded);

#[cfg(test)]
mod tests;
