//! From what was counted of answers to how they lie to each other.
//!
//! Always holds: what is left out of a list is counted beside it.

use crate::report::parting::{Place, Said, Spread, Spreads, Step};
use crate::run::Outcome;
use crate::scoring::{self, Errors, Matrix};

/// Answers that are listed of all pairs, and of a value of a condition.
const LISTED: usize = 1024;
/// Answers that are listed of a window.
const OF_WINDOW: usize = 5;
/// Pairs that an answer has at least so that it is listed before the run has ended.
const LEAST: u64 = 5;
/// Steps of errors on each side of 0 that are told apart; what is beyond is taken together.
const STEPS: u32 = 12;

/// How a model's answers lie to the substrate's.
pub fn spreads(outcome: &Outcome, model: usize) -> Spreads {
    let spreads = &outcome.spreads;
    let shape = outcome.cells.shape();
    // Before the end, what few pairs have in common could tell of one that is still to be decided.
    let (least, of_value, of_window) = match outcome.end.is_final() {
        true => (1, LISTED, OF_WINDOW),
        false => (LEAST, 0, 0),
    };
    Spreads {
        overall: spread(&spreads.fold(model, |_| true), (LISTED, least), true),
        conditions: shape
            .conditions
            .iter()
            .enumerate()
            .map(|(condition, values)| {
                let of = |value| spread(spreads.of_value(condition, value, model), (of_value, least), false);
                (0..*values).map(of).collect()
            })
            .collect(),
        windows: outcome
            .cells
            .iter()
            .map(|(window, _)| {
                spread(&spreads.fold(model, |known| known == window), (of_window, least), false)
            })
            .collect(),
    }
}

fn spread(counted: &scoring::Spread, listed: (usize, u64), steps: bool) -> Spread {
    match counted {
        scoring::Spread::Labels(matrix) => labels(matrix, listed),
        scoring::Spread::Numbers(errors) => numbers(errors, steps),
        scoring::Spread::Rankings(places) => Spread::Ranking {
            unanswered: places.unanswered,
            absent: places.absent,
            places: places
                .places
                .iter()
                .map(|(place, pairs)| Place { place: *place, pairs: *pairs })
                .collect(),
        },
    }
}

/// At most `listed` answers, of at least `least` pairs each.
fn labels(matrix: &Matrix, (listed, least): (usize, u64)) -> Spread {
    let is_same = |said: &Said| said.model.as_ref() == Some(&said.substrate);
    let mut answers: Vec<Said> = said(matrix);
    let sum = |of: &[Said]| of.iter().map(|said| said.pairs).sum::<u64>();
    let same = sum(&answers.iter().filter(|said| is_same(said)).cloned().collect::<Vec<_>>());
    let all = sum(&answers) + matrix.beyond();
    answers.retain(|said| said.pairs >= least);
    match listed {
        OF_WINDOW => answers.retain(|said| !is_same(said)),
        _ => answers.sort_by_key(|said| !is_same(said)),
    }
    answers.truncate(listed);
    Spread::Label { same, differing: all - same, others: all - sum(&answers), answers }
}

/// What was said, the commonest first.
pub fn said(matrix: &Matrix) -> Vec<Said> {
    let listed = matrix.iter().map(|((model, substrate), pairs)| Said {
        model: model.clone(),
        substrate: substrate.clone(),
        pairs,
    });
    let mut listed: Vec<Said> = listed.collect();
    listed.sort_by_key(|said| std::cmp::Reverse(said.pairs));
    listed
}

fn numbers(errors: &Errors, steps: bool) -> Spread {
    let answered = errors.count();
    let n = answered as f64;
    let mean = (answered > 0).then(|| errors.sum.value() / n);
    let variance =
        mean.filter(|_| answered > 1).map(|mean| (errors.squares.value() / n - mean * mean) * n / (n - 1.0));
    let at = [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| errors.quantile(share));
    Spread::Number {
        answered,
        unanswered: errors.unanswered,
        bias: mean.filter(|mean| mean.is_finite()),
        deviation: variance
            .map(|variance| variance.max(0.0).sqrt())
            .filter(|deviation| deviation.is_finite()),
        quantiles: match at {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Some([a, b, c, d, e]),
            _ => None,
        },
        steps: if steps { histogram(errors) } else { Vec::new() },
    }
}

