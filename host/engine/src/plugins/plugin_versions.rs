//! Which plugin plays which part for which record: a part may be given to another plugin while a run goes on.
//!
//! Each exchange begins a *generation*, counted from 1; 0 is what was sealed. It holds from a sequence number of each stream
//! on. A snapshot or decision is of the generation that was in force when it was taken up; a pair is of the later one of
//! its two records.
//!
//! Always holds: of which generation a record or a pair is depends on sequence numbers alone, so it comes out the same
//! whenever the log is read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::plugins::load::Member;
use understudy_run_log::ledger::SwapKind;
use understudy_sandbox::{DeciderPlugin, ScorerPlugin};
use understudy_study::{Plugin, Study};

/// A plugin that has a part from some generation on.
#[derive(Clone)]
pub struct Turn<P> {
    /// The generation with which it came.
    pub since: u32,
    /// The plugin.
    pub plugin: P,
    /// SHA-256 of its component, in hexadecimal.
    pub component: String,
    /// Its configuration, a JSON object.
    pub config: String,
    /// Whether those before it answered otherwise.
    pub new_yardstick: bool,
    /// Whether the one before it comes back if it fails too often.
    pub guarded: bool,
    /// How it does.
    pub watch: Arc<Watch>,
}

impl<P> Turn<P> {
    /// A plugin that takes a part from a generation on.
    pub fn new(
        since: u32,
        plugin: P,
        component: String,
        config: String,
        how: SwapKind,
        new_yardstick: bool,
    ) -> Turn<P> {
        // One that came back by itself has nobody before it that failed less.
        let guarded = how != SwapKind::FellBack;
        Turn { since, plugin, component, config, new_yardstick, guarded, watch: Arc::default() }
    }
}

/// How often a plugin was asked for a row, and had no answer because it failed.
#[derive(Debug, Default)]
pub struct Watch {
    asked: AtomicU64,
    failed: AtomicU64,
}

impl Watch {
    /// Counts rows.
    pub fn count(&self, asked: usize, failed: usize) {
        self.failed.fetch_add(failed as u64, Ordering::Relaxed);
        self.asked.fetch_add(asked as u64, Ordering::Relaxed);
    }

    /// Rows that it was asked for, and those that it failed on.
    pub fn counts(&self) -> [u64; 2] {
        let asked = self.asked.load(Ordering::Relaxed);
        [asked, self.failed.load(Ordering::Relaxed).min(asked)]
    }
}

/// A part, and who had it: at least one, in the order in which they came.
#[derive(Clone)]
pub struct Part<P> {
    /// Its name in the study.
    pub name: String,
    turns: Vec<Turn<P>>,
}

impl<P> Part<P> {
    fn sealed(name: &str, plugin: P, component: &str, declared: &Plugin) -> Part<P> {
        let (component, config) = (component.to_owned(), declared.config.to_string());
        let (new_yardstick, guarded, watch) = (false, false, Arc::default());
        let turn = Turn { since: 0, plugin, component, config, new_yardstick, guarded, watch };
        Part { name: name.to_owned(), turns: vec![turn] }
    }

    /// Who has it in a generation.
    pub fn at(&self, generation: u32) -> &Turn<P> {
        let after = self.turns.partition_point(|turn| turn.since <= generation);
        &self.turns[after.saturating_sub(1)]
    }

    /// Who has it now.
    pub fn now(&self) -> &Turn<P> {
        self.at(u32::MAX)
    }

    /// Who had it before the one that has it now.
    pub fn before(&self) -> Option<&Turn<P>> {
        self.turns.len().checked_sub(2).map(|at| &self.turns[at])
    }

    /// Its name, whether the one before comes back if the one that has it fails too often, and how that does.
    pub fn guarded(&self) -> (String, bool, [u64; 2]) {
        let now = self.now();
        (self.name.clone(), now.guarded, now.watch.counts())
    }

    /// Gives it to another plugin.
    pub fn give(&mut self, turn: Turn<P>) {
        self.turns.push(turn);
    }
}

/// All the parts of a study.
#[derive(Clone)]
pub struct PluginVersions {
    /// From which sequence number of each stream on each generation holds, from the first exchange on.
    from: Vec<[u64; 2]>,
    /// The models, in the order declared.
    pub models: Vec<Part<DeciderPlugin>>,
    /// The comparator.
    pub comparator: Part<DeciderPlugin>,
    /// The metrics, in the order declared.
    pub metrics: Vec<Part<ScorerPlugin>>,
}

impl PluginVersions {
    /// The plugins that were sealed.
    pub fn sealed(
        study: &Study,
        models: &[Member<DeciderPlugin>],
        comparator: &Member<DeciderPlugin>,
        metrics: &[Member<ScorerPlugin>],
    ) -> PluginVersions {
        let decider = |member: &Member<DeciderPlugin>, declared: &Plugin| {
            Part::sealed(&member.name, member.plugin.clone(), &member.file.digest, declared)
        };
        let metric = |(member, declared): (&Member<ScorerPlugin>, &Plugin)| {
            Part::sealed(&member.name, member.plugin.clone(), &member.file.digest, declared)
        };
        PluginVersions {
            from: Vec::new(),
            models: models.iter().zip(&study.models).map(|(member, own)| decider(member, own)).collect(),
            comparator: decider(comparator, &study.comparator),
            metrics: metrics.iter().zip(&study.metrics).map(metric).collect(),
        }
    }

    /// Begins a generation with these sequence numbers, and gives its number.
    pub fn begin(&mut self, from: [u64; 2]) -> u32 {
        self.from.push(from);
        self.generation()
    }

    /// The generation that is in force.
    pub fn generation(&self) -> u32 {
        self.from.len() as u32
    }

    /// From which sequence numbers on a generation holds; the sealed one from the beginning.
    pub fn begins(&self, generation: u32) -> [u64; 2] {
        match generation {
            0 => [0; 2],
            later => self.from[later as usize - 1],
        }
    }

    /// The generation of a record of a side.
    pub fn of(&self, side: understudy_records::batch::Side, sequence: u64) -> u32 {
        self.from.partition_point(|from| from[side as usize] <= sequence) as u32
    }

    /// The generation of a pair, by the sequence numbers of its snapshot and its decision.
    pub fn of_pair(&self, sequences: [u64; 2]) -> u32 {
        let [snapshot, decision] =
            understudy_records::batch::Side::BOTH.map(|side| self.of(side, sequences[side as usize]));
        snapshot.max(decision)
    }
}
