//! How many rows the next call of a plugin may have.
//!
//! Always holds: at least one row; after a call that failed half as many as it had, after one that went well twice as
//! many as were allowed. So the rows that a plugin breaks on come to stand alone, a good batch is one call, and a plugin
//! that breaks on everything costs one call a row and not two.

/// The pace of one instance.
pub(super) struct BatchSizer {
    /// What the calls before have earned.
    rows: usize,
    /// The most fuel that a row has used on average over a call.
    fuel_per_row: f64,
}

impl BatchSizer {
    /// Before the first call: as many as there are.
    pub fn new() -> BatchSizer {
        BatchSizer { rows: usize::MAX, fuel_per_row: 1.0 }
    }

    /// The rows of the next call, of `left` that there are: so few that half of `fuel` is likely to do.
    pub fn next(&self, left: usize, fuel: u64) -> usize {
        let affordable = (fuel as f64 / 2.0 / self.fuel_per_row) as usize;
        affordable.min(self.rows).min(left).max(1)
    }

    /// A call of `rows` rows went well and used `fuel`.
    pub fn record_success(&mut self, rows: usize, fuel: u64) {
        self.fuel_per_row = self.fuel_per_row.max(fuel as f64 / rows as f64);
        self.rows = self.rows.saturating_mul(2);
    }

    /// A call of `rows` rows failed.
    pub fn failed(&mut self, rows: usize) {
        self.rows = (rows / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUEL: u64 = 1 << 20;

    /// Calls that it takes to get past `rows` rows, of which some are bad.
    fn calls(rows: usize, is_bad: impl Fn(usize) -> bool) -> usize {
        let (mut pace, mut start, mut calls) = (BatchSizer::new(), 0, 0);
        while start < rows {
            let end = start + pace.next(rows - start, FUEL);
            calls += 1;
            let broke = (start..end).any(&is_bad);
            if broke {
                pace.failed(end - start);
            } else {
                pace.record_success(end - start, 0);
            }
            if !broke || end - start == 1 {
                start = end;
            }
        }
        calls
    }

    #[test]
    fn few_calls_find_the_bad_rows() {
        assert_eq!(calls(1024, |_| false), 1);
        assert_eq!(calls(1024, |_| true), 1024 + 10);
        assert_eq!(calls(1024, |row| row == 0), 11 + 10);
        assert_eq!(calls(1024, |row| row == 1023), 21);
        assert_eq!(calls(1024, |row| row % 2 == 0), 10 + 1024 + 511);
    }

    #[test]
    fn a_call_has_the_rows_that_half_its_fuel_may_do() {
        let mut pace = BatchSizer::new();
        pace.record_success(10, 10 * 1024);
        assert_eq!(pace.next(10_000, FUEL), 512);
        assert_eq!(pace.next(100, FUEL), 100);
        pace.record_success(1, FUEL);
        assert_eq!(pace.next(100, FUEL), 1);
    }
}
