//! Finds the root of an increasing function.

/// The relative width of a bracket at which the search ends.
const PRECISION: f64 = 1e-14;
/// The maximum number of steps; a bound takes about 20.
const MAX_STEPS: usize = 200;

/// The root of an increasing function between `low` and `high`, found fastest near `high`. The function is negative at
/// `low`, which is at least 0. If it is negative at `high`, too, the result is `high`.
///
/// This is the method of false position in the form of M. Dowell, P. Jarratt, "A modified regula falsi method for computing
/// the root of an equation", BIT 11 (1971).
pub(super) fn increasing_root(mut function: impl FnMut(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut low, mut below) = (low, function(low));
    let (mut high, mut above) = (high, function(high));
    let mut is_low_replaced = None;
    for _ in 0..MAX_STEPS {
        let guess = low + (high - low) * below / (below - above);
        let middle = if guess > low && guess < high { guess } else { f64::midpoint(low, high) };
        if high - low <= PRECISION * high {
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

#[cfg(test)]
mod tests {
    use super::super::tests::assert_close;
    use super::*;

    /// The root between 0 and `high`, and the number of evaluations.
    fn root(function: impl Fn(f64) -> f64, high: f64) -> (f64, u32) {
        let mut evaluations = 0;
        let counted = |x: f64| {
            evaluations += 1;
            function(x)
        };
        (increasing_root(counted, 0.0, high), evaluations)
    }

    #[test]
    fn roots_take_few_evaluations() {
        // Half an interval at a time would take 50.
        let (found, evaluations) = root(|x| (x.powi(40) / 0.05).max(1e-300).ln(), 0.99);
        assert_close(found, 0.05f64.powf(1.0 / 40.0));
        assert!(evaluations <= 14, "{evaluations}");
        let (found, evaluations) = root(|x| x * x - 2.0, 3.0);
        assert_close(found, 2f64.sqrt());
        assert!(evaluations <= 13, "{evaluations}");
        let (found, evaluations) = root(|x| x.exp() - 1.5, 0.5);
        assert_close(found, 1.5f64.ln());
        assert!(evaluations <= 25, "{evaluations}");
    }

    #[test]
    fn a_jump_is_found_where_one_value_is_negligible() {
        let jump = |x: f64| if x < 0.5 { -1e-30 } else { 1e30 };
        assert_close(increasing_root(jump, 0.1, 1.0), 0.5);
        let jump = |x: f64| if x < 0.5 { -1e30 } else { 1e-30 };
        assert_close(increasing_root(jump, 0.1, 1.0), 0.5);
    }

    #[test]
    fn the_root_is_not_beyond_the_greatest_argument() {
        assert_close(increasing_root(|x| x - 2.0, 0.0, 1.0), 1.0);
    }
}
