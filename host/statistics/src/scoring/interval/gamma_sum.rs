//! The distribution function of a weighted sum of gamma variables, at 0.

use std::f64::consts::PI;

/// The steps of the trapezoidal rule, in the order in which they are tried. The first one nearly always suffices.
const STEPS: [f64; 4] = [0.06, 0.03, 0.015, 0.0075];
/// The rule with half as many terms differs less than this from the result, relatively. The error of the rule falls
/// exponentially with the number of terms, so the result is about as exact as a float.
const AGREEMENT: f64 = 1e-10;
/// Terms below this fraction of the sum are omitted.
const NEGLIGIBLE: f64 = 1e-17;
/// The value of the variable of integration at which the sum ends, if no term is negligible before. A single variable,
/// whose integrand decays slowest, takes half of it.
const LAST: f64 = 40.0;
/// The maximum number of halvings in the search for the saddle point.
const MAX_HALVINGS: usize = 200;
/// The relative precision of the saddle point. It determines how fast the integrand decays, not the value of the integral.
const SADDLE_PRECISION: f64 = 1e-6;
/// The greatest sine of the angle by which the path of integration is bent.
const GREATEST_BEND: f64 = 0.48;
/// The logarithm of how much exp K may grow along a path. If it grows more, two steps may agree on a wrong result: both are
/// longer than the oscillations where it is greatest.
const GREATEST_GROWTH: f64 = 7.0;

/// The probability that the sum of independent gamma variables is at most 0. Each term is the scale of a variable, which has
/// any sign, and its shape, which is positive.
///
/// The moment generating function of the sum is exp K(s), with K(s) = -sum of shape * ln(1 - scale * s). For any c < 0 at
/// which it is finite, the probability is the integral of -exp K(s) / (2 pi i s) along the vertical line through c. The
/// line passes near the saddle point of K, where the integrand decays fastest: H. E. Daniels, "Saddlepoint approximations in
/// statistics", Annals of Mathematical Statistics 25 (1954). The integral is computed, not approximated by its first term.
///
/// The line is bent to a branch of a hyperbola, along which exp K(s) oscillates less, and the trapezoidal rule converges
/// exponentially: J. A. C. Weideman, L. N. Trefethen, "Parabolic and hyperbolic contours for computing the Bromwich
/// integral", Mathematics of Computation 76 (2007). The sum may end at the first negligible term, because the rest of the
/// path can be replaced by a vertical line, along which the integrand only decays.
///
/// The result has a relative error of about 1e-10. If the bent path and the line do not reach it with the smallest step, it
/// is that of the line with this step.
pub(super) fn probability_below_zero(terms: &[(f64, f64)]) -> f64 {
    let least = terms.iter().map(|(scale, _)| *scale).fold(0.0, f64::min);
    if least >= 0.0 {
        return 0.0;
    }
    if terms.iter().all(|(scale, _)| *scale <= 0.0) {
        return 1.0;
    }
    let variance: f64 = terms.iter().map(|(scale, shape)| shape * scale * scale).sum();
    // The saddle point is at 0 if the mean of the sum is, and so is a pole of the integrand.
    let vertex = saddle_point(terms, least).min(-0.3 / variance.sqrt());
    let (mut second, mut third) = (0.0, 0.0);
    for (scale, shape) in terms {
        let ratio = scale / (1.0 - scale * vertex);
        second += shape * ratio.powi(2);
        third += 2.0 * shape * ratio.powi(3);
    }
    // The path of steepest descent is curved by the third derivative of K.
    let room = -vertex.max(1.0 / least - vertex);
    let bend = (-room * third / (3.0 * second)).clamp(-GREATEST_BEND, GREATEST_BEND);
    let mut probability = 0.0;
    for step in STEPS {
        for bend in [bend, 0.0] {
            let path = Path::new(vertex, 1.0 / least, bend);
            let (fine, coarse) = path.integral(terms, step);
            probability = fine;
            if (fine - coarse).abs() <= AGREEMENT * fine.abs() {
                return probability.clamp(0.0, 1.0);
            }
        }
    }
    probability.clamp(0.0, 1.0)
}

/// A branch of a hyperbola that crosses the real axis at its vertex, between the greatest pole below 0 and 0. Its points are
/// vertex + radius * (bend * (1 - cosh u) + i * sqrt(1 - bend²) * sinh u), for all real u.
struct Path {
    vertex: f64,
    radius: f64,
    /// The sine of the angle between the asymptotes and the vertical line: positive towards the left.
    bend: f64,
}

impl Path {
    /// The path whose distance from the nearest pole is the greatest that its shape allows. `pole` is the greatest pole
    /// below 0.
    fn new(vertex: f64, pole: f64, bend: f64) -> Path {
        let (left, right) = (vertex - pole, -vertex);
        let radius = (left / (1.0 - bend.max(0.0))).min(right / (1.0 + bend.min(0.0)));
        Path { vertex, radius, bend }
    }

