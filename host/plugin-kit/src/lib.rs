//! What authors of plugins need: files of a new project, the check of the contract, tests and measurements.
//!
//! A [`Subject`] is a plugin together with rows. The check asks new instances for the rows in different batches and
//! orders. The contract demands the same answers, so each difference is a finding.
//!
//! Invariants:
//! - No file is read or written, and no process is started.
//! - All generated rows follow from the seed.

mod cell;
mod contract;
mod decider_subject;
mod json_lines;
mod kind;
mod language;
mod measurement;
mod pair;
mod pair_feed;
mod project;
mod row_feed;
mod row_result;
mod scorer_check;
mod scorer_subject;
mod subject;
mod template;
mod test_case;

pub use cell::{CellValue, Row, row_batch, row_text};
pub use contract::{ContractReport, Costs, Finding, Rule, check};
pub use decider_subject::{DeciderSubject, check_decider, check_decision_access, decision_fields};
pub use json_lines::{LineError, read_pairs, read_rows};
pub use kind::Kind;
pub use language::Language;
pub use measurement::{Measurement, measure};
pub use pair::{ExpectedAnswer, Pair, answers_of_pairs};
pub use pair_feed::generate_pairs;
pub use project::{NewProject, ProjectError, is_package_name};
pub use row_feed::{generate_rows, words_of};
pub use row_result::RowResult;
pub use scorer_check::check_scorer;
pub use scorer_subject::ScorerSubject;
pub use subject::{Instance, Subject};
pub use test_case::{Difference, PairTest, RowTest, read_pair_tests, read_row_tests};
