//! A figure over pairs that were only summed, and how far it may be from the truth.
//!
//! Always holds: nothing is asked of the metric but its figure over sums, so a metric of somebody else's code has a standard
//! error too. The pairs are taken as independent of each other.

/// What of a metric is summed over pairs, in this order: how many were scored; each component; each listed product of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many components the metric has: the numbers x that it gives each pair that it scores.
    pub components: usize,
    /// Which products x(i) x(j) are summed, with i <= j < `components`, each at most once. One that is not listed is zero for each pair.
    pub moments: Vec<(u16, u16)>,
}

impl Layout {
    /// How many sums one part has.
    pub fn width(&self) -> usize {
        1 + self.components + self.moments.len()
    }
}

/// The figure from the number of scored pairs and the sum of each component; `None` where it is not defined.
pub type Reduce<'r> = dyn FnMut(u64, &[f64]) -> Option<f64> + 'r;

/// A figure and its standard error, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub figure: f64,
    /// Its standard error; zero where the sums show no spread, `None` where it is not defined.
    pub error: Option<f64>,
}

/// What is left of a sum of squares after a subtraction counts as nothing when it is a smaller part of it. Sums of floats
/// carry rounding: over a million rows about 1e-13 of themselves.
const ROUNDING: f64 = 1e-12;

/// The figure over a part, which are [`Layout::width`] sums, and its standard error by the delta method: G. W. Oehlert, "A
/// note on the delta method", The American Statistician 46 (1992). The figure is a function of the components' mean. With
/// the gradient g there, and the covariance C of the components over n pairs (with n - 1), the error is sqrt(g' C g / n).
/// For a mean it is the deviation over the root of n.
///
/// The gradient is that of central differences over the cube root of the floats' precision times the component's root mean
/// square (W. H. Press et al., "Numerical Recipes", third edition (2007), section 5.7): off by about 1e-10 of itself for a
/// smooth figure. A component that is the same for all pairs has no part in the error.
///
/// `None` where the figure is not defined or not finite; the error is `None` where that is so close by, and for fewer than
/// two scored pairs.
pub fn estimate(part: &[f64], layout: &Layout, reduce: &mut Reduce<'_>) -> Option<Estimate> {
    let (scored, sums) = part.split_first()?;
    let (sums, products) = sums.split_at_checked(layout.components)?;
    let figure = figure(*scored, sums, reduce)?;
    let error = error(*scored, sums, products, layout, reduce);
    Some(Estimate { figure, error })
}

/// The figure, where it is a finite number.
fn figure(scored: f64, sums: &[f64], reduce: &mut Reduce<'_>) -> Option<f64> {
    reduce(scored as u64, sums).filter(|figure| figure.is_finite())
}

fn error(
    scored: f64,
    sums: &[f64],
    products: &[f64],
    layout: &Layout,
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
            figure(scored, &near, reduce)
        };
        let (above, below) = (beside(step)?, beside(-step)?);
        near[i] = sums[i];
        gradient[i] = (above - below) / (2.0 * step);
    }
    // The sum over pairs of (g'(x - mean))^2 is that of (g'x)^2 less n (g'mean)^2.
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
    //! Against numpy, scipy and statsmodels: `tests/oracles/divergence.py` prints the numbers.

    use super::*;

    /// The two components of fifty pairs of `divergence.py`.
    fn pairs() -> Vec<[f64; 2]> {
        let x = |at: u32| f64::from((37 * at + 11) % 101 + 1) / 10.0;
        (0..50).map(|at| [x(at), 2.0 + 0.5 * x(at) + f64::from((17 * at + 5) % 13) / 7.0]).collect()
    }

    fn layout() -> Layout {
        Layout { components: 2, moments: vec![(0, 0), (0, 1), (1, 1)] }
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

    fn assert_estimate(found: Option<Estimate>, figure: f64, error: f64) {
        let found = found.unwrap();
        assert!((found.figure / figure - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.error.unwrap() / error - 1.0).abs() < 1e-8, "{found:?}, not {error}");
    }

    #[test]
    fn errors_are_those_of_scipy_and_statsmodels() {
        let part = part(&pairs());
        let mean = |n: u64, sums: &[f64]| Some(sums[0] / n as f64);
        let ratio = |_: u64, sums: &[f64]| Some(sums[1] / sums[0]);
        assert_estimate(estimate(&part, &layout(), &mut { mean }), 4.99, 0.4199343972088779);
        assert_estimate(estimate(&part, &layout(), &mut { ratio }), 1.0731462925851705, 0.04981038206069259);
    }

    #[test]
    fn the_root_of_a_mean_square_has_the_error_of_the_delta_method() {
        let squares: Vec<_> = pairs().iter().map(|[x, _]| [x * x, 1.0]).collect();
        // As the metric has it: over those that are answered, which are all.
        let root = |_: u64, sums: &[f64]| (sums[1] > 0.0).then(|| (sums[0] / sums[1]).sqrt());
        let found = estimate(&part(&squares), &layout(), &mut { root });
        assert_estimate(found, 5.791459228899052, 0.3764138559785067);
    }

    #[test]
    fn products_that_are_zero_need_no_sum() {
        // Three sorts of pairs, each with a component of its own: no product of two of them.
        let counts = [60.0, 30.0, 10.0];
        let odds = |_: u64, sums: &[f64]| Some(sums[0] / sums[1]);
        let layout = Layout { components: 3, moments: vec![(0, 0), (1, 1), (2, 2)] };
        let part = [&[100.0], &counts[..], &counts[..]].concat();
        // The variance of the logarithm of the ratio of two counts of one multinomial is 1/60 + 1/30, with n for n - 1.
        let error = 2.0 * ((1.0 / 60.0 + 1.0 / 30.0) * 100.0 / 99.0_f64).sqrt();
        assert_estimate(estimate(&part, &layout, &mut { odds }), 2.0, error);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let mean = |n: u64, sums: &[f64]| (n > 0).then(|| sums[0] / n as f64);
        let of = |pairs: &[[f64; 2]]| estimate(&part(pairs), &layout(), &mut { mean });
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[[1.0, 2.0]]), Some(Estimate { figure: 1.0, error: None }));
        // A tenth is no float; the sums of its squares are off, and that is no spread.
        assert_eq!(of(&[[0.1, 2.0]; 1000]).unwrap().error, Some(0.0));
        assert_eq!(estimate(&[], &layout(), &mut { mean }), None);
        assert_eq!(estimate(&part(&pairs()), &layout(), &mut |_, _| Some(f64::NAN)), None);
        let at = part(&pairs())[1];
        let only_there = |_: u64, sums: &[f64]| (sums[0] == at).then_some(1.0);
        let found = estimate(&part(&pairs()), &layout(), &mut { only_there });
        assert_eq!(found, Some(Estimate { figure: 1.0, error: None }));
    }
}
