//! Finds the decisions of a case that do not count because the substrate revised its decision.
//!
//! Invariant: the decisions of all cases come from one scan of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::disclose::cell_text::{saturating_timestamp, text};
use understudy_engine::SealedStudy;
use understudy_engine::log_schema::row_decoder;
use understudy_report::model::case::{Case, OtherDecision};
use understudy_run_log::{RowSelection, ScanOptions, Table};
use understudy_study::{Field, Micros, StreamKind};

/// Adds to each case the decisions that do not count, in order of arrival. These are the decisions within the horizon of
/// its snapshot, except the one that counts. Adds nothing if the study refuses revisions.
///
/// # Errors
/// If the log cannot be read.
pub(crate) fn add_other_decisions<'c>(
    sealed_study: &SealedStudy,
    run: &Path,
    cases: impl IntoIterator<Item = &'c mut Case>,
) -> anyhow::Result<()> {
    let study = &sealed_study.study;
    if !study.revisions.are_accepted() {
        return Ok(());
    }
    let mut cases_by_id = BTreeMap::<String, Vec<&mut Case>>::new();
    for case in cases {
        cases_by_id.entry(case.id.clone()).or_default().push(case);
    }
    let ids: BTreeSet<String> = cases_by_id.keys().cloned().collect();
    let columns = row_decoder::columns(sealed_study, Table::Decisions);
    let options = ScanOptions::new(Table::Decisions, columns).select(RowSelection::Texts("id", ids));
    for batch in options.open(run)? {
        let batch = batch?;
        let records = row_decoder::records(&study.decisions, StreamKind::Decisions, &batch)?.records;
        for row in 0..batch.num_rows() {
            let decided_at = Micros(records.times[row]);
            let field = |field: &Field| {
                let name = field.name.clone();
                Ok((name, text(&batch, &format!("decision.{}", field.name), row)?))
            };
            let fields = study.decisions.fields.iter().map(field).collect::<anyhow::Result<Vec<_>>>()?;
            for case in cases_by_id.get_mut(records.ids.value(row)).into_iter().flatten() {
                let observed_at = Micros(case.observed_at.as_microsecond());
                if (decided_at - observed_at).abs() <= Micros::from_duration(study.horizon) {
                    let other = OtherDecision {
                        decided_at: saturating_timestamp(decided_at),
                        fields: fields.clone(),
                    };
                    case.other_decisions.push(other);
                }
            }
        }
    }
    for case in cases_by_id.into_values().flatten() {
        // Decisions with the same time and fields cannot be told apart, so any one of them may be left out.
        let Case { other_decisions, decided_at, decision, .. } = case;
        let counts = |other: &OtherDecision| other.decided_at == *decided_at && other.fields == *decision;
        if let Some(at) = other_decisions.iter().position(counts) {
            other_decisions.remove(at);
        }
    }
    Ok(())
}
