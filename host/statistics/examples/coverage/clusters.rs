//! The table `clusters`: bounds of a share of dependent pairs. Few clusters fail, whole clusters fail, rare clusters fail as a
//! whole beside single pairs of others, or few clusters have most of the pairs.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    ClusterLimits, ClusterSizes, Interval, JACKKNIFE_GROUPS, cluster_share, equal_scores, has_spread,
    korn_graubard, standard_error,
};

use crate::markdown;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The number of groups that clusters are distributed over, as in a verdict.
const GROUPS: usize = JACKKNIFE_GROUPS as usize;

/// A kind of studies.
struct Kind {
    name: &'static str,
    /// The number of pairs of each cluster.
    sizes: Vec<u64>,
    /// The share of clusters that fail.
    failing: f64,
    /// The share of pairs of a failing cluster that fail.
    within: f64,
    /// The share of other clusters in which one pair fails.
    single: f64,
    /// Whether clusters of one pair never fail.
    only_large: bool,
}

/// One simulated study.
struct SimulatedStudy {
    /// The pairs and the hits of each group that has pairs.
    groups: Vec<(u64, u64)>,
    sizes: ClusterSizes,
}

/// Computes the bounds of a study.
type Method = fn(&SimulatedStudy) -> Interval;

const METHODS: [(&str, Method); 3] = [
    ("effective trials", by_effective_trials),
    ("with limit", by_limited_trials),
    ("of a verdict", by_verdict),
];

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(16);
    let mut rows = Vec::new();
    for kind in kinds() {
        let truth = kind.truth();
        let mut held = [[0; 2]; METHODS.len()];
        let mut widths = [0.0; METHODS.len()];
        for _ in 0..studies {
            let study = kind.study(&mut rng);
            for (index, (_, method)) in METHODS.iter().enumerate() {
                let interval = method(&study);
                held[index][0] += usize::from(interval.lower <= truth);
                held[index][1] += usize::from(interval.upper >= truth);
                widths[index] += interval.upper - interval.lower;
            }
        }
        let mut row = vec![kind.name.to_owned()];
        for (held, width) in held.iter().zip(widths) {
            row.extend(held.map(|held| format!("{:.4}", held as f64 / studies as f64)));
            row.push(format!("{:.4}", width / studies as f64));
        }
        rows.push(row);
    }
    let mut head = vec!["failing pairs".to_owned()];
    for (name, _) in METHODS {
        head.extend(["lower holds", "upper holds", "width"].map(|column| format!("{name}: {column}")));
    }
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    markdown::table(&head, &rows)
}

