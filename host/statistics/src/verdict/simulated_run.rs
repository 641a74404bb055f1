//! Builds runs for simulations and tests of verdicts. Nothing disturbs these runs, and they have only pairs.

use jiff::Timestamp;

use super::{Facts, PairCounts, RunResults};
use crate::scoring::{
    Cells, CellsShape, Conditions, InputCounts, RecordCounts, RevisionSums, SelfAgreementSums,
    VerdictEvidence,
};
use understudy_records::join::{Account, Accounting};
use understudy_study::{Micros, PerStream, Study, Threshold};

/// The sums of a simulated run. It has no excluded records, no revisions and no repeated input classes.
pub struct SimulatedRun {
    /// The counts and scores of the pairs.
    pub cells: Cells,
    /// The sums of the threshold's metric.
    pub evidence: VerdictEvidence,
    /// The snapshots.
    pub inputs: InputCounts,
    records: RecordCounts,
    revisions: RevisionSums,
    self_agreement: SelfAgreementSums,
}

impl SimulatedRun {
    /// A run without pairs.
    pub fn new(shape: CellsShape) -> SimulatedRun {
        SimulatedRun {
            revisions: RevisionSums::new(shape.clone()),
            cells: Cells::new(shape),
            evidence: VerdictEvidence::default(),
            inputs: InputCounts::default(),
            records: RecordCounts::default(),
            self_agreement: SelfAgreementSums::default(),
        }
    }

    /// The results of the closed run. Each stream has `pairs` records, and all of them are compared. `clock` is the
    /// latest event time of both streams.
    pub fn results(&self, pairs: u64, clock: Micros) -> RunResults<'_> {
        let account = Account { received: pairs, ..Account::default() };
        RunResults {
            closed: true,
            clocks: PerStream::splat(Some(clock)),
            accounting: Accounting { snapshots: account, decisions: account },
            pairs: PairCounts { compared: pairs, incomparable: 0 },
            inputs: &self.inputs,
            records: &self.records,
            cells: &self.cells,
            revisions: &self.revisions,
            self_agreement: &self.self_agreement,
            evidence: &self.evidence,
        }
    }
}

impl<'f> Facts<'f> {
    /// The facts of a run that nothing disturbed: nothing was shown, changed, shed or cut off, and the threshold
    /// declares no reference. The metric is a share, and the seal is older than all records.
    pub fn undisturbed(
        study: &'f Study,
        threshold: &'f Threshold,
        conditions: &'f Conditions,
        results: RunResults<'f>,
    ) -> Facts<'f> {
        Facts {
            study,
            threshold,
            conditions,
            seal: "",
            sealed_at: Timestamp::UNIX_EPOCH,
            results,
            range: (Some(0.0), Some(1.0)),
            references: &[],
            source_failure: None,
            interferences: &[],
            shed: 0,
            cut_offs: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_of_a_simulated_run_has_a_record_for_each_pair() {
        let run = SimulatedRun::new(CellsShape { conditions: vec![2], models: 1, components: vec![1] });
        let results = run.results(80, Micros(7));
        let Accounting { snapshots, decisions } = results.accounting;
        assert_eq!((snapshots.received, decisions.received, results.pairs.compared), (80, 80, 80));
        assert_eq!((results.closed, results.clocks), (true, PerStream::splat(Some(Micros(7)))));
    }
}
