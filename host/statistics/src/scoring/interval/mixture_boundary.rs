//! The boundary of a confidence sequence: a curve that a sum of deviations never crosses, with a given confidence.
//!
//! Invariants:
//! - The boundary depends on the confidence, the variance and the tuning alone, never on the sum.
//! - It is positive and increases with the variance.
//!
//! It is the gamma-exponential mixture of S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform,
//! nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021), proposition 9, one-sided, for
//! the scale c = 1: `gamma_exponential_mixture_bound` of the package confseq 0.0.11.

/// The maximum number of steps of Newton's method; about six are needed.
const MAX_STEPS: usize = 100;
/// The maximum number of terms of a series or fraction: enough for variances up to 10^12.
const MAX_TERMS: u32 = 10_000_000;
/// Terms below this fraction of a sum are omitted.
const NEGLIGIBLE: f64 = 1e-17;
/// The tuning is for at most this probability of crossing, since its formula diverges at a half.
const MAX_TUNING_ALPHA: f64 = 0.25;

/// The gamma-exponential mixture boundary for deviations of the scale 1.
#[derive(Clone, Copy, Debug)]
pub struct MixtureBoundary {
    /// ln(1 / alpha), for the probability alpha of crossing.
    evidence: f64,
    /// The parameter of the mixing distribution, above 0.
    rho: f64,
    /// The part of the logarithm of the mixture that depends on `rho` alone.
    constant: f64,
}

impl MixtureBoundary {
    /// The boundary that is crossed with a probability of at most `alpha`, which is above 0 and at most 0.5. It is
    /// about as low as possible where the variance is `expected`, which is above 0. It holds for any `expected`, which
    /// must not depend on the deviations.
    ///
    /// The tuning is `best_rho` of confseq, proposition 3 of the paper for a one-sided boundary.
    pub fn new(alpha: f64, expected: f64) -> Self {
        let doubled = 2.0 * alpha.min(MAX_TUNING_ALPHA);
        let evidence = -2.0 * doubled.ln();
        let rho = expected / (evidence + evidence.ln_1p());
        let constant = 0.5 * rho.ln() - stirling_error(rho) - lower_gamma_at_shape(rho).ln();
        Self { evidence: -alpha.ln(), rho, constant }
    }

    /// The boundary at a variance of at least 0. The boundary is in units of the scale, the variance in squared units.
    pub fn at_variance(&self, variance: f64) -> f64 {
        let shape = variance + self.rho;
        // The logarithm of the mixture is convex, so Newton's method descends to the root from above it.
        let mut sum = (2.0 * shape * (self.evidence + 0.5 * (shape / self.rho).ln())).sqrt();
        while self.log_mixture(sum, shape).0 < self.evidence {
            sum *= 2.0;
        }
        for _ in 0..MAX_STEPS {
            let (value, slope) = self.log_mixture(sum, shape);
            let next = sum - (value - self.evidence) / slope;
            if next >= sum || next.is_nan() {
                break;
            }
            sum = next;
        }
        sum
    }

    /// The logarithm of the mixture at a sum of deviations, at least 0, and its derivative. `shape` is the variance
    /// plus `rho`.
    ///
    /// With x = `sum` + `shape`, the paper's formula has ln Gamma(shape) - shape ln x + x. This is written as shape *
    /// (u - ln(1 + u)) for u = `sum` / `shape`, and Stirling's formula for Gamma, so that nothing cancels where the
    /// variance is large.
    fn log_mixture(&self, sum: f64, shape: f64) -> (f64, f64) {
        let ratio = sum / shape;
        let exponent = shape * log_excess(ratio);
        let error = stirling_error(shape);
        let density = (0.5 * (shape / std::f64::consts::TAU).ln() - exponent - error).exp();
        let upper = upper_gamma(shape, sum, density);
        let value = self.constant - 0.5 * shape.ln() + exponent + error + (-upper).ln_1p();
        let slope = ratio / (1.0 + ratio) + density / ((shape + sum) * (1.0 - upper));
        (value, slope)
    }
}

/// u - ln(1 + u) for u above -1, with the precision of a float also for small u.
fn log_excess(u: f64) -> f64 {
    if u > 0.01 {
        return u - u.ln_1p();
    }
    // u^2/2 - u^3/3 + u^4/4 - ...
    let (mut sum, mut power) = (0.0, u * u);
    for n in 2..12u32 {
        sum += power / f64::from(n);
        power *= -u;
    }
    sum
}

/// ln Gamma(`a`) minus Stirling's formula, (a - 1/2) ln a - a + ln(2 pi) / 2, for `a` above 0. M. Abramowitz, I. A.
/// Stegun, "Handbook of Mathematical Functions" (1964), 6.1.40; below 10 by the recurrence of Gamma.
fn stirling_error(a: f64) -> f64 {
    let (mut above, mut less) = (a, 0.0);
    while above < 10.0 {
        less += (above + 0.5) * (1.0 / above).ln_1p() - 1.0;
        above += 1.0;
    }
    let square = above * above;
    let series = 1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / square) / square) / square)
            / square;
    less + series / above
}

/// The regularized upper incomplete gamma function at the shape `a` and a + `beyond`, `beyond` at least 0. `density` is
/// x^a e^-x / Gamma(a) there. A continued fraction: Abramowitz and Stegun, 6.5.31, evaluated by W. J. Lentz,
/// "Generating Bessel functions in Mie scattering calculations using continued fractions", Applied Optics 15 (1976).
fn upper_gamma(a: f64, beyond: f64, density: f64) -> f64 {
    if density == 0.0 {
        return 0.0;
    }
    let mut denominator = beyond + 1.0;
    let mut numerators = 1.0 / f64::MIN_POSITIVE;
    let mut denominators = 1.0 / denominator;
    let mut value = denominators;
    for i in 1..MAX_TERMS {
        let i = f64::from(i);
        let term = i * (a - i);
        denominator += 2.0;
        let nonzero = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
        denominators = 1.0 / nonzero(denominator + term * denominators);
        numerators = nonzero(denominator + term / numerators);
        let factor = denominators * numerators;
        value *= factor;
        if (factor - 1.0).abs() < 2.0 * f64::EPSILON {
            break;
        }
    }
    density * value
}

/// The regularized lower incomplete gamma function where its argument equals its shape `a`, above 0, by its series:
/// Abramowitz and Stegun, 6.5.29.
fn lower_gamma_at_shape(a: f64) -> f64 {
    let density = (0.5 * (a / std::f64::consts::TAU).ln() - stirling_error(a)).exp();
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for i in 1..MAX_TERMS {
        term *= a / (a + f64::from(i));
        sum += term;
        if term < sum * NEGLIGIBLE {
            break;
        }
    }
    density * sum
}

#[cfg(test)]
mod tests;
