//! What a declared study can tell, before it begins: how many comparisons there will be, how small a margin can be told
//! apart, and how likely GO is if the truth is known.
//!
//! Pure: a sound study and a volume in, a [`StudyPlan`] out. Always holds: a chance is that of the figures alone; guards such as
//! coverage can only lower it. What is not known is `None` and never a guess. Comparisons are taken as independent.

mod calendar;
mod power;
mod warnings;

use serde::Serialize;

pub use power::{BoundTest, ScoreKind};

use super::DISPLAY_CONFIDENCE;
use understudy_study::{Counted, Direction, Every, Evidence, Quantifier, Scope, Study, Threshold, WHOLE};

/// The chance of GO at which a margin counts as told apart.
pub const TARGET_GO_PROBABILITY: f64 = 0.8;
/// How many truths stand on either side of the bound.
const TRUTHS_PER_SIDE: i32 = 5;
/// The chance of GO at the last of them, where the truth can lie so far.
const NEAR_CERTAINTY: f64 = 0.99;

/// How many comparisons a window holds.
#[derive(Clone, Debug, PartialEq)]
pub enum PairsPerWindow {
    /// As somebody says.
    Stated(u64),
    /// As the windows of a run held; the plan takes their mean. At least one, with at least one pair.
    Measured(Vec<u64>),
}

/// Where the shares of a condition's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareOrigin {
    /// As somebody says.
    Stated,
    /// Those of a run.
    Measured,
    /// Those of `[[threshold.reference]]`.
    Reference,
    /// Those of time itself.
    Calendar,
}

/// The shares of a condition's values.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueShares {
    /// Where they come from.
    pub origin: ShareOrigin,
    /// By the index of the value, from 0 to 1; `None` where it is not known.
    pub values: Vec<Option<f64>>,
}

/// What is known of the study's stream.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanVolume {
    /// How many comparisons a window holds.
    pub per_window: PairsPerWindow,
    /// How many windows there will be, for a threshold that counts all.
    pub windows: Option<u64>,
    /// The shares of each condition's values, in the order declared. Where they are `None`, those of the calendar are taken.
    pub shares: Vec<Option<ValueShares>>,
    /// The share of the substrate's commonest answer, from 0 to 1.
    pub base_rate: Option<f64>,
}

/// What a study can tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StudyPlan {
    /// The study's name.
    pub study: String,
    /// The metric's name.
    pub metric: String,
    /// On which side of the bound the figure has to lie.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
    /// How the windows have to pass.
    pub quantifier: Quantifier,
    /// Which windows count.
    pub counted: Counted,
    /// How many they are.
    pub windows: u64,
    /// How long each is.
    pub every: Every,
    /// What has to lie on the right side of the bound.
    pub evidence: Evidence,
    /// The confidence at which margins are told apart.
    pub confidence: f64,
    /// The chance of GO at which a margin counts as told apart.
    pub power: f64,
    /// How many windows of a run the volume is the mean of, if it is measured.
    pub measured: Option<u64>,
    /// The standard deviation of one score, if scores are not taken as 0 or 1.
    pub standard_deviation: Option<f64>,
    /// Everything, and then each scope.
    pub scopes: Vec<ScopePlan>,
    /// The conditions, in the order declared.
    pub conditions: Vec<ConditionPlan>,
    /// What somebody should know who is about to begin: sentences.
    pub warnings: Vec<String>,
}

/// Everything, or a scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScopePlan {
    /// The scope's name; `all` for everything.
    pub name: String,
    /// Its share of the comparisons: the product over its conditions, as if they were independent.
    pub share: Option<f64>,
    /// Comparisons in a window.
    pub per_window: Option<u64>,
    /// Comparisons in all windows that count.
    pub pooled: Option<u64>,
    /// Whether they are fewer than the threshold asks for; then there is no GO.
    pub too_few: bool,
    /// The least excess of the truth over the bound that is told apart.
    pub margins: PlanMargins,
    /// The chance of GO at truths around the bound, ascending; the same truths for all scopes.
    pub go_probabilities: Vec<GoProbability>,
}

