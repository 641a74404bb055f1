//! Chooses the number of rows of the next call of a plugin.
//!
//! Invariants:
//! - A call has at least one row.
//! - A failed call halves the limit, a successful one doubles it.
//!
//! So failing rows are isolated, a good batch takes one call, and a plugin that fails on every row costs
//! about one call per row.

/// The adaptive batch size of one instance.
pub(super) struct BatchSizer {
    /// Current limit in rows.
    rows: usize,
    /// Highest average fuel per row of any call.
    fuel_per_row: f64,
}

impl BatchSizer {
    /// The state before the first call: no limit.
    pub fn new() -> BatchSizer {
        BatchSizer { rows: usize::MAX, fuel_per_row: 1.0 }
    }

    /// Rows of the next call, out of `left` remaining rows. The call is expected to use at most half of
    /// `fuel`.
    pub fn next(&self, left: usize, fuel: u64) -> usize {
        let affordable = (fuel as f64 / 2.0 / self.fuel_per_row) as usize;
        affordable.min(self.rows).min(left).max(1)
    }

    /// Records that a call of `rows` rows succeeded and used `fuel`.
    pub fn record_success(&mut self, rows: usize, fuel: u64) {
        self.fuel_per_row = self.fuel_per_row.max(fuel as f64 / rows as f64);
        self.rows = self.rows.saturating_mul(2);
    }

    /// Records that a call of `rows` rows failed.
    pub fn record_failure(&mut self, rows: usize) {
        self.rows = (rows / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUEL: u64 = 1 << 20;

    /// Number of calls for `rows` rows, some of which fail.
    fn calls(rows: usize, is_bad: impl Fn(usize) -> bool) -> usize {
        let (mut sizer, mut start, mut calls) = (BatchSizer::new(), 0, 0);
        while start < rows {
            let end = start + sizer.next(rows - start, FUEL);
            calls += 1;
            let failed = (start..end).any(&is_bad);
            if failed {
                sizer.record_failure(end - start);
            } else {
                sizer.record_success(end - start, 0);
            }
            if !failed || end - start == 1 {
                start = end;
            }
        }
        calls
    }

    #[test]
    fn few_calls_isolate_the_bad_rows() {
        assert_eq!(calls(1024, |_| false), 1);
        assert_eq!(calls(1024, |_| true), 1024 + 10);
        assert_eq!(calls(1024, |row| row == 0), 11 + 10);
        assert_eq!(calls(1024, |row| row == 1023), 21);
        assert_eq!(calls(1024, |row| row % 2 == 0), 10 + 1024 + 511);
    }

    #[test]
    fn a_call_is_sized_to_use_half_its_fuel() {
        let mut sizer = BatchSizer::new();
        sizer.record_success(10, 10 * 1024);
        assert_eq!(sizer.next(10_000, FUEL), 512);
        assert_eq!(sizer.next(100, FUEL), 100);
        sizer.record_success(1, FUEL);
        assert_eq!(sizer.next(100, FUEL), 1);
    }
}
