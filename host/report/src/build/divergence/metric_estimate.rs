//! What the searched metric's sums of one model are, and how far a figure over some of them may be from the truth.
//!
//! Always holds: a figure is the metric's own `reduce`; pairs that it leaves out are no evidence for it; where nothing is known
//! of a figure's spread there are no bounds, rather than bounds of no width.

use understudy_statistics::divergence::{SumsLayout, Reduce, delta_estimate};
use understudy_statistics::scoring::{ScoreBlock, Interval, SliceTotals, ModelMoments, ConfidenceSequence, student_quantile, wilson};

/// Of intervals: each bound holds at 0.975, both together at 0.95.
pub const CONFIDENCE: f64 = 0.95;
/// The confidence of one bound by itself.
pub const SIDE: f64 = 1.0 - (1.0 - CONFIDENCE) / 2.0;
/// The pairs that a window is taken to have, beforehand, where a figure is looked at before the end: as many as a threshold
/// asks of it unless it says otherwise. Any number is sound; a good guess gives narrower bounds.
const BLOCK: u64 = 100;

/// The least and the greatest figure there can be.
pub type Range = (Option<f64>, Option<f64>);

/// What the sums of one model are.
pub struct Measured {
    model: usize,
    range: Range,
    /// Whether figures do not change with how many pairs there are of which each component is zero, as where the metric divides
    /// by a component of its own: then these are left out of it, and no evidence.
    leaves_out: bool,
    /// Which sums there are.
    pub layout: SumsLayout,
    /// Whether every score is 0 or 1 and the figure their mean: then it is a share, and told by its counts.
    pub shares: bool,
}

impl Measured {
    /// Of a metric with so many components, over parts that are all pairs together.
    pub fn of(
        model: usize,
        components: usize,
        range: Range,
        parts: &[&SliceTotals],
        reduce: &mut Reduce<'_>,
    ) -> Measured {
        let parts = || parts.iter().filter_map(|part| part.models.get(model));
        let mut whole = ModelMoments::default();
        parts().for_each(|sums| whole.merge(sums));
        let moments = whole.moments.iter().map(|(at, _)| *at).collect();
        let shares = components == 1
            && range == (Some(0.0), Some(1.0))
            && is_mean(&whole.rounded(1, &[]), reduce)
            && parts().all(are_shares);
        Measured {
            model,
            range,
            // Of a share every pair is evidence, also where none agrees.
            leaves_out: !shares
                && leaves_out(&whole, components, reduce)
                && parts().all(|sums| sums.all_zero == 0 || leaves_out(sums, components, reduce)),
            shares,
            layout: SumsLayout { components, moments },
        }
    }

    /// The sums of a part as [`SumsLayout`] has them: of the pairs that are evidence.
    pub fn sums(&self, part: &SliceTotals) -> Vec<f64> {
        match part.models.get(self.model) {
            Some(sums) => self.rounded(sums, &self.layout.moments),
            None => vec![0.0; self.layout.width()],
        }
    }

    fn rounded(&self, sums: &ModelMoments, moments: &[(u16, u16)]) -> Vec<f64> {
        let mut rounded = sums.rounded(self.layout.components, moments);
        if self.leaves_out {
            rounded[0] -= sums.all_zero as f64;
        }
        rounded
    }

    /// The figure of some sums, of which the products may be missing, and of how many pairs it is.
    pub fn figure(&self, sums: &ModelMoments, reduce: &mut Reduce<'_>) -> Option<(f64, f64)> {
        let rounded = self.rounded(sums, &[]);
        let (pairs, components) = rounded.split_first()?;
        let figure = if *pairs > 0.0 { reduce(*pairs as u64, components) } else { None };
        Some((figure.filter(|figure| figure.is_finite())?, *pairs))
    }

    /// The bounds of a figure: Wilson's where it is a share, else its standard error by the delta method times the quantile of
    /// Student's t with one degree of freedom less than there are pairs.
    pub fn bounds(&self, part: &SliceTotals, reduce: &mut Reduce<'_>) -> Option<Interval> {
        let sums = self.sums(part);
        let pairs = sums[0];
        if self.shares {
            return wilson(sums[1] as u64, pairs as u64, SIDE);
        }
        let found = delta_estimate(&sums, &self.layout, reduce)?;
        let error = found.error.filter(|error| *error > 0.0)?;
        let reach = student_quantile(SIDE, pairs - 1.0)? * error;
        let bounds = Interval { lower: found.figure - reach, upper: found.figure + reach };
        Some(bounds.clamped(self.range))
    }

    /// Bounds that hold whenever one looks, of a mean of scores in a known range: a confidence sequence over windows, in order.
    /// `None` where no window has a pair.
    pub fn whenever(
        &self,
        windows: impl IntoIterator<Item = SliceTotals>,
        reduce: &mut Reduce<'_>,
    ) -> Option<Interval> {
        let (Some(least), Some(greatest)) = self.range else { return None };
        let width = greatest - least;
        if self.layout.components != 1 || width <= 0.0 {
            return None;
        }
        let mut sequence = ConfidenceSequence::new(SIDE, BLOCK);
        let mut is_empty = true;
        for part in windows {
            let Some(sums) = part.models.get(self.model) else { continue };
            let [n, sum, squares] = sums.rounded(1, &[(0, 0)])[..] else { return None };
            if n == 0.0 {
                continue;
            }
            is_empty = false;
            // Only of a mean is it known how far one pair can move it.
            if !is_mean(&[n, sum], reduce) {
                return None;
            }
            sequence.push(ScoreBlock {
                n: n as u64,
                sum: (sum - n * least) / width,
                squares: (squares - 2.0 * least * sum + n * least * least) / (width * width),
            });
        }
        let Interval { lower, upper } = sequence.interval();
        (!is_empty).then_some(Interval { lower: least + lower * width, upper: least + upper * width })
    }
}

/// Whether the figure is the mean of the only component, at the pairs and at twice as many: one less the mean is the mean too where
/// that is a half.
fn is_mean(sums: &[f64], reduce: &mut Reduce<'_>) -> bool {
    let &[pairs, sum] = sums else { return false };
    [pairs, 2.0 * pairs].iter().all(|pairs| reduce(*pairs as u64, &[sum]) == Some(sum / pairs))
}

/// Whether every score is 0 or 1: it is its own square then.
fn are_shares(sums: &ModelMoments) -> bool {
    match &sums.moments[..] {
        [] => sums.components.first().is_none_or(|sum| sum.value() == 0.0),
        [(_, squares)] => sums.components.first() == Some(squares),
        _ => false,
    }
}

/// Whether a figure is the same without the pairs of which each component is zero.
fn leaves_out(sums: &ModelMoments, components: usize, reduce: &mut Reduce<'_>) -> bool {
    let rounded = sums.rounded(components, &[]);
    let (scored, blank) = (rounded[0] as u64, sums.all_zero);
    if blank == scored {
        // Nothing is left; what the figure of nothing is, is no matter.
        return blank > 0;
    }
    blank > 0 && reduce(scored, &rounded[1..]) == reduce(scored - blank, &rounded[1..])
}

#[cfg(test)]
mod tests;
