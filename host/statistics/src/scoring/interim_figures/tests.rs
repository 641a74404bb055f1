//! Blocks and cells by hand, and no figure of few pairs from any number of reports: by linear algebra.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::test_support::KnownSums;
use super::*;
use crate::scoring::{AnswerStatus, CellsShape, ModelScores, ScoredPairs, StratumKey, WindowClock};
use understudy_study::{Every, Scope, Windows};

pub fn day(day: usize) -> Window {
    let windows = Windows { every: Every::Day, week_ends: Weekday::Sunday };
    WindowClock::new(windows, TimeZone::UTC).window(day as i64 * 86_400_000_000)
}

/// All pairs answered.
fn all_answered(days: &[Vec<u64>]) -> Vec<Vec<PartSize>> {
    let counts = |pairs: &u64| PartSize { pairs: *pairs, answered: *pairs };
    days.iter().map(|values| values.iter().map(counts).collect()).collect()
}

/// Cells with these numbers of pairs, by day and value of the only condition.
fn cells(days: &[Vec<u64>]) -> Cells {
    sums(&all_answered(days), &[days[0].len()], &[]).0
}

/// The values of the conditions of a profile: its digits, the first condition's the most significant.
pub fn values(mut profile: usize, sizes: &[usize]) -> Vec<usize> {
    let mut values = Vec::new();
    for size in sizes.iter().rev() {
        values.insert(0, profile % size);
        profile /= size;
    }
    values
}

/// The sums of one model over these numbers of pairs, by day and profile. `sizes` are the numbers of values of the conditions.
pub fn sums(days: &[Vec<PartSize>], sizes: &[usize], scopes: &[Scope]) -> (Cells, VerdictEvidence) {
    let shape = CellsShape { conditions: sizes.to_vec(), models: 1, components: vec![1] };
    let (mut cells, mut evidence) = (Cells::new(shape), VerdictEvidence::default());
    for (at, profiles) in days.iter().enumerate() {
        for (profile, size) in profiles.iter().enumerate() {
            let values = values(profile, sizes);
            let own = scopes.iter().zip(1..).filter(|(scope, _)| scope.holds(|condition| values[condition]));
            let own: Vec<u16> = std::iter::once(0).chain(own.map(|(_, scope)| scope)).collect();
            let values: Vec<u16> = values.into_iter().map(|value| value as u16).collect();
            let conditions: Vec<Vec<u16>> = values.iter().map(|value| vec![*value]).collect();
            for pair in 0..size.pairs {
                let is_answered = pair < size.answered;
                let status = if is_answered { AnswerStatus::Answered } else { AnswerStatus::Abstained };
                let models = [ModelScores { statuses: vec![status], scores: vec![vec![vec![1.0]]] }];
                let pairs = ScoredPairs { windows: &[day(at)], conditions: &conditions, models: &models };
                cells.add(pairs).unwrap();
                let window = evidence.windows.entry(day(at)).or_default().to_mut();
                window.scope_sets.add(&own, &values, &models, 0);
            }
        }
    }
    (cells, evidence)
}

/// The figures without scopes.
fn figures(cells: &Cells, model: Option<usize>) -> InterimFigures {
    InterimFigures::new(cells, &VerdictEvidence::default(), 0, model)
}

pub fn scope(values: Vec<(usize, Vec<usize>)>) -> Scope {
    Scope { name: "scope".to_owned(), values }
}

#[test]
fn the_figures_of_a_model_cover_few_answers_in_no_block() {
    let counts = |pairs, answered| vec![PartSize { pairs, answered }];
    let days = [counts(9, 8), counts(9, 4), counts(9, 9), counts(9, 0), counts(9, 3)];
    let (days, _) = sums(&days, &[1], &[]);
    let shown = |found: &InterimFigures| [0, 1, 2, 3, 4].map(|at| found.shows_window(day(at)));
    assert_eq!(shown(&figures(&days, None)), [true; 5]);
    let found = figures(&days, Some(0));
    // The last day waits for more answers, and so do the figures over all days.
    assert_eq!(shown(&found), [true, false, false, true, false]);
    assert!(!found.shows_all() && !found.shows_value(0, 0) && !found.shows_scope(0, &[day(4)]));
    assert!(figures(&days.through(day(3)), Some(0)).shows_all());
}

