//! Plans a study before it begins: the expected number of comparisons, the smallest margin that can be
//! detected, and the probability of GO for given true values.
//!
//! Invariants:
//! - A probability is that of the metric alone; guards such as coverage can only lower it.
//! - Unknown numbers are `None`, never guesses.
//! - Comparisons are treated as independent.
//! - The code is pure: a valid study and a volume in, a [`StudyPlan`] out.

mod calendar;
mod chance;
mod power;
mod study_plan;
mod warnings;

use std::collections::BTreeMap;

use serde::Serialize;

use chance::GainTest;
pub use chance::{ChancePlan, ImpossibleGain};
pub use power::{BoundTest, ScoreKind};
pub use study_plan::{ConditionPlan, GoProbability, PlanMargins, ScopePlan, StudyPlan, ValuePlan};

use super::DISPLAY_CONFIDENCE;
use super::chooses_end;
use super::family::{has_nested_bounds, shared_confidence};
use super::notes::verdict_notes;
use super::window_selection::MAX_WINDOWS;
use crate::scoring::WindowClock;
use understudy_study::{ALL_SNAPSHOTS, Evidence, Family, Quantifier, Scope, Study, Threshold, WindowChoice};

/// The probability of GO at which a margin counts as detected.
pub const TARGET_GO_PROBABILITY: f64 = 0.8;
/// The number of true values on each side of the bound.
const TRUTHS_PER_SIDE: i32 = 5;
/// The probability of GO at the last of them, if a true value can be so far away.
const NEAR_CERTAINTY: f64 = 0.99;

/// The number of comparisons in a window.
#[derive(Clone, Debug, PartialEq)]
pub enum PairsPerWindow {
    /// A number stated by the user.
    Stated(u64),
    /// The numbers in the windows of a run, in order, as [`measured_windows`] returns them; the plan uses their
    /// mean. At least one window has a pair.
    Measured(Vec<u64>),
}

/// The number of comparisons in each calendar window of a run, from its first window with pairs to its last.
/// The windows of a verdict follow each other without gaps, so a window without pairs is one of them, with 0.
/// `with_pairs` are the starts (µs) of the windows with pairs, and their numbers of comparisons.
pub fn measured_windows(mut clock: WindowClock, with_pairs: &[(i64, u64)]) -> Vec<u64> {
    let mut counts = BTreeMap::new();
    for (start, pairs) in with_pairs {
        *counts.entry(clock.window(*start)).or_insert(0) += pairs;
    }
    let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value()) else {
        return Vec::new();
    };
    let windows = clock.windows_from(*first).map(|(window, _)| window).take_while(|window| window <= last);
    windows.take(MAX_WINDOWS).map(|window| counts.get(&window).copied().unwrap_or(0)).collect()
}

/// The source of the shares of a condition's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareOrigin {
    /// Stated by the user.
    Stated,
    /// Measured in a run.
    Measured,
    /// Declared by `[[threshold.reference]]`.
    Reference,
    /// Given by the calendar.
    Calendar,
}

/// The shares of a condition's values.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueShares {
    /// The source of the shares.
    pub origin: ShareOrigin,
    /// By the index of the value, in [0, 1]; `None` if unknown.
    pub values: Vec<Option<f64>>,
}

/// The known volume of the study's stream.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanVolume {
    /// The number of comparisons in a window.
    pub per_window: PairsPerWindow,
    /// The expected number of windows, for a threshold that counts all.
    pub windows: Option<u64>,
    /// The shares of each condition's values, in the order of declaration. If `None`, a calendar condition
    /// has those of the calendar.
    pub shares: Vec<Option<ValueShares>>,
    /// The share of the substrate's commonest label, in [0, 1].
    pub commonest_share: Option<f64>,
}

