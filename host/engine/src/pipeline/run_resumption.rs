//! Resumes an interrupted run from its log, and replays the log into the coordinator.
//!
//! Invariants:
//! - A run resumes only if its sealed content is unchanged, and from exactly the records that its log has.
//! - The statistics are the same whether a run resumes from its last checkpoint, an older one or none.
//!
//! Only the ids, times and digests of records decide how they are accepted and joined. So a new
//! [`IntervalJoin`](understudy_records::join::IntervalJoin) that is fed the accepted rows of the log gets the
//! state of the interrupted one. With a checkpoint, rows that can no longer join are left out, and rows and
//! pairs that it covers are not counted again.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use crate::ingest::readers::Readers;
use crate::join::join_buffer::join_bounds;
use crate::pipeline::coordinator::Coordinator;
use crate::pipeline::initial_state::{InitialState, ReplayPositions};
use crate::pipeline::run_options::RunOptions;
use crate::pipeline::started_run::{ReplayPlan, STUDY, StartedRun, start_sealer, store_plugins};
use crate::plugins::load::LoadedStudy;
use crate::plugins::plugin_versions::SwapApplied;
use crate::recovery::log_replay::{self, LogReplay};
use crate::recovery::pair_position::PairPosition;
use crate::recovery::version_recovery::{UnrecordedSwap, recover_versions};
use crate::seal::manifest::{SEAL, Seal};
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use crate::stats::checkpoint::Checkpoint;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use understudy_run_log::ledger::{DeterminismTotals, Event, Ledger, LedgerState};
use understudy_run_log::retention::finish_interrupted;
use understudy_run_log::{
    CHECKPOINT, Recovered, RunDirectory, checkpoint, last_mark, present, read_file, recover,
};
use understudy_sandbox::sha256_hex;
use understudy_sources as source;
use understudy_study::{PerStream, StreamKind};

