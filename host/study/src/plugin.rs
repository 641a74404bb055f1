//! Reads the plugins of a study: models, comparator and metrics.
//!
//! Invariants: a model is never granted a field of the decision; a metric is granted no field; every granted field is
//! declared.

use std::path::PathBuf;

use super::model_file::{ModelFormat, model_file};
use super::table_reader::TableReader;
use super::toml_value::Value;
use super::training_period::training_period;
use super::validate::{DECISION_PREFIX, DeclaredFields, NAME, NameRegistry};
use super::{Plugin, PluginSource, RegistryReferenceError};

const COMPARATOR_PLUGIN: &str = "\"recorded\", or the path of a component, such as \"plugins/rules.wasm\"";
const METRIC_PLUGIN: &str = "the name of a stock metric, such as \"agreement\", or the path of a component, such as \
                             \"plugins/cost.wasm\"";
const MODEL_PLUGIN: &str = "the path of a component, such as \"plugins/rules.wasm\"; or \"onnx\", \"xgboost\", \
                            \"lightgbm\" or \"catboost\", with file = \"model.onnx\"; or \"recorded\", which answers with a \
                            field of the snapshot";
const GRANT: &str = "a list of the fields that the plugin may read, such as [\"lead_time\", \"adults\"]";
const CONFIG: &str = "a table, such as { labels = [\"a\", \"b\"] }";
const ASSET: &str = "the path of a file, such as \"weights.bin\"";

/// The role of a plugin in a study.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum DeclaredRole {
    Model,
    Comparator,
    Metric,
}

/// Reads one plugin and declares its name.
pub(super) fn plugin(
    section: &mut TableReader<'_>,
    role: DeclaredRole,
    declared: &DeclaredFields,
    names: &mut NameRegistry,
) -> Option<Plugin> {
    let line = section.line();
    let name = section.required("name", NAME, Value::name);
    let is_model = role == DeclaredRole::Model;
    let expected = match role {
        DeclaredRole::Model => MODEL_PLUGIN,
        DeclaredRole::Comparator => COMPARATOR_PLUGIN,
        DeclaredRole::Metric => METRIC_PLUGIN,
    };
    let plugin = section.required("plugin", expected, Value::word);
    let model_file = if is_model { model_file(section, plugin.unwrap_or_default()) } else { Ok(None) };
    if !is_model && let Some(format) = ModelFormat::ALL.iter().find(|format| Some(format.name()) == plugin) {
        let message = format!(
            "`{}` is \"{}\", but only a model can be a trained file; write {expected}",
            section.at("plugin"),
            format.name()
        );
        section.fault(section.line_of("plugin"), message);
    }
    let training_period = if is_model { training_period(section) } else { Ok(None) };
    let config = section.json("config", CONFIG);
    let assets = section.entries("assets", ASSET, |value| value.word().map(PathBuf::from));
    let grant = if role == DeclaredRole::Metric {
        section.refuse(
            "grant",
            "a metric reads no fields, only the answers of a model and of the comparator; remove it",
        );
        Vec::new()
    } else {
        grant(section, role, declared)
    };

    let name = name.filter(|name| section.check("name", names.claim(name, line)).is_some());
    let component = plugin.and_then(|plugin| {
        let fault = |error: RegistryReferenceError| format!("`{}`: {error}", section.at("plugin"));
        section.check("plugin", PluginSource::component(plugin).map_err(fault))
    });
    let assets = assets.into_iter().map(|asset| Some((asset.name, asset.value?))).collect::<Option<_>>();
    let (config, config_positions) = config?;
    Some(Plugin {
        name: name?.to_owned(),
        source: match model_file.ok()? {
            Some(file) => PluginSource::ModelFile(file),
            None => component?,
        },
        training_period: training_period.ok()?,
        grant,
        config,
        config_positions,
        assets: assets?,
        line,
        grant_line: section.line_of("grant"),
        config_line: section.line_of("config"),
        source_line: section.line_of("plugin"),
    })
}

/// The fields that a model or the comparator may read.
fn grant(section: &mut TableReader<'_>, role: DeclaredRole, declared: &DeclaredFields) -> Vec<String> {
    let path = section.at("grant");
    let mut granted: Vec<String> = Vec::new();
    for (name, line) in section.list("grant", GRANT, Value::word) {
        if granted.iter().any(|earlier| earlier == name) {
            section.fault(line, format!("`{path}` contains `{name}` twice; remove one"));
        } else if role == DeclaredRole::Model && name.starts_with(DECISION_PREFIX) {
            let message = format!(
                "`{path}` contains `{name}`, but a model must not read the decision that it is compared with; grant \
                 fields of [inputs.fields] only"
            );
            section.fault(line, message);
        } else if let Err(message) = declared.granted(&path, name, role == DeclaredRole::Comparator) {
            section.absent(&[], line, &message);
        }
        granted.push(name.to_owned());
    }
    granted
}

/// The index of the primary metric, from the value and the line of each metric's `primary` key.
pub(super) fn primary(root: &TableReader<'_>, metrics: &[(Option<bool>, usize)]) -> Option<usize> {
    let mut primaries = metrics.iter().enumerate().filter(|(_, (primary, _))| *primary == Some(true));
    match (metrics, primaries.next(), primaries.next()) {
        (_, Some((index, _)), None) => return Some(index),
        ([(None, _)], None, None) => return Some(0),
        (_, Some((_, (_, first))), Some((_, (_, second)))) => {
            let message = format!(
                "the metrics on lines {first} and {second} both have primary = true; remove it from the one that does \
                 not decide the verdict"
            );
            root.fault(*second, message);
        }
        ([(_, line), ..], None, _) => {
            let message = "no metric is primary; write primary = true in the one that decides the verdict";
            let sections = metrics.iter().map(|(_, line)| *line);
            root.absent_below("metrics.primary", sections, *line, message);
        }
        ([], ..) => {}
    }
    None
}

#[cfg(test)]
mod tests;
