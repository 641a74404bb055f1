//! Decides whether a model's agreement reaches the share of the ceiling that the threshold requires.
//!
//! Invariants:
//! - With `evidence = "bound"`, the lower bound of the agreement must reach the share of the upper bound of the ceiling. Both
//!   bounds hold together at the confidence of the verdict.
//! - Before a declared end there is no bound, so the gate does not pass.

use super::bound_check::bounds_failure;
use super::ceiling::CeilingShare;
use super::format::{format_confidence, format_share};
use super::{Estimate, VerdictKind};
use crate::number_text::{count, counted, number_text};
use crate::scoring::{Interval, MIN_REPEATED_INPUT_CLASSES};
use understudy_study::Evidence;

/// The verdict and the reason if the agreement is less than `least` of the ceiling; `None` if it is not.
///
/// `pooled` is the estimate of the threshold's metric over the same windows, and `equal` the number of pairs in which the
/// model gave the substrate's answer. `confidence` is the confidence of the bounds of the share. `has_looks` says whether bounds
/// have to hold at looks before the end.
pub fn ceiling_failure(
    (evidence, confidence): (Evidence, f64),
    least: f64,
    share: &CeilingShare,
    (pooled, equal): (&Estimate, u64),
    has_looks: bool,
) -> Option<(VerdictKind, String)> {
    let inconclusive = |text: String| Some((VerdictKind::Inconclusive, text));
    if pooled.hits != Some(equal) {
        return inconclusive(format!(
            "the ceiling limits the share of equal answers, and the metric is not that share: {} of {} pairs have equal \
             answers ({})",
            count(equal),
            count(pooled.pairs),
            format_share(equal, pooled.pairs)
        ));
    }
    let required = format!("at least {least} of the ceiling is required");
    if share.classes < MIN_REPEATED_INPUT_CLASSES {
        return inconclusive(format!(
            "the ceiling is not known: {} decided at least twice, and an estimate needs at least {MIN_REPEATED_INPUT_CLASSES}; \
             {required}",
            counted(share.classes, "input class was", "input classes were")
        ));
    }
    let CeilingShare {
        classes, agreement: Some(agreement), ceiling: Some(ceiling), share: Some(value), ..
    } = *share
    else {
        return inconclusive(format!(
            "no two decisions for the same input class are equal, so agreement has no share of the ceiling; {required}"
        ));
    };
    let found = format!(
        "agreement in the {} input classes that were decided at least twice is {}, and their ceiling is {}, so the share of the \
         ceiling is {}",
        count(classes),
        number_text(agreement),
        number_text(ceiling),
        number_text(value)
    );
    match (evidence, share.interval) {
        (Evidence::Point, _) => (value < least).then(|| (VerdictKind::NoGo, format!("{found}; {required}"))),
        (Evidence::Bound(_), _) if has_looks => inconclusive(format!(
            "{found}; it has no bound that holds at looks before the end; decide at a declared end; {required}"
        )),
        (Evidence::Bound(_), None) => inconclusive(format!("{found}; it has no bound; {required}")),
        (Evidence::Bound(_), Some(Interval { lower, upper })) => {
            let (verdict, relation) = bounds_failure(lower >= least, upper >= least)?;
            let text = format!(
                "{found}, with bounds {} and {} at confidence {} each; it {relation} {least}; {required}",
                number_text(lower),
                number_text(upper),
                format_confidence(confidence)
            );
            Some((verdict, text))
        }
    }
}

#[cfg(test)]
mod tests;
