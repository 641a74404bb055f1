//! Windows of a measured run that have too few comparisons, or none.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use understudy_study::{Every, Windows};

use super::test_support::{STUDY, planned_for};
use super::*;

fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

fn clock(every: Every, zone: TimeZone) -> WindowClock {
    WindowClock::new(Windows { every, week_ends: jiff::civil::Weekday::Sunday }, zone)
}

#[test]
fn windows_without_pairs_are_windows() {
    let days = [("2026-03-06", 120), ("2026-03-07", 130), ("2026-03-09", 110), ("2026-03-12", 90)];
    let starts = days.map(|(day, pairs)| (micros(&format!("{day}T00:00:00Z")), pairs));
    let counts = measured_windows(clock(Every::Day, TimeZone::UTC), &starts);
    assert_eq!(counts, [120, 130, 0, 110, 0, 0, 90]);
    assert!(measured_windows(clock(Every::Day, TimeZone::UTC), &[]).is_empty());
    // An hour that the local clock skips is not a window.
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let hours = ["2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"].map(|hour| (micros(hour), 5));
    assert_eq!(measured_windows(clock(Every::Hour, zone), &hours), [5, 0, 5]);
    // Windows far apart are bounded in number.
    let apart = ["0001-01-02T00:00:00Z", "9999-01-01T00:00:00Z"].map(|hour| (micros(hour), 5));
    assert_eq!(measured_windows(clock(Every::Hour, TimeZone::UTC), &apart).len(), MAX_WINDOWS);
}

/// A plan for a run that is closed on every seventh day, over three weeks.
fn closed_on_sundays(quantifier: &str, pairs: u64) -> StudyPlan {
    let days = (0..21).map(|day| if day % 7 == 6 && day < 20 { 0 } else { pairs }).collect();
    let study = STUDY.replace("{ first = 8 }", "{ first = 14 }").replace("every-window", quantifier);
    planned_for(&format!("{study}at-least = 0.85\n"), PairsPerWindow::Measured(days), None, None)
}

#[test]
fn a_day_off_makes_go_impossible() {
    for quantifier in ["every-window", "pooled"] {
        let plan = closed_on_sundays(quantifier, 120);
        assert_eq!((plan.measured, plan.enough_comparisons), (Some(21), 0.0), "{quantifier}");
        let all = &plan.scopes[0];
        // 19 days of 120 pairs, over 21 days.
        assert_eq!((all.per_window, all.pooled), (Some(109), Some(1520)));
        assert!(all.go_probabilities.iter().all(|chance| chance.study == 0.0), "{quantifier}");
        assert_eq!(all.margins.declared, None);
        assert!(plan.warnings[0].contains("2 had fewer than 100 comparisons"), "{:?}", plan.warnings);
        assert!(plan.warnings[0].contains("2 of them none"), "{:?}", plan.warnings);
    }
}

#[test]
fn enough_comparisons_are_measured_over_stretches() {
    let threshold = |first: u64| {
        let study = STUDY.replace("{ first = 8 }", &format!("{{ first = {first} }}"));
        planned_for(&format!("{study}at-least = 0.85\n"), PairsPerWindow::Stated(200), None, None)
    };
    assert_eq!(threshold(3).enough_comparisons, 1.0);
    let enough = |first: u64, counts: &[u64]| {
        let study = STUDY.replace("{ first = 8 }", &format!("{{ first = {first} }}"));
        let measured = PairsPerWindow::Measured(counts.to_vec());
        planned_for(&format!("{study}at-least = 0.85\n"), measured, None, None).enough_comparisons
    };
    // The incomplete windows at both ends do not count.
    assert_eq!(enough(2, &[3, 100, 100, 100, 3]), 1.0);
    // Of the four pairs of neighbours among 100, 99, 100, 100, 100 two have enough.
    assert_eq!(enough(2, &[3, 100, 99, 100, 100, 100, 3]), 0.5);
    // A run that is shorter than the study: the share of its windows to the power of their number.
    assert_eq!(enough(3, &[3, 100, 99, 3]), 0.125);
    // A run that is as long as the study has one stretch.
    assert_eq!(enough(3, &[3, 100, 99, 100, 3]), 0.0);
    assert_eq!(enough(3, &[3, 100]), 1.0);
}
