//! From what was counted of answers to how they lie to each other.
//!
//! Always holds: what is left out of a list is counted beside it.

use crate::build::disclosure::LEAST;
use crate::model::divergence::{Place, Said, Spread, Spreads, Step};
use understudy_engine::Outcome;
use understudy_statistics::scoring::{self, ErrorHistogram, BottomKCounts};

/// Answers that are listed of all pairs, and of a value of a condition.
const LISTED: usize = 1024;
/// Answers that are listed of a window.
const OF_WINDOW: usize = 5;
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
    let none = spreads.fold(model, |_| false);
    let told = |counted, listed| {
        let found = spread(counted, (listed, least), false);
        if pairs(&found) < least { spread(&none, (listed, least), false) } else { found }
    };
    Spreads {
        overall: spread(&spreads.fold(model, |_| true), (LISTED, least), true),
        conditions: shape
            .conditions
            .iter()
            .enumerate()
            .map(|(condition, values)| {
                let of = |value| told(spreads.for_value(condition, value, model), of_value);
                (0..*values).map(of).collect()
            })
            .collect(),
        windows: outcome
            .cells
            .iter()
            .map(|(window, _)| told(spreads.in_window(window, model).unwrap_or(&none), of_window))
            .collect(),
    }
}

/// How many pairs it is of.
fn pairs(spread: &Spread) -> u64 {
    match spread {
        Spread::Label { same, differing, .. } => same + differing,
        Spread::Number { answered, unanswered, .. } => answered + unanswered,
        Spread::Ranking { unanswered, absent, places, .. } => {
            unanswered + absent + places.iter().map(|place| place.pairs).sum::<u64>()
        }
    }
}

fn spread(counted: &scoring::AnswerDistribution, listed: (usize, u64), steps: bool) -> Spread {
    match counted {
        scoring::AnswerDistribution::Labels(matrix) => labels(matrix, listed),
        scoring::AnswerDistribution::Numbers(errors) => numbers(errors, steps),
        scoring::AnswerDistribution::Rankings(places) => Spread::Ranking {
            unanswered: places.unanswered,
            absent: places.absent,
            unranked: places.unranked,
            places: places
                .places
                .iter()
                .map(|(place, pairs)| Place { place: *place, pairs: *pairs })
                .collect(),
        },
    }
}

/// At most `listed` answers, of at least `least` pairs each.
fn labels(matrix: &BottomKCounts, (listed, least): (usize, u64)) -> Spread {
    let is_same = |said: &Said| said.model.as_ref() == Some(&said.substrate);
    let mut answers: Vec<Said> = said(matrix);
    let sum = |of: &[Said]| of.iter().map(|said| said.pairs).sum::<u64>();
    let (same, not_told_apart) = (matrix.agreeing(), matrix.other());
    let all = sum(&answers) + not_told_apart;
    answers.retain(|said| said.pairs >= least);
    match listed {
        OF_WINDOW => answers.retain(|said| !is_same(said)),
        _ => answers.sort_by_key(|said| !is_same(said)),
    }
    answers.truncate(listed);
    Spread::Label { same, differing: all - same, others: all - sum(&answers), not_told_apart, answers }
}

/// What was said, the commonest first.
pub fn said(matrix: &BottomKCounts) -> Vec<Said> {
    let listed = matrix.iter().map(|((model, substrate), pairs)| Said {
        model: model.clone(),
        substrate: substrate.clone(),
        pairs,
    });
    let mut listed: Vec<Said> = listed.collect();
    listed.sort_by_key(|said| std::cmp::Reverse(said.pairs));
    listed
}

fn numbers(errors: &ErrorHistogram, steps: bool) -> Spread {
    let answered = errors.count();
    let n = answered as f64;
    let mean = (answered > 0).then(|| errors.sum.value() / n);
    let at = [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| errors.quantile(share));
    Spread::Number {
        answered,
        unanswered: errors.unanswered,
        bias: mean.filter(|mean| mean.is_finite()),
        deviation: errors.standard_deviation(),
        quantiles: match at {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Some([a, b, c, d, e]),
            _ => None,
        },
        steps: if steps { histogram(errors) } else { Vec::new() },
    }
}

