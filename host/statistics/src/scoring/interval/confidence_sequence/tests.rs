//! The sequences against the package confseq, and the property that the average lies inside its interval.
//! `tests/oracles/confidence_sequences.py` prints the rows. Coverage over many streams is tested in `interval/tests.rs`.

use proptest::prelude::*;

use super::*;
use crate::scoring::interval::tests::{HOTEL_WEEKS, assert_close};

/// A kind of scores in `confidence_sequences.py`.
type Kind = fn(u64) -> f64;

/// The sizes of the blocks there.
const SIZES: [u64; 6] = [120, 1, 300, 40, 77, 462];

fn scores(i: u64) -> f64 {
    ((37 * i + 11) % 101) as f64 / 100.0
}

fn hits(i: u64) -> f64 {
    if (7 * i * i + 3) % 10 < 8 { 1.0 } else { 0.0 }
}

/// The block of the scores with these numbers.
fn block(kind: Kind, numbers: std::ops::Range<u64>) -> ScoreBlock {
    let scores = || numbers.clone().map(kind);
    ScoreBlock { n: numbers.end - numbers.start, sum: scores().sum(), squares: scores().map(|x| x * x).sum() }
}

fn tuning(mean: f64, observations: u64) -> SequenceTuning {
    SequenceTuning { range: (0.0, 1.0), mean, observations }
}

