//! The table `ceiling`: the interval of the ceiling for a substrate whose noise is known.
//!
//! Every case has answers with known probabilities, from which decisions are drawn. So the agreement of the substrate with
//! itself is known, and that of the best model, which gives the most probable answer.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use understudy_statistics::hash::{SplitMix64, splitmix64};
use understudy_statistics::scoring::{
    CaseMean, CasePair, DecisionPairs, SelfAgreementSums, WindowClock, case_capacity,
};
use understudy_study::{Every, Windows};

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.975;

/// The rooms of the hotel's cases: for each case with the same reserved room, segment and lead time, how often each room was
/// assigned. By `python3 tests/oracles/ceiling.py examples/hotel cases`.
const HOTEL: &str = include_str!("hotel_cases.txt");

/// A case: the number of its decisions, and the probabilities of its answers.
struct Case {
    decisions: u64,
    answers: Vec<f64>,
}

/// A substrate with noise.
enum Substrate {
    /// Cases with one usual answer. Noise and number of decisions are drawn for each case.
    Drawn {
        /// The probabilities of the usual answer, all equally likely.
        usual: &'static [f64],
        /// The number of other answers, all equally likely.
        others: u64,
        /// The number of cases.
        cases: u64,
        /// The least and the greatest number of decisions in a case, all numbers between equally likely.
        decisions: (u64, u64),
    },
    /// The cases of the hotel. The shares of the assigned rooms are the probabilities.
    Hotel,
}

use Substrate::{Drawn, Hotel};

const SUBSTRATES: [(&str, Substrate); 7] = [
    ("90 % usual, one other", Drawn { usual: &[0.9], others: 1, cases: 200, decisions: (2, 2) }),
    ("99 % usual, one other", Drawn { usual: &[0.99], others: 1, cases: 200, decisions: (2, 6) }),
    ("60 % usual, three others", Drawn { usual: &[0.6], others: 3, cases: 200, decisions: (2, 6) }),
    ("half certain, half 70 %", Drawn { usual: &[1.0, 0.7], others: 1, cases: 400, decisions: (1, 8) }),
    ("many single decisions", Drawn { usual: &[0.95, 0.8], others: 2, cases: 1000, decisions: (1, 2) }),
    ("more cases than are kept", Drawn { usual: &[0.95, 0.8], others: 1, cases: 4000, decisions: (1, 4) }),
    ("the hotel's cases", Hotel),
];

/// The table, from a number of streams for each substrate.
pub fn table(streams: usize) -> String {
    let rows = SUBSTRATES.iter().map(|(name, substrate)| {
        let (ceiling, best) = substrate.truth();
        let (mut within, mut best_below, mut sum, mut width) = (0.0, 0.0, 0.0, 0.0);
        for seed in 0..streams as u64 {
            let found = substrate.stream(seed);
            let (Some(value), Some(bounds)) = (found.value, found.interval) else { continue };
            within += f64::from(bounds.lower <= ceiling && ceiling <= bounds.upper);
            best_below += f64::from(best <= bounds.upper);
            sum += value;
            width += bounds.upper - bounds.lower;
        }
        let mean = |sum: f64| format!("{:.4}", sum / streams as f64);
        vec![
            (*name).to_owned(),
            format!("{ceiling:.4}"),
            mean(sum),
            mean(within),
            mean(width),
            format!("{best:.4}"),
            mean(best_below),
        ]
    });
    let head = [
        "substrate",
        "true ceiling",
        "mean estimate",
        "within the interval at 0.95",
        "mean width",
        "best model",
        "best model not above the upper bound",
    ];
    markdown::table(&head, &rows.collect::<Vec<_>>())
}

