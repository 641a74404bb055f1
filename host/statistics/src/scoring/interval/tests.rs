//! Quantiles against scipy, and the coverage of the bounds over many random streams with a known mean.
//!
//! The streams have a fixed seed, so every run has the same. Of 2,000 streams, the share that misses has a
//! standard error of 0.0049 where 5 % miss; the tests allow three of them where a bound has exactly its
//! confidence.

use std::sync::LazyLock;

use fastrand::Rng;

use super::{
    ConfidenceSequence, Interval, ScoreBlock, SequenceTuning, WindowSequence, jackknife, normal_quantile,
    student_quantile, student_upper_tail, wilson,
};

const STREAMS: usize = 2000;
const CONFIDENCE: f64 = 0.95;
/// Three standard errors of the share that misses.
const ALLOWANCE: f64 = 0.0147;
/// The number of scores in each window.
const SIZES: [u64; 20] = [90, 40, 7, 120, 60, 1, 200, 33, 80, 150, 5, 70, 110, 300, 20, 45, 95, 60, 10, 130];

/// A kind of scores: its name, a generator, and the mean.
type Kind = (&'static str, fn(&mut Rng) -> f64, f64);

/// 0 or 1; Beta(4, 1), with the quantile function u^(1/4); uniform.
const KINDS: [Kind; 4] = [
    ("hits of 0.88", |rng| if rng.f64() < 0.88 { 1.0 } else { 0.0 }, 0.88),
    ("hits of 0.5", |rng| if rng.bool() { 1.0 } else { 0.0 }, 0.5),
    ("beta", |rng| rng.f64().powf(0.25), 0.8),
    ("uniform", |rng| rng.f64(), 0.5),
];

/// The hotel's weeks: bookings that got the reserved room, and all bookings.
pub(super) static HOTEL_WEEKS: LazyLock<Vec<(u64, u64)>> = LazyLock::new(|| {
    let csv = include_str!("../../../../../examples/hotel/agreement-by-week.csv");
    let number = |cell: Option<&str>| cell.and_then(|cell| cell.parse().ok()).expect("a whole number");
    let week = |line: &str| {
        let mut cells = line.split(',').skip(1);
        (number(cells.next()), number(cells.next()))
    };
    csv.lines().skip(1).map(week).collect()
});

/// Asserts an error of at most 1e-9, relative for numbers below 1, so that tiny tails are compared, too.
#[track_caller]
pub(super) fn assert_close(found: f64, expected: f64) {
    let most = 1e-9 * expected.abs().min(1.0);
    assert!((found - expected).abs() <= most, "{found} is not {expected}");
}

#[test]
fn students_quantiles_match_scipy() {
    for (p, degrees, quantile) in [
        (0.5, 1, 0.0),
        (0.5, 2, 0.0),
        (0.5, 6, 0.0),
        (0.5, 29, 0.0),
        (0.5, 364, 0.0),
        (0.5, 2000, 0.0),
        (0.5, 100000, 0.0),
        (0.8, 1, 1.3763819204711738),
        (0.8, 2, 1.0606601717798214),
        (0.8, 6, 0.9057032851805317),
        (0.8, 29, 0.8541919858818557),
        (0.8, 364, 0.8426098233583219),
        (0.8, 2000, 0.8418009909487402),
        (0.8, 100000, 0.8416248279969009),
        (0.95, 1, 6.313751514675037),
        (0.95, 2, 2.9199855803537242),
        (0.95, 6, 1.9431802805153042),
        (0.95, 29, 1.6991270265334972),
        (0.95, 364, 1.6490505451718847),
        (0.95, 2000, 1.6456158666989071),
        (0.95, 100000, 1.6448688647849696),
        (0.99, 1, 31.820515953773935),
        (0.99, 2, 6.9645567342832715),
        (0.99, 6, 3.1426684032910064),
        (0.99, 29, 2.4620213601504126),
        (0.99, 364, 2.3366358923287702),
        (0.99, 2000, 2.3282138419397724),
        (0.99, 100000, 2.326385165355268),
        (0.999, 1, 318.30883898555015),
        (0.999, 2, 22.327124770119866),
        (0.999, 6, 5.207626238725373),
        (0.999, 29, 3.3962402883568026),
        (0.999, 364, 3.1127721502517054),
        (0.999, 2000, 3.0943122983290934),
        (0.999, 100000, 3.0903138094272378),
    ] {
        assert_close(student_quantile(p, f64::from(degrees)).unwrap(), quantile);
    }
    assert_eq!(student_quantile(0.95, 0.0), None);
}

/// The rows are printed by `tests/oracles/divergence.py`.
#[test]
fn fractional_and_many_degrees_match_scipy() {
    for (p, degrees, quantile) in [
        (0.975, 1.7, 5.1188389882530565),
        (0.975, 2.5, 3.5746548420036817),
        (0.95, 30.3, 1.6967258075417975),
        (0.975, 200000.0, 1.959975845966768),
        (0.999, 10000000.0, 3.0902331211809115),
    ] {
        assert_close(student_quantile(p, degrees).unwrap(), quantile);
    }
    // Printed to 18 digits by mpmath: the terms of the expansion in 1 / degrees and 1 / degrees^2.
    for (p, degrees, quantile) in [
        (0.9, 100_001.0, 1.281_560_031_364_702_4),
        (0.975, 150_000.0, 1.959_979_799_807_034_3),
        (0.999_999, 100_001.0, 4.753_704_713_581_284),
        (0.54, 100_100.0, 0.100_433_973_875_407_92),
    ] {
        let found = student_quantile(p, degrees).unwrap();
        assert!((found / quantile - 1.0).abs() < 2e-12, "{p} at {degrees}: {found} and {quantile}");
    }
    for (t, degrees, scipy, off) in [
        (0.0, 3.0, 0.5, 1e-9),
        (2.0, 1.7, 0.10274505642633114, 1e-9),
        (5.0, 2.5, 0.011725594985430925, 1e-9),
        (-1.5, 30.3, 0.9280184146077197, 1e-9),
        (12.0, 1000.5, 2.157289242981169e-31, 1e-9),
        (3.0, 200000.0, 0.001350064231388395, 1e-9),
        (5.0, 3000000.0, 2.866676783718304e-07, 1e-9),
        (12.0, 10000000.0, 1.777416025467323e-33, 1e-7),
    ] {
        let above = student_upper_tail(t, degrees).unwrap();
        assert!((above / scipy - 1.0).abs() < off, "{t} at {degrees}: {above} and {scipy}");
    }
    assert_eq!(student_upper_tail(1.0, 0.0), None);
}

#[test]
fn normal_quantiles_match_scipy() {
    for (p, quantile) in [
        (0.5, 0.0),
        (0.8, 0.8416212335729143),
        (0.95, 1.6448536269514722),
        (0.975, 1.959963984540054),
        (0.99, 2.3263478740408408),
        (0.9999, 3.719016485455709),
    ] {
        assert_close(normal_quantile(p), quantile);
    }
}

/// A block of `n` scores.
fn block(n: u64, score: fn(&mut Rng) -> f64, rng: &mut Rng) -> ScoreBlock {
    let mut block = ScoreBlock { n, ..ScoreBlock::default() };
    for _ in 0..n {
        let score = score(rng);
        block.sum += score;
        block.squares += score * score;
    }
    block
}

/// Whether each bound is on the wrong side of the true value.
fn misses(interval: Interval, truth: f64) -> [bool; 2] {
    [interval.lower > truth, interval.upper < truth]
}

/// The shares of streams whose lower bound misses, and whose upper bound misses.
fn shares_that_miss(mut stream: impl FnMut() -> [bool; 2]) -> [f64; 2] {
    let mut missed = [0; 2];
    for _ in 0..STREAMS {
        let [lower, upper] = stream();
        missed[0] += usize::from(lower);
        missed[1] += usize::from(upper);
    }
    missed.map(|missed| missed as f64 / STREAMS as f64)
}

/// A sequence for scores in [0, 1] that is tuned for 300 of them.
fn sequence(guess: f64) -> ConfidenceSequence {
    let tuning = SequenceTuning { range: (0.0, 1.0), mean: guess, observations: 300 };
    ConfidenceSequence::new(1.0 - CONFIDENCE, tuning)
}

#[test]
fn the_sequence_is_valid_at_every_look() {
    let mut rng = Rng::with_seed(1);
    for (name, score, mean) in KINDS {
        // The guess of the mean: correct and far off.
        for guess in [mean, 0.1] {
            let missed = shares_that_miss(|| {
                let mut sequence = sequence(guess);
                let (mut missed, mut sum, mut all) = ([false; 2], 0.0, 0);
                for n in SIZES {
                    let block = block(n, score, &mut rng);
                    sequence.push(block);
                    (sum, all) = (sum + block.sum, all + n);
                    let [lower, upper] = misses(sequence.interval(sum / all as f64), mean);
                    missed = [missed[0] | lower, missed[1] | upper];
                }
                missed
            });
            assert!(
                missed.iter().all(|&share| share <= 1.0 - CONFIDENCE),
                "{name}, guess {guess}: {missed:?}"
            );
        }
    }
}

#[test]
fn the_sequence_of_windows_is_valid_for_dependent_scores() {
    let mut rng = Rng::with_seed(7);
    // All scores of a window are equal: the window is one observation. The sizes exceed the usual one.
    let tuning = SequenceTuning { range: (0.0, 1.0), mean: 0.8, observations: 20 };
    let mut naive = [0; 2];
    let missed = shares_that_miss(|| {
        let mut whole = WindowSequence::new(1.0 - CONFIDENCE, tuning, 50);
        let mut pairs = sequence(0.8);
        let (mut missed, mut missed_by_pairs, mut sum, mut all) = ([false; 2], [false; 2], 0.0, 0);
        for n in SIZES.iter().cycle().take(60) {
            let hits = if rng.f64() < 0.8 { *n as f64 } else { 0.0 };
            let block = ScoreBlock { n: *n, sum: hits, squares: hits };
            whole.push(block);
            pairs.push(block);
            (sum, all) = (sum + hits, all + n);
            let average = sum / all as f64;
            for (missed, interval) in
                [(&mut missed, whole.interval(average)), (&mut missed_by_pairs, pairs.interval(average))]
            {
                let [lower, upper] = misses(interval, 0.8);
                *missed = [missed[0] | lower, missed[1] | upper];
            }
        }
        for (naive, missed) in naive.iter_mut().zip(missed_by_pairs) {
            *naive += usize::from(missed);
        }
        missed
    });
    assert!(missed.iter().all(|&share| share <= 1.0 - CONFIDENCE), "{missed:?}");
    // The dependence matters: a sequence of pairs misses the expected mean of the windows far more often.
    assert!(naive.iter().all(|&missed| missed > STREAMS / 5), "{naive:?}");
}

#[test]
fn the_sequence_is_not_much_wider_than_a_single_look() {
    let mut rng = Rng::with_seed(2);
    for (name, score, mean) in KINDS {
        let mut sequence = sequence(mean);
        let mut all = ScoreBlock::default();
        for n in SIZES {
            let block = block(n, score, &mut rng);
            sequence.push(block);
            all = ScoreBlock { n: all.n + n, sum: all.sum + block.sum, squares: all.squares + block.squares };
        }
        let n = all.n as f64;
        let deviation = (all.squares / n - (all.sum / n).powi(2)).sqrt();
        let once = 2.0 * normal_quantile(CONFIDENCE) * deviation / n.sqrt();
        let Interval { lower, upper } = sequence.interval(all.sum / n);
        let wider = (upper - lower) / once;
        assert!(wider > 1.0 && wider < 2.2, "{name}: {wider}");
    }
}

#[test]
fn wilson_is_invalid_at_repeated_looks() {
    let mut rng = Rng::with_seed(3);
    let (name, score, mean) = KINDS[0];
    let missed = shares_that_miss(|| {
        let (mut hits, mut trials) = (0, 0);
        let mut missed = [false; 2];
        for n in SIZES {
            hits += block(n, score, &mut rng).sum as u64;
            trials += n;
            let [lower, upper] = misses(wilson(hits, trials, CONFIDENCE).unwrap(), mean);
            missed = [missed[0] | lower, missed[1] | upper];
        }
        missed
    });
    assert!(missed.iter().all(|&share| share > 1.0 - CONFIDENCE + 2.0 * ALLOWANCE), "{name}: {missed:?}");
}

#[test]
fn wilson_is_valid_at_a_single_look() {
    let mut rng = Rng::with_seed(4);
    for (name, score, mean) in &KINDS[..2] {
        let trials = SIZES.iter().sum();
        let missed = shares_that_miss(|| {
            let hits = block(trials, *score, &mut rng).sum as u64;
            misses(wilson(hits, trials, CONFIDENCE).unwrap(), *mean)
        });
        assert!(missed.iter().all(|share| (share - 0.05).abs() < ALLOWANCE), "{name}: {missed:?}");
    }
}

#[test]
fn the_jackknife_is_valid_for_correlated_groups() {
    let mut rng = Rng::with_seed(5);
    // Twelve groups of different sizes. Each group has its own mean, so Wilson's assumption of independence
    // is violated.
    let sizes = [40, 60, 50, 45, 70, 55, 40, 65, 50, 60, 45, 55];
    let mut naive = [0; 2];
    let missed = shares_that_miss(|| {
        let groups = sizes.map(|n: u64| {
            let share = 0.5 + 0.4 * rng.f64();
            (n, (0..n).filter(|_| rng.f64() < share).count() as u64)
        });
        let (trials, hits) = groups.iter().fold((0, 0), |(n, k), group| (n + group.0, k + group.1));
        let without = groups.map(|(n, k)| (hits - k) as f64 / (trials - n) as f64);
        for (naive, missed) in naive.iter_mut().zip(misses(wilson(hits, trials, CONFIDENCE).unwrap(), 0.7)) {
            *naive += usize::from(missed);
        }
        misses(jackknife(hits as f64 / trials as f64, &without, 1.0, CONFIDENCE).unwrap(), 0.7)
    });
    assert!(missed.iter().all(|share| (share - 0.05).abs() < ALLOWANCE), "{missed:?}");
    // The groups matter: treated as independent, the same pairs miss far more often.
    assert!(naive.iter().all(|&missed| missed > STREAMS / 10), "{naive:?}");
}

#[test]
fn intervals_are_clamped_to_the_possible_range() {
    let wide = Interval { lower: -3.0, upper: 5.0 };
    assert_eq!(wide.clamped((Some(0.0), Some(1.0))), Interval { lower: 0.0, upper: 1.0 });
    assert_eq!(wide.clamped((Some(0.0), None)), Interval { lower: 0.0, upper: 5.0 });
    assert_eq!(wide.clamped((None, None)), wide);
    assert_eq!(wide.clamped_difference((Some(-1.0), Some(1.0))), Interval { lower: -2.0, upper: 2.0 });
    assert_eq!(wide.clamped_difference((Some(0.0), None)), wide);
}