/// Resumes the run in a directory, from exactly what its log has.
///
/// # Errors
/// When the study or a plugin has changed since the seal, when files of the run are missing or damaged, or
/// when a source cannot be opened.
pub(super) fn resume_run(
    loaded_study: LoadedStudy,
    directory: RunDirectory,
    options: RunOptions<'_>,
) -> anyhow::Result<StartedRun> {
    let run = directory.path();
    let path = run.display();
    let sealed = read_file(&run.join(SEAL)).map_err(|error| {
        anyhow!(
            "cannot read {path}/{SEAL}: {error}; restore it from a copy to resume the run, or choose another directory with --run"
        )
    })?;
    let seal = Seal::parse(&sealed).map_err(|reason| {
        anyhow!(
            "{path}/{SEAL} is damaged: {reason}; restore it from a copy to resume the run, or choose another directory \
             with --run"
        )
    })?;
    if seal.replay_of.is_some() {
        bail!(
            "{path} contains a replay of another run's log, which cannot be resumed from the sources; choose another directory \
             with --run"
        );
    }
    let seal_digest = sha256_hex(&sealed);
    let (ledger, entries) = Ledger::open(run, options.signer)?;
    let recorded = LedgerState::from_entries(&entries);
    if recorded.start.as_ref().map(|start| &start.seal) != Some(&seal_digest) {
        bail!(
            "{path}/{SEAL} is not the seal that the run started with; restore that from a copy to resume the run, or choose \
             another directory with --run"
        );
    }
    if recorded.closed {
        bail!(
            "{path} already contains a run of this study that has ended; choose another directory with --run"
        );
    }
    let changes = seal.changes(&Seal::from_study(&loaded_study, seal.sealed_at));
    if !changes.is_empty() {
        bail!(
            "{path} contains a run of this study that has not ended, and its sealed content has changed: {}; undo the change \
             to resume the run, or choose another directory with --run",
            changes.join(", ")
        );
    }
    finish_interrupted(run, &entries)?;
    present(run, &entries)?;
    store_plugins(&loaded_study, &directory)?;
    restore_declaration(
        &loaded_study,
        &directory,
        recorded.start.as_ref().map(|start| start.study_toml.as_str()),
    )?;
    let recovered = recover(run, recorded.groups, recorded.position)?;
    let mut study = SealedStudy::new(loaded_study, &seal);
    let unrecorded_swap = recover_versions(&mut study, run, &recorded, recovered.next)?;
    let loaded_study = &study.loaded;
    let checkpoint = read_checkpoint(run, &seal_digest, &recorded);
    if checkpoint.is_none() && !recorded.reduced.is_empty() {
        bail!(
            "{path}/{CHECKPOINT} is missing or damaged, and only it has the sums of the snapshots whose fields were deleted under \
             `log.retain`; restore it from a copy to resume the run"
        );
    }
    let mut positions = PerStream::default();
    for kind in StreamKind::ALL {
        let position = match recovered.marks[kind] {
            Some(position) => Some(position),
            None => last_mark(run, kind)?,
        };
        let declared = loaded_study.study.source(kind);
        positions[kind] =
            position.map(|(_, position)| source::SourcePosition::from_record(declared, position));
    }
    let mut readers = Readers::open(loaded_study, options.order, positions)?;
    if recorded.ended {
        // The pairs of the end are in the log; a further decision could contradict them.
        readers.receivers = PerStream::default();
    }
    ledger.append(Event::RunResumed {
        position: recovered.next,
        interruption: recorded.interruption().to_owned(),
        truncated: recovered.cut,
        damaged: damaged_segments(run, &recovered),
    })?;
    match unrecorded_swap {
        Some(UnrecordedSwap::Made(SwapApplied { generation, from, clock, .. })) => {
            ledger.append(Event::SwapApplied { generation, first_sequences: from, snapshot_clock: clock })?;
        }
        Some(UnrecordedSwap::NotMade(generation)) => {
            ledger.append(Event::SwapAbandoned { generation })?;
        }
        None => {}
    }
    for kind in StreamKind::ALL {
        let declared = loaded_study.study.source(kind);
        if !source::is_replayable(declared, &loaded_study.folder) {
            let reason = "the source is not replayable; records that arrived while the run was stopped are missing from the log";
            ledger.append(Event::SourceGap { stream: kind.name().to_owned(), reason: reason.to_owned() })?;
        }
    }
    let checkpoint_groups = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.groups);
    let positions = replay_positions(&study, run, checkpoint.as_ref(), &recorded)?;
    let rows = [recovered.rows[0] as usize, recovered.rows[1] as usize, recovered.rows[2] as usize];
    let empty = || Aggregates::new(loaded_study);
    let (started_at, counters, aggregates) = match checkpoint {
        Some(Checkpoint { began, counters: counted, aggregates: saved_aggregates, .. }) => {
            (began, counted, saved_aggregates.unwrap_or_else(empty))
        }
        None => (
            recorded.start.as_ref().map_or(seal.sealed_at, |start| start.at),
            RunCounters::new(loaded_study.models.len()),
            empty(),
        ),
    };
    let determinism = loaded_study.models.iter().map(|model| {
        let totals = recorded.determinism.get(&model.name).cloned().unwrap_or_default();
        let DeterminismTotals { rows, mismatches, first_id } = totals;
        DeterminismStats { rows, mismatches, first_id, sequences: Vec::new() }
    });
    let determinism = determinism.collect();
    let PerStream { snapshots, decisions } = recovered.next;
    let mut notice = format!(
        "{path} contains a run that {}; it resumes after {snapshots} snapshots and {decisions} decisions",
        recorded.interruption()
    );
    let lost = recovered.cut.iter().sum::<u64>();
    if lost > 0 {
        notice.push_str(&format!(
            ". {lost} records of its log were behind a damaged or missing segment and are removed: a file is read again from \
             there, standard input is not ({})",
            match &damaged_segments(run, &recovered)[..] {
                [] => "a segment is missing".to_owned(),
                damaged => damaged.join("; "),
            }
        ));
    }
    let initial = InitialState {
        seal: seal_digest,
        started_at,
        groups: recorded.groups,
        rows,
        counters,
        aggregates,
        determinism,
        interim_reports: recorded.interim_windows,
    };
    let sealer = start_sealer(loaded_study, &directory, &ledger, recorded.excluded, &entries);
    let replay = ReplayPlan {
        next_sequences: recovered.next,
        checkpoint_groups,
        positions,
        ended: recorded.ended,
        notice,
    };
    Ok(StartedRun {
        study,
        directory,
        ledger,
        seal,
        sealer,
        recovered,
        initial,
        replay: Some(replay),
        readers,
    })
}

