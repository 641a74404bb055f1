//! The three kinds of plugin slots: models, comparator and metrics.
//!
//! Code that treats all kinds alike is generic over [`SlotKind`].

use std::path::Path;

use crate::plugins::compile_cache_folder::compile_cache_folder;
use crate::plugins::plugin_versions::{PluginSlot, PluginVersion, PluginVersions};
use understudy_sandbox::{
    Assets, ComponentFile, DeciderPlugin, PluginRole, Sandbox, SandboxError, ScorerPlugin,
};

/// A plugin that can be replaced.
pub trait ReplaceablePlugin: Clone {
    /// The files that the plugin received.
    fn assets(&self) -> Assets;

    /// Loads another component or configuration with these assets. Compiled code is kept in the folder `cache`.
    ///
    /// # Errors
    /// When the component cannot be compiled, has another role or rejects its configuration.
    fn load_replacement(
        &self,
        sandbox: &Sandbox,
        role: PluginRole,
        file: &ComponentFile,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<Self, SandboxError>;
}

impl ReplaceablePlugin for DeciderPlugin {
    fn assets(&self) -> Assets {
        DeciderPlugin::assets(self)
    }

    fn load_replacement(
        &self,
        sandbox: &Sandbox,
        role: PluginRole,
        file: &ComponentFile,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<DeciderPlugin, SandboxError> {
        DeciderPlugin::load(sandbox, file, role, config, assets, cache)
    }
}

impl ReplaceablePlugin for ScorerPlugin {
    fn assets(&self) -> Assets {
        ScorerPlugin::assets(self)
    }

    fn load_replacement(
        &self,
        sandbox: &Sandbox,
        _: PluginRole,
        file: &ComponentFile,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<ScorerPlugin, SandboxError> {
        ScorerPlugin::load(sandbox, file, config, assets, cache)
    }
}

/// A kind of plugin slot.
pub trait SlotKind: Sized {
    /// The loaded plugins of such a slot.
    type Plugin: ReplaceablePlugin;
    /// The role that a component has to be written for.
    const ROLE: PluginRole;

    /// The slot at `index` in the study; the comparator is at 0.
    fn slot(versions: &PluginVersions, index: usize) -> &PluginSlot<Self::Plugin>;

    /// Like [`slot`](Self::slot), to add a version.
    fn slot_mut(versions: &mut PluginVersions, index: usize) -> &mut PluginSlot<Self::Plugin>;

    /// Loads another component, configuration or trained model: `assets` are those of the plugin that has the slot unless they
    /// are given. `is_live` is a load while the run accepts records: the component is compiled on the calling thread alone, so that
    /// its priority is the priority of the compiler, and compiled code is taken from the user's cache.
    ///
    /// # Errors
    /// When the component cannot be compiled, has another role or rejects its configuration.
    fn load(
        versions: &PluginVersions,
        index: usize,
        file: &ComponentFile,
        config: String,
        assets: Option<Assets>,
        is_live: bool,
    ) -> Result<Self::Plugin, SandboxError> {
        let mut sandbox = versions.comparator.current().plugin.sandbox().clone();
        if is_live {
            sandbox = sandbox.with_single_threaded_compiler()?;
        }
        let current = &Self::slot(versions, index).current().plugin;
        let assets = assets.unwrap_or_else(|| current.assets());
        let cache = is_live.then(compile_cache_folder).flatten();
        current.load_replacement(&sandbox, Self::ROLE, file, config, assets, cache.as_deref())
    }
}

/// The slots of the models.
pub enum ModelSlot {}

/// The slot of the comparator.
pub enum ComparatorSlot {}

/// The slots of the metrics.
pub enum MetricSlot {}

impl SlotKind for ModelSlot {
    type Plugin = DeciderPlugin;
    const ROLE: PluginRole = PluginRole::Model;

    fn slot(versions: &PluginVersions, index: usize) -> &PluginSlot<DeciderPlugin> {
        &versions.models[index]
    }

    fn slot_mut(versions: &mut PluginVersions, index: usize) -> &mut PluginSlot<DeciderPlugin> {
        &mut versions.models[index]
    }
}

impl SlotKind for ComparatorSlot {
    type Plugin = DeciderPlugin;
    const ROLE: PluginRole = PluginRole::Comparator;

    fn slot(versions: &PluginVersions, _: usize) -> &PluginSlot<DeciderPlugin> {
        &versions.comparator
    }

    fn slot_mut(versions: &mut PluginVersions, _: usize) -> &mut PluginSlot<DeciderPlugin> {
        &mut versions.comparator
    }
}

impl SlotKind for MetricSlot {
    type Plugin = ScorerPlugin;
    const ROLE: PluginRole = PluginRole::Metric;

    fn slot(versions: &PluginVersions, index: usize) -> &PluginSlot<ScorerPlugin> {
        &versions.metrics[index]
    }

    fn slot_mut(versions: &mut PluginVersions, index: usize) -> &mut PluginSlot<ScorerPlugin> {
        &mut versions.metrics[index]
    }
}

/// A new plugin version together with the slot that it belongs to.
pub struct SlotVersion<K: SlotKind> {
    /// The index of the slot among those of its kind.
    pub index: usize,
    /// The version.
    pub version: PluginVersion<K::Plugin>,
}

impl<K: SlotKind> SlotVersion<K> {
    /// Makes this the current version of its slot.
    pub fn push_to(&self, versions: &mut PluginVersions) {
        K::slot_mut(versions, self.index).push_version(self.version.clone());
    }
}

/// Identifies a plugin slot of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotRef {
    /// A model, by its index.
    Model(usize),
    /// The comparator.
    Comparator,
    /// A metric, by its index.
    Metric(usize),
}

impl SlotRef {
    /// All slots of a study, each with its name: the models, the comparator, the metrics.
    pub fn all(versions: &PluginVersions) -> Vec<(&str, SlotRef)> {
        let models = versions.models.iter().enumerate();
        let models = models.map(|(index, slot)| (slot.name.as_str(), SlotRef::Model(index)));
        let metrics = versions.metrics.iter().enumerate();
        let metrics = metrics.map(|(index, slot)| (slot.name.as_str(), SlotRef::Metric(index)));
        models.chain([(versions.comparator.name.as_str(), SlotRef::Comparator)]).chain(metrics).collect()
    }

    /// The slot with this name. The comparator is also found as `comparator`.
    pub fn find(versions: &PluginVersions, name: &str) -> Option<SlotRef> {
        let by_role = (PluginRole::Comparator.name(), SlotRef::Comparator);
        let slots = SlotRef::all(versions).into_iter().chain([by_role]);
        slots.into_iter().find(|(known, _)| *known == name).map(|(_, slot)| slot)
    }

    /// The slot with this role and name.
    pub fn find_by_role(versions: &PluginVersions, role: &str, name: &str) -> Option<SlotRef> {
        let slots = SlotRef::all(versions).into_iter();
        slots
            .filter(|(known, _)| *known == name)
            .map(|(_, slot)| slot)
            .find(|slot| slot.role().name() == role)
    }

    /// The role of the slot's plugins.
    pub fn role(self) -> PluginRole {
        match self {
            SlotRef::Model(_) => PluginRole::Model,
            SlotRef::Comparator => PluginRole::Comparator,
            SlotRef::Metric(_) => PluginRole::Metric,
        }
    }
}
