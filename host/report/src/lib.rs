//! The report of a run: its data model, and its renderings as terminal text, HTML page, Markdown and JSON.
//!
//! Invariants: a figure is computed once, and every rendering shows that one. A report calls agreement "agreement",
//! never "better".
//!
//! `build` computes a [`Report`] from the sums of a run. [`model`] defines it and everything else that is rendered.
//! `sections` turns a report bundle into a document, and [`page`] renders documents. `terminal` renders text.

mod accounting_term_text;
mod blinded_answers;
mod bounds_text;
mod build;
mod ceiling_text;
mod format;
mod metadata_text;
mod metric_format;
mod mlflow;
pub mod model;
pub mod page;
mod revision_text;
mod sanitizer;
pub mod schema;
mod sections;
mod shared_level_text;
mod stock_metrics;
mod terminal;
mod tries_text;
mod value_text;
mod verdict_groups;
mod warnings;

pub use crate::build::build;
pub use crate::build::reviews::{judged_row_keys, review_summaries};
pub use crate::format::{bytes, count, counted, duration};
pub use crate::mlflow::{MlflowFile, mlflow_files};
pub use crate::model::report::Report;
pub use crate::sections::live::live_sections;
pub use crate::sections::records::accounting_table;
pub use crate::sections::study_flow::{ModelOutcomes, StudyFlow};
pub use crate::terminal::case::render_case;
pub use crate::terminal::comparison::render_comparison;
pub use crate::terminal::plan::render_plan;
pub use crate::terminal::reviews::render_reviews;
pub use crate::terminal::text_canvas::Style;
pub use crate::terminal::verdict::render_verdict;
pub use crate::terminal::{TableCell, render_report, render_table};
pub use crate::value_text::{listed_value, value_text};
pub use crate::warnings::input_diagnosis::likely_causes;

use crate::model::bundle::ReportBundle;

/// A report bundle as one HTML file without external resources.
pub fn html(bundle: &ReportBundle) -> String {
    page::html(&sections::document(bundle))
}

/// A report bundle as Markdown.
pub fn markdown(bundle: &ReportBundle) -> String {
    page::markdown(&sections::document(bundle))
}
