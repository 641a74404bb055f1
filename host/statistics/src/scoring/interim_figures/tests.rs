//! Blocks and cells by hand, and no figure of few pairs from any number of reports: by linear algebra.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::scoring::{
    AnswerStatus, CellsShape, ModelScores, ModelSums, ScoredPairs, StratumKey, StratumSums, WindowClock,
};
use understudy_study::{Every, Windows};

/// The modulus of the elimination, a prime.
const PRIME: i64 = 1_000_003;

fn day(day: usize) -> Window {
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
    partly_answered(&all_answered(days))
}

/// The same with the numbers of answered pairs.
fn partly_answered(days: &[Vec<PartSize>]) -> Cells {
    let mut cells =
        Cells::new(CellsShape { conditions: vec![days[0].len()], models: 1, components: vec![1] });
    let (mut windows, mut values, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for (at, counts) in days.iter().enumerate() {
        for (value, counts) in counts.iter().enumerate() {
            for pair in 0..counts.pairs {
                windows.push(day(at));
                values.push(value as u16);
                let is_answered = pair < counts.answered;
                statuses.push(if is_answered { AnswerStatus::Answered } else { AnswerStatus::Abstained });
            }
        }
    }
    let models = [ModelScores { statuses, scores: vec![vec![vec![1.0; windows.len()]]] }];
    let conditions = [values];
    cells.add(ScoredPairs { windows: &windows, conditions: &conditions, models: &models }).unwrap();
    cells
}

/// The evidence of one scope of the values below `values`.
fn evidence(days: &[Vec<PartSize>], values: usize) -> VerdictEvidence {
    let mut evidence = VerdictEvidence::default();
    for (at, pairs) in days.iter().enumerate() {
        let sums = &mut evidence.windows.entry(day(at)).or_default().to_mut().sums;
        let key = StratumKey { scope: 1, blinded: false, group: 0 };
        let counts: PartSize = pairs[..values].iter().copied().sum();
        let unanswered = counts.pairs - counts.answered;
        let models = vec![ModelSums { unanswered, ..ModelSums::default() }];
        sums.insert(key, StratumSums { pairs: counts.pairs, models });
    }
    evidence
}

fn scope(values: usize) -> Scope {
    Scope { name: "scope".to_owned(), values: vec![(0, (0..values).collect())] }
}

#[test]
fn few_pairs_take_the_smallest_other_part_with_them() {
    assert_eq!(withheld_counts(&[4, 100, 0, 7]), [true, false, false, true]);
    // Two parts of few pairs hide each other, if together they are not few.
    assert_eq!(withheld_counts(&[4, 100, 1, 7]), [true, false, true, false]);
    assert_eq!(withheld_counts(&[3]), [true]);
    assert_eq!(withheld_counts(&[]), [false; 0]);
    // Few answers are like few pairs, and no answers are not.
    let counts = |pairs, answered| PartSize { pairs, answered };
    let parts = [counts(9, 4), counts(100, 90), counts(8, 0), counts(20, 6)];
    assert_eq!(withheld_parts(&parts), [true, false, true, true]);
}

#[test]
fn the_figures_of_a_model_cover_few_answers_in_no_block() {
    let counts = |pairs, answered| vec![PartSize { pairs, answered }];
    let days = partly_answered(&[counts(9, 8), counts(9, 4), counts(9, 9), counts(9, 0), counts(9, 3)]);
    let shown = |figures: &InterimFigures| [0, 1, 2, 3, 4].map(|at| figures.shows_window(day(at)));
    assert_eq!(shown(&InterimFigures::new(&days, None, false)), [true; 5]);
    let figures = InterimFigures::new(&days, Some(0), false);
    // The last day waits for more answers, and so do the figures over all days.
    assert_eq!(shown(&figures), [true, false, false, true, false]);
    assert!(!figures.shows_all() && !figures.shows_value(0, 0) && !figures.shows_scope(0, &[day(4)]));
    assert!(InterimFigures::new(&days.through(day(3)), Some(0), false).shows_all());
}

#[test]
fn a_report_covers_whole_blocks_of_windows() {
    let days = cells(&[vec![3], vec![1], vec![4], vec![9], vec![2]]);
    let covered = |last| last_covered_window(&days, day(last));
    assert_eq!([0, 1, 2, 3, 4].map(covered), [None, None, Some(day(2)), Some(day(3)), Some(day(3))]);
    // A window without pairs needs no figure.
    assert_eq!(last_covered_window(&cells(&[vec![5]]), day(3)), Some(day(3)));
    let figures = InterimFigures::new(&days.through(day(3)), None, false);
    assert_eq!([0, 1, 2, 3].map(|at| figures.shows_window(day(at))), [false, false, false, true]);
    assert!(figures.shows_all());
    assert!(figures.shows_scope(0, &[day(3)]) && figures.shows_scope(0, &[day(0), day(1), day(2)]));
    assert!(!figures.shows_scope(0, &[day(2), day(3)]), "the first block is cut");
    // In a run that was stopped, the rest belongs to the last block.
    let stopped = InterimFigures::new(&days, None, true);
    assert!(!stopped.shows_window(day(3)) && stopped.shows_all());
    assert!(!InterimFigures::new(&cells(&[vec![2, 1]]), None, true).shows_all());
    // Otherwise a later report adds it to a block, so it has no figure.
    let figures = InterimFigures::new(&days, None, false);
    assert!(figures.shows_window(day(3)) && !figures.shows_window(day(4)) && !figures.shows_all());
}

#[test]
fn a_value_that_is_once_rare_has_no_total_any_more() {
    let days = cells(&[vec![10, 20, 30], vec![2, 20, 30], vec![10, 20, 30]]);
    let figures = InterimFigures::new(&days, None, false);
    assert_eq!([0, 1, 2].map(|value| figures.shows_value(0, value)), [false, false, true]);
    let slices = [0, 1, 2].map(|value| figures.shows(Slice::Value { condition: 0, value }));
    assert_eq!((slices, figures.shows(Slice::All)), ([false, false, true], true));
    assert!(!InterimFigures::new(&cells(&[vec![2, 1]]), None, true).shows(Slice::All));
    let by_day = |at| [0, 1, 2].map(|value| figures.shows_value_in_window(0, value, day(at)));
    assert_eq!([0, 1, 2].map(by_day), [[true; 3], [false, false, true], [true; 3]]);
}

#[test]
fn a_part_and_the_rest_are_withheld_together() {
    let all = cells(&[vec![20, 8]]);
    let revised =
        |pairs: [u64; 2]| InterimFigures::new(&all, None, false).for_part(&cells(&[pairs.to_vec()]), &all);
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
    let shown = |is_stopped| {
        let figures = InterimFigures::new(&all, None, is_stopped).for_part(&part, &all);
        [0, 1].map(|value| figures.shows_value(0, value))
    };
    assert_eq!([shown(false), shown(true)], [[false; 2], [true; 2]]);
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
        let figures = InterimFigures::new(&all, None, false).with_evidence(&all, &evidence, &[scope(1)]);
        assert!(figures.shows_blinding(&[day(1)]) && figures.shows_blinding(&[]));
        assert_eq!(figures.shows_blinding(&[day(0), day(1)]), figures.shows_blinding(&[day(0)]));
        figures.shows_blinding(&[day(0)])
    };
    assert_eq!([0, 4, 5, 6].map(shown), [true, false, true, false]);
}

