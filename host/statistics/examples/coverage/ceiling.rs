//! The table `ceiling`: the intervals of the ceiling, and of a model's share of it, for a substrate whose noise is known.
//!
//! Every input class has answers with known probabilities, from which its decisions are drawn. So the agreement of the
//! substrate with itself is known, and that of the best model, which gives the most probable answer of each input
//! class.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use understudy_statistics::hash::{SplitMix64, splitmix64};
use understudy_statistics::scoring::{
    DecisionPairs, InputClassMean, InputClassPair, InputClassSample, Interval, SelfAgreementSums,
    WindowClock, input_class_capacity,
};
use understudy_statistics::verdict::CeilingShare;
use understudy_study::{Every, Windows};

use crate::markdown;

/// The confidence of each bound, so that an interval has 0.95.
const CONFIDENCE: f64 = 0.975;

/// The rooms of the hotel's input classes: for each input class with the same reserved room, segment and lead time, how
/// often each room was assigned. By `python3 tests/oracles/ceiling.py examples/hotel input_classes`.
const HOTEL: &str = include_str!("hotel_input_classes.txt");

/// Input class sizes of which a few are large: a third of the decisions is in 2 % of the input classes.
const FEW_LARGE: &[u64] = &[
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    4, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 10, 15, 80,
];

/// An input class: the probabilities of its answers, the usual one first, and the number of its decisions.
struct InputClass {
    answers: Vec<f64>,
    decisions: u64,
    /// The probability that the model fails all of its decisions.
    failing: f64,
    /// The probability that the model fails a decision otherwise.
    errors: f64,
}

impl InputClass {
    /// An input class whose usual answer the model always gives.
    fn new(answers: Vec<f64>, decisions: u64) -> InputClass {
        InputClass { answers, decisions, failing: 0.0, errors: 0.0 }
    }
}

/// A substrate with noise.
enum Substrate {
    /// Input classes with one usual answer. Noise and number of decisions are drawn for each input class.
    Drawn {
        /// The probabilities of the usual answer, all equally likely.
        usual: &'static [f64],
        /// The number of other answers, all equally likely.
        others: u64,
        /// The number of input classes.
        classes: u64,
        /// The numbers of decisions of an input class, all equally likely.
        sizes: &'static [u64],
        /// The probability that a decision repeats the one before it in its input class.
        repeats: f64,
    },
    /// Input classes that all have one answer. A model fails some of the large input classes as a whole.
    LargeClassesFail {
        /// The number of large input classes.
        large: u64,
        /// The number of decisions of each.
        size: u64,
        /// The probability that the model fails one of them.
        failing: f64,
        /// The number of input classes of two decisions.
        small: u64,
        /// The probability that the model fails one of their decisions.
        errors: f64,
    },
    /// The input classes of the hotel. The shares of the assigned rooms are the probabilities.
    Hotel,
}

use Substrate::{Drawn, Hotel, LargeClassesFail};

const SUBSTRATES: [(&str, Substrate); 12] = [
    (
        "90 % usual, pairs of decisions",
        Drawn { usual: &[0.9], others: 1, classes: 200, sizes: &[2], repeats: 0.0 },
    ),
    (
        "99 % usual, 2 to 6 decisions",
        Drawn { usual: &[0.99], others: 1, classes: 200, sizes: &[2, 3, 4, 5, 6], repeats: 0.0 },
    ),
    (
        "60 % usual, three others, 2 to 6 decisions",
        Drawn { usual: &[0.6], others: 3, classes: 200, sizes: &[2, 3, 4, 5, 6], repeats: 0.0 },
    ),
    (
        "half certain, half 70 % usual, 1 to 8 decisions",
        Drawn { usual: &[1.0, 0.7], others: 1, classes: 400, sizes: &[1, 2, 3, 4, 5, 6, 7, 8], repeats: 0.0 },
    ),
    (
        "95 % or 80 % usual, most decided once",
        Drawn { usual: &[0.95, 0.8], others: 2, classes: 1000, sizes: &[1, 1, 1, 2], repeats: 0.0 },
    ),
    (
        "95 % or 80 % usual, a few large input classes",
        Drawn { usual: &[0.95, 0.8], others: 1, classes: 400, sizes: FEW_LARGE, repeats: 0.0 },
    ),
    (
        "80 % usual, half of the decisions repeat",
        Drawn { usual: &[0.8], others: 1, classes: 200, sizes: &[2, 4, 8, 16], repeats: 0.5 },
    ),
    (
        "95 % or 80 % usual, more input classes than are kept",
        Drawn { usual: &[0.95, 0.8], others: 1, classes: 4000, sizes: &[1, 2, 3, 4], repeats: 0.0 },
    ),
    ("the hotel's 127 input classes", Hotel),
    (
        "no noise; a model fails 20 % of five input classes of 30, and 2 % of 500 of 2",
        LargeClassesFail { large: 5, size: 30, failing: 0.2, small: 500, errors: 0.02 },
    ),
    (
        "no noise; a model fails 25 % of four input classes of 100, and 2 % of 1,000 of 2",
        LargeClassesFail { large: 4, size: 100, failing: 0.25, small: 1000, errors: 0.02 },
    ),
    (
        "no noise; a model fails 1 % of 40 input classes of 25, and 2 % of 200 of 2",
        LargeClassesFail { large: 40, size: 25, failing: 0.01, small: 200, errors: 0.02 },
    ),
];

