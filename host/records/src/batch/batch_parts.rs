//! Cuts decoded batches into parts and puts them together again.
//!
//! Invariants: the parts of a batch have its records and its excluded records once, in the order of their
//! lines.

use arrow::array::{Array, AsArray as _, StringArray};
use arrow::compute::{concat, concat_batches};

use super::{DecodedBatch, Records};

impl Records {
    /// The first `rows` records, and the others.
    #[must_use]
    pub fn split_at(self, rows: usize) -> (Records, Records) {
        let rest = self.len() - rows;
        let part = |from: usize, rows: usize| Records {
            ids: self.ids.slice(from, rows),
            times: self.times[from..from + rows].to_vec(),
            fields: self.fields.slice(from, rows),
            raw: self.raw.slice(from, rows),
            digests: self.digests[from..from + rows].to_vec(),
            lines: self.lines[from..from + rows].to_vec(),
            offsets: self.offsets[from..from + rows].to_vec(),
        };
        (part(0, rows), part(rows, rest))
    }

    /// These records and then `others`, which have the same fields.
    #[must_use]
    pub fn append(self, others: Records) -> Records {
        if self.is_empty() {
            return others;
        }
        let text = |first: &StringArray, second: &StringArray| {
            let both: [&dyn Array; 2] = [first, second];
            concat(&both).expect("both are columns of text").as_string::<i32>().clone()
        };
        Records {
            ids: text(&self.ids, &others.ids),
            times: [self.times, others.times].concat(),
            fields: concat_batches(&self.fields.schema(), [&self.fields, &others.fields])
                .expect("both have the fields of the same stream"),
            raw: text(&self.raw, &others.raw),
            digests: [self.digests, others.digests].concat(),
            lines: [self.lines, others.lines].concat(),
            offsets: [self.offsets, others.offsets].concat(),
        }
    }
}

impl DecodedBatch {
    /// The first `rows` records with the excluded records before the next one, and the rest of the batch.
    #[must_use]
    pub fn split_at(self, rows: usize) -> (DecodedBatch, DecodedBatch) {
        let DecodedBatch { kind, records, mut excluded } = self;
        let (first, rest) = records.split_at(rows);
        let cut = match rest.lines.first() {
            Some(line) => excluded.partition_point(|record| record.position.line < *line),
            None => excluded.len(),
        };
        let excluded_rest = excluded.split_off(cut);
        (
            DecodedBatch { kind, records: first, excluded },
            DecodedBatch { kind, records: rest, excluded: excluded_rest },
        )
    }

    /// This batch and then the next one of the same stream.
    #[must_use]
    pub fn append(mut self, next: DecodedBatch) -> DecodedBatch {
        self.excluded.extend(next.excluded);
        DecodedBatch { records: self.records.append(next.records), ..self }
    }

    /// The last line of the batch, from 1; 0 if it is empty.
    pub fn last_line(&self) -> u64 {
        let excluded = self.excluded.last().map(|record| record.position.line);
        self.records.lines.last().copied().max(excluded).unwrap_or_default()
    }

    /// Whether the batch has neither records nor excluded records.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.excluded.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;
    use understudy_study::{Field, FieldKind, Stream, StreamKind};

    use super::*;
    use crate::batch::{Decoder, Lines};

    /// A batch in which the lines of `broken` are rejected.
    fn decoded(broken: &[bool]) -> DecodedBatch {
        let stream = Stream {
            id: "id".into(),
            time: "at".into(),
            lateness: SignedDuration::ZERO,
            most_ahead: SignedDuration::ZERO,
            fields: vec![Field { name: "n".into(), kind: FieldKind::Integer }],
        };
        let mut lines = Lines::default();
        for (line, broken) in (1..).zip(broken) {
            let text = match broken {
                true => "{".to_owned(),
                false => format!(r#"{{"id":{line},"at":"2026-03-02T10:00:00Z","n":{line}}}"#),
            };
            lines.push(line, 10 * line, text.as_bytes());
        }
        Decoder::new(StreamKind::Snapshots, &stream, broken.len().max(1)).decode(&lines)
    }

    #[test]
    fn a_batch_of_rejected_lines_is_not_empty() {
        assert!(decoded(&[]).is_empty());
        assert!(!decoded(&[true]).is_empty());
        assert!(!decoded(&[false]).is_empty());
        assert!(decoded(&[true]).records.is_empty());
        assert!(!decoded(&[false]).records.is_empty());
    }

    proptest! {
        #[test]
        fn the_parts_of_a_batch_put_together_are_the_batch(
            broken in prop::collection::vec(any::<bool>(), 0..20),
            cut in 0usize..20,
        ) {
            let whole = decoded(&broken);
            let rows = cut.min(whole.records.len());
            let (first, rest) = whole.clone().split_at(rows);
            prop_assert_eq!(first.records.len(), rows);
            let next = rest.records.lines.first().copied().unwrap_or(u64::MAX);
            prop_assert!(first.excluded.iter().all(|record| record.position.line < next));
            prop_assert!(rest.excluded.iter().all(|record| record.position.line > next));
            let again = first.append(rest);
            prop_assert_eq!(again.last_line(), broken.len() as u64);
            prop_assert_eq!(&again.records.ids, &whole.records.ids);
            prop_assert_eq!(&again.records.fields, &whole.records.fields);
            prop_assert_eq!(&again.records.raw, &whole.records.raw);
            prop_assert_eq!(&again.records.times, &whole.records.times);
            prop_assert_eq!(&again.records.digests, &whole.records.digests);
            prop_assert_eq!(&again.records.lines, &whole.records.lines);
            prop_assert_eq!(&again.records.offsets, &whole.records.offsets);
            prop_assert_eq!(&again.excluded, &whole.excluded);
        }
    }
}
