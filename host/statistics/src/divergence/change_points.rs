//! Change points: the windows from which on a metric has another value.
//!
//! Invariants:
//! - The same series, level and seed give the same change points, on every machine.
//! - Every segment between change points has at least [`MIN_SEGMENT_WINDOWS`] windows.
//!
//! Few windows cannot show a change, whatever their values: see [`min_windows`].

use crate::hash::SplitMix64;

/// The minimum number of windows in a segment: with two, a single window could make a change.
pub const MIN_SEGMENT_WINDOWS: usize = 3;

/// The number of random permutations of a p-value; together with the observed order they are 10,000.
const PERMUTATIONS: u32 = 9_999;

/// Statistics that differ by less than this fraction are equal, and a series whose values do has no change:
/// rounding of sums is not a change.
const ROUNDING: f64 = 1e-9;

/// A change of the metric between two windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectedChange {
    /// The index of the first window after the change.
    pub window: usize,
    /// The weighted mean of the windows before the change, back to the previous change.
    pub before: f64,
    /// The weighted mean of the windows after the change, up to the next change.
    pub after: f64,
    /// The p-value, in (0, 1]: the probability of a change at least as great in a random order of these
    /// windows.
    pub p_value: f64,
}

/// The minimum number of windows in which a change can be significant at a level.
///
/// A split of n windows is no greater than in an order that only shuffles each side, or reverses the whole.
/// So of the ways to choose the windows of one side, at least two give a statistic as great. The number of
/// ways is greatest in the middle, so no p-value is below 2 divided by the binomial coefficient of n and n /
/// 2: ten windows for the level 0.01.
pub fn min_windows(level: f64) -> usize {
    let mut windows = 2 * MIN_SEGMENT_WINDOWS;
    // A float distinguishes no more; this ends the loop for a level of 0.
    while windows < 1000 && 2.0 / middle_binomial(windows) > level {
        windows += 1;
    }
    windows
}

/// The binomial coefficient of n and n / 2.
fn middle_binomial(n: usize) -> f64 {
    (1..=n / 2).fold(1.0, |product, at| product * (n - n / 2 + at) as f64 / at as f64)
}

/// The change points of a series of windows, in their order. Each window is a value and its weight, which is
/// above zero (for instance its scored pairs).
///
/// Weighted binary segmentation: the series is split where the means of the two sides differ most, then each
/// side is split, as long as the p-value of the split is at most `level` (L. Yu. Vostrikova, "Detecting
/// disorder in multidimensional random processes", Soviet Mathematics Doklady 24 (1981)). The measure is the
/// CUSUM statistic, sqrt(V W / (V + W)) times the difference of the means, for sides with the weights V and
/// W; with equal weights it removes the greatest sum of squares. The p-value is that of the maximum over all
/// splits, among 9,999 orders of the segment's windows (value and weight together) drawn with the `seed`: B.
/// Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications in Genetics
/// and Molecular Biology 9 (2010). The windows are treated as exchangeable where nothing changes, so a season
/// is a change, too.
pub fn find_change_points(series: &[(f64, f64)], level: f64, seed: u64) -> Vec<DetectedChange> {
    let mut splits = Vec::new();
    split(series, 0, level, seed, &mut splits);
    splits.sort_by_key(|(at, _)| *at);
    let ends = splits.iter().map(|(at, _)| *at).skip(1).chain([series.len()]);
    let starts = [0].into_iter().chain(splits.iter().map(|(at, _)| *at));
    let change_point = |((start, &(at, p_value)), end)| DetectedChange {
        window: at,
        before: mean(&series[start..at]),
        after: mean(&series[at..end]),
        p_value,
    };
    starts.zip(&splits).zip(ends).map(change_point).collect()
}

/// Appends the splits of a segment that begins at `start`: the index and the p-value.
fn split(segment: &[(f64, f64)], start: usize, level: f64, seed: u64, splits: &mut Vec<(usize, f64)>) {
    let mut centred = segment.to_vec();
    let middle = mean(segment);
    centred.iter_mut().for_each(|(figure, _)| *figure -= middle);
    let Some((at, seen)) = furthest(&centred) else { return };
    let weight: f64 = segment.iter().map(|(_, weight)| weight).sum();
    if seen <= weight * (middle * ROUNDING).powi(2) {
        return;
    }
    // Each segment has its own generator, so that no split depends on the draws of other segments.
    let mut random = SplitMix64::new(seed ^ ((start as u64) << 32 | segment.len() as u64));
    let p_value = |as_great: u32| f64::from(as_great) / f64::from(PERMUTATIONS + 1);
    let mut as_great = 1;
    for _ in 0..PERMUTATIONS {
        random.shuffle(&mut centred);
        let other = furthest(&centred).map_or(0.0, |(_, other)| other);
        as_great += u32::from(other >= seen * (1.0 - ROUNDING));
        // The p-value can only grow, so the remaining orders are not drawn.
        if p_value(as_great) > level {
            return;
        }
    }
    let (before, after) = segment.split_at(at);
    split(before, start, level, seed, splits);
    splits.push((start + at, p_value(as_great)));
    split(after, start + at, level, seed, splits);
}