#[test]
fn a_report_covers_whole_blocks_of_windows() {
    let days = cells(&[vec![3], vec![1], vec![4], vec![9], vec![2]]);
    let covered = |last| last_covered_window(&days, day(last));
    assert_eq!([0, 1, 2, 3, 4].map(covered), [None, None, Some(day(2)), Some(day(3)), Some(day(3))]);
    // A window without pairs needs no figure.
    assert_eq!(last_covered_window(&cells(&[vec![5]]), day(3)), Some(day(3)));
    let found = figures(&days.through(day(3)), None);
    assert_eq!([0, 1, 2, 3].map(|at| found.shows_window(day(at))), [false, false, false, true]);
    assert!(found.shows_all());
    assert!(found.shows_scope(0, &[day(3)]) && found.shows_scope(0, &[day(0), day(1), day(2)]));
    assert!(!found.shows_scope(0, &[day(2), day(3)]), "the first block is cut");
    assert!(!figures(&cells(&[vec![2, 1]]), None).shows_all());
    // A later report adds it to a block, so it has no figure.
    let found = figures(&days, None);
    assert!(found.shows_window(day(3)) && !found.shows_window(day(4)) && !found.shows_all());
}

#[test]
fn a_value_that_is_once_rare_has_no_total_any_more() {
    let days = cells(&[vec![10, 20, 30], vec![2, 20, 30], vec![10, 20, 30]]);
    let found = figures(&days, None);
    assert_eq!([0, 1, 2].map(|value| found.shows_value(0, value)), [false, false, true]);
    let slices = [0, 1, 2].map(|value| found.shows(Slice::Value { condition: 0, value }));
    assert_eq!((slices, found.shows(Slice::All)), ([false, false, true], true));
    assert!(!figures(&cells(&[vec![2, 1]]), None).shows(Slice::All));
    let by_day = |at| [0, 1, 2].map(|value| found.shows_value_in_window(0, value, day(at)));
    assert_eq!([0, 1, 2].map(by_day), [[true; 3], [false, false, true], [true; 3]]);
}

#[test]
fn values_are_joined_over_blocks_until_the_commonest_has_a_figure() {
    let days = cells(&[vec![100, 2], vec![100, 3], vec![50, 10], vec![60, 0], vec![40, 1]]);
    let shown = |last: usize| {
        let found = figures(&days.through(day(last)), None);
        assert!(found.shows_all() && found.shows_window(day(last)));
        let in_windows =
            (0..=last).map(|at| [0, 1].map(|value| found.shows_value_in_window(0, value, day(at))));
        ([0, 1].map(|value| found.shows_value(0, value)), in_windows.collect::<Vec<_>>())
    };
    let (no, yes) = ([false; 2], [true; 2]);
    // The other value has two pairs on the first day, and five on the first two days.
    assert_eq!(shown(0), (no, vec![no]));
    assert_eq!(shown(1), (yes, vec![no, no]));
    assert_eq!(shown(2), (yes, vec![no, no, yes]));
    assert_eq!(shown(3), (yes, vec![no, no, yes, yes]));
    // The last day waits for others.
    assert_eq!(shown(4), (no, vec![no, no, yes, yes, no]));
    // The second day has no pairs of the first value. So its pairs minus the second value would be the two pairs.
    let split = cells(&[vec![100, 2], vec![0, 50], vec![70, 50]]);
    let is_shown = |last: usize| figures(&split.through(day(last)), None).shows_value(0, 0);
    assert_eq!([0, 1, 2].map(is_shown), [false, false, true]);
}

