//! The version history of each plugin slot: swaps replace plugins during a run.
//!
//! Each swap starts a *generation*, counted from 1; 0 is the sealed one. A generation starts at one sequence
//! number of each stream. A record belongs to the generation that is active when it is accepted, a pair to
//! the later one of its two records.
//!
//! Invariants: the generation of a record or pair depends on sequence numbers alone, so it is the same
//! whenever the log is read back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::plugins::loaded_plugin::LoadedPlugin;
use jiff::Timestamp;
use understudy_run_log::ledger::{SwapTrigger, SwappedModel};
use understudy_sandbox::{DeciderPlugin, ScorerPlugin, UsagePause};
use understudy_study::{Nanos, PerStream, Plugin, Study};

/// A version of a plugin slot: the plugin that fills it from some generation on.
#[derive(Clone)]
pub struct PluginVersion<P> {
    /// The generation that this version started with; 0 for the sealed one.
    pub since: u32,
    /// The plugin.
    pub plugin: P,
    /// SHA-256 of the component, in hexadecimal.
    pub component: String,
    /// The configuration, a JSON object.
    pub config: String,
    /// The trained model that the plugin runs, if a swap has replaced the sealed one.
    pub model: Option<SwappedModel>,
    /// Whether the swap to this version was a comparator change: forced although the shadow comparison did not show
    /// equivalent answers.
    pub comparator_change: bool,
    /// Whether the previous version replaces this one if it fails too often.
    pub guarded: bool,
    /// Counts calls and failures of this version.
    pub failure_counter: Arc<FailureCounter>,
}

impl<P> PluginVersion<P> {
    /// A version that starts with generation `since`.
    pub fn new(
        since: u32,
        plugin: P,
        component: String,
        config: String,
        model: Option<SwappedModel>,
        how: SwapTrigger,
        comparator_change: bool,
    ) -> PluginVersion<P> {
        // The predecessor of a version that the circuit breaker restored is the one that failed.
        let falls_back = how != SwapTrigger::Fallback;
        PluginVersion {
            since,
            plugin,
            component,
            config,
            model,
            comparator_change,
            guarded: falls_back,
            failure_counter: Arc::default(),
        }
    }
}

/// Counts the rows that a plugin version was called for, and those that it failed on.
#[derive(Default)]
pub struct FailureCounter {
    asked: AtomicU64,
    failed: AtomicU64,
    alarm: OnceLock<Alarm>,
}

/// A bound on the failures of a plugin version, and what is called once when they cross it.
struct Alarm {
    min_rows: u64,
    max_share: f64,
    raised: AtomicBool,
    raise: Box<dyn Fn() + Send + Sync>,
}

impl FailureCounter {
    /// Adds rows, and raises the alarm if the failures have crossed its bound.
    pub fn count(&self, asked: usize, failed: usize) {
        self.failed.fetch_add(failed as u64, Ordering::Relaxed);
        self.asked.fetch_add(asked as u64, Ordering::Relaxed);
        self.check_alarm();
    }

    /// The rows that the plugin was called for, and those that it failed on.
    pub fn counts(&self) -> [u64; 2] {
        let asked = self.asked.load(Ordering::Relaxed);
        [asked, self.failed.load(Ordering::Relaxed).min(asked)]
    }

    /// Has `raise` called once the plugin fails on more than a share of the rows, from 0 to 1. Below
    /// `min_rows` rows there is no alarm. Only the first call sets an alarm.
    pub fn set_alarm(&self, min_rows: u64, max_share: f64, raise: impl Fn() + Send + Sync + 'static) {
        let (raised, raise) = (AtomicBool::new(false), Box::new(raise));
        // An alarm that is already set stays.
        let _ = self.alarm.set(Alarm { min_rows, max_share, raised, raise });
        self.check_alarm();
    }

    fn check_alarm(&self) {
        let Some(alarm) = self.alarm.get() else { return };
        let [asked, failed] = self.counts();
        let is_crossed = asked >= alarm.min_rows && failed as f64 > alarm.max_share * asked as f64;
        if is_crossed && !alarm.raised.swap(true, Ordering::Relaxed) {
            (alarm.raise)();
        }
    }
}

/// A plugin slot with its versions, oldest first; there is at least one.
#[derive(Clone)]
pub struct PluginSlot<P> {
    /// The slot's name in the study.
    pub name: String,
    versions: Vec<PluginVersion<P>>,
}

impl<P> PluginSlot<P> {
    fn sealed(name: &str, plugin: P, component: &str, declared: &Plugin) -> PluginSlot<P> {
        let (component, config) = (component.to_owned(), declared.config.to_string());
        let (comparator_change, guarded, failure_counter) = (false, false, Arc::default());
        let version = PluginVersion {
            since: 0,
            plugin,
            component,
            config,
            model: None,
            comparator_change,
            guarded,
            failure_counter,
        };
        PluginSlot { name: name.to_owned(), versions: vec![version] }
    }

    /// The version that is active in a generation.
    pub fn version_at(&self, generation: u32) -> &PluginVersion<P> {
        let after = self.versions.partition_point(|version| version.since <= generation);
        &self.versions[after.saturating_sub(1)]
    }

