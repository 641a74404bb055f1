//! Warnings of a plan: each is a sentence that names a problem and a remedy.
//!
//! Invariant: a warning depends on the declaration and the volume alone. Unknown numbers cause no warning,
//! except for the number of windows, without which all other numbers are for a single window.

use super::{
    ChancePlan, ConditionPlan, ImpossibleGain, PairsPerWindow, PlanVolume, Planner, ScopePlan, StudyPlan,
    calendar,
};
use crate::number_text::{count, counted, declared_number};
use crate::verdict::chooses_end;
use understudy_study::{ALL_SNAPSHOTS, ChanceRequirement, Direction, Every, Evidence, Study, WindowChoice};

/// With fewer comparisons per month, a study is hardly worthwhile.
const MIN_PER_MONTH: f64 = 100.0;
/// Below this probability of GO, a study should not begin.
const MIN_GO_PROBABILITY: f64 = 0.5;
/// The optimistic true value: this fraction of the way from the bound to the best possible value.
const OPTIMISTIC_FRACTION: f64 = 0.9;

/// All warnings of a plan that is otherwise complete. `known` is whether the number of windows is known.
pub(super) fn warnings(
    study: &Study,
    plan: &StudyPlan,
    planner: &Planner<'_>,
    volume: &PlanVolume,
    known: bool,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !known {
        warnings.push(
            "`windows = { all = true }` does not fix the number of windows, so all numbers here are for \
             one window; give --windows N"
                .to_owned(),
        );
    }
    warnings.extend(
        plan.scopes.iter().filter(|scope| scope.too_few).map(|scope| too_few_per_scope(plan, planner, scope)),
    );
    warnings.extend(plan.conditions.iter().filter_map(|condition| too_few_per_value(planner, condition)));
    warnings.extend(too_few_measured(plan, planner, volume));
    warnings.extend(plan.scopes.iter().filter_map(|scope| low_volume(plan, scope)));
    warnings.extend(uncovered_cycle(study, plan, planner));
    warnings.extend(volume.commonest_share.and_then(|share| trivial_model(planner, plan, share)));
    warnings.extend(plan.chance.as_ref().and_then(impossible_gain));
    let unreachable = without_bounds(planner).or_else(|| unreachable_bound(planner, plan));
    if unreachable.is_none() && plan.chance.as_ref().is_none_or(|chance| chance.impossible.is_none()) {
        warnings.extend(plan.scopes.iter().filter_map(|scope| unlikely_go(planner, scope)));
    }
    warnings.extend(unreachable);
    if let Some(cluster) = &planner.threshold.cluster {
        warnings.push(format!(
            "comparisons are correlated within `{cluster}`, but this plan treats them as independent: real \
             margins are larger, and GO probabilities rise more slowly"
        ));
    }
    if chooses_end(study, planner.threshold) {
        warnings.push(
            "whoever ends the run chooses when, so its bounds hold at all looks before, but this plan is for a declared end: real \
             margins are larger, and GO probabilities rise more slowly; declare `windows = { first = N }`"
                .to_owned(),
        );
    }
    if planner.threshold.of_ceiling.is_some() {
        warnings.push(
            "this plan leaves out `of-ceiling`, because the substrate's noise is not known before the run; the shown \
             probabilities of GO are upper bounds"
                .to_owned(),
        );
    }
    warnings
}

/// A number of windows: `1 week`, `8 weeks`.
fn count_windows(every: Every, windows: u64) -> String {
    format!("{windows} {}{}", every.name(), if windows == 1 { "" } else { "s" })
}

/// A number of comparisons: `1 comparison`, `1,000 comparisons`.
fn count_comparisons(comparisons: u64) -> String {
    counted(comparisons, "comparison", "comparisons")
}

/// A number of comparisons with the verb that follows: `1 comparison is`, `30 comparisons are`.
fn comparisons_are(comparisons: u64) -> String {
    counted(comparisons, "comparison is", "comparisons are")
}

/// The prefix of a warning about a scope; empty for all of the input.
fn prefix(scope: &ScopePlan) -> String {
    if scope.name == ALL_SNAPSHOTS { String::new() } else { format!("scope `{}`: ", scope.name) }
}

