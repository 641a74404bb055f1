//! Counts how often a model agrees with the substrate, by its confidence: the sums of a reliability diagram.
//!
//! Invariants: the same pairs give equal counts, whatever the order. A confidence from 0 to 1 is in exactly one bin.

use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;

/// The number of bins, of equal width.
const BINS: usize = 10;

/// Pairs by confidence, in bins of equal width. Without pairs it has no bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    bins: Vec<ReliabilityBinSums>,
}

/// The pairs of a bin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBinSums {
    /// The number of pairs.
    pub pairs: u64,
    /// Pairs that agree.
    pub agreeing: u64,
    /// The sum of the confidences.
    pub confidence: ExactSum,
}

impl Reliability {
    /// Adds a pair with a confidence from 0 to 1.
    pub fn add(&mut self, confidence: f64, agrees: bool) {
        self.bins.resize(BINS, ReliabilityBinSums::default());
        // A bin has its upper edge, and the first bin also 0.
        let upper = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[upper.clamp(1, BINS) - 1];
        bin.pairs += 1;
        bin.agreeing += u64::from(agrees);
        bin.confidence.add(confidence);
    }

    /// The bins with pairs, each with its lower edge, which is excluded, and its upper edge.
    pub fn bins(&self) -> impl Iterator<Item = ([f64; 2], &ReliabilityBinSums)> {
        let edge = |bin: usize| bin as f64 / BINS as f64;
        let bins = self.bins.iter().enumerate().filter(|(_, bin)| bin.pairs > 0);
        bins.map(move |(at, bin)| ([edge(at), edge(at + 1)], bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_its_upper_edge() {
        let mut reliability = Reliability::default();
        assert_eq!(reliability.bins().count(), 0);
        for (confidence, agrees) in
            [(0.0, false), (0.1, true), (0.25, true), (0.75, true), (0.8, false), (1.0, true)]
        {
            reliability.add(confidence, agrees);
        }
        let found: Vec<_> = reliability
            .bins()
            .map(|(edges, bin)| (edges, bin.pairs, bin.agreeing, bin.confidence.value()))
            .collect();
        assert_eq!(
            found,
            [
                ([0.0, 0.1], 2, 1, 0.1),
                ([0.2, 0.3], 1, 1, 0.25),
                ([0.7, 0.8], 2, 1, 0.75 + 0.8),
                ([0.9, 1.0], 1, 1, 1.0)
            ]
        );
    }
}