impl Substrate {
    /// The cases of a stream.
    fn cases(&self, share: &mut impl FnMut() -> f64) -> Vec<Case> {
        match *self {
            Drawn { usual, others, cases, decisions: (least, greatest) } => {
                let mut case = |_| {
                    let usual = usual[(share() * usual.len() as f64) as usize];
                    let decisions = least + (share() * (greatest - least + 1) as f64) as u64;
                    let other = (1.0 - usual) / others as f64;
                    let answers = std::iter::once(usual).chain((0..others).map(|_| other));
                    Case { decisions, answers: answers.collect() }
                };
                (0..cases).map(&mut case).collect()
            }
            Hotel => {
                let case = |line: &str| {
                    let counts: Vec<u64> =
                        line.split(' ').map(|count| count.parse().expect("a count")).collect();
                    let decisions = counts.iter().sum();
                    Case { decisions, answers: counts.iter().map(|&n| n as f64 / decisions as f64).collect() }
                };
                HOTEL.lines().map(case).collect()
            }
        }
    }

    /// The ceiling, and the agreement of the best model.
    fn truth(&self) -> (f64, f64) {
        let equal = |answers: &[f64]| answers.iter().map(|p| p * p).sum::<f64>();
        let best = |answers: &[f64]| answers.iter().copied().fold(0.0, f64::max);
        match *self {
            // The number of decisions does not depend on the noise.
            Drawn { usual, others, .. } => {
                let number = usual.len() as f64;
                let own = |usual: f64| usual * usual + (1.0 - usual).powi(2) / others as f64;
                let mean = usual.iter().map(|&usual| own(usual)).sum::<f64>() / number;
                (mean.sqrt(), usual.iter().sum::<f64>() / number)
            }
            Hotel => {
                let cases = self.cases(&mut || 0.0);
                let decisions: u64 = cases.iter().map(|case| case.decisions).sum();
                let mean = |of: &dyn Fn(&[f64]) -> f64| {
                    let sum: f64 = cases.iter().map(|case| case.decisions as f64 * of(&case.answers)).sum();
                    sum / decisions as f64
                };
                (mean(&equal).sqrt(), mean(&best))
            }
        }
    }

    /// The ceiling that one stream of decisions gives.
    fn stream(&self, seed: u64) -> CaseMean {
        let windows = Windows { every: Every::Week, week_ends: Weekday::Sunday };
        let window = WindowClock::new(windows, TimeZone::UTC).window(0);
        let mut random = SplitMix64::new(splitmix64(seed));
        let mut share = || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let cases = self.cases(&mut share);
        let mut sums = SelfAgreementSums::default();
        for (number, case) in (0..).zip(&cases) {
            let hash = splitmix64(splitmix64(seed) ^ number);
            for _ in 0..case.decisions {
                let mut rest = share();
                let answer = case.answers.iter().position(|probability| {
                    rest -= probability;
                    rest < 0.0
                });
                let answer = answer.unwrap_or(0) as u64;
                let equal = &[answer == 0];
                let pair = CasePair { window, scopes: &[0], case: hash, answer, rater: None, equal };
                sums.add(&pair, case_capacity(windows.every));
            }
        }
        CaseMean::self_agreement(&sums.cases(&[window], 0), DecisionPairs::All, CONFIDENCE).ceiling()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_of_a_substrate_follows_from_its_probabilities() {
        let (ceiling, best) = SUBSTRATES[0].1.truth();
        assert!((ceiling - 0.82f64.sqrt()).abs() < 1e-12 && best == 0.9);
        let (ceiling, best) = SUBSTRATES[3].1.truth();
        assert!((ceiling - ((1.0 + 0.58) / 2.0f64).sqrt()).abs() < 1e-12 && (best - 0.85).abs() < 1e-12);
        let (ceiling, best) = Hotel.truth();
        assert!(best < ceiling && ceiling < 0.83, "{best} {ceiling}");
    }

    #[test]
    fn intervals_hold_in_95_of_100_streams() {
        // 380 of 400 are expected at least, with a standard deviation of 4.4.
        for (name, substrate) in &SUBSTRATES[..2] {
            let (ceiling, _) = substrate.truth();
            let holds = |seed: &u64| {
                let bounds = substrate.stream(*seed).interval.expect("there are enough cases");
                bounds.lower <= ceiling && ceiling <= bounds.upper
            };
            let within = (0..400u64).filter(holds).count();
            assert!(within >= 371, "{name}: {within}");
        }
    }
}
