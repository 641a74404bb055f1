//! Files with leaps, gaps and repeats, read in batches of any size.

use proptest::prelude::*;
use understudy_study::{PerStream, Revisions, StreamKind};

use super::*;
use crate::batch::{Exclusion, ExclusionReason, Records};
use crate::join::{IntervalJoin, JoinBounds};

/// Ten units of lateness, and a horizon that reserves ids for long.
const BOUNDS: JoinBounds = JoinBounds {
    horizon: Micros(100_000),
    lateness: PerStream { snapshots: Micros(10), decisions: Micros(10) },
};

/// The records of a file: id and time of each line, from line 1.
fn records(first_line: u64, rows: &[(u32, i64)]) -> Records {
    use arrow::array::{RecordBatch, StringArray};
    let lines: Vec<u64> = (first_line..).take(rows.len()).collect();
    Records {
        ids: StringArray::from_iter_values(rows.iter().map(|(id, _)| id.to_string())),
        times: rows.iter().map(|(_, time)| *time).collect(),
        fields: RecordBatch::new_empty(arrow::datatypes::Schema::empty().into()),
        raw: StringArray::from_iter_values(rows.iter().map(|row| format!("{row:?}"))),
        digests: rows.iter().map(|(id, time)| u64::from(*id) << 32 | *time as u64).collect(),
        offsets: vec![0; lines.len()],
        lines,
    }
}

/// The exclusions of a file by line, and where it is out of order.
type Outcome = (Vec<(u64, ExclusionReason, String)>, Option<OutOfOrder>);

/// Reads a file in batches of the given sizes; the last one repeats.
fn read(rows: &[(u32, i64)], sizes: &[usize]) -> Outcome {
    read_stream(StreamKind::Snapshots, IntervalJoin::new(BOUNDS, 0), rows, sizes)
}

/// Reads a file of one stream by a join without records.
fn read_stream(kind: StreamKind, mut join: IntervalJoin, rows: &[(u32, i64)], sizes: &[usize]) -> Outcome {
    let mut excluded = Vec::new();
    let (mut held, mut read) = (0, 0);
    let mut sizes = sizes.iter().copied().chain(std::iter::repeat(*sizes.last().unwrap()));
    loop {
        let size = sizes.next().unwrap();
        read = (read + size).min(rows.len());
        let read_to = (read < rows.len()).then_some(read as u64);
        let batch = records(held as u64 + 1, &rows[held..read]);
        let result = join.offer_file(kind, &batch, usize::MAX, read_to);
        for Exclusion { row, reason, detail } in result.joined.excluded {
            excluded.push((batch.lines[row as usize], reason, detail));
        }
        held += result.rows;
        let accounting = join.accounting();
        let received = accounting.snapshots.received + accounting.decisions.received;
        assert!(accounting.balances() && received == held as u64, "{accounting:?}");
        if result.out_of_order.is_some() || read_to.is_none() {
            return (excluded, result.out_of_order);
        }
        assert!(read - held <= LEAP_WINDOW_LINES as usize + size, "few records are held back");
    }
}

/// Lines of rejected records, and the lines of the record that is out of order and of the one before it.
fn outcome(times: &[i64]) -> (Vec<u64>, Option<(u64, u64)>) {
    let rows: Vec<(u32, i64)> = (1..).zip(times.iter().copied()).collect();
    let (excluded, order) = read(&rows, &[1000]);
    for size in 1..8 {
        assert_eq!(read(&rows, &[size]), (excluded.clone(), order), "in batches of {size}");
    }
    assert!(excluded.iter().all(|(_, reason, _)| *reason == ExclusionReason::Rejected), "{excluded:?}");
    let lines = excluded.iter().map(|(line, ..)| *line).collect();
    (lines, order.map(|order| (order.line, order.clock_line)))
}

#[test]
fn a_record_that_alone_leaps_ahead_is_rejected() {
    let cases: [(&[i64], &[u64]); 8] = [
        // In the middle, within steps beyond the lateness, with two or one record behind it.
        (&[1000, 1020, 9000, 1040, 1060, 1080], &[3]),
        (&[1000, 1020, 1040, 9000, 1041, 1042], &[4]),
        (&[1000, 1020, 1040, 9000, 1041], &[4]),
        // On the first line.
        (&[9000, 1000, 1020, 1040], &[1]),
        (&[9000, 1000, 1020], &[1]),
        // Two, with three sound records between them.
        (&[1000, 9000, 1001, 1002, 1003, 8000, 1004, 1005], &[2, 6]),
        (&[9000, 1000, 1001, 1002, 9000, 1004, 1005], &[1, 5]),
        // A few units beyond the lateness.
        (&[1000, 1011, 1000, 1000, 1000], &[2]),
    ];
    for (times, leaps) in cases {
        assert_eq!(outcome(times), (leaps.to_vec(), None), "{times:?}");
    }
}

