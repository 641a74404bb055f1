//! Counts clusters of pairs and describes their sizes, from a bounded number of counts.
//!
//! Invariants:
//! - Order and merging change nothing: counts are added, ranks are compared, and the form depends on the number of clusters.
//! - There are at most [`BUCKETS`] counts, whatever the number of clusters.
//!
//! Up to 4,096 clusters are counted one by one. Of more, the hash of a cluster chooses one of 4,096 buckets. The variance of
//! the buckets' sizes gives the sum of squares of the clusters' sizes. Each bucket is also a register of HyperLogLog, which counts clusters.

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

/// The counts of clusters that are not counted one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSketch {
    /// The buckets that have pairs.
    buckets: BTreeMap<u16, Bucket>,
}

/// A summary of the number of pairs of each cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterSizes {
    /// The pairs of each cluster by its hash; at most 4,096 clusters.
    Exact(BTreeMap<u64, u64>),
    /// Counts of more clusters.
    Sketched(ClusterSketch),
}

impl Default for ClusterSizes {
    fn default() -> ClusterSizes {
        ClusterSizes::Exact(BTreeMap::new())
    }
}

impl ClusterSketch {
    /// Adds pairs of the cluster with this hash.
    fn add(&mut self, hash: u64, pairs: u64) {
        // The highest bits choose the bucket. The lowest bits choose the jackknife group.
        let rank = (hash << BUCKETS.trailing_zeros()).leading_zeros().min(RANK_BITS) as u8 + 1;
        let bucket = self.buckets.entry((hash >> RANK_BITS) as u16).or_default();
        bucket.pairs += pairs;
        bucket.rank = bucket.rank.max(rank);
    }

    /// Adds all pairs of `other`.
    fn merge(&mut self, other: &ClusterSketch) {
        for (index, more) in &other.buckets {
            let own = self.buckets.entry(*index).or_default();
            own.pairs += more.pairs;
            own.rank = own.rank.max(more.rank);
        }
    }

    fn pairs(&self) -> u64 {
        self.buckets.values().map(|bucket| bucket.pairs).sum()
    }

    /// An estimate of the number of clusters, with a relative standard error of 1.6 %, at most the number of pairs.
    ///
    /// Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6.
    fn clusters(&self) -> f64 {
        let buckets = BUCKETS as f64;
        let mut registers = [0.0; RANK_BITS as usize + 2];
        registers[0] = (BUCKETS - self.buckets.len() as u64) as f64;
        self.buckets.values().for_each(|bucket| registers[usize::from(bucket.rank)] += 1.0);
        let occupied = registers[1..].iter().rev().fold(0.0, |sum, count| 0.5 * (sum + count));
        let clusters =
            buckets * buckets / (2.0 * 2f64.ln() * (occupied + buckets * sigma(registers[0] / buckets)));
        clusters.min(self.pairs() as f64)
    }

    /// An estimate of the size of the largest cluster, which is rarely too small: the fullest bucket without what the other
    /// clusters have in a bucket on average.
    fn largest(&self) -> f64 {
        let fullest = self.buckets.values().map(|bucket| bucket.pairs).max().unwrap_or(0) as f64;
        let mean = self.pairs() as f64 / self.clusters();
        (fullest - (self.pairs() as f64 / BUCKETS as f64 - mean).max(0.0)).max(mean)
    }

    /// An estimate of the squared coefficient of variation of the clusters' sizes, which is 0 if all sizes are
    /// equal. Its sum of squares has no bias. For equal sizes its standard error is about 0.03.
    fn squared_variation(&self) -> f64 {
        let (buckets, pairs) = (BUCKETS as f64, self.pairs() as f64);
        let squares: f64 = self.buckets.values().map(|bucket| (bucket.pairs as f64).powi(2)).sum();
        let squares_of_clusters = (squares - pairs * pairs / buckets) * buckets / (buckets - 1.0);
        (squares_of_clusters * self.clusters() / (pairs * pairs) - 1.0).max(0.0)
    }
}

impl ClusterSizes {
    /// Adds pairs of the cluster with this hash.
    pub fn add(&mut self, hash: u64, pairs: u64) {
        match self {
            ClusterSizes::Exact(sizes) => {
                *sizes.entry(hash).or_default() += pairs;
                if sizes.len() as u64 > BUCKETS {
                    *self = ClusterSizes::Sketched(sketch(sizes));
                }
            }
            ClusterSizes::Sketched(sketched) => sketched.add(hash, pairs),
        }
    }

