//! A plugin together with rows: what the check, tests and measurements work on.

use understudy_sandbox::Usage;

use crate::row_result::RowResult;

/// A plugin and rows that it can be asked for.
pub trait Subject {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// A new instance of the plugin. It starts with its first call.
    fn instance(&self) -> Box<dyn Instance + '_>;

    /// A function that asks a new instance for each of the batches. It does nothing else, so that it can be measured.
    fn prepared(&self, batches: &[Vec<usize>]) -> Box<dyn FnMut() + '_>;

    /// The row as JSON text for messages.
    fn row_text(&self, row: usize) -> String;

    /// What all instances have used.
    fn usage(&self) -> Usage;
}

/// An instance of a plugin.
pub trait Instance {
    /// Asks for rows in one batch. Returns one result for each, in the order of `rows`.
    fn call(&mut self, rows: &[usize]) -> Vec<RowResult>;
}