/// How often an interval holds, and its width.
#[derive(Default)]
struct Coverage {
    lower: u64,
    upper: u64,
    both: u64,
    width: f64,
}

impl Coverage {
    fn add(&mut self, bounds: Interval, truth: f64) {
        let (lower, upper) = (bounds.lower <= truth, truth <= bounds.upper);
        self.lower += u64::from(lower);
        self.upper += u64::from(upper);
        self.both += u64::from(lower && upper);
        self.width += bounds.upper - bounds.lower;
    }

    fn cells(&self, streams: usize) -> [String; 4] {
        let mean = |sum: f64| format!("{:.4}", sum / streams as f64);
        [mean(self.lower as f64), mean(self.upper as f64), mean(self.both as f64), mean(self.width)]
    }
}

/// The table, from a number of streams for each substrate.
pub fn table(streams: usize) -> String {
    let mut rows = Vec::new();
    for (name, substrate) in &SUBSTRATES {
        let (ceiling, best) = substrate.truth();
        let (mut of_ceiling, mut of_share) = (Coverage::default(), Coverage::default());
        let mut best_within = 0;
        for seed in 0..streams as u64 {
            let (sample, agreement) = substrate.sample(seed, best);
            let bounds = ceiling_bounds(&sample);
            of_ceiling.add(bounds, ceiling);
            best_within += u64::from(best <= bounds.upper);
            let share = CeilingShare::estimate(&sample, 0, CONFIDENCE);
            of_share.add(share.interval.expect("the input classes are enough"), agreement / ceiling);
        }
        let best_within = format!("{:.4}", best_within as f64 / streams as f64);
        let mut row = vec![(*name).to_owned(), format!("{ceiling:.4}"), format!("{best:.4}")];
        row.extend(of_ceiling.cells(streams));
        row.push(best_within);
        let [.., both, width] = of_share.cells(streams);
        row.extend([both, width]);
        rows.push(row);
    }
    let head = [
        "substrate",
        "ceiling",
        "best model",
        "lower holds",
        "upper holds",
        "both hold",
        "width",
        "best below upper",
        "share holds",
        "share width",
    ];
    markdown::table(&head, &rows)
}

/// The interval of the ceiling.
fn ceiling_bounds(sample: &InputClassSample) -> Interval {
    let own = InputClassMean::self_agreement(sample, DecisionPairs::All, CONFIDENCE);
    own.ceiling().interval.expect("the input classes are enough")
}

impl Substrate {
    /// The input classes of a stream. `share` draws a number from 0 to 1.
    fn classes(&self, share: &mut impl FnMut() -> f64) -> Vec<InputClass> {
        match *self {
            Drawn { usual, others, classes, sizes, .. } => {
                let mut class = |_| {
                    let usual = usual[(share() * usual.len() as f64) as usize];
                    let decisions = sizes[(share() * sizes.len() as f64) as usize];
                    InputClass::new(answers(usual, others), decisions)
                };
                (0..classes).map(&mut class).collect()
            }
            LargeClassesFail { large, size, failing, small, errors } => {
                let of_large = (0..large).map(|_| InputClass { failing, ..InputClass::new(vec![1.0], size) });
                let of_small = (0..small).map(|_| InputClass { errors, ..InputClass::new(vec![1.0], 2) });
                of_large.chain(of_small).collect()
            }
            Hotel => {
                let class = |line: &str| {
                    let counts: Vec<u64> =
                        line.split(' ').map(|count| count.parse().expect("a count")).collect();
                    let decisions = counts.iter().sum();
                    InputClass::new(counts.iter().map(|&n| n as f64 / decisions as f64).collect(), decisions)
                };
                HOTEL.lines().map(class).collect()
            }
        }
    }

