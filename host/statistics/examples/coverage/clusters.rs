//! The table `clusters`: bounds of a share where whole clusters of pairs fail, and hardly any cluster does.
//!
//! Invariant: all methods see the same studies.

use fastrand::Rng;
use understudy_statistics::scoring::{
    Interval, JACKKNIFE_GROUPS, equal_scores, has_spread, jackknife, korn_graubard, standard_error,
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

/// The pairs and the hits of each group that has pairs.
type Groups = Vec<(u64, u64)>;

/// The table from a number of studies of each kind.
pub fn table(studies: usize) -> String {
    let mut rng = Rng::with_seed(16);
    let mut rows = Vec::new();
    for kind in kinds() {
        let truth = 1.0 - kind.failing * kind.within;
        let mut held = [[0; 2]; 2];
        let mut widths = [0.0; 2];
        for _ in 0..studies {
            let groups = kind.study(&mut rng);
            for (method, interval) in
                [by_jackknife(&groups), by_effective_trials(&groups)].into_iter().enumerate()
            {
                held[method][0] += usize::from(interval.lower <= truth);
                held[method][1] += usize::from(interval.upper >= truth);
                widths[method] += interval.upper - interval.lower;
            }
        }
        for (method, name) in ["jackknife", "exact"].into_iter().enumerate() {
            let mut row = vec![format!("{}, {name}", kind.name)];
            row.extend(held[method].map(|held| format!("{:.4}", held as f64 / studies as f64)));
            row.push(format!("{:.4}", widths[method] / studies as f64));
            rows.push(row);
        }
    }
    markdown::table(&["failing pairs, bounds", "lower holds", "upper holds", "width"], &rows)
}

fn kinds() -> Vec<Kind> {
    let kind =
        |name, size, failing, within| Kind { name, sizes: vec![size; 1000 / size as usize], failing, within };
    vec![
        kind("1 % of 1,000 pairs", 1, 0.01, 1.0),
        kind("5 % of 1,000 pairs", 1, 0.05, 1.0),
        kind("1 % of 100 clusters", 10, 0.01, 1.0),
        kind("2 % of 100 clusters", 10, 0.02, 1.0),
        kind("5 % of 100 clusters", 10, 0.05, 1.0),
        kind("half of the pairs of 2 % of 100 clusters", 10, 0.02, 0.5),
        kind("half of the pairs of 30 % of 100 clusters", 10, 0.3, 0.5),
        kind("5 % of 50 clusters", 20, 0.05, 1.0),
        Kind {
            name: "5 % of 370 clusters, ten of them with 40 % of the pairs",
            sizes: [vec![1; 300], vec![5; 60], vec![40; 10]].concat(),
            failing: 0.05,
            within: 1.0,
        },
    ]
}

impl Kind {
    /// The groups of one simulated study. Each cluster is in a random group.
    fn study(&self, rng: &mut Rng) -> Groups {
        let mut groups = vec![(0, 0); GROUPS];
        for &size in &self.sizes {
            let share = if rng.f64() < self.failing { self.within } else { 0.0 };
            let failed = (0..size).filter(|_| rng.f64() < share).count() as u64;
            let (pairs, hits) = &mut groups[rng.usize(..GROUPS)];
            *pairs += size;
            *hits += size - failed;
        }
        groups.retain(|(pairs, _)| *pairs > 0);
        groups
    }
}

/// The share of hits, and the share without each group.
fn replicates(groups: &Groups) -> (f64, Vec<f64>) {
    let (pairs, hits) = groups.iter().fold((0, 0), |(n, k), group| (n + group.0, k + group.1));
    let without = |(n, k): &(u64, u64)| (hits - k) as f64 / (pairs - n) as f64;
    (hits as f64 / pairs as f64, groups.iter().map(without).collect())
}

/// The bounds of groups without spread, which both methods use.
fn without_spread(share: f64, groups: &Groups) -> Interval {
    equal_scores(share, groups.len() as u64, (0.0, 1.0), CONFIDENCE).expect("there are groups")
}

/// The bounds of the jackknife, which are symmetric about the share.
fn by_jackknife(groups: &Groups) -> Interval {
    let (share, without) = replicates(groups);
    match has_spread(&without, share) {
        true => jackknife(share, &without, share, CONFIDENCE).expect("there is spread"),
        false => without_spread(share, groups),
    }
}

/// The exact bounds of the effective number of trials.
fn by_effective_trials(groups: &Groups) -> Interval {
    let (share, without) = replicates(groups);
    if !has_spread(&without, share) {
        return without_spread(share, groups);
    }
    let pairs = groups.iter().map(|(pairs, _)| pairs).sum();
    let error = standard_error(&without).expect("there are groups");
    korn_graubard(share, error, without.len() as u64 - 1, pairs, CONFIDENCE).expect("there is spread")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jackknife_holds_too_seldom_where_few_clusters_fail() {
        let table = table(400);
        let row = |name: &str| -> Vec<f64> {
            let line = table.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
            line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
        };
        assert!(row("1 % of 1,000 pairs, jackknife")[0] < 0.92, "{table}");
        assert!(row("1 % of 1,000 pairs, exact")[0] > 0.94, "{table}");
        assert!(row("5 % of 100 clusters, exact")[0] > 0.94, "{table}");
    }
}