/// Figures as sums over cells, reduced to a row echelon form modulo [`PRIME`].
#[derive(Default)]
struct KnownSums {
    rows: Vec<(usize, Vec<i64>)>,
}

impl KnownSums {
    /// What remains of a sum after subtracting the known ones.
    fn reduced(&self, mut sum: Vec<i64>) -> Vec<i64> {
        for (pivot, row) in &self.rows {
            let factor = sum[*pivot];
            if factor != 0 {
                for (number, known) in sum.iter_mut().zip(row) {
                    *number = (*number - factor * known % PRIME + PRIME) % PRIME;
                }
            }
        }
        sum
    }

    fn add(&mut self, sum: Vec<i64>) {
        let sum = self.reduced(sum);
        let Some(pivot) = sum.iter().position(|number| *number != 0) else { return };
        // By Fermat: the power PRIME - 2.
        let (inverse, _) = (0..20).fold((1, sum[pivot]), |(product, power), bit| {
            let product = if (PRIME - 2) >> bit & 1 == 1 { product * power % PRIME } else { product };
            (product, power * power % PRIME)
        });
        self.rows.push((pivot, sum.iter().map(|number| number * inverse % PRIME).collect()));
    }

    fn has(&self, sum: Vec<i64>) -> bool {
        self.reduced(sum).iter().all(|number| *number == 0)
    }
}

