//! Formats estimates and thresholds as text.
//!
//! Invariant: a share is printed with its counts, and is never rounded to a bound that it misses.

use super::Estimate;
use super::baseline_gain::{BaselineGain, BaselineGains};
use super::bound::meets_bound_by_count;
use super::ceiling::CeilingShare;
use super::chance::ChanceAgreement;
use crate::number_text::{count, counted, declared_number, number_text};
use crate::scoring::JACKKNIFE_GROUPS;
use understudy_study::{
    AnswerForm, ChanceRequirement, Direction, Evidence, Family, Quantifier, Study, Threshold, WindowChoice,
};

/// The text for a contamination test that is still to come.
pub const TESTED_LATER: &str = "Contamination is tested once, at the end: a test at every interim look would \
                                accuse clean studies too often.";

/// The text for a contamination test that was not possible.
pub fn untestable_sentence() -> String {
    format!(
        "The difference cannot be tested. A share needs a scored pair among the blinded and among the unblinded pairs. Any \
         other metric, and clustered pairs, need one in each of {JACKKNIFE_GROUPS} groups of ids on both sides."
    )
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

/// The answers of the constant or of the baselines of a form of answers, in words.
fn constant_words(form: AnswerForm) -> &'static str {
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

/// The facts about the threshold that every reader of a verdict must know, one sentence each: that a constant may be GO, how
/// several verdicts share the confidence, and which trained models may have seen the decisions. `is_nested` is the result of [`has_nested_bounds`](super::has_nested_bounds).
pub fn verdict_notes(study: &Study, threshold: &Threshold, is_nested: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if threshold.chance == Some(ChanceRequirement::NotAsked) {
        notes.push(chance_not_asked(threshold.form));
    }
    notes.extend(family_note(study, threshold, is_nested));
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

/// A confidence or a level, with up to six decimals.
pub fn format_confidence(confidence: f64) -> String {
    ((confidence * 1e6).round() / 1e6).to_string()
}

/// The reason of a GO. `confidence` is that of the bounds, if bounds decide.
pub fn pass_reason(
    threshold: &Threshold,
    confidence: f64,
    pooled: &Estimate,
    windows: &[Estimate],
    (chance, baselines, ceiling): (Option<&ChanceAgreement>, Option<&BaselineGains>, Option<&CeilingShare>),
) -> String {
    let bound = declared_number(threshold.bound);
    let required = direction_words(threshold.direction);
    // The bound on the side of the threshold, which decides.
    let (side, deciding) = match threshold.direction {
        Direction::AtLeast => ("lower", pooled.interval.map(|interval| interval.lower)),
        Direction::AtMost => ("upper", pooled.interval.map(|interval| interval.upper)),
    };
    let by_bound = threshold.evidence != Evidence::Point;
    let at = format!("at confidence {}", format_confidence(confidence));
    let metric = match (threshold.quantifier, deciding.filter(|_| by_bound)) {
        (Quantifier::Pooled, None) => format!("{}; {required} {bound} is required", format_estimate(pooled)),
        (Quantifier::Pooled, Some(deciding)) => format!(
            "{}, with the {side} bound {} {at}; {required} {bound} is required",
            format_estimate(pooled),
            number_text(deciding)
        ),
        (Quantifier::EveryWindow, _) => format!(
            "each of {} windows has {required} {bound}{}; pooled: {}",
            windows.len(),
            if by_bound { format!(" by its {side} bound {at}") } else { String::new() },
            format_estimate(pooled)
        ),
    };
    let chance = chance.and_then(|chance| chance_success(threshold.chance, chance));
    let gains = baselines.into_iter().flat_map(|baselines| {
        baselines.gains.iter().map(|found| baseline_success(&compared_pairs(baselines), found))
    });
    let ceiling = ceiling.and_then(|found| ceiling_success(threshold, found));
    [metric].into_iter().chain(chance).chain(gains).chain(ceiling).collect::<Vec<_>>().join("; ")
}

/// The gain of a model that passes over a baseline, in words, with its bound. `pairs` are those that are compared.
fn baseline_success(pairs: &str, found: &BaselineGain) -> String {
    let bound = found
        .interval
        .map_or_else(String::new, |interval| format!(" (bound {})", number_text(interval.lower)));
    let gain = found.gain.unwrap_or(f64::NAN);
    format!("better than always giving {} by {}{bound} over {pairs}", found.answer(), number_text(gain))
}

/// The agreement beyond chance of a model that passes, in words, with its bound. `None` if nothing is required.
fn chance_success(required: Option<ChanceRequirement>, agreement: &ChanceAgreement) -> Option<String> {
    let bound = |agreement: &ChanceAgreement| {
        agreement
            .interval
            .map_or_else(String::new, |interval| format!(" (bound {})", number_text(interval.lower)))
    };
    match required? {
        ChanceRequirement::NotAsked => None,
        ChanceRequirement::Gain(_) => Some(format!(
            "better than always giving the commonest label by {}{}",
            number_text(agreement.gain),
            bound(agreement)
        )),
        ChanceRequirement::Kappa(_) => {
            let kappa = number_text(agreement.kappa.unwrap_or(f64::NAN));
            Some(format!("Cohen's kappa {kappa}{}", bound(agreement)))
        }
    }
}

/// The share of the ceiling that a model reaches, in words, with its bound if bounds decide. `None` if it is not known.
fn ceiling_success(threshold: &Threshold, found: &CeilingShare) -> Option<String> {
    let interval = found.interval.filter(|_| threshold.evidence != Evidence::Point);
    let bound =
        interval.map_or_else(String::new, |interval| format!(" (bound {})", number_text(interval.lower)));
    found.share.map(|share| format!("{} of the ceiling{bound}", number_text(share)))
}

/// The value of an estimate, with its counts if it is a share.
pub fn format_estimate(estimate: &Estimate) -> String {
    match (estimate.hits, estimate.value) {
        (Some(hits), _) => {
            format!("{} of {} ({})", count(hits), count(estimate.pairs), format_share(hits, estimate.pairs))
        }
        (None, Some(value)) => {
            format!("{} over {}", number_text(value), counted(estimate.pairs, "pair", "pairs"))
        }
        (None, None) => if estimate.withheld { "withheld" } else { "not defined" }.to_owned(),
    }
}

/// The reason that a verdict rests on fewer comparisons than required: `4 comparisons; at least 30 are required`.
pub fn too_few_comparisons(pairs: u64, least: u64) -> String {
    format!(
        "{}; at least {} required",
        counted(pairs, "comparison", "comparisons"),
        counted(least, "is", "are")
    )
}

/// The number of pairs over which model and baselines are compared: `587 of 600 pairs`.
pub fn compared_pairs(gains: &BaselineGains) -> String {
    match gains.left_out.total() {
        0 => counted(gains.pairs, "pair", "pairs"),
        left_out => format!("{} of {} pairs", count(gains.pairs), count(gains.pairs + left_out)),
    }
}

/// The direction of a bound in words.
pub fn direction_words(direction: Direction) -> &'static str {
    match direction {
        Direction::AtLeast => "at least",
        Direction::AtMost => "at most",
    }
}

/// A share with six decimal places. It is not rounded to a number of four or fewer places unless it is that
/// number: bounds are declared with so many places, and 0.8499999 is not 0.85.
pub fn format_share(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    let (below, rest) = (u128::from(part) * 1_000_000 / whole, u128::from(part) * 1_000_000 % whole);
    let is_up = 2 * rest >= whole;
    let nearest = below + u128::from(is_up);
    let millionths = match nearest % 100 == 0 && nearest > 0 && rest > 0 {
        true if is_up => below,
        true => below + 1,
        false => nearest,
    };
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Whether a share is at least `bound`, by its counts.
pub fn at_least(part: u64, whole: u64, bound: f64) -> bool {
    meets_bound_by_count(part, whole, Direction::AtLeast, bound)
}

/// Whether a share is at most `bound`, by its counts.
pub fn at_most(part: u64, whole: u64, bound: f64) -> bool {
    meets_bound_by_count(part, whole, Direction::AtMost, bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::ChanceMeasure;
    use crate::verdict::test_support::{STUDY, bound, every};
    use understudy_study::parse;

    const FORMS: [AnswerForm; 5] =
        [AnswerForm::Label, AnswerForm::Number, AnswerForm::Ranking, AnswerForm::LabelSet, AnswerForm::Json];

    fn study() -> (Study, Threshold) {
        let mut study = parse(&format!("{STUDY}{}\n", bound(&every(3)))).unwrap();
        let threshold = study.threshold.take().unwrap();
        (study, threshold)
    }

    #[test]
    fn the_requirement_beyond_chance_names_the_constant_and_the_minimum() {
        let (_, threshold) = study();
        let words = |form, chance| chance_requirement(&Threshold { form, chance, ..threshold.clone() });
        let gains = FORMS.map(|form| words(form, Some(ChanceRequirement::Gain(0.0))).unwrap());
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

    #[test]
    fn a_trained_model_without_a_training_period_has_a_note() {
        let (mut study, threshold) = study();
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
        let (study, threshold) = study();
        let notes = FORMS.map(|form| {
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
        assert!(untestable_sentence().contains("one in each of 64 groups of ids on both sides"));
    }

    #[test]
    fn a_note_says_how_several_verdicts_share_the_confidence() {
        let (mut study, threshold) = study();
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

    #[test]
    fn the_reason_of_a_go_has_what_was_reached_beyond_chance() {
        let agreement = ChanceAgreement {
            agreement: 0.9,
            commonest_share: 0.6,
            gain: 0.3,
            kappa: Some(0.75),
            is_constant: false,
            measure: ChanceMeasure::Gain,
            interval: None,
            method: None,
            no_interval: None,
        };
        let bounded = ChanceAgreement {
            interval: Some(crate::scoring::Interval { lower: 0.25, upper: 0.35 }),
            ..agreement.clone()
        };
        let gain = Some(ChanceRequirement::Gain(0.0));
        let words = |required, agreement| chance_success(required, agreement);
        assert_eq!(
            words(gain, &agreement).unwrap(),
            "better than always giving the commonest label by 0.300000"
        );
        assert_eq!(
            words(gain, &bounded).unwrap(),
            "better than always giving the commonest label by 0.300000 (bound 0.250000)"
        );
        let kappa = words(Some(ChanceRequirement::Kappa(0.5)), &bounded).unwrap();
        assert_eq!(kappa, "Cohen's kappa 0.750000 (bound 0.250000)");
        assert_eq!(words(Some(ChanceRequirement::NotAsked), &agreement), None);
        assert_eq!(words(None, &agreement), None);
    }

    #[test]
    fn shares_are_rounded_but_never_to_a_bound_that_they_miss() {
        for (part, whole, text) in [
            (1, 3, "0.333333"),
            (2, 3, "0.666667"),
            (17, 20, "0.850000"),
            (8_499_999, 10_000_000, "0.849999"),
            (8_500_001, 10_000_000, "0.850001"),
            (8_500_011, 10_000_000, "0.850001"),
            (8_500_016, 10_000_000, "0.850002"),
            (1, 2_000_000, "0.000001"),
            (1, 2_000_001, "0.000000"),
            (9_999_999, 10_000_000, "0.999999"),
            (0, 5, "0.000000"),
            (5, 5, "1.000000"),
            (0, 0, "0.000000"),
            (u64::MAX - 1, u64::MAX, "0.999999"),
        ] {
            assert_eq!(format_share(part, whole), text, "{part} of {whole}");
        }
    }

    #[test]
    fn shares_are_compared_by_their_counts() {
        assert!(at_least(17, 20, 0.85) && !at_least(16, 20, 0.85));
        assert!(at_most(17, 20, 0.85) && !at_most(18, 20, 0.85));
    }
}
