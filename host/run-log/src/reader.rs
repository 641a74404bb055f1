//! Reads the tables of a run, sealed and open segments alike.

mod event_times;
mod row_groups;
mod row_selection;
mod segment_list;
mod table_rows;

pub use crate::reader::event_times::latest_time;
pub use crate::reader::row_groups::{RowGroup, count_rows, row_groups};
pub use crate::reader::row_selection::RowSelection;
pub use crate::reader::segment_list::{SegmentFile, segments};
pub use crate::reader::table_rows::{ScanOptions, TableRows};

#[cfg(test)]
mod tests;
