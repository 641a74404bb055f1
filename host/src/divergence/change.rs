//! Change points: from which window on a figure was another.
//!
//! Always holds: the same series, level and seed give the same changes, on every machine; every segment between changes has
//! at least [`LEAST_WINDOWS`] windows.

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

/// The changes in a series of windows, each a figure and its weight, which is above zero (its scored pairs, say), in the
/// order of the windows.
///
/// Weighted binary segmentation: the series is split where the means of the two sides are furthest apart, then each of the
/// sides, as long as the split has a p-value of `level` or less (L. Yu. Vostrikova, "Detecting disorder in multidimensional
/// random processes", Soviet Mathematics Doklady 24 (1981)). How far is the CUSUM statistic, sqrt(V W / (V + W)) times the
/// difference of the means, for sides of the weights V and W; with equal weights it takes away the most squares. The
/// p-value is that of the greatest of it over all splits, among [`PERMUTATIONS`] orders of the segment's windows (figure and
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
    let mut as_great = 1;
    for _ in 0..PERMUTATIONS {
        random.shuffle(&mut centred);
        let other = furthest(&centred).map_or(0.0, |(_, other)| other);
        as_great += u32::from(other >= seen * (1.0 - ROUNDING));
    }
    let p_value = f64::from(as_great) / f64::from(PERMUTATIONS + 1);
    if p_value <= level {
        let (before, after) = segment.split_at(at);
        split(before, start, level, seed, splits);
        splits.push((start + at, p_value));
        split(after, start + at, level, seed, splits);
    }
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
}
