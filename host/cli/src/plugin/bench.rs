//! `understudy plugin bench`: what a row costs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{AuthoredComponent, ROWS, SetupArguments, headline, read_text};
use understudy_engine::{InspectedPlugin, load_within_default_limits};
use understudy_plugin_kit::{
    DeciderSubject, Measurement, Row, RowResult, ScorerSubject, Subject, measure, read_pairs, read_rows,
};
use understudy_report::{count, counted};
use understudy_sandbox::{InputField, failure_advice};

/// Batch sizes: a row alone, a small batch, and the largest of a study by default.
const BATCHES: [usize; 3] = [1, 64, 1024];
/// How long a batch size is measured.
const MEASURED: Duration = Duration::from_millis(500);

/// Measure a plugin: nanoseconds and fuel of a row, in batches of 1, 64 and 1,024 rows.
///
/// The time is that of a call from the host, of the fastest of many rounds. Fuel is about one unit an instruction.
#[derive(clap::Args)]
pub(super) struct Bench {
    /// Folder of a plugin, which is built first, path of a component, or name of a stock plugin.
    #[arg(value_name = "DIR|FILE|NAME", default_value = ".")]
    plugin: String,
    /// Rows, JSON Lines, which are repeated. A line for a metric is {"model": "a", "comparator": "b"}. [default: rows.jsonl beside the
    /// component]
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    #[command(flatten)]
    setup: SetupArguments,
}

impl Bench {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let AuthoredComponent { file, folder } = AuthoredComponent::of_plugin(&self.plugin)?;
        let plugin = self.setup.load(&self.plugin, &file, load_within_default_limits)?;
        let headline = headline(&self.plugin, &plugin);
        let rows = self.rows.unwrap_or_else(|| folder.join(ROWS));
        let text = read_text(&rows, "name a file of rows with --rows")?;
        let shown = rows.display();
        let subject: Box<dyn Subject> = match plugin {
            InspectedPlugin::Decider(plugin) => {
                let rows = read_rows(&plugin.reads, &text, usize::MAX)
                    .map_err(|error| anyhow!("{shown}: {error}"))?;
                ensure_needed_fields(&plugin.reads, &rows)
                    .with_context(|| format!("cannot measure rows of {shown}"))?;
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
            let calls = counted(traps, "call", "calls");
            print_out(failure_text(&*subject, &calls, &shown.to_string()))?;
        }
        Ok(Exit::Done)
    }
}

/// What the failed calls of a measurement mean. If the plugin fails on a row alone, this says on which first, and why.
fn failure_text(subject: &dyn Subject, calls: &str, file: &str) -> String {
    let mut instance = subject.instance();
    let broken = (0..subject.rows()).find_map(|row| match instance.call(&[row]).remove(0) {
        RowResult::Broken(why) => Some((row, why)),
        _ => None,
    });
    match broken {
        Some((row, why)) => {
            let help = failure_advice(&why).map(|advice| format!("; {advice}")).unwrap_or_default();
            let (number, text) = (count(row as u64 + 1), subject.row_text(row));
            format!(
                "  {calls} failed, so the figures are not those of answers\n  row {number} of {file} fails: {text}: {why}{help}"
            )
        }
        None => format!(
            "  {calls} of several rows failed and were halved; the time includes them\n  no row of {file} fails alone: a batch may need \
             more than a call has, which `fuel-per-row` and `memory-mib` in [limits] of a study raise"
        ),
    }
}

/// Fails if no row has a field that the plugin needs: the plugin would not be called for any row.
fn ensure_needed_fields(fields: &[InputField], rows: &[Row]) -> anyhow::Result<()> {
    let is_lacking = |(index, field): &(usize, &InputField)| {
        field.required && !rows.is_empty() && rows.iter().all(|row| row[*index].is_none())
    };
    if let Some((_, field)) = fields.iter().enumerate().find(is_lacking) {
        bail!("no row has the field `{}`, which the plugin needs; write it there", field.name);
    }
    Ok(())
}