    /// The version that is active now.
    pub fn current(&self) -> &PluginVersion<P> {
        self.version_at(u32::MAX)
    }

    /// The version before the active one, if there is one.
    pub fn previous(&self) -> Option<&PluginVersion<P>> {
        self.versions.len().checked_sub(2).map(|at| &self.versions[at])
    }

    /// The slot's name, the generation of its current version, and the rows that this version was called for
    /// and failed on.
    pub fn failure_state(&self) -> (String, u32, [u64; 2]) {
        let current = self.current();
        (self.name.clone(), current.since, current.failure_counter.counts())
    }

    /// All versions, in the order in which they were current.
    pub fn versions(&self) -> &[PluginVersion<P>] {
        &self.versions
    }

    /// Adds a version, which becomes the active one.
    pub fn push_version(&mut self, version: PluginVersion<P>) {
        self.versions.push(version);
    }
}

/// The versions of all plugin slots of a study.
#[derive(Clone)]
pub struct PluginVersions {
    /// Per generation from 1: the first sequence number of each stream.
    from: Vec<PerStream<u64>>,
    /// The models, in the order declared.
    pub models: Vec<PluginSlot<DeciderPlugin>>,
    /// The comparator.
    pub comparator: PluginSlot<DeciderPlugin>,
    /// The metrics, in the order declared.
    pub metrics: Vec<PluginSlot<ScorerPlugin>>,
}

impl PluginVersions {
    /// The sealed plugins, as version 0 of each slot.
    pub fn sealed(
        study: &Study,
        models: &[LoadedPlugin<DeciderPlugin>],
        comparator: &LoadedPlugin<DeciderPlugin>,
        metrics: &[LoadedPlugin<ScorerPlugin>],
    ) -> PluginVersions {
        let decider = |member: &LoadedPlugin<DeciderPlugin>, declared: &Plugin| {
            PluginSlot::sealed(&member.name, member.plugin.clone(), &member.file.digest, declared)
        };
        let metric = |(member, declared): (&LoadedPlugin<ScorerPlugin>, &Plugin)| {
            PluginSlot::sealed(&member.name, member.plugin.clone(), &member.file.digest, declared)
        };
        PluginVersions {
            from: Vec::new(),
            models: models.iter().zip(&study.models).map(|(member, own)| decider(member, own)).collect(),
            comparator: decider(comparator, &study.comparator),
            metrics: metrics.iter().zip(&study.metrics).map(metric).collect(),
        }
    }

    /// Leaves all calls of all versions out of the published usage until the returned values are dropped.
    pub fn pause_usage(&self) -> Vec<UsagePause> {
        let deciders = self.models.iter().chain([&self.comparator]).flat_map(PluginSlot::versions);
        let metrics = self.metrics.iter().flat_map(PluginSlot::versions);
        let deciders = deciders.map(|version| version.plugin.usage_counters());
        let metrics = metrics.map(|version| version.plugin.usage_counters());
        deciders.chain(metrics).map(|counters| counters.pause()).collect()
    }

    /// Starts a generation at these sequence numbers, and returns its number.
    pub fn begin(&mut self, from: PerStream<u64>) -> u32 {
        self.from.push(from);
        self.generation()
    }

    /// The generation that is active now.
    pub fn generation(&self) -> u32 {
        self.from.len() as u32
    }

    /// The first sequence number of each stream that belongs to a generation; 0 for the sealed one.
    pub fn begins(&self, generation: u32) -> PerStream<u64> {
        match generation {
            0 => PerStream::default(),
            later => self.from[later as usize - 1],
        }
    }

    /// The generation of a record, by stream and sequence number.
    pub fn generation_of_record(&self, kind: understudy_study::StreamKind, sequence: u64) -> u32 {
        self.from.partition_point(|from| from[kind] <= sequence) as u32
    }

    /// The generation of a pair: the later one of its two records.
    pub fn generation_of_pair(&self, sequences: PerStream<u64>) -> u32 {
        let [snapshot, decision] =
            understudy_study::StreamKind::ALL.map(|kind| self.generation_of_record(kind, sequences[kind]));
        snapshot.max(decision)
    }
}

/// A swap that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapApplied {
    /// The generation that the swap started.
    pub generation: u32,
    /// The first sequence number of each stream that belongs to the generation.
    pub from: PerStream<u64>,
    /// The latest event time among the snapshots accepted before.
    pub clock: Option<Timestamp>,
    /// When the swap took effect.
    pub at: Timestamp,
    /// How long the swap blocked the coordinator, in ns; 0 if unknown.
    pub pause: Nanos,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn an_alarm_is_raised_once_when_failures_cross_the_bound() {
        let counter = FailureCounter::default();
        let raised = Arc::new(AtomicUsize::new(0));
        let count = raised.clone();
        counter.count(50, 50);
        counter.set_alarm(100, 0.25, move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(raised.load(Ordering::Relaxed), 0, "too few rows");
        counter.count(150, 0);
        assert_eq!(raised.load(Ordering::Relaxed), 0, "exactly at the bound");
        counter.count(1, 1);
        counter.count(10, 10);
        assert_eq!(raised.load(Ordering::Relaxed), 1);
    }
}
