//! `understudy plugin list`: the stock plugins.

use super::super::Exit;
use super::super::output::print_out;
use understudy_engine::{InspectedPlugin, inspect_plugin, stock_component, stock_names};
use understudy_sandbox::SandboxError;

/// List the stock plugins, which are part of the program.
///
/// A study uses one by its name, as in plugin = "agreement". Each line has a name and what the plugin does, or the configuration that it needs.
#[derive(clap::Args)]
pub(super) struct List {}

impl List {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let width = stock_names().map(str::len).max().unwrap_or_default();
        for name in stock_names() {
            let text = match inspect_plugin(&stock_component(name)?, "{}", &Vec::new().into()) {
                Ok(InspectedPlugin::Scorer(metric)) => {
                    let forms: Vec<&str> = metric.accepts.iter().map(|form| form.name()).collect();
                    format!("scores answers of form {}", forms.join(", "))
                }
                Ok(InspectedPlugin::Decider(plugin)) => format!("answers in form {}", plugin.form.name()),
                Err(SandboxError::Config { why }) => {
                    format!("needs a configuration: {}", why.strip_prefix("config: ").unwrap_or(&why))
                }
                Err(error) => return Err(error.into()),
            };
            print_out(format_args!("{name:<width$}  {text}"))?;
        }
        Ok(Exit::Done)
    }
}
