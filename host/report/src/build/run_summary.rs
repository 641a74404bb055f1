//! Conversion of the engine's counts into the report's own types.

use crate::model::run_summary::{
    DeterminismSummary, ExcludedExample, LatencySummary, MissingAnswers, MissingKind, MissingValues,
    PluginFailure, RunEnd, SubstrateLatencySummary,
};
use understudy_engine::{
    DeterminismStats, EndReason, FailureGroup, LatencyPercentiles, ListedExclusion, RunResult,
    SubstrateLatency, UnansweredGroup, UnansweredKind,
};
use understudy_study::{StreamKind, Study};

/// How the run ended.
pub(super) fn run_end(end: &EndReason) -> RunEnd {
    match end {
        EndReason::Finished => RunEnd::Finished,
        EndReason::Interrupted => RunEnd::Interrupted,
        EndReason::SourceBroke(messages) => RunEnd::SourceFailed(messages.clone()),
        EndReason::Interim { window } => RunEnd::Interim { window: window.clone() },
    }
}

/// The quantiles of a latency distribution, in nanoseconds.
pub(super) fn latency_summary(latency: LatencyPercentiles) -> LatencySummary {
    let LatencyPercentiles { count, p50, p90, p99, max } = latency;
    LatencySummary { count, p50, p90, p99, max }
}

/// Quantiles of the time from a snapshot to its decision, in nanoseconds, and the number of decisions dated before it.
pub(super) fn substrate_latency(latency: SubstrateLatency) -> SubstrateLatencySummary {
    SubstrateLatencySummary { latency: latency_summary(latency.after), dated_before_snapshot: latency.before }
}

/// The result of the determinism check; `with_id` is false before the run has ended.
pub(super) fn determinism_summary(check: &DeterminismStats, with_id: bool) -> DeterminismSummary {
    DeterminismSummary {
        checked: check.rows,
        mismatches: check.mismatches,
        first_id: if with_id { check.first_id.clone() } else { String::new() },
    }
}

/// Failures of one plugin with the same cause.
pub(super) fn plugin_failure(failure: &FailureGroup) -> PluginFailure {
    PluginFailure {
        plugin: failure.plugin.clone(),
        message: failure.what.clone(),
        example: failure.example.clone(),
        count: failure.count,
        first_id: failure.first_id.clone(),
        first_sequence: Some(failure.first),
    }
}

/// Missing answers of one plugin with the same reason.
pub(super) fn missing_answers(group: &UnansweredGroup) -> MissingAnswers {
    MissingAnswers {
        plugin: group.plugin.clone(),
        kind: match group.kind {
            UnansweredKind::Abstained => MissingKind::Abstained,
            UnansweredKind::Failed => MissingKind::Failed,
        },
        reason: group.reason.clone(),
        count: group.count,
        first_id: group.first_id.clone(),
        example: group.example.clone(),
    }
}

/// The declared fields that some accepted record has no value of.
pub(super) fn missing_values(outcome: &RunResult, study: &Study) -> Vec<MissingValues> {
    let of_stream = |kind: StreamKind| {
        let account = match kind {
            StreamKind::Snapshots => &outcome.accounting.snapshots,
            StreamKind::Decisions => &outcome.accounting.decisions,
        };
        let records = account.received - account.exclusions().total();
        let counts = study.stream(kind).fields.iter().zip(&outcome.missing_values[kind]);
        counts.filter(|(_, missing)| **missing > 0).map(move |(field, missing)| MissingValues {
            stream: kind.name().to_owned(),
            field: field.name.clone(),
            missing: *missing,
            records,
        })
    };
    StreamKind::ALL.into_iter().flat_map(of_stream).collect()
}

/// An excluded record.
pub(super) fn excluded_example(record: &ListedExclusion, study: &Study) -> ExcludedExample {
    let kind = StreamKind::ALL.into_iter().find(|kind| kind.name() == record.stream);
    ExcludedExample {
        stream: record.stream.clone(),
        line: record.line,
        position: kind.map_or("line", |kind| study.source(kind).position_name()).to_owned(),
        reason: record.class.clone(),
        detail: record.reason.clone(),
    }
}
