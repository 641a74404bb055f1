//! The table `ends`: how often a model exactly on the line is GO if the run is ended at the best look.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{ConfidenceSequence, ScoreBlock, SequenceTuning, clopper_pearson};

use crate::markdown;

/// The true agreement, which is the bound of the threshold.
const BOUND: f64 = 0.85;
/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The first week at which a run may be ended.
const FIRST_END: usize = 4;

/// A kind of studies: a run may be ended after any of its weeks from the fourth on.
struct Kind {
    name: &'static str,
    weeks: usize,
    pairs: u64,
    /// How many of the latest weeks count; `None` for all.
    latest: Option<usize>,
}

const KINDS: [Kind; 5] = [
    Kind { name: "all of 13 weeks of 100 pairs", weeks: 13, pairs: 100, latest: None },
    Kind { name: "all of 52 weeks of 100 pairs", weeks: 52, pairs: 100, latest: None },
    Kind { name: "all of 52 weeks of 300 pairs", weeks: 52, pairs: 300, latest: None },
    Kind { name: "the latest 4 of 13 weeks of 100 pairs", weeks: 13, pairs: 100, latest: Some(4) },
    Kind { name: "the latest 4 of 52 weeks of 100 pairs", weeks: 52, pairs: 100, latest: Some(4) },
];

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(31);
    let rows = KINDS.iter().map(|kind| {
        let (mut go, mut distances) = ([0; 3], [0.0; 2]);
        for _ in 0..studies {
            let weeks: Vec<u64> = (0..kind.weeks)
                .map(|_| (0..kind.pairs).filter(|_| rng.f64() < BOUND).count() as u64)
                .collect();
            let ends: Vec<[f64; 3]> =
                (FIRST_END..=kind.weeks).map(|end| kind.bounds(&weeks[..end])).collect();
            let last = ends.last().expect("there are several weeks");
            go[0] += usize::from(last[1] >= BOUND);
            go[1] += usize::from(ends.iter().any(|bounds| bounds[1] >= BOUND));
            go[2] += usize::from(ends.iter().any(|bounds| bounds[2] >= BOUND));
            distances[0] += last[0] - last[1];
            distances[1] += last[0] - last[2];
        }
        let shares = go.map(|go| format!("{:.4}", go as f64 / studies as f64));
        let distances = distances.map(|distance| format!("{:.4}", distance / studies as f64));
        std::iter::once(kind.name.to_owned()).chain(shares).chain(distances).collect::<Vec<_>>()
    });
    let head = [
        "windows",
        "single look, last week",
        "single look, best week",
        "all looks, best week",
        "single look: estimate less bound",
        "all looks: estimate less bound",
    ];
    markdown::table(&head, &rows.collect::<Vec<_>>())
}

impl Kind {
    /// The share of hits after these weeks, its lower bound at a single look, and that at all looks together.
    fn bounds(&self, weeks: &[u64]) -> [f64; 3] {
        let counted = self.latest.map_or(weeks, |latest| &weeks[weeks.len() - latest..]);
        let (pairs, hits) = (self.pairs * counted.len() as u64, counted.iter().sum::<u64>());
        let share = hits as f64 / pairs as f64;
        let single = clopper_pearson(hits, pairs, CONFIDENCE).expect("there are pairs");
        // As a verdict: each of the latest windows begins another sequence, with its share of the level.
        let number = (weeks.len() - counted.len() + 1) as f64;
        let level = (1.0 - CONFIDENCE) / self.latest.map_or(1.0, |_| number * (number + 1.0));
        let observations = self.pairs * self.latest.unwrap_or(1) as u64;
        let tuning = SequenceTuning { range: (0.0, 1.0), mean: BOUND, observations };
        let mut sequence = ConfidenceSequence::new(level, tuning);
        let block = |hits: &u64| ScoreBlock { n: self.pairs, sum: *hits as f64, squares: *hits as f64 };
        counted.iter().for_each(|hits| sequence.push(block(hits)));
        [share, single.lower, sequence.interval(share).lower]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_end_makes_false_gos_at_single_looks_only() {
        let table = table(300);
        for line in table.lines().skip(2) {
            let row: Vec<f64> = line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            // Two standard errors of 300 studies are 2.5 %.
            assert!(row[0] < 0.076 && row[1] > 0.08 && row[2] < 0.076, "{table}");
        }
    }
}
