//! The confidence of each of several verdicts: the declared one, or shared by Holm's method.
//!
//! Invariant: with `holm`, a verdict passes at a level only if it would pass at every larger level, since bounds at a higher
//! confidence are wider. So the steps are those of a test with nested rejections.

use understudy_study::{Evidence, Family, Threshold};

use super::estimate::declared_confidence;

/// The confidence of the bounds of one verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FamilyStep {
    /// The confidence of each bound.
    pub confidence: f64,
    /// The number of verdicts that share the declared level; 1 without correction.
    pub sharing: u64,
}

/// The result of each of `verdicts` verdicts, with the step at which it was obtained. `evaluate` computes the result of a
/// verdict at a confidence, and whether all of its bounds pass.
///
/// `holm`: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
/// In each step the r verdicts that have not passed are evaluated at the level alpha / r. Those that pass leave the family.
/// The steps end when none passes. The probability that any verdict passes wrongly is at most alpha, whatever the dependence
/// of the verdicts.
pub fn evaluate_family<T>(
    threshold: &Threshold,
    verdicts: usize,
    mut evaluate: impl FnMut(usize, f64) -> (bool, T),
) -> Vec<(FamilyStep, T)> {
    let confidence = declared_confidence(threshold);
    let is_shared =
        matches!((threshold.evidence, threshold.family), (Evidence::Bound(_), Some(Family::Holm)));
    let mut results: Vec<Option<(FamilyStep, T)>> = (0..verdicts).map(|_| None).collect();
    let mut open: Vec<usize> = (0..verdicts).collect();
    while !open.is_empty() {
        let sharing = if is_shared { open.len() as u64 } else { 1 };
        let step = FamilyStep { confidence: 1.0 - (1.0 - confidence) / sharing as f64, sharing };
        // Without correction the declared number itself, without rounding.
        let step = if sharing == 1 { FamilyStep { confidence, ..step } } else { step };
        let before = open.len();
        open.retain(|verdict| {
            let (passes, result) = evaluate(*verdict, step.confidence);
            results[*verdict] = Some((step, result));
            !passes
        });
        if !is_shared || open.len() == before {
            break;
        }
    }
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::test_support::{STUDY, bound, every};
    use understudy_study::parse;

    /// The steps of verdicts with the given p-values, and whether each passes.
    fn steps(family: &str, p_values: &[f64]) -> Vec<(u64, bool)> {
        let study = parse(&format!("{STUDY}{}\nfamily = \"{family}\"\n", bound(&every(3)))).unwrap();
        let pass = |verdict: usize, confidence: f64| {
            let passes = p_values[verdict] <= 1.0 - confidence + 1e-12;
            (passes, passes)
        };
        let found = evaluate_family(study.threshold.as_ref().unwrap(), p_values.len(), pass);
        found.into_iter().map(|(step, passes)| (step.sharing, passes)).collect()
    }

    /// `multipletests([0.01, 0.04, 0.03, 0.005], method="holm")` of statsmodels 0.15.0 rejects the first and the last.
    #[test]
    fn the_steps_of_holm_match_statsmodels() {
        assert_eq!(steps("holm", &[0.01, 0.04, 0.03, 0.005]), [(4, true), (2, false), (2, false), (4, true)]);
        assert_eq!(steps("each", &[0.01, 0.04, 0.03, 0.005]), [(1, true); 4]);
        assert_eq!(steps("holm", &[0.01, 0.06, 0.016, 0.011]), [(4, true), (1, false), (2, true), (4, true)]);
        assert_eq!(steps("holm", &[0.5, 0.02]), [(1, false), (2, true)]);
        assert_eq!(steps("holm", &[0.5, 0.026]), [(2, false); 2]);
        assert_eq!(steps("holm", &[]), []);
    }
}
