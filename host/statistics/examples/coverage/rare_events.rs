//! The table `rare-events`: the exact bounds of a share against Wilson's, where few trials fail.
//!
//! The coverage of a bound of a binomial share is a sum over the possible numbers of hits, so it is computed and not
//! simulated.

use understudy_statistics::scoring::{Interval, binomial_tail, clopper_pearson, wilson};

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// Numbers of trials.
const TRIALS: [u64; 2] = [100, 1000];
/// The steps of the grid of true shares between two neighbouring numbers of expected failures.
const STEPS: u32 = 50;

/// A method for the bounds of a share: hits, trials, confidence.
type Method = fn(u64, u64, f64) -> Option<Interval>;

/// The table. Nothing is simulated, so the number of streams does not matter.
pub fn table(_streams: usize) -> String {
    let mut rows = Vec::new();
    for trials in TRIALS {
        for failures in 0..=2 {
            let bounds =
                |method: Method| method(trials - failures, trials, CONFIDENCE).expect("there are trials");
            let (old, new) = (bounds(wilson), bounds(clopper_pearson));
            rows.push(vec![
                format!("{failures} failures in {trials}"),
                format!("{:.5} to {:.5}", old.lower, old.upper),
                format!("{:.5} to {:.5}", new.lower, new.upper),
                format!("{:.2}", (new.upper - new.lower) / (old.upper - old.lower)),
            ]);
        }
    }
    let head = ["hits", "Wilson", "exact", "width, exact to Wilson"];
    let mut text = markdown::table(&head, &rows);
    text.push('\n');
    let rows: Vec<Vec<String>> = TRIALS
        .iter()
        .flat_map(|&trials| {
            [("Wilson", wilson as Method), ("exact", clopper_pearson)].map(|(name, method)| {
                let [lower, upper] = least_coverage(method, trials);
                vec![format!("{name}, {trials} trials"), format!("{lower:.3}"), format!("{upper:.3}")]
            })
        })
        .collect();
    text.push_str(&markdown::table(&["least coverage of a bound at 0.95", "lower", "upper"], &rows));
    text
}

/// The least coverage of the lower and of the upper bound over true shares with 0 to 10 expected failures.
fn least_coverage(method: Method, trials: u64) -> [f64; 2] {
    let bounds: Vec<Interval> =
        (0..=trials).map(|hits| method(hits, trials, CONFIDENCE).expect("there are trials")).collect();
    let mut least = [1.0f64; 2];
    for step in 1..=10 * STEPS {
        let share = 1.0 - f64::from(step) / f64::from(STEPS) / trials as f64;
        // The lower bounds grow with the hits: it holds for all numbers up to the last whose bound is not above.
        let holding = bounds.iter().filter(|bounds| bounds.lower <= share).count() as u64;
        let missing = bounds.iter().filter(|bounds| bounds.upper < share).count() as u64;
        let coverages = [1.0 - binomial_tail(holding, trials, share), binomial_tail(missing, trials, share)];
        for (least, coverage) in least.iter_mut().zip(coverages) {
            *least = least.min(coverage);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_bounds_hold_at_every_share_and_wilsons_do_not() {
        for trials in TRIALS {
            assert!(least_coverage(clopper_pearson, trials).iter().all(|&coverage| coverage >= CONFIDENCE));
            assert!(least_coverage(wilson, trials).iter().any(|&coverage| coverage < 0.9));
        }
    }
}
