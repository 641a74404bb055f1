//! What a run found: one model of the report, and its renderings.
//!
//! Always holds: a figure stands here once, and every rendering shows that one. The report reads agreement as
//! agreement, never as "better".

mod build;
mod format;
mod metric_format;
pub mod model;
pub mod page;
mod sanitizer;
pub mod schema;
mod sections;
mod terminal;

pub use crate::build::build;
pub use crate::build::reviews::{judged, judged_rows};
pub use crate::format::{bytes, count, counted, duration};
pub use crate::model::report::Report;
pub use crate::sections::live::live;
pub use crate::sections::records::accounts;
pub use crate::terminal::case::case;
pub use crate::terminal::comparison::side_by_side;
pub use crate::terminal::plan::plan;
pub use crate::terminal::reviews::reviewed;
pub use crate::terminal::text_canvas::Style;
pub use crate::terminal::verdict::ruling;
pub use crate::terminal::{render, table};

use crate::model::bundle::Dossier;

/// All that there is to say of a run as one HTML page that needs nothing else.
pub fn html(dossier: &Dossier) -> String {
    page::html(&sections::document(dossier))
}

/// The same as Markdown.
pub fn markdown(dossier: &Dossier) -> String {
    page::markdown(&sections::document(dossier))
}
