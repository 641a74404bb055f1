//! Defines the number of calls, and how often the dispatcher chooses the allocator's bay.
//!
//! Each row is a part of a week. Exactly `agreed` of its calls get the allocator's best bay, and exactly
//! `among_three` one of its best three. The seed selects these calls, but not their number.
//!
//! Invariants, over the weeks 16 to 18 of 2026 with 1,000 calls each:
//!
//! | calls | best bay | of | share |
//! | --- | --- | --- | --- |
//! | week 16 | 870 | 1,000 | 87.0 % |
//! | week 16, weekend, priority | 62 | 100 | 62.0 % |
//! | week 17 | 841 | 1,000 | 84.1 % |
//! | week 18 | 840 | 1,000 | 84.0 % |
//! | weekdays | 1,911 | 2,100 | 91.0 %, in each week at least 90 % |
//! | weekends | 640 | 900 | 71.1 %, in each week at most 76 % |
//! | all three weeks | 2,551 | 3,000 | 85.03 %; one of the best three: 2,875, 95.8 % |
//!
//! A few calls before and after prove that these weeks are complete.

use std::ops::Range;

use jiff::civil::{Date, date};

/// The calls that a quota covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Weekday calls with random priority.
    Weekday,
    /// Weekend calls without priority.
    Weekend,
    /// Weekend calls with priority.
    WeekendPriority,
}

/// The number of calls of a share, and the dispatcher's decisions.
#[derive(Clone, Debug)]
pub struct Quota {
    /// The covered calls.
    pub share: Share,
    /// First day.
    pub from: Date,
    /// Number of days.
    pub days: i64,
    /// Hours of the day with calls.
    pub hours: Range<i64>,
    /// Number of calls.
    pub calls: usize,
    /// Number of calls that get the allocator's best bay.
    pub agreed: usize,
    /// Number of calls that get one of the allocator's best three bays.
    pub among_three: usize,
}

const fn weekdays(monday: Date, agreed: usize, among_three: usize) -> Quota {
    Quota { share: Share::Weekday, from: monday, days: 5, hours: 4..22, calls: 700, agreed, among_three }
}

const fn weekend(saturday: Date, agreed: usize, among_three: usize) -> Quota {
    Quota { share: Share::Weekend, from: saturday, days: 2, hours: 6..20, calls: 200, agreed, among_three }
}

const fn weekend_priority(saturday: Date, agreed: usize, among_three: usize) -> Quota {
    Quota { share: Share::WeekendPriority, calls: 100, ..weekend(saturday, agreed, among_three) }
}

/// The last hours of the Sunday before, or the first of the Monday after.
const fn edge(share: Share, from: Date, hours: Range<i64>, agreed: usize) -> Quota {
    Quota { share, from, days: 1, hours, calls: 8, agreed, among_three: 8 }
}

/// All quotas.
pub const QUOTAS: [Quota; 11] = [
    edge(Share::Weekend, date(2026, 4, 12), 20..24, 6),
    weekdays(date(2026, 4, 13), 644, 688),
    weekend(date(2026, 4, 18), 164, 190),
    weekend_priority(date(2026, 4, 18), 62, 86),
    weekdays(date(2026, 4, 20), 634, 684),
    weekend(date(2026, 4, 25), 149, 187),
    weekend_priority(date(2026, 4, 25), 58, 85),
    weekdays(date(2026, 4, 27), 633, 683),
    weekend(date(2026, 5, 2), 150, 188),
    weekend_priority(date(2026, 5, 2), 57, 84),
    edge(Share::Weekday, date(2026, 5, 4), 0..4, 7),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of `agreed`, `among_three` and `calls` over the quotas that `filter` accepts.
    fn sums(filter: impl Fn(&Quota) -> bool) -> [usize; 3] {
        QUOTAS.iter().filter(|quota| filter(quota)).fold([0; 3], |[agreed, among, calls], quota| {
            [agreed + quota.agreed, among + quota.among_three, calls + quota.calls]
        })
    }

    #[test]
    fn the_sums_match_the_file_header() {
        let week = |quota: &Quota| quota.from.iso_week_date().week();
        let whole = |quota: &Quota| (16..=18).contains(&week(quota));
        assert_eq!([16, 17, 18].map(|w| sums(|q| week(q) == w)[0]), [870, 841, 840]);
        assert_eq!([16, 17, 18].map(|w| sums(|q| week(q) == w)[2]), [1_000; 3]);
        let priority = |q: &Quota| week(q) == 16 && q.share == Share::WeekendPriority;
        assert_eq!(sums(priority), [62, 86, 100]);
        assert_eq!(sums(|q| whole(q) && q.share == Share::Weekday), [1_911, 2_055, 2_100]);
        assert_eq!(sums(|q| whole(q) && q.share != Share::Weekday), [640, 820, 900]);
        assert_eq!(sums(whole), [2_551, 2_875, 3_000]);
        for of in 16..=18 {
            let [agreed, _, calls] = sums(|q| week(q) == of && q.share == Share::Weekday);
            assert!(agreed * 100 >= calls * 90, "the weekdays of week {of}");
            let [agreed, _, calls] = sums(|q| week(q) == of && q.share != Share::Weekday);
            assert!(agreed * 100 <= calls * 76, "the weekend of week {of}");
        }
    }

    #[test]
    fn every_quota_can_be_met() {
        for quota in QUOTAS {
            assert!(quota.agreed <= quota.among_three && quota.among_three <= quota.calls, "{quota:?}");
            let last = quota.from.saturating_add(jiff::Span::new().days(quota.days - 1));
            let weekend = |day: Date| day.weekday().to_monday_zero_offset() >= 5;
            assert_eq!([weekend(quota.from), weekend(last)], [quota.share != Share::Weekday; 2], "{quota:?}");
        }
    }
}
