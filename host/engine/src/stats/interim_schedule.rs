//! Schedules interim reports: one after every declared number of windows.
//!
//! Invariants:
//! - An interim report covers whole windows that no pair can join any more, so the final report says the same
//!   of them.
//! - The declaration and the records alone decide which reports there are, not when somebody looks or how
//!   often the run is resumed.
//!
//! Windows without snapshots add nothing: while no snapshot falls into a window, no report is due.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use crate::seal::manifest::Seal;
use crate::stats::checkpoint::{Checkpoint, EndState};
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use crate::stats::run_result::{EndReason, RunResult};
use understudy_records::join::Accounting;
use understudy_statistics::scoring::{Slice, Window, WindowClock, last_covered_window};
use understudy_study::{Micros, PerStream, StreamKind, Study};

/// The state of a run for an interim report.
pub struct InterimSnapshot {
    /// The last covered window.
    pub window: Window,
    /// The label of that window.
    pub label: String,
    /// The state, as a checkpoint.
    pub checkpoint: Checkpoint,
}

/// Receives each interim snapshot, on the evaluation thread; long work belongs on a thread of its own.
pub type InterimCallback = Box<dyn FnMut(InterimSnapshot) + Send>;

/// Decides when an interim report is due.
pub struct InterimSchedule {
    every: u64,
    clock: WindowClock,
    /// Per stream: how far the clock must be past the end of a window.
    required_lag: PerStream<Micros>,
    /// Labels of the interim reports that the ledger records.
    known: BTreeSet<String>,
    /// The last window of the previous report.
    last: Option<Window>,
    next_report: Option<NextReport>,
}

/// The next report.
struct NextReport {
    /// The first window with a snapshot since the previous report. An earlier one may still arrive.
    first: Window,
    /// The last window of the report.
    last: Window,
    /// End of that window.
    end: i64,
}

impl InterimSchedule {
    /// The declared schedule; `None` if the study declares no interim reports. `known` reports are skipped.
    pub fn new(study: &Study, known: BTreeSet<String>) -> Option<InterimSchedule> {
        Some(InterimSchedule {
            every: study.interim.every?,
            clock: WindowClock::new(study.windows, study.time_zone.clone()),
            required_lag: study.required_lag(),
            known,
            last: None,
            next_report: None,
        })
    }

    /// The last window of a report that is due, and its label. The next call returns the next report.
    pub fn due(&mut self, counters: &RunCounters) -> Option<(Window, String)> {
        loop {
            let NextReport { last, end, .. } = *self.next_report(counters)?;
            let is_over = |kind| {
                counters.clocks[kind]
                    .is_some_and(|clock| clock.saturating_sub(self.required_lag[kind]) >= Micros(end))
            };
            if !StreamKind::ALL.into_iter().all(is_over) {
                return None;
            }
            // No earlier window can appear any more, so later reports are scheduled from here.
            (self.last, self.next_report) = (Some(last), None);
            let label = self.clock.label(last);
            if !self.known.contains(&label) {
                return Some((last, label));
            }
        }
    }

    /// The next report, if a snapshot arrived since the previous one.
    fn next_report(&mut self, counters: &RunCounters) -> Option<&NextReport> {
        let windows = &counters.inputs.windows;
        let first = match self.last {
            None => *windows.first_key_value()?.0,
            Some(last) => *windows.range((Excluded(last), Unbounded)).next()?.0,
        };
        if self.next_report.as_ref().is_none_or(|next_report| next_report.first != first) {
            let mut last = match self.last {
                None => self.step(first, self.every - 1),
                Some(last) => self.step(last, self.every),
            };
            while last < first {
                last = self.step(last, self.every);
            }
            self.next_report = Some(NextReport { first, last, end: self.clock.bounds(last).end });
        }
        self.next_report.as_ref()
    }

    fn step(&self, from: Window, steps: u64) -> Window {
        (0..steps).fold(from, |window, _| self.clock.next(window))
    }
}

/// Why no interim report is available yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// No snapshot has arrived.
    Empty,
    /// The complete windows have fewer than [`MIN_INTERIM_PAIRS`](understudy_statistics::scoring::MIN_INTERIM_PAIRS) pairs.
    FewPairs,
    /// No window with snapshots is complete.
    Open {
        /// Label of the first window.
        label: String,
        /// Per stream: the event time that its clock must reach.
        until: PerStream<Micros>,
        /// Per stream: its clock.
        clocks: PerStream<Option<Micros>>,
    },
}