fn kinds() -> Vec<Kind> {
    let kind = |name, size, failing, within| Kind {
        name,
        sizes: vec![size; 1000 / size as usize],
        failing,
        within,
        single: 0.0,
        only_large: false,
    };
    let rare = |name, clusters, size, failing, single| Kind {
        name,
        sizes: vec![size; clusters],
        failing,
        within: 1.0,
        single,
        only_large: false,
    };
    let uneven = |name, sizes: &[(usize, u64)], failing, within| {
        let sizes = sizes.iter().flat_map(|&(clusters, size)| std::iter::repeat_n(size, clusters)).collect();
        Kind { name, sizes, failing, within, single: 0.0, only_large: false }
    };
    let only_large = |name, sizes: &[(usize, u64)], failing| Kind {
        only_large: true,
        ..uneven(name, sizes, failing, 1.0)
    };
    vec![
        kind("1 % of 1,000 pairs", 1, 0.01, 1.0),
        kind("5 % of 1,000 pairs", 1, 0.05, 1.0),
        kind("1 % of 100 clusters", 10, 0.01, 1.0),
        kind("2 % of 100 clusters", 10, 0.02, 1.0),
        kind("5 % of 100 clusters", 10, 0.05, 1.0),
        kind("half of the pairs of 2 % of 100 clusters", 10, 0.02, 0.5),
        kind("half of the pairs of 30 % of 100 clusters", 10, 0.3, 0.5),
        kind("5 % of 50 clusters", 20, 0.05, 1.0),
        rare("1 % of 100 clusters of 10, one pair of 10 % of the others", 100, 10, 0.01, 0.1),
        rare("0.5 % of 100 clusters of 40, one pair of 20 % of the others", 100, 40, 0.005, 0.2),
        rare("5 % of 100 clusters of 10, one pair of 30 % of the others", 100, 10, 0.05, 0.3),
        rare("0.1 % of 1,000 clusters of 10, one pair of 10 % of the others", 1000, 10, 0.001, 0.1),
        rare("one pair of 10 % of 1,000 clusters of 10", 1000, 10, 0.0, 0.1),
        uneven("2 % of 300 clusters, geometric sizes", &geometric_sizes(), 0.02, 1.0),
        uneven("5 % of 370 clusters, ten of them with 40 % of the pairs", &TEN_LARGE, 0.05, 1.0),
        uneven("half of the pairs of 10 % of the same clusters", &TEN_LARGE, 0.1, 0.5),
        uneven("15 % of the pairs of the same clusters, independent", &TEN_LARGE, 1.0, 0.15),
        uneven("5 % of 1,530 clusters, 30 of them with half of the pairs", &[(1500, 1), (30, 50)], 0.05, 1.0),
        uneven(
            "5 % of 3,010 clusters, ten of them with 40 % of the pairs",
            &[(3000, 1), (10, 200)],
            0.05,
            1.0,
        ),
        uneven(
            "5 % of 1,003 clusters, three of them with 60 % of the pairs",
            &[(1000, 1), (3, 500)],
            0.05,
            1.0,
        ),
        only_large("25 % of three clusters of 100, none of 1,000 of one pair", &[(1000, 1), (3, 100)], 0.25),
        only_large("20 % of five clusters of 30, none of 1,000 of one pair", &[(1000, 1), (5, 30)], 0.2),
        only_large("16 % of ten clusters of 100, none of 1,000 of one pair", &[(1000, 1), (10, 100)], 0.16),
        only_large("15 % of ten clusters of 100, none of 5,000 of one pair", &[(5000, 1), (10, 100)], 0.15),
        uneven(
            "15 % of 47 clusters, five of them with a third of the pairs",
            &[(42, 10), (5, 40)],
            0.15,
            1.0,
        ),
        // Up to 16,384 clusters of a window are counted one by one. With these shares, 5 % of studies have no failing one.
        uneven("0.018 % of 16,384 clusters", &[(16_384, 1)], 0.000_182_8, 1.0),
        uneven("0.018 % of 16,385 clusters", &[(16_385, 1)], 0.000_182_8, 1.0),
        only_large(
            "25 % of three clusters of 5,000, none of 20,000 of one pair",
            &[(20_000, 1), (3, 5000)],
            0.25,
        ),
    ]
}

/// 370 clusters: how many have each number of pairs.
const TEN_LARGE: [(usize, u64); 3] = [(300, 1), (60, 5), (10, 40)];

/// The sizes of 300 clusters: quantiles of the geometric distribution with the mean 10.
fn geometric_sizes() -> Vec<(usize, u64)> {
    let size = |cluster: usize| (((cluster as f64 + 0.5) / 300.0).ln() / 0.9f64.ln()).ceil() as u64;
    (0..300).map(|cluster| (1, size(cluster))).collect()
}

impl Kind {
    /// The expected share of hits. Single pairs fail in clusters of equal sizes only.
    fn truth(&self) -> f64 {
        if self.only_large {
            let large: u64 = self.sizes.iter().filter(|size| **size > 1).sum();
            return 1.0 - self.failing * large as f64 / self.sizes.iter().sum::<u64>() as f64;
        }
        1.0 - self.failing * self.within - (1.0 - self.failing) * self.single / self.sizes[0] as f64
    }

    /// One simulated study. Each cluster has a random hash, which chooses its group.
    fn study(&self, rng: &mut Rng) -> SimulatedStudy {
        let mut groups = vec![(0, 0); GROUPS];
        let mut sizes = ClusterSizes::default();
        for &size in &self.sizes {
            let can_fail = size > 1 || !self.only_large;
            let failed = if can_fail && rng.f64() < self.failing {
                (0..size).filter(|_| rng.f64() < self.within).count() as u64
            } else {
                u64::from(rng.f64() < self.single)
            };
            let hash = rng.u64(..);
            let (pairs, hits) = &mut groups[hash as usize % GROUPS];
            *pairs += size;
            *hits += size - failed;
            sizes.add(hash, size);
        }
        groups.retain(|(pairs, _)| *pairs > 0);
        SimulatedStudy { groups, sizes }
    }
}

