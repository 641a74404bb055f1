//! The state of a run as its ledger records it: one fold over the entries.
//!
//! Invariants: the state depends on the entries alone; a later entry takes precedence over an earlier one;
//! entries that contradict earlier ones are reported, never ignored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ledger::check::LedgerFault;
use crate::ledger::entry::Entry;
use crate::ledger::event::{Event, FileDigest, Segment, ShadowResult, SwapTrigger};
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

/// What became of an approved swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapOutcome {
    /// The ledger does not record it: the process may have ended before it could.
    Unrecorded,
    /// The swap took effect.
    Applied {
        /// The first sequence number of each stream that belongs to the generation.
        first_sequences: PerStream<u64>,
        /// The latest event time among the snapshots accepted before the swap.
        snapshot_clock: Option<Timestamp>,
    },
    /// The swap did not take effect.
    Abandoned,
}

/// A swap, from its approval to its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSwap {
    /// When the swap was approved.
    pub at: Timestamp,
    /// The generation that the swap begins, from 1.
    pub generation: u32,
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// The name of the plugin slot in the study.
    pub name: String,
    /// SHA-256 of the new component, in hexadecimal.
    pub sha256: String,
    /// The new plugin's configuration, a JSON object.
    pub config: String,
    /// What caused the swap.
    pub trigger: SwapTrigger,
    /// Result of the shadow comparison, unless the swap was forced without one.
    pub shadow: Option<ShadowResult>,
    /// Whether the swap was forced although the answers may differ.
    pub comparator_change: bool,
    /// What became of the swap.
    pub outcome: SwapOutcome,
    /// Per stream, the lowest position from which the run was resumed after the swap; `None` if it never was.
    /// Records from there on were read again, by the plugins that ran then.
    pub resumed_from: Option<PerStream<u64>>,
}

/// An event that may have influenced decisions, or that changes what later results are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedInterference {
    /// The index of the entry that records it.
    pub index: usize,
    /// The kind of interference.
    pub kind: InterferenceKind,
    /// Decisions from this time on may be affected.
    pub since: Timestamp,
    /// Where the interference comes from.
    pub source: InterferenceSource,
}

/// Where an interference comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterferenceSource {
    /// Answers were shown.
    Exposure {
        /// Who was shown them.
        who: String,
        /// The command that showed them.
        command: String,
        /// The number of rows.
        rows: u64,
    },
    /// An operator disclosed it.
    Disclosure {
        /// Who disclosed it.
        who: String,
        /// What is known about it.
        text: String,
    },
    /// A swap was a comparator change: a plugin was swapped although its answers may differ.
    Swap {
        /// `model`, `comparator` or `metric`.
        role: String,
        /// The name of the plugin slot in the study.
        name: String,
        /// Result of the shadow comparison, unless the swap was forced without one.
        shadow: Option<ShadowResult>,
    },
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
    /// Excluded records of each stream.
    pub excluded: PerStream<ExclusionCounts>,
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
    pub contradictions: Vec<LedgerFault>,
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
            |what: String| contradictions.push(LedgerFault { line: entry.entry as usize + 1, what });
        match &entry.event {
            Event::RunStarted { seal, study_toml, version, key, .. } => {
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
                    });
                }
            }
            Event::GroupSealed { group, segments, position } => {
                if position.iter().zip(self.position.iter()).any(|(now, before)| now < before) {
                    contradiction("it covers fewer records than an earlier entry".to_owned());
                }
                self.groups = group + 1;
                self.position = *position;
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
                (self.end, self.stopped) = (None, false);
                for swap in &mut self.swaps {
                    let lowest = swap.resumed_from.unwrap_or(*position);
                    swap.resumed_from = Some(PerStream::from_fn(|kind| lowest[kind].min(position[kind])));
                }
                if let Some(verdict) = &mut self.verdict {
                    verdict.resumed_since = true;
                }
            }
            Event::RunStopped { files, .. } => (self.end, self.stopped) = (Some(files.clone()), true),
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
mod tests {
    use super::*;

    fn time(minute: i64) -> Timestamp {
        Timestamp::from_second(1_772_359_200 + 60 * minute).expect("a time")
    }

    /// A ledger of these events, one a minute.
    fn entries(events: Vec<Event>) -> Vec<Entry> {
        let entry = |(number, event)| {
            let (at, previous) = (time(number as i64), String::new());
            Entry { entry: number as u64, at, previous, event }
        };
        events.into_iter().enumerate().map(entry).collect()
    }

