//! Replaces the plugin of a slot while a served run goes on.
//!
//! A swap has five steps: load and check the candidate, compare it with the current plugin on recent pairs,
//! start the instances, write the ledger's `swap` entry, and let the coordinator switch between two batches.
//! Only the last step is on the path of the records.
//!
//! Invariants:
//! - One swap runs at a time.
//! - The ledger has the `swap` entry on disk before a record belongs to its generation.
//! - A rejected swap leaves the running plugins as they are. At most, the run directory has unused
//!   files.
//!
//! The position of a swap is known only once it is applied, so the ledger gets a second entry then,
//! `swap-applied`. Every logged row carries its generation, and the second entry is a cache of that: recovery
//! restores it from the rows if the process dies in between.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::control::messages::{RunCommand, SwapInstances};
use crate::evaluation::projection::buffered_fields;
use crate::evaluation::recent_pairs::PairSample;
use crate::hot_swap::candidate::{Candidate, load_candidate};
use crate::hot_swap::request::{Replacement, SwapError, SwapRequest, SwapResult};
use crate::hot_swap::shadow_comparison::ShadowComparison;
use crate::hot_swap::swappable_slot::{ComparablePlugin as _, SwappableSlot};
use crate::inference::determinism_check::SharedDeterminismStats;
use crate::plugins::plugin_versions::{PluginVersion, PluginVersions};
use crate::plugins::slot_kind::{ComparatorSlot, MetricSlot, ModelSlot, SlotKind, SlotRef, SlotVersion};
use crate::seal::sealed_study::SealedStudy;
use understudy_run_log::ledger::{Event, Ledger, LedgerError, ShadowResult, SwapTrigger};
use understudy_run_log::write_file;
use understudy_study::{PerStream, Study};

/// The nice value of the thread that loads and compares a candidate: it gets a third of a worker's share of a
/// CPU.
const NICENESS: i32 = 5;

/// Executes swaps in a served run.
pub struct HotSwapper {
    run: PathBuf,
    study: Study,
    buffered_fields: PerStream<Vec<usize>>,
    ledger: Ledger,
    determinism_stats: SharedDeterminismStats,
    commands: mpsc::Sender<RunCommand>,
    versions: Mutex<PluginVersions>,
    /// Whether a write to the ledger has failed, so that it may lack an entry of a swap.
    ledger_incomplete: AtomicBool,
    /// Where the failure counters report a plugin that fails too often.
    alarms: Sender<FailureAlarm>,
}

/// A plugin version that fails more often than the study allows.
struct FailureAlarm {
    slot: SlotRef,
    /// The generation that the version started with.
    since: u32,
}

/// A plugin version that passed the shadow comparison or needs none.
struct ApprovedSwap<P> {
    version: PluginVersion<P>,
    /// SHA-256 of the component that it replaces, in hexadecimal.
    replaces: String,
    shadow: Option<ShadowResult>,
}

impl HotSwapper {
    /// Starts the swapper of a run and its circuit breaker.
    pub(crate) fn start(
        sealed_study: &SealedStudy,
        run: &Path,
        ledger: Ledger,
        determinism_stats: SharedDeterminismStats,
        commands: mpsc::Sender<RunCommand>,
    ) -> std::io::Result<Arc<HotSwapper>> {
        let (alarms, raised) = channel();
        let swapper = Arc::new(HotSwapper {
            run: run.to_owned(),
            study: sealed_study.study.clone(),
            buffered_fields: buffered_fields(sealed_study),
            ledger,
            determinism_stats,
            commands,
            versions: Mutex::new(sealed_study.versions.clone()),
            ledger_incomplete: AtomicBool::new(false),
            alarms,
        });
        let weak = Arc::downgrade(&swapper);
        thread::Builder::new()
            .name("circuit-breaker".to_owned())
            .spawn(move || circuit_breaker_loop(&weak, &raised))?;
        // The current plugins of a resumed run may have been swapped in before.
        let versions = swapper.versions.lock();
        for (_, slot) in SlotRef::all(&versions) {
            match slot {
                SlotRef::Model(index) => swapper.watch_failures(slot, versions.models[index].current()),
                SlotRef::Comparator => swapper.watch_failures(slot, versions.comparator.current()),
                SlotRef::Metric(index) => swapper.watch_failures(slot, versions.metrics[index].current()),
            }
        }
        drop(versions);
        Ok(swapper)
    }

