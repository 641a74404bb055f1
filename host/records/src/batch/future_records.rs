//! Rejects records that are ahead of the wall clock, since one of them would make every later record late.
//!
//! Invariants: pure, the caller reads the clock; the rule is applied to records on arrival, never to records
//! of the log.

use understudy_study::Micros;

use super::{DecodedBatch, Exclusion, ExclusionReason};

impl DecodedBatch {
    /// Moves the records that lie further ahead of `now` than `most_ahead` to the excluded ones.
    #[must_use]
    pub fn reject_future(mut self, now: Micros, most_ahead: Micros) -> DecodedBatch {
        let latest = now.saturating_add(most_ahead);
        let keep: Vec<bool> = self.records.times.iter().map(|time| Micros(*time) <= latest).collect();
        if keep.iter().all(|keep| *keep) {
            return self;
        }
        for (row, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
            let detail = reason(Micros(self.records.times[row]), now, most_ahead);
            let exclusion = Exclusion { row: row as u32, reason: ExclusionReason::Rejected, detail };
            self.excluded.push(self.records.excluded(self.kind, &exclusion));
        }
        self.excluded.sort_by_key(|record| record.position.line);
        self.records = self.records.filter(&keep);
        self
    }
}

/// The reason for which a record of the future is rejected.
fn reason(time: Micros, now: Micros, most_ahead: Micros) -> String {
    format!(
        "{} is {} ahead of this machine's clock, {}, and `most-ahead` is {}; correct the clock that is wrong, or \
         declare a larger `most-ahead`",
        time.time_text(),
        time.saturating_sub(now).span_text(),
        now.time_text(),
        most_ahead.span_text()
    )
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use understudy_study::{Stream, StreamKind};

    use super::*;
    use crate::batch::{Decoder, Lines};

    const NOW: Micros = Micros(1_772_445_600_000_000);

    fn decoded(times: &[&str]) -> DecodedBatch {
        let stream = Stream {
            id: "id".into(),
            time: "at".into(),
            lateness: SignedDuration::ZERO,
            most_ahead: SignedDuration::from_hours(1),
            fields: Vec::new(),
        };
        let mut lines = Lines::default();
        for (line, time) in (1..).zip(times) {
            lines.push(line, 0, format!(r#"{{"id":{line},"at":"{time}"}}"#).as_bytes());
        }
        Decoder::new(StreamKind::Snapshots, &stream, times.len()).decode(&lines)
    }

    #[test]
    fn records_beyond_the_bound_are_rejected_with_both_clocks() {
        let times = [
            "2026-03-02T09:59:00Z",
            "2126-03-02T10:00:00Z",
            "yesterday",
            "2026-03-02T11:00:00Z",
            "2026-03-02T11:00:00.000001Z",
        ];
        let batch = decoded(&times).reject_future(NOW, Micros(3_600_000_000));
        assert_eq!(batch.records.lines, [1, 4]);
        assert_eq!(batch.records.ids.iter().flatten().collect::<Vec<_>>(), ["1", "4"]);
        let lines: Vec<u64> = batch.excluded.iter().map(|record| record.position.line).collect();
        assert_eq!(lines, [2, 3, 5]);
        assert!(batch.excluded.iter().all(|record| record.reason == ExclusionReason::Rejected));
        assert_eq!(batch.excluded[0].raw, br#"{"id":2,"at":"2126-03-02T10:00:00Z"}"#);
        insta::assert_snapshot!(batch.excluded[0].detail, @"2126-03-02T10:00:00Z is 36524d (100.0 years) ahead of this machine's clock, 2026-03-02T10:00:00Z, and `most-ahead` is 1h; correct the clock that is wrong, or declare a larger `most-ahead`");
        insta::assert_snapshot!(batch.excluded[2].detail, @"2026-03-02T11:00:00.000001Z is 1h ahead of this machine's clock, 2026-03-02T10:00:00Z, and `most-ahead` is 1h; correct the clock that is wrong, or declare a larger `most-ahead`");
    }

    #[test]
    fn a_batch_without_records_of_the_future_is_unchanged() {
        let times = ["0001-01-01T00:00:00Z", "2026-03-02T10:00:00Z", "x"];
        let batch = decoded(&times).reject_future(NOW, Micros(0));
        assert_eq!((batch.records.len(), batch.excluded.len()), (2, 1));
    }
}
