//! Evaluates the threshold of a study over the results of a run.
//!
//! Invariants: the threshold is the one in the seal; the same results and the same ledger give the same
//! verdict, byte for byte.

use anyhow::{Context as _, bail};

use super::interferences::interference_events;
use understudy_engine::{Checkpoint, Seal, SealedStudy, conditions, ranking_order_remark};
use understudy_run_log::CHECKPOINT;
use understudy_run_log::ledger::{Entry, LedgerState};
use understudy_sandbox::sha256_hex;
use understudy_statistics::scoring::{AnswerHistogram, DistributionsBySlice};
use understudy_statistics::verdict::{Facts, KnownTries, RunResults, Verdict, determine_verdict};

/// The results in the checkpoint of an ended run; `None` if the checkpoint is that of a run that has not
/// ended.
fn checkpoint_results(saved: &Checkpoint, closed: bool) -> Option<RunResults<'_>> {
    let (aggregates, ended) = saved.aggregates.as_ref().zip(saved.end.as_ref())?;
    Some(RunResults {
        closed,
        clocks: saved.counters.clocks,
        accounting: ended.accounting,
        pairs: aggregates.comparison,
        inputs: &saved.counters.inputs,
        records: &saved.counters.records,
        cells: &aggregates.cells,
        revisions: &aggregates.revisions,
        evidence: &aggregates.evidence,
        self_agreement: &aggregates.self_agreement,
    })
}

/// The verdict on a closed run, from its checkpoint and the entries of its ledger before the verdict. `tries` are
/// the other tries of the study that were known then.
///
/// # Errors
/// If the checkpoint is not that of an ended run, or the study declares no threshold.
pub(crate) fn closed_verdict(
    sealed_study: &SealedStudy,
    seal: &str,
    saved: &Checkpoint,
    entries: &[Entry],
    tries: KnownTries,
) -> anyhow::Result<Verdict> {
    let Some(results) = checkpoint_results(saved, true) else {
        bail!(
            "cannot use {CHECKPOINT}: it belongs to a run that has not ended; run `understudy verify` for details"
        )
    };
    let recorded = LedgerState::from_entries(entries);
    let verdict = evaluate_threshold(sealed_study, seal, &recorded, results, distributions(saved)?)?;
    Ok(Verdict { tries, ..verdict })
}

/// The verdict for an interim report. `saved` contains only the windows that the report covers.
///
/// # Errors
/// If the study declares no threshold, or its metric fails.
pub(crate) fn interim_verdict(
    sealed_study: &SealedStudy,
    seal: &Seal,
    saved: &Checkpoint,
    entries: &[Entry],
) -> anyhow::Result<Verdict> {
    let results = checkpoint_results(saved, false).context("an interim report has sums")?;
    let tries = if seal.names_register() { KnownTries::NotRead } else { KnownTries::NoRegister };
    let seal = sha256_hex(seal.to_json().as_bytes());
    let recorded = LedgerState::from_entries(entries);
    let verdict = evaluate_threshold(sealed_study, &seal, &recorded, results, distributions(saved)?)?;
    Ok(Verdict { tries, ..verdict })
}

/// The distributions of answers in a checkpoint.
fn distributions(saved: &Checkpoint) -> anyhow::Result<&DistributionsBySlice> {
    let aggregates = saved.aggregates.as_ref().context("the checkpoint has no sums")?;
    Ok(&aggregates.answer_distributions)
}

/// Evaluates the threshold. `seal` is the SHA-256 of the seal, in hexadecimal; `distributions` are those of the answers
/// that the results cover.
///
/// # Errors
/// If the study declares no threshold or is not sealed, or the threshold's metric fails.
pub(crate) fn evaluate_threshold(
    sealed_study: &SealedStudy,
    seal: &str,
    recorded: &LedgerState,
    results: RunResults<'_>,
    distributions: &DistributionsBySlice,
) -> anyhow::Result<Verdict> {
    let threshold = sealed_study.study.threshold.as_ref().context("the study declares no threshold")?;
    let metric = &sealed_study.metrics[threshold.metric];
    let mut scorer = sealed_study.versions.metrics[threshold.metric].current().plugin.instance();
    let mut failure = None;
    let mut reduce = |pairs, sums: &[f64]| match scorer.reduce(pairs, sums) {
        Ok(figure) => figure,
        Err(what) => {
            failure.get_or_insert(what);
            None
        }
    };
    let interferences = interference_events(&recorded.interferences);
    let facts = Facts {
        study: &sealed_study.study,
        threshold,
        conditions: &conditions(&sealed_study.study),
        seal,
        sealed_at: sealed_study.sealed_at,
        results,
        range: metric.plugin.range,
        references: &sealed_study.references,
        interferences: &interferences,
        shed: recorded.shed.total(),
        cut_offs: recorded.cut_offs,
        source_failure: recorded.source_failure.as_deref(),
    };
    let mut verdict = determine_verdict(&facts, &mut reduce);
    for (model, found) in verdict.models.iter_mut().enumerate() {
        if let AnswerHistogram::Rankings(positions) = distributions.fold(model, |_| true) {
            let config = &sealed_study.study.metrics[threshold.metric].config;
            let metric = &sealed_study.versions.metrics[threshold.metric].current().plugin;
            found.remark = ranking_order_remark(metric, config, positions.longest);
        }
    }
    match failure {
        Some(what) => bail!("metric \"{}\": {what}", metric.name),
        None => Ok(verdict),
    }
}
