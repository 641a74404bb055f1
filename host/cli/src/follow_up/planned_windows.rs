//! The windows of a follow-up, from the comparisons that a run measured in its scope.
//!
//! Invariants: pure; a number of comparisons is measured, never assumed. The first and the last window of a run do not count,
//! since they are rarely complete.

use anyhow::ensure;

use super::deferred_scope::{DeferredScope, ScopeFigures};
use understudy_report::Report;
use understudy_report::model::report::MetricInfo;
use understudy_statistics::scoring::WindowClock;
use understudy_statistics::verdict::plan::{
    PairsPerWindow, PlanVolume, ScoreKind, measured_windows, plan_study,
};
use understudy_study::{Every, Quantifier, Scope, Study, Threshold, WindowChoice};

/// The greatest number of windows that a study can declare.
const MAX_WINDOWS: u64 = 10_000;

/// The comparisons that a run measured in each of its windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ScopeVolume {
    /// The mean number of comparisons of the scope in a window.
    pub scope: f64,
    /// The mean number of comparisons of all of the input in a window.
    pub all: f64,
    /// The number of windows that it was measured over.
    pub windows: usize,
}

impl ScopeVolume {
    /// Measures the volume of a scope in the report of a run.
    ///
    /// # Errors
    /// If the scope has no comparison.
    pub(super) fn measure(
        report: &Report,
        study: &Study,
        threshold: &Threshold,
        scope: &DeferredScope,
    ) -> anyhow::Result<ScopeVolume> {
        let scores = report.models.first().and_then(|model| model.scores.get(threshold.metric));
        // All windows of the input, so that one without pairs of the scope counts with 0.
        let by_window = |pairs: &dyn Fn(usize) -> u64| {
            let clock = WindowClock::new(study.windows, study.time_zone.clone());
            let windows = report.windows.iter().enumerate().skip(first_window(report));
            let measured: Vec<(i64, u64)> =
                windows.map(|(index, window)| (window.start.as_microsecond(), pairs(index))).collect();
            complete(measured_windows(clock, &measured))
        };
        let all =
            |index: usize| scores.and_then(|scores| scores.windows.get(index)).map_or(0, |value| value.pairs);
        let of_scope = |index: usize| {
            let values = match scope.figures {
                ScopeFigures::All => return all(index),
                ScopeFigures::Declared(at) => scores.and_then(|scores| scores.scopes_by_window.get(at)),
                ScopeFigures::Value { condition, value } => {
                    scores.and_then(|scores| scores.conditions_by_window.get(condition)?.get(value))
                }
            };
            let values = values.map_or(&[][..], Vec::as_slice);
            values.iter().find(|found| found.window == index as u64).map_or(0, |found| found.pairs)
        };
        let (all, of_scope) = (by_window(&all), by_window(&of_scope));
        let volume = ScopeVolume { scope: mean(&of_scope), all: mean(&all), windows: of_scope.len() };
        ensure!(
            volume.scope > 0.0,
            "the run has no comparison in {} in a complete window, so no windows can be planned; choose another scope",
            scope.name
        );
        Ok(volume)
    }
}

/// The index of the first window that is broken down by condition and scope.
fn first_window(report: &Report) -> usize {
    usize::try_from(report.window_breakdown.first_window).unwrap_or(usize::MAX)
}

/// The windows without the first and the last, if there are others.
fn complete(windows: Vec<u64>) -> Vec<u64> {
    match windows.len() {
        0..=2 => windows,
        len => windows[1..len - 1].to_vec(),
    }
}

fn mean(windows: &[u64]) -> f64 {
    windows.iter().sum::<u64>() as f64 / windows.len().max(1) as f64
}

/// The windows of the new study.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlannedWindows {
    /// The length of a window: that of the first study, or a longer one if such windows have too few comparisons of the scope.
    pub every: Every,
    /// The number of windows; that of the run if the threshold counts all.
    pub count: u64,
    /// The expected number of comparisons of the scope in a window.
    pub per_window: f64,
    /// The least distance of the true value from the bound of the first study at which GO has a probability of 0.8, in units
    /// of the metric; `None` if there is none, or the scores are not 0 or 1.
    pub margin: Option<f64>,
    /// Whether a window has fewer comparisons than the threshold requires, so that GO is not possible.
    pub is_too_few: bool,
}

