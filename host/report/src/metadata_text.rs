//! What the declaration says about the study itself, as labelled lines. The terminal, the page and Markdown show the same ones.

use crate::model::report::Report;

/// Owners, protocol and notes, each with its label; only those that are declared.
pub fn metadata_lines(report: &Report) -> Vec<(&'static str, String)> {
    let metadata = &report.metadata;
    let mut lines = Vec::new();
    if !metadata.owners.is_empty() {
        let label = if metadata.owners.len() == 1 { "Owner" } else { "Owners" };
        lines.push((label, metadata.owners.join(", ")));
    }
    if let Some(protocol) = &metadata.protocol {
        lines.push(("Protocol", protocol.clone()));
    }
    if let Some(notes) = &metadata.notes {
        lines.push(("Notes", notes.clone()));
    }
    lines
}
