//! What an interim report withholds, so that nobody who still has to decide learns about a single row.

use std::collections::VecDeque;

use crate::model::metric_value::MetricValue;
use crate::model::run_summary::{MissingAnswers, PluginFailure};
use understudy_sandbox::failure_kind;

/// The minimum number of pairs of a condition value or window that an interim report shows figures for. Over fewer
/// pairs, a figure could reveal an answer for a row that is still to be decided.
pub(super) const MIN_INTERIM_PAIRS: u64 = 5;

/// Whether there are pairs, and fewer than an interim report shows figures for.
pub(super) fn is_few(pairs: u64) -> bool {
    (1..MIN_INTERIM_PAIRS).contains(&pairs)
}

/// For each part of a partition of the pairs whether an interim report withholds its value. It withholds parts of fewer than
/// [`MIN_INTERIM_PAIRS`] pairs. Then it withholds the smallest others until the shown parts and the total reveal none.
pub(super) fn withheld_parts(pairs: &[u64]) -> Vec<bool> {
    let mut withheld: Vec<bool> = pairs.iter().map(|pairs| is_few(*pairs)).collect();
    loop {
        let total =
            pairs.iter().zip(&withheld).filter(|(_, withheld)| **withheld).map(|(pairs, _)| pairs).sum();
        let shown = (0..pairs.len()).filter(|at| !withheld[*at] && pairs[*at] > 0);
        match shown.min_by_key(|at| pairs[*at]).filter(|_| is_few(total)) {
            Some(smallest) => withheld[smallest] = true,
            None => return withheld,
        }
    }
}

/// The values of a partition of the pairs, without those that [`withheld_parts`] withholds.
pub(super) fn without_few_pairs(values: Vec<MetricValue>) -> Vec<MetricValue> {
    let pairs: Vec<u64> = values.iter().map(|value| value.pairs).collect();
    let disclosed = |(value, withheld): (MetricValue, bool)| match withheld || value.pairs == 0 {
        true => MetricValue { pairs: value.pairs, ..MetricValue::default() },
        false => value,
    };
    values.into_iter().zip(withheld_parts(&pairs)).map(disclosed).collect()
}

/// A table of numbers of pairs. All rows have the same length.
pub(super) struct PairTable {
    /// The pairs by row and column.
    pub pairs: Vec<Vec<u64>>,
    /// For each row whether its total is withheld.
    pub withheld_rows: Vec<bool>,
    /// For each column whether its total is withheld.
    pub withheld_columns: Vec<bool>,
}

impl PairTable {
    /// For each row and column whether an interim report withholds the value. It withholds values of fewer than
    /// [`MIN_INTERIM_PAIRS`] pairs, and as many others as it takes so that none of these follows from the shown totals and
    /// values. `None` if one still follows.
    pub fn withheld(&self) -> Option<Vec<Vec<bool>>> {
        let few = |row: &Vec<u64>| row.iter().map(|pairs| is_few(*pairs)).collect();
        let mut withheld: Vec<Vec<bool>> = self.pairs.iter().map(few).collect();
        while let Some((row, column)) = self.next_withheld(&withheld) {
            withheld[row][column] = true;
        }
        (!self.is_revealed(&withheld)).then_some(withheld)
    }

    /// The next value to withhold: a shown value of a row or column whose withheld values follow from its total, because
    /// there is only one or they have few pairs together. Preferred are values whose row and column both have a withheld
    /// value already, then the smallest.
    fn next_withheld(&self, withheld: &[Vec<bool>]) -> Option<(usize, usize)> {
        let (rows, columns) = (self.withheld_rows.len(), self.withheld_columns.len());
        let of_row = |row: usize| (0..columns).map(|column| (row, column)).collect::<Vec<_>>();
        let of_column = |column: usize| (0..rows).map(|row| (row, column)).collect::<Vec<_>>();
        let is_withheld = |(row, column): &(usize, usize)| withheld[*row][*column];
        let pairs = |(row, column): &(usize, usize)| self.pairs[*row][*column];
        let closes_no_cycle = |cell: &(usize, usize)| {
            !(of_row(cell.0).iter().any(is_withheld) && of_column(cell.1).iter().any(is_withheld))
        };
        let all_rows = (0..rows).map(|row| (of_row(row), self.withheld_rows[row]));
        let all_columns = (0..columns).map(|column| (of_column(column), self.withheld_columns[column]));
        all_rows.chain(all_columns).find_map(|(line, is_total_withheld)| {
            let (hidden, shown): (Vec<_>, Vec<_>) =
                line.into_iter().filter(|cell| pairs(cell) > 0).partition(is_withheld);
            let follows = hidden.len() == 1 || is_few(hidden.iter().map(pairs).sum());
            if !follows || is_total_withheld {
                return None;
            }
            shown.into_iter().min_by_key(|cell| (closes_no_cycle(cell), pairs(cell)))
        })
    }

