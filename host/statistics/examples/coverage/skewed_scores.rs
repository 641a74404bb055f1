//! The table `skewed-scores`: bounds of means and of kappa where rare scores or disagreements are far from the others.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    ClusterLimits, Interval, JACKKNIFE_GROUPS, LabelCounts, PairLabels, bounded_mean, jackknife,
};
use understudy_statistics::verdict::ModelLabels;

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The number of groups that pairs are distributed over, as in a verdict.
const GROUPS: usize = JACKKNIFE_GROUPS as usize;

/// Scores from 0 to 1, each with its probability.
struct Scores {
    name: &'static str,
    pairs: usize,
    scores: &'static [(f64, f64)],
}

const SCORES: [Scores; 6] = [
    Scores {
        name: "0.18 % are 0, others 0.9 or 1",
        pairs: 1000,
        scores: &[(0.0, 0.0018), (0.9, 0.1), (1.0, 0.8982)],
    },
    Scores {
        name: "1 % are 0, others 0.9 or 1",
        pairs: 300,
        scores: &[(0.0, 0.01), (0.9, 0.3), (1.0, 0.69)],
    },
    Scores {
        name: "0.1 % are 1, others 0 or 0.05",
        pairs: 2000,
        scores: &[(0.0, 0.5), (0.05, 0.499), (1.0, 0.001)],
    },
    Scores { name: "0, 0.5 or 1 alike", pairs: 300, scores: &[(0.0, 0.333), (0.5, 0.334), (1.0, 0.333)] },
    Scores { name: "0.5 or 0.6 alike", pairs: 100, scores: &[(0.5, 0.5), (0.6, 0.5)] },
    Scores { name: "0.2, 0.4 or 1", pairs: 20, scores: &[(0.2, 0.3), (0.4, 0.5), (1.0, 0.2)] },
];

/// Two labels. The substrate gives the second one with the probability `second`, and a model that errs gives the other.
struct Labels {
    name: &'static str,
    pairs: usize,
    second: f64,
    error: f64,
}

const LABELS: [Labels; 6] = [
    Labels { name: "kappa, 0.5 % errors in 540 pairs, labels alike", pairs: 540, second: 0.5, error: 0.005 },
    Labels { name: "kappa, 1 % errors, labels alike", pairs: 500, second: 0.5, error: 0.01 },
    Labels {
        name: "kappa, 0.5 % errors in 2,000 pairs, labels alike",
        pairs: 2000,
        second: 0.5,
        error: 0.005,
    },
    Labels { name: "kappa, 1 % errors, a label of 5 %", pairs: 2000, second: 0.05, error: 0.01 },
    Labels { name: "kappa, 10 % errors, labels alike", pairs: 300, second: 0.5, error: 0.1 },
    Labels { name: "kappa, 20 % errors, a label of 10 %", pairs: 1000, second: 0.1, error: 0.2 },
];

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(17);
    let means =
        SCORES.iter().map(|kind| row(kind.name, kind.mean(), studies, || kind.study(&mut rng))).collect();
    let mut rows: Vec<Vec<String>> = means;
    rows.extend(LABELS.iter().map(|kind| row(kind.name, kind.kappa(), studies, || kind.study(&mut rng))));
    let columns = ["lower holds", "upper holds", "width"];
    let methods = ["jackknife", "verdict"].into_iter();
    let columns = methods.flat_map(|method| columns.map(|column| format!("{method}: {column}")));
    let head: Vec<String> = std::iter::once("scores".to_owned()).chain(columns).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    markdown::table(&head, &rows)
}

/// A row of the table. A study gives the bounds of the jackknife and those of a verdict. Bounds that a method does not have
/// are those of the range.
fn row(name: &str, truth: f64, studies: usize, mut study: impl FnMut() -> [Interval; 2]) -> Vec<String> {
    let mut sums = [[0.0; 3]; 2];
    for _ in 0..studies {
        for (sums, interval) in sums.iter_mut().zip(study()) {
            // The truth is rounded.
            sums[0] += f64::from(u8::from(interval.lower <= truth + 1e-12));
            sums[1] += f64::from(u8::from(interval.upper >= truth - 1e-12));
            sums[2] += interval.upper - interval.lower;
        }
    }
    let figures = sums.iter().flatten().map(|sum| format!("{:.4}", sum / studies as f64));
    std::iter::once(name.to_owned()).chain(figures).collect()
}

