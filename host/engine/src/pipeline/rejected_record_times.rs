//! Dates rejected records, whose own time is not known.
//!
//! Invariants: the time of a rejected record depends on its own stream alone, and not on batches.

use understudy_records::batch::{ExcludedRecord, ExclusionReason};
use understudy_study::Micros;

/// Dates the rejected records of a batch by the latest event time of their stream before them; `None` before
/// its first accepted record. `clock` is the latest event time before the batch. `lines` and `times` are those
/// of the accepted records. Returns the latest event time after the batch.
pub(crate) fn date_rejected(
    clock: Option<Micros>,
    lines: &[u64],
    times: &[i64],
    excluded: &mut [ExcludedRecord],
) -> Option<Micros> {
    excluded.sort_by_key(|record| record.position.line);
    let mut accepted = lines.iter().zip(times).peekable();
    let mut latest = clock;
    for record in excluded.iter_mut().filter(|record| record.reason == ExclusionReason::Rejected) {
        while let Some((_, time)) = accepted.next_if(|(line, _)| **line < record.position.line) {
            latest = latest.max(Some(Micros(*time)));
        }
        record.counted_at = latest;
    }
    accepted.fold(latest, |latest, (_, time)| latest.max(Some(Micros(*time))))
}

#[cfg(test)]
mod tests {
    use understudy_records::batch::RecordPosition;
    use understudy_study::StreamKind;

    use super::*;

    fn excluded(line: u64, reason: ExclusionReason, counted_at: Option<i64>) -> ExcludedRecord {
        ExcludedRecord {
            kind: StreamKind::Snapshots,
            position: RecordPosition { line, offset: 0, digest: 0 },
            reason,
            detail: String::new(),
            counted_at: counted_at.map(Micros),
            scopes: None,
            raw: Vec::new(),
        }
    }

    #[test]
    fn rejected_records_have_the_clock_of_their_arrival() {
        let (lines, times) = ([2, 4, 5, 7], [10, 30, 20, 40]);
        let rejected = |line| excluded(line, ExclusionReason::Rejected, None);
        let mut records = vec![
            rejected(1),
            rejected(3),
            excluded(6, ExclusionReason::Late, Some(3)),
            rejected(6),
            rejected(8),
        ];
        let latest = date_rejected(None, &lines, &times, &mut records);
        let times_of = |records: &[ExcludedRecord]| {
            records.iter().map(|record| record.counted_at.map(|at| at.0)).collect::<Vec<_>>()
        };
        assert_eq!(latest, Some(Micros(40)));
        assert_eq!(times_of(&records), [None, Some(10), Some(3), Some(30), Some(40)]);

        // Batches do not matter.
        let mut one = vec![rejected(1), rejected(3)];
        let mut other = vec![rejected(6), rejected(8)];
        let clock = date_rejected(None, &lines[..2], &times[..2], &mut one);
        date_rejected(clock, &lines[2..], &times[2..], &mut other);
        assert_eq!([times_of(&one), times_of(&other)].concat(), [None, Some(10), Some(30), Some(40)]);
    }
}