/// Steps of one round width that hold 95 % of the errors, and what is beyond at both ends. Where 95 % are no errors at all they hold
/// all of them; where all are none there is one step, of 0 alone.
fn histogram(errors: &ErrorHistogram) -> Vec<Step> {
    let reach = [0.95, 1.0].map(|share| errors.absolute_quantile(share));
    let Some(reach) = reach.into_iter().flatten().find(|reach| *reach > 0.0) else {
        let exact = Step { from: Some(0.0), to: Some(0.0), pairs: errors.count() };
        return if exact.pairs == 0 { Vec::new() } else { vec![exact] };
    };
    let width = round_up(reach.max(f64::MIN_POSITIVE) / f64::from(STEPS));
    let edges: Vec<f64> = (-(STEPS as i32)..=STEPS as i32).map(|step| f64::from(step) * width).collect();
    let (Some(&first), Some(&last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let inner = edges.windows(2).map(|edges| Step {
        from: Some(edges[0]),
        to: Some(edges[1]),
        pairs: errors.count_between(edges[0], edges[1]),
    });
    let below = Step { from: None, to: Some(first), pairs: errors.count_between(f64::NEG_INFINITY, first) };
    let above = Step { from: Some(last), to: None, pairs: errors.count_between(last, f64::INFINITY) };
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
        let mut matrix = BottomKCounts::default();
        let said = |model: &str, substrate: &str| (Some(model.to_owned()), substrate.to_owned());
        matrix.add(said("a", "a"), 50);
        matrix.add(said("b", "b"), 9);
        (0..7).for_each(|at| matrix.add(said("a", &format!("x{at}")), 10 + at));
        matrix.add((None, "a".to_owned()), 4);
        let Spread::Label { same, differing, answers, others, .. } = labels(&matrix, (OF_WINDOW, 1)) else {
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
        let Spread::Label { same, differing, answers, others, .. } = labels(&matrix, (0, LEAST)) else {
            panic!()
        };
        assert_eq!((same, differing, answers.len(), others), (59, 95, 0, 154));
    }

    #[test]
    fn a_histogram_holds_every_error_once() {
        let mut errors = ErrorHistogram::default();
        (-300..=1000).for_each(|error| errors.add(f64::from(error)));
        let steps = histogram(&errors);
        assert_eq!(steps.iter().map(|step| step.pairs).sum::<u64>(), 1301);
        assert_eq!(steps[1].to.unwrap() - steps[1].from.unwrap(), 100.0);
        let mut none = ErrorHistogram::default();
        none.unanswered = 3;
        assert_eq!(histogram(&none), []);
    }

    #[test]
    fn each_whole_error_stands_in_its_own_step() {
        let mut errors = ErrorHistogram::default();
        let many = |error: i32| 50 + (7 * error * error + error) % 40;
        (-9..10).for_each(|error| (0..many(error)).for_each(|_| errors.add(f64::from(error))));
        for step in histogram(&errors) {
            let (Some(from), Some(to)) = (step.from, step.to) else {
                assert_eq!(step.pairs, 0, "{step:?}");
                continue;
            };
            assert_eq!(to - from, 1.0);
            let expected = if from.abs() < 10.0 && from < 9.5 { many(from as i32) as u64 } else { 0 };
            assert_eq!(step.pairs, expected, "{step:?}");
        }
    }

    #[test]
    fn round_errors_stand_in_the_steps_that_they_begin() {
        let mut errors = ErrorHistogram::default();
        (-10..11).for_each(|error| (0..20 + error).for_each(|_| errors.add(f64::from(error) * 0.1)));
        let of = |at: i32| {
            let steps = histogram(&errors);
            let begins =
                |step: &&Step| step.from.is_some_and(|from| (from - f64::from(at) * 0.1).abs() < 1e-9);
            steps.iter().find(begins).map(|step| step.pairs)
        };
        for at in -10..11 {
            assert_eq!(of(at), Some((20 + at) as u64), "{at}");
        }
    }

    #[test]
    fn where_nearly_all_are_exact_the_steps_reach_what_is_not() {
        let mut errors = ErrorHistogram::default();
        (0..99).for_each(|_| errors.add(0.0));
        assert_eq!(histogram(&errors), [Step { from: Some(0.0), to: Some(0.0), pairs: 99 }]);
        errors.add(-11.0);
        let steps = histogram(&errors);
        let told: Vec<_> =
            steps.iter().filter(|step| step.pairs > 0).map(|step| (step.from, step.pairs)).collect();
        assert_eq!(told, [(Some(-11.0), 1), (Some(0.0), 99)]);
    }

    #[test]
    fn what_is_the_same_is_the_same_even_where_it_is_not_told_apart() {
        let mut matrix = BottomKCounts::default();
        (0..3000).for_each(|at| matrix.add((Some(format!("{at}")), format!("{at}")), 2));
        matrix.add((Some("x".to_owned()), "y".to_owned()), 5);
        let Spread::Label { same, differing, others, not_told_apart, .. } = labels(&matrix, (LISTED, 1))
        else {
            panic!()
        };
        assert_eq!((same, differing), (6000, 5));
        assert!(others == not_told_apart && not_told_apart > 3900, "{others} and {not_told_apart}");
    }

    #[test]
    fn round_widths() {
        for (width, round) in [(0.11, 0.2), (1.0, 1.0), (3.0, 5.0), (61.0, 100.0)] {
            assert!((round_up(width) - round).abs() < 1e-12, "{width}");
        }
    }
}
