//! `understudy plugin list`: the stock plugins.

use super::super::Exit;
use super::super::output::print_out;
use super::super::pack::component_kind;
use super::arguments::needed_config;
use understudy_engine::{InspectedPlugin, inspect_plugin, stock_component, stock_names};

/// List the stock plugins, which are part of the program.
///
/// A study uses one by its name, as in plugin = "agreement". Each line has the name, the kind of plugin, and the answers that it
/// scores or gives, or the configuration that it needs. `understudy plugin show NAME` prints the schema of the configuration.
#[derive(clap::Args)]
pub(super) struct List {}

impl List {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let width = stock_names().map(str::len).max().unwrap_or_default();
        for name in stock_names() {
            let file = stock_component(name)?;
            let kind = component_kind(&file.bytes)?;
            let text = match inspect_plugin(&file, "{}", &Vec::new().into()) {
                Ok(InspectedPlugin::Scorer(metric)) => {
                    let forms: Vec<&str> = metric.accepts.iter().map(|form| form.name()).collect();
                    format!("scores answers of form {}", forms.join(", "))
                }
                Ok(InspectedPlugin::Decider(plugin)) => format!("answers in form {}", plugin.form.name()),
                Err(error) => format!("needs config: {}", needed_config(&file, error)?),
            };
            print_out(format_args!("{name:<width$}  {kind:<23}  {text}"))?;
        }
        Ok(Exit::Done)
    }
}
