//! The facts about a threshold that every reader of a verdict must know.

use super::chooses_end;
use super::format::format_confidence;
use super::threshold_text::constant_words;
use understudy_study::{AnswerForm, ChanceRequirement, Evidence, Family, Study, Threshold};

/// The facts about the threshold that every reader of a verdict must know, one sentence each: that a constant may be GO, how
/// several verdicts share the confidence, whether the end is declared, and which trained models may have seen the decisions. `is_nested` is the result of [`has_nested_bounds`](super::has_nested_bounds).
pub fn verdict_notes(study: &Study, threshold: &Threshold, is_nested: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if threshold.chance == Some(ChanceRequirement::NotAsked) {
        notes.push(chance_not_asked(threshold.form));
    }
    notes.extend(family_note(study, threshold, is_nested));
    if chooses_end(study, threshold) {
        notes.push(
            "The end of this run is not declared: whoever ends it can look before. The bounds hold at all looks together, so they \
             are wider than at a declared end (`windows = { first = N }`)."
                .to_owned(),
        );
    }
    notes.extend(training_note(study));
    notes
}

/// The trained models without a declared period of their training data.
fn training_note(study: &Study) -> Option<String> {
    let undeclared =
        study.models.iter().filter(|model| model.model_file().is_some() && model.training_period.is_none());
    let names: Vec<&str> = undeclared.map(|model| model.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "No `training-period` is declared for {}: whether training saw these decisions is not known.",
            names.join(", ")
        )
    })
}

/// How several verdicts by bounds share the confidence; `None` for one verdict, and for point estimates.
fn family_note(study: &Study, threshold: &Threshold, is_nested: bool) -> Option<String> {
    let verdicts = study.models.len() * (1 + study.scopes.len());
    let Evidence::Bound(confidence) = threshold.evidence else { return None };
    let family = threshold.family.filter(|_| verdicts > 1)?;
    let several =
        |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let scopes = match study.scopes.len() {
        0 => String::new(),
        scopes => format!(", each on all of the input and on {}", several(scopes, "scope")),
    };
    let counted = format!("{verdicts} verdicts ({}{scopes})", several(study.models.len(), "model"));
    let level = 1.0 - confidence;
    let at_most = |level: f64| match format_confidence(level) {
        _ if level >= 1.0 - 1e-9 => {
            "with this number of verdicts, that does not limit the probability of one or more false GOs"
                .to_owned()
        }
        level => format!("the probability of one or more false GOs is at most {level}"),
    };
    let confidence = format_confidence(confidence);
    Some(match family {
        Family::Each => format!(
            "The {counted} have the confidence {confidence} each, without correction: {}.",
            at_most(level * verdicts as f64)
        ),
        Family::Holm if !is_nested => format!(
            "The {counted} share the confidence {confidence}, each with an equal part of the level by Bonferroni's inequality: \
             {}.",
            at_most(level)
        ),
        Family::Holm => {
            format!("The {counted} share the confidence {confidence} by Holm's method: {}.", at_most(level))
        }
    })
}

/// The text for a threshold that requires nothing beyond chance.
fn chance_not_asked(form: AnswerForm) -> String {
    let model = match form {
        AnswerForm::Label => "a model that always gives",
        AnswerForm::Number | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => {
            "a model that is no better than always giving"
        }
    };
    let constant = constant_words(form);
    format!("Chance was not asked (`chance = \"not-asked\"`): {model} {constant} may be GO.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::test_support::{ANSWER_FORMS, STUDY, bound, every, study_with_bound};
    use understudy_study::parse;

    #[test]
    fn a_trained_model_without_a_training_period_has_a_note() {
        let (mut study, threshold) = study_with_bound();
        let trained = |period: &str| {
            let model = format!("name = \"forest\"\nplugin = \"onnx\"\nfile = \"forest.onnx\"\n{period}\n");
            let text = STUDY.replacen("[[models]]\n", &format!("[[models]]\n{model}[[models]]\n"), 1);
            parse(&format!("{text}{}\n", bound(&every(3)))).unwrap().models[0].clone()
        };
        let notes =
            |study: &Study| verdict_notes(study, &Threshold { family: None, ..threshold.clone() }, true);
        assert_eq!(notes(&study).len(), 0, "the model is no file");
        study.models.push(trained(""));
        insta::assert_snapshot!(notes(&study).join("\n"), @"No `training-period` is declared for forest: whether training saw these decisions is not known.");
        study.models[1] = trained(
            "training-period = { from = \"2016-07-02T00:00:00Z\", until = \"2016-11-01T00:00:00Z\" }",
        );
        assert_eq!(notes(&study).len(), 0);
    }

    #[test]
    fn a_threshold_that_does_not_ask_for_chance_has_a_note() {
        let (study, threshold) = study_with_bound();
        let notes = ANSWER_FORMS.map(|form| {
            let chance = Some(ChanceRequirement::NotAsked);
            let family = None;
            verdict_notes(&study, &Threshold { form, chance, family, ..threshold.clone() }, true).join("\n")
        });
        insta::assert_snapshot!(notes.join("\n"), @r#"
        Chance was not asked (`chance = "not-asked"`): a model that always gives the substrate's commonest label may be GO.
        Chance was not asked (`chance = "not-asked"`): a model that is no better than always giving the mean, the median or the last of the earlier decisions, or an earlier answer of the model may be GO.
        Chance was not asked (`chance = "not-asked"`): a model that is no better than always giving the commonest or the highest-ranked items of the earlier decisions, a list of their commonest length, or an earlier answer of the model may be GO.
        Chance was not asked (`chance = "not-asked"`): a model that is no better than always giving the commonest or the last set of the earlier decisions, the labels of at least half of them, or an earlier answer of the model may be GO.
        Chance was not asked (`chance = "not-asked"`): a model that is no better than always giving the commonest or the last of the earlier decisions, or an earlier answer of the model may be GO.
        "#);
    }

    #[test]
    fn a_note_says_how_several_verdicts_share_the_confidence() {
        let (mut study, threshold) = study_with_bound();
        let note = |study: &Study, family, is_nested| {
            family_note(study, &Threshold { family: Some(family), ..threshold.clone() }, is_nested)
        };
        let two = [(Family::Each, true), (Family::Holm, true), (Family::Holm, false)]
            .map(|(family, is_nested)| note(&study, family, is_nested).unwrap());
        insta::assert_snapshot!(two.join("\n"), @"
        The 2 verdicts (1 model, each on all of the input and on 1 scope) have the confidence 0.95 each, without correction: the probability of one or more false GOs is at most 0.1.
        The 2 verdicts (1 model, each on all of the input and on 1 scope) share the confidence 0.95 by Holm's method: the probability of one or more false GOs is at most 0.05.
        The 2 verdicts (1 model, each on all of the input and on 1 scope) share the confidence 0.95, each with an equal part of the level by Bonferroni's inequality: the probability of one or more false GOs is at most 0.05.
        ");
        // Twenty verdicts at the level 0.05 have a level of 1 together.
        study.models = vec![study.models[0].clone(); 10];
        insta::assert_snapshot!(note(&study, Family::Each, true).unwrap(), @"The 20 verdicts (10 models, each on all of the input and on 1 scope) have the confidence 0.95 each, without correction: with this number of verdicts, that does not limit the probability of one or more false GOs.");
        study.models.truncate(1);
        study.scopes.clear();
        assert_eq!(note(&study, Family::Each, true), None, "one verdict");
        assert_eq!(
            family_note(&study, &Threshold { evidence: Evidence::Point, ..threshold.clone() }, true),
            None
        );
    }
}
