//! The segment group that is being written, and when it ends.

use std::time::Instant;

use arrow::array::RecordBatch;

use understudy_run_log::Table;
use understudy_study::LogSettings;

/// The segment group that is being written.
pub(crate) struct OpenGroup {
    /// The number of sealed groups before it.
    pub(crate) number: u32,
    /// Rows in the tables of snapshots, decisions and excluded records.
    rows: [usize; 3],
    opened: Instant,
}

impl OpenGroup {
    /// The group with this number, opened now. `rows` are those that its tables have already.
    pub(crate) fn new(number: u32, rows: [usize; 3]) -> OpenGroup {
        OpenGroup { number, rows, opened: Instant::now() }
    }

    /// The empty group after this one.
    pub(crate) fn next(&self) -> OpenGroup {
        OpenGroup::new(self.number + 1, [0; 3])
    }

    /// Counts appended rows. Pairs do not count: they are derived.
    pub(crate) fn count_rows(&mut self, rows: &[(Table, RecordBatch)]) {
        for (table, batch) in rows {
            if let Some(sum) = self.rows.get_mut(*table as usize) {
                *sum += batch.num_rows();
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == [0; 3]
    }

    /// Whether a table has `log.segment-rows` rows.
    pub(crate) fn is_full(&self, log: &LogSettings) -> bool {
        self.rows.iter().any(|rows| *rows >= log.segment_rows)
    }

    /// Whether the group was opened `log.seal-every` ago.
    pub(crate) fn is_old(&self, log: &LogSettings) -> bool {
        log.seal_every.as_secs_f64() <= self.opened.elapsed().as_secs_f64()
    }
}
