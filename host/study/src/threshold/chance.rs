//! Reads the requirement of a threshold beyond chance: more agreement than a constant label has, or a gain over baselines.
//!
//! Invariant: a threshold that is sealed always declares it. There is no default, because a threshold that a constant meets
//! looks the same as one that no constant meets.

use serde::Serialize;

use crate::AnswerForm;
use crate::table_reader::TableReader;
use crate::toml_value::Value;

/// The forms of `chance` for a form of answers, with their meanings, as the end of an error message.
pub fn chance_forms(form: AnswerForm) -> &'static str {
    match form {
        AnswerForm::Label => LABEL_FORMS,
        AnswerForm::Number => {
            "chance = { gain = 0.0 } if the metric must be better than always giving the mean, the median or the last of the \
             earlier decisions, or an earlier answer of the model, by at least this much. Write chance = \"not-asked\" if a model that is no better may be GO. Every \
             verdict then says so"
        }
        AnswerForm::Ranking => {
            "chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the highest-ranked items of \
             the earlier decisions, a list of their commonest length, or an earlier answer of the model, by at least this much. Write chance = \"not-asked\" if a model that is no better may be GO. \
             Every verdict then says so"
        }
        AnswerForm::LabelSet => {
            "chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the last set of the \
             earlier decisions, the labels of at least half of them, or an earlier answer of the model, by at least this \
             much. Write chance = \"not-asked\" if a model that is no better may be GO. Every verdict then says so"
        }
        AnswerForm::Json => {
            "chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the last of the \
             earlier decisions, or an earlier answer of the model, by at least this much. Write chance = \"not-asked\" if a \
             model that is no better may be GO. Every verdict then says so"
        }
    }
}

/// The three forms of `chance` for labels.
const LABEL_FORMS: &str = "chance = { gain = 0.0 } if agreement must exceed that of the substrate's commonest label, by at least \
     this much. Write chance = { kappa = 0.4 } if Cohen's kappa must be at least this much. Write chance = \"not-asked\" if a \
     model that always gives the commonest label may be GO. Every verdict then says so";

/// What is required beyond chance, over the windows that count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChanceRequirement {
    /// None: a model that is no better than a constant can be GO.
    NotAsked,
    /// The minimum gain, at least 0. It must also be above 0. For labels, it is the excess of the agreement over that of
    /// always giving the substrate's commonest label, and at most 1. For other answers, it is by how much the metric
    /// is better than that of each baseline, in units of the metric.
    Gain(f64),
    /// For labels: the minimum of Cohen's kappa, from 0 to 1. It must also be above 0, which is the kappa of every constant.
    Kappa(f64),
}

impl ChanceRequirement {
    /// The required minimum; 0 if nothing is required.
    pub fn least(self) -> f64 {
        match self {
            ChanceRequirement::NotAsked => 0.0,
            ChanceRequirement::Gain(least) | ChanceRequirement::Kappa(least) => least,
        }
    }
}

/// Reads `chance`. `None` if it could not be read, `Some(None)` if it is not declared.
pub(super) fn chance(section: &mut TableReader<'_>) -> Option<Option<ChanceRequirement>> {
    if section.is_text("chance") {
        let words = [("not-asked", ChanceRequirement::NotAsked)];
        return section.optional("chance", LABEL_FORMS, |value| value.choice(&words)).map(Some);
    }
    let read = section.optional_section("chance", LABEL_FORMS, requirement);
    if section.has("chance") { read.flatten().map(Some) } else { Some(None) }
}

fn requirement(section: &mut TableReader<'_>) -> Option<ChanceRequirement> {
    let at_least_0 = |value: &Value<'_>| value.number().filter(|least| *least >= 0.0);
    let share = |value: &Value<'_>| at_least_0(value).filter(|least| *least <= 1.0);
    let gain =
        section.optional("gain", "a number of at least 0, in units of the metric, such as 0.0", at_least_0);
    let kappa = section.optional("kappa", "a number from 0 to 1, such as 0.4", share);
    match (section.has("gain"), section.has("kappa")) {
        (true, false) => gain.map(ChanceRequirement::Gain),
        (false, true) => kappa.map(ChanceRequirement::Kappa),
        (both, _) => {
            let has = if both { "both `gain` and `kappa`" } else { "neither `gain` nor `kappa`" };
            let message = format!("`{}` has {has}; write {LABEL_FORMS}", section.path());
            section.absent(&["gain", "kappa"], section.line(), &message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_chance_depend_on_the_answers() {
        let forms = [
            AnswerForm::Label,
            AnswerForm::Number,
            AnswerForm::Ranking,
            AnswerForm::LabelSet,
            AnswerForm::Json,
        ]
        .map(chance_forms);
        insta::assert_snapshot!(forms.join("\n\n"), @r#"
        chance = { gain = 0.0 } if agreement must exceed that of the substrate's commonest label, by at least this much. Write chance = { kappa = 0.4 } if Cohen's kappa must be at least this much. Write chance = "not-asked" if a model that always gives the commonest label may be GO. Every verdict then says so

        chance = { gain = 0.0 } if the metric must be better than always giving the mean, the median or the last of the earlier decisions, or an earlier answer of the model, by at least this much. Write chance = "not-asked" if a model that is no better may be GO. Every verdict then says so

        chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the highest-ranked items of the earlier decisions, a list of their commonest length, or an earlier answer of the model, by at least this much. Write chance = "not-asked" if a model that is no better may be GO. Every verdict then says so

        chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the last set of the earlier decisions, the labels of at least half of them, or an earlier answer of the model, by at least this much. Write chance = "not-asked" if a model that is no better may be GO. Every verdict then says so

        chance = { gain = 0.0 } if the metric must be better than always giving the commonest or the last of the earlier decisions, or an earlier answer of the model, by at least this much. Write chance = "not-asked" if a model that is no better may be GO. Every verdict then says so
        "#);
    }
}