    fn state(events: Vec<Event>) -> LedgerState {
        LedgerState::from_entries(&entries(events))
    }

    fn started() -> Event {
        Event::RunStarted {
            study: "rooms".to_owned(),
            seal: "a".repeat(64),
            study_toml: "b".repeat(64),
            version: "0.1.0".to_owned(),
            key: None,
        }
    }

    fn segment(file: &str, rows: u64) -> Segment {
        let sha256 = format!("{file} with {rows} rows");
        Segment { file: file.to_owned(), sha256, bytes: 9, rows, sequences: None }
    }

    fn sealed(group: u32, files: &[&str], position: PerStream<u64>) -> Event {
        let segments = files.iter().map(|file| segment(file, 5)).collect();
        Event::GroupSealed { group, segments, position }
    }

    fn resumed(position: PerStream<u64>) -> Event {
        let interruption = "was cut off".to_owned();
        Event::RunResumed { position, interruption, truncated: PerStream::default(), damaged: Vec::new() }
    }

    fn swap(generation: u32, comparator_change: bool) -> Event {
        Event::Swap {
            generation,
            role: "comparator".to_owned(),
            name: "rules".to_owned(),
            sha256: "c".repeat(64),
            replaces: "d".repeat(64),
            config: "{}".to_owned(),
            trigger: SwapTrigger::Operator,
            who: "ana".to_owned(),
            reason: "to see".to_owned(),
            shadow: None,
            comparator_change,
        }
    }

    fn applied(generation: u32, first_sequences: PerStream<u64>) -> Event {
        Event::SwapApplied { generation, first_sequences, snapshot_clock: None }
    }

    fn contradictions(events: Vec<Event>) -> Vec<(usize, String)> {
        state(events).contradictions.into_iter().map(|fault| (fault.line, fault.what)).collect()
    }

    #[test]
    fn an_empty_ledger_has_no_start_and_was_cut_off() {
        let state = state(Vec::new());
        assert_eq!((state.start.clone(), state.interruption()), (None, "was cut off"));
        assert_eq!(state, LedgerState::default());
    }

