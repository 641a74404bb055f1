//! What a declared study can tell, before it begins: how many comparisons there will be, how small a margin can be told
//! apart, and how likely GO is if the truth is known.
//!
//! Pure: a sound study and a volume in, a [`Plan`] out. Always holds: a chance is that of the figures alone; guards such as
//! coverage can only lower it. What is not known is `None` and never a guess. Comparisons are taken as independent.

mod calendar;
mod rule;
mod warn;

use serde::Serialize;

pub use rule::{Rule, Score};

use super::SHOWN_CONFIDENCE;
use understudy_study::{Counted, Direction, Every, Evidence, Quantifier, Scope, Study, Threshold, WHOLE};

/// The chance of GO at which a margin counts as told apart.
pub const POWER: f64 = 0.8;
/// How many truths stand on either side of the bound.
const ASIDE: i32 = 5;
/// The chance of GO at the last of them, where the truth can lie so far.
const ALMOST: f64 = 0.99;

/// How many comparisons a window holds.
#[derive(Clone, Debug, PartialEq)]
pub enum PerWindow {
    /// As somebody says.
    Stated(u64),
    /// As the windows of a run held; the plan takes their mean. At least one, with at least one pair.
    Measured(Vec<u64>),
}

/// Where the shares of a condition's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
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
pub struct Shares {
    /// Where they come from.
    pub origin: Origin,
    /// By the index of the value, from 0 to 1; `None` where it is not known.
    pub values: Vec<Option<f64>>,
}

/// What is known of the study's stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// How many comparisons a window holds.
    pub per_window: PerWindow,
    /// How many windows there will be, for a threshold that counts all.
    pub windows: Option<u64>,
    /// The shares of each condition's values, in the order declared. Where they are `None`, those of the calendar are taken.
    pub shares: Vec<Option<Shares>>,
    /// The share of the substrate's commonest answer, from 0 to 1.
    pub base_rate: Option<f64>,
}

/// What a study can tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
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
    pub spread: Option<f64>,
    /// Everything, and then each scope.
    pub parts: Vec<Part>,
    /// The conditions, in the order declared.
    pub conditions: Vec<Condition>,
    /// What somebody should know who is about to begin: sentences.
    pub warnings: Vec<String>,
}

/// Everything, or a scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// The scope's name; `all` for everything.
    pub name: String,
    /// Its share of the comparisons: the product over its conditions, as if they were independent.
    pub share: Option<f64>,
    /// Comparisons in a window.
    pub per_window: Option<u64>,
    /// Comparisons in all windows that count.
    pub together: Option<u64>,
    /// Whether they are fewer than the threshold asks for; then there is no GO.
    pub short: bool,
    /// The least excess of the truth over the bound that is told apart.
    pub margins: Margins,
    /// The chance of GO at truths around the bound, ascending; the same truths for all parts.
    pub chances: Vec<Chance>,
}

/// The least excess of the truth over the bound, in units of the metric, with which the chance of GO is [`POWER`] or more.
/// `None` if no truth will do or the volume is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Margins {
    /// Of one window, by its bound at the plan's confidence.
    pub window: Option<f64>,
    /// Of all windows together, by their bound at the plan's confidence.
    pub together: Option<f64>,
    /// Of the study as it is declared.
    pub declared: Option<f64>,
}

/// The chance of GO if the truth is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chance {
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
pub struct Condition {
    /// Its name.
    pub name: String,
    /// Where its shares come from, if they are known.
    pub origin: Option<Origin>,
    /// Its values.
    pub values: Vec<Value>,
}

/// A value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Its share of the comparisons.
    pub share: Option<f64>,
    /// Comparisons in a window.
    pub per_window: Option<u64>,
    /// Comparisons in all windows that count.
    pub together: Option<u64>,
    /// Whether they are fewer than the threshold asks for; then there is no GO.
    pub short: bool,
}

/// What the study can tell by its `threshold`, whose metric's scores are like `score`, with figures in `range`.
pub fn plan(
    study: &Study,
    threshold: &Threshold,
    score: Score,
    range: (Option<f64>, Option<f64>),
    volume: &Volume,
) -> Plan {
    let measured = match &volume.per_window {
        PerWindow::Stated(_) => None,
        PerWindow::Measured(windows) => Some(windows.len() as u64),
    };
    let windows = match threshold.windows {
        Counted::First(windows) | Counted::Latest(windows) => Some(windows),
        Counted::All => volume.windows.or(measured),
    };
    let Threshold { direction, bound, evidence, .. } = *threshold;
    let rule = Rule { direction, bound, evidence, score, range };
    let planner =
        Planner { threshold, rule, windows: windows.unwrap_or(1), per_window: mean(&volume.per_window) };
    let shares = study.conditions.iter().zip(&volume.shares).map(|(condition, known)| {
        let calendar = || {
            let values = calendar::shares(&condition.split)?.into_iter().map(Some).collect();
            Some(Shares { origin: Origin::Calendar, values })
        };
        known.clone().or_else(calendar)
    });
    let shares: Vec<_> = shares.collect();
    let all = planner.part(WHOLE, Some(1.0));
    let scopes = study.scopes.iter().map(|scope| planner.part(&scope.name, of_scope(scope, &shares)));
    let mut parts: Vec<_> = [all].into_iter().chain(scopes).collect();
    let truths = planner.truths(&parts[0]);
    for part in &mut parts {
        part.chances = planner.chances(part, &truths);
    }
    let conditions = study.conditions.iter().enumerate().map(|(index, condition)| {
        planner.condition(index, &condition.name, condition.split.values(), shares[index].as_ref())
    });
    let mut plan = Plan {
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
        power: POWER,
        measured,
        spread: match score {
            Score::ZeroOrOne => None,
            Score::Spread(spread) => Some(spread),
        },
        conditions: conditions.collect(),
        parts,
        warnings: Vec::new(),
    };
    plan.warnings = warn::warnings(study, &plan, &planner, volume, windows.is_some());
    plan
}

