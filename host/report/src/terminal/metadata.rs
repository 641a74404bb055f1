//! Renders what the declaration says about the study itself.

use crate::metadata_text::metadata_lines;
use crate::model::report::Report;
use crate::terminal::text_canvas::{Ink, Page};

/// Owners, protocol, notes and the reference to an earlier verdict; nothing if none is declared. Notes keep their line breaks.
pub(super) fn metadata(page: &mut Page, report: &Report) {
    let lines = metadata_lines(report);
    if lines.is_empty() {
        return;
    }
    page.section("Provenance", "as declared and sealed");
    for (label, text) in lines {
        let mut parts = text.lines();
        page.paragraph(2, Ink::Plain, &format!("{label}: {}", parts.next().unwrap_or_default()));
        for part in parts.filter(|part| !part.trim().is_empty()) {
            page.paragraph(4, Ink::Plain, part);
        }
    }
}