fn too_few_per_scope(plan: &StudyPlan, planner: &Planner<'_>, scope: &ScopePlan) -> String {
    let (comparisons, span) = match plan.counted {
        WindowChoice::All => (scope.pooled, count_windows(plan.every, plan.windows)),
        _ => (scope.per_window, format!("a window of {}", count_windows(plan.every, 1))),
    };
    format!(
        "{}only {} expected in {span}, and the threshold requires {} (`least-per-window`), \
         so GO is impossible; declare longer windows, or a lower minimum",
        prefix(scope),
        comparisons_are(comparisons.unwrap_or(0)),
        count(planner.threshold.least_per_window)
    )
}

fn too_few_per_value(planner: &Planner<'_>, condition: &ConditionPlan) -> Option<String> {
    let too_few: Vec<_> =
        condition.values.iter().filter(|value| value.too_few).map(|value| value.name.as_str()).collect();
    (!too_few.is_empty()).then(|| {
        format!(
            "condition `{}`: fewer than {} (`least-per-condition`) are expected for {}, so GO is \
             impossible; count more windows, or leave out the condition",
            condition.name,
            count_comparisons(planner.threshold.least_per_condition),
            too_few.join(", ")
        )
    })
}

/// The warning that windows of the measured run had too few comparisons.
fn too_few_measured(plan: &StudyPlan, planner: &Planner<'_>, volume: &PlanVolume) -> Option<String> {
    let PairsPerWindow::Measured(windows) = &volume.per_window else { return None };
    let least = planner.threshold.least_per_window;
    let thin = windows.iter().filter(|&&pairs| pairs < least).count();
    let matters = plan.counted != WindowChoice::All && thin > 0 && !plan.scopes[0].too_few;
    let empty = match windows.iter().filter(|&&pairs| pairs == 0).count() {
        0 => String::new(),
        empty => format!(", {} of them none", count(empty as u64)),
    };
    matters.then(|| {
        format!(
            "of the {} measured, {} had fewer than {} (`least-per-window`){empty}; each \
             {} that counts needs as many, which the measured run allows with a probability of {:.0} %; \
             declare longer windows, or a lower minimum",
            count_windows(plan.every, windows.len() as u64),
            count(thin as u64),
            count_comparisons(least),
            plan.every.name(),
            plan.enough_comparisons * 100.0
        )
    })
}

fn low_volume(plan: &StudyPlan, scope: &ScopePlan) -> Option<String> {
    let per_month =
        scope.share? * plan.scopes[0].per_window? as f64 * calendar::windows_per_month(plan.every);
    (per_month < MIN_PER_MONTH).then(|| {
        format!(
            "{}about {} expected per month; below {MIN_PER_MONTH}, a shadow \
             study takes long to reach a verdict",
            prefix(scope),
            comparisons_are(per_month.round() as u64)
        )
    })
}

fn uncovered_cycle(study: &Study, plan: &StudyPlan, planner: &Planner<'_>) -> Option<String> {
    let cycle = planner.threshold.cycle?;
    let condition = &study.conditions[cycle.condition];
    if plan.counted == WindowChoice::All {
        // The declaration does not determine the number of windows then.
        return None;
    }
    let (covered, all) = calendar::covered_values(plan.every, plan.windows, &condition.split, cycle.times)?;
    let times = if cycle.times == 1 { "once".to_owned() } else { format!("{} times", count(cycle.times)) };
    (covered < all).then(|| {
        format!(
            "each of the {all} values of `{}` must occur {times}, and {} cover at most {covered} of them, \
             so GO is impossible; count more windows",
            condition.name,
            count_windows(plan.every, plan.windows)
        )
    })
}

