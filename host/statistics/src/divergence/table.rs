//! The pairs as a table of conditions and sums, and the conjunctions of values that have enough of them.
//!
//! Always holds: a pattern's sums are added in the order of the table's rows, whatever way led to the pattern, so they are
//! the same bits each time; memory beside the patterns is a few words a row and never one a combination.
//!
//! A conjunction has no more pairs than any part of it. So the search goes down: the rows of one value, among these the
//! rows of one value of a later condition, and so on, and leaves a branch where there are too few pairs. This is the
//! projection of "TreeProjection" (R. C. Agarwal, C. C. Aggarwal, V. V. V. Prasad, "A tree projection algorithm for
//! generation of frequent item sets", Journal of Parallel and Distributed Computing 61 (2001)).

use super::Term;

/// The most terms of a pattern. A conjunction of more is hardly ever a cause that somebody can name, and their number grows
/// faster than the evidence.
pub const DEEPEST: usize = 3;

/// Rows that have one value of each condition, with sums. A row may be one pair or all the pairs of one profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// How many values each condition has.
    pub sizes: Vec<usize>,
    /// By condition, by row: the index of the value, below the condition's size. A row with any other index is in no
    /// pattern of that condition.
    pub codes: Vec<Vec<u16>>,
    /// How many pairs each row has.
    pub counts: Vec<u64>,
    /// How many sums each row has.
    pub width: usize,
    /// The sums: rows times `width`, row by row.
    pub sums: Vec<f64>,
}

/// A conjunction of values, and what its pairs add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Its terms, in ascending order of their conditions, each of which occurs once.
    pub terms: Vec<Term>,
    /// How many pairs it has.
    pub count: u64,
    /// Their sums, as many as the table is wide.
    pub sums: Vec<f64>,
}

/// All conjunctions of 1 to `depth` terms, but of [`DEEPEST`] at most, that have at least `least` pairs and at least one,
/// in ascending order of the number of terms and then of the terms.
///
/// # Panics
///
/// When the columns of the table are not of one length, or have more rows than a `u32` counts: pairs are folded into
/// profiles before they are that many.
pub fn patterns(table: &Table, depth: usize, least: u64) -> Vec<Pattern> {
    let rows = table.counts.len();
    assert!(table.codes.len() == table.sizes.len(), "each condition has a size and a column");
    assert!(table.codes.iter().all(|codes| codes.len() == rows), "each row has a value of each condition");
    assert!(table.sums.len() == rows * table.width, "each row has as many sums as the table is wide");
    let rows: Vec<u32> = (0..u32::try_from(rows).expect("rows are folded")).collect();
    let least = least.max(1);
    let frequent = table.codes.iter().zip(&table.sizes).map(|(codes, &size)| {
        let mut counts = vec![0; size];
        for (&code, count) in codes.iter().zip(&table.counts) {
            if let Some(sum) = counts.get_mut(usize::from(code)) {
                *sum += count;
            }
        }
        Frequent::new(codes, &counts, least)
    });
    let mut search = Search { table, least, frequent: frequent.collect(), found: Vec::new() };
    search.extend(&[], &rows, depth.min(DEEPEST));
    let mut found = search.found;
    found.sort_unstable_by(|a, b| (a.terms.len(), &a.terms).cmp(&(b.terms.len(), &b.terms)));
    found
}

/// A condition with only those values that have enough pairs by themselves: no other can be in a pattern.
struct Frequent {
    /// The values.
    values: Vec<u16>,
    /// By row, the place of its value among them; their number where it is not among them.
    places: Vec<u16>,
}

impl Frequent {
    fn new(codes: &[u16], counts: &[u64], least: u64) -> Self {
        let values: Vec<u16> =
            (0..=u16::MAX).zip(counts).filter(|(_, c)| **c >= least).map(|(v, _)| v).collect();
        // Where all 65,536 values are frequent, none is missing, so that the wrapped number stands for nothing.
        let mut place_of = vec![values.len() as u16; counts.len()];
        for (place, &value) in (0..=u16::MAX).zip(&values) {
            place_of[usize::from(value)] = place;
        }
        let place = |code: &u16| place_of.get(usize::from(*code)).copied().unwrap_or(values.len() as u16);
        Self { places: codes.iter().map(place).collect(), values }
    }
}

/// The search on its way down.
struct Search<'t> {
    table: &'t Table,
    least: u64,
    /// By condition.
    frequent: Vec<Frequent>,
    found: Vec<Pattern>,
}

impl Search<'_> {
    /// Adds all patterns of up to `left` more terms of later conditions to `terms`, whose rows these are, ascending.
    fn extend(&mut self, terms: &[Term], rows: &[u32], left: usize) {
        if left == 0 {
            return;
        }
        let first = terms.last().map_or(0, |term| usize::from(term.condition) + 1);
        for condition in first..self.frequent.len() {
            let (counts, sums) = self.add_up(condition, rows);
            let width = self.table.width;
            let enough: Vec<bool> = counts.iter().map(|&count| count >= self.least).collect();
            let mut parts = match left > 1 && condition + 1 < self.frequent.len() {
                true => self.split(condition, rows, &enough),
                false => Vec::new(),
            };
            for place in (0..enough.len()).filter(|&place| enough[place]) {
                let value = self.frequent[condition].values[place];
                let terms = [terms, &[Term { condition: condition as u16, value }]].concat();
                let sums = sums[place * width..][..width].to_vec();
                self.found.push(Pattern { terms: terms.clone(), count: counts[place], sums });
                if let Some(rows) = parts.get_mut(place).map(std::mem::take) {
                    self.extend(&terms, &rows, left - 1);
                }
            }
        }
    }

    /// The pairs and the sums of these rows by frequent value of a condition.
    fn add_up(&self, condition: usize, rows: &[u32]) -> (Vec<u64>, Vec<f64>) {
        let (table, Frequent { values, places }) = (self.table, &self.frequent[condition]);
        let width = table.width;
        // One more for the rows of no frequent value, so that the loop need not ask.
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

    /// The rows by frequent value of a condition, in their order; none for a value that does not have enough.
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
