//! A threshold and its requirements in words.

use super::format::direction_words;
use crate::number_text::declared_number;
use understudy_study::{AnswerForm, ChanceRequirement, Evidence, Quantifier, Study, Threshold, WindowChoice};

/// The answers of the constant or of the baselines of a form of answers, in words.
pub(super) fn constant_words(form: AnswerForm) -> &'static str {
    match form {
        AnswerForm::Label => "the substrate's commonest label",
        AnswerForm::Number => {
            "the mean, the median or the last of the earlier decisions, or an earlier answer of the model"
        }
        AnswerForm::Ranking => {
            "the commonest or the highest-ranked items of the earlier decisions, a list of their commonest length, or an earlier answer of the model"
        }
        AnswerForm::LabelSet => {
            "the commonest or the last set of the earlier decisions, the labels of at least half of them, or an earlier answer of the model"
        }
        AnswerForm::Json => {
            "the commonest or the last of the earlier decisions, or an earlier answer of the model"
        }
    }
}

/// The threshold in words.
pub fn describe_threshold(study: &Study, threshold: &Threshold) -> String {
    let Threshold { metric, direction, bound, quantifier, windows, evidence, .. } = threshold;
    let which = match windows {
        WindowChoice::First(1) => "the first complete window".to_owned(),
        WindowChoice::Latest(1) => "the latest complete window".to_owned(),
        WindowChoice::First(count) => format!("the first {count} complete windows"),
        WindowChoice::Latest(count) => format!("the latest {count} complete windows"),
        WindowChoice::All => "all windows".to_owned(),
    };
    let how = match quantifier {
        Quantifier::EveryWindow => format!("in each of {which}"),
        Quantifier::Pooled => format!("pooled over {which}"),
    };
    let by = evidence_words(*evidence);
    let chance = chance_requirement(threshold).map_or_else(String::new, |required| format!("; {required}"));
    let ceiling = ceiling_requirement(threshold).map_or_else(String::new, |required| format!("; {required}"));
    format!(
        "{} {} {} {how}, {by}{chance}{ceiling}",
        study.metrics[*metric].name,
        direction_words(*direction),
        declared_number(*bound)
    )
}

fn evidence_words(evidence: Evidence) -> String {
    match evidence {
        Evidence::Point => "by the point estimate".to_owned(),
        Evidence::Bound(confidence) => format!("by the confidence bound at {confidence}"),
    }
}

/// What is required beyond chance in words; `None` if none is required.
pub fn chance_requirement(threshold: &Threshold) -> Option<String> {
    let by = evidence_words(threshold.evidence);
    let better = match threshold.form {
        AnswerForm::Label => "agreement better",
        AnswerForm::Number | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => "better",
    };
    let better = format!("{better} than always giving {}", constant_words(threshold.form));
    match threshold.chance? {
        ChanceRequirement::Gain(least) if least > 0.0 => {
            Some(format!("{better} by at least {}, {by}", declared_number(least)))
        }
        ChanceRequirement::Gain(_) => Some(format!("{better}, {by}")),
        ChanceRequirement::Kappa(least) if least > 0.0 => {
            Some(format!("Cohen's kappa at least {}, {by}", declared_number(least)))
        }
        ChanceRequirement::Kappa(_) => Some(format!("Cohen's kappa above 0, {by}")),
        ChanceRequirement::NotAsked => None,
    }
}

/// The required share of the ceiling in words; `None` if none is required.
pub fn ceiling_requirement(threshold: &Threshold) -> Option<String> {
    let by = evidence_words(threshold.evidence);
    let least = declared_number(threshold.of_ceiling?);
    Some(format!("agreement at least {least} of the substrate's ceiling, {by}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::test_support::{ANSWER_FORMS, study_with_bound};

    #[test]
    fn the_requirement_beyond_chance_names_the_constant_and_the_minimum() {
        let (_, threshold) = study_with_bound();
        let words = |form, chance| chance_requirement(&Threshold { form, chance, ..threshold.clone() });
        let gains = ANSWER_FORMS.map(|form| words(form, Some(ChanceRequirement::Gain(0.0))).unwrap());
        insta::assert_snapshot!(gains.join("\n"), @"
        agreement better than always giving the substrate's commonest label, by the confidence bound at 0.95
        better than always giving the mean, the median or the last of the earlier decisions, or an earlier answer of the model, by the confidence bound at 0.95
        better than always giving the commonest or the highest-ranked items of the earlier decisions, a list of their commonest length, or an earlier answer of the model, by the confidence bound at 0.95
        better than always giving the commonest or the last set of the earlier decisions, the labels of at least half of them, or an earlier answer of the model, by the confidence bound at 0.95
        better than always giving the commonest or the last of the earlier decisions, or an earlier answer of the model, by the confidence bound at 0.95
        ");
        let with_minimum = [0.25, 0.0].map(|least| {
            [ChanceRequirement::Gain(least), ChanceRequirement::Kappa(least)]
                .map(|required| words(AnswerForm::Label, Some(required)).unwrap())
                .join("\n")
        });
        insta::assert_snapshot!(with_minimum.join("\n"), @"
        agreement better than always giving the substrate's commonest label by at least 0.25, by the confidence bound at 0.95
        Cohen's kappa at least 0.25, by the confidence bound at 0.95
        agreement better than always giving the substrate's commonest label, by the confidence bound at 0.95
        Cohen's kappa above 0, by the confidence bound at 0.95
        ");
        assert_eq!(words(AnswerForm::Label, Some(ChanceRequirement::NotAsked)), None);
        assert_eq!(words(AnswerForm::Label, None), None);
    }
}