/// The least excess of the truth over the bound, in units of the metric, with which the chance of GO is [`TARGET_GO_PROBABILITY`] or more.
/// `None` if no truth will do or the volume is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanMargins {
    /// Of one window, by its bound at the plan's confidence.
    pub window: Option<f64>,
    /// Of all windows pooled, by their bound at the plan's confidence.
    pub pooled: Option<f64>,
    /// Of the study as it is declared.
    pub declared: Option<f64>,
}

/// The chance of GO if the truth is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GoProbability {
    /// The true figure.
    pub truth: f64,
    /// That one window passes.
    pub window: f64,
    /// That the study says GO.
    pub study: f64,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConditionPlan {
    /// Its name.
    pub name: String,
    /// Where its shares come from, if they are known.
    pub origin: Option<ShareOrigin>,
    /// Its values.
    pub values: Vec<ValuePlan>,
}

/// A value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ValuePlan {
    /// Its name.
    pub name: String,
    /// Its share of the comparisons.
    pub share: Option<f64>,
    /// Comparisons in a window.
    pub per_window: Option<u64>,
    /// Comparisons in all windows that count.
    pub pooled: Option<u64>,
    /// Whether they are fewer than the threshold asks for; then there is no GO.
    pub too_few: bool,
}

/// What the study can tell by its `threshold`, whose metric's scores are like `score`, with figures in `range`.
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
        Counted::First(windows) | Counted::Latest(windows) => Some(windows),
        Counted::All => volume.windows.or(measured),
    };
    let Threshold { direction, bound, evidence, .. } = *threshold;
    let test = BoundTest { direction, bound, evidence, score, range };
    let planner = Planner {
        threshold,
        test,
        windows: windows.unwrap_or(1),
        per_window: mean_per_window(&volume.per_window),
    };
    let shares = study.conditions.iter().zip(&volume.shares).map(|(condition, known)| {
        let calendar = || {
            let values = calendar::shares(&condition.split)?.into_iter().map(Some).collect();
            Some(ValueShares { origin: ShareOrigin::Calendar, values })
        };
        known.clone().or_else(calendar)
    });
    let shares: Vec<_> = shares.collect();
    let all = planner.scope(WHOLE, Some(1.0));
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
        standard_deviation: match score {
            ScoreKind::Binary => None,
            ScoreKind::Normal(spread) => Some(spread),
        },
        conditions: conditions.collect(),
        scopes,
        warnings: Vec::new(),
    };
    plan.warnings = warnings::warnings(study, &plan, &planner, volume, windows.is_some());
    plan
}

/// Comparisons in a window.
fn mean_per_window(per_window: &PairsPerWindow) -> f64 {
    match per_window {
        PairsPerWindow::Stated(pairs) => *pairs as f64,
        PairsPerWindow::Measured(windows) => windows.iter().sum::<u64>() as f64 / windows.len().max(1) as f64,
    }
}

/// The share of a scope: the product over its conditions of the shares of its values.
fn scope_share(scope: &Scope, shares: &[Option<ValueShares>]) -> Option<f64> {
    let of_condition = |(condition, values): &(usize, Vec<usize>)| {
        let shares = shares[*condition].as_ref()?;
        values.iter().map(|&value| shares.values[value]).sum::<Option<f64>>()
    };
    scope.values.iter().map(of_condition).product()
}

/// What all scopes have in common.
struct Planner<'t> {
    threshold: &'t Threshold,
    test: BoundTest,
    windows: u64,
    per_window: f64,
}

