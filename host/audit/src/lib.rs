//! Audit of a run: verification, verdict, replay of its models, and disclosure of its rows.
//!
//! Invariants: of a run only the ledger, the verdict and the reports are written; every disclosure of rows is
//! recorded in the ledger first.

mod attestation;
mod compare;
mod disclose;
mod replay;
mod reports;
mod reviews_file;
mod run_files;
mod verdict;
mod verdict_reader;
mod verdict_writer;
mod verify;

pub use crate::attestation::{AttestedResult, Statement, attest, open_attestation};
pub use crate::compare::comparison::{ComparisonRun, compare};
pub use crate::disclose::access_record::{Exposure, operator};
pub use crate::disclose::case::{CaseQuery, case};
pub use crate::disclose::cell_text::cell_texts;
pub use crate::disclose::csv_writer::CsvText;
pub use crate::disclose::decided_row_builder::disclosed_columns;
pub use crate::disclose::decided_rows::{DisclosureCounts, for_each_decided_row, latest_decided_rows};
pub use crate::disclose::export::{ExportFormat, export};
pub use crate::disclose::review::{CaseReview, PendingCase, ReviewRequest, begin_review};
pub use crate::replay::{
    ModelReplay, ReplayResult, ensure_all_fields, ensure_closed, ensure_not_being_written, replay,
};
pub use crate::reports::interim_reports::{InterimReportWriter, build_interim};
pub use crate::reports::report_bundle::report_bundle;
pub use crate::run_files::{load_sealed_study, read_entries, read_seal};
pub use crate::verdict_reader::DecidedRun;
pub use crate::verdict_writer::{Decision, VerdictChoice, VoidCause, decide};
pub use crate::verify::issue::{Issue, VerifyReport};
pub use crate::verify::run_check::{VerifyError, verify};