/// Plans a study with a `threshold` whose metric has scores of the kind `score` and values in `range`.
pub fn plan_study(
    study: &Study,
    threshold: &Threshold,
    score: ScoreKind,
    range: (Option<f64>, Option<f64>),
    volume: &PlanVolume,
) -> StudyPlan {
    let measured = match &volume.per_window {
        PairsPerWindow::Stated(_) => None,
        PairsPerWindow::Measured(windows) => Some(windows.len() as u64),
    };
    let windows = match threshold.windows {
        WindowChoice::First(windows) | WindowChoice::Latest(windows) => Some(windows),
        WindowChoice::All => volume.windows.or(measured),
    };
    let Threshold { direction, bound, evidence, .. } = *threshold;
    let test = BoundTest { direction, bound, evidence: shared_evidence(study, threshold), score, range };
    let planner = Planner {
        threshold,
        test,
        windows: windows.unwrap_or(1),
        per_window: mean_per_window(&volume.per_window),
        gain: GainTest::new(threshold, test, volume.commonest_share),
        enough_comparisons: enough_comparisons(threshold, windows.unwrap_or(1), &volume.per_window),
        lacks_bounds: matches!(evidence, Evidence::Bound(_)) && (range.0.is_none() || range.1.is_none()),
    };
    let shares = study.conditions.iter().zip(&volume.shares).map(|(condition, known)| {
        let calendar = || {
            let values = calendar::shares(&condition.split)?.into_iter().map(Some).collect();
            Some(ValueShares { origin: ShareOrigin::Calendar, values })
        };
        known.clone().or_else(calendar)
    });
    let shares: Vec<_> = shares.collect();
    let all = planner.scope(ALL_SNAPSHOTS, Some(1.0));
    let scopes = study.scopes.iter().map(|scope| planner.scope(&scope.name, scope_share(scope, &shares)));
    let mut scopes: Vec<_> = [all].into_iter().chain(scopes).collect();
    let truths = planner.truths(&scopes[0]);
    for scope in &mut scopes {
        scope.go_probabilities = planner.go_probabilities(scope, &truths);
    }
    let conditions = study.conditions.iter().enumerate().map(|(index, condition)| {
        planner.condition(index, &condition.name, condition.split.values(), shares[index].as_ref())
    });
    let mut plan = StudyPlan {
        study: study.name.clone(),
        metric: study.metrics[threshold.metric].name.clone(),
        direction,
        bound,
        quantifier: threshold.quantifier,
        counted: threshold.windows,
        windows: planner.windows,
        every: study.windows.every,
        evidence,
        confidence: planner.confidence(),
        power: TARGET_GO_PROBABILITY,
        measured,
        enough_comparisons: planner.enough_comparisons,
        standard_deviation: match score {
            ScoreKind::Binary => None,
            ScoreKind::Normal(deviation) => Some(deviation),
        },
        chance: chance::chance_plan(threshold, test.evidence, scopes[0].pooled, volume.commonest_share),
        conditions: conditions.collect(),
        scopes,
        notes: verdict_notes(study, threshold, has_nested_bounds(threshold, chooses_end(study, threshold))),
        warnings: Vec::new(),
    };
    plan.warnings = warnings::warnings(study, &plan, &planner, volume, windows.is_some());
    plan
}

/// The evidence for a verdict that is the only GO of the study. With `family = "holm"` all verdicts then share the level. If
/// other verdicts are GO, too, the confidence is lower.
fn shared_evidence(study: &Study, threshold: &Threshold) -> Evidence {
    let verdicts = study.models.len() * (1 + study.scopes.len());
    match (threshold.evidence, threshold.family) {
        (Evidence::Bound(confidence), Some(Family::Holm)) => {
            Evidence::Bound(shared_confidence(confidence, verdicts))
        }
        (evidence, _) => evidence,
    }
}

/// The mean number of comparisons per window.
fn mean_per_window(per_window: &PairsPerWindow) -> f64 {
    match per_window {
        PairsPerWindow::Stated(pairs) => *pairs as f64,
        PairsPerWindow::Measured(windows) => windows.iter().sum::<u64>() as f64 / windows.len().max(1) as f64,
    }
}

/// The probability that each of the `counted` windows has the comparisons that the threshold requires, as in a
/// measured run: the share of its stretches of that length in which all windows have enough. If the run is
/// shorter, windows are treated as independent. The first and the last window of a run are rarely complete,
/// so they do not count here.
fn enough_comparisons(threshold: &Threshold, counted: u64, per_window: &PairsPerWindow) -> f64 {
    let PairsPerWindow::Measured(windows) = per_window else { return 1.0 };
    let inner = windows.get(1..windows.len().saturating_sub(1)).unwrap_or_default();
    if threshold.windows == WindowChoice::All || inner.is_empty() {
        return 1.0;
    }
    let enough = |pairs: &u64| *pairs >= threshold.least_per_window;
    let share = |all: usize, passing: usize| passing as f64 / all as f64;
    let length = usize::try_from(counted).unwrap_or(usize::MAX);
    if length > inner.len() {
        return share(inner.len(), inner.iter().filter(|pairs| enough(pairs)).count()).powf(counted as f64);
    }
    let stretches = inner.windows(length);
    share(stretches.len(), stretches.filter(|stretch| stretch.iter().all(enough)).count())
}

/// The share of a scope: the product over its conditions of the sum of its values' shares.
fn scope_share(scope: &Scope, shares: &[Option<ValueShares>]) -> Option<f64> {
    let of_condition = |(condition, values): &(usize, Vec<usize>)| {
        let shares = shares[*condition].as_ref()?;
        values.iter().map(|&value| shares.values[value]).sum::<Option<f64>>()
    };
    scope.values.iter().map(of_condition).product()
}

/// The parameters that all scopes share.
struct Planner<'t> {
    threshold: &'t Threshold,
    test: BoundTest,
    windows: u64,
    per_window: f64,
    gain: Option<GainTest>,
    enough_comparisons: f64,
    /// Whether bounds decide, and the metric has none: its range is not known.
    lacks_bounds: bool,
}