    /// Whether a value of few pairs follows from the shown values and totals. The unknown values and totals are the edges of
    /// a graph. Its nodes are the rows and columns, including the row and the column of totals. A value is determined
    /// exactly if its edge is a bridge.
    fn is_revealed(&self, withheld: &[Vec<bool>]) -> bool {
        let (rows, columns) = (self.withheld_rows.len(), self.withheld_columns.len());
        let mut edges = Vec::new();
        let mut few = Vec::new();
        for (row, is_withheld) in withheld.iter().enumerate() {
            for column in (0..columns).filter(|column| is_withheld[*column]) {
                edges.push((row, rows + 1 + column));
                few.push(is_few(self.pairs[row][column]));
            }
        }
        edges.extend((0..rows).filter(|row| self.withheld_rows[*row]).map(|row| (row, rows + 1 + columns)));
        let totals = (0..columns).filter(|column| self.withheld_columns[*column]);
        edges.extend(totals.map(|column| (rows, rows + 1 + column)));
        bridges(rows + columns + 2, &edges)
            .into_iter()
            .zip(few)
            .any(|(is_bridge, is_few)| is_bridge && is_few)
    }
}

/// For each edge of a graph without parallel edges whether it is a bridge, which is in no cycle.
fn bridges(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut neighbours = vec![Vec::new(); nodes];
    for (edge, (one, other)) in edges.iter().enumerate() {
        neighbours[*one].push((*other, edge));
        neighbours[*other].push((*one, edge));
    }
    // A forest of shortest paths: for each node its depth, its parent and the edge to it.
    let mut forest: Vec<Option<(usize, usize, usize)>> = vec![None; nodes];
    let mut is_bridge = vec![false; edges.len()];
    for root in 0..nodes {
        if forest[root].is_some() {
            continue;
        }
        forest[root] = Some((0, root, usize::MAX));
        let mut queue = VecDeque::from([(root, 0)]);
        while let Some((node, depth)) = queue.pop_front() {
            for (next, edge) in &neighbours[node] {
                if forest[*next].is_none() {
                    forest[*next] = Some((depth + 1, node, *edge));
                    is_bridge[*edge] = true;
                    queue.push_back((*next, depth + 1));
                }
            }
        }
    }
    // Each other edge closes a cycle with the paths from its ends to where they meet.
    let is_in_forest = is_bridge.clone();
    for (_, (one, other)) in edges.iter().enumerate().filter(|(edge, _)| !is_in_forest[*edge]) {
        let (mut one, mut other) = (*one, *other);
        while one != other {
            let (Some(from_one), Some(from_other)) = (forest[one], forest[other]) else { break };
            let (node, (_, parent, edge)) =
                if from_one.0 >= from_other.0 { (&mut one, from_one) } else { (&mut other, from_other) };
            is_bridge[edge] = false;
            *node = parent;
        }
    }
    is_bridge
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

    fn table(pairs: &[Vec<u64>]) -> PairTable {
        let rows: Vec<u64> = pairs.iter().map(|row| row.iter().sum()).collect();
        let columns = (0..pairs[0].len()).map(|column| pairs.iter().map(|row| row[column]).sum());
        PairTable {
            withheld_rows: withheld_parts(&rows),
            withheld_columns: withheld_parts(&columns.collect::<Vec<_>>()),
            pairs: pairs.to_vec(),
        }
    }

    #[test]
    fn few_pairs_take_the_smallest_other_part_with_them() {
        assert_eq!(withheld_parts(&[4, 100, 0, 7]), [true, false, false, true]);
        // Two values of few pairs hide each other, if together they are not few.
        assert_eq!(withheld_parts(&[4, 100, 1, 7]), [true, false, true, false]);
        assert_eq!(withheld_parts(&[3]), [true]);
        assert_eq!(withheld_parts(&[]), [false; 0]);
    }

    #[test]
    fn a_value_of_few_pairs_takes_others_of_its_row_and_column_with_it() {
        let found = table(&[vec![50, 3, 0], vec![40, 60, 9], vec![30, 20, 7]]).withheld();
        let expected = [[true, true, false], [false, false, false], [true, true, false]];
        assert_eq!(found, Some(expected.map(Vec::from).to_vec()));
    }

    #[test]
    fn a_table_whose_totals_reveal_few_pairs_is_withheld_as_a_whole() {
        // The second column has one value, so its total reveals that, and the total of the first row then the 3.
        assert_eq!(table(&[vec![3, 50], vec![60, 0]]).withheld(), None);
    }

    #[test]
    fn edges_of_cycles_are_no_bridges() {
        // Two triangles with an edge between them, and one more edge.
        let edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 3), (6, 7)];
        assert_eq!(bridges(8, &edges), [false, false, false, true, false, false, false, true]);
    }

    /// Which unknowns are determined by linear equations with coefficients 0 and 1 or -1: by elimination modulo a prime.
    fn determined(mut equations: Vec<Vec<i64>>, unknowns: usize) -> Vec<bool> {
        const PRIME: i64 = 1_000_003;
        // By Fermat: the power PRIME - 2.
        let inverse = |number: i64| {
            (0..20).fold((1, number), |(product, power), bit| {
                let product = if (PRIME - 2) >> bit & 1 == 1 { product * power % PRIME } else { product };
                (product, power * power % PRIME)
            })
        };
        let mut rank = 0;
        for unknown in 0..unknowns {
            let Some(pivot) = (rank..equations.len()).find(|row| equations[*row][unknown] != 0) else {
                continue;
            };
            equations.swap(rank, pivot);
            let (factor, _) = inverse(equations[rank][unknown]);
            equations[rank].iter_mut().for_each(|number| *number = *number * factor % PRIME);
            let row = equations[rank].clone();
            for (_, equation) in equations.iter_mut().enumerate().filter(|(at, _)| *at != rank) {
                let factor = equation[unknown];
                for (number, pivot) in equation.iter_mut().zip(&row) {
                    *number = (*number - factor * pivot % PRIME + PRIME) % PRIME;
                }
            }
            rank += 1;
        }
        let alone = |unknown: usize| {
            equations
                .iter()
                .any(|row| row[unknown] != 0 && row.iter().filter(|number| **number != 0).count() == 1)
        };
        (0..unknowns).map(alone).collect()
    }

    proptest! {
        #[test]
        fn no_value_of_few_pairs_follows_from_what_is_shown(
            pairs in (1..6_usize, 1..6_usize).prop_flat_map(|(rows, columns)| {
                prop::collection::vec(prop::collection::vec(0..20_u64, columns), rows)
            }),
        ) {
            let table = table(&pairs);
            let Some(withheld) = table.withheld() else { return Ok(()) };
            // The unknown cells, and the unknown totals with the index of the row or column of totals.
            let (rows, columns) = (pairs.len(), pairs[0].len());
            let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
            let mut unknown: Vec<(usize, usize)> = cells.filter(|(row, column)| withheld[*row][*column]).collect();
            prop_assert!(unknown.iter().all(|(row, column)| pairs[*row][*column] > 0));
            let few: Vec<bool> = unknown.iter().map(|(row, column)| is_few(pairs[*row][*column])).collect();
            let number = pairs.iter().flatten().filter(|pairs| is_few(**pairs)).count();
            prop_assert_eq!(few.iter().filter(|few| **few).count(), number);
            unknown.extend((0..rows).filter(|row| table.withheld_rows[*row]).map(|row| (row, columns)));
            unknown.extend((0..columns).filter(|column| table.withheld_columns[*column]).map(|column| (rows, column)));
            // A line's values add up to its total; the values of the totals' lines to the number of all pairs.
            let sign = |(row, column): &(usize, usize)| if *row == rows || *column == columns { 1_000_002 } else { 1 };
            let of_row = (0..=rows).map(|line| {
                unknown.iter().map(|cell| if cell.0 == line { sign(cell) } else { 0 }).collect::<Vec<i64>>()
            });
            let of_column = (0..=columns).map(|line| {
                unknown.iter().map(|cell| if cell.1 == line { sign(cell) } else { 0 }).collect::<Vec<i64>>()
            });
            let determined = determined(of_row.chain(of_column).collect(), unknown.len());
            prop_assert!(!determined.into_iter().zip(few).any(|(determined, few)| determined && few), "{withheld:?}");
        }
    }
}
