//! Estimates the number of clusters of pairs and the variation of their sizes, from a bounded number of counts.
//!
//! Invariants:
//! - Order and merging change nothing: counts are added, and ranks are compared.
//! - There are at most [`BUCKETS`] counts, whatever the number of clusters.
//!
//! The hash of a cluster chooses one of 4,096 buckets. The variance of the buckets' sizes gives the sum of squares of
//! the clusters' sizes. Each bucket is also a register of HyperLogLog, which counts clusters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The number of buckets, a power of two.
const BUCKETS: u64 = 4096;
/// The bits of a hash that do not choose the bucket.
const RANK_BITS: u32 = 64 - BUCKETS.trailing_zeros();

/// The hash of the cluster with this key: XXH3-64 of the key's bytes.
pub fn cluster_hash(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

/// The pairs of the clusters of one bucket, and its register of HyperLogLog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    pairs: u64,
    /// One more than the greatest number of leading zeros among the remaining bits of the hashes.
    rank: u8,
}

/// A summary of the number of pairs of each cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSizes {
    /// The buckets that have pairs.
    buckets: BTreeMap<u16, Bucket>,
}

impl ClusterSizes {
    /// Adds pairs of the cluster with this hash.
    pub fn add(&mut self, hash: u64, pairs: u64) {
        // The highest bits choose the bucket. The lowest bits choose the jackknife group.
        let rank = (hash << BUCKETS.trailing_zeros()).leading_zeros().min(RANK_BITS) as u8 + 1;
        let bucket = self.buckets.entry((hash >> RANK_BITS) as u16).or_default();
        bucket.pairs += pairs;
        bucket.rank = bucket.rank.max(rank);
    }

    /// Adds all pairs of `other`.
    pub fn merge(&mut self, other: &ClusterSizes) {
        for (index, more) in &other.buckets {
            let own = self.buckets.entry(*index).or_default();
            own.pairs += more.pairs;
            own.rank = own.rank.max(more.rank);
        }
    }

    /// The number of pairs.
    pub fn pairs(&self) -> u64 {
        self.buckets.values().map(|bucket| bucket.pairs).sum()
    }

    /// An estimate of the number of clusters, with a relative standard error of 1.6 %, at most the number of pairs.
    ///
    /// Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6.
    pub fn clusters(&self) -> f64 {
        let buckets = BUCKETS as f64;
        let mut registers = [0.0; RANK_BITS as usize + 2];
        registers[0] = (BUCKETS - self.buckets.len() as u64) as f64;
        self.buckets.values().for_each(|bucket| registers[usize::from(bucket.rank)] += 1.0);
        let occupied = registers[1..].iter().rev().fold(0.0, |sum, count| 0.5 * (sum + count));
        let clusters =
            buckets * buckets / (2.0 * 2f64.ln() * (occupied + buckets * sigma(registers[0] / buckets)));
        clusters.min(self.pairs() as f64)
    }

    /// How many independent trials the pairs count for.
    pub fn limits(&self) -> ClusterLimits {
        let (clusters, variation) = (self.clusters(), self.squared_variation());
        let pairs = most_independent_trials(clusters, variation);
        ClusterLimits { pairs, clusters: clusters / (1.0 + variation) }
    }

    /// An estimate of the squared coefficient of variation of the clusters' sizes, which is 0 if all sizes are
    /// equal. Its sum of squares has no bias. For equal sizes its standard error is about 0.03.
    pub fn squared_variation(&self) -> f64 {
        let (buckets, pairs) = (BUCKETS as f64, self.pairs() as f64);
        let squares: f64 = self.buckets.values().map(|bucket| (bucket.pairs as f64).powi(2)).sum();
        let squares_of_clusters = (squares - pairs * pairs / buckets) * buckets / (buckets - 1.0);
        (squares_of_clusters * self.clusters() / (pairs * pairs) - 1.0).max(0.0)
    }
}

/// How many independent trials the pairs of clusters count for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterLimits {
    /// The greatest number of independent pairs: n / min(1 + v, 2 v) for n clusters whose sizes have the squared coefficient
    /// of variation v. Infinite for clusters of equal sizes.
    pub pairs: f64,
    /// The number of clusters of equal sizes that the clusters count for: Kish's n / (1 + v).
    pub clusters: f64,
}

impl ClusterLimits {
    /// No limits: pairs are independent.
    pub const NONE: ClusterLimits = ClusterLimits { pairs: f64::INFINITY, clusters: f64::INFINITY };
}

/// Ertl's function sigma: x + x^2 + 2 x^4 + 4 x^8 + ... for 0 <= x <= 1.
fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let next = sum + power * factor;
        if next == sum {
            return sum;
        }
        (sum, factor) = (next, 2.0 * factor);
    }
}

/// The greatest number of independent trials that pairs in clusters of unequal sizes count for. `squared_variation`
/// is the squared coefficient of variation of the sizes. Infinite for clusters of equal sizes.
///
/// If all pairs of a cluster have equal scores, the pairs count for as many independent trials as Kish's number of
/// clusters n / (1 + v), for n clusters and the squared variation v (L. Kish, "Survey Sampling", Wiley (1965), section
/// 8.2). A standard error that is estimated from the scores is too small if the few large clusters succeed by chance:
/// only the small ones then show failures. So n / min(1 + v, 2 v) limits the number of trials. The limit has no effect
/// on clusters of nearly equal sizes. There the standard error shows how much pairs of a cluster depend on each other.
fn most_independent_trials(clusters: f64, squared_variation: f64) -> f64 {
    clusters / (1.0 + squared_variation).min(2.0 * squared_variation)
}

#[cfg(test)]
mod tests;
