//! Interferences with a run: what may have influenced decisions, or changed what later results are compared
//! with.
//!
//! Invariants: only the ledger is read; the list is in order of time.

use understudy_report::counted;
use understudy_run_log::ledger::{InterferenceSource, LedgerState, RecordedInterference};
use understudy_statistics::verdict::InterferenceEvent;

/// The interferences that the ledger records, in order of time.
pub(crate) fn interference_events(recorded: &[RecordedInterference]) -> Vec<InterferenceEvent> {
    let mut events: Vec<_> = recorded.iter().map(event).collect();
    events.sort_by_key(|event| event.since);
    events
}

fn event(recorded: &RecordedInterference) -> InterferenceEvent {
    let description = match &recorded.source {
        InterferenceSource::Exposure { who, command, rows } => {
            format!("{who} was shown {} by {command}", counted(*rows, "row", "rows"))
        }
        InterferenceSource::Disclosure { who, text } => format!("{text} (disclosed by {who})"),
        InterferenceSource::Swap { role, name, shadow } => {
            let shadow = match shadow {
                Some(shadow) => {
                    format!(
                        "the two agreed on {} of {}",
                        shadow.agreeing,
                        counted(shadow.pairs, "pair", "pairs")
                    )
                }
                None => "without a shadow comparison".to_owned(),
            };
            format!("{role} {name} was swapped, {shadow}")
        }
    };
    InterferenceEvent { kind: recorded.kind, since: recorded.since, description }
}

/// What happened after the latest verdict and could change it. `closed` is whether that verdict is on a
/// closed run.
pub(crate) fn events_since_verdict(closed: bool, recorded: &LedgerState) -> Vec<String> {
    let Some(verdict) = &recorded.verdict else { return Vec::new() };
    let continued = verdict.resumed_since || (!closed && recorded.closed);
    let continued = continued.then(|| "the run continued".to_owned());
    let later = recorded.interferences.partition_point(|interference| interference.index <= verdict.index);
    let later =
        interference_events(&recorded.interferences[later..]).into_iter().map(|event| event.description);
    continued.into_iter().chain(later).collect()
}