fn trivial_model(planner: &Planner<'_>, plan: &StudyPlan, share: f64) -> Option<String> {
    let (met, value) = match plan.direction {
        Direction::AtLeast => (plan.bound <= share, share),
        Direction::AtMost => (plan.bound >= 1.0 - share, 1.0 - share),
    };
    let remedy = match planner.threshold.chance {
        None => "declare a stricter bound",
        Some(ChanceRequirement::NotAsked) => "declare a stricter bound, or `chance = { gain = 0.0 }`",
        // Such a model is not GO.
        Some(ChanceRequirement::Gain(_) | ChanceRequirement::Kappa(_)) => return None,
    };
    met.then(|| {
        format!(
            "a model that always gives the substrate's commonest label would reach {} and meet the bound of {}; \
             {remedy}",
            rounded(value),
            declared_number(plan.bound)
        )
    })
}

fn impossible_gain(chance: &ChancePlan) -> Option<String> {
    let other = chance.other_decisions.unwrap_or(0);
    Some(match chance.impossible? {
        ImpossibleGain::BeyondPerfectModel { other_share, .. } if rounded(other_share) == "0" => {
            "every decision is expected to have the commonest label, so no model can be better than always giving it, and GO \
             is impossible; choose a stream in which the decisions differ"
                .to_owned()
        }
        ImpossibleGain::BeyondPerfectModel { least, other_share, by_bound } => format!(
            "the required gain is {}{}, and a model that is always right has a gain of {}, the share of the decisions other than \
             the commonest label, so GO is impossible; require a smaller gain",
            rounded(least),
            if by_bound { " by its bound, which is below the gain itself" } else { "" },
            rounded(other_share)
        ),
        ImpossibleGain::TooFewPairs(Some(least)) => format!(
            "the expected number of decisions other than the commonest label is {}; a model must have at least {} of \
             them right to be better than always giving that label, so GO is impossible; count more comparisons",
            count(other),
            count(least)
        ),
        ImpossibleGain::TooFewPairs(None) => format!(
            "no gain over {} decisions other than the commonest label meets the requirement, so GO is impossible; count \
             more comparisons",
            count(other)
        ),
    })
}

/// The warning that the metric has no confidence bounds, so that none meets the bound of the threshold.
fn without_bounds(planner: &Planner<'_>) -> Option<String> {
    planner.lacks_bounds.then(|| {
        "the range of the metric is not known, so it has no confidence bounds, and GO is impossible; take a metric with a known \
         range, such as `within-tolerance`, or `mean-absolute-error` with `greatest`, or declare `evidence = \"point\"`"
            .to_owned()
    })
}

/// The warning that no confidence bound can meet the bound of the threshold, because no value of the metric is beyond it.
fn unreachable_bound(planner: &Planner<'_>, plan: &StudyPlan) -> Option<String> {
    let is_by_bound = matches!(plan.evidence, Evidence::Bound(_));
    (is_by_bound && planner.test.max_excess() <= 0.0).then(|| {
        format!(
            "no value of the metric is beyond {}, and a confidence bound is never at the end of the range, so GO is impossible; \
             declare a bound that a good model exceeds",
            declared_number(plan.bound)
        )
    })
}

fn unlikely_go(planner: &Planner<'_>, scope: &ScopePlan) -> Option<String> {
    let (per_window, pooled) = scope.per_window.zip(scope.pooled).filter(|_| !scope.too_few)?;
    let most = planner.test.max_excess();
    // A model that is no better than a constant has no gain, so its value lies beyond that of the constant, too.
    let least =
        planner.gain.map_or(0.0, |gain| planner.test.excess(gain.commonest_share)).clamp(0.0, most.max(0.0));
    let excess = if most > 0.0 { least + (most - least) * OPTIMISTIC_FRACTION } else { most };
    let truth = planner.test.value_beyond_bound(excess);
    let probability = planner.go_probability(per_window, pooled, truth).study;
    (probability < MIN_GO_PROBABILITY).then(|| {
        format!(
            "{}GO is unlikely: if the true value were {}, its probability would be {:.0} %; count more \
             comparisons, or declare another bound",
            prefix(scope),
            rounded(truth),
            probability * 100.0
        )
    })
}

/// A value without rounding errors, for display: `0.985`.
fn rounded(value: f64) -> String {
    ((value * 1e6).round() / 1e6).to_string()
}

#[cfg(test)]
mod tests;
