//! Ends segment groups: the log seals each one, and the evaluator writes a checkpoint of the same records.
//!
//! Invariant: a group ends between two calls of the coordinator, when counters, log and evaluator cover the same records.

use super::Coordinator;
use crate::evaluation::pair_evaluator::EvaluatorMessage;
use crate::stats::aggregates::Aggregates;
use crate::stats::checkpoint::{Checkpoint, EndState};
use crate::stats::determinism::DeterminismStats;
use understudy_records::join::Account;
use understudy_run_log::GroupBoundary;
use understudy_run_log::ledger::Event;

impl Coordinator<'_> {
    /// Ends the open segment group if it is full or old.
    pub(super) fn rotate_group_if_due(&mut self) {
        self.publish_status();
        let log = &self.sealed_study.study.log;
        let group = &self.open_group;
        // The first mismatch goes to the ledger at once, so that it survives a process that is killed.
        let has_first_mismatch = || {
            self.determinism.iter().all(|stats| stats.mismatches == 0)
                && self.workers.determinism_stats().has_mismatches()
        };
        if group.is_full(log) || (!group.is_empty() && (group.is_old(log) || has_first_mismatch())) {
            self.rotate_group();
        }
    }

    /// Ends the open segment group: the log seals it, and the evaluator writes a checkpoint.
    pub(super) fn rotate_group(&mut self) {
        let exclusions = self.counters.accounts.map(Account::exclusions);
        self.open_group = self.open_group.next();
        let stats = self.workers.determinism_stats().drain();
        let events = self.record_determinism(stats);
        let (covers, ended) = (self.counters.position, self.counters.ended);
        let settled = self.retention_watermarks().snapshots;
        self.log_failed |= !self.log.end_records(GroupBoundary {
            position: covers,
            excluded: exclusions,
            ended,
            events,
            settled,
        });
        let _ =
            self.evaluator_queue.send(EvaluatorMessage::RotateGroup(Box::new(self.checkpoint(None, None))));
    }

    /// Adds new results of the determinism check, and returns their ledger events.
    pub(super) fn record_determinism(&mut self, stats: Vec<DeterminismStats>) -> Vec<Event> {
        let mut events = Vec::new();
        for ((total, stats), model) in self.determinism.iter_mut().zip(stats).zip(&self.sealed_study.models) {
            if stats.rows > 0 {
                events.push(Event::DeterminismChecked {
                    model: model.name.clone(),
                    rows: stats.rows,
                    mismatches: stats.mismatches,
                    sequences: stats.sequences.clone(),
                    first_id: stats.first_id.clone(),
                });
            }
            total.add(DeterminismStats { sequences: Vec::new(), ..stats });
        }
        events
    }

    /// A checkpoint of the coordinator's state. The evaluator adds the aggregates.
    pub(crate) fn checkpoint(&self, aggregates: Option<Aggregates>, ended: Option<EndState>) -> Checkpoint {
        Checkpoint {
            seal: self.seal.clone(),
            groups: self.open_group.number,
            began: self.started_at,
            counters: self.counters.clone(),
            aggregates,
            end: ended,
        }
    }
}