#[test]
fn a_gap_is_no_leap() {
    let cases: [&[i64]; 8] = [
        &[1000, 1020, 9000, 9020, 9040],
        &[1000, 9000],
        &[1000, 9000, 8995, 9001, 8999],
        &[1000, 1011, 1001, 1012, 1002],
        &[5, 500, 50_000, 5_000_000],
        &[9000, 9010],
        &[9000, 8990, 9005],
        &[],
    ];
    for times in cases {
        assert_eq!(outcome(times), (vec![], None), "{times:?}");
    }
}

#[test]
fn a_file_out_of_order_is_named_with_both_lines() {
    let cases: [(&[i64], (u64, u64)); 9] = [
        // Newest first, of any length.
        (&[5000, 4000, 3000, 2000, 1000], (2, 1)),
        (&[3000, 2000, 1000], (2, 1)),
        (&[2000, 1000], (2, 1)),
        // Shuffled.
        (&[5000, 3000, 1000, 4000, 2000], (2, 1)),
        (&[1000, 3000, 2000, 4000, 5000], (3, 2)),
        // Two files one behind the other.
        (&[1000, 2000, 3000, 4000, 1001, 2001, 3001, 4001], (5, 4)),
        // Two sources in turn, one with an offset.
        (&[1000, 6000, 1010, 6010, 1020, 6020], (3, 2)),
        // Two leaps in a row.
        (&[1000, 9000, 9001, 1001, 1002, 1003], (4, 3)),
        // A record that lags.
        (&[1000, 1020, 1040, 0, 1060], (4, 3)),
    ];
    for (times, lines) in cases {
        assert_eq!(outcome(times), (vec![], Some(lines)), "{times:?}");
    }
}

#[test]
fn repeats_of_earlier_records_say_nothing_about_the_order() {
    // A gap, and then an export that overlaps with the one before.
    let rows =
        [(1, 1000), (2, 1001), (3, 1002), (4, 9000), (1, 1000), (2, 1001), (3, 1002), (4, 9000), (5, 9001)];
    for size in 1..10 {
        let (excluded, order) = read(&rows, &[size]);
        let reasons: Vec<_> = excluded.iter().map(|(line, reason, _)| (*line, *reason)).collect();
        assert_eq!(reasons, [5, 6, 7, 8].map(|line| (line, ExclusionReason::Duplicate)), "{size}");
        assert_eq!(order, None);
    }
    // A leap that stands twice.
    let rows = [(1, 1000), (2, 9000), (2, 9000), (3, 1001), (4, 1002), (5, 1003)];
    for size in 1..10 {
        let (excluded, order) = read(&rows, &[size]);
        let reasons: Vec<_> = excluded.iter().map(|(line, reason, _)| (*line, *reason)).collect();
        assert_eq!(reasons, [2, 3].map(|line| (line, ExclusionReason::Rejected)), "{size}");
        assert_eq!(order, None);
    }
    // A revised record with a later time is a conflict and no leap.
    let rows = [(1, 1000), (1, 9000), (2, 1001), (3, 1002)];
    let (excluded, order) = read(&rows, &[2]);
    assert_eq!((excluded[0].0, excluded[0].1, order), (2, ExclusionReason::Conflict, None));
}

#[test]
fn a_rejected_leap_does_not_reserve_its_id() {
    let rows = [(1, 1000), (2, 9000), (2, 1001), (3, 1002), (4, 1003), (5, 1004)];
    let (excluded, order) = read(&rows, &[1]);
    assert_eq!(excluded.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [2]);
    assert_eq!(order, None);
}

#[test]
fn reasons_name_the_record_and_its_neighbours() {
    let day = 86_400_000_000;
    let rows =
        |times: &[i64]| -> Vec<(u32, i64)> { (1..).zip(times.iter().map(|time| time * day)).collect() };
    let reasons = |times: &[i64]| read(&rows(times), &[9]).0.remove(0).2;
    insta::assert_snapshot!(reasons(&[1, 2, 9000, 3, 4, 5]), @"1994-08-23T00:00:00Z leaps 8998d (24.6 years) ahead of line 2 (1970-01-03T00:00:00Z), and the records behind it do not follow: line 4 (1970-01-04T00:00:00Z), line 5 (1970-01-05T00:00:00Z), line 6 (1970-01-06T00:00:00Z); correct its time");
    insta::assert_snapshot!(reasons(&[9000, 3, 4]), @"1994-08-23T00:00:00Z is the time of the first record, and the records behind it lie before it by more than 10µs: line 2 (1970-01-04T00:00:00Z), line 3 (1970-01-05T00:00:00Z); correct its time");
}

#[test]
fn a_suspect_is_not_held_back_beyond_its_window() {
    // A gap, and then more repeats than are searched.
    let old: Vec<(u32, i64)> = (1..=100).map(|id| (id, 1000 + i64::from(id) / 20)).collect();
    let mut rows = old.clone();
    rows.push((900, 9000));
    rows.extend(old);
    rows.push((901, 9001));
    let whole = read(&rows, &[1000]);
    assert_eq!(whole.0.len(), 100);
    assert_eq!(whole.1, None);
    assert_eq!(read(&rows, &[7]), whole);
}

