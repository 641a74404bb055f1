//! The state of a run as its ledger records it: one fold over the entries.
//!
//! Invariants: the state depends on the entries alone; a later entry takes precedence over an earlier one;
//! entries that contradict earlier ones are reported, never ignored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::chained_lines::LineFault;
use crate::ledger::entry::Entry;
use crate::ledger::event::{Event, FileDigest, RunRegistration, Segment, ShedCounts, StopReason};
use crate::ledger::recorded_interference::{InterferenceSource, RecordedInterference};
use crate::ledger::recorded_swap::{RecordedSwap, SwapOutcome};
use understudy_records::join::ExclusionCounts;
use understudy_study::{InterferenceKind, PerStream};

/// What the first entry records about the start of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// When the run started.
    pub at: Timestamp,
    /// SHA-256 of `seal.json`, in hexadecimal.
    pub seal: String,
    /// SHA-256 of the run's `study.toml`, in hexadecimal.
    pub study_toml: String,
    /// The version of understudy that started the run.
    pub version: String,
    /// The verifier key of the ledger's signed head, if the ledger is signed.
    pub key: Option<String>,
    /// The run in the register of seals, if the study names one.
    pub register: Option<RunRegistration>,
}

/// Determinism checks of one model, added up over the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeterminismTotals {
    /// Snapshots that the model answered a second time.
    pub rows: u64,
    /// Snapshots whose second answer differs from the first.
    pub mismatches: u64,
    /// The id of the first mismatch; empty if there is none.
    pub first_id: String,
}

/// The latest verdict in a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedVerdict {
    /// The index of its entry.
    pub index: usize,
    /// The verdict's file.
    pub file: FileDigest,
    /// Whether the run was closed at that time.
    pub closed: bool,
    /// Whether the run was resumed afterwards.
    pub resumed_since: bool,
}

/// The state of a run as its ledger records it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerState {
    /// The start of the run; `None` if the first entry does not record one.
    pub start: Option<RunStart>,
    /// The number of sealed groups.
    pub groups: u32,
    /// Records of each stream in the sealed groups.
    pub position: PerStream<u64>,
    /// With revisions: whether the sources have ended, and a sealed group has the pairs that this settles.
    pub ended: bool,
    /// Excluded records of each stream.
    pub excluded: PerStream<ExclusionCounts>,
    /// Mirrored requests that never became a record.
    pub shed: ShedCounts,
    /// How often the run was resumed although no stop was recorded: its process was killed or crashed.
    pub cut_offs: u64,
    /// The error of the source that stopped the run, if it has not been resumed since.
    pub source_failure: Option<String>,
    /// Determinism checks by model.
    pub determinism: BTreeMap<String, DeterminismTotals>,
    /// The sealed segments by file, as they are now.
    pub segments: BTreeMap<String, Segment>,
    /// The files of the segments whose columns were dropped.
    pub reduced: BTreeSet<String>,
    /// The last window of each interim report.
    pub interim_windows: BTreeSet<String>,
    /// SHA-256 of each file of an interim report.
    pub interim_files: BTreeMap<String, String>,
    /// The swaps, in order.
    pub swaps: Vec<RecordedSwap>,
    /// The interferences, in the order of the ledger.
    pub interferences: Vec<RecordedInterference>,
    /// The latest verdict.
    pub verdict: Option<RecordedVerdict>,
    /// The derived files, if the run was stopped or closed and not resumed since.
    pub end: Option<Vec<FileDigest>>,
    /// Whether the run was stopped in an orderly way since it was started or resumed.
    pub stopped: bool,
    /// Whether the run was closed: its sources ended, and it cannot be resumed.
    pub closed: bool,
    /// Entries that contradict earlier ones.
    pub contradictions: Vec<LineFault>,
}

impl LedgerState {
    /// Folds the entries of a ledger, from its first one.
    pub fn from_entries(entries: &[Entry]) -> LedgerState {
        let mut state = LedgerState::default();
        for (index, entry) in entries.iter().enumerate() {
            state.apply(index, entry);
        }
        state
    }

