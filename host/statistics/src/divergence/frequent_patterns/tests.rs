//! The patterns against a search that tries every conjunction on every row.

use proptest::prelude::*;

use super::*;

/// A table of rows `(codes, count, sums)`.
fn table(sizes: &[usize], width: usize, rows: &[(Vec<u16>, u64, Vec<f64>)]) -> PatternTable {
    PatternTable {
        sizes: sizes.to_vec(),
        codes: (0..sizes.len()).map(|c| rows.iter().map(|(codes, ..)| codes[c]).collect()).collect(),
        counts: rows.iter().map(|(_, count, _)| *count).collect(),
        width,
        sums: rows.iter().flat_map(|(.., sums)| sums.clone()).collect(),
    }
}

/// All choices of a value, or of none, for each condition.
fn brute_force(table: &PatternTable, depth: usize, least: u64) -> Vec<Pattern> {
    let mut choices: Vec<Vec<PatternTerm>> = vec![vec![]];
    for (condition, &size) in table.sizes.iter().enumerate() {
        for at in 0..choices.len() {
            for value in 0..size as u16 {
                choices
                    .push([&choices[at][..], &[PatternTerm { condition: condition as u16, value }]].concat());
            }
        }
    }
    let mut found: Vec<Pattern> = choices
        .into_iter()
        .filter(|terms| (1..=depth.min(3)).contains(&terms.len()))
        .map(|terms| {
            let mut pattern = Pattern { terms, count: 0, sums: vec![0.0; table.width] };
            for row in 0..table.counts.len() {
                let has = |t: &PatternTerm| table.codes[usize::from(t.condition)][row] == t.value;
                if pattern.terms.iter().all(has) {
                    pattern.count += table.counts[row];
                    for at in 0..table.width {
                        pattern.sums[at] += table.sums[row * table.width + at];
                    }
                }
            }
            pattern
        })
        .filter(|pattern| pattern.count >= least.max(1))
        .collect();
    found.sort_by(|a, b| (a.terms.len(), &a.terms).cmp(&(b.terms.len(), &b.terms)));
    found
}

fn any_table() -> impl Strategy<Value = PatternTable> {
    (prop::collection::vec(1..5_usize, 0..6), 0..3_usize).prop_flat_map(|(sizes, width)| {
        // A code beyond the size is not a value of the condition.
        let codes: Vec<_> = sizes.iter().map(|&size| 0..=size as u16).collect();
        let row = (codes, 0..4_u64, prop::collection::vec(-3.0..3.0, width));
        prop::collection::vec(row, 0..60).prop_map(move |rows| table(&sizes, width, &rows))
    })
}

proptest! {
    #[test]
    fn patterns_match_brute_force(table in any_table(), depth in 0..5_usize, least in 0..20_u64) {
        prop_assert_eq!(frequent_patterns(&table, depth, least), brute_force(&table, depth, least));
    }
}

#[test]
fn values_with_too_few_pairs_are_in_no_pattern() {
    let rows = [(vec![0, 0], 4, vec![1.0]), (vec![0, 1], 2, vec![0.5]), (vec![1, 0], 3, vec![0.25])];
    let found = frequent_patterns(&table(&[2, 2], 1, &rows), 2, 4);
    let patterns: Vec<_> = found
        .iter()
        .map(|p| (p.terms.iter().map(|t| (t.condition, t.value)).collect::<Vec<_>>(), p.count, p.sums[0]))
        .collect();
    assert_eq!(patterns, [(vec![(0, 0)], 6, 1.5), (vec![(1, 0)], 7, 1.25), (vec![(0, 0), (1, 0)], 4, 1.0)]);
}

#[test]
fn a_condition_may_use_every_code() {
    let rows: Vec<_> = (0..=u16::MAX).map(|code| (vec![code], 1, vec![f64::from(code)])).collect();
    let found = frequent_patterns(&table(&[1 << 16], 1, &rows), 1, 1);
    assert_eq!(found.len(), 1 << 16);
    assert!(found.iter().all(|p| p.count == 1 && p.sums[0] == f64::from(p.terms[0].value)));
}
