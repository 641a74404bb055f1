//! Decides whether a model's agreement beyond chance, or its gain over baselines, meets the requirement of the threshold.
//!
//! Invariants:
//! - With `evidence = "bound"`, the bound must meet the requirement. A point estimate of the gain is compared by counts.
//! - A constant never passes. Its gain over the commonest label is at most 0 and its kappa is 0, and both must be
//!   above 0. Other constant answers are recognized by their scores, because a constant chosen well can be
//!   better than a mean so far.
//! - The gain over every baseline must suffice. This intersection-union test needs no correction of the level.

use super::baseline_gain::{BaselineGain, BaselineGains};
use super::bound_check::{bounds_failure, meets_bound, meets_bound_by_count};
use super::chance_corrected_agreement::ChanceAgreement;
use super::format::{compared_pairs, format_confidence};
use super::{MissingInterval, VerdictKind};
use crate::number_text::{declared_number, number_text};
use crate::scoring::Interval;
use understudy_study::{ChanceRequirement, Direction, Evidence};

/// The verdict and the reason if the agreement beyond chance does not suffice; `None` if it does. The counts are the pairs
/// that agree, the pairs with the substrate's commonest label, and all pairs. `confidence` is the confidence of the bounds.
pub fn chance_failure(
    required: ChanceRequirement,
    evidence: Evidence,
    confidence: f64,
    (agreed, commonest, pairs): (u64, u64, u64),
    agreement: &ChanceAgreement,
) -> Option<(VerdictKind, String)> {
    let (least, value, name, one) = match required {
        ChanceRequirement::NotAsked => return None,
        ChanceRequirement::Gain(least) => (least, Some(agreement.gain), "the gain", "a gain"),
        ChanceRequirement::Kappa(least) => (least, agreement.kappa, "Cohen's kappa", "a kappa"),
    };
    let requirement = requirement_words(one, least);
    let comparison = format!(
        "agreement is {}, and always giving the commonest label would reach {}",
        number_text(agreement.agreement),
        number_text(agreement.commonest_share)
    );
    if commonest == pairs && agreed == pairs {
        let text = format!(
            "{comparison}: all decisions are the same label, so these pairs cannot show agreement beyond chance; \
             {requirement}"
        );
        return Some((VerdictKind::Inconclusive, text));
    }
    if agreement.is_constant == Some(true) {
        let text = format!(
            "{comparison}: all answers are the same label, and a constant is no better than chance; {requirement}"
        );
        return Some((VerdictKind::NoGo, text));
    }
    let Some(value) = value else {
        return Some((
            VerdictKind::Inconclusive,
            format!("{comparison}: kappa is not defined; {requirement}"),
        ));
    };
    let passes = match required {
        ChanceRequirement::Gain(_) => {
            agreed > commonest && meets_bound_by_count(agreed - commonest, pairs, Direction::AtLeast, least)
        }
        _ => suffices(value, least),
    };
    let bounds = (agreement.interval, agreement.no_interval);
    let measured = Measured { comparison, name, value, passes, bounds, least, requirement };
    measured.failure(evidence, confidence)
}

/// The verdict and the reason for each baseline over which the gain does not suffice; if one of them is NO-GO, for those
/// with this verdict. `confidence` is that of the
/// bounds.
pub fn baseline_failures(
    required: ChanceRequirement,
    evidence: Evidence,
    confidence: f64,
    gains: &BaselineGains,
) -> Vec<(VerdictKind, String)> {
    let least = required.least();
    let requirement = requirement_words("a gain", least);
    if gains.pairs == 0 {
        let left_out = gains.left_out.text().map_or_else(String::new, |text| format!(": {text}"));
        let text = format!(
            "the gain over baselines cannot be computed, because no pair can be compared{left_out}; {requirement}"
        );
        return vec![(VerdictKind::Inconclusive, text)];
    }
    if gains.is_constant {
        let text = format!(
            "every answer has the score of one constant answer, and a constant is no better than chance; {requirement}"
        );
        return vec![(VerdictKind::NoGo, text)];
    }
    let failure = |found: &BaselineGain| {
        let answer = found.answer();
        let Some(((model, value), gain)) = gains.model.zip(found.value).zip(found.gain) else {
            let text = format!("the gain over always giving {answer} is not defined; {requirement}");
            return Some((VerdictKind::Inconclusive, text));
        };
        let comparison = format!(
            "over {} the metric is {}, and always giving {answer} would reach {}",
            compared_pairs(gains),
            number_text(model),
            number_text(value)
        );
        if found.is_equal {
            let text = format!("{comparison}: the scores are equal in every pair; {requirement}");
            return Some((VerdictKind::NoGo, text));
        }
        let measured = Measured {
            comparison,
            name: "the gain",
            value: gain,
            passes: suffices(gain, least),
            bounds: (found.interval, found.no_interval),
            least,
            requirement: requirement.clone(),
        };
        measured.failure(evidence, confidence)
    };
    let mut failures: Vec<_> = gains.gains.iter().filter_map(failure).collect();
    // A gain that is known to fail decides, whatever is not known of the others.
    if failures.iter().any(|(verdict, _)| *verdict == VerdictKind::NoGo) {
        failures.retain(|(verdict, _)| *verdict == VerdictKind::NoGo);
    }
    failures
}

