//! When a run is reported on before its end: after so many windows, as declared.
//!
//! Always holds: a look covers whole windows that no pair can join any more, so what it says of them is what the end will
//! say; which windows these are depends on the declaration and the records alone, and not on when somebody looked.

use super::counted::Counted;
use super::outcome::{End, Outcome};
use super::saved::{Ended, Saved};
use super::seal::Seal;
use crate::batch::Side;
use crate::pairing::Accounting;
use crate::scoring::{Window, WindowClock};
use crate::study::Study;

/// Where a run stood when it was looked at.
pub struct Looked {
    /// The last window that is covered.
    pub window: Window,
    /// What it was called.
    pub label: String,
    /// Where it stood.
    pub saved: Saved,
}

/// Is told of each look, on the thread that compares; so what takes long belongs on a thread of its own.
pub type Look = Box<dyn FnMut(Looked) + Send>;

/// Says when it is time for a look.
pub struct Schedule {
    every: u64,
    clock: WindowClock,
    /// How far behind the clock of each stream a window has to end, microseconds.
    behind: [i64; 2],
    /// The window whose end is waited for.
    next: Option<Window>,
}

impl Schedule {
    /// As a study declares it; `None` if it declares no looks.
    pub fn new(study: &Study) -> Option<Schedule> {
        let micros = |span: jiff::SignedDuration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Some(Schedule {
            every: study.interim.every?,
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            behind: [
                micros(study.inputs.lateness),
                micros(study.decisions.lateness.saturating_add(study.horizon)),
            ],
            next: None,
        })
    }

    /// The last window to be covered, if it is time, and what it is called. Asked again, it says the next one.
    pub fn due(&mut self, counted: &Counted) -> Option<(Window, String)> {
        let next = match self.next {
            Some(next) => next,
            None => {
                let first = self.clock.window(counted.earliest?);
                let next = self.step(first, self.every - 1);
                self.next = Some(next);
                next
            }
        };
        let end = self.clock.bounds(next).end;
        let over = Side::BOTH.into_iter().all(|side| {
            let (clock, behind) = (counted.clocks[side as usize], self.behind[side as usize]);
            clock.is_some_and(|clock| clock.saturating_sub(behind) >= end)
        });
        if !over {
            return None;
        }
        self.next = Some(self.step(next, self.every));
        Some((next, self.clock.label(next)))
    }

    fn step(&self, from: Window, steps: u64) -> Window {
        (0..steps).fold(from, |window, _| self.clock.next(window))
    }
}

impl Saved {
    /// What a look at it says: everything up to the window that it covers. Records are counted up to now.
    pub fn looked_at(&self, seal: &Seal, window: Window, label: String) -> Option<Outcome> {
        let mut outcome = self.outcome(seal)?;
        outcome.end = End::Interim { window: label };
        outcome.cells = outcome.cells.until(window);
        outcome.profiles = outcome.profiles.until(window);
        outcome.spreads = outcome.spreads.until(window);
        Some(outcome)
    }

    /// The same, as if it had ended here and now.
    pub fn as_ended(mut self, accounting: Accounting, again: Vec<super::again::Again>) -> Saved {
        let at = jiff::Timestamp::now();
        self.ended = Some(Ended { at, end: End::Interrupted, accounting, again });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::parse;

    const HOUR: i64 = 3_600_000_000;

    fn study(interim: &str) -> Study {
        let text = format!(
            "study = \"s\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\nlateness = \"1h\"\n\
             [decisions]\nid = \"id\"\ntime = \"at\"\nhorizon = \"2h\"\nlateness = \"3h\"\n[decisions.fields]\n\
             room = \"text\"\n[sources]\nsnapshots = {{ file = \"a\" }}\ndecisions = {{ file = \"b\" }}\n[[models]]\n\
             name = \"m\"\nplugin = \"m\"\n[comparator]\nname = \"c\"\nplugin = \"c\"\n[[metrics]]\nname = \"k\"\n\
             plugin = \"k\"\n[windows]\nevery = \"day\"\n{interim}"
        );
        parse(&text).unwrap()
    }

    #[test]
    fn a_look_is_due_when_nothing_can_join_its_windows_any_more() {
        let mut schedule = Schedule::new(&study("[interim]\nevery = 2\n")).unwrap();
        let mut counted = Counted::new(1);
        assert_eq!(schedule.due(&counted), None);
        counted.accept(Side::Snapshot, &[10 * HOUR, 60 * HOUR]);
        counted.accept(Side::Decision, &[52 * HOUR]);
        // Two days end at 48 h; decisions reach 52 h, less 3 h of lateness and 2 h of horizon.
        assert_eq!(schedule.due(&counted), None);
        counted.accept(Side::Decision, &[53 * HOUR]);
        assert_eq!(schedule.due(&counted).map(|(_, label)| label), Some("1970-01-02".to_owned()));
        assert_eq!(schedule.due(&counted), None);
        counted.accept(Side::Decision, &[200 * HOUR]);
        assert_eq!(schedule.due(&counted), None);
        counted.accept(Side::Snapshot, &[300 * HOUR]);
        assert_eq!(schedule.due(&counted).map(|(_, label)| label), Some("1970-01-04".to_owned()));
        assert_eq!(schedule.due(&counted).map(|(_, label)| label), Some("1970-01-06".to_owned()));
    }

    #[test]
    fn without_a_declaration_there_is_none() {
        assert!(Schedule::new(&study("")).is_none());
    }
}
