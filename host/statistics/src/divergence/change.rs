//! Change points: from which window on a figure was another.
//!
//! Always holds: the same series, level and seed give the same changes, on every machine; every segment between changes has
//! at least [`LEAST_WINDOWS`] windows. Few windows can tell of no change, whatever their figures are: see [`least_windows`].

/// The fewest windows of a segment: two would be told apart by a single one.
pub const LEAST_WINDOWS: usize = 3;

/// How many permutations a p-value is made of: with the order that was seen they are 10,000.
const PERMUTATIONS: u32 = 9_999;

/// Two statistics that differ by less than this share are the same, and figures that do have no change: what rounding of
/// sums alone makes is none.
const ROUNDING: f64 = 1e-9;

/// From a window on, a figure was another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The index of the first window after it.
    pub at: usize,
    /// The weighted mean of the windows before it, back to the change before.
    pub before: f64,
    /// The weighted mean of the windows from it on, up to the next change.
    pub after: f64,
    /// How likely so great a change or a greater one would be in these windows in any other order, in (0, 1].
    pub p_value: f64,
}

/// The fewest windows in which a change can be told at a level.
///
/// A split of n windows is no greater than in an order that only shuffles each of its sides, or turns the whole round; so of the
/// ways to choose which windows are on one side, at least two are as great. There are most of them in the middle, so no p-value is
/// below 2 over the binomial coefficient of n and n / 2: ten windows for the level 0.01.
pub fn least_windows(level: f64) -> usize {
    let mut windows = 2 * LEAST_WINDOWS;
    // As many as a float tells apart, so that a level of zero ends too.
    while windows < 1000 && 2.0 / middle_binomial(windows) > level {
        windows += 1;
    }
    windows
}

/// The binomial coefficient of n and n / 2.
fn middle_binomial(n: usize) -> f64 {
    (1..=n / 2).fold(1.0, |product, at| product * (n - n / 2 + at) as f64 / at as f64)
}

/// The changes in a series of windows, each a figure and its weight, which is above zero (its scored pairs, say), in the
/// order of the windows.
///
/// Weighted binary segmentation: the series is split where the means of the two sides are furthest apart, then each of the
/// sides, as long as the split has a p-value of `level` or less (L. Yu. Vostrikova, "Detecting disorder in multidimensional
/// random processes", Soviet Mathematics Doklady 24 (1981)). How far is the CUSUM statistic, sqrt(V W / (V + W)) times the
/// difference of the means, for sides of the weights V and W; with equal weights it takes away the most squares. The
/// p-value is that of the greatest of it over all splits, among 9,999 orders of the segment's windows (figure and
/// weight together) drawn with the `seed`: B. Phipson, G. K. Smyth, "Permutation p-values should never be zero",
/// Statistical Applications in Genetics and Molecular Biology 9 (2010). It takes the windows as exchangeable where nothing
/// changes, so a season is a change too.
pub fn changes(series: &[(f64, f64)], level: f64, seed: u64) -> Vec<Change> {
    let mut splits = Vec::new();
    split(series, 0, level, seed, &mut splits);
    splits.sort_by_key(|(at, _)| *at);
    let ends = splits.iter().map(|(at, _)| *at).skip(1).chain([series.len()]);
    let starts = [0].into_iter().chain(splits.iter().map(|(at, _)| *at));
    let of = |((start, &(at, p_value)), end)| Change {
        at,
        before: mean(&series[start..at]),
        after: mean(&series[at..end]),
        p_value,
    };
    starts.zip(&splits).zip(ends).map(of).collect()
}

/// Adds the splits of a segment that begins at `start`: where, and the p-value.
fn split(segment: &[(f64, f64)], start: usize, level: f64, seed: u64, splits: &mut Vec<(usize, f64)>) {
    let mut centred = segment.to_vec();
    let middle = mean(segment);
    centred.iter_mut().for_each(|(figure, _)| *figure -= middle);
    let Some((at, seen)) = furthest(&centred) else { return };
    let weight: f64 = segment.iter().map(|(_, weight)| weight).sum();
    if seen <= weight * (middle * ROUNDING).powi(2) {
        return;
    }
    // A generator for each segment, so that no split depends on what other segments drew.
    let mut random = SplitMix(seed ^ ((start as u64) << 32 | segment.len() as u64));
    let p_value = |as_great: u32| f64::from(as_great) / f64::from(PERMUTATIONS + 1);
    let mut as_great = 1;
    for _ in 0..PERMUTATIONS {
        random.shuffle(&mut centred);
        let other = furthest(&centred).map_or(0.0, |(_, other)| other);
        as_great += u32::from(other >= seen * (1.0 - ROUNDING));
        // It only grows, so the rest of the orders need not be drawn.
        if p_value(as_great) > level {
            return;
        }
    }
    let (before, after) = segment.split_at(at);
    split(before, start, level, seed, splits);
    splits.push((start + at, p_value(as_great)));
    split(after, start + at, level, seed, splits);
}