    #[test]
    fn sealed_groups_add_up() {
        let state = state(vec![
            started(),
            sealed(0, &["a"], PerStream::from([5, 0])),
            sealed(1, &["b", "c"], PerStream::from([7, 3])),
        ]);
        assert_eq!((state.groups, state.position), (2, PerStream::from([7, 3])));
        assert_eq!(state.segments.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(state.start.map(|start| start.at), Some(time(0)));
        assert_eq!(state.contradictions, []);
    }

    #[test]
    fn a_reduced_segment_takes_the_place_of_the_earlier_one() {
        let reduced = |before: Segment| Event::SegmentReduced {
            before,
            after: segment("a", 4),
            dropped_columns: vec!["raw".to_owned()],
        };
        let state =
            state(vec![started(), sealed(0, &["a"], PerStream::from([5, 0])), reduced(segment("a", 5))]);
        assert_eq!(state.segments["a"], segment("a", 4));
        assert_eq!(state.reduced, BTreeSet::from(["a".to_owned()]));
        assert_eq!(state.contradictions, []);
        assert_eq!(
            contradictions(vec![
                started(),
                sealed(0, &["a"], PerStream::from([5, 0])),
                reduced(segment("a", 6))
            ]),
            [(3, "a did not have the recorded content before it was reduced".to_owned())]
        );
    }

    #[test]
    fn entries_that_contradict_earlier_ones_are_reported() {
        assert_eq!(
            contradictions(vec![
                started(),
                sealed(0, &["a"], PerStream::from([5, 2])),
                sealed(1, &["a"], PerStream::from([6, 1])),
                started()
            ]),
            [
                (3, "it covers fewer records than an earlier entry".to_owned()),
                (3, "a was sealed before".to_owned()),
                (4, "a run is started only once".to_owned()),
            ]
        );
    }

    #[test]
    fn a_run_has_ended_until_it_is_resumed() {
        let stopped = Event::RunStopped { reason: "SIGTERM".to_owned(), files: Vec::new() };
        let ended = |events| {
            let state = state(events);
            (state.end.is_some(), state.closed, state.interruption())
        };
        assert_eq!(ended(vec![started()]), (false, false, "was cut off"));
        assert_eq!(ended(vec![started(), stopped.clone()]), (true, false, "was stopped"));
        assert_eq!(
            ended(vec![started(), stopped.clone(), resumed(PerStream::default())]),
            (false, false, "was cut off")
        );
        let closed = Event::RunClosed { files: Vec::new() };
        let (end, closed, _) = ended(vec![started(), stopped, resumed(PerStream::default()), closed]);
        assert!(end && closed);
    }

    #[test]
    fn determinism_checks_add_up_and_the_first_mismatch_stays() {
        let check = |mismatches, id: &str| Event::DeterminismChecked {
            model: "forest".to_owned(),
            rows: 10,
            mismatches,
            sequences: Vec::new(),
            first_id: id.to_owned(),
        };
        let state = state(vec![started(), check(0, ""), check(2, "b-7"), check(1, "b-9")]);
        let totals = DeterminismTotals { rows: 30, mismatches: 3, first_id: "b-7".to_owned() };
        assert_eq!(state.determinism, BTreeMap::from([("forest".to_owned(), totals)]));
    }

    #[test]
    fn an_outcome_belongs_to_the_swap_before_it() {
        let outcomes = |events| {
            let state = state(events);
            state.swaps.into_iter().map(|swap| swap.outcome).collect::<Vec<_>>()
        };
        let made = SwapOutcome::Applied { first_sequences: PerStream::from([5, 3]), snapshot_clock: None };
        assert_eq!(outcomes(vec![started(), swap(1, false), applied(1, PerStream::from([5, 3]))]), [made]);
        assert_eq!(outcomes(vec![started(), swap(1, false)]), [SwapOutcome::Unrecorded]);
        let abandoned = Event::SwapAbandoned { generation: 1 };
        assert_eq!(
            outcomes(vec![
                started(),
                swap(1, false),
                abandoned,
                swap(1, false),
                applied(1, PerStream::from([5, 3]))
            ]),
            [SwapOutcome::Abandoned, made]
        );
        assert_eq!(
            outcomes(vec![started(), swap(1, false), swap(2, false), applied(1, PerStream::from([5, 3]))]),
            [SwapOutcome::Unrecorded, SwapOutcome::Unrecorded]
        );
    }

    #[test]
    fn the_lowest_position_of_later_resumptions_is_kept_for_each_swap() {
        let state = state(vec![
            started(),
            resumed(PerStream::from([1, 1])),
            swap(1, false),
            resumed(PerStream::from([9, 4])),
            swap(2, false),
            resumed(PerStream::from([8, 6])),
        ]);
        let resumed: Vec<_> = state.swaps.iter().map(|swap| swap.resumed_from).collect();
        assert_eq!(resumed, [Some(PerStream::from([8, 4])), Some(PerStream::from([8, 6]))]);
    }

    #[test]
    fn interferences_are_exposures_disclosures_and_applied_comparator_changes() {
        let exposure = |rows, since| Event::Exposure {
            who: "ana".to_owned(),
            command: "case".to_owned(),
            rows,
            ids: String::new(),
            withheld: 0,
            since,
        };
        let disclosure = Event::Disclosure {
            interference: InterferenceKind::Exposure,
            who: "bo".to_owned(),
            text: "a screen".to_owned(),
            since: time(-9),
        };
        let state = state(vec![
            started(),
            exposure(0, Some(time(-1))),
            exposure(3, None),
            exposure(3, Some(time(-2))),
            disclosure,
            swap(1, true),
            swap(2, true),
            applied(2, PerStream::from([5, 3])),
            swap(3, false),
            applied(3, PerStream::from([5, 3])),
        ]);
        let found: Vec<_> = state.interferences.iter().map(|found| (found.index, found.since)).collect();
        assert_eq!(found, [(3, time(-2)), (4, time(-9)), (7, time(7))]);
    }

    #[test]
    fn the_latest_verdict_counts_and_whether_the_run_was_resumed_after_it() {
        let verdict = |closed| Event::Verdict {
            file: FileDigest { file: "verdict.json".to_owned(), sha256: "e".repeat(64) },
            closed,
            position: PerStream::from([5, 3]),
            rulings: Vec::new(),
        };
        let latest = |events| state(events).verdict.map(|v| (v.index, v.closed, v.resumed_since));
        assert_eq!(latest(vec![started()]), None);
        assert_eq!(
            latest(vec![started(), verdict(false), resumed(PerStream::from([5, 3]))]),
            Some((1, false, true))
        );
        assert_eq!(
            latest(vec![started(), verdict(false), resumed(PerStream::from([5, 3])), verdict(true)]),
            Some((3, true, false))
        );
    }
}
