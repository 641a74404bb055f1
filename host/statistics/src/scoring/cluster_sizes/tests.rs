//! Estimates of the number of clusters and of the variation of their sizes.

use proptest::prelude::*;

use super::*;

fn hash(key: u64) -> u64 {
    cluster_hash(&format!("cluster-{key}"))
}

fn sizes(clusters: impl IntoIterator<Item = (u64, u64)>) -> ClusterSizes {
    let mut sizes = ClusterSizes::default();
    clusters.into_iter().for_each(|(key, pairs)| sizes.add(hash(key), pairs));
    sizes
}

/// A sketch also of few clusters.
fn sketched(clusters: impl IntoIterator<Item = (u64, u64)>) -> ClusterSketch {
    let mut sketch = ClusterSketch::default();
    clusters.into_iter().for_each(|(key, pairs)| sketch.add(hash(key), pairs));
    sketch
}

#[test]
fn clusters_are_counted_within_three_standard_errors() {
    for clusters in [1, 2, 30, 400, 5_000, 20_000, 100_000, 1_000_000] {
        let found = sketched((0..clusters).map(|key| (key, 1 + key % 3))).clusters();
        let error = found / clusters as f64 - 1.0;
        assert!(error.abs() < 0.05, "{clusters}: {found}");
    }
}

#[test]
fn clusters_of_equal_sizes_have_hardly_any_variation() {
    for clusters in [1, 2, 30, 400, 5_000, 50_000] {
        let found = sketched((0..clusters).map(|key| (key, 7))).squared_variation();
        assert!(found < 0.12, "{clusters}: {found}");
        let limit = most_independent_trials(clusters as f64, found);
        assert!(limit > 4.0 * clusters as f64, "{clusters}: {limit}");
    }
}

/// The squared variation by its definition.
fn exact_variation(sizes: &[u64]) -> f64 {
    let clusters = sizes.len() as f64;
    let mean = sizes.iter().sum::<u64>() as f64 / clusters;
    sizes.iter().map(|size| (*size as f64 - mean).powi(2)).sum::<f64>() / clusters / (mean * mean)
}

#[test]
fn the_variation_of_unequal_sizes_is_close_to_its_definition() {
    let kinds: [Vec<u64>; 4] = [
        [vec![1; 300], vec![5; 60], vec![40; 10]].concat(),
        [vec![1; 3000], vec![200; 10]].concat(),
        (1..=400).map(|rank| 500 / rank + 1).collect(),
        [vec![1; 20_000], vec![5_000; 3]].concat(),
    ];
    for kind in kinds {
        let found = sketched((0..).zip(kind.iter().copied())).squared_variation();
        let exact = exact_variation(&kind);
        assert!((found / exact - 1.0).abs() < 0.15, "{found} {exact}");
    }
}

/// For clusters of the sizes s and p pairs in B buckets, the expected sum of squares of the buckets is the sum of s² plus
/// (p² minus the sum of s²) / B.
#[test]
fn the_sum_of_squares_has_no_bias() {
    let two = sketched([(0, 30), (1, 10)]);
    assert_eq!(two.buckets.len(), 2, "the clusters are in different buckets");
    // Solved for the sum of s², with 1,000 as the sum of the buckets' squares.
    let squares = (1000.0 * 4096.0 - 1600.0) / 4095.0;
    let expected = squares * two.clusters() / 1600.0 - 1.0;
    assert!((two.squared_variation() / expected - 1.0).abs() < 1e-9, "{}", two.squared_variation());
}

/// The rows are printed by `tests/oracles/intervals.py`.
#[test]
fn limits_match_numpy() {
    for (clusters, variation, limit) in [
        (370.0, 5.586, 56.17977528089887),
        (3010.0, 47.521200000000015, 62.03473945409427),
        (100.0, 0.01, 5000.0),
    ] {
        let found = most_independent_trials(clusters, variation);
        assert!((found / limit - 1.0_f64).abs() < 1e-12, "{found} {limit}");
    }
}