/// The split of a segment with the greatest CUSUM statistic, the first of equal ones, and the square of the
/// statistic. The values are centered on their mean, so the statistic follows from the sum before the split
/// alone. `None` if the segment is too short, or if a value or a weight is not finite.
fn furthest(centred: &[(f64, f64)]) -> Option<(usize, f64)> {
    let all: f64 = centred.iter().map(|(_, weight)| weight).sum();
    let (mut weight, mut sum) = (0.0, 0.0);
    let mut greatest = None;
    let last = centred.len().checked_sub(MIN_SEGMENT_WINDOWS)?;
    for (at, &(figure, more)) in (1..=last).zip(centred) {
        weight += more;
        sum += more * figure;
        let square = sum * sum * all / (weight * (all - weight));
        if at >= MIN_SEGMENT_WINDOWS && greatest.is_none_or(|(_, most)| square > most) {
            greatest = Some((at, square));
        }
    }
    greatest.filter(|(_, square)| square.is_finite())
}

/// The weighted mean of a segment.
fn mean(segment: &[(f64, f64)]) -> f64 {
    let weight: f64 = segment.iter().map(|(_, weight)| weight).sum();
    segment.iter().map(|(figure, weight)| figure * weight).sum::<f64>() / weight
}

#[cfg(test)]
mod tests {
    //! Checked against numpy and ruptures: `tests/oracles/divergence.py` prints the rows.

    use super::*;

    /// The series of `divergence.py`: a number of windows, and steps as the first window and the change of
    /// the value.
    fn series(count: usize, steps: &[(usize, f64)], wide: bool) -> Vec<(f64, f64)> {
        let window = |at: usize| {
            let noise = (((12 * at * at + 5 * at) % 31) as f64 - 15.0) / 31.0 * 0.1;
            let by: f64 = steps.iter().filter(|(first, _)| at >= *first).map(|(_, by)| by).sum();
            (0.9 + noise + by, if wide { 50.0 + (23 * at % 41) as f64 } else { 1.0 })
        };
        (0..count).map(window).collect()
    }

    #[test]
    fn change_points_match_numpy_and_ruptures() {
        // Windows, steps, whether weights differ; each change point, the means before and after, the p-value.
        type Row<'r> = (usize, &'r [(usize, f64)], bool, &'r [(usize, f64, f64, f64)]);
        let rows: [Row<'_>; 7] = [
            (40, &[], true, &[]),
            (40, &[(22, -0.06)], true, &[(20, 0.9049556538452633, 0.8462560956065844, 0.0005)]),
            (
                60,
                &[(20, -0.12), (45, 0.2)],
                true,
                &[
                    (20, 0.9049556538452633, 0.7823081361800346, 0.0005),
                    (45, 0.7823081361800346, 0.986299452221546, 0.0005),
                ],
            ),
            (
                60,
                &[(20, -0.12), (45, 0.2)],
                false,
                &[
                    (20, 0.905483870967742, 0.7833548387096775, 0.0005),
                    (45, 0.7833548387096775, 0.9838709677419355, 0.0005),
                ],
            ),
            (30, &[(4, -0.1)], true, &[(4, 0.9154485887096774, 0.8015002926102609, 0.0005)]),
            (24, &[(12, -0.03)], true, &[(7, 0.9189863737486096, 0.8744136218329768, 0.0275)]),
            (24, &[(12, -0.03)], false, &[(7, 0.9175115207373273, 0.875787476280835, 0.0525)]),
        ];
        for (count, steps, wide, expected) in rows {
            let found = find_change_points(&series(count, steps, wide), 0.2, 1);
            assert_eq!(found.len(), expected.len(), "{found:?} and {expected:?}");
            for (change, &(at, before, after, p_value)) in found.iter().zip(expected) {
                assert_eq!(change.window, at);
                assert!((change.before - before).abs() < 1e-12, "{change:?}");
                assert!((change.after - after).abs() < 1e-12, "{change:?}");
                // Four standard deviations of the p-value from numpy's 2,000 orders.
                let off = 4.0 * (p_value * (1.0 - p_value) / 2_000.0_f64).sqrt();
                assert!((change.p_value - p_value).abs() < off, "{change:?} and {p_value}");
            }
        }
    }

