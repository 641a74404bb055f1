//! The reason of a GO: what was reached of each requirement.

use super::Estimate;
use super::baseline_gain::{BaselineGain, BaselineGains};
use super::ceiling::CeilingShare;
use super::chance_corrected_agreement::ChanceAgreement;
use super::format::{compared_pairs, direction_words, format_confidence, format_estimate};
use crate::number_text::{declared_number, number_text};
use understudy_study::{ChanceRequirement, Direction, Evidence, Quantifier, Threshold};

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
    let gains = baselines.and_then(baselines_success);
    let ceiling = ceiling.and_then(|found| ceiling_success(threshold, found));
    [metric].into_iter().chain(chance).chain(gains).chain(ceiling).collect::<Vec<_>>().join("; ")
}

/// The gains of a model that passes over its baselines, in words, with their bounds. `None` without a baseline.
fn baselines_success(baselines: &BaselineGains) -> Option<String> {
    let gains: Vec<String> = baselines.gains.iter().map(gain_text).collect();
    let listed = match &gains[..] {
        [] => return None,
        [one] => one.clone(),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    };
    Some(format!("better than always giving {listed}, over {}", compared_pairs(baselines)))
}

fn gain_text(found: &BaselineGain) -> String {
    let bound = found
        .interval
        .map_or_else(String::new, |interval| format!(" (bound {})", number_text(interval.lower)));
    format!("{} by {}{bound}", found.answer(), number_text(found.gain.unwrap_or(f64::NAN)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::ChanceMeasure;

    #[test]
    fn the_reason_of_a_go_has_what_was_reached_beyond_chance() {
        let agreement = ChanceAgreement {
            agreement: 0.9,
            commonest_share: 0.6,
            gain: 0.3,
            kappa: Some(0.75),
            is_constant: Some(false),
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
}