impl Planner<'_> {
    fn confidence(&self) -> f64 {
        match self.test.evidence {
            Evidence::Bound(confidence) => confidence,
            Evidence::Point => DISPLAY_CONFIDENCE,
        }
    }

    /// The expected number of comparisons for a share of the input in a number of windows.
    fn comparisons(&self, share: Option<f64>, windows: u64) -> Option<u64> {
        share.map(|share| (self.per_window * share * windows as f64).round() as u64)
    }

    /// The probability that a window passes, and that the study's verdict is GO.
    fn go_probability(&self, per_window: u64, pooled: u64, truth: f64) -> GoProbability {
        if self.lacks_bounds {
            return GoProbability { truth, window: 0.0, study: 0.0 };
        }
        let window = self.test.pass_probability(per_window, truth);
        let study = match self.threshold.quantifier {
            Quantifier::EveryWindow => window.powf(self.windows as f64),
            Quantifier::Pooled => self.test.pass_probability(pooled, truth),
        };
        let gain = self.gain.map_or(1.0, |gain| gain.pass_probability(pooled, truth));
        GoProbability { truth, window, study: study.min(gain) * self.enough_comparisons }
    }

    fn scope(&self, name: &str, share: Option<f64>) -> ScopePlan {
        let per_window = self.comparisons(share, 1);
        let pooled = self.comparisons(share, self.windows);
        // With a number of windows, each needs as many comparisons, also if they pass together.
        let counts = if self.threshold.windows == WindowChoice::All { pooled } else { per_window };
        let bound = BoundTest { evidence: Evidence::Bound(self.confidence()), ..self.test };
        let margin = |n: u64| bound.margin(TARGET_GO_PROBABILITY, |truth| bound.pass_probability(n, truth));
        let too_few = counts.is_some_and(|counts| counts < self.threshold.least_per_window);
        let declared = match too_few {
            true => None,
            false => self.declared_margin(TARGET_GO_PROBABILITY, per_window, pooled),
        };
        ScopePlan {
            name: name.to_owned(),
            share,
            per_window,
            pooled,
            too_few,
            margins: PlanMargins {
                window: per_window.and_then(margin),
                pooled: pooled.and_then(margin),
                declared,
            },
            go_probabilities: Vec::new(),
        }
    }

    /// The least excess of the true value at which the study as declared has this probability of GO.
    fn declared_margin(&self, chance: f64, per_window: Option<u64>, pooled: Option<u64>) -> Option<f64> {
        let (per_window, pooled) = per_window.zip(pooled)?;
        self.test.margin(chance, |truth| self.go_probability(per_window, pooled, truth).study)
    }

    fn go_probabilities(&self, scope: &ScopePlan, truths: &[f64]) -> Vec<GoProbability> {
        match scope.per_window.zip(scope.pooled) {
            None => Vec::new(),
            Some((per_window, pooled)) => {
                let probability = |truth: &f64| {
                    let found = self.go_probability(per_window, pooled, *truth);
                    GoProbability { study: if scope.too_few { 0.0 } else { found.study }, ..found }
                };
                truths.iter().map(probability).collect()
            }
        }
    }

    /// True values around the bound, ascending, in equal steps of 1, 2 or 5 times a power of ten. The last
    /// has an almost certain GO, if a true value can be so far away.
    fn truths(&self, all: &ScopePlan) -> Vec<f64> {
        let most = self.test.max_excess();
        let far = self.declared_margin(NEAR_CERTAINTY, all.per_window, all.pooled).unwrap_or(most);
        // At the very end of the range there are no values beyond the bound; any step shows the other side.
        let step = round_step(if far > 0.0 { far / f64::from(TRUTHS_PER_SIDE) } else { 0.01 });
        let truth = |at: i32| match at {
            0 => self.test.bound,
            at => without_rounding_error(self.test.bound + f64::from(at) * step),
        };
        let (least, greatest) =
            (self.test.range.0.unwrap_or(f64::MIN), self.test.range.1.unwrap_or(f64::MAX));
        (-TRUTHS_PER_SIDE..=TRUTHS_PER_SIDE)
            .map(truth)
            .filter(|truth| (least..=greatest).contains(truth))
            .collect()
    }

    fn condition(
        &self,
        index: usize,
        name: &str,
        values: Vec<String>,
        shares: Option<&ValueShares>,
    ) -> ConditionPlan {
        let cycle = self.threshold.cycle.is_some_and(|cycle| cycle.condition == index);
        let required = cycle || self.threshold.conditions.contains(&index);
        let value = |(at, name): (usize, String)| {
            let share = shares.and_then(|shares| shares.values[at]);
            let pooled = self.comparisons(share, self.windows);
            let counts = required && name != "other" && name != "missing";
            let few = pooled.is_some_and(|pairs| pairs < self.threshold.least_per_condition);
            ValuePlan { name, share, per_window: self.comparisons(share, 1), pooled, too_few: counts && few }
        };
        let values = values.into_iter().enumerate().map(value).collect();
        ConditionPlan { name: name.to_owned(), origin: shares.map(|shares| shares.origin), values }
    }
}

/// Rounds to 15 significant digits, so that 0.85 + 0.02 is 0.87.
fn without_rounding_error(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`, which is above 0.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    // A step that differs from a round one by rounding only is that one.
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
mod short_window_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