    /// Executes a swap, and blocks until it is applied. Loading and comparing the candidate runs at a lower
    /// priority than the workers.
    ///
    /// # Errors
    /// When the swap is rejected.
    pub fn swap(&self, request: &SwapRequest) -> Result<SwapResult, SwapError> {
        thread::scope(|scope| {
            let run = || {
                // On Linux this sets the priority of the calling thread alone. If it fails, the swap is
                // merely faster.
                let _ = rustix::process::setpriority_process(None, NICENESS);
                self.run_request(request)
            };
            let swapping = thread::Builder::new().name("swap".to_owned()).spawn_scoped(scope, run);
            swapping.map_err(SwapError::Thread)?.join().unwrap_or(Err(SwapError::RunEnding))
        })
    }

    fn run_request(&self, request: &SwapRequest) -> Result<SwapResult, SwapError> {
        if request.reason.trim().is_empty() {
            return Err(SwapError::MissingReason);
        }
        let mut versions = self.versions.lock();
        let slot = SlotRef::find(&versions, &request.slot).ok_or_else(|| SwapError::UnknownSlot {
            name: request.slot.clone(),
            known: SlotRef::all(&versions).iter().map(|(name, _)| format!("\"{name}\"")).collect(),
        })?;
        let trigger = match request.replacement {
            Replacement::Plugin { .. } | Replacement::Model { .. } => SwapTrigger::Operator,
            Replacement::Previous => SwapTrigger::Undo,
        };
        self.swap_slot(&mut versions, slot, request, trigger)
    }

    fn swap_slot(
        &self,
        versions: &mut PluginVersions,
        slot: SlotRef,
        request: &SwapRequest,
        trigger: SwapTrigger,
    ) -> Result<SwapResult, SwapError> {
        match slot {
            SlotRef::Model(index) => self.swap_version::<ModelSlot>(versions, slot, index, request, trigger),
            SlotRef::Comparator => self.swap_version::<ComparatorSlot>(versions, slot, 0, request, trigger),
            SlotRef::Metric(index) => {
                self.swap_version::<MetricSlot>(versions, slot, index, request, trigger)
            }
        }
    }

    fn swap_version<K: SwappableSlot>(
        &self,
        versions: &mut PluginVersions,
        slot: SlotRef,
        index: usize,
        request: &SwapRequest,
        trigger: SwapTrigger,
    ) -> Result<SwapResult, SwapError> {
        let candidate = load_candidate::<K>(&self.study, &self.run, versions, index, request)?;
        let approved = self.evaluate_candidate::<K>(versions, index, &candidate, request, trigger)?;
        self.watch_failures(slot, &approved.version);
        let new = SlotVersion::<K> { index, version: approved.version.clone() };
        let instances = K::start_instances(&self.study, &self.determinism_stats, new)?;
        let name = K::slot(versions, index).name.clone();
        let (version, result) = self.commit::<K>(name, approved, request, trigger, instances)?;
        K::slot_mut(versions, index).push_version(version);
        versions.begin(result.applied.from);
        Ok(result)
    }

    /// Compares a candidate with the current plugin, and decides whether it may take over. If so, the run
    /// directory stores its files.
    fn evaluate_candidate<K: SwappableSlot>(
        &self,
        versions: &PluginVersions,
        index: usize,
        candidate: &Candidate<K::Plugin>,
        request: &SwapRequest,
        trigger: SwapTrigger,
    ) -> Result<ApprovedSwap<K::Plugin>, SwapError> {
        let current = K::slot(versions, index).current();
        let required = self.study.swaps.equivalent;
        let shadow = match trigger {
            SwapTrigger::Fallback => None,
            SwapTrigger::Operator | SwapTrigger::Undo => self.recent_pairs()?.map(|sample| {
                let comparison = ShadowComparison::new(&self.study, &self.buffered_fields, &sample);
                current.plugin.shadow_compare(&comparison, &candidate.plugin)
            }),
        };
        let is_equivalent = shadow.is_some_and(|ShadowResult { pairs, agreeing }| {
            pairs > 0 && agreeing as f64 >= required * pairs as f64
        });
        if !is_equivalent && !request.force && trigger == SwapTrigger::Operator {
            return Err(match shadow {
                Some(ShadowResult { pairs, agreeing }) if pairs > 0 => {
                    let share = understudy_statistics::verdict::format_share(agreeing, pairs);
                    SwapError::NotEquivalent { pairs, agreeing, share, required }
                }
                _ => SwapError::NoPairs,
            });
        }
        let comparator_change = match trigger {
            SwapTrigger::Fallback => current.comparator_change,
            SwapTrigger::Operator | SwapTrigger::Undo => !is_equivalent,
        };
        for (name, bytes) in &candidate.files {
            write_file(&self.run.join(name), bytes)?;
        }
        let Candidate { plugin, component, config, model, .. } = candidate;
        let (plugin, component, config) = (plugin.clone(), component.clone(), config.clone());
        let model = model.clone();
        let generation = versions.generation() + 1;
        let version =
            PluginVersion::new(generation, plugin, component, config, model, trigger, comparator_change);
        Ok(ApprovedSwap { version, replaces: current.component.clone(), shadow })
    }

