//! Whether a model's agreement beyond chance is what the threshold requires.
//!
//! Invariants:
//! - With evidence by a bound, the bound must meet the requirement; a point estimate is compared by its counts.
//! - A constant never passes: its gain is at most 0 and its kappa is 0, and both must be above 0.

use super::bound::{meets_bound, meets_bound_by_count};
use super::chance::ChanceAgreement;
use super::format::format_confidence;
use super::{MissingInterval, VerdictKind};
use crate::scoring::Interval;
use understudy_study::{ChanceRequirement, Direction, Evidence};

/// The verdict and the reason if the agreement beyond chance does not suffice; `None` if it does. `counts` are the pairs that
/// agree, those of the substrate's commonest label, and all pairs. `confidence` is that of the bounds.
pub fn chance_failure(
    required: ChanceRequirement,
    evidence: Evidence,
    confidence: f64,
    (agreed, majority, pairs): (u64, u64, u64),
    agreement: &ChanceAgreement,
) -> Option<(VerdictKind, String)> {
    let (least, value, name) = match required {
        ChanceRequirement::NotAsked => return None,
        ChanceRequirement::Gain(least) => (least, Some(agreement.gain), "a gain"),
        ChanceRequirement::Kappa(least) => (least, agreement.kappa, "a kappa"),
    };
    let requirement = requirement_words(name, least);
    let comparison = format!(
        "agreement is {:.6}, and always giving `{}` would reach {:.6}",
        agreement.agreement, agreement.majority_label, agreement.majority_share
    );
    if let Some(constant) = &agreement.constant {
        let text = format!(
            "{comparison}: every answer is `{constant}`, and a constant is no better than chance; {requirement}"
        );
        return Some((VerdictKind::NoGo, text));
    }
    let Some(value) = value else {
        return Some((
            VerdictKind::Inconclusive,
            format!("{comparison}: kappa is not defined; {requirement}"),
        ));
    };
    let value_words = format!("{comparison}: {name} of {value:.6}");
    match (evidence, agreement.interval) {
        (Evidence::Point, _) => {
            let passes = match required {
                ChanceRequirement::Gain(_) => {
                    agreed > majority
                        && meets_bound_by_count(agreed - majority, pairs, Direction::AtLeast, least)
                }
                _ => suffices(value, least),
            };
            (!passes).then(|| (VerdictKind::NoGo, format!("{value_words}; {requirement}")))
        }
        (Evidence::Bound(_), Some(Interval { lower, upper })) => {
            let text = |relation: &str| {
                format!(
                    "{value_words}, with bounds {lower:.6} and {upper:.6} at confidence {} each, {relation} {least}; \
                     {requirement}",
                    format_confidence(confidence)
                )
            };
            match (suffices(lower, least), suffices(upper, least)) {
                (true, _) => None,
                (false, true) => Some((VerdictKind::Inconclusive, text("cannot be distinguished from"))),
                (false, false) => Some((VerdictKind::NoGo, text("is on the wrong side of"))),
            }
        }
        (Evidence::Bound(_), None) => {
            let reason = agreement.no_interval.map_or("", MissingInterval::reason);
            let text = format!("{value_words}; no bound of it can be computed: {reason}");
            Some((VerdictKind::Inconclusive, text))
        }
    }
}

/// Whether a value is at least the minimum and above 0.
fn suffices(value: f64, least: f64) -> bool {
    value > 0.0 && meets_bound(value, Direction::AtLeast, least)
}

fn requirement_words(name: &str, least: f64) -> String {
    match least > 0.0 {
        true => format!("{name} of at least {least} is required"),
        false => format!("{name} above 0 is required"),
    }
}

/// What a model that passes has achieved beyond chance: better than always saying `operate` by 0.031 (bound 0.012). `None` if
/// nothing is required.
pub fn chance_success(required: Option<ChanceRequirement>, agreement: &ChanceAgreement) -> Option<String> {
    let bound = |agreement: &ChanceAgreement| {
        agreement.interval.map_or_else(String::new, |interval| format!(" (bound {:.6})", interval.lower))
    };
    match required? {
        ChanceRequirement::NotAsked => None,
        ChanceRequirement::Gain(_) => Some(format!(
            "better than always saying `{}` by {:.6}{}",
            agreement.majority_label,
            agreement.gain,
            bound(agreement)
        )),
        ChanceRequirement::Kappa(_) => {
            Some(format!("Cohen's kappa {:.6}{}", agreement.kappa.unwrap_or(f64::NAN), bound(agreement)))
        }
    }
}