#[test]
fn blocks_of_one_score_match_confseq() {
    let rows: [(Kind, f64, u64, u64, f64, f64); _] = [
        (scores, 0.05, 400, 1, 0.0, 1.0),
        (scores, 0.05, 400, 2, 0.0, 1.0),
        (scores, 0.05, 400, 10, 0.0, 1.0),
        (scores, 0.05, 400, 40, 0.19114652176706015, 0.77335347823294),
        (scores, 0.05, 400, 200, 0.42185619438113586, 0.5768438056188643),
        (scores, 0.05, 400, 1000, 0.47182272248924084, 0.5281972775107593),
        (scores, 0.01, 40, 1, 0.0, 1.0),
        (scores, 0.01, 40, 2, 0.0, 1.0),
        (scores, 0.01, 40, 10, 0.0, 1.0),
        (scores, 0.01, 40, 40, 0.21444084301489708, 0.7500591569851031),
        (scores, 0.01, 40, 200, 0.4061801914241955, 0.5925198085758046),
        (scores, 0.01, 40, 1000, 0.46206719199183727, 0.5379528080081628),
        (hits, 0.05, 400, 1, 0.0, 1.0),
        (hits, 0.05, 400, 2, 0.0, 1.0),
        (hits, 0.05, 400, 10, 0.0, 1.0),
        (hits, 0.05, 400, 40, 0.6073211430553989, 1.0),
        (hits, 0.05, 400, 200, 0.8213775882369772, 0.9786224117630229),
        (hits, 0.05, 400, 1000, 0.8710805116041278, 0.9289194883958722),
        (hits, 0.01, 40, 1, 0.0, 1.0),
        (hits, 0.01, 40, 2, 0.0, 1.0),
        (hits, 0.01, 40, 10, 0.08947126606828382, 1.0),
        (hits, 0.01, 40, 40, 0.6280719246788689, 1.0),
        (hits, 0.01, 40, 200, 0.8048538374384271, 0.9951461625615728),
        (hits, 0.01, 40, 1000, 0.8610286836037686, 0.9389713163962313),
    ];
    for (kind, level, observations, looks, lower, upper) in rows {
        let mut sequence = ConfidenceSequence::new(level, tuning(0.5, observations));
        (0..looks).for_each(|i| sequence.push(block(kind, i..i + 1)));
        let interval = sequence.interval(block(kind, 0..looks).sum / looks as f64);
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn larger_blocks_match_confseqs_boundary() {
    let rows: [(Kind, f64, f64, u64, usize, f64, f64); _] = [
        (scores, 0.05, 0.85, 300, 0, 0.3665483838629694, 0.6386182828036974),
        (scores, 0.05, 0.85, 300, 1, 0.36367247948096887, 0.6343440494446511),
        (scores, 0.05, 0.85, 300, 2, 0.4474126100414828, 0.5538225443528164),
        (scores, 0.05, 0.85, 300, 5, 0.468866078830729, 0.531153921169271),
        (scores, 0.01, 0.5, 100, 0, 0.3806155885863549, 0.6245510780803119),
        (scores, 0.01, 0.5, 100, 1, 0.3772671124169691, 0.6207494165086508),
        (scores, 0.01, 0.5, 100, 2, 0.44297067762196574, 0.5582644767723335),
        (scores, 0.01, 0.5, 100, 5, 0.4638893607529563, 0.5361306392470436),
        (hits, 0.05, 0.85, 300, 0, 0.7992253461907532, 1.0),
        (hits, 0.05, 0.85, 300, 1, 0.8008547850624494, 1.0),
        (hits, 0.05, 0.85, 300, 2, 0.8534089831145214, 0.9470660762679014),
        (hits, 0.05, 0.85, 300, 5, 0.8703273193697276, 0.9296726806302724),
        (hits, 0.01, 0.5, 100, 0, 0.7129262989012887, 1.0),
        (hits, 0.01, 0.5, 100, 1, 0.7152720919117064, 1.0),
        (hits, 0.01, 0.5, 100, 2, 0.8291421240002635, 0.9713329353821593),
        (hits, 0.01, 0.5, 100, 5, 0.8592837961807182, 0.9407162038192819),
    ];
    for (kind, level, guess, observations, look, lower, upper) in rows {
        let mut sequence = ConfidenceSequence::new(level, tuning(guess, observations));
        let mut end = 0;
        for size in &SIZES[..=look] {
            sequence.push(block(kind, end..end + size));
            end += size;
        }
        let interval = sequence.interval(block(kind, 0..end).sum / end as f64);
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn windows_match_confseqs_boundary() {
    let rows: [(Kind, f64, u64, usize, f64, f64); _] = [
        (scores, 0.05, 600, 0, 0.0, 1.0),
        (scores, 0.05, 600, 17, 0.0, 1.0),
        (scores, 0.05, 600, 71, 0.2701875802630474, 0.7298024197369526),
        (scores, 0.05, 100, 0, 0.0, 1.0),
        (scores, 0.05, 100, 17, 0.0, 1.0),
        (scores, 0.05, 100, 71, 0.05035786862010322, 0.9496321313798968),
        (hits, 0.05, 600, 0, 0.0, 1.0),
        (hits, 0.05, 600, 17, 0.0, 1.0),
        (hits, 0.05, 600, 71, 0.6706007709117416, 1.0),
        (hits, 0.05, 100, 0, 0.0, 1.0),
        (hits, 0.05, 100, 17, 0.0, 1.0),
        (hits, 0.05, 100, 71, 0.4508402765634004, 1.0),
    ];
    for (kind, level, usual, look, lower, upper) in rows {
        let mut sequence = WindowSequence::new(level, tuning(0.8, 30), usual);
        let mut end = 0;
        for size in SIZES.iter().cycle().take(look + 1) {
            sequence.push(block(kind, end..end + size));
            end += size;
        }
        let interval = sequence.interval(block(kind, 0..end).sum / end as f64);
        assert_close(interval.lower, lower);
        assert_close(interval.upper, upper);
    }
}

#[test]
fn sequences_without_scores_know_the_range_only() {
    let whole = Interval { lower: -1.0, upper: 3.0 };
    let tuning = SequenceTuning { range: (-1.0, 3.0), mean: 2.0, observations: 100 };
    let mut pairs = ConfidenceSequence::new(0.05, tuning);
    pairs.push(ScoreBlock::default());
    assert_eq!(pairs.interval(2.0), whole);
    let mut windows = WindowSequence::new(0.05, tuning, 100);
    windows.push(ScoreBlock::default());
    assert_eq!(windows.interval(2.0), whole);
}

#[test]
fn scores_in_another_range_are_rescaled() {
    let scaled = |x: f64| x * 4.0 - 1.0;
    let mut unit = ConfidenceSequence::new(0.05, tuning(0.75, 100));
    let mut other =
        ConfidenceSequence::new(0.05, SequenceTuning { range: (-1.0, 3.0), mean: 2.0, observations: 100 });
    let mut sums = [0.0; 2];
    for i in 0..20 {
        unit.push(block(scores, 50 * i..50 * (i + 1)));
        other.push(block(|i| scores(i) * 4.0 - 1.0, 50 * i..50 * (i + 1)));
        sums[0] += block(scores, 50 * i..50 * (i + 1)).sum;
        sums[1] += block(|i| scores(i) * 4.0 - 1.0, 50 * i..50 * (i + 1)).sum;
    }
    let (unit, other) = (unit.interval(sums[0] / 1000.0), other.interval(sums[1] / 1000.0));
    assert_close(other.lower, scaled(unit.lower));
    assert_close(other.upper, scaled(unit.upper));
}

#[test]
fn windows_of_scores_in_another_range_are_rescaled() {
    let scaled = |x: f64| x * 4.0 - 1.0;
    let mut unit = WindowSequence::new(0.05, tuning(0.75, 20), 50);
    let other = SequenceTuning { range: (-1.0, 3.0), mean: 2.0, observations: 20 };
    let mut other = WindowSequence::new(0.05, other, 50);
    let mut sums = [0.0; 2];
    for i in 0..80 {
        let numbers = 50 * i..50 * (i + 1);
        let blocks = [block(scores, numbers.clone()), block(|i| scores(i) * 4.0 - 1.0, numbers)];
        unit.push(blocks[0]);
        other.push(blocks[1]);
        sums[0] += blocks[0].sum;
        sums[1] += blocks[1].sum;
    }
    let (unit, other) = (unit.interval(sums[0] / 4000.0), other.interval(sums[1] / 4000.0));
    assert!(unit.lower > 0.0 && unit.upper < 1.0, "{unit:?}");
    assert_close(other.lower, scaled(unit.lower));
    assert_close(other.upper, scaled(unit.upper));
}

#[test]
fn the_hotels_average_lies_inside_its_interval_at_every_look() {
    let mut pairs = ConfidenceSequence::new(0.05, tuning(0.85, 100));
    let mut windows = WindowSequence::new(0.05, tuning(0.85, 1), 100);
    let (mut hits, mut n) = (0, 0);
    for (same, bookings) in HOTEL_WEEKS.iter().copied() {
        let week = ScoreBlock { n: bookings, sum: same as f64, squares: same as f64 };
        pairs.push(week);
        windows.push(week);
        (hits, n) = (hits + same, n + bookings);
        let average = hits as f64 / n as f64;
        for interval in [pairs.interval(average), windows.interval(average)] {
            assert!(interval.lower < average && average < interval.upper, "{average}: {interval:?}");
        }
    }
    // The interval of a year is narrow, and that of whole weeks is not.
    let (narrow, wide) = (pairs.interval(hits as f64 / n as f64), windows.interval(hits as f64 / n as f64));
    assert!(narrow.upper - narrow.lower < 0.03, "{narrow:?}");
    assert!(wide.upper - wide.lower > 0.15, "{wide:?}");
}

#[test]
#[should_panic(expected = "the level of a bound is in (0, 0.5]")]
fn a_confidence_is_no_level() {
    ConfidenceSequence::new(0.95, tuning(0.5, 100));
}

/// Sums of windows of scores in [0, 1].
fn windows() -> impl Strategy<Value = Vec<ScoreBlock>> {
    let window = (0u64..2000, 0.0..=1.0f64, 0.0..=1.0f64).prop_map(|(n, mean, spread)| {
        let sum = n as f64 * mean;
        // The sum of squares is between those of equal scores and of zeros and ones.
        ScoreBlock { n, sum, squares: sum * mean + spread * (sum - sum * mean) }
    });
    proptest::collection::vec(window, 1..30)
}

proptest! {
    #[test]
    fn the_average_lies_inside_its_interval(
        windows in windows(),
        level in 1e-6..=0.5f64,
        guess in 0.0..=1.0f64,
        observations in 1u64..100_000,
    ) {
        let mut pairs = ConfidenceSequence::new(level, tuning(guess, observations));
        let mut whole = WindowSequence::new(level, tuning(guess, observations), 100);
        let mut all = ScoreBlock::default();
        for window in windows {
            pairs.push(window);
            whole.push(window);
            all = ScoreBlock { n: all.n + window.n, sum: all.sum + window.sum, ..all };
            if all.n > 0 {
                let average = all.sum / all.n as f64;
                for Interval { lower, upper } in [pairs.interval(average), whole.interval(average)] {
                    prop_assert!(lower <= average && average <= upper, "{average}: {lower} to {upper}");
                    prop_assert!(lower < upper, "an interval of width 0 at {average}");
                }
            }
        }
    }
}

#[test]
fn the_tuning_is_relative_to_the_range() {
    // Scores x in [0, 1], and 4 x - 1 in [-1, 3].
    let scaled = SequenceTuning { range: (-1.0, 3.0), mean: 4.0 * 0.6 - 1.0, observations: 300 };
    let mut unit = ConfidenceSequence::new(0.05, tuning(0.6, 300));
    let mut other = ConfidenceSequence::new(0.05, scaled);
    for _ in 0..3 {
        unit.push(ScoreBlock { n: 100, sum: 70.0, squares: 60.0 });
        other.push(ScoreBlock { n: 100, sum: 180.0, squares: 16.0 * 60.0 - 8.0 * 70.0 + 100.0 });
    }
    let (unit, other) = (unit.interval(0.7), other.interval(1.8));
    assert!((other.lower - (4.0 * unit.lower - 1.0)).abs() < 1e-9, "{unit:?} {other:?}");
    assert!((other.upper - (4.0 * unit.upper - 1.0)).abs() < 1e-9, "{unit:?} {other:?}");
}
