//! Explains why a requested id has no case.
//!
//! Invariant: a reason tells nothing of the answers of models.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::disclose::cell_text::saturating_timestamp;
use crate::disclose::decided_rows::{DisclosureCutoff, RowKey};
use understudy_engine::SealedStudy;
use understudy_engine::log_schema::row_decoder;
use understudy_report::value_text;
use understudy_run_log::{RowSelection, ScanOptions, Table};
use understudy_study::{Micros, StreamKind};

/// Line and event time of each accepted decision with this id, in order of arrival.
///
/// # Errors
/// If the log cannot be read.
pub(crate) fn decisions_with_id(
    sealed_study: &SealedStudy,
    run: &Path,
    id: &str,
) -> anyhow::Result<Vec<(u64, Timestamp)>> {
    let columns = row_decoder::columns(sealed_study, Table::Decisions);
    let ids = BTreeSet::from([id.to_owned()]);
    let mut found = Vec::new();
    for batch in
        ScanOptions::new(Table::Decisions, columns).select(RowSelection::Texts("id", ids)).open(run)?
    {
        let records =
            row_decoder::records(&sealed_study.study.decisions, StreamKind::Decisions, &batch?)?.records;
        let times = records.times.iter().map(|at| saturating_timestamp(Micros(*at)));
        found.extend(records.lines.iter().copied().zip(times));
    }
    Ok(found)
}

/// Why an id has no case if no accepted snapshot has it. `decisions` are the line and the event time of each decision
/// with the id.
pub(crate) fn missing_snapshot_reason(
    sealed_study: &SealedStudy,
    id: &str,
    decisions: &[(u64, Timestamp)],
) -> String {
    let id = value_text(id);
    let position = sealed_study.study.decisions_source.position_name();
    let place = |(line, at): &(u64, Timestamp)| format!("{position} {line}, decided at {at}");
    match decisions {
        [] => format!("no accepted record has the id \"{id}\"; excluded records are in the table `excluded`"),
        [one] => format!(
            "no accepted snapshot has the id \"{id}\", so its decision ({}) is compared with nothing; look for the snapshot in \
             the source and in the table `excluded`",
            place(one)
        ),
        several => format!(
            "no accepted snapshot has the id \"{id}\", so its {} decisions (the first: {}) are compared with nothing; look for \
             the snapshot in the source and in the table `excluded`",
            several.len(),
            place(&several[0])
        ),
    }
}

/// Why an accepted snapshot is not among the decided rows.
pub(crate) fn withheld_reason(
    sealed_study: &SealedStudy,
    cutoff: DisclosureCutoff,
    (id, at): &RowKey,
) -> String {
    let id = value_text(id);
    let span_text = |span| Micros::from_duration(span).span_text();
    let horizon = sealed_study.study.horizon;
    let horizon_text = span_text(horizon);
    match cutoff.before {
        None => format!("\"{id}\" has no decision: none arrived within the horizon of {horizon_text}"),
        Some(_) if !cutoff.allows(*at) => format!(
            "\"{id}\" is withheld: its horizon is not over, and answers may influence the decision; it can be shown once decisions \
             more than {} later than {} have arrived",
            span_text(horizon.saturating_add(sealed_study.study.decisions.lateness)),
            saturating_timestamp(*at)
        ),
        Some(_) => {
            format!(
                "\"{id}\" is not decided yet: no decision has arrived within the horizon of {horizon_text}"
            )
        }
    }
}
