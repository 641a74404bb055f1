//! Chooses the confidence of each of several verdicts: the declared one, or higher ones that share its level.
//!
//! Invariants:
//! - Holm's method is used only for nested bounds, with which a verdict that passes at a level passes at every larger one.
//! - Confidence sequences, bounds for clusters and bounds of the ceiling are not known to be nested. For them the level is divided equally, once.

use understudy_study::{Evidence, Family, Threshold};

use super::estimate::declared_confidence;

/// The level of the bounds of one verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedLevel {
    /// The confidence of each bound.
    pub confidence: f64,
    /// The number of verdicts among which the declared level is divided; 1 if each has it on its own.
    pub shared_by: u64,
}

impl SharedLevel {
    fn new(declared: f64, shared_by: usize) -> SharedLevel {
        SharedLevel { confidence: shared_confidence(declared, shared_by), shared_by: shared_by as u64 }
    }
}

/// The confidence of each bound if `verdicts` verdicts divide the level of the declared confidence equally.
pub fn shared_confidence(declared: f64, verdicts: usize) -> f64 {
    // Undivided, the declared number itself, without rounding.
    if verdicts > 1 { 1.0 - (1.0 - declared) / verdicts as f64 } else { declared }
}

/// Whether bounds at a higher confidence are never narrower. This is not known of confidence sequences (`has_looks`), nor of
/// shares with clusters and shares of the ceiling: their effective number of trials depends on the confidence and is rounded.
pub fn has_nested_bounds(threshold: &Threshold, has_looks: bool) -> bool {
    !has_looks && threshold.cluster.is_none() && threshold.of_ceiling.is_none()
}

