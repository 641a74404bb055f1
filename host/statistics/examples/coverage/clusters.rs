//! The table `clusters`: bounds of a share of dependent pairs. Few clusters fail, whole clusters fail, or few clusters
//! have most of the pairs.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    ClusterSizes, Interval, JACKKNIFE_GROUPS, equal_scores, has_spread, jackknife, korn_graubard,
    most_independent_trials, standard_error,
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
    ("jackknife", by_jackknife),
    ("effective trials", by_effective_trials),
    ("with limit", by_limited_trials),
];

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(16);
    let mut rows = Vec::new();
    for kind in kinds() {
        let truth = 1.0 - kind.failing * kind.within;
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
    let kind =
        |name, size, failing, within| Kind { name, sizes: vec![size; 1000 / size as usize], failing, within };
    let uneven = |name, sizes: &[(usize, u64)], failing, within| {
        let sizes = sizes.iter().flat_map(|&(clusters, size)| std::iter::repeat_n(size, clusters)).collect();
        Kind { name, sizes, failing, within }
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
    /// One simulated study. Each cluster has a random hash, which chooses its group.
    fn study(&self, rng: &mut Rng) -> SimulatedStudy {
        let mut groups = vec![(0, 0); GROUPS];
        let mut sizes = ClusterSizes::default();
        for &size in &self.sizes {
            let share = if rng.f64() < self.failing { self.within } else { 0.0 };
            let failed = (0..size).filter(|_| rng.f64() < share).count() as u64;
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

/// The bounds of the jackknife, which are symmetric about the share.
fn by_jackknife(study: &SimulatedStudy) -> Interval {
    let (share, without) = study.replicates();
    match has_spread(&without, share) {
        true => jackknife(share, &without, share, CONFIDENCE).expect("there is spread"),
        false => without_spread(share, without.len() as f64),
    }
}

/// The exact bounds of the effective number of trials, whatever the sizes of the clusters.
fn by_effective_trials(study: &SimulatedStudy) -> Interval {
    study.effective_trials(f64::INFINITY)
}

/// The bounds of a verdict: the effective number of trials is limited by the sizes of the clusters.
fn by_limited_trials(study: &SimulatedStudy) -> Interval {
    study.effective_trials(most_independent_trials(study.sizes.clusters(), study.sizes.squared_variation()))
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
        let few = row(&table, "1 % of 1,000 pairs");
        assert!(few[0] < 0.92 && few[3] > 0.94 && few[6] > 0.94, "{table}");
        assert!(row(&table, "5 % of 100 clusters")[6] > 0.94, "{table}");
        let uneven = row(&table, "5 % of 370 clusters, ten of them with 40 % of the pairs");
        assert!(uneven[3] < 0.82 && uneven[6] > 0.94, "{table}");
    }
}
