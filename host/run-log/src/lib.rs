//! The run log: the directory that stores what a run received and what its plugins answered.
//!
//! ```text
//! study.toml  seal.json              the declaration and its seal
//! ledger.jsonl  ledger.note          the events, each entry chained to the one before; the signed head
//! plugins/<digest>.wasm              the components that ran
//! snapshots/*.arrows *.parquet       accepted snapshots with the models' answers (open segment, then sealed)
//! decisions/*.arrows *.parquet       accepted decisions
//! excluded/*.arrows *.parquet        excluded records with the reason
//! pairs/*.arrows *.parquet           derived: joined pairs with the comparator's answer
//! checkpoint.bin                     derived: the sums from which all figures are computed
//! report.json                        derived: the figures
//! interim/*.json *.html              interim reports, as they were written
//! report.html                        derived: the report as a page
//! verdict.json                       derived: the latest verdict
//! reviews.jsonl                      derived: the judgements in the ledger
//! ```
//!
//! The open segments are the write-ahead log of a run. All tables end their segments together: the files with
//! one number are a group. A group is closed, then sealed as Parquet, then recorded in the ledger.
//!
//! Invariants: a `.parquet` file is complete, since it is written under a temporary name and renamed. An
//! `.arrows` file is a sequence of complete batches with checksums, and at most one torn batch at its end. A
//! group is in the ledger before its `.arrows` files are removed.

mod atomic_file;
mod chained_lines;
pub mod checkpoint;
mod digest;
mod directory;
pub mod dsse;
mod durable_file;
mod error;
mod io_advice;
mod ipc_stream;
mod layout;
pub mod ledger;
mod reader;
mod recover;
pub mod register;
mod regular_file;
pub mod retention;
mod sealer;
mod segment_group;
mod segment_writer;
pub mod signed_head;
mod writer;

pub use crate::chained_lines::{ChainedEntry, LineFault};
pub use crate::digest::file_digest;
pub use crate::directory::{DirectoryContent, RunDirectory};
pub use crate::durable_file::{folder_of, write_file, write_private_file};
pub use crate::error::LogError;
pub use crate::ipc_stream::open_segment;
pub use crate::layout::{CHECKPOINT, INTERIM, PAGE, REPORT, SEAL, Table, VERDICT};
pub use crate::reader::{
    RowGroup, RowSelection, ScanOptions, SegmentFile, TableRows, count_rows, row_groups, segments,
};
pub use crate::recover::{Recovered, last_mark, present, recover};
pub use crate::regular_file::{
    create_file, ensure_regular_file, open_file, open_regular_file, read_file, read_file_within,
    read_text_file,
};
pub use crate::sealer::Sealer;
pub use crate::segment_group::GroupBoundary;
pub use crate::writer::{Acknowledge, Commit, LogThreads, LogWriter};