#[test]
fn a_record_within_the_lateness_is_no_leap() {
    // Followers that are behind by the lateness and no more.
    assert_eq!(outcome(&[1000, 1011, 1001, 1001, 1001]), (vec![], None));
    // A record ahead by no more than the lateness sets the clock, and the next one is out of order.
    assert_eq!(outcome(&[1000, 1010, 999, 998, 997]), (vec![], Some((3, 2))));
    assert_eq!(outcome(&[1000, 1005, 992, 993, 994]), (vec![], Some((3, 2))));
}

#[test]
fn followers_are_searched_up_to_the_last_line_of_the_window() {
    let judge = |lines: &[u64], read_to: Option<u64>| {
        let rows: Vec<(u32, i64)> = (1..).zip([9000, 1001]).take(lines.len()).collect();
        let records = Records { lines: lines.to_vec(), ..records(1, &rows) };
        let (clock, clock_line) = (Some(Micros(1000)), Some(1));
        let order = FileOrder { records: &records, clock, clock_line, lateness: Micros(10), read_to };
        order.classify(0, |_| false)
    };
    let last = 2 + LEAP_WINDOW_LINES;
    assert!(matches!(judge(&[2, last], None), Leap::Yes(_)));
    assert_eq!(judge(&[2, last + 1], None), Leap::No);
    // The lines behind the suspect have no records.
    assert_eq!(judge(&[2], Some(last - 1)), Leap::Undecided);
    assert_eq!(judge(&[2], Some(last + 1)), Leap::No);
}

#[test]
fn repeats_of_other_bytes_are_followers_only_where_revisions_are_accepted() {
    let rows = |repeats: [i64; 2]| [(1, 1000), (2, 1001), (3, 9000), (1, repeats[0]), (2, repeats[1])];
    let read = |revisions: Revisions, repeats: [i64; 2]| {
        let join = IntervalJoin::new(BOUNDS, 0).with_revisions(revisions);
        let (excluded, order) = read_stream(StreamKind::Decisions, join, &rows(repeats), &[1000]);
        assert_eq!(order, None);
        excluded.into_iter().map(|(line, reason, _)| (line, reason)).collect::<Vec<_>>()
    };
    let (duplicate, conflict) = (ExclusionReason::Duplicate, ExclusionReason::Conflict);
    assert_eq!(read(Revisions::Refuse, [1002, 1003]), [(4, conflict), (5, conflict)]);
    assert_eq!(read(Revisions::First, [1000, 1001]), [(4, duplicate), (5, duplicate)]);
    assert_eq!(read(Revisions::First, [1002, 1003]), [(3, ExclusionReason::Rejected)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_result_does_not_depend_on_batches(
        steps in prop::collection::vec((0u32..40, 0i64..20, prop_oneof![
            12 => Just(0i64), 1 => 50i64..500, 1 => Just(-30i64), 3 => -9i64..9,
        ]), 1..60),
        sizes in prop::collection::vec(1usize..12, 1..20),
    ) {
        let mut now = 1000;
        let rows: Vec<(u32, i64)> = steps.into_iter().map(|(id, step, jitter)| {
            now += step;
            (id, now + jitter)
        }).collect();
        let whole = read(&rows, &[1000]);
        prop_assert_eq!(read(&rows, &sizes), whole);
    }

    #[test]
    fn a_file_in_order_has_no_leap(
        steps in prop::collection::vec((0i64..2000, 0i64..10), 0..60),
        sizes in prop::collection::vec(1usize..12, 1..20),
    ) {
        let mut now = 0;
        let rows: Vec<(u32, i64)> = (1..).zip(steps).map(|(id, (step, lag))| {
            now += step;
            (id, now - lag)
        }).collect();
        prop_assert_eq!(read(&rows, &sizes), (vec![], None));
    }

    #[test]
    fn sound_records_are_kept_around_leaps(
        steps in prop::collection::vec(0i64..9, 8..60),
        leaps in prop::collection::btree_set(0usize..12, 0..4),
        sizes in prop::collection::vec(1usize..12, 1..20),
    ) {
        // A leap on every fifth line at most, and never on the last one.
        let mut now = 1000;
        let mut rows = Vec::new();
        let mut wanted = Vec::new();
        for (row, step) in steps.iter().enumerate() {
            now += step;
            if row % 4 == 0 && row + 1 < steps.len() && leaps.contains(&(row / 4)) && (row > 0 || steps.len() > 1) {
                wanted.push(rows.len() as u64 + 1);
                rows.push((10_000 + row as u32, 50_000 + row as i64));
            }
            rows.push((row as u32, now));
        }
        let (excluded, order) = read(&rows, &sizes);
        prop_assert_eq!(excluded.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), wanted);
        prop_assert_eq!(order, None);
    }
}