    /// The ceiling, and the expected agreement of the model, over the input classes that are decided at least twice.
    fn truth(&self) -> (f64, f64) {
        let (classes, repeats) = match *self {
            Drawn { usual, others, sizes, repeats, .. } => {
                let of_size =
                    |&decisions| usual.iter().map(move |&p| InputClass::new(answers(p, others), decisions));
                (sizes.iter().flat_map(of_size).collect(), repeats)
            }
            Hotel | LargeClassesFail { .. } => (self.classes(&mut || 0.0), 0.0),
        };
        let (mut own, mut best, mut all) = (0.0, 0.0, 0.0);
        for InputClass { answers, decisions, failing, errors } in
            classes.iter().filter(|class| class.decisions > 1)
        {
            let weight = *decisions as f64;
            let equal: f64 = answers.iter().map(|p| p * p).sum();
            // Two decisions with k - 1 between them are copies of each other with the probability repeats^k.
            let pairs = weight * (weight - 1.0) / 2.0;
            let copies: f64 =
                (1..*decisions).map(|k| (decisions - k) as f64 * repeats.powi(k as i32)).sum::<f64>() / pairs;
            own += weight * (copies + (1.0 - copies) * equal);
            best += weight * answers.iter().copied().fold(0.0, f64::max) * (1.0 - failing) * (1.0 - errors);
            all += weight;
        }
        ((own / all).sqrt(), best / all)
    }

    /// The input classes of one stream of decisions, beside a model that gives the usual answer of each input class unless it fails, and the
    /// expected agreement of the model in these input classes. That is `expected`, but for a model that fails whole input classes: it
    /// depends on which of them it fails.
    fn sample(&self, seed: u64, expected: f64) -> (InputClassSample, f64) {
        let windows = Windows { every: Every::Week, week_ends: Weekday::Sunday };
        let window = WindowClock::new(windows, TimeZone::UTC).window(0);
        let mut random = SplitMix64::new(splitmix64(seed));
        let mut share = || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let repeats = if let Drawn { repeats, .. } = self { *repeats } else { 0.0 };
        let classes = self.classes(&mut share);
        let mut sums = SelfAgreementSums::default();
        let (mut agreement, mut all) = (0.0, 0.0);
        for (number, class) in (0..).zip(&classes) {
            let hash = splitmix64(splitmix64(seed) ^ number);
            let fails = class.failing > 0.0 && share() < class.failing;
            all += class.decisions as f64;
            agreement += if fails { 0.0 } else { class.decisions as f64 * (1.0 - class.errors) };
            let mut answer = None;
            for _ in 0..class.decisions {
                let repeated = answer.filter(|_| repeats > 0.0 && share() < repeats);
                let own = repeated.unwrap_or_else(|| draw(&class.answers, share()));
                answer = Some(own);
                let errs = class.errors > 0.0 && share() < class.errors;
                let equal = &[own == 0 && !fails && !errs];
                let pair =
                    InputClassPair { window, scopes: &[0], class: hash, answer: own, rater: None, equal };
                sums.add(&pair, input_class_capacity(windows.every));
            }
        }
        let agreement = if let LargeClassesFail { .. } = self { agreement / all } else { expected };
        (sums.classes(&[window], 0), agreement)
    }
}

/// The probabilities of the answers of an input class.
fn answers(usual: f64, others: u64) -> Vec<f64> {
    let other = (1.0 - usual) / others as f64;
    std::iter::once(usual).chain((0..others).map(|_| other)).collect()
}

/// The answer at a place from 0 to 1 among answers with these probabilities.
fn draw(answers: &[f64], mut place: f64) -> u64 {
    let found = answers.iter().position(|probability| {
        place -= probability;
        place < 0.0
    });
    found.unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_of_a_substrate_follows_from_its_probabilities() {
        let (ceiling, best) = SUBSTRATES[0].1.truth();
        assert!((ceiling - 0.82f64.sqrt()).abs() < 1e-12 && (best - 0.9).abs() < 1e-12);
        let (ceiling, best) = SUBSTRATES[3].1.truth();
        assert!((ceiling - ((1.0 + 0.58) / 2.0f64).sqrt()).abs() < 1e-12 && (best - 0.85).abs() < 1e-12);
        let (ceiling, best) = Hotel.truth();
        assert!(best < ceiling && ceiling < 0.83, "{best} {ceiling}");
        // Of two decisions, the second repeats the first with the probability 0.5.
        let pairs = Drawn { usual: &[0.8], others: 1, classes: 1, sizes: &[2], repeats: 0.5 };
        assert!((pairs.truth().0 - (0.5 + 0.5 * 0.68f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn intervals_hold_for_95_percent_of_the_seeds() {
        for (name, substrate) in SUBSTRATES.iter().filter(|(_, substrate)| !matches!(substrate, Hotel)) {
            let (ceiling, _) = substrate.truth();
            let holds = |seed: &u64| {
                let bounds = ceiling_bounds(&substrate.sample(*seed, 0.0).0);
                bounds.lower <= ceiling && ceiling <= bounds.upper
            };
            let within = (0..1_000u64).filter(holds).count();
            assert!(within >= 950, "{name}: {within}");
        }
    }
}
