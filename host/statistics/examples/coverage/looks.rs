//! The table `looks`: confidence sequences that are examined after every window, on streams whose mean is known and drifts.
//!
//! Invariant: all methods see the same streams.
//!
//! The true average at a look is the mean of the true means of all scores so far. A bound holds in a stream if it holds
//! at every look.

use fastrand::Rng;
use understudy_statistics::scoring::{
    ConfidenceSequence, Interval, ScoreBlock, SequenceTuning, WindowSequence,
};

use crate::hotel_weeks::{Week, hotel_weeks};
use crate::markdown;
use crate::weighted_sequence::WeightedSequence;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The declared bound of the threshold: the guess of the mean.
const BOUND: f64 = 0.85;
/// The declared least number of scores in a window, for which sequences are tuned.
const LEAST: u64 = 100;
/// The number of clusters that persist over windows.
const CLUSTERS: u64 = 10;
/// The numbers of windows after which the table has the mean width.
const LOOKS: [usize; 3] = [4, 13, 62];

/// The scores of a window: their number, hits, and the mean that they are drawn with.
struct ScoredWindow {
    n: u64,
    hits: u64,
    mean: f64,
}

/// The mean share of hits in a window, from its number.
type Drift = fn(usize) -> f64;

/// A method: its name in the table, and a sequence without windows.
type Method = (&'static str, fn() -> Box<dyn Sequence>);

/// Streams with the sizes of the hotel's weeks.
const DRIFTS: [(&str, Drift); 4] = [
    ("constant", |_| 0.85),
    ("linear drift", |window| 0.95 - 0.005 * window as f64),
    ("sudden step", |window| if window < 20 { 0.9 } else { 0.6 }),
    ("weekly seasons", |window| if window % 7 < 5 { 0.9 } else { 0.65 }),
];

/// The results of a method over many streams.
#[derive(Default)]
struct Tally {
    streams: usize,
    /// The streams at each of whose looks the lower bound, and the upper bound, held.
    held: [usize; 2],
    /// The streams whose average was outside of its own interval at a look.
    outside: usize,
    /// The sums of the widths at [`LOOKS`].
    widths: [f64; LOOKS.len()],
}

/// A method fed with windows: the interval after each, given the average so far.
trait Sequence {
    fn push(&mut self, block: ScoreBlock);
    fn interval(&self, average: f64) -> Interval;
}

impl Sequence for WeightedSequence {
    fn push(&mut self, block: ScoreBlock) {
        self.push(block);
    }
    fn interval(&self, _: f64) -> Interval {
        self.interval()
    }
}

impl Sequence for ConfidenceSequence {
    fn push(&mut self, block: ScoreBlock) {
        self.push(block);
    }
    fn interval(&self, average: f64) -> Interval {
        self.interval(average)
    }
}

impl Sequence for WindowSequence {
    fn push(&mut self, block: ScoreBlock) {
        self.push(block);
    }
    fn interval(&self, average: f64) -> Interval {
        self.interval(average)
    }
}

/// The method for scores that are weighted by bets.
fn weighted() -> Box<dyn Sequence> {
    Box::new(WeightedSequence::new(CONFIDENCE, LEAST))
}

/// The method for the running average over pairs.
fn pairs() -> Box<dyn Sequence> {
    Box::new(ConfidenceSequence::new(1.0 - CONFIDENCE, tuning(LEAST)))
}

/// The method for the running average over windows.
fn windows() -> Box<dyn Sequence> {
    Box::new(WindowSequence::new(1.0 - CONFIDENCE, tuning(1), LEAST))
}

fn tuning(observations: u64) -> SequenceTuning {
    SequenceTuning { range: (0.0, 1.0), mean: BOUND, observations }
}

/// The table from a number of streams of each kind.
pub fn table(streams: usize) -> String {
    let mut rng = Rng::with_seed(15);
    let weeks = hotel_weeks();
    let size = |window: usize| weeks[window].bookings;
    let methods: [Method; 2] = [("weighted", weighted), ("average over pairs", pairs)];
    let mut rows = Vec::new();
    let mut add = |stream: &str, methods: &[Method], draw: &mut dyn FnMut() -> Vec<ScoredWindow>| {
        let mut tallies: Vec<Tally> = methods.iter().map(|_| Tally::default()).collect();
        for _ in 0..streams {
            let stream = draw();
            for (tally, (_, method)) in tallies.iter_mut().zip(methods) {
                tally.add(&mut *method(), &stream);
            }
        }
        rows.extend(
            tallies.iter().zip(methods).map(|(tally, (name, _))| tally.row(&format!("{stream}, {name}"))),
        );
    };
    for (name, drift) in DRIFTS {
        add(name, &methods, &mut || {
            (0..weeks.len()).map(|window| score(&mut rng, size(window), drift(window))).collect()
        });
    }
    add("hotel's weeks in order", &methods, &mut || {
        weeks.iter().map(|week| score(&mut rng, week.bookings, week.share())).collect()
    });
    add("hotel's weeks drawn", &methods, &mut || {
        let draw = |_: &Week| {
            let week = weeks[rng.usize(..weeks.len())];
            score(&mut rng, week.bookings, week.share())
        };
        weeks.iter().map(draw).collect()
    });
    let methods: [Method; 2] = [("weighted", weighted), ("average over windows", windows)];
    for (name, drift) in DRIFTS {
        let name = if name == "constant" {
            "dependent pairs".to_owned()
        } else {
            format!("dependent pairs, {name}")
        };
        add(&name, &methods, &mut || {
            (0..weeks.len()).map(|window| dependent(&mut rng, size(window), drift(window))).collect()
        });
    }
    add("dependent pairs, persistent clusters", &methods, &mut || persistent(&mut rng, &weeks));
    let widths = LOOKS.map(|look| format!("width after {look}"));
    let head = ["stream, sequence", "lower holds", "upper holds", "value outside"];
    let head: Vec<&str> = head.into_iter().chain(widths.iter().map(String::as_str)).collect();
    markdown::table(&head, &rows)
}

/// A window of `n` independent scores that are hits with the probability `mean`.
fn score(rng: &mut Rng, n: u64, mean: f64) -> ScoredWindow {
    let hits = (0..n).filter(|_| rng.f64() < mean).count() as u64;
    ScoredWindow { n, hits, mean }
}

/// The greatest distance of the share of a window of dependent pairs from its mean.
const SPREAD: f64 = 0.1;

/// A window of `n` scores that depend on each other: their share is drawn first, at most [`SPREAD`] above or below `mean`,
/// and less if that is below 0 or above 1. It is `mean` given earlier windows.
fn dependent(rng: &mut Rng, n: u64, mean: f64) -> ScoredWindow {
    let spread = SPREAD.min(mean).min(1.0 - mean);
    let share = if rng.bool() { mean + spread } else { mean - spread };
    ScoredWindow { mean, ..score(rng, n, share) }
}

/// Windows of pairs of ten clusters. In each window, the pairs of a cluster all agree or all fail. With the probability 0.9 a
/// cluster does as in the window before, and otherwise it agrees with the probability 0.85. So the mean given earlier windows
/// follows the clusters.
fn persistent(rng: &mut Rng, weeks: &[Week]) -> Vec<ScoredWindow> {
    let mut agrees: Vec<bool> = (0..CLUSTERS).map(|_| rng.f64() < BOUND).collect();
    let mut is_first = true;
    let window = |week: &Week| {
        // Each cluster has a tenth of the pairs.
        let n = (week.bookings / CLUSTERS).max(1);
        let mut mean = 0.0;
        for agrees in &mut agrees {
            let expected = match (is_first, *agrees) {
                (true, _) => BOUND,
                (false, agrees) => 0.9 * f64::from(u8::from(agrees)) + 0.1 * BOUND,
            };
            *agrees = rng.f64() < expected;
            mean += expected / CLUSTERS as f64;
        }
        is_first = false;
        let hits = agrees.iter().filter(|agrees| **agrees).count() as u64 * n;
        ScoredWindow { n: n * CLUSTERS, hits, mean }
    };
    weeks.iter().map(window).collect()
}

impl Tally {
    /// Examines a stream after each of its windows.
    fn add(&mut self, sequence: &mut dyn Sequence, stream: &[ScoredWindow]) {
        let (mut n, mut hits, mut expected) = (0, 0, 0.0);
        let (mut holds, mut is_outside) = ([true; 2], false);
        for (window, look) in stream.iter().zip(1..) {
            let sum = window.hits as f64;
            sequence.push(ScoreBlock { n: window.n, sum, squares: sum });
            n += window.n;
            hits += window.hits;
            expected += window.n as f64 * window.mean;
            let (average, truth) = (hits as f64 / n as f64, expected / n as f64);
            let Interval { lower, upper } = sequence.interval(average);
            holds = [holds[0] && lower <= truth, holds[1] && upper >= truth];
            is_outside |= !(lower..=upper).contains(&average);
            if let Some(at) = LOOKS.iter().position(|known| *known == look) {
                self.widths[at] += upper - lower;
            }
        }
        self.streams += 1;
        self.held.iter_mut().zip(holds).for_each(|(held, holds)| *held += usize::from(holds));
        self.outside += usize::from(is_outside);
    }

    /// The row of the table.
    fn row(&self, name: &str) -> Vec<String> {
        let share = |count: usize| format!("{:.4}", count as f64 / self.streams as f64);
        let widths = self.widths.map(|width| format!("{:.4}", width / self.streams as f64));
        let shares = [self.held[0], self.held[1], self.outside].map(share);
        [name.to_owned()].into_iter().chain(shares).chain(widths).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the table's row whose first cell is `name`.
    fn row(table: &str, name: &str) -> Vec<f64> {
        let line = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
        line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
    }

    #[test]
    fn bounds_of_the_average_hold_under_drift_and_weighted_ones_do_not() {
        let table = table(100);
        for stream in [
            "constant",
            "linear drift",
            "sudden step",
            "weekly seasons",
            "hotel's weeks in order",
            "hotel's weeks drawn",
        ] {
            let average = row(&table, &format!("{stream}, average over pairs"));
            assert!(average[0] >= CONFIDENCE && average[1] >= CONFIDENCE && average[2] == 0.0, "{table}");
        }
        let step = row(&table, "sudden step, weighted");
        assert!(step[1] < 0.5 || step[0] < 0.5, "{table}");
        for stream in ["", ", linear drift", ", sudden step", ", weekly seasons", ", persistent clusters"] {
            let dependent = row(&table, &format!("dependent pairs{stream}, average over windows"));
            assert!(dependent[0] >= CONFIDENCE && dependent[1] >= CONFIDENCE, "{table}");
        }
    }
}
