//! What the declaration says about the study itself, as labelled lines. The terminal, the page and Markdown show the same ones.

use crate::model::report::Report;
use understudy_study::ALL_SNAPSHOTS;

/// Owners, protocol, notes and the reference to an earlier verdict, each with its label; only those that are declared.
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
    if let Some(earlier) = &report.follow_up {
        let scope = match earlier.scope.as_str() {
            ALL_SNAPSHOTS => "all of the input",
            scope => scope,
        };
        lines.push(("Follow-up for", scope.to_owned()));
        lines.push(("Verdict that left it open, SHA-256", earlier.verdict.clone()));
        lines.push(("Seal of that study, SHA-256", earlier.seal.clone()));
        lines.push(("First ledger entry of that run", earlier.run.clone()));
    }
    lines
}
