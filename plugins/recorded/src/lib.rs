//! A comparator or a model: answers with a recorded field. As a comparator it converts the recorded decision to the form of the
//! model's answers. As a model it answers with a field of the snapshot.
//!
//! Configuration: `field`, the field that holds the answer; `form`, the form of the answers; `kind`, the
//! kind of the field. `kind` defaults to the first kind of the form:
//!
//! | form | kinds |
//! | --- | --- |
//! | `label` | `text`; `integer`, written in decimal; `boolean`, written as `true` or `false` |
//! | `number` | `number`, also for integer fields |
//! | `ranking` | `json`: an array of items, best first, or a single item; `text`; `integer`. A single item is a ranking of one: the chosen one |
//! | `label-set` | `json`: an array of items in any order, or a single item; `text`; `integer`. An item that is repeated counts once |
//! | `json` | `json`: any value |
//!
//! An item of a ranking or set is a string or an integer. As in a label, an integer is written in decimal: 7 and `"7"` are the
//! same item. Other numbers, such as 7.0, are not items, because their spelling would decide whether two are equal.
//!
//! `probabilities` names a JSON field with the class probabilities of a label, such as `{"a": 0.75, "b": 0.25}`. With it,
//! the recorded answers of a model can be scored, too.
//!
//! The plugin abstains from a record without the field. The reason names the field. It fails on a record whose field
//! does not have the form, and on a ranking that repeats an item. The reason shows what was found.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use understudy_sdk::answer::LabelBuilder;
use understudy_sdk::input::{Json, Value};
use understudy_sdk::prelude::*;
use understudy_sdk::{Answer, Answers, Column, ColumnarModel, Field, Form, Kind, Reader, collect_answers};

/// The field with the answer, and the form of the answers.
#[derive(Debug, Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The field that holds the answer, such as `decision.room`.
    #[config(min_length = 1)]
    field: String,
    /// The form of the answers.
    form: FormName,
    /// The kind of the field; by default text for labels, number for numbers, and json otherwise.
    kind: Option<KindName>,
    /// The JSON field with the class probabilities of a label.
    probabilities: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, ConfigSchema)]
#[serde(rename_all = "kebab-case")]
enum FormName {
    Label,
    Number,
    Ranking,
    LabelSet,
    Json,
}

#[derive(Clone, Copy, Debug, Deserialize, ConfigSchema)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Boolean,
    Integer,
    Number,
    Text,
    Json,
}

/// A comparator or model that answers what a field holds.
pub struct Recorded {
    field: String,
    conversion: Conversion,
    /// The field with the class probabilities.
    probabilities: Option<String>,
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
    JsonToSet,
    TextToSet,
    IntegerToSet,
    JsonToJson,
}

/// A ranking, or the one chosen item.
#[derive(Deserialize)]
#[serde(untagged, expecting = "the field holds neither a string or an integer nor an array of these")]
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

impl Ranked {
    /// The names of the items, in their order.
    fn into_names<C: FromIterator<String>>(self) -> C {
        match self {
            Ranked::One(chosen) => std::iter::once(chosen.into_name()).collect(),
            Ranked::Many(items) => items.into_iter().map(Item::into_name).collect(),
        }
    }
}

impl Recorded {
    /// Reads the field as `V` and converts it with `convert`.
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
        Ok(collect_answers(rows, |row| Ok(convert(present(&self.field, &decisions, row)?))))
    }

    /// Reads the field as `V`, converts it to a label with `convert`, and adds the class probabilities if there are any.
    fn label<'a, V: Value<'a>, A: Answer<Builder = LabelBuilder>>(
        &'a self,
        rows: u32,
        columns: &'a [Column],
        convert: impl Fn(V) -> A,
    ) -> Result<Answers, String> {
        let Some(name) = &self.probabilities else { return self.answer(rows, columns, convert) };
        let [column, probabilities] = columns else {
            return Err(format!("expected 2 columns, found {}", columns.len()));
        };
        let decisions = Reader::<Option<V>>::bind(&self.field, rows as usize, column)?;
        let classes =
            Reader::<Option<Json<BTreeMap<String, f64>>>>::bind(name, rows as usize, probabilities)?;
        Ok(collect_answers(rows, |row| {
            let answer = convert(present(&self.field, &decisions, row)?);
            let Json(probabilities) = present(name, &classes, row)?;
            Ok(WithProbabilities { answer, probabilities })
        }))
    }
}