/// A measure of agreement beyond chance, and what is required of it.
struct Measured {
    /// The values that are compared, in words.
    comparison: String,
    /// The name of the measure, with its article.
    name: &'static str,
    value: f64,
    /// Whether the point estimate suffices.
    passes: bool,
    /// The bounds of the measure, or why there are none.
    bounds: (Option<Interval>, Option<MissingInterval>),
    least: f64,
    /// What is required, in words.
    requirement: String,
}

impl Measured {
    /// The verdict and the reason if the measure does not suffice; `None` if it does.
    fn failure(&self, evidence: Evidence, confidence: f64) -> Option<(VerdictKind, String)> {
        let Measured { comparison, name, value, passes, bounds, least, requirement } = self;
        match (evidence, bounds) {
            (Evidence::Point, _) => (!passes).then(|| {
                let text = format!("{comparison}: {name} is {}; {requirement}", number_text(*value));
                (VerdictKind::NoGo, text)
            }),
            (Evidence::Bound(_), (Some(Interval { lower, upper }), _)) => {
                let (verdict, relation) = bounds_failure(suffices(*lower, *least), suffices(*upper, *least))?;
                let text = format!(
                    "{comparison}: {name} {}, with bounds {} and {} at confidence {} each, {relation} {}; {requirement}",
                    number_text(*value),
                    number_text(*lower),
                    number_text(*upper),
                    format_confidence(confidence),
                    declared_number(*least)
                );
                Some((verdict, text))
            }
            (Evidence::Bound(_), (None, reason)) => {
                let reason = reason.map_or("", MissingInterval::reason);
                let text = format!(
                    "{comparison}: {name} is {}, and it has no bound: {reason}; {requirement}",
                    number_text(*value)
                );
                Some((VerdictKind::Inconclusive, text))
            }
        }
    }
}

/// The required minimum of a measure in words. `measure` has its article.
fn requirement_words(measure: &str, least: f64) -> String {
    match least > 0.0 {
        true => format!("{measure} of at least {} is required", declared_number(least)),
        false => format!("{measure} above 0 is required"),
    }
}

/// Whether a value is at least the minimum and above 0.
fn suffices(value: f64, least: f64) -> bool {
    value > 0.0 && meets_bound(value, Direction::AtLeast, least)
}

#[cfg(test)]
mod tests {
    use super::super::chance_corrected_agreement::{ChanceMeasure, ModelLabels};
    use super::*;
    use crate::scoring::ClusterLimits;
    use crate::scoring::{LabelCounts, PairLabels};

    const GAIN: ChanceRequirement = ChanceRequirement::Gain(0.0);
    const KAPPA: ChanceRequirement = ChanceRequirement::Kappa(0.0);
    const POINT: Evidence = Evidence::Point;
    const BOUND: Evidence = Evidence::Bound(0.95);

    /// The verdict and reason for labels of the substrate and the model, with their numbers of pairs; GO if none.
    fn failure(required: ChanceRequirement, evidence: Evidence, pairs: &[(&str, &str, u64)]) -> String {
        let mut counts = LabelCounts::default();
        for (substrate, model, times) in pairs {
            for index in 0..*times {
                let labels = PairLabels { substrate, models: &[Some(model)], group: (index % 64) as u8 };
                counts.add(labels);
            }
        }
        let labels = ModelLabels::new(std::iter::once(&counts), 0).unwrap();
        let (measure, interval) = match required {
            ChanceRequirement::Kappa(_) => {
                (ChanceMeasure::Kappa, labels.jackknife_kappa(ClusterLimits::NONE, 0.95))
            }
            _ => (ChanceMeasure::Gain, labels.exact_gain(0.95)),
        };
        let mut agreement = labels.agreement(measure);
        match interval {
            Ok((interval, _)) => agreement.interval = Some(interval),
            Err(reason) => agreement.no_interval = Some(reason),
        }
        let found = chance_failure(required, evidence, 0.95, labels.counts(), &agreement);
        found.map_or_else(|| "GO".to_owned(), |(verdict, text)| format!("{}: {text}", verdict.name()))
    }

    const RIGHT: (&str, &str, u64) = ("go", "go", 960);

