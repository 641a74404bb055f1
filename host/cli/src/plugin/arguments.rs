//! The arguments that say which plugin a command runs, what it is, and how it is configured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::ValueEnum;
use serde_json::{Map, Value};

use super::package::read_package;
use super::source_files::is_current;
use understudy_engine::{InspectedPlugin, component_named, names_trained_model};
use understudy_plugin_kit::Kind;
use understudy_run_log::read_file;
use understudy_sandbox::{Assets, ComponentFile, ConfigSchema, SandboxError};

/// Name of the file with rows, in the folder of a plugin.
pub(super) const ROWS: &str = "rows.jsonl";
/// The configuration without --config.
const NO_CONFIG: &str = "{}";

/// Configuration and assets of a plugin.
#[derive(clap::Args)]
pub(super) struct SetupArguments {
    /// Configuration, a JSON object.
    #[arg(long, value_name = "JSON", default_value = NO_CONFIG)]
    config: String,
    /// Asset of the plugin. Repeatable.
    #[arg(long, value_name = "NAME=FILE")]
    asset: Vec<String>,
}

/// How a plugin is loaded: with the limits of a study, or with those of an inspection.
pub(super) type Load = fn(&ComponentFile, &str, &Assets) -> Result<InspectedPlugin, SandboxError>;

impl SetupArguments {
    /// The configuration.
    pub fn config(&self) -> anyhow::Result<Value> {
        let config: Map<String, Value> = serde_json::from_str(&self.config)
            .context("--config is no JSON object; write one, such as {\"k\": 3}")?;
        Ok(Value::from(config))
    }

    /// Whether no configuration is given.
    pub fn is_unconfigured(&self) -> bool {
        self.config == NO_CONFIG
    }

    /// Loads a component with the configuration and the assets. `name` is what the user calls it.
    pub fn load(&self, name: &str, file: &ComponentFile, load: Load) -> anyhow::Result<InspectedPlugin> {
        self.try_load(file, load)?.map_err(|error| load_error(name, error))
    }

    /// Like [`SetupArguments::load`]. The inner error is that of the sandbox.
    pub fn try_load(
        &self,
        file: &ComponentFile,
        load: Load,
    ) -> anyhow::Result<Result<InspectedPlugin, SandboxError>> {
        Ok(load(file, &self.config()?.to_string(), &self.assets()?))
    }

    fn assets(&self) -> anyhow::Result<Assets> {
        let asset = |text: &String| {
            let (name, path) =
                text.split_once('=').with_context(|| format!("--asset is {text:?}; write NAME=FILE"))?;
            let bytes = read_file(Path::new(path)).with_context(|| format!("cannot read asset {path}"))?;
            Ok((name.to_owned(), bytes))
        };
        Ok(self.asset.iter().map(asset).collect::<anyhow::Result<Vec<_>>>()?.into())
    }
}

/// Why the plugin `name` cannot be loaded, and what helps.
pub(super) fn load_error(name: &str, error: SandboxError) -> anyhow::Error {
    match error {
        SandboxError::ConfigMismatch { mismatches } => {
            let mismatches: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
            anyhow!(
                "cannot configure {name}: {}; give another configuration with --config",
                mismatches.join(". Also ")
            )
        }
        SandboxError::Config { why } => {
            anyhow!("cannot configure {name}: {why}; give another configuration with --config")
        }
        error => anyhow!("{name}: {error}"),
    }
}

/// What a plugin is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArgument {
    /// Answers rows.
    Model,
    /// Expresses the decision in the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

/// What a plugin needs of a configuration, in one line: the keys that it must have, or why it rejects an empty one. `error` is that of
/// an empty one.
///
/// # Errors
/// If it has nothing to do with the configuration.
pub(super) fn needed_config(file: &ComponentFile, error: SandboxError) -> anyhow::Result<String> {
    let required = ConfigSchema::of_component(file)?.map(|schema| schema.required_keys()).unwrap_or_default();
    match error {
        SandboxError::ConfigMismatch { .. } if !required.is_empty() => {
            let keys = required.iter().map(|(key, expected)| format!("{key}: {expected}"));
            Ok(keys.collect::<Vec<_>>().join("; "))
        }
        SandboxError::ConfigMismatch { .. } => Ok(error.to_string()),
        SandboxError::Config { why } => Ok(why.strip_prefix("config: ").unwrap_or(&why).to_owned()),
        error => Err(error.into()),
    }
}

impl From<KindArgument> for Kind {
    fn from(argument: KindArgument) -> Kind {
        match argument {
            KindArgument::Model => Kind::Model,
            KindArgument::Comparator => Kind::Comparator,
            KindArgument::Metric => Kind::Metric,
        }
    }
}

/// A component, and where its author has it.
pub(super) struct AuthoredComponent {
    /// The component.
    pub file: ComponentFile,
    /// The folder of its source, or of the component if only that was named.
    pub folder: PathBuf,
}

impl AuthoredComponent {
    /// The component of a plugin: of a folder, which is built first unless its source is as it was, a path or a stock plugin. So
    /// the component that is checked and measured is the one that was tested, also if each build has another digest.
    ///
    /// # Errors
    /// If the folder cannot be built, or there is no component.
    pub fn of_plugin(plugin: &str) -> anyhow::Result<AuthoredComponent> {
        let path = Path::new(plugin);
        if !path.is_dir() {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(AuthoredComponent { file: component(plugin)?, folder });
        }
        let package = read_package(path)?;
        let built = package.component();
        if package.is_incremental() || !is_current(path, &built)? {
            package.build(&built)?;
        }
        // A path without a slash could be the name of a stock plugin.
        let name = Path::new(".").join(built).display().to_string();
        Ok(AuthoredComponent { file: component(&name)?, folder: path.to_owned() })
    }
}

/// The component that a folder has already.
///
/// # Errors
/// If it is no folder of a plugin, or the plugin is not built.
pub(super) fn built_component(folder: &Path) -> anyhow::Result<ComponentFile> {
    let built = read_package(folder)?.component();
    let shown = folder.display();
    ensure!(
        built.is_file(),
        "cannot show {shown}: it is not built; run `understudy plugin build {shown}` first"
    );
    component(&Path::new(".").join(built).display().to_string())
}

/// The component that a user names: a stock plugin or a path.
pub(super) fn component(plugin: &str) -> anyhow::Result<ComponentFile> {
    if names_trained_model(plugin) {
        bail!("{plugin} is a trained model or its format, not a plugin; write understudy model show FILE");
    }
    // The sources of these errors are in their texts.
    component_named(plugin).map_err(|error| anyhow!("{error}"))
}

/// The text of a file of JSON Lines. `advice` says how to name another one.
pub(super) fn read_text(path: &Path, advice: &str) -> anyhow::Result<String> {
    let shown = path.display();
    let bytes = read_file(path).map_err(|error| anyhow!("cannot read {shown}: {error}; {advice}"))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("cannot read {shown}: it is not UTF-8; write JSON Lines"))
}

/// The first line of the output about a plugin.
pub(super) fn headline(name: &str, plugin: &InspectedPlugin) -> String {
    match plugin {
        InspectedPlugin::Decider(decider) => format!("{name}: {}, a model or a comparator", decider.title),
        InspectedPlugin::Scorer(scorer) => format!("{name}: {}, a metric", scorer.title),
    }
}