/// The result of each of `verdicts` verdicts, with its level. `evaluate` computes the result of a verdict at a confidence,
/// and whether all of its bounds pass.
///
/// `family = "holm"` with nested bounds: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
/// Journal of Statistics 6 (1979). In each step, the r verdicts that have not passed are evaluated at the level alpha / r.
/// Those that pass leave the family. The steps end when none passes. Without nested bounds, each of the m verdicts is
/// evaluated once at the level alpha / m, by Bonferroni's inequality. In both cases the probability that any verdict passes
/// wrongly is at most alpha, whatever the dependence of the verdicts.
pub fn evaluate_family<T>(
    threshold: &Threshold,
    is_nested: bool,
    verdicts: usize,
    mut evaluate: impl FnMut(usize, f64) -> (bool, T),
) -> Vec<(SharedLevel, T)> {
    let declared = declared_confidence(threshold);
    let by_bounds = matches!(threshold.evidence, Evidence::Bound(_));
    let is_shared = by_bounds && threshold.family == Some(Family::Holm);
    let mut results: Vec<Option<(SharedLevel, T)>> = (0..verdicts).map(|_| None).collect();
    let mut open: Vec<usize> = (0..verdicts).collect();
    loop {
        let left = open.len();
        let level = SharedLevel::new(declared, if is_shared { left } else { 1 });
        open.retain(|verdict| {
            let (passes, result) = evaluate(*verdict, level.confidence);
            results[*verdict] = Some((level, result));
            !passes
        });
        if !is_shared || !is_nested || open.is_empty() || open.len() == left {
            break;
        }
    }
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::test_support::{STUDY, bound, every};
    use understudy_study::parse;

    /// The number of verdicts that share the level of each verdict with these p-values, and whether it passes.
    fn steps(family: &str, confidence: f64, is_nested: bool, p_values: &[f64]) -> Vec<(u64, bool)> {
        let threshold = bound(&every(3)).replace("\"each\"", &format!("\"{family}\""));
        let study = parse(&format!("{STUDY}{threshold}\n")).unwrap();
        let threshold = Threshold { evidence: Evidence::Bound(confidence), ..study.threshold.unwrap() };
        let evaluate = |verdict: usize, confidence: f64| {
            let passes = p_values[verdict] <= 1.0 - confidence;
            (passes, passes)
        };
        let found = evaluate_family(&threshold, is_nested, p_values.len(), evaluate);
        found.into_iter().map(|(level, passes)| (level.shared_by, passes)).collect()
    }

    /// P-values, and the least level at which Holm's method rejects each: `tests/oracles/family.py` prints the rows.
    const ADJUSTED: &[(&[f64], &[f64])] = &[
        (&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]),
        (&[0.01, 0.06, 0.016, 0.011], &[0.04, 0.06, 0.04, 0.04]),
        (&[0.5, 0.02], &[0.5, 0.04]),
        (&[0.5, 0.026], &[0.5, 0.052]),
        (&[0.0126, 0.001, 0.02, 0.8], &[0.0378, 0.004, 0.04, 0.8]),
        (
            &[0.1593, 0.0315, 0.0138, 0.0, 0.0241, 0.0191, 0.0087, 0.0],
            &[0.1593, 0.0764, 0.069, 0.0, 0.0764, 0.0764, 0.052199999999999996, 0.0],
        ),
        (
            &[0.0026, 0.0166, 0.0595, 0.013, 0.0247, 0.1224, 0.1304, 0.0001],
            &[0.0182, 0.083, 0.1785, 0.078, 0.0988, 0.2448, 0.2448, 0.0008],
        ),
        (
            &[0.0017, 0.0021, 0.0502, 0.0768, 0.1494, 0.2112, 0.0194, 0.003],
            &[0.0136, 0.0147, 0.2008, 0.2304, 0.2988, 0.2988, 0.097, 0.018000000000000002],
        ),
        (
            &[0.0019, 0.0582, 0.0356, 0.0734, 0.0069, 0.0762, 0.3672, 0.0046],
            &[0.0152, 0.2328, 0.178, 0.2328, 0.0414, 0.2328, 0.3672, 0.0322],
        ),
    ];

    #[test]
    fn the_least_levels_of_holm_match_statsmodels() {
        for (p_values, levels) in ADJUSTED {
            for (verdict, level) in
                levels.iter().enumerate().filter(|(_, level)| (1e-4..0.49).contains(*level))
            {
                let passes = |level: f64| steps("holm", 1.0 - level, true, p_values)[verdict].1;
                assert!(
                    passes(level * (1.0 + 1e-9)) && !passes(level * (1.0 - 1e-9)),
                    "{p_values:?} {verdict}"
                );
            }
        }
    }

    #[test]
    fn bounds_are_nested_without_looks_clusters_and_ceiling() {
        let nested = |more: &str, has_looks: bool| {
            let study = parse(&format!("{STUDY}{}\n{more}\n", bound(&every(3)))).unwrap();
            has_nested_bounds(&study.threshold.unwrap(), has_looks)
        };
        assert!(nested("", false));
        assert!(!nested("", true));
        assert!(!nested("cluster = \"kind\"", false));
        assert!(!nested("of-ceiling = 0.5\n[ceiling]\nfields = [\"kind\"]", false));
    }

    #[test]
    fn a_verdict_that_passes_leaves_the_family() {
        let p_values = [0.01, 0.04, 0.03, 0.005];
        assert_eq!(steps("holm", 0.95, true, &p_values), [(4, true), (2, false), (2, false), (4, true)]);
        assert_eq!(steps("each", 0.95, true, &p_values), [(1, true); 4]);
        // Without nested bounds the level is divided once.
        assert_eq!(
            steps("holm", 0.95, false, &[0.01, 0.015, 0.016, 0.02]),
            [(4, true), (4, false), (4, false), (4, false)]
        );
        assert_eq!(steps("each", 0.95, false, &p_values), [(1, true); 4]);
        assert_eq!(steps("holm", 0.95, true, &[]), []);
    }

    proptest! {
        /// A verdict passes by `holm` if it passes at the level divided by all, and only if it passes on its own.
        #[test]
        fn holm_is_between_bonferroni_and_no_correction(p_values in prop::collection::vec(0.0..0.1f64, 1..12)) {
            let passes = |family: &str, is_nested: bool| -> Vec<bool> {
                steps(family, 0.95, is_nested, &p_values).into_iter().map(|(_, passes)| passes).collect()
            };
            let (bonferroni, holm, each) = (passes("holm", false), passes("holm", true), passes("each", true));
            for index in 0..p_values.len() {
                prop_assert!(bonferroni[index] <= holm[index] && holm[index] <= each[index]);
            }
        }
    }
}