impl Planner<'_> {
    fn confidence(&self) -> f64 {
        match self.test.evidence {
            Evidence::Bound(confidence) => confidence,
            Evidence::Point => DISPLAY_CONFIDENCE,
        }
    }

    /// Comparisons of this share in so many windows.
    fn comparisons(&self, share: Option<f64>, windows: u64) -> Option<u64> {
        share.map(|share| (self.per_window * share * windows as f64).round() as u64)
    }

    /// The chance of GO of a window, and of the study.
    fn go_probability(&self, per_window: u64, pooled: u64, truth: f64) -> GoProbability {
        let window = self.test.pass_probability(per_window, truth);
        let study = match self.threshold.quantifier {
            Quantifier::EveryWindow => window.powf(self.windows as f64),
            Quantifier::Pooled => self.test.pass_probability(pooled, truth),
        };
        GoProbability { truth, window, study }
    }

    fn scope(&self, name: &str, share: Option<f64>) -> ScopePlan {
        let per_window = self.comparisons(share, 1);
        let pooled = self.comparisons(share, self.windows);
        let counts = match self.threshold.quantifier {
            Quantifier::EveryWindow => per_window,
            Quantifier::Pooled => pooled,
        };
        let bound = BoundTest { evidence: Evidence::Bound(self.confidence()), ..self.test };
        let margin = |n: u64| bound.margin(TARGET_GO_PROBABILITY, |truth| bound.pass_probability(n, truth));
        ScopePlan {
            name: name.to_owned(),
            share,
            per_window,
            pooled,
            too_few: counts.is_some_and(|counts| counts < self.threshold.least_per_window),
            margins: PlanMargins {
                window: per_window.and_then(margin),
                pooled: pooled.and_then(margin),
                declared: self.declared_margin(TARGET_GO_PROBABILITY, per_window, pooled),
            },
            go_probabilities: Vec::new(),
        }
    }

    /// The least excess of the truth with which the study as declared says GO with this chance.
    fn declared_margin(&self, chance: f64, per_window: Option<u64>, pooled: Option<u64>) -> Option<f64> {
        let (per_window, pooled) = per_window.zip(pooled)?;
        self.test.margin(chance, |truth| self.go_probability(per_window, pooled, truth).study)
    }

    fn go_probabilities(&self, scope: &ScopePlan, truths: &[f64]) -> Vec<GoProbability> {
        match scope.per_window.zip(scope.pooled) {
            None => Vec::new(),
            Some((per_window, pooled)) => {
                truths.iter().map(|&truth| self.go_probability(per_window, pooled, truth)).collect()
            }
        }
    }

    /// Truths around the bound, ascending, at equal steps of 1, 2 or 5 times a power of ten: so far that GO is almost certain
    /// at the last, where the truth can lie so far.
    fn truths(&self, all: &ScopePlan) -> Vec<f64> {
        let most = self.test.max_excess();
        let far = self.declared_margin(NEAR_CERTAINTY, all.per_window, all.pooled).unwrap_or(most);
        // At the very end of the range there is nothing to see on the right side; any step shows the other one.
        let step = round_step(if far > 0.0 { far / f64::from(TRUTHS_PER_SIDE) } else { 0.01 });
        // Decimals enough for the step and the bound, so that 0.85 + 0.02 is 0.87.
        let decimals = 10f64.powf((3.0 - step.log10().floor()).clamp(0.0, 15.0));
        let truth = |at: i32| match at {
            0 => self.test.bound,
            at => ((self.test.bound + f64::from(at) * step) * decimals).round() / decimals,
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
            let asked = required && name != "other" && name != "missing";
            let few = pooled.is_some_and(|pairs| pairs < self.threshold.least_per_condition);
            ValuePlan { name, share, per_window: self.comparisons(share, 1), pooled, too_few: asked && few }
        };
        let values = values.into_iter().enumerate().map(value).collect();
        ConditionPlan { name: name.to_owned(), origin: shares.map(|shares| shares.origin), values }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`, which is above 0.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    // A step that misses a round one by its rounding is that one.
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests;
