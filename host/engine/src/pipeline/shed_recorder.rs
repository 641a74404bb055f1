//! Records in the ledger how many mirrored requests never became a record.
//!
//! Invariants: the entries add up to the counts; a process that is killed loses the counts of at most
//! `INTERVAL`.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ingest::shed_counter::ShedCounter;
use understudy_run_log::ledger::{Event, Ledger, LedgerError, ShedCounts};

/// The time between two entries, if there is something to record.
const INTERVAL: Duration = Duration::from_secs(60);

/// A thread that records the counts during a run.
pub(crate) struct ShedRecorder {
    /// Dropped to stop the thread.
    stop: Sender<()>,
    thread: JoinHandle<Unrecorded>,
}

/// The counter, with the counts that the ledger already has.
struct Unrecorded {
    counter: ShedCounter,
    ledger: Ledger,
    recorded: ShedCounts,
}

impl ShedRecorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system cannot start the thread.
    pub fn start(counter: ShedCounter, ledger: Ledger) -> std::io::Result<ShedRecorder> {
        let (stop, stopped) = channel();
        let mut unrecorded = Unrecorded { counter, ledger, recorded: ShedCounts::default() };
        let record = move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // What cannot be recorded now is recorded later, at the latest at the end.
                let _ = unrecorded.record();
            }
            unrecorded
        };
        let thread = thread::Builder::new().name("shed-recorder".to_owned()).spawn(record)?;
        Ok(ShedRecorder { stop, thread })
    }

    /// Stops the thread and records what is left.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub fn finish(self) -> Result<(), LedgerError> {
        drop(self.stop);
        match self.thread.join() {
            Ok(mut unrecorded) => unrecorded.record(),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Unrecorded {
    /// Records what was counted since the last entry, if anything was.
    fn record(&mut self) -> Result<(), LedgerError> {
        let counts = self.counter.counts();
        if counts != self.recorded {
            self.ledger.append(Event::RequestsShed {
                refused: counts.refused - self.recorded.refused,
                lost: counts.lost - self.recorded.lost,
            })?;
            self.recorded = counts;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use understudy_run_log::ledger::LedgerState;

    use super::*;

    #[test]
    fn the_entries_of_several_processes_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::create(folder.path(), None).unwrap();
        for (refused, lost) in [(3, 0), (0, 0), (2, 4)] {
            let counter = ShedCounter::default();
            let recorder = ShedRecorder::start(counter.clone(), ledger.clone()).unwrap();
            (0..refused).for_each(|_| counter.count_refused());
            (0..lost).for_each(|_| counter.count_lost());
            recorder.finish().unwrap();
        }
        let (_, entries) = Ledger::open(folder.path(), None).unwrap();
        // Nothing to record is no entry.
        assert_eq!(entries.len(), 2);
        assert_eq!(LedgerState::from_entries(&entries).shed, ShedCounts { refused: 5, lost: 4 });
    }
}