    /// How the run was interrupted, as the end of "the run ...".
    pub fn interruption(&self) -> &'static str {
        if self.stopped { "was stopped" } else { "was cut off" }
    }

    /// The swap that begins a generation.
    pub fn swap(&self, generation: u32) -> Option<&RecordedSwap> {
        self.swaps.iter().find(|swap| swap.generation == generation)
    }

    fn apply(&mut self, index: usize, entry: &Entry) {
        let mut contradictions = Vec::new();
        let mut contradiction =
            |what: String| contradictions.push(LineFault { line: entry.entry as usize + 1, what });
        match &entry.event {
            Event::RunStarted { seal, study_toml, version, key, register, .. } => {
                if entry.entry > 0 {
                    contradiction("a run is started only once".to_owned());
                }
                if index == 0 {
                    self.start = Some(RunStart {
                        at: entry.at,
                        seal: seal.clone(),
                        study_toml: study_toml.clone(),
                        version: version.clone(),
                        key: key.clone(),
                        register: register.clone(),
                    });
                }
            }
            Event::GroupSealed { group, segments, position, ended } => {
                if position.iter().zip(self.position.iter()).any(|(now, before)| now < before) {
                    contradiction("it covers fewer records than an earlier entry".to_owned());
                }
                self.groups = group + 1;
                self.position = *position;
                self.ended |= ended;
                for segment in segments {
                    if self.segments.insert(segment.file.clone(), segment.clone()).is_some() {
                        contradiction(format!("{} was sealed before", segment.file));
                    }
                }
            }
            Event::SegmentReduced { before, after, .. } => {
                if self.segments.insert(before.file.clone(), after.clone()).as_ref() != Some(before) {
                    contradiction(format!(
                        "{} did not have the recorded content before it was reduced",
                        before.file
                    ));
                }
                self.reduced.insert(after.file.clone());
            }
            Event::RecordsExcluded { snapshots, decisions } => {
                self.excluded = PerStream { snapshots: *snapshots, decisions: *decisions }
            }
            Event::RequestsShed { refused, lost } => {
                self.shed.refused += refused;
                self.shed.lost += lost;
            }
            Event::DeterminismChecked { model, rows, mismatches, first_id, .. } => {
                let totals = self.determinism.entry(model.clone()).or_default();
                if totals.mismatches == 0 {
                    totals.first_id.clone_from(first_id);
                }
                totals.rows += rows;
                totals.mismatches += mismatches;
            }
            Event::InterimReport { window, files } => {
                self.interim_windows.insert(window.clone());
                let files = files.iter().map(|file| (file.file.clone(), file.sha256.clone()));
                self.interim_files.extend(files);
            }
            Event::Swap { .. } | Event::SwapApplied { .. } | Event::SwapAbandoned { .. } => {
                self.apply_swap(index, entry);
            }
            Event::Exposure { who, command, rows, since: Some(since), .. } if *rows > 0 => {
                let source =
                    InterferenceSource::Exposure { who: who.clone(), command: command.clone(), rows: *rows };
                let (kind, since) = (InterferenceKind::Exposure, *since);
                self.interferences.push(RecordedInterference { index, kind, since, source });
            }
            Event::Disclosure { interference, who, text, since } => {
                let source = InterferenceSource::Disclosure { who: who.clone(), text: text.clone() };
                let (kind, since) = (*interference, *since);
                self.interferences.push(RecordedInterference { index, kind, since, source });
            }
            Event::Verdict { file, closed, .. } => {
                let (file, closed) = (file.clone(), *closed);
                self.verdict = Some(RecordedVerdict { index, file, closed, resumed_since: false });
            }
            Event::RunResumed { position, .. } => {
                self.cut_offs += u64::from(!self.stopped);
                (self.end, self.stopped, self.source_failure) = (None, false, None);
                for swap in &mut self.swaps {
                    let lowest = swap.resumed_from.unwrap_or(*position);
                    swap.resumed_from = Some(PerStream::from_fn(|kind| lowest[kind].min(position[kind])));
                }
                if let Some(verdict) = &mut self.verdict {
                    verdict.resumed_since = true;
                }
            }
            Event::RunStopped { files, reason } => {
                (self.end, self.stopped) = (Some(files.clone()), true);
                self.source_failure = match reason {
                    StopReason::Interrupted => None,
                    StopReason::SourceFailed(error) => Some(error.clone()),
                };
            }
            Event::RunClosed { files } => (self.end, self.closed) = (Some(files.clone()), true),
            Event::PluginLoaded { .. }
            | Event::SourceGap { .. }
            | Event::Exposure { .. }
            | Event::ReviewSample { .. }
            | Event::Review { .. }
            | Event::Note { .. } => {}
        }
        self.contradictions.append(&mut contradictions);
    }

    /// Applies an entry about a swap. An outcome belongs to the swap before it, if that began the same
    /// generation.
    fn apply_swap(&mut self, index: usize, entry: &Entry) {
        let (generation, outcome) = match &entry.event {
            Event::Swap {
                generation,
                role,
                name,
                sha256,
                config,
                model,
                trigger,
                shadow,
                comparator_change,
                ..
            } => {
                self.swaps.push(RecordedSwap {
                    at: entry.at,
                    generation: *generation,
                    role: role.clone(),
                    name: name.clone(),
                    sha256: sha256.clone(),
                    config: config.clone(),
                    model: model.clone(),
                    trigger: *trigger,
                    shadow: *shadow,
                    comparator_change: *comparator_change,
                    outcome: SwapOutcome::Unrecorded,
                    resumed_from: None,
                });
                return;
            }
            Event::SwapApplied { generation, first_sequences, snapshot_clock } => {
                let (first_sequences, snapshot_clock) = (*first_sequences, *snapshot_clock);
                (generation, SwapOutcome::Applied { first_sequences, snapshot_clock })
            }
            Event::SwapAbandoned { generation } => (generation, SwapOutcome::Abandoned),
            _ => return,
        };
        let pending = |swap: &&mut RecordedSwap| {
            swap.generation == *generation && swap.outcome == SwapOutcome::Unrecorded
        };
        let Some(swap) = self.swaps.last_mut().filter(pending) else { return };
        swap.outcome = outcome;
        if let SwapOutcome::Applied { snapshot_clock, .. } = outcome
            && swap.comparator_change
        {
            let (role, name, shadow) = (swap.role.clone(), swap.name.clone(), swap.shadow);
            self.interferences.push(RecordedInterference {
                index,
                kind: InterferenceKind::ComparatorChange,
                since: snapshot_clock.unwrap_or(entry.at),
                source: InterferenceSource::Swap { role, name, shadow },
            });
        }
    }
}

#[cfg(test)]
mod tests;