    /// The most recent pairs; `None` if there are none yet.
    fn recent_pairs(&self) -> Result<Option<PairSample>, SwapError> {
        let (reply, sample) = oneshot::channel();
        let command = RunCommand::SampleRecentPairs(reply);
        self.commands.blocking_send(command).map_err(|_| SwapError::RunEnding)?;
        sample.blocking_recv().map_err(|_| SwapError::RunEnding)
    }

    /// Writes the `swap` entry, has the coordinator apply the swap, and writes the `swap-applied` entry.
    fn commit<K: SlotKind>(
        &self,
        name: String,
        approved: ApprovedSwap<K::Plugin>,
        request: &SwapRequest,
        trigger: SwapTrigger,
        instances: SwapInstances,
    ) -> Result<(PluginVersion<K::Plugin>, SwapResult), SwapError> {
        let ApprovedSwap { version, replaces, shadow } = approved;
        let generation = version.since;
        let (sha256, comparator_change) = (version.component.clone(), version.comparator_change);
        if self.ledger_incomplete.load(Ordering::Relaxed) {
            return Err(SwapError::LedgerIncomplete);
        }
        // Once the run has ended, the ledger has its last entry.
        if self.commands.is_closed() {
            return Err(SwapError::RunEnding);
        }
        let written = self.ledger.append(Event::Swap {
            generation,
            role: K::ROLE.name().to_owned(),
            name: name.clone(),
            sha256: sha256.clone(),
            replaces,
            config: version.config.clone(),
            model: version.model.clone(),
            trigger,
            who: request.who.clone(),
            reason: request.reason.clone(),
            shadow,
            comparator_change,
        });
        self.track_ledger_write(written.map(drop))?;
        let (reply, applied) = oneshot::channel();
        let sent = self.commands.blocking_send(RunCommand::Swap(Box::new(instances), reply));
        let Some(applied) = sent.ok().and_then(|()| applied.blocking_recv().ok()) else {
            self.track_ledger_write(self.ledger.append(Event::SwapAbandoned { generation }).map(drop))?;
            return Err(SwapError::RunEnding);
        };
        let entry =
            Event::SwapApplied { generation, first_sequences: applied.from, snapshot_clock: applied.clock };
        // The swap is in effect even if this write fails; recovery restores the entry from the rows.
        let _ = self.track_ledger_write(self.ledger.append(entry).map(drop));
        Ok((version, SwapResult { name, sha256, applied, shadow, comparator_change }))
    }

    /// Notes whether the ledger may lack an entry. After a failed write this process executes no further
    /// swap.
    fn track_ledger_write(&self, written: Result<(), LedgerError>) -> Result<(), SwapError> {
        self.ledger_incomplete.fetch_or(written.is_err(), Ordering::Relaxed);
        Ok(written?)
    }

    /// Has the failure counter of a swapped-in version raise an alarm at the limits of `[swaps]`.
    fn watch_failures<P>(&self, slot: SlotRef, version: &PluginVersion<P>) {
        if !version.guarded {
            return;
        }
        let (alarms, since) = (self.alarms.clone(), version.since);
        let swaps = &self.study.swaps;
        version.failure_counter.set_alarm(swaps.failed_rows, swaps.failed, move || {
            // The circuit breaker ends with the swapper.
            let _ = alarms.send(FailureAlarm { slot, since });
        });
    }

    /// Restores the version before the one that raised the alarm, if that still has the slot.
    fn fall_back(&self, FailureAlarm { slot, since }: FailureAlarm) {
        let mut versions = self.versions.lock();
        let (name, current, [asked, failed]) = match slot {
            SlotRef::Model(index) => versions.models[index].failure_state(),
            SlotRef::Comparator => versions.comparator.failure_state(),
            SlotRef::Metric(index) => versions.metrics[index].failure_state(),
        };
        if current != since {
            return;
        }
        let request = SwapRequest {
            slot: name,
            replacement: Replacement::Previous,
            force: true,
            who: "understudy".to_owned(),
            reason: format!(
                "it failed on {failed} of {asked} rows; `swaps.failed` allows a share of {}",
                self.study.swaps.failed
            ),
        };
        // This fails only if the run is ending or the log has failed; both are reported elsewhere.
        let _ = self.swap_slot(&mut versions, slot, &request, SwapTrigger::Fallback);
    }
}

/// Falls back from each plugin version whose failure counter raises an alarm, until the swapper is dropped.
fn circuit_breaker_loop(swapper: &Weak<HotSwapper>, alarms: &Receiver<FailureAlarm>) {
    while let Ok(alarm) = alarms.recv() {
        let Some(swapper) = swapper.upgrade() else { return };
        swapper.fall_back(alarm);
    }
}
