//! The value of a metric and its standard error from sums over pairs, by the delta method.
//!
//! Invariants:
//! - The metric is only evaluated on sums, so third-party metrics have standard errors, too.
//! - The pairs are treated as independent of each other.

use crate::scoring::Reduce;

/// The layout of the sums over a set of pairs: the number of scored pairs, then the sum of each component,
/// then the sum of each listed product of two components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumsLayout {
    /// The number of components of the metric: the numbers x that it gives each scored pair.
    pub components: usize,
    /// The products x(i) x(j) that are summed, with i <= j < `components`, each at most once. A product that
    /// is not listed is zero for each pair.
    pub moments: Vec<(u16, u16)>,
}

impl SumsLayout {
    /// The number of sums.
    pub fn width(&self) -> usize {
        1 + self.components + self.moments.len()
    }
}

/// The value of a metric and its standard error, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeltaEstimate {
    /// The value of the metric.
    pub value: f64,
    /// The standard error: zero if the sums show no variance, `None` where it is not defined.
    pub standard_error: Option<f64>,
}

/// A difference of sums of squares below this fraction of them counts as zero. Sums of floats have rounding
/// errors: over a million rows about 1e-13 of themselves.
const ROUNDING: f64 = 1e-12;

/// The value over the [`SumsLayout::width`] sums `part`, and its standard error by the delta method: G. W.
/// Oehlert, "A note on the delta method", The American Statistician 46 (1992). The value is a function of the
/// components' mean. With its gradient g there, and the covariance C of the components over n pairs (divisor
/// n - 1), the standard error is sqrt(g' C g / n). For a mean it is the standard deviation over the square
/// root of n.
///
/// The gradient is computed by central differences. The step is the cube root of the float precision times
/// the component's root mean square (W. H. Press et al., "Numerical Recipes", third edition (2007), section
/// 5.7), which gives a relative error of about 1e-10 for a smooth metric. A component that is equal for all
/// pairs does not contribute.
///
/// `None` if the value is not defined or not finite. The standard error is `None` if that is so at a
/// neighboring point, and for fewer than two scored pairs.
pub fn delta_estimate(part: &[f64], layout: &SumsLayout, reduce: &mut Reduce<'_>) -> Option<DeltaEstimate> {
    let (scored, sums) = part.split_first()?;
    let (sums, products) = sums.split_at_checked(layout.components)?;
    let value = metric_value(*scored, sums, reduce)?;
    let error = standard_error(*scored, sums, products, layout, reduce);
    Some(DeltaEstimate { value, standard_error: error })
}

/// The value of the metric, if it is finite.
fn metric_value(scored: f64, sums: &[f64], reduce: &mut Reduce<'_>) -> Option<f64> {
    reduce(scored as u64, sums).filter(|figure| figure.is_finite())
}

fn standard_error(
    scored: f64,
    sums: &[f64],
    products: &[f64],
    layout: &SumsLayout,
    reduce: &mut Reduce<'_>,
) -> Option<f64> {
    if scored < 2.0 {
        return None;
    }
    let moments = || layout.moments.iter().map(|&(i, j)| (usize::from(i), usize::from(j))).zip(products);
    let mut gradient = vec![0.0; sums.len()];
    let mut near = sums.to_vec();
    for ((i, _), &squares) in moments().filter(|((i, j), _)| i == j) {
        if squares - sums[i] * sums[i] / scored <= squares * ROUNDING {
            continue;
        }
        let step = f64::EPSILON.cbrt() * (squares / scored).sqrt();
        let mut beside = |step: f64| {
            near[i] = sums[i] + scored * step;
            metric_value(scored, &near, reduce)
        };
        let (above, below) = (beside(step)?, beside(-step)?);
        near[i] = sums[i];
        gradient[i] = (above - below) / (2.0 * step);
    }
    // The sum over pairs of (g'(x - mean))^2 equals the sum of (g'x)^2 minus n (g'mean)^2.
    let (mut squares, mut most) = (0.0, 0.0);
    for ((i, j), product) in moments() {
        let times = if i == j { 1.0 } else { 2.0 };
        let term = times * gradient[i] * gradient[j] * product;
        squares += term;
        most += term.abs();
    }
    let along: f64 = gradient.iter().zip(sums).map(|(g, sum)| g * sum).sum();
    let spread = squares - along * along / scored;
    let spread = if spread <= most * ROUNDING { 0.0 } else { spread };
    Some((spread / (scored - 1.0) / scored).sqrt()).filter(|error| error.is_finite())
}

#[cfg(test)]
mod tests {
    //! Checked against numpy, scipy and statsmodels: `tests/oracles/divergence.py` prints the numbers.

    use super::*;

    /// The two components of the fifty pairs in `divergence.py`.
    fn pairs() -> Vec<[f64; 2]> {
        let x = |at: u32| f64::from((37 * at + 11) % 101 + 1) / 10.0;
        (0..50).map(|at| [x(at), 2.0 + 0.5 * x(at) + f64::from((17 * at + 5) % 13) / 7.0]).collect()
    }

