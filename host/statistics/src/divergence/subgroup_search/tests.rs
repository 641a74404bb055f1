//! Listed and unlisted subgroups in tables made by hand; `tests/tests/divergence.rs` has whole studies.

use super::*;

const SETTINGS: SearchSettings = SearchSettings {
    max_terms: 3,
    min_pairs: 100,
    false_discovery_rate: 0.05,
    binary_scores: true,
    confidence: 0.975,
};

/// Proportions: scored pairs and hits.
fn layout() -> SumsLayout {
    SumsLayout { components: 1, moments: vec![] }
}

fn mean(scored: u64, sums: &[f64]) -> Option<f64> {
    (scored > 0).then(|| sums[0] / scored as f64)
}

/// A profile: its codes, and the trials and hits of each half.
type Profile<'p> = (&'p [u16], [(u64, u64); 2]);

/// A table of profiles.
fn table(sizes: &[usize], rows: &[Profile<'_>]) -> PatternTable {
    PatternTable {
        sizes: sizes.to_vec(),
        codes: (0..sizes.len()).map(|c| rows.iter().map(|(codes, _)| codes[c]).collect()).collect(),
        counts: rows.iter().map(|(_, [explore, confirm])| explore.0 + confirm.0).collect(),
        width: 4,
        sums: rows
            .iter()
            .flat_map(|(_, halves)| halves.iter().flat_map(|h| [h.0 as f64, h.1 as f64]))
            .collect(),
    }
}

/// The search result, and the listed subgroups as terms `(condition, value)`.
fn search(table: &PatternTable, settings: &SearchSettings) -> (SearchResult, Vec<Vec<(u16, u16)>>) {
    let found = search_subgroups(table, &layout(), settings, &mut mean);
    let of = |class: &Subgroup| class.terms.iter().map(|t| (t.condition, t.value)).collect();
    let terms = found.subgroups.iter().map(of).collect();
    (found, terms)
}

#[test]
fn q_values_match_scipy() {
    let q_values = benjamini_hochberg(&[0.01, 0.002, 0.04, 0.03, 0.5, 0.005, 1.0, 0.03]);
    let scipy =
        [0.026666666666666665, 0.016, 0.05333333333333333, 0.048, 0.5714285714285714, 0.02, 1.0, 0.048];
    for (q_value, scipy) in q_values.iter().zip(scipy) {
        assert!((q_value - scipy).abs() < 1e-15, "{q_values:?}");
    }
    assert_eq!(benjamini_hochberg(&[]), [0.0; 0]);
}

#[test]
fn only_subgroups_that_stand_out_in_the_first_half_are_tested_in_the_second() {
    let tested = |halves: [[(u64, u64); 2]; 2]| {
        let rows = [(&[0][..], halves[0]), (&[1], halves[1])];
        let (found, _) = search(&table(&[2], &rows), &SETTINGS);
        (found.patterns, found.tested, found.subgroups.len())
    };
    assert_eq!(tested([[(1000, 900); 2], [(1000, 880); 2]]), (2, 0, 0));
    // The second half contradicts the first as clearly as possible: the p-value is 1, which is a result, too.
    assert_eq!(tested([[(1000, 450), (1000, 900)], [(1000, 900), (1000, 0)]]), (2, 2, 0));
}

#[test]
fn a_subgroup_explained_by_a_wider_one_is_not_listed() {
    // Where the first condition is 1, there are half as many hits, whatever the second is.
    let [good, bad] = [[(1000, 900); 2], [(1000, 450); 2]];
    let rows = [(&[0, 0][..], good), (&[0, 1], good), (&[1, 0], bad), (&[1, 1], bad)];
    let (found, terms) = search(&table(&[2, 2], &rows), &SETTINGS);
    assert_eq!(terms, [vec![(0, 0)], vec![(0, 1)]]);
    assert_eq!(found.patterns, 8);
    let class = &found.subgroups[1];
    assert_eq!((class.pairs, class.value, class.complement), (4000, Some(0.45), Some(0.9)));
    assert_eq!(class.difference, 0.45 - 0.9);
    assert!(class.interval.lower < -0.45 && class.interval.upper > -0.45 && class.interval.upper < -0.42);
    assert!(class.p_value < 1e-100 && class.q_value < 1e-100);
}

#[test]
fn a_conjunction_that_differs_by_itself_is_listed_first() {
    let [good, bad] = [[(1000, 900); 2], [(1000, 450); 2]];
    let rows = [(&[0, 0][..], good), (&[0, 1], good), (&[1, 0], good), (&[1, 1], bad)];
    let (_, terms) = search(&table(&[2, 2], &rows), &SETTINGS);
    assert_eq!(terms[0], [(0, 1), (1, 1)]);
    // Its two values are diluted by it and differ, too; the other conjunctions are explained by their values.
    assert_eq!(terms.len(), 5, "{terms:?}");
    assert!(terms[1..].iter().all(|terms| terms.len() == 1), "{terms:?}");
}

#[test]
fn an_unconfirmed_subgroup_is_not_listed() {
    let chance = [(1000, 850), (1000, 920)];
    let rows = [(&[0][..], [(1000, 900); 2]), (&[1], chance)];
    let (found, terms) = search(&table(&[2], &rows), &SETTINGS);
    assert_eq!((found.patterns, found.tested, terms.len()), (2, 2, 0));
}

#[test]
fn impossible_comparisons_are_not_tested() {
    // All pairs have one value of the first condition, so it has no complement. One value of the second has
    // no pairs in the confirmation half.
    let rows = [(&[0, 0][..], [(1000, 900); 2]), (&[0, 1], [(1000, 450), (0, 0)])];
    let (found, _) = search(&table(&[1, 2], &rows), &SETTINGS);
    assert_eq!((found.patterns, found.tested), (5, 0));
    assert_eq!(
        search_subgroups(
            &PatternTable { width: 4, ..PatternTable::default() },
            &layout(),
            &SETTINGS,
            &mut mean
        )
        .patterns,
        0
    );
}

#[test]
fn other_metrics_are_compared_by_their_standard_errors() {
    // Each row has n pairs, half with the score a and half with b: n, the sum, the sum of squares.
    let part = |n: f64, a: f64, b: f64| [n, n * (a + b) / 2.0, n * (a * a + b * b) / 2.0];
    let rows = [(0_u16, part(500.0, 1.0, 3.0)), (1, part(500.0, 2.0, 5.0)), (2, part(500.0, 9.0, 9.0))];
    let table = PatternTable {
        sizes: vec![3],
        codes: vec![rows.iter().map(|(code, _)| *code).collect()],
        counts: vec![1000; 3],
        width: 6,
        sums: rows.iter().flat_map(|(_, part)| [part, part].into_iter().flatten().copied()).collect(),
    };
    let layout = SumsLayout { components: 1, moments: vec![(0, 0)] };
    let found =
        search_subgroups(&table, &layout, &SearchSettings { binary_scores: false, ..SETTINGS }, &mut mean);
    // The last value has no variance, so its certainty is unknown.
    let listed: Vec<_> = found.subgroups.iter().map(|class| (class.terms[0].value, class.value)).collect();
    assert_eq!(listed, [(0, Some(2.0)), (1, Some(3.5))]);
    assert_eq!(found.tested, 2);
}

#[test]
fn a_wider_pattern_has_exactly_the_chosen_terms() {
    let pattern = |terms: &[PatternTerm]| Pattern { terms: terms.to_vec(), count: 0, sums: Vec::new() };
    let term = |condition, value| PatternTerm { condition, value };
    let (first, second, third) = (term(0, 1), term(1, 0), term(2, 3));
    let patterns = [
        pattern(&[first]),
        pattern(&[second]),
        pattern(&[third]),
        pattern(&[first, second]),
        pattern(&[first, third]),
    ];
    let found =
        |subset| wider_pattern(&patterns, &[first, second, third], subset).map(|found| found.terms.clone());
    assert_eq!(found(0b001), Some(vec![first]));
    assert_eq!(found(0b100), Some(vec![third]));
    assert_eq!(found(0b101), Some(vec![first, third]));
    assert_eq!(found(0b110), None);
}
