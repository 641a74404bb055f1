//! Loads one component without a study, to say what it is.

use std::path::Path;
use std::time::Duration;

use crate::plugins::compile_cache_folder::compile_cache_folder;
use crate::plugins::load::budget;
use understudy_sandbox::{
    Assets, Budget, ComponentFile, DeciderPlugin, PluginRole, Sandbox, SandboxError, ScorerPlugin,
};
use understudy_study::Limits;

/// The limits of a plugin that is not part of a study.
const BUDGET: Budget = Budget {
    fuel: 100_000_000_000,
    timeout: Duration::from_secs(60),
    memory: 1 << 30,
    returned: 64 << 20,
    answer: 128 << 10,
};

/// The maximum number of live instances: one that is being loaded, one under test, and one that it is compared with.
const INSTANCES: u32 = 3;

/// A plugin, by the interface that it exports.
pub enum InspectedPlugin {
    /// A model or a comparator.
    Decider(DeciderPlugin),
    /// A metric.
    Scorer(ScorerPlugin),
}

/// Loads and configures a plugin of any kind. `config` is a JSON object.
///
/// # Errors
/// If it is not a plugin, or rejects the configuration.
pub fn inspect_plugin(
    file: &ComponentFile,
    config: &str,
    assets: &Assets,
) -> Result<InspectedPlugin, SandboxError> {
    load_plugin(BUDGET, file, config, assets)
}

/// Loads and configures a plugin of any kind with the limits of a study that declares none. So what it does within them, it
/// does in a study.
///
/// # Errors
/// Like [`inspect_plugin`].
pub fn load_within_default_limits(
    file: &ComponentFile,
    config: &str,
    assets: &Assets,
) -> Result<InspectedPlugin, SandboxError> {
    load_plugin(budget(&Limits::default()), file, config, assets)
}

fn load_plugin(
    budget: Budget,
    file: &ComponentFile,
    config: &str,
    assets: &Assets,
) -> Result<InspectedPlugin, SandboxError> {
    let (sandbox, cache) = (Sandbox::new(budget, INSTANCES)?, compile_cache_folder());
    let cache: Option<&Path> = cache.as_deref();
    match ScorerPlugin::load(&sandbox, file, config.to_owned(), assets.clone(), cache) {
        Err(SandboxError::World { .. }) => {
            let (role, assets) = (PluginRole::Model, assets.clone());
            DeciderPlugin::load(&sandbox, file, role, config.to_owned(), assets, cache)
                .map(InspectedPlugin::Decider)
        }
        loaded => loaded.map(InspectedPlugin::Scorer),
    }
}
