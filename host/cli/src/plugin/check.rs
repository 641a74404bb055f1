//! `understudy plugin check`: whether a plugin keeps the contract.

use std::path::PathBuf;

use anyhow::anyhow;

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{SetupArguments, component, headline, read_text};
use understudy_engine::{InspectedPlugin, load_within_default_limits};
use understudy_plugin_kit::{
    DeciderSubject, Finding, Report, Row, ScorerSubject, Subject, check_decider, check_scorer, decode_rows,
    generate_pairs, generate_rows, words_of,
};
use understudy_report::{count, counted};
use understudy_sandbox::{DeciderPlugin, InputField, ScorerPlugin};
use understudy_study::Limits;

/// Most rows of --rows that are checked.
const GIVEN_ROWS: usize = 1000;

/// Check that a plugin keeps the contract: the answer to a row depends on that row and the configuration alone.
///
/// The plugin is asked for generated rows of the fields that it reads, with extremes of each kind, missing values and random
/// cells, and for the texts in its configuration. It is asked for all at once, one by one, in reverse, and in random batches, by new
/// instances and by used ones, within the default limits of a study. Each finding has its shortest example. Exit codes: 0
/// nothing was found, 1 otherwise.
#[derive(clap::Args)]
pub(super) struct Check {
    /// Name of a stock plugin, or the path of a component, which has a slash or ends in .wasm.
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    #[command(flatten)]
    setup: SetupArguments,
    /// Rows of your own, JSON Lines, that are checked, too: those of a model or comparator.
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Seed of the generated rows and of the random batches.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let file = component(&self.plugin)?;
        let plugin = self.setup.load(&self.plugin, &file, load_within_default_limits)?;
        print_out(headline(&self.plugin, &plugin))?;
        let words = words_of(&self.setup.config()?);
        let reports = match plugin {
            InspectedPlugin::Decider(decider) => {
                vec![self.check_decider(decider, &words)?]
            }
            InspectedPlugin::Scorer(scorer) => self.check_scorer(&scorer, &words)?,
        };
        let mut found = 0;
        for finding in reports.iter().flat_map(|report| &report.findings) {
            found += 1;
            print_finding(finding)?;
        }
        match found {
            0 => {
                print_out("\nno findings: the plugin keeps the contract on these rows")?;
                Ok(Exit::Done)
            }
            _ => {
                print_out(format_args!("\n{}", counted(found, "finding", "findings")))?;
                Ok(Exit::Failed)
            }
        }
    }

    fn check_decider(&self, plugin: DeciderPlugin, words: &[String]) -> anyhow::Result<Report> {
        let mut rows = self.given_rows(&plugin.reads)?;
        let given = rows.len();
        rows.extend(generate_rows(&plugin.reads, words, self.seed));
        let subject = DeciderSubject { plugin, rows };
        let report = check_decider(&subject, self.seed);
        self.print_costs(&subject, &report, given, "rows")?;
        Ok(report)
    }

    fn check_scorer(&self, plugin: &ScorerPlugin, words: &[String]) -> anyhow::Result<Vec<Report>> {
        if self.rows.is_some() {
            return Err(anyhow!("--rows are those of a model or comparator; leave it out for a metric"));
        }
        let check = |form| {
            let pairs = generate_pairs(form, plugin.needs_probabilities, words, self.seed);
            let subject = ScorerSubject { plugin: plugin.clone(), form, pairs };
            let report = check_scorer(&subject, self.seed);
            self.print_costs(&subject, &report, 0, &format!("pairs of form {}", form.name()))?;
            Ok(report)
        };
        plugin.accepts.iter().copied().map(check).collect()
    }

    fn given_rows(&self, fields: &[InputField]) -> anyhow::Result<Vec<Row>> {
        let Some(path) = &self.rows else { return Ok(Vec::new()) };
        let text = read_text(path)?;
        let lines: Vec<(usize, &str)> =
            text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).take(GIVEN_ROWS).collect();
        let objects: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
        decode_rows(fields, &objects)
            .map_err(|(index, why)| anyhow!("{}: line {}: {why}", path.display(), lines[index].0 + 1))
    }

    fn print_costs(
        &self,
        subject: &dyn Subject,
        report: &Report,
        given: usize,
        what: &str,
    ) -> anyhow::Result<()> {
        let Report { rows, unanswered, costs, .. } = report;
        let own = match given {
            0 => String::new(),
            given => format!(", {given} of them given"),
        };
        let limits = Limits::default();
        print_line("checked", &format!("{} {what} with --seed {}{own}", count(*rows as u64), self.seed))?;
        if *unanswered > 0 {
            print_line(
                "unanswered",
                &format!(
                    "{}, of which the plugin failed on {}",
                    count(*unanswered as u64),
                    count(report.failed as u64)
                ),
            )?;
        }
        if let Some((row, result)) = &report.failed_example {
            print_line("", &format!("such as {row}: {result}"))?;
        }
        let share = |part: u64, of: u64| part as f64 * 100.0 / of.max(1) as f64;
        print_line(
            "fuel/row",
            &format!(
                "{} alone on average, at most {}, {:.1} % of a study's default limit",
                count(costs.mean_fuel),
                count(costs.most_fuel),
                share(costs.most_fuel, limits.fuel_per_row)
            ),
        )?;
        if *rows > 0 && share(costs.most_fuel, limits.fuel_per_row) > 10.0 {
            print_line("", &format!("most for {}", subject.row_text(costs.most_fuel_row)))?;
        }
        print_line(
            "memory",
            &format!("{} of {} MiB", costs.memory_bytes.div_ceil(1 << 20), limits.memory_mib),
        )
    }
}

fn print_line(head: &str, text: &str) -> anyhow::Result<()> {
    print_out(format_args!("  {head:<11} {text}"))
}

fn print_finding(finding: &Finding) -> anyhow::Result<()> {
    print_out(format_args!(
        "\nfinding: {}, {}",
        finding.rule.name(),
        counted(finding.rows as u64, "row", "rows")
    ))?;
    finding.example.iter().try_for_each(|line| print_out(format_args!("  {line}")))
}