impl Scores {
    fn mean(&self) -> f64 {
        self.scores.iter().map(|(score, probability)| score * probability).sum()
    }

    fn study(&self, rng: &mut Rng) -> [Interval; 2] {
        let mut groups = vec![(0.0, 0.0); GROUPS];
        let mut counts = vec![0.0; self.scores.len()];
        for _ in 0..self.pairs {
            let mut rest = rng.f64();
            let chosen = self.scores.iter().position(|(_, probability)| {
                rest -= probability;
                rest < 0.0
            });
            let chosen = chosen.unwrap_or(self.scores.len() - 1);
            let (number, sum) = &mut groups[rng.usize(..GROUPS)];
            *number += 1.0;
            *sum += self.scores[chosen].0;
            counts[chosen] += 1.0;
        }
        let (pairs, sum) = groups.iter().fold((0.0, 0.0), |(n, sum), group| (n + group.0, sum + group.1));
        let without: Vec<f64> =
            groups.iter().filter(|(n, _)| *n > 0.0).map(|(n, own)| (sum - own) / (pairs - n)).collect();
        let mean = sum / pairs;
        let by_groups = jackknife(mean, &without, mean, CONFIDENCE);
        let scores: Vec<(f64, f64)> = self.scores.iter().map(|(score, _)| *score).zip(counts).collect();
        let bounded = bounded_mean(&scores, (0.0, 1.0), CONFIDENCE);
        let unit = Interval { lower: 0.0, upper: 1.0 };
        [by_groups.map_or(unit, |interval| interval.clamped((Some(0.0), Some(1.0)))), bounded.unwrap_or(unit)]
    }
}

impl Labels {
    fn kappa(&self) -> f64 {
        let model = self.second * (1.0 - self.error) + (1.0 - self.second) * self.error;
        let expected = self.second * model + (1.0 - self.second) * (1.0 - model);
        (1.0 - self.error - expected) / (1.0 - expected)
    }

    fn study(&self, rng: &mut Rng) -> [Interval; 2] {
        // The pairs of each group by the labels of substrate and model.
        let mut groups = [[0.0; 4]; GROUPS];
        let mut counts = LabelCounts::default();
        for _ in 0..self.pairs {
            let second = rng.f64() < self.second;
            let answer = second != (rng.f64() < self.error);
            let group = rng.usize(..GROUPS);
            groups[group][2 * usize::from(second) + usize::from(answer)] += 1.0;
            let label = |second: bool| if second { "second" } else { "first" };
            let models = [Some(label(answer))];
            counts.add(PairLabels { substrate: label(second), models: &models, group: group as u8 });
        }
        let total: [f64; 4] = std::array::from_fn(|cell| groups.iter().map(|group| group[cell]).sum());
        let value = kappa(total);
        let without = groups.iter().map(|group| kappa(std::array::from_fn(|cell| total[cell] - group[cell])));
        let without: Vec<f64> = without.collect();
        let whole = Interval { lower: -1.0, upper: 1.0 };
        let labels = ModelLabels::new(std::iter::once(&counts), 0).expect("two labels");
        let verdict = labels.jackknife_kappa(ClusterLimits::NONE, CONFIDENCE);
        [
            jackknife(value, &without, value, CONFIDENCE).unwrap_or(whole),
            verdict.map_or(whole, |(interval, _)| interval),
        ]
    }
}

/// Cohen's kappa of pairs by the labels of substrate and model.
fn kappa([both_first, only_model, only_substrate, both_second]: [f64; 4]) -> f64 {
    let pairs = both_first + only_model + only_substrate + both_second;
    let (substrate, model) = ((only_substrate + both_second) / pairs, (only_model + both_second) / pairs);
    let expected = substrate * model + (1.0 - substrate) * (1.0 - model);
    ((both_first + both_second) / pairs - expected) / (1.0 - expected)
}