/// All figures of a report over the days up to `covered`, as sums over the cells (day, value).
fn shown_figures(days: &[Vec<PartSize>], covered: usize, scoped: usize, known: &mut KnownSums) {
    let values = days[0].len();
    let sum = |is_in: &dyn Fn(usize, usize) -> bool| -> Vec<i64> {
        let cells = (0..days.len()).flat_map(|at| (0..values).map(move |value| (at, value)));
        cells
            .map(|(at, value)| i64::from(at <= covered && days[at][value].answered > 0 && is_in(at, value)))
            .collect()
    };
    let cells = partly_answered(days).through(day(covered));
    let evidence = evidence(&days[..=covered], scoped);
    let figures =
        InterimFigures::new(&cells, Some(0), false).with_evidence(&cells, &evidence, &[scope(scoped)]);
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
            if figures.shows_scope(1, windows) {
                known.add(sum(&|at, value| is_in(at) && value < scoped));
            }
        }
    }
    for shown in 0..values {
        if figures.shows_value(0, shown) {
            known.add(sum(&|_, value| value == shown));
        }
        for day_at in (0..=covered).filter(|at| figures.shows_value_in_window(0, shown, day(*at))) {
            known.add(sum(&|at, value| at == day_at && value == shown));
        }
    }
}

proptest! {
    #[test]
    fn no_figure_of_few_pairs_follows_from_all_reports_together(
        (days, scoped) in (1..5_usize, 1..6_usize).prop_flat_map(|(values, days)| {
            let pairs = prop_oneof![Just(0), 1..4_u64, 4..12_u64];
            let answers = prop_oneof![3 => Just(u64::MAX), 1 => 0..7_u64];
            let pairs = (pairs, answers)
                .prop_map(|(pairs, answered)| PartSize { pairs, answered: answered.min(pairs) });
            (prop::collection::vec(prop::collection::vec(pairs, values), days), 1..=values)
        }),
    ) {
        let all = partly_answered(&days);
        let mut known = KnownSums::default();
        // A look at the end of each window.
        for last in 0..days.len() {
            if let Some(window) = last_covered_window(&all, day(last)) {
                let covered = (0..days.len()).rfind(|at| day(*at) <= window).unwrap();
                shown_figures(&days, covered, scoped, &mut known);
            }
        }
        // No sum over one, two or three cells with fewer than five answered pairs follows.
        let is_few = |answered: u64| (1..MIN_INTERIM_PAIRS).contains(&answered);
        let pairs: Vec<u64> = days.iter().flatten().map(|counts| counts.answered).collect();
        let few: Vec<usize> = (0..pairs.len()).filter(|cell| is_few(pairs[*cell])).collect();
        for (at, one) in few.iter().enumerate() {
            for (next, two) in few.iter().enumerate().skip(at) {
                for three in few.iter().skip(next) {
                    let mut sum = vec![0; pairs.len()];
                    [one, two, three].into_iter().for_each(|cell| sum[*cell] = 1);
                    let total: u64 = sum.iter().zip(&pairs).map(|(is_in, pairs)| *is_in as u64 * pairs).sum();
                    prop_assert!(!is_few(total) || !known.has(sum), "{one} {two} {three} of {pairs:?}");
                }
            }
        }
    }
}