/// Steps of one round width that hold 95 % of the errors, and what is beyond at both ends.
fn histogram(errors: &Errors) -> Vec<Step> {
    let Some(reach) = errors.distance(0.95) else { return Vec::new() };
    let width = round_up(reach.max(f64::MIN_POSITIVE) / f64::from(STEPS));
    let edges: Vec<f64> = (-(STEPS as i32)..=STEPS as i32).map(|step| f64::from(step) * width).collect();
    let (Some(&first), Some(&last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let inner = edges.windows(2).map(|edges| Step {
        from: Some(edges[0]),
        to: Some(edges[1]),
        pairs: errors.between(edges[0], edges[1]),
    });
    let below = Step { from: None, to: Some(first), pairs: errors.between(f64::NEG_INFINITY, first) };
    let above = Step { from: Some(last), to: None, pairs: errors.between(last, f64::INFINITY) };
    std::iter::once(below).chain(inner).chain([above]).collect()
}

/// The least of 1, 2, 5, 10 and so on that is not below `width`.
fn round_up(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|round| *round >= width)
        .unwrap_or(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_listed_with_what_is_left_out() {
        let mut matrix = Matrix::default();
        let said = |model: &str, substrate: &str| (Some(model.to_owned()), substrate.to_owned());
        matrix.add(said("a", "a"), 50);
        matrix.add(said("b", "b"), 9);
        (0..7).for_each(|at| matrix.add(said("a", &format!("x{at}")), 10 + at));
        matrix.add((None, "a".to_owned()), 4);
        let Spread::Label { same, differing, answers, others } = labels(&matrix, (OF_WINDOW, 1)) else {
            panic!()
        };
        assert_eq!((same, differing, answers.len()), (59, 95, 5));
        assert_eq!((answers[0].substrate.as_str(), answers[0].pairs), ("x6", 16));
        assert_eq!(others, 154 - answers.iter().map(|said| said.pairs).sum::<u64>());
        let Spread::Label { answers, others, .. } = labels(&matrix, (LISTED, 1)) else { panic!() };
        assert_eq!((answers.len(), others), (10, 0));
        assert_eq!((answers[0].pairs, answers[1].pairs, answers[2].pairs), (50, 9, 16));
        let Spread::Label { same, answers, others, .. } = labels(&matrix, (LISTED, LEAST)) else { panic!() };
        assert_eq!((same, answers.len(), others), (59, 9, 4));
        let Spread::Label { same, differing, answers, others } = labels(&matrix, (0, LEAST)) else {
            panic!()
        };
        assert_eq!((same, differing, answers.len(), others), (59, 95, 0, 154));
    }

    #[test]
    fn a_histogram_holds_every_error_once() {
        let mut errors = Errors::default();
        (-300..=1000).for_each(|error| errors.add(f64::from(error)));
        let steps = histogram(&errors);
        assert_eq!(steps.iter().map(|step| step.pairs).sum::<u64>(), 1301);
        assert_eq!(steps[1].to.unwrap() - steps[1].from.unwrap(), 100.0);
        let mut none = Errors::default();
        none.unanswered = 3;
        assert_eq!(histogram(&none), []);
        let mut exact = Errors::default();
        exact.add(0.0);
        assert_eq!(histogram(&exact).iter().map(|step| step.pairs).sum::<u64>(), 1);
    }

    #[test]
    fn round_widths() {
        for (width, round) in [(0.11, 0.2), (1.0, 1.0), (3.0, 5.0), (61.0, 100.0)] {
            assert!((round_up(width) - round).abs() < 1e-12, "{width}");
        }
    }
}
