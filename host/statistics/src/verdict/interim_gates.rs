//! Withholds estimates that would reveal few pairs from verdicts before the end of a run.
//!
//! Invariants: the remaining estimates are those that an interim report may show, see [`InterimFigures`]. A verdict that
//! would rest on a withheld estimate is INCONCLUSIVE, so that its kind reveals nothing either.

use super::gates::ScopeGates;
use super::window_selection::WindowSelection;
use super::{Contamination, VerdictKind, VerdictReason};
use crate::scoring::{InterimFigures, MIN_INTERIM_PAIRS};
use understudy_study::Quantifier;

/// The reason that no verdict is possible because the contamination test is withheld.
pub const TEST_WITHHELD: &str = "the contamination test is withheld until the run is closed, because it would reveal few \
                                 pairs; decide at the end";

/// The gates of a scope without the estimates that may not be shown. Scope 0 is all pairs, and the declared scopes follow.
/// `is_metric_shown` says whether any estimate of the metric may be shown.
pub fn interim_gates(
    interim: &InterimFigures,
    selection: &WindowSelection,
    scope: usize,
    (quantifier, is_metric_shown): (Quantifier, bool),
    gates: ScopeGates,
) -> ScopeGates {
    let ScopeGates { mut pooled, mut windows, mut chance, baselines, ceiling, mut reasons } = gates;
    for (window, estimate) in selection.windows.iter().zip(&mut windows) {
        if !is_metric_shown || !interim.shows_scope(scope, &[*window]) {
            *estimate = estimate.without_figures();
        }
    }
    let is_pooled_shown = is_metric_shown && interim.shows_scope(scope, &selection.windows);
    if !is_pooled_shown {
        (pooled, chance) = (pooled.without_figures(), None);
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
        unblinded: found.unblinded.without_figures(),
        blinded: found.blinded.without_figures(),
        difference: None,
        ..found
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{GOOD, SimulatedStudy, bound, every, pooled};
    use super::*;
    use crate::number_text::number_text;
    use crate::verdict::{Estimate, MissingInterval, Verdict};

    /// The verdict on a run that has not ended.
    fn look(case: SimulatedStudy) -> Verdict {
        SimulatedStudy { closed: false, ..case }.verdict()
    }

    fn is_withheld(verdict: &Verdict, scope: usize) -> (bool, Vec<bool>) {
        let scope = &verdict.models[0].scopes[scope];
        (scope.pooled.withheld, scope.windows.iter().map(|window| window.withheld).collect())
    }

    const WITHHELD: &str = "some figures of this scope are withheld until the run is closed: they would reveal fewer than 5 \
                            pairs; decide at the end";

    #[test]
    fn windows_of_few_pairs_are_withheld_and_decide_only_where_every_window_counts() {
        // The second week has three pairs, and is shown together with the third only.
        let latest = |threshold: String| bound(&threshold).replace("first", "latest");
        for (threshold, decides) in [(latest(every(3)), true), (latest(pooled(3)), false)] {
            let verdict = look(SimulatedStudy::new(&threshold, &[GOOD, (3, 3), GOOD]));
            assert_eq!(is_withheld(&verdict, 0), (false, vec![false, true, true]));
            let scope = &verdict.models[0].scopes[0];
            assert_eq!(
                scope.windows[1],
                Estimate { pairs: 3, answered: 3, withheld: true, ..Estimate::default() }
            );
            let reasons: Vec<&str> = scope.reasons.iter().map(|reason| reason.text.as_str()).collect();
            assert_eq!(reasons.contains(&WITHHELD), decides, "{reasons:?}");
        }
        // A later week may join the last one, and both would then be shown together.
        let last = look(SimulatedStudy::new(&latest(pooled(2)), &[GOOD, (3, 3)]));
        assert_eq!(is_withheld(&last, 0), (true, vec![false, true]));
        let full = look(SimulatedStudy::new(&latest(every(2)), &[GOOD, GOOD]));
        assert_eq!(is_withheld(&full, 0), (false, vec![false; 2]));
    }

    #[test]
    fn bounds_before_the_end_do_not_depend_on_the_windows_of_a_block() {
        // The windows of each block have the same sums together, and differ in themselves.
        let pooled_bounds = |weeks: &[(u64, u64)], more: &str| {
            let latest = bound(&pooled(4)).replace("{ first = 4 }", "{ all = true }");
            let verdict = look(SimulatedStudy::new(&format!("{latest}{more}"), weeks));
            let pooled = &verdict.models[0].scopes[0].pooled;
            assert!(!pooled.withheld && pooled.interval.is_some(), "{pooled:?}");
            (pooled.value, pooled.interval)
        };
        for more in ["", "\ncluster = \"kind\""] {
            let found = pooled_bounds(&[GOOD, (1, 1), (0, 0), (3, 4), GOOD], more);
            assert_eq!(found, pooled_bounds(&[GOOD, (0, 1), (0, 0), (4, 4), GOOD], more), "{more}");
        }
        // A window with enough pairs is a block of its own.
        let known = pooled_bounds(&[GOOD, (1, 10), (9, 10), GOOD], "");
        assert_ne!(known, pooled_bounds(&[GOOD, (2, 10), (8, 10), GOOD], ""));
    }

    #[test]
    fn agreement_beyond_chance_has_no_bounds_before_the_end() {
        let latest = bound(&pooled(1)).replace("first", "latest");
        let kappa = ("{ kappa = 0.9 }", "Cohen's kappa");
        for (chance, measure) in [kappa, ("{ gain = 0.9 }", "the gain over the commonest label")] {
            let case = SimulatedStudy {
                mixed_labels: true,
                ..SimulatedStudy::new(&format!("{latest}\nchance = {chance}"), &[GOOD])
            };
            let last = case.clone().verdict();
            assert!(last.models[0].scopes[0].chance.as_ref().is_some_and(|chance| chance.kappa.is_some()));
            let case = SimulatedStudy { closed: false, ..case };
            let scope = &case.clone().verdict().models[0].scopes[0];
            let chance = scope.chance.as_ref().expect("agreement beyond chance");
            assert_eq!((chance.kappa, chance.interval, chance.method), (None, None, None));
            assert_eq!(chance.is_constant, None);
            let reasons = case.decide().1;
            assert!(
                reasons.contains(&format!("{measure} is not shown to meet the threshold yet")),
                "{reasons}"
            );
        }
    }

    #[test]
    fn bounds_that_depend_on_groups_are_withheld_after_a_declared_end_that_does_not_close_the_run() {
        let clusters = format!("{}\ncluster = \"kind\"", bound(&pooled(1)));
        for (threshold, scores, range) in [
            (&clusters, [0.0, 1.0], (Some(0.0), Some(1.0))),
            (&clusters, [0.2, 0.9], (Some(0.0), Some(1.0))),
            // Every cluster has the mean that is shown.
            (&clusters, [0.7, 0.7], (Some(0.0), Some(1.0))),
        ] {
            let case = SimulatedStudy { scores, range, ..SimulatedStudy::new(threshold, &[(700, 1000)]) };
            let closed = case.clone().verdict();
            let figures = |verdict: &Verdict| {
                let scope = &verdict.models[0].scopes[0];
                [scope.pooled, scope.windows[0]]
            };
            assert!(figures(&closed).iter().all(|estimate| estimate.interval.is_some()));
            let open = look(case.clone());
            for (estimate, last) in figures(&open).iter().zip(&figures(&closed)) {
                let expected = Estimate {
                    interval: None,
                    method: None,
                    no_interval: Some(MissingInterval::Withheld),
                    ..*last
                };
                assert_eq!(*estimate, expected);
            }
            // The kind of the verdict stays, and no text has a bound.
            let kinds = [&open, &closed].map(|verdict| verdict.models[0].scopes[0].verdict);
            assert_eq!(kinds[0], kinds[1]);
            let text = SimulatedStudy { closed: false, ..case }.decide().1;
            let shown = closed.models[0].scopes[0].pooled.interval.expect("bounds");
            assert!(!text.contains(&number_text(shown.lower)), "{text}");
            assert!(text.contains("with bounds that are withheld until the run is closed"), "{text}");
        }
        // Exact bounds follow from the counts that are shown.
        let open = look(SimulatedStudy::new(&bound(&pooled(1)), &[(700, 1000)]));
        assert!(open.models[0].scopes[0].pooled.interval.is_some());
    }

    #[test]
    fn a_scope_of_few_pairs_is_withheld() {
        // Four of seven pairs are in the scope.
        let latest = bound(&pooled(1)).replace("first", "latest");
        let verdict = look(SimulatedStudy::new(&format!("{latest}\nchance = {{ gain = 0.0 }}"), &[(7, 7)]));
        assert_eq!((is_withheld(&verdict, 0).0, is_withheld(&verdict, 1).0), (false, true));
        let scope = &verdict.models[0].scopes[1];
        assert_eq!(scope.pooled, Estimate { pairs: 4, answered: 4, withheld: true, ..Estimate::default() });
        assert_eq!(scope.chance, None);
        assert_eq!(scope.reasons.last().map(|reason| reason.text.as_str()), Some(WITHHELD));
        assert!(verdict.models[0].scopes[0].chance.is_some());
    }

    #[test]
    fn a_test_of_few_blinded_pairs_is_withheld() {
        // The first three weeks are complete, so the test is carried out although the run goes on.
        let found = |blinded: u64| {
            let case = SimulatedStudy {
                blinded_hits: Some((blinded, 0)),
                ..SimulatedStudy::new(&every(3), &[GOOD; 3])
            };
            (look(case.clone()).models[0].contamination.unwrap(), look(case).models[0].scopes[0].verdict)
        };
        let (few, verdict) = found(3);
        let estimate = |pairs| Estimate { pairs, answered: pairs, withheld: true, ..Estimate::default() };
        let expected =
            Contamination { unblinded: estimate(2997), blinded: estimate(3), tested: true, difference: None };
        assert_eq!((few, verdict), (expected, VerdictKind::Inconclusive));
        let (enough, _) = found(300);
        assert!(enough.difference.is_some() && !enough.blinded.withheld && enough.unblinded.value.is_some());
    }
}