    /// Adds all pairs of `other`.
    pub fn merge(&mut self, other: &ClusterSizes) {
        match other {
            ClusterSizes::Exact(more) => more.iter().for_each(|(hash, pairs)| self.add(*hash, *pairs)),
            ClusterSizes::Sketched(more) => {
                let mut merged = match self {
                    ClusterSizes::Exact(sizes) => sketch(sizes),
                    ClusterSizes::Sketched(own) => std::mem::take(own),
                };
                merged.merge(more);
                *self = ClusterSizes::Sketched(merged);
            }
        }
    }

    /// The number of pairs.
    pub fn pairs(&self) -> u64 {
        match self {
            ClusterSizes::Exact(sizes) => sizes.values().sum(),
            ClusterSizes::Sketched(sketched) => sketched.pairs(),
        }
    }

    /// The number of clusters. Beyond 4,096 it is an estimate with a relative standard error of 1.6 %, at most the number of
    /// pairs.
    pub fn clusters(&self) -> f64 {
        match self {
            ClusterSizes::Exact(sizes) => sizes.len() as f64,
            ClusterSizes::Sketched(sketched) => sketched.clusters(),
        }
    }

    /// The squared coefficient of variation of the clusters' sizes, which is 0 if all sizes are equal. Beyond 4,096 clusters it
    /// is an estimate.
    pub fn squared_variation(&self) -> f64 {
        match self {
            ClusterSizes::Exact(sizes) => squared_variation(sizes.values().copied()),
            ClusterSizes::Sketched(sketched) => sketched.squared_variation(),
        }
    }

    /// How many independent trials the pairs count for.
    pub fn limits(&self) -> ClusterLimits {
        let largest = match self {
            ClusterSizes::Exact(sizes) => sizes.values().max().copied().unwrap_or(0) as f64,
            ClusterSizes::Sketched(sketched) => sketched.largest(),
        };
        ClusterLimits::new(self.clusters(), self.squared_variation(), self.pairs() as f64 / largest)
    }
}

fn sketch(sizes: &BTreeMap<u64, u64>) -> ClusterSketch {
    let mut sketch = ClusterSketch::default();
    sizes.iter().for_each(|(hash, pairs)| sketch.add(*hash, *pairs));
    sketch
}

/// The squared coefficient of variation of sizes by its definition; 0 without sizes.
fn squared_variation(sizes: impl Iterator<Item = u64> + Clone) -> f64 {
    let (number, sum) = (sizes.clone().count() as f64, sizes.clone().sum::<u64>() as f64);
    let squares: f64 = sizes.map(|size| (size as f64).powi(2)).sum();
    if sum == 0.0 { 0.0 } else { (squares * number / (sum * sum) - 1.0).max(0.0) }
}

/// How many independent trials the pairs of clusters count for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterLimits {
    /// The greatest number of independent pairs. Infinite for clusters of equal sizes.
    pub pairs: f64,
    /// The number of clusters of equal sizes that the clusters count for.
    pub clusters: f64,
}

impl ClusterLimits {
    /// No limits: pairs are independent.
    pub const NONE: ClusterLimits = ClusterLimits { pairs: f64::INFINITY, clusters: f64::INFINITY };

    /// The limits for clusters whose sizes have this squared coefficient of variation v. `largest_clusters` is the number of
    /// clusters as large as the largest that would have all the pairs: pairs / largest.
    ///
    /// Kish's n / (1 + v) is the number of clusters if failures have nothing to do with size. If only the k largest can fail,
    /// with the share W of the pairs, they all succeed with probability a for the mean 1 - W (1 - a^(1/k)). By the inequality
    /// of weighted means, that is at least a^(W / k), the bound for k / W trials without a failure. With equal sizes, k / W is
    /// pairs / largest. Where sizes vary much (v >= 1/2), the same number limits pairs.
    pub fn new(clusters: f64, squared_variation: f64, largest_clusters: f64) -> ClusterLimits {
        let pairs = most_independent_trials(clusters, squared_variation);
        ClusterLimits {
            pairs: if squared_variation < 0.5 { pairs } else { pairs.min(largest_clusters) },
            clusters: (clusters / (1.0 + squared_variation)).min(largest_clusters),
        }
    }
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