    /// The integral by the trapezoidal rule with this step, and with twice the step; NaN if exp K grows too much.
    fn integral(&self, terms: &[(f64, f64)], step: f64) -> (f64, f64) {
        let Path { vertex, radius, bend } = *self;
        let slope = (1.0 - bend * bend).sqrt();
        let height: f64 = terms.iter().map(|(scale, shape)| -shape * (-scale * vertex).ln_1p()).sum();
        let (mut fine, mut coarse, mut least_modulus) = (0.0, 0.0, 0.0f64);
        for index in 0..(LAST / step) as usize {
            let u = index as f64 * step;
            let (x, y) = (radius * bend * (1.0 - u.cosh()), radius * slope * u.sinh());
            let (dx, dy) = (-radius * bend * u.sinh(), radius * slope * u.cosh());
            // The logarithm of exp K without its height at the vertex, by modulus and angle.
            let (mut modulus, mut angle) = (0.0, 0.0);
            for (scale, shape) in terms {
                let ratio = scale / (1.0 - scale * vertex);
                modulus -= 0.5 * shape * (ratio * (ratio * (x * x + y * y) - 2.0 * x)).ln_1p();
                angle += shape * (ratio * y).atan2(1.0 - ratio * x);
            }
            least_modulus = least_modulus.min(modulus);
            if modulus > least_modulus + GREATEST_GROWTH {
                return (f64::NAN, f64::NAN);
            }
            let size = (modulus + height).exp() * dx.hypot(dy) / (vertex + x).hypot(y);
            let phase = angle + dy.atan2(dx) - y.atan2(vertex + x);
            let term = -size * phase.sin() / PI * if index == 0 { 0.5 } else { 1.0 };
            fine += step * term;
            if index % 2 == 0 {
                coarse += 2.0 * step * term;
            }
            if size * step <= NEGLIGIBLE * fine.abs() {
                break;
            }
        }
        (fine, coarse)
    }
}

/// The point between 1 / `least` and 0 at which K of [`probability_below_zero`] has no slope; 0 if it has none there.
/// `least` is the least scale, below 0.
fn saddle_point(terms: &[(f64, f64)], least: f64) -> f64 {
    let slope = |s: f64| terms.iter().map(|(scale, shape)| shape * scale / (1.0 - scale * s)).sum::<f64>();
    let (mut low, mut high) = (1.0 / least, 0.0);
    if slope(high) <= 0.0 {
        return 0.0;
    }
    for _ in 0..MAX_HALVINGS {
        let middle = f64::midpoint(low, high);
        if high - low <= -SADDLE_PRECISION * middle {
            break;
        }
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    //! Checked against scipy: `tests/oracles/intervals.py` prints the rows.

    use super::super::proportion::binomial_tail;
    use super::super::tests::assert_close;
    use super::*;

    #[test]
    fn probabilities_match_scipy() {
        let rows: [(&[(f64, f64)], f64); 7] = [
            (&[(-0.3, 1.0), (0.2, 2.0)], 0.35999999999999993),
            (&[(-0.9, 1.0), (0.05, 3.0), (0.08, 5.0)], 0.5554422112247928),
            (&[(-0.9, 1.0), (-0.1, 500.0), (0.1, 600.0)], 0.004591525580831701),
            (&[(-0.5, 2.5), (0.001, 4000.0)], 0.00688123720008621),
            (&[(-0.001, 4000.0), (0.5, 5.5)], 0.8586094051041808),
            (&[(-1.0, 3.0), (-0.2, 40.0), (0.3, 60.0), (2.0, 1.0)], 0.006850758096707099),
            // Along the bent path, the integrand grows.
            (&[(-0.6, 1.0), (0.4, 0.015), (-2e-6, 2800.0)], 0.992934340267187),
        ];
        for (terms, expected) in rows {
            assert_close(probability_below_zero(terms), expected);
        }
    }

    /// The share of one gamma variable in the sum of two has a beta distribution, whose distribution function is a binomial
    /// tail.
    #[test]
    fn two_variables_match_the_binomial_tail() {
        for (hits, trials, share) in [
            (1, 2, 0.3),
            (97, 100, 0.93),
            (1, 1_000_000, 1e-7),
            (700_000, 1_000_000, 0.7),
            (999, 1000, 0.998),
            // The first step does not suffice.
            (116, 2808, 0.0036),
        ] {
            let terms = [(-share, (trials - hits + 1) as f64), (1.0 - share, hits as f64)];
            assert_close(probability_below_zero(&terms), binomial_tail(hits, trials, share));
        }
    }

    #[test]
    fn terms_of_one_sign_are_certain() {
        assert_eq!(probability_below_zero(&[(0.5, 1.0), (0.0, 2.0)]), 0.0);
        assert_eq!(probability_below_zero(&[(-0.5, 1.0), (0.0, 2.0)]), 1.0);
    }
}