#[test]
fn scopes_with_few_pairs_in_common_or_apart_are_not_shown_together() {
    // By value of the first condition and, within it, of the second.
    let shown = |pairs: [u64; 6], scopes: &[Scope]| {
        let (cells, evidence) = sums(&all_answered(&[pairs.to_vec()]), &[3, 2], scopes);
        let found = InterimFigures::new(&cells, &evidence, scopes.len(), Some(0));
        (1..=scopes.len()).map(|scope| found.shows_scope(scope, &[day(0)])).collect::<Vec<_>>()
    };
    let first = scope(vec![(0, vec![0, 1])]);
    let second = scope(vec![(1, vec![0])]);
    let both = [first.clone(), second.clone()];
    assert_eq!(shown([20, 20, 20, 20, 20, 20], &both), [true, true]);
    // They have four pairs in common, or the second has four others, or four pairs are in neither.
    assert_eq!(shown([2, 20, 2, 20, 20, 20], &both), [true, false]);
    assert_eq!(shown([20, 20, 20, 20, 4, 20], &both), [true, false]);
    assert_eq!(shown([20, 20, 20, 20, 20, 4], &both), [true, false]);
    // Without the first scope, the second is shown.
    assert_eq!(shown([2, 20, 2, 20, 20, 20], &[second]), [true]);
    // The third value lacks four pairs of the two scopes.
    let halves = [0, 1].map(|half| scope(vec![(0, vec![2]), (1, vec![half])]));
    assert_eq!(shown([20, 20, 20, 20, 20, 20], &halves), [true, true]);
    assert_eq!(shown([20, 20, 20, 20, 20, 4], &halves), [false, false]);
    // Without counts by scopes, no scope is shown.
    let (cells, _) = sums(&all_answered(&[vec![20; 6]]), &[3, 2], &[]);
    let found = InterimFigures::new(&cells, &VerdictEvidence::default(), 1, Some(0));
    assert!(found.shows_all() && !found.shows_scope(1, &[day(0)]));
}

#[test]
fn a_part_and_the_rest_are_withheld_together() {
    let all = cells(&[vec![20, 8]]);
    let revised = |pairs: [u64; 2]| figures(&all, None).for_part(&cells(&[pairs.to_vec()]), &all);
    assert!(revised([6, 0]).shows_all() && revised([6, 0]).shows_value(0, 0));
    assert!(!revised([2, 0]).shows_all());
    // All but three pairs are revised.
    assert!(!revised([20, 5]).shows_all() && revised([20, 3]).shows_all());
    // All but four pairs of the second value are revised.
    assert!(!revised([6, 5]).shows_value(0, 1));
}

#[test]
fn a_part_of_a_run_waits_for_the_windows_after_the_last_block() {
    // The second value has no pair on the last day, but a later report may add some to its block.
    let all = cells(&[vec![20, 20], vec![2, 0]]);
    let part = cells(&[vec![10, 10], vec![0, 0]]);
    let shown = |all: &Cells, part: &Cells| {
        let figures = figures(all, None).for_part(part, all);
        [0, 1].map(|value| figures.shows_value(0, value))
    };
    assert_eq!(shown(&all, &part), [false; 2]);
    assert_eq!(shown(&all.through(day(0)), &part.through(day(0))), [true; 2]);
}

#[test]
fn blinded_pairs_and_the_others_are_shown_only_if_neither_are_few() {
    let days = [vec![10], vec![20]];
    let all = cells(&days);
    let shown = |blinded: u64| {
        let mut evidence = VerdictEvidence::default();
        let mut add = |scope: u16, is_blinded: bool, at: usize, pairs: u64| {
            let sums = &mut evidence.windows.entry(day(at)).or_default().to_mut().sums;
            let keys = [0, 1].map(|group| StratumKey { scope, blinded: is_blinded, group });
            for (key, pairs) in keys.into_iter().zip([1, pairs - 1]) {
                sums.entry(key).or_default().pairs = pairs;
            }
        };
        if blinded > 0 {
            add(0, true, 0, blinded);
            // The pairs of a scope are pairs of the whole input, too.
            add(1, true, 0, 10);
        }
        add(0, false, 0, (10 - blinded).max(1));
        add(0, true, 1, 10);
        let found = InterimFigures::new(&all, &evidence, 1, None);
        assert!(found.shows_blinding(&[day(1)]) && found.shows_blinding(&[]));
        assert_eq!(found.shows_blinding(&[day(0), day(1)]), found.shows_blinding(&[day(0)]));
        found.shows_blinding(&[day(0)])
    };
    assert_eq!([0, 4, 5, 6].map(shown), [true, false, true, false]);
}

/// The conditions of the property test, by number of values.
const SIZES: [usize; 2] = [3, 2];

