//! Runs lowered models on blocks of rows.
//!
//! A [`Model`] is prepared once from a [`Program`](tabular_program::Program) and answers rows any number of times. Rows are run in
//! blocks, so that intermediate values stay in the processor's cache. Within a block the values of one column are
//! adjacent: a step is a loop over rows, which compiles to vector instructions.
//!
//! Invariants:
//! - The answer to a row depends on the row alone: neither on the other rows of a call, nor on earlier calls, nor on the
//!   machine. Sums have a fixed order, and transcendental functions are those of the `libm` crate.
//! - A program that passed its check runs without a panic, whatever the rows are.

mod conversion;
mod forest;
mod graph_engine;
mod matcher;
mod math;
mod model;
mod operations;
mod planes;
mod source_columns;
mod text;

pub use conversion::{doubles, lower_halves};
pub use graph_engine::{Graph, GraphEngine, GraphError, GraphValues, NoGraphs};
pub use model::{Answers, Buffers, Failure, Model, OutputColumns};
pub use source_columns::{Source, SourceColumn, SourceError};
pub use text::{TextRef, Texts};