/// The split of a segment with the greatest CUSUM statistic, the first of equal ones, and the square of that. Figures are
/// less their mean: then the statistic is that of the sum before the split alone. `None` where it is too short, or
/// where a figure or a weight is none.
fn furthest(centred: &[(f64, f64)]) -> Option<(usize, f64)> {
    let all: f64 = centred.iter().map(|(_, weight)| weight).sum();
    let (mut weight, mut sum) = (0.0, 0.0);
    let mut greatest = None;
    let last = centred.len().checked_sub(LEAST_WINDOWS)?;
    for (at, &(figure, more)) in (1..=last).zip(centred) {
        weight += more;
        sum += more * figure;
        let square = sum * sum * all / (weight * (all - weight));
        if at >= LEAST_WINDOWS && greatest.is_none_or(|(_, most)| square > most) {
            greatest = Some((at, square));
        }
    }
    greatest.filter(|(_, square)| square.is_finite())
}

/// The weighted mean.
fn mean(segment: &[(f64, f64)]) -> f64 {
    let weight: f64 = segment.iter().map(|(_, weight)| weight).sum();
    segment.iter().map(|(figure, weight)| figure * weight).sum::<f64>() / weight
}

/// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. It is here
/// and not of a library so that a p-value stays what it was when libraries change theirs.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// All orders alike, but for a part in 2^64 over the number of items: R. Durstenfeld, Algorithm 235 (1964).
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (u128::from(self.next()) * (last as u128 + 1)) >> 64;
            items.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Against numpy and ruptures: `tests/oracles/divergence.py` prints the rows.

    use super::*;

    /// The series of `divergence.py`: so many windows, and by how much the figure changes from which on.
    fn series(count: usize, steps: &[(usize, f64)], wide: bool) -> Vec<(f64, f64)> {
        let window = |at: usize| {
            let noise = (((12 * at * at + 5 * at) % 31) as f64 - 15.0) / 31.0 * 0.1;
            let by: f64 = steps.iter().filter(|(first, _)| at >= *first).map(|(_, by)| by).sum();
            (0.9 + noise + by, if wide { 50.0 + (23 * at % 41) as f64 } else { 1.0 })
        };
        (0..count).map(window).collect()
    }

    #[test]
    fn changes_are_those_of_numpy_and_ruptures() {
        // Windows, steps, whether weights differ; where a change is, the means before and after, the p-value.
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
        for (count, steps, wide, told) in rows {
            let found = changes(&series(count, steps, wide), 0.2, 1);
            assert_eq!(found.len(), told.len(), "{found:?} and {told:?}");
            for (change, &(at, before, after, p_value)) in found.iter().zip(told) {
                assert_eq!(change.at, at);
                assert!((change.before - before).abs() < 1e-12, "{change:?}");
                assert!((change.after - after).abs() < 1e-12, "{change:?}");
                // Four deviations of the p-value from the 2,000 orders of numpy.
                let off = 4.0 * (p_value * (1.0 - p_value) / 2_000.0_f64).sqrt();
                assert!((change.p_value - p_value).abs() < off, "{change:?} and {p_value}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_p_value() {
        let series = series(24, &[(12, -0.03)], true);
        assert_eq!(changes(&series, 0.2, 5), changes(&series, 0.2, 5));
        assert_ne!(changes(&series, 0.2, 5)[0].p_value, changes(&series, 0.2, 6)[0].p_value);
    }

    #[test]
    fn where_nothing_changes_there_is_a_change_as_often_as_the_level_says() {
        let mut random = SplitMix(7);
        let mut draw = || (random.next() as f64, 1.0 + (random.next() % 100) as f64);
        let found = (0..300).filter(|_| {
            let series: Vec<_> = (0..12).map(|_| draw()).collect();
            !changes(&series, 0.1, 3).is_empty()
        });
        // 30 are expected, with a deviation of 5.
        let count = found.count();
        assert!((12..=48).contains(&count), "{count}");
    }

    #[test]
    fn what_is_short_or_constant_has_no_change() {
        assert_eq!(changes(&[], 1.0, 1), []);
        assert_eq!(changes(&[(0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.9, 1.0), (0.9, 1.0)], 1.0, 1), []);
        let constant: Vec<_> = (1..60).map(|at| (0.1, f64::from(at * at % 17 + 1))).collect();
        assert_eq!(changes(&constant, 1.0, 1), []);
        assert_eq!(changes(&[(f64::NAN, 1.0); 9], 1.0, 1), []);
        // Six windows can be split in one place only, and twenty orders put the three low ones first or last in two.
        let six = [(0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.9, 1.0), (0.9, 1.0), (0.9, 1.0)];
        let found = changes(&six, 0.2, 1);
        assert_eq!(found.iter().map(|change| change.at).collect::<Vec<_>>(), [3]);
        assert!((found[0].p_value - 0.1).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn so_many_windows_are_needed_and_are_enough() {
        assert_eq!([0.2, 0.1, 0.05, 0.01, 0.001].map(least_windows), [6, 6, 8, 10, 14]);
        for (level, windows) in [(0.05, 8), (0.01, 10)] {
            let step = |windows: usize| -> Vec<(f64, f64)> {
                (0..windows).map(|at| (f64::from(u8::from(at >= windows / 2)), 1.0)).collect()
            };
            assert_eq!(changes(&step(windows - 1), level, 1), [], "{windows} at {level}");
            // One more, so that what is drawn of the orders does not matter.
            assert_eq!(changes(&step(windows + 1), level, 1).len(), 1, "{windows} at {level}");
        }
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of the reference implementation, S. Vigna's splitmix64.c, for the seed 1234567.
        let mut random = SplitMix(1_234_567);
        let drawn = [(); 3].map(|()| random.next());
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
