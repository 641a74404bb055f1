//! Selects the windows that count.
//!
//! Invariant: the selection depends on the declaration and on the event times of records, never on a result.

use jiff::Timestamp;

use super::{CountedWindow, Facts};
use crate::scoring::{Window, WindowClock, last_covered_window};
use understudy_study::{InterferenceEffect, InterferenceKind, Micros, WindowChoice};

/// The maximum number of windows that are examined; as many hours are eleven years. A record from the far
/// future could otherwise create any number of windows.
pub(super) const MAX_WINDOWS: usize = 100_000;

/// The windows that count, in order of time.
pub struct WindowSelection {
    /// The windows as keys of the sums.
    pub windows: Vec<Window>,
    /// The number of complete windows before the first of these, if the latest windows count; otherwise 0.
    pub passed: usize,
    /// The same windows, as the verdict lists them.
    pub counted: Vec<CountedWindow>,
    /// The time (µs) by which all decisions on snapshots of these windows are made: the horizon after the end
    /// of the last window. `None` without windows.
    pub decided_by: Option<i64>,
}

/// Selects the windows that the threshold counts.
pub fn select_windows(facts: &Facts<'_>) -> WindowSelection {
    let clock = WindowClock::new(facts.study.windows, facts.study.time_zone.clone());
    let complete = complete_windows(facts, clock.clone());
    let before = split_instant(facts);
    let horizon = facts.study.horizon.as_micros() as i64;
    let decided_by = |window: &Window| clock.bounds(*window).end.saturating_add(horizon);
    let eligible = |window: &Window| before.is_none_or(|before| decided_by(window) <= before);
    let mut passed = 0;
    let windows: Vec<Window> = match facts.threshold.windows {
        WindowChoice::First(count) => complete
            .iter()
            .copied()
            .filter(eligible)
            .take(usize::try_from(count).unwrap_or(MAX_WINDOWS))
            .collect(),
        WindowChoice::Latest(count) => {
            let eligible: Vec<Window> = complete.iter().copied().filter(eligible).collect();
            passed = eligible.len().saturating_sub(usize::try_from(count).unwrap_or(MAX_WINDOWS));
            eligible[passed..].to_vec()
        }
        WindowChoice::All if facts.results.closed => {
            facts.results.inputs.windows.keys().copied().filter(eligible).collect()
        }
        // Before the end, a figure that changes with each pair would reveal the latest one.
        WindowChoice::All => {
            let mut complete: Vec<Window> = complete.iter().copied().filter(eligible).collect();
            let covered = complete.last().and_then(|last| last_covered_window(facts.results.cells, *last));
            complete.retain(|window| covered.is_some_and(|covered| *window <= covered));
            complete
        }
    };
    let instant = |micros: i64| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let describe = |window: &Window| {
        let bounds = clock.bounds(*window);
        CountedWindow {
            label: clock.label(*window),
            start: Timestamp::from_microsecond(bounds.start).unwrap_or(Timestamp::MIN),
            end: instant(bounds.end),
            complete: complete.binary_search(window).is_ok(),
        }
    };
    let counted = windows.iter().map(describe).collect();
    let decided_by = windows.last().map(decided_by);
    WindowSelection { windows, passed, counted, decided_by }
}

/// The complete windows, in order and without gaps.
fn complete_windows(facts: &Facts<'_>, mut clock: WindowClock) -> Vec<Window> {
    // No record can arrive after the end. Before it, records can be as late as the declaration allows.
    let observed = match facts.results.closed {
        true => facts.results.clocks.snapshots,
        false => facts.study.complete_before(facts.results.clocks),
    };
    let (Some(earliest), Some(Micros(observed))) = (facts.results.inputs.earliest, observed) else {
        return Vec::new();
    };
    let mut window = clock.window(earliest);
    if clock.bounds(window).start < earliest {
        window = clock.next(window);
    }
    let complete = clock.windows_from(window);
    let complete = complete.take_while(|(_, bounds)| bounds.end <= observed);
    complete.map(|(window, _)| window).take(MAX_WINDOWS).collect()
}

/// The time (µs) of the earliest event that splits the study; nothing after it counts.
fn split_instant(facts: &Facts<'_>) -> Option<i64> {
    let splits = |kind| match kind {
        InterferenceKind::Exposure => facts.threshold.on_exposure == InterferenceEffect::Split,
        InterferenceKind::ComparatorChange => {
            facts.threshold.on_comparator_change == InterferenceEffect::Split
        }
    };
    let splitting = facts.interferences.iter().filter(|event| splits(event.kind));
    splitting.map(|event| event.since.as_microsecond()).min()
}
