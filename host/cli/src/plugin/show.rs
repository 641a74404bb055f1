//! `understudy plugin show`: what a plugin is.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::super::Exit;
use super::super::output::print_out;
use understudy_engine::{InspectedPlugin, component_named, inspect_plugin};
use understudy_run_log::read_file;
use understudy_sandbox::{Assets, Better, SandboxError};
use understudy_statistics::number_text::{compact, count};

/// Show what a plugin reads, answers or scores, its size and its digest.
///
/// The plugin runs in the sandbox, with the configuration that a study would give it.
#[derive(clap::Args)]
pub(super) struct Show {
    /// Name of a stock plugin, or the path of a component, which has a slash or ends in .wasm.
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    /// Configuration, a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    config: String,
    /// Asset of the plugin. Repeatable.
    #[arg(long, value_name = "NAME=FILE")]
    asset: Vec<String>,
}

impl Show {
    pub fn execute(self) -> anyhow::Result<Exit> {
        // The sources of these errors are in their texts.
        let file = component_named(&self.plugin).map_err(|error| anyhow!("{error}"))?;
        let config: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&self.config)
            .context("--config is no JSON object; write one, such as {\"k\": 3}")?;
        let config = serde_json::Value::from(config).to_string();
        let plugin = inspect_plugin(&file, &config, &self.assets()?).map_err(|error| match error {
            SandboxError::Config { why } => {
                anyhow!("{} rejects the configuration: {why}; give another one with --config", self.plugin)
            }
            error => anyhow!("{}: {error}", self.plugin),
        })?;
        match &plugin {
            InspectedPlugin::Decider(decider) => {
                print_out(format_args!("{}: {}, a model or a comparator", self.plugin, decider.title))?;
                for (index, field) in decider.reads.iter().enumerate() {
                    let head = if index == 0 { "reads" } else { "" };
                    let optional = if field.required { "" } else { ", optional" };
                    print_line(head, &format!("{:<24} {}{optional}", field.name, field.kind.name()))?;
                }
                let classes = if decider.has_probabilities { " with class probabilities" } else { "" };
                print_line("answers", &format!("{}{classes}", decider.form.with_article()))?;
            }
            InspectedPlugin::Scorer(scorer) => {
                print_out(format_args!("{}: {}, a metric", self.plugin, scorer.title))?;
                let forms: Vec<&str> = scorer.accepts.iter().map(|form| form.name()).collect();
                print_line("scores", &forms.join(", "))?;
                if scorer.needs_probabilities {
                    print_line("needs", "class probabilities of the model")?;
                }
                print_line("range", &range_text(scorer.range))?;
                print_line(
                    "better",
                    match scorer.better {
                        Better::Higher => "higher",
                        Better::Lower => "lower",
                    },
                )?;
                print_line("components", &scorer.components.join(", "))?;
            }
        }
        print_line("size", &format!("{} bytes", count(file.bytes.len() as u64)))?;
        print_line("sha256", &file.digest)?;
        Ok(Exit::Done)
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

fn print_line(head: &str, text: &str) -> anyhow::Result<()> {
    print_out(format_args!("  {head:<11} {text}"))
}

/// The range of a metric: `0 to 1`, `from 0`, `unbounded`.
fn range_text(range: (Option<f64>, Option<f64>)) -> String {
    match range {
        (Some(least), Some(greatest)) => format!("{} to {}", compact(least), compact(greatest)),
        (Some(least), None) => format!("from {}", compact(least)),
        (None, Some(greatest)) => format!("up to {}", compact(greatest)),
        (None, None) => "unbounded".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::range_text;

    #[test]
    fn a_range_has_the_ends_that_exist() {
        let ranges = [(Some(-1.0), Some(1.0)), (Some(0.0), None), (None, Some(0.5)), (None, None)];
        assert_eq!(ranges.map(range_text), ["-1 to 1", "from 0", "up to 0.500000", "unbounded"]);
    }
}
