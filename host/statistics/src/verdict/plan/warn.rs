//! What somebody should know who is about to begin a study: sentences that say what is the matter and what helps.
//!
//! Always holds: a warning follows from the declaration and the volume alone; what is not known warns of nothing, but for
//! the number of windows, without which every other number is of one window.

use super::{Condition, Part, PerWindow, Plan, Planner, Volume, calendar};
use understudy_study::{Counted, Direction, Every, Quantifier, Study, WHOLE};

/// With fewer comparisons a month a study is hardly worth its while.
const LEAST_A_MONTH: f64 = 100.0;
/// A chance of GO below this is none to begin a study for.
const EVEN: f64 = 0.5;
/// Where GO is looked for: this part of the way from the bound to the best figure there can be.
const NEARLY_BEST: f64 = 0.9;

/// All warnings of a plan that is complete but for them; `known` tells whether the number of windows is.
pub(super) fn warnings(
    study: &Study,
    plan: &Plan,
    planner: &Planner<'_>,
    volume: &Volume,
    known: bool,
) -> Vec<String> {
    let mut found = Vec::new();
    if !known {
        found.push(
            "`windows = { all = true }` does not say how many windows there will be, and what stands here is for one; say \
             --windows N"
                .to_owned(),
        );
    }
    found.extend(plan.parts.iter().filter(|part| part.short).map(|part| short(plan, planner, part)));
    found.extend(plan.conditions.iter().filter_map(|condition| scarce(planner, condition)));
    found.extend(thin(plan, planner, volume));
    found.extend(plan.parts.iter().filter_map(|part| seldom(plan, part)));
    found.extend(cycle(study, plan, planner));
    found.extend(volume.base_rate.and_then(|rate| base(plan, rate)));
    found.extend(plan.parts.iter().filter_map(|part| hopeless(planner, part)));
    if let Some(cluster) = &planner.threshold.cluster {
        found.push(format!(
            "comparisons hang together by `{cluster}`, and are taken as independent here: what can be told apart is coarser \
             than this, and chances rise more slowly"
        ));
    }
    found
}

/// So many windows: `1 week`, `8 weeks`.
fn so_many(every: Every, windows: u64) -> String {
    format!("{windows} {}{}", every.name(), if windows == 1 { "" } else { "s" })
}

/// A part as a sentence begins with it.
fn whose(part: &Part) -> String {
    if part.name == WHOLE { String::new() } else { format!("scope `{}`: ", part.name) }
}

fn short(plan: &Plan, planner: &Planner<'_>, part: &Part) -> String {
    let (comparisons, of) = match plan.quantifier {
        Quantifier::EveryWindow => (part.per_window, format!("a window of {}", so_many(plan.every, 1))),
        Quantifier::Pooled => (part.together, so_many(plan.every, plan.windows)),
    };
    format!(
        "{}too few comparisons are to be expected in {of}, {}, and the threshold asks for {} (`least-per-window`): then there \
         is no GO, whatever the figures; declare longer windows, or ask for fewer",
        whose(part),
        comparisons.unwrap_or(0),
        planner.threshold.least_per_window
    )
}

fn scarce(planner: &Planner<'_>, condition: &Condition) -> Option<String> {
    let short: Vec<_> =
        condition.values.iter().filter(|value| value.short).map(|value| value.name.as_str()).collect();
    (!short.is_empty()).then(|| {
        format!(
            "of `{}` there will be fewer than {} comparisons (`least-per-condition`) of {}: then there is no GO; \
             count more windows, or leave out the condition",
            condition.name,
            planner.threshold.least_per_condition,
            short.join(", ")
        )
    })
}

/// Windows of the measured run in which there were too few.
fn thin(plan: &Plan, planner: &Planner<'_>, volume: &Volume) -> Option<String> {
    let PerWindow::Measured(windows) = &volume.per_window else { return None };
    let least = planner.threshold.least_per_window;
    let thin = windows.iter().filter(|&&pairs| pairs < least).count();
    let matters = plan.quantifier == Quantifier::EveryWindow && thin > 0 && !plan.parts[0].short;
    matters.then(|| {
        format!(
            "of the {} that were measured, {thin} held fewer than {least} comparisons (`least-per-window`); what stands here \
             takes every {} for the average one",
            so_many(plan.every, windows.len() as u64),
            plan.every.name()
        )
    })
}

fn seldom(plan: &Plan, part: &Part) -> Option<String> {
    let a_month = part.share? * plan.parts[0].per_window? as f64 * calendar::a_month(plan.every);
    (a_month < LEAST_A_MONTH).then(|| {
        format!(
            "{}there will be about {a_month:.0} comparisons in a month; with fewer than {LEAST_A_MONTH} a shadow study takes \
             long to say anything",
            whose(part)
        )
    })
}

fn cycle(study: &Study, plan: &Plan, planner: &Planner<'_>) -> Option<String> {
    let cycle = planner.threshold.cycle?;
    let condition = &study.conditions[cycle.condition];
    if plan.counted == Counted::All {
        // How many windows there will be is then no promise of the declaration.
        return None;
    }
    let (shown, of) = calendar::shown(plan.every, plan.windows, &condition.split, cycle.times)?;
    let times = if cycle.times == 1 { "once".to_owned() } else { format!("{} times", cycle.times) };
    (shown < of).then(|| {
        format!(
            "each of the {of} values of `{}` has to come round {times}, and {} show {shown} of them so often at best: then \
             there is no GO; count more windows",
            condition.name,
            so_many(plan.every, plan.windows)
        )
    })
}

fn base(plan: &Plan, rate: f64) -> Option<String> {
    let (met, figure) = match plan.direction {
        Direction::AtLeast => (plan.bound <= rate, rate),
        Direction::AtMost => (plan.bound >= 1.0 - rate, 1.0 - rate),
    };
    met.then(|| {
        format!(
            "a model that always gives the substrate's commonest answer would come to {}, which meets the bound of {}; declare a \
             stricter one, or `least-kappa` or `least-gain`",
            plain(figure),
            plan.bound
        )
    })
}

fn hopeless(planner: &Planner<'_>, part: &Part) -> Option<String> {
    let (per_window, together) = part.per_window.zip(part.together)?;
    let most = planner.rule.most();
    let truth = planner.rule.beyond(if most > 0.0 { most * NEARLY_BEST } else { most });
    let chance = planner.go(per_window, together, truth).study;
    (chance < EVEN).then(|| {
        format!(
            "{}GO can hardly be reached: if the true figure were {}, its chance would be {:.0} %; count more comparisons, or \
             declare another bound",
            whose(part),
            plain(truth),
            chance * 100.0
        )
    })
}

/// A figure without the dust of its computation: `0.985`.
fn plain(figure: f64) -> String {
    ((figure * 1e6).round() / 1e6).to_string()
}
