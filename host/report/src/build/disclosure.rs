//! What an interim report leaves out.

use understudy_engine::Incident;
use understudy_sandbox::failure_kind;

/// Fewer pairs than these, of a value or a window, have no figure before the end: it could tell of one that is still to be
/// decided.
pub(super) const LEAST: u64 = 5;

/// What broke, without what tells of single rows: their ids, and what the plugins said of them.
pub(super) fn of_no_row(incidents: Vec<Incident>) -> Vec<Incident> {
    let mut kinds: Vec<Incident> = Vec::new();
    for Incident { plugin, what, count, .. } in incidents {
        let what = failure_kind(&what);
        match kinds.iter_mut().find(|known| known.plugin == plugin && known.what == what) {
            Some(known) => known.count += count,
            None => kinds.push(Incident { plugin, what, count, first_id: String::new() }),
        }
    }
    kinds
}