impl SimulatedStudy {
    /// The share of hits, and the share without each group.
    fn replicates(&self) -> (f64, Vec<f64>) {
        let (pairs, hits) = self.groups.iter().fold((0, 0), |(n, k), group| (n + group.0, k + group.1));
        let without = |(n, k): &(u64, u64)| (hits - k) as f64 / (pairs - n) as f64;
        (hits as f64 / pairs as f64, self.groups.iter().map(without).collect())
    }

    /// The exact bounds of the effective number of trials, which is at most `most`.
    fn effective_trials(&self, most: f64) -> Interval {
        let (share, without) = self.replicates();
        if !has_spread(&without, share) {
            return without_spread(share, (without.len() as f64).min(most));
        }
        let most = most.min(self.sizes.pairs() as f64) as u64;
        let error = standard_error(&without).expect("there are groups");
        korn_graubard(share, error, without.len() as u64 - 1, most, CONFIDENCE).expect("there is spread")
    }
}

/// The bounds of groups without spread: those of `scores` independent equal scores.
fn without_spread(share: f64, scores: f64) -> Interval {
    equal_scores(share, scores.max(1.0) as u64, (0.0, 1.0), CONFIDENCE).expect("there are groups")
}

/// The exact bounds of the effective number of trials, whatever the sizes of the clusters.
fn by_effective_trials(study: &SimulatedStudy) -> Interval {
    study.effective_trials(f64::INFINITY)
}

/// The effective number of trials is limited by the sizes of the clusters.
fn by_limited_trials(study: &SimulatedStudy) -> Interval {
    study.effective_trials(study.sizes.limits().pairs)
}

/// The bounds of a verdict: they also allow for clusters that are too rare to have been observed.
fn by_verdict(study: &SimulatedStudy) -> Interval {
    let (share, without) = study.replicates();
    let limits @ ClusterLimits { pairs, clusters } = study.sizes.limits();
    if !has_spread(&without, share) {
        return without_spread(share, clusters.min(pairs));
    }
    let error = (standard_error(&without).expect("there are groups"), without.len() as u64 - 1);
    cluster_share(share, error, study.sizes.pairs(), limits, CONFIDENCE).expect("there is spread")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row `name`. Each method has three columns: how often the lower and the upper bound hold, and the width.
    fn row(table: &str, name: &str) -> Vec<f64> {
        let line = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
        line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
    }

    #[test]
    fn bounds_of_a_verdict_hold_where_others_do_not() {
        let table = table(400);
        assert!(row(&table, "5 % of 100 clusters")[6] > 0.94, "{table}");
        let uneven = row(&table, "5 % of 370 clusters, ten of them with 40 % of the pairs");
        assert!(uneven[0] < 0.82 && uneven[3] > 0.94 && uneven[6] > 0.94, "{table}");
        let rare = row(&table, "0.5 % of 100 clusters of 40, one pair of 20 % of the others");
        assert!(rare[3] < 0.6 && rare[6] > 0.94, "{table}");
        let large = row(&table, "25 % of three clusters of 100, none of 1,000 of one pair");
        assert!(large[0] < 0.7 && large[6] > 0.94, "{table}");
        let many =
            ["16,384", "16,385"].map(|clusters| row(&table, &format!("0.018 % of {clusters} clusters")));
        let giants = row(&table, "25 % of three clusters of 5,000, none of 20,000 of one pair");
        // Two standard errors of 400 studies are 2.2 %.
        assert!(many.iter().chain([&giants]).all(|row| row[6] > 0.928 && row[7] > 0.928), "{table}");
        // Many clusters that are not counted one by one have wider bounds, and never narrower ones.
        assert!(many[1][8] > many[0][8] && many[1][8] < 20.0 * many[0][8], "{table}");
    }
}
