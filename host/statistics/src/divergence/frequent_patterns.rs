//! Frequent patterns: the conjunctions of condition values that have enough pairs, with their sums.
//!
//! Invariants:
//! - A pattern's sums are added in the order of the table's rows, whatever the search path, so they have the
//!   same bits each time.
//! - Memory besides the patterns is a few words per row, never one per combination.
//!
//! A conjunction has no more pairs than any part of it. So the search descends: from the rows of one value to
//! those of them with a certain value of a later condition, and so on; it leaves a branch with too few pairs.
//! This is the projection of "TreeProjection" (R. C. Agarwal, C. C. Aggarwal, V. V. V. Prasad, "A tree
//! projection algorithm for generation of frequent item sets", Journal of Parallel and Distributed Computing
//! 61 (2001)).

use super::PatternTerm;

/// The maximum number of terms of a pattern. Longer conjunctions rarely have a cause that a person can name,
/// and their number grows faster than the evidence.
pub const MAX_TERMS: usize = 3;

/// Rows with one value of each condition and with sums. A row may be a single pair or all pairs of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PatternTable {
    /// The number of values of each condition.
    pub sizes: Vec<usize>,
    /// By condition and row: the index of the value, below the size of the condition. A row with any other
    /// index belongs to no pattern of that condition.
    pub codes: Vec<Vec<u16>>,
    /// The number of pairs of each row.
    pub counts: Vec<u64>,
    /// The number of sums of each row.
    pub width: usize,
    /// The sums: rows times `width`, row by row.
    pub sums: Vec<f64>,
}

/// A conjunction of condition values, and the sums of its pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The terms, in ascending order of their conditions; each condition occurs once.
    pub terms: Vec<PatternTerm>,
    /// The number of pairs.
    pub count: u64,
    /// The sums, as many as the table is wide.
    pub sums: Vec<f64>,
}

/// All conjunctions of 1 to `max_terms` terms (at most [`MAX_TERMS`]) with at least `min_pairs` pairs, and at
/// least one. They are sorted by the number of terms and then by the terms.
///
/// # Panics
/// If the columns of the table differ in length, or have more rows than a `u32` can number: pairs are
/// aggregated into profiles first.
pub fn frequent_patterns(table: &PatternTable, max_terms: usize, min_pairs: u64) -> Vec<Pattern> {
    let rows = table.counts.len();
    assert!(table.codes.len() == table.sizes.len(), "each condition has a size and a column");
    assert!(table.codes.iter().all(|codes| codes.len() == rows), "each row has a value of each condition");
    assert!(table.sums.len() == rows * table.width, "each row has as many sums as the table is wide");
    let rows: Vec<u32> = (0..u32::try_from(rows).expect("rows are folded")).collect();
    let min_pairs = min_pairs.max(1);
    let frequent = table.codes.iter().zip(&table.sizes).map(|(codes, &size)| {
        let mut counts = vec![0; size];
        for (&code, count) in codes.iter().zip(&table.counts) {
            if let Some(sum) = counts.get_mut(usize::from(code)) {
                *sum += count;
            }
        }
        FrequentValues::new(codes, &counts, min_pairs)
    });
    let mut search = PatternSearch { table, min_pairs, frequent: frequent.collect(), found: Vec::new() };
    search.extend(&[], &rows, max_terms.min(MAX_TERMS));
    let mut found = search.found;
    found.sort_unstable_by(|a, b| (a.terms.len(), &a.terms).cmp(&(b.terms.len(), &b.terms)));
    found
}

/// A condition, reduced to the values that have enough pairs on their own; no other value can be in a
/// pattern.
struct FrequentValues {
    /// The frequent values, ascending.
    values: Vec<u16>,
    /// By row: the position of its value in `values`, or the length of `values` if the value is not frequent.
    places: Vec<u16>,
}

impl FrequentValues {
    fn new(codes: &[u16], counts: &[u64], min_pairs: u64) -> Self {
        let values: Vec<u16> =
            (0..=u16::MAX).zip(counts).filter(|(_, c)| **c >= min_pairs).map(|(v, _)| v).collect();
        // If all 65,536 values are frequent, none is missing, so nobody reads the number that wraps to 0.
        let mut place_of = vec![values.len() as u16; counts.len()];
        for (place, &value) in (0..=u16::MAX).zip(&values) {
            place_of[usize::from(value)] = place;
        }
        let place = |code: &u16| place_of.get(usize::from(*code)).copied().unwrap_or(values.len() as u16);
        Self { places: codes.iter().map(place).collect(), values }
    }
}

/// The state of the search.
struct PatternSearch<'t> {
    table: &'t PatternTable,
    min_pairs: u64,
    /// By condition.
    frequent: Vec<FrequentValues>,
    found: Vec<Pattern>,
}

impl PatternSearch<'_> {
    /// Appends all patterns that extend `terms` by up to `left` terms of later conditions. `rows` are the
    /// rows of `terms`, ascending.
    fn extend(&mut self, terms: &[PatternTerm], rows: &[u32], left: usize) {
        if left == 0 {
            return;
        }
        let first = terms.last().map_or(0, |term| usize::from(term.condition) + 1);
        for condition in first..self.frequent.len() {
            let (counts, sums) = self.add_up(condition, rows);
            let width = self.table.width;
            let enough: Vec<bool> = counts.iter().map(|&count| count >= self.min_pairs).collect();
            let mut parts = match left > 1 && condition + 1 < self.frequent.len() {
                true => self.split(condition, rows, &enough),
                false => Vec::new(),
            };
            for place in (0..enough.len()).filter(|&place| enough[place]) {
                let value = self.frequent[condition].values[place];
                let terms = [terms, &[PatternTerm { condition: condition as u16, value }]].concat();
                let sums = sums[place * width..][..width].to_vec();
                self.found.push(Pattern { terms: terms.clone(), count: counts[place], sums });
                if let Some(rows) = parts.get_mut(place).map(std::mem::take) {
                    self.extend(&terms, &rows, left - 1);
                }
            }
        }
    }

    /// The pairs and the sums of the rows, by frequent value of a condition.
    fn add_up(&self, condition: usize, rows: &[u32]) -> (Vec<u64>, Vec<f64>) {
        let (table, FrequentValues { values, places }) = (self.table, &self.frequent[condition]);
        let width = table.width;
        // One more entry collects the rows without a frequent value, which avoids a branch in the loop.
        let mut counts = vec![0; values.len() + 1];
        let mut sums = vec![0.0; (values.len() + 1) * width];
        for &row in rows {
            let row = row as usize;
            let place = usize::from(places[row]);
            counts[place] += table.counts[row];
            let more = &table.sums[row * width..][..width];
            for (sum, more) in sums[place * width..][..width].iter_mut().zip(more) {
                *sum += more;
            }
        }
        counts.truncate(values.len());
        (counts, sums)
    }

    /// The rows by frequent value of a condition, in their order; empty for values with too few pairs.
    fn split(&self, condition: usize, rows: &[u32], enough: &[bool]) -> Vec<Vec<u32>> {
        let places = &self.frequent[condition].places;
        let mut parts = vec![Vec::new(); enough.len()];
        for &row in rows {
            let place = usize::from(places[row as usize]);
            if enough.get(place) == Some(&true) {
                parts[place].push(row);
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests;