/// Replays the log of a resumed run into its coordinator.
///
/// # Errors
/// When the log cannot be read, or its rows do not fit the study.
pub(crate) fn replay_log(
    coordinator: &mut Coordinator<'_>,
    run: &Path,
    replay: &ReplayPlan,
) -> anyhow::Result<()> {
    let sealed_study = coordinator.sealed_study;
    coordinator.replay_positions = Some(replay.positions);
    let mut log = LogReplay::open(sealed_study, run, coordinator.retention_watermarks())?;
    while let Some((kind, batch)) = log.next(&coordinator.join_buffer.join)? {
        let counted_to = coordinator.counters.position[kind];
        for (rows, is_counted) in log_replay::split(&batch, counted_to) {
            let counters = (!is_counted).then_some(&mut coordinator.counters);
            let pairs = log.feed(&mut coordinator.join_buffer, counters, kind, &rows)?;
            coordinator.evaluate(pairs);
        }
    }
    if replay.ended {
        let pairs = coordinator.join_buffer.finish()?;
        coordinator.evaluate(pairs);
        coordinator.counters.ended = true;
    }
    log_replay::count_excluded(sealed_study, run, replay.checkpoint_groups, &mut coordinator.counters)?;
    coordinator.replay_positions = None;
    coordinator.counters.position = replay.next_sequences;
    coordinator.next_sequences = replay.next_sequences;
    log_replay::accounting(&mut coordinator.join_buffer, &coordinator.counters);
    coordinator.begin_published_blocks();
    Ok(())
}

/// Which pairs the checkpoint and the sealed groups of the log have.
fn replay_positions(
    sealed_study: &SealedStudy,
    run: &Path,
    checkpoint: Option<&Checkpoint>,
    recorded: &LedgerState,
) -> anyhow::Result<ReplayPositions> {
    let rule = (join_bounds(&sealed_study.study), sealed_study.study.revisions);
    let evaluated = match checkpoint.map(|checkpoint| &checkpoint.counters) {
        Some(counters) => {
            PairPosition::new(counters.position, counters.clocks.decisions, counters.ended, rule)
        }
        None => PairPosition::new(PerStream::default(), None, false, rule),
    };
    let clock = match rule.1.are_accepted() && !recorded.ended {
        true => log_replay::decision_clock(run, recorded.position.decisions)?,
        false => None,
    };
    let logged = PairPosition::new(recorded.position, clock, recorded.ended, rule);
    Ok(ReplayPositions { evaluated, logged })
}

/// The checkpoint; `None` if it is missing, damaged, of another run, or of a group that is not sealed.
fn read_checkpoint(run: &Path, seal: &str, recorded: &LedgerState) -> Option<Checkpoint> {
    let checkpoint: Checkpoint = checkpoint::decode(&read_file(&run.join(CHECKPOINT)).ok()?).ok()?;
    let is_usable =
        checkpoint.seal == seal && checkpoint.groups <= recorded.groups && checkpoint.aggregates.is_some();
    is_usable.then_some(checkpoint)
}

/// The segments that end in the middle of a row, each as its path in the run directory and the reason.
fn damaged_segments(run: &Path, recovered: &Recovered) -> Vec<String> {
    let line = |(path, reason): &(PathBuf, String)| {
        format!("{}: {reason}", path.strip_prefix(run).unwrap_or(path).display())
    };
    recovered.torn.iter().map(line).collect()
}

/// Restores the `study.toml` that the run started with, if it is missing or changed. The study's file may
/// have other comments or another layout by now, so it is used only if it is the same to the byte.
fn restore_declaration(
    loaded_study: &LoadedStudy,
    directory: &RunDirectory,
    started_with: Option<&str>,
) -> anyhow::Result<()> {
    let path = directory.path().join(STUDY);
    let is_original = |bytes: &[u8]| started_with == Some(&sha256_hex(bytes));
    if read_file(&path).is_ok_and(|stored| is_original(&stored)) {
        return Ok(());
    }
    if !is_original(loaded_study.text.as_bytes()) {
        bail!(
            "{} is not the file that the run started with, and {} differs from that in comments or layout; restore it from a \
             copy to resume the run",
            path.display(),
            loaded_study.path.display()
        );
    }
    Ok(directory.write(STUDY, loaded_study.text.as_bytes())?)
}
