//! The threshold's metric over some pairs, with its interval.
//!
//! Always holds: a figure is the metric's own `reduce` of exact sums; an interval is made by one method, selection by what the
//! scores are and by when the study is looked at, never by what it comes to.

use super::{
    CONTAMINATION_LEVEL, ChanceAgreement, Contamination, DISPLAY_CONFIDENCE, Estimate, Facts, IntervalMethod,
};
use crate::scoring::{
    ConfidenceSequence, Interval, JACKKNIFE_GROUPS, ModelSums, Reduce, ScoreBlock, StratumKey, Window,
    jackknife, jackknife_difference, proportion_difference, wilson,
};
use understudy_study::{Counted, Direction, Evidence as Declared};

/// Makes findings.
pub struct Estimator<'f, 'r> {
    facts: &'f Facts<'f>,
    reduce: &'r mut Reduce<'r>,
    /// The confidence of each bound.
    pub confidence: f64,
    /// Whether the study is looked at before an end that was declared.
    early: bool,
}

impl<'f, 'r> Estimator<'f, 'r> {
    /// For a study; `early` is whether it [`is_early`].
    pub fn new(facts: &'f Facts<'f>, early: bool, reduce: &'r mut Reduce<'r>) -> Estimator<'f, 'r> {
        let confidence = match facts.threshold.evidence {
            Declared::Bound(confidence) => confidence,
            Declared::Point => DISPLAY_CONFIDENCE,
        };
        Estimator { facts, reduce, confidence, early }
    }

    /// A model's figure over some windows in a scope.
    pub fn estimate(&mut self, windows: &[Window], scope: u16, model: usize) -> Estimate {
        let sums = self.model_sums(windows, model, |place| place.scope == scope);
        let mut estimate = self.point_estimate(&sums);
        let Some(value) = estimate.value else { return estimate };
        let interval = if self.early {
            self.sequence(windows, scope, model, value).map(|interval| (interval, IntervalMethod::Sequence))
        } else if let Some(hits) = estimate.hits.filter(|_| self.facts.threshold.cluster.is_none()) {
            wilson(hits, estimate.pairs, self.confidence).map(|interval| (interval, IntervalMethod::Wilson))
        } else {
            let without = self.leave_one_out(windows, model, |place| place.scope == scope);
            jackknife(value, &without, self.confidence)
                .map(|interval| (interval.clamped(self.facts.range), IntervalMethod::Jackknife))
        };
        (estimate.interval, estimate.method) = interval.unzip();
        estimate
    }

    /// Whether a model's answers leak: its figure where they existed in time against that where they did not. Before an end
    /// nothing is tested: the test holds once, and each look would be one more chance to accuse a clean study.
    pub fn contamination(&mut self, windows: &[Window], model: usize) -> Option<Contamination> {
        let arm = |blinded: bool| move |place: StratumKey| place.scope == 0 && place.blinded == blinded;
        let [unblinded, blinded] = [false, true].map(|blinded| {
            let sums = self.model_sums(windows, model, arm(blinded));
            self.point_estimate(&sums)
        });
        if blinded.pairs == 0 {
            return None;
        }
        let closer = match self.facts.threshold.direction {
            Direction::AtLeast => 1.0,
            Direction::AtMost => -1.0,
        };
        let counts = |estimate: &Estimate| {
            let hits = estimate.hits?;
            Some((if closer > 0.0 { hits } else { estimate.pairs - hits }, estimate.pairs))
        };
        let independent = self.facts.threshold.cluster.is_none();
        let difference = match (counts(&unblinded), counts(&blinded)) {
            _ if self.early => None,
            (Some(unblinded), Some(blinded)) if independent => {
                proportion_difference(unblinded, blinded, self.confidence, CONTAMINATION_LEVEL)
            }
            _ => {
                let [one, other] =
                    [false, true].map(|blinded| self.leave_one_out(windows, model, arm(blinded)));
                // Both arms have to be cut into the same groups; with few pairs they are not, and nothing can be told.
                match (unblinded.value, blinded.value) {
                    (Some(unblinded), Some(blinded))
                        if one.len() == JACKKNIFE_GROUPS as usize && other.len() == one.len() =>
                    {
                        let without: Vec<f64> =
                            one.iter().zip(&other).map(|(one, other)| closer * (one - other)).collect();
                        let difference = closer * (unblinded - blinded);
                        jackknife_difference(difference, &without, self.confidence, CONTAMINATION_LEVEL)
                    }
                    _ => None,
                }
            }
        };
        Some(Contamination { unblinded, blinded, tested: !self.early, difference })
    }

