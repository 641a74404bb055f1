//! `understudy plugin show`: what a plugin is.

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{SetupArguments, component, headline};
use understudy_engine::{InspectedPlugin, inspect_plugin};
use understudy_sandbox::Better;
use understudy_statistics::number_text::{compact, count};

/// Show what a plugin reads, answers or scores, its size and its digest.
///
/// The plugin runs in the sandbox, with the configuration that a study would give it.
#[derive(clap::Args)]
pub(super) struct Show {
    /// Name of a stock plugin, or the path of a component, which has a slash or ends in .wasm.
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    #[command(flatten)]
    setup: SetupArguments,
}

impl Show {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let file = component(&self.plugin)?;
        let plugin = self.setup.load(&self.plugin, &file, inspect_plugin)?;
        print_out(headline(&self.plugin, &plugin))?;
        match &plugin {
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
        print_line("size", &format!("{} bytes", count(file.bytes.len() as u64)))?;
        print_line("sha256", &file.digest)?;
        Ok(Exit::Done)
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
