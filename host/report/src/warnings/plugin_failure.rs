//! Says in a sentence that a plugin failed. A panic is a fault of the plugin, and its author reads the head of a report first.

use crate::format::{count, counted};
use crate::model::report::Report;
use crate::value_text::value_text;
use understudy_sandbox::failure_advice;

/// The most plugins that have a sentence.
const MAX_PLUGINS: usize = 3;
/// The longest message of a plugin in a sentence, in characters.
const MAX_MESSAGE: usize = 200;

/// A sentence for each plugin that failed, with its earliest failure.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut plugins: Vec<&str> = Vec::new();
    for failure in &report.failures {
        if !plugins.contains(&failure.plugin.as_str()) {
            plugins.push(&failure.plugin);
        }
    }
    let mut sentences: Vec<String> =
        plugins.iter().take(MAX_PLUGINS).map(|plugin| sentence(report, plugin)).collect();
    let more = plugins.len().saturating_sub(MAX_PLUGINS);
    if more > 0 {
        sentences.push(format!("{} failed, too.", counted(more as u64, "more plugin", "more plugins")));
    }
    sentences
}

/// The number of failures of a plugin, and the earliest one.
fn sentence(report: &Report, plugin: &str) -> String {
    let failures = || report.failures.iter().filter(|failure| failure.plugin == plugin);
    let all: u64 = failures().map(|failure| failure.count).sum();
    let times = if all == 1 { "once".to_owned() } else { format!("{} times", count(all)) };
    // Before the run has ended no failure has a row, and the first one listed is the most frequent.
    let first = failures().min_by_key(|failure| failure.first_sequence.unwrap_or(u64::MAX));
    let message = first.map(|failure| failure.example.as_ref().unwrap_or(&failure.message));
    let message = message.map(|message| value_text(message)).unwrap_or_default();
    let message = match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message,
    };
    let id = first.map(|failure| failure.first_id.as_str()).filter(|id| !id.is_empty());
    let id = id.map_or_else(String::new, |id| format!(", first for id {}", value_text(id)));
    let advice = first.and_then(|failure| failure_advice(&failure.message));
    let advice = advice.unwrap_or("correct the plugin; all failures are under \"Plugin failures\"");
    format!("THE PLUGIN `{plugin}` FAILED {times}{id}: {message}; {advice}.")
}