impl PlannedWindows {
    /// Plans the windows of a study of a scope.
    pub(super) fn plan(
        study: &Study,
        threshold: &Threshold,
        scope: &DeferredScope,
        metric: &MetricInfo,
        volume: &ScopeVolume,
    ) -> PlannedWindows {
        let (every, factor) = window_length(study.windows.every, threshold.least_per_window, volume.scope);
        let per_window = volume.scope * factor;
        let declared = match threshold.windows {
            WindowChoice::First(count) | WindowChoice::Latest(count) => count,
            WindowChoice::All => volume.windows as u64,
        };
        let count = match threshold.quantifier {
            Quantifier::EveryWindow => declared,
            // As many comparisons as the first study had of all of its input.
            Quantifier::Pooled => (declared as f64 * volume.all / per_window).ceil() as u64,
        };
        let count = count.clamp(1, MAX_WINDOWS);
        let mut planned = study.clone();
        planned.windows.every = every;
        // With `family`, the verdicts on all of the input and on the scope share the level.
        planned.scopes = match scope.figures {
            ScopeFigures::All => Vec::new(),
            _ => vec![Scope { name: scope.name.clone(), values: Vec::new() }],
        };
        let threshold = Threshold { windows: WindowChoice::First(count), ..threshold.clone() };
        let is_share =
            metric.components.len() == 1 && (metric.minimum, metric.maximum) == (Some(0.0), Some(1.0));
        // The scope is all that the plan is about, so it is planned as all of the input.
        let volume = PlanVolume {
            per_window: PairsPerWindow::Stated(per_window.round().max(1.0) as u64),
            windows: None,
            shares: vec![None; study.conditions.len()],
            commonest_share: None,
        };
        let range = (metric.minimum, metric.maximum);
        let plan = plan_study(&planned, &threshold, ScoreKind::Binary, range, &volume);
        let all = plan.scopes.first();
        PlannedWindows {
            every,
            count,
            per_window,
            margin: all.filter(|_| is_share).and_then(|all| all.margins.declared),
            is_too_few: all.is_some_and(|all| all.too_few),
        }
    }
}

/// The shortest length of windows, from the declared one on, in which the scope has enough comparisons, and its multiple of the
/// declared length. Months if none has.
fn window_length(declared: Every, least: u64, per_window: f64) -> (Every, f64) {
    let (mut every, mut factor) = (declared, 1.0);
    while per_window * factor < least as f64 {
        (every, factor) = match every {
            Every::Hour => (Every::Day, factor * 24.0),
            Every::Day => (Every::Week, factor * 7.0),
            // A mean month has 30.44 days.
            Every::Week => (Every::Month, factor * 30.44 / 7.0),
            Every::Month => break,
        };
    }
    (every, factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_until_they_have_enough_comparisons() {
        assert_eq!(window_length(Every::Day, 100, 120.0), (Every::Day, 1.0));
        assert_eq!(window_length(Every::Day, 100, 15.0), (Every::Week, 7.0));
        assert_eq!(window_length(Every::Hour, 100, 5.0), (Every::Day, 24.0));
        assert_eq!(window_length(Every::Hour, 1_000, 7.0), (Every::Week, 168.0));
        assert_eq!(window_length(Every::Month, 100, 1.0), (Every::Month, 1.0));
        let (every, factor) = window_length(Every::Week, 100, 30.0);
        assert!(every == Every::Month && (factor - 4.349).abs() < 1e-3, "{factor}");
    }

    #[test]
    fn the_first_and_the_last_window_do_not_count() {
        assert_eq!(complete(vec![8, 300, 0, 302, 9]), [300, 0, 302]);
        assert_eq!(complete(vec![8, 300]), [8, 300]);
        assert_eq!(mean(&[300, 0, 302]), 602.0 / 3.0);
        assert_eq!(mean(&[]), 0.0);
    }
}
