//! What a run does for those who serve it: it exchanges plugins, and tells where it stands.
//!
//! Always holds: this happens between two batches, on the thread that conducts, and costs records next to nothing.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::control::messages::{Exchange, Exchanged, PluginStanding, Standing};
use crate::evaluation::evaluator::{JudgeExchange, Work};
use crate::evaluation::recent_pairs::Sample;
use crate::inference::determinism_check::Tally;
use crate::inference::worker_pool;
use crate::pipeline::coordinator::Coordinator;
use crate::stats::checkpoint::Saved;
use understudy_records::batch::Side;

/// How often it is said where the run stands.
const STANDS: Duration = Duration::from_millis(100);

impl Coordinator<'_> {
    /// Gives a part to another plugin, from the next records on. What was taken before is ended by the old one.
    pub(crate) fn exchange(&mut self, exchange: Exchange) -> Exchanged {
        let started = Instant::now();
        let from = self.next;
        let generation = self.cast.begin(from);
        let judge = match exchange {
            Exchange::Model { index, turn, models } => {
                self.workers
                    .exchange(models.into_iter().map(|model| worker_pool::Exchange(index, model)).collect());
                self.cast.models[index].give(turn.clone());
                JudgeExchange::Model(index, turn)
            }
            Exchange::Comparator { turn, decider } => {
                self.workers.exchange(Vec::new());
                self.cast.comparator.give(turn.clone());
                JudgeExchange::Comparator(turn, decider)
            }
            Exchange::Metric { index, turn, scorer } => {
                self.workers.exchange(Vec::new());
                self.cast.metrics[index].give(turn.clone());
                JudgeExchange::Metric(index, turn, scorer)
            }
        };
        let _ = self.work.send(Work::Exchange(from, Box::new(judge)));
        let clock = self.holding.pairing.clock(Side::Snapshot);
        let clock = clock.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let nanos = started.elapsed().as_nanos() as u64;
        Exchanged { generation, from, clock, at: Timestamp::now(), nanos }
    }

    /// Gives the latest pairs to whoever wants to try a plugin on them.
    pub(crate) fn recent(&mut self, shown: oneshot::Sender<Option<Sample>>) {
        let _ = self.work.send(Work::Recent(shown));
    }

    /// What it takes to make models for the threads that answer.
    pub(crate) fn tally(&self) -> Tally {
        self.workers.tally()
    }

    /// Shows where the run stands, as if it were looked at now.
    pub(crate) fn peek(&mut self, shown: oneshot::Sender<Saved>) {
        let saved = self.saved(None, None).as_ended(self.holding.pairing.accounting(), self.again.clone());
        let _ = self.work.send(Work::Peek(Box::new(saved), shown));
    }

    /// Shows no progress on standard error: a run that is served tells where it stands itself.
    pub(crate) fn silence(&mut self) {
        self.progress.silence();
    }

    /// Where the run stands, from now on.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Says where the run stands, if somebody wants to know and it was not said of late.
    pub(crate) fn stands(&mut self) {
        if self.standing.receiver_count() == 0 || self.stood.elapsed() < STANDS {
            return;
        }
        self.stood = Instant::now();
        let time = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let _ = self.standing.send(Standing {
            at: Some(Timestamp::now()),
            began: Some(self.began),
            accounting: self.holding.pairing.standing(),
            clocks: self.counted.clocks.map(time),
            in_flight: self.in_flight(),
            groups: self.group.number,
            models: self.counted.models(),
            incidents: self.counted.incidents.count(),
            generation: self.cast.generation(),
            plugins: PluginStanding::of(&self.cast),
        });
    }
}