    #[test]
    fn p_values_match_an_independent_generator() {
        let series = series(44, &[(12, -0.03), (32, 0.03)], true);
        let expected = [(7, 0.0202), (28, 0.0391), (32, 0.1947), (38, 0.2015)];
        // A p-value equal to the level is significant.
        for level in [0.4, 0.2015, 0.201_55] {
            let found = find_change_points(&series, level, 9);
            assert_eq!(
                found.iter().map(|change| (change.window, change.p_value)).collect::<Vec<_>>(),
                expected
            );
        }
    }

    #[test]
    fn the_unit_of_the_weights_changes_nothing() {
        let series = series(40, &[(22, -0.06)], true);
        // A power of two scales every weight without rounding.
        let heavy: Vec<_> =
            series.iter().map(|(figure, weight)| (*figure, weight * f64::from(1 << 30))).collect();
        let found = find_change_points(&heavy, 0.2, 1);
        assert_eq!(found.len(), 1);
        assert_eq!(found, find_change_points(&series, 0.2, 1));
    }

    #[test]
    fn the_first_of_equal_splits_counts() {
        let series = [1.0, 1.0, 1.0, -2.0, -2.0, -2.0, 1.0, 1.0, 1.0].map(|value| (value, 1.0));
        assert_eq!(furthest(&series).map(|(at, _)| at), Some(3));
    }

    #[test]
    fn the_same_seed_gives_the_same_p_value() {
        let series = series(24, &[(12, -0.03)], true);
        assert_eq!(find_change_points(&series, 0.2, 5), find_change_points(&series, 0.2, 5));
        assert_ne!(
            find_change_points(&series, 0.2, 5)[0].p_value,
            find_change_points(&series, 0.2, 6)[0].p_value
        );
    }

    #[test]
    fn false_change_points_are_as_frequent_as_the_level() {
        let mut random = SplitMix64::new(7);
        let mut draw = || (random.next_u64() as f64, 1.0 + (random.next_u64() % 100) as f64);
        let found = (0..300).filter(|_| {
            let series: Vec<_> = (0..12).map(|_| draw()).collect();
            !find_change_points(&series, 0.1, 3).is_empty()
        });
        // 30 are expected, with a standard deviation of 5.
        let count = found.count();
        assert!((12..=48).contains(&count), "{count}");
    }

    #[test]
    fn short_or_constant_series_have_no_change_point() {
        assert_eq!(find_change_points(&[], 1.0, 1), []);
        assert_eq!(
            find_change_points(&[(0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.9, 1.0), (0.9, 1.0)], 1.0, 1),
            []
        );
        let constant: Vec<_> = (1..60).map(|at| (0.1, f64::from(at * at % 17 + 1))).collect();
        assert_eq!(find_change_points(&constant, 1.0, 1), []);
        assert_eq!(find_change_points(&[(f64::NAN, 1.0); 9], 1.0, 1), []);
        // Six windows can be split at one place only, and two of twenty orders put the three low values on
        // one side.
        let six = [(0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.9, 1.0), (0.9, 1.0), (0.9, 1.0)];
        let found = find_change_points(&six, 0.2, 1);
        assert_eq!(found.iter().map(|change| change.window).collect::<Vec<_>>(), [3]);
        assert!((found[0].p_value - 0.1).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn the_minimum_of_windows_is_necessary_and_sufficient() {
        assert_eq!([0.2, 0.1, 0.05, 0.01, 0.001].map(min_windows), [6, 6, 8, 10, 14]);
        assert_eq!(min_windows(0.0), 1000);
        for (level, windows) in [(0.05, 8), (0.01, 10)] {
            let step = |windows: usize| -> Vec<(f64, f64)> {
                (0..windows).map(|at| (f64::from(u8::from(at >= windows / 2)), 1.0)).collect()
            };
            assert_eq!(find_change_points(&step(windows - 1), level, 1), [], "{windows} at {level}");
            // With one more window, the draw of the orders does not matter.
            assert_eq!(find_change_points(&step(windows + 1), level, 1).len(), 1, "{windows} at {level}");
        }
    }
}
