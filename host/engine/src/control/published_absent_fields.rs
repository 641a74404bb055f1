//! The declared fields without any value, as a running study may show them.
//!
//! Invariants: between two publications, a stream accepts at least [`USAGE_BLOCK_ROWS`] records, also across a restart. So
//! two statuses never reveal whether a single record has a value.

use serde::{Deserialize, Serialize};

use understudy_sandbox::USAGE_BLOCK_ROWS;
use understudy_study::{PerStream, StreamKind, Study};

use crate::stats::counters::RunCounters;

/// A declared field that none of the accepted records of its stream has a value of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AbsentField {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// The declared name.
    pub field: String,
    /// The accepted records that were examined; at least 1,000.
    pub records: u64,
}

/// The absent fields that were published last.
#[derive(Debug, Default)]
pub(crate) struct PublishedAbsentFields {
    /// Per stream the accepted records when its fields were published last.
    records: PerStream<u64>,
    fields: PerStream<Vec<AbsentField>>,
}

impl PublishedAbsentFields {
    /// No fields. `counters` are those at the start of the process.
    pub(crate) fn new(counters: &RunCounters) -> PublishedAbsentFields {
        let records = PerStream::from_fn(|kind| counters.accepted(kind));
        PublishedAbsentFields { records, ..PublishedAbsentFields::default() }
    }

    /// The fields to publish now.
    pub(crate) fn update(&mut self, study: &Study, counters: &RunCounters) -> Vec<AbsentField> {
        for kind in StreamKind::ALL {
            let names = study.stream(kind).fields.iter().map(|field| field.name.as_str());
            let missing = names.zip(counters.missing_values[kind].iter().copied());
            self.update_stream(kind, counters.accepted(kind), missing);
        }
        StreamKind::ALL.into_iter().flat_map(|kind| self.fields[kind].clone()).collect()
    }

    /// Updates the fields of one stream. `missing` has for each declared field the accepted records without a value.
    fn update_stream<'n>(
        &mut self,
        kind: StreamKind,
        accepted: u64,
        missing: impl Iterator<Item = (&'n str, u64)>,
    ) {
        if accepted < self.records[kind] + USAGE_BLOCK_ROWS {
            return;
        }
        self.records[kind] = accepted;
        let absent = missing.filter(|(_, missing)| *missing == accepted);
        self.fields[kind] = absent
            .map(|(field, _)| AbsentField {
                stream: kind.name().to_owned(),
                field: field.to_owned(),
                records: accepted,
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_change_with_whole_blocks() {
        let mut published = PublishedAbsentFields::default();
        let mut shown: Vec<Vec<String>> = Vec::new();
        for accepted in 1..=2_500 {
            // From record 1,500 on the field `b` has values.
            let missing = [("a", accepted), ("b", accepted.min(1_499)), ("c", 0)];
            published.update_stream(StreamKind::Decisions, accepted, missing.into_iter());
            let fields = &published.fields[StreamKind::Decisions];
            shown.push(fields.iter().map(|field| format!("{} {}", field.field, field.records)).collect());
        }
        shown.dedup();
        assert_eq!(
            shown,
            [vec![], vec!["a 1000".to_owned(), "b 1000".to_owned()], vec!["a 2000".to_owned()]]
        );
        assert!(published.fields[StreamKind::Snapshots].is_empty());
    }
}
