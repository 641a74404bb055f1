//! Finds the root of an increasing function.

/// The relative width of a bracket at which the search ends.
const PRECISION: f64 = 1e-14;
/// The maximum number of steps; a bound takes about 20.
const MAX_STEPS: usize = 200;

/// The root of an increasing function that is negative at `low` and expected between `low` and `guess`. If the function is
/// negative at `guess`, too, the root is between `guess` and 1.
///
/// This is the method of false position in the form of M. Dowell, P. Jarratt, "A modified regula falsi method for computing
/// the root of an equation", BIT 11 (1971).
pub(super) fn increasing_root(mut function: impl FnMut(f64) -> f64, low: f64, guess: f64) -> f64 {
    let (mut low, mut below) = (low, function(low));
    let (mut high, mut above) = (guess, function(guess));
    if above < 0.0 {
        (low, below, high, above) = (guess, above, 1.0, function(1.0));
    }
    let mut is_low_replaced = None;
    for _ in 0..MAX_STEPS {
        let guess = low + (high - low) * below / (below - above);
        let middle = if guess > low && guess < high { guess } else { f64::midpoint(low, high) };
        if middle <= low || middle >= high || high - low <= PRECISION * high {
            break;
        }
        let value = function(middle);
        let is_low = value < 0.0;
        if is_low {
            (low, below) = (middle, value);
        } else {
            (high, above) = (middle, value);
        }
        // An end that is kept twice counts half, so that both ends approach the root.
        if is_low_replaced == Some(is_low) {
            if is_low { above /= 2.0 } else { below /= 2.0 }
        }
        is_low_replaced = Some(is_low);
    }
    low
}
