//! Removes the details of single rows from a report before the end of a run.

use crate::model::run_summary::{MissingAnswers, PluginFailure};
use understudy_sandbox::failure_kind;

/// Missing answers by plugin and kind, without ids and reasons, which could quote a row.
pub(super) fn without_reasons(groups: Vec<MissingAnswers>) -> Vec<MissingAnswers> {
    let mut kinds: Vec<MissingAnswers> = Vec::new();
    for MissingAnswers { plugin, kind, count, .. } in groups {
        match kinds.iter_mut().find(|known| known.plugin == plugin && known.kind == kind) {
            Some(known) => known.count += count,
            None => kinds.push(MissingAnswers {
                plugin,
                kind,
                reason: None,
                count,
                first_id: String::new(),
                example: None,
            }),
        }
    }
    kinds
}

/// Failures without row ids and without the plugins' own messages, which could quote a row.
pub(super) fn without_row_details(failures: Vec<PluginFailure>) -> Vec<PluginFailure> {
    let mut kinds: Vec<PluginFailure> = Vec::new();
    for PluginFailure { plugin, message, count, .. } in failures {
        let message = failure_kind(&message);
        match kinds.iter_mut().find(|known| known.plugin == plugin && known.message == message) {
            Some(known) => known.count += count,
            None => kinds.push(PluginFailure {
                plugin,
                message,
                example: None,
                count,
                first_id: String::new(),
                first_sequence: None,
            }),
        }
    }
    kinds
}