    fn layout() -> SumsLayout {
        SumsLayout { components: 2, moments: vec![(0, 0), (0, 1), (1, 1)] }
    }

    fn part(pairs: &[[f64; 2]]) -> Vec<f64> {
        let sum = |of: fn(&[f64; 2]) -> f64| pairs.iter().map(of).sum();
        vec![
            pairs.len() as f64,
            sum(|p| p[0]),
            sum(|p| p[1]),
            sum(|p| p[0] * p[0]),
            sum(|p| p[0] * p[1]),
            sum(|p| p[1] * p[1]),
        ]
    }

    fn assert_estimate(found: Option<DeltaEstimate>, figure: f64, error: f64) {
        let found = found.unwrap();
        assert!((found.value / figure - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.standard_error.unwrap() / error - 1.0).abs() < 1e-8, "{found:?}, not {error}");
    }

    #[test]
    fn standard_errors_match_scipy_and_statsmodels() {
        let part = part(&pairs());
        let mean = |n: u64, sums: &[f64]| Some(sums[0] / n as f64);
        let ratio = |_: u64, sums: &[f64]| Some(sums[1] / sums[0]);
        assert_estimate(delta_estimate(&part, &layout(), &mut { mean }), 4.99, 0.4199343972088779);
        assert_estimate(
            delta_estimate(&part, &layout(), &mut { ratio }),
            1.0731462925851705,
            0.04981038206069259,
        );
    }

    #[test]
    fn the_root_of_a_mean_square_has_the_error_of_the_delta_method() {
        let squares: Vec<_> = pairs().iter().map(|[x, _]| [x * x, 1.0]).collect();
        // As the metric computes it: over the answered pairs, here all.
        let root = |_: u64, sums: &[f64]| (sums[1] > 0.0).then(|| (sums[0] / sums[1]).sqrt());
        let found = delta_estimate(&part(&squares), &layout(), &mut { root });
        assert_estimate(found, 5.791459228899052, 0.3764138559785067);
    }

    #[test]
    fn products_that_are_zero_need_no_sum() {
        // Three kinds of pairs, each with its own component: no product of two components is nonzero.
        let counts = [60.0, 30.0, 10.0];
        let odds = |_: u64, sums: &[f64]| Some(sums[0] / sums[1]);
        let layout = SumsLayout { components: 3, moments: vec![(0, 0), (1, 1), (2, 2)] };
        let part = [&[100.0], &counts[..], &counts[..]].concat();
        // The variance of the logarithm of the ratio of two multinomial counts is 1/60 + 1/30, here with n -
        // 1 for n.
        let error = 2.0 * ((1.0 / 60.0 + 1.0 / 30.0) * 100.0 / 99.0_f64).sqrt();
        assert_estimate(delta_estimate(&part, &layout, &mut { odds }), 2.0, error);
    }

    #[test]
    fn a_component_that_is_equal_for_all_pairs_does_not_contribute() {
        let pairs: Vec<_> = pairs().iter().map(|[x, _]| [*x, 2.0]).collect();
        // Defined for this sum of the constant only.
        let mean = |n: u64, sums: &[f64]| (sums[1] == 100.0).then(|| sums[0] / n as f64);
        assert_estimate(delta_estimate(&part(&pairs), &layout(), &mut { mean }), 4.99, 0.4199343972088779);
    }

    #[test]
    fn a_spread_within_the_rounding_of_its_terms_is_zero() {
        let pairs: Vec<_> = pairs().iter().map(|[x, _]| [*x, x / 3.0]).collect();
        let difference = |n: u64, sums: &[f64]| Some((sums[0] - 3.0 * sums[1]) / n as f64 + 1.0);
        let found = delta_estimate(&part(&pairs), &layout(), &mut { difference }).unwrap();
        assert_eq!(found.standard_error, Some(0.0));
    }

    #[test]
    fn undefined_values_are_none() {
        let mean = |n: u64, sums: &[f64]| (n > 0).then(|| sums[0] / n as f64);
        let of = |pairs: &[[f64; 2]]| delta_estimate(&part(pairs), &layout(), &mut { mean });
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[[1.0, 2.0]]), Some(DeltaEstimate { value: 1.0, standard_error: None }));
        // 0.1 is not a float, so the sums of its squares are inexact; that is not variance.
        assert_eq!(of(&[[0.1, 2.0]; 1000]).unwrap().standard_error, Some(0.0));
        assert_eq!(delta_estimate(&[], &layout(), &mut { mean }), None);
        assert_eq!(delta_estimate(&part(&pairs()), &layout(), &mut |_, _| Some(f64::NAN)), None);
        let at = part(&pairs())[1];
        let only_there = |_: u64, sums: &[f64]| (sums[0] == at).then_some(1.0);
        let found = delta_estimate(&part(&pairs()), &layout(), &mut { only_there });
        assert_eq!(found, Some(DeltaEstimate { value: 1.0, standard_error: None }));
    }
}