/// All figures of a report over the days up to `covered`, as sums over the cells (day, profile). The values are those of one
/// condition.
fn add_shown(
    days: &[Vec<PartSize>],
    covered: usize,
    scopes: &[Scope],
    condition: usize,
    known: &mut KnownSums,
) {
    let sum = |is_in: &dyn Fn(usize, &[usize]) -> bool| -> Vec<i64> {
        let cells = days.iter().enumerate().flat_map(|(at, profiles)| {
            profiles
                .iter()
                .enumerate()
                .map(move |(profile, size)| (at, values(profile, &SIZES), size.answered))
        });
        let is_in = |at: usize, values: &[usize]| at <= covered && is_in(at, values);
        cells.map(|(at, values, answered)| i64::from(answered > 0 && is_in(at, &values))).collect()
    };
    let (cells, evidence) = sums(&days[..=covered], &SIZES, scopes);
    let figures = InterimFigures::new(&cells, &evidence, scopes.len(), Some(0));
    if figures.shows_all() {
        known.add(sum(&|_, _| true));
    }
    for day_at in 0..=covered {
        if figures.shows_window(day(day_at)) {
            known.add(sum(&|at, _| at == day_at));
        }
        // The latest windows, as a threshold counts them, and each window alone.
        let latest: Vec<Window> = (day_at..=covered).map(day).collect();
        for (index, windows) in [&latest[..], &latest[..1]].into_iter().enumerate() {
            let is_in = |at: usize| at == day_at || (index == 0 && at >= day_at);
            if figures.shows_scope(0, windows) {
                known.add(sum(&|at, _| is_in(at)));
            }
            for (scope, shown) in scopes.iter().zip(1..).filter(|(_, at)| figures.shows_scope(*at, windows)) {
                assert!(shown <= scopes.len());
                known.add(sum(&|at, values| is_in(at) && scope.holds(|condition| values[condition])));
            }
        }
    }
    for shown in 0..SIZES[condition] {
        if figures.shows_value(condition, shown) {
            known.add(sum(&|_, values| values[condition] == shown));
        }
        let days = (0..=covered).filter(|at| figures.shows_value_in_window(condition, shown, day(*at)));
        for day_at in days {
            known.add(sum(&|at, values| at == day_at && values[condition] == shown));
        }
    }
}

/// A number of pairs, often few, of which some are answered.
pub fn part() -> impl Strategy<Value = PartSize> {
    let pairs = prop_oneof![3 => Just(0), 2 => 1..4_u64, 4 => 4..30_u64];
    let answers = prop_oneof![5 => Just(u64::MAX), 1 => 0..7_u64];
    (pairs, answers).prop_map(|(pairs, answered)| PartSize { pairs, answered: answered.min(pairs) })
}

/// A scope of some values of one of two conditions, or of both.
pub fn any_scope() -> impl Strategy<Value = Scope> {
    let chosen = |size: usize| prop::sample::subsequence((0..size).collect::<Vec<_>>(), 1..=size);
    (chosen(SIZES[0]), chosen(SIZES[1])).prop_map(|(first, second)| scope(vec![(0, first), (1, second)]))
}

proptest! {
    #[test]
    fn no_figure_of_few_pairs_follows_from_all_reports_together(
        days in (1..5_usize).prop_flat_map(|days| prop::collection::vec(prop::collection::vec(part(), 6), days)),
        scopes in prop::collection::vec(any_scope(), 0..4),
    ) {
        let (all, _) = sums(&days, &SIZES, &scopes);
        let pairs: Vec<u64> = days.iter().flatten().map(|counts| counts.answered).collect();
        for condition in 0..SIZES.len() {
            let mut known = KnownSums::default();
            // A look at the end of each window.
            for last in 0..days.len() {
                if let Some(window) = last_covered_window(&all, day(last)) {
                    let covered = (0..days.len()).rfind(|at| day(*at) <= window).unwrap();
                    add_shown(&days, covered, &scopes, condition, &mut known);
                }
            }
            let few = known.few(&pairs);
            prop_assert!(few.is_none(), "{few:?} of {pairs:?}, condition {condition}");
        }
    }
}
