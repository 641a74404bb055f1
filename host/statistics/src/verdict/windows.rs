//! Which windows count.
//!
//! Always holds: it is settled by the declaration and by when records came, and by no figure.

use jiff::Timestamp;

use super::{CountedWindow, Facts};
use crate::scoring::{Window, WindowClock};
use understudy_records::batch::Side;
use understudy_study::{Counted, Interference, InterferenceKind};

/// Windows that are looked at; as many hours are eleven years. A record from the far future could make any number of them.
const MOST: usize = 100_000;

/// The windows that count, in order of time.
pub struct Chosen {
    /// The windows.
    pub windows: Vec<Window>,
    /// How they are shown.
    pub shown: Vec<CountedWindow>,
    /// The instant after which no decision of their snapshots can be taken, microseconds: the horizon after their end.
    pub decided: Option<i64>,
}

/// Chooses them.
pub fn choose(facts: &Facts<'_>) -> Chosen {
    let clock = WindowClock::new(facts.study.windows, facts.study.time_zone.clone());
    let complete = complete(facts, clock.clone());
    let before = split(facts);
    let horizon = facts.study.horizon.as_micros() as i64;
    let decided = |window: &Window| clock.bounds(*window).end.saturating_add(horizon);
    let eligible = |window: &Window| before.is_none_or(|before| decided(window) <= before);
    let windows: Vec<Window> = match facts.threshold.windows {
        Counted::First(count) => {
            complete.iter().copied().filter(eligible).take(usize::try_from(count).unwrap_or(MOST)).collect()
        }
        Counted::Latest(count) => {
            let eligible: Vec<Window> = complete.iter().copied().filter(eligible).collect();
            let skip = eligible.len().saturating_sub(usize::try_from(count).unwrap_or(MOST));
            eligible[skip..].to_vec()
        }
        Counted::All => facts.inputs.windows.keys().copied().filter(eligible).collect(),
    };
    let instant = |micros: i64| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let show = |window: &Window| {
        let bounds = clock.bounds(*window);
        CountedWindow {
            label: clock.label(*window),
            start: Timestamp::from_microsecond(bounds.start).unwrap_or(Timestamp::MIN),
            end: instant(bounds.end),
            complete: complete.binary_search(window).is_ok(),
        }
    };
    let shown = windows.iter().map(show).collect();
    let decided = windows.last().map(decided);
    Chosen { windows, shown, decided }
}

/// The complete windows, in order, without gaps.
fn complete(facts: &Facts<'_>, mut clock: WindowClock) -> Vec<Window> {
    let (Some(earliest), Some(latest)) = (facts.inputs.earliest, facts.clocks[Side::Snapshot as usize])
    else {
        return Vec::new();
    };
    let settled = match (facts.closed, facts.clocks[Side::Decision as usize]) {
        (true, _) => i64::MAX,
        (false, None) => i64::MIN,
        (false, Some(decided)) => {
            let spans = [facts.study.decisions.lateness, facts.study.horizon];
            spans.iter().fold(decided, |settled, span| settled.saturating_sub(span.as_micros() as i64))
        }
    };
    let mut window = clock.window(earliest);
    if clock.bounds(window).start < earliest {
        window = clock.next(window);
    }
    let mut found = Vec::new();
    while found.len() < MOST {
        let bounds = clock.bounds(window);
        if bounds.end > latest || bounds.end > settled {
            break;
        }
        // An hour that the clock skips is no window.
        if !bounds.is_empty() {
            found.push(window);
        }
        let next = clock.next(window);
        if next <= window {
            break;
        }
        window = next;
    }
    found
}

/// The instant, microseconds, from which on nothing counts, since something came between that splits the study.
fn split(facts: &Facts<'_>) -> Option<i64> {
    let splits = |kind| match kind {
        InterferenceKind::Exposure => facts.threshold.on_exposure == Interference::Split,
        InterferenceKind::ComparatorChange => facts.threshold.on_comparator_change == Interference::Split,
    };
    let found = facts.interferences.iter().filter(|interfered| splits(interfered.kind));
    found.map(|interfered| interfered.since.as_microsecond()).min()
}