/// Comparisons in a window.
fn mean(per_window: &PerWindow) -> f64 {
    match per_window {
        PerWindow::Stated(pairs) => *pairs as f64,
        PerWindow::Measured(windows) => windows.iter().sum::<u64>() as f64 / windows.len().max(1) as f64,
    }
}

/// The share of a scope: the product over its conditions of the shares of its values.
fn of_scope(scope: &Scope, shares: &[Option<Shares>]) -> Option<f64> {
    let of_condition = |(condition, values): &(usize, Vec<usize>)| {
        let shares = shares[*condition].as_ref()?;
        values.iter().map(|&value| shares.values[value]).sum::<Option<f64>>()
    };
    scope.values.iter().map(of_condition).product()
}

/// What all parts have in common.
struct Planner<'t> {
    threshold: &'t Threshold,
    rule: Rule,
    windows: u64,
    per_window: f64,
}

impl Planner<'_> {
    fn confidence(&self) -> f64 {
        match self.rule.evidence {
            Evidence::Bound(confidence) => confidence,
            Evidence::Point => SHOWN_CONFIDENCE,
        }
    }

    /// Comparisons of this share in so many windows.
    fn comparisons(&self, share: Option<f64>, windows: u64) -> Option<u64> {
        share.map(|share| (self.per_window * share * windows as f64).round() as u64)
    }

    /// The chance of GO of a window, and of the study.
    fn go(&self, per_window: u64, together: u64, truth: f64) -> Chance {
        let window = self.rule.chance(per_window, truth);
        let study = match self.threshold.quantifier {
            Quantifier::EveryWindow => window.powf(self.windows as f64),
            Quantifier::Pooled => self.rule.chance(together, truth),
        };
        Chance { truth, window, study }
    }

    fn part(&self, name: &str, share: Option<f64>) -> Part {
        let per_window = self.comparisons(share, 1);
        let together = self.comparisons(share, self.windows);
        let counts = match self.threshold.quantifier {
            Quantifier::EveryWindow => per_window,
            Quantifier::Pooled => together,
        };
        let bound = Rule { evidence: Evidence::Bound(self.confidence()), ..self.rule };
        let margin = |n: u64| bound.margin(POWER, |truth| bound.chance(n, truth));
        Part {
            name: name.to_owned(),
            share,
            per_window,
            together,
            short: counts.is_some_and(|counts| counts < self.threshold.least_per_window),
            margins: Margins {
                window: per_window.and_then(margin),
                together: together.and_then(margin),
                declared: self.declared(POWER, per_window, together),
            },
            chances: Vec::new(),
        }
    }

    /// The least excess of the truth with which the study as declared says GO with this chance.
    fn declared(&self, chance: f64, per_window: Option<u64>, together: Option<u64>) -> Option<f64> {
        let (per_window, together) = per_window.zip(together)?;
        self.rule.margin(chance, |truth| self.go(per_window, together, truth).study)
    }

    fn chances(&self, part: &Part, truths: &[f64]) -> Vec<Chance> {
        match part.per_window.zip(part.together) {
            None => Vec::new(),
            Some((per_window, together)) => {
                truths.iter().map(|&truth| self.go(per_window, together, truth)).collect()
            }
        }
    }

    /// Truths around the bound, ascending, at equal steps of 1, 2 or 5 times a power of ten: so far that GO is almost certain
    /// at the last, where the truth can lie so far.
    fn truths(&self, all: &Part) -> Vec<f64> {
        let most = self.rule.most();
        let far = self.declared(ALMOST, all.per_window, all.together).unwrap_or(most);
        // At the very end of the range there is nothing to see on the right side; any step shows the other one.
        let step = step(if far > 0.0 { far / f64::from(ASIDE) } else { 0.01 });
        // Decimals enough for the step and the bound, so that 0.85 + 0.02 is 0.87.
        let decimals = 10f64.powf((3.0 - step.log10().floor()).clamp(0.0, 15.0));
        let truth = |at: i32| match at {
            0 => self.rule.bound,
            at => ((self.rule.bound + f64::from(at) * step) * decimals).round() / decimals,
        };
        let (least, greatest) =
            (self.rule.range.0.unwrap_or(f64::MIN), self.rule.range.1.unwrap_or(f64::MAX));
        (-ASIDE..=ASIDE).map(truth).filter(|truth| (least..=greatest).contains(truth)).collect()
    }

    fn condition(&self, index: usize, name: &str, values: Vec<String>, shares: Option<&Shares>) -> Condition {
        let cycle = self.threshold.cycle.is_some_and(|cycle| cycle.condition == index);
        let required = cycle || self.threshold.conditions.contains(&index);
        let value = |(at, name): (usize, String)| {
            let share = shares.and_then(|shares| shares.values[at]);
            let together = self.comparisons(share, self.windows);
            let asked = required && name != "other" && name != "missing";
            let few = together.is_some_and(|together| together < self.threshold.least_per_condition);
            Value { name, share, per_window: self.comparisons(share, 1), together, short: asked && few }
        };
        let values = values.into_iter().enumerate().map(value).collect();
        Condition { name: name.to_owned(), origin: shares.map(|shares| shares.origin), values }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`, which is above 0.
fn step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    // A step that misses a round one by its rounding is that one.
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests;