#[test]
fn the_limit_is_the_number_of_kish_where_sizes_vary_much() {
    assert_eq!(most_independent_trials(100.0, 0.0), f64::INFINITY);
    assert_eq!(most_independent_trials(100.0, 0.5), 100.0);
    assert_eq!(most_independent_trials(100.0, 1.0), 50.0);
    let sizes = [vec![1; 300], vec![5; 60], vec![40; 10]].concat();
    let squares: u64 = sizes.iter().map(|size| size * size).sum();
    let kish = 1000.0 * 1000.0 / squares as f64;
    assert!((most_independent_trials(370.0, exact_variation(&sizes)) - kish).abs() < 1e-9);
}

#[test]
fn few_clusters_are_described_exactly() {
    let kind = [vec![1; 3000], vec![200; 10]].concat();
    let found = sizes((0..).zip(kind.iter().copied()));
    assert_eq!((found.clusters(), found.pairs()), (3010.0, 5000));
    assert!((found.squared_variation() / exact_variation(&kind) - 1.0).abs() < 1e-12);
    assert_eq!(found.limits().clusters, 25.0, "5,000 pairs, and 200 in the largest cluster");
    assert_eq!(found.limits().pairs, 25.0);
    let equal = sizes((0..3000).map(|key| (key, 7))).limits();
    assert_eq!((equal.pairs, equal.clusters), (f64::INFINITY, 3000.0));
}

#[test]
fn the_largest_of_many_clusters_is_hardly_underestimated() {
    for (small, size, large) in
        [(5_000, 1, 100), (5_000, 30, 100), (100_000, 1, 100), (100_000, 3, 2_000), (20_000, 1, 1)]
    {
        let clusters = (0..small).map(|key| (key, size)).chain((small..small + 10).map(|key| (key, large)));
        let found = sketched(clusters).largest();
        assert!(
            found >= 0.95 * large as f64 && found < 1.6 * large as f64 + 30.0 * size as f64,
            "{small} {large}: {found}"
        );
    }
}

/// The probability that k clusters with the share W of the pairs all succeed is at least 0.05 for a mean down to
/// 1 - W (1 - 0.05^(1/k)). The bound for trials without a failure must not be above that.
#[test]
fn the_limit_holds_if_only_large_clusters_fail() {
    for (large, size, small) in
        [(3, 100, 1_000), (5, 30, 1_000), (10, 100, 1_000), (2, 100, 1_000), (10, 100, 4_000)]
    {
        let found =
            sizes((0..large).map(|key| (key, size)).chain((large..large + small).map(|key| (key, 1))))
                .limits();
        let share = (large * size) as f64 / (large * size + small) as f64;
        let least = 1.0 - share * (1.0 - 0.05f64.powf(1.0 / large as f64));
        let bound = 0.05f64.powf(1.0 / found.clusters);
        assert!(bound <= least && bound > least - 0.15, "{large} of {size}: {bound} {least}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The form depends on the number of clusters only, and so does the result.
    #[test]
    fn merging_many_clusters_changes_nothing(clusters in 4_000u64..4_200, cut in 0u64..4_200) {
        let all: Vec<(u64, u64)> = (0..clusters).map(|key| (key, 1 + key % 5)).collect();
        let (one, other) = all.split_at(cut.min(clusters) as usize);
        let whole = sizes(all.iter().rev().copied());
        let mut merged = sizes(one.iter().copied());
        merged.merge(&sizes(other.iter().copied()));
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(matches!(whole, ClusterSizes::Exact(_)), clusters <= BUCKETS);
        if let ClusterSizes::Sketched(found) = &whole {
            prop_assert_eq!(found, &sketched(all));
        }
    }

    #[test]
    fn order_and_merging_change_nothing(pairs in prop::collection::vec(0u64..500, 1..300), cut in 0usize..300) {
        let whole = sizes(pairs.iter().map(|key| (*key, 1)));
        let mut shuffled = pairs.clone();
        shuffled.sort_unstable();
        prop_assert_eq!(&sizes(shuffled.iter().map(|key| (*key, 1))), &whole);
        let (one, other) = pairs.split_at(cut.min(pairs.len()));
        let mut merged = sizes(other.iter().map(|key| (*key, 1)));
        merged.merge(&sizes(one.iter().map(|key| (*key, 1))));
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(whole.pairs(), pairs.len() as u64);
    }
}