impl InterimSnapshot {
    /// The interim snapshot up to the latest complete window with snapshots, truncated to it.
    ///
    /// # Errors
    /// When there is no such window yet.
    pub fn latest(saved: Checkpoint, study: &Study) -> Result<InterimSnapshot, NotReady> {
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let counters = &saved.counters;
        let first = clock.window(counters.earliest.ok_or(NotReady::Empty)?);
        let over = |window: &Window| {
            let end = clock.bounds(*window).end;
            let reached = |kind| {
                counters.clocks[kind]
                    .is_some_and(|clock| clock.saturating_sub(study.required_lag()[kind]) >= Micros(end))
            };
            StreamKind::ALL.into_iter().all(reached)
        };
        // Snapshots are counted by window only if the study declares interim reports. Pairs always are.
        let compared =
            saved.aggregates.iter().flat_map(|aggregates| aggregates.cells.iter()).map(|(window, _)| window);
        let known = counters.inputs.windows.keys().copied().chain(compared).chain([first]);
        match known.filter(over).max() {
            Some(window) => {
                let mut snapshot = InterimSnapshot { window, label: clock.label(window), checkpoint: saved };
                if snapshot.truncate(study) { Ok(snapshot) } else { Err(NotReady::FewPairs) }
            }
            None => Err(NotReady::Open {
                label: clock.label(first),
                until: study
                    .required_lag()
                    .map(|required_lag| Micros(clock.bounds(first).end).saturating_add(required_lag)),
                clocks: counters.clocks,
            }),
        }
    }

    /// Removes everything after the covered window, as if the run had been inspected as soon as it was
    /// complete. Record counts and latencies remain those of the moment. If the latest windows have pairs, but too few for
    /// a figure, the report covers an earlier window instead. Returns `false` and removes nothing if all windows together
    /// have too few.
    #[must_use]
    pub fn truncate(&mut self, study: &Study) -> bool {
        let clock = WindowClock::new(study.windows, study.time_zone.clone());
        if let Some(aggregates) = &self.checkpoint.aggregates {
            let Some(window) = last_covered_window(&aggregates.cells, self.window) else { return false };
            (self.window, self.label) = (window, clock.label(window));
        }
        let Checkpoint { counters, aggregates, .. } = &mut self.checkpoint;
        let end = clock.bounds(self.window).end;
        // The clocks show that the window is over, and that nothing of it can arrive any more.
        let end = Micros(end);
        let lag = study.required_lag();
        let ends = PerStream::from_fn(|kind| end.saturating_add(lag[kind]));
        for kind in StreamKind::ALL {
            let clock = &mut counters.clocks[kind];
            *clock = clock.map(|clock| clock.min(ends[kind]));
        }
        counters.inputs = counters.inputs.through(self.window);
        counters.records = counters.records.through(self.window);
        if let Some(aggregates) = aggregates {
            aggregates.cells = aggregates.cells.through(self.window);
            let pairs = aggregates.cells.iter().map(|(_, totals)| totals.tally(Slice::All, 0, 0).pairs);
            aggregates.comparison.compared = pairs.sum();
            aggregates.evidence = aggregates.evidence.through(self.window);
            aggregates.self_agreement = aggregates.self_agreement.through(self.window);
            aggregates.profiles = aggregates.profiles.through(self.window);
            aggregates.answer_distributions = aggregates.answer_distributions.through(self.window);
            aggregates.revisions = aggregates.revisions.through(self.window);
            aggregates.drop_open_pairs();
        }
        true
    }

    /// The result of a truncated snapshot; `None` if nothing was evaluated.
    pub fn result(&self, seal: &Seal) -> Option<RunResult> {
        let outcome = self.checkpoint.result(seal)?;
        Some(RunResult { end: EndReason::Interim { window: self.label.clone() }, ..outcome })
    }
}

