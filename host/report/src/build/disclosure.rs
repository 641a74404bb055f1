//! What an interim report withholds, so that nobody who still has to decide learns about a single row.

use crate::model::metric_value::MetricValue;
use crate::model::run_summary::{MissingAnswers, PluginFailure};
use understudy_sandbox::failure_kind;

/// The minimum number of pairs of a condition value or window that an interim report shows figures for. Over fewer
/// pairs, a figure could reveal an answer for a row that is still to be decided.
pub(super) const MIN_INTERIM_PAIRS: u64 = 5;

/// Which values of a table an interim report withholds: those over fewer than [`MIN_INTERIM_PAIRS`] pairs, and as many
/// more that no value follows from the total of its row or column and the others that are shown. `pairs` are rows of the
/// same length; a cell without pairs says nothing and is not withheld.
pub(super) fn withheld(pairs: &[Vec<u64>]) -> Vec<Vec<bool>> {
    let few = |pairs: u64| (1..MIN_INTERIM_PAIRS).contains(&pairs);
    let mut withheld: Vec<Vec<bool>> =
        pairs.iter().map(|row| row.iter().map(|pairs| few(*pairs)).collect()).collect();
    let columns = pairs.first().map_or(0, Vec::len);
    let rows = (0..pairs.len()).map(|row| (0..columns).map(|column| (row, column)).collect::<Vec<_>>());
    let columns = (0..columns).map(|column| (0..pairs.len()).map(|row| (row, column)).collect());
    let lines: Vec<Vec<(usize, usize)>> = rows.chain(columns).collect();
    loop {
        let mut is_changed = false;
        for line in &lines {
            let hidden = |(row, column): &&(usize, usize)| withheld[*row][*column];
            let total: u64 = line.iter().filter(hidden).map(|(row, column)| pairs[*row][*column]).sum();
            let shown = line.iter().filter(|cell| !hidden(cell) && pairs[cell.0][cell.1] > 0);
            let smallest = shown.min_by_key(|(row, column)| pairs[*row][*column]).copied();
            if let Some((row, column)) = smallest.filter(|_| few(total)) {
                withheld[row][column] = true;
                is_changed = true;
            }
        }
        if !is_changed {
            return withheld;
        }
    }
}

/// The values of a partition of the pairs, of which some are withheld: see [`withheld`].
pub(super) fn without_few_pairs(values: Vec<MetricValue>) -> Vec<MetricValue> {
    let pairs = values.iter().map(|value| value.pairs).collect();
    let withheld = withheld(&[pairs]).swap_remove(0);
    let disclosed = |(value, withheld): (MetricValue, bool)| match withheld || value.pairs == 0 {
        true => MetricValue { pairs: value.pairs, ..MetricValue::default() },
        false => value,
    };
    values.into_iter().zip(withheld).map(disclosed).collect()
}

/// Missing answers by plugin and kind, without ids and reasons, which could quote a row.
pub(super) fn without_reasons(groups: Vec<MissingAnswers>) -> Vec<MissingAnswers> {
    let mut kinds: Vec<MissingAnswers> = Vec::new();
    for MissingAnswers { plugin, kind, count, .. } in groups {
        match kinds.iter_mut().find(|known| known.plugin == plugin && known.kind == kind) {
            Some(known) => known.count += count,
            None => kinds.push(MissingAnswers {
                plugin,
                kind,
                reason: None,
                count,
                first_id: String::new(),
                example: None,
            }),
        }
    }
    kinds
}

/// Failures without row ids and without the plugins' own messages, which could quote a row.
pub(super) fn without_row_details(failures: Vec<PluginFailure>) -> Vec<PluginFailure> {
    let mut kinds: Vec<PluginFailure> = Vec::new();
    for PluginFailure { plugin, message, count, .. } in failures {
        let message = failure_kind(&message);
        match kinds.iter_mut().find(|known| known.plugin == plugin && known.message == message) {
            Some(known) => known.count += count,
            None => kinds.push(PluginFailure { plugin, message, count, first_id: String::new() }),
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_of_few_pairs_takes_the_smallest_of_its_row_and_column_with_it() {
        let pairs = [vec![50, 3, 0], vec![40, 60, 9], vec![30, 20, 7]];
        let expected = [[true, true, false], [false, false, false], [true, true, false]];
        assert_eq!(withheld(&pairs), expected.map(Vec::from));
        // Two values of few pairs hide each other, if together they are not few.
        assert_eq!(withheld(&[vec![4, 100, 1, 7]]), [[true, false, true, false]]);
        assert_eq!(withheld(&[vec![4, 100, 0, 7]]), [[true, false, false, true]]);
        assert_eq!(withheld(&[vec![3]]), [[true]]);
        assert_eq!(withheld(&[]), Vec::<Vec<bool>>::new());
    }

    proptest! {
        #[test]
        fn no_value_of_few_pairs_follows_from_a_total(
            pairs in (1..6_usize, 1..6_usize).prop_flat_map(|(rows, columns)| {
                prop::collection::vec(prop::collection::vec(0..20_u64, columns), rows)
            }),
        ) {
            let withheld = withheld(&pairs);
            let cell = |row: usize, column: usize| (pairs[row][column], withheld[row][column]);
            let rows = (0..pairs.len()).map(|row| (0..pairs[0].len()).map(|column| cell(row, column)).collect());
            let columns =
                (0..pairs[0].len()).map(|column| (0..pairs.len()).map(|row| cell(row, column)).collect());
            for line in rows.chain(columns).collect::<Vec<Vec<(u64, bool)>>>() {
                prop_assert!(line.iter().all(|(pairs, hidden)| *hidden || *pairs == 0 || *pairs >= 5));
                prop_assert!(line.iter().all(|(pairs, hidden)| !hidden || *pairs > 0));
                let hidden: u64 = line.iter().filter(|cell| cell.1).map(|cell| cell.0).sum();
                let shown = line.iter().any(|(pairs, hidden)| *pairs > 0 && !hidden);
                prop_assert!(hidden == 0 || hidden >= 5 || !shown, "{line:?}");
            }
        }
    }
}