    #[test]
    fn a_constant_never_passes() {
        for required in [GAIN, KAPPA] {
            for evidence in [POINT, BOUND] {
                for constant in ["go", "stop", "never given"] {
                    let text = failure(required, evidence, &[("go", constant, 970), ("stop", constant, 30)]);
                    assert!(text.starts_with("NO-GO"), "{text}");
                }
            }
        }
        insta::assert_snapshot!(failure(GAIN, BOUND, &[("go", "go", 970), ("stop", "go", 30)]), @"NO-GO: agreement is 0.970000, and always giving the commonest label would reach 0.970000: all answers are the same label, and a constant is no better than chance; a gain above 0 is required");
    }

    #[test]
    fn the_gain_must_exceed_0_by_its_bound() {
        // Four gains without a loss are not enough at 0.95, and five are.
        let found = |gains| [RIGHT, ("stop", "stop", gains), ("stop", "go", 40 - gains)];
        insta::assert_snapshot!(failure(GAIN, BOUND, &found(4)), @"INCONCLUSIVE: agreement is 0.964000, and always giving the commonest label would reach 0.960000: the gain 0.004000, with bounds -0.001064 and 0.013634 at confidence 0.95 each, cannot be distinguished from 0; a gain above 0 is required");
        assert_eq!(failure(GAIN, BOUND, &found(5)), "GO");
        assert_eq!(failure(GAIN, POINT, &found(1)), "GO");
        let lost = [("go", "go", 900), ("go", "stop", 60), ("stop", "stop", 40)];
        insta::assert_snapshot!(failure(GAIN, BOUND, &lost), @"NO-GO: agreement is 0.940000, and always giving the commonest label would reach 0.960000: the gain -0.020000, with bounds -0.047821 and -0.001194 at confidence 0.95 each, misses 0; a gain above 0 is required");
        insta::assert_snapshot!(failure(GAIN, POINT, &lost), @"NO-GO: agreement is 0.940000, and always giving the commonest label would reach 0.960000: the gain is -0.020000; a gain above 0 is required");
        insta::assert_snapshot!(failure(ChanceRequirement::Gain(0.05), BOUND, &found(40)), @"INCONCLUSIVE: agreement is 1.000000, and always giving the commonest label would reach 0.960000: the gain 0.040000, with bounds 0.021016 and 0.060888 at confidence 0.95 each, cannot be distinguished from 0.05; a gain of at least 0.05 is required");
    }

    #[test]
    fn a_gain_is_compared_by_its_counts() {
        let agreement = |gain: f64| ChanceAgreement {
            agreement: 0.9,
            commonest_share: 0.05,
            gain,
            kappa: None,
            is_constant: Some(false),
            measure: ChanceMeasure::Gain,
            interval: None,
            method: None,
            no_interval: None,
        };
        let kind = |required, gain: f64, counts| {
            chance_failure(required, POINT, 0.95, counts, &agreement(gain)).map(|(kind, _)| kind)
        };
        // The gain is below 0.85 by less than a float can show.
        let (pairs, commonest) = (20_000_000_000_000_000, 1_000_000_000_000_000);
        let counts = |gained: u64| (commonest + gained, commonest, pairs);
        let required = ChanceRequirement::Gain(0.85);
        assert_eq!(kind(required, 0.85, counts(16_999_999_999_999_999)), Some(VerdictKind::NoGo));
        assert_eq!(kind(required, 0.85, counts(17_000_000_000_000_000)), None);
        // A gain of 0 is not above 0.
        assert_eq!(kind(GAIN, 0.0, counts(0)), Some(VerdictKind::NoGo));
        assert_eq!(kind(GAIN, 5e-17, counts(1)), None);
    }

    #[test]
    fn kappa_must_exceed_0_by_its_bound() {
        let found = |gains| [RIGHT, ("stop", "stop", gains), ("stop", "go", 40 - gains)];
        assert_eq!(failure(KAPPA, BOUND, &found(20)), "GO");
        insta::assert_snapshot!(failure(KAPPA, BOUND, &[("go", "go", 921), ("go", "stop", 39), ("stop", "stop", 2), ("stop", "go", 38)]), @"INCONCLUSIVE: agreement is 0.923000, and always giving the commonest label would reach 0.960000: Cohen's kappa 0.009264, with bounds -0.048351 and 0.103992 at confidence 0.95 each, cannot be distinguished from 0; a kappa above 0 is required");
        insta::assert_snapshot!(failure(ChanceRequirement::Kappa(0.9), POINT, &found(20)), @"NO-GO: agreement is 0.980000, and always giving the commonest label would reach 0.960000: Cohen's kappa is 0.657534; a kappa of at least 0.9 is required");
    }

    #[test]
    fn decisions_that_are_all_equal_show_nothing() {
        insta::assert_snapshot!(failure(GAIN, BOUND, &[RIGHT]), @"INCONCLUSIVE: agreement is 1.000000, and always giving the commonest label would reach 1.000000: all decisions are the same label, so these pairs cannot show agreement beyond chance; a gain above 0 is required");
        assert_eq!(failure(ChanceRequirement::NotAsked, BOUND, &[RIGHT]), "GO");
    }
}
