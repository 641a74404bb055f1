//! Measures what a row costs at a batch size.
//!
//! The caller has the clock. Columns are made before the measurement, so that it covers calls of the plugin only.

use crate::subject::Subject;

/// What a row costs in batches of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Nanoseconds of a row: those of the fastest round.
    pub nanoseconds: u64,
    /// Fuel of a row.
    pub fuel: u64,
}

/// Rows of a round at least. A single call of one row would be as short as the resolution of clocks.
const ROWS_OF_ROUND: usize = 1024;

/// Measures batches of `batch_rows` rows: the rows of the subject, repeated. `elapsed` calls a function and returns the
/// nanoseconds that it took. A round is repeated until `is_over`.
///
/// # Panics
/// If the subject has no row.
pub fn measure(
    subject: &dyn Subject,
    batch_rows: usize,
    mut elapsed: impl FnMut(&mut dyn FnMut()) -> u64,
    mut is_over: impl FnMut() -> bool,
) -> Measurement {
    assert!(subject.rows() > 0, "there is no row to measure");
    let calls = (ROWS_OF_ROUND / batch_rows).max(1);
    let batch = |call: usize| (0..batch_rows).map(|row| (call * batch_rows + row) % subject.rows()).collect();
    let batches: Vec<Vec<usize>> = (0..calls).map(batch).collect();
    let rows = (calls * batch_rows) as u64;
    let mut round = subject.prepared(&batches);
    // The first round creates the instance, and learns how many rows a call can have.
    round();
    let before = subject.usage().fuel;
    round();
    let fuel = (subject.usage().fuel - before).div_ceil(rows);
    let mut fastest = u64::MAX;
    loop {
        fastest = fastest.min(elapsed(&mut *round));
        if is_over() {
            return Measurement { nanoseconds: fastest.div_ceil(rows), fuel };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use understudy_sandbox::Usage;

    use super::*;
    use crate::subject::Instance;

    /// Each row uses 10 units of fuel, and each call 100 more.
    struct Metered(Cell<u64>);

    impl Subject for Metered {
        fn rows(&self) -> usize {
            3
        }

        fn instance(&self) -> Box<dyn Instance + '_> {
            unreachable!("measurements prepare their calls")
        }

        fn prepared(&self, batches: &[Vec<usize>]) -> Box<dyn FnMut() + '_> {
            assert!(batches.iter().flatten().all(|row| *row < 3));
            let fuel: u64 = batches.iter().map(|batch| 100 + 10 * batch.len() as u64).sum();
            Box::new(move || self.0.set(self.0.get() + fuel))
        }

        fn row_text(&self, row: usize) -> String {
            row.to_string()
        }

        fn usage(&self) -> Usage {
            Usage { fuel: self.0.get(), ..Usage::default() }
        }
    }

    #[test]
    fn the_fastest_round_counts_and_fuel_is_that_of_a_row() {
        for (batch_rows, fuel) in [(1, 110), (64, 12), (1024, 11), (2048, 11)] {
            let mut times = [4096, 2048, 8192].into_iter();
            let mut rounds = 0;
            let clock = |round: &mut dyn FnMut()| {
                round();
                times.next().expect("three rounds")
            };
            let is_over = || {
                rounds += 1;
                rounds == 3
            };
            let measured = measure(&Metered(Cell::new(0)), batch_rows, clock, is_over);
            let rows = 1024.max(batch_rows as u64);
            assert_eq!(measured, Measurement { nanoseconds: 2048 / rows, fuel }, "{batch_rows}");
        }
    }
}