/// The value of a field in a row.
fn present<'a, V: Value<'a>>(name: &str, reader: &Reader<'a, Option<V>>, row: usize) -> Result<V, Reason> {
    let value = reader.read(row).map_err(Reason::Failed)?;
    let record = if name.starts_with("decision.") { "decision" } else { "snapshot" };
    value.ok_or_else(|| Reason::Abstained(format!("the {record} has no `{name}`")))
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
            (FormName::LabelSet, None | Some(KindName::Json)) => Conversion::JsonToSet,
            (FormName::LabelSet, Some(KindName::Text)) => Conversion::TextToSet,
            (FormName::LabelSet, Some(KindName::Integer)) => Conversion::IntegerToSet,
            (FormName::Json, None | Some(KindName::Json)) => Conversion::JsonToJson,
            (FormName::LabelSet, _) => {
                return Err("config: form `label-set` needs kind json, text or integer".to_owned());
            }
            (FormName::Json, _) => return Err("config: form `json` needs kind json".to_owned()),
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
        if config.probabilities.is_some() && !matches!(config.form, FormName::Label) {
            return Err("config: `probabilities` needs form `label`".to_owned());
        }
        Ok(Self { field: config.field, conversion, probabilities: config.probabilities })
    }

    fn reads(&self) -> Vec<Field> {
        let kind = match self.conversion {
            Conversion::TextToLabel | Conversion::TextToRanking | Conversion::TextToSet => Kind::Text,
            Conversion::IntegerToLabel | Conversion::IntegerToRanking | Conversion::IntegerToSet => {
                Kind::Integer
            }
            Conversion::BooleanToLabel => Kind::Boolean,
            Conversion::NumberToNumber => Kind::Number,
            Conversion::JsonToRanking | Conversion::JsonToSet | Conversion::JsonToJson => Kind::Json,
        };
        let decision = Field { name: self.field.clone(), kind, required: false };
        let probabilities = self.probabilities.iter();
        let probabilities =
            probabilities.map(|name| Field { name: name.clone(), kind: Kind::Json, required: false });
        std::iter::once(decision).chain(probabilities).collect()
    }

    fn form(&self) -> Form {
        match self.conversion {
            Conversion::TextToLabel | Conversion::IntegerToLabel | Conversion::BooleanToLabel => Form::Label,
            Conversion::NumberToNumber => Form::Number,
            Conversion::JsonToRanking | Conversion::TextToRanking | Conversion::IntegerToRanking => {
                Form::Ranking
            }
            Conversion::JsonToSet | Conversion::TextToSet | Conversion::IntegerToSet => Form::LabelSet,
            Conversion::JsonToJson => Form::Json,
        }
    }

    fn has_probabilities(&self) -> bool {
        self.probabilities.is_some()
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        match self.conversion {
            Conversion::TextToLabel => self.label(rows, columns, |text: &str| text),
            Conversion::IntegerToLabel => self.label(rows, columns, |integer: i64| integer.to_string()),
            Conversion::BooleanToLabel => {
                self.label(rows, columns, |boolean: bool| if boolean { "true" } else { "false" })
            }
            Conversion::NumberToNumber => self.answer(rows, columns, |number: f64| number),
            Conversion::JsonToRanking => {
                self.answer(rows, columns, |Json(ranked): Json<Ranked>| ranked.into_names::<Vec<_>>())
            }
            Conversion::JsonToSet => {
                self.answer(rows, columns, |Json(listed): Json<Ranked>| listed.into_names::<BTreeSet<_>>())
            }
            Conversion::TextToSet => self.answer(rows, columns, |chosen: &str| BTreeSet::from([chosen])),
            Conversion::IntegerToSet => {
                self.answer(rows, columns, |chosen: i64| BTreeSet::from([chosen.to_string()]))
            }
            Conversion::JsonToJson => self.answer(rows, columns, |value: Json<serde_json::Value>| value),
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
