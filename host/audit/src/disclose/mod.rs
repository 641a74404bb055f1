//! Showing rows of a run: cases, exports and reviews, each recorded in the ledger as an exposure first.

pub(crate) mod absent_case;
pub mod access_record;
pub mod case;
pub mod cell_text;
pub mod csv_writer;
pub mod decided_row_builder;
pub mod decided_rows;
pub mod disagreements;
pub mod export;
pub mod pair_scan;
pub mod review;
pub mod review_sample;
pub mod revised_decisions;