impl Checkpoint {
    /// The checkpoint as if the run had ended now.
    pub fn as_if_ended_now(mut self, accounting: Accounting, again: Vec<DeterminismStats>) -> Checkpoint {
        let at = jiff::Timestamp::now();
        let end = EndReason::Interrupted;
        self.end = Some(EndState { at, end, accounting, determinism: again, diagnosis: None });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::counters::record_inputs;
    use understudy_study::parse;

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

    /// Counters of a run with records at these hours.
    struct TestRun {
        study: Study,
        counters: RunCounters,
    }

    impl TestRun {
        fn new() -> TestRun {
            TestRun { study: study("[interim]\nevery = 2\n"), counters: RunCounters::new(1) }
        }

        fn came(&mut self, kind: StreamKind, hours: &[i64]) {
            let times: Vec<i64> = hours.iter().map(|hour| hour * HOUR).collect();
            self.counters.count_accepted(&self.study, kind, &times);
            if kind == StreamKind::Snapshots {
                let mut clock = WindowClock::new(self.study.windows, self.study.time_zone.clone());
                let windows: Vec<Window> = times.iter().map(|time| clock.window(*time)).collect();
                record_inputs(&self.study, &mut self.counters.inputs, &times, &windows, &[]);
            }
        }

        /// Labels of the reports that are due now.
        fn due(&self, schedule: &mut InterimSchedule) -> Vec<String> {
            std::iter::from_fn(|| schedule.due(&self.counters)).map(|(_, label)| label).collect()
        }

        fn schedule(&self, known: &[&str]) -> InterimSchedule {
            InterimSchedule::new(&self.study, known.iter().map(|label| (*label).to_owned()).collect())
                .unwrap()
        }
    }

    #[test]
    fn a_report_is_due_when_nothing_can_join_its_windows_any_more() {
        let mut run = TestRun::new();
        let mut schedule = run.schedule(&[]);
        assert_eq!(run.due(&mut schedule), [""; 0]);
        run.came(StreamKind::Snapshots, &[10, 60, 80, 130]);
        run.came(StreamKind::Decisions, &[52]);
        // Two days end at 48 h; decisions reach 52 h, minus 3 h of lateness and 2 h of horizon.
        assert_eq!(run.due(&mut schedule), [""; 0]);
        run.came(StreamKind::Decisions, &[53]);
        assert_eq!(run.due(&mut schedule), ["1970-01-02"]);
        run.came(StreamKind::Decisions, &[200]);
        assert_eq!(run.due(&mut schedule), ["1970-01-04"]);
        run.came(StreamKind::Snapshots, &[300]);
        assert_eq!(run.due(&mut schedule), ["1970-01-06"]);
        // A resumed run has the same reports, except for the known ones.
        assert_eq!(run.due(&mut run.schedule(&[])), ["1970-01-02", "1970-01-04", "1970-01-06"]);
        assert_eq!(run.due(&mut run.schedule(&["1970-01-04"])), ["1970-01-02", "1970-01-06"]);
    }

    #[test]
    fn the_first_window_is_fixed_when_nothing_earlier_can_arrive() {
        let mut run = TestRun::new();
        let mut schedule = run.schedule(&[]);
        run.came(StreamKind::Snapshots, &[24]);
        assert_eq!(run.due(&mut schedule), [""; 0]);
        // Within the lateness, and a day earlier.
        run.came(StreamKind::Snapshots, &[23, 100]);
        run.came(StreamKind::Decisions, &[100]);
        assert_eq!(run.due(&mut schedule), ["1970-01-02"]);
    }

    #[test]
    fn windows_without_a_snapshot_are_skipped_in_one_step() {
        let mut run = TestRun::new();
        let mut schedule = run.schedule(&[]);
        run.came(StreamKind::Snapshots, &[10, 24 * 1000 + 1, 24 * 2_000_000]);
        run.came(StreamKind::Decisions, &[24 * 2_000_000]);
        // 1972-09-27 is the thousandth day after the first, and the windows go two by two from the first.
        assert_eq!(run.due(&mut schedule), ["1970-01-02", "1972-09-28"]);
    }

    #[test]
    fn the_latest_interim_snapshot_covers_the_complete_windows() {
        let mut run = TestRun::new();
        let latest = |run: &TestRun| {
            let checkpoint = Checkpoint {
                seal: String::new(),
                groups: 0,
                began: jiff::Timestamp::UNIX_EPOCH,
                counters: run.counters.clone(),
                aggregates: None,
                end: None,
            };
            InterimSnapshot::latest(checkpoint, &run.study).map(|snapshot| snapshot.label)
        };
        assert_eq!(latest(&run), Err(NotReady::Empty));
        run.came(StreamKind::Snapshots, &[10, 60, 80]);
        let open = |clocks: [Option<i64>; 2]| {
            let clocks = PerStream::from(clocks.map(|clock| clock.map(Micros)));
            let label = "1970-01-01".to_owned();
            Err(NotReady::Open {
                label,
                until: PerStream { snapshots: Micros(25 * HOUR), decisions: Micros(29 * HOUR) },
                clocks,
            })
        };
        assert_eq!(latest(&run), open([Some(80 * HOUR), None]));
        run.came(StreamKind::Decisions, &[28]);
        assert_eq!(latest(&run), open([Some(80 * HOUR), Some(28 * HOUR)]));
        run.came(StreamKind::Decisions, &[29]);
        assert_eq!(latest(&run), Ok("1970-01-01".to_owned()));
        // The second day has no snapshot; the third is over when decisions have come 5 h behind its end.
        run.came(StreamKind::Decisions, &[76]);
        assert_eq!(latest(&run), Ok("1970-01-01".to_owned()));
        run.came(StreamKind::Decisions, &[77]);
        assert_eq!(latest(&run), Ok("1970-01-03".to_owned()));
        // Without a declared schedule only pairs and the earliest snapshot are counted.
        run.study = study("");
        run.counters.inputs = Default::default();
        assert_eq!(latest(&run), Ok("1970-01-01".to_owned()));
    }

    #[test]
    fn a_study_without_interim_reports_has_no_schedule() {
        assert!(InterimSchedule::new(&study(""), BTreeSet::new()).is_none());
    }
}
