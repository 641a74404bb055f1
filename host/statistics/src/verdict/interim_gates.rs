//! Withholds estimates that would reveal few pairs from verdicts before the end of a run.
//!
//! Invariants: the remaining estimates are those that an interim report may show, see [`InterimFigures`]. A verdict that
//! would rest on a withheld estimate is INCONCLUSIVE, so that its kind reveals nothing either.

use super::gates::ScopeGates;
use super::window_selection::WindowSelection;
use super::{Contamination, Estimate, VerdictKind, VerdictReason};
use crate::scoring::{InterimFigures, MIN_INTERIM_PAIRS};
use understudy_study::Quantifier;

/// The reason that no verdict is possible because the contamination test is withheld.
pub const TEST_WITHHELD: &str = "the contamination test is withheld until the run is closed: a window has too few blinded \
                                 pairs; decide at the end";

/// The estimate without anything but the number of its pairs.
fn withheld(estimate: &Estimate) -> Estimate {
    Estimate { pairs: estimate.pairs, answered: estimate.answered, withheld: true, ..Estimate::default() }
}

/// The gates of a scope without the estimates that may not be shown. Scope 0 is all pairs, and the declared scopes follow.
pub fn interim_gates(
    interim: &InterimFigures,
    selection: &WindowSelection,
    scope: usize,
    quantifier: Quantifier,
    gates: ScopeGates,
) -> ScopeGates {
    let ScopeGates { mut pooled, mut windows, mut chance, baselines, ceiling, mut reasons } = gates;
    for (window, estimate) in selection.windows.iter().zip(&mut windows) {
        if !interim.shows_scope(scope, &[*window]) {
            *estimate = withheld(estimate);
        }
    }
    let is_pooled_shown = interim.shows_scope(scope, &selection.windows);
    if !is_pooled_shown {
        (pooled, chance) = (withheld(&pooled), None);
    }
    let decides = match quantifier {
        Quantifier::EveryWindow => windows.iter().any(|estimate| estimate.withheld),
        Quantifier::Pooled => false,
    };
    if decides || !is_pooled_shown {
        let text = format!(
            "some figures of this scope are withheld until the run is closed: they would reveal fewer than \
             {MIN_INTERIM_PAIRS} pairs; decide at the end"
        );
        reasons = vec![VerdictReason { verdict: VerdictKind::Inconclusive, text }];
    }
    ScopeGates { pooled, windows, chance, baselines, ceiling, reasons }
}

/// The contamination test without the estimates that may not be shown.
pub fn interim_contamination(
    interim: &InterimFigures,
    selection: &WindowSelection,
    found: Contamination,
) -> Contamination {
    if interim.shows_blinding(&selection.windows) {
        return found;
    }
    Contamination {
        unblinded: withheld(&found.unblinded),
        blinded: withheld(&found.blinded),
        difference: None,
        ..found
    }
}