    /// What agreement of labels is worth beyond chance; `None` if that cannot be told.
    pub fn chance(&self, windows: &[Window], scope: u16, model: usize) -> Option<ChanceAgreement> {
        let labels = self.facts.evidence.labels(windows, scope);
        let pairs: u64 = labels.counts.values().map(|counts| counts[0]).sum();
        if labels.other > 0 || pairs == 0 {
            return None;
        }
        let n = pairs as f64;
        let agreement = labels.same[model] as f64 / n;
        let majority_share = labels.counts.values().map(|counts| counts[0]).max().unwrap_or(0) as f64 / n;
        // J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960. Pairs
        // without an answer are a category of the model's alone.
        let products = labels.counts.values().map(|counts| counts[0] as f64 * counts[model + 1] as f64);
        let expected = products.sum::<f64>() / (n * n);
        let kappa = (expected < 1.0).then(|| (agreement - expected) / (1.0 - expected));
        Some(ChanceAgreement { agreement, majority_share, kappa })
    }

    fn model_sums(
        &self,
        windows: &[Window],
        model: usize,
        in_stratum: impl Fn(StratumKey) -> bool,
    ) -> ModelSums {
        self.facts.evidence.sums(windows, in_stratum).models.get(model).cloned().unwrap_or_default()
    }

    fn point_estimate(&mut self, sums: &ModelSums) -> Estimate {
        let (pairs, values) = rounded(sums);
        let value = (pairs > 0).then(|| (self.reduce)(pairs, &values)).flatten();
        // All scores are 0 or 1 exactly when they are their own squares within 0 and 1.
        let share = self.facts.range == (Some(0.0), Some(1.0))
            && value.is_some_and(|value| is_mean(&values, pairs, value))
            && sums.squares == sums.components[0];
        Estimate { pairs, hits: share.then(|| values[0] as u64), value, interval: None, method: None }
    }

    /// The figures with each group left out that has pairs.
    fn leave_one_out(
        &mut self,
        windows: &[Window],
        model: usize,
        in_stratum: impl Fn(StratumKey) -> bool,
    ) -> Vec<f64> {
        let groups = (0..JACKKNIFE_GROUPS as u8).filter(|group| {
            let own = |place: StratumKey| in_stratum(place) && place.group == *group;
            self.facts.evidence.sums(windows, own).pairs > 0
        });
        let sums: Vec<ModelSums> = groups
            .map(|group| self.model_sums(windows, model, |place| in_stratum(place) && place.group != group))
            .collect();
        sums.iter().filter_map(|sums| self.point_estimate(sums).value).collect()
    }

    /// An interval that holds whenever one looks, of a mean of scores in a known range.
    fn sequence(&self, windows: &[Window], scope: u16, model: usize, value: f64) -> Option<Interval> {
        let (Some(least), Some(greatest)) = self.facts.range else { return None };
        let width = greatest - least;
        let whole = self.model_sums(windows, model, |place| place.scope == scope);
        let (pairs, values) = rounded(&whole);
        if !is_mean(&values, pairs, value) || width <= 0.0 {
            return None;
        }
        // What a window holds is not known in advance; what it has to hold is.
        let mut sequence = ConfidenceSequence::new(self.confidence, self.facts.threshold.least_per_window);
        for window in windows {
            let sums = self.model_sums(&[*window], model, |place| place.scope == scope);
            let (n, values) = rounded(&sums);
            if n > 0 {
                let (count, sum, squares) = (n as f64, values[0], sums.squares.value());
                sequence.push(ScoreBlock {
                    n,
                    sum: (sum - count * least) / width,
                    squares: (squares - 2.0 * least * sum + count * least * least) / (width * width),
                });
            }
        }
        let Interval { lower, upper } = sequence.interval();
        Some(Interval { lower: least + lower * width, upper: least + upper * width })
    }
}

/// Whether the study is looked at before an end that was declared. The first so many windows are one as soon as all of them
/// are `there`: from then on they are the same, whenever one looks.
pub fn is_early(facts: &Facts<'_>, there: &[Window]) -> bool {
    let ended = matches!(facts.threshold.windows, Counted::First(asked) if there.len() as u64 >= asked);
    !facts.closed && !ended
}

/// How many pairs were scored, and the sums of the metric's own components.
fn rounded(sums: &ModelSums) -> (u64, Vec<f64>) {
    let mut values: Vec<f64> =
        sums.components.iter().map(|sum| sum.value().clamp(f64::MIN, f64::MAX)).collect();
    let pairs = values.pop().unwrap_or(0.0) as u64;
    (pairs, values)
}

/// Whether the figure is the mean of the only component.
fn is_mean(values: &[f64], pairs: u64, value: f64) -> bool {
    matches!(values, [sum] if sum / pairs as f64 == value)
}
