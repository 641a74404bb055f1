//! `understudy plugin show`: what a plugin is.

use std::path::Path;

use super::super::Exit;
use super::super::output::print_out;
use super::super::pack::component_kind;
use super::arguments::{SetupArguments, built_component, component, headline, load_error, needed_config};
use understudy_engine::{InspectedPlugin, inspect_plugin};
use understudy_sandbox::{Better, ComponentFile, ConfigSchema, SandboxError};
use understudy_statistics::number_text::{compact, count};

/// Show what a plugin reads, answers or scores, the JSON Schema of its configuration, its size and its digest.
///
/// The plugin runs in the sandbox, with the configuration that a study would give it. Without one, a plugin that needs one is shown
/// as far as it is known.
#[derive(clap::Args)]
pub(super) struct Show {
    /// Name of a stock plugin, path of a component, which has a slash or ends in .wasm, or folder of a plugin that is built.
    #[arg(value_name = "NAME|FILE|DIR")]
    plugin: String,
    #[command(flatten)]
    setup: SetupArguments,
}

impl Show {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let folder = Path::new(&self.plugin);
        let file = if folder.is_dir() { built_component(folder)? } else { component(&self.plugin)? };
        match self.setup.try_load(&file, inspect_plugin)? {
            Ok(plugin) => {
                print_out(headline(&self.plugin, &plugin))?;
                print_description(&plugin)?;
            }
            Err(error @ (SandboxError::Config { .. } | SandboxError::ConfigMismatch { .. }))
                if self.setup.is_unconfigured() =>
            {
                print_unconfigured(&self.plugin, &file, error)?;
            }
            Err(error) => return Err(load_error(&self.plugin, error)),
        }
        if let Some(schema) = ConfigSchema::of_component(&file)? {
            for (index, line) in schema.pretty_text().lines().enumerate() {
                print_line(if index == 0 { "config" } else { "" }, line)?;
            }
        }
        print_line("size", &format!("{} bytes", count(file.bytes.len() as u64)))?;
        print_line("sha256", &file.digest)?;
        Ok(Exit::Done)
    }
}

/// What is known of a plugin that rejects an empty configuration.
fn print_unconfigured(name: &str, file: &ComponentFile, error: SandboxError) -> anyhow::Result<()> {
    print_out(format_args!("{name}: {}", component_kind(&file.bytes)?))?;
    print_line("needs", &format!("config: {}", needed_config(file, error)?))?;
    print_line("", "its fields and its answers or scores depend on it; give it with --config")
}

fn print_description(plugin: &InspectedPlugin) -> anyhow::Result<()> {
    match plugin {
        InspectedPlugin::Decider(decider) => {
            for (index, field) in decider.reads.iter().enumerate() {
                let head = if index == 0 { "reads" } else { "" };
                let optional = if field.required { "" } else { ", optional" };
                print_line(head, &format!("{:<24} {}{optional}", field.name, field.kind.name()))?;
            }
            let classes = if decider.has_probabilities { " with class probabilities" } else { "" };
            print_line("answers", &format!("{}{classes}", decider.form.with_article()))?;
        }
        InspectedPlugin::Scorer(scorer) => {
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
    Ok(())
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
