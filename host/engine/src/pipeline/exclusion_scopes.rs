//! Assigns excluded snapshots to the declared scopes.
//!
//! Invariants: the scopes of a snapshot are those that it would have if it were accepted. Nothing is assigned to a
//! record that the decoder excluded, since its fields are not known.

use crate::batches::slice_classifier::SliceClassifier;
use crate::plugins::study_fields::matching_scopes;
use understudy_records::batch::{ExcludedRecord, Exclusion, ExclusionReason, Records};
use understudy_study::{Scope, StreamKind, Study};

/// Assigns excluded snapshots to the declared scopes of a study.
pub(crate) struct ExclusionScopes {
    scopes: Vec<Scope>,
    classifier: SliceClassifier,
}

impl ExclusionScopes {
    /// For the scopes of a study.
    pub(crate) fn new(study: &Study) -> ExclusionScopes {
        ExclusionScopes { scopes: study.scopes.clone(), classifier: SliceClassifier::new(study) }
    }

    /// Assigns the late and conflicting snapshots among `excluded` to their scopes. `records` are the offered records,
    /// and `exclusions` says which of them `excluded` holds, in the same order.
    pub(crate) fn assign(
        &mut self,
        kind: StreamKind,
        records: &Records,
        exclusions: &[Exclusion],
        excluded: &mut [ExcludedRecord],
    ) {
        if self.scopes.is_empty() || kind == StreamKind::Decisions {
            return;
        }
        let has_scopes =
            |reason: ExclusionReason| matches!(reason, ExclusionReason::Late | ExclusionReason::Conflict);
        let rows: Vec<usize> = exclusions
            .iter()
            .filter(|exclusion| has_scopes(exclusion.reason))
            .map(|exclusion| exclusion.row as usize)
            .collect();
        if rows.is_empty() {
            return;
        }
        let mut keep = vec![false; records.len()];
        rows.iter().for_each(|row| keep[*row] = true);
        let (_, conditions) = self.classifier.classify(&records.clone().filter(&keep));
        let own = excluded.iter_mut().filter(|record| has_scopes(record.reason));
        for (row, record) in own.enumerate() {
            let mut scopes = Vec::new();
            matching_scopes(&self.scopes, |condition| conditions[condition][row], &mut scopes);
            record.scopes = Some(scopes);
        }
    }
}
