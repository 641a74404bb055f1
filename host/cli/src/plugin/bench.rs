//! `understudy plugin bench`: what a row costs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{SetupArguments, component, headline, read_text};
use understudy_engine::{InspectedPlugin, load_within_default_limits};
use understudy_plugin_kit::{
    DeciderSubject, Measurement, ScorerSubject, Subject, decode_rows, measure, read_pairs,
};
use understudy_report::{count, counted};

/// Batch sizes: a row alone, a small batch, and the largest of a study by default.
const BATCHES: [usize; 3] = [1, 64, 1024];
/// How long a batch size is measured.
const MEASURED: Duration = Duration::from_millis(500);

/// Measure a plugin: nanoseconds and fuel of a row, in batches of 1, 64 and 1,024 rows.
///
/// The time is that of a call from the host, of the fastest of many rounds. Fuel is about one unit an instruction.
#[derive(clap::Args)]
pub(super) struct Bench {
    /// Name of a stock plugin, or the path of a component, which has a slash or ends in .wasm.
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    /// Rows, JSON Lines, which are repeated. A line for a metric is {"model": "a", "comparator": "b"}.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    #[command(flatten)]
    setup: SetupArguments,
}

impl Bench {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let file = component(&self.plugin)?;
        let plugin = self.setup.load(&self.plugin, &file, load_within_default_limits)?;
        let headline = headline(&self.plugin, &plugin);
        let text = read_text(&self.rows)?;
        let shown = self.rows.display();
        let subject: Box<dyn Subject> = match plugin {
            InspectedPlugin::Decider(plugin) => {
                let lines: Vec<(usize, &str)> =
                    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
                let objects: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
                let rows = decode_rows(&plugin.reads, &objects)
                    .map_err(|(index, why)| anyhow!("{shown}: line {}: {why}", lines[index].0 + 1))?;
                Box::new(DeciderSubject { plugin, rows })
            }
            InspectedPlugin::Scorer(plugin) => {
                let (form, pairs) =
                    read_pairs(&plugin.accepts, &text).map_err(|error| anyhow!("{shown}: {error}"))?;
                Box::new(ScorerSubject { plugin, form, pairs })
            }
        };
        ensure!(subject.rows() > 0, "{shown} has no row; write one JSON object a line");
        print_out(headline)?;
        print_out(format_args!("  {:>10}  {:>12}  {:>12}", "batch", "ns a row", "fuel a row"))?;
        for batch_rows in BATCHES {
            let began = Instant::now();
            let elapsed = |round: &mut dyn FnMut()| {
                let began = Instant::now();
                round();
                began.elapsed().as_nanos() as u64
            };
            let Measurement { nanoseconds, fuel } =
                measure(&*subject, batch_rows, elapsed, || began.elapsed() >= MEASURED);
            print_out(format_args!(
                "  {:>10}  {:>12}  {:>12}",
                count(batch_rows as u64),
                count(nanoseconds),
                count(fuel)
            ))?;
        }
        let traps = subject.usage().traps;
        if traps > 0 {
            print_out(format_args!(
                "  {} failed: the plugin fails on a row; find it with `understudy plugin check --rows`",
                counted(traps, "call", "calls")
            ))?;
        }
        Ok(Exit::Done)
    }
}
